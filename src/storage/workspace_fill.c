#include "storage/workspace_fill.h"

#include "base/id.h"
#include "engine/sql.h"
#include "storage/workspace_core.h"

/* ---- fill ---- */

static bool column_write(const struct workspace_column *c, const struct table_schema *schema, const char *comma,
			 struct buf *sql, struct err *err)
{
	const struct table_column *column = table_column_find(schema, c->source);
	if (!column)
		return err_set(err, ERR_COLUMN_NOT_FOUND, "Column %s not found", c->source);
	sql_printf(sql, "%s%I AS %I", comma, column->name,
		   c->destination && *c->destination ? c->destination : column->name);
	return true;
}

static bool select_write(const struct workspace_fill *fill, struct place *place, uint64_t number, struct buf *sql,
			 struct err *err)
{
	struct table_info info;
	const char *where = NULL;
	if (!place_schema(place, &info, err) || !filters_where(fill->filters, &info.schema, place->arena, &where, err))
		return false;
	buf_str(sql, "SELECT ");
	for (size_t i = 0; i < fill->column_count; i++) {
		if (!column_write(&fill->columns[i], &info.schema, i ? ", " : "", sql, err))
			return false;
	}
	sql_printf(sql, "%s FROM %I.main.data", fill->column_count ? "" : "*",
		   arena_printf(place->arena, "_t%llu", (unsigned long long)number));
	if (where)
		sql_printf(sql, " WHERE %s", where);
	if (fill->limit > 0)
		sql_printf(sql, " LIMIT %d", fill->limit);
	return true;
}

static bool count_of(struct session *session, const char *kind, const char *db, const char *name, int64_t *ret,
		     struct err *err)
{
	struct buf sql = BUF(MIB);
	const char *text;
	sql_printf(
		&sql,
		"SELECT count(*) FROM system.main.duckdb_%ss() WHERE database_name = %L AND schema_name = 'main' AND "
		"lower(%s_name) = lower(%L)",
		kind, db, kind, name);
	bool fine = sql_finish(&sql, &text, err) && session_int(session, text, ret, err);
	buf_done(&sql);
	return fine;
}

/* The statements that put the selected rows into the destination. */
static void put_write(const struct workspace_fill *fill, const char *db, const char *select, bool is_view,
		      bool is_table, struct buf *sql)
{
	if (is_view)
		sql_printf(sql, "DROP VIEW %I.main.%I;", db, fill->destination);
	if (!fill->append || !is_table) {
		sql_printf(sql, "CREATE OR REPLACE TABLE %I.main.%I AS %s", db, fill->destination, select);
		return;
	}
	if (fill->key_count) {
		sql_printf(sql, "DELETE FROM %I.main.%I AS d USING (%s) AS s WHERE ", db, fill->destination, select);
		for (size_t i = 0; i < fill->key_count; i++)
			sql_printf(sql, "%sd.%I = s.%I", i ? " AND " : "", fill->key[i], fill->key[i]);
		buf_byte(sql, ';');
	}
	sql_printf(sql, "INSERT INTO %I.main.%I BY NAME %s", db, fill->destination, select);
}

static bool put(struct workspace_instance *wi, struct session *session, const struct workspace_fill *fill,
		const char *select, uint64_t *ret_rows, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err ignored = ERR_INIT;
	const char *db = workspace_db(wi);
	const char *text;
	int64_t views = 0;
	int64_t tables = 0;
	bool fine = count_of(session, "view", db, fill->destination, &views, err) &&
		    count_of(session, "table", db, fill->destination, &tables, err) &&
		    session_run(session, "BEGIN", err);
	if (!fine)
		return false;
	struct workspace_growth growth;
	workspace_growth_watch(&growth, wi, session);
	put_write(fill, db, select, views > 0, tables > 0, &sql);
	fine = sql_finish(&sql, &text, err) && session_run_count(session, text, ret_rows, err) &&
	       workspace_growth_fits(&growth, err);
	fine = workspace_growth_done(&growth, fine, err) && session_run(session, "COMMIT", err);
	if (!fine)
		(void)!session_run(session, "ROLLBACK", &ignored);
	else
		workspace_checkpoint(wi, session);
	buf_done(&sql);
	return fine;
}

