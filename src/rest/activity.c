/* What happens in the whole server at this moment, and stopping it. */
#include "rest/rest.h"

#include "base/clock.h"
#include "metrics/alerts.h"
#include "storage/activity.h"
#include "storage/lock.h"
#include "storage/op_live.h"

enum { LIST_MAX = 1000 };

static void time_if(struct json *j, const char *key, int64_t unix_us)
{
	if (unix_us)
		json_time(j, key, unix_us);
	else
		json_null(j, key);
}

static void operations_write(struct json *j, const struct storage *storage, struct arena *arena)
{
	struct op_live *list;
	size_t n;
	size_t total = op_live_list(storage, arena, LIST_MAX, &list, &n);
	json_uint(j, "operations_total", total);
	json_array(j, "operations");
	for (size_t i = 0; i < n; i++) {
		const struct op_live *o = &list[i];
		json_object(j, NULL);
		json_str(j, "id", o->id);
		json_str(j, "operation", o->operation);
		json_str(j, "door", o->door);
		json_str(j, "project_id", o->project_id);
		json_str(j, "branch_id", o->branch_id);
		json_str(j, "bucket", o->bucket);
		json_str(j, "table", o->table);
		json_str(j, "resource_id", o->resource_id);
		json_str(j, "request_id", o->request_id);
		json_str(j, "client_ip", o->client);
		json_str(j, "waiting_for", o->waiting_for);
		json_time(j, "started_at", o->started_us);
		json_double(j, "running_ms", (double)o->running_ns / (double)NS_PER_MS);
		json_bool(j, "can_cancel", o->can_cancel);
		json_object_end(j);
	}
	json_array_end(j);
}

static void sessions_write(struct json *j, struct storage *storage, struct arena *arena, const char *workspace)
{
	struct activity_row *rows;
	size_t n;
	activity_list(storage->activity, arena, workspace, &rows, &n);
	json_array(j, "sessions");
	for (size_t i = 0; i < n; i++) {
		const struct activity_row *s = &rows[i];
		json_object(j, NULL);
		json_str(j, "id", s->session_id);
		json_uint(j, "pid", s->pid);
		json_str(j, "project_id", s->project_id);
		json_str(j, "branch_id", s->branch_id);
		json_str(j, "workspace_id", s->workspace_id);
		json_str(j, "user", s->user);
		json_str(j, "client_ip", s->client_ip);
		json_str(j, "application_name", s->application_name);
		json_str(j, "state", s->state);
		json_str(j, "waiting_for", s->wait_event);
		json_str(j, "query", s->query);
		time_if(j, "connected_at", s->connected_us);
		time_if(j, "transaction_started_at", s->transaction_us);
		time_if(j, "query_started_at", s->query_us);
		time_if(j, "state_changed_at", s->state_us);
		json_uint(j, "queries", s->queries);
		json_uint(j, "rows", s->rows);
		json_object_end(j);
	}
	json_array_end(j);
}

static void locks_write(struct json *j, struct storage *storage, struct arena *arena)
{
	struct lock_row *rows;
	size_t n;
	locks_list(storage->locks, arena, LIST_MAX, &rows, &n);
	json_array(j, "locks");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "project_id", rows[i].project_id);
		json_str(j, "branch_id", rows[i].branch_id);
		json_str(j, "bucket", rows[i].bucket);
		json_str(j, "table", rows[i].table);
		json_double(j, "held_ms", (double)rows[i].held_ns / (double)NS_PER_MS);
		json_uint(j, "waiting", rows[i].waiting);
		json_object_end(j);
	}
	json_array_end(j);
}

static bool activity_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	struct json *j = http_json(res, 200);
	(void)err;
	json_object(j, NULL);
	operations_write(j, storage, req->arena);
	sessions_write(j, storage, req->arena, http_query(req, "workspace_id"));
	locks_write(j, storage, req->arena);
	json_uint(j, "waiting_writers", locks_waiting(storage->locks));
	json_object_end(j);
	return true;
}

static bool activity_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	const char *id = http_param(req, "activity_id");
	if (!activity_end(storage->activity, id, http_query_bool(req, "terminate")) &&
	    !op_live_cancel(storage, id, err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool alerts_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)err;
	alerts_expose(http_text(res, 200, "application/json"));
	return true;
}

