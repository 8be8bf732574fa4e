#include "s3/sigv4.h"

#include "base/buf.h"
#include "base/clock.h"
#include "http/range.h"
#include "http/target.h"

#include <stdlib.h>
#include <time.h>

static const struct span algorithm = {"AWS4-HMAC-SHA256", 16};
static const char empty_hash[] = SIGV4_EMPTY_HASH;

enum { CANONICAL_MAX = 256 * 1024 };

/* ---- parsing ------------------------------------------------------------------------------------------------------ */

static bool digits(struct span s, size_t at, size_t n, int *ret)
{
	int value = 0;
	for (size_t i = at; i < at + n; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		value = value * 10 + (s.ptr[i] - '0');
	}
	*ret = value;
	return true;
}

bool sigv4_time(struct span text, int64_t *ret_unix_s)
{
	/* Where each number stands in YYYYMMDDTHHMMSSZ, and its range. */
	static const struct {
		size_t at, len;
		int min, max;
	} parts[] = {{0, 4, 1, 9999}, {4, 2, 1, 12}, {6, 2, 1, 31}, {9, 2, 0, 23}, {11, 2, 0, 59}, {13, 2, 0, 60}};
	int values[ARRAY_LEN(parts)];
	if (text.len != 16 || text.ptr[8] != 'T' || text.ptr[15] != 'Z')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!digits(text, parts[i].at, parts[i].len, &values[i]) || values[i] < parts[i].min ||
		    values[i] > parts[i].max)
			return false;
	struct tm tm = {.tm_year = values[0] - 1900,
			.tm_mon = values[1] - 1,
			.tm_mday = values[2],
			.tm_hour = values[3],
			.tm_min = values[4],
			.tm_sec = values[5]};
	*ret_unix_s = (int64_t)timegm(&tm);
	return true;
}

/* First value of a header, given in lower case. */
static struct span header_of(const struct sigv4_request *req, const char *name)
{
	struct span found, value;
	for (size_t i = 0; req->header(req->ctx, i, &found, &value); i++)
		if (span_eq_nocase(found, span_of(name)))
			return value;
	return SPAN_NONE;
}

/* Cuts *s at the last '/': returns what stands behind it. */
static struct span cut_last(struct span *s)
{
	size_t at = s->len;
	while (at > 0 && s->ptr[at - 1] != '/')
		at--;
	struct span last = span_skip(*s, at);
	*s = span_first(*s, at > 0 ? at - 1 : 0);
	return last;
}

/* access-key/date/region/s3/aws4_request; the key itself may hold slashes. */
static bool parse_credential(struct span credential, struct sigv4 *ret)
{
	struct span rest = credential;
	struct span last = cut_last(&rest);
	struct span service = cut_last(&rest);
	ret->region = cut_last(&rest);
	ret->date = cut_last(&rest);
	ret->access_key = rest;
	if (!span_is(last, "aws4_request") || !span_is(service, "s3") || ret->date.len != 8 || rest.len == 0)
		return false;
	ret->scope = span_skip(credential, rest.len + 1);
	return true;
}

static bool is_signature(struct span s)
{
	unsigned char bytes[SIGV4_SIGNATURE_LEN / 2];
	return hash_unhex(s, bytes, sizeof(bytes));
}

/* Time stamps, scope and list of headers; what both forms share. */
static const char *fault_of(const struct sigv4 *a)
{
	if (!is_signature(a->signature))
		return "the signature is not 64 hex digits";
	if (a->signed_headers.len == 0)
		return "no signed headers are named";
	if (!sigv4_signs(a, "host"))
		return "the host header must be signed";
	if (memcmp(a->timestamp, a->date.ptr, 8) != 0)
		return "the date of the credential is not that of the request";
	return NULL;
}

static bool parse_date(const struct sigv4_request *req, struct sigv4 *ret)
{
	struct span stamp = header_of(req, "x-amz-date");
	char text[64];
	if (stamp.ptr) {
		stamp = span_trim(stamp);
		if (!sigv4_time(stamp, &ret->time_s))
			return false;
		memcpy(ret->timestamp, stamp.ptr, 16);
		return true;
	}
	stamp = span_trim(header_of(req, "date"));
	if (stamp.len == 0 || stamp.len >= sizeof(text))
		return false;
	memcpy(text, stamp.ptr, stamp.len);
	text[stamp.len] = '\0';
	return (sigv4_time(stamp, &ret->time_s) || http_date_parse(text, &ret->time_s)) &&
	       clock_format(ret->time_s * US_PER_S, "%Y%m%dT%H%M%SZ", ret->timestamp, sizeof(ret->timestamp)) == 16;
}

