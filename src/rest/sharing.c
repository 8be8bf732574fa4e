#include "rest/rest.h"

#include "rest/bucket_json.h"
#include "storage/sharing.h"

static bool share_post(struct http_request *req, struct http_response *res, struct err *err)
{
	const char **targets;
	size_t n;
	if (!sharing_share(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   http_param(req, "bucket_name"), body_str(req->body, "target_project_id"), &targets, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_strings(j, "shared_with", targets, n);
	json_bool(j, "is_linked", false);
	json_null(j, "source_project_id");
	json_null(j, "source_bucket_name");
	json_object_end(j);
	return true;
}

static bool share_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!sharing_unshare(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			     http_param(req, "bucket_name"), http_query(req, "target_project_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool link_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct bucket_info bucket;
	if (!sharing_link(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  http_param(req, "bucket_name"), body_str(req->body, "source_project_id"),
			  body_str(req->body, "source_bucket_name"), &bucket, err))
		return false;
	rest_bucket_write(http_json(res, 201), &bucket);
	return true;
}

static bool link_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!sharing_unlink(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			    http_param(req, "bucket_name"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool grant_post(struct http_request *req, struct http_response *res, struct err *err)
{
	const char *bucket = http_param(req, "bucket_name");
	if (!sharing_grant(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   bucket, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "status", "success");
	json_str(j, "message",
		 "Nothing to record: linked data is always attached READ_ONLY (ATTACH READ_ONLY), so readers have it "
		 "already");
	json_str(j, "bucket_name", bucket);
	json_object_end(j);
	return true;
}

static bool grant_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!sharing_revoke(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			    http_param(req, "bucket_name"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static const struct field share_fields[] = {{.name = "shared_with", .type = FIELD_LIST, .items = FIELD_STRING},
					    {.name = "is_linked", .type = FIELD_BOOL},
					    {.name = "source_project_id", .type = FIELD_STRING, .nullable = true},
					    {.name = "source_bucket_name", .type = FIELD_STRING, .nullable = true},
					    {0}};
static const struct schema share_schema = {"ShareInfo", share_fields, NULL};
static const struct field new_share_fields[] = {{.name = "target_project_id", .type = FIELD_STRING, .required = true},
						{0}};
static const struct schema new_share_schema = {"ShareCreate", new_share_fields, NULL};
static const struct field new_link_fields[] = {{.name = "source_project_id", .type = FIELD_STRING, .required = true},
					       {.name = "source_bucket_name", .type = FIELD_STRING, .required = true},
					       {0}};
static const struct schema new_link_schema = {"LinkCreate", new_link_fields, NULL};
static const struct field grant_fields[] = {{.name = "status", .type = FIELD_STRING},
					    {.name = "message", .type = FIELD_STRING},
					    {.name = "bucket_name", .type = FIELD_STRING},
					    {0}};
static const struct schema grant_schema = {"GrantResult", grant_fields, NULL};

static const enum err_code share_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
					     ERR_BUCKET_NOT_FOUND,  ERR_ALREADY_SHARED,	  ERR_NONE};
static const enum err_code link_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND,      ERR_OPERATION_NOT_ALLOWED,
					    ERR_BUCKET_NOT_SHARED, ERR_BUCKET_NOT_FOUND,      ERR_INVALID_NAME,
					    ERR_BUCKET_EXISTS,	   ERR_BUCKET_ALREADY_LINKED, ERR_NONE};
static const enum err_code unlink_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
					      ERR_LINK_NOT_FOUND, ERR_NONE};
static const enum err_code grant_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
					     ERR_BUCKET_NOT_FOUND, ERR_NONE};

static const struct field unshare_query[] = {
	{.name = "target_project_id", .type = FIELD_STRING, .required = true, .help = "With whom it is shared"}, {0}};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_BUCKET "/share",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = share_post,
	 .request = &new_share_schema,
	 .response = &share_schema,
	 .errors = share_errors,
	 .tag = "Sharing",
	 .summary = "Share a bucket with another project"},
	{.method = HTTP_DELETE,
	 .path = REST_BUCKET "/share",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = share_delete,
	 .status = 204,
	 .query = unshare_query,
	 .errors = share_errors,
	 .tag = "Sharing",
	 .summary = "Stop sharing a bucket"},
	{.method = HTTP_POST,
	 .path = REST_BUCKET "/link",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = link_post,
	 .status = 201,
	 .request = &new_link_schema,
	 .response = &rest_bucket_schema,
	 .errors = link_errors,
	 .tag = "Sharing",
	 .summary = "Show a shared bucket of another project under a local name"},
	{.method = HTTP_DELETE,
	 .path = REST_BUCKET "/link",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = link_delete,
	 .status = 204,
	 .errors = unlink_errors,
	 .tag = "Sharing",
	 .summary = "Remove a link"},
	{.method = HTTP_POST,
	 .path = REST_BUCKET "/grant-readonly",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = grant_post,
	 .response = &grant_schema,
	 .errors = grant_errors,
	 .tag = "Sharing",
	 .summary = "Grant read access to linked data (always there)"},
	{.method = HTTP_DELETE,
	 .path = REST_BUCKET "/grant-readonly",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = grant_delete,
	 .status = 204,
	 .errors = grant_errors,
	 .tag = "Sharing",
	 .summary = "Revoke read access (no effect on links)"},
};

REST_RESOURCE(sharing, routes);
