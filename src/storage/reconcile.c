#include "storage/reconcile.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "storage/intent.h"
#include "storage/place.h"
#include "storage/publication.h"
#include "storage/removal.h"
#include "storage/version.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOST_DAYS = 7, ROWS_PAGE = 1000 };

struct walk {
	struct storage *storage;
	const struct map *intents; /* what a dead process was about to create or to remove */
	struct arena *arena;	   /* of the thing being looked at */
	struct reconcile_report *report;
	const char *lost_dir;
	const char *dir;
	const char *project_id;
	const char *branch_id;
	const char *bucket;
};

/* An empty folder is the rest of a creation, and nothing can be lost with it. */
static bool remove_empty(struct walk *w, const char *dir, const char *name)
{
	char path[LIMIT_PATH_BYTES];
	struct err ignored = ERR_INIT;
	if (!fs_path(path, sizeof(path), &ignored, "%s/%s", dir, name) || rmdir(path) != 0)
		return false;
	w->report->unfinished++;
	return true;
}

/* `noted`: the path that an intent would name for it. */
static bool lose_as(struct walk *w, const char *dir, const char *name, struct span noted, struct err *err)
{
	char from[LIMIT_PATH_BYTES];
	char to[LIMIT_PATH_BYTES];
	if (!fs_path(from, sizeof(from), err, "%s/%s", dir, name))
		return false;
	if (map_get(w->intents, noted)) {
		w->report->unfinished++;
		return fs_remove_tree(from, err);
	}
	if (!fs_mkdir(w->lost_dir, err) ||
	    !fs_path(to, sizeof(to), err, "%s/%zu_%s_%s_%s", w->lost_dir, w->report->lost,
		     w->project_id ? w->project_id : "", w->bucket ? w->bucket : "", name))
		return false;
	if (rename(from, to) != 0)
		return err_errno(err, errno, "Cannot move %s aside", from);
	w->report->lost++;
	log_event(LOG_WARN, "found without a record, moved aside", "path", LOG_S(from), "to", LOG_S(to), NULL);
	return true;
}

static bool lose(struct walk *w, const char *dir, const char *name, struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	return fs_path(path, sizeof(path), err, "%s/%s", dir, name) && lose_as(w, dir, name, span_of(path), err);
}

static bool look_at_table(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk *w = ctx;
	struct span file = span_of(name);
	struct table_row row;
	if (is_dir || !span_ends(file, SPAN(".duckdb")))
		return true;
	const char *table = arena_copy(w->arena, span_first(file, file.len - strlen(".duckdb")));
	if (catalog_get_table_row(w->storage->catalog, w->arena, KEY(w->project_id, w->branch_id, w->bucket, table),
				  &row))
		return true;
	return lose(w, w->dir, name, err);
}

/* <id>.duckdb and its log; the folders beside it are links and scratch of sessions that died. */
static bool look_at_workspace(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk *w = ctx;
	struct workspace row;
	const char *end = strstr(name, ".duckdb");
	if (is_dir)
		return fs_remove_tree(arena_printf(w->arena, "%s/%s", w->dir, name), err);
	const char *id = arena_copy(w->arena, span_first(span_of(name), end ? (size_t)(end - name) : strlen(name)));
	const char *path = arena_printf(w->arena, "%s/%s.duckdb", w->dir, id);
	if (catalog_get_workspace(w->storage->catalog, w->arena, KEY(id), &row) && row.db_path &&
	    strcmp(row.db_path, path) == 0)
		return true;
	return lose_as(w, w->dir, name, span_of(path), err);
}

static bool look_below(const struct walk *w, const char *name, const char *bucket,
		       bool (*look)(void *ctx, const char *name, bool is_dir, struct err *err), struct err *err)
{
	struct walk below = *w;
	below.arena = arena_new();
	below.bucket = bucket;
	below.dir = arena_printf(below.arena, "%s/%s", w->dir, name);
	bool fine = fs_list(below.dir, look, &below, err);
	arena_free(below.arena);
	return fine;
}

