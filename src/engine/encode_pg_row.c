/*
 * Rows of the PostgreSQL protocol. Short forms of the common types go straight into room reserved for a whole row: a result
 * is millions of these. All others are written by encode_pg_text and encode_pg_binary.
 */
#include "engine/encode.h"
#include "engine/encode_pg.h"

#include <endian.h>

enum { SHORT_MAX = 64, LENGTH_BYTES = 4, FIELD_MAX = LENGTH_BYTES + SHORT_MAX, PG_EPOCH_DAY = 10957 };
#define PG_DAY_MICROS	INT64_C(86400000000)
#define PG_EPOCH_MICROS (PG_EPOCH_DAY * PG_DAY_MICROS)

/* No short form: the long way. */
#define LONG_FORM SIZE_MAX

static inline size_t put_be(uint64_t value, size_t bytes, char *to)
{
	value = htobe64(value << (64 - 8 * bytes));
	memcpy(to, &value, bytes);
	return bytes;
}

/* Years from 1 on. */
static size_t short_date(int64_t days, char *to)
{
	struct calendar_date date;
	if (days == DATE_INFINITE || days == -DATE_INFINITE)
		return LONG_FORM;
	calendar_split(days, &date);
	return calendar_is_bc(&date) ? LONG_FORM : calendar_print_date(&date, to);
}

static size_t short_timestamp(int64_t micros, char *to)
{
	int64_t rest;
	if (micros == TIME_INFINITE || micros == -TIME_INFINITE)
		return LONG_FORM;
	const size_t n = short_date(calendar_day(micros, PG_DAY_MICROS, &rest), to);
	if (n == LONG_FORM)
		return LONG_FORM;
	to[n] = ' ';
	return n + 1 + calendar_print_time(rest, 6, true, to + n + 1);
}

static size_t short_string(const struct vector *v, size_t row, char *to)
{
	const struct span s = vector_span(v, row);
	if (s.len > SHORT_MAX)
		return LONG_FORM;
	memcpy(to, s.ptr, s.len);
	return s.len;
}

static size_t short_text(const struct vector *v, size_t row, const struct pg_style *style, char *to)
{
	switch (v->type->id) {
	case TYPE_VARCHAR:
		return short_string(v, row, to);
	case TYPE_BOOLEAN:
		to[0] = ((const uint8_t *)v->data)[row] ? 't' : 'f';
		return 1;
	case TYPE_SMALLINT:
		return number_i64(((const int16_t *)v->data)[row], to);
	case TYPE_INTEGER:
		return number_i64(((const int32_t *)v->data)[row], to);
	case TYPE_BIGINT:
		return number_i64(((const int64_t *)v->data)[row], to);
	case TYPE_DOUBLE:
		return style && style->digits ? LONG_FORM : number_pg_double(((const double *)v->data)[row], to);
	case TYPE_FLOAT:
		return style && style->digits ? LONG_FORM : number_pg_float(((const float *)v->data)[row], to);
	case TYPE_DECIMAL:
		return number_decimal(value_i128(v, row), v->type->scale, to);
	case TYPE_DATE:
		return short_date(((const int32_t *)v->data)[row], to);
	case TYPE_TIMESTAMP:
		return short_timestamp(((const int64_t *)v->data)[row], to);
	default:
		return LONG_FORM;
	}
}

/* numeric of up to 18 digits: the groups of four around the point, without text in between. */
static size_t short_numeric(const struct vector *v, size_t row, char *to)
{
	enum { GROUP = 10000, GROUPS_MAX = 10, SCALE_MAX = 16, SIGN_MINUS = 0x4000 };
	static const uint64_t powers[] = {1, 10, 100, 1000};
	const unsigned scale = v->type->scale, pad = (4 - scale % 4) % 4;
	if (v->decimal_bytes > 8 || scale > SCALE_MAX)
		return LONG_FORM;
	const int64_t value = (int64_t)value_i128(v, row);
	uint64_t whole = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, fraction, unit = 1;
	for (unsigned i = 0; i < scale; i++)
		unit *= 10;
	fraction = whole % unit * powers[pad];
	whole /= unit;
	uint16_t groups[GROUPS_MAX];
	const size_t behind = (scale + pad) / 4;
	size_t first = GROUPS_MAX - behind, last = GROUPS_MAX;
	for (size_t i = last; i > first; fraction /= GROUP)
		groups[--i] = (uint16_t)(fraction % GROUP);
	for (; whole; whole /= GROUP)
		groups[--first] = (uint16_t)(whole % GROUP);
	const size_t point = GROUPS_MAX - behind;
	while (last > first && groups[last - 1] == 0)
		last--;
	while (first < last && groups[first] == 0)
		first++;
	const size_t n = last - first;
	size_t at = put_be(n, 2, to);
	at += put_be(n ? (uint64_t)((int64_t)point - (int64_t)first - 1) & UINT16_MAX : 0, 2, to + at);
	at += put_be(value < 0 ? SIGN_MINUS : 0, 2, to + at);
	at += put_be(scale, 2, to + at);
	for (size_t i = first; i < last; i++)
		at += put_be(groups[i], 2, to + at);
	return at;
}

