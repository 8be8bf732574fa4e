#include "pgwire/sequences.h"

#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/command_parser.h"
#include "pgwire/types.h"

enum { SETVALS_MAX = 100, SETVAL_ROWS_MAX = 10000, ADVANCE_MAX = 1000000 };

struct sequence {
	struct span db, schema, name, comment;
	int64_t start, least, most, step;
	bool cycle;
	bool used;
	int64_t last;
};

/* What comes behind a number; the last there is stays. */
static int64_t behind(int64_t number, int64_t step)
{
	int64_t next;
	return __builtin_add_overflow(number, step, &next) ? number : next;
}

/* What the sequence is to give next. */
static int64_t next_of(const struct sequence *q)
{
	return q->used ? behind(q->last, q->step) : q->start;
}

static bool run_text(struct backend *b, struct buf *sql, struct pg_error *e)
{
	const bool fine = !sql->failed || pg_error_set(e, "54001", "statement is too long to be rewritten");
	return fine && run_sql(b, sql->ptr, e);
}

/* --- which one is meant --- */

static int64_t number(struct cursor *c, size_t column)
{
	int64_t n;
	return span_i64(cursor_text(c, column, 0), &n) ? n : 0;
}

static void take(struct backend *b, struct cursor *c, struct sequence *ret)
{
	*ret = (struct sequence){.db = arena_span(b->work, cursor_text(c, 0, 0)),
				 .schema = arena_span(b->work, cursor_text(c, 1, 0)),
				 .name = arena_span(b->work, cursor_text(c, 2, 0)),
				 .comment = arena_span(b->work, cursor_text(c, 9, 0)),
				 .start = number(c, 3),
				 .least = number(c, 4),
				 .most = number(c, 5),
				 .step = number(c, 6),
				 .cycle = span_is(cursor_text(c, 7, 0), "true"),
				 .used = cursor_text(c, 8, 0).len > 0,
				 .last = number(c, 8)};
}

static bool find(struct backend *b, struct span schema, struct span name, struct sequence *ret, struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	buf_str(&sql,
		"SELECT database_name, schema_name, sequence_name, start_value::VARCHAR, min_value::VARCHAR, "
		"max_value::VARCHAR, increment_by::VARCHAR, cycle::VARCHAR, coalesce(last_value::VARCHAR, ''), "
		"coalesce(comment, '') FROM system.main.duckdb_sequences() WHERE sequence_name COLLATE NOCASE = ");
	sql_text(&sql, name);
	buf_str(&sql, " AND ");
	gucs_put_place(b, schema, &sql);
	buf_str(&sql, " ORDER BY database_name = 'temp' DESC LIMIT 1");
	const bool fine = sql_finish(&sql, &text, &err) && session_query(b->engine, text, &c, &err) &&
			  cursor_next(c, &rows, &err);
	if (fine && rows)
		take(b, c, ret);
	cursor_close(c);
	buf_done(&sql);
	if (!fine)
		return backend_engine_error(b, &err, NULL, NULL, e);
	return rows || pg_error_set(e, "42P01", "relation \"%.*s\" does not exist", SPAN_ARG(name));
}

/* 's', 'a.s', '"S"' */
static bool find_named(struct backend *b, struct span text, struct sequence *ret, struct pg_error *e)
{
	struct lexer lx = {text};
	struct span schema = SPAN_NONE;
	struct token t = lexer_next(&lx);
	while (token_is_punct(lexer_peek(&lx), '.')) {
		(void)lexer_next(&lx);
		schema = token_name(t, b->work);
		t = lexer_next(&lx);
	}
	if (!token_is_name(t) || lexer_next(&lx).kind != TOKEN_END)
		return pg_error_set(e, "42602", "invalid name syntax");
	return find(b, schema, token_name(t, b->work), ret, e);
}

static void put_name(struct buf *sql, const struct sequence *q, struct span name)
{
	sql_ident(sql, q->db);
	buf_byte(sql, '.');
	sql_ident(sql, q->schema);
	buf_byte(sql, '.');
	sql_ident(sql, name);
}

