#include "http/exchange.h"
#include "http/multipart.h"
#include "http/target.h"
#include "http/watch.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* ---- the event loop's side ---- */

/* Too much of a body that nobody wants, or more than fits: answer at once and close, instead of reading on. */
static enum MHD_Result give_up(struct exchange *ex)
{
	ex->conn->linger = true;
	(void)send_raw(ex);
	return MHD_NO;
}

static enum MHD_Result drop(struct exchange *ex, size_t *size)
{
	ex->dropped += *size;
	*size = 0;
	uint64_t rest = ex->chunked ? 0 : ex->announced - ex->received;
	if (ex->dropped + rest > LIMIT_HTTP_DRAIN_BYTES)
		return give_up(ex);
	return MHD_YES;
}

static enum MHD_Result too_large(struct exchange *ex, size_t *size)
{
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_PAYLOAD_TOO_LARGE, "The body is larger than %d bytes", LIMIT_HTTP_JSON_BYTES);
	render_error(ex, &err);
	ex->phase = PHASE_READY;
	return drop(ex, size);
}

static enum MHD_Result store(struct exchange *ex, const char *bytes, size_t *size)
{
	const struct http_route *route = ex->req.route;
	if (ex->received > LIMIT_HTTP_JSON_BYTES)
		return too_large(ex, size);
	if (route->body == HTTP_BODY_NONE && !ex->keyed) {
		*size = 0;
		return MHD_YES;
	}
	if (!ex->body.ptr && !ex->chunked)
		(void)buf_reserve(&ex->body, (size_t)ex->announced);
	buf_bytes(&ex->body, bytes, *size);
	*size = 0;
	return MHD_YES;
}

/* Called with the lock held. What finds no room stays with the library until the worker has taken some. */
static enum MHD_Result feed(struct exchange *ex, const char *bytes, size_t *size)
{
	size_t n = ring_put(ex->ring, bytes, *size);
	ex->received += n;
	*size -= n;
	if (*size) {
		watch_body_pause(ex->server->watch, ex->conn);
		exchange_suspend(ex);
	}
	return MHD_YES;
}

enum MHD_Result body_take(struct exchange *ex, const char *bytes, size_t *size)
{
	enum MHD_Result result;
	if (!watch_body(ex->server->watch, ex->conn, *size))
		return MHD_NO;
	(void)pthread_mutex_lock(&ex->lock);
	bool streaming = ex->phase == PHASE_STREAM;
	if (streaming)
		result = feed(ex, bytes, size);
	(void)pthread_mutex_unlock(&ex->lock);
	if (streaming)
		return result;
	ex->received += *size;
	return ex->phase == PHASE_READY ? drop(ex, size) : store(ex, bytes, size);
}

void body_broken(struct exchange *ex)
{
	if (ex->ring)
		ring_end(ex->ring, RING_BROKEN);
}

void body_release(struct exchange *ex)
{
	multipart_free(ex->form);
	ex->form = NULL;
	EVP_MD_CTX_free(ex->digest);
	ex->digest = NULL;
	if (ex->ring) {
		ring_done(ex->ring);
		free(ex->ring);
		ex->ring = NULL;
	}
	if (ex->body.cap > LIMIT_HTTP_KEPT_BYTES)
		buf_done(&ex->body);
	else
		buf_reset(&ex->body);
}

/* ---- the worker's side ---- */

int64_t http_body_length(const struct http_request *req)
{
	const struct exchange *ex = exchange_of(req);
	return ex->chunked || ex->announced > INT64_MAX ? -1 : (int64_t)ex->announced;
}

bool http_body_chunked(const struct http_request *req)
{
	return exchange_of(req)->chunked;
}

/* Lets the connection receive; sends 100 Continue the first time. */
static void body_ask(struct exchange *ex)
{
	(void)pthread_mutex_lock(&ex->lock);
	ex->body_wanted = true;
	if (ex->suspended && ex->phase == PHASE_STREAM && ring_is_open(ex->ring))
		exchange_resume(ex);
	(void)pthread_mutex_unlock(&ex->lock);
}

