/*
 * SQL text built from names and values. Identifiers are always quoted, so
 * reserved words, quotes and any UTF-8 are fine; a NUL byte or bytes that are
 * not UTF-8 make the buffer fail (as if it had overflowed), because the engine
 * would cut the text there.
 */
#ifndef ENGINE_SQL_H
#define ENGINE_SQL_H

#include "base/buf.h"
#include "base/err.h"

/* "name" with quotes doubled. */
void sql_ident(struct buf *out, struct span name);
/* 'text' with quotes doubled. */
void sql_text(struct buf *out, struct span text);
/* Comma-separated identifiers. */
void sql_idents(struct buf *out, const char *const *names, size_t n);
/*
 * Like buf_printf with three conversions only: %I a const char * identifier, %L a const char * text literal (NULL: NULL),
 * %s a const char * taken as it is, %d an int64_t, %% a percent sign. An unknown one ends the process.
 */
void sql_printf(struct buf *out, const char *fmt, ...);
/* The text of a builder for session_run; ERR_INVALID_REQUEST when the buffer failed. */
MUST_CHECK bool sql_finish(struct buf *sql, const char **ret, struct err *err);

#endif
