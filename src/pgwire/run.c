/* From a statement's text to rows on the socket. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "metrics/metrics.h"
#include "pgwire/backend.h"
#include "pgwire/catalog_columns.h"
#include "pgwire/types.h"
#include "pgwire/fingerprint.h"
#include "storage/statement_stats.h"
#include "storage/storage.h"

#include <stdlib.h>

/* Forms of a statement that are tried. */
enum { FORMS_MAX = 32 };

int64_t run_begin(struct backend *b, struct span text)
{
	(void)pthread_mutex_lock(&b->guard);
	const struct span shown = span_first_utf8(text, sizeof(b->query) - 1);
	memcpy(b->query, shown.ptr, shown.len);
	b->query[shown.len] = '\0';
	b->query_us = b->state_us = clock_unix_us();
	atomic_store(&b->cancelled, false);
	atomic_store_explicit(&b->full, false, memory_order_relaxed);
	b->statement_rows = 0;
	b->statement_spooled = 0;
	atomic_store(&b->running, true);
	(void)pthread_mutex_unlock(&b->guard);
	const int64_t timeout = gucs_timeout_ns(b), now = clock_ns();
	session_set_timeout(b->engine, timeout);
	b->until_ns = timeout ? now + timeout : 0;
	return now;
}

/* Asking for the plan must not fail inside of a transaction, which would end it: there only what was read is explained. */
static bool is_explained(struct backend *b, struct span text, bool failed)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct stmt s;
	if (b->block != 'I' || b->streaming || text.len > STATEMENT_TEXT_MAX || !stmt_next(&text, &s, &ignored))
		return false;
	bool in_transaction = session_in_transaction(b->engine);
	return !s.parameters && (s.kind == STMT_SELECT || (s.class == STMT_DML && !in_transaction)) &&
	       !(failed && in_transaction);
}

static bool prepare(struct backend *b, const struct stmt *s, struct arena *arena, struct statement **ret,
		    struct pg_error *e);

static const char *explain(struct backend *b, struct span text)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct err err = ERR_INIT;
	struct stmt s;
	struct statement *statement = NULL;
	struct cursor *cursor = NULL;
	const char *plan = NULL;
	const uint64_t changes = b->changes;
	size_t rows;
	struct span rest = span_of(arena_printf(b->work, "EXPLAIN %.*s", SPAN_ARG(text)));
	session_set_timeout(b->engine, NS_PER_S);
	if (stmt_next(&rest, &s, &ignored) && prepare(b, &s, b->work, &statement, &ignored) && statement &&
	    statement_query(statement, &cursor, &err) && cursor_next(cursor, &rows, &err) && rows)
		plan = arena_copy(b->work, cursor_text(cursor, cursor_column_count(cursor) - 1, 0));
	cursor_close(cursor);
	statement_free(statement);
	session_set_timeout(b->engine, 0);
	b->changes = changes;
	return plan;
}

static void log_slow(struct backend *b, const struct statement_call *call, const char *status, struct span text)
{
	char shown[512], id[24];
	(void)snprintf(shown, sizeof(shown), "%.*s", SPAN_ARG(span_first_utf8(text, sizeof(shown) - 1)));
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)call->query_id);
	const char *plan = is_explained(b, text, call->failed) ? explain(b, text) : NULL;
	metric_inc(b->slow);
	log_event(LOG_WARN, "slow statement", "workspace", LOG_S(b->workspace.id), "user", LOG_S(b->user), "session",
		  LOG_S(pg_session_id(b->registered)), "seconds", LOG_F((double)call->took_ns / 1e9), "status",
		  LOG_S(status), "rows", LOG_I((int64_t)call->rows), "memory_peak_bytes", LOG_I(call->memory_bytes),
		  "temp_bytes", LOG_I(call->temp_bytes), "query_id", LOG_S(id), "sql", LOG_S(shown), "plan",
		  LOG_S(plan ? plan : ""), NULL);
}

