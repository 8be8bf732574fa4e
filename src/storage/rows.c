#include "storage/rows.h"

#include "engine/expr.h"
#include "engine/session.h"
#include "engine/sql.h"
#include "engine/staging.h"
#include "storage/snapshot.h"
#include "storage/write.h"

#include <ctype.h>

/* How much of a refused clause is echoed. */
enum { CLAUSE_ECHO_BYTES = 200 };

static bool clause_refuse(const char *clause, const char *why, struct err *err)
{
	(void)err_set(err, ERR_INVALID_WHERE_CLAUSE, "The where clause is refused: %s", why);
	err_detail_span(err, "where_clause", span_first(span_of(clause), CLAUSE_ECHO_BYTES));
	return false;
}

bool rows_clause_check(const char *clause, struct err *err)
{
	static const char *const fragments[] = {";", "--", "/*", "*/", "drop ", "truncate ", "alter "};
	size_t blank = strspn(clause, " \t\r\n\v\f");
	if (!clause[blank])
		return clause_refuse(clause, "it is empty", err);
	for (size_t i = 0; i < ARRAY_LEN(fragments); i++) {
		if (strcasestr(clause, fragments[i]))
			return clause_refuse(clause, "it holds a statement separator, a comment or a DDL word", err);
	}
	return true;
}

bool rows_clause_is_all(const char *clause)
{
	struct span s = span_of(clause);
	while (s.len && isspace((unsigned char)*s.ptr))
		s = span_skip(s, 1);
	while (s.len && isspace((unsigned char)s.ptr[s.len - 1]))
		s.len--;
	return span_eq_nocase(s, SPAN("1=1")) || span_eq_nocase(s, SPAN("true")) || span_is(s, "1");
}

static bool delete_in(struct table_write *w, const char *filter, uint64_t *ret_deleted, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct session *session = NULL;
	const char *text;
	struct progress *progress = w->op->call->progress;
	sql_printf(&sql, "DELETE FROM %s.main.data WHERE %s", staging_alias(w->next), filter);
	bool fine = sql_finish(&sql, &text, err) && session_open(w->place.storage->data, &session, err) &&
		    (!progress || session_follow(session, progress, err)) &&
		    session_run_count(session, text, ret_deleted, err);
	session_close(session);
	buf_done(&sql);
	return fine;
}

/* Deletes what the trusted filter says (NULL: all rows) and publishes. */
static bool delete_chosen(struct table_write *w, const char *filter, struct rows_deleted *ret, struct err *err)
{
	uint64_t deleted = (uint64_t)w->info.row_count;
	if (!filter && !snapshot_auto(w->op, &w->place, SNAPSHOT_TRUNCATE, NULL, err))
		return false;
	/* Emptying a table needs no copy of what goes. */
	if (!filter && !write_next_empty(w, &w->info.schema, 0, err))
		return false;
	if (filter && (!write_next_copy(w, err) || !delete_in(w, filter, &deleted, err)))
		return false;
	*ret = (struct rows_deleted){.deleted = (int64_t)deleted, .left = w->info.row_count - (int64_t)deleted};
	/* Nothing matched: the published file is right as it is. In a dev branch it is main's, and the first write copies. */
	if (deleted == 0 && !w->copies) {
		ret->info = w->info;
		return true;
	}
	if (!write_publish(w, err))
		return false;
	ret->info = w->published;
	ret->left = w->published.row_count;
	return true;
}

static bool delete_rows(struct table_write *w, const char *clause, struct rows_deleted *ret, struct err *err)
{
	struct storage *storage = w->place.storage;
	const char *filter = NULL;
	if (!rows_clause_check(clause, err))
		return false;
	if (!rows_clause_is_all(clause) &&
	    !expr_filter(storage->guard, span_of(clause), &w->info.schema, w->place.arena, &filter, err)) {
		err_detail_span(err, "where_clause", span_first(span_of(clause), CLAUSE_ECHO_BYTES));
		return false;
	}
	if (delete_chosen(w, filter, ret, err))
		return true;
	if (err->code == ERR_ENGINE_REFUSED)
		return clause_refuse(clause, arena_strdup(w->place.arena, err->message), err);
	return false;
}