static bool fill_run(struct op *op, struct workspace_instance *wi, const struct workspace_fill *fill,
		     uint64_t *ret_rows, struct err *err)
{
	struct place place;
	struct session *session = NULL;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct progress *progress = op->call->progress;
	const char *select;
	uint64_t number;
	bool fine = workspace_room(wi, err) &&
		    place_table(op->storage, op->call->arena, fill->project_id, fill->branch_id, fill->bucket,
				fill->table, &place, err) &&
		    workspace_attach_place(wi, &place, &number, err) && select_write(fill, &place, number, &sql, err) &&
		    sql_finish(&sql, &select, err) && workspace_session(wi, &session, err) &&
		    (!progress || session_follow(session, progress, err)) &&
		    put(wi, session, fill, select, ret_rows, err);
	session_close(session);
	buf_done(&sql);
	if (!fine && err->code == ERR_ENGINE_REFUSED)
		(void)err_recode(err, ERR_INVALID_ARGUMENT);
	return fine;
}

bool workspace_fill(struct storage *storage, const struct call *call, const char *workspace_id,
		    const struct workspace_fill *fill, int64_t *ret_rows, struct err *err)
{
	struct op op;
	struct workspace_instance *wi = NULL;
	uint64_t rows = 0;
	op_begin(&op, storage, call, OP_load_workspace_tables,
		 (struct op_target){.project_id = fill->project_id, .resource_id = workspace_id});
	bool fine = workspace_open(storage, workspace_id, &wi, err);
	if (fine) {
		struct admission admission = {0};
		uint64_t pin = workspace_pin(wi);
		fine = workspace_admit(&op, wi, fill->destination, &admission, err) &&
		       fill_run(&op, wi, fill, &rows, err);
		lock_release(&admission);
		workspace_unpin(wi, pin);
	}
	workspace_release(wi);
	op.rows = (int64_t)rows;
	*ret_rows = (int64_t)rows;
	return op_end(&op, fine, err);
}

/* ---- statements ---- */

static bool statement_allowed(enum statement_type type, bool writing, struct err *err)
{
	static const enum statement_type reading_types[] = {STATEMENT_SELECT, STATEMENT_EXPLAIN};
	static const enum statement_type writing_types[] = {
		STATEMENT_INSERT, STATEMENT_UPDATE, STATEMENT_DELETE, STATEMENT_MERGE,
		STATEMENT_CREATE, STATEMENT_ALTER,  STATEMENT_DROP,   STATEMENT_CREATE_FUNCTION};
	for (size_t i = 0; i < ARRAY_LEN(reading_types); i++) {
		if (type == reading_types[i])
			return true;
	}
	for (size_t i = 0; writing && i < ARRAY_LEN(writing_types); i++) {
		if (type == writing_types[i])
			return true;
	}
	return err_set(err, ERR_ENGINE_REFUSED, "%s statements are not allowed here", statement_type_name(type));
}

/*
 * Functions that go as deep as the JSON that they are given, past the end of the thread's stack; and names with escapes,
 * in which one could hide.
 */
static bool text_allowed(const char *sql, struct err *err)
{
	static const char *const words[] = {"json_structure", "json_group_structure", "json_transform",
					    "from_json",      "json_deserialize_sql", "U&\""};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(sql, words[i]))
			return err_set(err, ERR_ENGINE_REFUSED, "%s is not allowed here", words[i]);
	return true;
}

