/* The engine's own text form of a value. */
#include "engine/encode_json.h"

#include "engine/encode.h"

#include <stdlib.h>

static void print_date(const struct vector *v, size_t row, struct buf *out)
{
	const int32_t days = ((const int32_t *)v->data)[row];
	struct calendar_date date;
	if (days == DATE_INFINITE || days == -DATE_INFINITE) {
		buf_str(out, days > 0 ? "infinity" : "-infinity");
		return;
	}
	calendar_split(days, &date);
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (!to)
		return;
	buf_commit(out, calendar_print_date(&date, to));
	if (calendar_is_bc(&date))
		buf_str(out, " (BC)");
}

static void print_timestamp(const struct vector *v, size_t row, struct buf *out)
{
	const struct value_time t = value_timestamp(v, row);
	struct calendar_date date;
	if (t.infinite) {
		buf_str(out, t.infinite > 0 ? "infinity" : "-infinity");
		return;
	}
	calendar_split(t.day, &date);
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (!to)
		return;
	buf_commit(out, calendar_print_date(&date, to));
	buf_str(out, calendar_is_bc(&date) ? " (BC) " : " ");
	to = buf_reserve(out, CALENDAR_MAX);
	if (to)
		buf_commit(out, calendar_print_time(t.rest, t.digits, true, to));
	if (v->type->id == TYPE_TIMESTAMP_TZ)
		buf_str(out, "+00");
}

static void print_time(const struct vector *v, size_t row, struct buf *out)
{
	char *to = buf_reserve(out, CALENDAR_MAX);
	if (!to)
		return;
	if (v->type->id != TYPE_TIME_TZ) {
		buf_commit(out, calendar_print_time(value_i64(v, row), v->type->id == TYPE_TIME_NS ? 9 : 6, true, to));
		return;
	}
	int32_t offset;
	const int64_t micros = value_time_tz(v, row, &offset);
	const size_t n = calendar_print_time(micros, 6, true, to);
	buf_commit(out, n + calendar_print_offset(offset, to + n));
}

static void print_field(struct buf *out, size_t start, int64_t value, const char *unit)
{
	if (value == 0)
		return;
	if (out->len > start)
		buf_byte(out, ' ');
	buf_i64(out, value);
	buf_byte(out, ' ');
	buf_str(out, unit);
	if (value != 1 && value != -1)
		buf_byte(out, 's');
}

static void print_interval(const struct vector *v, size_t row, struct buf *out)
{
	const struct vector_interval *i = (const struct vector_interval *)v->data + row;
	const size_t start = out->len;
	print_field(out, start, i->months / 12, "year");
	print_field(out, start, i->months % 12, "month");
	print_field(out, start, i->days, "day");
	if (i->micros == 0 && out->len > start)
		return;
	if (out->len > start)
		buf_byte(out, ' ');
	if (i->micros < 0)
		buf_byte(out, '-');
	/* Hours may be many. */
	const uint64_t micros = i->micros < 0 ? 0 - (uint64_t)i->micros : (uint64_t)i->micros;
	const uint64_t hours = micros / UINT64_C(3600000000);
	char *to = buf_reserve(out, CALENDAR_MAX + NUMBER_U64_MAX);
	if (!to)
		return;
	if (hours < 100) {
		buf_commit(out, calendar_print_time((int64_t)micros, 6, true, to));
		return;
	}
	char rest[CALENDAR_MAX];
	const size_t n = number_u64(hours, to);
	const size_t m = calendar_print_time((int64_t)(micros % UINT64_C(3600000000)), 6, true, rest);
	memcpy(to + n, rest + 2, m - 2);
	buf_commit(out, n + m - 2);
}

static void print_blob(struct span bytes, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < bytes.len; i++) {
		const unsigned char c = (unsigned char)bytes.ptr[i];
		if (c >= 32 && c <= 126 && c != '\\' && c != '\'' && c != '"') {
			buf_byte(out, (char)c);
			continue;
		}
		char *to = buf_reserve(out, 4);
		if (!to)
			return;
		memcpy(to, (char[]){'\\', 'x', digits[c >> 4], digits[c & 15]}, 4);
		buf_commit(out, 4);
	}
}

/* The engine's rule for texts inside nested values. */
static bool needs_quotes(struct span text)
{
	if (text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ' || span_eq_nocase(text, SPAN("NULL")))
		return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] && strchr("\"'(),:=[]{}", text.ptr[i]))
			return true;
	return false;
}

