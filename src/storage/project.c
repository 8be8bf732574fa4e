#include "storage/project.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "metrics/metrics.h"
#include "storage/api_key.h"
#include "storage/bucket.h"
#include "storage/intent.h"
#include "storage/lock.h"
#include "storage/place.h"
#include "storage/removal.h"
#include "storage/snapshot.h"
#include "storage/object.h"
#include "storage/version.h"
#include "storage/workspace_core.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to here the size of a project is summed up anew for every look; beyond it is the value of the last stats call. */
enum { LIVE_SIZE_TABLES = 1000 };

/* ---- backend ---- */

void backend_look(const struct storage *storage, struct backend_paths *ret)
{
	const struct settings *s = storage->settings;
	*ret = (struct backend_paths){
		.names = {"data_dir", "duckdb_dir", "files_dir", "snapshots_dir"},
		.paths = {s->data_dir, s->duckdb_dir, s->files_dir, s->snapshots_dir},
	};
	for (size_t i = 0; i < ARRAY_LEN(ret->paths); i++)
		ret->present[i] = fs_is_dir(ret->paths[i]);
}

bool backend_init(struct storage *storage, struct backend_paths *ret, struct err *err)
{
	const char *faults[ARRAY_LEN(ret->paths)];
	struct arena *arena = arena_new();
	size_t n = 0;
	backend_look(storage, ret);
	for (size_t i = 0; i < ARRAY_LEN(ret->paths); i++) {
		struct err one = ERR_INIT;
		ret->created[i] = !ret->present[i];
		ret->present[i] = fs_mkdir(ret->paths[i], &one);
		if (!ret->present[i])
			faults[n++] = arena_strdup(arena, one.message);
		else if (access(ret->paths[i], W_OK | X_OK) != 0)
			faults[n++] = arena_printf(arena, "%s is not writable", ret->paths[i]);
	}
	if (n) {
		(void)err_set(err, ERR_INIT_FAILED, "The storage folders cannot be used: %s", faults[0]);
		err_detail_list(err, "errors", faults, n);
	}
	arena_free(arena);
	return n == 0;
}

static bool folders_ready(struct storage *storage, struct err *err)
{
	const struct settings *s = storage->settings;
	return fs_mkdir(s->data_dir, err) && fs_mkdir(s->duckdb_dir, err) && fs_mkdir(s->staging_dir, err) &&
	       fs_mkdir(s->files_dir, err) && fs_mkdir(s->snapshots_dir, err);
}

/* ---- looking ---- */

static bool add_size(void *ctx, const struct table_row *row)
{
	*(int64_t *)ctx += row->size_bytes;
	return true;
}

static int64_t project_size(struct storage *storage, const char *id)
{
	int64_t bytes = 0;
	catalog_visit_tables(storage->catalog, KEY(id, BRANCH_MAIN), NULL, add_size, &bytes);
	return bytes;
}

static void counters_fill(struct storage *storage, struct project *project)
{
	project->bucket_count = (int64_t)catalog_count_buckets(storage->catalog, KEY(project->id));
	project->table_count = (int64_t)catalog_count_tables(storage->catalog, KEY(project->id, BRANCH_MAIN));
	if (project->table_count <= LIVE_SIZE_TABLES)
		project->size_bytes = project_size(storage, project->id);
}

bool project_get(struct storage *storage, const struct call *call, const char *id, struct project *ret, struct err *err)
{
	catalog_hold(storage->catalog);
	bool found = catalog_get_project(storage->catalog, call->arena, KEY(id), ret);
	if (found)
		counters_fill(storage, ret);
	catalog_release(storage->catalog);
	if (found)
		return true;
	(void)err_set(err, ERR_NOT_FOUND, "Project %s not found", id);
	err_detail(err, "project_id", id);
	return false;
}

