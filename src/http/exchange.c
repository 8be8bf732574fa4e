#include "http/exchange.h"

#include "http/account.h"
#include "http/target.h"

#include "base/hash.h"
#include "base/log.h"
#include "engine/session.h"

#include "metrics/metrics.h"

#include <stdlib.h>

struct exchange *exchange_new(struct conn *conn)
{
	struct exchange *ex = conn->spare;
	conn->spare = NULL;
	if (!ex) {
		ex = mem_alloc(sizeof(*ex));
		ex->req.arena = arena_new();
		(void)pthread_mutex_init(&ex->lock, NULL);
	} else {
		struct arena *arena = ex->req.arena;
		struct buf body = ex->body;
		struct buf res_body = ex->res.body;
		pthread_mutex_t lock = ex->lock;
		memset(ex, 0, sizeof(*ex));
		ex->req.arena = arena;
		ex->body = body;
		ex->res.body = res_body;
		ex->lock = lock;
	}
	ex->body.max = LIMIT_HTTP_JSON_BYTES + 1;
	ex->conn = conn;
	ex->mhd = conn->mhd;
	ex->server = conn->server;
	memcpy(ex->peer, conn->peer, sizeof(ex->peer));
	atomic_store_explicit(&ex->refs, 1, memory_order_relaxed);
	response_init(&ex->res, ex->req.arena);
	faults_init(&ex->req.faults);
	return ex;
}

void exchange_free(struct exchange *ex)
{
	if (!ex)
		return;
	buf_done(&ex->body);
	buf_done(&ex->res.body);
	(void)pthread_mutex_destroy(&ex->lock);
	arena_free(ex->req.arena);
	free(ex);
}

static int final_status(const struct exchange *ex)
{
	if (ex->phase != PHASE_QUEUED)
		return ex->refused_status ? ex->refused_status : 499;
	return ex->complete || ex->sent ? ex->res.status : 499;
}

/* What is counted of an exchange, its end last; then what it held but its own memory goes. */
static void finish(struct exchange *ex)
{
	if (ex->res.on_sent)
		ex->res.on_sent(ex->res.on_sent_ctx, ex->sent, ex->complete);
	if (ex->counted_in)
		account_end(ex, final_status(ex));
	progress_free(ex->req.call.progress);
	free(ex->out);
	response_reset(&ex->res);
	body_release(ex);
	faults_done(&ex->req.faults);
	json_decref(ex->req.body);
	ex->req.body = NULL;
	if (ex->counted_in)
		(void)atomic_fetch_sub(&ex->server->running, 1);
	arena_reset(ex->req.arena);
}

void exchange_unref(struct exchange *ex)
{
	if (atomic_fetch_sub(&ex->refs, 1) > 1)
		return;
	finish(ex);
	exchange_free(ex);
}

void exchange_end(struct exchange *ex)
{
	struct conn *conn = ex->conn;
	if (atomic_fetch_sub(&ex->refs, 1) > 1)
		return;
	finish(ex);
	if (conn->spare)
		exchange_free(ex);
	else
		conn->spare = ex;
}

void exchange_suspend(struct exchange *ex)
{
	ex->suspended = true;
	MHD_suspend_connection(ex->mhd);
}

void exchange_resume(struct exchange *ex)
{
	struct loop *loop = ex->conn->loop; /* the connection may end as soon as it is resumed */
	ex->suspended = false;
	MHD_resume_connection(ex->mhd);
	loop_wake(loop);
}

enum phase exchange_phase(struct exchange *ex)
{
	(void)pthread_mutex_lock(&ex->lock);
	enum phase phase = ex->phase;
	(void)pthread_mutex_unlock(&ex->lock);
	return phase;
}

void exchange_ready(struct exchange *ex)
{
	(void)pthread_mutex_lock(&ex->lock);
	ex->phase = PHASE_READY;
	if (ex->suspended)
		exchange_resume(ex);
	(void)pthread_mutex_unlock(&ex->lock);
}

/* ---- validation ---- */

static bool is_json(const char *type)
{
	struct span text = span_trim(span_of(type));
	if (!text.len)
		return true;
	struct span media = span_trim(span_cut(&text, ';'));
	static const struct span prefix = {"application/", 12};
	return span_eq_nocase(media, SPAN("application/json")) ||
	       (media.len > 17 && span_eq_nocase(span_first(media, 12), prefix) &&
		span_eq_nocase(span_skip(media, media.len - 5), SPAN("+json")));
}

