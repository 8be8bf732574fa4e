#include "http/http.h"

#include "http/router.h"

#include "base/limits.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMAS_MAX = 512 };

struct document {
	struct json json;
	const struct http_config *config;
	const struct schema *schemas[SCHEMAS_MAX];
	size_t schema_count;
};

/* ---- shapes ---- */

static void schema_note(struct document *doc, const struct schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < doc->schema_count; i++) {
		if (strcmp(doc->schemas[i]->name, schema->name) == 0)
			return;
	}
	if (doc->schema_count == SCHEMAS_MAX)
		return;
	doc->schemas[doc->schema_count++] = schema;
	for (const struct field *f = schema->fields; f && f->name; f++)
		schema_note(doc, f->object);
}

static void schema_ref(struct json *j, const char *key, const char *name)
{
	char ref[256];
	(void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", name);
	json_object(j, key);
	json_str(j, "$ref", ref);
	json_object_end(j);
}

static const char *type_name(enum field_type type)
{
	static const char *const names[] = {
		[FIELD_STRING] = "string", [FIELD_INT] = "integer",   [FIELD_NUMBER] = "number",
		[FIELD_BOOL] = "boolean",  [FIELD_OBJECT] = "object", [FIELD_LIST] = "array",
		[FIELD_MAP] = "object",	   [FIELD_ANY] = NULL,	      [FIELD_TIME] = "string"};
	return names[type];
}

static void type_write(struct json *j, const struct field *field)
{
	const char *name = type_name(field->type);
	if (!name)
		return;
	if (!field->nullable) {
		json_str(j, "type", name);
		return;
	}
	json_array(j, "type");
	json_str(j, NULL, name);
	json_str(j, NULL, "null");
	json_array_end(j);
}

static void values_write(struct json *j, const struct field *field)
{
	json_array(j, "enum");
	for (size_t i = 0; field->values[i]; i++)
		json_str(j, NULL, field->values[i]);
	if (field->nullable)
		json_null(j, NULL);
	json_array_end(j);
}

static void item_write(struct json *j, const char *key, enum field_type type, const struct schema *object)
{
	if (object) {
		schema_ref(j, key, object->name);
		return;
	}
	json_object(j, key);
	if (type_name(type))
		json_str(j, "type", type_name(type));
	json_object_end(j);
}

/* A nullable object of known shape is either the shape or null. */
static void object_write(struct json *j, const struct field *field)
{
	if (!field->nullable) {
		char ref[256];
		(void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", field->object->name);
		json_str(j, "$ref", ref);
		return;
	}
	json_array(j, "anyOf");
	schema_ref(j, NULL, field->object->name);
	json_object(j, NULL);
	json_str(j, "type", "null");
	json_object_end(j);
	json_array_end(j);
}

static void field_write(struct json *j, const char *key, const struct field *field)
{
	json_object(j, key);
	if (field->type == FIELD_OBJECT && field->object)
		object_write(j, field);
	else
		type_write(j, field);
	if (field->type == FIELD_TIME)
		json_str(j, "format", "date-time");
	if (field->type == FIELD_INT)
		json_str(j, "format", "int64");
	if (field->values)
		values_write(j, field);
	if (field->ranged) {
		json_int(j, "minimum", field->min);
		if (field->max != INT64_MAX)
			json_int(j, "maximum", field->max);
	}
	if (field->type == FIELD_LIST) {
		item_write(j, "items", field->items, field->object);
		if (field->items_min)
			json_uint(j, "minItems", field->items_min);
	}
	if (field->type == FIELD_MAP)
		item_write(j, "additionalProperties", FIELD_STRING, field->object);
	if (field->fallback)
		json_raw(j, "default", field->fallback);
	if (field->help)
		json_str(j, "description", field->help);
	json_object_end(j);
}

static void schema_write(struct json *j, const struct schema *schema)
{
	bool required = false;
	json_object(j, schema->name);
	json_str(j, "type", "object");
	if (schema->help)
		json_str(j, "description", schema->help);
	json_object(j, "properties");
	for (const struct field *f = schema->fields; f && f->name; f++) {
		field_write(j, f->name, f);
		required |= f->required;
	}
	json_object_end(j);
	if (required) {
		json_array(j, "required");
		for (const struct field *f = schema->fields; f->name; f++) {
			if (f->required)
				json_str(j, NULL, f->name);
		}
		json_array_end(j);
	}
	json_object_end(j);
}

/* The shapes that the transport itself answers with. */
static void envelopes_write(struct json *j)
{
	json_raw(
		j, "Error",
		"{\"type\":\"object\",\"required\":[\"detail\"],\"properties\":{\"detail\":{\"oneOf\":[{\"type\":\"object\","
		"\"required\":[\"error\",\"message\"],\"properties\":{\"error\":{\"type\":\"string\"},\"message\":{\"type\":"
		"\"string\"},\"details\":{\"type\":\"object\"}}},{\"type\":\"string\"}]}}}");
	json_raw(
		j, "FlatError",
		"{\"type\":\"object\",\"required\":[\"error\",\"message\"],\"properties\":{\"error\":{\"type\":\"string\"},"
		"\"message\":{\"type\":\"string\"}}}");
	json_raw(
		j, "ValidationError",
		"{\"type\":\"object\",\"required\":[\"detail\"],\"properties\":{\"detail\":{\"type\":\"array\",\"items\":{"
		"\"type\":\"object\",\"required\":[\"type\",\"loc\",\"msg\",\"input\"],\"properties\":{\"type\":{\"type\":"
		"\"string\"},\"loc\":{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"]}},\"msg\":{\"type\":"
		"\"string\"},\"input\":{},\"ctx\":{\"type\":\"object\"}}}}}}");
}