bool project_list(struct storage *storage, const struct call *call, const char *status, int64_t limit, int64_t offset,
		  struct project_list *ret, struct err *err)
{
	struct catalog *c = storage->catalog;
	struct catalog_page page = {.limit = (size_t)limit, .offset = (uint64_t)offset};
	(void)err;
	if (status && *status) {
		ret->total = catalog_count_projects_by_status(c, KEY(status));
		catalog_list_projects_by_status(c, call->arena, KEY(status), &page, &ret->projects, &ret->count);
	} else {
		ret->total = catalog_count_projects_newest(c, KEY_ALL);
		catalog_list_projects_newest(c, call->arena, KEY_ALL, &page, &ret->projects, &ret->count);
	}
	for (size_t i = 0; i < ret->count; i++) {
		catalog_hold(c);
		counters_fill(storage, &ret->projects[i]);
		catalog_release(c);
	}
	return true;
}

static bool stats_keep(void *ctx, struct project *row, struct arena *arena)
{
	const struct project_stats *stats = ctx;
	(void)arena;
	if (row->size_bytes == stats->size_bytes && row->table_count == stats->table_count &&
	    row->bucket_count == stats->bucket_count)
		return false;
	row->size_bytes = stats->size_bytes;
	row->table_count = stats->table_count;
	row->bucket_count = stats->bucket_count;
	return true;
}

bool project_stats(struct storage *storage, const struct call *call, const char *id, struct project_stats *ret,
		   struct err *err)
{
	struct project project;
	if (!project_get(storage, call, id, &project, err))
		return false;
	if (!fs_is_dir(place_project_dir(storage, call->arena, id, NULL))) {
		(void)err_set(err, ERR_DB_NOT_FOUND, "The storage of project %s does not exist", id);
		err_detail(err, "project_id", id);
		return false;
	}
	*ret = (struct project_stats){.size_bytes = project_size(storage, id),
				      .table_count = project.table_count,
				      .bucket_count = project.bucket_count};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_change_project(t, KEY(id), stats_keep, ret, ERR_NOT_FOUND);
	return catalog_commit(t, err);
}

/* ---- changing ---- */

/* A fault of the server, under the operation's own name; full and read-only disks keep theirs. */
static bool fault_name(bool fine, enum err_code code, struct err *err)
{
	if (!fine && (err->code == ERR_METADATA || err->code == ERR_IO))
		return err_recode(err, code);
	return fine;
}

static bool exists_already(struct storage *storage, const struct call *call, const char *id, struct err *err)
{
	struct project former;
	bool known = catalog_get_project(storage->catalog, call->arena, KEY(id), &former);
	(void)err_set(err, ERR_PROJECT_EXISTS, "Project %s exists already", id);
	err_detail(err, "project_id", id);
	err_detail(err, "status", known ? former.status : "active");
	return false;
}

static bool create(struct storage *storage, const struct call *call, const struct project_create *request,
		   struct project *ret, const char **ret_key, struct err *err)
{
	struct api_key key;
	struct intent intent;
	char uuid[ID_UUID_SIZE];
	int64_t now = clock_unix_us();
	*ret = (struct project){.id = request->id,
				.name = request->name,
				.status = "active",
				.settings_json = request->settings_json,
				.created_at = now,
				.updated_at = now};
	const char *dir = place_project_dir(storage, call->arena, request->id, NULL);
	if (!place_name_check("A project id", request->id, err))
		return false;
	if (catalog_get_project(storage->catalog, call->arena, KEY(request->id), &(struct project){0}))
		return exists_already(storage, call, request->id, err);
	if (!folders_ready(storage, err))
		return err_recode(err, ERR_CREATE_FAILED_SERVER);
	intent_begin(&intent, storage, dir);
	/* The folder is the claim on the id: of two creators one gets it, and no dev branch has that folder. */
	if (mkdir(dir, 0750) != 0) {
		int number = errno;
		intent_end(&intent);
		return number == EEXIST ? exists_already(storage, call, request->id, err)
					: err_errno(err, number, "Cannot create the folder of project %s", request->id);
	}
	api_key_new(call->arena, request->id, NULL, "project_admin", &key, ret_key);
	id_uuid(uuid);
	key.id = arena_strdup(call->arena, uuid);
	key.description = request->key_description ? request->key_description : "Created with the project";
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_insert_project(t, ret, ERR_PROJECT_EXISTS);
	catalog_insert_api_key(t, &key, ERR_INTERNAL);
	bool fine = catalog_commit(t, err);
	if (!fine)
		(void)rmdir(dir);
	intent_end(&intent);
	return fine;
}