static void json_read(struct exchange *ex)
{
	static const struct fault_loc loc = {.name = "body"};
	struct http_request *req = &ex->req;
	bool required = req->route->body == HTTP_BODY_JSON;
	req->body_bytes = buf_view(&ex->body);
	if (req->body_bytes.len && !is_json(http_header(req, "Content-Type"))) {
		json_t *text = span_is_utf8(req->body_bytes)
				       ? json_stringn_nocheck(req->body_bytes.ptr, req->body_bytes.len)
				       : NULL;
		faults_add(&req->faults, "model_attributes_type", &loc,
			   "Input should be a valid dictionary or object to extract fields from", text, NULL);
		json_decref(text);
		return;
	}
	req->body = schema_read(req->route->request, req->body_bytes, required, &req->faults);
}

static bool validate(struct exchange *ex, struct err *err)
{
	struct http_request *req = &ex->req;
	const struct http_route *route = req->route;
	if (route->query) {
		ex->query_values = query_read(req->arena, req->query, route->query);
		(void)query_check(route->query, ex->query_values, &req->faults);
	}
	if (route->body == HTTP_BODY_JSON || route->body == HTTP_BODY_JSON_OPTIONAL)
		json_read(ex);
	if (req->faults.count)
		return err_set(err, ERR_VALIDATION, "The request has %zu fault(s)", req->faults.count);
	return true;
}

static bool execute(struct exchange *ex, struct err *err)
{
	if (ex->refusal) {
		*err = *ex->refusal;
		return false;
	}
	return validate(ex, err) && ex->req.route->handler(&ex->req, &ex->res, err) &&
	       (ex->later || response_finish(&ex->res, err));
}

static void answer(struct exchange *ex)
{
	struct err err = ERR_INIT;
	if (!execute(ex, &err) && !ex->deferred)
		render_error(ex, &err);
}

bool http_defer(struct http_request *req)
{
	struct exchange *ex = exchange_of(req);
	if (!ex->run_inline)
		return true;
	ex->deferred = true;
	return false;
}

/* A kept answer waits for the disk, which only a worker may. */
bool http_later(struct http_request *req)
{
	struct exchange *ex = exchange_of(req);
	if (ex->run_inline || ex->keyed)
		return false;
	ex->later = true;
	(void)atomic_fetch_add(&ex->refs, 1);
	(void)atomic_fetch_add(&ex->server->working, 1);
	return true;
}

struct http_response *http_answer(struct http_request *req)
{
	return &exchange_of(req)->res;
}

void http_answer_send(struct http_request *req, bool fine, const struct err *err)
{
	struct exchange *ex = exchange_of(req);
	struct http_server *server = ex->server;
	struct err own = ERR_INIT;
	if (!fine)
		render_error(ex, err);
	else if (!response_finish(&ex->res, &own))
		render_error(ex, &own);
	exchange_ready(ex);
	exchange_unref(ex);
	(void)atomic_fetch_sub(&server->working, 1);
}

/* ---- idempotency ---- */

static void claim_wake(struct idem_claim *claim)
{
	struct exchange *ex = (struct exchange *)((char *)claim - offsetof(struct exchange, claim));
	exchange_submit(ex);
	exchange_unref(ex);
}

static void claim_fill(struct exchange *ex)
{
	struct http_kept *self = &ex->claim.self;
	ex->claim.key = idem_key(ex->req.arena, http_header(&ex->req, "X-Idempotency-Key"));
	ex->claim.admitted = !ex->refused;
	ex->claim.wake = claim_wake;
	self->method = http_method_name(ex->req.method);
	self->target = ex->target;
	ex->claim.streamed = ex->ring != NULL;
	hash_sha256(buf_view(&ex->body), self->body_sha256);
	hash_sha256(access_credential(&ex->req), self->credential_sha256);
}

static void replay(struct exchange *ex, const struct http_kept *kept)
{
	struct http_response *res = &ex->res;
	if (kept->body.len || kept->type)
		http_bytes(res, kept->status, kept->type, kept->body);
	else
		http_empty(res, kept->status);
	http_add(res, "X-Idempotency-Key", http_header(&ex->req, "X-Idempotency-Key"));
	http_add(res, "X-Idempotency-Replay", "true");
	response_seal(res);
}

/* Reads a streamed body for its digest alone. */
static bool body_is_the_kept_ones(struct exchange *ex, const struct http_kept *kept, struct err *err)
{
	char *bytes = mem_alloc(LIMIT_HTTP_STREAM_BYTES);
	bool fine = true;
	for (size_t n = 1; fine && n > 0;)
		fine = http_body_read(&ex->req, bytes, LIMIT_HTTP_STREAM_BYTES, &n, err);
	free(bytes);
	return fine && idem_same_body(kept, &ex->claim, err);
}

