#include "storage/rows.h"

#include "engine/cursor.h"
#include "grpc/families.h"
#include "grpc/place.h"
#include "grpc/value.h"

/* ---- delete ---- */

static bool references(struct driver_call *c, const TABLE_MSG(DeleteTableRowsCommand) * m,
		       const struct driver_place *own, struct rows_reference **ret, struct err *err)
{
	size_t n = m->n_wherereftablefilters;
	*ret = arena_array(c->arena, struct rows_reference, n);
	for (size_t i = 0; i < n; i++) {
		const TABLE_MSG(DeleteTableRowsCommand__WhereRefTableFilter) *from = m->wherereftablefilters[i];
		struct driver_place place = *own;
		if (!driver_need(from->column, "whereRefTableFilters.column", err) ||
		    !driver_need(from->reftable, "whereRefTableFilters.refTable", err) ||
		    !driver_need(from->refcolumn, "whereRefTableFilters.refColumn", err))
			return false;
		if (from->operator_ < 0 || (int)from->operator_ > 1)
			return err_set(err, ERR_INVALID_ARGUMENT, "Unknown operator %d", (int)from->operator_);
		if (from->n_refpath && !driver_path(c, from->refpath, from->n_refpath, from->reftable, &place, err))
			return false;
		place.table = from->reftable;
		(*ret)[i] = (struct rows_reference){.column = from->column,
						    .absent = from->operator_ == 1,
						    .table = driver_target(&place),
						    .referenced = from->refcolumn};
	}
	return true;
}

bool driver_delete_rows(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(DeleteTableRowsCommand) *m = message;
	struct driver_place place;
	struct filters filters = {.changed_since = m->changesince, .changed_until = m->changeuntil};
	struct rows_reference *refs;
	struct rows_deleted deleted;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err) ||
	    !driver_where(c, m->wherefilters, m->n_wherefilters, &filters, err) ||
	    !references(c, m, &place, &refs, err))
		return false;
	if (!rows_delete_matching(c->storage, c->call, driver_target(&place), &filters, refs, m->n_wherereftablefilters,
				  &deleted, err))
		return driver_missing(err, &place, true);
	TABLE_MSG(DeleteTableRowsResponse) *answer = driver_answer(c);
	answer->deletedrowscount = deleted.deleted;
	answer->tablerowscount = deleted.left;
	answer->tablesizebytes = deleted.info.size_bytes;
	driver_log(c, DRIVER_INFO, "Deleted %lld rows from table %s", (long long)deleted.deleted, place.table);
	return true;
}

/* ---- preview ---- */

enum { PREVIEW_ROWS_DEFAULT = 100, PREVIEW_ROWS_MAX = 10000 };

typedef TABLE_MSG(PreviewTableResponse) preview_msg;
typedef TABLE_MSG(PreviewTableResponse__Row) row_msg;
typedef TABLE_MSG(PreviewTableResponse__Row__Column) cell_msg;

struct preview {
	struct driver_call *c;
	preview_msg *answer;
	struct buf scratch;
	size_t bytes;
};

static row_msg *row_make(struct preview *p, const struct vector *vectors, size_t n, size_t row)
{
	struct arena *arena = p->c->arena;
	row_msg *made = message_new(arena, &TABLE_DESC(preview_table_response__row));
	made->columns = message_array(arena, cell_msg, n);
	made->n_columns = n;
	for (size_t i = 0; i < n; i++) {
		cell_msg *cell = message_new(arena, &TABLE_DESC(preview_table_response__row__column));
		bool cut;
		cell->columnname = p->answer->columns[i];
		cell->value = value_make(arena, &p->scratch, &vectors[i], row, &cut);
		cell->istruncated = cut;
		made->columns[i] = cell;
	}
	return made;
}

/* Rows of the engine as rows of the answer, as long as it stays a message that may be sent. */
static bool preview_take(void *ctx, const struct cursor *cursor, size_t rows, struct err *err)
{
	struct preview *p = ctx;
	size_t columns = cursor_column_count(cursor);
	preview_msg *answer = p->answer;
	if (!answer->columns) {
		answer->columns = arena_array(p->c->arena, char *, columns);
		answer->n_columns = columns;
		for (size_t i = 0; i < columns; i++)
			answer->columns[i] = arena_strdup(p->c->arena, cursor_columns(cursor)[i].name);
	}
	for (size_t row = 0; row < rows; row++) {
		row_msg *made = row_make(p, cursor_vectors(cursor), columns, row);
		p->bytes += protobuf_c_message_get_packed_size(&made->base);
		if (p->bytes > LIMIT_MESSAGE_BYTES || p->scratch.failed)
			return err_set(err, ERR_PAYLOAD_TOO_LARGE,
				       "The rows are larger than %d MiB together; ask for fewer with limit",
				       LIMIT_MESSAGE_BYTES / (1024 * 1024));
		answer->rows[answer->n_rows++] = made;
	}
	return true;
}

static bool columns_differ(char *const *columns, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcasecmp(columns[i], columns[k]) == 0)
				return err_set(err, ERR_INVALID_ARGUMENT, "Column %s is asked for twice", columns[i]);
		}
	}
	return n <= LIMIT_COLUMNS || err_set(err, ERR_INVALID_ARGUMENT, "More than %d columns", LIMIT_COLUMNS);
}

static void columns_fill(struct preview *p, const struct table_preview *preview)
{
	const struct table_schema *schema = &preview->table.info.schema;
	preview_msg *answer = p->answer;
	if (answer->columns)
		return;
	answer->n_columns = schema->column_count;
	answer->columns = arena_array(p->c->arena, char *, schema->column_count);
	for (size_t i = 0; i < schema->column_count; i++)
		answer->columns[i] = arena_strdup(p->c->arena, schema->columns[i].name);
}

bool driver_preview_table(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(PreviewTableCommand) *m = message;
	struct driver_place place;
	struct filters filters;
	struct table_preview preview;
	struct preview p = {.c = c, .scratch = BUF(LIMIT_MESSAGE_BYTES)};
	int64_t limit = m->filters && m->filters->limit > 0 ? m->filters->limit : PREVIEW_ROWS_DEFAULT;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (limit > PREVIEW_ROWS_MAX)
		return err_set(err, ERR_INVALID_ARGUMENT, "limit must be at most %d", PREVIEW_ROWS_MAX);
	if (!columns_differ(m->columns, m->n_columns, err) ||
	    !driver_filters(c, m->filters, m->orderby, m->n_orderby, &filters, err))
		return false;
	p.answer = driver_answer(c);
	p.answer->rows = message_array(c->arena, row_msg, (size_t)limit);
	if (m->n_columns) {
		p.answer->columns = driver_path_copy(c->arena, m->columns, m->n_columns);
		p.answer->n_columns = m->n_columns;
	}
	const struct table_preview_request request = {.limit = limit,
						      .columns = (const char *const *)m->columns,
						      .column_count = m->n_columns,
						      .filters = &filters,
						      .take = preview_take,
						      .take_ctx = &p};
	bool fine = table_preview(c->storage, c->call, place.project_id, place.branch_id, place.bucket, place.table,
				  &request, &preview, err);
	buf_done(&p.scratch);
	if (!fine)
		return driver_missing(err, &place, false);
	columns_fill(&p, &preview);
	driver_log(c, DRIVER_INFO, "Preview of table %s: %zu rows", place.table, p.answer->n_rows);
	return true;
}
