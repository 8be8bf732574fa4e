#include "grpc/command.h"

#include "base/clock.h"
#include "metrics/metrics.h"
#include "storage/place.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- the table ---- */

const struct driver_command *driver_command_named(struct span last_name)
{
	for (size_t i = 0; i < driver_command_count; i++) {
		const char *name = driver_commands[i].name;
		if (last_name.len && *name == *last_name.ptr && span_is(last_name, name))
			return &driver_commands[i];
	}
	return NULL;
}

bool driver_command_of_url(const char *type_url, const struct driver_command **ret, struct err *err)
{
	struct span full = message_url_name(type_url);
	struct span last = message_last_name(full);
	const struct driver_command *command = driver_command_named(last);
	*ret = command;
	if (!command)
		return err_set(err, ERR_UNIMPLEMENTED, "Unsupported command: %.*s",
			       (int)span_first(last, LIMIT_NAME_BYTES).len, last.ptr);
	if (!span_is(full, command->request->name))
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown command type %.*s, expected %s",
			       (int)span_first(full, 2 * LIMIT_NAME_BYTES).len, full.ptr, command->request->name);
	return true;
}

/* ---- access ---- */

static bool refuse(struct driver_call *c)
{
	c->refused = true;
	return false;
}

bool driver_admit(struct driver_call *c, struct err *err)
{
	const struct principal *who = &c->call->who;
	if (who->kind == WHO_ADMIN)
		return true;
	if (c->command->access == DRIVER_ADMIN) {
		(void)err_set(err, ERR_FORBIDDEN, "Command %s requires admin API key", c->command->name);
		return refuse(c);
	}
	if (who->kind != WHO_PROJECT) {
		(void)err_set(err, ERR_FORBIDDEN, "Driver commands need the admin key or a project_admin key");
		return refuse(c);
	}
	if (c->project && strcmp(c->project, who->project_id) != 0)
		return driver_clear(c, c->project, err);
	return true;
}

bool driver_clear(struct driver_call *c, const char *project_id, struct err *err)
{
	const struct principal *who = &c->call->who;
	if (who->kind == WHO_PROJECT && strcmp(who->project_id, project_id) != 0) {
		(void)err_set(err, ERR_FORBIDDEN, "API key is for project %s, but request is for project %s",
			      who->project_id, project_id);
		return refuse(c);
	}
	if (who->kind != WHO_ADMIN && who->kind != WHO_PROJECT) {
		(void)err_set(err, ERR_FORBIDDEN, "Driver commands need the admin key or a project_admin key");
		return refuse(c);
	}
	c->cleared = true;
	return driver_name_check("project_id", project_id, err);
}

bool driver_clear_own(struct driver_call *c, const char **ret_project, struct err *err)
{
	if (!c->project)
		return err_set(err, ERR_INVALID_ARGUMENT, "Credentials with project_id required for %s",
			       c->command->label);
	*ret_project = c->project;
	return driver_clear(c, c->project, err);
}

void driver_forgive(struct driver_call *c, const enum err_code *codes, size_t n)
{
	struct call *call = arena_new_of(c->arena, struct call);
	*call = *c->call;
	call->forgiven = codes;
	call->forgiven_count = n;
	c->call = call;
}

bool driver_run(struct driver_call *c, const ProtobufCMessage *message, struct err *err)
{
	if (c->call->who.kind == WHO_ADMIN || c->command->access == DRIVER_ANY)
		c->cleared = true;
	if (!c->command->run(c, message, err))
		return false;
	if (!c->cleared)
		return err_set(err, ERR_INTERNAL, "Command %s did not say on which project it works", c->command->name);
	return true;
}

/* ---- for handlers ---- */

void driver_log(struct driver_call *c, enum driver_level level, const char *fmt, ...)
{
	struct buf text = BUF(4096);
	va_list args;
	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	if (!text.failed && c->message_count < DRIVER_MESSAGES_MAX)
		c->messages[c->message_count++] =
			(struct driver_message){.level = level, .text = arena_copy(c->arena, buf_view(&text))};
	buf_done(&text);
}

