/* Sequences of serial and identity columns go with their table, as PostgreSQL's do. */
#include "engine/sql.h"
#include "pgwire/backend.h"

/* Of tables of one name: the one of the schema that is named, else a temporary one, else that of the current schema. */
static void put_schema(struct span schema, struct span table, struct buf *sql)
{
	if (span_is(schema, "temp") || stmt_is_temp_schema(schema)) {
		buf_str(sql, "c.database_name = 'temp'");
		return;
	}
	if (schema.len) {
		buf_str(sql, "(c.database_name <> 'temp' AND c.schema_name = ");
		sql_text(sql, span_is(schema, "public") ? SPAN("main") : schema);
		buf_byte(sql, ')');
		return;
	}
	buf_str(sql,
		"(c.database_name = 'temp' OR (c.schema_name = system.main.current_schema() AND NOT EXISTS (SELECT 1 "
		"FROM system.main.duckdb_tables() x WHERE x.database_name = 'temp' AND "
		"system.main.lower(x.table_name) = system.main.lower(");
	sql_text(sql, table);
	buf_str(sql, "))))");
}

/* A condition for each table that the statement drops. */
static bool put_tables(struct backend *b, const struct stmt *s, struct buf *sql)
{
	struct lexer lx = {s->text};
	bool any = false;
	(void)lexer_next(&lx);
	if (s->kind != STMT_TRUNCATE || token_is(lexer_peek(&lx), "table"))
		(void)lexer_next(&lx);
	for (struct token t = lexer_next(&lx); token_is_name(t) || token_is_punct(t, ','); t = lexer_next(&lx)) {
		const struct token next = lexer_peek(&lx);
		if (!token_is_name(t) || token_is(t, "if") || token_is(t, "exists") || token_is(t, "cascade") ||
		    token_is(t, "restrict") || token_is(t, "only") || token_is(t, "restart") || token_is(t, "identity"))
			continue;
		struct span schema = SPAN_NONE;
		if (token_is_punct(next, '.')) {
			(void)lexer_next(&lx);
			schema = token_name(t, b->work);
			t = lexer_next(&lx);
		}
		buf_str(sql, any ? " OR (" : "(");
		buf_str(sql, "system.main.lower(c.table_name) = system.main.lower(");
		sql_text(sql, token_name(t, b->work));
		buf_str(sql, ") AND ");
		put_schema(schema, token_name(t, b->work), sql);
		buf_byte(sql, ')');
		any = true;
	}
	return any;
}

bool serial_drops(struct backend *b, const char *query, const char **ret, struct err *err)
{
	struct buf drops = BUF(MIB);
	struct cursor *c = NULL;
	size_t rows = 0;
	*ret = NULL;
	if (!session_query(b->engine, query, &c, err))
		return false;
	bool fine;
	while ((fine = cursor_next(c, &rows, err)) && rows > 0)
		for (size_t i = 0; i < rows; i++) {
			buf_printf(&drops, "DROP %.*s IF EXISTS ", SPAN_ARG(cursor_text(c, 0, i)));
			for (size_t k = 1; k < 4; k++) {
				sql_ident(&drops, cursor_text(c, k, i));
				buf_byte(&drops, k < 3 ? '.' : ';');
			}
		}
	cursor_close(c);
	fine = fine && (!drops.failed || err_set(err, ERR_INVALID_REQUEST, "there are too many objects to drop"));
	if (fine && drops.len)
		*ret = arena_copy(b->work, buf_view(&drops));
	buf_done(&drops);
	return fine;
}

/* Named as add_sequence() does, and what the column's default asks. False: the statement names no table. */
static bool put_query(struct backend *b, const struct stmt *s, struct buf *sql)
{
	buf_str(sql,
		"SELECT DISTINCT 'SEQUENCE', s.database_name, s.schema_name, s.sequence_name FROM "
		"system.main.duckdb_columns() c JOIN "
		"system.main.duckdb_sequences() s ON s.database_name = c.database_name AND s.schema_name = c.schema_name "
		"AND s.sequence_name = system.main.concat(CASE c.database_name WHEN 'temp' THEN '" SERIAL_TEMP_PREFIX
		"' ELSE '' END, c.table_name, '_', c.column_name, '_seq') WHERE "
		"system.main.starts_with(c.column_default, 'nextval(') "
		"AND system.main.contains(c.column_default, s.sequence_name) AND c.database_name IN ('temp', ");
	sql_text(sql, span_of(workspace_db(b->wi)));
	buf_str(sql, ") AND (");
	const bool any = put_tables(b, s, sql);
	buf_byte(sql, ')');
	return any && !sql->failed;
}

const char *serial_sequences(struct backend *b, const struct stmt *s)
{
	struct buf sql = BUF(64 * 1024);
	struct err err = ERR_INIT;
	const char *drops = NULL;
	if (put_query(b, s, &sql) && !serial_drops(b, sql.ptr, &drops, &err))
		drops = NULL;
	buf_done(&sql);
	return drops;
}

bool serial_names(struct backend *b, const struct stmt *s, const char ***ret, size_t *ret_count, struct err *err)
{
	struct buf sql = BUF(64 * 1024);
	struct cursor *c = NULL;
	size_t rows = 0;
	*ret = NULL;
	*ret_count = 0;
	bool fine = !put_query(b, s, &sql) || session_query(b->engine, sql.ptr, &c, err);
	while (fine && c && (fine = cursor_next(c, &rows, err)) && rows > 0) {
		const char **more = arena_array(b->work, const char *, *ret_count + rows);
		if (*ret_count)
			memcpy(more, *ret, *ret_count * sizeof(*more));
		for (size_t i = 0; i < rows; i++) {
			struct buf name = BUF(4000);
			sql_ident(&name, span_is(cursor_text(c, 1, i), "temp") ? SPAN("temp") : cursor_text(c, 2, i));
			buf_byte(&name, '.');
			sql_ident(&name, cursor_text(c, 3, i));
			more[(*ret_count)++] = arena_copy(b->work, buf_view(&name));
			buf_done(&name);
		}
		*ret = more;
	}
	cursor_close(c);
	buf_done(&sql);
	return fine;
}
