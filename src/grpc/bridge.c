#include "base/clock.h"
#include "base/log.h"
#include "grpc/command.h"
#include "grpc/driver.h"
#include "grpc/json.h"

static struct storage *bridge_storage(const struct http_request *req)
{
	return req->ctx;
}

/* ---- commands ---- */

static void command_write(struct json *j, const struct driver_command *command, struct arena *arena)
{
	json_object(j, NULL);
	json_str(j, "type", command->name);
	json_str(j, "description", command->description);
	json_raw(j, "example",
		 arena_printf(arena, "{\"type\":\"%s\"%s%s}", command->name, *command->example ? "," : "",
			      command->example));
	json_object_end(j);
}

static size_t commands_write(struct json *j, const char *key, struct arena *arena, bool additional)
{
	size_t n = 0;
	json_array(j, key);
	for (size_t i = 0; i < driver_command_count; i++) {
		if (driver_commands[i].additional != additional)
			continue;
		command_write(j, &driver_commands[i], arena);
		n++;
	}
	json_array_end(j);
	return n;
}

static bool commands_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	size_t n = commands_write(j, "supported_commands", req->arena, false);
	json_uint(j, "total_commands", n);
	(void)commands_write(j, "additional_commands", req->arena, true);
	json_object_end(j);
	return true;
}

/* ---- execute: who asks for which project ---- */

static const char *not_empty(const char *text)
{
	return text && *text ? text : NULL;
}

/* A project key must name its project, whatever the command; the admin key need not. */
static bool credentials_check(struct driver_call *c, const json_t *body, struct err *err)
{
	const json_t *credentials = body_get(body, "credentials");
	const struct principal *who = &c->call->who;
	const char *host = credentials ? not_empty(body_str(credentials, "host")) : NULL;
	const char *project = credentials ? not_empty(body_str(credentials, "project_id")) : NULL;
	c->project = host ? host : project;
	if (who->kind == WHO_ADMIN)
		return true;
	const char *other = !project || strcmp(project, who->project_id) != 0 ? project
			    : host && strcmp(host, who->project_id) != 0      ? host
									      : who->project_id;
	if (who->kind == WHO_PROJECT && other == who->project_id)
		return true;
	c->refused = true;
	if (who->kind != WHO_PROJECT)
		return err_set(err, ERR_FORBIDDEN, "Driver commands need the admin key or a project_admin key");
	return err_set(err, ERR_FORBIDDEN, "API key is for project %s, but request is for project %s", who->project_id,
		       other ? other : "None");
}

static bool command_find(const json_t *command, const struct driver_command **ret, struct err *err)
{
	const json_t *type = json_object_get(command, "type");
	const char *name = json_string_value(type && !json_is_null(type) ? type : json_object_get(command, "@type"));
	if (!name || !*name)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "Command must contain 'type' field (e.g., 'InitBackendCommand')");
	struct span last = message_last_name(message_url_name(name));
	*ret = driver_command_named(last);
	return *ret || err_set(err, ERR_UNIMPLEMENTED, "Unsupported command type: %.*s",
			       (int)span_first(last, LIMIT_NAME_BYTES).len, last.ptr);
}

/* ---- execute: the answer ---- */

static const char *level_name(enum driver_level level)
{
	return level <= DRIVER_ERROR ? "Error" : level == DRIVER_WARNING ? "Warning" : "Info";
}

