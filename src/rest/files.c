#include "rest/rest.h"

#include "storage/file.h"

/* `expires_at` 0: a registered file; else an upload that waits to be registered. */
static void file_write(struct json *j, const struct file_row *file, int64_t expires_at)
{
	json_object(j, NULL);
	json_str(j, "id", file->id);
	json_str(j, "project_id", file->project_id);
	json_str(j, "name", file->name);
	json_str(j, "path", file->path);
	json_int(j, "size_bytes", file->size_bytes);
	json_str(j, "content_type", file->content_type);
	json_str(j, "checksum_sha256", file->sha256);
	json_bool(j, "is_staged", expires_at != 0);
	json_time(j, "created_at", file->created_at);
	json_time(j, "expires_at", expires_at);
	json_raw(j, "tags", file->tags_json);
	json_object_end(j);
}

/* NULL when there are none. */
static const char *tags_text(const struct http_request *req)
{
	const json_t *tags = body_get(req->body, "tags");
	return tags && json_object_size(tags) > 0 ? json_value_text(req->arena, tags) : NULL;
}

static bool prepare_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct upload upload;
	const struct file_prepare request = {
		.filename = body_str(req->body, "filename"),
		.content_type = body_str(req->body, "content_type"),
		.size_bytes = body_int(req->body, "size_bytes", -1),
		.tags_json = tags_text(req),
	};
	const char *project_id = http_param(req, "project_id");
	if (!file_prepare(rest_storage(req), &req->call, project_id, &request, &upload, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "upload_key", upload.key);
	json_str(j, "upload_url", arena_printf(req->arena, "/projects/%s/files/upload/%s", project_id, upload.key));
	json_time(j, "expires_at", upload.expires_at);
	json_object_end(j);
	return true;
}

static bool body_source(void *ctx, void *bytes, size_t size, size_t *ret_len, struct err *err)
{
	return http_body_read(ctx, bytes, size, ret_len, err);
}

static bool upload_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct upload upload;
	const struct byte_source source = {.read = body_source, .ctx = req};
	if (!file_upload(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "upload_key"),
			 &source, &upload, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "upload_key", upload.key);
	json_str(j, "staging_path", arena_printf(req->arena, "staging/%s_%s", upload.key, upload.filename));
	json_int(j, "size_bytes", upload.staged_bytes);
	json_str(j, "checksum_sha256", upload.sha256);
	json_object_end(j);
	return true;
}

static bool file_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct file_row file;
	if (!file_register(rest_storage(req), &req->call, http_param(req, "project_id"),
			   body_str(req->body, "upload_key"), body_str(req->body, "name"), tags_text(req), &file, err))
		return false;
	file_write(http_json(res, 201), &file, 0);
	return true;
}

static bool files_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct file_list list;
	if (!file_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_query_int(req, "limit"),
		       http_query_int(req, "offset"), http_query_bool(req, "include_staged"), &list, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "files");
	for (size_t i = 0; i < list.count; i++)
		file_write(j, &list.files[i].file, list.files[i].expires_at);
	json_array_end(j);
	json_uint(j, "total", list.total);
	json_object_end(j);
	return true;
}

static bool file_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct file_row file;
	if (!file_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "file_id"), &file,
		      err))
		return false;
	file_write(http_json(res, 200), &file, 0);
	return true;
}

static bool file_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!file_delete(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "file_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

/* ---- download ---- */

/* Text without a charset is UTF-8, and says so. */
static const char *download_type(struct arena *arena, const char *type)
{
	if (!type || strncasecmp(type, "text/", 5) != 0 || strcasestr(type, "charset="))
		return type;
	return arena_printf(arena, "%s; charset=utf-8", type);
}

static void download_sent(void *ctx, uint64_t bytes, bool complete)
{
	file_download_done(ctx, (int64_t)bytes, complete);
}

static bool download(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	struct file_row file;
	struct http_file content = {.fd = -1};
	int64_t size;
	if (!file_open(storage, &req->call, http_param(req, "project_id"), http_param(req, "file_id"), &file,
		       &content.fd, &size, err))
		return false;
	/* A content that came without a digest is tagged by its modification time alone. */
	const char *digest = file.sha256 ? file.sha256 : file.etag;
	content.size = (uint64_t)size;
	content.type = download_type(req->arena, file.content_type);
	content.etag = digest ? arena_printf(req->arena, "\"%s\"", digest) : NULL;
	content.mtime_us = file.updated_at;
	content.filename = file.name;
	return http_file(req, res, &content, err);
}

static bool download_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	bool fine = download(req, res, err);
	if (req->method == HTTP_HEAD)
		return fine;
	if (fine)
		http_on_sent(res, download_sent, storage);
	else
		file_download_done(storage, 0, false);
	return fine;
}

/* ---- shapes and routes ---- */

static const struct field file_fields[] = {
	{.name = "id", .type = FIELD_STRING},
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "name", .type = FIELD_STRING},
	{.name = "path", .type = FIELD_STRING, .help = "Relative to the files directory"},
	{.name = "size_bytes", .type = FIELD_INT},
	{.name = "content_type", .type = FIELD_STRING, .nullable = true},
	{.name = "checksum_sha256", .type = FIELD_STRING, .nullable = true},
	{.name = "is_staged", .type = FIELD_BOOL, .help = "Uploaded and not registered yet; the id is the upload key"},
	{.name = "created_at", .type = FIELD_TIME},
	{.name = "expires_at", .type = FIELD_TIME, .nullable = true},
	{.name = "tags", .type = FIELD_MAP, .nullable = true},
	{0}};
