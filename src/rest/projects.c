#include "rest/rest.h"

#include "storage/project.h"

static void project_write(struct http_request *req, struct json *j, const struct project *p, const char *api_key)
{
	json_object(j, NULL);
	json_str(j, "id", p->id);
	json_str(j, "name", p->name);
	json_str(j, "db_path", arena_printf(req->arena, "project_%s", p->id));
	json_time(j, "created_at", p->created_at);
	json_time(j, "updated_at", p->updated_at);
	json_int(j, "size_bytes", p->size_bytes);
	json_int(j, "table_count", p->table_count);
	json_int(j, "bucket_count", p->bucket_count);
	json_str(j, "status", p->status);
	json_raw(j, "settings", p->settings_json);
	if (api_key)
		json_str(j, "api_key", api_key);
	json_object_end(j);
}

static const char *settings_of(struct http_request *req)
{
	const json_t *settings = body_get(req->body, "settings");
	return settings ? json_value_text(req->arena, settings) : NULL;
}

static bool project_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct project project;
	const char *key;
	struct project_create request = {
		.id = body_str(req->body, "id"),
		.name = body_str(req->body, "name"),
		.settings_json = settings_of(req),
	};
	if (!project_create(rest_storage(req), &req->call, &request, &project, &key, err))
		return false;
	http_secret(res);
	project_write(req, http_json(res, 201), &project, key);
	return true;
}

static bool projects_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct project_list list;
	if (!project_list(rest_storage(req), &req->call, http_query(req, "status"), http_query_int(req, "limit"),
			  http_query_int(req, "offset"), &list, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "projects");
	for (size_t i = 0; i < list.count; i++)
		project_write(req, j, &list.projects[i], NULL);
	json_array_end(j);
	json_uint(j, "total", list.total);
	json_object_end(j);
	return true;
}

static bool project_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct project project;
	if (!project_get(rest_storage(req), &req->call, http_param(req, "project_id"), &project, err))
		return false;
	project_write(req, http_json(res, 200), &project, NULL);
	return true;
}

static bool project_stats_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct project_stats stats;
	const char *id = http_param(req, "project_id");
	if (!project_stats(rest_storage(req), &req->call, id, &stats, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "id", id);
	json_int(j, "size_bytes", stats.size_bytes);
	json_int(j, "table_count", stats.table_count);
	json_int(j, "bucket_count", stats.bucket_count);
	json_object_end(j);
	return true;
}

static bool project_put(struct http_request *req, struct http_response *res, struct err *err)
{
	struct project project;
	if (!project_update(rest_storage(req), &req->call, http_param(req, "project_id"), body_str(req->body, "name"),
			    settings_of(req), &project, err))
		return false;
	project_write(req, http_json(res, 200), &project, NULL);
	return true;
}

static bool project_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!project_delete(rest_storage(req), &req->call, http_param(req, "project_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

#define PROJECT_FIELDS                                                                                  \
	{.name = "id", .type = FIELD_STRING}, {.name = "name", .type = FIELD_STRING, .nullable = true}, \
		{.name = "db_path", .type = FIELD_STRING, .help = "Folder below the table root"},       \
		{.name = "created_at", .type = FIELD_TIME}, {.name = "updated_at", .type = FIELD_TIME}, \
		{.name = "size_bytes", .type = FIELD_INT}, {.name = "table_count", .type = FIELD_INT},  \
		{.name = "bucket_count", .type = FIELD_INT},                                            \
		{.name = "status", .type = FIELD_STRING, .help = "active or deleted"},                  \
	{                                                                                               \
		.name = "settings", .type = FIELD_OBJECT, .nullable = true                              \
	}

static const struct field project_fields[] = {PROJECT_FIELDS, {0}};
static const struct schema project_schema = {"Project", project_fields, NULL};
static const struct field created_fields[] = {
	PROJECT_FIELDS,
	{.name = "api_key", .type = FIELD_STRING, .help = "The first project_admin key, shown only here"},
	{0}};
static const struct schema created_schema = {"ProjectCreated", created_fields, NULL};
static const struct field list_fields[] = {
	{.name = "projects", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &project_schema},
	{.name = "total", .type = FIELD_INT, .help = "All matches, not only this page"},
	{0}};
static const struct schema list_schema = {"ProjectList", list_fields, NULL};
static const struct field stats_fields[] = {{.name = "id", .type = FIELD_STRING},
					    {.name = "size_bytes", .type = FIELD_INT},
					    {.name = "table_count", .type = FIELD_INT},
					    {.name = "bucket_count", .type = FIELD_INT},
					    {0}};
static const struct schema stats_schema = {"ProjectStats", stats_fields, NULL};
static const struct field new_fields[] = {
	{.name = "id", .type = FIELD_STRING, .required = true, .help = "Letters, digits, '_', '.', '-'"},
	{.name = "name", .type = FIELD_STRING, .nullable = true},
	{.name = "settings", .type = FIELD_OBJECT, .nullable = true, .help = "Any JSON object, kept as it is"},
	{0}};
static const struct schema new_schema = {"ProjectCreate", new_fields, NULL};
static const struct field change_fields[] = {
	{.name = "name", .type = FIELD_STRING, .nullable = true},
	{.name = "settings", .type = FIELD_OBJECT, .nullable = true, .help = "Replaces the whole object"},
	{0}};
static const struct schema change_schema = {"ProjectUpdate", change_fields, NULL};
static const struct field list_query[] = {
	{.name = "status", .type = FIELD_STRING, .help = "active or deleted"}, REST_PAGING, {0}};

static const enum err_code create_errors[] = {ERR_INVALID_NAME, ERR_PROJECT_EXISTS, ERR_CREATE_FAILED_SERVER, ERR_NONE};
static const enum err_code one_errors[] = {ERR_NOT_FOUND, ERR_NONE};
static const enum err_code delete_errors[] = {ERR_NOT_FOUND, ERR_DELETE_FAILED, ERR_NONE};
static const enum err_code stats_errors[] = {ERR_NOT_FOUND, ERR_DB_NOT_FOUND, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = "/projects",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = project_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &created_schema,
	 .errors = create_errors,
	 .tag = "Projects",
	 .summary = "Create a project with its first key"},
	{.method = HTTP_GET,
	 .path = "/projects",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = projects_get,
	 .query = list_query,
	 .response = &list_schema,
	 .tag = "Projects",
	 .summary = "List projects, newest first"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT,
	 .guard = GUARD_PROJECT,
	 .run = HTTP_INLINE,
	 .handler = project_get_one,
	 .response = &project_schema,
	 .errors = one_errors,
	 .tag = "Projects",
	 .summary = "Show a project"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/stats",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = project_stats_get,
	 .response = &stats_schema,
	 .errors = stats_errors,
	 .tag = "Projects",
	 .summary = "Sizes and counts"},
	{.method = HTTP_PUT,
	 .path = REST_PROJECT,
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = project_put,
	 .request = &change_schema,
	 .response = &project_schema,
	 .errors = one_errors,
	 .tag = "Projects",
	 .summary = "Rename a project or replace its settings"},
	{.method = HTTP_DELETE,
	 .path = REST_PROJECT,
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = project_delete_one,
	 .status = 204,
	 .errors = delete_errors,
	 .tag = "Projects",
	 .summary = "Delete a project with everything in it"},
};

REST_RESOURCE(project, routes);
