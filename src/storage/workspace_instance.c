#include "base/clock.h"
#include "base/fs.h"
#include "engine/sql.h"
#include "metrics/metrics.h"
#include "storage/workspace_core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	IDLE_SECONDS = 60,
	WAIT_SECONDS = 10,
	/* A quarter of the engine's: what is read to find one row by an ascending column halves, files grow by 4 %. */
	WORKSPACE_ROW_GROUP = 30720,
	MEMORY_MIN = 64 * 1024 * 1024,
	MEMORY_SHARE = 4 /* an instance gets at most this part of what is left */
};

/* ---- open and close ---- */

static void instance_free(struct workspace_instance *wi)
{
	struct err ignored = ERR_INIT;
	instance_close(wi->engine);
	(void)!fs_remove_tree(wi->links, &ignored);
	workspace_forget_attached(wi);
	pthread_mutex_destroy(&wi->lock);
	free(wi->pins);
	free(wi->id);
	free(wi->project_id);
	free(wi->branch_id);
	free(wi->path);
	free(wi->links);
	free(wi);
}

static struct workspace_instance *instance_new(struct workspaces *all, const struct workspace *row, int64_t memory)
{
	struct workspace_instance *wi = mem_alloc(sizeof(*wi));
	char links[LIMIT_PATH_BYTES];
	(void)snprintf(links, sizeof(links), "%s.links", row->db_path);
	*wi = (struct workspace_instance){.all = all, .users = 1, .busy = true, .memory = memory};
	wi->id = mem_strdup(row->id);
	wi->project_id = mem_strdup(row->project_id);
	wi->branch_id = row->branch_id ? mem_strdup(row->branch_id) : NULL;
	wi->path = mem_strdup(row->db_path);
	wi->links = mem_strdup(links);
	wi->size_limit = row->size_limit_gb * (int64_t)GIB;
	pthread_mutex_init(&wi->lock, NULL);
	return wi;
}

static bool engine_open(struct workspace_instance *wi, struct err *err)
{
	const struct settings *s = wi->all->storage->settings;
	char temp[LIMIT_PATH_BYTES];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct instance_config config = {
		.path = wi->path,
		.row_group = WORKSPACE_ROW_GROUP,
		.threads = (size_t)(s->duckdb_threads < cores ? s->duckdb_threads : cores),
		.memory_limit = wi->memory,
		.temp_dir = temp,
		.temp_max = s->duckdb_temp_max,
		.lockdown_dir = wi->links,
		.hide_dir = s->duckdb_dir,
		.init_sql = "SET GLOBAL TimeZone = '" WORKSPACE_ZONE "'",
	};
	/* Links of a process that died. */
	if (!fs_path(temp, sizeof(temp), err, "%s.temp", wi->path) || !fs_remove_tree(wi->links, err) ||
	    !fs_remove_tree(temp, err) || !fs_mkdir(wi->links, err) || !instance_open(&config, &wi->engine, err))
		return false;
	wi->generation = instance_generation(wi->engine);
	return true;
}

static void unlist(struct workspaces *all, struct workspace_instance *wi)
{
	struct workspace_instance **at = &all->instances;
	while (*at != wi)
		at = &(*at)->next;
	*at = wi->next;
	(void)pthread_cond_broadcast(&all->changed);
}

/* Closes an instance that nobody uses. The lock is released meanwhile; whoever wants the file waits for `busy`. */
static void close_locked(struct workspaces *all, struct workspace_instance *wi)
{
	wi->busy = true;
	(void)pthread_mutex_unlock(&all->lock);
	instance_close(wi->engine);
	wi->engine = NULL;
	(void)pthread_mutex_lock(&all->lock);
	unlist(all, wi);
	instance_free(wi);
}

static struct workspace_instance *find_idle(struct workspaces *all, int64_t before_ns)
{
	for (struct workspace_instance *wi = all->instances; wi; wi = wi->next)
		if (wi->users == 0 && !wi->busy && wi->idle_ns <= before_ns)
			return wi;
	return NULL;
}

static int64_t memory_left(const struct workspaces *all)
{
	int64_t left = all->storage->settings->pgwire_memory_budget;
	for (const struct workspace_instance *wi = all->instances; wi; wi = wi->next)
		left -= wi->memory;
	return left;
}

