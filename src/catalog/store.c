#include "catalog/store.h"

#include "base/fs.h"
#include "base/limits.h"
#include "catalog/fault.h"
#include "catalog/migrate.h"
#include "engine/sql.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { DELETE_CHUNK = 1024 };

struct store {
	char *path;
	char *wal_path;
	struct instance *instance;
	struct session *session;	      /* NULL: broken */
	struct feed *feeds[CATALOG_ENTITIES]; /* opened at the first row */
};

static bool store_fault(struct err *err)
{
	return fault_translate(err, "The metadata store");
}

static void session_drop(struct store *s)
{
	for (enum catalog_entity i = 0; i < CATALOG_ENTITIES; i++) {
		feed_close(s->feeds[i]);
		s->feeds[i] = NULL;
	}
	session_close(s->session);
	s->session = NULL;
}

bool store_open(const char *path, struct store **ret, struct err *err)
{
	struct store *s = mem_alloc(sizeof(*s));
	size_t size = strlen(path) + 5;
	s->path = mem_strdup(path);
	s->wal_path = mem_alloc(size);
	(void)snprintf(s->wal_path, size, "%s.wal", path);
	/* Checkpoints are the writer's: between batches, never inside a commit. */
	struct instance_config config = {
		.path = path,
		.threads = 1,
		.memory_limit = (int64_t)GIB,
		.init_sql = "SET checkpoint_threshold = '1TB'; SET wal_autocheckpoint_entries = 0",
	};
	if (!instance_open(&config, &s->instance, err) || !store_recover(s, err) ||
	    !migrate_to_current(s->session, err)) {
		store_close(s);
		return store_fault(err);
	}
	*ret = s;
	return true;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	session_drop(s);
	instance_close(s->instance);
	free(s->wal_path);
	free(s->path);
	free(s);
}

bool store_is_broken(const struct store *s)
{
	return !s->session || instance_is_dead(s->instance);
}

bool store_recover(struct store *s, struct err *err)
{
	if (!store_is_broken(s))
		return true;
	session_drop(s);
	if (session_open(s->instance, &s->session, err) && session_skip_figures(s->session, err))
		return true;
	session_drop(s);
	return store_fault(err);
}

/* ---- Loading ---- */

/* The rows of one entity on their way into the model. */
struct load {
	const struct entity_def *entity;
	struct packed **rows;
	size_t count, room;
	int64_t max_seq;
};

static void load_add(struct load *load, struct packed *row)
{
	if (load->count == load->room) {
		load->room = load->room ? 2 * load->room : 1024;
		load->rows = mem_grow(load->rows, load->room * sizeof(struct packed *));
	}
	load->rows[load->count++] = row;
	load->max_seq = row->seq > load->max_seq ? row->seq : load->max_seq;
}

static bool chunk_load(struct load *load, const struct cursor *c, size_t rows, struct err *err)
{
	const struct entity_def *e = load->entity;
	struct arena *arena = arena_new();
	void *row = arena_alloc(arena, e->row_size);
	bool ok = true;
	for (size_t i = 0; i < rows && ok; i++) {
		struct packed *packed = NULL;
		columns_read(c, 1, e->columns, e->column_count, i, arena, row);
		ok = packed_new(e, row, &packed, err);
		if (!ok)
			break;
		packed->seq = cursor_int(c, 0, i);
		load_add(load, packed);
	}
	arena_free(arena);
	return ok;
}

static bool entity_load(struct store *s, struct model *model, enum catalog_entity entity, int64_t *max_seq,
			struct err *err)
{
	struct load load = {.entity = schema_entity(entity), .max_seq = *max_seq};
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct cursor *c = NULL;
	const char *text;
	schema_select_sql(entity, &sql);
	bool ok = sql_finish(&sql, &text, err) && session_query(s->session, text, &c, err);
	size_t rows = 0;
	while (ok && (ok = cursor_next(c, &rows, err)) && rows > 0)
		ok = chunk_load(&load, c, rows, err);
	cursor_close(c);
	buf_done(&sql);
	/* Also after a failure: the model frees what it has. */
	model_fill(model, entity, load.rows, load.count);
	*max_seq = load.max_seq;
	free(load.rows);
	return ok;
}

bool store_load(struct store *s, struct model *model, int64_t *ret_next_seq, struct err *err)
{
	int64_t max_seq = 0;
	if (!store_recover(s, err))
		return false;
	for (enum catalog_entity i = 0; i < CATALOG_ENTITIES; i++)
		if (!entity_load(s, model, i, &max_seq, err))
			return store_fault(err);
	*ret_next_seq = max_seq + 1;
	return true;
}

/* ---- Writing ---- */

