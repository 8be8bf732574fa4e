#include "rest/rest.h"

#include "storage/shape.h"
#include "storage/snapshot.h"

static void members_write(struct json *j, const struct snapshot *s)
{
	json_str(j, "id", s->id);
	json_str(j, "project_id", s->project_id);
	json_str(j, "bucket_name", s->bucket);
	json_str(j, "table_name", s->table_name);
	json_str(j, "snapshot_type", s->type);
	json_int(j, "row_count", s->row_count);
	json_int(j, "size_bytes", s->size_bytes);
	json_time(j, "created_at", s->created_at);
	json_str(j, "created_by", s->created_by);
	json_time(j, "expires_at", s->expires_at);
	json_str(j, "description", s->description);
}

static bool snapshot_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot s;
	if (!snapshot_create(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			     body_str(req->body, "bucket"), body_str(req->body, "table"),
			     body_str(req->body, "description"), &s, err))
		return false;
	struct json *j = http_json(res, 201);
	json_object(j, NULL);
	members_write(j, &s);
	json_object_end(j);
	return true;
}

static bool snapshots_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot *rows;
	size_t n;
	size_t total;
	struct snapshot_filter filter = {
		.bucket = http_query(req, "bucket"),
		.table = http_query(req, "table"),
		.type = http_query(req, "type"),
		.limit = http_query_int(req, "limit"),
		.offset = http_query_int(req, "offset"),
	};
	if (!snapshot_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   &filter, &rows, &n, &total, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "snapshots");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		members_write(j, &rows[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "total", total);
	json_object_end(j);
	return true;
}

static bool snapshot_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot s;
	struct table_schema schema;
	if (!snapshot_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  http_param(req, "snapshot_id"), &s, err) ||
	    !shape_decode(s.schema_json, req->arena, &schema, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	members_write(j, &s);
	json_array(j, "schema_columns");
	for (size_t i = 0; i < schema.column_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", schema.columns[i].name);
		json_str(j, "type", schema.columns[i].type);
		json_bool(j, "nullable", schema.columns[i].nullable);
		json_object_end(j);
	}
	json_array_end(j);
	json_strings(j, "primary_key", schema.key, schema.key_count);
	json_object_end(j);
	return true;
}

