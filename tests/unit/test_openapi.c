#include "http/http.h"

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

static const char *const modes[] = {"basic", "full", NULL};
static const struct field column_fields[] = {{.name = "name", .type = FIELD_STRING, .required = true}, {0}};
static const struct schema column = {"Column", column_fields, NULL};
static const struct field table_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .help = "Its \"name\""},
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &column, .items_min = 1},
	{.name = "key", .type = FIELD_LIST, .items = FIELD_STRING, .nullable = true},
	{.name = "first", .type = FIELD_OBJECT, .object = &column, .nullable = true},
	{.name = "tags", .type = FIELD_MAP},
	{.name = "made", .type = FIELD_TIME},
	{.name = "any", .type = FIELD_ANY},
	{0}};
static const struct schema table_schema = {"Table", table_fields, NULL};
static const struct field query[] = {{.name = "mode", .type = FIELD_STRING, .values = modes, .fallback = "\"basic\""},
				     {.name = "limit", .type = FIELD_INT, .fallback = "100", RANGE(1, 1000)},
				     {0}};
static const enum err_code errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BUCKET_NOT_FOUND, ERR_TABLE_EXISTS, ERR_NONE};
static const struct http_route rows[] = {
	{.method = HTTP_POST,
	 .path = "/projects/{project_id}/tables",
	 .guard = GUARD_PROJECT,
	 .body = HTTP_BODY_JSON,
	 .handler = never,
	 .status = 201,
	 .query = query,
	 .request = &table_schema,
	 .response = &table_schema,
	 .errors = errors,
	 .tag = "Tables",
	 .summary = "Create a table"},
	{.method = HTTP_DELETE, .path = "/projects/{project_id}/tables", .handler = never, .status = 204},
	{.method = HTTP_POST, .path = "/upload", .body = HTTP_BODY_FILE, .run = HTTP_STREAM, .handler = never},
};
static const struct http_route hidden_rows[] = {{.method = HTTP_GET, .path = "/secret", .handler = never}};
static const struct http_routes table = {.rows = rows, .count = ARRAY_LEN(rows)};
static const struct http_routes hidden = {.rows = hidden_rows, .count = 1, .hidden = true};
static const struct http_routes *const tables[] = {&hidden, &table};

/* The value at a path of member names and indexes, as compact JSON; compared as text. */
static void expect(const json_t *document, const char *const *path, const char *want)
{
	const json_t *at = document;
	for (; *path; path++) {
		uint64_t index;
		if (json_is_array(at) && span_u64(span_of(*path), &index))
			at = json_array_get(at, index);
		else
			at = json_object_get(at, *path);
	}
	struct buf text = BUF(65536);
	json_value_write(&text, at);
	assert_string_equal(text.ptr, want);
	buf_done(&text);
}
#define EXPECT(want, ...) expect(document, (const char *const[]){__VA_ARGS__, NULL}, want)
#define POST_TABLE	  "paths", "/projects/{project_id}/tables", "post"

static void routes_and_shapes_are_described(void **state)
{
	(void)state;
	size_t len = 0;
	const struct http_config config = {.title = "T\"itle", .version = "1", .tables = tables, .table_count = 2};
	char *text = http_openapi(&config, &len);
	json_t *document = json_loadb(text, len, 0, NULL);
	assert_non_null(document);
	EXPECT("\"3.1.0\"", "openapi");
	EXPECT("\"T\\\"itle\"", "info", "title");
	EXPECT("null", "paths", "/secret");
	EXPECT("\"post_projects_project_id_tables\"", POST_TABLE, "operationId");
	EXPECT("[\"Tables\"]", POST_TABLE, "tags");
	EXPECT("[{\"key\":[]}]", POST_TABLE, "security");
	EXPECT("{\"name\":\"project_id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}",
	       POST_TABLE, "parameters", "0");
	EXPECT("{\"type\":\"string\",\"enum\":[\"basic\",\"full\"],\"default\":\"basic\"}", POST_TABLE, "parameters",
	       "1", "schema");
	EXPECT("{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":1000,\"default\":100}", POST_TABLE,
	       "parameters", "2", "schema");
	EXPECT("\"X-Idempotency-Key\"", POST_TABLE, "parameters", "3", "name");
	EXPECT("\"#/components/schemas/Table\"", POST_TABLE, "requestBody", "content", "application/json", "schema",
	       "$ref");
	EXPECT("\"#/components/schemas/Table\"", POST_TABLE, "responses", "201", "content", "application/json",
	       "schema", "$ref");
	EXPECT("\"project_not_found, bucket_not_found\"", POST_TABLE, "responses", "404", "description");
	EXPECT("\"table_exists, idempotency_conflict\"", POST_TABLE, "responses", "409", "description");
	EXPECT("{\"oneOf\":[{\"$ref\":\"#/components/schemas/Error\"},{\"$ref\":\"#/components/schemas/FlatError\"}]}",
	       POST_TABLE, "responses", "409", "content", "application/json", "schema");
	EXPECT("\"#/components/schemas/FlatError\"", POST_TABLE, "responses", "500", "content", "application/json",
	       "schema", "$ref");
	EXPECT("\"#/components/schemas/ValidationError\"", POST_TABLE, "responses", "422", "content",
	       "application/json", "schema", "$ref");
	EXPECT("{\"description\":\"Success\"}", "paths", "/projects/{project_id}/tables", "delete", "responses", "204");
	EXPECT("\"idempotency_conflict\"", "paths", "/projects/{project_id}/tables", "delete", "responses", "409",
	       "description");
	EXPECT("\"binary\"", "paths", "/upload", "post", "requestBody", "content", "multipart/form-data", "schema",
	       "properties", "file", "format");
	EXPECT("[\"name\"]", "components", "schemas", "Table", "required");
	EXPECT("{\"name\":{\"type\":\"string\",\"description\":\"Its \\\"name\\\"\"},\"columns\":{\"type\":\"array\",\"items\":"
	       "{\"$ref\":\"#/components/schemas/Column\"},\"minItems\":1},\"key\":{\"type\":[\"array\",\"null\"],\"items\":{"
	       "\"type\":\"string\"}},\"first\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/Column\"},{\"type\":\"null\"}]},"
	       "\"tags\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},\"made\":{\"type\":\"string\","
	       "\"format\":\"date-time\"},\"any\":{}}",
	       "components", "schemas", "Table", "properties");
	EXPECT("\"object\"", "components", "schemas", "Column", "type");
	json_decref(document);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(routes_and_shapes_are_described)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
