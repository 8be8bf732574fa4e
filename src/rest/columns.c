#include "rest/rest.h"

#include "storage/rows.h"
#include "storage/schema.h"

static struct schema_target target_of(const struct http_request *req)
{
	return (struct schema_target){
		.project_id = http_param(req, "project_id"),
		.branch_id = http_param(req, "branch_id"),
		.bucket = http_param(req, "bucket_name"),
		.table = http_param(req, "table_name"),
	};
}

static bool column_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	struct table_column column = {
		.name = body_str(req->body, "name"),
		.type = body_str(req->body, "type"),
		.nullable = body_bool(req->body, "nullable", true),
		.default_sql = body_str(req->body, "default"),
	};
	if (!schema_add_column(rest_storage(req), &req->call, target_of(req), &column, &view, err))
		return false;
	rest_table_write(http_json(res, 201), NULL, &view);
	return true;
}

static bool column_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	if (!schema_drop_column(rest_storage(req), &req->call, target_of(req), http_param(req, "column_name"), &view,
				err))
		return false;
	rest_table_write(http_json(res, 200), NULL, &view);
	return true;
}

static bool column_put(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	struct column_change change = {
		.new_name = body_str(req->body, "new_name"),
		.new_type = body_str(req->body, "new_type"),
		.change_null = json_is_boolean(body_get(req->body, "set_not_null")),
		.set_not_null = body_bool(req->body, "set_not_null", false),
		.set_default = body_str(req->body, "set_default"),
	};
	if (!schema_alter_column(rest_storage(req), &req->call, target_of(req), http_param(req, "column_name"), &change,
				 &view, err))
		return false;
	rest_table_write(http_json(res, 200), NULL, &view);
	return true;
}

static bool key_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	size_t n;
	const char *const *columns = body_strings(req->arena, req->body, "columns", &n);
	if (!schema_add_primary_key(rest_storage(req), &req->call, target_of(req), columns, n, &view, err))
		return false;
	rest_table_write(http_json(res, 201), NULL, &view);
	return true;
}

static bool key_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	if (!schema_drop_primary_key(rest_storage(req), &req->call, target_of(req), &view, err))
		return false;
	rest_table_write(http_json(res, 200), NULL, &view);
	return true;
}

static bool rows_delete_some(struct http_request *req, struct http_response *res, struct err *err)
{
	struct rows_deleted result;
	if (!rows_delete(rest_storage(req), &req->call, target_of(req), body_str(req->body, "where_clause"), &result,
			 err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_int(j, "deleted_rows", result.deleted);
	json_int(j, "table_rows_after", result.left);
	json_object_end(j);
	return true;
}

static const struct field add_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true},
	{.name = "type", .type = FIELD_STRING, .required = true, .help = "Any DuckDB type"},
	{.name = "nullable", .type = FIELD_BOOL, .fallback = "true"},
	{.name = "default", .type = FIELD_STRING, .nullable = true, .help = "SQL expression, e.g. 0 or 'new'"},
	{0}};
static const struct schema add_schema = {"ColumnAdd", add_fields, NULL};
static const struct field alter_fields[] = {
	{.name = "new_name", .type = FIELD_STRING, .nullable = true},
	{.name = "new_type", .type = FIELD_STRING, .nullable = true, .help = "The data is converted"},
	{.name = "set_not_null", .type = FIELD_BOOL, .nullable = true},
	{.name = "set_default",
	 .type = FIELD_STRING,
	 .nullable = true,
	 .help = "SQL expression; \"\" drops the default"},
	{0}};
static const struct schema alter_schema = {"ColumnAlter", alter_fields, NULL};
static const struct field key_fields[] = {
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_STRING, .required = true, .items_min = 1}, {0}};
static const struct schema key_schema = {"PrimaryKeyCreate", key_fields, NULL};
static const struct field delete_fields[] = {{.name = "where_clause",
					      .type = FIELD_STRING,
					      .required = true,
					      .help = "Boolean expression over the columns, without WHERE"},
					     {0}};
