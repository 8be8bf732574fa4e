/* Scalars in their text form. */
#include "base/hash.h"
#include "base/buf.h"
#include "pgwire/value_inner.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool bad_text(struct pg_error *e, uint32_t oid, struct span text)
{
	return pg_error_set(e, "22P02", "invalid input syntax for type %s: \"%.*s\"", value_type_name(oid),
			    SPAN_ARG(span_first(text, 200)));
}

/* Unique prefixes of true, false, yes, no; on, off; 1, 0. */
static bool bool_text(struct span text, bool *ret)
{
	static const struct {
		const char *word;
		size_t at_least;
		bool value;
	} words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
		     {"on", 2, true},	{"off", 2, false},   {"1", 1, true},   {"0", 1, false}};
	text = value_trim(text);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text.len >= words[i].at_least &&
		    span_eq_nocase(text, span_first(span_of(words[i].word), text.len))) {
			*ret = words[i].value;
			return true;
		}
	return false;
}

static bool integer_text(uint32_t oid, enum pg_kind kind, struct span given, int64_t *ret, struct pg_error *e)
{
	static const struct {
		int64_t min, max;
	} ranges[] = {[PG_KIND_INT2] = {INT16_MIN, INT16_MAX},
		      [PG_KIND_INT4] = {INT32_MIN, INT32_MAX},
		      [PG_KIND_INT8] = {INT64_MIN, INT64_MAX},
		      [PG_KIND_OID] = {0, UINT32_MAX}};
	struct span text = value_trim(given);
	int64_t value;
	if (!span_i64(text, &value)) {
		struct span digits = span_skip(text, text.len && strchr("+-", *text.ptr));
		for (size_t i = 0; i < digits.len; i++)
			if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
				return bad_text(e, oid, given);
		if (digits.len == 0)
			return bad_text(e, oid, given);
		return pg_error_set(e, "22003", "value \"%.*s\" is out of range for type %s",
				    SPAN_ARG(span_first(given, 200)), value_type_name(oid));
	}
	if (value < ranges[kind].min || value > ranges[kind].max)
		return pg_error_set(e, "22003", "value \"%.*s\" is out of range for type %s",
				    SPAN_ARG(span_first(given, 200)), value_type_name(oid));
	*ret = value;
	return true;
}

static bool real_text(uint32_t oid, enum pg_kind kind, struct span given, double *ret, struct pg_error *e)
{
	char copy[400], *end;
	struct span text = value_trim(given);
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, 'x', text.len) ||
	    memchr(text.ptr, 'X', text.len) || memchr(text.ptr, '(', text.len))
		return bad_text(e, oid, given);
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	errno = 0;
	double value = strtod(copy, &end);
	if (*end)
		return bad_text(e, oid, given);
	bool said_infinite = strpbrk(copy, "nN") != NULL;
	bool overflows = isinf(value) || (kind == PG_KIND_FLOAT4 && isinf((float)value));
	if (overflows && !said_infinite)
		return pg_error_set(e, "22003", "\"%s\" is out of range for type %s", copy, value_type_name(oid));
	*ret = kind == PG_KIND_FLOAT4 ? (double)(float)value : value;
	return true;
}

struct decimal {
	bool negative;
	struct span whole, fraction;
	int64_t exponent;
};

static struct span take_digits(struct span *text)
{
	size_t n = 0;
	while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9')
		n++;
	struct span digits = span_first(*text, n);
	*text = span_skip(*text, n);
	return digits;
}

static bool decimal_parse(struct span text, struct decimal *ret)
{
	*ret = (struct decimal){0};
	if (text.len && strchr("+-", *text.ptr)) {
		ret->negative = *text.ptr == '-';
		text = span_skip(text, 1);
	}
	ret->whole = take_digits(&text);
	if (text.len && *text.ptr == '.') {
		text = span_skip(text, 1);
		ret->fraction = take_digits(&text);
	}
	if (ret->whole.len + ret->fraction.len == 0)
		return false;
	if (text.len && (*text.ptr == 'e' || *text.ptr == 'E')) {
		text = span_skip(text, 1);
		return span_i64(text, &ret->exponent) && llabs(ret->exponent) <= VALUE_NUMERIC_DIGITS_MAX;
	}
	return text.len == 0;
}

