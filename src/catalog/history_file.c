#include "catalog/history_file.h"

#include "base/limits.h"
#include "catalog/fault.h"
#include "engine/sql.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMN(name, kind)                                             \
	{                                                              \
#name, COLUMN_##kind, offsetof(struct operation, name) \
	}
const struct column_def history_columns[] = {
	COLUMN(id, TEXT),
	COLUMN(project_id, TEXT),
	COLUMN(branch_id, TEXT),
	COLUMN(bucket, TEXT),
	COLUMN(table_name, TEXT),
	COLUMN(command, TEXT),
	COLUMN(door, TEXT),
	COLUMN(status, TEXT),
	COLUMN(error_code, TEXT),
	COLUMN(error_message, TEXT),
	COLUMN(resource_type, TEXT),
	COLUMN(resource_id, TEXT),
	COLUMN(request_id, TEXT),
	COLUMN(connection_job_id, TEXT),
	COLUMN(connection_run_id, TEXT),
	COLUMN(details_json, TEXT),
	COLUMN(started_at, TIME),
	COLUMN(duration_us, INT),
	COLUMN(queue_wait_us, INT),
	COLUMN(rows, INT),
	COLUMN(bytes_in, INT),
	COLUMN(bytes_out, INT),
};
_Static_assert(ARRAY_LEN(history_columns) <= HISTORY_COLUMNS_MAX, "room for every column");

size_t history_column_count(void)
{
	return ARRAY_LEN(history_columns);
}

bool history_fault(struct err *err)
{
	return fault_translate(err, "The operation history");
}

/* A start without an end: the server went down with the operation. */
static bool interrupted_mark(struct session *session, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "BEGIN; INSERT INTO operations SELECT * REPLACE ('interrupted' AS status, 'interrupted' AS "
		      "error_code, 'The server stopped before the operation ended' AS error_message) FROM running "
		      "WHERE id NOT IN (SELECT id FROM operations WHERE started_at >= (SELECT min(started_at) FROM "
		      "running)); DELETE FROM running; COMMIT; CHECKPOINT");
	const char *text;
	bool ok = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return ok;
}

/* A file of an earlier version lacks columns; they come behind the others, NULL in old rows. */
static bool tables_create(struct session *session, struct err *err)
{
	static const char *const tables[] = {"operations", "running"};
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		sql_printf(&sql, "CREATE TABLE IF NOT EXISTS %I (", tables[i]);
		columns_create_sql(history_columns, ARRAY_LEN(history_columns), &sql);
		buf_str(&sql, ");\n");
		for (size_t c = 0; c < ARRAY_LEN(history_columns); c++)
			sql_printf(&sql, "ALTER TABLE %I ADD COLUMN IF NOT EXISTS %I %s;\n", tables[i],
				   history_columns[c].name, column_sql_type(history_columns[c].kind));
	}
	const char *text;
	bool ok = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return ok;
}

static void session_drop(struct history_file *f)
{
	feed_close(f->into_history);
	feed_close(f->into_running);
	session_close(f->session);
	f->into_history = NULL;
	f->into_running = NULL;
	f->session = NULL;
}

static bool session_ready(struct history_file *f, struct err *err)
{
	if (f->session && instance_is_dead(f->instance))
		session_drop(f);
	if (f->session)
		return true;
	struct feed_column columns[ARRAY_LEN(history_columns)];
	size_t count = ARRAY_LEN(history_columns);
	columns_feed(history_columns, count, columns);
	if (session_open(f->instance, &f->session, err) && session_skip_figures(f->session, err) &&
	    tables_create(f->session, err) &&
	    feed_open(f->session, "operations", columns, count, &f->into_history, err) &&
	    feed_open(f->session, "running", columns, count, &f->into_running, err))
		return true;
	session_drop(f);
	return false;
}

