#include "rest/rest.h"

#include "base/clock.h"
#include "catalog/history.h"
#include "storage/filter.h"
#include "storage/place.h"

/* ---- points in time ---- */

/* As filter_time; a '+' of the offset that the query's decoding made a space is fine too. */
static bool time_read(const char *text, int64_t *ret)
{
	char plus[64];
	if (filter_time(span_of(text), ret))
		return true;
	size_t len = strlen(text);
	char *space;
	if (len >= sizeof(plus))
		return false;
	memcpy(plus, text, len + 1);
	space = strrchr(plus, ' ');
	if (!space)
		return false;
	*space = '+';
	return filter_time((struct span){plus, len}, ret);
}

static bool query_time(struct http_request *req, const char *name, int64_t *ret, struct err *err)
{
	const char *text = http_query(req, name);
	struct fault_loc query = {.name = "query"};
	struct fault_loc loc = {.parent = &query, .name = name};
	*ret = 0;
	if (!text || !*text || time_read(text, ret))
		return true;
	json_t *input = json_string(text);
	faults_add(&req->faults, "datetime_parsing", &loc,
		   "Input should be a valid datetime, e.g. 2025-03-04T05:06:07Z", input, NULL);
	json_decref(input);
	return err_set(err, ERR_VALIDATION, "%s is no point in time", name);
}

/* ---- answers ---- */

static const char *filled(const char *text)
{
	return text && *text ? text : NULL;
}

static void operation_write(struct json *j, const struct operation *o)
{
	json_object(j, NULL);
	json_str(j, "id", o->id);
	json_time(j, "timestamp", o->started_at);
	json_str(j, "project_id", o->project_id);
	json_str(j, "branch_id", o->branch_id);
	json_str(j, "bucket", o->bucket);
	json_str(j, "table", o->table_name);
	json_str(j, "command", o->command);
	json_str(j, "door", o->door);
	json_str(j, "status", o->status);
	json_double(j, "duration_ms", (double)o->duration_us / 1e3);
	json_double(j, "queue_wait_ms", (double)o->queue_wait_us / 1e3);
	json_int(j, "rows", o->rows);
	json_int(j, "bytes_in", o->bytes_in);
	json_int(j, "bytes_out", o->bytes_out);
	json_str(j, "error_code", filled(o->error_code));
	json_str(j, "error_message", filled(o->error_message));
	json_str(j, "resource_type", o->resource_type);
	json_str(j, "resource_id", o->resource_id);
	json_str(j, "request_id", o->request_id);
	json_str(j, "connection_job_id", o->connection_job_id);
	json_str(j, "connection_run_id", o->connection_run_id);
	json_raw(j, "metadata", filled(o->details_json));
	json_object_end(j);
}

/* bucket/table, or a bucket alone. */
static void filter_table(struct http_request *req, struct history_filter *filter)
{
	struct span rest = span_of(filled(http_query(req, "table")));
	if (!rest.len)
		return;
	filter->bucket = arena_copy(req->arena, span_cut(&rest, '/'));
	filter->table_name = rest.len ? arena_copy(req->arena, rest) : NULL;
}

static bool operations_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct operation *rows;
	struct place place;
	size_t n;
	uint64_t total;
	struct history_filter filter = {
		.project_id = http_param(req, "project_id"),
		.command = filled(http_query(req, "command")),
		.status = filled(http_query(req, "status")),
	};
	filter_table(req, &filter);
	if (!place_branch(rest_storage(req), req->arena, filter.project_id, NULL, NULL, &place, err) ||
	    !query_time(req, "from", &filter.from, err) || !query_time(req, "to", &filter.to, err) ||
	    !history_list(rest_storage(req)->history, req->arena, &filter, (size_t)http_query_int(req, "limit"),
			  (uint64_t)http_query_int(req, "offset"), &rows, &n, &total, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "operations");
	for (size_t i = 0; i < n; i++)
		operation_write(j, &rows[i]);
	json_array_end(j);
	json_uint(j, "total", total);
	json_object_end(j);
	return true;
}

static bool operation_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct operation operation;
	struct place place;
	const char *project_id = http_param(req, "project_id");
	if (!place_branch(rest_storage(req), req->arena, project_id, NULL, NULL, &place, err))
		return false;
	if (!history_get(rest_storage(req)->history, req->arena, project_id, http_param(req, "operation_id"),
			 &operation, err)) {
		if (err->code == ERR_OPERATION_NOT_FOUND)
			err_detail(err, "operation_id", http_param(req, "operation_id"));
		return false;
	}
	operation_write(http_json(res, 200), &operation);
	return true;
}

static const struct {
	const char *name;
	int64_t seconds;
} periods[] = {{"1h", 3600}, {"24h", 86400}, {"7d", 7 * 86400}, {"30d", 30 * 86400}};

