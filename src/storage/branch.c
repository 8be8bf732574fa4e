#include "storage/branch.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "metrics/metrics.h"
#include "storage/intent.h"
#include "storage/lock.h"
#include "storage/removal.h"
#include "storage/table.h"
#include "storage/version.h"
#include "storage/workspace_core.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_BYTES = 4, ID_ATTEMPTS = 100 };

const char *branch_change_name(enum branch_change change)
{
	static const char *const names[] = {"unchanged", "changed", "added"};
	return names[change];
}

const char *branch_conflict_name(enum branch_conflict conflict)
{
	static const char *const names[] = {NULL, "main_changed", "main_dropped", "main_created"};
	return names[conflict];
}

bool branch_place(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  struct place *ret, struct err *err)
{
	if (!place_branch(storage, call->arena, project_id, branch_id, NULL, ret, err))
		return false;
	if (!ret->on_main)
		return true;
	(void)err_set(err, ERR_BRANCH_NOT_FOUND, "%s is the main line, not a dev branch", BRANCH_MAIN);
	err_detail(err, "project_id", project_id);
	err_detail(err, "branch_id", branch_id);
	return false;
}

/* ---- create ---- */

static bool name_taken(struct storage *storage, const struct call *call, const char *project_id, const char *name,
		       struct err *err)
{
	struct branch former;
	if (!catalog_get_branch_by_name(storage->catalog, call->arena, KEY(project_id, name), &former))
		return false;
	(void)err_set(err, ERR_BRANCH_NAME_EXISTS, "Project %s has a branch %.200s already", project_id, name);
	err_detail(err, "project_id", project_id);
	err_detail(err, "name", name);
	return true;
}

/* The folder is the claim on the id: no other branch and no project has it. */
static bool folder_claim(struct storage *storage, struct arena *arena, const char *project_id, const char *id,
			 const char **ret_dir, struct intent *intent, struct err *err)
{
	*ret_dir = place_project_dir(storage, arena, project_id, id);
	intent_begin(intent, storage, *ret_dir);
	if (mkdir(*ret_dir, 0750) == 0)
		return true;
	int number = errno;
	intent_end(intent);
	if (number != EEXIST)
		return err_errno(err, number, "Cannot create the folder of a branch");
	(void)err_set(err, ERR_BRANCH_EXISTS, "Branch %s already exists in project %s", id, project_id);
	err_detail(err, "branch_id", id);
	return false;
}

static bool folder_make(struct storage *storage, struct arena *arena, const char *project_id, const char **ret_id,
			const char **ret_dir, struct intent *intent, struct err *err)
{
	char id[2 * ID_BYTES + 1];
	for (int i = 0; i < ID_ATTEMPTS; i++) {
		id_hex(ID_BYTES, id);
		const char *dir = place_project_dir(storage, arena, project_id, id);
		intent_begin(intent, storage, dir);
		if (mkdir(dir, 0750) == 0) {
			*ret_id = arena_strdup(arena, id);
			*ret_dir = dir;
			return true;
		}
		int number = errno;
		intent_end(intent);
		if (number != EEXIST)
			return err_errno(err, number, "Cannot create the folder of a branch");
	}
	return err_set(err, ERR_INTERNAL, "No free branch id was found");
}

