#include "storage/write.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "engine/staging.h"
#include "metrics/metrics.h"
#include "storage/bucket.h"
#include "storage/intent.h"
#include "storage/publication.h"
#include "storage/shape.h"
#include "storage/version.h"

bool write_begin_at(struct table_write *w, struct op *op, const char *project_id, const char *branch_id,
		    const char *bucket, const char *table, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	*w = (struct table_write){.op = op};
	/* First without the lock: what does not exist is answered at once and takes no lock. */
	if (!place_table_own(storage, arena, project_id, branch_id, bucket, table, &w->place, err) ||
	    !lock_table(storage->locks, op, project_id, w->place.branch_id, bucket, table, &w->admission, err) ||
	    !place_table_own(storage, arena, project_id, branch_id, bucket, table, &w->place, err))
		return false;
	w->copies = !w->place.on_main && w->place.source == SOURCE_MAIN;
	/* Main's lock is not ours then: what is looked at and copied is one version, whatever main does meanwhile. */
	return (w->copies ? place_pin(&w->place, &w->base, err) : publication_settle(&w->place, err)) &&
	       place_schema(&w->place, &w->info, err);
}

bool write_begin(struct table_write *w, struct op *op, struct err *err)
{
	const struct op_target *t = &op->target;
	return write_begin_at(w, op, t->project_id, t->branch_id, t->bucket, t->table, err);
}

bool write_next_copy(struct table_write *w, struct err *err)
{
	struct storage *storage = w->place.storage;
	op_began_on(w->op, w->place.table.size_bytes);
	int64_t start = clock_ns();
	if (!staging_copy_of(storage->tables, storage->settings->staging_dir, w->base ? w->base : w->place.path,
			     &w->next, err))
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

bool write_adopt(struct storage *storage, struct arena *arena, const char *path, const char **ret_path,
		 struct table_info *ret, struct err *err)
{
	struct err ignored = ERR_INIT;
	char mark[17];
	bool copied;
	id_hex(8, mark);
	*ret_path = arena_printf(arena, "%s/ready_%s.duckdb", storage->settings->staging_dir, mark);
	if (!fs_link(path, *ret_path, &copied, err))
		return false;
	if (table_describe(storage->tables, *ret_path, arena, ret, err))
		return true;
	(void)!fs_unlink(*ret_path, &ignored);
	return false;
}

bool write_next_file(struct table_write *w, const char *path, struct err *err)
{
	const char *ready;
	int64_t start = clock_ns();
	if (!write_adopt(w->place.storage, w->place.arena, path, &ready, &w->published, err))
		return false;
	w->ready = ready;
	op_span(w->op, "link", start, clock_ns());
	return true;
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

/* Also of a full load, which needs nothing of the copy: the branch has the table from now on. */
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
	bool fine = fs_publish(w->ready ? w->ready : staging_path(w->next), path, false, err);
	op_span(w->op, "publish", start, clock_ns());
	start = clock_ns();
	fine = fine && catalog_commit(t, err);
	op_span(w->op, "catalog", start, clock_ns());
	if (fine)
		return true;
	if (undo)
		(void)!fs_publish(undo, path, false, &ignored);
	else
		(void)!fs_unlink(path, &ignored);
	return false;
}

/* A first change in a dev branch: the file is new there. */
static bool publish_copy(struct table_write *w, struct table_row *row, const char *path, struct catalog_txn *t,
			 struct err *err)
{
	struct storage *storage = w->place.storage;
	const char *dir = place_bucket_dir(storage, w->place.arena, row->project_id, row->branch_id, row->bucket);
	struct intent intent;
	row->origin = "copied";
	row->copied_at = row->updated_at;
	row->base_generation = w->place.table.generation;
	row->base_created_at = w->place.table.created_at;
	row->generation = 1;
	catalog_put_table_row(t, row);
	intent_begin(&intent, storage, path);
	bool fine = fs_mkdir(dir, err) && swap(w, path, NULL, t, err);
	intent_end(&intent);
	if (fine)
		count_copy(w, row);
	if (!fine) {
		place_explain(&w->place, err);
		if (err->code == ERR_BUCKET_NOT_FOUND || err->code == ERR_BRANCH_NOT_FOUND)
			bucket_folder_tidy(&w->place);
	}
	return fine;
}

static bool publish_next(struct table_write *w, struct table_row *row, const char *path, struct catalog_txn *t,
			 struct err *err)
{
	struct version_pin pin = {0};
	row->generation++;
	catalog_put_table_row(t, row);
	if (!version_pin(w->op, &w->place, t, &pin, err) || !swap(w, path, pin.path, t, err)) {
		version_unpin(&pin);
		return false;
	}
	version_pinned(w->place.storage, &pin, row->project_id);
	return true;
}

bool write_publish(struct table_write *w, struct err *err)
{
	struct storage *storage = w->place.storage;
	struct arena *arena = w->place.arena;
	struct table_row row = w->place.table;
	int64_t start = clock_ns();
	if (!w->ready && !staging_seal(w->next, arena, &w->published, err))
		return false;
	op_span(w->op, "seal", start, clock_ns());
	write_row_fill(&row, &w->published, arena);
	if (w->copies)
		row.branch_id = w->place.branch_id;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	place_expect(t, &w->place);
	const char *path = place_table_path(storage, arena, row.project_id, row.branch_id, row.bucket, row.name);
	if (!(w->copies ? publish_copy(w, &row, path, t, err) : publish_next(w, &row, path, t, err)))
		return false;
	w->place.table = row;
	w->place.path = path;
	w->place.source = w->place.on_main ? SOURCE_MAIN : SOURCE_BRANCH;
	table_forget(storage->tables, path);
	return true;
}

void write_end(struct table_write *w)
{
	struct err ignored = ERR_INIT;
	staging_free(w->next);
	w->next = NULL;
	/* Still there after a failure, and when the table's file was the same file already: then rename does nothing. */
	if (w->ready)
		(void)!fs_unlink(w->ready, &ignored);
	w->ready = NULL;
	if (w->base)
		(void)!fs_unlink(w->base, &ignored);
	w->base = NULL;
	lock_release(&w->admission);
}
