#include "storage/snapshot_core.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "metrics/metrics.h"
#include "storage/intent.h"
#include "storage/removal.h"
#include "storage/shape.h"
#include "storage/snapshot_settings.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* So many milliseconds an id may run ahead of the clock when others were taken at the same time. */
enum { ID_ATTEMPTS = 10000, META_BYTES_MAX = 32 * 1024 * 1024 };

static const struct {
	const char *type;	  /* of the resource */
	const char *kind, *label; /* of the metrics */
} triggers[] = {
	[SNAPSHOT_MANUAL] = {"manual", "manual", "manual"},
	[SNAPSHOT_DROP_TABLE] = {"auto_predrop", "auto", "drop_table"},
	[SNAPSHOT_TRUNCATE] = {"auto_pretruncate", "auto", "truncate"},
	[SNAPSHOT_DROP_COLUMN] = {"auto_predrop_column", "auto", "drop_column"},
};

const char *snapshot_dir(const struct storage *storage, struct arena *arena, const struct snapshot *row)
{
	return arena_printf(arena, "%s/%s", storage->settings->snapshots_dir, row->path);
}

const char *snapshot_file(const struct storage *storage, struct arena *arena, const struct snapshot *row)
{
	return arena_printf(arena, "%s/%s/data.duckdb", storage->settings->snapshots_dir, row->path);
}

/* ---- taking ---- */

/* The recovery copy of the record. */
static bool meta_write(const char *dir, struct snapshot *row, struct err *err)
{
	struct buf text = BUF(META_BYTES_MAX);
	struct json j = JSON(&text);
	json_object(&j, NULL);
	json_str(&j, "snapshot_id", row->id);
	json_str(&j, "project_id", row->project_id);
	json_str(&j, "bucket_name", row->bucket);
	json_str(&j, "table_name", row->table_name);
	json_str(&j, "snapshot_type", row->type);
	json_time(&j, "created_at", row->created_at);
	json_str(&j, "created_by", row->created_by);
	json_time(&j, "expires_at", row->expires_at);
	json_str(&j, "description", row->description);
	json_int(&j, "row_count", row->row_count);
	json_int(&j, "size_bytes", row->size_bytes);
	json_raw(&j, "schema", row->schema_json);
	json_object_end(&j);
	char path[LIMIT_PATH_BYTES];
	bool fine = fs_path(path, sizeof(path), err, "%s/metadata.json", dir) &&
		    (!text.failed || err_set(err, ERR_PAYLOAD_TOO_LARGE, "The snapshot's description is too long")) &&
		    fs_write(path, buf_view(&text), 0640, err);
	row->meta_bytes = (int64_t)text.len;
	buf_done(&text);
	return fine;
}

/* An id that nobody has, by the folder that is made for it. */
static bool claim(struct storage *storage, struct arena *arena, struct snapshot *row, struct intent *intent,
		  struct err *err)
{
	const char *parent = arena_printf(arena, "%s/%s", storage->settings->snapshots_dir, row->project_id);
	bool fresh = !fs_is_dir(parent);
	if (!fs_mkdir(parent, err) || (fresh && !fs_sync_dir(storage->settings->snapshots_dir, err)))
		return false;
	for (int i = 0; i < ID_ATTEMPTS; i++) {
		struct snapshot taken;
		char when[32];
		int64_t ms = row->created_at / 1000 + i;
		(void)clock_format(ms * 1000, "%Y%m%d_%H%M%S", when, sizeof(when));
		row->id = arena_printf(arena, "snap_%s_%s_%03d", row->table_name, when, (int)(ms % 1000));
		row->path = arena_printf(arena, "%s/%s", row->project_id, row->id);
		if (catalog_get_snapshot(storage->catalog, arena, KEY(row->id), &taken))
			continue;
		const char *dir = snapshot_dir(storage, arena, row);
		intent_begin(intent, storage, dir);
		if (mkdir(dir, 0750) == 0)
			return true;
		int number = errno;
		intent_end(intent);
		if (number != EEXIST)
			return err_errno(err, number, "Cannot create the folder of snapshot %s", row->id);
	}
	return err_set(err, ERR_CONFLICT, "Too many snapshots of table %s at once; try again", row->table_name);
}

