/* What the sessions do, for pg_stat_activity and for the other doors; what statements cost, as SQL. */
#include "storage/activity.h"

#include "base/limits.h"
#include "engine/function.h"
#include "pgwire/backend.h"
#include "pgwire/registry.h"
#include "storage/statement_stats.h"
#include "storage/storage.h"

#include <stdlib.h>

static const char *state_of(const struct backend *b)
{
	if (atomic_load(&b->running))
		return "active";
	switch (atomic_load(&b->shown_block)) {
	case 'T':
		return "idle in transaction";
	case 'E':
		return "idle in transaction (aborted)";
	default:
		return "idle";
	}
}

static void row_of(struct backend *b, struct arena *arena, struct activity_row *row)
{
	(void)pthread_mutex_lock(&b->guard);
	const char *state = state_of(b);
	const bool active = strcmp(state, "active") == 0;
	*row = (struct activity_row){
		.session_id = arena_strdup(arena, pg_session_id(b->registered)),
		.pid = b->pid,
		.project_id = arena_strdup(arena, b->workspace.project_id),
		.branch_id = b->workspace.branch_id ? arena_strdup(arena, b->workspace.branch_id) : NULL,
		.workspace_id = arena_strdup(arena, b->workspace.id),
		.user = arena_strdup(arena, b->user),
		.client_ip = arena_strdup(arena, b->conn.peer),
		.application_name = arena_strdup(arena, b->application_name),
		.state = state,
		.wait_event = active ? NULL : "ClientRead",
		.query = arena_strdup(arena, b->query),
		.connected_us = b->connected_us,
		.transaction_us = atomic_load(&b->block_us) ? atomic_load(&b->block_us)
				  : active		    ? b->query_us
							    : 0,
		.query_us = b->query_us,
		.state_us = b->state_us,
		.queries = atomic_load_explicit(&b->statements_run, memory_order_relaxed),
		.rows = atomic_load_explicit(&b->rows_sent, memory_order_relaxed),
	};
	(void)pthread_mutex_unlock(&b->guard);
}

static void list(void *ctx, struct arena *arena, struct activity_row **ret, size_t *ret_count)
{
	struct pg_door *door = ctx;
	size_t n = 0;
	(void)pthread_mutex_lock(&door->lock);
	struct activity_row *rows = arena_array(arena, struct activity_row, door->count + 1);
	for (struct backend *b = door->backends; b; b = b->next)
		if (atomic_load(&b->serving))
			row_of(b, arena, &rows[n++]);
	(void)pthread_mutex_unlock(&door->lock);
	*ret = rows;
	*ret_count = n;
}

static bool end(void *ctx, const char *session_id, bool terminate)
{
	struct pg_door *door = ctx;
	(void)pthread_mutex_lock(&door->lock);
	struct backend *b = door->backends;
	while (b && !(atomic_load(&b->serving) && strcmp(pg_session_id(b->registered), session_id) == 0))
		b = b->next;
	if (b)
		registry_end(b, terminate);
	(void)pthread_mutex_unlock(&door->lock);
	return b != NULL;
}

void activity_begin(struct pg_door *door)
{
	door->source = (struct activity_source){door, list, end};
	activity_provide(door->storage->activity, &door->source);
}

/* pg_cancel_backend and pg_terminate_backend: of sessions of the same workspace only. */
struct signal {
	struct activity *activity;
	char workspace_id[64];
};

static bool signal_call(void *ctx, int32_t pid, bool terminate)
{
	const struct signal *s = ctx;
	struct arena *arena = arena_new();
	struct activity_row *rows;
	size_t n, i = 0;
	activity_list(s->activity, arena, s->workspace_id, &rows, &n);
	while (i < n && rows[i].pid != (uint32_t)pid)
		i++;
	bool found = i < n && activity_end(s->activity, rows[i].session_id, terminate);
	arena_free(arena);
	return found;
}

bool activity_signals(struct backend *b, struct session *session, struct err *err)
{
	struct signal *s = mem_alloc(sizeof(*s));
	s->activity = b->door->storage->activity;
	(void)snprintf(s->workspace_id, sizeof(s->workspace_id), "%s", b->workspace.id);
	const struct function f = {signal_call, s, free};
	return function_register(session, "_pg_signal", &f, err);
}

static void put_row(const struct activity_row *row, struct buf *out)
{
	const int64_t times[] = {row->connected_us, row->transaction_us, row->query_us, row->state_us};
	const char *const texts[] = {row->user, row->application_name, row->client_ip, row->state, row->query};
	buf_printf(out, "(%u::INTEGER, %s, ", row->pid, row->wait_event ? "'Client', 'ClientRead'" : "NULL, NULL");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		state_put_text(out, texts[i]);
		buf_str(out, ", ");
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		if (i)
			buf_str(out, ", ");
		state_put_time(out, times[i]);
	}
	buf_byte(out, ')');
}

