#include "catalog/migrate.h"

#include "base/limits.h"
#include "catalog/schema.h"
#include "engine/sql.h"

#include <assert.h>

/* Steps to versions 2, 3, ...; an empty file never runs them. */
static const struct migration own_steps[] = {
	{2, "CREATE TABLE workspace_users (seq BIGINT, username VARCHAR, workspace_id VARCHAR, scram_verifier VARCHAR, "
	    "created_at TIMESTAMP, credentials_at TIMESTAMP)"},
	{3, "ALTER TABLE idempotency_entries RENAME COLUMN headers_json TO seal"},
	{4, "CREATE TABLE doomed_paths (seq BIGINT, id VARCHAR, path VARCHAR, created_at TIMESTAMP)"},
};

static bool sql_run(struct session *session, struct buf *sql, struct err *err)
{
	const char *text;
	bool ok = sql_finish(sql, &text, err) && session_run(session, text, err);
	buf_done(sql);
	return ok;
}

/* Runs `body` and notes the version, both or none. */
static bool step_run(struct session *session, const char *body, int64_t version, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "BEGIN;\n");
	buf_str(&sql, body);
	sql_printf(&sql,
		   ";\nINSERT INTO schema_version VALUES (%d, now()::TIMESTAMPTZ AT TIME ZONE 'UTC', %L);\nCOMMIT;",
		   version, PROJECT_VERSION);
	if (sql_run(session, &sql, err))
		return true;
	struct err ignored;
	if (!session_run(session, "ROLLBACK", &ignored))
		err_recode(err, ERR_METADATA);
	return false;
}

static bool schema_new(struct session *session, int64_t version, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	schema_create_sql(&sql);
	buf_str(&sql, "CREATE TABLE schema_version (version BIGINT, applied_at TIMESTAMP, program VARCHAR)");
	const char *text;
	bool ok = sql_finish(&sql, &text, err) && step_run(session, text, version, err);
	buf_done(&sql);
	return ok;
}

/* Every column of rows.def must be there with its type. */
static bool schema_verify(struct session *session, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "SELECT coalesce(min(t || '.' || c || ' ' || k), '') FROM (VALUES ");
	for (enum catalog_entity i = 0; i < CATALOG_ENTITIES; i++) {
		const struct entity_def *e = schema_entity(i);
		sql_printf(&sql, "%s(%L, 'seq', 'BIGINT')", i ? ", " : "", e->table);
		for (unsigned c = 0; c < e->column_count; c++)
			sql_printf(&sql, ", (%L, %L, %L)", e->table, e->columns[c].name,
				   column_sql_type(e->columns[c].kind));
	}
	buf_str(&sql,
		") AS want(t, c, k) WHERE NOT EXISTS (SELECT 1 FROM duckdb_columns() d WHERE d.schema_name = 'main'"
		" AND d.database_name = current_database() AND d.table_name = t AND d.column_name = c"
		" AND d.data_type = k)");
	const char *text;
	const char *missing = NULL;
	struct arena *arena = arena_new();
	bool ok = sql_finish(&sql, &text, err) && session_text(session, text, arena, &missing, err);
	if (ok && missing && *missing)
		ok = err_set(err, ERR_METADATA,
			     "The metadata store lacks the column %s: it is damaged or another program's", missing);
	buf_done(&sql);
	arena_free(arena);
	return ok;
}

static bool version_read(struct session *session, int64_t *ret_version, bool *ret_empty, struct err *err)
{
	const char *const tables = "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()";
	const char *const versioned =
		"SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND "
		"table_name = 'schema_version'";
	int64_t count;
	if (!session_int(session, tables, &count, err))
		return false;
	*ret_empty = count == 0;
	*ret_version = 0;
	if (*ret_empty)
		return true;
	if (!session_int(session, versioned, &count, err))
		return false;
	if (count == 0)
		return err_set(err, ERR_METADATA,
			       "The metadata store is not a catalog: it has no table schema_version");
	return session_int(session, "SELECT coalesce(max(version), 0) FROM schema_version", ret_version, err);
}

bool migrate_run(struct session *session, const struct migration *steps, size_t count, int64_t newest, struct err *err)
{
	int64_t version;
	bool empty;
	if (!version_read(session, &version, &empty, err))
		return false;
	if (empty)
		return schema_new(session, newest, err);
	if (version > newest)
		return err_set(
			err, ERR_METADATA,
			"The metadata store has schema version %lld, written by a newer program; this one knows %lld",
			(long long)version, (long long)newest);
	for (size_t i = 0; i < count; i++) {
		if (steps[i].version <= version)
			continue;
		assert(steps[i].version == version + 1);
		if (!step_run(session, steps[i].sql, steps[i].version, err))
			return err_recode(err, ERR_METADATA);
		version = steps[i].version;
	}
	return schema_verify(session, err);
}

bool migrate_to_current(struct session *session, struct err *err)
{
	return migrate_run(session, own_steps, ARRAY_LEN(own_steps), SCHEMA_VERSION, err);
}
