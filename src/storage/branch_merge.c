#include "storage/branch.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"
#include "storage/lock.h"
#include "storage/publication.h"
#include "storage/removal.h"
#include "storage/table.h"
#include "storage/version.h"
#include "storage/write.h"

#include <stdio.h>
#include <unistd.h>

/* Conflicts that an error lists one by one. */
enum { CONFLICTS_SHOWN = 20 };

/* One table on its way to main. */
struct moving {
	struct place branch; /* as the branch sees it */
	struct place main;   /* valid when main has the table */
	struct table_info info;
	const char *pin;      /* absolute */
	const char *pin_path; /* as the publication says it */
	struct version_pin version;
};

struct merge {
	struct op *op;
	const struct branch_merge *request;
	struct branch_merged *result;
	struct moving *moving;
	struct admission admission;
	const char *dir;
};

static bool not_in_branch(const struct merge *m, const char *bucket, const char *table, struct err *err)
{
	(void)err_set(err, ERR_TABLE_NOT_FOUND, "Table %s of bucket %s does not live in the branch", table, bucket);
	err_detail(err, "branch_id", m->op->target.branch_id);
	err_detail(err, "bucket_name", bucket);
	err_detail(err, "table_name", table);
	return false;
}

static bool listed_before(const struct branch_merged *result, const char *bucket, const char *table)
{
	for (size_t i = 0; i < result->count; i++) {
		if (strcmp(result->tables[i].row.bucket, bucket) == 0 && strcmp(result->tables[i].row.name, table) == 0)
			return true;
	}
	return false;
}

/* The tables that are asked for, and what they stand against. */
static bool tables_choose(struct merge *m, struct err *err)
{
	struct storage *storage = m->op->storage;
	struct arena *arena = m->op->call->arena;
	const struct op_target *t = &m->op->target;
	struct branch_merged *result = m->result;
	struct table_row *rows;
	size_t n = m->request->name_count;
	*result = (struct branch_merged){0};
	if (!m->request->names) {
		catalog_list_tables(storage->catalog, arena, KEY(t->project_id, t->branch_id), NULL, &rows, &n);
	} else {
		rows = arena_array(arena, struct table_row, n);
		for (size_t i = 0; i < n; i++) {
			const struct branch_merge_name *name = &m->request->names[i];
			if (!catalog_get_table_row(storage->catalog, arena,
						   KEY(t->project_id, t->branch_id, name->bucket, name->table),
						   &rows[i]))
				return not_in_branch(m, name->bucket, name->table, err);
		}
	}
	result->tables = arena_array(arena, struct branch_table, n);
	for (size_t i = 0; i < n; i++) {
		if (listed_before(result, rows[i].bucket, rows[i].name))
			continue;
		struct branch_table *one = &result->tables[result->count++];
		branch_table_of(storage, arena, &rows[i], one);
		result->conflict_count += one->conflict != CONFLICT_NONE;
	}
	return true;
}

static bool tables_lock(struct merge *m, struct err *err)
{
	const struct op_target *t = &m->op->target;
	const struct branch_merged *result = m->result;
	struct lock_name *names = arena_array(m->op->call->arena, struct lock_name, 2 * result->count);
	for (size_t i = 0; i < result->count; i++) {
		const struct table_row *row = &result->tables[i].row;
		names[2 * i] = (struct lock_name){t->project_id, t->branch_id, row->bucket, row->name};
		names[2 * i + 1] = (struct lock_name){t->project_id, BRANCH_MAIN, row->bucket, row->name};
	}
	return lock_tables(m->op->storage->locks, m->op, names, 2 * result->count, &m->admission, err);
}

static bool conflicts_refuse(const struct branch_merged *result, struct err *err)
{
	struct buf text = BUF(16 * KIB);
	struct json j = JSON(&text);
	size_t shown = 0;
	(void)err_set(err, ERR_MERGE_CONFLICT,
		      "Main changed since the branch copied %zu of the tables; pull them, or merge with overwrite",
		      result->conflict_count);
	err_detail_int(err, "conflict_count", (int64_t)result->conflict_count);
	json_array(&j, NULL);
	for (size_t i = 0; i < result->count && shown < CONFLICTS_SHOWN; i++) {
		const struct branch_table *one = &result->tables[i];
		if (one->conflict == CONFLICT_NONE)
			continue;
		shown++;
		json_object(&j, NULL);
		json_str(&j, "bucket_name", one->row.bucket);
		json_str(&j, "table_name", one->row.name);
		json_str(&j, "reason", branch_conflict_name(one->conflict));
		json_object_end(&j);
	}
	json_array_end(&j);
	err_detail_json(err, "conflicts", text.ptr);
	buf_done(&text);
	return false;
}

