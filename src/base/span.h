/*
 * A view of bytes owned by somebody else: pointer and length, no terminator
 * promised. Spans are passed by value; whoever hands one out says how long the
 * bytes live (usually: as long as the arena or buffer they were cut from).
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *ptr;
	size_t len;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
#define SPAN_NONE     ((struct span){NULL, 0})
/* For printf: printf("%.*s", SPAN_ARG(s)). */
#define SPAN_ARG(s) (int)(s).len, (s).ptr

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
/* Of what makes errors: keeps the ways there out of the code that runs all the time. */
#define COLD	     __attribute__((cold))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
	return span_eq(a, span_of(text));
}

/* ASCII case only: for protocol words, never for user text. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool span_ends(struct span s, struct span suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

static inline struct span span_skip(struct span s, size_t n)
{
	n = n < s.len ? n : s.len;
	/* No arithmetic on the NULL of an empty span. */
	return (struct span){n > 0 ? s.ptr + n : s.ptr, s.len - n};
}

static inline struct span span_first(struct span s, size_t n)
{
	return (struct span){s.ptr, n < s.len ? n : s.len};
}

/* At most n bytes of UTF-8, the last character whole. */
static inline struct span span_first_utf8(struct span s, size_t n)
{
	if (n < s.len)
		while (n > 0 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
			n--;
	return span_first(s, n);
}

/* Byte order, shorter first among equals: the order of every name list. */
int span_cmp(struct span a, struct span b);
/* Index of the first `c`, or s.len. */
size_t span_find(struct span s, char c);
/* Strips blanks and tabs at both ends. */
struct span span_trim(struct span s);
/* Cuts *rest at the first `c`: returns what stands before it, *rest goes on behind it. Without `c`: all, and *rest is empty. */
struct span span_cut(struct span *rest, char c);
/* Whole span is a decimal number without sign, blanks or overflow. */
MUST_CHECK bool span_u64(struct span s, uint64_t *ret);
/* As above with an optional sign. */
MUST_CHECK bool span_i64(struct span s, int64_t *ret);
/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool span_is_utf8(struct span s);
/* UTF-8 without what XML 1.0 cannot carry: control characters but tab, LF and CR, U+FFFE and U+FFFF. */
bool span_is_xml(struct span s);
/* Constant time in the content; the lengths may be learnt. */
bool span_eq_secret(struct span a, struct span b);
uint64_t span_hash(struct span s);

#endif
