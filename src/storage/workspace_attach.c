/* The project's tables and buckets in the engine of a workspace: attached when named, gone when the project drops them. */
#include "base/fs.h"
#include "engine/sql.h"
#include "storage/workspace_core.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void workspace_forget_attached(struct workspace_instance *wi)
{
	struct map_entry *e;
	for (size_t at = 0; (e = map_next(&wi->tables, &at));)
		free(e->value);
	map_done(&wi->tables);
	wi->tables = MAP_INIT;
	map_done(&wi->schemas);
	wi->schemas = MAP_INIT;
	while (wi->superseded) {
		struct wi_version *next = wi->superseded->next;
		free(wi->superseded);
		wi->superseded = next;
	}
}

/* A rebuilt engine has nothing attached. Lock held. */
static void follow_engine(struct workspace_instance *wi)
{
	uint64_t generation = instance_generation(wi->engine);
	if (wi->generation == generation)
		return;
	workspace_forget_attached(wi);
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

bool workspace_own_file(const struct workspace_instance *wi, char ret[LIMIT_PATH_BYTES], const char *name,
			struct err *err)
{
	return fs_path(ret, LIMIT_PATH_BYTES, err, "%s/%s", wi->links, name);
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

/* ---- the databases that buckets, and joined names, are to SQL ---- */

static const char BUCKET[] = "bucket", JOINED[] = "joined";

static const char *schema_key(struct arena *arena, const char *kind, const char *name)
{
	char *key = arena_printf(arena, "%s %s", kind, name);
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return key;
}

/*
 * Makes the database of this name exist. A schema of the workspace's own that had the name before the project gave it to a
 * bucket keeps it, as both could not be told apart: *ret_made stays false. Lock held.
 */
static bool schema_attach(struct workspace_instance *wi, struct arena *arena, struct session *session, const char *kind,
			  const char *name, bool *ret_made, struct err *err)
{
	static const char ask[] = "SELECT EXISTS (FROM system.main.duckdb_schemas() WHERE database_name = %L AND "
				  "schema_name COLLATE NOCASE = %L)::BIGINT";
	const char *key = schema_key(arena, kind, name), *text;
	struct buf sql = BUF(64 * KIB);
	int64_t taken = 0;
	*ret_made = map_get(&wi->schemas, span_of(key)) != NULL;
	if (*ret_made)
		return true;
	sql_printf(&sql, ask, wi->id, name);
	bool fine = sql_finish(&sql, &text, err) && session_int(session, text, &taken, err);
	buf_done(&sql);
	if (!fine || taken)
		return fine;
	*ret_made = run(session, err, "ATTACH IF NOT EXISTS ':memory:' AS %I", name, NULL, NULL);
	if (*ret_made)
		(void)map_put(&wi->schemas, span_of(key), wi);
	return *ret_made;
}

/* What was found in the bucket under the name: gone for who looks from now on. Lock held. */
static void schema_empty(struct workspace_instance *wi, struct session *session, const char *name)
{
	const size_t n = strlen(name);
	struct map_entry *e;
	for (size_t at = 0; (e = map_next(&wi->tables, &at));) {
		struct err ignored = ERR_INIT;
		if (e->key_len <= n || e->key[n] != '/' || strncasecmp(e->key, name, n) != 0)
			continue;
		struct wi_version *former = e->value;
		(void)!run(session, &ignored, "DROP VIEW IF EXISTS %I.main.%I", name, e->key + n + 1, NULL);
		(void)map_remove(&wi->tables, (struct span){e->key, e->key_len});
		supersede(wi, former);
	}
}

/*
 * The project has no such bucket, or no table of that joined name. The database stays, empty: sessions may have it on their
 * search path.
 */
static void schema_forget(struct workspace_instance *wi, struct arena *arena, const char *kind, const char *name)
{
	struct err ignored = ERR_INIT;
	struct session *session;
	const struct span key = span_of(schema_key(arena, kind, name));
	(void)pthread_mutex_lock(&wi->lock);
	if (wi->schemas.count && map_get(&wi->schemas, key) && session_open(wi->engine, &session, &ignored)) {
		follow_engine(wi);
		if (strcmp(kind, BUCKET) == 0)
			schema_empty(wi, session, name);
		else
			(void)!run(session, &ignored, "DROP VIEW IF EXISTS %I.main.data", name, NULL, NULL);
		(void)map_remove(&wi->schemas, key);
		detach_old(wi, session);
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
}

/* ---- tables ---- */

static bool attach_file(struct workspace_instance *wi, struct session *session, struct place *place, const char *key,
			struct wi_version *version, struct err *err)
{
	char link[LIMIT_PATH_BYTES], name[32];
	const char *pin;
	bool is_bucket = false;
	version->number = ++wi->sequence;
	(void)snprintf(name, sizeof(name), "_t%llu", (unsigned long long)version->number);
	if (!fs_path(link, sizeof(link), err, "%s/t%llu.duckdb", wi->links, (unsigned long long)version->number) ||
	    !place_pin(place, &pin, err))
		return false;
	if (rename(pin, link) != 0)
		return err_errno(err, errno, "The table's file cannot be brought to the workspace");
	bool fine = table_identify(link, &version->identity, err) &&
		    run(session, err, "ATTACH %L AS %I (READ_ONLY)", link, name, NULL) &&
		    schema_attach(wi, place->arena, session, BUCKET, place->bucket_name, &is_bucket, err);
	if (is_bucket) {
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

/* Opens a session only for what is not there yet: asked for each qualified name of each statement. */
static bool attach_bucket(struct workspace_instance *wi, struct arena *arena, const char *name, bool *ret_found,
			  struct err *err)
{
	struct session *session;
	bool fine = true;
	(void)pthread_mutex_lock(&wi->lock);
	*ret_found = wi->generation == instance_generation(wi->engine) && !instance_is_dead(wi->engine) &&
		     map_get(&wi->schemas, span_of(schema_key(arena, BUCKET, name)));
	if (!*ret_found && (fine = session_open(wi->engine, &session, err))) {
		follow_engine(wi);
		fine = schema_attach(wi, arena, session, BUCKET, name, ret_found, err);
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
	return fine;
}

bool workspace_attach_bucket(struct workspace_instance *wi, const char *bucket, bool *ret_found, struct err *err)
{
	struct arena *arena = arena_new();
	const char *name = bucket_name(wi, arena, bucket);
	bool fine = true;
	*ret_found = false;
	if (name)
		fine = attach_bucket(wi, arena, name, ret_found, err);
	else
		schema_forget(wi, arena, BUCKET, bucket);
	arena_free(arena);
	return fine;
}

bool workspace_free_schema(struct workspace_instance *wi, const char *name, struct err *err)
{
	struct session *session;
	if (!name_is_free(wi, name))
		return true;
	(void)pthread_mutex_lock(&wi->lock);
	bool fine = session_open(wi->engine, &session, err);
	if (fine) {
		fine = run(session, err, "DETACH DATABASE IF EXISTS %I", name, NULL, NULL);
		session_close(session);
	}
	(void)pthread_mutex_unlock(&wi->lock);
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
		bool made = false;
		const char *number = arena_printf(arena, "_t%llu", (unsigned long long)v->number);
		fine = schema_attach(wi, arena, session, JOINED, name, &made, err) &&
		       (!made || run(session, err, "CREATE OR REPLACE VIEW %I.main.data AS SELECT * FROM %I.main.data",
				     name, number, NULL));
		if (made && fine)
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
	if (fine && !*ret_found)
		schema_forget(wi, arena, JOINED, name);
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
