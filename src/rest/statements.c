/* What SQL statements cost: the whole server's pg_stat_statements. */
#include "rest/rest.h"

#include "storage/statement_stats.h"

#include <inttypes.h>

static void statement_write(struct json *j, struct arena *arena, const struct statement_row *s)
{
	json_object(j, NULL);
	/* As text: the numbers of JSON are too small for 64 bits. */
	json_str(j, "queryid", arena_printf(arena, "%" PRId64, (int64_t)s->query_id));
	json_str(j, "workspace_id", s->workspace_id);
	json_str(j, "user", s->user);
	json_str(j, "query", s->query);
	json_uint(j, "calls", s->calls);
	json_uint(j, "errors", s->errors);
	json_uint(j, "rows", s->rows);
	json_uint(j, "temp_bytes", s->temp_bytes);
	json_uint(j, "memory_peak_bytes", s->memory_peak);
	json_double(j, "total_exec_time_ms", s->total_ms);
	json_double(j, "min_exec_time_ms", s->min_ms);
	json_double(j, "max_exec_time_ms", s->max_ms);
	json_double(j, "mean_exec_time_ms", s->mean_ms);
	json_double(j, "stddev_exec_time_ms", s->stddev_ms);
	json_time(j, "first_seen", s->first_us);
	json_time(j, "last_seen", s->last_us);
	json_object_end(j);
}

static bool statements_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct storage *storage = rest_storage(req);
	struct statement_info info = statement_stats_info(storage->statements);
	struct statement_row *rows;
	enum statement_sort sort = STATEMENT_SORT_TOTAL;
	size_t n;
	(void)err;
	/* The schema let only known names pass. */
	(void)statement_sort_by_name(span_of(http_query(req, "sort")), &sort);
	statement_stats_list(storage->statements, req->arena, http_query(req, "workspace_id"), sort,
			     (size_t)http_query_int(req, "limit"), &rows, &n);
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "statements");
	for (size_t i = 0; i < n; i++)
		statement_write(j, req->arena, &rows[i]);
	json_array_end(j);
	json_uint(j, "total", info.count);
	json_uint(j, "dealloc", info.dealloc);
	json_time(j, "stats_reset", info.reset_us);
	json_object_end(j);
	return true;
}

static bool reset_post(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)err;
	statement_stats_reset(rest_storage(req)->statements, http_query(req, "workspace_id"));
	http_empty(res, 204);
	return true;
}

static const char *const sorts[] = {"total_time", "mean_time", "max_time",  "calls",
				    "rows",	  "errors",    "last_seen", NULL};
static const struct field statement_fields[] = {
	{.name = "queryid", .type = FIELD_STRING, .help = "Fingerprint of the statement, a signed 64-bit number"},
	{.name = "workspace_id", .type = FIELD_STRING},
	{.name = "user", .type = FIELD_STRING},
	{.name = "query", .type = FIELD_STRING, .help = "With its constants as $n"},
	{.name = "calls", .type = FIELD_INT},
	{.name = "errors", .type = FIELD_INT},
	{.name = "rows", .type = FIELD_INT},
	{.name = "temp_bytes", .type = FIELD_INT, .help = "Spilled to disk, all calls together"},
	{.name = "memory_peak_bytes",
	 .type = FIELD_INT,
	 .help = "Engine memory of the workspace at its highest; 0: no call ran long enough to be looked at"},
	{.name = "total_exec_time_ms", .type = FIELD_NUMBER},
	{.name = "min_exec_time_ms", .type = FIELD_NUMBER},
	{.name = "max_exec_time_ms", .type = FIELD_NUMBER},
	{.name = "mean_exec_time_ms", .type = FIELD_NUMBER},
	{.name = "stddev_exec_time_ms", .type = FIELD_NUMBER},
	{.name = "first_seen", .type = FIELD_STRING},
	{.name = "last_seen", .type = FIELD_STRING},
	{0}};
static const struct schema statement_schema = {"StatementStatistics", statement_fields, NULL};
static const struct field list_fields[] = {
	{.name = "statements", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &statement_schema},
	{.name = "total", .type = FIELD_INT, .help = "Kept, of all workspaces"},
	{.name = "dealloc", .type = FIELD_INT, .help = "How often the least used had to go"},
	{.name = "stats_reset", .type = FIELD_STRING, .help = "When counting began"},
	{0}};
static const struct schema list_schema = {"Statements", list_fields, NULL};

static const struct field list_query[] = {
	{.name = "sort", .type = FIELD_STRING, .fallback = "\"total_time\"", .values = sorts, .help = "Most first"},
	{.name = "limit", .type = FIELD_INT, .fallback = "50", RANGE(1, STATEMENT_STATS_MAX)},
	{.name = "workspace_id", .type = FIELD_STRING, .help = "Of this workspace only"},
	{0}};
static const struct field reset_query[] = {
	{.name = "workspace_id", .type = FIELD_STRING, .help = "Of this workspace only"}, {0}};

static const struct http_route routes[] = {
	{.method = HTTP_GET,
	 .path = "/internal/statements",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = statements_get,
	 .query = list_query,
	 .response = &list_schema,
	 .tag = "Activity",
	 .summary = "Statistics of SQL statements"},
	{.method = HTTP_POST,
	 .path = "/internal/statements/reset",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_READ,
	 .handler = reset_post,
	 .query = reset_query,
	 .status = 204,
	 .tag = "Activity",
	 .summary = "Forget the statistics of SQL statements"},
};

REST_RESOURCE(statement, routes);
