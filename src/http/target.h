/*
 * Request targets (RFC 9112, section 3.2) and the text in them: percent-encoding,
 * path segments, query parameters. Pure functions over spans; what they return
 * points into their input or into memory of the caller.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/schema.h"

/* Splits a raw target into path and query (without '?'). The absolute form loses scheme and authority; a path is never empty. */
void target_split(struct span target, struct span *ret_path, struct span *ret_query);

/*
 * Decodes %XX, and '+' as a space when `plus`. Escapes that are none stay as they are. `out` has room for in.len + 1; the
 * result is NUL-terminated. Returns its length.
 */
size_t target_decode(struct span in, bool plus, char *out);
struct span percent_decoded(struct arena *arena, struct span in, bool plus);
/* Every byte but the unreserved ones (RFC 3986, section 2.3) and those in `keep` becomes %XX. */
void percent_encode(struct buf *out, struct span text, const char *keep);

/* Next `name=value` of a raw query, still encoded; false at the end. Empty items are skipped. */
bool query_next(struct span *rest, struct span *ret_name, struct span *ret_value);
/* Values of the declared fields in their order: decoded, the last of repeated ones, the fallback for absent ones, NULL. */
const char **query_read(struct arena *arena, struct span query, const struct field *fields);
/* Validates what query_read gave; false when faults were added. */
bool query_check(const struct field *fields, const char *const *values, struct faults *faults);
/* Of checked values; NULL: 0 and false. Integers beyond 64 bits are the nearest ones. */
int64_t query_int(const char *text);
bool query_bool(const char *text);

#endif
