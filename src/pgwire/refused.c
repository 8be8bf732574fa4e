/*
 * What the engine refused and PostgreSQL takes: the reasons for which there is another form of the statement, and what the
 * session knows of its tables for that (rewrite_refused.c writes the form).
 */
#include "base/limits.h"
#include "engine/sql.h"
#include "pgwire/backend.h"

/* Names of columns, as the catalog has them: a table of the workspace or of the project. */
static bool constraint_columns(struct backend *b, struct span schema, struct span table, const char *condition,
			       struct span name, const char *const **ret, size_t *ret_count)
{
	const struct select_source source = {.known = true, .schema = schema, .name = table};
	const struct origin_table *origin = origins_table(b, &source);
	struct pg_error ignored = PG_ERROR_INIT;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	if (!origin->oid || !tables_catalog(b, &ignored))
		return false;
	sql_printf(
		&sql,
		"SELECT system.main.unnest(columns) FROM (SELECT columns FROM _pg.main._constraints WHERE table_oid = %d AND %s",
		(int64_t)origin->oid, condition);
	sql_text(&sql, name);
	buf_str(&sql, " AND system.main.lower(table_name) = system.main.lower(");
	sql_text(&sql, table);
	buf_printf(&sql, ") ORDER BY coalesce(database_name, '') = 'temp' %s LIMIT 1)", schema.len ? "" : "DESC");
	bool fine = sql_finish(&sql, &text, &err) && session_query(b->engine, text, &c, &err);
	const char **names = NULL;
	*ret_count = 0;
	while (fine && (fine = cursor_next(c, &rows, &err)) && rows > 0) {
		const char **more = arena_array(b->work, const char *, *ret_count + rows);
		if (names)
			memcpy(more, names, *ret_count * sizeof(*more));
		names = more;
		for (size_t i = 0; i < rows; i++)
			names[(*ret_count)++] = arena_copy(b->work, cursor_text(c, 0, i));
	}
	cursor_close(c);
	buf_done(&sql);
	*ret = names;
	return fine && *ret_count > 0;
}

static bool hook_key(void *ctx, struct span schema, struct span table, struct rewrite_key *ret)
{
	struct backend *b = ctx;
	const struct select_source source = {.known = true, .schema = schema, .name = table};
	if (!constraint_columns(b, schema, table, "'p' = kind AND '' = ", SPAN(""), &ret->key, &ret->key_count))
		return false;
	const struct origin_table *origin = origins_table(b, &source);
	ret->columns = origin->columns;
	ret->count = origin->count;
	return true;
}

static bool hook_constraint(void *ctx, struct span schema, struct span table, struct span name, struct buf *out)
{
	const char *const *columns;
	size_t n;
	if (!constraint_columns(ctx, schema, table, "kind IN ('p', 'u') AND name = ", name, &columns, &n))
		return false;
	buf_byte(out, '(');
	sql_idents(out, columns, n);
	buf_byte(out, ')');
	return true;
}

/* --- texts that are numbers --- */