/* Under the locks: the files as they are now, even if somebody replaced one by hand. */
static bool table_take(struct merge *m, size_t i, struct err *err)
{
	struct storage *storage = m->op->storage;
	struct arena *arena = m->op->call->arena;
	struct branch_table *one = &m->result->tables[i];
	struct moving *moving = &m->moving[i];
	const struct table_row row = one->row;
	struct err missing = ERR_INIT;
	if (!place_table_own(storage, arena, row.project_id, row.branch_id, row.bucket, row.name, &moving->branch, err))
		return false;
	if (moving->branch.source != SOURCE_BRANCH)
		return not_in_branch(m, row.bucket, row.name, err);
	if (!publication_settle(&moving->branch, err) || !place_schema(&moving->branch, &moving->info, err))
		return false;
	bool on_main =
		place_table_own(storage, arena, row.project_id, NULL, row.bucket, row.name, &moving->main, &missing);
	if (on_main && !publication_settle(&moving->main, err))
		return false;
	branch_table_of(storage, arena, &moving->branch.table, one);
	m->result->conflict_count += one->conflict != CONFLICT_NONE;
	if (on_main == one->on_main)
		return true;
	*err = missing;
	return false;
}

static bool tables_take(struct merge *m, struct err *err)
{
	m->moving = arena_array(m->op->call->arena, struct moving, m->result->count);
	m->result->conflict_count = 0;
	for (size_t i = 0; i < m->result->count; i++) {
		if (!table_take(m, i, err))
			return false;
	}
	return m->result->conflict_count == 0 || m->request->overwrite || conflicts_refuse(m->result, err);
}

/* The branch's files once more, where no change of the branch reaches them. */
static bool pins_make(struct merge *m, struct err *err)
{
	struct storage *storage = m->op->storage;
	struct arena *arena = m->op->call->arena;
	const char *root = storage->settings->duckdb_dir;
	char mark[17];
	bool copied;
	id_hex(8, mark);
	m->dir = arena_printf(arena, "%s/_merge/%s", root, mark);
	if (!fs_mkdir(m->dir, err))
		return false;
	for (size_t i = 0; i < m->result->count; i++) {
		struct moving *moving = &m->moving[i];
		moving->pin_path = arena_printf(arena, "_merge/%s/%zu.duckdb", mark, i);
		moving->pin = arena_printf(arena, "%s/%s", root, moving->pin_path);
		if (!fs_link(moving->branch.path, moving->pin, &copied, err) ||
		    !table_identify(moving->pin, &moving->info.identity, err))
			return false;
	}
	return fs_sync_dir(m->dir, err) && fs_sync_dir(arena_printf(arena, "%s/_merge", root), err) &&
	       fs_sync_dir(root, err);
}

static bool record_one(struct merge *m, size_t i, struct catalog_txn *t, struct err *err)
{
	struct moving *moving = &m->moving[i];
	const struct branch_table *one = &m->result->tables[i];
	const struct table_row *from = &moving->branch.table;
	struct arena *arena = m->op->call->arena;
	struct table_row row = {
		.project_id = from->project_id,
		.branch_id = BRANCH_MAIN,
		.bucket = from->bucket,
		.name = from->name,
		.origin = "main",
		.created_at = clock_unix_us(),
	};
	if (one->on_main) {
		row = moving->main.table;
		if (!version_pin(m->op, &moving->main, t, &moving->version, err))
			return false;
	}
	write_row_fill(&row, &moving->info, arena);
	row.generation++;
	struct publication pending = {.project_id = row.project_id,
				      .branch_id = row.branch_id,
				      .bucket = row.bucket,
				      .table_name = row.name,
				      .path = moving->pin_path,
				      .created_at = row.updated_at};
	if (one->on_main)
		catalog_expect_table_row(t, KEY(row.project_id, row.branch_id, row.bucket, row.name),
					 ERR_TABLE_NOT_FOUND);
	else
		catalog_refuse_table_row(t, KEY(row.project_id, row.branch_id, row.bucket, row.name), ERR_TABLE_EXISTS);
	catalog_put_table_row(t, &row);
	catalog_put_publication(t, &pending);
	catalog_expect_table_row(t, KEY(from->project_id, from->branch_id, from->bucket, from->name),
				 ERR_TABLE_NOT_FOUND);
	catalog_remove_table_row(t, KEY(from->project_id, from->branch_id, from->bucket, from->name));
	version_forget(t, from->project_id, from->branch_id, from->bucket, from->name);
	return true;
}

