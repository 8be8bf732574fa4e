#include "rest/rest.h"

#include "storage/branch.h"

static void members_write(struct json *j, const struct branch_info *b)
{
	json_str(j, "id", b->row.id);
	json_str(j, "project_id", b->row.project_id);
	json_str(j, "name", b->row.name);
	json_time(j, "created_at", b->row.created_at);
	json_str(j, "created_by", b->row.created_by);
	json_str(j, "description", b->row.description);
	json_int(j, "table_count", b->table_count);
	json_int(j, "size_bytes", b->size_bytes);
}

static bool branch_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct branch_info branch;
	const char *name = body_str(req->body, "name");
	const json_t *input = body_get(req->body, "name");
	if (!*name)
		return http_fault(req, err, "name", "string_too_short", "String should have at least 1 character",
				  input);
	if (strlen(name) > BRANCH_NAME_BYTES_MAX)
		return http_fault(req, err, "name", "string_too_long", "String should have at most 1024 bytes", NULL);
	if (!branch_create(rest_storage(req), &req->call, http_param(req, "project_id"), name,
			   body_str(req->body, "description"), &branch, err))
		return false;
	struct json *j = http_json(res, 201);
	json_object(j, NULL);
	members_write(j, &branch);
	json_object_end(j);
	return true;
}

