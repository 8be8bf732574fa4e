#include "grpc/json.h"

#include "base/base64.h"
#include "base/limits.h"

#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <math.h>
#include <stdlib.h>

/* Where a value stands, for the sentence that refuses it. */
struct at {
	const struct at *parent;
	const char *name; /* NULL: an item */
	size_t index;
	unsigned depth;
};

struct reader {
	struct arena *arena;
	struct err *err;
};

static void at_print(const struct at *at, struct buf *out)
{
	if (!at->parent) {
		buf_str(out, at->name);
		return;
	}
	at_print(at->parent, out);
	if (at->name)
		buf_printf(out, ".%s", at->name);
	else
		buf_printf(out, "[%zu]", at->index);
}

static bool refuse(struct reader *r, const struct at *at, const char *why)
{
	struct buf where = BUF(512);
	at_print(at, &where);
	(void)err_set(r->err, ERR_INVALID_ARGUMENT, "%s: %s", where.failed ? at->name : where.ptr, why);
	buf_done(&where);
	return false;
}

/* ---- scalars ---- */

/* Integers come as JSON integers, as numbers without a fraction, or as decimal text. */
static bool whole(struct reader *r, const struct at *at, const json_t *value, int64_t least, uint64_t most,
		  uint64_t *ret)
{
	int64_t number = 0;
	uint64_t positive = 0;
	if (json_is_integer(value)) {
		number = json_integer_value(value);
		positive = number > 0 ? (uint64_t)number : 0;
	} else if (json_is_real(value)) {
		double real = json_real_value(value);
		if (real != floor(real) || fabs(real) > 9007199254740992.0)
			return refuse(r, at, "expected an integer");
		number = (int64_t)real;
		positive = number > 0 ? (uint64_t)number : 0;
	} else if (json_is_string(value)) {
		struct span text = span_of(json_string_value(value));
		if (span_u64(text, &positive))
			number = positive > INT64_MAX ? INT64_MAX : (int64_t)positive;
		else if (!span_i64(text, &number))
			return refuse(r, at, "expected an integer");
	} else {
		return refuse(r, at, "expected an integer");
	}
	if (number < least || (number >= 0 && positive > most))
		return refuse(r, at, "the number is out of range");
	*ret = number < 0 ? (uint64_t)number : positive;
	return true;
}

static bool real(struct reader *r, const struct at *at, const json_t *value, double *ret)
{
	static const struct {
		const char *text;
		double value;
	} named[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return true;
	}
	if (!json_is_string(value))
		return refuse(r, at, "expected a number");
	const char *text = json_string_value(value);
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		if (strcmp(text, named[i].text) == 0) {
			*ret = named[i].value;
			return true;
		}
	}
	char *end;
	if (!*text || !strchr("-0123456789", *text) || strpbrk(text, "xXnNpP"))
		return refuse(r, at, "expected a number");
	*ret = strtod(text, &end);
	return (*end == '\0' && isfinite(*ret)) || refuse(r, at, "expected a number");
}

static bool enumeration(struct reader *r, const struct at *at, const json_t *value, const ProtobufCEnumDescriptor *d,
			int32_t *ret)
{
	uint64_t number;
	if (json_is_string(value)) {
		const ProtobufCEnumValue *known =
			protobuf_c_enum_descriptor_get_value_by_name(d, json_string_value(value));
		if (!known)
			return refuse(r, at, "the name is none of the enumeration's");
		*ret = known->value;
		return true;
	}
	if (!json_is_number(value))
		return refuse(r, at, "expected a name or a number of the enumeration");
	if (!whole(r, at, value, INT32_MIN, INT32_MAX, &number))
		return false;
	*ret = (int32_t)number;
	return true;
}

static bool bytes(struct reader *r, const struct at *at, const json_t *value, ProtobufCBinaryData *ret)
{
	if (!json_is_string(value))
		return refuse(r, at, "expected base64 text");
	struct span text = span_of(json_string_value(value));
	size_t size = text.len / 4 * 3 + 3;
	ret->data = arena_alloc(r->arena, size);
	return base64_read(text, ret->data, size, &ret->len) || base64_read_url(text, ret->data, size, &ret->len) ||
	       refuse(r, at, "expected base64 text");
}

