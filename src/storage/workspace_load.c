#include "base/fs.h"
#include "engine/expr.h"
#include "engine/sql.h"
#include "storage/workspace_core.h"

/* "bucket.table": buckets and tables may hold dots themselves, so every split is tried. */
bool workspace_source(struct storage *storage, struct arena *arena, const struct workspace *row, const char *source,
		      struct place *ret, struct err *err)
{
	struct err first = ERR_INIT;
	for (const char *dot = strchr(source, '.'); dot; dot = strchr(dot + 1, '.')) {
		const char *bucket = arena_copy(arena, (struct span){source, (size_t)(dot - source)});
		if (place_table(storage, arena, row->project_id, row->branch_id, bucket, dot + 1, ret, err))
			return true;
		if (first.code == ERR_NONE)
			first = *err;
	}
	(void)err_set(err, ERR_TABLE_NOT_FOUND, "Table %.300s not found", source);
	if (first.code == ERR_NONE)
		(void)err_set(err, ERR_TABLE_NOT_FOUND, "%.300s is no \"bucket.table\"", source);
	err_detail(err, "project_id", row->project_id);
	err_detail(err, "source", source);
	return false;
}

/* SELECT over the source's attached file, with columns and filter as the table's own. */
static bool select_write(const struct workspace_load *entry, struct place *place, uint64_t number, struct buf *sql,
			 struct err *err)
{
	struct table_info info;
	const char *filter = NULL;
	if (!place_schema(place, &info, err))
		return false;
	if (entry->where &&
	    !expr_filter(place->storage->guard, span_of(entry->where), &info.schema, place->arena, &filter, err))
		return false;
	sql_printf(sql, "SELECT ");
	for (size_t i = 0; i < entry->column_count; i++) {
		const struct table_column *column = table_column_find(&info.schema, entry->columns[i]);
		if (!column) {
			(void)err_set(err, ERR_COLUMN_NOT_FOUND, "Column %.200s not found in table %s",
				      entry->columns[i], entry->source);
			err_detail(err, "column_name", entry->columns[i]);
			return false;
		}
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(entry->columns[k], entry->columns[i]) == 0)
				return err_set(err, ERR_INVALID_ARGUMENT, "Column %.200s is named twice",
					       entry->columns[i]);
		sql_printf(sql, "%s%I", i ? ", " : "", column->name);
	}
	sql_printf(sql, "%s FROM %I.main.data", entry->column_count ? "" : "*",
		   arena_printf(place->arena, "_t%llu", (unsigned long long)number));
	if (filter)
		sql_printf(sql, " WHERE %s", filter);
	return true;
}

/* Inside a transaction; the size is looked at before it commits. */
static bool copy(struct workspace_instance *wi, struct session *session, const char *destination, const char *select,
		 uint64_t *ret_rows, struct err *err)
{
	struct buf sql = BUF(MIB);
	struct err ignored = ERR_INIT;
	const char *text;
	bool is_view = false;
	int64_t views = 0;
	sql_printf(&sql,
		   "SELECT count(*) FROM system.main.duckdb_views() WHERE database_name = %L AND schema_name = 'main' "
		   "AND view_name COLLATE NOCASE = %L",
		   workspace_db(wi), destination);
	bool fine = sql_finish(&sql, &text, err) && session_int(session, text, &views, err);
	is_view = views > 0;
	buf_reset(&sql);
	if (is_view)
		sql_printf(&sql, "DROP VIEW %I.main.%I;", workspace_db(wi), destination);
	sql_printf(&sql, "CREATE OR REPLACE TABLE %I.main.%I AS %s", workspace_db(wi), destination, select);
	fine = fine && session_run(session, "BEGIN", err);
	if (fine) {
		struct workspace_growth growth;
		workspace_growth_watch(&growth, wi, session);
		fine = sql_finish(&sql, &text, err) && session_run(session, text, err) &&
		       workspace_growth_fits(&growth, err);
		fine = workspace_growth_done(&growth, fine, err) && session_run(session, "COMMIT", err);
		if (!fine)
			(void)!session_run(session, "ROLLBACK", &ignored);
	}
	buf_reset(&sql);
	int64_t rows = 0;
	sql_printf(&sql, "SELECT count(*) FROM %I.main.%I", workspace_db(wi), destination);
	if (fine) {
		workspace_checkpoint(wi, session);
		fine = sql_finish(&sql, &text, err) && session_int(session, text, &rows, err);
	}
	*ret_rows = (uint64_t)rows;
	buf_done(&sql);
	return fine;
}

