#include "http/schema.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const scopes[] = {"project_admin", "branch_admin", "branch_read", NULL};
static const struct field column_fields[] = {{.name = "name", .type = FIELD_STRING, .required = true},
					     {.name = "type", .type = FIELD_STRING, .required = true},
					     {.name = "nullable", .type = FIELD_BOOL, .fallback = "true"},
					     {0}};
static const struct schema column = {"Column", column_fields, NULL};
static const struct field fields[] = {
	{.name = "id", .type = FIELD_STRING, .required = true},
	{.name = "note", .type = FIELD_STRING, .nullable = true},
	{.name = "scope", .type = FIELD_STRING, .values = scopes, .fallback = "\"project_admin\""},
	{.name = "days", .type = FIELD_INT, .nullable = true, RANGE(1, 365)},
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_OBJECT, .items_min = 1, .object = &column},
	{.name = "names", .type = FIELD_LIST, .items = FIELD_STRING},
	{.name = "tags", .type = FIELD_MAP, .nullable = true},
	{.name = "settings", .type = FIELD_OBJECT, .nullable = true},
	{.name = "deep", .type = FIELD_BOOL},
	{0}};
static const struct schema thing = {"Thing", fields, NULL};

/* The faults of a body as JSON text; "" when it is fine. */
static char *faults_of(const char *body, size_t len)
{
	struct faults faults;
	faults_init(&faults);
	/* Exactly as many bytes as the body has, so that a sanitizer sees a read too far. */
	char *exact = malloc(len ? len : 1);
	memcpy(exact, body, len);
	json_t *value = schema_read(&thing, (struct span){exact, len}, true, &faults);
	assert_true((value == NULL) == (faults.count > 0));
	char *text = strdup(faults.count ? faults.json.ptr : "");
	json_decref(value);
	faults_done(&faults);
	free(exact);
	return text;
}

static void expect(const char *body, const char *faults)
{
	char *text = faults_of(body, strlen(body));
	assert_string_equal(text, faults);
	free(text);
}

static void expect_type(const char *body, const char *type)
{
	char *text = faults_of(body, strlen(body));
	char want[64];
	(void)snprintf(want, sizeof(want), "{\"type\":\"%s\"", type);
	assert_ptr_equal(strstr(text, want), text);
	free(text);
}

