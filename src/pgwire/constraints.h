/*
 * Which constraint an error of class 23 is about: the fields s, t and n of
 * ErrorResponse. Constraints have the names that were given to them, or
 * PostgreSQL's by default (t_pkey, t_a_key, t_a_check, t_a_fkey):
 * definition.h tells where they are kept.
 */
#ifndef PGWIRE_CONSTRAINTS_H
#define PGWIRE_CONSTRAINTS_H

#include "pgwire/stmt.h"

struct backend;

/*
 * `said` is the engine's sentence. Foreign keys are looked up by another session, since the one at hand may stand in a failed
 * transaction; what that one has made itself is not found, and then the error names the table alone.
 */
void constraints_tell(struct backend *b, const struct stmt *s, struct span said, struct pg_error *e);
/* t_a_check of an expression about one column, t_check of others. */
void constraints_name_check(struct pg_error *e, struct span expression);

#endif