static bool store(struct storage *storage, struct arena *arena, const char *pin, struct snapshot *row, struct err *err)
{
	struct err ignored = ERR_INIT;
	struct intent intent;
	struct table_identity file;
	bool copied;
	if (!claim(storage, arena, row, &intent, err))
		return false;
	const char *dir = snapshot_dir(storage, arena, row);
	const char *data = snapshot_file(storage, arena, row);
	bool fine = fs_link(pin, data, &copied, err) && table_identify(data, &file, err);
	if (fine) {
		row->device = (int64_t)file.device;
		row->inode = (int64_t)file.inode;
		row->size_bytes = file.size;
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		fine = meta_write(dir, row, err) &&
		       fs_sync_dir(arena_printf(arena, "%s/%s", storage->settings->snapshots_dir, row->project_id),
				   err);
		catalog_expect_project(t, KEY(row->project_id), ERR_PROJECT_NOT_FOUND);
		catalog_insert_snapshot(t, row, ERR_CONFLICT);
		fine = fine && catalog_commit(t, err);
	}
	if (!fine)
		(void)!fs_remove_tree(dir, &ignored);
	intent_end(&intent);
	return fine;
}

static bool take(struct place *place, enum snapshot_trigger trigger, const struct snapshot_settings *settings,
		 const char *description, struct snapshot *ret, struct err *err)
{
	struct storage *storage = place->storage;
	struct err ignored = ERR_INIT;
	const char *pin;
	int64_t start = clock_ns();
	bool fine = place_pin(place, &pin, err);
	if (fine) {
		const struct table_row *row = &place->table;
		int64_t days = settings->values[trigger == SNAPSHOT_MANUAL ? LEAF_MANUAL_DAYS : LEAF_AUTO_DAYS];
		int64_t now = clock_unix_us();
		*ret = (struct snapshot){
			.project_id = row->project_id,
			.bucket = row->bucket,
			.table_name = row->name,
			.type = triggers[trigger].type,
			.description = description,
			.schema_json = row->schema_json,
			.generation = row->generation,
			.row_count = row->row_count,
			.created_at = now,
			.expires_at = now + days * 86400 * US_PER_S,
		};
		do {
			err_clear(err);
			fine = store(storage, place->arena, pin, ret, err);
			/* Another project's table of the same name had the same id in the same moment. */
		} while (!fine && err->code == ERR_CONFLICT &&
			 catalog_get_snapshot(storage->catalog, place->arena, KEY(ret->id), &(struct snapshot){0}));
		(void)!fs_unlink(pin, &ignored);
	}
	if (!fine) {
		metric_inc(metric_series(METRIC_SNAPSHOTS_FAILED_TOTAL, triggers[trigger].label, NULL));
		return false;
	}
	metric_inc(
		metric_series(METRIC_SNAPSHOTS_CREATED_TOTAL, triggers[trigger].kind, triggers[trigger].label, NULL));
	metric_observe_since(metric_series(METRIC_SNAPSHOT_CREATE_DURATION_SECONDS, NULL), start);
	return true;
}

static bool create(struct op *op, const char *description, struct snapshot *ret, struct err *err)
{
	const struct op_target *t = &op->target;
	struct place place;
	struct snapshot_settings settings;
	struct arena *arena = op->call->arena;
	if (!place_branch(op->storage, arena, t->project_id, t->branch_id, "Taking a snapshot", &place, err) ||
	    !place_table_own(op->storage, arena, t->project_id, t->branch_id, t->bucket, t->table, &place, err))
		return false;
	snapshot_settings_of(op->storage, t->project_id, t->bucket, t->table, &settings);
	if (!settings.values[LEAF_ENABLED]) {
		(void)err_set(err, ERR_SNAPSHOTS_DISABLED, "Snapshots of table %s are switched off by its settings",
			      t->table);
		err_detail(err, "project_id", t->project_id);
		err_detail(err, "bucket_name", t->bucket);
		err_detail(err, "table_name", t->table);
		return false;
	}
	if (!take(&place, SNAPSHOT_MANUAL, &settings, description, ret, err))
		return false;
	op->target.resource_id = ret->id;
	op->rows = ret->row_count;
	op_detail(op, "snapshot_id", ret->id);
	op_detail_int(op, "row_count", ret->row_count);
	return true;
}

