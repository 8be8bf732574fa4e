#include "engine/encode_pg.h"

#include "engine/encode.h"
#include "engine/encode_json.h"

#include <endian.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* PostgreSQL counts time from 2000-01-01. */
enum { PG_EPOCH_DAY = 10957 };
#define PG_DAY_MICROS INT64_C(86400000000)

static const struct pg_style plain_style = {0};

/* Text */

static void put_date_text(const struct calendar_date *date, struct buf *out)
{
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_date(date, to));
}

static void date_text(const struct vector *v, size_t row, struct buf *out)
{
	const int32_t days = ((const int32_t *)v->data)[row];
	struct calendar_date date;
	if (days == DATE_INFINITE || days == -DATE_INFINITE) {
		buf_str(out, days > 0 ? "infinity" : "-infinity");
		return;
	}
	calendar_split(days, &date);
	put_date_text(&date, out);
	if (calendar_is_bc(&date))
		buf_str(out, " BC");
}

static void time_text(int64_t micros, struct buf *out)
{
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_time(micros, 6, true, to));
}

static void offset_text(int32_t seconds, struct buf *out)
{
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_offset(seconds, to));
}

static int64_t rest_micros(const struct value_time *t)
{
	int64_t rest = t->rest;
	for (unsigned digits = t->digits; digits < 6; digits += 3)
		rest *= 1000;
	return t->digits == 9 ? rest / 1000 : rest;
}

static void timestamp_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	const struct value_time t = value_timestamp(v, row);
	struct calendar_date date;
	if (t.infinite) {
		buf_str(out, t.infinite > 0 ? "infinity" : "-infinity");
		return;
	}
	int64_t day = t.day, rest = rest_micros(&t);
	int32_t offset = 0;
	const bool zoned = v->type->id == TYPE_TIMESTAMP_TZ;
	if (zoned) {
		int64_t local;
		offset = zone_offset(style->zone, day * 86400 + rest / 1000000);
		local = calendar_day(rest + offset * INT64_C(1000000), PG_DAY_MICROS, &rest);
		day += local;
	}
	calendar_split(day, &date);
	put_date_text(&date, out);
	buf_byte(out, ' ');
	time_text(rest, out);
	if (zoned)
		offset_text(offset, out);
	if (calendar_is_bc(&date))
		buf_str(out, " BC");
}

static int64_t time_micros(const struct vector *v, size_t row)
{
	int32_t offset;
	if (v->type->id == TYPE_TIME_TZ)
		return value_time_tz(v, row, &offset);
	return v->type->id == TYPE_TIME_NS ? value_i64(v, row) / 1000 : value_i64(v, row);
}

static void time_of_day_text(const struct vector *v, size_t row, struct buf *out)
{
	int32_t offset;
	time_text(time_micros(v, row), out);
	if (v->type->id == TYPE_TIME_TZ) {
		(void)value_time_tz(v, row, &offset);
		offset_text(offset, out);
	}
}

static void real_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	const bool is_double = v->type->id == TYPE_DOUBLE;
	const double value = is_double ? ((const double *)v->data)[row] : (double)((const float *)v->data)[row];
	if (style->digits && isfinite(value)) {
		const unsigned fewer = DBL_DIG - FLT_DIG, digits = style->digits;
		buf_printf(out, "%.*g", (int)(is_double ? digits : digits > fewer ? digits - fewer : 1), value);
		return;
	}
	char *to = buf_reserve(out, NUMBER_DOUBLE_MAX);
	if (!to)
		return;
	if (is_double)
		buf_commit(out, number_pg_double(value, to));
	else
		buf_commit(out, number_pg_float((float)value, to));
}

static void blob_text(struct span bytes, const struct pg_style *style, struct buf *out)
{
	if (!style->escapes_bytes) {
		buf_str(out, "\\x");
		buf_hex(out, bytes.ptr, bytes.len);
		return;
	}
	for (size_t i = 0; i < bytes.len; i++) {
		const unsigned char byte = (unsigned char)bytes.ptr[i];
		if (byte == '\\')
			buf_str(out, "\\\\");
		else if (byte >= 0x20 && byte <= 0x7e)
			buf_byte(out, (char)byte);
		else
			buf_printf(out, "\\%03o", byte);
	}
}

/* A list that is a PostgreSQL array: its items are scalars of PostgreSQL's. */
static bool is_array(const struct type *type)
{
	return (type->id == TYPE_LIST || type->id == TYPE_ARRAY) && type_row(type->members[0].type->id)->pg_array_oid;
}

static bool item_needs_quotes(struct span text)
{
	if (text.len == 0 || span_eq_nocase(text, SPAN("NULL")))
		return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] && strchr("{},\"\\ \t\n\r\v\f", text.ptr[i]))
			return true;
	return false;
}