/* --- moving it --- */

static bool advance(struct backend *b, const struct sequence *q, int64_t count, struct pg_error *e)
{
	struct buf sql = BUF(4000), name = BUF(2000);
	put_name(&name, q, q->name);
	buf_str(&sql, "SELECT system.main.count(system.main.nextval(");
	sql_text(&sql, buf_view(&name));
	buf_printf(&sql, ")) FROM system.main.range(%lld)", (long long)count);
	const bool fine = run_text(b, &sql, e);
	buf_done(&sql);
	buf_done(&name);
	return fine;
}

/* How many numbers lie between two; -1: too many, or they are not of one row. */
static int64_t steps(int64_t from, int64_t to, int64_t step)
{
	int64_t way;
	/* INT64_MIN cannot be divided by -1. */
	if (__builtin_sub_overflow(to, from, &way) || way == INT64_MIN)
		return -1;
	if (way % step != 0 || way / step < 0 || way / step > ADVANCE_MAX)
		return -1;
	return way / step;
}

/* nextval('s'), nextval('a.s') and nextval('d.a.s'), as the engine shows them without quotes. */
static void put_spellings(struct backend *b, const struct sequence *q, struct buf *sql)
{
	const char *name = arena_copy(b->work, q->name), *schema = arena_copy(b->work, q->schema);
	const char *db = arena_copy(b->work, q->db);
	sql_text(sql, span_of(arena_printf(b->work, "nextval('%s.%s')", schema, name)));
	buf_byte(sql, ',');
	sql_text(sql, span_of(arena_printf(b->work, "nextval('%s.%s.%s')", db, schema, name)));
	if (!span_is(q->schema, "main"))
		return;
	buf_byte(sql, ',');
	sql_text(sql, span_of(arena_printf(b->work, "nextval('%s')", name)));
}

static void put_default(const struct sequence *q, const struct cursor *c, size_t row, struct span renamed,
			struct buf *without, struct buf *again)
{
	struct buf column = BUF(4000), name = BUF(4000);
	buf_str(&column, "ALTER TABLE ");
	sql_ident(&column, q->db);
	buf_byte(&column, '.');
	sql_ident(&column, cursor_text(c, 0, row));
	buf_byte(&column, '.');
	sql_ident(&column, cursor_text(c, 1, row));
	buf_str(&column, " ALTER ");
	sql_ident(&column, cursor_text(c, 2, row));
	if (!span_is(q->schema, "main")) {
		lexer_quote_name(&name, q->schema);
		buf_byte(&name, '.');
	}
	lexer_quote_name(&name, renamed.len ? renamed : q->name);
	buf_printf(without, "%.*s DROP DEFAULT;", SPAN_ARG(buf_view(&column)));
	buf_printf(again, "%.*s SET DEFAULT nextval(", SPAN_ARG(buf_view(&column)));
	sql_text(again, buf_view(&name));
	buf_str(again, ");");
	buf_done(&column);
	buf_done(&name);
}

/* The columns whose default is a number of the sequence: without it, or with it again. */
static bool defaults(struct backend *b, const struct sequence *q, struct buf *without, struct buf *again,
		     struct span renamed, struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	/* One that is missed makes the engine refuse, since the column depends on the sequence. */
	sql_printf(
		&sql,
		"SELECT schema_name, table_name, column_name FROM system.main.duckdb_columns() WHERE database_name = "
		"%L AND system.main.replace(column_default, '\"', '') IN (",
		arena_copy(b->work, q->db));
	put_spellings(b, q, &sql);
	buf_byte(&sql, ')');
	bool fine = sql_finish(&sql, &text, &err) && session_query(b->engine, text, &c, &err);
	while (fine && (fine = cursor_next(c, &rows, &err)) && rows > 0)
		for (size_t i = 0; i < rows; i++)
			put_default(q, c, i, renamed, without, again);
	cursor_close(c);
	buf_done(&sql);
	return fine || backend_engine_error(b, &err, NULL, NULL, e);
}

