#include "rest/rest.h"

#include "rest/bucket_json.h"
#include "storage/bucket.h"

void rest_bucket_write(struct json *j, const struct bucket_info *b)
{
	json_object(j, NULL);
	json_str(j, "name", b->name);
	json_int(j, "table_count", b->table_count);
	json_str(j, "description", b->description);
	json_bool(j, "is_linked", b->is_linked);
	json_str(j, "source_project_id", b->source_project_id);
	json_str(j, "source_bucket_name", b->source_bucket_name);
	json_object_end(j);
}

static void bucket_posted(void *ctx, const struct bucket_info *bucket, const struct err *err)
{
	struct http_request *req = ctx;
	if (bucket)
		rest_bucket_write(http_json(http_answer(req), 201), bucket);
	http_answer_send(req, bucket != NULL, err);
}

static bool bucket_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct bucket_info bucket;
	const struct bucket_request request = {
		.project_id = http_param(req, "project_id"),
		.branch_id = http_param(req, "branch_id"),
		.name = body_str(req->body, "name"),
		.description = body_str(req->body, "description"),
	};
	if (http_later(req)) {
		bucket_create_then(rest_storage(req), &req->call, &request, bucket_posted, req);
		return true;
	}
	if (!bucket_create(rest_storage(req), &req->call, &request, &bucket, err))
		return false;
	rest_bucket_write(http_json(res, 201), &bucket);
	return true;
}

static bool buckets_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct bucket_info *buckets;
	size_t n;
	if (!bucket_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			 &buckets, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "buckets");
	for (size_t i = 0; i < n; i++)
		rest_bucket_write(j, &buckets[i]);
	json_array_end(j);
	json_uint(j, "total", n);
	json_object_end(j);
	return true;
}

static bool bucket_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct bucket_info bucket;
	if (!bucket_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			http_param(req, "bucket_name"), &bucket, err))
		return false;
	rest_bucket_write(http_json(res, 200), &bucket);
	return true;
}

static bool bucket_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!bucket_delete(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   http_param(req, "bucket_name"), http_query_bool(req, "cascade"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static const struct field bucket_fields[] = {{.name = "name", .type = FIELD_STRING},
					     {.name = "table_count", .type = FIELD_INT},
					     {.name = "description", .type = FIELD_STRING, .nullable = true},
					     {.name = "is_linked", .type = FIELD_BOOL},
					     {.name = "source_project_id", .type = FIELD_STRING, .nullable = true},
					     {.name = "source_bucket_name", .type = FIELD_STRING, .nullable = true},
					     {0}};
const struct schema rest_bucket_schema = {"Bucket", bucket_fields, NULL};
static const struct field list_fields[] = {
	{.name = "buckets", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &rest_bucket_schema},
	{.name = "total", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"BucketList", list_fields, NULL};
static const struct field new_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .help = "Letters, digits, '_', '.', '-'"},
	{.name = "description", .type = FIELD_STRING, .nullable = true},
	{0}};
static const struct schema new_schema = {"BucketCreate", new_fields, NULL};
static const struct field delete_query[] = {{.name = "cascade",
					     .type = FIELD_BOOL,
					     .fallback = "true",
					     .help = "false: refuse when the bucket holds tables"},
					    {0}};

static const enum err_code create_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_INVALID_NAME,
					      ERR_BUCKET_EXISTS, ERR_NONE};
static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_BUCKET_NOT_FOUND, ERR_NONE};
static const enum err_code delete_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
					      ERR_BUCKET_NOT_FOUND,  ERR_BUCKET_NOT_EMPTY, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_BRANCH "/buckets",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = bucket_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &rest_bucket_schema,
	 .errors = create_errors,
	 .tag = "Buckets",
	 .summary = "Create a bucket"},
	{.method = HTTP_GET,
	 .path = REST_BRANCH "/buckets",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = buckets_get,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Buckets",
	 .summary = "List own buckets, then linked ones, by name"},
	{.method = HTTP_GET,
	 .path = REST_BUCKET,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = bucket_get_one,
	 .response = &rest_bucket_schema,
	 .errors = one_errors,
	 .tag = "Buckets",
	 .summary = "Show a bucket"},
	{.method = HTTP_DELETE,
	 .path = REST_BUCKET,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = bucket_delete_one,
	 .status = 204,
	 .query = delete_query,
	 .errors = delete_errors,
	 .tag = "Buckets",
	 .summary = "Delete a bucket with its tables, or unlink a linked one"},
};

REST_RESOURCE(bucket, routes);
