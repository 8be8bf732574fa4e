#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/scram_verifier.h"
#include "engine/sql.h"
#include "metrics/metrics.h"
#include "storage/intent.h"
#include "storage/removal.h"
#include "storage/workspace_core.h"

#include <stdio.h>

enum { VIEW_COUNT_SECONDS = 2 };

/* ---- looking ---- */

static bool workspace_missing(const char *id, struct err *err)
{
	(void)err_set(err, ERR_WORKSPACE_NOT_FOUND, "Workspace %s not found", id);
	err_detail(err, "workspace_id", id);
	return false;
}

bool workspace_find(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		    const char *id, bool expired_is_fine, struct workspace *ret, struct err *err)
{
	struct place place;
	char at[CLOCK_ISO_SIZE];
	if (!place_branch(storage, arena, project_id, branch_id, NULL, &place, err))
		return false;
	if (!catalog_get_workspace(storage->catalog, arena, KEY(id), ret) || strcmp(ret->project_id, project_id) != 0)
		return workspace_missing(id, err);
	if (branch_id && strcmp(ret->branch_id ? ret->branch_id : BRANCH_MAIN, place.branch_id) != 0)
		return workspace_missing(id, err);
	if (expired_is_fine || strcmp(workspace_status(ret), "expired") != 0)
		return true;
	clock_iso(ret->expires_at, at);
	(void)err_set(err, ERR_WORKSPACE_EXPIRED, "Workspace %s has expired", id);
	err_detail(err, "workspace_id", id);
	err_detail(err, "expired_at", at);
	return false;
}

static void view_of(struct storage *storage, struct arena *arena, const struct workspace *row,
		    struct workspace_view *ret)
{
	*ret = (struct workspace_view){
		.row = *row,
		.status = workspace_status(row),
		.size_bytes = row->db_path ? workspace_file_size(row->db_path) : 0,
		.database = arena_printf(arena, "workspace_%s", row->id),
		.active_sessions = pg_sessions_active(storage, row->id),
	};
}

bool workspace_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		    int64_t limit, int64_t offset, struct workspace_view **ret, size_t *ret_count, struct err *err)
{
	struct arena *arena = call->arena;
	struct place place;
	struct workspace *rows;
	size_t n;
	size_t kept = 0;
	if (!place_branch(storage, arena, project_id, branch_id, NULL, &place, err))
		return false;
	catalog_list_workspaces_newest(storage->catalog, arena, KEY(project_id), NULL, &rows, &n);
	*ret = arena_array(arena, struct workspace_view, (size_t)limit);
	for (size_t i = 0; i < n && kept < (size_t)limit; i++) {
		if (branch_id && strcmp(rows[i].branch_id ? rows[i].branch_id : BRANCH_MAIN, place.branch_id) != 0)
			continue;
		if (offset-- > 0)
			continue;
		view_of(storage, arena, &rows[i], &(*ret)[kept++]);
	}
	*ret_count = kept;
	return true;
}

/* ---- its own objects ---- */

static bool count_rows(struct session *session, const char *db, const char *name, int64_t *ret)
{
	struct err ignored = ERR_INIT;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "SELECT count(*) FROM %I.main.%I", db, name);
	bool fine = sql_finish(&sql, &text, &ignored) && session_int(session, text, ret, &ignored);
	buf_done(&sql);
	return fine;
}

/* Of schema main, those with their rows, or of every schema that its users made. */
enum object_set { OBJECTS_MAIN, OBJECTS_COUNTED, OBJECTS_ALL };

/* Views that cannot be counted now (over tables of the project, or slow ones) show 0 rows. */
static bool objects_of(struct workspace_instance *wi, struct arena *arena, enum object_set which,
		       struct workspace_object **ret, size_t *ret_count, struct err *err)
{
	struct session *session;
	struct cursor *c = NULL;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	size_t rows;
	size_t n = 0;
	struct workspace_object *list = NULL;
	const char *everywhere = which == OBJECTS_ALL ? "true" : "false";
	if (!workspace_session(wi, &session, err))
		return false;
	sql_printf(
		&sql,
		"SELECT table_name, 'table', schema_name FROM system.main.duckdb_tables() WHERE database_name = %L AND "
		"(%s OR schema_name = 'main') UNION ALL SELECT view_name, 'view', schema_name FROM "
		"system.main.duckdb_views() WHERE database_name = %L AND (%s OR schema_name = 'main') AND NOT internal ORDER BY 1",
		workspace_db(wi), everywhere, workspace_db(wi), everywhere);
	bool fine = sql_finish(&sql, &text, err) && session_query(session, text, &c, err);
	while (fine && (fine = cursor_next(c, &rows, err)) && rows > 0) {
		struct workspace_object *more = arena_array(arena, struct workspace_object, n + rows);
		if (n)
			memcpy(more, list, n * sizeof(*more));
		list = more;
		for (size_t i = 0; i < rows; i++)
			list[n++] = (struct workspace_object){.name = arena_copy(arena, cursor_text(c, 0, i)),
							      .type = arena_copy(arena, cursor_text(c, 1, i)),
							      .schema = arena_copy(arena, cursor_text(c, 2, i))};
	}
	cursor_close(c);
	buf_done(&sql);
	session_set_timeout(session, VIEW_COUNT_SECONDS * NS_PER_S);
	for (size_t i = 0; fine && which == OBJECTS_COUNTED && i < n; i++)
		(void)count_rows(session, workspace_db(wi), list[i].name, &list[i].rows);
	session_close(session);
	*ret = list;
	*ret_count = n;
	return fine;
}

