#include "rest/rest.h"

#include "storage/snapshot_settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static struct snapshot_scope scope_of(const struct http_request *req)
{
	return (struct snapshot_scope){
		.project_id = http_param(req, "project_id"),
		.branch_id = http_param(req, "branch_id"),
		.bucket = http_param(req, "bucket_name"),
		.table = http_param(req, "table_name"),
	};
}

/* ---- scalars, read leniently: 1, 0, "true" and "false" are booleans, 30.0 and "30" are integers ---- */

static bool read_bool(const json_t *value, int64_t *ret)
{
	const char *text = json_string_value(value);
	if (json_is_boolean(value))
		*ret = json_is_true(value);
	else if (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) == 1))
		*ret = json_integer_value(value);
	else if (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		*ret = text[0] == 't';
	else
		return false;
	return true;
}

/* Any integer; what does not fit in 64 bits is far out of every range and becomes the nearest one that does. */
static bool read_text_int(const char *text, int64_t *ret)
{
	size_t sign = text[0] == '-' || text[0] == '+';
	size_t digits = strspn(text + sign, "0123456789");
	if (digits == 0 || text[sign + digits])
		return false;
	*ret = strtoll(text, NULL, 10);
	return true;
}

static bool read_int(const json_t *value, int64_t *ret)
{
	const double edge = 9e18;
	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	if (json_is_string(value))
		return read_text_int(json_string_value(value), ret);
	double number = json_is_real(value) ? json_real_value(value) : 0.5;
	if (number != floor(number))
		return false;
	*ret = number > edge ? INT64_MAX : number < -edge ? INT64_MIN : (int64_t)number;
	return true;
}

/* ---- the body ---- */

struct reading {
	struct http_request *req;
	struct snapshot_config *config;
};

static void leaf_read(struct reading *r, enum snapshot_leaf leaf, const json_t *value, const struct fault_loc *loc)
{
	bool is_bool = snapshot_leaves[leaf].is_bool;
	if (!value || json_is_null(value))
		return;
	r->config->set[leaf] =
		is_bool ? read_bool(value, &r->config->values[leaf]) : read_int(value, &r->config->values[leaf]);
	if (!r->config->set[leaf])
		faults_add(&r->req->faults, is_bool ? "bool_parsing" : "int_parsing", loc,
			   is_bool ? "Input should be a valid boolean" : "Input should be a valid integer", value,
			   NULL);
}

static bool leaf_known(const char *group, const char *name)
{
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		const struct snapshot_leaf_row *leaf = &snapshot_leaves[i];
		if (leaf->group && strcmp(leaf->group, group) == 0 && strcmp(leaf->name, name) == 0)
			return true;
	}
	return false;
}

/* One of the two objects; `strict`: an unknown member is a fault, else it is ignored. */
static void group_read(struct reading *r, const struct fault_loc *body, const char *group, bool strict)
{
	json_t *object = json_object_get(r->req->body, group);
	struct fault_loc at = {.parent = body, .name = group};
	const char *name;
	json_t *value;
	if (!object || json_is_null(object))
		return;
	if (!json_is_object(object)) {
		faults_add(&r->req->faults, "model_attributes_type", &at, "Input should be a valid dictionary", object,
			   NULL);
		return;
	}
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		struct fault_loc loc = {.parent = &at, .name = snapshot_leaves[i].name};
		if (snapshot_leaves[i].group && strcmp(snapshot_leaves[i].group, group) == 0)
			leaf_read(r, (enum snapshot_leaf)i, json_object_get(object, snapshot_leaves[i].name), &loc);
	}
	json_object_foreach(object, name, value)
	{
		struct fault_loc loc = {.parent = &at, .name = name};
		if (strict && !leaf_known(group, name))
			faults_add(&r->req->faults, "extra_forbidden", &loc, "Extra inputs are not permitted", value,
				   NULL);
	}
}

static bool config_read(struct http_request *req, struct snapshot_config *ret, struct err *err)
{
	struct reading r = {.req = req, .config = ret};
	struct fault_loc body = {.name = "body"};
	struct fault_loc enabled = {.parent = &body, .name = "enabled"};
	*ret = (struct snapshot_config){0};
	group_read(&r, &body, "auto_snapshot_triggers", true);
	group_read(&r, &body, "retention", false);
	leaf_read(&r, LEAF_ENABLED, json_object_get(req->body, "enabled"), &enabled);
	return req->faults.count == 0 ||
	       err_set(err, ERR_VALIDATION, "The snapshot settings have members that are not valid");
}

/* ---- handlers ---- */

static void settings_write(struct http_response *res, const struct snapshot_settings *settings)
{
	struct snapshot_config all;
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		all.set[i] = true;
		all.values[i] = settings->values[i];
	}
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	snapshot_config_write(j, "effective_config", &all);
	json_object(j, "inheritance");
	for (int i = 0; i < SNAPSHOT_LEAVES; i++)
		json_str(j, snapshot_leaves[i].dotted, snapshot_level_name(settings->from[i]));
	json_object_end(j);
	if (snapshot_config_empty(&settings->local))
		json_null(j, "local_config");
	else
		snapshot_config_write(j, "local_config", &settings->local);
	json_object_end(j);
}

static bool settings_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot_settings settings;
	if (!snapshot_settings_get(rest_storage(req), &req->call, scope_of(req), &settings, err))
		return false;
	settings_write(res, &settings);
	return true;
}