static void run_and_keep(struct exchange *ex)
{
	struct err err = ERR_INIT;
	struct http_response *res = &ex->res;
	struct http_kept kept = {.status = res->status};
	answer(ex);
	kept.status = res->status;
	kept.type = res->kind == RESPONSE_BYTES ? res->type : NULL;
	kept.body = res->kind == RESPONSE_BYTES ? res->bytes : SPAN_NONE;
	kept.secret = res->secret;
	bool whole = !ex->claim.streamed || ex->digested;
	bool keep = whole && idem_keeps(res->status) && (res->kind == RESPONSE_BYTES || res->kind == RESPONSE_EMPTY);
	if (!idem_finish(&ex->server->idem, &ex->claim, keep ? &kept : NULL, &err))
		log_event(LOG_WARN, "cannot keep an answer for repeats, ignoring", "request_id",
			  LOG_S(ex->req.call.request_id), "error", LOG_S(err.message), NULL);
}

/* False: the exchange waits for another and is not ours any more. */
static bool run_keyed(struct exchange *ex)
{
	struct err err = ERR_INIT;
	struct http_kept kept = {0};
	if (!ex->claim.key)
		claim_fill(ex);
	/* A waiting claim may be woken and gone before idem_begin returns: it has a reference of its own. */
	(void)atomic_fetch_add(&ex->refs, 1);
	enum idem_verdict verdict = idem_begin(&ex->server->idem, &ex->claim, ex->req.arena, &kept, &err);
	if (verdict == IDEM_WAIT)
		return false;
	(void)atomic_fetch_sub(&ex->refs, 1);
	if (verdict == IDEM_REPLAY && ex->claim.streamed && !body_is_the_kept_ones(ex, &kept, &err))
		verdict = IDEM_CONFLICT;
	switch (verdict) {
	case IDEM_REPLAY:
		account_idempotency(verdict);
		replay(ex, &kept);
		break;
	case IDEM_CONFLICT:
		account_idempotency(verdict);
		render_error(ex, &err);
		break;
	case IDEM_REFUSE:
		answer(ex);
		break;
	default:
		account_idempotency(verdict);
		run_and_keep(ex);
	}
	return true;
}

/* ---- running ---- */

void exchange_run(void *object)
{
	struct exchange *ex = object;
	struct http_server *server = ex->server;
	const struct trace *trace = &ex->req.call.trace;
	if (ex->run_inline) {
		answer(ex);
		if (!ex->deferred)
			ex->phase = PHASE_READY;
		return;
	}
	/* Reads are short; what changes something or computes for long can be stopped by its id. A repeat that waited for
	   the first request of its key comes here again. */
	if (ex->req.method != HTTP_GET && ex->req.method != HTTP_HEAD && !ex->req.call.progress)
		ex->req.call.progress = progress_new(false);
	metrics_exemplar_set(trace->sampled ? trace->trace_id : NULL, trace->sampled ? trace->span_id : NULL,
			     ex->req.call.request_id);
	bool done = true;
	if (ex->keyed)
		done = run_keyed(ex);
	else
		answer(ex);
	metrics_exemplar_clear();
	if (done && !ex->later)
		exchange_ready(ex);
	exchange_unref(ex);
	(void)atomic_fetch_sub(&server->working, 1);
}

static enum http_run pool_of(const struct exchange *ex)
{
	enum http_run run = ex->req.route->run;
	/* A repeat must be kept on disk before it is answered, which no event loop should wait for. */
	return run != HTTP_INLINE ? run : ex->keyed ? HTTP_WRITE : HTTP_READ;
}

/* Work of one project, or of one client outside of projects, takes turns with that of others. */
static struct span fair_key(const struct exchange *ex)
{
	const char *project = http_param(&ex->req, "project_id");
	if (!project && ex->req.call.who.project_id[0])
		project = ex->req.call.who.project_id;
	return span_of(project ? project : ex->peer);
}

void exchange_submit(struct exchange *ex)
{
	struct err err = ERR_INIT;
	struct http_server *server = ex->server;
	(void)atomic_fetch_add(&ex->refs, 1);
	(void)atomic_fetch_add(&server->working, 1);
	if (pool_submit(server->config.pools[pool_of(ex)], fair_key(ex), exchange_run, ex, &err))
		return;
	account_reject(err.code == ERR_DRAINING ? REJECT_DRAINING : REJECT_OVERLOAD);
	render_error(ex, &err);
	exchange_ready(ex);
	exchange_unref(ex);
	(void)atomic_fetch_sub(&server->working, 1);
}
