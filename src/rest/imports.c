#include "rest/rest.h"

#include "rest/job_json.h"
#include "storage/file.h"
#include "storage/import.h"

static struct table_import request_of(const struct http_request *req)
{
	const json_t *csv = body_get(req->body, "csv_options");
	const json_t *options = body_get(req->body, "import_options");
	struct table_import r = {
		.project_id = http_param(req, "project_id"),
		.branch_id = http_param(req, "branch_id"),
		.bucket = http_param(req, "bucket_name"),
		.table = http_param(req, "table_name"),
		.file_id = body_str(req->body, "file_id"),
		.format = body_str(req->body, "format"),
		.csv = {.given = csv != NULL,
			.delimiter = body_str(csv, "delimiter"),
			.quote = body_str(csv, "quote"),
			.escape = body_str(csv, "escape"),
			.header = body_bool(csv, "header", true),
			.null_string = body_str(csv, "null_string")},
		.incremental = body_bool(options, "incremental", false),
		.dedup_mode = body_str(options, "dedup_mode"),
		.mapping = TABLE_IMPORT_BY_NAME_OR_POSITION,
	};
	r.dedup_mode = r.dedup_mode ? r.dedup_mode : "update_duplicates";
	r.columns = body_strings(req->arena, options, "columns", &r.column_count);
	return r;
}

static void result_write(struct json *j, const struct table_import_result *r)
{
	json_object(j, NULL);
	json_int(j, "imported_rows", r->imported_rows);
	json_int(j, "table_rows_after", r->table_rows_after);
	json_int(j, "table_size_bytes", r->table_size_bytes);
	json_strings(j, "warnings", r->warnings, r->warning_count);
	json_object_end(j);
}

/* ---- as a job ---- */

static void *request_copy(struct arena *arena, const void *request)
{
	struct table_import *r = arena_new_of(arena, struct table_import);
	*r = *(const struct table_import *)request;
	r->project_id = rest_copy_text(arena, r->project_id);
	r->branch_id = rest_copy_text(arena, r->branch_id);
	r->bucket = rest_copy_text(arena, r->bucket);
	r->table = rest_copy_text(arena, r->table);
	r->file_id = rest_copy_text(arena, r->file_id);
	r->format = rest_copy_text(arena, r->format);
	r->csv.delimiter = rest_copy_text(arena, r->csv.delimiter);
	r->csv.quote = rest_copy_text(arena, r->csv.quote);
	r->csv.escape = rest_copy_text(arena, r->csv.escape);
	r->csv.null_string = rest_copy_text(arena, r->csv.null_string);
	r->dedup_mode = rest_copy_text(arena, r->dedup_mode);
	r->columns = rest_copy_texts(arena, r->columns, r->column_count);
	return r;
}

static bool job_run(struct storage *storage, const struct call *call, const void *request, struct job_outcome *ret,
		    struct err *err)
{
	const struct table_import *r = request;
	struct table_import_result result;
	struct file_row file;
	struct err ignored = ERR_INIT;
	if (!table_import(storage, call, r, &result, err))
		return false;
	struct json j = JSON(&ret->result);
	result_write(&j, &result);
	ret->rows = result.read_rows;
	if (file_get(storage, call, r->project_id, r->file_id, &file, &ignored))
		ret->bytes = file.size_bytes;
	return true;
}

static bool import_later(struct http_request *req, struct http_response *res, const struct table_import *r,
			 struct err *err)
{
	struct file_row file = {0};
	struct err ignored = ERR_INIT;
	/* A file that is missing is the job's to report, after what comes first. */
	(void)!file_get(rest_storage(req), &req->call, r->project_id, r->file_id, &file, &ignored);
	const struct job_work work = {
		.kind = "import",
		.project_id = r->project_id,
		.branch_id = r->branch_id,
		.bucket = r->bucket,
		.table = r->table,
		.copy = request_copy,
		.run = job_run,
		.request = r,
		.bytes_total = file.size_bytes,
	};
	return rest_job_accept(req, res, &work, err);
}

