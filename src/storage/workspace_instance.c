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

static void forget_versions(struct workspace_instance *wi)
{
	struct map_entry *e;
	for (size_t at = 0; (e = map_next(&wi->tables, &at));)
		free(e->value);
	map_done(&wi->tables);
	wi->tables = MAP_INIT;
	while (wi->superseded) {
		struct wi_version *next = wi->superseded->next;
		free(wi->superseded);
		wi->superseded = next;
	}
}

static void instance_free(struct workspace_instance *wi)
{
	struct err ignored = ERR_INIT;
	instance_close(wi->engine);
	(void)!fs_remove_tree(wi->links, &ignored);
	forget_versions(wi);
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

/* ---- tables ---- */

/* A rebuilt engine has nothing attached. Lock held. */
static void follow_engine(struct workspace_instance *wi)
{
	uint64_t generation = instance_generation(wi->engine);
	if (wi->generation == generation)
		return;
	forget_versions(wi);
	wi->generation = generation;
}

static bool run(struct session *session, struct err *err, const char *fmt, const char *a, const char *b, const char *c)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, fmt, a, b, c);
	bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return fine;
}

bool workspace_session(struct workspace_instance *wi, struct session **ret, struct err *err)
{
	if (!session_open(wi->engine, ret, err))
		return false;
	if (session_run(*ret, "SET search_path = 'system.main'", err))
		return true;
	session_close(*ret);
	*ret = NULL;
	return false;
}

