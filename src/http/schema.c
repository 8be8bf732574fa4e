#include "http/schema.h"

#include "http/target.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char NO_BOOLEAN[] = "Input should be a valid boolean, unable to interpret input";

static bool value_check(const struct field *field, enum field_type type, json_t *value, const struct fault_loc *loc,
			struct faults *faults);

/* One fault per constraint a value breaks; returns false for use as a tail call. */
static bool fault(struct faults *faults, const char *type, const struct fault_loc *loc, const char *msg,
		  const json_t *input)
{
	faults_add(faults, type, loc, msg, input, NULL);
	return false;
}

static bool range_check(const struct field *field, int64_t number, const json_t *input, const struct fault_loc *loc,
			struct faults *faults)
{
	char msg[96];
	char ctx[48];
	if (!field->ranged || (number >= field->min && number <= field->max))
		return true;
	bool below = number < field->min;
	(void)snprintf(msg, sizeof(msg), "Input should be %s than or equal to %" PRId64, below ? "greater" : "less",
		       below ? field->min : field->max);
	(void)snprintf(ctx, sizeof(ctx), "{\"%s\":%" PRId64 "}", below ? "ge" : "le", below ? field->min : field->max);
	faults_add(faults, below ? "greater_than_equal" : "less_than_equal", loc, msg, input, ctx);
	return false;
}

/* 'a', 'b' or 'c' */
static void values_name(struct buf *out, const char *const *values)
{
	for (size_t i = 0; values[i]; i++) {
		if (i)
			buf_str(out, values[i + 1] ? ", " : " or ");
		buf_printf(out, "'%s'", values[i]);
	}
}

/* `text` NULL: the value is no text at all. */
static bool values_check(const struct field *field, const char *text, const json_t *input, const struct fault_loc *loc,
			 struct faults *faults)
{
	if (!field->values)
		return true;
	for (size_t i = 0; text && field->values[i]; i++) {
		if (strcmp(field->values[i], text) == 0)
			return true;
	}
	struct buf names = BUF(LIMIT_FAULT_BYTES);
	struct buf msg = BUF(LIMIT_FAULT_BYTES);
	struct buf ctx = BUF(LIMIT_FAULT_BYTES);
	values_name(&names, field->values);
	buf_printf(&msg, "Input should be %s", names.ptr);
	buf_str(&ctx, "{\"expected\":");
	json_quote(&ctx, buf_view(&names));
	buf_byte(&ctx, '}');
	faults_add(faults, "literal_error", loc, msg.ptr, input, ctx.ptr);
	buf_done(&names);
	buf_done(&msg);
	buf_done(&ctx);
	return false;
}

static bool string_check(const struct field *field, json_t *value, const struct fault_loc *loc, struct faults *faults)
{
	if (json_is_string(value) || field->values)
		return values_check(field, json_string_value(value), value, loc, faults);
	return fault(faults, "string_type", loc, "Input should be a valid string", value);
}

static bool list_check(const struct field *field, json_t *value, const struct fault_loc *loc, struct faults *faults)
{
	if (!json_is_array(value))
		return fault(faults, "list_type", loc, "Input should be a valid list", value);
	size_t n = json_array_size(value);
	if (n < field->items_min) {
		char msg[96];
		char ctx[96];
		(void)snprintf(msg, sizeof(msg), "List should have at least %zu item%s after validation, not %zu",
			       field->items_min, field->items_min == 1 ? "" : "s", n);
		(void)snprintf(ctx, sizeof(ctx), "{\"field_type\":\"List\",\"min_length\":%zu,\"actual_length\":%zu}",
			       field->items_min, n);
		faults_add(faults, "too_short", loc, msg, value, ctx);
		return false;
	}
	bool fine = true;
	for (size_t i = 0; i < n; i++) {
		struct fault_loc item = {.parent = loc, .index = i};
		fine &= value_check(field, field->items, json_array_get(value, i), &item, faults);
	}
	return fine;
}

