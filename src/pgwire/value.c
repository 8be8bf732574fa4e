#include "pgwire/value.h"

#include "base/buf.h"
#include "base/limits.h"
#include "pgwire/value_inner.h"

#include <stdlib.h>

/* Days and microseconds between 1970-01-01 and PostgreSQL's epoch, 2000-01-01. */
#define EPOCH_DAYS INT64_C(10957)
#define EPOCH_US   (EPOCH_DAYS * 86400 * 1000000)
#define DAY_US	   (INT64_C(86400) * 1000000)

struct numeric {
	uint16_t count;
	int16_t weight;
	uint16_t sign;
	uint16_t scale;
	struct span digits;
};

static unsigned numeric_digit(const struct numeric *n, int32_t i)
{
	return i >= 0 && i < n->count ? (unsigned)value_load(span_first(span_skip(n->digits, (size_t)i * 2), 2)) : 0;
}

static bool numeric_is_sound(const struct numeric *n)
{
	for (int32_t i = 0; i < n->count; i++)
		if (numeric_digit(n, i) > 9999)
			return false;
	return n->digits.len == (size_t)n->count * 2 && n->scale <= 16383 && (n->sign == 0 || n->sign == 0x4000);
}

/* Base-10000 digits; "value = sum digit[i] * 10000^(weight - i)", shown with `scale` digits behind the point. */
static void numeric_print(const struct numeric *n, struct buf *out)
{
	bool leading = true;
	if (n->sign)
		buf_byte(out, '-');
	for (int32_t place = n->weight > 0 ? n->weight : 0; place >= -(n->scale + 3) / 4; place--) {
		unsigned digit = numeric_digit(n, n->weight - place);
		if (place == -1)
			buf_byte(out, '.');
		if (leading && place >= 0) {
			if (digit || place == 0)
				buf_u64(out, digit);
			leading = digit == 0;
		} else {
			buf_printf(out, "%04u", digit);
		}
	}
}

static bool numeric_binary(struct span bytes, struct arena *arena, struct span *ret)
{
	if (bytes.len < 8)
		return false;
	struct numeric n = {.count = (uint16_t)value_load(span_first(bytes, 2)),
			    .weight = (int16_t)value_load(span_first(span_skip(bytes, 2), 2)),
			    .sign = (uint16_t)value_load(span_first(span_skip(bytes, 4), 2)),
			    .scale = (uint16_t)value_load(span_first(span_skip(bytes, 6), 2)),
			    .digits = span_skip(bytes, 8)};
	if (n.sign == 0xc000 || n.sign == 0xd000 || n.sign == 0xf000) {
		*ret = n.sign == 0xc000 ? SPAN("NaN") : n.sign == 0xd000 ? SPAN("Infinity") : SPAN("-Infinity");
		return true;
	}
	if (!numeric_is_sound(&n))
		return false;
	struct buf out = BUF(300 * KIB);
	numeric_print(&n, &out);
	struct span text = buf_view(&out);
	if (n.scale % 4)
		text.len -= 4U - n.scale % 4U;
	bool fine = !out.failed;
	if (fine)
		*ret = arena_span(arena, text);
	buf_done(&out);
	return fine;
}

static bool bit_binary(struct span bytes, struct arena *arena, struct span *ret)
{
	if (bytes.len < 4)
		return false;
	uint64_t count = value_load(span_first(bytes, 4));
	struct span bits = span_skip(bytes, 4);
	if (bits.len != (count + 7) / 8 || count > INT32_MAX)
		return false;
	char *text = arena_alloc(arena, count + 1);
	for (size_t i = 0; i < count; i++)
		text[i] = (char)('0' + ((unsigned char)bits.ptr[i / 8] >> (7 - i % 8) & 1));
	*ret = (struct span){text, count};
	return true;
}

static bool timestamp_binary(int64_t us, int64_t *ret)
{
	if (us == INT64_MAX || us == INT64_MIN) {
		*ret = us == INT64_MAX ? VALUE_TIME_INFINITY : -VALUE_TIME_INFINITY;
		return true;
	}
	return !__builtin_add_overflow(us, EPOCH_US, ret);
}

/* Kinds of a fixed width: 0 for the others. */
static size_t binary_width(enum pg_kind kind)
{
	static const unsigned char widths[] = {
		[PG_KIND_BOOL] = 1,	 [PG_KIND_INT2] = 2,	[PG_KIND_INT4] = 4,	 [PG_KIND_INT8] = 8,
		[PG_KIND_OID] = 4,	 [PG_KIND_FLOAT4] = 4,	[PG_KIND_FLOAT8] = 8,	 [PG_KIND_DATE] = 4,
		[PG_KIND_TIME] = 8,	 [PG_KIND_TIMETZ] = 12, [PG_KIND_TIMESTAMP] = 8, [PG_KIND_TIMESTAMPTZ] = 8,
		[PG_KIND_INTERVAL] = 16, [PG_KIND_UUID] = 16,	[PG_KIND_REG] = 4};
	return kind < ARRAY_LEN(widths) ? widths[kind] : 0;
}

static bool date_binary(struct span bytes, int64_t *ret)
{
	int32_t days = (int32_t)value_load(bytes);
	if (days == INT32_MAX || days == INT32_MIN)
		*ret = days == INT32_MAX ? VALUE_DATE_INFINITY : -VALUE_DATE_INFINITY;
	else
		*ret = days + EPOCH_DAYS;
	return *ret <= INT32_MAX;
}