static bool create(struct op *op, const char *id, const char *name, const char *description, struct branch *ret,
		   struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const char *project_id = op->target.project_id;
	struct intent intent;
	struct place place;
	const char *dir = NULL;
	if (!place_branch(storage, arena, project_id, NULL, NULL, &place, err) ||
	    name_taken(storage, op->call, project_id, name, err))
		return false;
	*ret = (struct branch){.project_id = project_id,
			       .id = id,
			       .name = name,
			       .description = description,
			       .created_at = clock_unix_us()};
	if (id ? !folder_claim(storage, arena, project_id, id, &dir, &intent, err)
	       : !folder_make(storage, arena, project_id, &ret->id, &dir, &intent, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	catalog_insert_branch(t, ret, ERR_BRANCH_NAME_EXISTS);
	bool fine = fs_sync_dir(storage->settings->duckdb_dir, err) && catalog_commit(t, err);
	if (!fine) {
		(void)rmdir(dir);
		if (err->code == ERR_BRANCH_NAME_EXISTS)
			(void)name_taken(storage, op->call, project_id, name, err);
	}
	intent_end(&intent);
	op->target.branch_id = ret->id;
	op->target.resource_id = ret->id;
	op_detail(op, "name", name);
	return fine;
}

bool branch_create(struct storage *storage, const struct call *call, const char *project_id, const char *name,
		   const char *description, struct branch_info *ret, struct err *err)
{
	struct op op;
	*ret = (struct branch_info){0};
	op_begin(&op, storage, call, OP_create_branch, (struct op_target){.project_id = project_id});
	return op_end(&op, create(&op, NULL, name, description, &ret->row, err), err);
}

bool branch_create_as(struct storage *storage, const struct call *call, const char *project_id, const char *id,
		      const char *name, struct branch_info *ret, struct err *err)
{
	struct op op;
	*ret = (struct branch_info){0};
	op_begin(&op, storage, call, OP_create_branch, (struct op_target){.project_id = project_id});
	bool fine = (!id || place_name_check("A branch id", id, err)) && create(&op, id, name, NULL, &ret->row, err);
	return op_end(&op, fine, err);
}

/* ---- looking ---- */

static bool add_table(void *ctx, const struct table_row *row)
{
	struct branch_info *info = ctx;
	info->table_count++;
	info->size_bytes += row->size_bytes;
	return true;
}

static void info_of(struct storage *storage, const struct branch *row, struct branch_info *ret)
{
	*ret = (struct branch_info){.row = *row};
	catalog_visit_tables(storage->catalog, KEY(row->project_id, row->id), NULL, add_table, ret);
}

bool branch_list(struct storage *storage, const struct call *call, const char *project_id, int64_t limit,
		 int64_t offset, struct branch_info **ret, size_t *ret_count, struct err *err)
{
	struct place place;
	struct branch *rows;
	struct catalog_page page = {.limit = (size_t)limit, .offset = (uint64_t)offset};
	if (!place_branch(storage, call->arena, project_id, NULL, NULL, &place, err))
		return false;
	catalog_list_branches_newest(storage->catalog, call->arena, KEY(project_id), &page, &rows, ret_count);
	*ret = arena_array(call->arena, struct branch_info, *ret_count);
	for (size_t i = 0; i < *ret_count; i++)
		info_of(storage, &rows[i], &(*ret)[i]);
	return true;
}

bool branch_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		struct branch_info *ret, struct table_row **ret_tables, size_t *ret_count, struct err *err)
{
	struct place place;
	struct branch row;
	if (!branch_place(storage, call, project_id, branch_id, &place, err))
		return false;
	/* Gone since: as if it had never been asked for. */
	if (!catalog_get_branch(storage->catalog, call->arena, KEY(project_id, branch_id), &row))
		return branch_place(storage, call, project_id, branch_id, &place, err);
	info_of(storage, &row, ret);
	catalog_list_tables_by_copy_time(storage->catalog, call->arena, KEY(project_id, branch_id), NULL, ret_tables,
					 ret_count);
	return true;
}

/* ---- delete ---- */

struct leaving {
	struct table_row *tables;
	struct workspace *workspaces;
	size_t table_count;
	size_t workspace_count;
};

static bool rows_remove(struct op *op, const struct leaving *r, struct removal *gone, struct err *err)
{
	struct storage *storage = op->storage;
	const char *project_id = op->target.project_id;
	const char *id = op->target.branch_id;
	struct catalog_txn *t = catalog_txn(storage->catalog, op->call->arena);
	catalog_expect_branch(t, KEY(project_id, id), ERR_BRANCH_NOT_FOUND);
	catalog_remove_branch(t, KEY(project_id, id));
	catalog_remove_all_tables(t, KEY(project_id, id));
	catalog_remove_all_publications(t, KEY(project_id, id));
	catalog_remove_all_api_keys_of_branch(t, KEY(project_id, id));
	for (size_t i = 0; i < r->workspace_count; i++)
		workspace_forget(t, r->workspaces[i].id);
	catalog_remove_all_workspaces_of_branch(t, KEY(project_id, id));
	version_forget(t, project_id, id, NULL, NULL);
	removal_add(gone, t, place_project_dir(storage, op->call->arena, project_id, id));
	return catalog_commit(t, err);
}

static void files_remove(struct op *op, const struct leaving *r, struct removal *gone)
{
	struct storage *storage = op->storage;
	for (size_t i = 0; i < r->workspace_count; i++) {
		workspace_doom(storage, r->workspaces[i].id, PG_SESSION_DELETED);
		metric_tenant_forget(TENANT_WORKSPACE, r->workspaces[i].id, NULL, NULL);
		metric_tenant_forget(TENANT_TABLE, op->target.project_id, r->workspaces[i].id, NULL);
	}
	version_remove_files(storage, op->target.project_id, op->target.branch_id, NULL, NULL);
	removal_run(gone);
	table_reap(storage->tables);
	metric_tenant_forget(TENANT_BRANCH, op->target.project_id, op->target.branch_id, NULL);
}

static bool delete_branch(struct op *op, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const char *project_id = op->target.project_id;
	const char *id = op->target.branch_id;
	struct admission admission = {0};
	struct removal gone = REMOVAL(storage, arena);
	struct leaving r = {0};
	struct branch row;
	struct place place;
	if (!branch_place(storage, op->call, project_id, id, &place, err))
		return false;
	if (catalog_get_branch(storage->catalog, arena, KEY(project_id, id), &row))
		op_detail(op, "name", row.name);
	catalog_list_tables(storage->catalog, arena, KEY(project_id, id), NULL, &r.tables, &r.table_count);
	catalog_list_workspaces_of_branch(storage->catalog, arena, KEY(project_id, id), NULL, &r.workspaces,
					  &r.workspace_count);
	struct lock_name *names = arena_array(arena, struct lock_name, r.table_count);
	for (size_t i = 0; i < r.table_count; i++)
		names[i] = (struct lock_name){project_id, id, r.tables[i].bucket, r.tables[i].name};
	bool fine = lock_tables(storage->locks, op, names, r.table_count, &admission, err) &&
		    rows_remove(op, &r, &gone, err);
	if (fine)
		files_remove(op, &r, &gone);
	lock_release(&admission);
	op_detail_int(op, "tables_deleted", (int64_t)r.table_count);
	return fine;
}

bool branch_delete(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_delete_branch,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = branch_id});
	return op_end(&op, delete_branch(&op, err), err);
}

