#include "engine/staging.h"

#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"
#include "engine/files.h"
#include "engine/sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below this, small blocks save most of a tiny file; above, they cost space and speed. */
enum { SMALL_TABLE_BYTES = 20 * 1024 * 1024, SMALL_BLOCK = 16384 };

struct staging {
	struct table_files *files;
	struct session *session;
	char *dir;
	char path[LIMIT_PATH_BYTES];
	char catalog[32];
	bool attached;
};

static void name_file(struct staging *st)
{
	char random[17];
	id_hex(8, random);
	const unsigned long long number = atomic_fetch_add(&st->files->sequence, 1);
	(void)snprintf(st->catalog, sizeof(st->catalog), "s%llu", number);
	(void)snprintf(st->path, sizeof(st->path), "%s/s%llu-%s.duckdb", st->dir, number, random);
}

static bool attach(struct staging *st, const char *options, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "ATTACH %L AS %s%s", st->path, st->catalog, options);
	st->attached = sql_finish(&sql, &text, err) && session_run(st->session, text, err);
	buf_done(&sql);
	return st->attached;
}

static bool attach_new(struct staging *st, int64_t expected_bytes, struct err *err)
{
	char options[48] = "";
	if (expected_bytes < SMALL_TABLE_BYTES)
		(void)snprintf(options, sizeof(options), " (BLOCK_SIZE %d)", SMALL_BLOCK);
	name_file(st);
	return attach(st, options, err);
}

static struct staging *staging_new(struct table_files *files, const char *dir)
{
	struct staging *st = mem_alloc(sizeof(*st));
	st->files = files;
	st->dir = mem_strdup(dir);
	return st;
}

bool staging_create(struct table_files *files, const char *dir, int64_t expected_bytes, struct staging **ret,
		    struct err *err)
{
	struct staging *st = staging_new(files, dir);
	if (session_open(files->data, &st->session, err) && attach_new(st, expected_bytes, err)) {
		*ret = st;
		return true;
	}
	staging_free(st);
	return false;
}

bool staging_copy_of(struct table_files *files, const char *dir, const char *path, struct staging **ret,
		     struct err *err)
{
	struct staging *st = staging_new(files, dir);
	struct table_identity identity;
	name_file(st);
	bool ok = table_identify(path, &identity, err) && session_open(files->data, &st->session, err) &&
		  fs_copy(path, st->path, err);
	if (ok && chmod(st->path, 0600) != 0)
		ok = err_errno(err, errno, "The copy of the table cannot be made writable");
	if (ok && attach(st, "", err)) {
		*ret = st;
		return true;
	}
	staging_free(st);
	return false;
}

const char *staging_alias(const struct staging *st)
{
	return st->catalog;
}

const char *staging_catalog(const struct staging *st)
{
	return st->catalog;
}

const char *staging_path(const struct staging *st)
{
	return st->path;
}

static bool run_built(struct staging *st, struct buf *sql, struct err *err)
{
	const char *text;
	const bool ok = sql_finish(sql, &text, err) && session_run(st->session, text, err);
	buf_done(sql);
	return ok;
}

bool staging_set_key(struct staging *st, const char *const *columns, size_t n, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES), comment = BUF(LIMIT_SQL_BYTES);
	struct json j = JSON(&comment);
	json_object(&j, NULL);
	json_int(&j, "version", 1);
	json_strings(&j, "primary_key", columns, n);
	json_object_end(&j);
	sql_printf(&sql, "COMMENT ON TABLE %s.main.data IS %L", st->catalog, n > 0 ? buf_view(&comment).ptr : NULL);
	buf_done(&comment);
	return run_built(st, &sql, err);
}

bool staging_create_table(struct staging *st, const struct table_schema *schema, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	sql_printf(&sql, "CREATE TABLE %s.main.data (", st->catalog);
	for (size_t i = 0; i < schema->column_count; i++) {
		const struct table_column *c = &schema->columns[i];
		sql_printf(&sql, "%s%I %s", i > 0 ? ", " : "", c->name, c->type);
		if (c->default_sql)
			sql_printf(&sql, " DEFAULT (%s)", c->default_sql);
		if (!c->nullable || table_column_in_key(schema, c->name))
			buf_str(&sql, " NOT NULL");
	}
	buf_byte(&sql, ')');
	return run_built(st, &sql, err) &&
	       (schema->key_count == 0 || staging_set_key(st, schema->key, schema->key_count, err));
}

