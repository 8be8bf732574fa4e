#include "rest/rest.h"

#include "base/clock.h"
#include "base/scram_verifier.h"
#include "metrics/metrics.h"
#include "storage/pg_session.h"

#define PREFIX "/internal/pgwire"

static void session_write(struct json *j, const struct pg_session *s)
{
	json_object(j, NULL);
	json_str(j, "session_id", s->id);
	json_str(j, "workspace_id", s->workspace_id);
	json_str(j, "client_ip", s->client_ip);
	json_time(j, "connected_at", s->connected_at);
	json_time(j, "last_activity_at", s->last_activity_at);
	json_int(j, "query_count", s->query_count);
	json_str(j, "status", s->status);
	json_object_end(j);
}

/* ---- credentials ---- */

/* Without a user the work is the same, so that the time tells nothing. */
static bool password_fits(struct storage *storage, bool known, const struct workspace *row, const char *username,
			  const char *password)
{
	struct scram_verifier verifier;
	struct span secret = {(const char *)storage->server_key, sizeof(storage->server_key)};
	bool real = known && row->scram_verifier && scram_verifier_parse(span_of(row->scram_verifier), &verifier);
	if (!real)
		scram_verifier_mock(span_of(username), secret, &verifier);
	return scram_password_matches(&verifier, span_of(password)) && real;
}

static bool login(struct http_request *req, struct workspace *row, struct err *err)
{
	struct storage *storage = rest_storage(req);
	const char *username = body_str(req->body, "username");
	bool known = workspace_by_username(storage, req->arena, username, row);
	if (!password_fits(storage, known, row, username, body_str(req->body, "password")))
		return err_set(err, ERR_INVALID_CREDENTIALS, "Invalid credentials");
	return workspace_login_check(storage, row, err);
}

static const char *outcome_of(bool fine, const struct err *err)
{
	if (fine)
		return "success";
	if (err->code == ERR_INVALID_CREDENTIALS || err->code == ERR_WORKSPACE_NOT_ACTIVE)
		return "auth_failed";
	return err->code == ERR_WORKSPACE_EXPIRED	   ? "expired"
	       : err->code == ERR_CONNECTION_LIMIT_REACHED ? "limit_reached"
							   : "error";
}

static bool auth_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	const struct settings *s = storage->settings;
	struct workspace row;
	struct workspace_table *tables = NULL;
	size_t n = 0;
	int64_t start = clock_ns();
	bool fine = login(req, &row, err);
	metric_observe_since(metric_series(METRIC_PGWIRE_AUTH_DURATION_SECONDS, NULL), start);
	fine = fine && workspace_tables(storage, req->arena, row.project_id, row.branch_id, false, &tables, &n, err);
	metric_inc(metric_series(METRIC_PGWIRE_CONNECTIONS_TOTAL, outcome_of(fine, err), NULL));
	if (!fine)
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "workspace_id", row.id);
	json_str(j, "project_id", row.project_id);
	json_str(j, "branch_id", row.branch_id);
	json_str(j, "db_path", row.db_path);
	json_array(j, "tables");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "bucket", tables[i].bucket);
		json_str(j, "name", tables[i].name);
		json_str(j, "path", tables[i].path);
		json_int(j, "rows", tables[i].row.row_count);
		json_object_end(j);
	}
	json_array_end(j);
	json_str(j, "memory_limit",
		 s->pgwire_session_memory % (int64_t)GIB == 0
			 ? arena_printf(req->arena, "%lldGB", (long long)(s->pgwire_session_memory / (int64_t)GIB))
			 : arena_printf(req->arena, "%lldMB", (long long)(s->pgwire_session_memory / (int64_t)MIB)));
	json_int(j, "query_timeout_seconds", s->pgwire_query_timeout);
	json_object_end(j);
	return true;
}

/* ---- sessions ---- */

static bool session_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct pg_session session;
	const char *id = body_str(req->body, "session_id");
	const char *ip = body_str(req->body, "client_ip");
	if (!*id || strlen(id) > PG_SESSION_ID_BYTES_MAX)
		return http_fault(req, err, "session_id", "string_length", "String should have 1 to 128 bytes", NULL);
	if (ip && strlen(ip) > PG_SESSION_ID_BYTES_MAX)
		return http_fault(req, err, "client_ip", "string_too_long", "String should have at most 128 bytes",
				  NULL);
	if (!pg_session_register(rest_storage(req), &req->call, id, body_str(req->body, "workspace_id"), ip, &session,
				 err))
		return false;
	session_write(http_json(res, 201), &session);
	return true;
}