/* ---- messages ---- */

static bool object_read(struct reader *r, const struct at *at, const ProtobufCMessageDescriptor *d,
			const json_t *object, const char *const *skip, ProtobufCMessage **ret);
static bool value_read(struct reader *r, const struct at *at, const json_t *from, Google__Protobuf__Value **ret);
static bool any_read(struct reader *r, const struct at *at, const json_t *object, ProtobufCMessage **ret);

static bool struct_read(struct reader *r, const struct at *at, const json_t *from, Google__Protobuf__Struct **ret)
{
	const char *key;
	json_t *value;
	if (!json_is_object(from))
		return refuse(r, at, "expected an object");
	Google__Protobuf__Struct *made = message_new(r->arena, &google__protobuf__struct__descriptor);
	made->fields = message_array(r->arena, Google__Protobuf__Struct__FieldsEntry, json_object_size(from));
	json_object_foreach((json_t *)(uintptr_t)from, key, value)
	{
		const struct at inner = {.parent = at, .name = key, .depth = at->depth + 1};
		Google__Protobuf__Struct__FieldsEntry *entry =
			message_new(r->arena, &google__protobuf__struct__fields_entry__descriptor);
		entry->key = arena_strdup(r->arena, key);
		if (!value_read(r, &inner, value, &entry->value))
			return false;
		made->fields[made->n_fields++] = entry;
	}
	*ret = made;
	return true;
}

static bool list_read(struct reader *r, const struct at *at, const json_t *from, Google__Protobuf__ListValue **ret)
{
	if (!json_is_array(from))
		return refuse(r, at, "expected an array");
	Google__Protobuf__ListValue *made = message_new(r->arena, &google__protobuf__list_value__descriptor);
	size_t n = json_array_size(from);
	made->values = message_array(r->arena, Google__Protobuf__Value, n);
	for (; made->n_values < n; made->n_values++) {
		const struct at inner = {.parent = at, .index = made->n_values, .depth = at->depth + 1};
		if (!value_read(r, &inner, json_array_get(from, made->n_values), &made->values[made->n_values]))
			return false;
	}
	*ret = made;
	return true;
}

static bool value_read(struct reader *r, const struct at *at, const json_t *from, Google__Protobuf__Value **ret)
{
	if (at->depth > LIMIT_JSON_DEPTH)
		return refuse(r, at, "nested too deep");
	Google__Protobuf__Value *made = message_new(r->arena, &google__protobuf__value__descriptor);
	*ret = made;
	switch (from ? json_typeof(from) : JSON_NULL) {
	case JSON_OBJECT:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
		return struct_read(r, at, from, &made->struct_value);
	case JSON_ARRAY:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
		return list_read(r, at, from, &made->list_value);
	case JSON_STRING:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
		made->string_value = arena_strdup(r->arena, json_string_value(from));
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
		made->bool_value = json_is_true(from);
		return true;
	case JSON_INTEGER:
	case JSON_REAL:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
		made->number_value = json_number_value(from);
		return true;
	default:
		made->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
		return true;
	}
}

/* Types with a JSON form of their own; *ret_fine says how it went. */
static bool well_known(struct reader *r, const struct at *at, const ProtobufCMessageDescriptor *d, const json_t *value,
		       void **ret, bool *ret_fine)
{
	if (d == &google__protobuf__value__descriptor)
		*ret_fine = value_read(r, at, value, (Google__Protobuf__Value **)ret);
	else if (d == &google__protobuf__struct__descriptor)
		*ret_fine = struct_read(r, at, value, (Google__Protobuf__Struct **)ret);
	else if (d == &google__protobuf__list_value__descriptor)
		*ret_fine = list_read(r, at, value, (Google__Protobuf__ListValue **)ret);
	else if (d == &google__protobuf__any__descriptor)
		*ret_fine = any_read(r, at, value, (ProtobufCMessage **)ret);
	else
		return false;
	return true;
}

