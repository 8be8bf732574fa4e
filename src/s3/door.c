#include "s3/door.h"

#include "base/clock.h"

#include <stdlib.h>

/* Headers that must not be ignored, by how their names begin: something else than what was asked for would be stored. */
static bool asks_the_possible(const struct s3_call *call, struct err *err)
{
	static const char keys[] = "Encryption with keys of the customer";
	static const struct {
		const char *prefix, *what;
	} refused[] = {
		{"x-amz-server-side-encryption-customer-", keys},
		{"x-amz-copy-source-server-side-encryption-customer-", keys},
		{"x-amz-write-offset-bytes", "Appending to an object"},
		{"x-amz-if-match-", "A condition on time or size"},
	};
	const char *name, *value;
	for (size_t i = 0; http_header_at(call->req, i, &name, &value); i++)
		for (size_t k = 0; k < ARRAY_LEN(refused); k++)
			if (strncasecmp(name, refused[k].prefix, strlen(refused[k].prefix)) == 0)
				return err_set(err, ERR_UNIMPLEMENTED, "%s is not implemented", refused[k].what);
	return true;
}

/* Objects have no versions: what asks for one must not read or remove another. */
static bool asks_for_what_is_there(const struct s3_call *call, struct err *err)
{
	const char *version = call->address.key ? s3_query(call, "versionId") : NULL;
	return !version || s3_is_version(span_of(version)) ||
	       err_set(err, ERR_VERSION_NOT_FOUND, "The specified version does not exist");
}

/* *ret_refused: turned away at the bucket's door, which is no operation yet. */
static bool run(struct s3_call *call, bool *ret_refused, struct err *err)
{
	const struct s3_op *op = call->op;
	*ret_refused = false;
	if (call->address.bucket && !s3_authorize(call, call->address.bucket, op->need, &call->project_id, err)) {
		/* Making a bucket is not a matter of its existence. */
		if (op->handler == s3_create_bucket && err->code == ERR_PROJECT_NOT_FOUND)
			(void)err_set(err, ERR_FORBIDDEN,
				      "Access denied: a bucket is a project, which is created through REST");
		*ret_refused = err->code == ERR_FORBIDDEN;
		return false;
	}
	return asks_the_possible(call, err) && asks_for_what_is_there(call, err) && op->handler(call, err);
}

/* What no operation is meant by. Only callers that are known learn what is wrong. */
static bool refuse(struct s3_call *call, bool opened, struct err *err)
{
	static const struct s3_op none = {.name = "this", .metric = S3_UNCOUNTED};
	struct err broken = *err;
	call->op = &none;
	if (!s3_authenticate(call, err))
		return false;
	if (opened)
		return err_set(err, ERR_METHOD_NOT_ALLOWED_S3, "The method is not allowed on this resource");
	*err = broken;
	return false;
}

/* Is the outcome to be counted here and now? */
static bool counts(const struct s3_call *call, bool fine, bool was_refused, const struct err *err)
{
	bool ran = fine || call->project_id || !call->address.bucket;
	if (ran && call->op->counts_itself)
		return false;
	/* No error without success: the handler will be called again where it may block. */
	return fine ? !call->op->sent_counts : !was_refused && err->code != ERR_NONE;
}

/* The handler of every route of this door. */
static bool handle(struct http_request *req, struct http_response *res, struct err *err)
{
	struct s3_call *call = arena_new_of(req->arena, struct s3_call);
	bool was_refused;
	bool opened = s3_call_open(call, req, res, err);
	call->start_ns = req->call.admitted_ns ? req->call.admitted_ns : clock_ns();
	call->op = opened ? s3_op_find(call) : NULL;
	if (!call->op)
		return refuse(call, opened, err);
	if (!s3_authenticate(call, err))
		return false;
	bool fine = run(call, &was_refused, err);
	if (counts(call, fine, was_refused, err))
		s3_count(call->door, call->op->metric, fine, call->start_ns);
	if (fine)
		s3_common_headers(req, res);
	return fine;
}

/* ---- routes ------------------------------------------------------------------------------------------------------- */