static bool snapshot_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!snapshot_delete(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			     http_param(req, "snapshot_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool restore_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot_restored restored;
	if (!snapshot_restore(rest_storage(req), &req->call, http_param(req, "project_id"),
			      http_param(req, "branch_id"), http_param(req, "snapshot_id"),
			      body_str(req->body, "target_bucket"), body_str(req->body, "target_table"), &restored,
			      err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_object(j, "restored_to");
	json_str(j, "bucket", restored.bucket);
	json_str(j, "table", restored.table);
	json_object_end(j);
	json_int(j, "row_count", restored.row_count);
	json_object_end(j);
	return true;
}

#define SNAPSHOT_FIELDS                                                                                      \
	{.name = "id", .type = FIELD_STRING}, {.name = "project_id", .type = FIELD_STRING},                  \
		{.name = "bucket_name", .type = FIELD_STRING}, {.name = "table_name", .type = FIELD_STRING}, \
		{.name = "snapshot_type", .type = FIELD_STRING, .values = types},                            \
		{.name = "row_count", .type = FIELD_INT},                                                    \
		{.name = "size_bytes",                                                                       \
		 .type = FIELD_INT,                                                                          \
		 .help = "Of the file; shared with the table until that changes"},                           \
		{.name = "created_at", .type = FIELD_TIME},                                                  \
		{.name = "created_by", .type = FIELD_STRING, .nullable = true},                              \
		{.name = "expires_at", .type = FIELD_TIME},                                                  \
	{                                                                                                    \
		.name = "description", .type = FIELD_STRING, .nullable = true                                \
	}

static const char *const types[] = {"manual", "auto_predrop", "auto_predrop_column", "auto_pretruncate", NULL};
static const struct field snapshot_fields[] = {SNAPSHOT_FIELDS, {0}};
static const struct schema snapshot_schema = {"Snapshot", snapshot_fields, NULL};
static const struct field column_fields[] = {{.name = "name", .type = FIELD_STRING},
					     {.name = "type", .type = FIELD_STRING, .help = "DuckDB's canonical name"},
					     {.name = "nullable", .type = FIELD_BOOL},
					     {0}};
static const struct schema column_schema = {"SnapshotColumn", column_fields, NULL};
static const struct field detail_fields[] = {
	SNAPSHOT_FIELDS,
	{.name = "schema_columns", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &column_schema},
	{.name = "primary_key", .type = FIELD_LIST, .items = FIELD_STRING},
	{0}};
static const struct schema detail_schema = {"SnapshotDetail", detail_fields, NULL};
static const struct field list_fields[] = {
	{.name = "snapshots", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &snapshot_schema},
	{.name = "total", .type = FIELD_INT, .help = "Matches, whatever the page"},
	{0}};
static const struct schema list_schema = {"SnapshotList", list_fields, NULL};
static const struct field new_fields[] = {{.name = "bucket", .type = FIELD_STRING, .required = true},
					  {.name = "table", .type = FIELD_STRING, .required = true},
					  {.name = "description", .type = FIELD_STRING, .nullable = true},
					  {0}};
static const struct schema new_schema = {"SnapshotCreate", new_fields, NULL};
static const struct field restore_fields[] = {
	{.name = "target_bucket", .type = FIELD_STRING, .nullable = true, .help = "Default: where it was taken"},
	{.name = "target_table", .type = FIELD_STRING, .nullable = true, .help = "Default: the same name"},
	{0}};
static const struct schema restore_schema = {"SnapshotRestore", restore_fields, NULL};
static const struct field place_fields[] = {
	{.name = "bucket", .type = FIELD_STRING}, {.name = "table", .type = FIELD_STRING}, {0}};
static const struct schema restored_to_schema = {"RestoredTo", place_fields, NULL};
static const struct field restored_fields[] = {
	{.name = "restored_to", .type = FIELD_OBJECT, .object = &restored_to_schema},
	{.name = "row_count", .type = FIELD_INT},
	{0}};
static const struct schema restored_schema = {"SnapshotRestored", restored_fields, NULL};
static const struct field list_query[] = {{.name = "bucket", .type = FIELD_STRING, .help = "Only of this bucket"},
					  {.name = "table", .type = FIELD_STRING, .help = "Only of tables so named"},
					  {.name = "type", .type = FIELD_STRING, .help = "Only of this snapshot_type"},
					  REST_PAGING,
					  {0}};

#define MAIN_ERRORS ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED, ERR_PROJECT_DB_NOT_FOUND

static const enum err_code create_errors[] = {MAIN_ERRORS, ERR_BUCKET_NOT_FOUND, ERR_TABLE_NOT_FOUND,
					      ERR_SNAPSHOTS_DISABLED, ERR_NONE};
static const enum err_code list_errors[] = {MAIN_ERRORS, ERR_NONE};
static const enum err_code one_errors[] = {MAIN_ERRORS, ERR_SNAPSHOT_NOT_FOUND, ERR_NONE};
static const enum err_code restore_errors[] = {
	MAIN_ERRORS,	  ERR_SNAPSHOT_NOT_FOUND,      ERR_BUCKET_NOT_FOUND, ERR_INVALID_NAME,
	ERR_TABLE_EXISTS, ERR_SNAPSHOT_FILE_NOT_FOUND, ERR_TABLE_LOCKED,     ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_BRANCH "/snapshots",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = snapshot_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &snapshot_schema,
	 .errors = create_errors,
	 .tag = "Snapshots",
	 .summary = "Take a snapshot of a table"},
	{.method = HTTP_GET,
	 .path = REST_BRANCH "/snapshots",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = snapshots_get,
	 .query = list_query,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Snapshots",
	 .summary = "List snapshots, newest first"},
	{.method = HTTP_GET,
	 .path = REST_BRANCH "/snapshots/{snapshot_id}",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = snapshot_get_one,
	 .response = &detail_schema,
	 .errors = one_errors,
	 .tag = "Snapshots",
	 .summary = "Show a snapshot with its columns"},
	{.method = HTTP_DELETE,
	 .path = REST_BRANCH "/snapshots/{snapshot_id}",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = snapshot_delete_one,
	 .status = 204,
	 .errors = one_errors,
	 .tag = "Snapshots",
	 .summary = "Delete a snapshot"},
	{.method = HTTP_POST,
	 .path = REST_BRANCH "/snapshots/{snapshot_id}/restore",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = restore_post,
	 .request = &restore_schema,
	 .response = &restored_schema,
	 .errors = restore_errors,
	 .tag = "Snapshots",
	 .summary = "Restore a snapshot in place, or as a new table"},
};

REST_RESOURCE(snapshot, routes);
