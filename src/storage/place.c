#include "storage/place.h"

#include "base/fs.h"
#include "base/id.h"
#include "storage/publication.h"
#include "storage/shape.h"
#include "storage/write.h"

#include <ctype.h>

bool place_name_ok(const char *name)
{
	size_t len = name ? strlen(name) : 0;
	if (len == 0 || len > LIMIT_NAME_BYTES || !isalnum((unsigned char)name[0]) || (signed char)name[0] < 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c >= 0x80 || (!isalnum(c) && c != '_' && c != '.' && c != '-'))
			return false;
	}
	return true;
}

bool place_name_check(const char *what, const char *name, struct err *err)
{
	if (place_name_ok(name))
		return true;
	(void)err_set(err, ERR_INVALID_NAME,
		      "%s must be 1 to %d letters, digits, '_', '.' or '-', beginning with a letter or digit", what,
		      LIMIT_NAME_BYTES);
	err_detail(err, "name", name);
	return false;
}

const char *place_project_dir(const struct storage *storage, struct arena *arena, const char *project_id,
			      const char *branch_id)
{
	const char *root = storage->settings->duckdb_dir;
	if (!branch_id || strcmp(branch_id, BRANCH_MAIN) == 0)
		return arena_printf(arena, "%s/project_%s", root, project_id);
	return arena_printf(arena, "%s/project_%s_branch_%s", root, project_id, branch_id);
}

const char *place_bucket_dir(const struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *bucket)
{
	return arena_printf(arena, "%s/%s", place_project_dir(storage, arena, project_id, branch_id), bucket);
}

const char *place_table_path(const struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *bucket, const char *table)
{
	const char *root = storage->settings->duckdb_dir;
	if (!branch_id || strcmp(branch_id, BRANCH_MAIN) == 0)
		return arena_printf(arena, "%s/project_%s/%s/%s.duckdb", root, project_id, bucket, table);
	return arena_printf(arena, "%s/%s.duckdb", place_bucket_dir(storage, arena, project_id, branch_id, bucket),
			    table);
}

/* The project's folder exists; asked only where nothing below it has been seen. */
static bool folder_check(const struct place *place, struct err *err)
{
	const char *id = place->project.id;
	if (fs_is_dir(place_project_dir(place->storage, place->arena, id, NULL)))
		return true;
	(void)err_set(err, ERR_PROJECT_DB_NOT_FOUND, "The storage of project %s does not exist", id);
	err_detail(err, "project_id", id);
	return false;
}

static bool branch_missing(const char *project_id, const char *branch_id, struct err *err)
{
	(void)err_set(err, ERR_BRANCH_NOT_FOUND, "Branch %s not found in project %s", branch_id, project_id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "branch_id", branch_id);
	return false;
}

static bool project_missing(const char *project_id, struct err *err)
{
	(void)err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project_id);
	err_detail(err, "project_id", project_id);
	return false;
}

bool place_project_live(struct storage *storage, struct arena *arena, const char *project_id, struct err *err)
{
	struct project project;
	return (catalog_get_project(storage->catalog, arena, KEY(project_id), &project) &&
		strcmp(project.status, "deleted") != 0) ||
	       project_missing(project_id, err);
}

static bool branch_find(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
			const char *only_main, struct place *ret, struct err *err)
{
	struct branch branch;
	*ret = (struct place){.storage = storage, .arena = arena, .branch_id = BRANCH_MAIN, .on_main = true};
	if (!catalog_get_project(storage->catalog, arena, KEY(project_id), &ret->project))
		return project_missing(project_id, err);
	if (branch_id && strcmp(branch_id, BRANCH_MAIN) != 0) {
		if (!catalog_get_branch(storage->catalog, arena, KEY(project_id, branch_id), &branch))
			return branch_missing(project_id, branch_id, err);
		ret->branch_id = branch.id;
		ret->branch_created_at = branch.created_at;
		ret->on_main = false;
	}
	if (only_main && !ret->on_main) {
		(void)err_set(err, ERR_OPERATION_NOT_ALLOWED,
			      "%s is possible on the default branch only, not on a dev branch", only_main);
		err_detail(err, "branch_id", branch_id);
		return false;
	}
	return true;
}

bool place_branch(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		  const char *only_main, struct place *ret, struct err *err)
{
	return branch_find(storage, arena, project_id, branch_id, only_main, ret, err) && folder_check(ret, err);
}

static bool bucket_missing(const struct place *place, struct err *err)
{
	(void)err_set(err, ERR_BUCKET_NOT_FOUND, "Bucket %s not found", place->bucket_name);
	err_detail(err, "project_id", place->project.id);
	err_detail(err, "bucket_name", place->bucket_name);
	return false;
}