static void put_sequence(struct buf *sql, const struct sequence *q, struct span name, int64_t start)
{
	buf_str(sql, span_is(q->db, "temp") ? "CREATE OR REPLACE TEMP SEQUENCE " : "CREATE OR REPLACE SEQUENCE ");
	put_name(sql, q, name);
	buf_printf(sql, " INCREMENT BY %lld MINVALUE %lld MAXVALUE %lld START WITH %lld %s;", (long long)q->step,
		   (long long)q->least, (long long)q->most, (long long)start, q->cycle ? "CYCLE" : "NO CYCLE");
	if (!q->comment.len)
		return;
	buf_str(sql, "COMMENT ON SEQUENCE ");
	put_name(sql, q, name);
	buf_str(sql, " IS ");
	sql_text(sql, q->comment);
	buf_byte(sql, ';');
}

/* A sequence of these options, that gives `next` as its first number; `renamed`: under another name. */
static bool make_anew(struct backend *b, const struct sequence *q, int64_t next, struct span renamed,
		      struct pg_error *e)
{
	struct buf sql = BUF(MIB), again = BUF(MIB);
	const int64_t way = steps(q->start, next, q->step);
	const int64_t start = way < 0 ? next : q->start;
	struct sequence made = *q;
	bool fine = defaults(b, q, &sql, &again, renamed, e);
	if (renamed.len) {
		buf_str(&sql, "DROP SEQUENCE ");
		put_name(&sql, q, q->name);
		buf_byte(&sql, ';');
		made.name = renamed;
	}
	put_sequence(&sql, q, made.name, start);
	buf_span(&sql, buf_view(&again));
	fine = fine && !again.failed && run_text(b, &sql, e) && (way <= 0 || advance(b, &made, way, e));
	buf_done(&sql);
	buf_done(&again);
	b->objects_changed = true;
	workspace_changed(b->wi);
	return fine;
}

static bool move_to(struct backend *b, const struct sequence *q, int64_t next, struct pg_error *e)
{
	const int64_t forward = steps(next_of(q), next, q->step);
	if (forward == 0)
		return true;
	return forward > 0 ? advance(b, q, forward, e) : make_anew(b, q, next, SPAN_NONE, e);
}

static bool in_bounds(const struct sequence *q, int64_t value, const char *what, struct pg_error *e)
{
	return (value >= q->least && value <= q->most) ||
	       pg_error_set(e, "22003", "%s: value %lld is out of bounds for sequence \"%.*s\" (%lld..%lld)", what,
			    (long long)value, SPAN_ARG(q->name), (long long)q->least, (long long)q->most);
}

static bool may_change(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	return transaction_begin_implicit(b, e) && transaction_may_write(b, s, e) && run_spool(b, e);
}

/* --- setval --- */

struct setvals {
	struct span arguments[SETVALS_MAX][3];
	size_t given[SETVALS_MAX];
	struct span labels[SETVALS_MAX];
	size_t count;
	struct span rest; /* FROM .. */
};

static bool refuse(struct pg_error *e)
{
	(void)pg_error_set(e, "0A000", "setval() within an expression or another query is not supported");
	pg_error_hint(e, "Call it as a column of its own: SELECT setval('s', 5).");
	return false;
}

/* One argument, up to the comma or parenthesis behind it; a cast to regclass, which is the name's, left out. */
static struct span argument(struct parser *p)
{
	const char *start = p->now.text.ptr, *end = start;
	for (size_t depth = 0; p->now.kind != TOKEN_END; parser_step(p)) {
		if (!depth && (token_is_punct(p->now, ',') || token_is_punct(p->now, ')')))
			break;
		if (!depth && p->now.kind == TOKEN_CAST && token_is(lexer_peek(&p->lx), "regclass")) {
			parser_step(p);
			continue;
		}
		depth += token_is_punct(p->now, '(') || token_is_punct(p->now, '[');
		depth -= depth && (token_is_punct(p->now, ')') || token_is_punct(p->now, ']'));
		end = p->now.text.ptr + p->now.text.len;
	}
	return (struct span){start, (size_t)(end - start)};
}

