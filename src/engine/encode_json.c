#include "engine/encode_json.h"

#include "base/json.h"
#include "engine/encode.h"
#include "engine/encode_pg.h"

#include <math.h>
#include <stdlib.h>

/* A text form without anything that JSON would have to escape. */
static void put_plain(const struct vector *v, size_t row, struct buf *out)
{
	buf_byte(out, '"');
	encode_text_value(v, row, out);
	buf_byte(out, '"');
}

/* Interval, blob and the like: the engine's text, escaped. */
static void put_escaped(const struct vector *v, size_t row, struct buf *out)
{
	struct buf text = BUF(out->max);
	encode_text_value(v, row, &text);
	if (text.failed)
		out->failed = true;
	else
		json_quote(out, buf_view(&text));
	buf_done(&text);
}

static void put_real(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	const bool single = v->type->id == TYPE_FLOAT;
	const double value = single ? (double)((const float *)v->data)[row] : ((const double *)v->data)[row];
	char *to = buf_reserve(out, NUMBER_DOUBLE_MAX);
	if (!to)
		return;
	if (isfinite(value))
		buf_commit(out, single ? number_json_float((float)value, to) : number_json_double(value, to));
	else if (style == JSON_STYLE_PG)
		buf_str(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		buf_str(out, "null");
}

static void put_decimal(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	if (style == JSON_STYLE_PG) {
		print_decimal(v, row, out);
		return;
	}
	buf_byte(out, '"');
	print_decimal(v, row, out);
	buf_byte(out, '"');
}

static void put_date(int64_t day, struct buf *out)
{
	struct calendar_date date;
	calendar_split(day, &date);
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_date(&date, to));
}

static void put_time_of_day(int64_t units, unsigned digits, struct buf *out)
{
	/* Six digits whatever the precision. */
	for (; digits < 6; digits += 3)
		units *= 1000;
	for (; digits > 6; digits -= 3)
		units /= 1000;
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_time(units, 6, false, to));
}

/* What PostgreSQL would show, as a string. */
static void put_pg_text(const struct vector *v, size_t row, struct buf *out)
{
	struct buf text = BUF(out->max);
	encode_pg_text(v, row, NULL, &text);
	if (text.failed)
		out->failed = true;
	else
		json_quote(out, buf_view(&text));
	buf_done(&text);
}

/* ISO 8601; what it cannot say (infinity, years before 1) is the engine's text. */
static void put_timestamp(const struct vector *v, size_t row, struct buf *out)
{
	const struct value_time t = value_timestamp(v, row);
	struct calendar_date date = {.year = 1};
	if (!t.infinite)
		calendar_split(t.day, &date);
	if (t.infinite || calendar_is_bc(&date)) {
		put_plain(v, row, out);
		return;
	}
	buf_byte(out, '"');
	put_date(t.day, out);
	buf_byte(out, 'T');
	put_time_of_day(t.rest, t.digits, out);
	buf_str(out, v->type->id == TYPE_TIMESTAMP_TZ ? "+00:00\"" : "\"");
}

static void put_time(const struct vector *v, size_t row, struct buf *out)
{
	int32_t offset;
	const enum type_id id = v->type->id;
	const int64_t units = id == TYPE_TIME_TZ ? value_time_tz(v, row, &offset) : value_i64(v, row);
	buf_byte(out, '"');
	put_time_of_day(units, id == TYPE_TIME_NS ? 9 : 6, out);
	char *to = id == TYPE_TIME_TZ ? buf_reserve(out, CALENDAR_MAX) : NULL;
	if (to)
		buf_commit(out, calendar_print_offset(offset, to));
	buf_byte(out, '"');
}

static void put_array(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	size_t first;
	const size_t n = value_items(v, row, &first);
	buf_byte(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		encode_json_value(&v->members[0], first + i, style, out);
	}
	buf_byte(out, ']');
}

static void put_map(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	size_t first;
	const size_t n = value_items(v, row, &first);
	buf_byte(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		put_escaped(&v->members[0], first + i, out);
		buf_byte(out, ':');
		encode_json_value(&v->members[1], first + i, style, out);
	}
	buf_byte(out, '}');
}

static void put_struct(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < v->member_count; i++) {
		const char *name = v->type->members[i].name;
		if (i > 0)
			buf_byte(out, ',');
		if (name && *name)
			json_quote(out, span_of(name));
		else
			buf_printf(out, "\"f%zu\"", i + 1); /* of ROW(...) */
		buf_byte(out, ':');
		encode_json_value(&v->members[i], row, style, out);
	}
	buf_byte(out, '}');
}