static bool bucket_find(const char *bucket, struct place *ret, struct err *err)
{
	struct arena *arena = ret->arena;
	struct catalog *catalog = ret->storage->catalog;
	const char *project_id = ret->project.id;
	ret->bucket_name = arena_strdup(arena, bucket);
	if (catalog_get_bucket(catalog, arena, KEY(project_id, bucket), &ret->bucket))
		return true;
	ret->linked = catalog_get_bucket_link(catalog, arena, KEY(project_id, bucket), &ret->link) &&
		      catalog_get_bucket(catalog, arena, KEY(ret->link.source_project_id, ret->link.source_bucket),
					 &ret->bucket);
	return ret->linked || bucket_missing(ret, err);
}

bool place_bucket(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		  const char *bucket, const char *only_main, struct place *ret, struct err *err)
{
	return place_branch(storage, arena, project_id, branch_id, only_main, ret, err) &&
	       bucket_find(bucket, ret, err);
}

static bool branch_stands(void *ctx, const struct branch *row, struct err *err)
{
	const struct place *place = ctx;
	return (row && row->created_at == place->branch_created_at) ||
	       branch_missing(place->project.id, place->branch_id, err);
}

static bool bucket_stands(void *ctx, const struct bucket *row, struct err *err)
{
	const struct place *place = ctx;
	return (row && row->created_at == place->bucket.created_at) || bucket_missing(place, err);
}

static bool link_stands(void *ctx, const struct bucket_link *row, struct err *err)
{
	const struct place *place = ctx;
	return (row && strcmp(row->id, place->link.id) == 0) || bucket_missing(place, err);
}

void place_expect(struct catalog_txn *t, const struct place *place)
{
	void *ctx = (void *)(uintptr_t)place;
	const char *project_id = place->project.id;
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	if (!place->on_main)
		catalog_verify_branch(t, KEY(project_id, place->branch_id), branch_stands, ctx);
	if (place->linked)
		catalog_verify_bucket_link(t, KEY(project_id, place->bucket_name), link_stands, ctx);
	else
		catalog_verify_bucket(t, KEY(project_id, place->bucket_name), bucket_stands, ctx);
}

void place_explain(const struct place *place, struct err *err)
{
	struct err gone = ERR_INIT;
	struct catalog_txn *t = catalog_txn(place->storage->catalog, place->arena);
	place_expect(t, place);
	if (err->code == ERR_IO && !catalog_commit(t, &gone))
		*err = gone;
}

static bool row_is_of(const struct table_row *row, const struct table_identity *file)
{
	return (int64_t)file->device == row->device && (int64_t)file->inode == row->inode &&
	       file->size == row->size_bytes && file->mtime_ns == row->mtime_ns;
}

/* Judged by the catalog's writer: when a table change has recorded the file meanwhile, its row stands. */
static bool row_follow(void *ctx, struct table_row *row, struct arena *arena)
{
	const struct table_info *info = ctx;
	if (row_is_of(row, &info->identity))
		return false;
	write_row_fill(row, info, arena);
	row->generation++;
	return true;
}

