#include "s3/body.h"

#include "base/base64.h"

#include <stdlib.h>

enum { PIECE = 256 * 1024 };

static const struct mode {
	const char *hash; /* value of x-amz-content-sha256 */
	bool chunked;
	bool is_signed;
	bool trailer;
} modes[] = {
	{"UNSIGNED-PAYLOAD", false, false, false},
	{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, true, false},
	{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, true, true},
	{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", true, false, true},
};

static const struct mode *mode_of(const char *hash)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].hash, hash) == 0)
			return &modes[i];
	return NULL;
}

static bool read_length(struct s3_body *body, const struct mode *mode, struct err *err)
{
	const struct s3_call *call = body->call;
	const char *decoded = s3_header(call, "x-amz-decoded-content-length");
	const char *plain = s3_header(call, "Content-Length");
	uint64_t length;
	body->length = -1;
	if (!plain && !http_body_chunked(call->req))
		return err_set(err, ERR_LENGTH_REQUIRED, "The request needs a Content-Length");
	if (mode && mode->chunked) {
		if (!decoded)
			return err_set(err, ERR_LENGTH_REQUIRED,
				       "A body in chunks of its own needs x-amz-decoded-content-length");
		if (!span_u64(span_of(decoded), &length) || length > INT64_MAX)
			return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-decoded-content-length must be a number");
		body->length = (int64_t)length;
	} else if (plain) {
		body->length = http_body_length(call->req);
	}
	if (body->length > body->max)
		return err_set(err, ERR_FILE_TOO_LARGE, "The body is larger than %lld bytes", (long long)body->max);
	return true;
}

static bool read_md5(struct s3_body *body, struct err *err)
{
	const char *text = s3_header(body->call, "Content-MD5");
	size_t n;
	if (!text)
		return true;
	if (!base64_read(span_trim(span_of(text)), body->md5, sizeof(body->md5), &n) || n != sizeof(body->md5))
		return err_set(err, ERR_BAD_DIGEST, "Content-MD5 is not the base64 of 16 bytes");
	body->has_md5 = true;
	body->digests |= CHECKSUM_BIT(CHECKSUM_MD5);
	return true;
}

static bool read_value(struct s3_body *body, struct span text, struct err *err)
{
	enum checksum kind = (enum checksum)body->checksum;
	size_t n;
	return (base64_read(text, body->value, sizeof(body->value), &n) && n == checksum_size(kind)) ||
	       err_set(err, ERR_INVALID_REQUEST, "The value of x-amz-checksum-%s is not the base64 of %zu bytes",
		       checksum_name(kind), checksum_size(kind));
}

/* The checksum that is to be verified: a header's, or announced as a trailer. Unknown kinds are ignored. */
static bool read_checksum(struct s3_body *body, const struct mode *mode, struct err *err)
{
	static const char prefix[] = "x-amz-checksum-";
	const char *trailer = s3_header(body->call, "x-amz-trailer");
	body->checksum = -1;
	for (enum checksum c = 0; c < CHECKSUM_MD5; c++) {
		const char *name = arena_printf(body->call->arena, "%s%s", prefix, checksum_name(c));
		const char *value = s3_header(body->call, name);
		if (!value)
			continue;
		if (body->checksum >= 0)
			return err_set(err, ERR_INVALID_REQUEST, "Only one checksum may be given");
		body->checksum = (int)c;
		if (!read_value(body, span_trim(span_of(value)), err))
			return false;
	}
	for (struct span rest = span_of(trailer); mode && mode->trailer && rest.len > 0;) {
		struct span name = span_trim(span_cut(&rest, ','));
		enum checksum c;
		if (name.len <= strlen(prefix) ||
		    !span_eq_nocase(span_first(name, strlen(prefix)), SPAN("x-amz-checksum-")) ||
		    !checksum_find(span_skip(name, strlen(prefix)), &c) || c == CHECKSUM_MD5)
			continue;
		if (body->checksum >= 0)
			return err_set(err, ERR_INVALID_REQUEST, "Only one checksum may be given");
		body->checksum = (int)c;
		body->in_trailer = true;
	}
	body->digests |= body->checksum >= 0 ? CHECKSUM_BIT(body->checksum) : 0;
	return true;
}

