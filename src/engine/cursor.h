/*
 * A streaming result: chunks of some 2,000 rows, pulled one after the other.
 * Memory stays flat whatever the size of the result.
 *
 * A cursor owns its statement's result and borrows the session: until it is
 * closed the session can run nothing else (a second statement would kill the
 * stream), and the session must outlive it. One thread at a time.
 *
 * Errors and interrupts in the middle of a stream appear in cursor_next(): a
 * result is complete only after it returned true with 0 rows.
 *
 *	while ((ok = cursor_next(c, &rows, err)) && rows > 0)
 *		for (size_t row = 0; row < rows; row++)
 *			use(cursor_int(c, 0, row));
 */
#ifndef ENGINE_CURSOR_H
#define ENGINE_CURSOR_H

#include "base/err.h"
#include "engine/vector.h"

struct cursor;

struct cursor_column {
	const char *name;
	const struct type *type;
};

size_t cursor_column_count(const struct cursor *c);
const struct cursor_column *cursor_columns(const struct cursor *c);
/* Rows an INSERT, UPDATE, DELETE or COPY changed; 0 for others. */
uint64_t cursor_rows_changed(const struct cursor *c);
/* false: the statement answers no rows to a client (DDL, INSERT without RETURNING, SET ...). */
bool cursor_has_rows(const struct cursor *c);

/* Loads the next chunk; 0 rows: the end. */
MUST_CHECK bool cursor_next(struct cursor *c, size_t *ret_rows, struct err *err);
/* The loaded chunk's columns, one vector each. */
const struct vector *cursor_vectors(const struct cursor *c);

/*
 * Values of the loaded chunk by (column, row). The column's type must fit: cursor_int any integer up to 64 bits, BOOLEAN,
 * DATE and the time types in their stored unit; cursor_double FLOAT, DOUBLE and integers; cursor_text VARCHAR, JSON, BLOB.
 * Another type or NULL gives 0 or an empty span.
 */
bool cursor_is_null(const struct cursor *c, size_t column, size_t row);
int64_t cursor_int(const struct cursor *c, size_t column, size_t row);
double cursor_double(const struct cursor *c, size_t column, size_t row);
struct span cursor_text(const struct cursor *c, size_t column, size_t row);

/* NULL is fine. Closing early stops the query. */
void cursor_close(struct cursor *c);
/* For arena_on_free. */
void cursor_close_cleanup(void *cursor);

#endif
