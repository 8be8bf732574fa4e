/*
 * The name PostgreSQL gives a column whose expression has no label: that of the
 * function, of the column, of the type of a cast, else "?column?" (its
 * FigureColname()). Clients read results by these names: row["count"].
 *
 * From the tokens alone; what is none of PostgreSQL's syntax (list and struct
 * literals, lambdas) gives SPAN_NONE, and the engine's own name stays. Pure.
 */
#ifndef PGWIRE_SELECT_NAME_H
#define PGWIRE_SELECT_NAME_H

#include "pgwire/lexer.h"

/* Behind the bracket that closes the one at i; n when there is none. */
size_t select_behind_bracket(const struct token *t, size_t i, size_t n);
/* Of the expression from..end, its label cut off. */
struct span select_name(const struct token *t, size_t from, size_t end, struct arena *arena);

#endif
