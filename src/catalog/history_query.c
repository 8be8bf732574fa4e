/* Questions to the operation history, each in a session of its own. */
#include "base/limits.h"
#include "catalog/history_core.h"
#include "engine/sql.h"

enum { STATS_COMMANDS_MAX = 1000, STATS_ERRORS_MAX = 100 };

struct query {
	struct session *session;
	struct statement *statement;
	struct cursor *cursor;
	struct buf sql;
};

/* Rows added before the question are part of the answer; when the file cannot take them, what it has is. */
static bool query_begin(struct history *h, struct query *q, struct err *err)
{
	struct err ignored;
	*q = (struct query){.sql = BUF(LIMIT_SQL_BYTES)};
	if (!history_flush(h, &ignored) && ignored.code == ERR_DRAINING)
		return err_set(err, ERR_DRAINING, "The server is shutting down");
	return session_open(h->file.instance, &q->session, err) || history_fault(err);
}

static void query_end(struct query *q)
{
	cursor_close(q->cursor);
	statement_free(q->statement);
	session_close(q->session);
	buf_done(&q->sql);
}

/* Ready for another text in the same session. */
static void query_again(struct query *q)
{
	cursor_close(q->cursor);
	statement_free(q->statement);
	q->cursor = NULL;
	q->statement = NULL;
	buf_reset(&q->sql);
}

/* WHERE with one parameter per member that filters. */
static void filter_sql(const struct history_filter *f, struct buf *out)
{
	const char *const texts[] = {f->project_id, f->command,	      f->status,     f->bucket,
				     f->table_name, f->resource_type, f->resource_id};
	static const char *const names[] = {"project_id", "command",	   "status",	 "bucket",
					    "table_name", "resource_type", "resource_id"};
	int64_t n = 0;
	buf_str(out, " WHERE true");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i])
			sql_printf(out, " AND %I = $%d", names[i], ++n);
	if (f->from)
		sql_printf(out, " AND started_at >= $%d", ++n);
	if (f->to)
		sql_printf(out, " AND started_at < $%d", ++n);
}

static bool filter_bind(const struct history_filter *f, struct statement *st, struct err *err)
{
	const char *const texts[] = {f->project_id, f->command,	      f->status,     f->bucket,
				     f->table_name, f->resource_type, f->resource_id};
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i] && !statement_bind_text(st, ++n, span_of(texts[i]), err))
			return false;
	if (f->from && !statement_bind_timestamp(st, ++n, f->from, err))
		return false;
	return !f->to || statement_bind_timestamp(st, ++n, f->to, err);
}

/* Runs the text of q->sql with the filter's values. */
static bool query_run(struct query *q, const struct history_filter *f, struct err *err)
{
	const char *text;
	return (sql_finish(&q->sql, &text, err) && statement_prepare(q->session, text, &q->statement, err) &&
		filter_bind(f, q->statement, err) && statement_query(q->statement, &q->cursor, err)) ||
	       history_fault(err);
}

static bool rows_read(struct query *q, struct arena *arena, size_t max, struct operation *rows, size_t *ret_n,
		      struct err *err)
{
	size_t chunk = 0;
	bool ok;
	*ret_n = 0;
	while ((ok = cursor_next(q->cursor, &chunk, err)) && chunk > 0)
		for (size_t i = 0; i < chunk && *ret_n < max; i++)
			columns_read(q->cursor, 0, history_columns, history_column_count(), i, arena,
				     &rows[(*ret_n)++]);
	return ok || history_fault(err);
}

static void select_sql(struct query *q)
{
	buf_str(&q->sql, "SELECT ");
	columns_sql(history_columns, history_column_count(), &q->sql);
	buf_str(&q->sql, " FROM operations");
}

static bool total_read(struct query *q, const struct history_filter *filter, uint64_t *ret_total, struct err *err)
{
	size_t chunk;
	buf_str(&q->sql, "SELECT count(*) FROM operations");
	filter_sql(filter, &q->sql);
	if (!query_run(q, filter, err) || !cursor_next(q->cursor, &chunk, err))
		return history_fault(err);
	*ret_total = chunk ? (uint64_t)cursor_int(q->cursor, 0, 0) : 0;
	return true;
}

bool history_list(struct history *h, struct arena *arena, const struct history_filter *filter, size_t limit,
		  uint64_t offset, struct operation **ret_rows, size_t *ret_n, uint64_t *ret_total, struct err *err)
{
	struct query q;
	size_t max = limit < LIMIT_HISTORY_PAGE ? limit : LIMIT_HISTORY_PAGE;
	struct operation *rows = NULL;
	size_t n = 0;
	uint64_t total = 0;
	bool ok = query_begin(h, &q, err) && total_read(&q, filter, &total, err);
	if (ok && max > 0 && offset < total) {
		max = max < total - offset ? max : (size_t)(total - offset);
		rows = arena_array(arena, struct operation, max);
		query_again(&q);
		select_sql(&q);
		filter_sql(filter, &q.sql);
		sql_printf(&q.sql, " ORDER BY started_at DESC, id LIMIT %d OFFSET %d", (int64_t)max, (int64_t)offset);
		ok = query_run(&q, filter, err) && rows_read(&q, arena, max, rows, &n, err);
	}
	query_end(&q);
	if (!ok)
		return false;
	*ret_rows = rows;
	*ret_n = n;
	*ret_total = total;
	return true;
}

