#include "rest/rest.h"

#include "rest/job_json.h"
#include "storage/export.h"

static struct table_export request_of(const struct http_request *req)
{
	const char *filter = body_str(req->body, "where_filter");
	const char *version = http_query(req, "version");
	struct table_export r = {
		.project_id = http_param(req, "project_id"),
		.branch_id = http_param(req, "branch_id"),
		.bucket = http_param(req, "bucket_name"),
		.table = http_param(req, "table_name"),
		.format = body_str(req->body, "format"),
		.compression = body_str(req->body, "compression"),
		.where_filter = filter && *filter ? filter : NULL,
		.limit = body_int(req->body, "limit", 0),
		.version = version && *version ? version : NULL,
	};
	r.format = r.format ? r.format : "csv";
	r.columns = body_strings(req->arena, req->body, "columns", &r.column_count);
	return r;
}

static void result_write(struct json *j, const struct table_export_result *r)
{
	json_object(j, NULL);
	json_str(j, "file_id", r->file.id);
	json_str(j, "file_path", r->file.path);
	json_int(j, "rows_exported", r->rows_exported);
	json_int(j, "file_size_bytes", r->file.size_bytes);
	json_object_end(j);
}

/* ---- as a job ---- */

static void *request_copy(struct arena *arena, const void *request)
{
	struct table_export *r = arena_new_of(arena, struct table_export);
	*r = *(const struct table_export *)request;
	r->project_id = rest_copy_text(arena, r->project_id);
	r->branch_id = rest_copy_text(arena, r->branch_id);
	r->bucket = rest_copy_text(arena, r->bucket);
	r->table = rest_copy_text(arena, r->table);
	r->format = rest_copy_text(arena, r->format);
	r->compression = rest_copy_text(arena, r->compression);
	r->where_filter = rest_copy_text(arena, r->where_filter);
	r->version = rest_copy_text(arena, r->version);
	r->columns = rest_copy_texts(arena, r->columns, r->column_count);
	return r;
}

static bool job_run(struct storage *storage, const struct call *call, const void *request, struct job_outcome *ret,
		    struct err *err)
{
	struct table_export_result result;
	if (!table_export(storage, call, request, &result, err))
		return false;
	struct json j = JSON(&ret->result);
	result_write(&j, &result);
	ret->rows = result.rows_exported;
	ret->bytes = result.file.size_bytes;
	return true;
}

static bool export_post(struct http_request *req, struct http_response *res, struct err *err)
{
	const struct table_export request = request_of(req);
	struct table_export_result result;
	if (rest_job_wanted(req)) {
		const struct job_work work = {
			.kind = "export",
			.project_id = request.project_id,
			.branch_id = request.branch_id,
			.bucket = request.bucket,
			.table = request.table,
			.copy = request_copy,
			.run = job_run,
			.request = &request,
		};
		return rest_job_accept(req, res, &work, err);
	}
	if (!table_export(rest_storage(req), &req->call, &request, &result, err))
		return false;
	result_write(http_json(res, 200), &result);
	return true;
}

/* ---- shapes and routes ---- */

static const struct field export_fields[] = {
	{.name = "format", .type = FIELD_STRING, .fallback = "\"csv\"", .help = "csv or parquet"},
	{.name = "compression",
	 .type = FIELD_STRING,
	 .nullable = true,
	 .help = "csv: gzip; parquet: gzip, zstd, snappy. null: none for csv, snappy for parquet"},
	{.name = "columns",
	 .type = FIELD_LIST,
	 .items = FIELD_STRING,
	 .nullable = true,
	 .help = "Which, in this order; null or empty: all"},
	{.name = "where_filter",
	 .type = FIELD_STRING,
	 .nullable = true,
	 .help = "Boolean SQL expression over the table's columns, without WHERE"},
	{.name = "limit", .type = FIELD_INT, .nullable = true, AT_LEAST(0), .help = "Most rows; null or 0: all"},
	{0}};
static const struct field export_query[] = {
	{.name = "version", .type = FIELD_STRING, .help = "A kept version instead of the current one"}, {0}};
static const struct schema export_schema = {"TableExport", export_fields, NULL};
static const struct field result_fields[] = {
	{.name = "file_id", .type = FIELD_STRING, .help = "A registered file, see Files"},
	{.name = "file_path", .type = FIELD_STRING},
	{.name = "rows_exported", .type = FIELD_INT},
	{.name = "file_size_bytes", .type = FIELD_INT},
	{0}};
static const struct schema result_schema = {"TableExportResult", result_fields, NULL};

static const enum err_code export_errors[] = {
	ERR_PROJECT_NOT_FOUND,
	ERR_BRANCH_NOT_FOUND,
	ERR_PROJECT_DB_NOT_FOUND,
	ERR_BUCKET_NOT_FOUND,
	ERR_TABLE_NOT_FOUND,
	ERR_VERSION_NOT_FOUND,
	ERR_INVALID_FORMAT,
	ERR_INVALID_COMPRESSION,
	ERR_INVALID_COLUMN,
	ERR_INVALID_WHERE_CLAUSE,
	ERR_QUOTA_EXCEEDED,
	ERR_EXPORT_FAILED,
	ERR_NONE,
};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_TABLE "/export",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON_OPTIONAL,
	 .handler = export_post,
	 .query = export_query,
	 .request = &export_schema,
	 .response = &result_schema,
	 .later = &rest_job_schema,
	 .errors = export_errors,
	 .tag = "Import and export",
	 .summary = "Write a table to a new file; with Prefer: respond-async as a job (202)"},
};

REST_RESOURCE(export, routes);