enum {
	ROUTE_SERVICE_GET,
	ROUTE_BUCKET_GET,
	ROUTE_BUCKET_HEAD,
	ROUTE_BUCKET_PUT,
	ROUTE_BUCKET_DELETE,
	ROUTE_BUCKET_POST,
	ROUTE_PRESIGN,
	ROUTE_KEY_GET,
	ROUTE_KEY_HEAD,
	ROUTE_KEY_PUT,
	ROUTE_KEY_DELETE,
	ROUTE_KEY_POST,
	ROUTE_SERVICE_ANY,
	ROUTE_BUCKET_ANY,
	ROUTE_KEY_ANY,
	ROUTES
};

#define BUCKET_PATH				 "/s3/{bucket}"
#define KEY_PATH				 "/s3/{bucket}/{key}"
#define ROUTE(verb, template, where, what, text) ROUTE_AT(verb, template, false, where, what, text)
#define KEY_ROUTE(verb, where, what, text)	 ROUTE_AT(verb, KEY_PATH, true, where, what, text)
#define ROUTE_AT(verb, template, tail, where, what, text)                                                              \
	{                                                                                                              \
		.method = (verb), .path = (template), .guard = GUARD_NONE, .run = (where), .body = (what),             \
		.handler = handle, .unkeyed = true, .rest = (tail), .produces = S3_XML, .tag = "S3", .summary = (text) \
	}

/* clang-format off */
static const struct http_route rows[ROUTES] = {
	[ROUTE_SERVICE_GET] = ROUTE(HTTP_GET, "/s3", HTTP_READ, HTTP_BODY_NONE, "ListBuckets"),
	[ROUTE_SERVICE_ANY] = ROUTE(HTTP_ANY, "/s3", HTTP_READ, HTTP_BODY_NONE, "Other methods"),
	[ROUTE_BUCKET_GET] = ROUTE(HTTP_GET, BUCKET_PATH, HTTP_READ, HTTP_BODY_NONE, "ListObjects (both versions), and the sub-resources of a bucket"),
	[ROUTE_BUCKET_HEAD] = ROUTE(HTTP_HEAD, BUCKET_PATH, HTTP_INLINE, HTTP_BODY_NONE, "HeadBucket"),
	[ROUTE_BUCKET_PUT] = ROUTE(HTTP_PUT, BUCKET_PATH, HTTP_STREAM, HTTP_BODY_STREAM, "CreateBucket: buckets are projects"),
	[ROUTE_BUCKET_DELETE] = ROUTE(HTTP_DELETE, BUCKET_PATH, HTTP_WRITE, HTTP_BODY_NONE, "DeleteBucket: refused"),
	[ROUTE_BUCKET_POST] = ROUTE(HTTP_POST, BUCKET_PATH, HTTP_STREAM, HTTP_BODY_STREAM, "DeleteObjects"),
	[ROUTE_BUCKET_ANY] = ROUTE(HTTP_ANY, BUCKET_PATH, HTTP_READ, HTTP_BODY_NONE, "Other methods"),
	[ROUTE_PRESIGN] = ROUTE(HTTP_POST, BUCKET_PATH "/presign", HTTP_STREAM, HTTP_BODY_STREAM, "Sign a URL of an object"),
	[ROUTE_KEY_GET] = KEY_ROUTE(HTTP_GET, HTTP_INLINE, HTTP_BODY_NONE, "GetObject, ListParts"),
	[ROUTE_KEY_HEAD] = KEY_ROUTE(HTTP_HEAD, HTTP_INLINE, HTTP_BODY_NONE, "HeadObject"),
	[ROUTE_KEY_PUT] = KEY_ROUTE(HTTP_PUT, HTTP_STREAM, HTTP_BODY_STREAM, "PutObject, CopyObject, UploadPart, UploadPartCopy"),
	[ROUTE_KEY_DELETE] = KEY_ROUTE(HTTP_DELETE, HTTP_WRITE, HTTP_BODY_NONE, "DeleteObject, AbortMultipartUpload"),
	[ROUTE_KEY_POST] = KEY_ROUTE(HTTP_POST, HTTP_STREAM, HTTP_BODY_STREAM, "CreateMultipartUpload, CompleteMultipartUpload"),
	[ROUTE_KEY_ANY] = KEY_ROUTE(HTTP_ANY, HTTP_READ, HTTP_BODY_NONE, "Other methods"),
};
/* clang-format on */