bool project_create(struct storage *storage, const struct call *call, const struct project_create *request,
		    struct project *ret, const char **ret_key, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_create_project, (struct op_target){.project_id = request->id});
	bool fine = create(storage, call, request, ret, ret_key, err);
	return op_end(&op, fault_name(fine, ERR_CREATE_FAILED_SERVER, err), err);
}

struct update {
	const char *name;
	const char *settings_json;
};

static bool differs(const char *wanted, const char *present)
{
	return wanted && (!present || strcmp(wanted, present) != 0);
}

static bool update_row(void *ctx, struct project *row, struct arena *arena)
{
	const struct update *u = ctx;
	if (!differs(u->name, row->name) && !differs(u->settings_json, row->settings_json))
		return false;
	if (u->name)
		row->name = arena_strdup(arena, u->name);
	if (u->settings_json)
		row->settings_json = arena_strdup(arena, u->settings_json);
	row->updated_at = clock_unix_us();
	return true;
}

bool project_update(struct storage *storage, const struct call *call, const char *id, const char *name,
		    const char *settings_json, struct project *ret, struct err *err)
{
	struct op op;
	struct update update = {.name = name, .settings_json = settings_json};
	op_begin(&op, storage, call, OP_update_project, (struct op_target){.project_id = id});
	bool fine = project_get(storage, call, id, ret, err);
	if (fine) {
		struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
		catalog_change_project(t, KEY(id), update_row, &update, ERR_NOT_FOUND);
		fine = catalog_commit(t, err) && project_get(storage, call, id, ret, err);
	}
	return op_end(&op, fine, err);
}

/* Everything of the project but its own record. */
static void remove_rows(struct storage *storage, const struct call *call, struct catalog_txn *t, const char *id)
{
	struct multipart *uploads;
	struct workspace *workspaces;
	size_t n;
	catalog_list_multiparts_of_project(storage->catalog, call->arena, KEY(id), NULL, &uploads, &n);
	for (size_t i = 0; i < n; i++)
		catalog_remove_all_multipart_parts(t, KEY(uploads[i].id));
	catalog_list_workspaces_newest(storage->catalog, call->arena, KEY(id), NULL, &workspaces, &n);
	for (size_t i = 0; i < n; i++)
		workspace_forget(t, workspaces[i].id);
	catalog_remove_all_multiparts_of_project(t, KEY(id));
	catalog_remove_all_workspaces_newest(t, KEY(id));
	catalog_remove_all_api_keys_newest(t, KEY(id));
	catalog_remove_all_s3_credentials_newest(t, KEY(id));
	catalog_remove_all_branches(t, KEY(id));
	catalog_remove_all_buckets(t, KEY(id));
	catalog_remove_all_publications(t, KEY(id));
	catalog_remove_all_table_versions(t, KEY(id));
	catalog_remove_all_bucket_shares(t, KEY(id));
	catalog_remove_all_bucket_shares_to(t, KEY(id));
	catalog_remove_all_bucket_links(t, KEY(id));
	catalog_remove_all_files(t, KEY(id));
	catalog_remove_all_uploads_newest(t, KEY(id));
	catalog_remove_all_snapshots_newest(t, KEY(id));
	catalog_remove_all_snapshot_settings(t, KEY(id));
	catalog_remove_all_jobs_newest(t, KEY(id));
}