static bool stats_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct history_stats stats;
	struct place place;
	const char *period = http_query(req, "period");
	struct history_filter filter = {.project_id = http_param(req, "project_id")};
	for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
		if (strcmp(periods[i].name, period) == 0)
			filter.from = clock_unix_us() - periods[i].seconds * US_PER_S;
	}
	if (!place_branch(rest_storage(req), req->arena, filter.project_id, NULL, NULL, &place, err) ||
	    !history_stats(rest_storage(req)->history, req->arena, &filter, &stats, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "period", period);
	json_uint(j, "total_operations", stats.total);
	json_double(j, "success_rate", stats.success_rate);
	json_double(j, "avg_duration_ms", stats.avg_ms);
	json_double(j, "p50_duration_ms", stats.p50_ms);
	json_double(j, "p95_duration_ms", stats.p95_ms);
	json_double(j, "p99_duration_ms", stats.p99_ms);
	json_object(j, "by_command");
	for (size_t i = 0; i < stats.command_count; i++) {
		json_object(j, stats.commands[i].command);
		json_uint(j, "count", stats.commands[i].count);
		json_double(j, "avg_ms", stats.commands[i].avg_ms);
		json_object_end(j);
	}
	json_object_end(j);
	json_array(j, "errors");
	for (size_t i = 0; i < stats.error_count; i++) {
		json_object(j, NULL);
		json_str(j, "code", stats.errors[i].code);
		json_uint(j, "count", stats.errors[i].count);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

/* ---- shapes ---- */

static const char *const statuses[] = {"success", "error", "timeout", "interrupted", "running", NULL};
static const char *const period_names[] = {"1h", "24h", "7d", "30d", NULL};

static const struct field operation_fields[] = {
	{.name = "id", .type = FIELD_STRING},
	{.name = "timestamp", .type = FIELD_TIME, .help = "When it began"},
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "branch_id", .type = FIELD_STRING, .nullable = true},
	{.name = "bucket", .type = FIELD_STRING, .nullable = true},
	{.name = "table", .type = FIELD_STRING, .nullable = true},
	{.name = "command", .type = FIELD_STRING, .help = "The operation, e.g. import_from_file"},
	{.name = "door", .type = FIELD_STRING, .help = "rest, s3, driver, grpc, pgwire or internal"},
	{.name = "status", .type = FIELD_STRING, .values = statuses},
	{.name = "duration_ms", .type = FIELD_NUMBER},
	{.name = "queue_wait_ms", .type = FIELD_NUMBER, .help = "Waiting for a worker, a slot and the table"},
	{.name = "rows", .type = FIELD_INT},
	{.name = "bytes_in", .type = FIELD_INT},
	{.name = "bytes_out", .type = FIELD_INT},
	{.name = "error_code", .type = FIELD_STRING, .nullable = true},
	{.name = "error_message", .type = FIELD_STRING, .nullable = true},
	{.name = "resource_type", .type = FIELD_STRING, .nullable = true},
	{.name = "resource_id", .type = FIELD_STRING, .nullable = true},
	{.name = "request_id", .type = FIELD_STRING, .nullable = true},
	{.name = "connection_job_id", .type = FIELD_STRING, .nullable = true},
	{.name = "connection_run_id", .type = FIELD_STRING, .nullable = true},
	{.name = "metadata", .type = FIELD_OBJECT, .nullable = true, .help = "Details of the operation"},
	{0}};
static const struct schema operation_schema = {"Operation", operation_fields, NULL};
static const struct field list_fields[] = {
	{.name = "operations", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &operation_schema},
	{.name = "total", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"OperationList", list_fields, NULL};
static const struct field command_fields[] = {
	{.name = "count", .type = FIELD_INT}, {.name = "avg_ms", .type = FIELD_NUMBER}, {0}};
static const struct schema command_schema = {"OperationCommandStats", command_fields, NULL};
static const struct field error_fields[] = {
	{.name = "code", .type = FIELD_STRING}, {.name = "count", .type = FIELD_INT}, {0}};
static const struct schema error_schema = {"OperationErrorStats", error_fields, NULL};
static const struct field stats_fields[] = {
	{.name = "period", .type = FIELD_STRING, .values = period_names},
	{.name = "total_operations", .type = FIELD_INT},
	{.name = "success_rate", .type = FIELD_NUMBER, .help = "0 to 1"},
	{.name = "avg_duration_ms", .type = FIELD_NUMBER},
	{.name = "p50_duration_ms", .type = FIELD_NUMBER},
	{.name = "p95_duration_ms", .type = FIELD_NUMBER},
	{.name = "p99_duration_ms", .type = FIELD_NUMBER},
	{.name = "by_command", .type = FIELD_MAP, .object = &command_schema},
	{.name = "errors", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &error_schema},
	{0}};
static const struct schema stats_schema = {"OperationStats", stats_fields, NULL};
static const struct field list_query[] = {
	REST_PAGING,
	{.name = "command", .type = FIELD_STRING, .help = "Only this operation"},
	{.name = "status", .type = FIELD_STRING, .help = "success, error, timeout, interrupted or running"},
	{.name = "table", .type = FIELD_STRING, .help = "bucket/table, or a bucket"},
	{.name = "from", .type = FIELD_STRING, .help = "Begun then or later: ISO 8601"},
	{.name = "to", .type = FIELD_STRING, .help = "Begun before: ISO 8601"},
	{0}};
static const struct field stats_query[] = {
	{.name = "period", .type = FIELD_STRING, .fallback = "\"24h\"", .values = period_names, .help = "How far back"},
	{0}};

static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_OPERATION_NOT_FOUND, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/operations",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = operations_get,
	 .query = list_query,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Operations",
	 .summary = "List what was done in a project, newest first"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/operations/stats",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = stats_get,
	 .query = stats_query,
	 .response = &stats_schema,
	 .errors = list_errors,
	 .tag = "Operations",
	 .summary = "Summary of a project's operations"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/operations/{operation_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = operation_get,
	 .response = &operation_schema,
	 .errors = one_errors,
	 .tag = "Operations",
	 .summary = "Show one operation"},
};

REST_RESOURCE(operation, routes);
