#include "rest/rest.h"

#include "storage/pg_session.h"

#define WORKSPACE REST_PROJECT "/workspaces/{workspace_id}"

/* ---- answers ---- */

static void connection_members(struct http_request *req, struct json *j, const struct workspace_view *w)
{
	const struct settings *s = rest_storage(req)->settings;
	const char *user = w->row.username ? w->row.username : "";
	json_str(j, "host", s->workspace_host);
	json_int(j, "port", s->workspace_port);
	json_str(j, "database", w->database);
	json_str(j, "username", w->row.username);
	json_str(j, "password", w->password);
	json_str(j, "ssl_mode", s->pgwire_ssl_mode);
	json_str(j, "connection_string",
		 arena_printf(req->arena, "postgresql://%s%s%s@%s:%lld/%s?sslmode=%s", user, w->password ? ":" : "",
			      w->password ? w->password : "", s->workspace_host, (long long)s->workspace_port,
			      w->database, s->pgwire_ssl_mode));
}

static void members_write(struct http_request *req, struct json *j, const struct workspace_view *w)
{
	json_str(j, "id", w->row.id);
	json_str(j, "name", w->row.name);
	json_str(j, "project_id", w->row.project_id);
	json_str(j, "branch_id", w->row.branch_id);
	json_time(j, "created_at", w->row.created_at);
	json_time(j, "expires_at", w->row.expires_at);
	json_int(j, "size_bytes", w->size_bytes);
	json_int(j, "size_limit_gb", w->row.size_limit_gb);
	json_str(j, "status", w->status);
	json_int(j, "active_sessions", w->active_sessions);
	json_object(j, "connection");
	connection_members(req, j, w);
	json_object_end(j);
}

/* ---- handlers ---- */

static bool workspace_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct workspace_view view;
	struct workspace_create request = {
		.name = body_str(req->body, "name"),
		.ttl_hours = body_int(req->body, "ttl_hours", 0),
		.size_limit_gb = body_int(req->body, "size_limit_gb", WORKSPACE_SIZE_GB),
	};
	request.preload = body_strings(req->arena, req->body, "preload_tables", &request.preload_count);
	if (!request.preload)
		request.preload_count = 0;
	if (strlen(request.name) > WORKSPACE_NAME_BYTES_MAX)
		return http_fault(req, err, "name", "string_too_long", "String should have at most 1024 bytes", NULL);
	if (!workspace_create(rest_storage(req), &req->call, http_param(req, "project_id"),
			      http_param(req, "branch_id"), &request, &view, err))
		return false;
	http_secret(res);
	struct json *j = http_json(res, 201);
	json_object(j, NULL);
	members_write(req, j, &view);
	json_object_end(j);
	return true;
}

static bool workspaces_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct workspace_view *list;
	size_t n;
	if (!workspace_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			    http_query_int(req, "limit"), http_query_int(req, "offset"), &list, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "workspaces");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		members_write(req, j, &list[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "count", n);
	json_object_end(j);
	return true;
}