bool workspace_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *id, struct workspace_detail *ret, struct err *err)
{
	struct workspace row;
	struct workspace_instance *wi;
	*ret = (struct workspace_detail){0};
	if (!workspace_find(storage, call->arena, project_id, branch_id, id, false, &row, err) ||
	    !workspace_tables(storage, call->arena, project_id, row.branch_id, false, &ret->tables, &ret->table_count,
			      err) ||
	    !workspace_open(storage, id, &wi, err))
		return false;
	bool fine = objects_of(wi, call->arena, OBJECTS_COUNTED, &ret->objects, &ret->object_count, err);
	workspace_release(wi);
	view_of(storage, call->arena, &row, &ret->view);
	return fine;
}

/* ---- create ---- */

bool workspace_password_make(struct arena *arena, const char **ret, const char **ret_verifier, struct err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	unsigned char random[WORKSPACE_PASSWORD_BYTES];
	char text[SCRAM_VERIFIER_SIZE];
	struct scram_verifier verifier;
	char *password = arena_alloc(arena, WORKSPACE_PASSWORD_BYTES + 1);
	id_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		password[i] = letters[random[i] % 64];
	password[WORKSPACE_PASSWORD_BYTES] = '\0';
	if (!scram_verifier_make(span_of(password), &verifier))
		return err_set(err, ERR_INTERNAL, "No verifier for the password");
	scram_verifier_format(&verifier, text);
	*ret = password;
	*ret_verifier = arena_strdup(arena, text);
	return true;
}

static bool row_make(struct op *op, const char *branch_id, const struct workspace_create *request,
		     struct workspace *row, struct err *err)
{
	struct arena *arena = op->call->arena;
	char mark[9];
	const int64_t now = clock_unix_us();
	id_hex(4, mark);
	*row = (struct workspace){
		.id = request->id ? request->id : arena_printf(arena, "ws_%s", mark),
		.project_id = op->target.project_id,
		.branch_id = branch_id,
		.name = request->name,
		.status = "active",
		.door = door_name(op->call->door),
		.size_limit_gb = request->size_limit_gb,
		.created_at = now,
		.credentials_at = now,
		.expires_at = request->ttl_hours ? now + request->ttl_hours * 3600 * US_PER_S : 0,
	};
	if (!place_name_check("A workspace's id", row->id, err))
		return false;
	id_hex(4, mark);
	row->username = arena_printf(arena, "ws_%s_%s", row->id, mark);
	row->db_path = arena_printf(arena, "%s/_workspaces/%s.duckdb",
				    place_project_dir(op->storage, arena, row->project_id, branch_id), row->id);
	return true;
}

static bool preload(struct op *op, const struct workspace *row, const struct workspace_create *request, struct err *err)
{
	struct workspace_instance *wi;
	if (!workspace_open_row(op->storage, row, &wi, err))
		return false;
	bool fine = true;
	for (size_t i = 0; fine && i < request->preload_count; i++) {
		struct workspace_load entry = {.source = request->preload[i]};
		struct workspace_loaded loaded;
		fine = workspace_load_one(op, wi, &entry, &loaded, err);
		op->rows += loaded.rows;
	}
	workspace_release(wi);
	return fine;
}

static bool commit_new(struct op *op, const struct workspace *row, struct err *err)
{
	struct catalog_txn *t = catalog_txn(op->storage->catalog, op->call->arena);
	catalog_expect_project(t, KEY(row->project_id), ERR_PROJECT_NOT_FOUND);
	if (row->branch_id)
		catalog_expect_branch(t, KEY(row->project_id, row->branch_id), ERR_BRANCH_NOT_FOUND);
	catalog_insert_workspace(t, row, ERR_WORKSPACE_EXISTS);
	return catalog_commit(t, err);
}