/* What a first write of a branch was about to create when its bucket was dropped, and the server died. */
static bool remove_noted(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk *w = ctx;
	char path[LIMIT_PATH_BYTES];
	if (!fs_path(path, sizeof(path), err, "%s/%s", w->dir, name))
		return false;
	if (is_dir || !map_get(w->intents, span_of(path)))
		return true;
	w->report->unfinished++;
	return fs_unlink(path, err);
}

static bool look_at_bucket(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk *w = ctx;
	struct bucket bucket;
	struct bucket_link link;
	if (is_dir && strcmp(name, "_workspaces") == 0)
		return look_below(w, name, NULL, look_at_workspace, err);
	if (!is_dir || name[0] == '_' || name[0] == '.')
		return true;
	if (!catalog_get_bucket(w->storage->catalog, w->arena, KEY(w->project_id, name), &bucket) &&
	    !catalog_get_bucket_link(w->storage->catalog, w->arena, KEY(w->project_id, name), &link))
		return look_below(w, name, name, remove_noted, err) &&
		       (remove_empty(w, w->dir, name) || lose(w, w->dir, name, err));
	return look_below(w, name, name, look_at_table, err);
}

/* Whose folder is project_<id> or project_<id>_branch_<branch>? Ids may hold "_branch_" themselves, so the catalog decides. */
static bool folder_owner(struct walk *w, const char *name)
{
	struct span rest = span_skip(span_of(name), strlen("project_"));
	struct project project;
	struct branch branch;
	const char *id = arena_copy(w->arena, rest);
	w->project_id = id;
	w->branch_id = BRANCH_MAIN;
	if (catalog_get_project(w->storage->catalog, w->arena, KEY(id), &project))
		return true;
	for (const char *at = strstr(id, "_branch_"); at; at = strstr(at + 1, "_branch_")) {
		w->project_id = arena_copy(w->arena, (struct span){id, (size_t)(at - id)});
		w->branch_id = at + strlen("_branch_");
		if (catalog_get_branch(w->storage->catalog, w->arena, KEY(w->project_id, w->branch_id), &branch))
			return true;
	}
	return false;
}

static bool look_at_project(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk w = *(struct walk *)ctx;
	if (!is_dir || !span_starts(span_of(name), SPAN("project_")))
		return true;
	w.arena = arena_new();
	bool known = folder_owner(&w, name);
	bool fine;
	if (known) {
		const char *dir = w.dir;
		w.dir = arena_printf(w.arena, "%s/%s", dir, name);
		fine = fs_list(w.dir, look_at_bucket, &w, err);
	} else {
		w.project_id = NULL;
		fine = lose(&w, w.dir, name, err);
	}
	arena_free(w.arena);
	return fine;
}

/* ---- snapshots ---- */

static bool look_at_snapshot(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk *w = ctx;
	struct snapshot row;
	(void)is_dir;
	if (catalog_get_snapshot(w->storage->catalog, w->arena, KEY(name), &row) &&
	    strcmp(row.project_id, w->project_id) == 0)
		return true;
	return lose(w, w->dir, name, err);
}

static bool look_at_snapshots(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct walk w = *(struct walk *)ctx;
	struct project project;
	if (!is_dir || name[0] == '_' || name[0] == '.')
		return true;
	w.arena = arena_new();
	bool fine;
	if (catalog_get_project(w.storage->catalog, w.arena, KEY(name), &project)) {
		const char *dir = w.dir;
		w.project_id = name;
		w.dir = arena_printf(w.arena, "%s/%s", dir, name);
		fine = fs_list(w.dir, look_at_snapshot, &w, err);
	} else {
		fine = lose(&w, w.dir, name, err);
	}
	arena_free(w.arena);
	return fine;
}

/* ---- rows ---- */

static bool row_stale(const struct storage *storage, struct arena *arena, const struct table_row *row,
		      bool *ret_missing)
{
	struct err err = ERR_INIT;
	struct table_identity seen;
	const char *path = place_table_path(storage, arena, row->project_id, row->branch_id, row->bucket, row->name);
	*ret_missing = !table_identify(path, &seen, &err);
	return *ret_missing || (int64_t)seen.device != row->device || (int64_t)seen.inode != row->inode ||
	       seen.size != row->size_bytes || seen.mtime_ns != row->mtime_ns;
}

