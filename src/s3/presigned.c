/* POST /s3/{bucket}/presign: the service's own signed URLs. */
#include "base/clock.h"
#include "http/schema.h"
#include "metrics/metrics.h"
#include "s3/body.h"
#include "s3/presign.h"
#include "storage/object.h"

enum { BODY_MAX = 64 * 1024, EXPIRY_MAX = 604800 };

static const char *const methods[] = {"GET", "PUT", "DELETE", "HEAD", NULL};

static const struct field fields[] = {
	{.name = "key", .type = FIELD_STRING, .required = true, .help = "Need not exist"},
	{.name = "method", .type = FIELD_STRING, .values = methods, .fallback = "\"GET\""},
	{.name = "expires_in", .type = FIELD_INT, RANGE(1, EXPIRY_MAX), .help = "Seconds"},
	{.name = "content_type", .type = FIELD_STRING, .nullable = true, .help = "What a PUT must send"},
	{0}};
static const struct schema schema = {"S3PresignRequest", fields, NULL};

static bool read_body(struct s3_call *call, json_t **ret, struct err *err)
{
	struct buf text = BUF(BODY_MAX);
	*ret = NULL;
	bool fine = s3_body_text_unchecked(call, BODY_MAX, &text, err);
	if (fine) {
		faults_init(&call->req->faults);
		*ret = schema_read(&schema, buf_view(&text), true, &call->req->faults);
		fine = *ret || err_set(err, ERR_VALIDATION, "The request has %zu fault(s)", call->req->faults.count);
	}
	buf_done(&text);
	return fine;
}

static void answer(struct s3_call *call, const struct presign *what)
{
	char when[CLOCK_ISO_SIZE];
	struct buf url = BUF(8 * LIMIT_HTTP_PATH_BYTES);
	presign_url(&url, span_of(s3_base_url(call)), what, call->door->presign_key);
	struct json *j = http_json(call->res, 200);
	json_object(j, NULL);
	json_span(j, "url", buf_view(&url));
	(void)clock_format(what->expires_s * US_PER_S, "%Y-%m-%dT%H:%M:%S+00:00", when, sizeof(when));
	json_str(j, "expires_at", when);
	json_span(j, "method", what->method);
	json_object_end(j);
	buf_done(&url);
}

static bool sign(struct s3_call *call, const json_t *body, struct err *err)
{
	const struct settings *settings = call->door->settings;
	const char *method = body_str(body, "method");
	const char *type = body_str(body, "content_type");
	const int64_t most = settings->presign_max_expiry;
	const int64_t usual = settings->presign_default_expiry < most ? settings->presign_default_expiry : most;
	int64_t life = body_int(body, "expires_in", usual);
	struct presign what = {.method = span_of(method),
			       .bucket = span_of(call->address.bucket),
			       .key = span_of(body_str(body, "key")),
			       .expires_s = clock_unix_us() / US_PER_S + life,
			       .content_type = type ? span_of(type) : SPAN_NONE};
	bool writes = strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
	if (life > most)
		return err_set(err, ERR_INVALID_ARGUMENT, "expires_in may be %lld seconds at most", (long long)most);
	if (writes && call->caller.read_only)
		return err_set(err, ERR_FORBIDDEN, "Access denied: the key pair may only read");
	if (!object_key_check(what.key, err))
		return false;
	/* Signed texts are lines: with one more they would be those of another URL, which lives longer. */
	if (span_find(what.key, '\n') < what.key.len || span_find(what.content_type, '\n') < what.content_type.len)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "A key or content type with a line break needs a URL signed with Signature V4");
	answer(call, &what);
	metric_inc(metric_series(METRIC_S3_PRESIGN_REQUESTS_TOTAL, method, NULL));
	return true;
}

bool s3_presign(struct s3_call *call, struct err *err)
{
	json_t *body;
	bool fine = read_body(call, &body, err) && sign(call, body, err);
	json_decref(body);
	return fine;
}
