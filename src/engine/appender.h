/*
 * Bulk insert of typed values into one table: the fastest way in for rows that
 * arrive one by one (COPY FROM STDIN, driver inserts).
 *
 * Values are given left to right, one call per column, then appender_end_row.
 * A failed row or flush spoils the appender: close it and roll back. Rows become
 * part of the session's transaction at appender_flush or appender_finish. The
 * session runs nothing else meanwhile and outlives the appender.
 */
#ifndef ENGINE_APPENDER_H
#define ENGINE_APPENDER_H

#include "engine/session.h"

struct appender;

/* `catalog` and `schema` may be NULL: the session's defaults. Names are plain, not quoted. */
MUST_CHECK bool appender_open(struct session *session, const char *catalog, const char *schema, const char *table,
			      struct appender **ret, struct err *err);
/* Only these columns are given, in this order; the others get their default. Before the first row. */
MUST_CHECK bool appender_columns(struct appender *a, const char *const *names, size_t n, struct err *err);
size_t appender_column_count(const struct appender *a);
const struct type *appender_column_type(const struct appender *a, size_t column);

/* Sticky: after a failure the rest of the row does nothing, appender_end_row tells. */
void appender_null(struct appender *a);
void appender_default(struct appender *a);
void appender_bool(struct appender *a, bool value);
void appender_int(struct appender *a, int64_t value);
void appender_double(struct appender *a, double value);
/* Text is cast to the column's type. */
void appender_text(struct appender *a, struct span value);
void appender_blob(struct appender *a, struct span value);
/* Any value of bind.h, cast to the column's type. */
struct bind_value;
void appender_value(struct appender *a, const struct bind_value *value);
void appender_timestamp(struct appender *a, int64_t unix_us);
/* The column of the open row whose value failed; SIZE_MAX: none did. */
size_t appender_failed(const struct appender *a);
MUST_CHECK bool appender_end_row(struct appender *a, struct err *err);
MUST_CHECK bool appender_flush(struct appender *a, struct err *err);
/* Flushes, reports, frees. */
MUST_CHECK bool appender_finish(struct appender *a, struct err *err);
/* Frees and forgets rows not flushed; NULL is fine. */
void appender_abort(struct appender *a);

#endif
