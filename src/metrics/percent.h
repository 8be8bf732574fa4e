/* Query strings: percent-decoding and walking the parameters (WHATWG URL, application/x-www-form-urlencoded). Pure. */
#ifndef METRICS_PERCENT_H
#define METRICS_PERCENT_H

#include "base/span.h"

/* Decodes %XX, and '+' as a blank when `form`; false when malformed, with a NUL inside, or longer than `size` - 1. */
MUST_CHECK bool percent_decode(struct span text, bool form, char *ret, size_t size);
/* Cuts "name=value" off *query_string; both still encoded. False at the end. */
bool percent_next(struct span *query_string, struct span *ret_name, struct span *ret_value);

#endif
