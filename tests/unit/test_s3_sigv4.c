#include "base/clock.h"
#include "s3/chunked.h"
#include "s3/presign.h"
#include "s3/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct header {
	const char *name, *value;
};

static bool header_at(const void *ctx, size_t at, struct span *ret_name, struct span *ret_value)
{
	const struct header *list = ctx;
	if (!list[at].name)
		return false;
	*ret_name = span_of(list[at].name);
	*ret_value = span_of(list[at].value);
	return true;
}

static struct sigv4_request request_of(const char *method, const char *path, const char *query,
				       const struct header *headers)
{
	return (struct sigv4_request){span_of(method), span_of(path), span_of(query), header_at, headers};
}

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BODY_HASH  "b57e1a894aa62a12ddad0a68f4caa364a9f5b111631f10e146e28df2f88a7068"
#define CREDENTIAL "Credential=duckdb/20250314/local/s3/aws4_request"
#define SIGNATURE0 "Signature=0000000000000000000000000000000000000000000000000000000000000000"

static void key_of_day(unsigned char ret[SIGV4_KEY_BYTES])
{
	sigv4_key(SPAN("example-secret-1"), SPAN("20250314"), SPAN("local"), ret);
}

static void signing_key_is_derived(void **state)
{
	(void)state;
	unsigned char key[SIGV4_KEY_BYTES];
	char hex[65];
	key_of_day(key);
	hash_hex(key, sizeof(key), hex);
	assert_string_equal(hex, "b8e32d15a3e89f22d90abe134287f61bfa6286ea99babc3ca0ad459f494aaad6");
}

static void assert_header_signature(const struct sigv4_request *req, const char *expected)
{
	unsigned char key[SIGV4_KEY_BYTES];
	char signature[SIGV4_SIGNATURE_LEN + 1];
	struct err err = ERR_INIT;
	struct sigv4 auth;
	struct arena *arena = arena_new();
	key_of_day(key);
	assert_true(sigv4_parse_header(arena, req, &auth, &err));
	assert_true(span_is(auth.access_key, "duckdb"));
	assert_true(sigv4_sign(arena, &auth, req, key, signature, &err));
	assert_string_equal(signature, expected);
	auth.signature = span_of(expected);
	assert_true(sigv4_verify(arena, &auth, req, key, auth.time_s + 900, 900, &err));
	assert_false(sigv4_verify(arena, &auth, req, key, auth.time_s + 901, 900, &err));
	assert_int_equal(err.code, ERR_TIME_SKEWED);
	assert_false(sigv4_verify(arena, &auth, req, key, auth.time_s - 901, 900, &err));
	assert_int_equal(err.code, ERR_TIME_SKEWED);
	key[0] ^= 1;
	assert_false(sigv4_verify(arena, &auth, req, key, auth.time_s, 900, &err));
	assert_int_equal(err.code, ERR_SIGNATURE_MISMATCH);
	arena_free(arena);
}