/* Digits with the point moved by the exponent, without leading zeros. */
static struct span decimal_print(const struct decimal *d, struct arena *arena)
{
	struct buf digits = BUF(4 * VALUE_NUMERIC_DIGITS_MAX), out = BUF(4 * VALUE_NUMERIC_DIGITS_MAX);
	buf_span(&digits, d->whole);
	buf_span(&digits, d->fraction);
	int64_t point = (int64_t)d->whole.len + d->exponent;
	for (; point < 0 && !out.failed; point++)
		buf_byte(&out, '0');
	size_t zeros = out.len;
	buf_span(&out, buf_view(&digits));
	while ((int64_t)out.len < point && !out.failed)
		buf_byte(&out, '0');
	struct span all = buf_view(&out);
	size_t whole = zeros ? 0 : (size_t)point;
	struct span head = span_first(all, whole), tail = span_skip(all, whole);
	while (head.len > 1 && *head.ptr == '0')
		head = span_skip(head, 1);
	char *text = arena_printf(arena, "%s%.*s%s%.*s", d->negative ? "-" : "", SPAN_ARG(head.len ? head : SPAN("0")),
				  tail.len ? "." : "", SPAN_ARG(tail));
	bool failed = digits.failed || out.failed;
	buf_done(&digits);
	buf_done(&out);
	return failed ? SPAN_NONE : span_of(text);
}

static bool numeric_text(struct span given, struct arena *arena, struct span *ret)
{
	struct span text = value_trim(given);
	static const char *const words[][2] = {{"nan", "NaN"},
					       {"infinity", "Infinity"},
					       {"inf", "Infinity"},
					       {"+infinity", "Infinity"},
					       {"-infinity", "-Infinity"},
					       {"-inf", "-Infinity"}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_eq_nocase(text, span_of(words[i][0]))) {
			*ret = span_of(words[i][1]);
			return true;
		}
	struct decimal d;
	if (text.len > VALUE_NUMERIC_DIGITS_MAX || !decimal_parse(text, &d))
		return false;
	*ret = decimal_print(&d, arena);
	return ret->len > 0;
}

static bool bytea_escapes(struct span text, char *to, size_t *ret_len)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\\') {
			to[len++] = text.ptr[i];
			continue;
		}
		if (i + 1 < text.len && text.ptr[i + 1] == '\\') {
			to[len++] = '\\';
			i++;
			continue;
		}
		if (i + 3 >= text.len)
			return false;
		unsigned value = 0;
		for (size_t k = 1; k <= 3; k++) {
			if (text.ptr[i + k] < '0' || text.ptr[i + k] > '7')
				return false;
			value = value * 8 + (unsigned)(text.ptr[i + k] - '0');
		}
		if (value > 255)
			return false;
		to[len++] = (char)value;
		i += 3;
	}
	*ret_len = len;
	return true;
}

static bool bytea_hex(struct span text, char *to, size_t *ret_len)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len;) {
		if (strchr(" \t\n\r", text.ptr[i])) {
			i++;
			continue;
		}
		if (i + 2 > text.len || !hash_unhex((struct span){text.ptr + i, 2}, to + len, 1))
			return false;
		len++;
		i += 2;
	}
	*ret_len = len;
	return true;
}

static bool bytea_text(struct span text, struct arena *arena, struct span *ret)
{
	char *to = arena_alloc(arena, text.len + 1);
	size_t len = 0;
	bool fine = span_starts(text, SPAN("\\x")) ? bytea_hex(span_skip(text, 2), to, &len)
						   : bytea_escapes(text, to, &len);
	*ret = (struct span){to, len};
	return fine;
}

