#include "storage/s3_credential.h"
#include "rest/rest.h"

static void credential_write(struct json *j, const struct s3_credential *row, const char *secret)
{
	json_object(j, NULL);
	json_str(j, "access_key_id", row->access_key);
	if (secret)
		json_str(j, "secret_access_key", secret);
	json_str(j, "project_id", row->project_id);
	json_str(j, "scope", row->scope);
	json_str(j, "description", row->description);
	json_time(j, "created_at", row->created_at);
	json_time(j, "expires_at", row->expires_at);
	if (!secret)
		json_time(j, "last_used_at", row->last_used_at);
	json_object_end(j);
}

static bool credential_post(struct http_request *req, struct http_response *res, struct err *err)
{
	char secret[S3_SECRET_SIZE];
	struct s3_credential row;
	const struct s3_credential_create request = {
		.description = body_str(req->body, "description"),
		.scope = body_str(req->body, "scope"),
		.expires_in_days = body_int(req->body, "expires_in_days", 0),
	};
	if (!s3_credential_create(rest_storage(req), &req->call, http_param(req, "project_id"), &request, &row, err))
		return false;
	s3_credential_secret(rest_storage(req)->server_key, row.access_key, secret);
	http_secret(res);
	credential_write(http_json(res, 201), &row, secret);
	return true;
}

static bool credentials_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct s3_credential *rows;
	size_t n;
	if (!s3_credential_list(rest_storage(req), &req->call, http_param(req, "project_id"), &rows, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "credentials");
	for (size_t i = 0; i < n; i++)
		credential_write(j, &rows[i], NULL);
	json_array_end(j);
	json_int(j, "count", (int64_t)n);
	json_object_end(j);
	return true;
}

static bool credential_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!s3_credential_revoke(rest_storage(req), &req->call, http_param(req, "project_id"),
				  http_param(req, "access_key_id"), err))
		return false;
	http_empty(res, 204);
	return true;
}

static const char *const scopes[] = {"read_write", "read_only", NULL};

#define CREDENTIAL_FIELDS                                                                              \
	{.name = "access_key_id", .type = FIELD_STRING}, {.name = "project_id", .type = FIELD_STRING}, \
		{.name = "scope", .type = FIELD_STRING, .values = scopes},                             \
		{.name = "description", .type = FIELD_STRING, .nullable = true},                       \
		{.name = "created_at", .type = FIELD_TIME},                                            \
	{                                                                                              \
		.name = "expires_at", .type = FIELD_TIME, .nullable = true                             \
	}

static const struct field credential_fields[] = {
	CREDENTIAL_FIELDS, {.name = "last_used_at", .type = FIELD_TIME, .nullable = true}, {0}};
static const struct schema credential_schema = {"S3Credential", credential_fields, NULL};
static const struct field created_fields[] = {
	CREDENTIAL_FIELDS, {.name = "secret_access_key", .type = FIELD_STRING, .help = "Shown only here"}, {0}};
static const struct schema created_schema = {"S3CredentialCreated", created_fields, NULL};
static const struct field list_fields[] = {
	{.name = "credentials", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &credential_schema},
	{.name = "count", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"S3CredentialList", list_fields, NULL};
static const struct field new_fields[] = {
	{.name = "description", .type = FIELD_STRING, .nullable = true},
	{.name = "scope", .type = FIELD_STRING, .values = scopes, .fallback = "\"read_write\""},
	{.name = "expires_in_days", .type = FIELD_INT, .nullable = true, RANGE(1, 3650)},
	{0}};
static const struct schema new_schema = {"S3CredentialCreate", new_fields, NULL};

static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_NONE};
static const enum err_code delete_errors[] = {ERR_API_KEY_NOT_FOUND, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/s3-credentials",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = credential_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &created_schema,
	 .errors = list_errors,
	 .tag = "S3 credentials",
	 .summary = "Create an S3 key pair for the project's files"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/s3-credentials",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = credentials_get,
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "S3 credentials",
	 .summary = "List the S3 key pairs, newest first"},
	{.method = HTTP_DELETE,
	 .path = REST_PROJECT "/s3-credentials/{access_key_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = credential_delete,
	 .status = 204,
	 .errors = delete_errors,
	 .tag = "S3 credentials",
	 .summary = "Revoke an S3 key pair"},
};

REST_RESOURCE(s3_credential, routes);
