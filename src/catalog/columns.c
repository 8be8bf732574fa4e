#include "catalog/columns.h"

#include "engine/sql.h"

static const struct {
	const char *sql;
	enum bind_kind bind;
} kinds[] = {
	[COLUMN_TEXT] = {"VARCHAR", BIND_TEXT},	       [COLUMN_INT] = {"BIGINT", BIND_INT},
	[COLUMN_TIME] = {"TIMESTAMP", BIND_TIMESTAMP}, [COLUMN_BOOL] = {"BOOLEAN", BIND_BOOL},
	[COLUMN_BLOB] = {"BLOB", BIND_BLOB},
};

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
	return kinds[kind].sql;
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

void columns_feed(const struct column_def *columns, size_t count, struct feed_column *ret)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = (struct feed_column){columns[i].name, kinds[columns[i].kind].bind};
}

static struct bind_value column_value(const struct column_def *column, const void *row)
{
	struct bind_value v = {.kind = kinds[column->kind].bind};
	if (column_is_text(column->kind)) {
		v.text = column_text(column, row);
		return v.text.ptr ? v : (struct bind_value){.kind = BIND_NULL};
	}
	int64_t n = column_number(column, row);
	if (column->kind == COLUMN_BOOL)
		v.boolean = n != 0;
	else
		v.integer = n;
	return column->kind == COLUMN_TIME && n == 0 ? (struct bind_value){.kind = BIND_NULL} : v;
}

void columns_values(const struct column_def *columns, size_t count, const void *row, struct bind_value *ret)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = column_value(&columns[i], row);
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
