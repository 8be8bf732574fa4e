#include "http/account.h"
#include "http/exchange.h"

/* The credentials of `Authorization: Bearer <key>`; empty for anything else. */
static struct span bearer(const char *header)
{
	static const char scheme[] = "bearer";
	struct span text = span_trim(span_of(header));
	if (text.len <= sizeof(scheme) || !span_eq_nocase(span_first(text, sizeof(scheme) - 1), SPAN("bearer")) ||
	    text.ptr[sizeof(scheme) - 1] != ' ')
		return SPAN_NONE;
	return span_trim(span_skip(text, sizeof(scheme)));
}

struct span access_credential(const struct http_request *req)
{
	const char *header = http_header(req, "Authorization");
	struct span key = bearer(header);
	return key.len ? key : span_of(header);
}

static bool reading(const struct http_request *req)
{
	return req->method == HTTP_GET || req->method == HTTP_HEAD || req->route->reading;
}

/* The socket's own address, whatever the request's headers say. */
static bool is_local(const struct exchange *ex)
{
	return strncmp(ex->peer, "127.", 4) == 0 || strcmp(ex->peer, "::1") == 0 ||
	       strncmp(ex->peer, "::ffff:127.", 11) == 0;
}

bool access_check(struct exchange *ex, struct err *err)
{
	struct http_request *req = &ex->req;
	const struct http_config *config = &ex->server->config;
	const char *why = "unknown";
	if (req->route->guard == GUARD_NONE)
		return true;
	struct span key = bearer(http_header(req, "Authorization"));
	if (key.len == 0 && config->local_keyless && req->route->local_keyless && is_local(ex)) {
		req->call.who = (struct principal){.kind = WHO_ADMIN};
		return true;
	}
	if (key.len == 0) {
		account_auth_failure("missing");
		return err_set(err, ERR_NOT_AUTHENTICATED, "Not authenticated");
	}
	bool known = config->auth && config->auth(config->auth_ctx, key, &req->call.who, &why);
	if (!known)
		req->call.who = (struct principal){.kind = WHO_NOBODY};
	bool fine;
	if (config->allow)
		fine = config->allow(&req->call.who, req->route->guard, http_param(req, "project_id"),
				     http_param(req, "branch_id"), reading(req), err);
	else
		fine = err_set(err, ERR_UNAUTHORIZED, "This server admits nobody");
	if (!fine) {
		err->has_details = false;
		account_auth_failure(known ? "scope" : why);
	}
	return fine;
}
