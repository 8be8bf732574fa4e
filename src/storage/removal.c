#include "storage/removal.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_BYTES = 8, ID_SIZE = 2 * ID_BYTES + 1 };

struct doomed_path {
	struct doomed_path *next;
	const char *path;
	char id[ID_SIZE];
};

/* Gone, and still named in the catalog. */
struct spent {
	char id[ID_SIZE];
	char *folder; /* what it stood in */
};

struct removals {
	pthread_mutex_t mutex;
	struct spent *spent;
	size_t count;
	size_t cap;
};

/* Paths are stored below the name of their folder: the data may be moved elsewhere. */
struct root {
	const char *name;
	const char *dir;
};

enum { ROOTS = 3 };

static void roots_of(const struct storage *storage, struct root ret[ROOTS])
{
	const struct settings *s = storage->settings;
	ret[0] = (struct root){"tables:", s->duckdb_dir};
	ret[1] = (struct root){"snapshots:", s->snapshots_dir};
	ret[2] = (struct root){"files:", s->files_dir};
}

static const char *path_shorten(const struct storage *storage, struct arena *arena, const char *path)
{
	struct root roots[ROOTS];
	roots_of(storage, roots);
	for (size_t i = 0; i < ROOTS; i++) {
		struct span dir = span_of(roots[i].dir);
		if (span_starts(span_of(path), dir) && path[dir.len] == '/')
			return arena_printf(arena, "%s%s", roots[i].name, path + dir.len + 1);
	}
	return path;
}

static const char *path_lengthen(const struct storage *storage, struct arena *arena, const char *path)
{
	struct root roots[ROOTS];
	roots_of(storage, roots);
	for (size_t i = 0; i < ROOTS; i++) {
		struct span name = span_of(roots[i].name);
		if (span_starts(span_of(path), name))
			return arena_printf(arena, "%s/%s", roots[i].dir, path + name.len);
	}
	return path;
}

void removal_add(struct removal *removal, struct catalog_txn *t, const char *path)
{
	struct doomed_path *one = arena_alloc(removal->arena, sizeof(*one));
	*one = (struct doomed_path){.path = path};
	id_hex(ID_BYTES, one->id);
	struct doomed row = {.id = one->id,
			     .path = path_shorten(removal->storage, removal->arena, path),
			     .created_at = clock_unix_us()};
	catalog_put_doomed(t, &row);
	if (removal->last)
		removal->last->next = one;
	else
		removal->first = one;
	removal->last = one;
}

static bool path_remove(struct storage *storage, struct arena *arena, const char *path, struct err *err)
{
	char mark[17];
	if (!fs_is_dir(path))
		return fs_unlink(path, err);
	id_hex(8, mark);
	const char *gone = arena_printf(arena, "%s/gone_%s", storage->settings->staging_dir, mark);
	return fs_remove_tree(rename(path, gone) == 0 ? gone : path, err);
}

/* More than LIMIT_REMOVALS wait for the next start. */
static void spent_note(struct removals *removals, const struct doomed_path *one)
{
	const char *slash = strrchr(one->path, '/');
	(void)pthread_mutex_lock(&removals->mutex);
	if (removals->count < LIMIT_REMOVALS) {
		if (removals->count == removals->cap) {
			removals->cap = removals->cap ? 2 * removals->cap : 64;
			removals->spent = mem_grow(removals->spent, removals->cap * sizeof(struct spent));
		}
		struct spent *spent = &removals->spent[removals->count++];
		memcpy(spent->id, one->id, ID_SIZE);
		spent->folder = mem_strdup(one->path);
		spent->folder[slash ? slash - one->path : 0] = '\0';
	}
	(void)pthread_mutex_unlock(&removals->mutex);
}

void removal_run(struct removal *removal)
{
	for (const struct doomed_path *one = removal->first; one; one = one->next) {
		struct err err = ERR_INIT;
		if (path_remove(removal->storage, removal->arena, one->path, &err))
			spent_note(removal->storage->removals, one);
		else
			log_event(LOG_WARN, "cannot be removed now; the next start tries again", "path",
				  LOG_S(one->path), "error", LOG_S(err.message), NULL);
	}
	removal->first = removal->last = NULL;
}

/* ---- forgetting ---- */

struct removals *removals_new(void)
{
	struct removals *removals = mem_alloc(sizeof(*removals));
	(void)pthread_mutex_init(&removals->mutex, NULL);
	return removals;
}

void removals_free(struct removals *removals)
{
	if (!removals)
		return;
	(void)pthread_mutex_destroy(&removals->mutex);
	for (size_t i = 0; i < removals->count; i++)
		free(removals->spent[i].folder);
	free(removals->spent);
	free(removals);
}

bool removals_sweep(struct storage *storage, struct err *err)
{
	struct removals *removals = storage->removals;
	(void)pthread_mutex_lock(&removals->mutex);
	struct spent *spent = removals->spent;
	size_t count = removals->count;
	removals->spent = NULL;
	removals->count = removals->cap = 0;
	(void)pthread_mutex_unlock(&removals->mutex);
	if (count == 0)
		return true;
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	for (size_t i = 0; i < count; i++) {
		struct err ignored = ERR_INIT;
		/* The removal must outlive a loss of power before its name goes. A folder that is gone has none to lose. */
		if (i == 0 || strcmp(spent[i].folder, spent[i - 1].folder) != 0)
			(void)!fs_sync_dir(spent[i].folder, &ignored);
		catalog_remove_doomed(t, KEY((const char *)spent[i].id));
	}
	/* After a failure the names stay until the next start. */
	bool fine = catalog_commit(t, err);
	for (size_t i = 0; i < count; i++)
		free(spent[i].folder);
	free(spent);
	arena_free(arena);
	return fine;
}

/* ---- start ---- */

void removals_collect(struct storage *storage, struct map *paths)
{
	struct arena *arena = arena_new();
	struct doomed *rows;
	size_t n;
	catalog_list_doomed_paths(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	for (size_t i = 0; i < n; i++)
		(void)map_put(paths, span_of(path_lengthen(storage, arena, rows[i].path)), paths);
	arena_free(arena);
}

/* <FILES_DIR>/project_<id> of a project that is no more. */
static bool files_settle(struct storage *storage, struct arena *arena, const char *path, struct err *err)
{
	struct project project;
	struct span name = SPAN("files:project_");
	if (!span_starts(span_of(path), name) ||
	    catalog_get_project(storage->catalog, arena, KEY(path + name.len), &project))
		return true;
	return fs_remove_tree(path_lengthen(storage, arena, path), err);
}

bool removals_settle(struct storage *storage, struct err *err)
{
	struct arena *arena = arena_new();
	struct doomed *rows;
	size_t n;
	bool fine = true;
	catalog_list_doomed_paths(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	for (size_t i = 0; i < n && fine; i++) {
		fine = files_settle(storage, arena, rows[i].path, err);
		catalog_remove_doomed(t, KEY(rows[i].id));
	}
	fine = fine && (n == 0 || catalog_commit(t, err));
	arena_free(arena);
	return fine;
}