/* Nearly all statements of a session succeed: that series is looked up once. */
static void count(struct backend *b, bool failed, const char *status)
{
	if (!failed && b->succeeded) {
		metric_inc(b->succeeded);
		return;
	}
	struct series *queries = metric_tenant_series(METRIC_PGWIRE_QUERIES_TOTAL, b->workspace.id, status, NULL);
	metric_inc(queries);
	if (failed)
		metric_tenant_release(queries);
	else
		b->succeeded = queries;
}

static struct fingerprint fingerprint(struct backend *b, struct span text)
{
	if (b->known.arena && span_eq(text, b->known.text))
		return b->known.is;
	if (text.len > STATEMENT_TEXT_MAX)
		return fingerprint_of(text, b->work);
	if (b->known.arena)
		arena_reset(b->known.arena);
	else
		b->known.arena = arena_new();
	b->known.text = arena_span(b->known.arena, text);
	b->known.is = fingerprint_of(text, b->known.arena);
	return b->known.is;
}

/* Counts the statement. */
static void note(struct backend *b, int64_t took_ns, const struct pg_error *failed, struct span text)
{
	const char *status = "success";
	if (failed && strcmp(failed->sqlstate, "57014") == 0)
		status = strstr(failed->message, "timeout") ? "timeout" : "cancelled";
	else if (failed)
		status = "error";
	count(b, failed != NULL, status);
	metric_observe(b->duration, (double)took_ns / 1e9);
	const struct fingerprint f = fingerprint(b, text);
	const struct session_peaks peaks = session_take_peaks(b->engine);
	const struct statement_call call = {.workspace_id = b->workspace.id,
					    .user = b->user,
					    .query_id = f.id,
					    .query = f.query,
					    .took_ns = took_ns,
					    .ended_us = b->query_us + took_ns / 1000,
					    .rows = b->statement_rows,
					    .memory_bytes = peaks.memory_bytes,
					    .temp_bytes = peaks.temp_bytes + (int64_t)b->statement_spooled,
					    .failed = failed != NULL};
	statement_stats_note(b->door->storage->statements, &call);
	if (took_ns >= b->door->storage->settings->slow_query_ms * NS_PER_MS)
		log_slow(b, &call, status, text);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

void run_end(struct backend *b, int64_t start_ns, const struct pg_error *failed, struct span text)
{
	const int64_t took_ns = clock_ns() - start_ns;
	atomic_store(&b->running, false);
	atomic_store_explicit(&b->size_before, -1, memory_order_relaxed);
	if (b->block == 'I' && !b->implicit)
		b->unwritten_before = -1;
	session_set_timeout(b->engine, 0);
	pg_session_touch(b->registered, b->query_us + took_ns / 1000, true);
	add(&b->statements_run, 1);
	add(&b->rows_sent, b->statement_rows);
	if (OBSERVABILITY)
		note(b, took_ns, failed, text);
}

static struct message_column column_of(const struct cursor_column *from, struct arena *arena)
{
	return (struct message_column){.name = span_of(arena_strdup(arena, from->name)),
				       .type_oid = type_pg_oid(from->type),
				       .type_len = type_pg_len(from->type),
				       .type_mod = type_pg_mod(from->type)};
}

void run_columns(struct backend *b, struct statement *statement, const struct stmt *s, struct arena *arena,
		 struct message_column **ret, size_t *ret_count)
{
	const size_t n = statement_column_count(statement);
	const struct cursor_column *from = statement_columns(statement);
	struct message_column *columns = arena_array(arena, struct message_column, n);
	const struct type **types = arena_array(arena, const struct type *, n);
	for (size_t i = 0; i < n; i++) {
		types[i] = from[i].type;
		columns[i] = column_of(&from[i], arena);
	}
	if (s && (s->mentions & MENTIONS_CATALOG))
		catalog_columns(s, arena, types, columns, n);
	if (s)
		origins_tell(b, s, arena, types, columns, n);
	*ret = columns;
	*ret_count = n;
}

void run_cursor_columns(struct backend *b, const struct cursor *cursor, struct arena *arena,
			struct message_column **ret, size_t *ret_count)
{
	const size_t n = cursor_column_count(cursor);
	struct message_column *columns = arena_array(arena, struct message_column, n);
	for (size_t i = 0; i < n; i++) {
		columns[i] = column_of(&cursor_columns(cursor)[i], arena);
		columns[i].type_oid = origins_type(b, cursor_columns(cursor)[i].type);
	}
	*ret = columns;
	*ret_count = n;
}

bool run_sql(struct backend *b, const char *sql, struct pg_error *e)
{
	struct err err = ERR_INIT;
	if (!run_spool(b, e))
		return false;
	return session_run(b->engine, sql, &err) || backend_engine_error(b, &err, NULL, NULL, e);
}

/* The constant NULL, not that of a condition: IS [NOT] NULL. */
static bool has_null(struct span text)
{
	struct lexer lx = {text};
	struct token before = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; before = t, t = lexer_next(&lx))
		if (token_is(t, "null") && !token_is(before, "is") && !token_is(before, "not"))
			return true;
	return false;
}