static bool branches_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct branch_info *branches;
	size_t n;
	if (!branch_list(rest_storage(req), &req->call, http_param(req, "project_id"), http_query_int(req, "limit"),
			 http_query_int(req, "offset"), &branches, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_array(j, "branches");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		members_write(j, &branches[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "count", n);
	json_object_end(j);
	return true;
}

static bool branch_get_one(struct http_request *req, struct http_response *res, struct err *err)
{
	struct branch_info branch;
	struct table_row *tables;
	size_t n;
	if (!branch_get(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			&branch, &tables, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	members_write(j, &branch);
	json_array(j, "copied_tables");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "bucket_name", tables[i].bucket);
		json_str(j, "table_name", tables[i].name);
		json_time(j, "copied_at", tables[i].copied_at);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

static bool branch_delete_one(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!branch_delete(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   err))
		return false;
	http_empty(res, 204);
	return true;
}

static bool pull_post(struct http_request *req, struct http_response *res, struct err *err)
{
	bool was_local;
	const char *bucket = http_param(req, "bucket_name");
	const char *table = http_param(req, "table_name");
	if (!branch_pull(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			 bucket, table, &was_local, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "bucket_name", bucket);
	json_str(j, "table_name", table);
	json_str(j, "message",
		 was_local ? "Table now reads from main (live view)"
			   : "Table is already reading from main (live view)");
	json_bool(j, "was_local", was_local);
	json_object_end(j);
	return true;
}

static void conflict_write(struct json *j, enum branch_conflict conflict)
{
	json_str(j, "conflict", branch_conflict_name(conflict));
}

static bool diff_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct branch_table_diff *rows;
	size_t n;
	const char *bucket = http_query(req, "bucket");
	const char *table = http_query(req, "table");
	if (!branch_diff(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			 bucket && *bucket ? bucket : NULL, table && *table ? table : NULL, &rows, &n, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "branch_id", http_param(req, "branch_id"));
	json_array(j, "tables");
	for (size_t i = 0; i < n; i++) {
		const struct branch_table_diff *d = &rows[i];
		json_object(j, NULL);
		json_str(j, "bucket_name", d->table.row.bucket);
		json_str(j, "table_name", d->table.row.name);
		json_str(j, "change", branch_change_name(d->change));
		conflict_write(j, d->table.conflict);
		json_strings(j, "columns_added", d->columns_added, d->columns_added_count);
		json_strings(j, "columns_removed", d->columns_removed, d->columns_removed_count);
		json_strings(j, "columns_changed", d->columns_changed, d->columns_changed_count);
		json_bool(j, "primary_key_changed", d->key_changed);
		json_str(j, "compared_by", d->by_key ? "primary_key" : "rows");
		json_int(j, "rows_added", d->rows_added);
		json_int(j, "rows_removed", d->rows_removed);
		json_int(j, "rows_changed", d->rows_changed);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "total", n);
	json_object_end(j);
	return true;
}

static bool merge_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct branch_merged merged;
	struct branch_merge request = {.dry_run = body_bool(req->body, "dry_run", false),
				       .overwrite = body_bool(req->body, "overwrite", false)};
	const json_t *list = body_get(req->body, "tables");
	if (list) {
		size_t n = json_array_size(list);
		struct branch_merge_name *names = arena_array(req->arena, struct branch_merge_name, n + 1);
		for (size_t i = 0; i < n; i++)
			names[i] = (struct branch_merge_name){body_str(json_array_get(list, i), "bucket"),
							      body_str(json_array_get(list, i), "table")};
		request.names = names;
		request.name_count = n;
	}
	if (!branch_merge(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			  &request, &merged, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_bool(j, "dry_run", request.dry_run);
	json_array(j, "tables");
	for (size_t i = 0; i < merged.count; i++) {
		const struct branch_table *t = &merged.tables[i];
		json_object(j, NULL);
		json_str(j, "bucket_name", t->row.bucket);
		json_str(j, "table_name", t->row.name);
		json_str(j, "change", branch_change_name(t->on_main ? CHANGE_CHANGED : CHANGE_ADDED));
		json_int(j, "row_count", t->row.row_count);
		conflict_write(j, t->conflict);
		json_object_end(j);
	}
	json_array_end(j);
	json_uint(j, "conflict_count", merged.conflict_count);
	json_object_end(j);
	return true;
}

#define BRANCH_FIELDS                                                                                 \
	{.name = "id", .type = FIELD_STRING}, {.name = "project_id", .type = FIELD_STRING},           \
		{.name = "name", .type = FIELD_STRING}, {.name = "created_at", .type = FIELD_TIME},   \
		{.name = "created_by", .type = FIELD_STRING, .nullable = true},                       \
		{.name = "description", .type = FIELD_STRING, .nullable = true},                      \
		{.name = "table_count", .type = FIELD_INT, .help = "Tables that live in the branch"}, \
	{                                                                                             \
		.name = "size_bytes", .type = FIELD_INT                                               \
	}

static const struct field branch_fields[] = {BRANCH_FIELDS, {0}};
static const struct schema branch_schema = {"Branch", branch_fields, NULL};
static const struct field copied_fields[] = {{.name = "bucket_name", .type = FIELD_STRING},
					     {.name = "table_name", .type = FIELD_STRING},
					     {.name = "copied_at", .type = FIELD_TIME},
					     {0}};
static const struct schema copied_schema = {"BranchCopiedTable", copied_fields, NULL};
static const struct field detail_fields[] = {
	BRANCH_FIELDS,
	{.name = "copied_tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &copied_schema},
	{0}};
static const struct schema detail_schema = {"BranchDetail", detail_fields, NULL};
static const struct field list_fields[] = {
	{.name = "branches", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &branch_schema},
	{.name = "count", .type = FIELD_INT, .help = "Branches on this page"},
	{0}};
static const struct schema list_schema = {"BranchList", list_fields, NULL};
static const struct field new_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .help = "Any text, unique in the project"},
	{.name = "description", .type = FIELD_STRING, .nullable = true},
	{0}};
static const struct schema new_schema = {"BranchCreate", new_fields, NULL};
static const struct field pull_fields[] = {{.name = "bucket_name", .type = FIELD_STRING},
					   {.name = "table_name", .type = FIELD_STRING},
					   {.name = "message", .type = FIELD_STRING},
					   {.name = "was_local", .type = FIELD_BOOL},
					   {0}};
static const struct schema pull_schema = {"BranchPull", pull_fields, NULL};

static const char *const changes[] = {"unchanged", "changed", "added", NULL};
static const char *const conflicts[] = {"main_changed", "main_dropped", "main_created", NULL};
static const char *const comparisons[] = {"primary_key", "rows", NULL};
#define CONFLICT_FIELD                                                                           \
	{                                                                                        \
		.name = "conflict", .type = FIELD_STRING, .nullable = true, .values = conflicts, \
		.help = "What main did to the table since the branch copied it"                  \
	}
static const struct field table_diff_fields[] = {
	{.name = "bucket_name", .type = FIELD_STRING},
	{.name = "table_name", .type = FIELD_STRING},
	{.name = "change", .type = FIELD_STRING, .values = changes},
	CONFLICT_FIELD,
	{.name = "columns_added", .type = FIELD_LIST, .items = FIELD_STRING},
	{.name = "columns_removed", .type = FIELD_LIST, .items = FIELD_STRING},
	{.name = "columns_changed",
	 .type = FIELD_LIST,
	 .items = FIELD_STRING,
	 .help = "Other type, NOT NULL or default"},
	{.name = "primary_key_changed", .type = FIELD_BOOL},
	{.name = "compared_by",
	 .type = FIELD_STRING,
	 .values = comparisons,
	 .help = "rows: whole rows as a multiset, over the columns that both sides have; then none is changed"},
	{.name = "rows_added", .type = FIELD_INT, .help = "In the branch and not in main"},
	{.name = "rows_removed", .type = FIELD_INT},
	{.name = "rows_changed", .type = FIELD_INT},
	{0}};
static const struct schema table_diff_schema = {"BranchTableDiff", table_diff_fields, NULL};
static const struct field diff_fields[] = {
	{.name = "branch_id", .type = FIELD_STRING},
	{.name = "tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &table_diff_schema},
	{.name = "total", .type = FIELD_INT},
	{0}};
static const struct schema diff_schema = {"BranchDiff", diff_fields, NULL};
static const struct field diff_query[] = {{.name = "bucket", .type = FIELD_STRING, .help = "Only this bucket"},
					  {.name = "table", .type = FIELD_STRING, .help = "Only tables so named"},
					  {0}};

static const struct field name_fields[] = {{.name = "bucket", .type = FIELD_STRING, .required = true},
					   {.name = "table", .type = FIELD_STRING, .required = true},
					   {0}};
static const struct schema name_schema = {"BranchMergeTable", name_fields, NULL};
static const struct field merge_fields[] = {
	{.name = "tables",
	 .type = FIELD_LIST,
	 .items = FIELD_OBJECT,
	 .object = &name_schema,
	 .items_min = 1,
	 .nullable = true,
	 .help = "Default: all tables that live in the branch"},
	{.name = "dry_run", .type = FIELD_BOOL, .fallback = "false", .help = "Tell what would happen, change nothing"},
	{.name = "overwrite", .type = FIELD_BOOL, .fallback = "false", .help = "Merge in spite of conflicts"},
	{0}};
static const struct schema merge_schema = {"BranchMerge", merge_fields, NULL};
static const struct field merged_table_fields[] = {{.name = "bucket_name", .type = FIELD_STRING},
						   {.name = "table_name", .type = FIELD_STRING},
						   {.name = "change", .type = FIELD_STRING, .values = changes},
						   {.name = "row_count", .type = FIELD_INT},
						   CONFLICT_FIELD,
						   {0}};
static const struct schema merged_table_schema = {"BranchMergedTable", merged_table_fields, NULL};
static const struct field merged_fields[] = {
	{.name = "dry_run", .type = FIELD_BOOL},
	{.name = "tables", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &merged_table_schema},
	{.name = "conflict_count", .type = FIELD_INT},
	{0}};
static const struct schema merged_schema = {"BranchMerged", merged_fields, NULL};

static const enum err_code create_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NAME_EXISTS, ERR_NONE};
static const enum err_code list_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_NONE};
static const enum err_code one_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_NONE};
static const enum err_code delete_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_TABLE_LOCKED, ERR_NONE};
static const enum err_code pull_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_TABLE_NOT_FOUND,
					    ERR_TABLE_LOCKED, ERR_NONE};
