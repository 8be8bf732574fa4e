/* The loop of a session, and what every part of it sends. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/pool.h"
#include "engine/magazine.h"
#include "metrics/metrics.h"
#include "pgwire/backend.h"
#include "pgwire/constraints.h"
#include "pgwire/wording.h"
#include "pgwire/registry.h"
#include "storage/storage.h"

#include <stdlib.h>

#define REST_NS (NS_PER_S / 2)

static const char ENGINE_FAILED[] = "the workspace's engine failed and is being restarted; connect again";

void backend_error(struct backend *b, struct pg_error *e)
{
	message_error(&b->conn.out, e);
	transaction_failed(b);
	if (e->severity == PG_FATAL) {
		int runs = BACKEND_RUNS;
		(void)atomic_compare_exchange_strong(&b->end, &runs, BACKEND_TERMINATED);
		(void)conn_flush(&b->conn);
		b->conn.broken = true;
	}
}

void backend_fatal(struct backend *b, const char *sqlstate, const char *text)
{
	struct pg_error e = PG_ERROR_INIT;
	(void)pg_fatal_set(&e, sqlstate, "%s", text);
	backend_error(b, &e);
}

void backend_notice(struct backend *b, enum pg_severity severity, const char *sqlstate, const char *text)
{
	static const char *const above_notice[] = {"warning", "error"};
	const char *least = guc_text(&b->gucs, GUC_client_min_messages);
	struct pg_error e = PG_ERROR_INIT;
	if (strcmp(least, above_notice[1]) == 0 || (severity != PG_WARNING && strcmp(least, above_notice[0]) == 0))
		return;
	pg_notice_set(&e, severity, sqlstate, "%s", text);
	message_error(&b->conn.out, &e);
}

void backend_ready(struct backend *b)
{
	const char *name, *value;
	transaction_tidy(b);
	while (guc_next_report(&b->gucs, &name, &value))
		message_parameter_status(&b->conn.out, span_of(name), span_of(value));
	message_ready(&b->conn.out, b->block);
	atomic_store(&b->shown_block, b->block);
	(void)pthread_mutex_lock(&b->guard);
	b->state_us = clock_unix_us();
	(void)pthread_mutex_unlock(&b->guard);
}

bool backend_interrupt(struct backend *b)
{
	bool hit = false;
	(void)pthread_mutex_lock(&b->guard);
	if (b->engine && (atomic_load(&b->running) || atomic_load(&b->planning))) {
		atomic_store(&b->cancelled, true);
		session_interrupt(b->engine);
		hit = true;
	}
	(void)pthread_mutex_unlock(&b->guard);
	return hit;
}

static const char *end_text(struct backend *b, const char **ret_sqlstate)
{
	switch ((enum backend_end)atomic_load(&b->end)) {
	case BACKEND_IDLE:
		*ret_sqlstate = "57P05";
		return "terminating connection due to idle-session timeout";
	case BACKEND_FAILED:
		*ret_sqlstate = "57P03";
		return ENGINE_FAILED;
	case BACKEND_RUNS:
		return NULL;
	default:
		*ret_sqlstate = "57P01";
		return "terminating connection due to administrator command";
	}
}

/* Why the statement was interrupted; always false. */
static bool interrupted(struct backend *b, struct pg_error *e)
{
	const char *sqlstate;
	const char *end = end_text(b, &sqlstate);
	atomic_store(&b->cancelled, false);
	if (end)
		return pg_fatal_set(e, sqlstate, "%s", end);
	if (!atomic_exchange(&b->full, false))
		return pg_error_set(e, "57014", "canceling statement due to user request");
	b->was_full = true;
	return pg_error_set(e, "53100", "The workspace has reached its size limit of %lld GB",
			    (long long)(workspace_size_limit(b->wi) / (int64_t)GIB));
}

bool backend_cancelled(struct backend *b, struct pg_error *e)
{
	return atomic_load(&b->cancelled) && !interrupted(b, e);
}

