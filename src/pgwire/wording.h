/*
 * What the engine says, in PostgreSQL's words: programs look into the text of
 * the usual errors (which relation, which constraint), and people know them.
 * What is not known here stays as the engine says it.
 */
#ifndef PGWIRE_WORDING_H
#define PGWIRE_WORDING_H

#include "pgwire/sqlstate.h"
#include "pgwire/stmt.h"

/* The table behind INSERT INTO, UPDATE, DELETE FROM or CREATE TABLE: the last of its names, or an end token. */
struct token wording_target(const struct stmt *s);
/*
 * Words *e anew, an error of the engine with its SQLSTATE, and fills in table, constraint and detail. `s` is the statement
 * that failed; NULL: not known. A name that is missing gets its position when none is known.
 */
void wording_apply(struct pg_error *e, const struct stmt *s, struct arena *arena);

#endif
