#include "storage/snapshot_core.h"

#include "base/clock.h"
#include "base/fs.h"
#include "metrics/metrics.h"
#include "storage/lock.h"
#include "storage/table.h"
#include "storage/write.h"

struct restore {
	struct op *op;
	struct snapshot snapshot;
	const char *file;
	const char *bucket;
	const char *table;
	int64_t row_count;
};

static bool file_missing(const struct restore *r, struct err *err)
{
	(void)err_set(err, ERR_SNAPSHOT_FILE_NOT_FOUND, "The data file of snapshot %s is gone", r->snapshot.id);
	err_detail(err, "snapshot_id", r->snapshot.id);
	return false;
}

/* *ret_there: whether there was a table to replace. */
static bool replace(struct restore *r, bool *ret_there, struct err *err)
{
	const struct op_target *t = &r->op->target;
	struct table_write w;
	*ret_there = write_begin_at(&w, r->op, t->project_id, NULL, r->bucket, r->table, err);
	bool fine = *ret_there && write_next_file(&w, r->file, err) && write_publish(&w, err);
	if (fine)
		r->row_count = w.published.row_count;
	else if (!*ret_there)
		*ret_there = err->code != ERR_TABLE_NOT_FOUND;
	write_end(&w);
	return fine;
}

/* The record of a table whose file was lost makes room for the restored one. */
static bool lost_make_room(struct restore *r, struct place *place, struct err *err)
{
	return !catalog_get_table_row(r->op->storage->catalog, place->arena,
				      KEY(place->project.id, BRANCH_MAIN, r->bucket, r->table), &place->table) ||
	       table_discard(r->op, place, err);
}

static bool add(struct restore *r, struct err *err)
{
	struct storage *storage = r->op->storage;
	struct arena *arena = r->op->call->arena;
	const char *project_id = r->op->target.project_id;
	struct err ignored = ERR_INIT;
	struct admission admission = {0};
	struct table_info info;
	struct place place;
	const char *ready = NULL;
	if (!place_bucket(storage, arena, project_id, NULL, r->bucket, NULL, &place, err) ||
	    !table_absent(&place, r->table, err))
		return false;
	bool fine = lock_table(storage->locks, r->op, project_id, BRANCH_MAIN, r->bucket, r->table, &admission, err) &&
		    place_bucket(storage, arena, project_id, NULL, r->bucket, NULL, &place, err) &&
		    table_absent(&place, r->table, err) && lost_make_room(r, &place, err) &&
		    write_adopt(storage, arena, r->file, &ready, &info, err) &&
		    table_publish_file(r->op, &place, r->table, ready, &info, err);
	if (fine)
		r->row_count = info.row_count;
	if (ready)
		(void)!fs_unlink(ready, &ignored);
	lock_release(&admission);
	return fine;
}

/* Where the snapshot goes, and whether that is possible; *ret_same: over the table it was taken of. */
static bool target_check(struct restore *r, const char *target_bucket, const char *target_table, bool *ret_same,
			 struct err *err)
{
	struct storage *storage = r->op->storage;
	struct arena *arena = r->op->call->arena;
	const struct snapshot *s = &r->snapshot;
	struct place place;
	r->bucket = target_bucket ? target_bucket : s->bucket;
	r->table = target_table ? target_table : s->table_name;
	r->file = snapshot_file(storage, arena, s);
	r->op->target.bucket = r->bucket;
	r->op->target.table = r->table;
	*ret_same = strcmp(r->bucket, s->bucket) == 0 && strcmp(r->table, s->table_name) == 0;
	if (!place_bucket(storage, arena, r->op->target.project_id, NULL, r->bucket, NULL, &place, err) ||
	    !place_name_check("A table name", r->table, err))
		return false;
	return (*ret_same || table_absent(&place, r->table, err)) && (fs_exists(r->file) || file_missing(r, err));
}

static bool restore(struct restore *r, const char *id, const char *target_bucket, const char *target_table,
		    struct err *err)
{
	struct storage *storage = r->op->storage;
	struct arena *arena = r->op->call->arena;
	const struct op_target *t = &r->op->target;
	struct place place;
	bool there = false;
	bool same;
	if (!place_branch(storage, arena, t->project_id, t->branch_id, "Restoring a snapshot", &place, err) ||
	    !snapshot_find(storage, arena, t->project_id, id, &r->snapshot, err) ||
	    !target_check(r, target_bucket, target_table, &same, err))
		return false;
	bool fine = same && replace(r, &there, err);
	if (!fine && !there) {
		err_clear(err);
		fine = add(r, err);
	}
	if (!fine && !fs_exists(r->file))
		return file_missing(r, err);
	r->op->rows = r->row_count;
	op_detail(r->op, "snapshot_id", r->snapshot.id);
	op_detail_int(r->op, "row_count", r->row_count);
	return fine;
}

bool snapshot_restore(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		      const char *id, const char *target_bucket, const char *target_table,
		      struct snapshot_restored *ret, struct err *err)
{
	struct op op;
	struct restore r = {.op = &op};
	int64_t start = clock_ns();
	op_begin(&op, storage, call, OP_restore_snapshot,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = id});
	bool fine = restore(&r, id, target_bucket, target_table, err);
	if (fine) {
		metric_inc(metric_series(METRIC_SNAPSHOTS_RESTORED_TOTAL, NULL));
		metric_observe_since(metric_series(METRIC_SNAPSHOT_RESTORE_DURATION_SECONDS, NULL), start);
		*ret = (struct snapshot_restored){.bucket = r.bucket, .table = r.table, .row_count = r.row_count};
	}
	return op_end(&op, fine, err);
}
