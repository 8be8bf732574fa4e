/*
 * Typed rows into one table, a chunk at a time: the fastest way in for many rows
 * (COPY FROM STDIN). Values are put by column and belong to the row that
 * bulk_end_row() closes; a column that got none is NULL.
 *
 * A put answers false when the value does not fit the column's type or the type
 * is none of those bulk_takes(): then nothing was put. Rows become part of the
 * session's transaction at bulk_flush(). The session runs nothing else meanwhile
 * and outlives the bulk. Errors: those of an insert.
 *
 * After bulk_overlap() full chunks are appended by a thread of the bulk's own
 * while the next ones are filled; their errors come with a later call. Waiting
 * chunks take at most some 32 MiB and what bulk_flush_soon() is not called for.
 */
#ifndef ENGINE_BULK_H
#define ENGINE_BULK_H

#include "engine/number.h"
#include "engine/session.h"

struct bulk;

/*
 * `catalog` and `schema` may be NULL; without columns (n is 0) all of the table's in order, else these, the others get
 * their default.
 */
MUST_CHECK bool bulk_open(struct session *session, const char *catalog, const char *schema, const char *table,
			  const char *const *columns, size_t n, struct bulk **ret, struct err *err);
bool bulk_takes(const struct type *type);
size_t bulk_column_count(const struct bulk *b);
const struct type *bulk_column_type(const struct bulk *b, size_t column);

bool bulk_bool(struct bulk *b, size_t column, bool value);
/* Integers; days of a DATE, microseconds of TIME and TIMESTAMP(TZ). */
bool bulk_int(struct bulk *b, size_t column, int64_t value);
bool bulk_real(struct bulk *b, size_t column, double value);
/* value / 10^scale, rounded half away from zero to the column's scale. */
bool bulk_decimal(struct bulk *b, size_t column, number_i128 value, unsigned scale);
/* VARCHAR and JSON, whose text the caller knows to be UTF-8 (and JSON), and BLOB. */
bool bulk_bytes(struct bulk *b, size_t column, struct span value);
bool bulk_interval(struct bulk *b, size_t column, int32_t months, int32_t days, int64_t us);
bool bulk_uuid(struct bulk *b, size_t column, const unsigned char value[16]);
/* Any value of bind.h whose kind is the column's own. */
struct bind_value;
bool bulk_value(struct bulk *b, size_t column, const struct bind_value *value);
MUST_CHECK bool bulk_end_row(struct bulk *b, struct err *err);
/* Forgets what was put since the last end of a row. */
void bulk_drop_row(struct bulk *b);
void bulk_overlap(struct bulk *b);
MUST_CHECK bool bulk_flush(struct bulk *b, struct err *err);
/* Like bulk_flush, but an overlapping bulk does not wait for it. */
MUST_CHECK bool bulk_flush_soon(struct bulk *b, struct err *err);
/* For rows that need the engine's casts: the appender, behind all rows so far. bulk_flush before the next row of the bulk. */
struct appender;
MUST_CHECK bool bulk_rows(struct bulk *b, struct appender **ret, struct err *err);
/* Forgets what is not flushed; NULL is fine. */
void bulk_close(struct bulk *b);

#endif