static bool create(struct op *op, const struct workspace_create *request, struct workspace_view *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct workspace row, former;
	struct place place, table;
	struct intent intent;
	const char *password;
	if (!place_branch(storage, arena, op->target.project_id, op->target.branch_id, NULL, &place, err) ||
	    !row_make(op, place.on_main ? NULL : place.branch_id, request, &row, err) ||
	    !workspace_password_make(arena, &password, &row.scram_verifier, err))
		return false;
	for (size_t i = 0; i < request->preload_count; i++)
		if (!workspace_source(storage, arena, &row, request->preload[i], &table, err))
			return false;
	if (catalog_get_workspace(storage->catalog, arena, KEY(row.id), &former)) {
		(void)err_set(err, ERR_WORKSPACE_EXISTS, "There is a workspace %s already", row.id);
		err_detail(err, "workspace_id", row.id);
		return false;
	}
	const char *folder =
		arena_printf(arena, "%s/_workspaces", place_project_dir(storage, arena, row.project_id, row.branch_id));
	intent_begin(&intent, storage, row.db_path);
	bool fine = fs_mkdir(folder, err) && preload(op, &row, request, err) && fs_sync_dir(folder, err) &&
		    commit_new(op, &row, err);
	if (!fine && err->code != ERR_WORKSPACE_EXISTS) {
		workspace_doom(storage, row.id, PG_SESSION_DELETED);
		workspace_files_remove(storage, &row);
	}
	intent_end(&intent);
	op->target.resource_id = row.id;
	if (!fine)
		return false;
	view_of(storage, arena, &row, ret);
	ret->password = password;
	return true;
}

bool workspace_create(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		      const struct workspace_create *request, struct workspace_view *ret, struct err *err)
{
	struct op op;
	bool on_main = !branch_id || strcmp(branch_id, BRANCH_MAIN) == 0;
	op_begin(&op, storage, call, on_main ? OP_create_workspace : OP_create_branch_workspace,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id});
	return op_end(&op, create(&op, request, ret, err), err);
}

/* ---- delete, clear, drop ---- */

int64_t workspace_file_size(const char *path)
{
	char log[LIMIT_PATH_BYTES];
	int64_t size = fs_size(path);
	(void)snprintf(log, sizeof(log), "%s.wal", path);
	int64_t more = fs_size(log);
	return (size > 0 ? size : 0) + (more > 0 ? more : 0);
}

void workspace_files_remove(struct storage *storage, const struct workspace *row)
{
	struct err ignored = ERR_INIT;
	char path[LIMIT_PATH_BYTES];
	(void)storage;
	if (!row->db_path)
		return;
	static const char *const tails[] = {"", ".wal", ".links", ".temp"};
	for (size_t i = 0; i < ARRAY_LEN(tails); i++)
		if (fs_path(path, sizeof(path), &ignored, "%s%s", row->db_path, tails[i]))
			(void)!fs_remove_tree(path, &ignored);
}

static bool delete_workspace(struct op *op, const char *branch_id, const char *id, struct err *err)
{
	struct storage *storage = op->storage;
	struct workspace row;
	struct removal gone = REMOVAL(storage, op->call->arena);
	if (!workspace_find(storage, op->call->arena, op->target.project_id, branch_id, id, true, &row, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, op->call->arena);
	catalog_expect_workspace(t, KEY(id), ERR_WORKSPACE_NOT_FOUND);
	catalog_remove_workspace(t, KEY(id));
	workspace_forget(t, id);
	if (row.db_path)
		removal_add(&gone, t, row.db_path);
	bool fine = catalog_commit(t, err);
	if (fine) {
		workspace_doom(storage, id, PG_SESSION_DELETED);
		workspace_files_remove(storage, &row);
		removal_run(&gone);
		metric_tenant_forget(TENANT_WORKSPACE, id, NULL, NULL);
		metric_tenant_forget(TENANT_TABLE, row.project_id, id, NULL);
	} else if (err->code == ERR_WORKSPACE_NOT_FOUND) {
		(void)workspace_missing(id, err);
	}
	return fine;
}

bool workspace_delete(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		      const char *id, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, branch_id ? OP_delete_branch_workspace : OP_delete_workspace,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = id});
	return op_end(&op, delete_workspace(&op, branch_id, id, err), err);
}