/* All statements of a list but the last run here; the last is the one the client asked for. */
static bool prepare_list(struct backend *b, const struct stmt *s, const struct rewritten *r, struct arena *arena,
			 struct statement **ret, struct pg_error *e)
{
	struct err err = ERR_INIT;
	struct statements *list;
	size_t count;
	uint64_t changed;
	*ret = NULL;
	if (!statements_parse(b->engine, arena_copy(arena, r->sql), &list, &count, &err))
		return backend_engine_error(b, &err, r, s, e);
	/* Several that were made of one are carried out as one. */
	bool fine = count < 2 || transaction_begin_implicit(b, e);
	for (size_t i = 0; fine && i < count; i++) {
		struct statement *statement;
		fine = statements_prepare(list, i, &statement, &err) || backend_engine_error(b, &err, r, s, e);
		if (!fine)
			break;
		fine = filter_type(s, statement_type(statement), e);
		if (fine && i + 1 == count) {
			if (count == 1 && s->returns_rows && has_null(s->text))
				statement_find_untyped(statement);
			*ret = statement;
			break;
		}
		if (fine)
			fine = statement_run(statement, &changed, &err) || backend_engine_error(b, &err, r, s, e);
		statement_free(statement);
	}
	statements_free(list);
	return fine;
}

/* What the client did not write has no place in its text. */
static bool prepare_expanded(struct backend *b, const struct stmt *s, struct arena *arena, struct statement **ret,
			     struct pg_error *e)
{
	if (prepare(b, s, arena, ret, e))
		return true;
	e->position = 0;
	return false;
}

/* What is refused is tried in another form while there is one; the last refusal is told. */
static bool prepare_forms(struct backend *b, const struct stmt *s, struct rewrite_hooks *hooks, struct arena *arena,
			  struct statement **ret, struct pg_error *e)
{
	for (size_t forms = 0; forms < FORMS_MAX; forms++) {
		struct rewritten r;
		if (!rewrite(s, hooks, arena, &r, e) || (r.sql.ptr != s->text.ptr && !filter_rewritten(b, r.sql, e)))
			return false;
		if (prepare_list(b, s, &r, arena, ret, e))
			return true;
		if (!refused_note(b, s, e, hooks) || !session_recover(b->engine))
			return false;
		*e = PG_ERROR_INIT;
	}
	return false;
}

static bool prepare(struct backend *b, const struct stmt *s, struct arena *arena, struct statement **ret,
		    struct pg_error *e)
{
	struct rewrite_hooks hooks;
	struct stmt expanded;
	if (!filter_statement(b, s, e) || !run_spool(b, e) || !like_expand(b, s, &expanded, e))
		return false;
	if (expanded.text.ptr != s->text.ptr)
		return prepare_expanded(b, &expanded, arena, ret, e);
	if ((s->mentions & MENTIONS_TEMP) && !b->has_temp) {
		b->has_temp = true;
		b->plan_settings++;
	}
	if ((s->mentions & (MENTIONS_CATALOG | MENTIONS_FUNCTION)) && !tables_catalog(b, e))
		return false;
	gucs_engine_first(b, s);
	(void)tables_hooks(b, &hooks);
	return tables_attach(b, s, e) && identity_check(b, s, &hooks, e) && prepare_forms(b, s, &hooks, arena, ret, e);
}