static bool is_integer_type(struct span type)
{
	static const char *const types[] = {"INTEGER_LITERAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

static bool has_fractions(struct span type)
{
	return span_is(type, "FLOAT") || span_is(type, "DOUBLE") || span_starts(type, SPAN("DECIMAL("));
}

/* Digits, with a sign in front and a point between them where the type has fractions. */
static bool is_number(struct span text, struct span type)
{
	size_t digits = 0, points = 0;
	if (!is_integer_type(type) && !has_fractions(type))
		return false;
	if (text.len && (*text.ptr == '-' || *text.ptr == '+'))
		text = span_skip(text, 1);
	for (size_t i = 0; i < text.len; i++) {
		digits += text.ptr[i] >= '0' && text.ptr[i] <= '9';
		points += text.ptr[i] == '.';
	}
	return digits && points <= has_fractions(type) && digits + points == text.len;
}

/* One more of what stands in place of tokens, which are told in the order of the text. */
static void replace(struct backend *b, struct rewrite_hooks *hooks, struct token t, const char *text)
{
	struct rewrite_literal *all = arena_array(b->work, struct rewrite_literal, hooks->literal_count + 1);
	size_t n = 0;
	for (; n < hooks->literal_count && hooks->literals[n].at < t.text.ptr; n++)
		all[n] = hooks->literals[n];
	all[n] = (struct rewrite_literal){t.text.ptr, text};
	for (; n < hooks->literal_count; n++)
		all[n + 1] = hooks->literals[n];
	hooks->literals = all;
	hooks->literal_count++;
}

static void call(struct backend *b, struct rewrite_hooks *hooks, struct token t, const char *function)
{
	struct rewrite_operator *all = arena_array(b->work, struct rewrite_operator, hooks->operator_count + 1);
	size_t n = 0;
	for (; n < hooks->operator_count && hooks->operators[n].at < t.text.ptr; n++)
		all[n] = hooks->operators[n];
	all[n] = (struct rewrite_operator){t.text.ptr, function};
	for (; n < hooks->operator_count; n++)
		all[n + 1] = hooks->operators[n];
	hooks->operators = all;
	hooks->operator_count++;
}

static bool is_replaced(const struct rewrite_hooks *hooks, struct token t)
{
	for (size_t i = 0; i < hooks->literal_count; i++)
		if (hooks->literals[i].at == t.text.ptr)
			return true;
	for (size_t i = 0; i < hooks->operator_count; i++)
		if (hooks->operators[i].at == t.text.ptr)
			return true;
	return false;
}

/* --- operators --- */

/* What the engine says of an operator: its sign, and the types on both sides. */
struct operation {
	struct span sign, left, right;
	struct token before, at, after;
};

/* "+(INTEGER, STRING_LITERAL)", behind one of the sentences that have it. */
static bool read_operation(const struct stmt *s, const struct pg_error *e, struct operation *ret)
{
	static const char *const sentences[] = {"for the function call \"", "name and argument types '"};
	struct lexer lx = {s->text};
	const char *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(sentences) && !found; i++)
		if ((found = strstr(e->message, sentences[i])))
			found += strlen(sentences[i]);
	if (!found || !e->position)
		return false;
	struct span rest = span_of(found);
	ret->sign = span_cut(&rest, '(');
	const char *comma = memmem(rest.ptr, rest.len, ", ", 2), *end = memrchr(rest.ptr, ')', rest.len);
	if (!comma || !end || end < comma)
		return false;
	ret->left = span_first(rest, (size_t)(comma - rest.ptr));
	ret->right = (struct span){comma + 2, (size_t)(end - comma - 2)};
	ret->before = (struct token){0};
	for (ret->at = lexer_next(&lx); ret->at.kind != TOKEN_END; ret->before = ret->at, ret->at = lexer_next(&lx))
		if (sqlstate_position(s->text, (size_t)(ret->at.text.ptr - s->text.ptr)) >= e->position)
			break;
	ret->after = lexer_next(&lx);
	return ret->at.kind == TOKEN_OPERATOR && span_eq(ret->at.text, ret->sign);
}

/* i + '1', d - '2024-01-01': a text is of the type that stands beside it. */
static bool text_beside(struct backend *b, const struct operation *o, struct rewrite_hooks *hooks)
{
	const bool right = span_is(o->right, "STRING_LITERAL");
	const struct span type = right ? o->left : o->right;
	const struct token t = right ? o->after : o->before;
	if ((!right && !span_is(o->left, "STRING_LITERAL")) || t.kind != TOKEN_STRING || is_replaced(hooks, t))
		return false;
	const struct span text = span_trim(token_string(t, b->work));
	if (is_number(text, type))
		replace(b, hooks, t, arena_printf(b->work, "(%.*s)", SPAN_ARG(text)));
	else if (span_is(type, "DATE") && span_is(o->sign, "-"))
		replace(b, hooks, t, arena_printf(b->work, "%.*s::DATE", SPAN_ARG(t.text)));
	else
		return false;
	return true;
}

/* Operators of jsonb, which is JSON here; NULL: it is none of them. */
static const char *json_operator(struct span sign)
{
	static const struct {
		const char *sign, *call;
	} operators[] = {
		{"@>", "_pg.main._json_contains"}, {"<@", "_pg.main._json_contained"}, {"-", "_pg.main._json_without"}};
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (span_is(sign, operators[i].sign))
			return operators[i].call;
	return NULL;
}

static bool operator_of_json(struct backend *b, const struct operation *o, struct rewrite_hooks *hooks)
{
	struct pg_error ignored = PG_ERROR_INIT;
	const char *function = json_operator(o->sign);
	if ((!span_is(o->left, "JSON") && !span_is(o->right, "JSON")) || is_replaced(hooks, o->at) || !function)
		return false;
	call(b, hooks, o->at, function);
	return tables_catalog(b, &ignored);
}

/* j -> 'a' @> x is for the engine j -> ('a' @> x), about which it tells no place. */
static bool operator_behind_arrow(struct backend *b, const struct stmt *s, const struct pg_error *e,
				  struct rewrite_hooks *hooks)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct lexer lx = {s->text};
	struct token before[2] = {{0}, {0}};
	bool any = false;
	if (strcmp(e->sqlstate, "42883") != 0 && !strstr(e->message, "has a template parameter type"))
		return false;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		const bool binds = t.kind == TOKEN_OPERATOR && memchr(t.text.ptr, '@', t.text.len);
		const char *function = binds ? json_operator(t.text) : NULL;
		const bool arrow = before[0].kind == TOKEN_OPERATOR && span_starts(before[0].text, SPAN("->"));
		if (function && arrow && !is_replaced(hooks, t)) {
			call(b, hooks, t, function);
			any = true;
		}
		before[0] = before[1];
		before[1] = t;
	}
	return any && tables_catalog(b, &ignored);
}

bool refused_note(struct backend *b, const struct stmt *s, const struct pg_error *e, struct rewrite_hooks *hooks)
{
	static const struct {
		const char *said;
		unsigned refusal;
	} reasons[] = {{"must appear in the GROUP BY clause", REFUSED_GROUPS},
		       {"ON CONSTRAINT conflict target", REFUSED_CONFLICT}};
	struct operation o;
	hooks->key = hook_key;
	hooks->constraint = hook_constraint;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strstr(e->message, reasons[i].said) && !(hooks->refused & reasons[i].refusal)) {
			hooks->refused |= reasons[i].refusal;
			return true;
		}
	if (read_operation(s, e, &o) && (text_beside(b, &o, hooks) || operator_of_json(b, &o, hooks)))
		return true;
	return operator_behind_arrow(b, s, e, hooks);
}