static bool read_hash(struct s3_body *body, const char *hash, const struct mode *mode, struct err *err)
{
	if (mode || !*hash)
		return true;
	if (!hash_unhex(span_of(hash), body->sha256, sizeof(body->sha256)))
		return err_set(err, ERR_UNIMPLEMENTED, "This x-amz-content-sha256 is not supported");
	body->has_sha256 = true;
	body->digests |= CHECKSUM_BIT(CHECKSUM_SHA256);
	return true;
}

static bool open_chunks(struct s3_body *body, const struct mode *mode, struct err *err)
{
	const struct s3_caller *caller = &body->call->caller;
	struct chunked_config config = {
		.is_signed = mode->is_signed,
		.trailer = mode->trailer,
		.length = body->length,
		.announced = mode->trailer ? span_of(s3_header(body->call, "x-amz-trailer")) : SPAN_NONE,
		.timestamp = caller->sigv4.timestamp,
		.scope = caller->sigv4.scope,
		.key = caller->key,
		.seed = caller->sigv4.signature,
	};
	if (mode->is_signed && !caller->has_sigv4)
		return err_set(err, ERR_INVALID_REQUEST, "Signed chunks need a signed request");
	body->chunked = mem_alloc(sizeof(*body->chunked));
	chunked_begin(body->chunked, &config);
	return true;
}

/* The buffer of a small body is small. */
static size_t buffer_size(const struct s3_body *body)
{
	int64_t length = http_body_length(body->call->req);
	return length >= 0 && length < PIECE ? (size_t)length + 1 : PIECE;
}

static bool open_body(struct s3_body *body, struct s3_call *call, int64_t max, bool unchecked, struct err *err)
{
	const char *hash = s3_header(call, "x-amz-content-sha256");
	*body = (struct s3_body){.call = call, .max = max, .checksum = -1};
	/* What was signed counts: of a header that names no payload hash, that of nothing. */
	if (!hash)
		hash = !call->caller.has_sigv4	      ? ""
		       : call->caller.sigv4.presigned ? arena_copy(call->arena, call->caller.sigv4.payload_hash)
						      : SIGV4_EMPTY_HASH;
	const struct mode *mode = mode_of(hash);
	if (!read_length(body, mode, err) || !read_md5(body, err) || (!unchecked && !read_checksum(body, mode, err)) ||
	    !read_hash(body, hash, mode, err))
		return false;
	if (mode && mode->chunked && !open_chunks(body, mode, err))
		return false;
	body->size = buffer_size(body);
	body->bytes = mem_alloc(body->size);
	return true;
}

bool s3_body_open(struct s3_body *body, struct s3_call *call, int64_t max, struct err *err)
{
	return open_body(body, call, max, false, err);
}

static bool grew(struct s3_body *body, struct span data, struct err *err)
{
	body->total += (int64_t)data.len;
	return body->total <= body->max ||
	       err_set(err, ERR_FILE_TOO_LARGE, "The body is larger than %lld bytes", (long long)body->max);
}

bool s3_body_next(struct s3_body *body, struct span *ret_data, struct err *err)
{
	*ret_data = SPAN_NONE;
	for (;;) {
		while (body->raw.len > 0) {
			if (!chunked_feed(body->chunked, &body->raw, ret_data, err))
				return false;
			if (ret_data->len > 0)
				return grew(body, *ret_data, err);
		}
		size_t n;
		if (!http_body_read(body->call->req, body->bytes, body->size, &n, err))
			return false;
		struct span piece = {body->bytes, n};
		if (n == 0)
			return !body->chunked || chunked_end(body->chunked, err);
		if (!body->chunked) {
			*ret_data = piece;
			return grew(body, piece, err);
		}
		body->raw = piece;
	}
}