static void components_write(struct document *doc)
{
	struct json *j = &doc->json;
	json_object(j, "components");
	json_object(j, "schemas");
	envelopes_write(j);
	for (size_t i = 0; i < doc->schema_count; i++)
		schema_write(j, doc->schemas[i]);
	json_object_end(j);
	json_raw(j, "securitySchemes",
		 "{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"The admin key, or a key of the "
		 "project\"}}");
	json_object_end(j);
}

/* ---- routes ---- */

static void parameter_write(struct json *j, const char *where, const char *name, const struct field *field)
{
	static const struct field text = {.type = FIELD_STRING};
	json_object(j, NULL);
	json_str(j, "name", name);
	json_str(j, "in", where);
	json_bool(j, "required", field ? field->required : strcmp(where, "path") == 0);
	if (field && field->help)
		json_str(j, "description", field->help);
	field_write(j, "schema", field ? field : &text);
	json_object_end(j);
}

static bool is_keyed(const struct http_route *route)
{
	const bool changes = route->method == HTTP_POST || route->method == HTTP_PUT || route->method == HTTP_DELETE;
	return changes && !route->unkeyed;
}

/* What is sent by http_file: with ranges and conditions. */
static bool is_file(const struct http_route *route)
{
	return route->method == HTTP_GET && route->with_head && route->produces;
}

static void parameters_write(struct json *j, const struct http_route *route)
{
	char name[128];
	json_array(j, "parameters");
	for (const char *at = strchr(route->path, '{'); at; at = strchr(at, '{')) {
		const char *end = strchr(at, '}');
		if (!end)
			break;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - at - 1), at + 1);
		parameter_write(j, "path", name, NULL);
		at = end;
	}
	for (const struct field *f = route->query; f && f->name; f++)
		parameter_write(j, "query", f->name, f);
	if (is_keyed(route))
		parameter_write(j, "header", "X-Idempotency-Key", NULL);
	if (route->later)
		parameter_write(j, "header", "Prefer",
				&(struct field){.help = "respond-async: answer 202 with a job at once"});
	if (is_file(route))
		parameter_write(j, "header", "Range", &(struct field){.help = "One range: bytes=0-99"});
	json_array_end(j);
}

static void content_begin(struct json *j, const char *type)
{
	json_object(j, "content");
	json_object(j, type);
}

static void content_end(struct json *j)
{
	json_object_end(j);
	json_object_end(j);
}