static void put_nested(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	switch (v->type->id) {
	case TYPE_STRUCT:
		put_struct(v, row, style, out);
		break;
	case TYPE_MAP:
		put_map(v, row, style, out);
		break;
	case TYPE_UNION:
		encode_json_value(value_union(v, row), row, style, out);
		break;
	default:
		put_array(v, row, style, out);
	}
}

/* Types whose string is the one of their own door. */
static bool shown_by_pg(enum type_id id)
{
	return id == TYPE_BLOB || (id >= TYPE_DATE && id <= TYPE_INTERVAL);
}

static void put_json(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	if (style == JSON_STYLE_PG)
		buf_span(out, vector_span(v, row));
	else
		json_quote(out, vector_span(v, row));
}

void encode_json_value(const struct vector *v, size_t row, enum json_style style, struct buf *out)
{
	if (vector_is_null(v, row)) {
		buf_str(out, "null");
		return;
	}
	if (style == JSON_STYLE_PG && shown_by_pg(v->type->id)) {
		put_pg_text(v, row, out);
		return;
	}
	switch (v->type->id) {
	case TYPE_BOOLEAN:
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
	case TYPE_INTEGER:
	case TYPE_BIGINT:
	case TYPE_HUGEINT:
	case TYPE_UTINYINT:
	case TYPE_USMALLINT:
	case TYPE_UINTEGER:
	case TYPE_UBIGINT:
	case TYPE_UHUGEINT:
	case TYPE_BIGNUM:
		encode_text_value(v, row, out);
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		put_real(v, row, style, out);
		break;
	case TYPE_DECIMAL:
		put_decimal(v, row, style, out);
		break;
	case TYPE_VARCHAR:
		json_quote(out, vector_span(v, row));
		break;
	case TYPE_JSON:
		put_json(v, row, style, out);
		break;
	case TYPE_ENUM:
		json_quote(out, span_of(value_label(v, row)));
		break;
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		put_timestamp(v, row, out);
		break;
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
		put_time(v, row, out);
		break;
	case TYPE_DATE:
	case TYPE_UUID:
	case TYPE_BIT:
		put_plain(v, row, out);
		break;
	case TYPE_LIST:
	case TYPE_ARRAY:
	case TYPE_STRUCT:
	case TYPE_MAP:
	case TYPE_UNION:
		put_nested(v, row, style, out);
		break;
	default:
		put_escaped(v, row, out);
	}
}

/* "name": for each column, made once for all rows; the keys end where the next one begins. */
struct keys {
	struct buf text;
	size_t *ends;
};

static void keys_make(const struct cursor *c, size_t max, struct keys *ret)
{
	const size_t n = cursor_column_count(c);
	ret->text = BUF(max);
	ret->ends = mem_alloc_array(sizeof(*ret->ends), n);
	for (size_t i = 0; i < n; i++) {
		json_quote(&ret->text, span_of(cursor_columns(c)[i].name));
		buf_byte(&ret->text, ':');
		ret->ends[i] = ret->text.len;
	}
}

static void put_row(const struct cursor *c, size_t row, const struct keys *keys, struct buf *out)
{
	const struct vector *vectors = cursor_vectors(c);
	const size_t n = cursor_column_count(c);
	buf_byte(out, '{');
	for (size_t i = 0, start = 0; i < n; start = keys->ends[i++]) {
		if (i > 0)
			buf_byte(out, ',');
		buf_bytes(out, keys->text.ptr + start, keys->ends[i] - start);
		encode_json_value(&vectors[i], row, JSON_STYLE_PREVIEW, out);
	}
	buf_byte(out, '}');
}

void encode_json_rows(const struct cursor *c, size_t rows, bool *first, struct buf *out)
{
	struct keys keys;
	keys_make(c, out->max, &keys);
	out->failed |= keys.text.failed;
	for (size_t row = 0; row < rows && !out->failed; row++) {
		if (!*first)
			buf_byte(out, ',');
		*first = false;
		put_row(c, row, &keys, out);
	}
	buf_done(&keys.text);
	free(keys.ends);
}

void encode_json_row(const struct cursor *c, size_t row, struct buf *out)
{
	struct keys keys;
	keys_make(c, out->max, &keys);
	out->failed |= keys.text.failed;
	if (!out->failed)
		put_row(c, row, &keys, out);
	buf_done(&keys.text);
	free(keys.ends);
}
