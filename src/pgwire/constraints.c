#include "pgwire/constraints.h"

#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/definition.h"
#include "pgwire/wording.h"

/* Words of expressions, as the engine writes them, that are no columns. */
static bool is_keyword(struct token t)
{
	static const char *const words[] = {"and",     "or",	   "not",     "is",	  "null",     "in",
					    "between", "like",	   "case",    "when",	  "then",     "else",
					    "end",     "true",	   "false",   "cast",	  "try_cast", "as",
					    "from",    "distinct", "collate", "interval", "escape",   "ilike"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

void constraints_name_check(struct pg_error *e, struct span expression)
{
	struct arena *arena = arena_new();
	struct lexer lx = {expression};
	struct span column = SPAN_NONE;
	bool one = true;
	for (struct token t = lexer_next(&lx), before = {0}; t.kind != TOKEN_END && t.kind != TOKEN_BAD;
	     before = t, t = lexer_next(&lx)) {
		const bool name = t.kind == TOKEN_QUOTED || (t.kind == TOKEN_WORD && !is_keyword(t));
		if (!name || token_is(before, "as") || token_is_punct(lexer_peek(&lx), '('))
			continue;
		const struct span found = token_name(t, arena);
		one = one && (!column.len || span_eq_nocase(column, found));
		column = found;
	}
	const bool named = one && column.len;
	pg_error_text(e->constraint, sizeof(e->constraint), "%s%s%.*s_check", e->table, named ? "_" : "",
		      SPAN_ARG(named ? column : SPAN("")));
	arena_free(arena);
}

/* "a: 1, b: x" -> "a" and "b" as a list in SQL; the same as texts. */
static void put_columns(struct span pairs, struct buf *list, struct buf *values)
{
	buf_byte(list, '[');
	for (bool any = false; pairs.len; any = true) {
		const char *end = memmem(pairs.ptr, pairs.len, ", ", 2);
		struct span value = span_first(pairs, end ? (size_t)(end - pairs.ptr) : pairs.len);
		pairs = span_skip(pairs, value.len + 2);
		buf_str(list, any ? ", " : "");
		sql_text(list, span_cut(&value, ':'));
		buf_str(values, any ? ", " : "");
		buf_span(values, span_trim(value));
	}
	buf_byte(list, ']');
}

struct key {
	const char *child, *schema, *columns, *joined, *parent, *referenced, *mark;
};

/* What the engine lists, with the condition that may carry the name of each (definition.h). */
#define CONSTRAINTS                                                                                                          \
	" FROM (SELECT *, system.main.lead(expression) OVER (PARTITION BY table_oid, constraint_type = 'NOT NULL' ORDER BY " \
	"constraint_index) AS mark FROM system.main.duckdb_constraints() WHERE database_name = %L) WHERE "

/* The one row of a question, by another session; false: there is none, or there are several. */
static bool ask(struct backend *b, struct buf *sql, const char ***ret, size_t n, bool only)
{
	struct err err = ERR_INIT;
	struct session *session = NULL;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	const bool fine = sql_finish(sql, &text, &err) && session_open(workspace_engine(b->wi), &session, &err) &&
			  session_query(session, text, &c, &err) && cursor_next(c, &rows, &err) &&
			  (only ? rows == 1 : rows > 0);
	for (size_t i = 0; fine && i < n; i++)
		*ret[i] = arena_copy(b->work, cursor_text(c, i, 0));
	cursor_close(c);
	session_close(session);
	buf_done(sql);
	return fine;
}

/* The one foreign key that is meant; false: there are none, or several. */
static bool look_up(struct backend *b, struct span table, bool child, struct span columns, struct key *ret)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	sql_printf(&sql,
		   "SELECT table_name, schema_name, system.main.array_to_string(constraint_column_names, ', '), "
		   "system.main.array_to_string(constraint_column_names, '_'), referenced_table, "
		   "system.main.array_to_string(referenced_column_names, ', '), coalesce(mark, '')" CONSTRAINTS
		   "constraint_type = 'FOREIGN KEY' AND %s COLLATE NOCASE = ",
		   workspace_db(b->wi), child ? "table_name" : "referenced_table");
	sql_text(&sql, table);
	/* The engine tells the key by the columns of the table that was not written to. */
	buf_printf(&sql, " AND %s = ", child ? "referenced_column_names" : "constraint_column_names");
	buf_span(&sql, columns);
	const char **to[] = {&ret->child,  &ret->schema,     &ret->columns, &ret->joined,
			     &ret->parent, &ret->referenced, &ret->mark};
	return ask(b, &sql, to, ARRAY_LEN(to), true);
}

static void tell_foreign_key(struct backend *b, struct span table, struct span said, struct pg_error *e)
{
	static const char start[] = "Violates foreign key constraint because key \"";
	struct key k;
	if (!span_starts(said, span_of(start)))
		return;
	const struct span rest = span_skip(said, sizeof(start) - 1);
	const char *quote = memrchr(rest.ptr, '"', rest.len);
	if (!quote)
		return;
	const bool child = memmem(quote, (size_t)(rest.ptr + rest.len - quote), "does not exist", 14) != NULL;
	struct buf columns = BUF(8192), values = BUF(8192);
	put_columns(span_first(rest, (size_t)(quote - rest.ptr)), &columns, &values);
	if (!columns.failed && !values.failed && look_up(b, table, child, buf_view(&columns), &k)) {
		char name[sizeof(e->constraint)];
		const struct span given = definition_marked_name(span_of(k.mark), b->work);
		if (given.len)
			pg_error_text(name, sizeof(name), "%.*s", SPAN_ARG(given));
		else
			pg_error_text(name, sizeof(name), "%s_%s_fkey", k.child, k.joined);
		if (child)
			(void)pg_error_set(e, "23503",
					   "insert or update on table \"%s\" violates foreign key constraint \"%s\"",
					   k.child, name);
		else
			(void)pg_error_set(
				e, "23503",
				"update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
				k.parent, name, k.child);
		pg_error_detail(e,
				child ? "Key (%s)=(%.*s) is not present in table \"%s\"."
				      : "Key (%s)=(%.*s) is still referenced from table \"%s\".",
				child ? k.columns : k.referenced, SPAN_ARG(buf_view(&values)),
				child ? k.parent : k.child);
		pg_error_text(e->schema, sizeof(e->schema), "%s", k.schema);
		pg_error_text(e->table, sizeof(e->table), "%s", k.child);
		pg_error_text(e->constraint, sizeof(e->constraint), "%s", name);
	}
	buf_done(&columns);
	buf_done(&values);
}

/* The name that was given to the constraint, in place of the one it would have by default. */
static void tell_name(struct backend *b, struct span schema, struct span table, struct span said, struct pg_error *e)
{
	static const char failed[] = " with expression ";
	const char *check = memmem(said.ptr, said.len, failed, sizeof(failed) - 1);
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *mark, **to[] = {&mark};
	char was[sizeof(e->constraint)], text[sizeof(e->message)];
	if (!e->constraint[0] || strcmp(e->sqlstate, "23503") == 0)
		return;
	sql_printf(&sql,
		   "SELECT mark" CONSTRAINTS "schema_name = %L AND table_name COLLATE NOCASE = ", workspace_db(b->wi),
		   arena_copy(b->work, schema));
	sql_text(&sql, table);
	if (check) {
		buf_str(&sql, " AND constraint_text = ");
		sql_text(&sql, span_skip(said, (size_t)(check - said.ptr) + sizeof(failed) - 1));
	} else {
		buf_str(&sql,
			" AND system.main.concat(table_name, CASE constraint_type WHEN 'PRIMARY KEY' THEN '_pkey' ELSE "
			"system.main.concat('_', system.main.array_to_string(constraint_column_names, '_'), '_key') END) = ");
		sql_text(&sql, span_of(e->constraint));
		buf_str(&sql, " AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')");
	}
	buf_str(&sql, " AND mark IS NOT NULL");
	if (!ask(b, &sql, to, 1, false))
		return;
	const struct span given = definition_marked_name(span_of(mark), b->work);
	if (!given.len)
		return;
	memcpy(was, e->constraint, sizeof(was));
	memcpy(text, e->message, sizeof(text));
	pg_error_text(e->constraint, sizeof(e->constraint), "%.*s", SPAN_ARG(given));
	const char *quoted = strstr(text, arena_printf(b->work, "constraint \"%s\"", was));
	if (quoted)
		(void)snprintf(e->message, sizeof(e->message), "%.*sconstraint \"%s\"", (int)(quoted - text), text,
			       e->constraint);
}

void constraints_tell(struct backend *b, const struct stmt *s, struct span said, struct pg_error *e)
{
	const struct token target = s ? wording_target(s) : (struct token){0};
	if (strncmp(e->sqlstate, "23", 2) != 0 || target.kind == TOKEN_END)
		return;
	struct lexer lx = {s->text};
	struct span schema = SPAN("main");
	for (struct token t = lexer_next(&lx); t.text.ptr < target.text.ptr; t = lexer_next(&lx))
		if (token_is_punct(lexer_peek(&lx), '.'))
			schema = token_name(t, b->work);
	if (span_is(schema, "public"))
		schema = SPAN("main");
	pg_error_text(e->schema, sizeof(e->schema), "%.*s", SPAN_ARG(schema));
	tell_foreign_key(b, token_name(target, b->work), said, e);
	tell_name(b, schema, token_name(target, b->work), said, e);
}