bool snapshot_create(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		     const char *bucket, const char *table, const char *description, struct snapshot *ret,
		     struct err *err)
{
	struct op op;
	op_begin(
		&op, storage, call, OP_create_snapshot,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	return op_end(&op, create(&op, description, ret, err), err);
}

/* ---- automatic ones ---- */

static bool wanted(const struct snapshot_settings *settings, enum snapshot_trigger trigger)
{
	const int64_t *v = settings->values;
	if (!v[LEAF_ENABLED])
		return false;
	switch (trigger) {
	case SNAPSHOT_DROP_TABLE:
		return v[LEAF_DROP_TABLE];
	case SNAPSHOT_DROP_COLUMN:
		return v[LEAF_DROP_COLUMN];
	case SNAPSHOT_TRUNCATE:
		return v[LEAF_TRUNCATE_TABLE] || v[LEAF_DELETE_ALL_ROWS];
	case SNAPSHOT_MANUAL:
		break;
	}
	return true;
}

static const char *auto_description(struct arena *arena, const struct table_row *row, enum snapshot_trigger trigger,
				    const char *column)
{
	if (trigger == SNAPSHOT_DROP_TABLE)
		return arena_printf(arena, "Auto-backup before DROP TABLE %s.%s", row->bucket, row->name);
	if (trigger == SNAPSHOT_DROP_COLUMN)
		return arena_printf(arena, "Auto-backup before DROP COLUMN %s.%s.%s", row->bucket, row->name, column);
	return arena_printf(arena, "Auto-backup before DELETE ALL ROWS from %s.%s", row->bucket, row->name);
}

bool snapshot_auto(struct op *op, struct place *place, enum snapshot_trigger trigger, const char *column,
		   struct err *err)
{
	const struct table_row *row = &place->table;
	struct arena *arena = place->arena;
	struct snapshot_settings settings;
	struct snapshot taken;
	struct err cause = ERR_INIT;
	if (!place->on_main || place->source != SOURCE_MAIN)
		return true;
	snapshot_settings_of(place->storage, row->project_id, row->bucket, row->name, &settings);
	if (!wanted(&settings, trigger))
		return true;
	int64_t start = clock_ns();
	const char *description = auto_description(arena, row, trigger, column);
	if (take(place, trigger, &settings, description, &taken, &cause)) {
		op_span(op, "snapshot", start, clock_ns());
		op_detail(op, "snapshot_id", taken.id);
		return true;
	}
	(void)err_set(err, ERR_AUTO_SNAPSHOT_FAILED,
		      "The automatic snapshot of table %s could not be taken, so nothing was changed: %s", row->name,
		      cause.message);
	err_detail(err, "project_id", row->project_id);
	err_detail(err, "bucket_name", row->bucket);
	err_detail(err, "table_name", row->name);
	return false;
}

bool snapshot_auto_bucket(struct op *op, const struct table_row *tables, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct table_row *t = &tables[i];
		struct place place;
		struct err missing = ERR_INIT;
		if (strcmp(t->branch_id, BRANCH_MAIN) != 0)
			continue;
		/* A table without a file has nothing to save. */
		if (place_table_own(op->storage, op->call->arena, t->project_id, NULL, t->bucket, t->name, &place,
				    &missing) &&
		    !snapshot_auto(op, &place, SNAPSHOT_DROP_TABLE, NULL, err))
			return false;
	}
	return true;
}

