#include "storage/version.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/map.h"
#include "storage/shape.h"
#include "storage/write.h"

#include <stdlib.h>
#include <unistd.h>

/* Below the folder of the tables, as records say it: the data may be moved elsewhere. */
static const char *version_folder(struct arena *arena, const char *project_id, const char *branch_id,
				  const char *bucket, const char *table)
{
	if (!branch_id)
		return arena_printf(arena, "_versions/%s", project_id);
	if (!bucket)
		return arena_printf(arena, "_versions/%s/%s", project_id, branch_id);
	if (!table)
		return arena_printf(arena, "_versions/%s/%s/%s", project_id, branch_id, bucket);
	return arena_printf(arena, "_versions/%s/%s/%s/%s", project_id, branch_id, bucket, table);
}

static const char *version_path(const struct storage *storage, struct arena *arena, const char *path)
{
	return arena_printf(arena, "%s/%s", storage->settings->duckdb_dir, path);
}

/* A pin for the undoing only, below staging: no version is kept. */
static bool pin_for_undo(const struct place *place, struct version_pin *ret, struct err *err)
{
	char id[ID_UUID_SIZE];
	bool copied;
	id_uuid(id);
	*ret = (struct version_pin){
		.path = arena_printf(place->arena, "%s/undo_%s.duckdb", place->storage->settings->staging_dir, id)};
	return fs_link(place->path, ret->path, &copied, err);
}

/* Takes the oldest records until one more fits. */
static void make_room(const struct place *place, struct catalog_txn *t, struct version_pin *pin)
{
	const struct table_row *row = &place->table;
	size_t keep = (size_t)place->storage->settings->versions_max;
	struct table_version *versions;
	size_t n;
	catalog_list_table_versions(place->storage->catalog, place->arena,
				    KEY(row->project_id, row->branch_id, row->bucket, row->name), NULL, &versions, &n);
	pin->excess = arena_array(place->arena, const char *, n);
	for (size_t i = 0; i + keep < n + 1 && i < n; i++) {
		const struct table_version *v = &versions[i];
		if (v->generation == row->generation)
			continue;
		catalog_remove_table_version(t,
					     KEY(v->project_id, v->branch_id, v->bucket, v->table_name, v->generation));
		pin->excess[pin->excess_count++] = version_path(place->storage, place->arena, v->path);
	}
}

bool version_pin(const struct op *op, const struct place *place, struct catalog_txn *t, struct version_pin *ret,
		 struct err *err)
{
	const struct settings *settings = place->storage->settings;
	const struct table_row *row = &place->table;
	bool copied;
	if (settings->versions_max == 0 || settings->versions_hours == 0)
		return pin_for_undo(place, ret, err);
	const char *folder = version_folder(place->arena, row->project_id, row->branch_id, row->bucket, row->name);
	const char *dir = version_path(place->storage, place->arena, folder);
	const char *path = arena_printf(place->arena, "%s/%lld.duckdb", folder, (long long)row->generation);
	*ret = (struct version_pin){.path = version_path(place->storage, place->arena, path), .kept = true};
	/* A pin of this generation that has no record is the rest of a change that a crash ended. */
	if (!fs_mkdir(dir, err) || !fs_unlink(ret->path, err) || !fs_link(place->path, ret->path, &copied, err))
		return false;
	struct table_identity file;
	if (!table_identify(ret->path, &file, err))
		return false;
	make_room(place, t, ret);
	int64_t now = clock_unix_us();
	struct table_version version = {
		.project_id = row->project_id,
		.branch_id = row->branch_id,
		.bucket = row->bucket,
		.table_name = row->name,
		.generation = row->generation,
		.path = path,
		.reason = op_name(op->kind),
		.schema_json = row->schema_json,
		.row_count = row->row_count,
		.size_bytes = row->size_bytes,
		.device = (int64_t)file.device,
		.inode = (int64_t)file.inode,
		.created_at = now,
		.expires_at = now + settings->versions_hours * 3600 * US_PER_S,
	};
	catalog_put_table_version(t, &version);
	return true;
}

void version_unpin(const struct version_pin *pin)
{
	struct err ignored = ERR_INIT;
	if (pin->path)
		(void)!fs_unlink(pin->path, &ignored);
}