static void print_quoted(struct span text, struct buf *out)
{
	buf_byte(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
			buf_byte(out, '\\');
		buf_byte(out, text.ptr[i]);
	}
	buf_byte(out, '\'');
}

static bool is_nested(enum type_id id)
{
	return id == TYPE_LIST || id == TYPE_ARRAY || id == TYPE_STRUCT || id == TYPE_MAP || id == TYPE_JSON ||
	       id == TYPE_UNION;
}

static void print_member(const struct vector *v, size_t row, struct buf *out)
{
	if (vector_is_null(v, row)) {
		buf_str(out, "NULL");
		return;
	}
	const size_t start = out->len;
	encode_text_value(v, row, out);
	if (out->failed || is_nested(v->type->id))
		return;
	const struct span text = {out->ptr + start, out->len - start};
	if (!needs_quotes(text))
		return;
	char *copy = mem_copy(text);
	out->len = start;
	print_quoted((struct span){copy, text.len}, out);
	free(copy);
}

static void print_list(const struct vector *v, size_t row, struct buf *out)
{
	size_t first;
	const size_t n = value_items(v, row, &first);
	const bool map = v->type->id == TYPE_MAP;
	buf_byte(out, map ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		print_member(&v->members[0], first + i, out);
		if (map) {
			buf_byte(out, '=');
			print_member(&v->members[1], first + i, out);
		}
	}
	buf_byte(out, map ? '}' : ']');
}

static void print_struct(const struct vector *v, size_t row, struct buf *out)
{
	const bool named = v->member_count > 0 && v->type->members[0].name && *v->type->members[0].name;
	buf_byte(out, named ? '{' : '(');
	for (size_t i = 0; i < v->member_count; i++) {
		if (i > 0)
			buf_str(out, ", ");
		if (named) {
			print_quoted(span_of(v->type->members[i].name), out);
			buf_str(out, ": ");
		}
		print_member(&v->members[i], row, out);
	}
	buf_byte(out, named ? '}' : ')');
}

static void print_real(const struct vector *v, size_t row, struct buf *out)
{
	char *to = buf_reserve(out, NUMBER_DOUBLE_MAX);
	if (!to)
		return;
	if (v->type->id == TYPE_DOUBLE)
		buf_commit(out, number_engine_double(((const double *)v->data)[row], to));
	else
		buf_commit(out, number_engine_float(((const float *)v->data)[row], to));
}

static void print_nested(const struct vector *v, size_t row, struct buf *out)
{
	if (v->type->id == TYPE_STRUCT)
		print_struct(v, row, out);
	else if (v->type->id == TYPE_UNION && vector_is_null(value_union(v, row), row))
		buf_str(out, "NULL");
	else if (v->type->id == TYPE_UNION)
		encode_text_value(value_union(v, row), row, out);
	else
		print_list(v, row, out);
}

void encode_text_value(const struct vector *v, size_t row, struct buf *out)
{
	if (type_is_integer(v->type->id) && v->type->id != TYPE_BIGNUM) {
		print_integer(v, row, out);
		return;
	}
	switch (v->type->id) {
	case TYPE_BOOLEAN:
		buf_str(out, ((const uint8_t *)v->data)[row] ? "true" : "false");
		break;
	case TYPE_BIGNUM:
		bignum_print(vector_span(v, row), out);
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		print_real(v, row, out);
		break;
	case TYPE_DECIMAL:
		print_decimal(v, row, out);
		break;
	case TYPE_VARCHAR:
	case TYPE_JSON:
		buf_span(out, vector_span(v, row));
		break;
	case TYPE_BLOB:
	case TYPE_GEOMETRY:
		print_blob(vector_span(v, row), out);
		break;
	case TYPE_BIT:
		print_bits(vector_span(v, row), out);
		break;
	case TYPE_UUID:
		print_uuid(v, row, out);
		break;
	case TYPE_DATE:
		print_date(v, row, out);
		break;
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
		print_time(v, row, out);
		break;
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		print_timestamp(v, row, out);
		break;
	case TYPE_INTERVAL:
		print_interval(v, row, out);
		break;
	case TYPE_ENUM:
		buf_str(out, value_label(v, row));
		break;
	case TYPE_LIST:
	case TYPE_ARRAY:
	case TYPE_MAP:
	case TYPE_STRUCT:
	case TYPE_UNION:
		print_nested(v, row, out);
		break;
	default:
		buf_str(out, "NULL");
	}
}
