/* Fields of COPY in their usual forms, without the detour of parameter_decode; all others take it. */
#include "pgwire/backend.h"
#include "pgwire/copy.h"
#include "pgwire/types.h"
#include "pgwire/value_inner.h"

#include <float.h>

enum { PLAIN_DIGITS = 18, REAL_DIGITS = 19, REAL_SCALE_MAX = 27, TIMESTAMP_LENGTH = 19, TIMESTAMP_MOST = 26 };

/* [-]digits[.digits]: the digits as one number, and how many stand behind the point. */
static inline bool digits(struct span s, size_t most, uint64_t *ret, unsigned *ret_scale, bool *ret_negative)
{
	size_t i = s.len && *s.ptr == '-', point = s.len;
	uint64_t value = 0;
	*ret_negative = i;
	if (s.len - i > most + 1 || i == s.len || s.ptr[i] == '.' || s.ptr[s.len - 1] == '.')
		return false;
	for (; i < s.len; i++) {
		const unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';
		if (digit <= 9)
			value = value * 10 + digit;
		else if (s.ptr[i] == '.' && point == s.len)
			point = i;
		else
			return false;
	}
	*ret = value;
	*ret_scale = point < s.len ? (unsigned)(s.len - point - 1) : 0;
	return s.len - *ret_negative - (point < s.len) <= most;
}

static bool integer(struct span s, int64_t most, struct bind_value *ret)
{
	uint64_t value;
	unsigned scale;
	bool negative;
	if (!digits(s, PLAIN_DIGITS, &value, &scale, &negative) || scale || memchr(s.ptr, '.', s.len) ||
	    value > (uint64_t)most)
		return false;
	ret->kind = BIND_INT;
	ret->integer = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool decimal(struct span s, struct bind_value *ret)
{
	uint64_t value;
	unsigned scale;
	bool negative;
	if (!digits(s, PLAIN_DIGITS, &value, &scale, &negative))
		return false;
	ret->kind = BIND_DECIMAL;
	ret->decimal.unscaled = negative ? -(__int128)value : (__int128)value;
	ret->decimal.scale = scale;
	return true;
}

#if LDBL_MANT_DIG == 64
/*
 * Digits and power of ten are exact in 64 bits of mantissa, so the quotient is the true value rounded once. Rounding that
 * to a double is right unless it lies exactly between two: then it is not known on which side the true value is.
 */
static bool quotient(uint64_t value, unsigned scale, double *ret)
{
	static const long double powers[REAL_SCALE_MAX + 1] = {
		1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,	 1e7L,	1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
		1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
	if (scale > REAL_SCALE_MAX)
		return false;
	const long double exact = (long double)value / powers[scale];
	uint64_t mantissa;
	memcpy(&mantissa, &exact, sizeof(mantissa));
	*ret = (double)exact;
	return (mantissa & 0x7ff) != 0x400;
}
#else
/* Both exact as doubles: the quotient is rounded once. */
static bool quotient(uint64_t value, unsigned scale, double *ret)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,	1e8,  1e9,  1e10, 1e11,
					1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	if (value >> 53 || scale >= ARRAY_LEN(powers))
		return false;
	*ret = (double)value / powers[scale];
	return true;
}
#endif

static bool real(struct span s, struct bind_value *ret)
{
	uint64_t value;
	unsigned scale;
	bool negative;
	double found;
	if (!digits(s, REAL_DIGITS, &value, &scale, &negative) || !quotient(value, scale, &found))
		return false;
	ret->kind = BIND_DOUBLE;
	ret->real = negative ? -found : found;
	return true;
}

/* Up to `n` digits; anything else among them makes *bad true. */
static inline int64_t number(const char *at, size_t n, bool *bad)
{
	int64_t value = 0;
	for (size_t i = 0; i < n; i++) {
		*bad = *bad || at[i] < '0' || at[i] > '9';
		value = value * 10 + (at[i] - '0');
	}
	return value;
}

/* YYYY-MM-DD at the front of at least ten bytes. */
static bool date(const char *at, int64_t *ret_days)
{
	bool bad = at[4] != '-' || at[7] != '-';
	const int64_t year = number(at, 4, &bad), month = number(at + 5, 2, &bad), day = number(at + 8, 2, &bad);
	return !bad && year > 0 && value_civil(year, month, day, ret_days);
}

/* YYYY-MM-DD HH:MM:SS[.ffffff] */
static bool instant(struct span s, int64_t *ret_us)
{
	int64_t days, fraction = 0;
	if (s.len < TIMESTAMP_LENGTH || s.len > TIMESTAMP_MOST || s.len == TIMESTAMP_LENGTH + 1 || !date(s.ptr, &days))
		return false;
	const char *at = s.ptr;
	bool bad = at[10] != ' ' || at[13] != ':' || at[16] != ':' || (s.len > TIMESTAMP_LENGTH && at[19] != '.');
	const int64_t hours = number(at + 11, 2, &bad), minutes = number(at + 14, 2, &bad),
		      seconds = number(at + 17, 2, &bad);
	if (s.len > TIMESTAMP_LENGTH)
		fraction = number(at + TIMESTAMP_LENGTH + 1, s.len - TIMESTAMP_LENGTH - 1, &bad);
	for (size_t i = s.len; i < TIMESTAMP_MOST; i++)
		fraction *= 10;
	*ret_us = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000000 + fraction;
	return !bad && hours < 24 && minutes < 60 && seconds < 60;
}

static bool day(struct span s, int64_t *ret_days)
{
	return s.len == 10 && date(s.ptr, ret_days);
}

bool copy_plain(enum pg_kind kind, struct span s, struct bind_value *ret)
{
	switch (kind) {
	case PG_KIND_TEXT:
		ret->kind = BIND_TEXT;
		ret->text = s;
		return span_is_utf8(s) && span_find(s, '\0') == s.len;
	case PG_KIND_INT2:
		return integer(s, INT16_MAX, ret);
	case PG_KIND_INT4:
		return integer(s, INT32_MAX, ret);
	case PG_KIND_INT8:
		return integer(s, INT64_MAX, ret);
	case PG_KIND_NUMERIC:
		return decimal(s, ret);
	case PG_KIND_FLOAT8:
		return real(s, ret);
	case PG_KIND_BOOL:
		ret->kind = BIND_BOOL;
		ret->boolean = s.len && *s.ptr == 't';
		return s.len == 1 && (*s.ptr == 't' || *s.ptr == 'f');
	case PG_KIND_DATE:
		ret->kind = BIND_DATE;
		return day(s, &ret->integer);
	case PG_KIND_TIMESTAMP:
		ret->kind = BIND_TIMESTAMP;
		return instant(s, &ret->integer);
	default:
		return false;
	}
}
