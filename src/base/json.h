/*
 * JSON writer (RFC 8259) into a buf, compact form. Reading is jansson's.
 *
 * The writer inserts commas itself; nesting is at most JSON_DEPTH_MAX. A key of
 * NULL means "no key": an array item or the top value. Text that is not valid
 * UTF-8 is written with U+FFFD for each bad byte, so the output always parses.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* The reader's library has three functions of the same names; no code of ours builds values with them. */
#include <jansson.h>
#define json_object json_write_object
#define json_array  json_write_array
#define json_null   json_write_null

enum { JSON_DEPTH_MAX = 64 };

struct json {
	struct buf *out;
	unsigned depth;
	uint64_t has_items; /* bit per level: something was written there */
};

#define JSON(buffer) ((struct json){.out = (buffer)})

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* NULL: null */
void json_span(struct json *j, const char *key, struct span value);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
/* NaN and infinities: null. */
void json_double(struct json *j, const char *key, double value);
/* The same, and 1 is 1.0: for clients that read a type from it. */
void json_float(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
/* One JSON value as text, taken as it is; NULL: null. */
void json_raw(struct json *j, const char *key, const char *value);
/* Microseconds >= 0 as seconds with six decimals. */
void json_us(struct json *j, const char *key, int64_t us);
/* ISO 8601 UTC with microseconds and "+00:00"; 0 is null. */
void json_time(struct json *j, const char *key, int64_t unix_us);
void json_strings(struct json *j, const char *key, const char *const *values, size_t n);

/* A quoted JSON string, for those who write the rest themselves. */
void json_quote(struct buf *out, struct span text);

#endif
