#include "grpc/value.h"

#include "engine/encode_json.h"

#include <stdlib.h>

/* Integers of this many digits are exact as doubles. */
enum { EXACT_DIGITS = 15 };
#define EXACT_MAX 9007199254740992.0 /* 2^53 */

struct maker {
	struct arena *arena;
	struct buf *scratch;
	bool cut;
};

static value_msg *make(struct maker *m, const struct vector *v, size_t row);

/* At most VALUE_TEXT_MAX characters; a NUL, which protobuf strings in C cannot hold, becomes U+FFFD. */
static char *text_of(struct maker *m, struct span text)
{
	size_t characters = 0;
	size_t end = 0;
	for (; end < text.len; end++) {
		if (((unsigned char)text.ptr[end] & 0xc0) == 0x80)
			continue;
		if (characters++ == VALUE_TEXT_MAX)
			break;
	}
	m->cut = m->cut || end < text.len;
	struct span kept = span_first(text, end);
	if (!kept.len || !memchr(kept.ptr, '\0', kept.len))
		return arena_copy(m->arena, kept);
	char *copy = arena_alloc(m->arena, kept.len * 3 + 1);
	char *at = copy;
	for (size_t i = 0; i < kept.len; i++) {
		if (kept.ptr[i]) {
			*at++ = kept.ptr[i];
		} else {
			memcpy(at, "\xef\xbf\xbd", 3);
			at += 3;
		}
	}
	return copy;
}

static void set_text(struct maker *m, value_msg *value, struct span text)
{
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
	value->string_value = text_of(m, text);
}

static void set_number(value_msg *value, double number)
{
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
	value->number_value = number;
}

/* The engine's text form; it stands in the scratch buffer until the next one. */
static struct span plain(struct maker *m, const struct vector *v, size_t row)
{
	buf_reset(m->scratch);
	encode_text_value(v, row, m->scratch);
	return buf_view(m->scratch);
}

static void set_integer(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	struct span digits = plain(m, v, row);
	double number = strtod(digits.ptr, NULL);
	bool exact = digits.len <= EXACT_DIGITS || (number > -EXACT_MAX && number < EXACT_MAX) ||
		     span_is(digits, "9007199254740992") || span_is(digits, "-9007199254740992");
	if (exact)
		set_number(value, number);
	else
		set_text(m, value, digits);
}

static void set_real(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	struct span digits = plain(m, v, row);
	char last = digits.len ? digits.ptr[digits.len - 1] : '0';
	if (span_starts(digits, SPAN("nan")))
		set_text(m, value, SPAN("NaN"));
	else if (last == 'f' || last == 'y')
		set_text(m, value, *digits.ptr == '-' ? SPAN("-Infinity") : SPAN("Infinity"));
	else
		set_number(value, strtod(digits.ptr, NULL));
}

/* Dates and times as JSON has them, without the quotes. */
static void set_time(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	buf_reset(m->scratch);
	encode_json_value(v, row, JSON_STYLE_PREVIEW, m->scratch);
	struct span text = buf_view(m->scratch);
	if (text.len >= 2 && *text.ptr == '"')
		text = (struct span){text.ptr + 1, text.len - 2};
	set_text(m, value, text);
}

static void set_list(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	size_t first = row * v->type->length;
	size_t n = v->type->length;
	if (v->type->id == TYPE_LIST) {
		const struct vector_list *list = (const struct vector_list *)v->data + row;
		first = list->offset;
		n = list->length;
	}
	Google__Protobuf__ListValue *made = message_new(m->arena, &google__protobuf__list_value__descriptor);
	made->values = message_array(m->arena, value_msg, n);
	made->n_values = n;
	for (size_t i = 0; i < n; i++)
		made->values[i] = make(m, &v->members[0], first + i);
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
	value->list_value = made;
}

static Google__Protobuf__Struct *set_struct(struct maker *m, value_msg *value, size_t n)
{
	Google__Protobuf__Struct *made = message_new(m->arena, &google__protobuf__struct__descriptor);
	made->fields = message_array(m->arena, Google__Protobuf__Struct__FieldsEntry, n);
	made->n_fields = n;
	for (size_t i = 0; i < n; i++)
		made->fields[i] = message_new(m->arena, &google__protobuf__struct__fields_entry__descriptor);
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
	value->struct_value = made;
	return made;
}

static void set_members(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	Google__Protobuf__Struct *made = set_struct(m, value, v->member_count);
	for (size_t i = 0; i < v->member_count; i++) {
		made->fields[i]->key = arena_strdup(m->arena, v->type->members[i].name);
		made->fields[i]->value = make(m, &v->members[i], row);
	}
}

static void set_map(struct maker *m, value_msg *value, const struct vector *v, size_t row)
{
	const struct vector_list *list = (const struct vector_list *)v->data + row;
	Google__Protobuf__Struct *made = set_struct(m, value, list->length);
	for (size_t i = 0; i < list->length; i++) {
		made->fields[i]->key = text_of(m, plain(m, &v->members[0], list->offset + i));
		made->fields[i]->value = make(m, &v->members[1], list->offset + i);
	}
}

static value_msg *make(struct maker *m, const struct vector *v, size_t row)
{
	value_msg *value = message_new(m->arena, &google__protobuf__value__descriptor);
	enum type_id id = v->type->id;
	if (vector_is_null(v, row) || id == TYPE_NULL) {
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
	} else if (id == TYPE_BOOLEAN) {
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
		value->bool_value = ((const bool *)v->data)[row];
	} else if (type_is_integer(id)) {
		set_integer(m, value, v, row);
	} else if (id == TYPE_FLOAT || id == TYPE_DOUBLE) {
		set_real(m, value, v, row);
	} else if (id == TYPE_VARCHAR || id == TYPE_JSON) {
		set_text(m, value, vector_span(v, row));
	} else if (id >= TYPE_DATE && id <= TYPE_TIMESTAMP_TZ) {
		set_time(m, value, v, row);
	} else if (id == TYPE_LIST || id == TYPE_ARRAY) {
		set_list(m, value, v, row);
	} else if (id == TYPE_STRUCT) {
		set_members(m, value, v, row);
	} else if (id == TYPE_MAP) {
		set_map(m, value, v, row);
	} else {
		set_text(m, value, plain(m, v, row));
	}
	return value;
}

value_msg *value_make(struct arena *arena, struct buf *scratch, const struct vector *v, size_t row, bool *ret_cut)
{
	struct maker m = {.arena = arena, .scratch = scratch};
	value_msg *value = make(&m, v, row);
	*ret_cut = m.cut;
	return value;
}
