/*
 * CREATE TABLE t (LIKE other INCLUDING ..): the clause becomes the definitions of the other's columns and, as far as they
 * are asked for, its defaults and constraints.
 */
#include "base/limits.h"
#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/command_parser.h"
#include "pgwire/definition.h"

enum { ASKS_DEFAULTS = 1, ASKS_CONSTRAINTS = 2, ASKS_INDEXES = 4, ASKS_IDENTITY = 8, ASKS_ALL = 15 };

struct like {
	struct span source; /* as it was written */
	struct span schema, name;
	unsigned asks;
};

struct column {
	bool not_null;
	const char *fallback; /* its default; NULL: none */
};

static bool read_options(struct parser *p, struct like *ret)
{
	static const struct {
		const char *word;
		unsigned asks;
	} options[] = {{"all", ASKS_ALL},
		       {"defaults", ASKS_DEFAULTS},
		       {"constraints", ASKS_CONSTRAINTS},
		       {"indexes", ASKS_INDEXES},
		       {"identity", ASKS_IDENTITY},
		       {"comments", 0},
		       {"generated", 0},
		       {"storage", 0},
		       {"statistics", 0},
		       {"compression", 0}};
	while (token_is(p->now, "including") || token_is(p->now, "excluding")) {
		const bool including = token_is(p->now, "including");
		size_t i = 0;
		parser_step(p);
		while (i < ARRAY_LEN(options) && !token_is(p->now, options[i].word))
			i++;
		if (i == ARRAY_LEN(options))
			return parser_fail(p);
		ret->asks = including ? ret->asks | options[i].asks : ret->asks & ~options[i].asks;
		parser_step(p);
	}
	return token_is_punct(p->now, ',') || token_is_punct(p->now, ')') || parser_fail(p);
}

/* Behind the word. */
static bool read_like(struct parser *p, struct like *ret)
{
	const char *start = p->now.text.ptr, *end;
	*ret = (struct like){.schema = SPAN_NONE};
	for (;;) {
		end = p->now.text.ptr + p->now.text.len;
		if (!parser_name(p, &ret->name))
			return false;
		if (!parser_punct(p, '.'))
			break;
		ret->schema = ret->name;
	}
	ret->source = (struct span){start, (size_t)(end - start)};
	return read_options(p, ret);
}

/* kind, column, text: NOT NULL, DEFAULT, and constraints of the table. */
static void put_question(struct backend *b, const struct like *l, struct buf *out)
{
	buf_str(out, "WITH t AS (SELECT table_oid AS id, database_name AS d FROM system.main.duckdb_tables() WHERE "
		     "table_name COLLATE NOCASE = ");
	sql_text(out, l->name);
	buf_str(out, " AND ");
	gucs_put_place(b, l->schema, out);
	buf_str(out,
		" ORDER BY database_name = 'temp' DESC LIMIT 1) "
		"SELECT 'n', column_name, '' FROM system.main.duckdb_columns(), t WHERE table_oid = id AND database_name = d "
		"AND NOT is_nullable UNION ALL "
		"SELECT 'd', column_name, column_default FROM system.main.duckdb_columns(), t WHERE table_oid = id AND "
		"database_name = d AND column_default IS NOT NULL UNION ALL "
		"SELECT 'c', constraint_type, constraint_text FROM system.main.duckdb_constraints(), t WHERE table_oid = id "
		"AND database_name = d AND constraint_type IN ('CHECK', 'PRIMARY KEY', 'UNIQUE') AND NOT "
		"coalesce(system.main.starts_with(expression, '(''" DEFINITION_NAME_MARK "'), false) UNION ALL "
		"SELECT 'c', 'UNIQUE', system.main.concat('UNIQUE (', system.main.trim(expressions, '[]'), ')') FROM "
		"system.main.duckdb_indexes(), t WHERE table_oid = id AND database_name = d AND is_unique");
}

static void take_row(struct backend *b, const struct cursor *c, size_t row, const struct like *l,
		     const struct cursor_column *names, struct column *columns, size_t n, struct buf *constraints)
{
	const struct span kind = cursor_text(c, 0, row), what = cursor_text(c, 1, row), text = cursor_text(c, 2, row);
	if (span_is(kind, "c")) {
		const unsigned asked = span_is(what, "CHECK") ? ASKS_CONSTRAINTS : ASKS_INDEXES;
		if (l->asks & asked)
			buf_printf(constraints, ", %.*s", SPAN_ARG(text));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!span_eq_nocase(what, span_of(names[i].name)))
			continue;
		columns[i].not_null = columns[i].not_null || span_is(kind, "n");
		if (span_is(kind, "d") && (l->asks & ASKS_DEFAULTS))
			columns[i].fallback = arena_copy(b->work, text);
	}
}