/* ---- pull ---- */

static bool pull(struct op *op, bool *ret_was_local, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct admission admission = {0};
	struct table_row main;
	struct place place;
	if (!branch_place(storage, op->call, t->project_id, t->branch_id, &place, err))
		return false;
	place.bucket_name = arena_strdup(arena, t->bucket);
	if (!catalog_get_table_row(storage->catalog, arena, KEY(t->project_id, BRANCH_MAIN, t->bucket, t->table),
				   &main)) {
		(void)err_set(err, ERR_TABLE_NOT_FOUND, "The default branch has no table %s in bucket %s", t->table,
			      t->bucket);
		err_detail(err, "project_id", t->project_id);
		err_detail(err, "bucket_name", t->bucket);
		err_detail(err, "table_name", t->table);
		return false;
	}
	bool fine = lock_table(storage->locks, op, t->project_id, t->branch_id, t->bucket, t->table, &admission, err);
	*ret_was_local =
		fine && catalog_get_table_row(storage->catalog, arena,
					      KEY(t->project_id, t->branch_id, t->bucket, t->table), &place.table);
	if (*ret_was_local)
		fine = table_discard(op, &place, err);
	lock_release(&admission);
	op_detail_bool(op, "was_local", *ret_was_local);
	return fine;
}

bool branch_pull(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		 const char *bucket, const char *table, bool *ret_was_local, struct err *err)
{
	struct op op;
	*ret_was_local = false;
	op_begin(&op, storage, call, OP_pull_table,
		 (struct op_target){.project_id = project_id,
				    .branch_id = branch_id,
				    .bucket = bucket,
				    .table = table,
				    .resource_id = arena_printf(call->arena, "%s/%s/%s", branch_id, bucket, table)});
	return op_end(&op, pull(&op, ret_was_local, err), err);
}
