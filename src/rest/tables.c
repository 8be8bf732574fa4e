#include "rest/rest.h"

#include "storage/table.h"

void rest_columns_write(struct json *j, const char *key, const struct table_info *info)
{
	json_array(j, key);
	for (size_t i = 0; i < info->schema.column_count; i++) {
		const struct table_column *c = &info->schema.columns[i];
		json_object(j, NULL);
		json_str(j, "name", c->name);
		json_str(j, "type", c->type);
		json_bool(j, "nullable", c->nullable);
		json_uint(j, "ordinal_position", i + 1);
		json_object_end(j);
	}
	json_array_end(j);
}

void rest_table_write(struct json *j, const char *key, const struct table_view *view)
{
	json_object(j, key);
	json_str(j, "name", view->name);
	json_str(j, "bucket", view->bucket);
	rest_columns_write(j, "columns", &view->info);
	json_int(j, "row_count", view->info.row_count);
	json_int(j, "size_bytes", view->info.size_bytes);
	json_strings(j, "primary_key", view->info.schema.key, view->info.schema.key_count);
	json_time(j, "created_at", view->created_at);
	json_str(j, "source", table_source_name(view->source));
	json_object_end(j);
}

static bool table_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	const json_t *list = body_get(req->body, "columns");
	size_t n = json_array_size(list);
	struct table_column *columns = arena_array(req->arena, struct table_column, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(list, i);
		columns[i] = (struct table_column){
			.name = body_str(c, "name"),
			.type = body_str(c, "type"),
			.nullable = body_bool(c, "nullable", true),
			.default_sql = body_str(c, "default"),
		};
	}
	struct table_create request = {.name = body_str(req->body, "name"), .columns = columns, .column_count = n};
	request.primary_key = body_strings(req->arena, req->body, "primary_key", &request.primary_key_count);
	if (!table_create(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  http_param(req, "bucket_name"), &request, &view, err))
		return false;
	rest_table_write(http_json(res, 201), NULL, &view);
	return true;
}

static bool tables_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	struct table_view *views;
	size_t n;
	bool include_linked = http_query(req, "include_linked") ? http_query_bool(req, "include_linked")
								: !storage->settings->reference_compat;
	if (!table_list(storage, &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			http_param(req, "bucket_name"), include_linked, &views, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "tables");
	for (size_t i = 0; i < n; i++)
		rest_table_write(j, NULL, &views[i]);
	json_array_end(j);
	json_uint(j, "total", n);
	json_object_end(j);
	return true;
}

static bool table_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	if (!table_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
		       http_param(req, "bucket_name"), http_param(req, "table_name"), &view, err))
		return false;
	rest_table_write(http_json(res, 200), NULL, &view);
	return true;
}