/* What the catalog tells of a table of the workspace; of others there is nothing. */
static bool look_up(struct backend *b, const struct like *l, const struct cursor_column *names, struct column *columns,
		    size_t n, struct buf *constraints, struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	put_question(b, l, &sql);
	bool fine = sql_finish(&sql, &text, &err) && session_query(b->engine, text, &c, &err);
	while (fine && (fine = cursor_next(c, &rows, &err)) && rows > 0)
		for (size_t i = 0; i < rows; i++)
			take_row(b, c, i, l, names, columns, n, constraints);
	cursor_close(c);
	buf_done(&sql);
	return fine || backend_engine_error(b, &err, NULL, NULL, e);
}

/* One that is an identity column has its own sequence or none. */
static bool is_identity(struct backend *b, const struct like *l, const char *name)
{
	const struct select_source source = {.known = true, .schema = l->schema, .name = l->name};
	const struct origin_table *table = origins_table(b, &source);
	for (size_t i = 0; i < table->count && table->any_always; i++)
		if (table->always[i] && span_eq_nocase(span_of(name), span_of(table->columns[i])))
			return true;
	return false;
}

static void put_column(struct backend *b, const struct like *l, const struct cursor_column *column,
		       const struct column *has, struct buf *out)
{
	const bool identity = is_identity(b, l, column->name);
	sql_ident(out, span_of(column->name));
	buf_byte(out, ' ');
	if (column->type->alias)
		sql_ident(out, span_of(column->type->alias));
	else
		buf_str(out, column->type->text);
	if (identity)
		buf_str(out, l->asks & ASKS_IDENTITY ? " GENERATED ALWAYS AS IDENTITY" : "");
	else if (has->fallback)
		buf_printf(out, " DEFAULT %s", has->fallback);
	buf_str(out, has->not_null || (identity && !(l->asks & ASKS_IDENTITY)) ? " NOT NULL" : "");
}

static bool put_like(struct backend *b, const struct like *l, struct buf *out, struct pg_error *e)
{
	struct span query = span_of(arena_printf(b->work, "SELECT * FROM %.*s", SPAN_ARG(l->source)));
	struct statement *statement = NULL;
	struct stmt s;
	if (!stmt_next(&query, &s, e) || !run_prepare(b, &s, b->work, &statement, e))
		return false;
	const size_t n = statement_column_count(statement);
	const struct cursor_column *names = statement_columns(statement);
	struct column *columns = arena_array(b->work, struct column, n);
	struct buf constraints = BUF(MIB);
	const bool fine = look_up(b, l, names, columns, n, &constraints, e);
	for (size_t i = 0; fine && i < n; i++) {
		buf_str(out, i ? ", " : "");
		put_column(b, l, &names[i], &columns[i], out);
	}
	buf_span(out, buf_view(&constraints));
	if (constraints.failed)
		out->failed = true;
	buf_done(&constraints);
	statement_free(statement);
	return fine;
}

/* Up to the parenthesis of the definitions; false: there is none. */
static bool enter(struct parser *p)
{
	struct span schema, name;
	while (p->now.kind != TOKEN_END && !parser_word(p, "table"))
		parser_step(p);
	if (parser_word(p, "if") && parser_word(p, "not"))
		(void)parser_word(p, "exists");
	return parser_qualified(p, &schema, &name) && token_is_punct(p->now, '(');
}

static bool expand(struct backend *b, struct parser *p, struct buf *out, bool *ret_any, struct pg_error *e)
{
	const char *from = p->text.ptr;
	size_t depth = 0;
	for (bool item = false; p->now.kind != TOKEN_END;) {
		struct like l;
		const char *start = p->now.text.ptr;
		if (item && depth == 1 && parser_word(p, "like")) {
			if (!read_like(p, &l))
				return false;
			buf_bytes(out, from, (size_t)(start - from));
			if (!put_like(b, &l, out, e)) {
				e->position = sqlstate_position(p->text, (size_t)(l.source.ptr - p->text.ptr));
				return false;
			}
			from = p->now.text.ptr;
			*ret_any = true;
		}
		item = token_is_punct(p->now, '(') || token_is_punct(p->now, ',');
		depth += token_is_punct(p->now, '(');
		depth -= depth && token_is_punct(p->now, ')');
		parser_step(p);
	}
	buf_bytes(out, from, (size_t)(p->text.ptr + p->text.len - from));
	return true;
}

bool like_expand(struct backend *b, const struct stmt *s, struct stmt *ret, struct pg_error *e)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct parser p = parser_start(s, b->work, &ignored);
	bool any = false;
	*ret = *s;
	if (s->kind != STMT_CREATE || strcmp(s->tag, "CREATE TABLE") != 0 || !enter(&p))
		return true;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	p.e = e;
	bool fine = expand(b, &p, &sql, &any, e);
	if (fine && any) {
		struct span rest = arena_span(b->work, buf_view(&sql));
		fine = (!sql.failed || pg_error_set(e, "54001", "statement is too long to be rewritten")) &&
		       stmt_next(&rest, ret, e);
	}
	buf_done(&sql);
	return fine;
}
