/*
 * multipart/form-data (RFC 7578, RFC 2046 section 5.1), reading: finds the part
 * of one name and gives its bytes as they stream in. Other parts are skipped.
 *
 * Pulls its input from a source and holds at most MULTIPART_BUFFER of it; knows
 * nothing of connections. Limits: a boundary of 1 to 200 bytes, 8 KiB and 32
 * lines of headers in each part, 100 parts, LIMIT_MULTIPART_SKIP bytes outside
 * of the wanted part.
 *
 * Errors: ERR_INVALID_REQUEST for broken framing, also a body that ends before
 * the wanted part's closing boundary; ERR_PAYLOAD_TOO_LARGE past a limit; the
 * source's own. All are final.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "base/err.h"

enum { MULTIPART_BUFFER = 64 * 1024, MULTIPART_BOUNDARY_MAX = 200, MULTIPART_HEADER_BYTES = 8 * 1024 };

/* Gives the next bytes of the body; *ret_n 0 at its end. */
typedef bool (*multipart_source)(void *ctx, char *bytes, size_t size, size_t *ret_n, struct err *err);

struct multipart;

/* `content_type` is the header's value. False when it is not multipart/form-data with a usable boundary. */
bool multipart_new(const char *content_type, const char *part, multipart_source source, void *ctx,
		   struct multipart **ret);
void multipart_free(struct multipart *m);
/* Next bytes of the wanted part; *ret_n 0 at its end, and when there is no such part: see multipart_found. */
MUST_CHECK bool multipart_read(struct multipart *m, char *bytes, size_t size, size_t *ret_n, struct err *err);
bool multipart_found(const struct multipart *m);

/* A parameter of a header value such as `form-data; name="file"`; quoted or not. False when absent or too long. */
bool header_param(struct span value, const char *name, char *ret, size_t size);

#endif
