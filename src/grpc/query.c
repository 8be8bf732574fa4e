#include "engine/cursor.h"
#include "engine/encode_json.h"
#include "grpc/families.h"
#include "grpc/place.h"
#include "storage/workspace_fill.h"

enum { QUERY_ROWS_MAX = 100000, QUERY_SECONDS = 300, QUERY_SECONDS_MAX = 86400 };

typedef QUERY_MSG(ExecuteQueryCommand) query_msg;
typedef QUERY_MSG(ExecuteQueryResponse) answer_msg;
typedef QUERY_MSG(ExecuteQueryResponse__Data) data_msg;
typedef QUERY_MSG(ExecuteQueryResponse__Data__Row) row_msg;
typedef QUERY_MSG(ExecuteQueryResponse__Data__Row__FieldsEntry) field_msg;

struct result {
	struct driver_call *c;
	data_msg *data;
	size_t room;
	size_t bytes;
	struct buf scratch;
};

/* ---- scope ---- */

/* The workspace whose role the query names; NULL without such a role. */
static const char *role_workspace(const query_msg *m)
{
	const bool named =
		m->restriction_case ==
			KEBOOLA__STORAGE_DRIVER__COMMAND__EXECUTE_QUERY__EXECUTE_QUERY_COMMAND__RESTRICTION_SNOWFLAKE_ROLE &&
		m->snowflakerole && strncmp(m->snowflakerole->rolename, "role_", 5) == 0;
	return named ? m->snowflakerole->rolename + 5 : NULL;
}

/* Whether the project has this workspace, which then is the query's. */
static bool workspace_scope(struct driver_call *c, const char *project, const char *id, struct workspace_query *ret)
{
	struct workspace workspace;
	if (!id || !place_name_ok(id) || !catalog_get_workspace(c->storage->catalog, c->arena, KEY(id), &workspace) ||
	    strcmp(workspace.project_id, project) != 0)
		return false;
	ret->workspace_id = workspace.id;
	ret->branch_id = workspace.branch_id;
	return true;
}

/* pathRestriction without the project: nothing, a bucket, a branch and a bucket, or a workspace. */
static bool scope_find(struct driver_call *c, const query_msg *m, const char *project, struct workspace_query *ret,
		       struct err *err)
{
	char *const *path = m->pathrestriction;
	size_t n = m->n_pathrestriction;
	const char *role = role_workspace(m);
	if (n && strcmp(path[0], project) == 0) {
		path++;
		n--;
	}
	if (n > 2)
		return err_set(err, ERR_ENGINE_REFUSED, "pathRestriction has too many elements");
	const char *last = n ? path[n - 1] : NULL;
	if (n == 2)
		ret->branch_id = driver_branch(path[0]);
	if (!workspace_scope(c, project, role ? role : n == 1 ? last : NULL, ret) && role)
		return err_set(err, ERR_ENGINE_REFUSED, "Workspace %s not found", role);
	if (last && (!ret->workspace_id || strcmp(last, ret->workspace_id) != 0)) {
		if (!place_name_ok(last))
			return err_set(err, ERR_ENGINE_REFUSED, "%s is no name of a bucket", last);
		ret->bucket = driver_bucket_name(c, project, last);
	}
	return true;
}

/* ---- the result ---- */

/* Names of the columns; repeated ones get _1, _2, ... */
static void columns_fill(struct result *r, const struct cursor *cursor)
{
	struct arena *arena = r->c->arena;
	size_t n = cursor_column_count(cursor);
	data_msg *data = message_new(arena, &QUERY_DESC(execute_query_response__data));
	data->columns = arena_array(arena, char *, n);
	for (size_t i = 0; i < n; i++) {
		const char *name = cursor_columns(cursor)[i].name;
		char *unique = arena_strdup(arena, name);
		size_t number = 0;
		for (size_t k = 0; k < i; k++) {
			if (strcmp(data->columns[k], unique) == 0) {
				unique = arena_printf(arena, "%s_%zu", name, ++number);
				k = (size_t)-1;
			}
		}
		data->columns[i] = unique;
	}
	data->n_columns = n;
	r->data = data;
}

static char *cell_text(struct result *r, const struct vector *v, size_t row)
{
	if (vector_is_null(v, row))
		return arena_strdup(r->c->arena, "");
	buf_reset(&r->scratch);
	encode_text_value(v, row, &r->scratch);
	char *text = arena_copy(r->c->arena, buf_view(&r->scratch));
	r->bytes += r->scratch.len;
	return text;
}