/* ---- looking ---- */

bool snapshot_find(struct storage *storage, struct arena *arena, const char *project_id, const char *id,
		   struct snapshot *ret, struct err *err)
{
	if (catalog_get_snapshot(storage->catalog, arena, KEY(id), ret) && strcmp(ret->project_id, project_id) == 0 &&
	    ret->expires_at > clock_unix_us())
		return true;
	(void)err_set(err, ERR_SNAPSHOT_NOT_FOUND, "Snapshot %s not found", id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "snapshot_id", id);
	return false;
}

bool snapshot_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const char *id, struct snapshot *ret, struct err *err)
{
	struct place place;
	return place_branch(storage, call->arena, project_id, branch_id, "Reading snapshots", &place, err) &&
	       snapshot_find(storage, call->arena, project_id, id, ret, err);
}

static bool fits(const char *wish, const char *value)
{
	return !wish || !*wish || strcmp(wish, value) == 0;
}

bool snapshot_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const struct snapshot_filter *filter, struct snapshot **ret, size_t *ret_count, size_t *ret_total,
		   struct err *err)
{
	struct place place;
	struct snapshot *rows;
	size_t n;
	size_t total = 0;
	int64_t now = clock_unix_us();
	if (!place_branch(storage, call->arena, project_id, branch_id, "Listing snapshots", &place, err))
		return false;
	if (filter->type && *filter->type)
		catalog_list_snapshots_by_type(storage->catalog, call->arena, KEY(project_id, filter->type), NULL,
					       &rows, &n);
	else
		catalog_list_snapshots_newest(storage->catalog, call->arena, KEY(project_id), NULL, &rows, &n);
	*ret = rows;
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].expires_at <= now || !fits(filter->bucket, rows[i].bucket) ||
		    !fits(filter->table, rows[i].table_name))
			continue;
		if (total++ >= (size_t)filter->offset && *ret_count < (size_t)filter->limit)
			rows[(*ret_count)++] = rows[i];
	}
	*ret_total = total;
	return true;
}

/* ---- removing ---- */

static bool discard(struct storage *storage, struct arena *arena, const struct snapshot *row, struct err *err)
{
	struct removal gone = REMOVAL(storage, arena);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_snapshot(t, KEY(row->id), ERR_SNAPSHOT_NOT_FOUND);
	catalog_remove_snapshot(t, KEY(row->id));
	removal_add(&gone, t, snapshot_dir(storage, arena, row));
	bool fine = catalog_commit(t, err);
	if (fine)
		removal_run(&gone);
	table_reap(storage->tables);
	return fine;
}

bool snapshot_delete(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		     const char *id, struct err *err)
{
	struct op op;
	struct place place;
	struct snapshot row;
	op_begin(&op, storage, call, OP_delete_snapshot,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = id});
	bool fine = place_branch(storage, call->arena, project_id, branch_id, "Deleting a snapshot", &place, err) &&
		    snapshot_find(storage, call->arena, project_id, id, &row, err);
	if (fine) {
		op.target.bucket = row.bucket;
		op.target.table = row.table_name;
		op_detail(&op, "snapshot_id", row.id);
		op_detail_int(&op, "row_count", row.row_count);
		fine = discard(storage, call->arena, &row, err);
	}
	return op_end(&op, fine, err);
}

bool snapshot_sweep(struct storage *storage, struct err *err)
{
	struct arena *arena = arena_new();
	struct snapshot *rows;
	size_t n;
	bool fine = true;
	int64_t now = clock_unix_us();
	catalog_list_snapshots_by_expiry(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	for (size_t i = 0; i < n && rows[i].expires_at <= now && fine; i++) {
		fine = discard(storage, arena, &rows[i], err);
		if (fine)
			metric_inc(metric_series(METRIC_SNAPSHOTS_EXPIRED_TOTAL, NULL));
		else if (err->code == ERR_SNAPSHOT_NOT_FOUND)
			fine = true;
	}
	arena_free(arena);
	return fine;
}
