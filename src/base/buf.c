#include "base/buf.h"

#include "base/arena.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 256, PRINTED_USUALLY = 256 };

void buf_done(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){.max = b->max, .keeps = b->keeps};
}

void buf_cut(struct buf *b, size_t len, size_t max)
{
	assert(b->keeps && len <= b->len);
	b->len = len;
	b->max = max;
	b->failed = false;
	if (b->ptr)
		b->ptr[len] = '\0';
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->ptr)
		*b->ptr = '\0';
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	if (b->failed)
		return NULL;
	char *bytes = b->ptr ? b->ptr : mem_alloc(1);
	if (ret_len)
		*ret_len = b->len;
	*b = BUF(b->max);
	return bytes;
}

char *buf_grow(struct buf *b, size_t n)
{
	assert(b->max > 0);
	if (b->failed)
		return NULL;
	if (n > b->max || b->len > b->max - n) {
		if (b->keeps)
			b->max = b->len; /* nothing more fits */
		else
			buf_done(b);
		b->failed = true;
		return NULL;
	}
	if (b->len + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap : BUF_FIRST;
		while (cap < b->len + n + 1)
			cap *= 2;
		b->ptr = mem_grow(b->ptr, cap);
		b->ptr[b->len] = '\0';
		b->cap = cap;
	}
	return b->ptr + b->len;
}

void buf_bytes(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_reserve(b, n);
	if (!to || n == 0)
		return;
	memcpy(to, bytes, n);
	buf_commit(b, n);
}

void buf_byte(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);
	if (!to)
		return;
	*to = c;
	buf_commit(b, 1);
}

void buf_str(struct buf *b, const char *text)
{
	buf_bytes(b, text, strlen(text));
}

void buf_span(struct buf *b, struct span s)
{
	buf_bytes(b, s.ptr, s.len);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	char text[PRINTED_USUALLY];
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	if (len >= 0 && (size_t)len < sizeof(text)) {
		buf_bytes(b, text, (size_t)len);
		va_end(again);
		return;
	}
	char *to = len >= 0 ? buf_reserve(b, (size_t)len) : NULL;
	if (to) {
		(void)vsnprintf(to, (size_t)len + 1, fmt, again);
		buf_commit(b, (size_t)len);
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	buf_vprintf(b, fmt, args);
	va_end(args);
}

void buf_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_bytes(b, digits + at, sizeof(digits) - at);
}

void buf_i64(struct buf *b, int64_t value)
{
	if (value < 0)
		buf_byte(b, '-');
	buf_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/*
 * Numbers of at most six decimals, as measured times and ratios are: the quotient is rounded correctly, so a text that
 * stands for it reads back to the same value; with at most 15 digits there is no shorter one.
 */
static bool short_fraction(struct buf *b, double value)
{
	const double decimals = 1e6;
	double scaled = nearbyint(fabs(value) * decimals);
	if (!(fabs(value) >= 1e-3 && fabs(value) < 1e8) || scaled / decimals != fabs(value))
		return false;
	uint64_t whole = (uint64_t)scaled / 1000000;
	uint64_t rest = (uint64_t)scaled % 1000000;
	char digits[6];
	size_t n = sizeof(digits);
	for (size_t i = n; i > 0; i--, rest /= 10)
		digits[i - 1] = (char)('0' + rest % 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (value < 0)
		buf_byte(b, '-');
	buf_u64(b, whole);
	buf_byte(b, '.');
	buf_bytes(b, digits, n);
	return true;
}

/* Tries ever more digits until the text reads back to the same value: most doubles of real data need few. */
static void shortest(struct buf *b, double value, int digits_min, int digits_max, bool single)
{
	if (isnan(value) || isinf(value)) {
		buf_str(b, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
		return;
	}
	if (value == floor(value) && fabs(value) < 1e15 && !(value == 0 && signbit(value))) {
		buf_i64(b, (int64_t)value);
		return;
	}
	if (!single && short_fraction(b, value))
		return;
	char text[40];
	for (int digits = digits_min; digits <= digits_max; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
			break;
	}
	buf_str(b, text);
}

void buf_double(struct buf *b, double value)
{
	shortest(b, value, 15, 17, false);
}

void buf_float(struct buf *b, float value)
{
	shortest(b, (double)value, 6, 9, true);
}

void buf_hex(struct buf *b, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *to = buf_reserve(b, 2 * n);
	if (!to)
		return;
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[from[i] >> 4];
		to[2 * i + 1] = digits[from[i] & 15];
	}
	buf_commit(b, 2 * n);
}

void buf_be16(struct buf *b, uint16_t value)
{
	value = htobe16(value);
	buf_bytes(b, &value, sizeof(value));
}

void buf_be32(struct buf *b, uint32_t value)
{
	value = htobe32(value);
	buf_bytes(b, &value, sizeof(value));
}

void buf_be64(struct buf *b, uint64_t value)
{
	value = htobe64(value);
	buf_bytes(b, &value, sizeof(value));
}
