#include "engine/table.h"

#include "base/fs.h"
#include "engine/files.h"
#include "engine/sql.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMMENT_VERSION = 1 };

bool table_files_open(const struct table_files_config *config, struct table_files **ret, struct err *err)
{
	struct instance *inspector;
	if (!fs_remove_tree(config->private_dir, err) ||
	    !instance_open(&(struct instance_config){.threads = 1}, &inspector, err))
		return false;
	struct table_files *files = mem_alloc(sizeof(*files));
	files->data = config->data;
	files->inspector = inspector;
	files->private_dir = mem_strdup(config->private_dir);
	files->max = config->max;
	atomic_store(&files->sequence, 1);
	pthread_mutex_init(&files->lock, NULL);
	pthread_mutex_init(&files->inspect_lock, NULL);
	pthread_cond_init(&files->attached_cond, NULL);
	*ret = files;
	return true;
}

void table_files_close(struct table_files *files)
{
	if (!files)
		return;
	files_drop_all(files);
	instance_close(files->inspector);
	map_done(&files->by_identity);
	map_done(&files->by_path);
	pthread_mutex_destroy(&files->lock);
	pthread_mutex_destroy(&files->inspect_lock);
	pthread_cond_destroy(&files->attached_cond);
	free(files->private_dir);
	free(files);
}

struct instance *table_files_instance(struct table_files *files)
{
	return files->data;
}

/* The key from the table's comment. A comment of somebody else's means no key. */
static bool read_key(struct span comment, struct arena *arena, struct table_schema *schema, struct err *err)
{
	schema->key_count = 0;
	schema->key = NULL;
	json_t *json = json_loadb(comment.ptr, comment.len, 0, NULL);
	const json_t *version = json_object_get(json, "version");
	const json_t *names = json_object_get(json, "primary_key");
	bool ok = true;
	if (json_is_integer(version) && json_integer_value(version) > COMMENT_VERSION) {
		ok = err_set(err, ERR_ENGINE, "The table was written by a newer version of this program");
	} else if (json_is_integer(version) && json_is_array(names)) {
		const size_t n = json_array_size(names);
		const char **key = arena_array(arena, const char *, n);
		for (size_t i = 0; i < n; i++) {
			const char *name = json_string_value(json_array_get(names, i));
			const struct table_column *column = name ? table_column_find(schema, name) : NULL;
			if (column)
				key[schema->key_count++] = column->name;
		}
		schema->key = key;
	}
	json_decref(json);
	return ok;
}

static bool read_columns(struct session *session, const char *catalog, struct arena *arena, struct table_schema *schema,
			 struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	const char *text;
	size_t rows;
	bool ok;
	/* Unlike duckdb_columns() this looks at one table only, not at everything attached. */
	sql_printf(&sql, "SELECT name, type, NOT \"notnull\", dflt_value FROM pragma_table_info('%s.main.data')",
		   catalog);
	ok = sql_finish(&sql, &text, err) && session_query(session, text, &c, err);
	buf_done(&sql);
	if (!ok)
		return false;
	struct table_column *columns = NULL;
	size_t n = 0;
	while ((ok = cursor_next(c, &rows, err)) && rows > 0) {
		struct table_column *more = arena_array(arena, struct table_column, n + rows);
		if (n > 0)
			memcpy(more, columns, n * sizeof(*columns));
		columns = more;
		for (size_t row = 0; row < rows; row++)
			columns[n++] = (struct table_column){
				.name = arena_copy(arena, cursor_text(c, 0, row)),
				.type = arena_copy(arena, cursor_text(c, 1, row)),
				.nullable = cursor_int(c, 2, row) != 0,
				.default_sql =
					cursor_is_null(c, 3, row) ? NULL : arena_copy(arena, cursor_text(c, 3, row)),
			};
	}
	cursor_close(c);
	schema->columns = columns;
	schema->column_count = n;
	if (ok && n == 0)
		return err_set(err, ERR_ENGINE, "The file holds no table main.data");
	return ok;
}