static void item_text(struct span text, struct buf *out)
{
	if (!item_needs_quotes(text)) {
		buf_span(out, text);
		return;
	}
	buf_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_byte(out, '\\');
		buf_byte(out, text.ptr[i]);
	}
	buf_byte(out, '"');
}

static void array_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	size_t first;
	const size_t n = value_items(v, row, &first);
	struct buf item = BUF(out->max);
	buf_byte(out, '{');
	for (size_t i = 0; i < n && !out->failed; i++) {
		if (i > 0)
			buf_byte(out, ',');
		if (vector_is_null(&v->members[0], first + i)) {
			buf_str(out, "NULL");
			continue;
		}
		buf_reset(&item);
		encode_pg_text(&v->members[0], first + i, style, &item);
		item_text(buf_view(&item), out);
		out->failed |= item.failed;
	}
	buf_byte(out, '}');
	buf_done(&item);
}

static void nested_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	if (is_array(v->type))
		array_text(v, row, style, out);
	else
		encode_json_value(v, row, JSON_STYLE_PG, out);
}

void encode_pg_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	if (!style)
		style = &plain_style;
	switch (v->type->id) {
	case TYPE_BOOLEAN:
		buf_byte(out, ((const uint8_t *)v->data)[row] ? 't' : 'f');
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		real_text(v, row, style, out);
		break;
	case TYPE_BLOB:
		blob_text(vector_span(v, row), style, out);
		break;
	case TYPE_DATE:
		date_text(v, row, out);
		break;
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
		time_of_day_text(v, row, out);
		break;
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		timestamp_text(v, row, style, out);
		break;
	case TYPE_INTERVAL:
		encode_pg_interval((const struct vector_interval *)v->data + row, style->interval, out);
		break;
	case TYPE_LIST:
	case TYPE_ARRAY:
	case TYPE_STRUCT:
	case TYPE_MAP:
	case TYPE_UNION:
		nested_text(v, row, style, out);
		break;
	default:
		encode_text_value(v, row, out);
	}
}

/* Binary */

/*
 * numeric: groups of four decimal digits around the point. `digits` are those of the magnitude, the last `scale` of them
 * behind the point.
 */
static void put_numeric(struct span digits, unsigned scale, bool negative, struct buf *out)
{
	enum { SIGN_MINUS = 0x4000 };
	const size_t whole = digits.len > scale ? digits.len - scale : 0;
	const size_t whole_groups = (whole + 3) / 4, fraction_groups = (scale + 3) / 4;
	const size_t groups = whole_groups + fraction_groups;
	int16_t *values = mem_alloc_array(sizeof(*values), groups + 1);
	for (size_t i = 0; i < digits.len; i++) {
		/* Position of the digit counted from the point: negative in front of it. */
		const long position = (long)i - (long)(digits.len - scale);
		const size_t cell = (size_t)(position + (long)(4 * whole_groups));
		static const int16_t weights[] = {1000, 100, 10, 1};
		values[cell / 4] = (int16_t)(values[cell / 4] + (digits.ptr[i] - '0') * weights[cell % 4]);
	}
	size_t first = 0, last = groups;
	while (first < last && values[first] == 0)
		first++;
	while (last > first && values[last - 1] == 0)
		last--;
	const size_t n = last - first;
	buf_be16(out, (uint16_t)n);
	buf_be16(out, (uint16_t)(n ? (long)whole_groups - 1 - (long)first : 0));
	buf_be16(out, n && negative ? SIGN_MINUS : 0);
	buf_be16(out, (uint16_t)scale);
	for (size_t i = first; i < last; i++)
		buf_be16(out, (uint16_t)values[i]);
	free(values);
}

static void numeric_binary(const struct vector *v, size_t row, struct buf *out)
{
	struct buf text = BUF(out->max);
	if (v->type->id == TYPE_DECIMAL) {
		char *to = buf_reserve(&text, NUMBER_I128_MAX);
		if (to)
			buf_commit(&text, number_i128_text(value_i128(v, row), to));
	} else {
		encode_text_value(v, row, &text);
	}
	struct span digits = buf_view(&text);
	const bool negative = digits.len && digits.ptr[0] == '-';
	put_numeric(span_skip(digits, negative), v->type->id == TYPE_DECIMAL ? v->type->scale : 0, negative, out);
	out->failed |= text.failed;
	buf_done(&text);
}