bool workspace_prepare(struct workspace_instance *wi,
		       bool (*prepare)(void *ctx, struct session *session, struct err *err), void *ctx, struct err *err)
{
	struct session *session;
	(void)pthread_mutex_lock(&wi->lock);
	bool fine = workspace_session(wi, &session, err);
	if (fine) {
		follow_engine(wi);
		if (wi->prepared != wi->generation && (fine = prepare(ctx, session, err)))
			wi->prepared = wi->generation;
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
	return fine;
}

static const char *table_key(struct arena *arena, const char *bucket, const char *table)
{
	return arena_printf(arena, "%s/%s", bucket, table);
}

/* Versions that no open transaction can see any more. Lock held. */
static void detach_old(struct workspace_instance *wi, struct session *session)
{
	uint64_t oldest = UINT64_MAX;
	for (size_t i = 0; i < wi->pin_count; i++)
		oldest = wi->pins[i] < oldest ? wi->pins[i] : oldest;
	for (struct wi_version **at = &wi->superseded; *at;) {
		struct wi_version *v = *at;
		struct err ignored = ERR_INIT;
		char name[64], path[LIMIT_PATH_BYTES];
		if (v->superseded_at >= oldest) {
			at = &v->next;
			continue;
		}
		*at = v->next;
		(void)snprintf(name, sizeof(name), "DETACH _t%llu", (unsigned long long)v->number);
		(void)!session_run(session, name, &ignored);
		if (fs_path(path, sizeof(path), &ignored, "%s/t%llu.duckdb", wi->links, (unsigned long long)v->number))
			(void)!fs_unlink(path, &ignored);
		free(v);
	}
}

static void supersede(struct workspace_instance *wi, struct wi_version *former)
{
	if (!former)
		return;
	former->superseded_at = wi->clock;
	former->next = wi->superseded;
	wi->superseded = former;
}

static bool attach_file(struct workspace_instance *wi, struct session *session, struct place *place, const char *key,
			struct wi_version *version, struct err *err)
{
	char link[LIMIT_PATH_BYTES], name[32];
	const char *pin;
	version->number = ++wi->sequence;
	(void)snprintf(name, sizeof(name), "_t%llu", (unsigned long long)version->number);
	if (!fs_path(link, sizeof(link), err, "%s/t%llu.duckdb", wi->links, (unsigned long long)version->number) ||
	    !place_pin(place, &pin, err))
		return false;
	if (rename(pin, link) != 0)
		return err_errno(err, errno, "The table's file cannot be brought to the workspace");
	bool fine = table_identify(link, &version->identity, err) &&
		    run(session, err, "ATTACH %L AS %I (READ_ONLY)", link, name, NULL) &&
		    run(session, err, "ATTACH IF NOT EXISTS ':memory:' AS %I", place->bucket_name, NULL, NULL);
	if (fine) {
		struct buf sql = BUF(64 * KIB);
		const char *text;
		sql_printf(&sql, "CREATE OR REPLACE VIEW %I.main.%I AS SELECT * FROM %I.main.data", place->bucket_name,
			   place->table.name, name);
		fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
		buf_done(&sql);
	}
	if (fine) {
		supersede(wi, map_put(&wi->tables, span_of(key), version));
		detach_old(wi, session);
	}
	return fine;
}

bool workspace_attach_place(struct workspace_instance *wi, struct place *place, uint64_t *ret_number, struct err *err)
{
	struct session *session;
	const char *key = table_key(place->arena, place->bucket_name, place->table.name);
	struct table_identity now;
	(void)pthread_mutex_lock(&wi->lock);
	bool fine = true;
	struct wi_version *known = map_get(&wi->tables, span_of(key));
	if (!known || wi->generation != instance_generation(wi->engine) || instance_is_dead(wi->engine) ||
	    !table_identify(place->path, &now, err) || !table_identity_eq(&now, &known->identity)) {
		fine = session_open(wi->engine, &session, err);
		if (fine) {
			follow_engine(wi);
			known = mem_alloc(sizeof(*known));
			*known = (struct wi_version){0};
			fine = attach_file(wi, session, place, key, known, err);
			if (!fine)
				free(known);
			session_close(session);
		}
	}
	if (fine)
		*ret_number = known->number;
	(void)pthread_mutex_unlock(&wi->lock);
	return fine;
}

/* The table is no more: its name stops resolving. */
static void forget_table(struct workspace_instance *wi, struct arena *arena, const char *bucket, const char *table)
{
	struct err ignored = ERR_INIT;
	struct session *session;
	(void)pthread_mutex_lock(&wi->lock);
	struct wi_version *former = map_remove(&wi->tables, span_of(table_key(arena, bucket, table)));
	if (former && session_open(wi->engine, &session, &ignored)) {
		(void)!run(session, &ignored, "DROP VIEW IF EXISTS %I.main.%I", bucket, table, NULL);
		supersede(wi, former);
		detach_old(wi, session);
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
}

/* Names that mean something else to the engine cannot be a bucket's database. */
static bool name_is_free(const struct workspace_instance *wi, const char *name)
{
	static const char *const reserved[] = {"main", "temp", "system", "public", "pg_catalog", "information_schema"};
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return false;
	return strcasecmp(name, wi->id) != 0;
}

/* The bucket's name as the project writes it; NULL: it has none. */
static const char *bucket_name(struct workspace_instance *wi, struct arena *arena, const char *name)
{
	struct storage *storage = wi->all->storage;
	struct err ignored = ERR_INIT;
	struct bucket bucket;
	struct bucket_link link;
	const char **names;
	size_t n;
	if (!name_is_free(wi, name))
		return NULL;
	if (catalog_get_bucket(storage->catalog, arena, KEY(wi->project_id, name), &bucket) ||
	    catalog_get_bucket_link(storage->catalog, arena, KEY(wi->project_id, name), &link))
		return name;
	if (workspace_buckets(storage, arena, wi->project_id, &names, &n, &ignored))
		for (size_t i = 0; i < n; i++)
			if (strcasecmp(names[i], name) == 0)
				return names[i];
	return NULL;
}

static bool find_folded(struct workspace_instance *wi, struct place *place, const char *table)
{
	struct err ignored = ERR_INIT;
	struct workspace_table *tables;
	size_t n;
	if (!workspace_tables(wi->all->storage, place->arena, wi->project_id, wi->branch_id, true, &tables, &n,
			      &ignored))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(tables[i].bucket, place->bucket_name) == 0 && strcasecmp(tables[i].name, table) == 0)
			return place_find_table(place, tables[i].name, false);
	return false;
}

static bool attach_named(struct workspace_instance *wi, struct arena *arena, const char *bucket, const char *table,
			 bool *ret_found, struct err *err)
{
	struct place place;
	uint64_t number;
	const char *name = bucket_name(wi, arena, bucket);
	*ret_found = false;
	if (!name) {
		forget_table(wi, arena, bucket, table);
		return true;
	}
	if (!place_bucket(wi->all->storage, arena, wi->project_id, wi->branch_id, name, NULL, &place, err))
		return false;
	if (!place_find_table(&place, table, false) && !find_folded(wi, &place, table)) {
		forget_table(wi, arena, name, table);
		return true;
	}
	if (workspace_attach_place(wi, &place, &number, err)) {
		*ret_found = true;
		return true;
	}
	/* Dropped between the look and the link. */
	return err->code == ERR_TABLE_NOT_FOUND;
}

bool workspace_attach_table(struct workspace_instance *wi, const char *bucket, const char *table, bool *ret_found,
			    struct err *err)
{
	struct arena *arena = arena_new();
	bool fine = attach_named(wi, arena, bucket, table, ret_found, err);
	arena_free(arena);
	return fine;
}

bool workspace_attach_bucket(struct workspace_instance *wi, const char *bucket, bool *ret_found, struct err *err)
{
	struct arena *arena = arena_new();
	struct session *session;
	const char *name = bucket_name(wi, arena, bucket);
	bool fine = true;
	*ret_found = name != NULL;
	if (name && (fine = session_open(wi->engine, &session, err))) {
		fine = run(session, err, "ATTACH IF NOT EXISTS ':memory:' AS %I", name, NULL, NULL);
		session_close(session);
	}
	arena_free(arena);
	return fine;
}

/* Puts a view of the joined name over the table's own. */
static bool join(struct workspace_instance *wi, struct arena *arena, const char *name, const struct workspace_table *t,
		 struct err *err)
{
	struct session *session;
	bool fine = true;
	(void)pthread_mutex_lock(&wi->lock);
	struct wi_version *v = map_get(&wi->tables, span_of(table_key(arena, t->bucket, t->name)));
	if (v && v->joined_number != v->number && (fine = session_open(wi->engine, &session, err))) {
		struct buf sql = BUF(64 * KIB);
		const char *text;
		sql_printf(
			&sql,
			"ATTACH IF NOT EXISTS ':memory:' AS %I; CREATE OR REPLACE VIEW %I.main.data AS SELECT * FROM "
			"%I.main.data",
			name, name, arena_printf(arena, "_t%llu", (unsigned long long)v->number));
		fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
		buf_done(&sql);
		if (fine)
			v->joined_number = v->number;
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
	return fine;
}

bool workspace_attach_joined(struct workspace_instance *wi, const char *name, bool *ret_found, struct err *err)
{
	struct arena *arena = arena_new();
	struct workspace_table *tables = NULL;
	size_t n = 0;
	bool fine = true;
	*ret_found = false;
	if (name_is_free(wi, name) && !bucket_name(wi, arena, name))
		fine = workspace_tables(wi->all->storage, arena, wi->project_id, wi->branch_id, true, &tables, &n, err);
	for (size_t i = 0; fine && i < n && !*ret_found; i++) {
		const char *joined = arena_printf(arena, "%s_%s", tables[i].bucket, tables[i].name);
		if (strcasecmp(joined, name) == 0)
			fine = attach_named(wi, arena, tables[i].bucket, tables[i].name, ret_found, err) &&
			       (!*ret_found || join(wi, arena, joined, &tables[i], err));
	}
	arena_free(arena);
	return fine;
}

uint64_t workspace_pin(struct workspace_instance *wi)
{
	(void)pthread_mutex_lock(&wi->lock);
	uint64_t token = ++wi->clock;
	if (wi->pin_count == wi->pin_room) {
		wi->pin_room = wi->pin_room ? 2 * wi->pin_room : 8;
		uint64_t *more = mem_alloc_array(sizeof(*more), wi->pin_room);
		if (wi->pin_count)
			memcpy(more, wi->pins, wi->pin_count * sizeof(*more));
		free(wi->pins);
		wi->pins = more;
	}
	wi->pins[wi->pin_count++] = token;
	(void)pthread_mutex_unlock(&wi->lock);
	return token;
}

void workspace_unpin(struct workspace_instance *wi, uint64_t token)
{
	(void)pthread_mutex_lock(&wi->lock);
	for (size_t i = 0; i < wi->pin_count; i++)
		if (wi->pins[i] == token) {
			wi->pins[i] = wi->pins[--wi->pin_count];
			break;
		}
	(void)pthread_mutex_unlock(&wi->lock);
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
