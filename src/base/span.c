#include "base/span.h"

#include <openssl/crypto.h>

int span_cmp(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

size_t span_find(struct span s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
	return at ? (size_t)(at - s.ptr) : s.len;
}

struct span span_trim(struct span s)
{
	while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
		s = span_skip(s, 1);
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

struct span span_cut(struct span *rest, char c)
{
	size_t at = span_find(*rest, c);
	struct span head = span_first(*rest, at);
	*rest = span_skip(*rest, at + 1);
	return head;
}

bool span_u64(struct span s, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool span_i64(struct span s, int64_t *ret)
{
	bool negative = s.len && *s.ptr == '-';
	uint64_t magnitude;
	if (s.len && (*s.ptr == '-' || *s.ptr == '+'))
		s = span_skip(s, 1);
	if (!span_u64(s, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

/* Length of the UTF-8 sequence at p, 0 where malformed (RFC 3629, section 4). */
static size_t utf8_sequence(const unsigned char *p, size_t len)
{
	if (p[0] < 0x80)
		return 1;
	/* Second bytes that would make an overlong form, a surrogate or a value above U+10FFFF. */
	static const struct {
		unsigned char lead, low, high;
	} narrow[] = {{0xe0, 0xa0, 0xbf}, {0xed, 0x80, 0x9f}, {0xf0, 0x90, 0xbf}, {0xf4, 0x80, 0x8f}};
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(narrow); i++) {
		if (p[0] == narrow[i].lead && (p[1] < narrow[i].low || p[1] > narrow[i].high))
			return 0;
	}
	return n;
}

bool span_is_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	for (size_t i = 0; i < s.len;) {
		uint64_t eight;
		if (s.len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				i += sizeof(eight);
				continue;
			}
		}
		size_t n = utf8_sequence(p + i, s.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool span_is_xml(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return span_is_utf8(s) &&
	       (s.len < 3 || (!memmem(s.ptr, s.len, "\xef\xbf\xbe", 3) && !memmem(s.ptr, s.len, "\xef\xbf\xbf", 3)));
}

bool span_eq_secret(struct span a, struct span b)
{
	return a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

uint64_t span_hash(struct span s)
{
	/* Eight bytes a step. Names are short, and the tables that use it are bounded, so flooding one buys nothing. */
	const uint64_t spread = 0x9e3779b97f4a7c15u;
	uint64_t h = s.len * spread;
	uint64_t next = 0;
	for (; s.len >= sizeof(next); s = span_skip(s, sizeof(next))) {
		memcpy(&next, s.ptr, sizeof(next));
		h = (h ^ next) * spread;
		h ^= h >> 32;
	}
	for (next = 0; s.len; s = span_skip(s, 1))
		next = next << 8 | (unsigned char)*s.ptr;
	h = (h ^ next) * spread;
	return (h ^ h >> 32) * spread;
}
