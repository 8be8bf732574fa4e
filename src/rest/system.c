#include "rest/rest.h"

#include "base/fs.h"
#include "engine/instance.h"
#include "storage/project.h"

#include <unistd.h>

/* Below this no table can be changed in earnest. */
#define READY_FREE_BYTES ((int64_t)(16 * MIB))

static bool root_get(struct http_request *req, struct http_response *res, struct err *err)
{
	const struct settings *s = rest_storage(req)->settings;
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "service", s->api_title);
	json_str(j, "version", s->api_version);
	json_str(j, "health", "/health");
	json_str(j, "docs", s->debug ? "/docs" : NULL);
	json_object_end(j);
	return true;
}

static void paths_write(struct json *j, const struct backend_paths *paths)
{
	for (size_t i = 0; i < ARRAY_LEN(paths->names); i++)
		json_bool(j, paths->names[i], paths->present[i]);
}

static bool health_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	struct backend_paths paths;
	bool all = true;
	backend_look(storage, &paths);
	for (size_t i = 0; i < ARRAY_LEN(paths.names); i++)
		all = all && paths.present[i];
	if (!all) {
		(void)err_set(err, ERR_STORAGE_UNAVAILABLE,
			      "Storage folders are missing; create them with POST /backend/init");
		for (size_t i = 0; i < ARRAY_LEN(paths.names); i++)
			err_detail_json(err, paths.names[i], paths.present[i] ? "true" : "false");
		return false;
	}
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "status", "healthy");
	json_str(j, "version", storage->settings->api_version);
	json_bool(j, "storage_available", true);
	json_object(j, "details");
	paths_write(j, &paths);
	json_object_end(j);
	if (storage->settings->reference_compat)
		json_bool(j, "reference_compat", true);
	json_object_end(j);
	return true;
}

static bool live_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "status", "live");
	json_object_end(j);
	return true;
}

/* One thing that must hold before traffic should come here. */
static void ready_check(struct json *j, bool *all, const char *name, bool ok, const char *reason)
{
	json_object(j, NULL);
	json_str(j, "name", name);
	json_bool(j, "ok", ok);
	json_str(j, "reason", ok ? NULL : reason);
	json_object_end(j);
	*all = *all && ok;
}

static bool ready_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	const struct settings *s = storage->settings;
	struct buf checks = BUF(4096);
	struct json list = JSON(&checks);
	int64_t free_bytes;
	int64_t size;
	bool all = true;
	const char *const folders[][2] = {
		{"tables", s->duckdb_dir}, {"files", s->files_dir}, {"snapshots", s->snapshots_dir}};
	json_array(&list, NULL);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		const char *dir = folders[i][1];
		ready_check(&list, &all, folders[i][0], access(dir, W_OK | X_OK) == 0,
			    "the folder is missing or not writable; see POST /backend/init and duckdb-api check");
	}
	bool room = fs_space(s->data_dir, &free_bytes, &size, err) && free_bytes > READY_FREE_BYTES;
	ready_check(&list, &all, "disk", room, "the disk is full");
	ready_check(&list, &all, "engine", !instance_is_dead(storage->data), "the engine is being rebuilt");
	json_array_end(&list);
	struct json *j = http_json(res, all ? 200 : 503);
	json_object(j, NULL);
	json_str(j, "status", all ? "ready" : "not ready");
	json_raw(j, "checks", checks.ptr);
	json_object_end(j);
	buf_done(&checks);
	return true;
}

static void init_message(const struct backend_paths *paths, struct buf *out)
{
	size_t n = 0;
	buf_str(out, "Backend initialized successfully");
	for (size_t i = 0; i < ARRAY_LEN(paths->names); i++) {
		if (paths->created[i])
			buf_printf(out, "%s%s", n++ ? ", " : " (created: ", paths->paths[i]);
	}
	if (n)
		buf_byte(out, ')');
}

static bool backend_init_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct backend_paths paths;
	struct buf message = BUF(4 * LIMIT_PATH_BYTES + 128);
	if (!backend_init(rest_storage(req), &paths, err))
		return false;
	init_message(&paths, &message);
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_bool(j, "success", true);
	json_span(j, "message", buf_view(&message));
	json_object(j, "storage_paths");
	for (size_t i = 0; i < ARRAY_LEN(paths.names); i++)
		json_str(j, paths.names[i], paths.paths[i]);
	json_object_end(j);
	json_object_end(j);
	buf_done(&message);
	return true;
}

