/*
 * The forms of credentials, in the order in which they are looked for; the first that is there decides:
 * Signature V4 header, signed URLs (own and standard), Bearer, X-Api-Key, x-amz-security-token.
 */
#include "base/clock.h"
#include "metrics/metrics.h"
#include "s3/door.h"
#include "s3/presign.h"
#include "storage/auth.h"

#include <stdio.h>

static bool refused(const char *reason)
{
	metric_inc(metric_series(METRIC_AUTH_FAILURES_TOTAL, "s3", reason, NULL));
	return false;
}

/* ---- Signature V4 ------------------------------------------------------------------------------------------------- */

static bool header_at(const void *ctx, size_t at, struct span *ret_name, struct span *ret_value)
{
	const char *name, *value;
	if (!http_header_at(ctx, at, &name, &value))
		return false;
	*ret_name = span_of(name);
	*ret_value = span_of(value);
	return true;
}

bool s3_find_secret(struct s3_call *call, struct span access_key, char ret[S3_SECRET_MAX + 1], const char **ret_why)
{
	const struct settings *settings = call->door->settings;
	const char *secret = settings->s3_secret_access_key ? settings->s3_secret_access_key : settings->admin_api_key;
	struct principal *who = &call->caller.who;
	struct s3_credential row;
	if (span_eq_secret(access_key, span_of(settings->s3_access_key_id))) {
		*ret_why = "unknown";
		if (!secret || strlen(secret) > S3_SECRET_MAX)
			return false;
		memcpy(ret, secret, strlen(secret) + 1);
		who->kind = WHO_ADMIN;
		return true;
	}
	if (!s3_credential_find(call->storage, call->arena, arena_copy(call->arena, access_key), &row, ret_why))
		return false;
	s3_credential_secret(call->storage->server_key, row.access_key, ret);
	who->kind = WHO_PROJECT;
	(void)snprintf(who->project_id, sizeof(who->project_id), "%s", row.project_id);
	(void)snprintf(who->key_id, sizeof(who->key_id), "%s", row.access_key);
	call->caller.read_only = row.scope && strcmp(row.scope, "read_only") == 0;
	return true;
}

/* Deriving the key of a day takes four HMACs; a thread mostly sees one client's. */
static void signing_key(const char *secret, const struct sigv4 *auth, unsigned char ret[SIGV4_KEY_BYTES])
{
	static _Thread_local struct {
		char secret[S3_SECRET_MAX + 1];
		char scope[64];
		unsigned char key[SIGV4_KEY_BYTES];
	} last;
	bool keeps = auth->scope.len < sizeof(last.scope);
	if (keeps && strcmp(last.secret, secret) == 0 && span_is(auth->scope, last.scope)) {
		memcpy(ret, last.key, sizeof(last.key));
		return;
	}
	sigv4_key(span_of(secret), auth->date, auth->region, ret);
	if (!keeps)
		return;
	memcpy(last.secret, secret, strlen(secret) + 1);
	memcpy(last.scope, auth->scope.ptr, auth->scope.len);
	last.scope[auth->scope.len] = '\0';
	memcpy(last.key, ret, sizeof(last.key));
}