static bool read_item(struct parser *p, struct setvals *ret, struct pg_error *e)
{
	if (ret->count == SETVALS_MAX)
		return pg_error_set(e, "54000", "too many calls of setval()");
	const size_t i = ret->count++;
	if (parser_word(p, "pg_catalog"))
		(void)parser_punct(p, '.');
	if (!parser_word(p, "setval") || !parser_punct(p, '('))
		return refuse(e);
	do {
		if (ret->given[i] == 3)
			return pg_error_set(e, "42883", "function setval does not take so many arguments");
		ret->arguments[i][ret->given[i]++] = argument(p);
	} while (parser_punct(p, ','));
	if (!parser_punct(p, ')'))
		return parser_fail(p);
	if (ret->given[i] < 2)
		return pg_error_set(e, "42883", "function setval does not take so few arguments");
	ret->labels[i] = SPAN("setval");
	const bool as = parser_word(p, "as");
	if (as || (!token_is(p->now, "from") && token_is_name(p->now)))
		return parser_name(p, &ret->labels[i]);
	return true;
}

static bool read_setvals(const struct stmt *s, struct arena *arena, struct setvals *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct setvals){0};
	if (!parser_word(&p, "select"))
		return refuse(e);
	do
		if (!read_item(&p, ret, e))
			return false;
	while (parser_punct(&p, ','));
	if (p.now.kind != TOKEN_END && !token_is(p.now, "from"))
		return refuse(e);
	ret->rest = parser_rest(&p);
	return true;
}

bool sequences_describe(const struct stmt *s, struct arena *arena, struct message_column **ret, size_t *ret_count,
			struct pg_error *e)
{
	struct setvals *c = arena_new_of(arena, struct setvals);
	if (!read_setvals(s, arena, c, e))
		return false;
	*ret = arena_array(arena, struct message_column, c->count);
	*ret_count = c->count;
	for (size_t i = 0; i < c->count; i++)
		(*ret)[i] = (struct message_column){
			.name = arena_span(arena, c->labels[i]), .type_oid = OID_INT8, .type_len = 8, .type_mod = -1};
	return true;
}

/* The query that tells names and values, as texts: what is NULL changes nothing. */
static const char *question(struct backend *b, const struct setvals *c)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "SELECT ");
	for (size_t i = 0; i < c->count; i++)
		buf_printf(
			&sql,
			"%scoalesce((%.*s)::TEXT, ''), coalesce((%.*s)::BIGINT::TEXT, ''), coalesce((%.*s)::BOOLEAN::TEXT, '')",
			i ? ", " : "", SPAN_ARG(c->arguments[i][0]), SPAN_ARG(c->arguments[i][1]),
			SPAN_ARG(c->given[i] == 3 ? c->arguments[i][2] : SPAN("true")));
	buf_printf(&sql, " %.*s", SPAN_ARG(c->rest));
	const char *text = sql.failed ? NULL : arena_copy(b->work, buf_view(&sql));
	buf_done(&sql);
	return text;
}

static bool set_one(struct backend *b, struct span name, struct span value, bool called, struct pg_error *e)
{
	struct sequence q;
	int64_t n;
	if (!span_i64(value, &n))
		return pg_error_set(e, "22003", "bigint out of range");
	return find_named(b, name, &q, e) && in_bounds(&q, n, "setval", e) &&
	       move_to(b, &q, called ? behind(n, q.step) : n, e);
}