/* What Parse and Bind plan has as long as a statement that runs, and can be cancelled like one. */
bool run_prepare(struct backend *b, const struct stmt *s, struct arena *arena, struct statement **ret,
		 struct pg_error *e)
{
	b->has_queried = true;
	if (atomic_load(&b->running))
		return prepare(b, s, arena, ret, e);
	session_set_timeout(b->engine, gucs_timeout_ns(b));
	atomic_store(&b->cancelled, false);
	atomic_store(&b->planning, true);
	const bool fine = prepare(b, s, arena, ret, e);
	/* A cancel that came too late must not hit what follows. */
	(void)pthread_mutex_lock(&b->guard);
	atomic_store(&b->planning, false);
	atomic_store(&b->cancelled, false);
	(void)pthread_mutex_unlock(&b->guard);
	session_set_timeout(b->engine, 0);
	return fine;
}

bool run_start(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct err err = ERR_INIT;
	if (!run_spool(b, e))
		return false;
	p->started = true;
	p->cut = true; /* unless the following goes well */
	if (!p->statement) {
		p->cut = false;
		p->over = true;
		return true;
	}
	if (backend_cancelled(b, e))
		return false;
	b->has_queried = true;
	gucs_engine_first(b, &p->stmt);
	if (!b->pinned) {
		p->pin = workspace_pin(b->wi);
		p->pinned = true;
	}
	if (!statement_query(p->statement, &p->cursor, &err))
		return backend_engine_error(b, &err, NULL, &p->stmt, e);
	p->changed = cursor_rows_changed(p->cursor);
	p->cut = false;
	b->streaming = p;
	return true;
}

void portal_tell(struct backend *b, struct portal *p)
{
	if (p->tells_columns)
		message_row_description(&b->conn.out, p->columns, p->column_count);
	p->tells_columns = false;
}

bool portal_send(struct backend *b, struct portal *to, const struct row *row, size_t columns, struct pg_error *e)
{
	portal_tell(b, to);
	struct buf *out = &b->conn.out;
	const size_t before = out->len, start = message_begin(out, 'D');
	encode_pg_row(row->vectors, columns, row->at, to->formats, &b->style, out);
	message_end(out, start);
	if (out->failed || out->len - start > MESSAGE_BODY_MAX) {
		buf_cut(out, before, CONN_OUT_MAX);
		return pg_error_set(e, "54000", "a row is too long: its message may have 1 GiB");
	}
	return conn_push(&b->conn) || pg_fatal_set(e, "08006", "the client is gone");
}

/* A statement that answers a count has one row that nobody wants. */
static bool count_changes(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct err err = ERR_INIT;
	size_t rows = 1;
	while (p->cursor && rows) {
		if (!cursor_next(p->cursor, &rows, &err)) {
			(void)backend_engine_error(b, &err, NULL, &p->stmt, e);
			run_drop(b, p);
			return false;
		}
		if (rows && cursor_has_rows(p->cursor))
			p->changed = (uint64_t)cursor_int(p->cursor, 0, 0);
	}
	run_drop(b, p);
	p->over = true;
	return true;
}

static bool send_rows(struct backend *b, struct portal *p, uint64_t max, bool *ret_more, struct pg_error *e)
{
	struct row row;
	for (;;) {
		*ret_more = max && p->sent == max;
		if (*ret_more)
			return true;
		if (!rows_next(b, p, &row, e))
			return false;
		if (!row.vectors)
			return true;
		if (!portal_send(b, p, &row, p->column_count, e))
			return false;
		p->sent++;
	}
}

bool run_rows(struct backend *b, struct portal *p, uint64_t max, bool *ret_more, struct pg_error *e)
{
	uint64_t kept;
	*ret_more = false;
	if (!p->stmt.returns_rows && !(p->cursor && p->column_count))
		return count_changes(b, p, e);
	p->sent = 0;
	if (!p->fetch || p->filled)
		return send_rows(b, p, max, ret_more, e);
	/* A FETCH moves its cursor all the way, also when the client takes the rows in parts. */
	if (!max)
		return cursors_fetch(b, p, false, &p->sent, e);
	return cursors_fetch(b, p, true, &kept, e) && send_rows(b, p, max, ret_more, e);
}
