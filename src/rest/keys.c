#include "rest/rest.h"

#include "storage/api_key.h"

static void key_write(struct json *j, const struct api_key *k, const char *api_key)
{
	json_object(j, NULL);
	json_str(j, "id", k->id);
	json_str(j, "project_id", k->project_id);
	json_str(j, "branch_id", k->branch_id);
	json_str(j, "key_prefix", k->key_prefix);
	json_str(j, "scope", k->scope);
	json_str(j, "description", k->description);
	json_time(j, "created_at", k->created_at);
	if (!api_key)
		json_time(j, "last_used_at", k->last_used_at);
	json_time(j, "expires_at", k->expires_at);
	if (api_key)
		json_str(j, "api_key", api_key);
	else
		json_bool(j, "is_revoked", k->revoked_at != 0);
	json_object_end(j);
}

static bool key_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct api_key key;
	const char *text;
	struct api_key_create request = {
		.description = body_str(req->body, "description"),
		.scope = body_str(req->body, "scope"),
		.branch_id = body_str(req->body, "branch_id"),
		.expires_in_days = body_int(req->body, "expires_in_days", 0),
	};
	if (!api_key_create(rest_storage(req), &req->call, http_param(req, "project_id"), &request, &key, &text, err))
		return false;
	http_secret(res);
	key_write(http_json(res, 201), &key, text);
	return true;
}

static bool keys_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct api_key *keys;
	size_t n;
	if (!api_key_list(rest_storage(req), &req->call, http_param(req, "project_id"), &keys, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "api_keys");
	for (size_t i = 0; i < n; i++)
		key_write(j, &keys[i], NULL);
	json_array_end(j);
	json_uint(j, "count", n);
	json_object_end(j);
	return true;
}

static bool key_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct api_key key;
	if (!api_key_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "key_id"), &key,
			 err))
		return false;
	key_write(http_json(res, 200), &key, NULL);
	return true;
}

static bool key_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!api_key_revoke(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "key_id"),
			    err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool key_rotate(struct http_request *req, struct http_response *res, struct err *err)
{
	struct api_key key;
	const char *text;
	if (!api_key_rotate(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "key_id"),
			    &key, &text, err))
		return false;
	http_secret(res);
	key_write(http_json(res, 201), &key, text);
	return true;
}

static const char *const scopes[] = {"project_admin", "branch_admin", "branch_read", NULL};

#define KEY_FIELDS                                                                                    \
	{.name = "id", .type = FIELD_STRING}, {.name = "project_id", .type = FIELD_STRING},           \
		{.name = "branch_id", .type = FIELD_STRING, .nullable = true},                        \
		{.name = "key_prefix", .type = FIELD_STRING, .help = "What may be shown of the key"}, \
		{.name = "scope", .type = FIELD_STRING, .values = scopes},                            \
		{.name = "description", .type = FIELD_STRING, .nullable = true},                      \
		{.name = "created_at", .type = FIELD_TIME},                                           \
	{                                                                                             \
		.name = "expires_at", .type = FIELD_TIME, .nullable = true                            \
	}

static const struct field key_fields[] = {KEY_FIELDS,
					  {.name = "last_used_at", .type = FIELD_TIME, .nullable = true},
					  {.name = "is_revoked", .type = FIELD_BOOL},
					  {0}};
static const struct schema key_schema = {"ApiKey", key_fields, NULL};
static const struct field created_fields[] = {
	KEY_FIELDS, {.name = "api_key", .type = FIELD_STRING, .help = "The whole key, shown only here"}, {0}};
static const struct schema created_schema = {"ApiKeyCreated", created_fields, NULL};
static const struct field list_fields[] = {
	{.name = "api_keys", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &key_schema},
	{.name = "count", .type = FIELD_INT},
	{0}};
static const struct schema list_schema = {"ApiKeyList", list_fields, NULL};
static const struct field new_fields[] = {
	{.name = "description", .type = FIELD_STRING, .required = true},
	{.name = "scope", .type = FIELD_STRING, .values = scopes, .fallback = "\"project_admin\""},
	{.name = "branch_id", .type = FIELD_STRING, .nullable = true, .help = "Required for the branch scopes"},
	{.name = "expires_in_days", .type = FIELD_INT, .nullable = true, RANGE(1, 365)},
	{0}};
static const struct schema new_schema = {"ApiKeyCreate", new_fields, NULL};

static const enum err_code create_errors[] = {ERR_INVALID_REQUEST, ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND,
					      ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_API_KEY_NOT_FOUND, ERR_NONE};
static const enum err_code revoke_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_API_KEY_NOT_FOUND,
					      ERR_CANNOT_REVOKE_LAST_ADMIN_KEY, ERR_NONE};
static const enum err_code rotate_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_API_KEY_NOT_FOUND,
					      ERR_CANNOT_ROTATE_REVOKED_KEY, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/api-keys",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = key_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &created_schema,
	 .errors = create_errors,
	 .tag = "API keys",
	 .summary = "Create a key"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/api-keys",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = keys_get,
	 .response = &list_schema,
	 .tag = "API keys",
	 .summary = "List the keys that are not revoked, newest first"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/api-keys/{key_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = key_get,
	 .response = &key_schema,
	 .errors = one_errors,
	 .tag = "API keys",
	 .summary = "Show a key"},
	{.method = HTTP_DELETE,
	 .path = REST_PROJECT "/api-keys/{key_id}",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = key_delete,
	 .status = 204,
	 .errors = revoke_errors,
	 .tag = "API keys",
	 .summary = "Revoke a key"},
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/api-keys/{key_id}/rotate",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .handler = key_rotate,
	 .status = 201,
	 .response = &created_schema,
	 .errors = rotate_errors,
	 .tag = "API keys",
	 .summary = "Replace a key by a new one with the same rights"},
};

REST_RESOURCE(api_key, routes);
