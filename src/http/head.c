#include "http/account.h"
#include "http/exchange.h"
#include "http/target.h"

#include "base/hash.h"
#include "base/id.h"

#include <stdio.h>

/* ---- headers ---- */

const char *http_header(const struct http_request *req, const char *name)
{
	const struct exchange *ex = exchange_of(req);
	for (size_t i = 0; i < ex->header_count; i++) {
		if (strcasecmp(ex->headers[i].name, name) == 0)
			return ex->headers[i].value;
	}
	return NULL;
}

bool http_header_at(const struct http_request *req, size_t at, const char **ret_name, const char **ret_value)
{
	const struct exchange *ex = exchange_of(req);
	if (at >= ex->header_count)
		return false;
	*ret_name = ex->headers[at].name;
	*ret_value = ex->headers[at].value;
	return true;
}

static enum MHD_Result header_take(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *ex = cls;
	(void)kind;
	if (ex->header_count == ex->header_room) {
		size_t room = ex->header_room ? ex->header_room * 2 : 16;
		struct http_header *more = arena_array(ex->req.arena, struct http_header, room);
		if (ex->header_count)
			memcpy(more, ex->headers, ex->header_count * sizeof(*more));
		ex->headers = more;
		ex->header_room = room;
	}
	ex->headers[ex->header_count++] = (struct http_header){name, value ? value : ""};
	return ex->header_count <= LIMIT_HTTP_HEADER_COUNT ? MHD_YES : MHD_NO;
}

/* RFC 9110, section 5.6.2. A name with a blank before its colon would be read differently by others (request smuggling). */
static bool is_token(const char *name)
{
	for (const char *c = name; *c; c++) {
		bool alnum = (*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z');
		if (!alnum && !strchr("!#$%&'*+-.^_`|~", *c))
			return false;
	}
	return *name != '\0';
}

static bool header_values_fine(const char *value)
{
	for (const char *c = value; *c; c++) {
		if (((unsigned char)*c < 32 && *c != '\t') || *c == 127)
			return false;
	}
	return true;
}

/* A body read while it arrives outlives the memory of the connection. */
static void headers_copy(struct exchange *ex)
{
	for (size_t i = 0; i < ex->header_count; i++) {
		ex->headers[i].name = arena_strdup(ex->req.arena, ex->headers[i].name);
		ex->headers[i].value = arena_strdup(ex->req.arena, ex->headers[i].value);
	}
}

/* RFC 9112, section 3: the library is more tolerant than the RFC. */
static bool line_check(const struct exchange *ex, const char *version, struct err *err)
{
	unsigned hosts = 0;
	for (const char *c = ex->target; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 127)
			return err_set(err, ERR_INVALID_REQUEST, "The request target has a blank or control character");
	}
	for (size_t i = 0; i < ex->header_count; i++)
		hosts += strcasecmp(ex->headers[i].name, "Host") == 0;
	if (hosts > 1 || (hosts == 0 && strcmp(version, "HTTP/1.0") != 0))
		return err_set(err, ERR_INVALID_REQUEST, "The request must have one Host header");
	return true;
}

/* Takes the one value of a framing header; a second one is refused. */
static bool framing_take(const struct http_header *header, const char *name, const char **value, struct err *err)
{
	if (strcasecmp(header->name, name) != 0)
		return true;
	if (*value)
		return err_set(err, ERR_INVALID_REQUEST, "The request has several %s headers", name);
	*value = header->value;
	return true;
}

/* Body framing (RFC 9112, section 6.3): whatever could be read in two ways is refused. */
static bool framing_read(struct exchange *ex, struct err *err)
{
	const char *length = NULL;
	const char *encoding = NULL;
	for (size_t i = 0; i < ex->header_count; i++) {
		const struct http_header *h = &ex->headers[i];
		if (!is_token(h->name) || !header_values_fine(h->value))
			return err_set(err, ERR_INVALID_REQUEST, "A header is malformed");
		if (!framing_take(h, "Content-Length", &length, err) ||
		    !framing_take(h, "Transfer-Encoding", &encoding, err))
			return false;
	}
	if (encoding && length)
		return err_set(err, ERR_INVALID_REQUEST, "The request has both Content-Length and Transfer-Encoding");
	if (encoding && strcasecmp(encoding, "chunked") != 0)
		return err_set(err, ERR_UNIMPLEMENTED, "The transfer encoding %.40s is not supported", encoding);
	ex->chunked = encoding != NULL;
	if (length && !span_u64(span_of(length), &ex->announced))
		return err_set(err, ERR_INVALID_REQUEST, "Content-Length is not a number");
	ex->has_body = ex->chunked || ex->announced > 0;
	const char *expect = http_header(&ex->req, "Expect");
	ex->expects = expect && strcasecmp(expect, "100-continue") == 0;
	return true;
}

