#include "catalog/columns.h"

#include "engine/sql.h"

struct span column_text(const struct column_def *column, const void *row)
{
	const char *at = (const char *)row + column->offset;
	if (column->kind == COLUMN_TEXT)
		return span_of(*(const char *const *)(const void *)at);
	struct span blob = *(const struct span *)(const void *)at;
	return blob.len ? blob : SPAN_NONE;
}

int64_t column_number(const struct column_def *column, const void *row)
{
	const char *at = (const char *)row + column->offset;
	return column->kind == COLUMN_BOOL ? *(const bool *)(const void *)at : *(const int64_t *)(const void *)at;
}

const char *column_sql_type(enum column_kind kind)
{
	static const char *const types[] = {"VARCHAR", "BIGINT", "TIMESTAMP", "BOOLEAN", "BLOB"};
	return types[kind];
}

void columns_sql(const struct column_def *columns, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		sql_printf(out, i ? ", %I" : "%I", columns[i].name);
}

void columns_create_sql(const struct column_def *columns, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		sql_printf(out, i ? ", %I %s" : "%I %s", columns[i].name, column_sql_type(columns[i].kind));
}

static bool column_bind(struct statement *st, size_t at, const struct column_def *column, const void *row,
			struct err *err)
{
	if (column_is_text(column->kind)) {
		struct span text = column_text(column, row);
		if (!text.ptr)
			return statement_bind_null(st, at, err);
		return column->kind == COLUMN_TEXT ? statement_bind_text(st, at, text, err)
						   : statement_bind_blob(st, at, text, err);
	}
	int64_t n = column_number(column, row);
	if (column->kind == COLUMN_BOOL)
		return statement_bind_bool(st, at, n != 0, err);
	if (column->kind == COLUMN_INT)
		return statement_bind_int(st, at, n, err);
	return n ? statement_bind_timestamp(st, at, n, err) : statement_bind_null(st, at, err);
}

bool columns_bind(struct statement *st, size_t first, const struct column_def *columns, size_t count, const void *row,
		  struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!column_bind(st, first + i, &columns[i], row, err))
			return false;
	return true;
}

static void column_append(struct appender *a, const struct column_def *column, const void *row)
{
	if (column_is_text(column->kind)) {
		struct span text = column_text(column, row);
		if (!text.ptr)
			appender_null(a);
		else if (column->kind == COLUMN_TEXT)
			appender_text(a, text);
		else
			appender_blob(a, text);
		return;
	}
	int64_t n = column_number(column, row);
	if (column->kind == COLUMN_BOOL)
		appender_bool(a, n != 0);
	else if (column->kind == COLUMN_INT)
		appender_int(a, n);
	else if (n)
		appender_timestamp(a, n);
	else
		appender_null(a);
}

void columns_append(struct appender *a, const struct column_def *columns, size_t count, const void *row)
{
	for (size_t i = 0; i < count; i++)
		column_append(a, &columns[i], row);
}

void columns_read(const struct cursor *c, size_t first, const struct column_def *columns, size_t count, size_t row,
		  struct arena *arena, void *ret_row)
{
	for (size_t i = 0; i < count; i++) {
		void *at = (char *)ret_row + columns[i].offset;
		size_t column = first + i;
		bool null = cursor_is_null(c, column, row);
		switch (columns[i].kind) {
		case COLUMN_TEXT:
			*(const char **)at = null ? NULL : arena_copy(arena, cursor_text(c, column, row));
			break;
		case COLUMN_BLOB:
			*(struct span *)at = null ? SPAN_NONE : cursor_text(c, column, row);
			break;
		case COLUMN_BOOL:
			*(bool *)at = cursor_int(c, column, row) != 0;
			break;
		case COLUMN_INT:
		case COLUMN_TIME:
			*(int64_t *)at = cursor_int(c, column, row);
			break;
		}
	}
}