static bool rows_delete(struct store *s, enum catalog_entity entity, const struct effect *effects, size_t count,
			struct err *err)
{
	const struct entity_def *e = schema_entity(entity);
	size_t i = 0;
	while (i < count) {
		struct buf sql = BUF(LIMIT_SQL_BYTES);
		size_t chunk = 0;
		sql_printf(&sql, "DELETE FROM %I WHERE seq IN (", e->table);
		for (; i < count && chunk < DELETE_CHUNK; i++)
			if (effects[i].entity == entity && effects[i].old)
				sql_printf(&sql, chunk++ ? ", %d" : "%d", effects[i].old->seq);
		buf_byte(&sql, ')');
		const char *text;
		uint64_t changed = chunk;
		bool ok = sql_finish(&sql, &text, err) &&
			  (chunk == 0 || session_run_count(s->session, text, &changed, err));
		buf_done(&sql);
		if (!ok)
			return false;
		if (changed != chunk)
			return err_set(err, ERR_METADATA, "%s has %llu of %zu records that should be there", e->table,
				       (unsigned long long)changed, chunk);
	}
	return true;
}

/* The rows of one entity that come, for its feed. */
struct coming {
	const struct entity_def *of;
	enum catalog_entity entity;
	const struct effect *next, *end;
	union row_space row;
};

static bool coming_next(void *ctx, struct bind_value *values)
{
	struct coming *c = ctx;
	while (c->next < c->end && (c->next->entity != c->entity || !c->next->fresh))
		c->next++;
	if (c->next == c->end)
		return false;
	const struct packed *row = (c->next++)->fresh;
	packed_read(c->of, row, &c->row);
	values[0] = (struct bind_value){.kind = BIND_INT, .integer = row->seq};
	columns_values(c->of->columns, c->of->column_count, &c->row, values + 1);
	return true;
}

static bool rows_insert(struct store *s, enum catalog_entity entity, const struct effect *effects, size_t count,
			struct err *err)
{
	struct coming coming = {.of = schema_entity(entity), .entity = entity, .next = effects, .end = effects + count};
	return feed_insert(s->feeds[entity], coming_next, &coming, err);
}

static bool entity_write(struct store *s, enum catalog_entity entity, const struct effect *effects, size_t count,
			 struct err *err)
{
	bool out = false;
	bool in = false;
	for (size_t i = 0; i < count; i++) {
		out = out || (effects[i].entity == entity && effects[i].old);
		in = in || (effects[i].entity == entity && effects[i].fresh);
	}
	return (!out || rows_delete(s, entity, effects, count, err)) &&
	       (!in || rows_insert(s, entity, effects, count, err));
}

static bool feed_ready(struct store *s, enum catalog_entity entity, struct err *err)
{
	const struct entity_def *e = schema_entity(entity);
	struct feed_column columns[SCHEMA_COLUMNS_MAX + 1] = {{"seq", BIND_INT}};
	if (s->feeds[entity])
		return true;
	columns_feed(e->columns, e->column_count, columns + 1);
	return feed_open(s->session, e->table, columns, e->column_count + 1, &s->feeds[entity], err);
}

static bool feeds_ready(struct store *s, const struct effect *effects, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].fresh && !feed_ready(s, effects[i].entity, err))
			return false;
	return true;
}

bool store_write(struct store *s, const struct effect *effects, size_t count, bool *ret_reload, struct err *err)
{
	*ret_reload = false;
	if (store_is_broken(s))
		return err_set(err, ERR_METADATA, "The metadata store is not open");
	if (!feeds_ready(s, effects, count, err) || !session_run(s->session, "BEGIN", err))
		return store_fault(err);
	bool ok = true;
	bool seen[CATALOG_ENTITIES] = {false};
	for (size_t i = 0; i < count && ok; i++) {
		enum catalog_entity entity = effects[i].entity;
		if (!seen[entity])
			ok = entity_write(s, entity, effects, count, err);
		seen[entity] = true;
	}
	if (ok && session_run(s->session, "COMMIT", err))
		return true;
	*ret_reload = ok || instance_is_dead(s->instance);
	struct err ignored;
	if (session_in_transaction(s->session) && !session_run(s->session, "ROLLBACK", &ignored))
		session_drop(s);
	return store_fault(err);
}

bool store_checkpoint(struct store *s, struct err *err)
{
	if (store_is_broken(s))
		return err_set(err, ERR_METADATA, "The metadata store is not open");
	return session_run(s->session, "CHECKPOINT", err) || store_fault(err);
}

int64_t store_wal_bytes(const struct store *s)
{
	int64_t size = fs_size(s->wal_path);
	return size > 0 ? size : 0;
}

int64_t store_file_bytes(const struct store *s)
{
	int64_t size = fs_size(s->path);
	return size > 0 ? size : 0;
}