static void header_form_vectors(void **state)
{
	(void)state;
	const struct header get[] = {{"Host", "store.example:8000"},
				     {"Authorization",
				      "AWS4-HMAC-SHA256 " CREDENTIAL
				      ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, " SIGNATURE0},
				     {"X-Amz-Date", "20250314T092653Z"},
				     {"X-Amz-Content-SHA256", EMPTY_HASH},
				     {NULL, NULL}};
	struct sigv4_request req =
		request_of("GET", "/s3/project_42", "list-type=2&prefix=a%20b%2F&delimiter=%2F&encoding-type=url", get);
	assert_header_signature(&req, "af9cfd3a08190de11375e89a3665a2488cb7fcc5986cb9a09e3800daa962e346");
	/* The order of the query, the case of escapes and '+' do not matter. */
	req.query = SPAN("delimiter=%2f&prefix=a+b%2f&encoding-type=url&list-type=2");
	assert_header_signature(&req, "af9cfd3a08190de11375e89a3665a2488cb7fcc5986cb9a09e3800daa962e346");

	const struct header put[] = {{"Host", "store.example:8000"},
				     {"Content-Type", "text/csv"},
				     {"x-amz-meta-note", "two  words "},
				     {"x-amz-date", "20250314T092653Z"},
				     {"x-amz-content-sha256", BODY_HASH},
				     {"Authorization", "AWS4-HMAC-SHA256 " CREDENTIAL
						       ",SignedHeaders=content-type;host;x-amz-content-sha256;"
						       "x-amz-date;x-amz-meta-note," SIGNATURE0},
				     {NULL, NULL}};
	req = request_of("PUT", "/s3/project_42/a%20b/%C4%8D%2B%20%25.csv", "", put);
	assert_header_signature(&req, "1a30e666965fc190ee93a25d6bef3cfeda19cfad0ec1bd4a41d30a4572da64bc");
	req.path = SPAN("/s3/project_42/a b/\xc4\x8d+ %25.csv");
	assert_header_signature(&req, "1a30e666965fc190ee93a25d6bef3cfeda19cfad0ec1bd4a41d30a4572da64bc");
}

static void query_form_vector(void **state)
{
	(void)state;
	const struct header headers[] = {{"Host", "store.example:8000"}, {NULL, NULL}};
	const char *query =
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=duckdb%2F20250314%2Flocal%2Fs3%2Faws4_request"
		"&X-Amz-Date=20250314T092653Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="
		"084d3915f349898adfac3a56549faa08db86ca7622c2c9038f90ad97870bd14a";
	struct sigv4_request req = request_of("GET", "/s3/project_42/r.csv", query, headers);
	unsigned char key[SIGV4_KEY_BYTES];
	struct err err = ERR_INIT;
	struct sigv4 auth;
	struct arena *arena = arena_new();
	key_of_day(key);
	assert_true(sigv4_parse_query(arena, &req, &auth, &err));
	assert_true(sigv4_verify(arena, &auth, &req, key, auth.time_s + 900, 900, &err));
	assert_false(sigv4_verify(arena, &auth, &req, key, auth.time_s + 901, 900, &err));
	assert_int_equal(err.code, ERR_URL_EXPIRED);
	assert_false(sigv4_verify(arena, &auth, &req, key, auth.time_s - 901, 900, &err));
	req.method = SPAN("HEAD");
	assert_false(sigv4_verify(arena, &auth, &req, key, auth.time_s, 900, &err));
	assert_int_equal(err.code, ERR_SIGNATURE_MISMATCH);
	arena_free(arena);
}

static void malformed_credentials_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 Credential=,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 Credential=a/20250314/r/s3,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 Credential=/20250314/r/s3/aws4_request,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 Credential=a/20250314/r/ec2/aws4_request,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 Credential=a/20250315/r/s3/aws4_request,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 Credential=a/2025/r/s3/aws4_request,SignedHeaders=host," SIGNATURE0,
		"AWS4-HMAC-SHA256 " CREDENTIAL ",SignedHeaders=x-amz-date," SIGNATURE0,
		"AWS4-HMAC-SHA256 " CREDENTIAL ",SignedHeaders=," SIGNATURE0,
		"AWS4-HMAC-SHA256 " CREDENTIAL ",SignedHeaders=host,Signature=abc",
		"AWS4-HMAC-SHA256 " CREDENTIAL ",SignedHeaders=host",
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct header headers[] = {
			{"host", "h"}, {"authorization", bad[i]}, {"x-amz-date", "20250314T092653Z"}, {NULL, NULL}};
		struct sigv4_request req = request_of("GET", "/", "", headers);
		struct err err = ERR_INIT;
		struct sigv4 auth;
		assert_false(sigv4_parse_header(arena, &req, &auth, &err));
		assert_int_equal(err.code, ERR_AUTH_HEADER_MALFORMED);
	}
	int64_t t;
	assert_true(sigv4_time(SPAN("20250314T092653Z"), &t) && t == 1741944413);
	assert_false(sigv4_time(SPAN("20251314T092653Z"), &t));
	assert_false(sigv4_time(SPAN("2025031xT092653Z"), &t));
	assert_false(sigv4_time(SPAN("20250314T0926530"), &t));
	arena_free(arena);
}

/* A key with slashes, and the Date header in place of x-amz-date. */
static void slashes_and_dates(void **state)
{
	(void)state;
	const struct header headers[] = {
		{"host", "h"},
		{"authorization",
		 "AWS4-HMAC-SHA256 Credential=a/b/c/20250314/US/s3/aws4_request,SignedHeaders=date;host," SIGNATURE0},
		{"date", "Fri, 14 Mar 2025 09:26:53 GMT"},
		{NULL, NULL}};
	struct sigv4_request req = request_of("GET", "/", "", headers);
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct sigv4 auth;
	assert_true(sigv4_parse_header(arena, &req, &auth, &err));
	assert_true(span_is(auth.access_key, "a/b/c") && span_is(auth.region, "US"));
	assert_true(span_is(auth.scope, "20250314/US/s3/aws4_request"));
	assert_string_equal(auth.timestamp, "20250314T092653Z");
	arena_free(arena);
}