static bool map_check(const struct field *field, json_t *value, const struct fault_loc *loc, struct faults *faults)
{
	if (!json_is_object(value))
		return fault(faults, "dict_type", loc, "Input should be a valid dictionary", value);
	bool fine = true;
	const char *key;
	json_t *member;
	json_object_foreach(value, key, member)
	{
		struct fault_loc at = {.parent = loc, .name = key};
		fine &= value_check(field, field->object ? FIELD_OBJECT : FIELD_STRING, member, &at, faults);
	}
	return fine;
}

static bool member_check(const struct field *field, json_t *object, const struct fault_loc *loc, struct faults *faults)
{
	json_t *value = json_object_get(object, field->name);
	struct fault_loc at = {.parent = loc, .name = field->name};
	if (!value && field->fallback) {
		json_t *fallback = json_loads(field->fallback, JSON_DECODE_ANY, NULL);
		return json_object_set_new(object, field->name, fallback) == 0;
	}
	if (!value)
		return !field->required || fault(faults, "missing", &at, "Field required", object);
	if (json_is_null(value) && field->nullable)
		return true;
	return value_check(field, field->type, value, &at, faults);
}

static bool object_check(const struct schema *schema, json_t *value, const struct fault_loc *loc, struct faults *faults)
{
	if (!json_is_object(value))
		return schema ? fault(faults, "model_attributes_type", loc,
				      "Input should be a valid dictionary or object to extract fields from", value)
			      : fault(faults, "dict_type", loc, "Input should be a valid dictionary", value);
	bool fine = true;
	for (const struct field *f = schema ? schema->fields : NULL; f && f->name; f++)
		fine &= member_check(f, value, loc, faults);
	return fine;
}

static bool value_check(const struct field *field, enum field_type type, json_t *value, const struct fault_loc *loc,
			struct faults *faults)
{
	switch (type) {
	case FIELD_STRING:
	case FIELD_TIME:
		return string_check(field, value, loc, faults);
	case FIELD_INT:
		if (!json_is_integer(value))
			return fault(faults, "int_type", loc, "Input should be a valid integer", value);
		return range_check(field, json_integer_value(value), value, loc, faults);
	case FIELD_NUMBER:
		return json_is_number(value) ||
		       fault(faults, "float_type", loc, "Input should be a valid number", value);
	case FIELD_BOOL:
		if (json_is_string(value))
			return fault(faults, "bool_parsing", loc, NO_BOOLEAN, value);
		return json_is_boolean(value) ||
		       fault(faults, "bool_type", loc, "Input should be a valid boolean", value);
	case FIELD_OBJECT:
		return object_check(field->object, value, loc, faults);
	case FIELD_LIST:
		return list_check(field, value, loc, faults);
	case FIELD_MAP:
		return map_check(field, value, loc, faults);
	case FIELD_ANY:
		return true;
	}
	return true;
}

bool schema_check(const struct schema *schema, json_t *value, struct faults *faults)
{
	static const struct fault_loc body = {.name = "body"};
	if (!json_is_object(value))
		return fault(faults, "model_attributes_type", &body,
			     "Input should be a valid dictionary or object to extract fields from", value);
	return object_check(schema, value, &body, faults);
}

static void not_json(struct faults *faults, size_t offset, const char *why)
{
	static const struct fault_loc body = {.name = "body"};
	const struct fault_loc loc = {.parent = &body, .index = offset};
	struct buf ctx = BUF(LIMIT_FAULT_BYTES);
	json_t *none = json_loads("{}", 0, NULL);
	buf_str(&ctx, "{\"error\":");
	json_quote(&ctx, span_of(why));
	buf_byte(&ctx, '}');
	faults_add(faults, "json_invalid", &loc, "JSON decode error", none, ctx.ptr);
	json_decref(none);
	buf_done(&ctx);
}