static bool limits_check(struct exchange *ex, struct err *err)
{
	struct span query = ex->req.query;
	unsigned items = query.len > 0;
	if (ex->header_count > LIMIT_HTTP_HEADER_COUNT)
		return err_set(err, ERR_HEADERS_TOO_LARGE, "The request has more than %d headers",
			       LIMIT_HTTP_HEADER_COUNT);
	if (ex->req.path.len > LIMIT_HTTP_PATH_BYTES)
		return err_set(err, ERR_URI_TOO_LONG, "The path is longer than %d bytes", LIMIT_HTTP_PATH_BYTES);
	for (size_t i = 0; i < query.len; i++)
		items += query.ptr[i] == '&';
	if (items > LIMIT_HTTP_QUERY_PARAMS)
		return err_set(err, ERR_INVALID_REQUEST, "The request has more than %d query parameters",
			       LIMIT_HTTP_QUERY_PARAMS);
	return true;
}

/* ---- who and what ---- */

static void request_id_read(struct exchange *ex)
{
	const char *sent = http_header(&ex->req, "X-Request-ID");
	if (sent && *sent && header_values_fine(sent)) {
		ex->request_id = arena_strdup(ex->req.arena, sent);
	} else {
		char *made = arena_alloc(ex->req.arena, ID_UUID_SIZE);
		id_uuid(made);
		ex->request_id = made;
	}
}

static void call_fill(struct exchange *ex)
{
	struct call *call = &ex->req.call;
	call->arena = ex->req.arena;
	call->door = ex->entry ? ex->entry->table->door : DOOR_REST;
	/* The answer echoes an id of any length; what is recorded of it is bounded. */
	call->request_id =
		strlen(ex->request_id) <= LIMIT_REQUEST_ID_BYTES
			? ex->request_id
			: arena_copy(ex->req.arena, span_first(span_of(ex->request_id), LIMIT_REQUEST_ID_BYTES));
	call->client = ex->peer;
	call->abandoned = &ex->abandoned;
	call->admitted_ns = ex->head_ns;
}

/* ---- answers that need no handler ---- */

static bool is_preflight(const struct http_request *req)
{
	return req->method == HTTP_OPTIONS && http_header(req, "Origin") &&
	       http_header(req, "Access-Control-Request-Method");
}

