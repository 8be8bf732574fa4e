/*
 * Growable byte buffer with a mandatory maximum. Writers return nothing and
 * fail sticky: past the maximum `failed` is set, the content is released, and
 * every later write is a no-op; callers check once, at the end. Of a buffer that
 * `keeps`, what was written before stays, and buf_cut() takes it up again.
 *
 * The bytes are owned by the buffer until buf_done(), or handed over with
 * buf_take(). There is always a NUL behind the content.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

#include <stdarg.h>

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t max;
	bool failed;
	bool keeps;
};

#define BUF(maximum) ((struct buf){.max = (maximum)})

void buf_done(struct buf *b);
/* Back to this length, and to a maximum, as if what follows had never been written. */
void buf_cut(struct buf *b, size_t len, size_t max);
/* Empties it and keeps the memory. */
void buf_reset(struct buf *b);
/* Bytes to be released with free(); the buffer is empty afterwards. NULL when it failed. */
char *buf_take(struct buf *b, size_t *ret_len);

char *buf_grow(struct buf *b, size_t n);
/* Room for n more bytes; NULL when that exceeds the maximum. Follow with buf_commit. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
	return n < b->cap - b->len && n <= b->max - b->len ? b->ptr + b->len : buf_grow(b, n);
}
static inline void buf_commit(struct buf *b, size_t n)
{
	b->len += n;
	b->ptr[b->len] = '\0';
}

void buf_bytes(struct buf *b, const void *bytes, size_t n);
void buf_byte(struct buf *b, char c);
void buf_str(struct buf *b, const char *text);
void buf_span(struct buf *b, struct span s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args);
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
/* Shortest decimal that reads back to the same double; "inf", "-inf", "nan". */
void buf_double(struct buf *b, double value);
void buf_float(struct buf *b, float value);
void buf_hex(struct buf *b, const void *bytes, size_t n);
/* Network byte order. */
void buf_be16(struct buf *b, uint16_t value);
void buf_be32(struct buf *b, uint32_t value);
void buf_be64(struct buf *b, uint64_t value);

static inline struct span buf_view(const struct buf *b)
{
	return (struct span){b->ptr ? b->ptr : "", b->len};
}

#endif