static const struct schema file_schema = {"File", file_fields, NULL};
static const struct field list_fields[] = {
	{.name = "files", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &file_schema},
	{.name = "total", .type = FIELD_INT, .help = "All matches, not the page"},
	{0}};
static const struct schema list_schema = {"FileList", list_fields, NULL};
static const struct field prepare_fields[] = {
	{.name = "filename", .type = FIELD_STRING, .required = true, .help = "1 to 255 bytes, no slashes"},
	{.name = "content_type", .type = FIELD_STRING, .nullable = true, .help = "Served back on download"},
	{.name = "size_bytes", .type = FIELD_INT, .nullable = true, AT_LEAST(0), .help = "Size the upload must have"},
	{.name = "tags", .type = FIELD_MAP, .nullable = true},
	{0}};
static const struct schema prepare_schema = {"FilePrepare", prepare_fields, NULL};
static const struct field prepared_fields[] = {{.name = "upload_key", .type = FIELD_STRING},
					       {.name = "upload_url", .type = FIELD_STRING, .help = "Path, no host"},
					       {.name = "expires_at", .type = FIELD_TIME},
					       {0}};
static const struct schema prepared_schema = {"FilePrepared", prepared_fields, NULL};
static const struct field uploaded_fields[] = {{.name = "upload_key", .type = FIELD_STRING},
					       {.name = "staging_path", .type = FIELD_STRING},
					       {.name = "size_bytes", .type = FIELD_INT},
					       {.name = "checksum_sha256", .type = FIELD_STRING},
					       {0}};
static const struct schema uploaded_schema = {"FileUploaded", uploaded_fields, NULL};
static const struct field register_fields[] = {
	{.name = "upload_key", .type = FIELD_STRING, .required = true},
	{.name = "name", .type = FIELD_STRING, .nullable = true, .help = "Default: the prepared file name"},
	{.name = "tags", .type = FIELD_MAP, .nullable = true, .help = "Laid over the prepared ones"},
	{0}};
static const struct schema register_schema = {"FileRegister", register_fields, NULL};
static const struct field list_query[] = {REST_PAGING,
					  {.name = "include_staged",
					   .type = FIELD_BOOL,
					   .fallback = "false",
					   .help = "Also uploads that are not registered yet"},
					  {0}};

#define UPLOAD_ERRORS \
	ERR_PROJECT_NOT_FOUND, ERR_UPLOAD_SESSION_NOT_FOUND, ERR_UPLOAD_SESSION_MISMATCH, ERR_UPLOAD_SESSION_EXPIRED

static const enum err_code prepare_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_INVALID_FILENAME,
					       ERR_FILE_TOO_LARGE_ANNOUNCED, ERR_QUOTA_EXCEEDED, ERR_NONE};
static const enum err_code upload_errors[] = {UPLOAD_ERRORS, ERR_FILE_TOO_LARGE, ERR_SIZE_MISMATCH, ERR_UPLOAD_FAILED,
					      ERR_NONE};
static const enum err_code register_errors[] = {UPLOAD_ERRORS,
						ERR_FILE_NOT_UPLOADED,
						ERR_INVALID_FILENAME,
						ERR_STAGED_FILE_NOT_FOUND,
						ERR_QUOTA_EXCEEDED,
						ERR_REGISTRATION_FAILED,
						ERR_NONE};
static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_FILE_NOT_FOUND, ERR_NONE};
static const enum err_code download_errors[] = {ERR_PROJECT_NOT_FOUND,	    ERR_FILE_NOT_FOUND,
						ERR_FILE_CONTENT_NOT_FOUND, ERR_PRECONDITION_FAILED,
						ERR_RANGE_NOT_SATISFIABLE,  ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/files/prepare",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = prepare_post,
	 .request = &prepare_schema,
	 .response = &prepared_schema,
	 .errors = prepare_errors,
	 .tag = "Files",
	 .summary = "Open an upload session"},
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/files/upload/{upload_key}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_STREAM,
	 .body = HTTP_BODY_FILE,
	 .handler = upload_post,
	 .response = &uploaded_schema,
	 .errors = upload_errors,
	 .tag = "Files",
	 .summary = "Send the bytes as the form part `file`"},
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/files",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = file_post,
	 .status = 201,
	 .request = &register_schema,
	 .response = &file_schema,
	 .errors = register_errors,
	 .tag = "Files",
	 .summary = "Register the uploaded file"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/files",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = files_get,
	 .query = list_query,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Files",
	 .summary = "List files, newest first"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/files/{file_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = file_get_one,
	 .response = &file_schema,
	 .errors = one_errors,
	 .tag = "Files",
	 .summary = "Show a file"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/files/{file_id}/download",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = download_get,
	 .with_head = true,
	 .produces = "application/octet-stream",
	 .errors = download_errors,
	 .tag = "Files",
	 .summary = "Download a file's content, whole or one range"},
	{.method = HTTP_DELETE,
	 .path = REST_PROJECT "/files/{file_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = file_delete_one,
	 .status = 204,
	 .errors = one_errors,
	 .tag = "Files",
	 .summary = "Delete a file and its content"},
};

REST_RESOURCE(file, routes);