static void row_check(struct storage *storage, struct table_row *row, struct reconcile_report *report)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	bool missing;
	const char *path = place_table_path(storage, arena, row->project_id, row->branch_id, row->bucket, row->name);
	if (!row_stale(storage, arena, row, &missing)) {
		arena_free(arena);
		return;
	}
	if (missing) {
		report->missing++;
		log_event(LOG_ERROR, "a table has no file", "path", LOG_S(path), NULL);
	} else if (place_follow_file(storage, arena, path, row, &err)) {
		report->followed++;
	} else {
		report->missing++;
		log_event(LOG_ERROR, "a table's file cannot be read", "path", LOG_S(path), "error", LOG_S(err.message),
			  NULL);
	}
	arena_free(arena);
}

static void rows_follow_files(struct storage *storage, struct reconcile_report *report)
{
	struct arena *arena = arena_new();
	struct catalog_page page = {.limit = ROWS_PAGE};
	struct table_row *rows;
	size_t n;
	do {
		/* Holds the key that the page begins behind. */
		struct arena *next = arena_new();
		catalog_list_tables(storage->catalog, next, KEY_ALL, &page, &rows, &n);
		arena_free(arena);
		arena = next;
		report->tables += n;
		for (size_t i = 0; i < n; i++)
			row_check(storage, &rows[i], report);
		if (n)
			page.after = KEY(rows[n - 1].project_id, rows[n - 1].branch_id, rows[n - 1].bucket,
					 rows[n - 1].name);
	} while (n == ROWS_PAGE);
	arena_free(arena);
}

static void lost_measure(struct storage *storage)
{
	char dir[LIMIT_PATH_BYTES];
	struct err ignored = ERR_INIT;
	if (fs_path(dir, sizeof(dir), &ignored, "%s/_lost", storage->settings->duckdb_dir))
		atomic_store(&storage->lost_bytes, fs_tree_size(dir));
}

bool reconcile_run(struct storage *storage, struct reconcile_report *ret, struct err *err)
{
	const struct settings *s = storage->settings;
	char when[32];
	struct map intents;
	*ret = (struct reconcile_report){0};
	if (!fs_is_dir(s->duckdb_dir))
		return true;
	intent_collect(storage, &intents);
	removals_collect(storage, &intents);
	struct walk w = {
		.storage = storage, .intents = &intents, .report = ret, .arena = arena_new(), .dir = s->duckdb_dir};
	struct walk snapshots = w;
	snapshots.dir = s->snapshots_dir;
	(void)clock_format(clock_unix_us(), "%Y%m%d_%H%M%S", when, sizeof(when));
	w.lost_dir = snapshots.lost_dir = arena_printf(w.arena, "%s/_lost/%s", s->duckdb_dir, when);
	/* What was merged is put in place first; the notes go last, so that this may be interrupted and repeated. */
	bool fine = publication_reconcile(storage, &ret->merged, err) &&
		    fs_list(s->duckdb_dir, look_at_project, &w, err) &&
		    version_reconcile(storage, &ret->unfinished_versions, err) &&
		    (!fs_is_dir(s->snapshots_dir) || fs_list(s->snapshots_dir, look_at_snapshots, &snapshots, err));
	if (fine) {
		rows_follow_files(storage, ret);
		fine = removals_settle(storage, err) && fs_remove_tree(s->staging_dir, err) &&
		       fs_mkdir(s->staging_dir, err);
		lost_measure(storage);
	}
	map_done(&intents);
	arena_free(w.arena);
	return fine;
}

static bool sweep_one(void *ctx, const char *name, bool is_dir, struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	struct stat st;
	(void)is_dir;
	if (!fs_path(path, sizeof(path), err, "%s/%s", (const char *)ctx, name))
		return false;
	if (lstat(path, &st) != 0 || clock_unix_us() / US_PER_S - st.st_ctime < LOST_DAYS * 86400)
		return true;
	return fs_remove_tree(path, err);
}

bool reconcile_sweep(struct storage *storage, struct err *err)
{
	char dir[LIMIT_PATH_BYTES];
	if (!fs_path(dir, sizeof(dir), err, "%s/_lost", storage->settings->duckdb_dir))
		return false;
	bool fine = !fs_is_dir(dir) || fs_list(dir, sweep_one, dir, err);
	lost_measure(storage);
	return fine;
}