static void version_remove(struct storage *storage, struct arena *arena, const struct table_version *v)
{
	struct err err = ERR_INIT;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_remove_table_version(t, KEY(v->project_id, v->branch_id, v->bucket, v->table_name, v->generation));
	/* The record goes first: a pin without one is swept at the next start, a record without a pin would be a lie. */
	if (catalog_commit(t, &err))
		(void)!fs_unlink(version_path(storage, arena, v->path), &err);
}

static int newest_first(const void *a, const void *b)
{
	int64_t left = ((const struct table_version *)a)->created_at;
	int64_t right = ((const struct table_version *)b)->created_at;
	return (left < right) - (left > right);
}

static bool add_bytes(void *ctx, const struct table_version *v)
{
	*(int64_t *)ctx += v->size_bytes;
	return true;
}

/* The project's oldest versions go until the rest is within its bytes. */
static void prune_bytes(struct storage *storage, const char *project_id)
{
	int64_t max = storage->settings->versions_max_bytes;
	int64_t bytes = 0;
	catalog_visit_table_versions(storage->catalog, KEY(project_id), NULL, add_bytes, &bytes);
	if (bytes <= max)
		return;
	struct arena *arena = arena_new();
	struct table_version *versions;
	size_t n;
	catalog_list_table_versions(storage->catalog, arena, KEY(project_id), NULL, &versions, &n);
	qsort(versions, n, sizeof(*versions), newest_first);
	bytes = 0;
	for (size_t i = 0; i < n; i++) {
		bytes += versions[i].size_bytes;
		if (bytes > max)
			version_remove(storage, arena, &versions[i]);
	}
	arena_free(arena);
}

void version_pinned(struct storage *storage, const struct version_pin *pin, const char *project_id)
{
	struct err ignored = ERR_INIT;
	for (size_t i = 0; i < pin->excess_count; i++)
		(void)!fs_unlink(pin->excess[i], &ignored);
	if (pin->kept)
		prune_bytes(storage, project_id);
	else
		version_unpin(pin);
}

void version_forget(struct catalog_txn *t, const char *project_id, const char *branch_id, const char *bucket,
		    const char *table)
{
	if (!branch_id)
		catalog_remove_all_table_versions(t, KEY(project_id));
	else if (!bucket)
		catalog_remove_all_table_versions(t, KEY(project_id, branch_id));
	else if (!table)
		catalog_remove_all_table_versions(t, KEY(project_id, branch_id, bucket));
	else
		catalog_remove_all_table_versions(t, KEY(project_id, branch_id, bucket, table));
}

void version_remove_files(struct storage *storage, const char *project_id, const char *branch_id, const char *bucket,
			  const char *table)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	/* Left-overs have no record any more and are swept at the next start. */
	const char *folder = version_folder(arena, project_id, branch_id, bucket, table);
	(void)!fs_remove_tree(version_path(storage, arena, folder), &err);
	arena_free(arena);
}

/* A live version of the place's table. */
static bool version_find(struct place *place, const char *id, struct table_version *ret, struct err *err)
{
	const struct table_row *row = &place->table;
	uint64_t generation;
	if (span_u64(span_of(id), &generation) && generation <= INT64_MAX &&
	    catalog_get_table_version(place->storage->catalog, place->arena,
				      KEY(row->project_id, row->branch_id, row->bucket, row->name, (int64_t)generation),
				      ret) &&
	    ret->expires_at > clock_unix_us())
		return true;
	(void)err_set(err, ERR_VERSION_NOT_FOUND, "Table %s has no version %s", row->name, id);
	err_detail(err, "version", id);
	return false;
}

bool version_attach(struct place *place, const char *id, struct table_ref **ret, struct table_info *ret_info,
		    struct err *err)
{
	struct table_version version;
	if (!version_find(place, id, &version, err))
		return false;
	*ret_info = (struct table_info){.row_count = version.row_count, .size_bytes = version.size_bytes};
	if (!shape_decode(version.schema_json, place->arena, &ret_info->schema, err))
		return false;
	if (!table_attach(place->storage->tables, version_path(place->storage, place->arena, version.path), ret, err))
		/* Swept between the look-up and now. */
		return err->code == ERR_TABLE_NOT_FOUND ? err_recode(err, ERR_VERSION_NOT_FOUND) : false;
	arena_on_free(place->arena, table_release_cleanup, *ret);
	return true;
}

