#include "http/response.h"

#include "http/exchange.h"

#include "base/limits.h"

#include <stdio.h>

/* Faults of the server that no operation gave a name to: their cause is for the log, not for clients. */
static bool unhandled(enum err_code code)
{
	return code == ERR_INTERNAL || code == ERR_ENGINE || code == ERR_METADATA || code == ERR_IO ||
	       code == ERR_OUT_OF_MEMORY;
}

static void flat(struct http_response *res, int status, const char *code, const char *message)
{
	struct json *j = http_json(res, status);
	json_object(j, NULL);
	json_str(j, "error", code);
	json_str(j, "message", message);
	json_object_end(j);
}

static void faults_list(struct http_response *res, int status, const struct faults *faults)
{
	struct buf *body = http_text(res, status, "application/json");
	buf_str(body, "{\"detail\":[");
	buf_span(body, buf_view(&faults->json));
	buf_str(body, "]}");
}

static void envelope(struct http_response *res, const struct err_row *row, const struct err *err)
{
	struct json *j = http_json(res, row->http);
	json_object(j, NULL);
	json_object(j, "detail");
	json_str(j, "error", row->rest);
	json_str(j, "message", err->message);
	if (err->has_details) {
		buf_str(&res->body, ",\"details\":{");
		buf_bytes(&res->body, err->details, err->details_len);
		buf_byte(&res->body, '}');
	}
	json_object_end(j);
	json_object_end(j);
}

void render_detail(struct http_response *res, int status, const char *detail)
{
	struct json *j = http_json(res, status);
	json_object(j, NULL);
	json_str(j, "detail", detail);
	json_object_end(j);
}

void render_headers(struct http_response *res)
{
	if (res->status == 401)
		http_add(res, "WWW-Authenticate", "Bearer");
	if (res->status == 503)
		http_add(res, "Retry-After", "1");
	if (res->unsatisfied) {
		char range[48];
		(void)snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)res->unsatisfied_size);
		http_add(res, "Content-Range", range);
	}
}

void http_error_render(struct http_request *req, struct http_response *res, const struct err *err)
{
	const struct err_row *row = err_row(err->code);
	if (err->code == ERR_NOT_AUTHENTICATED)
		render_detail(res, row->http, "Not authenticated");
	else if (err->code == ERR_VALIDATION && req->faults.count)
		faults_list(res, row->http, &req->faults);
	else if (err->code == ERR_IDEMPOTENCY_CONFLICT)
		flat(res, row->http, row->rest, err->message);
	else if (unhandled(err->code))
		flat(res, 500, "internal_server_error",
		     exchange_of(req)->server->config.debug ? err->message : "An internal error occurred");
	else
		envelope(res, row, err);
}

void render_error(struct exchange *ex, const struct err *err)
{
	struct http_response *res = &ex->res;
	const struct http_routes *table = ex->entry ? ex->entry->table : NULL;
	response_reset(res);
	if (table && table->error_render)
		table->error_render(&ex->req, res, err);
	else
		http_error_render(&ex->req, res, err);
	render_headers(res);
	res->code = err->code;
	res->message = arena_strdup(res->arena, err->message);
	response_seal(res);
}

static bool fault_in(const char *part, struct http_request *req, struct err *err, const char *name, const char *type,
		     const char *msg, const json_t *input)
{
	const struct fault_loc whole = {.name = part};
	const struct fault_loc loc = {.parent = &whole, .name = name};
	faults_add(&req->faults, type, &loc, msg, input, NULL);
	return err_set(err, ERR_VALIDATION, "%s: %s", name, msg);
}

bool http_fault(struct http_request *req, struct err *err, const char *name, const char *type, const char *msg,
		const json_t *input)
{
	return fault_in("body", req, err, name, type, msg, input);
}

bool http_query_fault(struct http_request *req, struct err *err, const char *name, const char *type, const char *msg)
{
	return fault_in("query", req, err, name, type, msg, NULL);
}