bool sigv4_parse_header(struct arena *arena, const struct sigv4_request *req, struct sigv4 *ret, struct err *err)
{
	struct span rest = span_trim(header_of(req, "authorization"));
	struct span credential = SPAN_NONE;
	(void)arena;
	*ret = (struct sigv4){0};
	if (!span_starts(rest, algorithm))
		return err_set(err, ERR_AUTH_HEADER_MALFORMED, "The Authorization header is not AWS4-HMAC-SHA256");
	rest = span_skip(rest, algorithm.len);
	while (rest.len > 0) {
		struct span value = span_trim(span_cut(&rest, ','));
		struct span name = span_cut(&value, '=');
		if (span_is(name, "Credential"))
			credential = value;
		else if (span_is(name, "SignedHeaders"))
			ret->signed_headers = value;
		else if (span_is(name, "Signature"))
			ret->signature = value;
	}
	if (!parse_credential(credential, ret))
		return err_set(err, ERR_AUTH_HEADER_MALFORMED,
			       "The Authorization header's Credential must be KEY/YYYYMMDD/REGION/s3/aws4_request");
	if (!parse_date(req, ret))
		return err_set(err, ERR_AUTH_HEADER_MALFORMED,
			       "The request needs an x-amz-date header of the form YYYYMMDDTHHMMSSZ");
	const char *fault = fault_of(ret);
	if (fault)
		return err_set(err, ERR_AUTH_HEADER_MALFORMED, "The Authorization header is malformed: %s", fault);
	ret->payload_hash = span_trim(header_of(req, "x-amz-content-sha256"));
	return true;
}

bool sigv4_parse_query(struct arena *arena, const struct sigv4_request *req, struct sigv4 *ret, struct err *err)
{
	enum { ALGORITHM, CREDENTIAL, DATE, EXPIRES, HEADERS, SIGNATURE, TOKEN, HASH, COUNT };
	static const char *const names[COUNT] = {"X-Amz-Algorithm",	 "X-Amz-Credential",	"X-Amz-Date",
						 "X-Amz-Expires",	 "X-Amz-SignedHeaders", "X-Amz-Signature",
						 "X-Amz-Security-Token", "X-Amz-Content-Sha256"};
	struct span values[COUNT] = {0};
	struct span rest = req->query, name, value;
	uint64_t expires;

	*ret = (struct sigv4){.presigned = true};
	while (query_next(&rest, &name, &value)) {
		for (size_t i = 0; i < COUNT; i++) {
			if (!span_eq_nocase(percent_decoded(arena, name, true), span_of(names[i])))
				continue;
			if (values[i].ptr)
				return err_set(err, ERR_AUTH_QUERY_MALFORMED, "%s is given twice", names[i]);
			values[i] = percent_decoded(arena, value, true);
		}
	}
	if (!span_eq(values[ALGORITHM], algorithm))
		return err_set(err, ERR_AUTH_QUERY_MALFORMED, "X-Amz-Algorithm must be AWS4-HMAC-SHA256");
	if (!parse_credential(values[CREDENTIAL], ret))
		return err_set(err, ERR_AUTH_QUERY_MALFORMED,
			       "X-Amz-Credential must be KEY/YYYYMMDD/REGION/s3/aws4_request");
	if (!sigv4_time(values[DATE], &ret->time_s))
		return err_set(err, ERR_AUTH_QUERY_MALFORMED, "X-Amz-Date must have the form YYYYMMDDTHHMMSSZ");
	memcpy(ret->timestamp, values[DATE].ptr, 16);
	if (!span_u64(values[EXPIRES], &expires) || expires < 1 || expires > SIGV4_EXPIRES_MAX)
		return err_set(err, ERR_AUTH_QUERY_MALFORMED, "X-Amz-Expires must be from 1 to %d seconds",
			       SIGV4_EXPIRES_MAX);
	ret->expires_s = (int64_t)expires;
	ret->signed_headers = values[HEADERS];
	ret->signature = values[SIGNATURE];
	const char *fault = fault_of(ret);
	if (fault)
		return err_set(err, ERR_AUTH_QUERY_MALFORMED, "The signed URL is malformed: %s", fault);
	ret->payload_hash = values[HASH].len > 0 ? values[HASH] : SPAN("UNSIGNED-PAYLOAD");
	return true;
}

bool sigv4_signs(const struct sigv4 *auth, const char *header)
{
	struct span rest = auth->signed_headers;
	while (rest.len > 0)
		if (span_eq_nocase(span_cut(&rest, ';'), span_of(header)))
			return true;
	return false;
}

/* ---- the canonical request ---------------------------------------------------------------------------------------- */