bool version_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const char *bucket, const char *table, struct table_version **ret, size_t *ret_count, struct err *err)
{
	struct place place;
	int64_t now = clock_unix_us();
	size_t n;
	if (!place_table_own(storage, call->arena, project_id, branch_id, bucket, table, &place, err))
		return false;
	const struct table_row *row = &place.table;
	struct catalog_page page = {.reverse = true};
	catalog_list_table_versions(storage->catalog, call->arena,
				    KEY(row->project_id, row->branch_id, row->bucket, row->name), &page, ret, &n);
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		if ((*ret)[i].expires_at > now)
			(*ret)[(*ret_count)++] = (*ret)[i];
	}
	return true;
}

bool version_restore(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		     const char *bucket, const char *table, const char *id, struct table_view *ret, struct err *err)
{
	struct op op;
	struct table_write w;
	struct table_version version;
	op_begin(
		&op, storage, call, OP_restore_version,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	bool fine = write_begin(&w, &op, err) && version_find(&w.place, id, &version, err) &&
		    write_next_file(&w, version_path(storage, call->arena, version.path), err) &&
		    write_publish(&w, err);
	if (fine) {
		table_view_of(&w.place, &w.published, ret);
		op.rows = w.published.row_count;
		op_detail(&op, "version", id);
	}
	write_end(&w);
	return op_end(&op, fine, err);
}

size_t version_sweep(struct storage *storage)
{
	struct arena *arena = arena_new();
	struct table_version *versions;
	size_t n;
	size_t removed = 0;
	int64_t now = clock_unix_us();
	catalog_list_table_versions_by_expiry(storage->catalog, arena, KEY_ALL, NULL, &versions, &n);
	for (size_t i = 0; i < n && versions[i].expires_at <= now; i++, removed++)
		version_remove(storage, arena, &versions[i]);
	arena_free(arena);
	return removed;
}

/* ---- start ---- */

struct sweep {
	const char *dir;
	size_t root_len;   /* of the part of a path that records leave out */
	struct map *known; /* paths of the records */
	size_t *removed;
	unsigned depth;
};

static bool sweep_entry(void *ctx, const char *name, bool is_dir, struct err *err)
{
	const struct sweep *s = ctx;
	char path[LIMIT_PATH_BYTES];
	if (!fs_path(path, sizeof(path), err, "%s/%s", s->dir, name))
		return false;
	if (is_dir && s->depth > 0) {
		struct sweep below = *s;
		below.dir = path;
		below.depth--;
		bool fine = fs_list(path, sweep_entry, &below, err);
		/* Only an empty one goes. */
		(void)rmdir(path);
		return fine;
	}
	if (map_get(s->known, span_skip(span_of(path), s->root_len)))
		return true;
	++*s->removed;
	return fs_remove_tree(path, err);
}

static bool path_known(void *ctx, const struct table_version *v)
{
	(void)map_put(ctx, span_of(v->path), ctx);
	return true;
}

bool version_reconcile(struct storage *storage, size_t *ret_removed, struct err *err)
{
	enum { DEPTH = 4 }; /* project, branch, bucket, table */
	char dir[LIMIT_PATH_BYTES];
	struct map known = MAP_INIT;
	*ret_removed = 0;
	if (!fs_path(dir, sizeof(dir), err, "%s/_versions", storage->settings->duckdb_dir))
		return false;
	if (!fs_is_dir(dir))
		return true;
	catalog_visit_table_versions(storage->catalog, KEY_ALL, NULL, path_known, &known);
	struct sweep sweep = {.dir = dir,
			      .root_len = strlen(storage->settings->duckdb_dir) + 1,
			      .known = &known,
			      .removed = ret_removed,
			      .depth = DEPTH};
	bool fine = fs_list(dir, sweep_entry, &sweep, err);
	map_done(&known);
	return fine;
}
