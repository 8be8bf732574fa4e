/*
 * CREATE TEMP TABLE .. ON COMMIT DROP or DELETE ROWS. The table's comment tells what is to happen, so that ROLLBACK, DROP and
 * another table of the name take it along.
 */
#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/command_parser.h"

#define DROPS	"ON COMMIT DROP"
#define DELETES "ON COMMIT DELETE ROWS"

/* The clause; NULL: it has none. */
static const char *clause(const struct stmt *s)
{
	struct lexer lx = {s->text};
	size_t depth = 0;
	if (s->kind != STMT_CREATE && s->kind != STMT_CREATE_TABLE_AS)
		return NULL;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && (depth || !token_is(t, "as"));
	     t = lexer_next(&lx)) {
		depth += token_is_punct(t, '(');
		depth -= depth && token_is_punct(t, ')');
		if (depth || !token_is(t, "on") || !token_is(lexer_peek(&lx), "commit"))
			continue;
		(void)lexer_next(&lx);
		t = lexer_next(&lx);
		return token_is(t, "drop") ? DROPS : token_is(t, "delete") ? DELETES : NULL;
	}
	return NULL;
}

bool on_commit_begin(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	b->acts_on_commit = b->acts_on_commit || clause(s);
	const bool writes = s->class == STMT_DML || s->class == STMT_DDL || s->kind == STMT_CREATE_TABLE_AS ||
			    s->kind == STMT_COPY || s->kind == STMT_EXECUTE;
	return !b->acts_on_commit || !writes || transaction_begin_implicit(b, e);
}

bool on_commit_note(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct parser p = parser_start(s, b->work, e);
	struct span schema, name;
	const char *what = clause(s);
	if (!what)
		return true;
	while (p.now.kind != TOKEN_END && !parser_word(&p, "table"))
		parser_step(&p);
	if (parser_word(&p, "if") && parser_word(&p, "not"))
		(void)parser_word(&p, "exists");
	if (!parser_qualified(&p, &schema, &name))
		return false;
	struct buf sql = BUF(4000);
	buf_str(&sql, "COMMENT ON TABLE temp.main.");
	sql_ident(&sql, name);
	buf_printf(&sql, " IS '%s'", what);
	const bool fine =
		(!sql.failed || pg_error_set(e, "54001", "the table's name is too long")) && run_sql(b, sql.ptr, e);
	buf_done(&sql);
	return fine;
}

/* What they are to become, in SQL. */
static bool put_all(struct backend *b, struct buf *out, struct err *err)
{
	struct cursor *c = NULL;
	size_t rows = 0;
	bool fine = session_query(b->engine,
				  "SELECT table_name, comment = '" DROPS "' FROM system.main.duckdb_tables() WHERE "
				  "database_name = 'temp' AND comment IN ('" DROPS "', '" DELETES "')",
				  &c, err);
	while (fine && (fine = cursor_next(c, &rows, err)) && rows > 0)
		for (size_t i = 0; i < rows; i++) {
			const bool drops = cursor_int(c, 1, i) != 0;
			buf_str(out, drops ? "DROP TABLE temp.main." : "DELETE FROM temp.main.");
			sql_ident(out, cursor_text(c, 0, i));
			buf_byte(out, ';');
			b->objects_changed = b->objects_changed || drops;
		}
	cursor_close(c);
	return fine;
}

bool on_commit_run(struct backend *b, struct pg_error *e)
{
	struct err err = ERR_INIT;
	struct buf sql = BUF(MIB);
	const char *text;
	if (!b->acts_on_commit || session_aborted(b->engine))
		return true;
	if (!run_spool(b, e))
		return false;
	const bool fine = (put_all(b, &sql, &err) && sql_finish(&sql, &text, &err) &&
			   (!sql.len || session_run(b->engine, text, &err))) ||
			  backend_engine_error(b, &err, NULL, NULL, e);
	buf_done(&sql);
	return fine;
}
