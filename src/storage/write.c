#include "storage/write.h"

#include "base/clock.h"
#include "base/fs.h"
#include "engine/staging.h"
#include "metrics/metrics.h"
#include "storage/shape.h"
#include "storage/version.h"

#include <unistd.h>

bool write_begin(struct table_write *w, struct op *op, const char *project_id, const char *branch_id,
		 const char *bucket, const char *table, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	*w = (struct table_write){.op = op};
	/* First without the lock: what does not exist is answered at once and takes no lock. */
	if (!place_table_own(storage, arena, project_id, branch_id, bucket, table, &w->place, err) ||
	    !lock_table(storage->locks, op, project_id, w->place.branch_id, bucket, table, &w->admission, err) ||
	    !place_table_own(storage, arena, project_id, branch_id, bucket, table, &w->place, err) ||
	    !place_schema(&w->place, &w->info, err))
		return false;
	w->copies = !w->place.on_main && w->place.source == SOURCE_MAIN;
	return true;
}

bool write_next_copy(struct table_write *w, struct err *err)
{
	struct storage *storage = w->place.storage;
	int64_t start = clock_ns();
	if (!staging_copy_of(storage->tables, storage->settings->staging_dir, w->place.path, &w->next, err))
		return false;
	op_span(w->op, "copy", start, clock_ns());
	w->copy_ns = clock_ns() - start;
	return true;
}

bool write_next_empty(struct table_write *w, const struct table_schema *schema, int64_t expected_bytes, struct err *err)
{
	struct storage *storage = w->place.storage;
	return staging_create(storage->tables, storage->settings->staging_dir, expected_bytes, &w->next, err) &&
	       staging_create_table(w->next, schema, err);
}

void write_row_fill(struct table_row *row, const struct table_info *info, struct arena *arena)
{
	row->schema_json = shape_encode(&info->schema, arena);
	row->row_count = info->row_count;
	row->size_bytes = info->identity.size;
	row->device = (int64_t)info->identity.device;
	row->inode = (int64_t)info->identity.inode;
	row->mtime_ns = info->identity.mtime_ns;
	row->updated_at = clock_unix_us();
}

static void count_copy(const struct table_write *w, const struct table_row *row)
{
	metric_observe(metric_series(METRIC_BRANCH_COW_DURATION_SECONDS, NULL), (double)w->copy_ns / 1e9);
	struct series *copies =
		metric_tenant_series(METRIC_BRANCH_COW_OPERATIONS_TOTAL, row->project_id, row->branch_id, NULL);
	struct series *bytes =
		metric_tenant_series(METRIC_BRANCH_COW_BYTES_TOTAL, row->project_id, row->branch_id, NULL);
	metric_inc(copies);
	metric_add(bytes, (uint64_t)w->info.size_bytes);
	metric_tenant_release(copies);
	metric_tenant_release(bytes);
}

/* Puts the file in place and its record into the catalog; when the record cannot be written the old file comes back. */
static bool swap(struct table_write *w, const char *path, const char *undo, struct catalog_txn *t, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t start = clock_ns();
	if (!fs_publish(staging_path(w->next), path, false, err))
		return false;
	op_span(w->op, "publish", start, clock_ns());
	start = clock_ns();
	bool fine = catalog_commit(t, err);
	op_span(w->op, "catalog", start, clock_ns());
	if (fine)
		return true;
	if (undo)
		(void)!fs_publish(undo, path, false, &ignored);
	else
		(void)!fs_unlink(path, &ignored);
	return false;
}

bool write_publish(struct table_write *w, struct err *err)
{
	struct storage *storage = w->place.storage;
	struct arena *arena = w->place.arena;
	struct err ignored = ERR_INIT;
	const char *undo = NULL;
	struct table_row row = w->place.table;
	int64_t start = clock_ns();
	if (!staging_seal(w->next, arena, &w->published, err))
		return false;
	op_span(w->op, "seal", start, clock_ns());
	write_row_fill(&row, &w->published, arena);
	row.generation++;
	if (w->copies) {
		row.branch_id = w->place.branch_id;
		row.origin = "copied";
		row.copied_at = row.updated_at;
		row.generation = 1;
	}
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_project(t, KEY(row.project_id), ERR_PROJECT_NOT_FOUND);
	if (!w->place.on_main)
		catalog_expect_branch(t, KEY(row.project_id, row.branch_id), ERR_BRANCH_NOT_FOUND);
	catalog_put_table_row(t, &row);
	const char *path = place_table_path(storage, arena, row.project_id, row.branch_id, row.bucket, row.name);
	if (w->copies) {
		const char *dir = place_bucket_dir(storage, arena, row.project_id, row.branch_id, row.bucket);
		if (!fs_mkdir(dir, err) || !swap(w, path, NULL, t, err))
			return false;
		if (w->copy_ns)
			count_copy(w, &row);
	} else {
		if (!version_pin(w->op, &w->place, t, &undo, err) || !swap(w, path, undo, t, err)) {
			if (undo)
				(void)!fs_unlink(undo, &ignored);
			return false;
		}
		if (storage->settings->versions_max == 0 || storage->settings->versions_hours == 0)
			(void)!fs_unlink(undo, &ignored);
		version_prune(storage, row.project_id, row.branch_id, row.bucket, row.name);
	}
	w->place.table = row;
	w->place.path = path;
	w->place.source = w->place.on_main ? SOURCE_MAIN : SOURCE_BRANCH;
	table_forget(storage->tables, path);
	return true;
}

void write_end(struct table_write *w)
{
	staging_free(w->next);
	w->next = NULL;
	lock_release(&w->admission);
}