static bool sessions_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct pg_session *list;
	size_t n;
	(void)err;
	pg_session_list(rest_storage(req), req->arena, http_query(req, "workspace_id"), http_query(req, "status"),
			&list, &n);
	struct json *j = http_json(res, 200);
	json_array(j, NULL);
	for (size_t i = 0; i < n; i++)
		session_write(j, &list[i]);
	json_array_end(j);
	return true;
}

static bool session_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct pg_session session;
	if (!pg_session_get(rest_storage(req), req->arena, http_param(req, "session_id"), &session, err))
		return false;
	session_write(http_json(res, 200), &session);
	return true;
}

static bool activity_patch(struct http_request *req, struct http_response *res, struct err *err)
{
	struct pg_session session;
	bool counts = !req->body || body_bool(req->body, "increment_queries", true);
	if (!pg_session_activity(rest_storage(req), &req->call, http_param(req, "session_id"), counts, &session, err))
		return false;
	session_write(http_json(res, 200), &session);
	return true;
}

/* A session that ended cannot be active: it would count against the limits for good. */
static bool session_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	const char *reason = http_query(req, "reason");
	if (!*reason || strcmp(reason, "active") == 0 || strlen(reason) > PG_SESSION_ID_BYTES_MAX)
		return http_query_fault(req, err, "reason", "value_error",
					"Value should have 1 to 128 bytes, and not be \"active\"");
	if (!pg_session_end(rest_storage(req), &req->call, http_param(req, "session_id"), reason, err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool cleanup_post(struct http_request *req, struct http_response *res, struct err *err)
{
	size_t count;
	const char *given = http_query(req, "idle_timeout_seconds");
	int64_t idle =
		given ? http_query_int(req, "idle_timeout_seconds") : rest_storage(req)->settings->pgwire_idle_timeout;
	if (!pg_session_cleanup(rest_storage(req), idle, &count, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_uint(j, "cleaned_up", count);
	json_int(j, "idle_timeout_seconds", idle);
	json_object_end(j);
	return true;
}

/* ---- shapes ---- */

static const struct field auth_fields[] = {{.name = "username", .type = FIELD_STRING, .required = true},
					   {.name = "password", .type = FIELD_STRING, .required = true},
					   {.name = "client_ip", .type = FIELD_STRING, .nullable = true},
					   {0}};
static const struct schema auth_schema = {"PgAuth", auth_fields, NULL};
static const struct field table_fields[] = {{.name = "bucket", .type = FIELD_STRING},
					    {.name = "name", .type = FIELD_STRING},
					    {.name = "path", .type = FIELD_STRING},
					    {.name = "rows", .type = FIELD_INT},
					    {0}};
static const struct schema table_schema = {"PgTable", table_fields, NULL};
static const struct field info_fields[] = {
	{.name = "workspace_id", .type = FIELD_STRING},
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "branch_id", .type = FIELD_STRING, .nullable = true},
	{.name = "db_path", .type = FIELD_STRING},
	{.name = "tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &table_schema},
	{.name = "memory_limit", .type = FIELD_STRING},
	{.name = "query_timeout_seconds", .type = FIELD_INT},
	{0}};
static const struct schema info_schema = {"PgAuthInfo", info_fields, NULL};
static const struct field session_fields[] = {{.name = "session_id", .type = FIELD_STRING},
					      {.name = "workspace_id", .type = FIELD_STRING},
					      {.name = "client_ip", .type = FIELD_STRING, .nullable = true},
					      {.name = "connected_at", .type = FIELD_TIME},
					      {.name = "last_activity_at", .type = FIELD_TIME},
					      {.name = "query_count", .type = FIELD_INT},
					      {.name = "status", .type = FIELD_STRING},
					      {0}};
static const struct schema session_schema = {"PgSession", session_fields, NULL};
static const struct field new_fields[] = {{.name = "session_id", .type = FIELD_STRING, .required = true},
					  {.name = "workspace_id", .type = FIELD_STRING, .required = true},
					  {.name = "client_ip", .type = FIELD_STRING, .nullable = true},
					  {0}};
static const struct schema new_schema = {"PgSessionCreate", new_fields, NULL};
static const struct field activity_fields[] = {{.name = "increment_queries", .type = FIELD_BOOL, .fallback = "true"},
					       {0}};
static const struct schema activity_schema = {"PgSessionActivity", activity_fields, NULL};
static const struct field cleanup_fields[] = {
	{.name = "cleaned_up", .type = FIELD_INT}, {.name = "idle_timeout_seconds", .type = FIELD_INT}, {0}};
static const struct schema cleanup_schema = {"PgSessionCleanup", cleanup_fields, NULL};
static const struct field list_query[] = {{.name = "workspace_id", .type = FIELD_STRING},
					  {.name = "status", .type = FIELD_STRING, .help = "Exactly this one"},
					  {0}};
static const struct field delete_query[] = {
	{.name = "reason", .type = FIELD_STRING, .fallback = "\"disconnected\"", .help = "Becomes the status"}, {0}};
static const struct field cleanup_query[] = {{.name = "idle_timeout_seconds",
					      .type = FIELD_INT,
					      RANGE(0, INT32_MAX),
					      .help = "Default: PGWIRE_IDLE_TIMEOUT_SECONDS"},
					     {0}};

static const enum err_code auth_errors[] = {ERR_INVALID_CREDENTIALS, ERR_WORKSPACE_EXPIRED, ERR_WORKSPACE_NOT_ACTIVE,
					    ERR_CONNECTION_LIMIT_REACHED, ERR_NONE};
static const enum err_code new_errors[] = {ERR_WORKSPACE_NOT_FOUND, ERR_PG_SESSION_EXISTS, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PG_SESSION_NOT_FOUND, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = PREFIX "/auth",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_READ,
	 .body = HTTP_BODY_JSON,
	 .handler = auth_post,
	 .unkeyed = true,
	 .request = &auth_schema,
	 .response = &info_schema,
	 .errors = auth_errors,
	 .tag = "PostgreSQL gateways",
	 .summary = "Check a workspace login"},
	{.method = HTTP_POST,
	 .path = PREFIX "/sessions",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = session_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &session_schema,
	 .errors = new_errors,
	 .tag = "PostgreSQL gateways",
	 .summary = "Register an SQL session"},
	{.method = HTTP_GET,
	 .path = PREFIX "/sessions",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_READ,
	 .handler = sessions_get,
	 .query = list_query,
	 .tag = "PostgreSQL gateways",
	 .produces = "application/json",
	 .summary = "List SQL sessions, newest first"},
	{.method = HTTP_GET,
	 .path = PREFIX "/sessions/{session_id}",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_READ,
	 .handler = session_get_one,
	 .response = &session_schema,
	 .errors = one_errors,
	 .tag = "PostgreSQL gateways",
	 .summary = "Show an SQL session"},
	{.method = HTTP_PATCH,
	 .path = PREFIX "/sessions/{session_id}/activity",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON_OPTIONAL,
	 .handler = activity_patch,
	 .request = &activity_schema,
	 .response = &session_schema,
	 .errors = one_errors,
	 .tag = "PostgreSQL gateways",
	 .summary = "Note that an SQL session is in use"},
	{.method = HTTP_DELETE,
	 .path = PREFIX "/sessions/{session_id}",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_WRITE,
	 .handler = session_delete,
	 .query = delete_query,
	 .status = 204,
	 .errors = one_errors,
	 .tag = "PostgreSQL gateways",
	 .summary = "Note that an SQL session ended"},
	{.method = HTTP_POST,
	 .path = PREFIX "/sessions/cleanup",
	 .guard = GUARD_ADMIN,
	 .local_keyless = true,
	 .run = HTTP_WRITE,
	 .handler = cleanup_post,
	 .query = cleanup_query,
	 .response = &cleanup_schema,
	 .tag = "PostgreSQL gateways",
	 .summary = "End SQL sessions that have been idle"},
};

REST_RESOURCE(pgwire_internal, routes);