/* 32 digits, a dash allowed after each group of four, braces around. */
static bool uuid_text(struct span given, unsigned char ret[16])
{
	struct span text = given;
	char hex[32];
	size_t n = 0;
	if (text.len > 2 && *text.ptr == '{' && text.ptr[text.len - 1] == '}')
		text = (struct span){text.ptr + 1, text.len - 2};
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '-' && n % 4 == 0 && n > 0 && n < 32 && text.ptr[i - 1] != '-')
			continue;
		if (n == sizeof(hex))
			return false;
		hex[n++] = text.ptr[i];
	}
	return n == sizeof(hex) && hash_unhex((struct span){hex, sizeof(hex)}, ret, 16);
}

static bool bit_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '0' && text.ptr[i] != '1')
			return false;
	return text.len > 0;
}

/* Dates and times: an ISO form is decoded here, others are left to the engine's cast. */
static bool temporal_text(enum pg_kind kind, struct span text, struct pg_value *ret)
{
	text = value_trim(text);
	switch (kind) {
	case PG_KIND_DATE:
		return value_date_text(text, ret);
	case PG_KIND_TIME:
	case PG_KIND_TIMETZ:
		return value_time_text(text, kind == PG_KIND_TIMETZ, ret);
	case PG_KIND_INTERVAL:
		return value_interval_text(text, ret);
	default:
		return value_timestamp_text(text, kind == PG_KIND_TIMESTAMPTZ, ret);
	}
}

/* Names the bytes of the first sequence that is none, as many as its first byte asks for. */
static bool no_utf8(struct span bytes, struct pg_error *e)
{
	enum { SEQUENCE_MAX = 4, SHOWN = 5 };
	char hex[SEQUENCE_MAX * SHOWN + 1] = "";
	for (;;) {
		const unsigned char lead = bytes.len ? (unsigned char)*bytes.ptr : 0;
		const size_t n = lead < 0xc0 || lead >= 0xf8 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
		const struct span sequence = span_first(bytes, n);
		bytes = span_skip(bytes, sequence.len);
		if (lead && sequence.len == n && span_is_utf8(sequence))
			continue;
		for (size_t i = 0; i < sequence.len; i++)
			(void)snprintf(hex + SHOWN * i, SHOWN + 1, " 0x%02x", (unsigned char)sequence.ptr[i]);
		return pg_error_set(e, "22021", "invalid byte sequence for encoding \"UTF8\":%s", hex);
	}
}

bool value_scalar_text(uint32_t oid, enum pg_kind kind, struct span bytes, struct arena *arena, struct pg_value *ret,
		       struct pg_error *e)
{
	ret->kind = kind;
	if (!span_is_utf8(bytes) || (bytes.len && memchr(bytes.ptr, '\0', bytes.len)))
		return no_utf8(bytes, e);
	switch (kind) {
	case PG_KIND_BOOL:
		return bool_text(bytes, &ret->boolean) || bad_text(e, oid, bytes);
	case PG_KIND_INT2:
	case PG_KIND_INT4:
	case PG_KIND_INT8:
	case PG_KIND_OID:
		return integer_text(oid, kind, bytes, &ret->integer, e);
	case PG_KIND_FLOAT4:
	case PG_KIND_FLOAT8:
		return real_text(oid, kind, bytes, &ret->real, e);
	case PG_KIND_NUMERIC:
		return numeric_text(bytes, arena, &ret->text) || bad_text(e, oid, bytes);
	case PG_KIND_BYTEA:
		return bytea_text(bytes, arena, &ret->text) || bad_text(e, oid, bytes);
	case PG_KIND_UUID:
		return uuid_text(bytes, ret->uuid) || bad_text(e, oid, bytes);
	case PG_KIND_BIT:
		ret->text = bytes;
		return bit_text(bytes) || bad_text(e, oid, bytes);
	case PG_KIND_DATE:
	case PG_KIND_TIME:
	case PG_KIND_TIMETZ:
	case PG_KIND_TIMESTAMP:
	case PG_KIND_TIMESTAMPTZ:
	case PG_KIND_INTERVAL:
		if (!temporal_text(kind, bytes, ret))
			*ret = (struct pg_value){.kind = PG_KIND_TEXT, .text = bytes};
		return true;
	default:
		ret->kind = kind == PG_KIND_JSONB ? PG_KIND_JSON : kind;
		ret->text = bytes;
		return true;
	}
}