static void request_write(struct json *j, const struct http_route *route)
{
	static const char *const types[] = {[HTTP_BODY_JSON] = "application/json",
					    [HTTP_BODY_JSON_OPTIONAL] = "application/json",
					    [HTTP_BODY_STREAM] = "application/octet-stream",
					    [HTTP_BODY_FILE] = "multipart/form-data"};
	if (route->body == HTTP_BODY_NONE)
		return;
	json_object(j, "requestBody");
	json_bool(j, "required", route->body != HTTP_BODY_JSON_OPTIONAL);
	content_begin(j, types[route->body]);
	if (route->request)
		schema_ref(j, "schema", route->request->name);
	else if (route->body == HTTP_BODY_FILE)
		json_raw(j, "schema",
			 "{\"type\":\"object\",\"required\":[\"file\"],\"properties\":{\"file\":{\"type\":\"string\","
			 "\"format\":\"binary\"}}}");
	content_end(j);
	json_object_end(j);
}

static void status_key(int status, char ret[8])
{
	(void)snprintf(ret, 8, "%d", status);
}

static void answer_write(struct json *j, int status, const char *description, const char *type,
			 const struct schema *schema)
{
	char key[8];
	status_key(status, key);
	json_object(j, key);
	json_str(j, "description", description);
	if (type) {
		content_begin(j, type);
		if (schema)
			schema_ref(j, "schema", schema->name);
		content_end(j);
	}
	json_object_end(j);
}

static void success_write(struct json *j, const struct http_route *route)
{
	const char *type = route->produces ? route->produces : route->response ? "application/json" : NULL;
	answer_write(j, route->status ? route->status : 200, "Success", type, route->response);
	if (route->later)
		answer_write(j, 202, "Accepted: the job that does it", "application/json", route->later);
	if (is_file(route)) {
		answer_write(j, 206, "The range that was asked for", type, NULL);
		answer_write(j, 304, "The caller has it already", NULL, NULL);
	}
}

/* `other` NULL: only of the one shape. */
static void failure_write(struct json *j, int status, const char *codes, const char *schema, const char *other)
{
	char key[8];
	status_key(status, key);
	json_object(j, key);
	json_str(j, "description", codes);
	content_begin(j, "application/json");
	if (other) {
		json_object(j, "schema");
		json_array(j, "oneOf");
		schema_ref(j, NULL, schema);
		schema_ref(j, NULL, other);
		json_array_end(j);
		json_object_end(j);
	} else {
		schema_ref(j, "schema", schema);
	}
	content_end(j);
	json_object_end(j);
}

/* Conflicts of idempotency keys and faults without a code of their own have the flat shape. */
static const char *may_be_flat(const struct http_route *route, int status)
{
	return status == 500 || (status == 409 && is_keyed(route)) ? "FlatError" : NULL;
}

/* The codes of one status in one description: "project_not_found, branch_not_found". */
static void errors_write(struct json *j, const struct http_route *route)
{
	for (size_t i = 0; route->errors && route->errors[i]; i++) {
		int status = err_row(route->errors[i])->http;
		bool seen = status == 422;
		for (size_t k = 0; k < i && !seen; k++)
			seen = err_row(route->errors[k])->http == status;
		if (seen)
			continue;
		struct buf codes = BUF(4096);
		for (size_t k = i; route->errors[k]; k++) {
			if (err_row(route->errors[k])->http == status)
				buf_printf(&codes, "%s%s", codes.len ? ", " : "", err_row(route->errors[k])->rest);
		}
		if (status == 409 && is_keyed(route))
			buf_str(&codes, ", idempotency_conflict");
		failure_write(j, status, codes.failed ? "" : codes.ptr, "Error", may_be_flat(route, status));
		buf_done(&codes);
	}
}

static bool has_status(const struct http_route *route, int status)
{
	for (size_t i = 0; route->errors && route->errors[i]; i++) {
		if (err_row(route->errors[i])->http == status)
			return true;
	}
	return false;
}