static bool workspace_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct workspace_detail d;
	if (!workspace_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   http_param(req, "workspace_id"), &d, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	members_write(req, j, &d.view);
	json_array(j, "attached_tables");
	for (size_t i = 0; i < d.table_count; i++) {
		json_object(j, NULL);
		json_str(j, "schema", d.tables[i].bucket);
		json_str(j, "table", d.tables[i].name);
		json_int(j, "rows", d.tables[i].row.row_count);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "workspace_objects");
	for (size_t i = 0; i < d.object_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", d.objects[i].name);
		json_str(j, "type", d.objects[i].type);
		json_int(j, "rows", d.objects[i].rows);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

static bool workspace_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!workspace_delete(rest_storage(req), &req->call, http_param(req, "project_id"),
			      http_param(req, "branch_id"), http_param(req, "workspace_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool clear_post(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!workspace_clear(rest_storage(req), &req->call, http_param(req, "project_id"),
			     http_param(req, "workspace_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool object_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!workspace_drop_object(rest_storage(req), &req->call, http_param(req, "project_id"),
				   http_param(req, "workspace_id"), http_param(req, "object_name"), err))
		return false;
	http_empty(res, 204);
	return true;
}

/* {"source": "b.t"} or, as some clients write it, {"bucket": "b", "table": "t"}. */
static bool entry_read(struct http_request *req, const json_t *item, struct workspace_load *ret, struct err *err)
{
	const char *bucket = body_str(item, "bucket");
	const char *table = body_str(item, "table");
	*ret = (struct workspace_load){.source = body_str(item, "source"),
				       .destination = body_str(item, "destination"),
				       .where = body_str(item, "where")};
	ret->columns = body_strings(req->arena, item, "columns", &ret->column_count);
	if (!ret->columns)
		ret->column_count = 0;
	if (!ret->source && bucket && table)
		ret->source = arena_printf(req->arena, "%s.%s", bucket, table);
	return ret->source || http_fault(req, err, "tables", "missing", "Each entry needs \"source\"", item);
}

static bool load_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct workspace_loaded *loaded;
	int64_t bytes;
	const json_t *list = body_get(req->body, "tables");
	size_t n = json_array_size(list);
	struct workspace_load *entries = arena_array(req->arena, struct workspace_load, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!entry_read(req, json_array_get(list, i), &entries[i], err))
			return false;
	if (!workspace_load_tables(rest_storage(req), &req->call, http_param(req, "project_id"),
				   http_param(req, "workspace_id"), entries, n, &loaded, &bytes, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "loaded");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "source", loaded[i].source);
		json_str(j, "destination", loaded[i].destination);
		json_int(j, "rows", loaded[i].rows);
		json_int(j, "size_bytes", loaded[i].error ? 0 : bytes);
		json_str(j, "error", loaded[i].error);
		json_object_end(j);
	}
	json_array_end(j);
	json_int(j, "workspace_size_bytes", bytes);
	json_object_end(j);
	return true;
}

static bool reset_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct workspace_view view;
	if (!workspace_reset_credentials(rest_storage(req), &req->call, http_param(req, "project_id"),
					 http_param(req, "workspace_id"), &view, err))
		return false;
	http_secret(res);
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	connection_members(req, j, &view);
	json_object_end(j);
	return true;
}

static bool session_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	size_t count;
	const char *id = http_param(req, "session_id");
	if (!pg_session_end_of_workspace(rest_storage(req), &req->call, http_param(req, "project_id"),
					 http_param(req, "workspace_id"), id, &count, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "message", count ? "Session terminated" : "Session had ended already");
	json_str(j, "session_id", id);
	json_object_end(j);
	return true;
}

static bool disconnect_post(struct http_request *req, struct http_response *res, struct err *err)
{
	size_t count;
	if (!pg_session_end_of_workspace(rest_storage(req), &req->call, http_param(req, "project_id"),
					 http_param(req, "workspace_id"), NULL, &count, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "message", "Sessions terminated");
	json_uint(j, "count", count);
	json_object_end(j);
	return true;
}

/* ---- shapes ---- */

static const struct field connection_fields[] = {
	{.name = "host", .type = FIELD_STRING},
	{.name = "port", .type = FIELD_INT},
	{.name = "database", .type = FIELD_STRING},
	{.name = "username", .type = FIELD_STRING, .nullable = true},
	{.name = "password", .type = FIELD_STRING, .nullable = true, .help = "Told once: on creation and reset"},
	{.name = "ssl_mode", .type = FIELD_STRING},
	{.name = "connection_string", .type = FIELD_STRING},
	{0}};
static const struct schema connection_schema = {"WorkspaceConnection", connection_fields, NULL};
static const char *const statuses[] = {"active", "expired", "error", NULL};

#define WORKSPACE_FIELDS                                                                                 \
	{.name = "id", .type = FIELD_STRING}, {.name = "name", .type = FIELD_STRING},                    \
		{.name = "project_id", .type = FIELD_STRING},                                            \
		{.name = "branch_id", .type = FIELD_STRING, .nullable = true},                           \
		{.name = "created_at", .type = FIELD_TIME},                                              \
		{.name = "expires_at", .type = FIELD_TIME, .nullable = true},                            \
		{.name = "size_bytes", .type = FIELD_INT}, {.name = "size_limit_gb", .type = FIELD_INT}, \
		{.name = "status", .type = FIELD_STRING, .values = statuses},                            \
		{.name = "active_sessions", .type = FIELD_INT},                                          \
	{                                                                                                \
		.name = "connection", .type = FIELD_OBJECT, .object = &connection_schema                 \
	}

static const struct field workspace_fields[] = {WORKSPACE_FIELDS, {0}};
static const struct schema workspace_schema = {"Workspace", workspace_fields, NULL};
static const struct field attached_fields[] = {{.name = "schema", .type = FIELD_STRING},
					       {.name = "table", .type = FIELD_STRING},
					       {.name = "rows", .type = FIELD_INT},
					       {0}};
static const struct schema attached_schema = {"WorkspaceAttachedTable", attached_fields, NULL};
static const struct field object_fields[] = {{.name = "name", .type = FIELD_STRING},
					     {.name = "type", .type = FIELD_STRING},
					     {.name = "rows", .type = FIELD_INT},
					     {0}};
static const struct schema object_schema = {"WorkspaceObject", object_fields, NULL};
static const struct field detail_fields[] = {
	WORKSPACE_FIELDS,
	{.name = "attached_tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &attached_schema},
	{.name = "workspace_objects", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &object_schema},
	{0}};
static const struct schema detail_schema = {"WorkspaceDetail", detail_fields, NULL};
static const struct field list_fields[] = {
	{.name = "workspaces", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &workspace_schema},
	{.name = "count", .type = FIELD_INT, .help = "Workspaces on this page"},
	{0}};
static const struct schema list_schema = {"WorkspaceList", list_fields, NULL};
static const struct field new_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true},
	{.name = "ttl_hours", .type = FIELD_INT, .nullable = true, RANGE(1, WORKSPACE_TTL_HOURS_MAX)},
	{.name = "size_limit_gb", .type = FIELD_INT, .fallback = "10", RANGE(1, WORKSPACE_SIZE_GB_MAX)},
	{.name = "preload_tables",
	 .type = FIELD_LIST,
	 .items = FIELD_STRING,
	 .fallback = "[]",
	 .help = "bucket.table, copied as by load"},
	{0}};
