#include "storage/import_source.h"

#include "base/fs.h"
#include "base/id.h"
#include "engine/sql.h"
#include "storage/file.h"
#include "storage/workspace_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static bool source_link(struct import_source *s, const struct op *op, struct err *err)
{
	const char *folder = op->storage->settings->staging_dir;
	char unique[17];
	char target[40];
	const char *dot = strrchr(s->name, '.');
	/* The ending tells the engine's sniffer about compression. */
	const char *ending = dot && (!strcasecmp(dot, ".gz") || !strcasecmp(dot, ".zst")) ? dot : "";
	id_hex(8, unique);
	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d", s->fd);
	if (!fs_mkdir(folder, err) || !fs_path(s->link, sizeof(s->link), err, "%s/source_%s%s", folder, unique, ending))
		return false;
	if (symlink(target, s->link) == 0)
		return true;
	(void)err_errno(err, errno, "Cannot create %s", s->link);
	s->link[0] = '\0';
	return false;
}

bool import_source_file(struct import_source *s, const struct op *op, const char *project_id, const char *file_id,
			struct err *err)
{
	struct file_row file;
	s->fd = -1;
	if (!file_open(op->storage, op->call, project_id, file_id, &file, &s->fd, &s->size, err))
		return false;
	s->name = file.name;
	return source_link(s, op, err);
}

bool import_source_path(struct import_source *s, const struct op *op, const char *path, struct err *err)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	s->name = slash ? slash + 1 : path;
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_FILE_NOT_FOUND, "File %s not found", s->name);
	s->size = st.st_size;
	return source_link(s, op, err);
}

void import_source_close(struct import_source *s)
{
	if (s->link[0])
		(void)unlink(s->link);
	if (s->fd >= 0)
		(void)close(s->fd);
}

/* ---- tables ---- */

static const struct table_column *column_of(const struct table_schema *schema, const char *name, struct err *err)
{
	const struct table_column *found = table_column_find(schema, name);
	if (!found) {
		(void)err_set(err, ERR_INVALID_COLUMN, "The source has no column %s", name);
		err_detail(err, "column", name);
	}
	return found;
}

/* The chosen columns under their names in the destination; without a choice all of them. */
static bool columns_write(struct import_source *s, struct arena *arena, const struct source_table *from,
			  const struct table_schema *schema, struct buf *sql, struct err *err)
{
	size_t n = from->column_count ? from->column_count : schema->column_count;
	s->file.columns = arena_array(arena, struct import_column, n);
	s->file.column_count = n;
	for (size_t i = 0; i < n; i++) {
		const struct table_column *column =
			from->column_count ? column_of(schema, from->columns[i].source, err) : &schema->columns[i];
		if (!column)
			return false;
		const char *name = from->column_count ? from->columns[i].destination : NULL;
		s->file.columns[i] =
			(struct import_column){.name = name && *name ? name : column->name, .type = column->type};
		sql_printf(sql, "%s%I", i ? ", " : "", column->name);
	}
	return true;
}

static bool scan_write(struct import_source *s, struct arena *arena, const struct source_table *from,
		       const struct table_ref *ref, const struct table_info *info, struct buf *sql, struct err *err)
{
	const char *where = NULL;
	buf_str(sql, "(SELECT ");
	if (!columns_write(s, arena, from, &info->schema, sql, err) ||
	    (from->filters && !filters_where(from->filters, &info->schema, arena, &where, err)))
		return false;
	sql_printf(sql, " FROM %s.main.data", table_ref_alias(ref));
	if (where)
		sql_printf(sql, " WHERE %s", where);
	if (from->limit > 0)
		sql_printf(sql, " LIMIT %d", from->limit);
	buf_byte(sql, ')');
	return true;
}

/* What a workspace's engine is asked about the table besides its rows. */
static bool names_of(struct session *session, const char *sql, struct arena *arena, const char ***ret, size_t *ret_n,
		     struct err *err)
{
	struct cursor *c = NULL;
	size_t rows;
	size_t n = 0;
	const char **names = NULL;
	bool fine = session_query(session, sql, &c, err);
	while (fine && (fine = cursor_next(c, &rows, err)) && rows > 0) {
		const char **more = arena_array(arena, const char *, n + rows);
		if (n)
			memcpy(more, names, n * sizeof(*more));
		names = more;
		for (size_t i = 0; i < rows; i++)
			names[n++] = arena_copy(arena, cursor_text(c, 0, i));
	}
	cursor_close(c);
	*ret = names;
	*ret_n = n;
	return fine;
}

static bool names_query(struct session *session, const char *what, const char *db, const char *table,
			struct arena *arena, const char ***ret, size_t *ret_n, struct err *err)
{
	struct buf sql = BUF(MIB);
	const char *text;
	sql_printf(&sql, "%s WHERE database_name = %L AND schema_name = 'main' AND lower(table_name) = lower(%L)", what,
		   db, table);
	bool fine = sql_finish(&sql, &text, err) && names_of(session, text, arena, ret, ret_n, err);
	buf_done(&sql);
	return fine;
}