struct parameter {
	struct span name;
	struct span value;
};

static int compare_parameters(const void *a, const void *b)
{
	const struct parameter *left = a, *right = b;
	int order = span_cmp(left->name, right->name);
	return order != 0 ? order : span_cmp(left->value, right->value);
}

static struct span encoded(struct arena *arena, struct span raw)
{
	struct span text = percent_decoded(arena, raw, true);
	struct buf out = BUF(3 * text.len + 1);
	percent_encode(&out, text, "");
	struct span copy = arena_span(arena, buf_view(&out));
	buf_done(&out);
	return copy;
}

static bool write_query(struct arena *arena, const struct sigv4 *auth, struct span query, struct buf *out)
{
	struct parameter *list = arena_array(arena, struct parameter, SIGV4_QUERY_MAX);
	struct span rest = query, name, value;
	size_t n = 0;
	while (query_next(&rest, &name, &value)) {
		struct parameter p = {encoded(arena, name), encoded(arena, value)};
		if (auth->presigned && span_eq_nocase(p.name, SPAN("X-Amz-Signature")))
			continue;
		if (n == SIGV4_QUERY_MAX)
			return false;
		list[n++] = p;
	}
	qsort(list, n, sizeof(list[0]), compare_parameters);
	for (size_t i = 0; i < n; i++) {
		buf_str(out, i > 0 ? "&" : "");
		buf_span(out, list[i].name);
		buf_byte(out, '=');
		buf_span(out, list[i].value);
	}
	return true;
}

/* Trimmed, inner runs of blanks made one. */
static void write_value(struct buf *out, struct span value)
{
	value = span_trim(value);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] != ' ' || value.ptr[i - 1] != ' ')
			buf_byte(out, value.ptr[i]);
}

/* False when a signed header was not sent. */
static bool write_header(const struct sigv4_request *req, struct span name, struct buf *out)
{
	struct span found, value;
	bool any = false;
	for (size_t i = 0; i < name.len; i++)
		buf_byte(out, (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]));
	buf_byte(out, ':');
	for (size_t i = 0; req->header(req->ctx, i, &found, &value); i++) {
		if (!span_eq_nocase(found, name))
			continue;
		buf_str(out, any ? "," : "");
		write_value(out, value);
		any = true;
	}
	buf_byte(out, '\n');
	return any;
}

static bool write_headers(const struct sigv4 *auth, const struct sigv4_request *req, struct buf *out, struct err *err)
{
	struct span rest = auth->signed_headers, before = SPAN_NONE;
	for (size_t n = 0; rest.len > 0; n++) {
		struct span name = span_cut(&rest, ';');
		if (n == SIGV4_HEADERS_MAX || name.len == 0 || (n > 0 && span_cmp(before, name) >= 0))
			return err_set(err, ERR_SIGNATURE_MISMATCH, "The signed headers are not a sorted list");
		if (!write_header(req, name, out))
			return err_set(err, ERR_SIGNATURE_MISMATCH, "The signed header %.*s was not sent",
				       (int)(name.len < 100 ? name.len : 100), name.ptr);
		before = name;
	}
	return true;
}

static bool canonical_hash(struct arena *arena, const struct sigv4 *auth, const struct sigv4_request *req,
			   char ret[SHA256_HEX_SIZE], struct err *err)
{
	struct buf out = BUF(CANONICAL_MAX);
	bool fine = false;
	buf_span(&out, req->method);
	buf_byte(&out, '\n');
	percent_encode(&out, req->path.len > 0 ? percent_decoded(arena, req->path, false) : SPAN("/"), "/");
	buf_byte(&out, '\n');
	if (!write_query(arena, auth, req->query, &out)) {
		(void)err_set(err, ERR_SIGNATURE_MISMATCH, "The query has more than %d parameters", SIGV4_QUERY_MAX);
		goto out;
	}
	buf_byte(&out, '\n');
	if (!write_headers(auth, req, &out, err))
		goto out;
	buf_byte(&out, '\n');
	buf_span(&out, auth->signed_headers);
	buf_byte(&out, '\n');
	/* A client that sends no payload hash signed that of nothing, if anything. */
	buf_span(&out, auth->payload_hash.len > 0 ? auth->payload_hash : span_of(empty_hash));
	if (out.failed) {
		(void)err_set(err, ERR_SIGNATURE_MISMATCH, "The request is too large to be signed");
		goto out;
	}
	hash_sha256_hex(buf_view(&out), ret);
	fine = true;
out:
	buf_done(&out);
	return fine;
}

/* ---- signing ------------------------------------------------------------------------------------------------------ */

static struct span key_span(const unsigned char key[SIGV4_KEY_BYTES])
{
	return (struct span){(const char *)key, SIGV4_KEY_BYTES};
}