static const struct schema new_schema = {"WorkspaceCreate", new_fields, NULL};
static const struct field entry_fields[] = {
	{.name = "source", .type = FIELD_STRING, .nullable = true, .help = "bucket.table"},
	{.name = "bucket", .type = FIELD_STRING, .nullable = true, .help = "With table, instead of source"},
	{.name = "table", .type = FIELD_STRING, .nullable = true},
	{.name = "destination", .type = FIELD_STRING, .nullable = true, .help = "Default: the table's name"},
	{.name = "columns", .type = FIELD_LIST, .items = FIELD_STRING, .nullable = true},
	{.name = "where", .type = FIELD_STRING, .nullable = true, .help = "One expression over the table's columns"},
	{0}};
static const struct schema entry_schema = {"WorkspaceLoadTable", entry_fields, NULL};
static const struct field load_fields[] = {
	{.name = "tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &entry_schema, .required = true}, {0}};
static const struct schema load_schema = {"WorkspaceLoad", load_fields, NULL};
static const struct field result_fields[] = {{.name = "source", .type = FIELD_STRING},
					     {.name = "destination", .type = FIELD_STRING},
					     {.name = "rows", .type = FIELD_INT},
					     {.name = "size_bytes", .type = FIELD_INT},
					     {.name = "error", .type = FIELD_STRING, .nullable = true},
					     {0}};
static const struct schema result_schema = {"WorkspaceLoadedTable", result_fields, NULL};
static const struct field loaded_fields[] = {
	{.name = "loaded", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &result_schema},
	{.name = "workspace_size_bytes", .type = FIELD_INT},
	{0}};
static const struct schema loaded_schema = {"WorkspaceLoaded", loaded_fields, NULL};
static const struct field ended_fields[] = {
	{.name = "message", .type = FIELD_STRING}, {.name = "session_id", .type = FIELD_STRING}, {0}};
static const struct schema ended_schema = {"WorkspaceSessionEnded", ended_fields, NULL};
static const struct field all_ended_fields[] = {
	{.name = "message", .type = FIELD_STRING}, {.name = "count", .type = FIELD_INT}, {0}};
static const struct schema all_ended_schema = {"WorkspaceSessionsEnded", all_ended_fields, NULL};

static const enum err_code create_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_TABLE_NOT_FOUND,
					      ERR_NONE};
static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND,
					   ERR_WORKSPACE_EXPIRED, ERR_NONE};