static const struct field operation_fields[] = {
	{.name = "id", .type = FIELD_STRING, .help = "As in the history, later"},
	{.name = "operation", .type = FIELD_STRING},
	{.name = "door", .type = FIELD_STRING},
	{.name = "project_id", .type = FIELD_STRING, .nullable = true},
	{.name = "branch_id", .type = FIELD_STRING, .nullable = true},
	{.name = "bucket", .type = FIELD_STRING, .nullable = true},
	{.name = "table", .type = FIELD_STRING, .nullable = true},
	{.name = "resource_id", .type = FIELD_STRING, .nullable = true},
	{.name = "request_id", .type = FIELD_STRING, .nullable = true},
	{.name = "client_ip", .type = FIELD_STRING, .nullable = true},
	{.name = "waiting_for", .type = FIELD_STRING, .nullable = true, .help = "Empty while it works"},
	{.name = "started_at", .type = FIELD_STRING},
	{.name = "running_ms", .type = FIELD_NUMBER},
	{.name = "can_cancel", .type = FIELD_BOOL},
	{0}};
static const struct field session_fields[] = {
	{.name = "id", .type = FIELD_STRING},
	{.name = "pid", .type = FIELD_INT},
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "branch_id", .type = FIELD_STRING, .nullable = true},
	{.name = "workspace_id", .type = FIELD_STRING},
	{.name = "user", .type = FIELD_STRING},
	{.name = "client_ip", .type = FIELD_STRING, .nullable = true},
	{.name = "application_name", .type = FIELD_STRING, .nullable = true},
	{.name = "state", .type = FIELD_STRING},
	{.name = "waiting_for", .type = FIELD_STRING, .nullable = true},
	{.name = "query", .type = FIELD_STRING, .nullable = true, .help = "Running now, or the last one"},
	{.name = "connected_at", .type = FIELD_STRING, .nullable = true},
	{.name = "transaction_started_at", .type = FIELD_STRING, .nullable = true},
	{.name = "query_started_at", .type = FIELD_STRING, .nullable = true},
	{.name = "state_changed_at", .type = FIELD_STRING, .nullable = true},
	{.name = "queries", .type = FIELD_INT},
	{.name = "rows", .type = FIELD_INT},
	{0}};
static const struct field lock_fields[] = {
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "branch_id", .type = FIELD_STRING},
	{.name = "bucket", .type = FIELD_STRING, .help = "Or the workspace that a load writes to"},
	{.name = "table", .type = FIELD_STRING},
	{.name = "held_ms", .type = FIELD_NUMBER},
	{.name = "waiting", .type = FIELD_INT, .help = "Writers in line for it"},
	{0}};
static const struct schema operation_schema = {"RunningOperation", operation_fields, NULL};
static const struct schema session_schema = {"RunningSession", session_fields, NULL};
static const struct schema lock_schema = {"HeldLock", lock_fields, NULL};
static const struct field activity_fields[] = {
	{.name = "operations_total", .type = FIELD_INT, .help = "All that run; at most 1000 are listed"},
	{.name = "operations", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &operation_schema},
	{.name = "sessions", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &session_schema},
	{.name = "locks", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &lock_schema},
	{.name = "waiting_writers", .type = FIELD_INT},
	{0}};
static const struct schema activity_schema = {"Activity", activity_fields, NULL};

static const struct field list_query[] = {
	{.name = "workspace_id", .type = FIELD_STRING, .help = "Sessions of this workspace only"}, {0}};
static const struct field end_query[] = {{.name = "terminate",
					  .type = FIELD_BOOL,
					  .fallback = "false",
					  .help = "End the SQL session too, not only its statement"},
					 {0}};
static const enum err_code end_errors[] = {ERR_OPERATION_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_GET,
	 .path = "/internal/activity",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = activity_get,
	 .query = list_query,
	 .response = &activity_schema,
	 .tag = "Activity",
	 .summary = "What runs now, for whom, since when, waiting for what"},
	{.method = HTTP_DELETE,
	 .path = "/internal/activity/{activity_id}",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = activity_delete,
	 .query = end_query,
	 .status = 204,
	 .errors = end_errors,
	 .tag = "Activity",
	 .summary = "Cancel an operation or the statement of an SQL session"},
	{.method = HTTP_GET,
	 .path = "/internal/alerts",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = alerts_get,
	 .produces = "application/json",
	 .tag = "Activity",
	 .summary = "The built-in alerts: what fires, what is pending, and their values"},
};

REST_RESOURCE(activity, routes);