void activity_sql(struct backend *b, struct buf *out)
{
	struct activity_row *rows;
	size_t count;
	activity_list(b->door->storage->activity, b->work, b->workspace.id, &rows, &count);
	buf_str(out, "(SELECT 16384::UINTEGER AS datid, ");
	state_put_text(out, b->database);
	buf_str(out,
		" AS datname, pid, NULL::INTEGER AS leader_pid, 10::UINTEGER AS usesysid, usename, application_name, "
		"client_addr, NULL::VARCHAR AS client_hostname, NULL::INTEGER AS client_port, backend_start, "
		"xact_start, query_start, state_change, wait_event_type::VARCHAR AS wait_event_type, "
		"wait_event::VARCHAR AS wait_event, state, NULL::UINTEGER AS backend_xid, NULL::UINTEGER AS "
		"backend_xmin, NULL::BIGINT AS query_id, query, 'client backend' AS backend_type FROM (VALUES ");
	for (size_t i = 0; i < count; i++) {
		buf_str(out, i ? ", " : "");
		put_row(&rows[i], out);
	}
	buf_str(out, ") AS a(pid, wait_event_type, wait_event, usename, application_name, client_addr, state, query, "
		     "backend_start, xact_start, query_start, state_change))");
}

/* Of so many bytes each statement may show its share: all of them stand in the text of the query that asks. */
enum { STATEMENTS_TEXT_BYTES = 4 * MIB };

static void put_statement(const struct statement_row *row, size_t most, struct buf *out)
{
	const double times[] = {row->total_ms, row->min_ms, row->max_ms, row->mean_ms, row->stddev_ms};
	buf_printf(out, ", (%llu::BIGINT, ", (unsigned long long)row->query_id);
	lexer_quote_string(out, span_first_utf8(span_of(row->query), most));
	const uint64_t counts[] = {row->calls, row->errors, row->rows, row->temp_bytes, row->memory_peak};
	buf_str(out, ", ");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		buf_printf(out, "%llu, ", (unsigned long long)counts[i]);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		buf_printf(out, "%.6f::DOUBLE, ", times[i]);
	state_put_time(out, row->first_us);
	buf_str(out, ", ");
	state_put_time(out, row->last_us);
	buf_byte(out, ')');
}

/* PostgreSQL's columns in its order, then what is only here. The engine has no planning times, block or WAL counts. */
static const char STATEMENT_COLUMNS[] =
	"10::UINTEGER AS userid, 16384::UINTEGER AS dbid, true AS toplevel, queryid, query, 0::BIGINT AS plans, "
	"0::DOUBLE AS total_plan_time, 0::DOUBLE AS min_plan_time, 0::DOUBLE AS max_plan_time, 0::DOUBLE AS "
	"mean_plan_time, 0::DOUBLE AS stddev_plan_time, calls, total_exec_time, min_exec_time, max_exec_time, "
	"mean_exec_time, stddev_exec_time, \"rows\", 0::BIGINT AS shared_blks_hit, 0::BIGINT AS shared_blks_read, "
	"0::BIGINT AS shared_blks_dirtied, 0::BIGINT AS shared_blks_written, 0::BIGINT AS local_blks_hit, 0::BIGINT AS "
	"local_blks_read, 0::BIGINT AS local_blks_dirtied, 0::BIGINT AS local_blks_written, 0::BIGINT AS "
	"temp_blks_read, temp_bytes // 8192 AS temp_blks_written, 0::DOUBLE AS blk_read_time, 0::DOUBLE AS "
	"blk_write_time, 0::DOUBLE AS temp_blk_read_time, 0::DOUBLE AS temp_blk_write_time, 0::BIGINT AS wal_records, "
	"0::BIGINT AS wal_fpi, 0::DECIMAL(18,0) AS wal_bytes, 0::BIGINT AS jit_functions, 0::DOUBLE AS "
	"jit_generation_time, 0::BIGINT AS jit_inlining_count, 0::DOUBLE AS jit_inlining_time, 0::BIGINT AS "
	"jit_optimization_count, 0::DOUBLE AS jit_optimization_time, 0::BIGINT AS jit_emission_count, 0::DOUBLE AS "
	"jit_emission_time, errors, temp_bytes, memory_peak_bytes, first_seen, last_seen";

void statements_sql(struct backend *b, struct buf *out)
{
	struct statement_row *rows;
	size_t count;
	statement_stats_list(b->door->storage->statements, b->work, b->workspace.id, STATEMENT_SORT_TOTAL, 0, &rows,
			     &count);
	buf_printf(out, "(SELECT %s", STATEMENT_COLUMNS);
	buf_str(out, " FROM (VALUES (NULL::BIGINT, NULL::VARCHAR, 0::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT, "
		     "0::BIGINT, 0::DOUBLE, 0::DOUBLE, 0::DOUBLE, 0::DOUBLE, 0::DOUBLE, NULL::TIMESTAMPTZ, "
		     "NULL::TIMESTAMPTZ)");
	for (size_t i = 0; i < count; i++)
		put_statement(&rows[i], STATEMENTS_TEXT_BYTES / count, out);
	buf_str(out,
		") AS s(queryid, query, calls, errors, \"rows\", temp_bytes, memory_peak_bytes, total_exec_time, min_exec_time, max_exec_time, "
		"mean_exec_time, stddev_exec_time, first_seen, last_seen) WHERE queryid IS NOT NULL)");
}

void statements_info_sql(struct backend *b, struct buf *out)
{
	struct statement_info info = statement_stats_info(b->door->storage->statements);
	buf_printf(out, "(SELECT %llu::BIGINT AS dealloc, ", (unsigned long long)info.dealloc);
	state_put_time(out, info.reset_us);
	buf_str(out, " AS stats_reset)");
}