void *driver_answer(struct driver_call *c)
{
	void *message = message_new(c->arena, c->command->response);
	c->response = message;
	return message;
}

bool driver_need(const char *value, const char *name, struct err *err)
{
	return (value && *value) || err_set(err, ERR_INVALID_ARGUMENT, "%s is required", name);
}

bool driver_name_check(const char *what, const char *name, struct err *err)
{
	return place_name_ok(name) ||
	       err_set(err, ERR_INVALID_ARGUMENT,
		       "%s must be 1 to %d letters, digits, '_', '.' or '-', beginning with a letter or digit", what,
		       LIMIT_NAME_BYTES);
}

const char *driver_branch(const char *branch_id)
{
	return !branch_id || !*branch_id ? BRANCH_MAIN : branch_id;
}

const char *driver_object_name(struct arena *arena, const char *bucket_id)
{
	char *name = arena_strdup(arena, bucket_id);
	for (char *c = name; *c; c++) {
		if (*c == '.' || *c == '-')
			*c = '_';
	}
	return name;
}

const char *driver_bucket_name(struct driver_call *c, const char *project_id, const char *name)
{
	struct bucket bucket;
	struct bucket_link link;
	struct catalog *catalog = c->storage->catalog;
	const char *folded = driver_object_name(c->arena, name);
	if (strcmp(folded, name) == 0 || catalog_get_bucket(catalog, c->arena, KEY(project_id, name), &bucket) ||
	    catalog_get_bucket_link(catalog, c->arena, KEY(project_id, name), &link))
		return name;
	bool known = catalog_get_bucket(catalog, c->arena, KEY(project_id, folded), &bucket) ||
		     catalog_get_bucket_link(catalog, c->arena, KEY(project_id, folded), &link);
	return known ? folded : name;
}

bool driver_path(struct driver_call *c, char *const *path, size_t n, const char *table, struct driver_place *ret,
		 struct err *err)
{
	const char *branch = n == 3 ? path[1] : "";
	if (n == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "Path must contain at least bucket_name");
	if (n > 3)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "Path must contain at most [project_id, branch_id, bucket_name]");
	if (n == 1 && !c->project)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "Path must contain [project_id, bucket_name] or credentials must have project_id");
	const char *project = n == 1 ? c->project : path[0];
	const char *bucket = path[n - 1];
	if (!driver_clear(c, project, err) || (*branch && !driver_name_check("branch_id", branch, err)) ||
	    !driver_name_check("bucket_name", bucket, err) || (table && !driver_name_check("tableName", table, err)))
		return false;
	*ret = (struct driver_place){.project_id = project,
				     .branch_id = driver_branch(branch),
				     .bucket = driver_bucket_name(c, project, bucket),
				     .table = table};
	return true;
}

bool driver_recode(struct err *err, const struct driver_recode *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (err->code == rows[i].from)
			return err_recode(err, rows[i].to);
	}
	return false;
}

struct op_target driver_op_target(const struct driver_place *place)
{
	return (struct op_target){.project_id = place->project_id,
				  .branch_id = place->branch_id,
				  .bucket = place->bucket,
				  .table = place->table};
}

bool driver_missing(struct err *err, const struct driver_place *place, bool named)
{
	if (err->code == ERR_PROJECT_DB_NOT_FOUND)
		return err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", place->project_id);
	if (err->code == ERR_BUCKET_NOT_FOUND && (named || !place->table)) {
		if (named)
			return err_set(err, ERR_BUCKET_NOT_FOUND, "Bucket %s not found in project %s", place->bucket,
				       place->project_id);
		return err_set(err, ERR_BUCKET_NOT_FOUND, "Bucket not found: %s/%s", place->project_id, place->bucket);
	}
	if (!named && (err->code == ERR_TABLE_NOT_FOUND || err->code == ERR_BUCKET_NOT_FOUND))
		return err_set(err, ERR_TABLE_NOT_FOUND, "Table not found: %s/%s/%s", place->project_id, place->bucket,
			       place->table);
	return false;
}