static bool definition_read(struct session *session, const char *db, const char *table, struct arena *arena,
			    struct source_pin *ret, struct err *err)
{
	static const char not_null[] =
		"SELECT column_name FROM (FROM duckdb_columns() WHERE NOT is_nullable ORDER BY column_index)";
	static const char key[] = "SELECT unnest(constraint_column_names) FROM (FROM duckdb_constraints() WHERE "
				  "constraint_type = 'PRIMARY KEY')";
	return names_query(session, not_null, db, table, arena, &ret->not_null, &ret->not_null_count, err) &&
	       names_query(session, key, db, table, arena, &ret->key, &ret->key_count, err);
}

static bool copy_out(struct workspace_instance *wi, struct session *session, const char *table, const char *path,
		     const char *mark, struct err *err)
{
	struct buf sql = BUF(MIB);
	const char *text;
	sql_printf(&sql, "ATTACH %L AS _out_%s; CREATE TABLE _out_%s.main.data AS FROM %I.main.%I", path, mark, mark,
		   workspace_db(wi), table);
	bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_reset(&sql);
	struct err ignored = ERR_INIT;
	sql_printf(&sql, "DETACH DATABASE IF EXISTS _out_%s", mark);
	if (sql_finish(&sql, &text, &ignored))
		(void)!session_run(session, text, &ignored);
	buf_done(&sql);
	return fine;
}

static bool workspace_has(struct session *session, const char *db, const char *table, struct arena *arena,
			  struct err *err)
{
	static const char *const kinds[] = {
		"SELECT table_name FROM duckdb_tables()",
		"SELECT table_name FROM (SELECT *, view_name AS table_name FROM duckdb_views())"};
	const char **names;
	size_t n = 0;
	for (size_t i = 0; n == 0 && i < ARRAY_LEN(kinds); i++) {
		if (!names_query(session, kinds[i], db, table, arena, &names, &n, err))
			return false;
	}
	return n > 0 || err_set(err, ERR_TABLE_NOT_FOUND, "Workspace %s has no table %s", db, table);
}

/* A workspace's file belongs to its own engine, which writes the table into a file that others can read. */
static bool workspace_out(const struct op *op, const struct source_table *from, struct source_pin *ret, struct err *err)
{
	struct arena *arena = op->call->arena;
	struct workspace_instance *wi = NULL;
	struct session *session = NULL;
	struct err ignored = ERR_INIT;
	char mark[17];
	bool copied;
	id_hex(8, mark);
	if (!workspace_open(op->storage, from->workspace_id, &wi, err))
		return false;
	uint64_t pin = workspace_pin(wi);
	const char *out = arena_printf(arena, "%s/out_%s.duckdb", wi->links, mark);
	ret->path = arena_printf(arena, "%s/out_%s.duckdb", op->storage->settings->staging_dir, mark);
	bool fine = session_open(workspace_engine(wi), &session, err) &&
		    (!op->call->progress || session_follow(session, op->call->progress, err)) &&
		    workspace_has(session, workspace_db(wi), from->table, arena, err) &&
		    definition_read(session, workspace_db(wi), from->table, arena, ret, err) &&
		    copy_out(wi, session, from->table, out, mark, err);
	session_close(session);
	fine = fine && fs_link(out, ret->path, &copied, err);
	(void)!fs_unlink(out, &ignored);
	workspace_unpin(wi, pin);
	workspace_release(wi);
	return fine;
}

static void pin_remove(void *path)
{
	(void)unlink(path);
}

bool source_pin(const struct op *op, const struct source_table *from, struct source_pin *ret, struct err *err)
{
	struct place place;
	struct arena *arena = op->call->arena;
	*ret = (struct source_pin){0};
	bool fine = from->workspace_id ? workspace_out(op, from, ret, err)
				       : place_table(op->storage, arena, from->project_id, from->branch_id,
						     from->bucket, from->table, &place, err) &&
						 place_pin(&place, &ret->path, err);
	if (fine)
		arena_on_free(arena, pin_remove, arena_strdup(arena, ret->path));
	return fine;
}

bool import_source_table(struct import_source *s, const struct op *op, const struct source_table *from, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct source_pin pin;
	struct place place;
	struct table_ref *ref;
	struct table_info info;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text = NULL;
	bool fine;
	s->fd = -1;
	s->name = from->table;
	s->file.format = IMPORT_PARQUET;
	if (from->workspace_id) {
		fine = source_pin(op, from, &pin, err) &&
		       table_describe(storage->tables, pin.path, arena, &info, err) &&
		       table_attach(storage->tables, pin.path, &ref, err);
		if (fine)
			arena_on_free(arena, table_release_cleanup, ref);
	} else {
		fine = place_table(storage, arena, from->project_id, from->branch_id, from->bucket, from->table, &place,
				   err) &&
		       place_attach(&place, &ref, &info, err);
	}
	fine = fine && scan_write(s, arena, from, ref, &info, &sql, err) && sql_finish(&sql, &text, err);
	s->scan = fine ? arena_strdup(arena, text) : NULL;
	s->size = fine ? info.size_bytes : 0;
	buf_done(&sql);
	return fine;
}