static void own_urls_have_their_vectors(void **state)
{
	(void)state;
	struct presign get = {.method = SPAN("GET"),
			      .bucket = SPAN("project_42"),
			      .key = SPAN("out/r 1.csv"),
			      .expires_s = 1767225600};
	struct presign put = {.method = SPAN("PUT"),
			      .bucket = SPAN("project_42"),
			      .key = SPAN("in/x.csv"),
			      .expires_s = 1767225600,
			      .content_type = SPAN("text/csv")};
	struct span secret = SPAN("presign-example-key");
	char signature[PRESIGN_SIGNATURE_SIZE];
	struct err err = ERR_INIT;
	int64_t expires;
	presign_sign(&get, secret, signature);
	assert_string_equal(signature, "FIIlMVCTN0EXrMi4_qZTsnLZDQ_KncX5_tuEfjLUOEo");
	assert_true(presign_verify(&get, secret, span_of(signature), 1767225600, &err));
	assert_false(presign_verify(&get, secret, span_of(signature), 1767225601, &err));
	assert_false(presign_verify(&put, secret, span_of(signature), 0, &err));
	assert_false(presign_verify(&get, SPAN("other"), span_of(signature), 0, &err));
	struct buf url = BUF(1000);
	presign_url(&url, SPAN("http://localhost:8000/"), &put, secret);
	assert_string_equal(url.ptr, "http://localhost:8000/s3/project_42/in/x.csv?signature=HiGu2JgX73BhLQ-"
				     "PDBqtGCTTbnwOYHPUUB8Hh8h6jbg&expires=1767225600&content_type=text%2Fcsv");
	buf_done(&url);
	assert_true(presign_expires(SPAN("1767225600.75"), &expires) && expires == 1767225600);
	assert_false(presign_expires(SPAN("soon"), &expires));
	assert_false(presign_expires(SPAN(""), &expires));
	assert_false(presign_expires(SPAN("1.x"), &expires));
}

/* ---- aws-chunked -------------------------------------------------------------------------------------------------- */

static const char seed[] = "35f53be316f3b604758e341981a17cc5d49b879c49fa48ec598f1615b4ba320b";

/* Decodes `body` fed in pieces of `step` bytes; the data is appended to `out`. */
static bool decode(const struct chunked_config *config, struct span body, size_t step, struct buf *out, struct err *err)
{
	struct chunked *c = mem_alloc(sizeof(*c));
	bool fine = true;
	chunked_begin(c, config);
	while (fine && body.len > 0) {
		struct span input = span_first(body, step);
		body = span_skip(body, input.len);
		while (fine && input.len > 0) {
			struct span data;
			fine = chunked_feed(c, &input, &data, err);
			if (fine && data.len > 0)
				buf_span(out, data);
		}
	}
	fine = fine && chunked_end(c, err);
	if (fine && config->announced.len > 0)
		assert_true(chunked_trailer(c, SPAN("x-amz-checksum-crc32")).len > 0);
	chunked_done(c);
	free(c);
	return fine;
}

static void streaming_body(struct buf *body)
{
	buf_str(body, "10000;chunk-signature=734833a1aa1850373170c735c412d2ae3467f57e861ba3f4941b2fa5f7b98cf5\r\n");
	for (size_t i = 0; i < 65536; i++)
		buf_byte(body, 'x');
	buf_str(body, "\r\n64;chunk-signature=6ad6dacd88431abc8d850096d7552a32d982ae8084a011499a2b76ee45ce5034\r\n");
	for (size_t i = 0; i < 100; i++)
		buf_byte(body, 'y');
	buf_str(body,
		"\r\n0;chunk-signature=ab492115f57fe64a734bd704333c9b2a7e72ea1a1a9c67a858ad698d548613f8\r\n"
		"x-amz-checksum-crc32:egKNKg==\n\r\n"
		"x-amz-trailer-signature:70f8eb8645b4eb7ea110aa359c70e31a29bb5cb4ae4cad1d6a65e739baadedcd\r\n\r\n");
}

