/* Base64 (RFC 4648): the standard alphabet with padding, and the URL-safe one without. Thread-safe. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/span.h"

/* Characters with the NUL that n bytes need at most, in either form. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Writes BASE64_SIZE(n) characters at most; returns the length. */
size_t base64_write(const void *bytes, size_t n, char *ret);
size_t base64_write_url(const void *bytes, size_t n, char *ret);
/* Strict standard form with padding. At most `size` bytes; *ret_n tells how many. */
MUST_CHECK bool base64_read(struct span text, void *ret, size_t size, size_t *ret_n);
MUST_CHECK bool base64_read_url(struct span text, void *ret, size_t size, size_t *ret_n);

#endif
