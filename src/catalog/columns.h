/*
 * Columns of a row struct and how they travel between the struct and the engine:
 * for the catalog's entities and for the operation history.
 *
 * NULL in the file is a NULL text, an empty blob, and the time 0.
 */
#ifndef CATALOG_COLUMNS_H
#define CATALOG_COLUMNS_H

#include "base/arena.h"
#include "engine/cursor.h"
#include "engine/feed.h"

enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_TIME, COLUMN_BOOL, COLUMN_BLOB };

struct column_def {
	const char *name;
	enum column_kind kind;
	size_t offset; /* in the row struct */
};

static inline bool column_is_text(enum column_kind kind)
{
	return kind == COLUMN_TEXT || kind == COLUMN_BLOB;
}

/* Of a TEXT or BLOB column; ptr is NULL for NULL. */
struct span column_text(const struct column_def *column, const void *row);
/* Of an INT, TIME or BOOL column. */
int64_t column_number(const struct column_def *column, const void *row);

const char *column_sql_type(enum column_kind kind);
/* "a", "b", "c" */
void columns_sql(const struct column_def *columns, size_t count, struct buf *out);
/* "a" VARCHAR, "b" BIGINT, ... */
void columns_create_sql(const struct column_def *columns, size_t count, struct buf *out);

/* What a feed of them is opened with. */
void columns_feed(const struct column_def *columns, size_t count, struct feed_column *ret);
/* What it takes as a row. Texts stay the row's. */
void columns_values(const struct column_def *columns, size_t count, const void *row, struct bind_value *ret);
/* From the cursor's column `first` on. Texts are copied into the arena; blobs live as long as the chunk. */
void columns_read(const struct cursor *c, size_t first, const struct column_def *columns, size_t count, size_t row,
		  struct arena *arena, void *ret_row);

#endif
