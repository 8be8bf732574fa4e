#include "rest/rest.h"

#include "rest/job_json.h"

/* ---- asking for a job ---- */

/* The preferences of one header line: token[=value][;parameters], ... */
static bool asks_async(struct span line)
{
	while (line.len > 0) {
		struct span one = span_cut(&line, ',');
		struct span token = span_trim(span_cut(&one, ';'));
		if (span_eq_nocase(token, SPAN("respond-async")))
			return true;
	}
	return false;
}

bool rest_job_wanted(const struct http_request *req)
{
	const char *name;
	const char *value;
	for (size_t i = 0; http_header_at(req, i, &name, &value); i++) {
		if (strcasecmp(name, "Prefer") == 0 && asks_async(span_of(value)))
			return true;
	}
	return false;
}

const char *rest_copy_text(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

const char *const *rest_copy_texts(struct arena *arena, const char *const *texts, size_t n)
{
	const char **copy = arena_array(arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, texts[i]);
	return copy;
}

static void job_write(struct json *j, const struct job *job)
{
	json_object(j, NULL);
	json_str(j, "id", job->id);
	json_str(j, "project_id", job->project_id);
	json_str(j, "branch_id", job->branch_id);
	json_str(j, "bucket_name", job->bucket);
	json_str(j, "table_name", job->table_name);
	json_str(j, "kind", job->kind);
	json_str(j, "state", job->state);
	json_int(j, "percent", job->percent);
	json_int(j, "rows", job->rows_done);
	json_int(j, "bytes", job->bytes_done);
	json_raw(j, "result", job->result_json);
	json_raw(j, "error", job->error_json);
	json_str(j, "request_id", job->request_id);
	json_time(j, "created_at", job->created_at);
	json_time(j, "started_at", job->started_at);
	json_time(j, "finished_at", job->finished_at);
	json_time(j, "expires_at", job->expires_at);
	json_object_end(j);
}

bool rest_job_accept(struct http_request *req, struct http_response *res, const struct job_work *work, struct err *err)
{
	struct job job;
	if (!job_submit(rest_storage(req), &req->call, work, &job, err))
		return false;
	/* Keys that are held to a branch ask below its path. */
	const char *branch = req->call.who.branch_id[0] ? arena_printf(req->arena, "/branches/%s", job.branch_id) : "";
	http_add(res, "Location", arena_printf(req->arena, "/projects/%s%s/jobs/%s", job.project_id, branch, job.id));
	http_add(res, "Preference-Applied", "respond-async");
	job_write(http_json(res, 202), &job);
	return true;
}

/* ---- handlers; those below a branch see its jobs only ---- */

static const char *branch_of(const struct http_request *req)
{
	return strstr(req->route->path, "{branch_id}") ? http_param(req, "branch_id") : NULL;
}

static bool jobs_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct job_list list;
	if (!job_list(rest_storage(req), &req->call, http_param(req, "project_id"), branch_of(req),
		      http_query(req, "state"), http_query_int(req, "limit"), http_query_int(req, "offset"), &list,
		      err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "jobs");
	for (size_t i = 0; i < list.count; i++)
		job_write(j, &list.jobs[i]);
	json_array_end(j);
	json_uint(j, "total", list.total);
	json_object_end(j);
	return true;
}

static bool job_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct job job;
	if (!job_get(rest_storage(req), &req->call, http_param(req, "project_id"), branch_of(req),
		     http_param(req, "job_id"), &job, err))
		return false;
	job_write(http_json(res, 200), &job);
	return true;
}

static bool job_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!job_cancel(rest_storage(req), &req->call, http_param(req, "project_id"), branch_of(req),
			http_param(req, "job_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

/* ---- shapes and routes ---- */

static const char *const states[] = {"queued", "running", "success", "error", "cancelled", NULL};
static const struct field job_fields[] = {
	{.name = "id", .type = FIELD_STRING},
	{.name = "project_id", .type = FIELD_STRING},
	{.name = "branch_id", .type = FIELD_STRING},
	{.name = "bucket_name", .type = FIELD_STRING},
	{.name = "table_name", .type = FIELD_STRING},
	{.name = "kind", .type = FIELD_STRING, .help = "import or export"},
	{.name = "state", .type = FIELD_STRING, .values = states},
	{.name = "percent", .type = FIELD_INT, .help = "0 to 100; never goes back"},
	{.name = "rows", .type = FIELD_INT, .help = "Rows moved so far"},
	{.name = "bytes", .type = FIELD_INT, .help = "Bytes read or written so far"},
	{.name = "result", .type = FIELD_OBJECT, .nullable = true, .help = "What the request would have answered"},
	{.name = "error", .type = FIELD_OBJECT, .nullable = true, .help = "error, message and details"},
	{.name = "request_id", .type = FIELD_STRING},
	{.name = "created_at", .type = FIELD_TIME},
	{.name = "started_at", .type = FIELD_TIME, .nullable = true},
	{.name = "finished_at", .type = FIELD_TIME, .nullable = true},
	{.name = "expires_at", .type = FIELD_TIME, .nullable = true, .help = "When the record is removed"},
	{0}};
const struct schema rest_job_schema = {"Job", job_fields, NULL};
static const struct field list_fields[] = {
	{.name = "jobs", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &rest_job_schema},
	{.name = "total", .type = FIELD_INT, .help = "All matches, not the page"},
	{0}};
static const struct schema list_schema = {"JobList", list_fields, NULL};
static const struct field list_query[] = {REST_PAGING, {.name = "state", .type = FIELD_STRING, .values = states}, {0}};

static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_JOB_NOT_FOUND, ERR_NONE};

#define JOB_ROUTES(base, who)                                                                            \
	{.method = HTTP_GET,                                                                             \
	 .path = base "/jobs",                                                                           \
	 .guard = (who),                                                                                 \
	 .run = HTTP_READ,                                                                               \
	 .handler = jobs_get,                                                                            \
	 .query = list_query,                                                                            \
	 .response = &list_schema,                                                                       \
	 .errors = list_errors,                                                                          \
	 .tag = "Jobs",                                                                                  \
	 .summary = "List background imports and exports, newest first"},                                \
		{.method = HTTP_GET,                                                                     \
		 .path = base "/jobs/{job_id}",                                                          \
		 .guard = (who),                                                                         \
		 .run = HTTP_READ,                                                                       \
		 .handler = job_get_one,                                                                 \
		 .response = &rest_job_schema,                                                           \
		 .errors = one_errors,                                                                   \
		 .tag = "Jobs",                                                                          \
		 .summary = "Show how far a job is, or what became of it"},                              \
	{                                                                                                \
		.method = HTTP_DELETE, .path = base "/jobs/{job_id}", .guard = (who), .run = HTTP_WRITE, \
		.handler = job_delete_one, .status = 204, .errors = one_errors, .tag = "Jobs",           \
		.summary = "Cancel a job; nothing happens to a finished one"                             \
	}

static const struct http_route routes[] = {
	JOB_ROUTES(REST_PROJECT, GUARD_PROJECT),
	JOB_ROUTES(REST_BRANCH, GUARD_BRANCH),
};

REST_RESOURCE(job, routes);