/* The folders of the project, its branches, files and snapshots. */
static void doom_folders(struct removal *gone, struct catalog_txn *t, const char *id)
{
	struct storage *storage = gone->storage;
	const struct settings *s = storage->settings;
	struct branch *branches;
	size_t n;
	catalog_list_branches(storage->catalog, gone->arena, KEY(id), NULL, &branches, &n);
	for (size_t i = 0; i < n; i++)
		removal_add(gone, t, place_project_dir(storage, gone->arena, id, branches[i].id));
	removal_add(gone, t, arena_printf(gone->arena, "%s/project_%s", s->files_dir, id));
	removal_add(gone, t, arena_printf(gone->arena, "%s/%s", s->snapshots_dir, id));
	removal_add(gone, t, place_project_dir(storage, gone->arena, id, NULL));
}

static bool status_deleted(void *ctx, struct project *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->status = "deleted";
	row->updated_at = clock_unix_us();
	return true;
}

static void end_workspaces(struct storage *storage, const struct workspace *workspaces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		workspace_doom(storage, workspaces[i].id, PG_SESSION_DELETED);
		metric_tenant_forget(TENANT_WORKSPACE, workspaces[i].id, NULL, NULL);
	}
}

static bool delete_project(struct op *op, const char *id, bool keep_record, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct project project;
	struct bucket_hold hold;
	struct upload *uploads;
	struct bucket_tables tables;
	struct removal gone = REMOVAL(storage, arena);
	struct workspace *workspaces;
	size_t upload_count;
	size_t workspace_count;
	if (!project_get(storage, op->call, id, &project, err))
		return false;
	if (keep_record && strcmp(project.status, "deleted") == 0)
		return err_set(err, ERR_NOT_FOUND, "Project %s not found", id);
	bool fine = bucket_tables_hold(op, id, NULL, &tables, &hold, err) &&
		    snapshot_auto_bucket(op, tables.rows + tables.own_count, tables.count - tables.own_count, err);
	if (fine) {
		catalog_list_uploads_newest(storage->catalog, arena, KEY(id), NULL, &uploads, &upload_count);
		catalog_list_workspaces_newest(storage->catalog, arena, KEY(id), NULL, &workspaces, &workspace_count);
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		catalog_expect_project(t, KEY(id), ERR_NOT_FOUND);
		remove_rows(storage, op->call, t, id);
		bucket_tables_forget(t, &tables, &gone);
		doom_folders(&gone, t, id);
		if (keep_record)
			catalog_change_project(t, KEY(id), status_deleted, NULL, ERR_NOT_FOUND);
		else
			catalog_remove_project(t, KEY(id));
		fine = catalog_commit(t, err);
	}
	if (fine) {
		end_workspaces(storage, workspaces, workspace_count);
		for (size_t i = 0; i < upload_count; i++)
			if (uploads[i].staged_path)
				blob_remove(storage->settings->files_dir, uploads[i].staged_path);
		object_forget_project(storage, id);
		version_remove_files(storage, id, NULL, NULL, NULL);
		/* Last: with the project's folder its id is free, and all that a new project of the id makes must stay. */
		bucket_tables_remove(storage, &tables, &gone);
		table_reap(storage->tables);
		metric_tenant_forget(TENANT_PROJECT, id, NULL, NULL);
		metric_tenant_forget(TENANT_TABLE, id, NULL, NULL);
		metric_tenant_forget(TENANT_BRANCH, id, NULL, NULL);
	}
	bucket_tables_let_go(storage, &hold);
	return fine;
}

bool project_delete(struct storage *storage, const struct call *call, const char *id, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_delete_project, (struct op_target){.project_id = id});
	bool fine = delete_project(&op, id, false, err);
	return op_end(&op, fault_name(fine, ERR_DELETE_FAILED, err), err);
}

bool project_drop(struct storage *storage, const struct call *call, const char *id, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_delete_project, (struct op_target){.project_id = id});
	return op_end(&op, delete_project(&op, id, true, err), err);
}