static void responses_write(struct json *j, const struct http_route *route)
{
	json_object(j, "responses");
	success_write(j, route);
	errors_write(j, route);
	if (route->guard != GUARD_NONE && !has_status(route, 401))
		failure_write(j, 401, "No key, or not an admitted one", "Error", NULL);
	if ((route->guard == GUARD_PROJECT || route->guard == GUARD_BRANCH) && !has_status(route, 403))
		failure_write(j, 403, "The key does not admit to this project or branch", "Error", NULL);
	bool validated = route->query || route->body != HTTP_BODY_NONE;
	if (validated)
		failure_write(j, 422, "The query or the body has faults", "ValidationError", NULL);
	if (is_keyed(route) && !has_status(route, 409))
		failure_write(j, 409, "idempotency_conflict", "FlatError", NULL);
	if (route->guard != GUARD_NONE && !has_status(route, 500))
		failure_write(j, 500, "internal_server_error", "FlatError", NULL);
	json_object_end(j);
}

/* get_projects_project_id_stats */
static void operation_id(const struct http_route *route, char *ret, size_t size)
{
	size_t n = 0;
	for (const char *c = http_method_name(route->method); *c && n + 1 < size; c++)
		ret[n++] = (char)tolower((unsigned char)*c);
	for (const char *c = route->path; *c && n + 1 < size; c++) {
		if (isalnum((unsigned char)*c))
			ret[n++] = (char)tolower((unsigned char)*c);
		else if (ret[n - 1] != '_')
			ret[n++] = '_';
	}
	while (n && ret[n - 1] == '_')
		n--;
	ret[n] = '\0';
}

static void operation_write(struct document *doc, const struct http_route *route)
{
	struct json *j = &doc->json;
	char id[256];
	char method[16];
	size_t n = 0;
	for (const char *c = http_method_name(route->method); *c && n + 1 < sizeof(method); c++)
		method[n++] = (char)tolower((unsigned char)*c);
	method[n] = '\0';
	operation_id(route, id, sizeof(id));
	json_object(j, method);
	json_str(j, "operationId", id);
	if (route->summary)
		json_str(j, "summary", route->summary);
	if (route->tag)
		json_strings(j, "tags", &route->tag, 1);
	json_raw(j, "security", route->guard == GUARD_NONE ? "[]" : "[{\"key\":[]}]");
	parameters_write(j, route);
	request_write(j, route);
	responses_write(j, route);
	json_object_end(j);
	schema_note(doc, route->request);
	schema_note(doc, route->response);
	schema_note(doc, route->later);
}

/* Visits the routes that are shown, in order; NULL at the end. */
static const struct http_route *route_at(const struct http_config *config, size_t at)
{
	for (size_t t = 0; t < config->table_count; t++) {
		const struct http_routes *table = config->tables[t];
		if (table->hidden)
			continue;
		if (at < table->count)
			return &table->rows[at];
		at -= table->count;
	}
	return NULL;
}

static bool path_is_first(const struct http_config *config, size_t at)
{
	const char *path = route_at(config, at)->path;
	for (size_t i = 0; i < at; i++) {
		if (strcmp(route_at(config, i)->path, path) == 0)
			return false;
	}
	return true;
}

static void paths_write(struct document *doc)
{
	const struct http_route *route;
	json_object(&doc->json, "paths");
	for (size_t i = 0; (route = route_at(doc->config, i)); i++) {
		const struct http_route *other;
		if (!path_is_first(doc->config, i))
			continue;
		json_object(&doc->json, route->path);
		for (size_t k = i; (other = route_at(doc->config, k)); k++) {
			if (other->method != HTTP_ANY && strcmp(other->path, route->path) == 0)
				operation_write(doc, other);
		}
		json_object_end(&doc->json);
	}
	json_object_end(&doc->json);
}

char *http_openapi(const struct http_config *config, size_t *ret_len)
{
	struct buf out = BUF(LIMIT_RESPONSE_BYTES);
	struct document doc = {.json = JSON(&out), .config = config};
	struct json *j = &doc.json;
	json_object(j, NULL);
	json_str(j, "openapi", "3.1.0");
	json_object(j, "info");
	json_str(j, "title", config->title);
	json_str(j, "version", config->version);
	json_object_end(j);
	paths_write(&doc);
	components_write(&doc);
	json_object_end(j);
	return buf_take(&out, ret_len);
}