/* A header that turns an upload into a copy must be part of what was signed. */
static bool signs_what_matters(const struct s3_call *call, struct err *err)
{
	static const char *const names[] = {"x-amz-copy-source", "x-amz-copy-source-range", "x-amz-metadata-directive"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (s3_header(call, names[i]) && !sigv4_signs(&call->caller.sigv4, names[i]))
			return err_set(err, ERR_FORBIDDEN, "The header %s was sent but not signed", names[i]);
	return true;
}

static const char *reason_of(const struct err *err)
{
	return err->code == ERR_TIME_SKEWED ? "clock_skew" : err->code == ERR_URL_EXPIRED ? "expired" : "signature";
}

static bool by_sigv4(struct s3_call *call, bool presigned, struct err *err)
{
	struct s3_caller *caller = &call->caller;
	const struct http_request *req = call->req;
	const struct sigv4_request request = {.method = span_of(req->method_text),
					      .path = req->path,
					      .query = req->query,
					      .header = header_at,
					      .ctx = req};
	char secret[S3_SECRET_MAX + 1];
	const char *why = "unknown";
	bool parsed = presigned ? sigv4_parse_query(call->arena, &request, &caller->sigv4, err)
				: sigv4_parse_header(call->arena, &request, &caller->sigv4, err);
	if (!parsed)
		return refused("signature");
	if (!s3_find_secret(call, caller->sigv4.access_key, secret, &why)) {
		(void)err_set(err, ERR_ACCESS_KEY_UNKNOWN, "The access key id is not known here");
		return refused(why);
	}
	signing_key(secret, &caller->sigv4, caller->key);
	bool fine = sigv4_verify(call->arena, &caller->sigv4, &request, caller->key, clock_unix_us() / US_PER_S,
				 call->door->settings->s3_sig_max_age, err) &&
		    signs_what_matters(call, err);
	explicit_bzero(secret, sizeof(secret));
	caller->has_sigv4 = fine;
	return fine || refused(reason_of(err));
}

/* ---- the service's own URLs --------------------------------------------------------------------------------------- */

static const char *either(const struct s3_call *call, const char *name, const char *other)
{
	const char *value = s3_query(call, name);
	return value ? value : s3_query(call, other);
}

static bool by_own_url(struct s3_call *call, const char *signature, const char *expires, struct err *err)
{
	const struct s3_address *address = &call->address;
	const char *type = either(call, "content_type", "X-Amz-Content-Type");
	const char *sent_type = s3_header(call, "Content-Type");
	struct presign what = {.method = span_of(call->req->method_text),
			       .bucket = span_of(address->bucket),
			       .key = span_of(address->key),
			       .content_type = type ? span_of(type) : SPAN_NONE};
	if (!presign_expires(span_of(expires), &what.expires_s))
		return err_set(err, ERR_INVALID_EXPIRES, "expires must be a time in Unix seconds");
	if (address->level != S3_OBJECT) {
		(void)err_set(err, ERR_SIGNATURE_MISMATCH, "A signed URL is for one object");
		return refused("signature");
	}
	const int64_t now_s = clock_unix_us() / US_PER_S;
	if (!presign_verify(&what, call->door->presign_key, span_of(signature), now_s, err))
		return refused(now_s > what.expires_s ? "expired" : "signature");
	if (type && call->req->method == HTTP_PUT && (!sent_type || strcmp(type, sent_type) != 0)) {
		(void)err_set(err, ERR_SIGNATURE_MISMATCH, "The Content-Type must be %s", type);
		return refused("signature");
	}
	/* Whoever signed it could reach every bucket; what it opens is decided by what was signed. */
	call->caller.who.kind = WHO_ADMIN;
	call->caller.own_url = true;
	return true;
}

/* ---- keys --------------------------------------------------------------------------------------------------------- */

static bool by_key(struct s3_call *call, struct span key, struct err *err)
{
	const char *why = "unknown";
	if (auth_key(call->storage, span_trim(key), &call->caller.who, &why))
		return true;
	(void)err_set(err, ERR_FORBIDDEN, "The key is not valid for this bucket");
	return refused(why);
}

static bool find_caller(struct s3_call *call, struct err *err)
{
	struct span authorization = span_trim(span_of(s3_header(call, "Authorization")));
	const char *signature = either(call, "signature", "X-Amz-Signature");
	const char *expires = either(call, "expires", "X-Amz-Expires");
	const char *key = s3_header(call, "X-Api-Key");
	if (span_starts(authorization, SPAN("AWS4-")))
		return by_sigv4(call, false, err);
	if (span_starts(authorization, SPAN("AWS ")) || s3_query(call, "AWSAccessKeyId"))
		return err_set(err, ERR_INVALID_REQUEST, "Signature version 2 is not supported: use AWS4-HMAC-SHA256");
	if (s3_query(call, "X-Amz-Algorithm"))
		return by_sigv4(call, true, err);
	if (signature && expires)
		return by_own_url(call, signature, expires, err);
	if (authorization.len > 7 && span_eq_nocase(span_first(authorization, 7), SPAN("Bearer ")))
		return by_key(call, span_skip(authorization, 7), err);
	if (!key)
		key = s3_header(call, "x-amz-security-token");
	if (key)
		return by_key(call, span_of(key), err);
	(void)err_set(err, ERR_NOT_AUTHENTICATED, "Access denied: the request carries no credentials");
	return refused("missing");
}

/* The service's own URLs open plain operations only, whatever else stands in the query. */
static bool own_url_allows(const struct s3_call *call)
{
	s3_handler handler = call->op->handler;
	return handler == s3_get_object || handler == s3_head_object || handler == s3_put_object ||
	       handler == s3_delete_object;
}

bool s3_authenticate(struct s3_call *call, struct err *err)
{
	if (!find_caller(call, err))
		return false;
	call->req->call.who = call->caller.who;
	if (call->caller.own_url && !own_url_allows(call)) {
		(void)err_set(err, ERR_SIGNATURE_MISMATCH, "The signed URL does not permit %s", call->op->name);
		return refused("scope");
	}
	return true;
}

/* ---- buckets ------------------------------------------------------------------------------------------------------ */

static bool find_project(const struct s3_call *call, const char *id, const char **ret)
{
	struct project project;
	if (!*id || !catalog_get_project(call->storage->catalog, call->arena, KEY(id), &project) ||
	    (project.status && strcmp(project.status, "deleted") == 0))
		return false;
	*ret = project.id;
	return true;
}

bool s3_authorize(struct s3_call *call, const char *bucket, enum s3_need need, const char **ret_project_id,
		  struct err *err)
{
	static const char prefix[] = "project_";
	const struct principal *who = &call->caller.who;
	struct span name = span_of(bucket);
	bool stripped =
		span_starts(name, SPAN("project_")) && find_project(call, bucket + sizeof(prefix) - 1, ret_project_id);
	if (!stripped && !find_project(call, bucket, ret_project_id))
		return err_set(err, ERR_PROJECT_NOT_FOUND, "The specified bucket does not exist");
	if (who->kind != WHO_ADMIN && (who->kind != WHO_PROJECT || strcmp(who->project_id, *ret_project_id) != 0)) {
		(void)err_set(err, ERR_FORBIDDEN, "Access denied: the key is not valid for this bucket");
		return refused("scope");
	}
	if (need == S3_WRITES && call->caller.read_only) {
		(void)err_set(err, ERR_FORBIDDEN, "Access denied: the key pair may only read");
		return refused("scope");
	}
	return true;
}
