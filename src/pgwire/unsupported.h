/*
 * Statements of PostgreSQL that the engine does not have: what the engine calls
 * an error of syntax is told as what it is (0A000, or 42501 for what only a
 * superuser may), with a hint what to do instead. Asked only about statements that were refused, so nothing that the
 * engine takes is refused here.
 */
#ifndef PGWIRE_UNSUPPORTED_H
#define PGWIRE_UNSUPPORTED_H

#include "pgwire/stmt.h"

/* Of the engine's refusal in *e makes the better one and returns false; true: it stays as it is. */
bool unsupported_apply(const struct stmt *s, struct pg_error *e);
/* The same for what the engine is not asked at all. Always false. */
bool unsupported(const struct stmt *s, struct pg_error *e);

#endif