bool place_follow_file(struct storage *storage, struct arena *arena, const char *path, struct table_row *row,
		       struct err *err)
{
	struct table_info info;
	if (!table_describe(storage->tables, path, arena, &info, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_change_table_row(t, KEY(row->project_id, row->branch_id, row->bucket, row->name), row_follow, &info,
				 ERR_NONE);
	bool fine = catalog_commit(t, err);
	write_row_fill(row, &info, arena);
	return fine;
}

/* A file that somebody replaced by rename is the table's content from now on: the row follows it. */
static bool row_follow_file(struct place *place)
{
	struct err err;
	struct table_identity seen;
	struct table_row *row = &place->table;
	struct publication pending;
	err_clear(&err);
	if (!table_identify(place->path, &seen, &err)) {
		seen = (struct table_identity){0};
	} else if (row_is_of(row, &seen)) {
		return true;
	}
	if (catalog_get_publication(place->storage->catalog, place->arena,
				    KEY(row->project_id, row->branch_id, row->bucket, row->name), &pending)) {
		place->path = publication_path(place->storage, place->arena, &pending);
		return true;
	}
	/* The row is a cache of the file: when it cannot be written now, the next look does it again. */
	return seen.inode && (place_follow_file(place->storage, place->arena, place->path, row, &err) ||
			      err.code == ERR_METADATA || err.code == ERR_DISK_FULL);
}

static bool row_take(struct place *place, const char *project_id, const char *branch_id, const char *bucket,
		     const char *table, enum table_source source)
{
	struct storage *storage = place->storage;
	if (!catalog_get_table_row(storage->catalog, place->arena, KEY(project_id, branch_id, bucket, table),
				   &place->table))
		return false;
	place->source = source;
	place->path = place_table_path(storage, place->arena, project_id, branch_id, bucket, table);
	return row_follow_file(place);
}

bool place_find_table(struct place *place, const char *table, bool own_only)
{
	const char *project_id = place->project.id;
	if (place->linked &&
	    row_take(place, place->bucket.project_id, BRANCH_MAIN, place->bucket.name, table, SOURCE_LINKED))
		return !own_only;
	if (!place->on_main && row_take(place, project_id, place->branch_id, place->bucket_name, table, SOURCE_BRANCH))
		return true;
	return row_take(place, project_id, BRANCH_MAIN, place->bucket_name, table, SOURCE_MAIN);
}

static bool table_missing(const struct place *place, const char *table, struct err *err)
{
	(void)err_set(err, ERR_TABLE_NOT_FOUND, "Table %s not found in bucket %s", table, place->bucket_name);
	err_detail(err, "project_id", place->project.id);
	err_detail(err, "bucket_name", place->bucket_name);
	err_detail(err, "table_name", table);
	return false;
}

bool place_table(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		 const char *bucket, const char *table, struct place *ret, struct err *err)
{
	if (!branch_find(storage, arena, project_id, branch_id, NULL, ret, err))
		return false;
	bool known = bucket_find(bucket, ret, err);
	/* A table of the project's own whose file is there tells that the folder is, without another look at the disk. */
	if (known && !ret->linked && ret->on_main && place_find_table(ret, table, false))
		return true;
	if (!folder_check(ret, err) || !known)
		return false;
	return ((ret->linked || !ret->on_main) && place_find_table(ret, table, false)) ||
	       table_missing(ret, table, err);
}

bool place_table_own(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		     const char *bucket, const char *table, struct place *ret, struct err *err)
{
	if (!place_bucket(storage, arena, project_id, branch_id, bucket, NULL, ret, err))
		return false;
	return place_find_table(ret, table, true) || table_missing(ret, table, err);
}

bool place_schema(struct place *place, struct table_info *ret, struct err *err)
{
	const struct table_row *row = &place->table;
	*ret = (struct table_info){
		.row_count = row->row_count,
		.size_bytes = row->size_bytes,
		.identity = {.device = (uint64_t)row->device,
			     .inode = (uint64_t)row->inode,
			     .size = row->size_bytes,
			     .mtime_ns = row->mtime_ns},
	};
	return shape_decode(row->schema_json, place->arena, &ret->schema, err);
}

bool place_attach(struct place *place, struct table_ref **ret, struct table_info *ret_info, struct err *err)
{
	enum { ATTEMPTS = 20 };
	for (int i = 0; i < ATTEMPTS; i++) {
		struct table_ref *ref;
		if (!place_schema(place, ret_info, err))
			return false;
		if (table_attach(place->storage->tables, place->path, &ref, err)) {
			if (table_identity_eq(table_ref_identity(ref), &ret_info->identity)) {
				arena_on_free(place->arena, table_release_cleanup, ref);
				*ret = ref;
				return true;
			}
			table_release(ref);
		} else if (err->code != ERR_TABLE_NOT_FOUND) {
			return false;
		}
		if (!place_find_table(place, arena_strdup(place->arena, place->table.name), false))
			return table_missing(place, place->table.name, err);
	}
	return err_set(err, ERR_TABLE_LOCKED, "Table %s is replaced faster than it can be read; try again",
		       place->table.name);
}

bool place_pin(struct place *place, const char **ret_path, struct err *err)
{
	enum { ATTEMPTS = 20 };
	struct err ignored = ERR_INIT;
	struct table_identity seen;
	char mark[17];
	bool copied;
	id_hex(8, mark);
	const char *pin = arena_printf(place->arena, "%s/pin_%s.duckdb", place->storage->settings->staging_dir, mark);
	for (int i = 0; i < ATTEMPTS; i++) {
		bool linked = fs_link(place->path, pin, &copied, err);
		if (!linked && fs_exists(place->path))
			return false;
		if (linked && (copied || (table_identify(pin, &seen, &ignored) && row_is_of(&place->table, &seen)))) {
			*ret_path = pin;
			return true;
		}
		(void)!fs_unlink(pin, &ignored);
		if (!place_find_table(place, arena_strdup(place->arena, place->table.name), false))
			return table_missing(place, place->table.name, err);
	}
	return err_set(err, ERR_TABLE_LOCKED, "Table %s is replaced faster than it can be read; try again",
		       place->table.name);
}