static bool load_into(struct workspace_instance *wi, const struct call *call, const struct workspace_load *entry,
		      struct workspace_loaded *ret, struct err *err)
{
	struct workspace row = {.project_id = wi->project_id, .branch_id = wi->branch_id};
	struct place place;
	struct session *session = NULL;
	struct buf sql = BUF(MIB);
	const char *select;
	uint64_t number;
	uint64_t rows = 0;
	if (!workspace_room(wi, err) ||
	    !workspace_source(wi->all->storage, call->arena, &row, entry->source, &place, err))
		return false;
	if (!entry->destination)
		ret->destination = arena_strdup(call->arena, place.table.name);
	if (!*ret->destination || strlen(ret->destination) > LIMIT_NAME_BYTES)
		return err_set(err, ERR_INVALID_NAME, "A destination has 1 to %d bytes", LIMIT_NAME_BYTES);
	bool fine = workspace_attach_place(wi, &place, &number, err) &&
		    select_write(entry, &place, number, &sql, err) && sql_finish(&sql, &select, err) &&
		    workspace_session(wi, &session, err);
	if (fine && call->progress)
		fine = session_follow(session, call->progress, err);
	fine = fine && copy(wi, session, ret->destination, select, &rows, err);
	session_close(session);
	buf_done(&sql);
	ret->rows = (int64_t)rows;
	return fine;
}

bool workspace_admit(struct op *op, const struct workspace_instance *wi, const char *destination, struct admission *ret,
		     struct err *err)
{
	return lock_table(op->storage->locks, op, wi->project_id, wi->branch_id ? wi->branch_id : BRANCH_MAIN, wi->id,
			  destination, ret, err);
}

bool workspace_load_one(struct op *op, struct workspace_instance *wi, const struct workspace_load *entry,
			struct workspace_loaded *ret, struct err *err)
{
	struct admission admission = {0};
	const char *dot = strrchr(entry->source, '.');
	*ret = (struct workspace_loaded){.source = entry->source,
					 .destination = entry->destination ? entry->destination
							: dot		   ? dot + 1
									   : entry->source};
	uint64_t pin = workspace_pin(wi);
	bool fine =
		workspace_admit(op, wi, ret->destination, &admission, err) && load_into(wi, op->call, entry, ret, err);
	lock_release(&admission);
	workspace_unpin(wi, pin);
	if (fine)
		ret->size_bytes = workspace_size(wi);
	else
		ret->rows = 0;
	return fine;
}

static bool load(struct op *op, const char *id, const struct workspace_load *entries, size_t n,
		 struct workspace_loaded **ret, int64_t *ret_bytes, struct err *err)
{
	struct workspace row;
	struct workspace_instance *wi;
	struct arena *arena = op->call->arena;
	size_t done = 0;
	*ret_bytes = 0;
	if (!workspace_find(op->storage, arena, op->target.project_id, NULL, id, false, &row, err) ||
	    !workspace_open(op->storage, id, &wi, err))
		return false;
	*ret = arena_array(arena, struct workspace_loaded, n);
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		if (workspace_load_one(op, wi, &entries[i], &(*ret)[i], &why))
			done++;
		else
			(*ret)[i].error = arena_strdup(arena, why.message);
		op->rows += (*ret)[i].rows;
	}
	if (done)
		*ret_bytes = workspace_size(wi);
	workspace_changed(wi);
	workspace_release(wi);
	return true;
}

bool workspace_load_tables(struct storage *storage, const struct call *call, const char *project_id, const char *id,
			   const struct workspace_load *entries, size_t n, struct workspace_loaded **ret,
			   int64_t *ret_bytes, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_load_workspace_tables,
		 (struct op_target){.project_id = project_id, .resource_id = id});
	return op_end(&op, load(&op, id, entries, n, ret, ret_bytes, err), err);
}