bool history_file_open(struct history_file *f, const char *path, struct err *err)
{
	size_t size = strlen(path) + 5;
	f->path = mem_strdup(path);
	f->wal_path = mem_alloc(size);
	(void)snprintf(f->wal_path, size, "%s.wal", path);
	struct instance_config config = {
		.path = path,
		.threads = 1,
		.memory_limit = (int64_t)GIB,
		.init_sql = "SET wal_autocheckpoint_entries = 1000",
	};
	if (!instance_open(&config, &f->instance, err) || !session_ready(f, err) || !interrupted_mark(f->session, err))
		return history_fault(err);
	return true;
}

void history_file_close(struct history_file *f)
{
	session_drop(f);
	instance_close(f->instance);
	map_done(&f->running);
	free(f->wal_path);
	free(f->path);
}

/* What one batch does to the two tables. */
struct change {
	struct map begun; /* starts of this batch without an end in it: id -> record */
	struct map ended; /* ids of `running` that ended */
};

static void change_collect(struct history_file *f, struct change *c, const struct record *first)
{
	for (const struct record *r = first; r; r = r->next) {
		struct span id = span_of(r->op.id);
		if (r->begins) {
			(void)map_put(&c->begun, id, (void *)(uintptr_t)r);
		} else {
			(void)map_remove(&c->begun, id);
			if (map_get(&f->running, id))
				(void)map_put(&c->ended, id, f);
		}
	}
}

/* The records on their way into one of the two tables. */
struct coming {
	const struct record *next;
	const struct map *begun; /* into `running`: these; NULL: into `operations`, those that ended */
};

static bool coming_next(void *ctx, struct bind_value *values)
{
	struct coming *c = ctx;
	for (const struct record *r = c->next; r; r = r->next) {
		if (c->begun ? map_get(c->begun, span_of(r->op.id)) != r : r->begins)
			continue;
		columns_values(history_columns, ARRAY_LEN(history_columns), &r->op, values);
		c->next = r->next;
		return true;
	}
	return false;
}

static bool rows_insert(struct feed *feed, const struct record *first, const struct map *begun, struct err *err)
{
	struct coming coming = {first, begun};
	return feed_insert(feed, coming_next, &coming, err);
}

static bool ended_delete(struct session *session, const struct map *ended, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "DELETE FROM running WHERE id IN (");
	struct map_entry *e;
	bool more = false;
	for (size_t i = 0; (e = map_next(ended, &i)); more = true)
		sql_printf(&sql, more ? ", %L" : "%L", e->key);
	buf_byte(&sql, ')');
	const char *text;
	bool ok = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return ok;
}

static bool change_write(struct history_file *f, const struct change *c, const struct record *first, struct err *err)
{
	return session_run(f->session, "BEGIN", err) && rows_insert(f->into_history, first, NULL, err) &&
	       (c->begun.count == 0 || rows_insert(f->into_running, first, &c->begun, err)) &&
	       (c->ended.count == 0 || ended_delete(f->session, &c->ended, err)) &&
	       session_run(f->session, "COMMIT", err);
}

/* The change is durable: follow it in the set of running ones. */
static void change_note(struct history_file *f, const struct change *c)
{
	struct map_entry *e;
	for (size_t i = 0; (e = map_next(&c->begun, &i));)
		(void)map_put(&f->running, (struct span){e->key, e->key_len}, f);
	for (size_t i = 0; (e = map_next(&c->ended, &i));)
		(void)map_remove(&f->running, (struct span){e->key, e->key_len});
}

bool history_file_write(struct history_file *f, const struct record *first, struct err *err)
{
	if (!session_ready(f, err))
		return history_fault(err);
	struct change c = {.begun = MAP_INIT, .ended = MAP_INIT};
	change_collect(f, &c, first);
	bool ok = change_write(f, &c, first, err);
	if (ok)
		change_note(f, &c);
	struct err ignored;
	if (!ok && session_in_transaction(f->session) && !session_run(f->session, "ROLLBACK", &ignored))
		session_drop(f);
	map_done(&c.begun);
	map_done(&c.ended);
	return ok || history_fault(err);
}
