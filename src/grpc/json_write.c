#include "grpc/json.h"

#include "base/base64.h"

#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The writer nests at most JSON_DEPTH_MAX; what stands around the message takes some of it. */
enum { WRITE_DEPTH_MAX = JSON_DEPTH_MAX - 4 };

static bool fields_write(struct json *j, const ProtobufCMessage *message, struct err *err);
static bool value_write(struct json *j, const char *key, const Google__Protobuf__Value *value, struct err *err);
static bool message_value(struct json *j, const char *key, const ProtobufCMessage *message, struct err *err);

static bool depth_check(const struct json *j, struct err *err)
{
	return j->depth < WRITE_DEPTH_MAX ||
	       err_set(err, ERR_PAYLOAD_TOO_LARGE, "The answer is nested more than %d deep", WRITE_DEPTH_MAX);
}

static void bytes_write(struct json *j, const char *key, const ProtobufCBinaryData *data)
{
	char *text = mem_alloc(BASE64_SIZE(data->len));
	json_span(j, key, (struct span){text, base64_write(data->data, data->len, text)});
	free(text);
}

static void real_write(struct json *j, const char *key, double value)
{
	if (isfinite(value))
		json_double(j, key, value);
	else
		json_str(j, key, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

static bool list_write(struct json *j, const char *key, const Google__Protobuf__ListValue *list, struct err *err)
{
	bool fine = depth_check(j, err);
	json_array(j, key);
	for (size_t i = 0; fine && i < list->n_values; i++)
		fine = value_write(j, NULL, list->values[i], err);
	json_array_end(j);
	return fine;
}

static bool struct_write(struct json *j, const char *key, const Google__Protobuf__Struct *object, struct err *err)
{
	bool fine = depth_check(j, err);
	json_object(j, key);
	for (size_t i = 0; fine && i < object->n_fields; i++)
		fine = value_write(j, object->fields[i]->key, object->fields[i]->value, err);
	json_object_end(j);
	return fine;
}

static bool value_write(struct json *j, const char *key, const Google__Protobuf__Value *value, struct err *err)
{
	switch (value ? value->kind_case : GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE) {
	case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
		real_write(j, key, value->number_value);
		return true;
	case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
		json_str(j, key, value->string_value);
		return true;
	case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
		json_bool(j, key, value->bool_value);
		return true;
	case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
		return struct_write(j, key, value->struct_value, err);
	case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
		return list_write(j, key, value->list_value, err);
	default:
		json_null(j, key);
		return true;
	}
}

/* Types with a JSON form of their own: in an Any it stands in the member `value`. */
static bool is_well_known(const ProtobufCMessageDescriptor *d)
{
	return d == &google__protobuf__value__descriptor || d == &google__protobuf__struct__descriptor ||
	       d == &google__protobuf__list_value__descriptor || d == &google__protobuf__any__descriptor;
}

/* An Any whose message is known shows its fields; of another one only the type can be shown. */
static bool any_write(struct json *j, const char *key, const Google__Protobuf__Any *any, struct err *err)
{
	const ProtobufCMessageDescriptor *d = message_named(message_url_name(any->type_url));
	struct arena *arena = arena_new();
	struct err ignored = ERR_INIT;
	ProtobufCMessage *inner;
	bool fine = true;
	bool known = d && message_decode(arena, d, (struct span){(const char *)any->value.data, any->value.len}, &inner,
					 &ignored);
	if (known && is_well_known(d)) {
		fine = depth_check(j, err);
		json_object(j, key);
		fine = fine && message_value(j, "value", inner, err);
		json_str(j, "@type", any->type_url);
		json_object_end(j);
	} else if (known) {
		fine = message_write_json(j, key, inner, any->type_url, err);
	} else {
		json_object(j, key);
		json_str(j, "@type", any->type_url);
		json_object_end(j);
	}
	arena_free(arena);
	return fine;
}

static bool message_value(struct json *j, const char *key, const ProtobufCMessage *message, struct err *err)
{
	if (message->descriptor == &google__protobuf__value__descriptor)
		return value_write(j, key, (const Google__Protobuf__Value *)message, err);
	if (message->descriptor == &google__protobuf__struct__descriptor)
		return struct_write(j, key, (const Google__Protobuf__Struct *)message, err);
	if (message->descriptor == &google__protobuf__list_value__descriptor)
		return list_write(j, key, (const Google__Protobuf__ListValue *)message, err);
	if (message->descriptor == &google__protobuf__any__descriptor)
		return any_write(j, key, (const Google__Protobuf__Any *)message, err);
	return message_write_json(j, key, message, NULL, err);
}

static void enum_write(struct json *j, const char *key, const ProtobufCEnumDescriptor *d, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(d, value);
	if (known)
		json_str(j, key, known->name);
	else
		json_int(j, key, value);
}

static void long_write(struct json *j, const char *key, bool is_signed, const void *place)
{
	char digits[24];
	if (is_signed)
		(void)snprintf(digits, sizeof(digits), "%lld", (long long)*(const int64_t *)place);
	else
		(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)*(const uint64_t *)place);
	json_str(j, key, digits);
}

static bool scalar_write(struct json *j, const char *key, const ProtobufCFieldDescriptor *field, const void *place,
			 struct err *err)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		json_str(j, key, *(char *const *)place);
		return true;
	case PROTOBUF_C_TYPE_BOOL:
		json_bool(j, key, *(const protobuf_c_boolean *)place);
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		enum_write(j, key, field->descriptor, *(const int *)place);
		return true;
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_value(j, key, *(const ProtobufCMessage *const *)place, err);
	case PROTOBUF_C_TYPE_BYTES:
		bytes_write(j, key, place);
		return true;
	case PROTOBUF_C_TYPE_DOUBLE:
		real_write(j, key, *(const double *)place);
		return true;
	case PROTOBUF_C_TYPE_INT32:
		json_int(j, key, *(const int32_t *)place);
		return true;
	case PROTOBUF_C_TYPE_UINT32:
		json_uint(j, key, *(const uint32_t *)place);
		return true;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		long_write(j, key, field->type == PROTOBUF_C_TYPE_INT64, place);
		return true;
	default:
		return err_set(err, ERR_INTERNAL, "The field %s has no JSON form", field->name);
	}
}