static const int by_method[][HTTP_METHODS] = {
	[S3_SERVICE] = {[HTTP_GET] = ROUTE_SERVICE_GET,
			[HTTP_HEAD] = ROUTE_SERVICE_ANY,
			[HTTP_POST] = ROUTE_SERVICE_ANY,
			[HTTP_PUT] = ROUTE_SERVICE_ANY,
			[HTTP_PATCH] = ROUTE_SERVICE_ANY,
			[HTTP_DELETE] = ROUTE_SERVICE_ANY,
			[HTTP_OTHER] = ROUTE_SERVICE_ANY},
	[S3_BUCKET] = {[HTTP_GET] = ROUTE_BUCKET_GET,
		       [HTTP_HEAD] = ROUTE_BUCKET_HEAD,
		       [HTTP_POST] = ROUTE_BUCKET_POST,
		       [HTTP_PUT] = ROUTE_BUCKET_PUT,
		       [HTTP_PATCH] = ROUTE_BUCKET_ANY,
		       [HTTP_DELETE] = ROUTE_BUCKET_DELETE,
		       [HTTP_OTHER] = ROUTE_BUCKET_ANY},
	[S3_OBJECT] = {[HTTP_GET] = ROUTE_KEY_GET,
		       [HTTP_HEAD] = ROUTE_KEY_HEAD,
		       [HTTP_POST] = ROUTE_KEY_POST,
		       [HTTP_PUT] = ROUTE_KEY_PUT,
		       [HTTP_PATCH] = ROUTE_KEY_ANY,
		       [HTTP_DELETE] = ROUTE_KEY_DELETE,
		       [HTTP_OTHER] = ROUTE_KEY_ANY},
};

static bool asks_for(struct span query, const char *name)
{
	return query.len > 0 && memmem(query.ptr, query.len, name, strlen(name));
}

/* Outside of /s3 only what is signed the S3 way, or the old one, is ours: no other door uses either. */
static bool is_signed(const struct http_request *req)
{
	struct span authorization = span_of(http_header(req, "Authorization"));
	return span_starts(authorization, SPAN("AWS4-HMAC-SHA256")) || span_starts(authorization, SPAN("AWS ")) ||
	       asks_for(req->query, "X-Amz-Algorithm=") || asks_for(req->query, "AWSAccessKeyId=");
}

/* How many parts a path has, without decoding it. */
static enum s3_level level_of(struct span path)
{
	if (s3_address_prefixed(path))
		path = span_skip(path, 3);
	path = span_skip(path, 1);
	if (path.len == 0)
		return S3_SERVICE;
	return span_find(path, '/') + 1 < path.len ? S3_OBJECT : S3_BUCKET;
}

const struct http_route *s3_preroute(void *ctx, struct http_request *req)
{
	struct s3_door *door = ctx;
	if (req->method == HTTP_OPTIONS || (!s3_address_prefixed(req->path) && !is_signed(req)))
		return NULL;
	enum s3_level level = level_of(req->path);
	if (level == S3_OBJECT && req->method == HTTP_POST && req->query.len == 0 &&
	    span_ends(req->path, SPAN("/presign")))
		return &door->routes.rows[ROUTE_PRESIGN];
	return &door->routes.rows[by_method[level][req->method]];
}

struct s3_door *s3_door_new(struct storage *storage)
{
	struct s3_door *door = mem_alloc(sizeof(*door));
	const char *secret = storage->settings->presign_secret;
	door->storage = storage;
	door->settings = storage->settings;
	server_key_derive(storage->server_key, "presign", "", door->derived_key);
	door->presign_key =
		secret ? span_of(secret) : (struct span){(const char *)door->derived_key, sizeof(door->derived_key)};
	s3_counters_open(&door->counters);
	door->routes = (struct http_routes){
		.rows = rows, .count = ROUTES, .door = DOOR_S3, .ctx = door, .error_render = s3_error_render};
	return door;
}

void s3_door_free(struct s3_door *door)
{
	free(door);
}

const struct http_routes *s3_routes(const struct s3_door *door)
{
	return &door->routes;
}