static bool any_read(struct reader *r, const struct at *at, const json_t *object, ProtobufCMessage **ret)
{
	static const char *const skip[] = {"@type", NULL};
	const char *url = json_is_object(object) ? json_string_value(json_object_get(object, "@type")) : NULL;
	Google__Protobuf__Any *any = message_new(r->arena, &google__protobuf__any__descriptor);
	void *inner = NULL;
	bool fine;
	struct span packed;
	if (at->depth > LIMIT_JSON_DEPTH)
		return refuse(r, at, "nested too deep");
	if (!url)
		return refuse(r, at, "expected an object with '@type'");
	const ProtobufCMessageDescriptor *d = message_named(message_url_name(url));
	if (!d)
		return refuse(r, at, "'@type' names no known message");
	const struct at value_at = {.parent = at, .name = "value", .depth = at->depth + 1};
	if (!well_known(r, &value_at, d, json_object_get(object, "value"), &inner, &fine))
		fine = object_read(r, at, d, object, skip, (ProtobufCMessage **)&inner);
	if (!fine || !message_encode(r->arena, inner, LIMIT_MESSAGE_MEMORY, &packed, r->err))
		return false;
	any->type_url = arena_strdup(r->arena, url);
	any->value = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)packed.ptr, .len = packed.len};
	*ret = &any->base;
	return true;
}

static bool message_value(struct reader *r, const struct at *at, const ProtobufCMessageDescriptor *d,
			  const json_t *value, void **ret)
{
	bool fine;
	if (well_known(r, at, d, value, ret, &fine))
		return fine;
	return object_read(r, at, d, value, NULL, (ProtobufCMessage **)ret);
}

/* One value of a field into its place, which has the field's C type. */
static bool scalar_read(struct reader *r, const struct at *at, const ProtobufCFieldDescriptor *field,
			const json_t *value, void *place)
{
	uint64_t number;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!json_is_string(value))
			return refuse(r, at, "expected a string");
		*(char **)place = arena_strdup(r->arena, json_string_value(value));
		return true;
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return refuse(r, at, "expected true or false");
		*(protobuf_c_boolean *)place = json_is_true(value);
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		return enumeration(r, at, value, field->descriptor, place);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_value(r, at, field->descriptor, value, place);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes(r, at, value, place);
	case PROTOBUF_C_TYPE_DOUBLE:
		return real(r, at, value, place);
	case PROTOBUF_C_TYPE_INT32:
		if (!whole(r, at, value, INT32_MIN, INT32_MAX, &number))
			return false;
		*(int32_t *)place = (int32_t)number;
		return true;
	case PROTOBUF_C_TYPE_UINT32:
		if (!whole(r, at, value, 0, UINT32_MAX, &number))
			return false;
		*(uint32_t *)place = (uint32_t)number;
		return true;
	case PROTOBUF_C_TYPE_INT64:
		return whole(r, at, value, INT64_MIN, INT64_MAX, place);
	case PROTOBUF_C_TYPE_UINT64:
		return whole(r, at, value, 0, UINT64_MAX, place);
	default:
		return refuse(r, at, "the field's type has no JSON form here");
	}
}

static size_t type_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		return 4;
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 8;
	}
}

static bool repeated_read(struct reader *r, const struct at *at, const ProtobufCFieldDescriptor *field,
			  const json_t *value, char *message)
{
	if (!json_is_array(value))
		return refuse(r, at, "expected an array");
	size_t n = json_array_size(value);
	size_t size = type_size(field);
	char *items = arena_alloc_array(r->arena, size, n);
	for (size_t i = 0; i < n; i++) {
		const struct at inner = {.parent = at, .index = i, .depth = at->depth + 1};
		if (!scalar_read(r, &inner, field, json_array_get(value, i), items + i * size))
			return false;
	}
	*(size_t *)(void *)(message + field->quantifier_offset) = n;
	*(char **)(void *)(message + field->offset) = items;
	return true;
}