static const enum err_code object_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND,
					      ERR_WORKSPACE_OBJECT_NOT_FOUND, ERR_WORKSPACE_EXPIRED, ERR_NONE};
static const enum err_code reset_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND,
					     ERR_WORKSPACE_CREDENTIALS_NOT_FOUND, ERR_WORKSPACE_EXPIRED, ERR_NONE};
static const enum err_code session_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND, ERR_PG_SESSION_NOT_FOUND,
					       ERR_NONE};

/* The same four at the project and at a branch. */
#define COLLECTION(base, level, of)                                                                                  \
	{.method = HTTP_POST,                                                                                        \
	 .path = base "/workspaces",                                                                                 \
	 .guard = level,                                                                                             \
	 .run = HTTP_WRITE,                                                                                          \
	 .body = HTTP_BODY_JSON,                                                                                     \
	 .handler = workspace_post,                                                                                  \
	 .status = 201,                                                                                              \
	 .request = &new_schema,                                                                                     \
	 .response = &workspace_schema,                                                                              \
	 .errors = create_errors,                                                                                    \
	 .tag = "Workspaces",                                                                                        \
	 .summary = "Create a workspace" of},                                                                        \
		{.method = HTTP_GET,                                                                                 \
		 .path = base "/workspaces",                                                                         \
		 .guard = level,                                                                                     \
		 .run = HTTP_READ,                                                                                   \
		 .handler = workspaces_get,                                                                          \
		 .query = (const struct field[]){REST_PAGING, {0}},                                                  \
		 .response = &list_schema,                                                                           \
		 .errors = list_errors,                                                                              \
		 .tag = "Workspaces",                                                                                \
		 .summary = "List workspaces" of ", newest first"},                                                  \
		{.method = HTTP_GET,                                                                                 \
		 .path = base "/workspaces/{workspace_id}",                                                          \
		 .guard = level,                                                                                     \
		 .run = HTTP_READ,                                                                                   \
		 .handler = workspace_get_one,                                                                       \
		 .response = &detail_schema,                                                                         \
		 .errors = one_errors,                                                                               \
		 .tag = "Workspaces",                                                                                \
		 .summary = "Show a workspace" of " with what it sees and holds"},                                   \
	{                                                                                                            \
		.method = HTTP_DELETE, .path = base "/workspaces/{workspace_id}", .guard = level, .run = HTTP_WRITE, \
		.handler = workspace_delete_one, .status = 204, .errors = one_errors, .tag = "Workspaces",           \
		.summary = "Delete a workspace" of " with its file, login and sessions"                              \
	}

static const struct http_route routes[] = {
	COLLECTION(REST_PROJECT, GUARD_PROJECT, ""),
	COLLECTION(REST_BRANCH, GUARD_BRANCH, " of a branch"),
	{.method = HTTP_POST,
	 .path = WORKSPACE "/clear",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = clear_post,
	 .status = 204,
	 .errors = one_errors,
	 .tag = "Workspaces",
	 .summary = "Drop all tables and views of a workspace"},
	{.method = HTTP_DELETE,
	 .path = WORKSPACE "/objects/{object_name}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = object_delete,
	 .status = 204,
	 .errors = object_errors,
	 .tag = "Workspaces",
	 .summary = "Drop a table or view of a workspace"},
	{.method = HTTP_POST,
	 .path = WORKSPACE "/load",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = load_post,
	 .request = &load_schema,
	 .response = &loaded_schema,
	 .errors = one_errors,
	 .tag = "Workspaces",
	 .summary = "Copy tables of the project into a workspace"},
	{.method = HTTP_POST,
	 .path = WORKSPACE "/credentials/reset",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = reset_post,
	 .response = &connection_schema,
	 .errors = reset_errors,
	 .tag = "Workspaces",
	 .summary = "Give a workspace's login a new password"},
	{.method = HTTP_DELETE,
	 .path = WORKSPACE "/sessions/{session_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = session_delete,
	 .response = &ended_schema,
	 .errors = session_errors,
	 .tag = "Workspaces",
	 .summary = "End an SQL session of a workspace"},
	{.method = HTTP_POST,
	 .path = WORKSPACE "/disconnect-all",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = disconnect_post,
	 .response = &all_ended_schema,
	 .errors = session_errors,
	 .tag = "Workspaces",
	 .summary = "End all SQL sessions of a workspace"},
};

REST_RESOURCE(workspace, routes);