/* All is recorded: what follows is finished at the next start if it is not now. */
static void tables_move(struct merge *m, struct removal *gone)
{
	struct storage *storage = m->op->storage;
	struct arena *arena = m->op->call->arena;
	struct err ignored = ERR_INIT;
	for (size_t i = 0; i < m->result->count; i++) {
		struct moving *moving = &m->moving[i];
		const struct table_row *from = &moving->branch.table;
		struct publication pending = {.project_id = from->project_id,
					      .branch_id = BRANCH_MAIN,
					      .bucket = from->bucket,
					      .table_name = from->name,
					      .path = moving->pin_path};
		(void)!publication_finish(storage, arena, &pending, &ignored);
		if (m->result->tables[i].on_main)
			version_pinned(storage, &moving->version, from->project_id);
		version_remove_files(storage, from->project_id, from->branch_id, from->bucket, from->name);
		table_forget(storage->tables,
			     place_table_path(storage, arena, from->project_id, BRANCH_MAIN, from->bucket, from->name));
	}
	(void)rmdir(m->dir);
	removal_run(gone);
	table_reap(storage->tables);
}

static void give_up(struct merge *m)
{
	struct err ignored = ERR_INIT;
	for (size_t i = 0; i < m->result->count; i++)
		version_unpin(&m->moving[i].version);
	if (m->dir)
		(void)!fs_remove_tree(m->dir, &ignored);
}

static bool tables_merge(struct merge *m, struct err *err)
{
	struct storage *storage = m->op->storage;
	const struct op_target *t = &m->op->target;
	size_t n = m->result->count;
	struct catalog_txn *txn = catalog_txn(storage->catalog, m->op->call->arena);
	struct removal gone = REMOVAL(storage, m->op->call->arena);
	bool fine = pins_make(m, err);
	catalog_expect_branch(txn, KEY(t->project_id, t->branch_id), ERR_BRANCH_NOT_FOUND);
	for (size_t i = 0; i < n && fine; i++) {
		fine = record_one(m, i, txn, err);
		removal_add(&gone, txn, m->moving[i].branch.path);
	}
	fine = fine && catalog_commit(txn, err);
	if (fine)
		tables_move(m, &gone);
	else
		give_up(m);
	return fine;
}

static bool merge(struct merge *m, struct err *err)
{
	const struct op_target *t = &m->op->target;
	struct place place;
	if (!branch_place(m->op->storage, m->op->call, t->project_id, t->branch_id, &place, err) ||
	    !tables_choose(m, err))
		return false;
	if (m->request->dry_run || m->result->count == 0)
		return true;
	if (m->result->conflict_count && !m->request->overwrite)
		return conflicts_refuse(m->result, err);
	bool fine = tables_lock(m, err) && tables_take(m, err) && tables_merge(m, err);
	lock_release(&m->admission);
	for (size_t i = 0; i < m->result->count; i++)
		m->op->rows += fine ? m->result->tables[i].row.row_count : 0;
	return fine;
}

bool branch_merge(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const struct branch_merge *request, struct branch_merged *ret, struct err *err)
{
	struct op op;
	struct merge m = {.op = &op, .request = request, .result = ret};
	op_begin(&op, storage, call, OP_merge_branch,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = branch_id});
	bool fine = merge(&m, err);
	if (fine) {
		op_detail_int(&op, "tables", (int64_t)ret->count);
		op_detail_int(&op, "conflicts", (int64_t)ret->conflict_count);
		op_detail_bool(&op, "dry_run", request->dry_run);
	}
	return op_end(&op, fine, err);
}
