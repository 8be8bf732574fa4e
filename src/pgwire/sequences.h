/*
 * What PostgreSQL does to sequences and the engine does not: setval(), ALTER
 * SEQUENCE and TRUNCATE .. RESTART IDENTITY.
 *
 * Forward, a sequence is moved by taking numbers from it, which like in
 * PostgreSQL no ROLLBACK undoes. Backward, or where so many numbers would take
 * too long, it is made anew, with the columns that take their default from it,
 * in the transaction at hand: there ROLLBACK does undo it, and a session that
 * writes to the table at the same time may be refused (40001).
 */
#ifndef PGWIRE_SEQUENCES_H
#define PGWIRE_SEQUENCES_H

#include "pgwire/message.h"
#include "pgwire/stmt.h"

struct backend;
struct portal;

/* SELECT setval(..) [, setval(..)] [FROM ..]: carries it out; the portal's statement becomes one that gives the values. */
MUST_CHECK bool sequences_setval(struct backend *b, struct portal *p, struct pg_error *e);
MUST_CHECK bool sequences_describe(const struct stmt *s, struct arena *arena, struct message_column **ret,
				   size_t *ret_count, struct pg_error *e);
/* ALTER SEQUENCE */
MUST_CHECK bool sequences_alter(struct backend *b, const struct stmt *s, struct pg_error *e);
/* TRUNCATE .. RESTART IDENTITY */
bool sequences_restarts(const struct stmt *s);
/* Sequences of the columns of the tables that the statement empties start again. */
MUST_CHECK bool sequences_restart(struct backend *b, const struct stmt *s, struct pg_error *e);

#endif
