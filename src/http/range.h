/*
 * Byte ranges and conditional requests (RFC 9110, sections 13 and 14). Pure
 * functions. Several ranges and malformed ones count as none, as the RFC allows.
 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "base/span.h"

enum range_kind {
	RANGE_WHOLE, /* none asked, or not understood */
	RANGE_PART,
	RANGE_BEYOND /* 416 */
};

struct byte_range {
	uint64_t first;
	uint64_t length;
};

enum range_kind range_parse(struct span header, uint64_t size, struct byte_range *ret);

enum condition { CONDITION_GO, CONDITION_NOT_MODIFIED, CONDITION_FAILED };

/* Header values; NULL when absent. */
struct conditions {
	const char *if_match;
	const char *if_none_match;
	const char *if_modified_since;
	const char *if_unmodified_since;
};

/* `etag` with quotes, or NULL; `mtime_s` 0: not known. For GET and HEAD. */
enum condition conditions_check(const struct conditions *conditions, const char *etag, int64_t mtime_s);
/* Whether a Range counts: If-Range is absent or names this very version. */
bool range_applies(const char *if_range, const char *etag, int64_t mtime_s);
/* Is the tag in the list, or the list "*"? Quotes and W/ do not matter. */
bool etag_listed(struct span list, struct span etag);

/* The three forms of HTTP dates. */
MUST_CHECK bool http_date_parse(const char *text, int64_t *ret_unix_s);
enum { HTTP_DATE_SIZE = 32 };
void http_date(int64_t unix_s, char ret[HTTP_DATE_SIZE]);

#endif