bool history_get(struct history *h, struct arena *arena, const char *project_id, const char *id, struct operation *ret,
		 struct err *err)
{
	struct query q;
	size_t n = 0;
	struct history_filter filter = {.project_id = project_id};
	bool ok = query_begin(h, &q, err);
	if (ok) {
		select_sql(&q);
		filter_sql(&filter, &q.sql);
		sql_printf(&q.sql, " AND id = %L LIMIT 1", id);
		ok = query_run(&q, &filter, err) && rows_read(&q, arena, 1, ret, &n, err);
	}
	query_end(&q);
	if (ok && n == 0)
		return err_set(err, ERR_OPERATION_NOT_FOUND, "Operation %s not found", id);
	return ok;
}

/* ---- Statistics ---- */

static bool totals_read(struct query *q, struct history_stats *ret, struct err *err)
{
	size_t chunk;
	if (!cursor_next(q->cursor, &chunk, err))
		return history_fault(err);
	if (chunk == 0)
		return true;
	ret->total = (uint64_t)cursor_int(q->cursor, 0, 0);
	ret->success_rate = ret->total ? (double)cursor_int(q->cursor, 1, 0) / (double)ret->total : 1;
	ret->avg_ms = cursor_double(q->cursor, 2, 0);
	ret->p50_ms = cursor_double(q->cursor, 3, 0);
	ret->p95_ms = cursor_double(q->cursor, 4, 0);
	ret->p99_ms = cursor_double(q->cursor, 5, 0);
	return true;
}

static bool commands_read(struct query *q, struct arena *arena, struct history_stats *ret, struct err *err)
{
	size_t chunk = 0;
	bool ok;
	ret->commands = arena_array(arena, struct history_command, STATS_COMMANDS_MAX);
	while ((ok = cursor_next(q->cursor, &chunk, err)) && chunk > 0)
		for (size_t i = 0; i < chunk && ret->command_count < STATS_COMMANDS_MAX; i++)
			ret->commands[ret->command_count++] = (struct history_command){
				.command = arena_copy(arena, cursor_text(q->cursor, 0, i)),
				.count = (uint64_t)cursor_int(q->cursor, 1, i),
				.avg_ms = cursor_double(q->cursor, 2, i),
			};
	return ok || history_fault(err);
}

static bool errors_read(struct query *q, struct arena *arena, struct history_stats *ret, struct err *err)
{
	size_t chunk = 0;
	bool ok;
	ret->errors = arena_array(arena, struct history_error, STATS_ERRORS_MAX);
	while ((ok = cursor_next(q->cursor, &chunk, err)) && chunk > 0)
		for (size_t i = 0; i < chunk && ret->error_count < STATS_ERRORS_MAX; i++)
			ret->errors[ret->error_count++] = (struct history_error){
				.code = arena_copy(arena, cursor_text(q->cursor, 0, i)),
				.count = (uint64_t)cursor_int(q->cursor, 1, i),
			};
	return ok || history_fault(err);
}

bool history_stats(struct history *h, struct arena *arena, const struct history_filter *filter,
		   struct history_stats *ret, struct err *err)
{
	struct query q;
	*ret = (struct history_stats){.success_rate = 1};
	bool ok = query_begin(h, &q, err);
	if (ok) {
		buf_str(&q.sql, "SELECT count(*), count(*) FILTER (status = 'success'), avg(duration_us) / 1000, "
				"quantile_cont(duration_us, 0.5) / 1000, quantile_cont(duration_us, 0.95) / 1000, "
				"quantile_cont(duration_us, 0.99) / 1000 FROM operations");
		filter_sql(filter, &q.sql);
		ok = query_run(&q, filter, err) && totals_read(&q, ret, err);
	}
	if (ok) {
		query_again(&q);
		buf_str(&q.sql, "SELECT coalesce(command, ''), count(*), avg(duration_us) / 1000 FROM operations");
		filter_sql(filter, &q.sql);
		buf_str(&q.sql, " GROUP BY 1 ORDER BY 1");
		ok = query_run(&q, filter, err) && commands_read(&q, arena, ret, err);
	}
	if (ok) {
		query_again(&q);
		buf_str(&q.sql, "SELECT error_code, count(*) FROM operations");
		filter_sql(filter, &q.sql);
		sql_printf(&q.sql, " AND error_code IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %d",
			   (int64_t)STATS_ERRORS_MAX);
		ok = query_run(&q, filter, err) && errors_read(&q, arena, ret, err);
	}
	query_end(&q);
	return ok;
}

/* ---- Retention ---- */

static bool older_delete(struct query *q, const char *condition, int64_t before_us, uint64_t *removed, struct err *err)
{
	uint64_t count = 0;
	const char *text;
	query_again(q);
	sql_printf(&q->sql, "DELETE FROM operations WHERE %s AND started_at < $1", condition);
	if (!sql_finish(&q->sql, &text, err) || !statement_prepare(q->session, text, &q->statement, err) ||
	    !statement_bind_timestamp(q->statement, 1, before_us, err) || !statement_run(q->statement, &count, err))
		return history_fault(err);
	*removed += count;
	return true;
}

bool history_sweep(struct history *h, int64_t now_unix_us, uint64_t *ret_removed, struct err *err)
{
	struct query q;
	uint64_t removed = 0;
	bool ok = query_begin(h, &q, err) &&
		  older_delete(&q, "status = 'success'", now_unix_us - h->success_us, &removed, err) &&
		  older_delete(&q, "status IS DISTINCT FROM 'success'", now_unix_us - h->error_us, &removed, err);
	query_again(&q);
	if (ok && removed)
		ok = session_run(q.session, "CHECKPOINT", err) || history_fault(err);
	query_end(&q);
	*ret_removed = removed;
	return ok;
}