static bool map_read(struct reader *r, const struct at *at, const ProtobufCFieldDescriptor *field, const json_t *value,
		     char *message)
{
	const ProtobufCMessageDescriptor *d = field->descriptor;
	const char *key;
	json_t *item;
	size_t n = 0;
	if (!json_is_object(value))
		return refuse(r, at, "expected an object");
	char **entries = arena_array(r->arena, char *, json_object_size(value));
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		const struct at inner = {.parent = at, .name = key, .depth = at->depth + 1};
		char *entry = message_new(r->arena, d);
		*(char **)(void *)(entry + d->fields[0].offset) = arena_strdup(r->arena, key);
		if (!scalar_read(r, &inner, &d->fields[1], item, entry + d->fields[1].offset))
			return false;
		entries[n++] = entry;
	}
	*(size_t *)(void *)(message + field->quantifier_offset) = n;
	*(char ***)(void *)(message + field->offset) = entries;
	return true;
}

/* snake_case and lowerCamelCase meet in the second. */
static bool name_matches(const char *key, const char *field)
{
	while (*key && *field) {
		char a = *key++;
		char b = *field++;
		if (a == '_' && *key >= 'a' && *key <= 'z')
			a = (char)(*key++ - 'a' + 'A');
		else if (a == '_' && *key >= '0' && *key <= '9')
			a = *key++;
		if (b == '_' && *field >= 'a' && *field <= 'z')
			b = (char)(*field++ - 'a' + 'A');
		if (a != b)
			return false;
	}
	return !*key && !*field;
}

static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessageDescriptor *d, const char *key)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		if (name_matches(key, d->fields[i].name))
			return &d->fields[i];
	}
	return NULL;
}

static bool field_read(struct reader *r, const struct at *at, const ProtobufCFieldDescriptor *field,
		       const json_t *value, char *message)
{
	bool is_value =
		field->type == PROTOBUF_C_TYPE_MESSAGE && field->descriptor == &google__protobuf__value__descriptor;
	if (json_is_null(value) && (!is_value || field->label == PROTOBUF_C_LABEL_REPEATED))
		return true;
	if (message_is_map_entry(field))
		return map_read(r, at, field, value, message);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return repeated_read(r, at, field, value, message);
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *which = (uint32_t *)(void *)(message + field->quantifier_offset);
		if (*which)
			return refuse(r, at, "another member of the same choice is set too");
		*which = field->id;
	}
	return scalar_read(r, at, field, value, message + field->offset);
}

static bool skipped(const char *const *skip, const char *key)
{
	for (; skip && *skip; skip++) {
		if (strcmp(*skip, key) == 0)
			return true;
	}
	return false;
}

static bool object_read(struct reader *r, const struct at *at, const ProtobufCMessageDescriptor *d,
			const json_t *object, const char *const *skip, ProtobufCMessage **ret)
{
	const char *key;
	json_t *value;
	if (at->depth > LIMIT_JSON_DEPTH)
		return refuse(r, at, "nested too deep");
	if (!json_is_object(object))
		return refuse(r, at, "expected an object");
	char *message = message_new(r->arena, d);
	bool *seen = arena_array(r->arena, bool, d->n_fields + 1);
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const struct at inner = {.parent = at, .name = key, .depth = at->depth + 1};
		if (skipped(skip, key))
			continue;
		const ProtobufCFieldDescriptor *field = field_named(d, key);
		if (!field)
			return refuse(r, &inner, "unknown field");
		if (seen[field - d->fields])
			return refuse(r, &inner, "the field is given twice");
		seen[field - d->fields] = true;
		if (!field_read(r, &inner, field, value, message))
			return false;
	}
	*ret = (ProtobufCMessage *)(void *)message;
	return true;
}

bool message_read_json(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const json_t *object,
		       const char *const *skip, ProtobufCMessage **ret, struct err *err)
{
	struct reader r = {.arena = arena, .err = err};
	const struct at at = {.name = descriptor->short_name};
	return object_read(&r, &at, descriptor, object, skip, ret);
}
