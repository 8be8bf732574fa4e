/* From the first byte of a connection to ReadyForQuery. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "metrics/metrics.h"
#include "pgwire/backend.h"
#include "pgwire/registry.h"
#include "pgwire/scram.h"
#include "storage/storage.h"

enum { TLS_HANDSHAKE = 0x16, THROTTLE_FAILURES = 10, THROTTLE_SECONDS = 30 };

struct login {
	struct backend *b;
	struct arena *arena; /* until the session is admitted */
	struct startup s;
	int64_t deadline_ns;
	bool asked_ssl, asked_gss;
	bool found;
	struct scram_verifier verifier;
};

static void count_login(const char *status)
{
	metric_inc(metric_series(METRIC_PGWIRE_CONNECTIONS_TOTAL, status, NULL));
	/* A wrong password and an unknown user are told apart nowhere. */
	bool expired = strcmp(status, "expired") == 0;
	if (expired || strcmp(status, "auth_failed") == 0)
		metric_inc(metric_series(METRIC_AUTH_FAILURES_TOTAL, "pgwire", expired ? "expired" : "unknown", NULL));
}

static void reject(const char *reason)
{
	metric_inc(metric_series(METRIC_REQUESTS_REJECTED_TOTAL, "pgwire", reason, NULL));
}

static size_t throttle_slot(const char *peer, struct span user, uint64_t *ret_key)
{
	*ret_key = span_hash(span_of(peer)) * 31 + span_hash(user);
	return *ret_key % ARRAY_LEN(((struct pg_door *)0)->throttle);
}

bool throttle_blocks(struct pg_door *door, const char *peer, struct span user)
{
	uint64_t key;
	size_t i = throttle_slot(peer, user, &key);
	(void)pthread_mutex_lock(&door->lock);
	bool blocks = door->throttle[i].key == key && door->throttle[i].failures >= THROTTLE_FAILURES &&
		      clock_ns() - door->throttle[i].last_ns < THROTTLE_SECONDS * NS_PER_S;
	(void)pthread_mutex_unlock(&door->lock);
	return blocks;
}

void throttle_note(struct pg_door *door, const char *peer, struct span user, bool failed)
{
	uint64_t key;
	size_t i = throttle_slot(peer, user, &key);
	(void)pthread_mutex_lock(&door->lock);
	bool stale = clock_ns() - door->throttle[i].last_ns >= THROTTLE_SECONDS * NS_PER_S;
	if (door->throttle[i].key != key || stale || !failed)
		door->throttle[i].failures = 0;
	door->throttle[i].key = key;
	door->throttle[i].failures += failed;
	door->throttle[i].last_ns = clock_ns();
	(void)pthread_mutex_unlock(&door->lock);
}

static bool refuse(struct backend *b, const struct pg_error *e)
{
	message_error(&b->conn.out, e);
	(void)conn_flush(&b->conn);
	return false;
}

static bool refuse_text(struct backend *b, const char *sqlstate, const char *text)
{
	struct pg_error e = PG_ERROR_INIT;
	(void)pg_fatal_set(&e, sqlstate, "%s", text);
	return refuse(b, &e);
}

static bool more(struct login *l)
{
	const int64_t left = l->deadline_ns - clock_ns();
	enum conn_event event = left > 0 ? conn_read(&l->b->conn, left) : CONN_TIMEOUT;
	if (event == CONN_TIMEOUT)
		reject("slow_client");
	return event == CONN_DATA;
}

/* The next first packet. Its body stays in the input buffer until the next read. */
static bool first_packet(struct login *l, struct message_frame *ret)
{
	struct backend *b = l->b;
	struct pg_error e = PG_ERROR_INIT;
	for (;;) {
		switch (message_startup_frame(conn_view(&b->conn), ret, &e)) {
		case MESSAGE_READY:
			return true;
		case MESSAGE_BAD:
			reject("bad_request");
			e.severity = PG_FATAL;
			return refuse(b, &e);
		case MESSAGE_MORE:
			if (!more(l))
				return false;
		}
	}
}

