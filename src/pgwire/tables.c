/* The project's tables as a session sees them, and the catalog that tells of them. */
#include "base/clock.h"
#include "base/limits.h"
#include "engine/sql.h"
#include "engine/function.h"
#include "pgwire/backend.h"
#include "pgwire/json_edit.h"
#include "pgwire/to_char.h"
#include "pgwire/catalog.h"
#include "pgwire/types.h"
#include "storage/storage.h"

static bool failed(const struct err *err, struct pg_error *e)
{
	return pg_error_from(e, err);
}

/* Names of buckets hold letters, digits and underscores; Keboola's spelling has dots and dashes instead. */
static const char *bucket_name(struct span name, struct arena *arena)
{
	char *copy = arena_copy(arena, name);
	for (char *c = copy; *c; c++)
		if (*c == '.' || *c == '-')
			*c = '_';
	return copy;
}

/* Words in front of the object a statement changes. */
static bool is_target_word(const struct stmt *s, struct token t)
{
	switch (s->kind) {
	case STMT_INSERT:
	case STMT_MERGE:
		return token_is(t, "into");
	case STMT_UPDATE:
		return token_is(t, "update");
	case STMT_DELETE:
		return token_is(t, "from");
	case STMT_TRUNCATE:
		return token_is(t, "truncate") || token_is(t, "table");
	case STMT_CREATE:
	case STMT_CREATE_TABLE_AS:
	case STMT_ALTER:
	case STMT_DROP:
	case STMT_COMMENT:
		return token_is(t, "table") || token_is(t, "view") || token_is(t, "index") || token_is(t, "on") ||
		       token_is(t, "sequence") || token_is(t, "type") || token_is(t, "macro") ||
		       token_is(t, "function") || token_is(t, "exists") || token_is(t, "column") || token_is(t, "into");
	case STMT_COPY:
		return token_is(t, "copy");
	default:
		return false;
	}
}

/* What a walk over the statement's names keeps. */
struct walk {
	struct backend *b;
	const struct stmt *stmt;
	struct pg_error *e;
	bool is_target; /* the name that comes is the one that is changed */
	bool target_done;
};

static bool once_in_block(struct backend *b, const char *bucket, const char *table)
{
	if (!b->pinned)
		return true;
	const char *key = arena_printf(b->work, "%s.%s", bucket, table);
	return !map_put(&b->attached, span_of(key), b);
}

/* a.b: perhaps a bucket and a table. */
static bool attach_pair(struct walk *w, struct span first, struct span second)
{
	struct backend *b = w->b;
	struct err err = ERR_INIT;
	const char *bucket = bucket_name(first, b->work);
	const char *table = arena_copy(b->work, second);
	bool found = false, joined = false;
	if (!once_in_block(b, bucket, table) && !w->is_target)
		return true;
	if (!workspace_attach_bucket(b->wi, bucket, &found, &err))
		return failed(&err, w->e);
	if (found) {
		bool is_table;
		if (!workspace_attach_table(b->wi, bucket, table, &is_table, &err))
			return failed(&err, w->e);
	} else if ((span_is(second, "data") || span_is(second, "main")) &&
		   !workspace_attach_joined(b->wi, bucket, &joined, &err)) {
		return failed(&err, w->e);
	}
	if ((found || joined) && w->is_target && w->stmt->class != STMT_QUERY)
		return pg_error_set(w->e, "42501",
				    "permission denied for table %s.%s: tables of the project are read-only", bucket,
				    table);
	return true;
}

/*
 * CREATE SCHEMA b, DROP SCHEMA b: no schema may take the name of a bucket or of another database of the engine, which would
 * make what is called so ambiguous; and no bucket can be dropped.
 */
static bool check_schema(struct walk *w, struct span name)
{
	struct err err = ERR_INIT;
	bool found = false;
	const char *bucket = bucket_name(name, w->b->work);
	if (!workspace_attach_bucket(w->b->wi, bucket, &found, &err))
		return failed(&err, w->e);
	if (!found && w->stmt->kind == STMT_CREATE) {
		if (!workspace_attach_joined(w->b->wi, bucket, &found, &err))
			return failed(&err, w->e);
		found = found || filter_is_hidden(name) || span_eq_nocase(name, SPAN("temp")) ||
			stmt_is_temp_schema(name) || span_eq_nocase(name, span_of(workspace_db(w->b->wi)));
	}
	if (!found)
		return w->stmt->kind != STMT_CREATE || workspace_free_schema(w->b->wi, bucket, &err) ||
		       failed(&err, w->e);
	if (w->stmt->kind == STMT_CREATE)
		return pg_error_set(w->e, "42P06", "schema \"%s\" already exists", bucket);
	return pg_error_set(w->e, "42501", "permission denied for schema %s", bucket);
}

