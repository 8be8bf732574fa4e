/* The object store as a whole: start, stop, sweep. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "storage/object_core.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { ABANDONED_AFTER_S = 86400 };

/* Names in _incoming; a name that a record claims is taken out. */
struct leftovers {
	struct arena *arena;
	struct storage *storage;
	struct map names;
	struct file_row *settle; /* records whose bytes are still there */
	size_t count;
	size_t cap;
};

static bool note_name(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct leftovers *left = ctx;
	(void)err;
	if (!is_dir)
		(void)map_put(&left->names, span_of(name), left);
	return true;
}

static bool claim(struct leftovers *left, const char *content)
{
	return content && left->names.count > 0 && map_remove(&left->names, span_of(content));
}

static bool see_file(void *ctx, const struct file_row *row)
{
	struct leftovers *left = ctx;
	usage_move(left->storage->objects->usage, row->project_id, 1, row->size_bytes);
	if (!claim(left, row->content))
		return true;
	if (left->count == left->cap) {
		left->cap = left->cap ? 2 * left->cap : 64;
		left->settle = mem_grow(left->settle, left->cap * sizeof(left->settle[0]));
	}
	left->settle[left->count++] = (struct file_row){
		.project_id = arena_strdup(left->arena, row->project_id),
		.id = arena_strdup(left->arena, row->id),
		.object_key = arena_strdup(left->arena, row->object_key),
		.path = arena_strdup(left->arena, row->path),
		.content = arena_strdup(left->arena, row->content),
	};
	return true;
}

static bool see_upload(void *ctx, const struct upload *row)
{
	(void)claim(ctx, row->staged_path);
	return true;
}

static bool see_part(void *ctx, const struct multipart_part *row)
{
	(void)claim(ctx, row->path);
	return true;
}

static bool list_incoming(struct leftovers *left, struct err *err)
{
	const char *folder = arena_printf(left->arena, "%s/_incoming", object_files_dir(left->storage));
	return !fs_is_dir(folder) || fs_list(folder, note_name, left, err);
}

static void claim_others(struct leftovers *left)
{
	struct catalog *catalog = left->storage->catalog;
	if (left->names.count == 0)
		return;
	catalog_visit_uploads(catalog, KEY_ALL, NULL, see_upload, left);
	catalog_visit_multipart_parts(catalog, KEY_ALL, NULL, see_part, left);
}

bool objects_open(struct storage *storage, struct err *err)
{
	struct objects *objects = mem_alloc(sizeof(*objects));
	struct leftovers left = {.arena = arena_new(), .storage = storage};
	struct map_entry *entry;
	storage->objects = objects;
	objects->locks = key_locks_new();
	objects->usage = usage_new(
		(struct usage_limits){storage->settings->files_max_count, storage->settings->files_max_bytes});
	bool fine = list_incoming(&left, err);
	if (fine) {
		catalog_visit_files(storage->catalog, KEY_ALL, NULL, see_file, &left);
		claim_others(&left);
		for (size_t i = 0; i < left.count; i++)
			object_settle(storage, left.arena, &left.settle[i]);
		for (size_t at = 0; (entry = map_next(&left.names, &at));)
			blob_remove(object_files_dir(storage), entry->key);
	}
	free(left.settle);
	map_done(&left.names);
	arena_free(left.arena);
	return fine;
}

void objects_close(struct storage *storage)
{
	if (!storage->objects)
		return;
	key_locks_free(storage->objects->locks);
	usage_free(storage->objects->usage);
	free(storage->objects);
	storage->objects = NULL;
}

static bool claim_file(void *ctx, const struct file_row *row)
{
	(void)claim(ctx, row->content);
	return true;
}

bool objects_sweep(struct storage *storage, struct err *err)
{
	struct leftovers left = {.arena = arena_new(), .storage = storage};
	struct map_entry *entry;
	int64_t oldest = clock_unix_us() / US_PER_S - ABANDONED_AFTER_S;
	bool fine = list_incoming(&left, err);
	if (fine && left.names.count > 0)
		catalog_visit_files(storage->catalog, KEY_ALL, NULL, claim_file, &left);
	claim_others(&left);
	for (size_t at = 0; fine && (entry = map_next(&left.names, &at));) {
		struct stat st;
		if (stat(blob_path(left.arena, object_files_dir(storage), entry->key), &st) == 0 &&
		    st.st_mtim.tv_sec < oldest)
			blob_remove(object_files_dir(storage), entry->key);
	}
	map_done(&left.names);
	arena_free(left.arena);
	return fine;
}

void object_usage(struct storage *storage, const char *project_id, int64_t *ret_files, int64_t *ret_bytes)
{
	usage_get(storage->objects->usage, project_id, ret_files, ret_bytes);
}

void object_forget_project(struct storage *storage, const char *project_id)
{
	usage_forget(storage->objects->usage, project_id);
}