void sigv4_key(struct span secret, struct span date, struct span region, unsigned char ret[SIGV4_KEY_BYTES])
{
	struct buf first = BUF(secret.len + 8);
	unsigned char key[SIGV4_KEY_BYTES];
	buf_str(&first, "AWS4");
	buf_span(&first, secret);
	hash_hmac_sha256(buf_view(&first), date, key);
	hash_hmac_sha256(key_span(key), region, key);
	hash_hmac_sha256(key_span(key), SPAN("s3"), key);
	hash_hmac_sha256(key_span(key), SPAN("aws4_request"), ret);
	explicit_bzero(first.ptr, first.len);
	buf_done(&first);
}

/* Signs the lines of a string to sign, joined by LF. */
static void sign_lines(const unsigned char key[SIGV4_KEY_BYTES], const struct span *lines, size_t n,
		       char ret[SIGV4_SIGNATURE_LEN + 1])
{
	unsigned char digest[SHA256_BYTES];
	struct buf text = BUF(CANONICAL_MAX);
	for (size_t i = 0; i < n; i++) {
		buf_str(&text, i > 0 ? "\n" : "");
		buf_span(&text, lines[i]);
	}
	hash_hmac_sha256(key_span(key), buf_view(&text), digest);
	hash_hex(digest, sizeof(digest), ret);
	buf_done(&text);
}

bool sigv4_sign(struct arena *arena, const struct sigv4 *auth, const struct sigv4_request *req,
		const unsigned char key[SIGV4_KEY_BYTES], char ret[SIGV4_SIGNATURE_LEN + 1], struct err *err)
{
	char hash[SHA256_HEX_SIZE];
	if (!canonical_hash(arena, auth, req, hash, err))
		return false;
	const struct span lines[] = {algorithm, span_of(auth->timestamp), auth->scope, span_of(hash)};
	sign_lines(key, lines, ARRAY_LEN(lines), ret);
	return true;
}

static bool check_time(const struct sigv4 *auth, int64_t now_s, int64_t max_age_s, struct err *err)
{
	if (!auth->presigned) {
		if (auth->time_s < now_s - max_age_s || auth->time_s > now_s + max_age_s)
			return err_set(err, ERR_TIME_SKEWED,
				       "The time of the request and the server's differ by more than %lld seconds",
				       (long long)max_age_s);
		return true;
	}
	if (auth->time_s > now_s + max_age_s)
		return err_set(err, ERR_URL_EXPIRED, "The signed URL is not valid yet");
	if (now_s > auth->time_s + auth->expires_s)
		return err_set(err, ERR_URL_EXPIRED, "Request has expired");
	return true;
}

bool sigv4_verify(struct arena *arena, const struct sigv4 *auth, const struct sigv4_request *req,
		  const unsigned char key[SIGV4_KEY_BYTES], int64_t now_s, int64_t max_age_s, struct err *err)
{
	char expected[SIGV4_SIGNATURE_LEN + 1];
	if (!check_time(auth, now_s, max_age_s, err) || !sigv4_sign(arena, auth, req, key, expected, err))
		return false;
	if (!span_eq_secret(span_of(expected), auth->signature))
		return err_set(err, ERR_SIGNATURE_MISMATCH,
			       "The request's signature does not match: check the secret and what was signed");
	return true;
}

void sigv4_sign_chunk(const char *timestamp, struct span scope, const unsigned char key[SIGV4_KEY_BYTES],
		      const char *previous, const unsigned char data_sha256[SHA256_BYTES],
		      char ret[SIGV4_SIGNATURE_LEN + 1])
{
	char hash[SHA256_HEX_SIZE];
	hash_hex(data_sha256, SHA256_BYTES, hash);
	const struct span lines[] = {SPAN("AWS4-HMAC-SHA256-PAYLOAD"),
				     span_of(timestamp),
				     scope,
				     span_of(previous),
				     span_of(empty_hash),
				     span_of(hash)};
	sign_lines(key, lines, ARRAY_LEN(lines), ret);
}

void sigv4_sign_trailer(const char *timestamp, struct span scope, const unsigned char key[SIGV4_KEY_BYTES],
			const char *previous, struct span lines, char ret[SIGV4_SIGNATURE_LEN + 1])
{
	char hash[SHA256_HEX_SIZE];
	hash_sha256_hex(lines, hash);
	const struct span all[] = {SPAN("AWS4-HMAC-SHA256-TRAILER"), span_of(timestamp), scope, span_of(previous),
				   span_of(hash)};
	sign_lines(key, all, ARRAY_LEN(all), ret);
}