static bool check_checksum(struct s3_body *body, const struct digest_values *values, struct err *err)
{
	if (body->checksum < 0)
		return true;
	enum checksum kind = (enum checksum)body->checksum;
	if (body->in_trailer) {
		const char *name = arena_printf(body->call->arena, "x-amz-checksum-%s", checksum_name(kind));
		if (!read_value(body, chunked_trailer(body->chunked, span_of(name)), err))
			return false;
	}
	return memcmp(values->of[kind], body->value, checksum_size(kind)) == 0 ||
	       err_set(err, ERR_BAD_DIGEST, "The %s checksum of the body does not match", checksum_name(kind));
}

bool s3_body_check(struct s3_body *body, const struct digest_values *values, struct err *err)
{
	if (body->length >= 0 && body->total != body->length)
		return err_set(err, ERR_SIZE_MISMATCH, "The body is shorter than announced");
	if (body->has_sha256 && memcmp(values->of[CHECKSUM_SHA256], body->sha256, sizeof(body->sha256)) != 0)
		return err_set(err, ERR_CONTENT_HASH_MISMATCH,
			       "The body does not match x-amz-content-sha256 of the request");
	if (body->has_md5 && memcmp(values->of[CHECKSUM_MD5], body->md5, sizeof(body->md5)) != 0)
		return err_set(err, ERR_BAD_DIGEST, "The body does not match Content-MD5");
	return check_checksum(body, values, err);
}

void s3_body_done(struct s3_body *body)
{
	if (body->chunked)
		chunked_done(body->chunked);
	free(body->chunked);
	free(body->bytes);
}

static const char *value_text(const struct s3_body *body)
{
	size_t size = checksum_size((enum checksum)body->checksum);
	char *text = arena_alloc(body->call->arena, BASE64_SIZE(CHECKSUM_BYTES_MAX));
	base64_write(body->value, size, text);
	return text;
}

const char *s3_body_checksums_json(const struct s3_body *body)
{
	if (body->checksum < 0)
		return NULL;
	return arena_printf(body->call->arena, "{\"%s\":\"%s\",\"type\":\"FULL_OBJECT\"}",
			    checksum_name((enum checksum)body->checksum), value_text(body));
}

void s3_body_echo(const struct s3_body *body)
{
	if (body->checksum < 0)
		return;
	const char *name =
		arena_printf(body->call->arena, "x-amz-checksum-%s", checksum_name((enum checksum)body->checksum));
	http_add(body->call->res, name, value_text(body));
}

static bool read_text(struct s3_call *call, size_t max, bool unchecked, struct buf *ret, struct err *err)
{
	struct s3_body body;
	struct digests digests = {0};
	struct digest_values values;
	struct span data;
	bool fine = open_body(&body, call, (int64_t)max, unchecked, err);
	if (fine)
		digests_begin(&digests, body.digests);
	do {
		fine = fine && s3_body_next(&body, &data, err);
		if (fine) {
			digests_update(&digests, data.ptr, data.len);
			buf_span(ret, data);
		}
	} while (fine && data.len > 0);
	if (fine) {
		digests_finish(&digests, &values);
		fine = s3_body_check(&body, &values, err);
	}
	digests_done(&digests);
	s3_body_done(&body);
	if (!fine && err->code == ERR_FILE_TOO_LARGE)
		return err_set(err, ERR_MALFORMED_XML, "The XML body is larger than %zu bytes", max);
	return fine;
}

bool s3_body_text(struct s3_call *call, size_t max, struct buf *ret, struct err *err)
{
	return read_text(call, max, false, ret, err);
}

bool s3_body_text_unchecked(struct s3_call *call, size_t max, struct buf *ret, struct err *err)
{
	return read_text(call, max, true, ret, err);
}