bool backend_stopped(struct backend *b, struct pg_error *e)
{
	if (backend_cancelled(b, e))
		return true;
	return b->until_ns && clock_ns() > b->until_ns &&
	       !pg_error_set(e, "57014", "canceling statement due to statement timeout");
}

bool backend_engine_error(struct backend *b, const struct err *err, const struct rewritten *rewritten,
			  const struct stmt *stmt, struct pg_error *e)
{
	const struct fault *fault = session_fault(b->engine);
	if (workspace_failed(b->wi))
		return pg_fatal_set(e, "57P03", "%s", ENGINE_FAILED);
	if (err->code == ERR_TIMEOUT)
		return pg_error_set(e, "57014", "canceling statement due to statement timeout");
	if (err->code == ERR_CANCELLED)
		return interrupted(b, e);
	if (err->code != ERR_ENGINE_REFUSED || fault->kind == FAULT_KIND_NONE)
		return pg_error_from(e, err);
	(void)pg_error_engine(e, fault->sqlstate, span_of(fault->message[0] ? fault->message : err->message));
	if (fault->position > 0 && rewritten && stmt && span_is_utf8(rewritten->sql)) {
		/* Characters to bytes in the text the engine saw, and back in the client's. */
		size_t at = 0;
		for (size_t n = fault->position; at < rewritten->sql.len && n > 1; at++)
			n -= at + 1 >= rewritten->sql.len || (rewritten->sql.ptr[at + 1] & 0xc0) != 0x80;
		e->position = sqlstate_position(stmt->text, rewrite_origin(rewritten, at));
	}
	const struct span said = span_of(arena_strdup(b->work, fault->message));
	wording_apply(e, stmt, b->work);
	constraints_tell(b, stmt, said, e);
	return false;
}

/* Told to end from outside: says so, once. */
static bool told_to_end(struct backend *b)
{
	const char *sqlstate;
	const char *text = end_text(b, &sqlstate);
	if (!text || b->conn.broken)
		return text != NULL;
	backend_fatal(b, sqlstate, text);
	return true;
}

/* 0: for ever. */
static int64_t idle_time(const struct backend *b, const char **ret_sqlstate, const char **ret_text)
{
	int64_t idle = b->door->storage->settings->pgwire_idle_timeout * NS_PER_S;
	int64_t own = guc_int(&b->gucs, GUC_idle_session_timeout) * NS_PER_MS;
	*ret_sqlstate = "57P05";
	*ret_text = "terminating connection due to idle-session timeout";
	if (b->block != 'I') {
		own = guc_int(&b->gucs, GUC_idle_in_transaction_session_timeout) * NS_PER_MS;
		if (own > 0 && (!idle || own < idle)) {
			*ret_sqlstate = "25P03";
			*ret_text = "terminating connection due to idle-in-transaction timeout";
		}
	}
	if (own > 0 && (!idle || own < idle))
		idle = own;
	return idle;
}

/* Between two messages. A client that says nothing for a while may be one of thousands: what the wait needs not goes. */
static enum conn_event wait_idle(struct backend *b, int64_t wait_ns)
{
	if (wait_ns && wait_ns <= REST_NS)
		return conn_read(&b->conn, wait_ns);
	const enum conn_event event = conn_read(&b->conn, REST_NS);
	if (event != CONN_TIMEOUT)
		return event;
	conn_rest(&b->conn);
	arena_shed(b->work);
	arena_free(b->spare);
	b->spare = NULL;
	magazine_shed();
	thread_shed_stack();
	return conn_read(&b->conn, wait_ns ? wait_ns - REST_NS : 0);
}

static size_t body_max(const struct backend *b)
{
	return (size_t)b->door->storage->settings->pgwire_message_max;
}