static int64_t clamp(number_i128 value)
{
	return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

static void timestamp_binary(const struct vector *v, size_t row, struct buf *out)
{
	const struct value_time t = value_timestamp(v, row);
	if (t.infinite) {
		buf_be64(out, (uint64_t)(t.infinite > 0 ? INT64_MAX : INT64_MIN));
		return;
	}
	const number_i128 days = t.day - PG_EPOCH_DAY;
	buf_be64(out, (uint64_t)clamp(days * PG_DAY_MICROS + rest_micros(&t)));
}

static void date_binary(const struct vector *v, size_t row, struct buf *out)
{
	const int64_t days = ((const int32_t *)v->data)[row];
	const int64_t shifted = days == DATE_INFINITE	 ? INT32_MAX
				: days == -DATE_INFINITE ? INT32_MIN
							 : days - PG_EPOCH_DAY;
	buf_be32(out, (uint32_t)(int32_t)(shifted < INT32_MIN ? INT32_MIN : shifted));
}

static void time_binary(const struct vector *v, size_t row, struct buf *out)
{
	int32_t offset;
	buf_be64(out, (uint64_t)time_micros(v, row));
	if (v->type->id == TYPE_TIME_TZ) {
		(void)value_time_tz(v, row, &offset);
		buf_be32(out, (uint32_t)-offset);
	}
}

static void interval_binary(const struct vector *v, size_t row, struct buf *out)
{
	const struct vector_interval *i = (const struct vector_interval *)v->data + row;
	buf_be64(out, (uint64_t)i->micros);
	buf_be32(out, (uint32_t)i->days);
	buf_be32(out, (uint32_t)i->months);
}

static void bit_binary(struct span stored, struct buf *out)
{
	const size_t n = bit_count(stored), bytes = (n + 7) / 8;
	buf_be32(out, (uint32_t)n);
	char *to = buf_reserve(out, bytes);
	if (!to || bytes == 0)
		return;
	memset(to, 0, bytes);
	for (size_t i = 0; i < n; i++)
		if (bit_at(stored, i))
			to[i / 8] = (char)(to[i / 8] | 0x80 >> i % 8);
	buf_commit(out, bytes);
}

static void real_binary(const struct vector *v, size_t row, struct buf *out)
{
	if (v->type->id == TYPE_DOUBLE)
		buf_be64(out, ((const uint64_t *)v->data)[row]);
	else
		buf_be32(out, ((const uint32_t *)v->data)[row]);
}

static void uuid_binary(const struct vector *v, size_t row, struct buf *out)
{
	unsigned char bytes[16];
	value_uuid(v, row, bytes);
	buf_bytes(out, bytes, sizeof(bytes));
}

static void integer_binary(const struct vector *v, size_t row, struct buf *out)
{
	const int64_t value = (int64_t)value_i128(v, row);
	switch (type_row(v->type->id)->pg_len) {
	case 2:
		buf_be16(out, (uint16_t)value);
		break;
	case 4:
		buf_be32(out, (uint32_t)value);
		break;
	case 8:
		buf_be64(out, (uint64_t)value);
		break;
	default:
		numeric_binary(v, row, out);
	}
}

static void array_binary(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	size_t first;
	const struct vector *items = &v->members[0];
	const size_t n = value_items(v, row, &first);
	bool nulls = false;
	for (size_t i = 0; i < n && !nulls; i++)
		nulls = vector_is_null(items, first + i);
	buf_be32(out, n > 0);
	buf_be32(out, nulls);
	buf_be32(out, type_row(items->type->id)->pg_oid);
	if (n == 0)
		return;
	buf_be32(out, (uint32_t)n);
	buf_be32(out, 1);
	for (size_t i = 0; i < n && !out->failed; i++)
		encode_pg_field(items, first + i, PG_FORMAT_BINARY, style, out);
}

void encode_pg_binary(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out)
{
	const enum type_id id = v->type->id;
	if (type_is_integer(id) || id == TYPE_DECIMAL) {
		if (id == TYPE_DECIMAL || id == TYPE_BIGNUM)
			numeric_binary(v, row, out);
		else
			integer_binary(v, row, out);
		return;
	}
	switch (id) {
	case TYPE_BOOLEAN:
		buf_byte(out, ((const uint8_t *)v->data)[row] ? 1 : 0);
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		real_binary(v, row, out);
		break;
	case TYPE_BLOB:
		buf_span(out, vector_span(v, row));
		break;
	case TYPE_BIT:
		bit_binary(vector_span(v, row), out);
		break;
	case TYPE_UUID:
		uuid_binary(v, row, out);
		break;
	case TYPE_DATE:
		date_binary(v, row, out);
		break;
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
		time_binary(v, row, out);
		break;
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		timestamp_binary(v, row, out);
		break;
	case TYPE_INTERVAL:
		interval_binary(v, row, out);
		break;
	case TYPE_LIST:
	case TYPE_ARRAY:
		if (is_array(v->type)) {
			array_binary(v, row, style, out);
			break;
		}
		encode_pg_text(v, row, style, out);
		break;
	default:
		encode_pg_text(v, row, style, out);
	}
}