/* Offset of the bracket that nests too deep, or the length when none does. */
static size_t depth_check(struct span text)
{
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > LIMIT_JSON_DEPTH)
				return i;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return text.len;
}

json_t *schema_read(const struct schema *schema, struct span bytes, bool required, struct faults *faults)
{
	static const struct fault_loc body = {.name = "body"};
	json_error_t error;
	if (bytes.len == 0) {
		if (required)
			faults_add(faults, "missing", &body, "Field required", NULL, NULL);
		return NULL;
	}
	/* The mark that some editors put before a text. */
	if (span_starts(bytes, SPAN("\xef\xbb\xbf")))
		bytes = span_skip(bytes, 3);
	size_t deep = depth_check(bytes);
	if (deep < bytes.len) {
		not_json(faults, deep, "Nested too deeply");
		return NULL;
	}
	json_t *value = json_loadb(bytes.ptr, bytes.len, JSON_DECODE_ANY, &error);
	if (!value) {
		not_json(faults, error.position > 0 ? (size_t)error.position - 1 : 0,
			 json_error_code(&error) == json_error_null_character ? "The character \\u0000 is not allowed"
									      : error.text);
		return NULL;
	}
	if (json_is_null(value) && !required) {
		json_decref(value);
		return NULL;
	}
	if (!schema_check(schema, value, faults)) {
		json_decref(value);
		return NULL;
	}
	return value;
}

static bool bool_text(struct span text, bool *ret)
{
	static const char *const yes[] = {"true", "1", "yes", "on", "t", "y"};
	static const char *const no[] = {"false", "0", "no", "off", "f", "n"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		bool is_yes = span_eq_nocase(text, span_of(yes[i]));
		if (is_yes || span_eq_nocase(text, span_of(no[i]))) {
			*ret = is_yes;
			return true;
		}
	}
	return false;
}

bool query_bool(const char *text)
{
	bool value = false;
	return text && bool_text(span_of(text), &value) && value;
}

/* Digits beyond 64 bits are a number too: the largest, or the smallest. */
static bool integer_text(struct span text, int64_t *ret)
{
	const bool negative = text.len && *text.ptr == '-';
	if (span_i64(text, ret))
		return true;
	struct span digits = span_skip(text, text.len && (negative || *text.ptr == '+'));
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
	}
	*ret = negative ? INT64_MIN : INT64_MAX;
	return digits.len > 0;
}

int64_t query_int(const char *text)
{
	int64_t number = 0;
	return text && integer_text(span_trim(span_of(text)), &number) ? number : 0;
}

static bool query_value_check(const struct field *field, const char *text, const struct fault_loc *loc,
			      struct faults *faults)
{
	struct span span = span_of(text);
	int64_t number;
	bool truth;
	bool fine = true;
	json_t *input = json_stringn_nocheck(span.ptr, span.len);
	switch (field->type) {
	case FIELD_INT:
		if (!integer_text(span_trim(span), &number))
			fine = fault(faults, "int_parsing", loc,
				     "Input should be a valid integer, unable to parse string as an integer", input);
		else
			fine = range_check(field, number, input, loc, faults);
		break;
	case FIELD_BOOL:
		if (!bool_text(span, &truth))
			fine = fault(faults, "bool_parsing", loc, NO_BOOLEAN, input);
		break;
	default:
		fine = values_check(field, text, input, loc, faults);
	}
	json_decref(input);
	return fine;
}

bool query_check(const struct field *fields, const char *const *values, struct faults *faults)
{
	static const struct fault_loc query = {.name = "query"};
	bool fine = true;
	for (size_t i = 0; fields && fields[i].name; i++) {
		const struct fault_loc loc = {.parent = &query, .name = fields[i].name};
		if (values[i])
			fine &= query_value_check(&fields[i], values[i], &loc, faults);
		else if (fields[i].required)
			fine &= fault(faults, "missing", &loc, "Field required", NULL);
	}
	return fine;
}
