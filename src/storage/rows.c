#include "storage/rows.h"

#include "engine/expr.h"
#include "engine/session.h"
#include "engine/sql.h"
#include "engine/staging.h"
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
	sql_printf(&sql, "DELETE FROM %s.main.data WHERE %s", staging_alias(w->next), filter);
	bool fine = sql_finish(&sql, &text, err) && session_open(w->place.storage->data, &session, err) &&
		    session_run_count(session, text, ret_deleted, err);
	session_close(session);
	buf_done(&sql);
	return fine;
}

static bool delete_rows(struct table_write *w, const char *clause, struct rows_deleted *ret, struct err *err)
{
	struct storage *storage = w->place.storage;
	const char *filter = NULL;
	uint64_t deleted = (uint64_t)w->info.row_count;
	bool all = rows_clause_is_all(clause);
	if (!rows_clause_check(clause, err))
		return false;
	if (!all && !expr_filter(storage->guard, span_of(clause), &w->info.schema, w->place.arena, &filter, err)) {
		err_detail_span(err, "where_clause", span_first(span_of(clause), CLAUSE_ECHO_BYTES));
		return false;
	}
	/* Emptying a table needs no copy of what goes. */
	if (all && !write_next_empty(w, &w->info.schema, 0, err))
		return false;
	if (!all && (!write_next_copy(w, err) || !delete_in(w, filter, &deleted, err))) {
		if (err->code == ERR_ENGINE_REFUSED)
			return clause_refuse(clause, arena_strdup(w->place.arena, err->message), err);
		return false;
	}
	*ret = (struct rows_deleted){.deleted = (int64_t)deleted, .left = w->info.row_count - (int64_t)deleted};
	/* Nothing matched: the published file is right as it is. */
	if (deleted == 0) {
		ret->info = w->info;
		return true;
	}
	if (!write_publish(w, err))
		return false;
	ret->info = w->published;
	ret->left = w->published.row_count;
	return true;
}

bool rows_delete(struct storage *storage, const struct call *call, struct schema_target target,
		 const char *where_clause, struct rows_deleted *ret, struct err *err)
{
	struct op op;
	struct table_write w;
	op_begin(&op, storage, call, OP_delete_rows,
		 (struct op_target){.project_id = target.project_id,
				    .branch_id = target.branch_id,
				    .bucket = target.bucket,
				    .table = target.table});
	bool fine = write_begin(&w, &op, target.project_id, target.branch_id, target.bucket, target.table, err) &&
		    delete_rows(&w, where_clause, ret, err);
	if (fine)
		op.rows = ret->deleted;
	write_end(&w);
	return op_end(&op, fine, err);
}