static bool row_add(struct result *r, const struct cursor *cursor, size_t row, struct err *err)
{
	struct arena *arena = r->c->arena;
	data_msg *data = r->data;
	if (data->n_rows == QUERY_ROWS_MAX)
		return err_set(err, ERR_ENGINE_REFUSED, "The result has more than %d rows", QUERY_ROWS_MAX);
	if (data->n_rows == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		row_msg **rows = message_array(arena, row_msg, r->room);
		if (data->n_rows)
			memcpy(rows, data->rows, data->n_rows * sizeof(*rows));
		data->rows = rows;
	}
	row_msg *made = message_new(arena, &QUERY_DESC(execute_query_response__data__row));
	made->fields = message_array(arena, field_msg, data->n_columns);
	made->n_fields = data->n_columns;
	for (size_t i = 0; i < data->n_columns; i++) {
		field_msg *field = message_new(arena, &QUERY_DESC(execute_query_response__data__row__fields_entry));
		field->key = data->columns[i];
		field->value = cell_text(r, &cursor_vectors(cursor)[i], row);
		r->bytes += strlen(field->key) + 8;
		made->fields[i] = field;
	}
	data->rows[data->n_rows++] = made;
	return (r->bytes <= LIMIT_MESSAGE_BYTES && !r->scratch.failed) ||
	       err_set(err, ERR_ENGINE_REFUSED, "The result is larger than %d MiB",
		       LIMIT_MESSAGE_BYTES / (1024 * 1024));
}

static bool result_take(void *ctx, const struct cursor *cursor, size_t rows, struct err *err)
{
	struct result *r = ctx;
	if (!r->data)
		columns_fill(r, cursor);
	for (size_t row = 0; row < rows; row++) {
		if (!row_add(r, cursor, row, err))
			return false;
	}
	return true;
}

static bool project_known(struct driver_call *c, const char *project, struct err *err)
{
	struct project row;
	if (catalog_get_project(c->storage->catalog, c->arena, KEY(project), &row) &&
	    strcmp(row.status, "deleted") != 0)
		return true;
	return err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project);
}

/* The project of the credentials, or the first of the path. */
static bool project_find(struct driver_call *c, const query_msg *m, const char **ret, struct err *err)
{
	const char *project = c->project ? c->project : m->n_pathrestriction ? m->pathrestriction[0] : NULL;
	if (!project || !*project)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "project_id must be provided via credentials or pathRestriction");
	*ret = project;
	return driver_clear(c, project, err) && project_known(c, project, err);
}

bool driver_execute_query(struct driver_call *c, const void *message, struct err *err)
{
	const query_msg *m = message;
	const char *project = NULL;
	bool has_rows = false;
	if (!driver_need(m->query, "query", err) || !project_find(c, m, &project, err))
		return false;
	struct result result = {.c = c, .scratch = BUF(LIMIT_MESSAGE_BYTES)};
	int64_t timeout = m->timeout && m->timeout < QUERY_SECONDS_MAX ? m->timeout : QUERY_SECONDS;
	struct workspace_query query = {
		.project_id = project, .sql = m->query, .timeout_s = timeout, .take = result_take, .take_ctx = &result};
	bool fine =
		scope_find(c, m, project, &query, err) && workspace_run(c->storage, c->call, &query, &has_rows, err);
	buf_done(&result.scratch);
	/* Nobody waits for the answer to a call that was given up. */
	if (!fine && err->code == ERR_CANCELLED)
		return false;
	answer_msg *answer = driver_answer(c);
	if (!fine) {
		answer->status = KEBOOLA__STORAGE_DRIVER__COMMAND__EXECUTE_QUERY__EXECUTE_QUERY_RESPONSE__STATUS__Error;
		answer->message = arena_strdup(c->arena, err->message);
		driver_log(c, DRIVER_ERROR, "%s", err->message);
		c->failed = true;
		return true;
	}
	answer->data = has_rows ? result.data : NULL;
	answer->message = has_rows ? arena_printf(c->arena, "Query returned %zu rows", result.data->n_rows)
				   : arena_strdup(c->arena, "Query executed successfully");
	driver_log(c, DRIVER_INFO, "%s", answer->message);
	return true;
}