static bool table_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!table_delete(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  http_param(req, "bucket_name"), http_param(req, "table_name"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool preview_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_preview preview;
	const char *version = http_query(req, "version");
	struct table_preview_request request = {.limit = http_query_int(req, "limit"),
						.version = version && *version ? version : NULL};
	if (!table_preview(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   http_param(req, "bucket_name"), http_param(req, "table_name"), &request, &preview, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	rest_columns_write(j, "columns", &preview.table.info);
	json_raw(j, "rows", preview.rows.ptr);
	json_int(j, "total_row_count", preview.table.info.row_count);
	json_int(j, "preview_row_count", preview.row_count);
	json_object_end(j);
	return true;
}

const struct field rest_column_fields[] = {{.name = "name", .type = FIELD_STRING},
					   {.name = "type", .type = FIELD_STRING, .help = "DuckDB's canonical name"},
					   {.name = "nullable", .type = FIELD_BOOL},
					   {.name = "ordinal_position", .type = FIELD_INT},
					   {0}};
static const struct schema column_schema = {"Column", rest_column_fields, NULL};
static const char *const sources[] = {"main", "branch", "linked", NULL};
static const struct field table_fields[] = {
	{.name = "name", .type = FIELD_STRING},
	{.name = "bucket", .type = FIELD_STRING},
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &column_schema},
	{.name = "row_count", .type = FIELD_INT},
	{.name = "size_bytes", .type = FIELD_INT},
	{.name = "primary_key", .type = FIELD_LIST, .items = FIELD_STRING},
	{.name = "created_at", .type = FIELD_TIME, .nullable = true},
	{.name = "source", .type = FIELD_STRING, .values = sources},
	{0}};
const struct schema rest_table_schema = {"Table", table_fields, NULL};
static const struct field list_fields[] = {
	{.name = "tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &rest_table_schema},
	{.name = "total", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"TableList", list_fields, NULL};
static const struct field new_column_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true},
	{.name = "type", .type = FIELD_STRING, .required = true, .help = "Any DuckDB type"},
	{.name = "nullable", .type = FIELD_BOOL, .fallback = "true"},
	{.name = "default", .type = FIELD_STRING, .nullable = true, .help = "SQL expression, e.g. 0 or 'new'"},
	{0}};
static const struct schema new_column_schema = {"ColumnCreate", new_column_fields, NULL};
static const struct field new_fields[] = {{.name = "name", .type = FIELD_STRING, .required = true},
					  {.name = "columns",
					   .type = FIELD_LIST,
					   .items = FIELD_OBJECT,
					   .object = &new_column_schema,
					   .required = true,
					   .items_min = 1},
					  {.name = "primary_key",
					   .type = FIELD_LIST,
					   .items = FIELD_STRING,
					   .nullable = true,
					   .help = "Columns of the key, in order"},
					  {0}};
static const struct schema new_schema = {"TableCreate", new_fields, NULL};
static const struct field preview_fields[] = {
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &column_schema},
	{.name = "rows", .type = FIELD_LIST, .items = FIELD_OBJECT, .help = "Objects by column name"},
	{.name = "total_row_count", .type = FIELD_INT},
	{.name = "preview_row_count", .type = FIELD_INT},
	{0}};
static const struct schema preview_schema = {"TablePreview", preview_fields, NULL};
static const struct field list_query[] = {
	{.name = "include_linked", .type = FIELD_BOOL, .help = "Show the source's tables of a linked bucket"}, {0}};
static const struct field preview_query[] = {
	{.name = "limit", .type = FIELD_INT, .fallback = "1000", RANGE(1, 10000), .help = "Rows at most"},
	{.name = "version", .type = FIELD_STRING, .help = "A kept version instead of the current one"},
	{0}};

#define BUCKET_ERRORS ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_PROJECT_DB_NOT_FOUND, ERR_BUCKET_NOT_FOUND

static const enum err_code create_errors[] = {BUCKET_ERRORS,	       ERR_INVALID_NAME,  ERR_TABLE_EXISTS,
					      ERR_INVALID_PRIMARY_KEY, ERR_CREATE_FAILED, ERR_NONE};
static const enum err_code list_errors[] = {BUCKET_ERRORS, ERR_NONE};
static const enum err_code one_errors[] = {BUCKET_ERRORS, ERR_TABLE_NOT_FOUND, ERR_NONE};
static const enum err_code delete_errors[] = {BUCKET_ERRORS, ERR_TABLE_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
					      ERR_AUTO_SNAPSHOT_FAILED, ERR_NONE};
static const enum err_code preview_errors[] = {BUCKET_ERRORS, ERR_TABLE_NOT_FOUND, ERR_VERSION_NOT_FOUND,
					       ERR_PREVIEW_FAILED, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_BUCKET "/tables",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = table_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &rest_table_schema,
	 .errors = create_errors,
	 .tag = "Tables",
	 .summary = "Create a table"},
	{.method = HTTP_GET,
	 .path = REST_BUCKET "/tables",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = tables_get,
	 .query = list_query,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Tables",
	 .summary = "List tables by name"},
	{.method = HTTP_GET,
	 .path = REST_TABLE,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = table_get_one,
	 .response = &rest_table_schema,
	 .errors = one_errors,
	 .tag = "Tables",
	 .summary = "Show a table"},
	{.method = HTTP_DELETE,
	 .path = REST_TABLE,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = table_delete_one,
	 .status = 204,
	 .errors = delete_errors,
	 .tag = "Tables",
	 .summary = "Delete a table"},
	{.method = HTTP_GET,
	 .path = REST_TABLE "/preview",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = preview_get,
	 .query = preview_query,
	 .response = &preview_schema,
	 .errors = preview_errors,
	 .tag = "Tables",
	 .summary = "First rows of a table"},
};

REST_RESOURCE(table, routes);