static const enum err_code merge_errors[] = {ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_TABLE_NOT_FOUND,
					     ERR_MERGE_CONFLICT,    ERR_TABLE_LOCKED,	  ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_PROJECT "/branches",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = branch_post,
	 .status = 201,
	 .request = &new_schema,
	 .response = &branch_schema,
	 .errors = create_errors,
	 .tag = "Branches",
	 .summary = "Create a dev branch; it copies nothing"},
	{.method = HTTP_GET,
	 .path = REST_PROJECT "/branches",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_READ,
	 .handler = branches_get,
	 .query = (const struct field[]){REST_PAGING, {0}},
	 .response = &list_schema,
	 .errors = list_errors,
	 .tag = "Branches",
	 .summary = "List dev branches, newest first"},
	{.method = HTTP_GET,
	 .path = REST_BRANCH,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = branch_get_one,
	 .response = &detail_schema,
	 .errors = one_errors,
	 .tag = "Branches",
	 .summary = "Show a dev branch and the tables that live in it"},
	{.method = HTTP_DELETE,
	 .path = REST_BRANCH,
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = branch_delete_one,
	 .status = 204,
	 .errors = delete_errors,
	 .tag = "Branches",
	 .summary = "Delete a dev branch with its tables, workspaces and keys"},
	{.method = HTTP_POST,
	 .path = REST_BRANCH "/tables/{bucket_name}/{table_name}/pull",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_WRITE,
	 .handler = pull_post,
	 .response = &pull_schema,
	 .errors = pull_errors,
	 .tag = "Branches",
	 .summary = "Discard a branch's copy of a table: it reads main again"},
	{.method = HTTP_GET,
	 .path = REST_BRANCH "/diff",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = diff_get,
	 .query = diff_query,
	 .response = &diff_schema,
	 .errors = one_errors,
	 .tag = "Branches",
	 .summary = "Compare a branch's tables with main"},
	{.method = HTTP_POST,
	 .path = REST_BRANCH "/merge",
	 .guard = GUARD_PROJECT,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .handler = merge_post,
	 .request = &merge_schema,
	 .response = &merged_schema,
	 .errors = merge_errors,
	 .tag = "Branches",
	 .summary = "Bring tables of a branch to main, all at once"},
};

REST_RESOURCE(branch, routes);