static bool decode_fixed(enum pg_kind kind, struct span bytes, struct arena *arena, struct pg_value *ret)
{
	uint64_t bits = value_load(span_first(bytes, 8));
	uint32_t half = (uint32_t)bits;
	float single;
	switch (kind) {
	case PG_KIND_BOOL:
		ret->boolean = *bytes.ptr != 0;
		return true;
	case PG_KIND_INT2:
		ret->integer = (int16_t)bits;
		return true;
	case PG_KIND_INT4:
		ret->integer = (int32_t)bits;
		return true;
	case PG_KIND_FLOAT4:
		memcpy(&single, &half, sizeof(single));
		ret->real = (double)single;
		return true;
	case PG_KIND_FLOAT8:
		memcpy(&ret->real, &bits, sizeof(ret->real));
		return true;
	case PG_KIND_DATE:
		return date_binary(bytes, &ret->integer);
	case PG_KIND_TIMESTAMP:
	case PG_KIND_TIMESTAMPTZ:
		return timestamp_binary((int64_t)bits, &ret->integer);
	case PG_KIND_TIME:
	case PG_KIND_TIMETZ:
		if ((int64_t)bits < 0 || (int64_t)bits > DAY_US)
			return false;
		if (kind == PG_KIND_TIME) {
			ret->integer = (int64_t)bits;
			return true;
		}
		half = (uint32_t)value_load(span_skip(bytes, 8));
		ret->timetz.us = (int64_t)bits;
		ret->timetz.east_seconds = half == (uint32_t)INT32_MIN ? INT32_MAX : -(int32_t)half;
		return abs(ret->timetz.east_seconds) < 16 * 3600;
	case PG_KIND_INTERVAL:
		ret->interval.us = (int64_t)bits;
		ret->interval.days = (int32_t)value_load(span_first(span_skip(bytes, 8), 4));
		ret->interval.months = (int32_t)value_load(span_skip(bytes, 12));
		return true;
	case PG_KIND_UUID:
		memcpy(ret->uuid, bytes.ptr, sizeof(ret->uuid));
		return true;
	case PG_KIND_REG:
		ret->text = span_of(arena_printf(arena, "%u", half));
		return true;
	default: /* INT8, OID */
		ret->integer = (int64_t)bits;
		return true;
	}
}

bool value_scalar_binary(uint32_t oid, enum pg_kind kind, struct span bytes, struct arena *arena, struct pg_value *ret,
			 struct pg_error *e)
{
	size_t width = binary_width(kind);
	ret->kind = kind;
	if (bytes.len < width)
		return pg_error_set(e, "08P01", "insufficient data left in message");
	const bool instant = kind == PG_KIND_TIMESTAMP || kind == PG_KIND_TIMESTAMPTZ;
	if (width && bytes.len == width && instant)
		return decode_fixed(kind, bytes, arena, ret) || pg_error_set(e, "22008", "timestamp out of range");
	if (width)
		return (bytes.len == width && decode_fixed(kind, bytes, arena, ret)) || value_bad_binary(e, oid);
	switch (kind) {
	case PG_KIND_NUMERIC:
		return numeric_binary(bytes, arena, &ret->text) || value_bad_binary(e, oid);
	case PG_KIND_BIT:
		return bit_binary(bytes, arena, &ret->text) || value_bad_binary(e, oid);
	case PG_KIND_BYTEA:
		ret->text = bytes;
		return true;
	case PG_KIND_JSONB:
		if (bytes.len == 0 || *bytes.ptr != 1)
			return value_bad_binary(e, oid);
		return value_scalar_text(oid, PG_KIND_JSON, span_skip(bytes, 1), arena, ret, e);
	case PG_KIND_INET:
		return pg_error_set(e, "0A000", "binary parameters of type %s are not supported", value_type_name(oid));
	default:
		return value_scalar_text(oid, kind, bytes, arena, ret, e);
	}
}

bool value_decode(uint32_t oid, unsigned format, struct span bytes, struct arena *arena, struct pg_value *ret,
		  struct pg_error *e)
{
	*ret = (struct pg_value){0};
	const struct pg_type *type = pg_type_find(oid);
	const struct pg_type *element = pg_type_element(oid);
	if (element) {
		ret->is_array = true;
		ret->kind = element->kind;
		return format ? value_array_binary(element, bytes, arena, ret, e)
			      : value_array_text(element, type != NULL, bytes, arena, ret, e);
	}
	enum pg_kind kind = type ? type->kind : PG_KIND_TEXT;
	if (kind == PG_KIND_REFUSED)
		return pg_error_set(e, "0A000", "parameters of type %s are not supported", type->sql_name);
	return format ? value_scalar_binary(oid, kind, bytes, arena, ret, e)
		      : value_scalar_text(oid, kind, bytes, arena, ret, e);
}

bool value_numeric(struct span text, __int128 *ret_unscaled, unsigned *ret_scale)
{
	__int128 value = 0;
	unsigned digits = 0, scale = 0;
	bool negative = text.len && *text.ptr == '-';
	bool behind = false;
	for (size_t i = negative; i < text.len; i++) {
		if (text.ptr[i] == '.') {
			behind = true;
			continue;
		}
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		digits += digits || text.ptr[i] != '0';
		scale += behind;
		if (digits > 38 || scale > 38)
			return false;
		value = value * 10 + (text.ptr[i] - '0');
	}
	*ret_unscaled = negative ? -value : value;
	*ret_scale = scale;
	return true;
}
