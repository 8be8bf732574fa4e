/* Fields of COPY in their usual forms, without the detour of a decoded value; all others take it. */
#include "pgwire/backend.h"
#include "pgwire/copy.h"
#include "pgwire/types.h"

enum { PLAIN_DIGITS = 18, PLAIN_NUMBER = 36, DATE_LENGTH = 10, TIMESTAMP_LENGTH = 19, TIMESTAMP_MOST = 26 };

static bool integer(struct span s, int64_t most, struct bind_value *ret)
{
	const size_t sign = s.len && *s.ptr == '-';
	int64_t value = 0;
	if (s.len == sign || s.len > PLAIN_DIGITS)
		return false;
	for (size_t i = sign; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		value = value * 10 + (s.ptr[i] - '0');
	}
	*ret = (struct bind_value){.kind = BIND_INT, .integer = sign ? -value : value};
	return value <= most;
}

static bool as_text(struct span s, struct bind_value *ret)
{
	*ret = (struct bind_value){.kind = BIND_TEXT, .text = s};
	return true;
}

/* [-]digits[.digits] that the column has room for: the engine reads it. */
static bool decimal(struct span s, int32_t type_mod, struct bind_value *ret)
{
	const int32_t precision = (type_mod - 4) >> 16, scale = (type_mod - 4) & 0xffff;
	const size_t sign = s.len && *s.ptr == '-';
	const size_t point = span_find(s, '.');
	if (type_mod < 4 || s.len > PLAIN_NUMBER || point == sign || point + 1 == s.len ||
	    (int64_t)(point - sign) >= precision - scale)
		return false;
	for (size_t i = sign; i < s.len; i++)
		if (i != point && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return false;
	return as_text(s, ret);
}

static bool real(struct span s, struct bind_value *ret)
{
	if (!s.len || s.len > PLAIN_NUMBER || s.ptr[s.len - 1] < '0' || s.ptr[s.len - 1] > '9')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < '0' || s.ptr[i] > '9') && s.ptr[i] != '.' && (s.ptr[i] != '-' || i))
			return false;
	return as_text(s, ret);
}

/* Digits where the pattern has 0, else its own characters. */
static bool fits(struct span s, const char *pattern)
{
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == '0' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != pattern[i])
			return false;
	return true;
}

static bool instant(struct span s, struct bind_value *ret)
{
	if (s.len < TIMESTAMP_LENGTH || s.len > TIMESTAMP_MOST || !fits(s, "0000-00-00 00:00:00"))
		return false;
	for (size_t i = TIMESTAMP_LENGTH; i < s.len; i++)
		if (i == TIMESTAMP_LENGTH ? s.ptr[i] != '.' : s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len != TIMESTAMP_LENGTH + 1 && as_text(s, ret);
}

bool copy_plain(enum pg_kind kind, int32_t type_mod, struct span s, struct bind_value *ret)
{
	switch (kind) {
	case PG_KIND_TEXT:
		return span_is_utf8(s) && as_text(s, ret);
	case PG_KIND_INT2:
		return integer(s, INT16_MAX, ret);
	case PG_KIND_INT4:
		return integer(s, INT32_MAX, ret);
	case PG_KIND_INT8:
		return integer(s, INT64_MAX, ret);
	case PG_KIND_NUMERIC:
		return decimal(s, type_mod, ret);
	case PG_KIND_FLOAT8:
		return real(s, ret);
	case PG_KIND_BOOL:
		*ret = (struct bind_value){.kind = BIND_BOOL, .boolean = s.len && *s.ptr == 't'};
		return s.len == 1 && (*s.ptr == 't' || *s.ptr == 'f');
	case PG_KIND_DATE:
		return s.len == DATE_LENGTH && fits(s, "0000-00-00") && as_text(s, ret);
	case PG_KIND_TIMESTAMP:
		return instant(s, ret);
	default:
		return false;
	}
}