static bool is_default(const ProtobufCFieldDescriptor *field, const void *place)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return !*(char *const *)place || !**(char *const *)place;
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*(const void *const *)place;
	case PROTOBUF_C_TYPE_BOOL:
		return !*(const protobuf_c_boolean *)place;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)place)->len == 0;
	case PROTOBUF_C_TYPE_DOUBLE:
		return *(const uint64_t *)place == 0;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return *(const int64_t *)place == 0;
	default:
		return *(const int32_t *)place == 0;
	}
}

static size_t item_size(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE ||
			       field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_UINT64 ||
			       field->type == PROTOBUF_C_TYPE_DOUBLE
		       ? 8
	       : field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
						      : 4;
}

static bool repeated_write(struct json *j, const ProtobufCFieldDescriptor *field, const char *items, size_t n,
			   struct err *err)
{
	bool fine = depth_check(j, err);
	json_array(j, field->name);
	for (size_t i = 0; fine && i < n; i++)
		fine = scalar_write(j, NULL, field, items + i * item_size(field), err);
	json_array_end(j);
	return fine;
}

static bool map_write(struct json *j, const ProtobufCFieldDescriptor *field, const char *const *entries, size_t n,
		      struct err *err)
{
	const ProtobufCMessageDescriptor *d = field->descriptor;
	bool fine = depth_check(j, err);
	json_object(j, field->name);
	for (size_t i = 0; fine && i < n; i++)
		fine = scalar_write(j, *(char *const *)(const void *)(entries[i] + d->fields[0].offset), &d->fields[1],
				    entries[i] + d->fields[1].offset, err);
	json_object_end(j);
	return fine;
}

static bool field_write(struct json *j, const ProtobufCFieldDescriptor *field, const char *message, struct err *err)
{
	const void *place = message + field->offset;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n = *(const size_t *)(const void *)(message + field->quantifier_offset);
		if (n == 0)
			return true;
		if (message_is_map_entry(field))
			return map_write(j, field, *(const char *const *const *)place, n, err);
		return repeated_write(j, field, *(const char *const *)place, n, err);
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (*(const uint32_t *)(const void *)(message + field->quantifier_offset) != field->id)
			return true;
	} else if (is_default(field, place)) {
		return true;
	}
	return scalar_write(j, field->name, field, place, err);
}

static bool fields_write(struct json *j, const ProtobufCMessage *message, struct err *err)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		if (!field_write(j, &message->descriptor->fields[i], (const char *)message, err))
			return false;
	}
	return true;
}

bool message_write_json(struct json *j, const char *key, const ProtobufCMessage *message, const char *type_url,
			struct err *err)
{
	bool fine = depth_check(j, err);
	json_object(j, key);
	fine = fine && fields_write(j, message, err);
	if (type_url)
		json_str(j, "@type", type_url);
	json_object_end(j);
	return fine;
}