/* ---- by conditions as data ---- */

static bool reference_missing(const struct rows_reference *r, const char *what, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "%s not found in %s/%s/%s", what, r->table.project_id, r->table.bucket,
		       r->table.table);
}

/* " AND column IN (SELECT ...)" over a pinned version of the other table. */
static bool reference_write(struct table_write *w, const struct rows_reference *r, struct buf *sql, struct err *err)
{
	struct place place;
	struct table_ref *ref;
	struct table_info info;
	struct arena *arena = w->place.arena;
	const struct table_column *column = table_column_find(&w->info.schema, r->column);
	if (!column)
		return err_set(err, ERR_COLUMN_NOT_FOUND, "Column %s not found", r->column);
	if (!place_table(w->place.storage, arena, r->table.project_id, r->table.branch_id, r->table.bucket,
			 r->table.table, &place, err) ||
	    !place_attach(&place, &ref, &info, err))
		return err_row(err->code)->http == 404 ? reference_missing(r, "Referenced table", err) : false;
	const struct table_column *referenced = table_column_find(&info.schema, r->referenced);
	if (!referenced)
		return reference_missing(r, "Referenced column", err);
	/* The engine compares no text with anything else; like the values of a filter it is taken for the column's type. */
	bool text = (strcmp(column->type, "VARCHAR") == 0) != (strcmp(referenced->type, "VARCHAR") == 0);
	sql_printf(sql, " AND %I %s (SELECT x FROM (SELECT ", column->name, r->absent ? "NOT IN" : "IN");
	if (text)
		sql_printf(sql, "TRY_CAST(%I AS %s)", referenced->name, column->type);
	else
		sql_printf(sql, "%I", referenced->name);
	sql_printf(sql, " AS x FROM %s.main.data) WHERE x IS NOT NULL)", table_ref_alias(ref));
	return true;
}

static bool delete_matching(struct table_write *w, const struct filters *filters,
			    const struct rows_reference *references, size_t n, struct rows_deleted *ret,
			    struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *filter = NULL;
	const char *text = NULL;
	bool fine = filters_where(filters, &w->info.schema, w->place.arena, &filter, err);
	if (fine)
		buf_str(&sql, filter ? filter : "true");
	for (size_t i = 0; fine && i < n; i++)
		fine = reference_write(w, &references[i], &sql, err);
	fine = fine && sql_finish(&sql, &text, err) && delete_chosen(w, filter || n ? text : NULL, ret, err);
	buf_done(&sql);
	if (!fine && err->code == ERR_ENGINE_REFUSED)
		return err_recode(err, ERR_INVALID_ARGUMENT);
	return fine;
}

bool rows_delete(struct storage *storage, const struct call *call, struct schema_target target,
		 const char *where_clause, struct rows_deleted *ret, struct err *err)
{
	struct op op;
	struct table_write w;
	op_begin(&op, storage, call, OP_delete_rows, schema_op_target(target));
	bool fine = write_begin(&w, &op, err) && delete_rows(&w, where_clause, ret, err);
	if (fine)
		op.rows = ret->deleted;
	write_end(&w);
	return op_end(&op, fine, err);
}

bool rows_delete_matching(struct storage *storage, const struct call *call, struct schema_target target,
			  const struct filters *filters, const struct rows_reference *references, size_t n,
			  struct rows_deleted *ret, struct err *err)
{
	struct op op;
	struct table_write w;
	op_begin(&op, storage, call, OP_delete_rows, schema_op_target(target));
	bool fine = write_begin(&w, &op, err) && delete_matching(&w, filters, references, n, ret, err);
	if (fine)
		op.rows = ret->deleted;
	write_end(&w);
	return op_end(&op, fine, err);
}