/* Up to a whole message; with ret_quiet only for a tick. */
static bool next_message(struct backend *b, struct message_frame *ret, bool *ret_quiet)
{
	struct pg_error e;
	for (;;) {
		enum message_state state = message_frame(conn_view(&b->conn), body_max(b), ret, &e);
		if (state == MESSAGE_READY)
			return true;
		if (state == MESSAGE_BAD) {
			e.severity = PG_FATAL;
			backend_error(b, &e);
			return false;
		}
		/* What stands in the buffer already needed no answer first: pipelines are answered in one go. */
		if (!conn_flush(&b->conn) || told_to_end(b))
			return false;
		const char *sqlstate, *text;
		switch (ret_quiet ? conn_read(&b->conn, BACKEND_TICK_MS * NS_PER_MS)
				  : wait_idle(b, idle_time(b, &sqlstate, &text))) {
		case CONN_DATA:
			b->heard_us = clock_unix_us();
			pg_session_touch(b->registered, b->heard_us, false);
			break;
		case CONN_CLOSED:
			(void)told_to_end(b);
			return false;
		case CONN_TIMEOUT:
			if (ret_quiet)
				return *ret_quiet = true;
			backend_fatal(b, sqlstate, text);
			return false;
		}
	}
}

bool backend_message(struct backend *b, struct message_frame *ret)
{
	return next_message(b, ret, NULL);
}

bool backend_message_or_tick(struct backend *b, struct message_frame *ret, bool *ret_quiet)
{
	*ret_quiet = false;
	return next_message(b, ret, ret_quiet);
}

static void refuse(struct backend *b, enum pg_severity severity, const char *sqlstate, const char *text)
{
	struct pg_error e;
	pg_notice_set(&e, severity, sqlstate, "%s", text);
	backend_error(b, &e);
}

static void dispatch(struct backend *b, const struct message_frame *m)
{
	switch (m->type) {
	case 'Q':
		if (!b->skipping)
			simple_query(b, m->body);
		return;
	case 'P':
	case 'B':
	case 'D':
	case 'E':
	case 'C':
		extended_message(b, m);
		return;
	case 'S':
	case 'H':
		if (m->body.len == 0) {
			extended_message(b, m);
			return;
		}
		refuse(b, PG_FATAL, "08P01", "invalid message format");
		return;
	case 'F':
		if (b->skipping)
			return;
		refuse(b, PG_ERROR, "0A000", "function calls of the protocol are not supported");
		backend_ready(b);
		return;
	case 'd':
	case 'c':
	case 'f':
		/* Left over from a COPY that failed. */
		return;
	default:
		refuse(b, PG_FATAL, "08P01",
		       arena_printf(b->work, "invalid frontend message type %d", (unsigned char)m->type));
	}
}

void backend_serve(struct backend *b)
{
	struct message_frame m;
	while (!b->conn.broken) {
		if (!backend_message(b, &m) || m.type == 'X')
			return;
		if (told_to_end(b))
			return;
		/* Out of the buffer first: COPY reads on while its statement runs. */
		size_t size = m.size;
		m.body = (struct span){arena_copy(b->work, m.body), m.body.len};
		conn_take(&b->conn, size);
		dispatch(b, &m);
		arena_reset(b->work);
		if (workspace_is_doomed(b->wi)) {
			int runs = BACKEND_RUNS;
			(void)atomic_compare_exchange_strong(
				&b->end, &runs, workspace_failed(b->wi) ? BACKEND_FAILED : BACKEND_TERMINATED);
			(void)told_to_end(b);
		}
	}
}

void session_end_backend(struct backend *b)
{
	(void)pthread_mutex_lock(&b->door->lock);
	atomic_store(&b->serving, false);
	(void)pthread_mutex_unlock(&b->door->lock);
	(void)conn_flush(&b->conn);
	extended_done(b);
	(void)pthread_mutex_lock(&b->guard);
	struct session *engine = b->engine;
	b->engine = NULL;
	(void)pthread_mutex_unlock(&b->guard);
	transaction_drop(b);
	free(b->savepoints);
	session_close(engine);
	if (b->wi)
		workspace_release(b->wi);
	if (b->active)
		metric_gauge_add(b->active, -1);
	metric_tenant_release(b->active);
	metric_tenant_release(b->duration);
	metric_tenant_release(b->succeeded);
	metric_tenant_release(b->slow);
	arena_free(b->known.arena);
	/* Last: a client that sees its session gone may count on all of the above. */
	pg_session_close(b->registered);
}