/* Shows the query's own bucket, and the tables that the text may speak of: those whose name stands in it. */
static bool tables_show(struct workspace_instance *wi, struct storage *storage, struct arena *arena,
			const struct workspace_query *q, struct err *err)
{
	struct workspace_table *tables;
	const char **buckets;
	size_t n;
	bool found;
	if (!workspace_buckets(storage, arena, q->project_id, &buckets, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool own = q->bucket && strcmp(q->bucket, buckets[i]) == 0;
		if ((own || strcasestr(q->sql, buckets[i])) && !workspace_attach_bucket(wi, buckets[i], &found, err))
			return false;
	}
	if (!workspace_tables(storage, arena, q->project_id, q->branch_id, true, &tables, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool own = q->bucket && strcmp(q->bucket, tables[i].bucket) == 0;
		if (strcasestr(q->sql, tables[i].name) && (own || strcasestr(q->sql, tables[i].bucket)) &&
		    !workspace_attach_table(wi, tables[i].bucket, tables[i].name, &found, err))
			return false;
	}
	return true;
}

static bool search_path(struct workspace_instance *wi, struct session *session, const struct workspace_query *q,
			struct err *err)
{
	struct buf sql = BUF(MIB);
	struct buf path = BUF(MIB);
	const char *text;
	sql_printf(&path, "%I.main", workspace_db(wi));
	if (q->bucket)
		sql_printf(&path, ",%I.main", q->bucket);
	buf_str(&sql, "SET search_path = ");
	sql_text(&sql, buf_view(&path));
	bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	if (!fine && q->bucket && err->code == ERR_ENGINE_REFUSED)
		(void)err_set(err, ERR_ENGINE_REFUSED, "Bucket %s not found", q->bucket);
	buf_done(&path);
	buf_done(&sql);
	return fine;
}

static bool rows_take(struct cursor *cursor, const struct workspace_query *q, bool *ret_has_rows, struct err *err)
{
	size_t n;
	bool fine;
	*ret_has_rows = cursor_has_rows(cursor);
	bool first = true;
	while ((fine = cursor_next(cursor, &n, err)) && (n > 0 || first)) {
		if (*ret_has_rows && !q->take(q->take_ctx, cursor, n, err))
			return false;
		first = false;
		if (n == 0)
			break;
	}
	return fine;
}

static bool statement_go(struct session *session, const struct workspace_query *q, bool *ret_has_rows, struct err *err)
{
	struct statements *all = NULL;
	struct statement *statement = NULL;
	struct cursor *cursor = NULL;
	size_t n = 0;
	bool fine = text_allowed(q->sql, err) && statements_parse(session, q->sql, &all, &n, err);
	if (fine && n != 1)
		fine = err_set(err, ERR_ENGINE_REFUSED, "Exactly one statement can be run, not %zu", n);
	fine = fine && statements_prepare(all, 0, &statement, err) &&
	       statement_allowed(statement_type(statement), q->workspace_id != NULL, err) &&
	       statement_query(statement, &cursor, err) && rows_take(cursor, q, ret_has_rows, err);
	cursor_close(cursor);
	statement_free(statement);
	statements_free(all);
	return fine;
}

static bool run_in(struct workspace_instance *wi, struct op *op, const struct workspace_query *q, bool *ret_has_rows,
		   struct err *err)
{
	struct session *session = NULL;
	struct progress *progress = op->call->progress;
	bool fine = tables_show(wi, op->storage, op->call->arena, q, err) &&
		    session_open(workspace_engine(wi), &session, err) &&
		    (!progress || session_follow(session, progress, err)) && search_path(wi, session, q, err) &&
		    (!q->workspace_id || workspace_room(wi, err));
	if (fine) {
		struct workspace_growth growth;
		workspace_growth_watch(&growth, wi, session);
		session_set_timeout(session, q->timeout_s * 1000000000);
		fine = workspace_growth_done(&growth, statement_go(session, q, ret_has_rows, err), err);
	}
	session_close(session);
	return fine;
}

/* A reading query outside of workspaces has an empty one of its own, which goes with it. */
static bool scratch_open(struct op *op, const struct workspace_query *q, struct workspace *row,
			 struct workspace_instance **ret, struct err *err)
{
	char mark[17];
	id_hex(8, mark);
	row->id = arena_printf(op->call->arena, "_query_%s", mark);
	row->project_id = q->project_id;
	row->branch_id = q->branch_id;
	row->size_limit_gb = WORKSPACE_SIZE_GB;
	row->db_path = arena_printf(op->call->arena, "%s/%s.duckdb", op->storage->settings->staging_dir, row->id);
	return workspace_open_row(op->storage, row, ret, err);
}

bool workspace_run(struct storage *storage, const struct call *call, const struct workspace_query *q,
		   bool *ret_has_rows, struct err *err)
{
	struct op op;
	struct workspace row = {0};
	struct workspace_instance *wi = NULL;
	op_begin(&op, storage, call, OP_execute_query,
		 (struct op_target){
			 .project_id = q->project_id, .branch_id = q->branch_id, .resource_id = q->workspace_id});
	bool fine = q->workspace_id ? workspace_open(storage, q->workspace_id, &wi, err)
				    : scratch_open(&op, q, &row, &wi, err);
	if (fine) {
		uint64_t pin = workspace_pin(wi);
		fine = run_in(wi, &op, q, ret_has_rows, err);
		workspace_changed(wi);
		workspace_unpin(wi, pin);
	}
	workspace_release(wi);
	if (row.id) {
		workspace_doom(storage, row.id, PG_SESSION_DELETED);
		workspace_files_remove(storage, &row);
	}
	return op_end(&op, fine, err);
}