static bool is_own_schema(struct span name)
{
	static const char *const own[] = {"main", "public", "pg_catalog", "information_schema", "temp", "excluded"};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (span_eq_nocase(name, span_of(own[i])))
			return true;
	return stmt_is_temp_schema(name);
}

/*
 * The catalog's own tables, views and macros, which a name alone would find behind the workspace's. Their names start with
 * an underscore; those of PostgreSQL's catalog are never looked for there.
 */
static bool spare_catalog(const struct walk *w, struct span name)
{
	static const char ask[] =
		"SELECT coalesce(system.main.bool_or(d IN ('_pg', '_pg_own')) AND NOT system.main.bool_or(d IN ('temp', %L)), false)::BIGINT FROM (SELECT "
		"database_name AS d, table_name AS n FROM system.main.duckdb_tables() UNION ALL SELECT database_name, "
		"view_name FROM system.main.duckdb_views() UNION ALL SELECT database_name, function_name FROM "
		"system.main.duckdb_functions()) WHERE n COLLATE NOCASE = %L";
	const bool creates = w->stmt->kind == STMT_CREATE || w->stmt->kind == STMT_CREATE_TABLE_AS;
	struct backend *b = w->b;
	struct err err = ERR_INIT;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	int64_t found = 0;
	if (!span_starts(name, SPAN("_")) || (creates && !strstr(w->stmt->tag, "INDEX")))
		return true;
	sql_printf(&sql, ask, workspace_db(b->wi), arena_copy(b->work, name));
	bool fine = (sql_finish(&sql, &text, &err) && session_int(b->engine, text, &found, &err)) || failed(&err, w->e);
	buf_done(&sql);
	return fine && (!found || pg_error_set(w->e, "42501", "permission denied for relation %.*s", SPAN_ARG(name)));
}

/* May the statement change what its unqualified target names, with the bucket on the search path? */
static bool spare_bucket(const struct walk *w, const char *bucket, const char *table, bool before_own)
{
	switch (w->stmt->kind) {
	case STMT_DROP:
	case STMT_ALTER:
	case STMT_COMMENT:
		break;
	default:
		if (!before_own)
			return true;
	}
	return pg_error_set(w->e, "42501", "permission denied for table %s.%s: tables of the project are read-only",
			    bucket, table);
}

/* The name in one bucket of the search path. */
static bool attach_in(struct walk *w, const char *bucket, const char *table, bool is_target, bool before_own)
{
	struct err err = ERR_INIT;
	bool found = false;
	bool look = is_target || once_in_block(w->b, bucket, table);
	if (look && !workspace_attach_table(w->b->wi, bucket, table, &found, &err))
		return failed(&err, w->e);
	return !found || !is_target || spare_bucket(w, bucket, table, before_own);
}

/* A name alone: perhaps a table of a bucket on the search path. */
static bool attach_on_path(struct walk *w, struct span name)
{
	struct backend *b = w->b;
	const char *table = arena_copy(b->work, name);
	const bool is_target = w->is_target && w->stmt->class != STMT_QUERY;
	const bool creates = is_target && (w->stmt->kind == STMT_CREATE || w->stmt->kind == STMT_CREATE_TABLE_AS);
	bool before_own = true;
	if (is_target && !spare_catalog(w, name))
		return false;
	if (creates && b->path_count && *b->path[0])
		return pg_error_set(w->e, "42501", "permission denied for schema %s", b->path[0]);
	for (size_t i = 0; i < b->path_count; i++) {
		if (!*b->path[i])
			before_own = false;
		else if (!attach_in(w, b->path[i], table, is_target, before_own))
			return false;
	}
	return true;
}

/* One name of the statement, with what stands around it; lx is behind it. */
static bool attach_name(struct walk *w, struct token before, struct token t, const struct lexer *lx)
{
	struct lexer ahead = *lx;
	struct arena *work = w->b->work;
	struct token next = lexer_next(&ahead);
	if (token_is_punct(before, '.'))
		return true;
	if (!token_is_punct(next, '.'))
		return attach_on_path(w, token_name(t, work));
	struct span first = token_name(t, work);
	if (w->stmt->kind == STMT_COMMENT && w->is_target && !spare_catalog(w, first))
		return false;
	struct token second = lexer_next(&ahead);
	bool is_catalog =
		span_eq_nocase(first, SPAN("pg_catalog")) || span_eq_nocase(first, SPAN("information_schema"));
	if (is_catalog && w->is_target && w->stmt->class != STMT_QUERY)
		return pg_error_set(w->e, "42501", "permission denied: the catalog is read-only");
	return is_own_schema(first) || !token_is_name(second) || attach_pair(w, first, token_name(second, work));
}