static bool start_tls(struct login *l, bool direct)
{
	struct backend *b = l->b;
	/* Plaintext behind the request may be another's: it would be taken for the client's own. */
	bool fine = conn_view(&b->conn).len == 0 && conn_start_tls(&b->conn, b->door->tls, l->deadline_ns, direct);
	if (!fine)
		reject(clock_ns() >= l->deadline_ns ? "slow_client" : "tls");
	return fine;
}

/* SSLRequest and GSSENCRequest: one byte answers. */
static bool answer_probe(struct login *l)
{
	struct backend *b = l->b;
	bool is_ssl = l->s.kind == STARTUP_SSL;
	bool *asked = is_ssl ? &l->asked_ssl : &l->asked_gss;
	bool yes = is_ssl && b->door->tls && !b->conn.tls;
	if (*asked) {
		reject("bad_request");
		return refuse_text(b, "08P01", "encryption was already asked for");
	}
	*asked = true;
	buf_byte(&b->conn.out, yes ? 'S' : 'N');
	return conn_flush(&b->conn) && (!yes || start_tls(l, false));
}

/* Up to the startup packet of a login. */
static bool negotiate(struct login *l)
{
	struct backend *b = l->b;
	struct message_frame frame;
	struct pg_error e = PG_ERROR_INIT;
	char *copy;
	if (conn_read_first(&b->conn, l->deadline_ns) == TLS_HANDSHAKE && (!b->door->tls || !start_tls(l, true)))
		return false;
	for (;;) {
		if (!first_packet(l, &frame))
			return false;
		copy = arena_copy(l->arena, frame.body);
		conn_take(&b->conn, frame.size);
		if (!startup_decode((struct span){copy, frame.body.len}, &l->s, &e)) {
			reject("bad_request");
			e.severity = PG_FATAL;
			return refuse(b, &e);
		}
		if (l->s.kind == STARTUP_LOGIN)
			return true;
		if (l->s.kind == STARTUP_CANCEL) {
			registry_cancel(b->door, l->s.pid, l->s.key);
			return false;
		}
		if (!answer_probe(l))
			return false;
	}
}

static bool password_message(struct login *l, struct message_frame *ret)
{
	struct backend *b = l->b;
	struct pg_error e = PG_ERROR_INIT;
	for (;;) {
		enum message_state state = message_frame(conn_view(&b->conn), MESSAGE_AUTH_MAX, ret, &e);
		if (state == MESSAGE_BAD || (state == MESSAGE_READY && ret->type != 'p' && ret->type != 'X')) {
			reject("bad_request");
			return refuse_text(b, "08P01", "expected password response");
		}
		if (state == MESSAGE_READY)
			return ret->type == 'p';
		if (!more(l))
			return false;
	}
}

static bool wrong_password(struct login *l)
{
	struct pg_error e = PG_ERROR_INIT;
	throttle_note(l->b->door, l->b->conn.peer, l->s.user, true);
	count_login("auth_failed");
	log_event(LOG_WARN, "login refused", "user", LOG_S(l->b->user), "client", LOG_S(l->b->conn.peer), NULL);
	(void)pg_fatal_set(&e, "28P01", "password authentication failed for user \"%s\"", l->b->user);
	return refuse(l->b, &e);
}

/* One step of SCRAM: takes a message in, puts the answer out. */
static enum scram_result scram_step(struct login *l, struct scram *scram, struct buf *answer, int64_t *busy_ns,
				    struct pg_error *e)
{
	struct message_frame frame;
	enum scram_result result;
	if (!password_message(l, &frame))
		return SCRAM_MALFORMED;
	int64_t start = clock_ns();
	if (scram->state == SCRAM_WAITS_FIRST) {
		struct message_sasl_initial first;
		result = !message_sasl_initial(frame.body, &first, e)
				 ? SCRAM_MALFORMED
				 : scram_first(scram, first.mechanism, first.data, answer, e);
	} else {
		result = scram_final(scram, frame.body, answer, e);
	}
	*busy_ns += clock_ns() - start;
	conn_take(&l->b->conn, frame.size);
	return result;
}