static size_t short_binary(const struct vector *v, size_t row, char *to)
{
	int64_t value;
	switch (v->type->id) {
	case TYPE_VARCHAR:
		return short_string(v, row, to);
	case TYPE_BOOLEAN:
		to[0] = ((const uint8_t *)v->data)[row] != 0;
		return 1;
	case TYPE_SMALLINT:
		return put_be(((const uint16_t *)v->data)[row], 2, to);
	case TYPE_INTEGER:
	case TYPE_FLOAT:
		return put_be(((const uint32_t *)v->data)[row], 4, to);
	case TYPE_BIGINT:
	case TYPE_DOUBLE:
		return put_be(((const uint64_t *)v->data)[row], 8, to);
	case TYPE_DECIMAL:
		return short_numeric(v, row, to);
	case TYPE_DATE:
		value = ((const int32_t *)v->data)[row];
		if (value == DATE_INFINITE || value < INT32_MIN + PG_EPOCH_DAY)
			return LONG_FORM;
		return put_be((uint64_t)(value - PG_EPOCH_DAY) & UINT32_MAX, 4, to);
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_TZ:
		value = ((const int64_t *)v->data)[row];
		if (value == TIME_INFINITE || value < INT64_MIN + PG_EPOCH_MICROS)
			return LONG_FORM;
		return put_be((uint64_t)(value - PG_EPOCH_MICROS), 8, to);
	default:
		return LONG_FORM;
	}
}

/* The length word is known only behind the value. */
static void put_long(const struct vector *v, size_t row, enum pg_format format, const struct pg_style *style,
		     struct buf *out)
{
	const size_t at = out->len;
	buf_be32(out, 0);
	if (format == PG_FORMAT_TEXT)
		encode_pg_text(v, row, style, out);
	else if (format == PG_FORMAT_BINARY)
		encode_pg_binary(v, row, style, out);
	else
		encode_pg_catalog(v, row, format, out);
	if (!out->failed)
		(void)put_be(out->len - at - LENGTH_BYTES, LENGTH_BYTES, out->ptr + at);
}

/* The field with its length, in a room of FIELD_MAX; LONG_FORM: nothing was put. */
static size_t put_short(const struct vector *v, size_t row, enum pg_format format, const struct pg_style *style,
			char *to)
{
	if (vector_is_null(v, row))
		return put_be(UINT32_MAX, LENGTH_BYTES, to);
	const size_t n = format == PG_FORMAT_TEXT     ? short_text(v, row, style, to + LENGTH_BYTES)
			 : format == PG_FORMAT_BINARY ? short_binary(v, row, to + LENGTH_BYTES)
						      : LONG_FORM;
	return n == LONG_FORM ? LONG_FORM : n + put_be(n, LENGTH_BYTES, to);
}

void encode_pg_field(const struct vector *v, size_t row, enum pg_format format, const struct pg_style *style,
		     struct buf *out)
{
	char *to = buf_reserve(out, FIELD_MAX);
	if (!to)
		return;
	const size_t n = put_short(v, row, format, style, to);
	if (n == LONG_FORM)
		put_long(v, row, format, style, out);
	else
		buf_commit(out, n);
}

void encode_pg_row(const struct vector *vectors, size_t columns, size_t row, const int16_t *formats,
		   const struct pg_style *style, struct buf *out)
{
	char *to = buf_reserve(out, 2 + columns * FIELD_MAX);
	if (!to)
		return;
	size_t used = put_be(columns, 2, to);
	for (size_t i = 0; i < columns; i++) {
		const enum pg_format format = formats ? (enum pg_format)formats[i] : PG_FORMAT_TEXT;
		const size_t n = put_short(&vectors[i], row, format, style, to + used);
		if (n != LONG_FORM) {
			used += n;
			continue;
		}
		buf_commit(out, used);
		put_long(&vectors[i], row, format, style, out);
		used = 0;
		to = buf_reserve(out, (columns - i) * FIELD_MAX);
		if (!to)
			return;
	}
	buf_commit(out, used);
}