static bool import_post(struct http_request *req, struct http_response *res, struct err *err)
{
	const struct table_import request = request_of(req);
	struct table_import_result result;
	if (rest_job_wanted(req))
		return import_later(req, res, &request, err);
	if (!table_import(rest_storage(req), &req->call, &request, &result, err))
		return false;
	result_write(http_json(res, 200), &result);
	return true;
}

/* ---- shapes and routes ---- */

static const struct field csv_fields[] = {
	{.name = "delimiter", .type = FIELD_STRING, .nullable = true, .help = "One character; default ','"},
	{.name = "quote", .type = FIELD_STRING, .nullable = true, .help = "Default '\"'; empty: no quoting"},
	{.name = "escape", .type = FIELD_STRING, .nullable = true, .help = "Default: the quote; empty: none"},
	{.name = "header", .type = FIELD_BOOL, .fallback = "true", .help = "The first row is a header"},
	{.name = "null_string",
	 .type = FIELD_STRING,
	 .nullable = true,
	 .help = "Text read as NULL; empty fields always are"},
	{0}};
static const struct schema csv_schema = {"CsvOptions", csv_fields,
					 "Without these: a header, and the characters are detected from the file."};
static const struct field option_fields[] = {
	{.name = "incremental",
	 .type = FIELD_BOOL,
	 .fallback = "false",
	 .help = "false: replace all rows; true: add, or merge by the primary key"},
	{.name = "dedup_mode",
	 .type = FIELD_STRING,
	 .fallback = "\"update_duplicates\"",
	 .help = "update_duplicates, insert_duplicates or fail_on_duplicates"},
	{.name = "columns",
	 .type = FIELD_LIST,
	 .items = FIELD_STRING,
	 .nullable = true,
	 .help = "Columns the file supplies; the others get their default or NULL"},
	{0}};
static const struct schema option_schema = {"ImportOptions", option_fields, NULL};
static const struct field import_fields[] = {
	{.name = "file_id", .type = FIELD_STRING, .required = true, .help = "A registered file of the project"},
	{.name = "format", .type = FIELD_STRING, .fallback = "\"csv\"", .help = "csv or parquet"},
	{.name = "csv_options", .type = FIELD_OBJECT, .object = &csv_schema, .nullable = true},
	{.name = "import_options", .type = FIELD_OBJECT, .object = &option_schema, .fallback = "{}"},
	{0}};
static const struct schema import_schema = {"TableImport", import_fields, NULL};
static const struct field result_fields[] = {
	{.name = "imported_rows",
	 .type = FIELD_INT,
	 .help = "Full: rows of the file; incremental: by how many the table grew"},
	{.name = "table_rows_after", .type = FIELD_INT},
	{.name = "table_size_bytes", .type = FIELD_INT},
	{.name = "warnings", .type = FIELD_LIST, .items = FIELD_STRING},
	{0}};
static const struct schema result_schema = {"TableImportResult", result_fields, NULL};

static const enum err_code import_errors[] = {
	ERR_PROJECT_NOT_FOUND,	  ERR_BRANCH_NOT_FOUND,	      ERR_OPERATION_NOT_ALLOWED,
	ERR_PROJECT_DB_NOT_FOUND, ERR_BUCKET_NOT_FOUND,	      ERR_TABLE_NOT_FOUND,
	ERR_FILE_NOT_FOUND,	  ERR_FILE_CONTENT_NOT_FOUND, ERR_INVALID_FORMAT,
	ERR_INVALID_COLUMN,	  ERR_INVALID_DEDUP_MODE,     ERR_IMPORT_FAILED,
	ERR_DUPLICATE_KEY,	  ERR_TABLE_LOCKED,	      ERR_NONE,
};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_TABLE "/import/file",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = import_post,
	 .request = &import_schema,
	 .response = &result_schema,
	 .later = &rest_job_schema,
	 .errors = import_errors,
	 .tag = "Import and export",
	 .summary = "Load a file into a table; with Prefer: respond-async as a job (202)"},
};

REST_RESOURCE(import, routes);