static enum scram_result exchange(struct login *l, struct scram *scram, struct pg_error *e)
{
	struct backend *b = l->b;
	struct buf answer = BUF(MESSAGE_AUTH_MAX);
	int64_t busy_ns = 0;
	message_auth_mechanisms(&b->conn.out, b->conn.tls && b->door->binding_len);
	enum scram_result result = conn_flush(&b->conn) ? scram_step(l, scram, &answer, &busy_ns, e) : SCRAM_MALFORMED;
	if (result == SCRAM_FINE) {
		message_auth(&b->conn.out, AUTH_SASL_CONTINUE, buf_view(&answer));
		buf_reset(&answer);
		result = conn_flush(&b->conn) ? scram_step(l, scram, &answer, &busy_ns, e) : SCRAM_MALFORMED;
		if (result == SCRAM_FINE)
			message_auth(&b->conn.out, AUTH_SASL_FINAL, buf_view(&answer));
	}
	/* Who left without an answer got no verdict. */
	if (result != SCRAM_MALFORMED || e->sqlstate[0])
		metric_observe(metric_series(METRIC_PGWIRE_AUTH_DURATION_SECONDS, NULL), (double)busy_ns / 1e9);
	buf_done(&answer);
	return result;
}

static bool authenticate(struct login *l)
{
	struct backend *b = l->b;
	struct scram scram;
	struct pg_error e = PG_ERROR_INIT;
	if (throttle_blocks(b->door, b->conn.peer, l->s.user))
		return wrong_password(l);
	l->found = workspace_by_username(b->door->storage, b->arena, b->user, &b->workspace) &&
		   scram_verifier_parse(span_of(b->workspace.scram_verifier), &l->verifier);
	if (!l->found)
		scram_verifier_mock(l->s.user,
				    (struct span){(const char *)b->door->mock_secret, sizeof(b->door->mock_secret)},
				    &l->verifier);
	struct span binding = {(const char *)b->door->binding, b->conn.tls ? b->door->binding_len : 0};
	scram_begin(&scram, &l->verifier, !l->found, binding);
	enum scram_result result = exchange(l, &scram, &e);
	scram_done(&scram);
	if (result == SCRAM_REFUSED)
		return wrong_password(l);
	if (result == SCRAM_FINE) {
		throttle_note(b->door, b->conn.peer, l->s.user, false);
		registry_proven(b);
		return true;
	}
	if (e.sqlstate[0]) {
		count_login("auth_failed");
		e.severity = PG_FATAL;
		return refuse(b, &e);
	}
	/* It left without credentials, as probes do that only ask whether somebody answers: no failed attempt to get in. */
	count_login("error");
	return false;
}

static bool refuse_login(struct backend *b, const struct err *err)
{
	struct pg_error e = PG_ERROR_INIT;
	switch (err->code) {
	case ERR_WORKSPACE_EXPIRED:
		count_login("expired");
		return refuse_text(b, "28000", "Workspace expired");
	case ERR_WORKSPACE_NOT_ACTIVE:
		count_login("auth_failed");
		return refuse_text(b, "28000", "Workspace not active");
	case ERR_CONNECTION_LIMIT_REACHED:
		count_login("limit_reached");
		(void)pg_fatal_set(&e, "53300", "Too many connections");
		pg_error_hint(
			&e,
			"Close connections of this workspace, or raise PGWIRE_MAX_CONNECTIONS_PER_WORKSPACE; of all "
			"workspaces together there may be PGWIRE_MAX_CONNECTIONS_TOTAL.");
		break;
	case ERR_WORKSPACE_MEMORY:
		count_login("limit_reached");
		(void)pg_fatal_set(&e, "53200", "out of memory");
		pg_error_detail(&e, "All memory for workspaces is in use.");
		pg_error_hint(&e, "Try again when other workspaces are idle, or raise PGWIRE_MEMORY_BUDGET.");
		break;
	default:
		count_login("error");
		(void)pg_error_from(&e, err);
	}
	e.severity = PG_FATAL;
	return refuse(b, &e);
}