/* A failed checkpoint has taken this database down; detaching it is what heals the engine, so it is done in any case. */
static bool detach(struct staging *st, struct err *err)
{
	char sql[64];
	if (!st->attached)
		return true;
	st->attached = false;
	(void)snprintf(sql, sizeof(sql), "DETACH %s", st->catalog);
	return session_run(st->session, sql, err);
}

/*
 * FORCE waits for transactions on this file instead of failing. Nobody but us has one of his own, but a statement that looks
 * through the catalogs of all attached files (duckdb_tables) has a short one on each.
 */
static bool checkpoint(struct staging *st, struct err *err)
{
	char sql[64];
	(void)snprintf(sql, sizeof(sql), "FORCE CHECKPOINT %s", st->catalog);
	return session_run(st->session, sql, err);
}

static void remove_files(const char *path)
{
	char wal[LIMIT_PATH_BYTES + 8];
	(void)unlink(path);
	(void)snprintf(wal, sizeof(wal), "%s.wal", path);
	(void)unlink(wal);
}

bool staging_describe(struct staging *st, struct arena *arena, struct table_info *ret, struct err *err)
{
	*ret = (struct table_info){0};
	if (!table_identify(st->path, &ret->identity, err))
		return false;
	ret->size_bytes = ret->identity.size;
	return files_describe(st->session, st->catalog, arena, ret, err);
}

static bool move_rows(struct staging *from, struct staging *to, const struct table_schema *schema, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	sql_printf(&sql, "INSERT INTO %s.main.data SELECT * FROM %s.main.data", to->catalog, from->catalog);
	return staging_create_table(to, schema, err) && run_built(to, &sql, err);
}

bool staging_rewrite(struct staging *st, struct err *err)
{
	struct arena *arena = arena_new();
	struct table_info info;
	struct staging fresh = {.files = st->files, .session = st->session, .dir = st->dir};
	bool ok = staging_describe(st, arena, &info, err) &&
		  attach_new(&fresh, (int64_t)((double)info.size_bytes * (1 - info.dead_fraction)), err);
	ok = ok && move_rows(st, &fresh, &info.schema, err);
	struct err ignored = ERR_INIT;
	struct staging *loser = ok ? st : &fresh;
	(void)!detach(loser, &ignored);
	if (loser->path[0])
		remove_files(loser->path);
	if (ok) {
		memcpy(st->path, fresh.path, sizeof(st->path));
		memcpy(st->catalog, fresh.catalog, sizeof(st->catalog));
		st->attached = true;
	}
	arena_free(arena);
	return ok;
}

bool staging_seal(struct staging *st, struct arena *arena, struct table_info *ret, struct err *err)
{
	char wal[LIMIT_PATH_BYTES + 8];
	struct err second = ERR_INIT;
	const bool written = checkpoint(st, err);
	if (!detach(st, written ? err : &second) || !written)
		return false;
	(void)snprintf(wal, sizeof(wal), "%s.wal", st->path);
	if (fs_size(wal) > 0)
		return err_set(err, ERR_ENGINE, "The table's file was not written completely");
	if (!fs_sync_file(st->path, err))
		return false;
	if (chmod(st->path, 0444) != 0)
		return err_errno(err, errno, "The table's file cannot be made read-only");
	return files_inspect(st->files, st->path, arena, ret, err);
}

void staging_free(struct staging *st)
{
	struct err ignored = ERR_INIT;
	if (!st)
		return;
	if (st->session)
		(void)!detach(st, &ignored);
	session_close(st->session);
	if (st->path[0])
		remove_files(st->path);
	free(st->dir);
	free(st);
}

void staging_free_cleanup(void *st)
{
	staging_free(st);
}