/* Comment, counts and blocks in one row. */
static bool read_facts(struct session *session, const char *catalog, struct arena *arena, struct table_info *ret,
		       struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	const char *text;
	size_t rows;
	sql_printf(&sql,
		   "SELECT t.comment, t.estimated_size, (SELECT count(*) FROM %I.main.data), s.total_blocks, "
		   "s.free_blocks FROM duckdb_tables() t, pragma_database_size() s WHERE t.database_name = %L "
		   "AND t.schema_name = 'main' AND t.table_name = 'data' AND s.database_name = %L",
		   catalog, catalog, catalog);
	bool ok = sql_finish(&sql, &text, err) && session_query(session, text, &c, err);
	buf_done(&sql);
	if (!ok)
		return false;
	ok = cursor_next(c, &rows, err);
	if (ok && rows == 0)
		ok = err_set(err, ERR_ENGINE, "The file holds no table main.data");
	if (ok) {
		ret->row_count = cursor_int(c, 2, 0);
		const double stored = cursor_double(c, 1, 0), blocks = cursor_double(c, 3, 0);
		const double dead_rows = stored > 0 ? 1 - (double)ret->row_count / stored : 0;
		const double free_blocks = blocks > 0 ? cursor_double(c, 4, 0) / blocks : 0;
		ret->dead_fraction = free_blocks + (1 - free_blocks) * (dead_rows > 0 ? dead_rows : 0);
		ok = read_key(cursor_text(c, 0, 0), arena, &ret->schema, err);
	}
	cursor_close(c);
	return ok;
}

bool files_describe(struct session *session, const char *catalog, struct arena *arena, struct table_info *ret,
		    struct err *err)
{
	return read_columns(session, catalog, arena, &ret->schema, err) &&
	       read_facts(session, catalog, arena, ret, err);
}

bool files_inspect(struct table_files *files, const char *path, struct arena *arena, struct table_info *ret,
		   struct err *err)
{
	struct session *session;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	struct err ignored = ERR_INIT;
	*ret = (struct table_info){0};
	if (!table_identify(path, &ret->identity, err))
		return false;
	ret->size_bytes = ret->identity.size;
	pthread_mutex_lock(&files->inspect_lock);
	bool ok = session_open(files->inspector, &session, err);
	if (ok) {
		sql_printf(&sql, "ATTACH %L AS d (READ_ONLY)", path);
		ok = sql_finish(&sql, &text, err) && session_run(session, text, err);
		if (ok) {
			ok = files_describe(session, "d", arena, ret, err);
			(void)!session_run(session, "DETACH d", &ignored);
		}
		session_close(session);
	}
	pthread_mutex_unlock(&files->inspect_lock);
	buf_done(&sql);
	if (!ok && (err->code == ERR_ENGINE_REFUSED || err->code == ERR_IO)) {
		char why[256];
		(void)snprintf(why, sizeof(why), "%.255s", err->message);
		return err_set(err, ERR_ENGINE, "The table's file cannot be read: %s", why);
	}
	return ok;
}

bool table_describe(struct table_files *files, const char *path, struct arena *arena, struct table_info *ret,
		    struct err *err)
{
	char link[LIMIT_PATH_BYTES];
	struct table_identity identity;
	struct err ignored = ERR_INIT;
	/* A name of our own: the public one may be replaced while we read. */
	if (!files_link(files, path, link, &identity, err))
		return false;
	const bool ok = files_inspect(files, link, arena, ret, err);
	ret->identity = identity;
	(void)!fs_unlink(link, &ignored);
	return ok;
}

const struct table_column *table_column_find(const struct table_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->column_count; i++)
		if (strcasecmp(schema->columns[i].name, name) == 0)
			return &schema->columns[i];
	return NULL;
}

bool table_column_in_key(const struct table_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->key_count; i++)
		if (strcasecmp(schema->key[i], name) == 0)
			return true;
	return false;
}

void table_schema_copy(const struct table_schema *from, struct arena *arena, struct table_schema *ret)
{
	struct table_column *columns = arena_array(arena, struct table_column, from->column_count);
	const char **key = arena_array(arena, const char *, from->key_count);
	for (size_t i = 0; i < from->column_count; i++) {
		const struct table_column *c = &from->columns[i];
		columns[i] = (struct table_column){
			.name = arena_strdup(arena, c->name),
			.type = arena_strdup(arena, c->type),
			.nullable = c->nullable,
			.default_sql = c->default_sql ? arena_strdup(arena, c->default_sql) : NULL,
		};
	}
	for (size_t i = 0; i < from->key_count; i++)
		key[i] = arena_strdup(arena, from->key[i]);
	*ret = (struct table_schema){from->column_count, columns, from->key_count, key};
}