static bool settings_put(struct http_request *req, struct http_response *res, struct err *err)
{
	struct snapshot_settings settings;
	struct snapshot_config config;
	if (!config_read(req, &config, err) ||
	    !snapshot_settings_put(rest_storage(req), &req->call, scope_of(req), &config, &settings, err))
		return false;
	settings_write(res, &settings);
	return true;
}

static bool settings_delete(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!snapshot_settings_delete(rest_storage(req), &req->call, scope_of(req), err))
		return false;
	http_empty(res, 204);
	return true;
}

/* ---- shapes ---- */

static const struct field trigger_fields[] = {{.name = "drop_table", .type = FIELD_BOOL},
					      {.name = "truncate_table", .type = FIELD_BOOL},
					      {.name = "delete_all_rows", .type = FIELD_BOOL},
					      {.name = "drop_column", .type = FIELD_BOOL},
					      {0}};
static const struct schema trigger_schema = {"SnapshotTriggers", trigger_fields, NULL};
static const struct field retention_fields[] = {
	{.name = "manual_days", .type = FIELD_INT}, {.name = "auto_days", .type = FIELD_INT}, {0}};
static const struct schema retention_schema = {"SnapshotRetention", retention_fields, NULL};
static const struct field config_fields[] = {
	{.name = "auto_snapshot_triggers", .type = FIELD_OBJECT, .object = &trigger_schema},
	{.name = "retention", .type = FIELD_OBJECT, .object = &retention_schema},
	{.name = "enabled", .type = FIELD_BOOL},
	{0}};
static const struct schema config_schema = {"SnapshotConfig", config_fields, NULL};
static const struct field settings_fields[] = {
	{.name = "effective_config", .type = FIELD_OBJECT, .object = &config_schema},
	{.name = "inheritance",
	 .type = FIELD_MAP,
	 .help = "Level that each value comes from: system, project, bucket or table"},
	{.name = "local_config",
	 .type = FIELD_OBJECT,
	 .nullable = true,
	 .help = "What is set at this very level; null when nothing is"},
	{0}};
static const struct schema settings_schema = {"SnapshotSettings", settings_fields, NULL};
/* Checked by config_read, which takes more than these types. */
static const struct field put_fields[] = {
	{.name = "auto_snapshot_triggers",
	 .type = FIELD_ANY,
	 .nullable = true,
	 .help = "{drop_table, truncate_table, delete_all_rows, drop_column}: booleans; absent ones are inherited"},
	{.name = "retention",
	 .type = FIELD_ANY,
	 .nullable = true,
	 .help = "{manual_days, auto_days}: 1 to 3650; absent ones are inherited"},
	{.name = "enabled", .type = FIELD_ANY, .nullable = true, .help = "false: no snapshots at all"},
	{0}};
static const struct schema put_schema = {"SnapshotSettingsUpdate", put_fields, NULL};

#define LEVEL_ERRORS ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED, ERR_PROJECT_DB_NOT_FOUND

static const enum err_code project_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_PROJECT_DB_NOT_FOUND, ERR_INVALID_CONFIG,
					       ERR_NONE};
static const enum err_code bucket_errors[] = {LEVEL_ERRORS, ERR_BUCKET_NOT_FOUND, ERR_INVALID_CONFIG, ERR_NONE};
static const enum err_code table_errors[] = {LEVEL_ERRORS, ERR_BUCKET_NOT_FOUND, ERR_TABLE_NOT_FOUND,
					     ERR_INVALID_CONFIG, ERR_NONE};

#define LEVEL_ROUTES(base, guards, faults, whose)                                                                \
	{.method = HTTP_GET,                                                                                     \
	 .path = base "/settings/snapshots",                                                                     \
	 .guard = (guards),                                                                                      \
	 .run = HTTP_READ,                                                                                       \
	 .handler = settings_get,                                                                                \
	 .response = &settings_schema,                                                                           \
	 .errors = (faults),                                                                                     \
	 .tag = "Snapshot settings",                                                                             \
	 .summary = "Show the snapshot settings of " whose},                                                     \
		{.method = HTTP_PUT,                                                                             \
		 .path = base "/settings/snapshots",                                                             \
		 .guard = (guards),                                                                              \
		 .run = HTTP_WRITE,                                                                              \
		 .body = HTTP_BODY_JSON,                                                                         \
		 .handler = settings_put,                                                                        \
		 .request = &put_schema,                                                                         \
		 .response = &settings_schema,                                                                   \
		 .errors = (faults),                                                                             \
		 .tag = "Snapshot settings",                                                                     \
		 .summary = "Replace what is set at the level of " whose},                                       \
	{                                                                                                        \
		.method = HTTP_DELETE, .path = base "/settings/snapshots", .guard = (guards), .run = HTTP_WRITE, \
		.handler = settings_delete, .status = 204, .errors = (faults), .tag = "Snapshot settings",       \
		.summary = "Drop what is set at the level of " whose                                             \
	}

static const struct http_route routes[] = {
	LEVEL_ROUTES(REST_PROJECT, GUARD_PROJECT, project_errors, "a project"),
	LEVEL_ROUTES(REST_BUCKET, GUARD_BRANCH, bucket_errors, "a bucket"),
	LEVEL_ROUTES(REST_TABLE, GUARD_BRANCH, table_errors, "a table"),
};

REST_RESOURCE(snapshot_setting, routes);