static bool drop(struct session *session, const char *db, const struct workspace_object *object, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "DROP %s IF EXISTS %I.%I.%I CASCADE", strcmp(object->type, "view") == 0 ? "VIEW" : "TABLE", db,
		   object->schema, object->name);
	bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return fine;
}

/* Again and again while it helps: a table that others refer to goes after them. */
static bool drop_all(struct workspace_instance *wi, struct arena *arena, struct err *err)
{
	struct workspace_object *objects;
	struct session *session;
	size_t n;
	size_t left = SIZE_MAX;
	if (!workspace_session(wi, &session, err))
		return false;
	bool fine;
	while ((fine = objects_of(wi, arena, OBJECTS_ALL, &objects, &n, err)) && n > 0 && n < left) {
		left = n;
		for (size_t i = 0; i < n; i++)
			(void)!drop(session, workspace_db(wi), &objects[i], err);
	}
	if (fine && n > 0)
		fine = drop(session, workspace_db(wi), &objects[0], err);
	if (fine)
		workspace_checkpoint(wi, session);
	session_close(session);
	return fine;
}

static bool drop_one(struct workspace_instance *wi, struct arena *arena, const char *name, struct err *err)
{
	struct workspace_object *objects;
	struct session *session;
	size_t n;
	if (!objects_of(wi, arena, OBJECTS_MAIN, &objects, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(objects[i].name, name) != 0)
			continue;
		if (!workspace_session(wi, &session, err))
			return false;
		bool fine = drop(session, workspace_db(wi), &objects[i], err);
		session_close(session);
		return fine;
	}
	(void)err_set(err, ERR_WORKSPACE_OBJECT_NOT_FOUND, "Workspace %s has no table or view %.200s", workspace_db(wi),
		      name);
	err_detail(err, "workspace_id", workspace_db(wi));
	err_detail(err, "object_name", name);
	return false;
}

/* Drops one object, or all with name NULL. */
static bool remove_objects(struct op *op, const char *id, const char *name, struct err *err)
{
	struct workspace row;
	struct workspace_instance *wi;
	if (!workspace_find(op->storage, op->call->arena, op->target.project_id, NULL, id, false, &row, err) ||
	    !workspace_open(op->storage, id, &wi, err))
		return false;
	bool fine = name ? drop_one(wi, op->call->arena, name, err) : drop_all(wi, op->call->arena, err);
	workspace_changed(wi);
	workspace_release(wi);
	return fine;
}

bool workspace_clear(struct storage *storage, const struct call *call, const char *project_id, const char *id,
		     struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_clear_workspace,
		 (struct op_target){.project_id = project_id, .resource_id = id});
	return op_end(&op, remove_objects(&op, id, NULL, err), err);
}

bool workspace_drop_object(struct storage *storage, const struct call *call, const char *project_id, const char *id,
			   const char *name, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_drop_workspace_object,
		 (struct op_target){.project_id = project_id, .resource_id = id});
	op_detail(&op, "object", name);
	return op_end(&op, remove_objects(&op, id, name, err), err);
}

/* ---- credentials ---- */

static bool row_credentials(void *ctx, struct workspace *row, struct arena *arena)
{
	row->scram_verifier = arena_strdup(arena, ctx);
	row->credentials_at = clock_unix_us();
	return true;
}

static bool reset(struct op *op, const char *id, struct workspace_view *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct workspace row;
	const char *password, *verifier;
	if (!workspace_find(storage, op->call->arena, op->target.project_id, NULL, id, false, &row, err))
		return false;
	if (!row.username || !row.scram_verifier) {
		(void)err_set(err, ERR_WORKSPACE_CREDENTIALS_NOT_FOUND, "Workspace %s has no login", id);
		err_detail(err, "workspace_id", id);
		return false;
	}
	if (!workspace_password_make(op->call->arena, &password, &verifier, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, op->call->arena);
	catalog_change_workspace(t, KEY(id), row_credentials, arena_strdup(op->call->arena, verifier),
				 ERR_WORKSPACE_NOT_FOUND);
	if (!catalog_commit(t, err))
		return err->code == ERR_WORKSPACE_NOT_FOUND ? workspace_missing(id, err) : false;
	view_of(storage, op->call->arena, &row, ret);
	ret->password = password;
	return true;
}

bool workspace_reset_credentials(struct storage *storage, const struct call *call, const char *project_id,
				 const char *id, struct workspace_view *ret, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_reset_workspace_credentials,
		 (struct op_target){.project_id = project_id, .resource_id = id});
	return op_end(&op, reset(&op, id, ret, err), err);
}
