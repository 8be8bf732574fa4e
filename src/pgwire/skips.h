/*
 * IF EXISTS and IF NOT EXISTS: what a statement says it will skip, told by
 * NOTICEs in PostgreSQL's words. Looked up before the statement runs, in the
 * transaction that runs it, so that both see the same objects.
 */
#ifndef PGWIRE_SKIPS_H
#define PGWIRE_SKIPS_H

#include "pgwire/stmt.h"

struct backend;

struct skip {
	struct skip *next;
	const char *sqlstate, *text;
};

struct skips {
	struct skip *first, **last;
	bool whole; /* CREATE: the statement does nothing at all */
};

/* Nothing for statements without such words. Lives in the session's work arena. */
MUST_CHECK bool skips_find(struct backend *b, const struct stmt *s, struct skips *ret, struct pg_error *e);
/* CREATE and DROP EXTENSION: there is plpgsql, in name only, and no other. */
MUST_CHECK bool skips_extension(struct backend *b, const struct stmt *s, struct pg_error *e);
void skips_tell(struct backend *b, const struct skips *skips);

#endif