static void preflight_answer(struct exchange *ex)
{
	struct http_response *res = &ex->res;
	struct http_request *req = &ex->req;
	enum http_method asked = http_method_of(span_of(http_header(req, "Access-Control-Request-Method")));
	bool fine = asked != HTTP_OTHER;
	http_bytes(res, fine ? 200 : 400, "text/plain; charset=utf-8",
		   fine ? SPAN("OK") : SPAN("Disallowed CORS method"));
	http_add(res, "Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
	http_add(res, "Access-Control-Max-Age", "600");
	http_add(res, "Access-Control-Allow-Origin", http_header(req, "Origin"));
	http_add(res, "Access-Control-Allow-Headers", http_header(req, "Access-Control-Request-Headers"));
	http_add(res, "Vary", "Origin");
}

static void redirect_answer(struct exchange *ex)
{
	struct span path = span_first(ex->req.path, ex->req.path.len - 1);
	struct span query = ex->req.query;
	http_empty(&ex->res, 307);
	http_add(&ex->res, "Location",
		 arena_printf(ex->req.arena, "%.*s%s%.*s", SPAN_ARG(path), query.len ? "?" : "", SPAN_ARG(query)));
}

static bool has_key(const struct exchange *ex)
{
	const enum http_method method = ex->req.method;
	const char *key = http_header(&ex->req, "X-Idempotency-Key");
	return ex->server->config.idempotency.ctx && key && *key &&
	       (method == HTTP_POST || method == HTTP_PUT || method == HTTP_DELETE);
}

/* Without a route nothing runs and nothing is kept, so the caller's own use of the key was of another method or endpoint. */
static bool key_is_taken(struct exchange *ex, struct err *err)
{
	struct http_kept kept = {0};
	struct idem_claim claim = {0};
	const struct span credential = access_credential(&ex->req);
	if (!has_key(ex) || !credential.len)
		return false;
	claim.key = idem_key(ex->req.arena, http_header(&ex->req, "X-Idempotency-Key"));
	claim.self.method = http_method_name(ex->req.method);
	claim.self.target = ex->target;
	hash_sha256(credential, claim.self.credential_sha256);
	return idem_begin(&ex->server->idem, &claim, ex->req.arena, &kept, err) == IDEM_CONFLICT;
}

static void no_route_answer(struct exchange *ex, const struct router_match *match)
{
	struct http_response *res = &ex->res;
	struct err err = ERR_INIT;
	if (!match->slash && key_is_taken(ex, &err)) {
		account_idempotency(IDEM_CONFLICT);
		render_error(ex, &err);
		return;
	}
	if (!match->near) {
		render_detail(res, 404, "Not Found");
		res->code = ERR_NOT_FOUND;
		return;
	}
	if (match->slash) {
		redirect_answer(ex);
		return;
	}
	render_detail(res, 405, "Method Not Allowed");
	http_add(res, "Allow", http_allow(ex->req.arena, match->allow));
}

/* ---- the route ---- */

static void route_take(struct exchange *ex, const struct router_entry *entry)
{
	ex->entry = entry;
	ex->req.route = entry->route;
	ex->req.ctx = entry->table->ctx;
	ex->stats = entry->route->uncounted ? NULL : entry->stats;
}

/* True when there is a route to go on with. */
static bool route_find(struct exchange *ex)
{
	struct http_server *server = ex->server;
	struct router_match match;
	if (server->config.preroute) {
		const struct http_route *route = server->config.preroute(server->config.preroute_ctx, &ex->req);
		const struct router_entry *entry = route ? router_entry_of(server->router, route) : NULL;
		if (entry) {
			route_take(ex, entry);
			return true;
		}
	}
	router_find(server->router, ex->req.arena, ex->req.method, ex->req.path, &match);
	const struct router_entry *near = match.entry ? match.entry : match.near;
	if (near) {
		route_take(ex, near);
		memcpy(ex->params, match.values, sizeof(ex->params));
	}
	if (is_preflight(&ex->req) && !(match.entry && match.entry->route->method == HTTP_OPTIONS)) {
		preflight_answer(ex);
		return false;
	}
	if (match.entry && !match.slash)
		return true;
	if (match.slash && near)
		match.near = near;
	no_route_answer(ex, &match);
	return false;
}

static bool wants_key(const struct exchange *ex)
{
	return !ex->req.route->unkeyed && ex->entry->table->door != DOOR_S3 && has_key(ex);
}

static bool is_stream(const struct http_route *route)
{
	return route->body == HTTP_BODY_STREAM || route->body == HTTP_BODY_FILE;
}

static bool admit(struct exchange *ex, struct err *err)
{
	ex->keyed = wants_key(ex);
	ex->run_inline = ex->req.route->run == HTTP_INLINE && !ex->keyed;
	if (!access_check(ex, err)) {
		if (!ex->keyed)
			return false;
		/* A repeat of what this credential was once allowed is answered even if the key is gone since. */
		ex->refused = true;
		ex->refusal = arena_new_of(ex->req.arena, struct err);
		*ex->refusal = *err;
	}
	if (!is_stream(ex->req.route) && ex->announced > LIMIT_HTTP_JSON_BYTES)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The body is larger than %d bytes", LIMIT_HTTP_JSON_BYTES);
	if (is_stream(ex->req.route))
		headers_copy(ex);
	return true;
}

/* An answer without a handler, too, is in the form of the door that was asked. */
static void door_take(struct exchange *ex)
{
	struct router_match match;
	router_find(ex->server->router, ex->req.arena, ex->req.method, ex->req.path, &match);
	const struct router_entry *near = match.entry ? match.entry : match.near;
	if (!near)
		return;
	ex->entry = near;
	ex->req.route = near->route;
	ex->req.ctx = near->table->ctx;
}

void head_refused(struct exchange *ex, const struct exchange *asked)
{
	ex->head_ns = clock_ns();
	ex->req.method = HTTP_OTHER;
	ex->req.method_text = "";
	ex->target = arena_strdup(ex->req.arena, asked ? asked->target : "");
	target_split(span_of(ex->target), &ex->req.path, &ex->req.query);
	request_id_read(ex);
	ex->stats = ex->server->unmatched;
	door_take(ex);
	call_fill(ex);
}

void head_read(struct exchange *ex, const char *method, const char *version)
{
	struct err err = ERR_INIT;
	struct http_request *req = &ex->req;
	req->method_text = arena_strdup(req->arena, method); /* a streamed request outlives its connection */
	req->method = http_method_of(span_of(method));
	target_split(span_of(ex->target), &req->path, &req->query);
	(void)MHD_get_connection_values(ex->mhd, MHD_HEADER_KIND, header_take, ex);
	request_id_read(ex);
	trace_parse(http_header(&ex->req, "traceparent"), &ex->req.call.trace);
	ex->stats = ex->server->unmatched;
	bool framed = line_check(ex, version, &err) && framing_read(ex, &err);
	bool fine = framed && limits_check(ex, &err);
	if (!framed) {
		/* Nobody knows where the body ends: answer and close. */
		ex->has_body = true;
		ex->announced = UINT64_MAX;
	}
	if (!fine)
		account_reject(err.code == ERR_INVALID_REQUEST || err.code == ERR_UNIMPLEMENTED ? REJECT_BAD_REQUEST
												: REJECT_TOO_LARGE);
	bool routed = fine && route_find(ex);
	if (!fine)
		door_take(ex);
	call_fill(ex);
	if (routed && !admit(ex, &err))
		fine = false;
	if (!fine)
		render_error(ex, &err);
	if (!fine || !routed) {
		response_seal(&ex->res);
		ex->phase = PHASE_READY;
	}
}
