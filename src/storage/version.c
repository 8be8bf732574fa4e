#include "storage/version.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "storage/shape.h"

#include <stdlib.h>

static const char *version_dir(const struct storage *storage, struct arena *arena, const char *project_id,
			       const char *branch_id, const char *bucket, const char *table)
{
	const char *root = storage->settings->duckdb_dir;
	if (!branch_id)
		return arena_printf(arena, "%s/_versions/%s", root, project_id);
	if (!bucket)
		return arena_printf(arena, "%s/_versions/%s/%s", root, project_id, branch_id);
	if (!table)
		return arena_printf(arena, "%s/_versions/%s/%s/%s", root, project_id, branch_id, bucket);
	return arena_printf(arena, "%s/_versions/%s/%s/%s/%s", root, project_id, branch_id, bucket, table);
}

bool version_pin(const struct op *op, const struct place *place, struct catalog_txn *t, const char **ret_path,
		 struct err *err)
{
	struct storage *storage = place->storage;
	const struct settings *settings = storage->settings;
	const struct table_row *row = &place->table;
	bool copied;
	if (settings->versions_max == 0 || settings->versions_hours == 0) {
		char id[ID_UUID_SIZE];
		id_uuid(id);
		*ret_path = arena_printf(place->arena, "%s/undo_%s.duckdb", settings->staging_dir, id);
		return fs_link(place->path, *ret_path, &copied, err);
	}
	const char *dir = version_dir(storage, place->arena, row->project_id, row->branch_id, row->bucket, row->name);
	*ret_path = arena_printf(place->arena, "%s/%lld.duckdb", dir, (long long)row->generation);
	/* A pin that a crash left before its record was committed is of this generation, and so of this content. */
	if (!fs_mkdir(dir, err) || !fs_unlink(*ret_path, err) || !fs_link(place->path, *ret_path, &copied, err))
		return false;
	int64_t now = clock_unix_us();
	struct table_version version = {
		.project_id = row->project_id,
		.branch_id = row->branch_id,
		.bucket = row->bucket,
		.table_name = row->name,
		.generation = row->generation,
		.path = *ret_path,
		.reason = op_name(op->kind),
		.schema_json = row->schema_json,
		.row_count = row->row_count,
		.size_bytes = row->size_bytes,
		.created_at = now,
		.expires_at = now + settings->versions_hours * 3600 * US_PER_S,
	};
	catalog_put_table_version(t, &version);
	return true;
}

static void version_remove(struct storage *storage, struct arena *arena, const struct table_version *v)
{
	struct err err = ERR_INIT;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_remove_table_version(t, KEY(v->project_id, v->branch_id, v->bucket, v->table_name, v->generation));
	/* The record goes first: a pin without one is swept at the next start, a record without a pin would be a lie. */
	if (catalog_commit(t, &err))
		(void)!fs_unlink(v->path, &err);
}

static int newest_first(const void *a, const void *b)
{
	int64_t left = ((const struct table_version *)a)->created_at;
	int64_t right = ((const struct table_version *)b)->created_at;
	return (left < right) - (left > right);
}

void version_prune(struct storage *storage, const char *project_id, const char *branch_id, const char *bucket,
		   const char *table)
{
	struct arena *arena = arena_new();
	struct table_version *versions;
	size_t n;
	size_t keep = (size_t)storage->settings->versions_max;
	catalog_list_table_versions(storage->catalog, arena, KEY(project_id, branch_id, bucket, table), NULL, &versions,
				    &n);
	for (size_t i = 0; i + keep < n; i++)
		version_remove(storage, arena, &versions[i]);
	catalog_list_table_versions(storage->catalog, arena, KEY(project_id), NULL, &versions, &n);
	qsort(versions, n, sizeof(*versions), newest_first);
	int64_t bytes = 0;
	for (size_t i = 0; i < n; i++) {
		bytes += versions[i].size_bytes;
		if (bytes > storage->settings->versions_max_bytes)
			version_remove(storage, arena, &versions[i]);
	}
	arena_free(arena);
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
	(void)!fs_remove_tree(version_dir(storage, arena, project_id, branch_id, bucket, table), &err);
	arena_free(arena);
}

bool version_attach(struct place *place, const char *id, struct table_ref **ret, struct table_info *ret_info,
		    struct err *err)
{
	const struct table_row *row = &place->table;
	struct table_version version;
	uint64_t generation;
	if (!span_u64(span_of(id), &generation) || generation > INT64_MAX ||
	    !catalog_get_table_version(
		    place->storage->catalog, place->arena,
		    KEY(row->project_id, row->branch_id, row->bucket, row->name, (int64_t)generation), &version) ||
	    version.expires_at <= clock_unix_us()) {
		(void)err_set(err, ERR_VERSION_NOT_FOUND, "Table %s has no version %s", row->name, id);
		err_detail(err, "version", id);
		return false;
	}
	*ret_info = (struct table_info){.row_count = version.row_count, .size_bytes = version.size_bytes};
	if (!shape_decode(version.schema_json, place->arena, &ret_info->schema, err) ||
	    !table_attach(place->storage->tables, version.path, ret, err))
		return false;
	arena_on_free(place->arena, table_release_cleanup, *ret);
	return true;
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
