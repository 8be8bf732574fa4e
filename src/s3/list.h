/*
 * One page of a listing, by the rules of ListObjects (both versions) and
 * ListMultipartUploads: keys in byte order, those behind `prefix` that hold the
 * delimiter folded into one common prefix, an entry being a key or a common
 * prefix, all entries behind `after`, at most `max` of them.
 *
 * The keys come from an ordered source that can start anywhere, so a page costs
 * what it shows, however many keys there are and however many are folded.
 *
 * Pure but for the source; memory is the caller's, who copies what `entry` gets.
 */
#ifndef S3_LIST_H
#define S3_LIST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

enum { LIST_KEYS_MAX = 1000, LIST_POSITION_MAX = LIMIT_OBJECT_KEY_BYTES + 8 };

/* Calls visit for the keys behind `after` in byte order, until it returns false. `item` is passed on. */
struct list_source {
	void (*scan)(void *ctx, struct span after, bool (*visit)(void *call, struct span key, const void *item),
		     void *call);
	void *ctx;
};

struct list_query {
	struct span prefix;
	struct span delimiter; /* empty: none */
	struct span after;     /* exclusive */
	size_t max;
};

struct list_page {
	size_t count; /* entries given out */
	bool truncated;
	char last[LIST_POSITION_MAX]; /* of the entries; where the next page starts when truncated */
	size_t last_len;
};

/* `item` is NULL for a common prefix. Both are valid during the call only. */
typedef void (*list_entry)(void *ctx, struct span name, const void *item);

void list_run(const struct list_query *query, const struct list_source *source, list_entry entry, void *ctx,
	      struct list_page *ret);

/* Continuation tokens: opaque, stateless, URL-safe. ERR_INVALID_ARGUMENT for what is none. */
const char *list_token(struct arena *arena, struct span position);
MUST_CHECK bool list_token_read(struct arena *arena, struct span token, struct span *ret, struct err *err);

#endif
