/* Deleting objects, one or many. */
#include "storage/object_core.h"

#include <stdlib.h>

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once. */
static const char **sorted_keys(struct arena *arena, const char *const *keys, size_t n, size_t *ret_n)
{
	const char **list = arena_array(arena, const char *, n);
	size_t unique = 0;
	memcpy(list, keys, n * sizeof(list[0]));
	qsort(list, n, sizeof(list[0]), compare_keys);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(list[unique - 1], list[i]) != 0)
			list[unique++] = list[i];
	*ret_n = unique;
	return list;
}

/* All keys are the caller's. */
static bool delete_locked(struct storage *storage, struct arena *arena, const char *project_id, const char *const *keys,
			  size_t n, const struct object_condition *condition, size_t *ret_found, struct err *err)
{
	struct file_row *rows = arena_array(arena, struct file_row, n);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	size_t found = 0;
	int64_t bytes = 0;
	bool fine = true;
	for (size_t i = 0; fine && i < n; i++) {
		struct file_row *row = &rows[found];
		if (!object_find(storage, arena, project_id, keys[i], row))
			continue;
		fine = object_judge(storage, arena, condition, row, true, err) &&
		       object_stash(storage, arena, row, err);
		if (!fine)
			break;
		catalog_remove_file_row(t, KEY(row->project_id, row->id));
		bytes += row->size_bytes;
		found++;
	}
	*ret_found = found;
	fine = fine && (found == 0 || catalog_commit(t, err));
	if (fine)
		usage_move(storage->objects->usage, project_id, -(int64_t)found, -bytes);
	for (size_t i = 0; i < found; i++) {
		if (!fine) {
			object_unstash(storage, arena, &rows[i]);
			continue;
		}
		if (rows[i].content)
			blob_remove(object_files_dir(storage), rows[i].content);
		object_prune(storage, arena, &rows[i]);
	}
	return fine;
}

static bool delete_keys(struct storage *storage, struct arena *arena, const char *project_id, const char *const *keys,
			size_t n, struct object_condition condition, size_t *ret_found, struct err *err)
{
	size_t unique;
	const char **list = sorted_keys(arena, keys, n, &unique);
	struct span *names = arena_array(arena, struct span, unique);
	for (size_t i = 0; i < unique; i++) {
		names[i] = object_lock_name(arena, project_id, span_of(list[i]));
		key_lock(storage->objects->locks, names[i]);
	}
	bool fine = delete_locked(storage, arena, project_id, list, unique, &condition, ret_found, err);
	for (size_t i = 0; i < unique; i++)
		key_unlock(storage->objects->locks, names[i]);
	return fine;
}

bool object_delete(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		   bool *ret_found, struct err *err)
{
	size_t found;
	if (!delete_keys(storage, arena, project_id, &key, 1, (struct object_condition){0}, &found, err))
		return false;
	if (ret_found)
		*ret_found = found > 0;
	return true;
}

bool object_delete_if(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		      const char *match, struct err *err)
{
	size_t found;
	return delete_keys(storage, arena, project_id, &key, 1, (struct object_condition){.match = match}, &found, err);
}

bool object_delete_many(struct storage *storage, struct arena *arena, const char *project_id, const char *const *keys,
			size_t n, struct err *err)
{
	size_t found;
	return delete_keys(storage, arena, project_id, keys, n, (struct object_condition){0}, &found, err);
}
