/* Moving the bytes of objects between _incoming and their paths. */
#include "base/fs.h"
#include "storage/object_core.h"
#include "storage/object_path.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder may be removed as empty by a delete while a write makes it: the write tries again. */
enum { TRIES = 10 };

const char *object_files_dir(const struct storage *storage)
{
	return storage->settings->files_dir;
}

const char *object_path(struct storage *storage, struct arena *arena, const struct file_row *row)
{
	return arena_printf(arena, "%s/%s", object_files_dir(storage), row->path);
}

static bool make_parents(struct arena *arena, const char *path)
{
	struct stat st;
	struct err ignored = ERR_INIT;
	const char *parent = arena_printf(arena, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (stat(parent, &st) == 0)
		return S_ISDIR(st.st_mode);
	return fs_mkdir(parent, &ignored);
}

const char *object_choose_path(struct storage *storage, struct arena *arena, const char *project_id, struct span key,
			       const struct file_row *old)
{
	struct stat st;
	const char *relative = object_path_plain(arena, project_id, key);
	if (old)
		return old->path;
	if (object_path_fits(key)) {
		const char *path = arena_printf(arena, "%s/%s", object_files_dir(storage), relative);
		if (make_parents(arena, path) && (lstat(path, &st) != 0 || S_ISREG(st.st_mode)))
			return relative;
	}
	return object_path_escaped(arena, project_id, key);
}

static bool move(struct arena *arena, const char *from, const char *to)
{
	for (int i = 0; i < TRIES; i++) {
		if (rename(from, to) == 0)
			return true;
		if (errno != ENOENT || access(from, F_OK) != 0 || !make_parents(arena, to))
			return false;
	}
	return false;
}

struct moved {
	const char *content;
	const char *path;
};

static bool change_path(void *ctx, struct file_row *row, struct arena *arena)
{
	const struct moved *moved = ctx;
	(void)arena;
	if (!row->content || strcmp(row->content, moved->content) != 0)
		return false;
	row->path = moved->path;
	return true;
}

void object_settle(struct storage *storage, struct arena *arena, struct file_row *row)
{
	const char *from = blob_path(arena, object_files_dir(storage), row->content);
	if (move(arena, from, object_path(storage, arena, row)) || access(from, F_OK) != 0)
		return;
	/* Somebody's folder or file is in the way: the other place never is. */
	struct err ignored = ERR_INIT;
	struct moved moved = {row->content, object_path_escaped(arena, row->project_id, span_of(row->object_key))};
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_change_file_row(t, KEY(row->project_id, row->id), change_path, &moved, ERR_NONE);
	if (!catalog_commit(t, &ignored))
		return;
	row->path = moved.path;
	(void)move(arena, from, object_path(storage, arena, row));
}

bool object_stash(struct storage *storage, struct arena *arena, const struct file_row *row, struct err *err)
{
	if (!row->content ||
	    rename(object_path(storage, arena, row), blob_path(arena, object_files_dir(storage), row->content)) == 0)
		return true;
	/* Bytes that are elsewhere already, or nowhere. */
	if (errno == ENOENT || errno == ENOTDIR)
		return true;
	return err_errno(err, errno, "Cannot remove the file %s", row->name);
}

void object_unstash(struct storage *storage, struct arena *arena, const struct file_row *row)
{
	if (row->content)
		(void)move(arena, blob_path(arena, object_files_dir(storage), row->content),
			   object_path(storage, arena, row));
}

void object_prune(struct storage *storage, struct arena *arena, const struct file_row *row)
{
	char *path = arena_strdup(arena, object_path(storage, arena, row));
	size_t project = strlen(object_files_dir(storage)) + 1 + strcspn(row->path, "/");
	for (char *slash = strrchr(path, '/'); slash && (size_t)(slash - path) > project; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (rmdir(path) != 0)
			return;
	}
}
