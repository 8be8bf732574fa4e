/*
 * Rows of this program as the source of an INSERT that is planned once: for few
 * rows at a time, again and again. The plan is what an appender pays for each
 * time; a feed runs 64 rows in a third of its time, and one row in no more than
 * a prepared INSERT of values takes.
 *
 * feed_insert pulls row after row from its caller, on the calling thread, with
 * the engine busy: `next` must not use the session. What it inserted belongs to
 * the session's transaction. A feed belongs to its session and is closed before
 * it; the engine keeps a few bytes for each one ever opened, until it closes.
 */
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

#include "engine/bind.h"

struct feed;

struct feed_column {
	const char *name;    /* of the table's column; constant, or lives as long as the feed */
	enum bind_kind kind; /* BOOL, INT, TEXT, BLOB, TIMESTAMP */
};

/* Outside of a transaction, else ERR_ENGINE_REFUSED. The other columns of the table get their default. */
MUST_CHECK bool feed_open(struct session *session, const char *table, const struct feed_column *columns, size_t count,
			  struct feed **ret, struct err *err);
/*
 * `next` writes the next row, for each column a value of its kind or NULL, or returns false: there is none. Texts must be
 * UTF-8 and live until the next call.
 */
MUST_CHECK bool feed_insert(struct feed *feed, bool (*next)(void *ctx, struct bind_value *values), void *ctx,
			    struct err *err);
/* NULL is fine. */
void feed_close(struct feed *feed);

#endif