static void signed_chunks_vector(void **state)
{
	(void)state;
	unsigned char key[SIGV4_KEY_BYTES];
	key_of_day(key);
	const struct chunked_config config = {.is_signed = true,
					      .trailer = true,
					      .length = 65636,
					      .announced = SPAN("x-amz-checksum-crc32"),
					      .timestamp = "20250314T092653Z",
					      .scope = SPAN("20250314/local/s3/aws4_request"),
					      .key = key,
					      .seed = span_of(seed)};
	struct buf body = BUF(100000), out = BUF(100000);
	struct err err = ERR_INIT;
	streaming_body(&body);
	const size_t steps[] = {1, 7, 4096, 100000};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		buf_reset(&out);
		assert_true(decode(&config, buf_view(&body), steps[i], &out, &err));
		assert_int_equal(out.len, 65636);
		assert_int_equal(out.ptr[65535], 'x');
		assert_int_equal(out.ptr[65536], 'y');
	}
	/* Any changed byte of data, of a signature or of the trailer is noticed; so is a body that ends early. */
	const size_t places[] = {100, 30, 65700, body.len - 150, body.len - 10, body.len - 240};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		body.ptr[places[i]] ^= 1;
		assert_false(decode(&config, buf_view(&body), 4096, &out, &err));
		body.ptr[places[i]] ^= 1;
	}
	for (size_t cut = 1; cut < body.len - 4; cut += 911)
		assert_false(decode(&config, span_first(buf_view(&body), cut), 4096, &out, &err));
	struct chunked_config other = config;
	other.length = 65635;
	assert_false(decode(&other, buf_view(&body), 4096, &out, &err));
	assert_int_equal(err.code, ERR_SIZE_MISMATCH);
	other.length = 65637;
	assert_false(decode(&other, buf_view(&body), 4096, &out, &err));
	assert_int_equal(err.code, ERR_SIZE_MISMATCH);
	buf_done(&body);
	buf_done(&out);
}

static void unsigned_chunks(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		const char *data; /* NULL: refused */
		enum err_code code;
	} cases[] = {
		{"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "hello", ERR_NONE},
		{"2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Amz-Checksum-CRC32: NhCmhg==\n\r\n\r\n", "hello", ERR_NONE},
		{"5;chunk-signature=x\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==", "hello", ERR_NONE},
		{"5\r\nhello\r\n0\r\n\r\n", NULL, ERR_MALFORMED_TRAILER},
		{"5\r\nhello\r\n0\r\nx-amz-checksum-crc32\r\n\r\n", NULL, ERR_MALFORMED_TRAILER},
		{"5\r\nhello\r\n0\r\nother:1\r\n\r\n", NULL, ERR_MALFORMED_TRAILER},
		{"5\r\nhello\r\n", NULL, ERR_SIZE_MISMATCH},
		{"5\r\nhel", NULL, ERR_SIZE_MISMATCH},
		{"4\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"6\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"40000000\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"-5\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"\r\nhello\r\n0\r\n\r\n", NULL, ERR_SIZE_MISMATCH},
		{"zz\r\n", NULL, ERR_SIZE_MISMATCH},
		{"", NULL, ERR_SIZE_MISMATCH},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct chunked_config config = {
			.trailer = true, .length = 5, .announced = SPAN("x-amz-checksum-crc32")};
		for (size_t step = 1; step < 8; step += 3) {
			struct buf out = BUF(1000);
			struct err err = ERR_INIT;
			bool fine = decode(&config, span_of(cases[i].body), step, &out, &err);
			assert_int_equal(fine, cases[i].data != NULL);
			assert_int_equal(err.code, cases[i].code);
			if (fine)
				assert_string_equal(out.ptr, cases[i].data);
			buf_done(&out);
		}
	}
	/* A line without end is not buffered for ever. */
	struct buf line = BUF(100000), out = BUF(10);
	struct err err = ERR_INIT;
	for (size_t i = 0; i < 50000; i++)
		buf_byte(&line, '1');
	assert_false(decode(&(struct chunked_config){.length = -1}, buf_view(&line), 1000, &out, &err));
	buf_done(&line);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_key_is_derived), cmocka_unit_test(header_form_vectors),
		cmocka_unit_test(query_form_vector),	  cmocka_unit_test(malformed_credentials_are_refused),
		cmocka_unit_test(slashes_and_dates),	  cmocka_unit_test(own_urls_have_their_vectors),
		cmocka_unit_test(signed_chunks_vector),	  cmocka_unit_test(unsigned_chunks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
