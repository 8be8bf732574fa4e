#include "http/router.h"
#include "http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static bool never(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)res;
	return err_set(err, ERR_INTERNAL, "not to be called");
}

static const struct http_route rows[] = {
	{.method = HTTP_GET, .path = "/", .handler = never},
	{.method = HTTP_GET, .path = "/health", .handler = never, .with_head = true},
	{.method = HTTP_GET, .path = "/metrics/", .handler = never},
	{.method = HTTP_GET, .path = "/projects", .handler = never},
	{.method = HTTP_POST, .path = "/projects", .handler = never},
	{.method = HTTP_GET, .path = "/projects/{project_id}/files/{file_id}", .handler = never},
	{.method = HTTP_DELETE, .path = "/projects/{project_id}/files/{file_id}", .handler = never},
	{.method = HTTP_POST, .path = "/projects/{project_id}/files/prepare", .handler = never},
	{.method = HTTP_GET, .path = "/projects/{project_id}/files/{file_id}/download", .handler = never},
	{.method = HTTP_ANY, .path = "/s3/{bucket}", .handler = never},
	{.method = HTTP_POST, .path = "/s3/{bucket}/presign", .handler = never},
	{.method = HTTP_ANY, .path = "/s3/{bucket}/{key}", .handler = never, .rest = true},
};
static const struct http_routes table = {.rows = rows, .count = ARRAY_LEN(rows)};
static const struct http_routes *const tables[] = {&table};

static struct router *router;
static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	arena = arena_new();
	return router_new(tables, 1, &router, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	router_free(router);
	arena_free(arena);
	return 0;
}

static struct router_match find(enum http_method method, const char *path)
{
	struct router_match match;
	router_find(router, arena, method, span_of(path), &match);
	return match;
}

static const char *found(enum http_method method, const char *path)
{
	struct router_match match = find(method, path);
	return match.entry && !match.slash ? match.entry->route->path : "-";
}

static void hostile_paths_match_nothing(void **state)
{
	(void)state;
	static const char *const paths[] = {"",
					    "*",
					    "projects",
					    "//projects",
					    "/projects//files/x",
					    "/../health",
					    "/Health",
					    "/projects/%00/files/x",
					    "/projects/%ff/files/x",
					    "/projects/%ed%a0%80/files/x",
					    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6/7/8/9"};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct router_match match = find(HTTP_GET, paths[i]);
		assert_null(match.entry);
	}
	char *path = malloc(20000);
	memset(path, '/', 20000);
	router_find(router, arena, HTTP_GET, (struct span){path, 20000}, &(struct router_match){0});
	free(path);
}

static void parameters_are_decoded_after_splitting(void **state)
{
	(void)state;
	struct router_match match = find(HTTP_GET, "/projects/a%2Fb%20c/files/%c3%a4+%zz%");
	assert_non_null(match.entry);
	assert_int_equal(match.entry->params, 2);
	assert_string_equal(match.entry->names[0], "project_id");
	assert_string_equal(match.values[0], "a/b c");
	assert_string_equal(match.values[1], "\xc3\xa4+%zz%");
}

static void literals_win_and_give_way(void **state)
{
	(void)state;
	assert_string_equal(found(HTTP_POST, "/projects/p/files/prepare"), "/projects/{project_id}/files/prepare");
	assert_string_equal(found(HTTP_GET, "/projects/p/files/prepare"), "/projects/{project_id}/files/{file_id}");
	assert_string_equal(found(HTTP_GET, "/projects/p/files/prepare/download"),
			    "/projects/{project_id}/files/{file_id}/download");
	assert_string_equal(found(HTTP_GET, "/"), "/");
	assert_string_equal(found(HTTP_GET, "/metrics/"), "/metrics/");
	assert_string_equal(found(HTTP_POST, "/s3/b/presign"), "/s3/{bucket}/presign");
	assert_string_equal(found(HTTP_GET, "/s3/b/presign"), "/s3/{bucket}/{key}");
	assert_string_equal(found(HTTP_OTHER, "/s3/b"), "/s3/{bucket}");
}

static void rest_takes_slashes_and_nothing(void **state)
{
	(void)state;
	struct router_match match = find(HTTP_PUT, "/s3/b//x%2F/../y/");
	assert_non_null(match.entry);
	assert_string_equal(match.values[1], "/x//../y/");
	match = find(HTTP_GET, "/s3/b/");
	assert_non_null(match.entry);
	assert_false(match.slash);
	assert_string_equal(match.values[1], "");
	match = find(HTTP_GET, "/s3/b/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/end");
	assert_non_null(match.entry);
	assert_string_equal(match.values[1], "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/end");
}

static void wrong_method_knows_the_right_ones(void **state)
{
	(void)state;
	struct router_match match = find(HTTP_PATCH, "/projects/p/files/f");
	assert_null(match.entry);
	assert_string_equal(match.near->route->path, "/projects/{project_id}/files/{file_id}");
	assert_string_equal(http_allow(arena, match.allow), "GET, DELETE");
	match = find(HTTP_POST, "/health");
	assert_string_equal(http_allow(arena, match.allow), "GET, HEAD");
	assert_non_null(find(HTTP_HEAD, "/health").entry);
	assert_null(find(HTTP_HEAD, "/projects").entry);
}

static void trailing_slash_is_told(void **state)
{
	(void)state;
	struct router_match match = find(HTTP_GET, "/projects/");
	assert_true(match.slash);
	assert_string_equal(match.entry->route->path, "/projects");
	assert_false(find(HTTP_GET, "/projects").slash);
	assert_null(find(HTTP_GET, "/nowhere/").entry);
}

