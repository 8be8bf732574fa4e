/*
 * What the engine's refusals tell of a parameter's type. A parameter without a type is text in a plan on trial; where that
 * makes no sense, the engine names the types that stood there, and that of the other operand is the one PostgreSQL would give
 * the parameter. Pure functions over texts.
 */
#ifndef PGWIRE_INFER_H
#define PGWIRE_INFER_H

#include "base/arena.h"
#include "pgwire/sqlstate.h"

/* For a text that the operator or function has no use for; 0: nothing to go by. */
uint32_t infer_beside(const struct pg_error *e);

/*
 * Rows are compared text by text when one side is text: (id, v) < ($1, $2) must not be. Whether the statement compares any; a
 * copy of it in which each such comparison is one that the engine refuses for a parameter that is a bit string.
 */
bool infer_rows(struct span sql, struct arena *arena, struct span *ret);
/* The type beside the bit string in the rows that were refused; 0: the refusal is another. */
uint32_t infer_in_row(const struct pg_error *e);

#endif
