#include "engine/core.h"

#include "base/clock.h"

const struct fault *session_fault(const struct session *session)
{
	return &session->fault;
}

bool session_in_transaction(const struct session *session)
{
	return session->in_transaction;
}

bool session_aborted(const struct session *session)
{
	return session->aborted;
}

void session_interrupt(struct session *session)
{
	pthread_mutex_lock(&session->gate);
	if (atomic_load(&session->started_ns)) {
		atomic_store(&session->interrupted, true);
		duckdb_interrupt(session->connection);
	}
	pthread_mutex_unlock(&session->gate);
}

void session_set_timeout(struct session *session, int64_t timeout_ns)
{
	session->timeout_ns = timeout_ns;
	if (atomic_load(&session->started_ns))
		atomic_store(&session->deadline_ns, timeout_ns ? clock_ns() + timeout_ns : 0);
}

void session_set_brake(struct session *session, bool (*brake)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&session->core->lock);
	session->brake = brake;
	session->brake_ctx = ctx;
	pthread_mutex_unlock(&session->core->lock);
}

bool session_check(struct session *session, struct err *err)
{
	const bool cancelled = session->progress && progress_cancelled(session->progress);
	if (!cancelled && !atomic_load(&session->interrupted))
		return true;
	session->fault = (struct fault){.kind = FAULT_KIND_INTERRUPT, .sqlstate = "57014"};
	if (atomic_load(&session->timed_out))
		return err_set(err, ERR_TIMEOUT, "The statement took longer than allowed");
	return err_set(err, ERR_CANCELLED, "The statement was cancelled");
}

bool session_begin(struct session *session, struct err *err)
{
	struct core *core = session->core;
	atomic_store_explicit(&session->interrupted, false, memory_order_release);
	atomic_store_explicit(&session->timed_out, false, memory_order_release);
	atomic_store_explicit(&session->starved, false, memory_order_release);
	session_planning(session, false);
	const int64_t now = clock_ns();
	atomic_store_explicit(&session->deadline_ns, session->timeout_ns ? now + session->timeout_ns : 0,
			      memory_order_release);
	atomic_store_explicit(&session->in_engine, true, memory_order_release);
	/* Before `parked` is read: the watch goes to sleep when it sees nothing started. */
	atomic_store(&session->started_ns, now);
	atomic_fetch_add_explicit(&session->instance->statements, 1, memory_order_relaxed);
	if (atomic_load(&core->parked)) {
		pthread_mutex_lock(&core->lock);
		atomic_store(&core->parked, false);
		pthread_cond_broadcast(&core->wake);
		pthread_mutex_unlock(&core->lock);
	}
	if (session_check(session, err))
		return true;
	session_end(session);
	return false;
}

void session_planning(struct session *session, bool planning)
{
	allowance_enter(session->core->allowance, planning ? &session->starved : NULL);
}

void session_end(struct session *session)
{
	allowance_enter(NULL, NULL);
	atomic_store_explicit(&session->in_engine, false, memory_order_release);
	atomic_store_explicit(&session->deadline_ns, 0, memory_order_release);
	pthread_mutex_lock(&session->gate);
	atomic_store_explicit(&session->started_ns, 0, memory_order_release);
	pthread_mutex_unlock(&session->gate);
}

bool session_skip_figures(struct session *session, struct err *err)
{
	/* Naming the figures turns on what prints them. */
	session->skips_figures =
		session_run(session, "SET custom_profiling_settings = '{}'; PRAGMA disable_profiling", err);
	return session->skips_figures;
}

void session_watch_peaks(struct session *session)
{
	atomic_store(&session->wants_peaks, true);
}

struct session_peaks session_take_peaks(struct session *session)
{
	/* Nearly always nothing was seen, and reading is cheaper than exchanging. */
	struct session_peaks seen = {0};
	if (atomic_load_explicit(&session->memory_peak, memory_order_relaxed))
		seen.memory_bytes = atomic_exchange(&session->memory_peak, 0);
	if (atomic_load_explicit(&session->temp_peak, memory_order_relaxed))
		seen.temp_bytes = atomic_exchange(&session->temp_peak, 0);
	return seen;
}

void session_measure(struct session *session)
{
	duckdb_result result;
	if (!session->skips_figures)
		return;
	session->skips_figures =
		duckdb_query(session->connection, "RESET custom_profiling_settings", &result) != DuckDBSuccess;
	duckdb_destroy_result(&result);
}

static bool run_one(struct statements *list, size_t i, uint64_t *ret_changed, struct err *err)
{
	struct statement *statement;
	if (!statements_prepare(list, i, &statement, err))
		return false;
	const bool ok = statement_run(statement, ret_changed, err);
	statement_free(statement);
	return ok;
}

bool session_run_count(struct session *session, const char *sql, uint64_t *ret_changed, struct err *err)
{
	struct statements *list;
	size_t count;
	if (!statements_parse(session, sql, &list, &count, err))
		return false;
	bool ok = true;
	*ret_changed = 0;
	for (size_t i = 0; ok && i < count; i++)
		ok = run_one(list, i, ret_changed, err);
	statements_free(list);
	return ok;
}

bool session_run(struct session *session, const char *sql, struct err *err)
{
	uint64_t changed;
	return session_run_count(session, sql, &changed, err);
}

bool session_recover(struct session *session)
{
	struct err ignored = ERR_INIT;
	int64_t one;
	if (session->aborted && session_int(session, "SELECT 1::BIGINT", &one, &ignored))
		session->aborted = false;
	return !session->aborted;
}

/* Loads the chunk with the first row. */
static bool query_row(struct session *session, const char *sql, struct cursor **ret, struct err *err)
{
	size_t rows;
	if (!session_query(session, sql, ret, err))
		return false;
	if (cursor_next(*ret, &rows, err)) {
		if (rows > 0)
			return true;
		(void)err_set(err, ERR_ENGINE, "The engine gave no row where one must be");
	}
	cursor_close(*ret);
	return false;
}

bool session_int(struct session *session, const char *sql, int64_t *ret, struct err *err)
{
	struct cursor *c;
	if (!query_row(session, sql, &c, err))
		return false;
	*ret = cursor_int(c, 0, 0);
	cursor_close(c);
	return true;
}

bool session_text(struct session *session, const char *sql, struct arena *arena, const char **ret, struct err *err)
{
	struct cursor *c;
	if (!query_row(session, sql, &c, err))
		return false;
	*ret = cursor_is_null(c, 0, 0) ? NULL : arena_copy(arena, cursor_text(c, 0, 0));
	cursor_close(c);
	return true;
}