static bool raw_read(void *ctx, char *bytes, size_t size, size_t *ret_n, struct err *err)
{
	struct exchange *ex = ctx;
	bool room = false;
	*ret_n = 0;
	if (!ex->ring)
		return true; /* no body was announced */
	if (!ex->body_wanted)
		body_ask(ex);
	if (!ring_take(ex->ring, bytes, size, ret_n, &room))
		return err_set(err, ERR_CANCELLED, "The client left before its body was complete");
	if (room)
		body_ask(ex);
	return true;
}

static bool form_open(struct exchange *ex, struct err *err)
{
	const char *type = http_header(&ex->req, "Content-Type");
	if (multipart_new(type ? type : "", "file", raw_read, ex, &ex->form))
		return true;
	return http_fault(&ex->req, err, "file", "missing", "Field required", NULL);
}

static bool form_read(struct exchange *ex, char *bytes, size_t size, size_t *ret_n, struct err *err)
{
	if (!ex->form && !form_open(ex, err))
		return false;
	if (!multipart_read(ex->form, bytes, size, ret_n, err))
		return false;
	if (*ret_n == 0 && !multipart_found(ex->form))
		return http_fault(&ex->req, err, "file", "missing", "Field required", NULL);
	return true;
}

/* Of a form the wanted part counts: clients choose another boundary each time. */
static void digest(struct exchange *ex, const void *bytes, size_t n)
{
	if (!ex->claim.streamed || ex->digested)
		return;
	if (!ex->digest) {
		ex->digest = EVP_MD_CTX_new();
		(void)EVP_DigestInit_ex(ex->digest, EVP_sha256(), NULL);
	}
	(void)EVP_DigestUpdate(ex->digest, bytes, n);
	if (n > 0)
		return;
	(void)EVP_DigestFinal_ex(ex->digest, ex->claim.self.body_sha256, NULL);
	ex->digested = true;
}

bool http_body_read(struct http_request *req, void *bytes, size_t size, size_t *ret_n, struct err *err)
{
	struct exchange *ex = exchange_of(req);
	*ret_n = 0;
	if (ex->body_err) {
		*err = *ex->body_err;
		return false;
	}
	bool fine = req->route->body == HTTP_BODY_FILE ? form_read(ex, bytes, size, ret_n, err)
						       : raw_read(ex, bytes, size, ret_n, err);
	if (fine)
		digest(ex, bytes, *ret_n);
	if (!fine) {
		ex->body_err = arena_new_of(req->arena, struct err);
		*ex->body_err = *err;
	}
	return fine;
}

/* ---- query ---- */

static size_t query_index(const struct http_request *req, const char *name)
{
	size_t i = 0;
	while (req->route->query && req->route->query[i].name) {
		if (strcmp(req->route->query[i].name, name) == 0)
			return i;
		i++;
	}
	return SIZE_MAX;
}

const char *http_query(const struct http_request *req, const char *name)
{
	const struct exchange *ex = exchange_of(req);
	size_t i = query_index(req, name);
	return i == SIZE_MAX || !ex->query_values ? NULL : ex->query_values[i];
}

int64_t http_query_int(const struct http_request *req, const char *name)
{
	return query_int(http_query(req, name));
}

bool http_query_bool(const struct http_request *req, const char *name)
{
	return query_bool(http_query(req, name));
}

bool http_query_at(const struct http_request *req, size_t at, struct span *ret_name, struct span *ret_value)
{
	struct span rest = req->query;
	struct span name;
	struct span value;
	while (query_next(&rest, &name, &value)) {
		if (at-- == 0) {
			*ret_name = percent_decoded(req->arena, name, true);
			*ret_value = percent_decoded(req->arena, value, true);
			return true;
		}
	}
	return false;
}

const char *http_param(const struct http_request *req, const char *name)
{
	const struct exchange *ex = exchange_of(req);
	for (size_t i = 0; ex->entry && i < ex->entry->params; i++) {
		if (strcmp(ex->entry->names[i], name) == 0)
			return ex->params[i];
	}
	return NULL;
}