static bool answer_write(const struct driver_call *c, struct http_response *res, struct err *err)
{
	struct json *j = http_json(res, 200);
	bool fine = true;
	json_object(j, NULL);
	if (c->response)
		fine = message_write_json(j, "commandResponse", c->response,
					  arena_printf(c->arena, TYPE_URL_PREFIX "%s", c->response->descriptor->name),
					  err);
	else
		json_null(j, "commandResponse");
	json_array(j, "messages");
	for (size_t i = 0; i < c->message_count; i++) {
		json_object(j, NULL);
		json_str(j, "level", level_name(c->messages[i].level));
		json_str(j, "message", c->messages[i].text);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	if (c->command->secret)
		http_secret(res);
	return fine;
}

static const char *run_id_of(const json_t *options)
{
	const char *id = options ? body_str(options, "runId") : NULL;
	return not_empty(id) ? id : not_empty(options ? body_str(options, "run_id") : NULL);
}

static void log_command(const struct driver_call *c, const json_t *options, const char *outcome)
{
	const json_t *tags = options ? body_get(options, "queryTags") : NULL;
	tags = tags || !options ? tags : body_get(options, "query_tags");
	if (log_enabled(LOG_INFO))
		log_event(LOG_INFO, "driver command", "command", LOG_S(c->command->label), "transport", LOG_S("http"),
			  "request_id", LOG_S(c->call->request_id), "run_id", LOG_S(c->call->run_id), "query_tags",
			  LOG_S(tags ? json_value_text(c->arena, tags) : NULL), "status", LOG_S(outcome), NULL);
}

static bool execute_post(struct http_request *req, struct http_response *res, struct err *err)
{
	static const char *const skip[] = {"type", "@type", NULL};
	int64_t start = clock_ns();
	struct driver_call *c = arena_new_of(req->arena, struct driver_call);
	const json_t *json = body_get(req->body, "command");
	const json_t *options = body_get(req->body, "runtimeOptions");
	ProtobufCMessage *message;
	req->call.run_id = run_id_of(options);
	*c = (struct driver_call){.storage = bridge_storage(req), .call = &req->call, .arena = req->arena};
	/* Until it reaches its handler a call is a matter of HTTP alone. */
	if (!credentials_check(c, req->body, err) || !command_find(json, &c->command, err) || !driver_admit(c, err) ||
	    !message_read_json(req->arena, c->command->request, json, skip, &message, err))
		return false;
	bool fine = driver_run(c, message, err) && answer_write(c, res, err);
	if (!c->refused) {
		enum err_code code = !fine ? err->code : c->failed ? ERR_INVALID_ARGUMENT : ERR_NONE;
		driver_count(c->command, DRIVER_OVER_HTTP, code, start);
		log_command(c, options, code == ERR_NONE ? "success" : driver_status_of(code)->label);
	}
	return fine;
}

/* Errors of commands are {"detail": "text"}; those of the transport look as everywhere. */
static void error_render(struct http_request *req, struct http_response *res, const struct err *err)
{
	const struct err_row *row = err_row(err->code);
	if (row->grpc == GRPC_UNAUTHENTICATED || err->code == ERR_VALIDATION || err->code == ERR_IDEMPOTENCY_CONFLICT) {
		http_error_render(req, res, err);
		return;
	}
	struct json *j = http_json(res, driver_status(row->grpc)->http);
	json_object(j, NULL);
	json_str(j, "detail", err->message);
	json_object_end(j);
	if (row->grpc == GRPC_UNAVAILABLE)
		http_add(res, "Retry-After", "1");
}

static const struct field credentials_fields[] = {
	{.name = "host", .type = FIELD_STRING, .nullable = true, .help = "Project id"},
	{.name = "project_id",
	 .type = FIELD_STRING,
	 .nullable = true,
	 .help = "Project id; with a project key required"},
	{.name = "principal", .type = FIELD_STRING, .nullable = true, .help = "Not used here"},
	{.name = "secret", .type = FIELD_STRING, .nullable = true, .help = "Not used here"},
	{0}};
static const struct schema credentials_schema = {"DriverCredentials", credentials_fields, NULL};
static const struct field options_fields[] = {
	{.name = "runId", .type = FIELD_STRING, .nullable = true, .help = "Id of the calling job, for the logs"},
	{.name = "run_id", .type = FIELD_STRING, .nullable = true},
	{.name = "queryTags", .type = FIELD_MAP, .nullable = true},
	{.name = "query_tags", .type = FIELD_MAP, .nullable = true},
	{0}};
static const struct schema options_schema = {"DriverRuntimeOptions", options_fields, NULL};
static const struct field execute_fields[] = {
	{.name = "command", .type = FIELD_OBJECT, .required = true, .help = "type, and the fields of that message"},
	{.name = "credentials", .type = FIELD_OBJECT, .nullable = true, .object = &credentials_schema},
	{.name = "features", .type = FIELD_LIST, .items = FIELD_STRING, .nullable = true},
	{.name = "runtimeOptions", .type = FIELD_OBJECT, .nullable = true, .object = &options_schema},
	{0}};
static const struct schema execute_schema = {"DriverExecute", execute_fields, NULL};
static const struct field message_fields[] = {
	{.name = "level", .type = FIELD_STRING}, {.name = "message", .type = FIELD_STRING}, {0}};
static const struct schema message_schema = {"DriverMessage", message_fields, NULL};
static const struct field result_fields[] = {
	{.name = "commandResponse", .type = FIELD_OBJECT, .nullable = true, .help = "The response message, with @type"},
	{.name = "messages", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &message_schema},
	{0}};
static const struct schema result_schema = {"DriverResult", result_fields, NULL};
static const struct field command_fields[] = {{.name = "type", .type = FIELD_STRING},
					      {.name = "description", .type = FIELD_STRING},
					      {.name = "example", .type = FIELD_OBJECT},
					      {0}};
static const struct schema command_schema = {"DriverCommand", command_fields, NULL};
static const struct field commands_fields[] = {
	{.name = "supported_commands", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &command_schema},
	{.name = "total_commands", .type = FIELD_INT},
	{.name = "additional_commands", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &command_schema},
	{0}};
static const struct schema commands_schema = {"DriverCommandList", commands_fields, NULL};

static const enum err_code execute_errors[] = {ERR_INVALID_ARGUMENT, ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = "/driver/execute",
	 .guard = GUARD_DRIVER,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = execute_post,
	 .request = &execute_schema,
	 .response = &result_schema,
	 .errors = execute_errors,
	 .tag = "Driver",
	 .summary = "Run one command of the storage driver"},
	{.method = HTTP_GET,
	 .path = "/driver/commands",
	 .guard = GUARD_NONE,
	 .run = HTTP_INLINE,
	 .handler = commands_get,
	 .response = &commands_schema,
	 .tag = "Driver",
	 .summary = "The commands of the storage driver, with examples"},
};

const struct http_routes *driver_routes(struct storage *storage)
{
	static struct http_routes table = {
		.rows = routes, .count = ARRAY_LEN(routes), .door = DOOR_BRIDGE, .error_render = error_render};
	table.ctx = storage;
	return &table;
}