static const struct schema delete_schema = {"RowsDelete", delete_fields, NULL};
static const struct field deleted_fields[] = {
	{.name = "deleted_rows", .type = FIELD_INT}, {.name = "table_rows_after", .type = FIELD_INT}, {0}};
static const struct schema deleted_schema = {"RowsDeleted", deleted_fields, NULL};

#define TABLE_ERRORS                                                                                 \
	ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_PROJECT_DB_NOT_FOUND, ERR_BUCKET_NOT_FOUND, \
		ERR_TABLE_NOT_FOUND, ERR_TABLE_LOCKED

static const enum err_code add_errors[] = {TABLE_ERRORS, ERR_COLUMN_EXISTS, ERR_ADD_COLUMN_FAILED,
					   ERR_ADD_COLUMN_FAILED_SERVER, ERR_NONE};
static const enum err_code drop_errors[] = {
	TABLE_ERRORS,		ERR_COLUMN_NOT_FOUND,	       ERR_CANNOT_DROP_LAST_COLUMN, ERR_COLUMN_IN_PRIMARY_KEY,
	ERR_DROP_COLUMN_FAILED, ERR_DROP_COLUMN_FAILED_SERVER, ERR_AUTO_SNAPSHOT_FAILED,    ERR_NONE};
static const enum err_code alter_errors[] = {TABLE_ERRORS,	ERR_COLUMN_NOT_FOUND,	 ERR_NO_CHANGES_SPECIFIED,
					     ERR_COLUMN_EXISTS, ERR_ALTER_COLUMN_FAILED, ERR_ALTER_COLUMN_FAILED_SERVER,
					     ERR_NONE};
static const enum err_code add_key_errors[] = {TABLE_ERRORS,
					       ERR_KEY_COLUMN_NOT_FOUND,
					       ERR_PRIMARY_KEY_EXISTS,
					       ERR_ADD_PRIMARY_KEY_FAILED,
					       ERR_ADD_PRIMARY_KEY_FAILED_SERVER,
					       ERR_NONE};
static const enum err_code drop_key_errors[] = {TABLE_ERRORS, ERR_NO_PRIMARY_KEY, ERR_DROP_PRIMARY_KEY_FAILED,
						ERR_NONE};
static const enum err_code delete_errors[] = {TABLE_ERRORS, ERR_INVALID_WHERE_CLAUSE, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_TABLE "/columns",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = column_post,
	 .status = 201,
	 .request = &add_schema,
	 .response = &rest_table_schema,
	 .errors = add_errors,
	 .tag = "Columns and rows",
	 .summary = "Add a column at the end"},
	{.method = HTTP_DELETE,
	 .path = REST_TABLE "/columns/{column_name}",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = column_delete,
	 .response = &rest_table_schema,
	 .errors = drop_errors,
	 .tag = "Columns and rows",
	 .summary = "Drop a column"},
	{.method = HTTP_PUT,
	 .path = REST_TABLE "/columns/{column_name}",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = column_put,
	 .request = &alter_schema,
	 .response = &rest_table_schema,
	 .errors = alter_errors,
	 .tag = "Columns and rows",
	 .summary = "Rename a column, change its type, nullability or default"},
	{.method = HTTP_POST,
	 .path = REST_TABLE "/primary-key",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = key_post,
	 .status = 201,
	 .request = &key_schema,
	 .response = &rest_table_schema,
	 .errors = add_key_errors,
	 .tag = "Columns and rows",
	 .summary = "Add a primary key"},
	{.method = HTTP_DELETE,
	 .path = REST_TABLE "/primary-key",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = key_delete,
	 .response = &rest_table_schema,
	 .errors = drop_key_errors,
	 .tag = "Columns and rows",
	 .summary = "Drop the primary key"},
	{.method = HTTP_DELETE,
	 .path = REST_TABLE "/rows",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = rows_delete_some,
	 .request = &delete_schema,
	 .response = &deleted_schema,
	 .errors = delete_errors,
	 .tag = "Columns and rows",
	 .summary = "Delete the rows that match an expression"},
};

REST_RESOURCE(column, routes);