/* ---- statuses ---- */

static const struct driver_status statuses[] = {
	{GRPC_OK, "OK", NULL, 200},
	{GRPC_CANCELLED, "Canceled", "cancelled", 499},
	{GRPC_UNKNOWN, "Unknown", "internal", 500},
	{GRPC_INVALID_ARGUMENT, "InvalidArgument", "invalid_argument", 400},
	{GRPC_DEADLINE_EXCEEDED, "DeadlineExceeded", "deadline_exceeded", 504},
	{GRPC_NOT_FOUND, "NotFound", "not_found", 404},
	{GRPC_ALREADY_EXISTS, "AlreadyExists", "already_exists", 409},
	{GRPC_PERMISSION_DENIED, "PermissionDenied", "permission_denied", 403},
	{GRPC_RESOURCE_EXHAUSTED, "ResourceExhausted", "resource_exhausted", 413},
	{GRPC_FAILED_PRECONDITION, "FailedPrecondition", "failed_precondition", 409},
	{GRPC_UNIMPLEMENTED, "Unimplemented", "unimplemented", 400},
	{GRPC_INTERNAL, "Internal", "internal", 500},
	{GRPC_UNAVAILABLE, "Unavailable", "unavailable", 503},
	{GRPC_UNAUTHENTICATED, "Unauthenticated", "unauthenticated", 401},
};

const struct driver_status *driver_status(enum err_grpc grpc)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].grpc == grpc)
			return &statuses[i];
	}
	return driver_status(GRPC_INTERNAL);
}

const struct driver_status *driver_status_of(enum err_code code)
{
	return driver_status(err_row(code)->grpc);
}

/* ---- counting ---- */

enum { TRANSPORTS = 2, COMMANDS_MAX = 64 };

/* Series of one label of `command`, found once; those of errors by kind are rare enough to be looked up. */
struct command_series {
	struct series *requests[2]; /* error, success */
	struct series *commands[TRANSPORTS][2];
	struct series *seconds;
};

static struct command_series counters[COMMANDS_MAX]; /* the last one: unknown */
static pthread_once_t counters_once = PTHREAD_ONCE_INIT;
static const char *const outcomes[2] = {"error", "success"};

static const char *command_label(size_t at)
{
	return at < driver_command_count && !driver_commands[at].additional ? driver_commands[at].label : "unknown";
}

static void counters_resolve(void)
{
	static const char *const transports[TRANSPORTS] = {"grpc", "http"};
	assert(driver_command_count < COMMANDS_MAX);
	for (size_t i = 0; i <= driver_command_count; i++) {
		const char *label = command_label(i);
		struct command_series *c = &counters[i];
		c->seconds = metric_series(METRIC_GRPC_REQUEST_DURATION_SECONDS, label, NULL);
		for (int s = 0; s < 2; s++) {
			c->requests[s] = metric_series(METRIC_GRPC_REQUESTS_TOTAL, label, outcomes[s], NULL);
			for (size_t t = 0; t < TRANSPORTS; t++)
				c->commands[t][s] = metric_series(METRIC_DRIVER_COMMANDS_TOTAL, label, transports[t],
								  outcomes[s], NULL);
		}
	}
}

void driver_count(const struct driver_command *command, enum driver_transport transport, enum err_code code,
		  int64_t start_ns)
{
	size_t at = command ? (size_t)(command - driver_commands) : driver_command_count;
	const struct command_series *c = &counters[at];
	bool fine = code == ERR_NONE;
	(void)pthread_once(&counters_once, counters_resolve);
	metric_inc(c->requests[fine]);
	metric_inc(c->commands[transport][fine]);
	metric_observe_since(c->seconds, start_ns);
	if (!fine)
		metric_inc(metric_series(METRIC_GRPC_ERRORS_TOTAL, command_label(at), driver_status_of(code)->label,
					 NULL));
}