/* Idle instances give way before anybody is refused. */
static bool memory_for(struct workspaces *all, int64_t *ret, struct err *err)
{
	const int64_t most = all->storage->settings->pgwire_session_memory;
	struct workspace_instance *idle;
	while (memory_left(all) < most && (idle = find_idle(all, INT64_MAX)))
		close_locked(all, idle);
	int64_t left = memory_left(all);
	if (left < MEMORY_MIN)
		return err_set(err, ERR_WORKSPACE_MEMORY,
			       "The memory for workspaces is in use; try again when others are idle");
	int64_t share = left == all->storage->settings->pgwire_memory_budget ? left : left / MEMORY_SHARE;
	share = share > MEMORY_MIN ? share : MEMORY_MIN;
	*ret = share < most ? share : most;
	return true;
}

static struct workspace_instance *find(struct workspaces *all, const char *id)
{
	for (struct workspace_instance *wi = all->instances; wi; wi = wi->next)
		if (strcmp(wi->id, id) == 0)
			return wi;
	return NULL;
}

/* Waits until the instance of this id is not being opened, closed or given up; NULL: there is none. Lock held. */
static bool settle(struct workspaces *all, const char *id, struct workspace_instance **ret, struct err *err)
{
	int64_t until = clock_ns() + WAIT_SECONDS * NS_PER_S;
	struct timespec at = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
	while ((*ret = find(all, id)) && ((*ret)->busy || atomic_load(&(*ret)->doomed)))
		if (pthread_cond_timedwait(&all->changed, &all->lock, &at) != 0)
			return err_set(err, ERR_STORAGE_UNAVAILABLE, "The workspace %s is being closed; try again", id);
	return true;
}

static bool open_locked(struct workspaces *all, const struct workspace *row, struct workspace_instance **ret,
			struct err *err)
{
	int64_t memory = 0;
	if (!settle(all, row->id, ret, err))
		return false;
	if (*ret) {
		(*ret)->users++;
		return true;
	}
	/* Making room releases the lock. */
	if (!memory_for(all, &memory, err))
		return false;
	if (find(all, row->id))
		return open_locked(all, row, ret, err);
	struct workspace_instance *wi = instance_new(all, row, memory);
	wi->next = all->instances;
	all->instances = wi;
	(void)pthread_mutex_unlock(&all->lock);
	bool fine = engine_open(wi, err);
	(void)pthread_mutex_lock(&all->lock);
	wi->busy = false;
	(void)pthread_cond_broadcast(&all->changed);
	if (!fine) {
		unlist(all, wi);
		instance_free(wi);
		return false;
	}
	*ret = wi;
	return true;
}

bool workspace_open_row(struct storage *storage, const struct workspace *row, struct workspace_instance **ret,
			struct err *err)
{
	struct workspaces *all = storage->workspaces;
	(void)pthread_mutex_lock(&all->lock);
	bool fine = open_locked(all, row, ret, err);
	(void)pthread_mutex_unlock(&all->lock);
	return fine;
}

bool workspace_open(struct storage *storage, const char *workspace_id, struct workspace_instance **ret, struct err *err)
{
	struct arena *arena = arena_new();
	struct workspace row;
	bool fine = catalog_get_workspace(storage->catalog, arena, KEY(workspace_id), &row);
	if (fine) {
		fine = workspace_open_row(storage, &row, ret, err);
	} else {
		(void)err_set(err, ERR_WORKSPACE_NOT_FOUND, "Workspace %s not found", workspace_id);
		err_detail(err, "workspace_id", workspace_id);
	}
	arena_free(arena);
	return fine;
}

void workspace_release(struct workspace_instance *wi)
{
	if (!wi)
		return;
	struct workspaces *all = wi->all;
	(void)pthread_mutex_lock(&all->lock);
	wi->idle_ns = clock_ns();
	if (--wi->users == 0 && (atomic_load(&wi->doomed) || instance_is_dead(wi->engine)))
		close_locked(all, wi);
	(void)pthread_mutex_unlock(&all->lock);
}