static bool backend_remove_post(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_bool(j, "success", true);
	json_str(j, "message", "Backend removal is a no-op: no data is deleted");
	json_null(j, "storage_paths");
	json_object_end(j);
	return true;
}

static const struct field root_fields[] = {{.name = "service", .type = FIELD_STRING},
					   {.name = "version", .type = FIELD_STRING},
					   {.name = "health", .type = FIELD_STRING},
					   {.name = "docs", .type = FIELD_STRING, .nullable = true},
					   {0}};
static const struct schema root_schema = {"ServiceInfo", root_fields, NULL};

static const struct field health_detail_fields[] = {{.name = "data_dir", .type = FIELD_BOOL},
						    {.name = "duckdb_dir", .type = FIELD_BOOL},
						    {.name = "files_dir", .type = FIELD_BOOL},
						    {.name = "snapshots_dir", .type = FIELD_BOOL},
						    {0}};
static const struct schema health_detail_schema = {"HealthDetails", health_detail_fields, NULL};
static const struct field health_fields[] = {{.name = "status", .type = FIELD_STRING},
					     {.name = "version", .type = FIELD_STRING},
					     {.name = "storage_available", .type = FIELD_BOOL},
					     {.name = "details", .type = FIELD_OBJECT, .object = &health_detail_schema},
					     {0}};
static const struct schema health_schema = {"Health", health_fields, NULL};

static const struct field live_fields[] = {{.name = "status", .type = FIELD_STRING}, {0}};
static const struct schema live_schema = {"Liveness", live_fields, NULL};

static const struct field check_fields[] = {{.name = "name", .type = FIELD_STRING},
					    {.name = "ok", .type = FIELD_BOOL},
					    {.name = "reason", .type = FIELD_STRING, .nullable = true},
					    {0}};
static const struct schema check_schema = {"ReadinessCheck", check_fields, NULL};
static const struct field ready_fields[] = {
	{.name = "status", .type = FIELD_STRING},
	{.name = "checks", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &check_schema},
	{0}};
static const struct schema ready_schema = {"Readiness", ready_fields, NULL};

static const struct field path_fields[] = {{.name = "data_dir", .type = FIELD_STRING},
					   {.name = "duckdb_dir", .type = FIELD_STRING},
					   {.name = "files_dir", .type = FIELD_STRING},
					   {.name = "snapshots_dir", .type = FIELD_STRING},
					   {0}};
static const struct schema path_schema = {"StoragePaths", path_fields, NULL};
static const struct field backend_fields[] = {
	{.name = "success", .type = FIELD_BOOL},
	{.name = "message", .type = FIELD_STRING},
	{.name = "storage_paths", .type = FIELD_OBJECT, .object = &path_schema, .nullable = true},
	{0}};
static const struct schema backend_schema = {"BackendResult", backend_fields, NULL};

static const enum err_code health_errors[] = {ERR_STORAGE_UNAVAILABLE, ERR_NONE};
static const enum err_code init_errors[] = {ERR_INIT_FAILED, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_GET,
	 .path = "/",
	 .run = HTTP_INLINE,
	 .handler = root_get,
	 .response = &root_schema,
	 .tag = "Service",
	 .summary = "Name and version of the service"},
	{.method = HTTP_GET,
	 .path = "/health",
	 .run = HTTP_INLINE,
	 .handler = health_get,
	 .response = &health_schema,
	 .errors = health_errors,
	 .tag = "Service",
	 .summary = "Whether the storage folders exist"},
	{.method = HTTP_GET,
	 .path = "/health/live",
	 .run = HTTP_INLINE,
	 .handler = live_get,
	 .response = &live_schema,
	 .tag = "Service",
	 .summary = "Whether the process answers"},
	{.method = HTTP_GET,
	 .path = "/health/ready",
	 .run = HTTP_READ,
	 .handler = ready_get,
	 .response = &ready_schema,
	 .tag = "Service",
	 .summary = "Whether traffic should be sent here"},
	{.method = HTTP_POST,
	 .path = "/backend/init",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_WRITE,
	 .handler = backend_init_post,
	 .response = &backend_schema,
	 .errors = init_errors,
	 .tag = "Service",
	 .summary = "Create the storage folders"},
	{.method = HTTP_POST,
	 .path = "/backend/remove",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_INLINE,
	 .handler = backend_remove_post,
	 .response = &backend_schema,
	 .tag = "Service",
	 .summary = "Does nothing; data is never removed"},
};

REST_RESOURCE(system, routes);