/* Another thread, with a lock of the registry held. */
static void end_from_outside(void *ctx, enum pg_session_end why)
{
	struct backend *b = ctx;
	int runs = BACKEND_RUNS;
	(void)atomic_compare_exchange_strong(&b->end, &runs,
					     why == PG_SESSION_TIMEOUT	? BACKEND_IDLE
					     : why == PG_SESSION_FAILED ? BACKEND_FAILED
									: BACKEND_TERMINATED);
	conn_wake(&b->conn);
	(void)backend_interrupt(b);
}

static bool choose_database(struct login *l)
{
	struct backend *b = l->b;
	struct span wanted = l->s.database;
	(void)snprintf(b->database, sizeof(b->database), "workspace_%s", b->workspace.id);
	if (!l->s.has_database || !wanted.len || span_eq(wanted, l->s.user) || span_is(wanted, "postgres") ||
	    span_is(wanted, b->database))
		return true;
	struct pg_error e = PG_ERROR_INIT;
	count_login("error");
	(void)pg_fatal_set(&e, "3D000", "database \"%.*s\" does not exist", (int)(wanted.len < 200 ? wanted.len : 200),
			   wanted.ptr);
	return refuse(b, &e);
}

static bool set_startup(struct backend *b, struct span name, struct span value)
{
	struct pg_error e = PG_ERROR_INIT;
	if (guc_set(&b->gucs, name, value, GUC_STARTUP, false, &e))
		return true;
	count_login("error");
	e.severity = PG_FATAL;
	return refuse(b, &e);
}

static bool apply_settings(struct login *l)
{
	struct backend *b = l->b;
	struct span options = l->s.options;
	struct pg_error e = PG_ERROR_INIT;
	struct startup_parameter option;
	char version[64];
	const char *engine = engine_version();
	char *scratch = arena_alloc(l->arena, options.len + 1);
	b->gucs.zone_known = gucs_zone_known;
	(void)snprintf(version, sizeof(version), "15.10 (DuckDB %s)", *engine == 'v' ? engine + 1 : engine);
	guc_assign(&b->gucs, GUC_server_version, version);
	guc_assign(&b->gucs, GUC_session_authorization, b->user);
	guc_assign(&b->gucs, GUC_listen_addresses, b->door->storage->settings->pgwire_host);
	guc_assign(&b->gucs, GUC_port, arena_printf(l->arena, "%d", b->door->port));
	guc_assign(&b->gucs, GUC_max_connections,
		   arena_printf(l->arena, "%lld", (long long)b->door->storage->settings->pgwire_connections_max));
	guc_assign(&b->gucs, GUC_ssl, b->door->tls ? "on" : "off");
	while (startup_next_option(&options, scratch, &option, &e))
		if (!set_startup(b, option.name, option.value))
			return false;
	if (e.sqlstate[0]) {
		e.severity = PG_FATAL;
		count_login("error");
		return refuse(b, &e);
	}
	for (size_t i = 0; i < l->s.parameter_count; i++)
		if (!set_startup(b, l->s.parameters[i].name, l->s.parameters[i].value))
			return false;
	return true;
}

/* All but what PostgreSQL reads as false, words cut short as well; "o" may be on or off. */
static bool is_true(struct span v)
{
	static const char *const falses[] = {"false", "no", "off"};
	for (size_t i = 0; i < ARRAY_LEN(falses); i++)
		if (v.len <= strlen(falses[i]) && span_eq_nocase(v, span_first(span_of(falses[i]), v.len)) &&
		    !span_eq_nocase(v, SPAN("o")))
			return false;
	return !span_is(v, "0");
}