static void broken_json_is_told_with_its_place(void **state)
{
	(void)state;
	static const char *const broken[] = {"{",
					     "}",
					     "{\"id\"",
					     "{\"id\":}",
					     "{\"id\":\"a\"} x",
					     "{'id':1}",
					     "nul",
					     "{\"id\":\"\\u0000\"}",
					     "{\"id\":\"\xff\"}",
					     "{\"id\":1e}",
					     "\"",
					     "[1,]"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		expect_type(broken[i], "json_invalid");
	char *text = faults_of("{\"id\":x}", 8);
	assert_non_null(
		strstr(text, "\"loc\":[\"body\",6],\"msg\":\"JSON decode error\",\"input\":{},\"ctx\":{\"error\":"));
	free(text);
	text = faults_of("{\"id\":\"\\u0000\"}", 15);
	assert_non_null(strstr(text, "The character \\\\u0000 is not allowed"));
	free(text);
	expect("\xef\xbb\xbf{\"id\":\"x\"}", "");
	text = faults_of("{\"id\":\"a\0b\"}", 12);
	assert_non_null(strstr(text, "json_invalid"));
	free(text);
}

static void deep_nesting_is_refused(void **state)
{
	(void)state;
	char body[5000];
	memset(body, '[', sizeof(body));
	char *text = faults_of(body, sizeof(body));
	assert_non_null(strstr(text, "\"loc\":[\"body\",64]"));
	free(text);
	/* Brackets in strings do not nest. */
	char quoted[300] = "{\"id\":\"\\\"";
	memset(quoted + 9, '[', 200);
	memcpy(quoted + 209, "\"}", 3);
	expect(quoted, "");
	/* As deep as allowed, and echoed. */
	char deep[300] = "{\"id\":";
	memset(deep + 6, '[', LIMIT_JSON_DEPTH - 1);
	memset(deep + 6 + LIMIT_JSON_DEPTH - 1, ']', LIMIT_JSON_DEPTH - 1);
	memcpy(deep + 6 + 2 * (LIMIT_JSON_DEPTH - 1), "}", 2);
	expect_type(deep, "string_type");
}

static void bodies_have_a_shape(void **state)
{
	(void)state;
	expect("", "{\"type\":\"missing\",\"loc\":[\"body\"],\"msg\":\"Field required\",\"input\":null}");
	expect("[1]",
	       "{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid dictionary or "
	       "object to extract fields from\",\"input\":[1]}");
	expect("5",
	       "{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid dictionary or "
	       "object to extract fields from\",\"input\":5}");
	expect_type("null", "model_attributes_type");
	expect("{\"note\":1.0}",
	       "{\"type\":\"missing\",\"loc\":[\"body\",\"id\"],\"msg\":\"Field "
	       "required\",\"input\":{\"note\":1.0}},{\"type\":\"string_type\",\"loc\":[\"body\",\"note\"],"
	       "\"msg\":\"Input should be a valid string\",\"input\":1.0}");
}

static void every_fault_has_its_entry(void **state)
{
	(void)state;
	expect("{\"id\":5,\"scope\":\"x\",\"days\":366,\"columns\":[],\"names\":{},\"tags\":[],\"settings\":7,\"deep\":1}",
	       "{\"type\":\"string_type\",\"loc\":[\"body\",\"id\"],\"msg\":\"Input should be a valid string\",\"input\":5},"
	       "{\"type\":\"literal_error\",\"loc\":[\"body\",\"scope\"],\"msg\":\"Input should be 'project_admin', "
	       "'branch_admin' or 'branch_read'\",\"input\":\"x\",\"ctx\":{\"expected\":\"'project_admin', 'branch_admin' or "
	       "'branch_read'\"}},"
	       "{\"type\":\"less_than_equal\",\"loc\":[\"body\",\"days\"],\"msg\":\"Input should be less than or equal to "
	       "365\",\"input\":366,\"ctx\":{\"le\":365}},"
	       "{\"type\":\"too_short\",\"loc\":[\"body\",\"columns\"],\"msg\":\"List should have at least 1 item after "
	       "validation, not 0\",\"input\":[],\"ctx\":{\"field_type\":\"List\",\"min_length\":1,\"actual_length\":0}},"
	       "{\"type\":\"list_type\",\"loc\":[\"body\",\"names\"],\"msg\":\"Input should be a valid list\",\"input\":{}},"
	       "{\"type\":\"dict_type\",\"loc\":[\"body\",\"tags\"],\"msg\":\"Input should be a valid "
	       "dictionary\",\"input\":[]},"
	       "{\"type\":\"dict_type\",\"loc\":[\"body\",\"settings\"],\"msg\":\"Input should be a valid "
	       "dictionary\",\"input\":7},"
	       "{\"type\":\"bool_type\",\"loc\":[\"body\",\"deep\"],\"msg\":\"Input should be a valid "
	       "boolean\",\"input\":1}");
	expect("{\"id\":\"a\",\"columns\":[{\"name\":\"x\",\"type\":5}],\"names\":[\"a\",null],\"tags\":{\"k\":1}}",
	       "{\"type\":\"string_type\",\"loc\":[\"body\",\"columns\",0,\"type\"],\"msg\":\"Input should be a valid "
	       "string\",\"input\":5},"
	       "{\"type\":\"string_type\",\"loc\":[\"body\",\"names\",1],\"msg\":\"Input should be a valid "
	       "string\",\"input\":null},"
	       "{\"type\":\"string_type\",\"loc\":[\"body\",\"tags\",\"k\"],\"msg\":\"Input should be a valid "
	       "string\",\"input\":1}");
	expect_type("{\"id\":\"a\",\"days\":1.0}", "int_type");
	expect_type("{\"id\":\"a\",\"days\":true}", "int_type");
	expect_type("{\"id\":\"a\",\"days\":99999999999999999999}", "json_invalid");
	expect_type("{\"id\":\"a\",\"scope\":null}", "literal_error");
	expect_type("{\"id\":\"a\",\"scope\":1}", "literal_error");
	expect_type("{\"id\":\"a\",\"deep\":\"maybe\"}", "bool_parsing");
}

static void faults_are_bounded(void **state)
{
	(void)state;
	struct buf body = BUF(LIMIT_HTTP_JSON_BYTES);
	buf_str(&body, "{\"id\":\"");
	for (size_t i = 0; i < 100000; i++)
		buf_str(&body, "0123456789");
	buf_str(&body, "\",\"names\":[1");
	for (size_t i = 0; i < 10000; i++)
		buf_str(&body, ",1");
	buf_str(&body, "]}");
	struct faults faults;
	faults_init(&faults);
	assert_null(schema_read(&thing, buf_view(&body), true, &faults));
	assert_int_equal(faults.count, FAULTS_MAX);
	faults_done(&faults);
	/* A huge faulty value is not echoed. */
	faults_init(&faults);
	body.ptr[1] = '"';
	body.ptr[body.len - 1] = ' ';
	buf_reset(&body);
	buf_str(&body, "{\"id\":[\"");
	for (size_t i = 0; i < 100000; i++)
		buf_str(&body, "0123456789");
	buf_str(&body, "\"]}");
	assert_null(schema_read(&thing, buf_view(&body), true, &faults));
	assert_non_null(strstr(faults.json.ptr, "\"input\":null"));
	faults_done(&faults);
	buf_done(&body);
}

/* Of a member whose name alone is too long for an entry, the map that holds it is named. */
static void long_names_are_faults_too(void **state)
{
	(void)state;
	struct buf body = BUF(LIMIT_HTTP_JSON_BYTES);
	buf_str(&body, "{\"id\":\"i\",\"tags\":{\"");
	for (size_t i = 0; i < 100000; i++)
		buf_byte(&body, 'k');
	buf_str(&body, "\":5,\"b\":6}}");
	char *text = faults_of(body.ptr, body.len);
	assert_non_null(strstr(text, "{\"type\":\"string_type\",\"loc\":[\"body\",\"tags\"],\"msg\":"));
	assert_non_null(strstr(text, ",{\"type\":\"string_type\",\"loc\":[\"body\",\"tags\",\"b\"],\"msg\":"));
	free(text);
	buf_done(&body);
}

static void values_are_read_and_fallbacks_filled(void **state)
{
	(void)state;
	static const char text[] =
		"{\"id\":\"\xc3\xa4\",\"days\":null,\"names\":[\"a\",\"b\"],\"columns\":[{\"name\":\"n\","
		"\"type\":\"t\"}],\"settings\":{\"z\":0.1,\"a\":[1.0,1e300,-9223372036854775808,\"\\n\"]},"
		"\"unknown\":1,\"id\":\"last\"}";
	struct faults faults;
	struct arena *arena = arena_new();
	faults_init(&faults);
	json_t *body = schema_read(&thing, (struct span){text, sizeof(text) - 1}, true, &faults);
	assert_non_null(body);
	assert_string_equal(body_str(body, "id"), "last");
	assert_null(body_str(body, "note"));
	assert_string_equal(body_str(body, "scope"), "project_admin");
	assert_int_equal(body_int(body, "days", -1), -1);
	assert_false(body_bool(body, "deep", false));
	assert_null(body_get(body, "days"));
	assert_true(body_bool(json_array_get(body_get(body, "columns"), 0), "nullable", false));
	size_t n = 0;
	const char *const *names = body_strings(arena, body, "names", &n);
	assert_int_equal(n, 2);
	assert_string_equal(names[1], "b");
	assert_null(names[2]);
	assert_string_equal(json_value_text(arena, body_get(body, "settings")),
			    "{\"z\":0.1,\"a\":[1.0,1e+300,-9223372036854775808,\"\\n\"]}");
	json_decref(body);
	assert_null(schema_read(&thing, SPAN(""), false, &faults));
	assert_int_equal(faults.count, 0);
	faults_done(&faults);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_json_is_told_with_its_place),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(bodies_have_a_shape),
		cmocka_unit_test(every_fault_has_its_entry),
		cmocka_unit_test(faults_are_bounded),
		cmocka_unit_test(long_names_are_faults_too),
		cmocka_unit_test(values_are_read_and_fallbacks_filled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