static void note_target(struct walk *w, struct token t)
{
	const enum stmt_kind kind = w->stmt->kind;
	/* What follows is a query: its ON is that of a join. Its INTO is SELECT INTO. */
	if ((kind == STMT_CREATE || kind == STMT_CREATE_TABLE_AS) && token_is(t, "as"))
		w->target_done = true;
	if (is_target_word(w->stmt, t))
		w->is_target = !w->target_done || (kind == STMT_CREATE_TABLE_AS && token_is(t, "into"));
	else if (token_is_punct(t, '(') || token_is(t, "as") || token_is(t, "select") || token_is(t, "set"))
		w->is_target = false;
}

bool tables_attach(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct lexer lx = {s->text};
	struct stmt explained;
	if (s->kind == STMT_EXPLAIN) {
		if (!stmt_explained(s, &explained, e))
			return false;
		s = &explained;
	}
	struct walk w = {.b = b, .stmt = s, .e = e};
	struct token before = {0};
	bool is_schema = strcmp(s->tag, "CREATE SCHEMA") == 0 || strcmp(s->tag, "DROP SCHEMA") == 0;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; before = t, t = lexer_next(&lx)) {
		note_target(&w, t);
		if (!token_is_name(t))
			continue;
		bool names_schema =
			is_schema && !token_is(t, "if") &&
			(token_is(before, "schema") || token_is(before, "exists") || token_is_punct(before, '.'));
		if ((names_schema && !check_schema(&w, token_name(t, b->work))) || !attach_name(&w, before, t, &lx))
			return false;
	}
	return true;
}

/* --- the catalog --- */

static bool make_catalog(void *ctx, struct session *session, struct err *err)
{
	struct backend *b = ctx;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	char version[128];
	const char *engine = engine_version();
	(void)snprintf(version, sizeof(version), "PostgreSQL 15.10 (DuckDB %s)", *engine == 'v' ? engine + 1 : engine);
	struct catalog_names names = {.db = workspace_db(b->wi),
				      .database = b->database,
				      .user = b->user,
				      .version = version,
				      .started = b->door->started,
				      .port = b->door->port};
	char path[LIMIT_PATH_BYTES];
	buf_str(&sql, "DETACH DATABASE IF EXISTS _pg_own;\n");
	catalog_own_sql(&names, &sql);
	static const struct text_function json_edit = {JSON_EDIT_ARGUMENTS, json_edit_call};
	static const struct text_function to_char = {TO_CHAR_ARGUMENTS, to_char_call};
	const bool fine =
		activity_signals(b, session, err) && function_register_text(session, "_pg_json", &json_edit, err) &&
		function_register_text(session, "_pg_to_char", &to_char, err) &&
		workspace_own_file(b->wi, path, "pg.duckdb", err) &&
		(!sql.failed || err_set(err, ERR_ENGINE, "The catalog's SQL is too long")) &&
		session_run(session, sql.ptr, err) && catalog_file_attach(&b->door->catalog, session, path, err);
	buf_done(&sql);
	return fine;
}

bool tables_catalog(struct backend *b, struct pg_error *e)
{
	struct err err = ERR_INIT;
	uint64_t epoch = workspace_epoch(b->door->storage);
	if (!workspace_prepare(b->wi, make_catalog, b, &err))
		return pg_error_from(e, &err);
	if (!b->catalog_ready) {
		b->catalog_ready = true;
		gucs_apply(b);
	}
	if (b->epoch_known && b->epoch == epoch)
		return true;
	if (!listing_update(b, epoch, &err))
		return pg_error_from(e, &err);
	b->epoch = epoch;
	b->epoch_known = true;
	return true;
}

/* --- what only the session knows --- */

static bool hook_relation(void *ctx, struct span name, struct buf *out)
{
	struct backend *b = ctx;
	return session_relation(b, name, out);
}

static bool hook_call(void *ctx, struct span name, const struct span *arguments, size_t n, struct buf *out)
{
	struct backend *b = ctx;
	return session_call(b, name, arguments, n, out);
}

static bool hook_bucket(void *ctx, struct span name, struct buf *out)
{
	struct backend *b = ctx;
	struct err err = ERR_INIT;
	bool found;
	const char *bucket = bucket_name(name, b->work);
	if (!workspace_attach_bucket(b->wi, bucket, &found, &err) || !found)
		return false;
	sql_ident(out, span_of(bucket));
	return true;
}

const struct rewrite_hooks *tables_hooks(struct backend *b, struct rewrite_hooks *ret)
{
	struct buf name = BUF(4000);
	sql_ident(&name, span_of(workspace_db(b->wi)));
	*ret = (struct rewrite_hooks){.session = b,
				      .relation = hook_relation,
				      .call = hook_call,
				      .bucket = hook_bucket,
				      .database = arena_copy(b->work, buf_view(&name)),
				      .has_temp = b->has_temp};
	buf_done(&name);
	return ret;
}