/* What can be told before the password. */
static bool check_request(struct login *l)
{
	struct backend *b = l->b;
	if (!l->s.user.len) {
		reject("bad_request");
		return refuse_text(b, "28000", "no PostgreSQL user name specified in startup packet");
	}
	/* Nobody has a name that long: it is unknown like any other. */
	pg_error_text(b->user, sizeof(b->user), "%.*s", SPAN_ARG(l->s.user));
	if (l->s.has_replication && is_true(l->s.replication)) {
		count_login("error");
		return refuse_text(b, "0A000", "replication is not supported");
	}
	if (atomic_load(&b->door->draining)) {
		count_login("error");
		reject("draining");
		return refuse_text(b, "57P03", "the database system is shutting down");
	}
	if (!b->conn.tls && b->door->tls && strcmp(b->door->storage->settings->pgwire_ssl_mode, "require") == 0) {
		count_login("error");
		return refuse_text(b, "28000", "connection requires SSL");
	}
	if (startup_needs_negotiation(&l->s))
		message_negotiate(&b->conn.out, &l->s);
	atomic_store(&b->login, LOGIN_NAMED);
	return true;
}

static bool admit(struct login *l)
{
	struct backend *b = l->b;
	struct err err = ERR_INIT;
	struct session *engine;
	if (!workspace_login_check(b->door->storage, &b->workspace, &err))
		return refuse_login(b, &err);
	if (!choose_database(l) || !apply_settings(l))
		return false;
	if (!pg_session_open(b->door->storage, &b->workspace, b->conn.peer, end_from_outside, b, &b->registered, &err))
		return refuse_login(b, &err);
	if (!workspace_open(b->door->storage, b->workspace.id, &b->wi, &err) ||
	    !session_open(workspace_engine(b->wi), &engine, &err))
		return refuse_login(b, &err);
	/* Without it, statements take longer, no more. */
	struct err ignored = ERR_INIT;
	(void)!session_skip_figures(engine, &ignored);
	session_watch_peaks(engine);
	(void)pthread_mutex_lock(&b->guard);
	b->engine = engine;
	(void)pthread_mutex_unlock(&b->guard);
	return true;
}

static void greet(struct backend *b)
{
	message_auth(&b->conn.out, AUTH_OK, SPAN_NONE);
	for (int i = 0; i < GUC_COUNT; i++)
		if (guc_is_reported((enum guc_id)i))
			message_parameter_status(&b->conn.out, span_of(guc_row((enum guc_id)i)->name),
						 span_of(guc_text(&b->gucs, (enum guc_id)i)));
	const char *name, *value;
	while (guc_next_report(&b->gucs, &name, &value))
		continue;
	message_key_data(&b->conn.out, b->pid, b->key);
}

static bool log_in(struct backend *b)
{
	struct arena *arena = arena_new();
	struct login *l = arena_new_of(arena, struct login);
	l->b = b;
	l->arena = arena;
	l->deadline_ns = clock_ns() + HANDSHAKE_SECONDS * NS_PER_S;
	const bool fine = negotiate(l) && check_request(l) && authenticate(l) && admit(l);
	arena_free(arena);
	return fine;
}

bool startup_run(struct backend *b)
{
	if (!log_in(b))
		return false;
	b->active = metric_tenant_series(METRIC_PGWIRE_CONNECTIONS_ACTIVE, b->workspace.id, NULL);
	b->duration = metric_tenant_series(METRIC_PGWIRE_QUERY_DURATION_SECONDS, b->workspace.id, NULL);
	b->slow = metric_tenant_series(METRIC_PGWIRE_SLOW_QUERIES_TOTAL, b->workspace.id, NULL);
	metric_gauge_add(b->active, 1);
	count_login("success");
	atomic_store(&b->serving, true);
	gucs_apply(b);
	greet(b);
	backend_ready(b);
	return conn_flush(&b->conn);
}