/* The rows of the question, in the session's memory: nothing else can run while they stream. */
static bool ask(struct backend *b, const struct setvals *calls, struct span **ret, size_t *ret_count,
		struct pg_error *e)
{
	const size_t columns = 3 * calls->count;
	const char *sql = question(b, calls);
	struct span rest = sql ? span_of(sql) : SPAN("");
	struct stmt s;
	struct statement *statement = NULL;
	struct cursor *c = NULL;
	struct err err = ERR_INIT;
	size_t rows = 0;
	*ret_count = 0;
	*ret = NULL;
	if (!sql)
		return pg_error_set(e, "54001", "statement is too long to be rewritten");
	if (!stmt_next(&rest, &s, e) || !run_prepare(b, &s, b->work, &statement, e))
		return false;
	bool fine = statement_query(statement, &c, &err);
	while (fine && (fine = cursor_next(c, &rows, &err)) && rows > 0 && *ret_count + rows <= SETVAL_ROWS_MAX) {
		struct span *more = arena_array(b->work, struct span, (*ret_count + rows) * columns);
		if (*ret_count)
			memcpy(more, *ret, *ret_count * columns * sizeof(*more));
		for (size_t i = 0; i < rows; i++)
			for (size_t k = 0; k < columns; k++)
				more[(*ret_count + i) * columns + k] = arena_span(b->work, cursor_text(c, k, i));
		*ret = more;
		*ret_count += rows;
	}
	cursor_close(c);
	statement_free(statement);
	if (fine && rows > 0)
		return pg_error_set(e, "54000", "too many calls of setval()");
	return fine || backend_engine_error(b, &err, NULL, NULL, e);
}

/* Carries out one row of calls, and writes the values they give. */
static bool set_row(struct backend *b, const struct setvals *c, const struct span *cells, struct buf *values,
		    struct pg_error *e)
{
	for (size_t k = 0; k < c->count; k++) {
		const struct span *cell = &cells[k * 3];
		const bool any = cell[0].len && cell[1].len && cell[2].len;
		buf_printf(values, any ? "%s'%.*s'::BIGINT" : "%sNULL::BIGINT", k ? ", " : "(", SPAN_ARG(cell[1]));
		if (any && !set_one(b, cell[0], cell[1], span_is(cell[2], "true"), e))
			return false;
	}
	buf_byte(values, ')');
	return true;
}

static bool set_rows(struct backend *b, const struct setvals *c, const struct span *cells, size_t rows,
		     struct buf *values, struct pg_error *e)
{
	buf_str(values, "SELECT * FROM (VALUES ");
	for (size_t i = 0; i < rows; i++) {
		buf_str(values, i ? ", " : "");
		if (!set_row(b, c, &cells[i * c->count * 3], values, e))
			return false;
	}
	for (size_t k = 0; k < c->count && !rows; k++)
		buf_str(values, k ? ", NULL::BIGINT" : "(NULL::BIGINT");
	buf_str(values, rows ? ") AS v(" : ")) AS v(");
	for (size_t k = 0; k < c->count; k++) {
		buf_str(values, k ? ", " : "");
		sql_ident(values, c->labels[k]);
	}
	buf_str(values, rows ? ")" : ") WHERE false");
	return true;
}

bool sequences_setval(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct setvals *c = arena_new_of(b->work, struct setvals);
	struct buf values = BUF(MIB);
	struct stmt asked = p->stmt;
	struct span *cells;
	size_t rows;
	(void)snprintf(asked.tag, sizeof(asked.tag), "setval()");
	if (!read_setvals(&p->stmt, b->work, c, e) || !may_change(b, &asked, e) || !ask(b, c, &cells, &rows, e))
		return false;
	bool fine = set_rows(b, c, cells, rows, &values, e);
	struct span rest = arena_span(p->arena, buf_view(&values));
	fine = fine && (!values.failed || pg_error_set(e, "54001", "too many calls of setval()")) &&
	       stmt_next(&rest, &p->stmt, e);
	buf_done(&values);
	p->ready = false;
	return fine;
}

/* --- ALTER SEQUENCE --- */

static bool signed_number(struct parser *p, int64_t *ret)
{
	const bool negative = p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "-");
	if (negative)
		parser_step(p);
	if (p->now.kind != TOKEN_NUMBER || !span_i64(p->now.text, ret))
		return parser_fail(p);
	*ret = negative ? -*ret : *ret;
	parser_step(p);
	return true;
}

struct change {
	struct sequence to;
	bool restarts;
	int64_t next;
	struct span renamed;
};

static bool restart(struct parser *p, struct change *c)
{
	const bool with = parser_word(p, "with") || p->now.kind == TOKEN_NUMBER || p->now.kind == TOKEN_OPERATOR;
	c->restarts = true;
	c->next = c->to.start;
	return !with || signed_number(p, &c->next);
}