void workspace_doom(struct storage *storage, const char *id, enum pg_session_end why)
{
	struct workspaces *all = storage->workspaces;
	int64_t until = clock_ns() + WAIT_SECONDS / 2 * NS_PER_S;
	struct timespec at = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
	pg_sessions_end_own(storage, id, NULL, why);
	(void)pthread_mutex_lock(&all->lock);
	struct workspace_instance *wi = find(all, id);
	if (wi)
		atomic_store(&wi->doomed, true);
	if (wi && wi->users == 0 && !wi->busy)
		close_locked(all, wi);
	else if (wi && wi->engine)
		instance_interrupt_all(wi->engine);
	while (find(all, id) && pthread_cond_timedwait(&all->changed, &all->lock, &at) == 0) {
	}
	(void)pthread_mutex_unlock(&all->lock);
}

bool workspace_failed(struct workspace_instance *wi)
{
	if (!instance_is_dead(wi->engine))
		return false;
	if (!atomic_exchange(&wi->doomed, true)) {
		struct series *failures = metric_tenant_series(METRIC_PGWIRE_ENGINE_FAILURES_TOTAL, wi->id, NULL);
		metric_inc(failures);
		metric_tenant_release(failures);
	}
	pg_sessions_end_own(wi->all->storage, wi->id, NULL, PG_SESSION_FAILED);
	return true;
}

bool workspaces_start(struct storage *storage, struct workspaces **ret, struct err *err)
{
	struct workspaces *all = mem_alloc(sizeof(*all));
	pthread_condattr_t attr;
	*all = (struct workspaces){.storage = storage};
	(void)pthread_mutex_init(&all->lock, NULL);
	(void)pthread_mutex_init(&all->session_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&all->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret = all;
	return pg_sessions_recover(storage, err);
}

void workspaces_stop(struct workspaces *all)
{
	if (!all)
		return;
	while (all->instances) {
		struct workspace_instance *next = all->instances->next;
		instance_free(all->instances);
		all->instances = next;
	}
	(void)pthread_mutex_destroy(&all->lock);
	(void)pthread_mutex_destroy(&all->session_lock);
	(void)pthread_cond_destroy(&all->changed);
	free(all);
}

/* ---- what it is ---- */

struct instance *workspace_engine(struct workspace_instance *wi)
{
	return wi->engine;
}

const char *workspace_db(const struct workspace_instance *wi)
{
	return wi->id;
}

uint64_t workspace_attached(struct workspace_instance *wi)
{
	(void)pthread_mutex_lock(&wi->lock);
	uint64_t sequence = wi->sequence;
	(void)pthread_mutex_unlock(&wi->lock);
	return sequence;
}

uint64_t workspace_changes(const struct workspace_instance *wi)
{
	return atomic_load(&wi->changes);
}

void workspace_changed(struct workspace_instance *wi)
{
	atomic_fetch_add(&wi->changes, 1);
}

bool workspace_is_doomed(const struct workspace_instance *wi)
{
	return atomic_load(&wi->doomed);
}

/* ---- background ---- */

static void close_idle(struct workspaces *all)
{
	struct workspace_instance *wi;
	(void)pthread_mutex_lock(&all->lock);
	while ((wi = find_idle(all, clock_ns() - IDLE_SECONDS * NS_PER_S)))
		close_locked(all, wi);
	(void)pthread_mutex_unlock(&all->lock);
}

bool workspaces_sweep(struct storage *storage, struct err *err)
{
	struct arena *arena = arena_new();
	struct workspace *rows;
	size_t n;
	const int64_t now = clock_unix_us();
	(void)err;
	close_idle(storage->workspaces);
	catalog_list_workspaces_by_expiry(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].expires_at || rows[i].expires_at > now)
			continue;
		(void)pthread_mutex_lock(&storage->workspaces->lock);
		bool open = find(storage->workspaces, rows[i].id) != NULL;
		(void)pthread_mutex_unlock(&storage->workspaces->lock);
		if (open)
			workspace_doom(storage, rows[i].id, PG_SESSION_EXPIRED);
		pg_sessions_expire(storage, rows[i].id);
	}
	arena_free(arena);
	return true;
}