static void templates_are_declared_once(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct router *none = NULL;
	static const struct http_route twice[] = {{.method = HTTP_GET, .path = "/a/{b}", .handler = never},
						  {.method = HTTP_GET, .path = "/a/{c}", .handler = never}};
	static const struct http_routes bad = {.rows = twice, .count = 2};
	static const struct http_routes *const list[] = {&bad};
	assert_false(router_new(list, 1, &none, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

static void targets_are_split(void **state)
{
	(void)state;
	struct span path;
	struct span query;
	target_split(SPAN("/a%3Fb?x=1?y"), &path, &query);
	assert_true(span_is(path, "/a%3Fb") && span_is(query, "x=1?y"));
	target_split(SPAN("HTTP://user@host:80?x"), &path, &query);
	assert_true(span_is(path, "/") && span_is(query, "x"));
	target_split(SPAN("https://h/p"), &path, &query);
	assert_true(span_is(path, "/p") && query.len == 0);
	target_split(SPAN(""), &path, &query);
	assert_true(span_is(path, "/"));
}

static void decoding_never_reads_past_the_end(void **state)
{
	(void)state;
	char out[16];
	static const char *const texts[] = {"%", "%4", "%4g", "a%", "%%41", "%41%"};
	static const char *const decoded[] = {"%", "%4", "%4g", "a%", "%A", "A%"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		/* A copy of the exact size, so that a sanitizer sees a read too far. */
		size_t n = strlen(texts[i]);
		char *exact = malloc(n);
		memcpy(exact, texts[i], n);
		assert_int_equal(target_decode((struct span){exact, n}, false, out), strlen(decoded[i]));
		assert_string_equal(out, decoded[i]);
		free(exact);
	}
	assert_int_equal(target_decode(SPAN("a+%2b"), true, out), 3);
	assert_string_equal(out, "a +");
	struct buf encoded = BUF(100);
	percent_encode(&encoded, SPAN("a/b \xc3\xa4~\0x"), "/");
	assert_string_equal(encoded.ptr, "a/b%20%C3%A4~%00x");
	buf_done(&encoded);
}

static void queries_are_read_by_declaration(void **state)
{
	(void)state;
	static const char *const modes[] = {"basic", "full", NULL};
	static const struct field fields[] = {
		{.name = "limit", .type = FIELD_INT, .fallback = "100", RANGE(1, 1000)},
		{.name = "deep", .type = FIELD_BOOL},
		{.name = "mode", .type = FIELD_STRING, .values = modes, .fallback = "\"basic\""},
		{.name = "need", .type = FIELD_STRING, .required = true},
		{0}};
	const char **values = query_read(arena, SPAN("limit=5&&li%6Dit=7&deep=Yes&other=1&need=a%20b+c"), fields);
	struct faults faults;
	faults_init(&faults);
	assert_string_equal(values[0], "7");
	assert_true(query_bool(values[1]));
	assert_string_equal(values[2], "basic");
	assert_string_equal(values[3], "a b c");
	assert_true(query_check(fields, values, &faults));
	values = query_read(arena, SPAN("limit=0&deep=maybe&mode=x"), fields);
	assert_false(query_check(fields, values, &faults));
	assert_int_equal(faults.count, 4);
	assert_string_equal(
		faults.json.ptr,
		"{\"type\":\"greater_than_equal\",\"loc\":[\"query\",\"limit\"],\"msg\":\"Input should be greater than or "
		"equal to 1\",\"input\":\"0\",\"ctx\":{\"ge\":1}},"
		"{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"deep\"],\"msg\":\"Input should be a valid boolean, unable to "
		"interpret input\",\"input\":\"maybe\"},"
		"{\"type\":\"literal_error\",\"loc\":[\"query\",\"mode\"],\"msg\":\"Input should be 'basic' or "
		"'full'\",\"input\":\"x\",\"ctx\":{\"expected\":\"'basic' or 'full'\"}},"
		"{\"type\":\"missing\",\"loc\":[\"query\",\"need\"],\"msg\":\"Field required\",\"input\":null}");
	faults_done(&faults);
	faults_init(&faults);
	values = query_read(arena, SPAN("limit=99999999999999999999&need="), fields);
	assert_false(query_check(fields, values, &faults));
	assert_non_null(strstr(faults.json.ptr, "\"less_than_equal\""));
	assert_true(query_int(values[0]) == INT64_MAX);
	values = query_read(arena, SPAN("limit=1%00&need=a%00b"), fields);
	assert_string_equal(values[3], "a\x1a"
				       "b");
	assert_false(query_check(fields, values, &faults));
	assert_non_null(strstr(faults.json.ptr, "\"int_parsing\""));
	values = query_read(arena, SPAN("limit=-99999999999999999999&need="), fields);
	assert_false(query_check(fields, values, &faults));
	assert_non_null(strstr(faults.json.ptr, "\"greater_than_equal\""));
	faults_done(&faults);
	static const char *const none[] = {"", "+", "-", "1.5", "1x", "99999999999999999999x", "--1", "0x1"};
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		faults_init(&faults);
		values[0] = none[i];
		assert_false(query_check(fields, values, &faults));
		assert_non_null(strstr(faults.json.ptr, "\"int_parsing\""));
		faults_done(&faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_paths_match_nothing),
		cmocka_unit_test(parameters_are_decoded_after_splitting),
		cmocka_unit_test(literals_win_and_give_way),
		cmocka_unit_test(rest_takes_slashes_and_nothing),
		cmocka_unit_test(wrong_method_knows_the_right_ones),
		cmocka_unit_test(trailing_slash_is_told),
		cmocka_unit_test(templates_are_declared_once),
		cmocka_unit_test(targets_are_split),
		cmocka_unit_test(decoding_never_reads_past_the_end),
		cmocka_unit_test(queries_are_read_by_declaration),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