/* Clauses of a number. */
static bool number_clause(struct parser *p, struct change *c, bool *ret_done)
{
	int64_t cache;
	const struct {
		const char *word, *filler;
		int64_t *to;
	} clauses[] = {{"increment", "by", &c->to.step},
		       {"start", "with", &c->to.start},
		       {"minvalue", "", &c->to.least},
		       {"maxvalue", "", &c->to.most},
		       {"cache", "", &cache}};
	*ret_done = true;
	for (size_t i = 0; i < ARRAY_LEN(clauses); i++) {
		if (!parser_word(p, clauses[i].word))
			continue;
		(void)parser_word(p, clauses[i].filler);
		return signed_number(p, clauses[i].to) &&
		       (c->to.step || pg_error_set(p->e, "22023", "INCREMENT must not be zero"));
	}
	*ret_done = false;
	return true;
}

static bool clause(struct parser *p, struct change *c)
{
	bool done;
	if (!number_clause(p, c, &done))
		return false;
	if (done)
		return true;
	if (parser_word(p, "restart"))
		return restart(p, c);
	if (parser_word(p, "cycle"))
		return c->to.cycle = true;
	if (token_is(p->now, "no") && token_is(lexer_peek(&p->lx), "cycle")) {
		parser_step(p);
		parser_step(p);
		c->to.cycle = false;
		return true;
	}
	if (parser_word(p, "rename"))
		return (parser_word(p, "to") && parser_name(p, &c->renamed)) || parser_fail(p);
	(void)pg_error_set(p->e, "0A000", "this change of a sequence is not supported");
	pg_error_hint(p->e, "RESTART, INCREMENT BY, START, MINVALUE, MAXVALUE, CYCLE and RENAME TO are what there is.");
	return false;
}

static bool change(struct backend *b, struct parser *p, struct change *c, struct pg_error *e)
{
	const struct sequence was = c->to;
	while (p->now.kind != TOKEN_END)
		if (!clause(p, c))
			return false;
	if (!c->restarts)
		c->next = was.used ? behind(was.last, c->to.step) : c->to.start;
	else if (!in_bounds(&c->to, c->next, "RESTART", e))
		return false;
	const bool moves = c->restarts && !c->renamed.len && c->to.step == was.step && c->to.least == was.least &&
			   c->to.most == was.most && c->to.cycle == was.cycle && c->to.start == was.start;
	return moves ? move_to(b, &was, c->next, e) : make_anew(b, &c->to, c->next, c->renamed, e);
}

bool sequences_alter(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct parser p = parser_start(s, b->work, e);
	struct span schema, name;
	struct change c = {.renamed = SPAN_NONE};
	parser_step(&p);
	parser_step(&p);
	const bool quietly = parser_word(&p, "if") && parser_word(&p, "exists");
	if (!parser_qualified(&p, &schema, &name) || !may_change(b, s, e))
		return false;
	if (find(b, schema, name, &c.to, e))
		return change(b, &p, &c, e);
	if (!quietly || strcmp(e->sqlstate, "42P01") != 0)
		return false;
	backend_notice(b, PG_NOTICE, "00000",
		       arena_printf(b->work, "relation \"%.*s\" does not exist, skipping", SPAN_ARG(name)));
	return true;
}

bool sequences_restarts(const struct stmt *s)
{
	struct lexer lx = {s->text};
	if (s->kind != STMT_TRUNCATE)
		return false;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx))
		if (token_is(t, "restart") && token_is(lexer_peek(&lx), "identity"))
			return true;
	return false;
}

bool sequences_restart(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct err err = ERR_INIT;
	const char **names;
	size_t count;
	if (!run_spool(b, e))
		return false;
	if (!serial_names(b, s, &names, &count, &err))
		return backend_engine_error(b, &err, NULL, NULL, e);
	for (size_t i = 0; i < count; i++) {
		struct sequence q;
		if (!find_named(b, span_of(names[i]), &q, e) || !move_to(b, &q, q.start, e))
			return false;
	}
	return true;
}
