/*
 * The expression guard: user text that becomes part of SQL in the data
 * instance (delete filters, export filters, column defaults, column types).
 *
 * A text is parsed by the engine's own parser, its tree is walked against an
 * allow-list of node kinds and functions, and what is handed back is SQL printed
 * again from the tree, in parentheses: the user's text itself never reaches a
 * statement. Refused: sub-queries, windows, aggregates, table functions,
 * parameters, lambdas, `*`, columns of other tables, functions that read files,
 * settings, catalogs, sequences or the environment or that have side effects;
 * text over LIMIT_EXPRESSION_BYTES, trees over LIMIT_EXPRESSION_DEPTH.
 *
 * Thread-safe; each call uses a session of the guard's own instance, which has no
 * access to files. Results live in the arena. Errors: ERR_INVALID_WHERE_CLAUSE
 * (filters), ERR_INVALID_REQUEST (defaults, types), with a sentence on why.
 */
#ifndef ENGINE_EXPR_H
#define ENGINE_EXPR_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/table.h"

struct expr_guard;

MUST_CHECK bool expr_guard_open(struct expr_guard **ret, struct err *err);
void expr_guard_close(struct expr_guard *guard);

/* One boolean expression over the table's columns, also bound against them (unknown columns and type errors are refused). */
MUST_CHECK bool expr_filter(struct expr_guard *guard, struct span text, const struct table_schema *schema,
			    struct arena *arena, const char **ret_sql, struct err *err);
/* One scalar expression without columns that can be cast to `type` (canonical text). now(), uuid() and random() are fine. */
MUST_CHECK bool expr_default(struct expr_guard *guard, struct span text, const char *type, struct arena *arena,
			     const char **ret_sql, struct err *err);
/* A type's canonical text: INT -> INTEGER, STRING -> VARCHAR, DECIMAL -> DECIMAL(18,3). */
MUST_CHECK bool expr_type(struct expr_guard *guard, struct span text, struct arena *arena, const char **ret_type,
			  struct err *err);

#endif
