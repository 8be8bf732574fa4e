#include "rest/rest.h"

#include "storage/version.h"

static bool versions_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_version *rows;
	size_t n;
	if (!version_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  http_param(req, "bucket_name"), http_param(req, "table_name"), &rows, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "versions");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "version", arena_printf(req->arena, "%lld", (long long)rows[i].generation));
		json_str(j, "replaced_by", rows[i].reason);
		json_time(j, "replaced_at", rows[i].created_at);
		json_time(j, "expires_at", rows[i].expires_at);
		json_int(j, "row_count", rows[i].row_count);
		json_int(j, "size_bytes", rows[i].size_bytes);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "total", n);
	json_object_end(j);
	return true;
}

static bool restore_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct table_view view;
	if (!version_restore(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			     http_param(req, "bucket_name"), http_param(req, "table_name"), http_param(req, "version"),
			     &view, err))
		return false;
	rest_table_write(http_json(res, 200), NULL, &view);
	return true;
}

static const struct field version_fields[] = {
	{.name = "version", .type = FIELD_STRING, .help = "For ?version= of preview and export, and for restore"},
	{.name = "replaced_by", .type = FIELD_STRING, .help = "The operation that ended it"},
	{.name = "replaced_at", .type = FIELD_TIME},
	{.name = "expires_at", .type = FIELD_TIME},
	{.name = "row_count", .type = FIELD_INT},
	{.name = "size_bytes", .type = FIELD_INT},
	{0}};
static const struct schema version_schema = {"TableVersion", version_fields, NULL};
static const struct field list_fields[] = {
	{.name = "versions", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &version_schema},
	{.name = "total", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"TableVersionList", list_fields, NULL};

#define TABLE_ERRORS \
	ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_PROJECT_DB_NOT_FOUND, ERR_BUCKET_NOT_FOUND, ERR_TABLE_NOT_FOUND

static const enum err_code list_errors[] = {TABLE_ERRORS, ERR_NONE};
static const enum err_code restore_errors[] = {TABLE_ERRORS, ERR_VERSION_NOT_FOUND, ERR_TABLE_LOCKED, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_GET,
	 .path = REST_TABLE "/versions",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = versions_get,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Versions",
	 .summary = "List the former versions that are kept, newest first"},
	{.method = HTTP_POST,
	 .path = REST_TABLE "/versions/{version}/restore",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = restore_post,
	 .response = &rest_table_schema,
	 .errors = restore_errors,
	 .tag = "Versions",
	 .summary = "Make a former version the current one"},
};

REST_RESOURCE(version, routes);
