/* The parameters of a prepared statement: their types, and their values in its text. */
#include "pgwire/backend.h"
#include "pgwire/catalog_columns.h"
#include "pgwire/types.h"

/* The statement with each $n replaced by a text; an empty text leaves it. */
static struct span replace_parameters(const struct prepared *q, const struct span *texts, size_t n, struct arena *arena)
{
	struct lexer lx = {q->stmt.text};
	struct buf out = BUF(GIB);
	const char *from = q->stmt.text.ptr;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		uint64_t i;
		if (t.kind != TOKEN_PARAM || !span_u64(span_skip(t.text, 1), &i) || i < 1 || i > n || !texts[i - 1].len)
			continue;
		buf_bytes(&out, from, (size_t)(t.text.ptr - from));
		buf_byte(&out, ' ');
		buf_span(&out, texts[i - 1]);
		buf_byte(&out, ' ');
		from = t.text.ptr + t.text.len;
	}
	buf_bytes(&out, from, (size_t)(q->stmt.text.ptr + q->stmt.text.len - from));
	struct span whole = arena_span(arena, buf_view(&out));
	buf_done(&out);
	return whole;
}

bool prepared_fill(struct prepared *q, const struct span *literals, size_t n, struct portal *p, struct pg_error *e)
{
	p->of = q;
	q->uses++;
	p->stmt = q->stmt;
	if (n == 0 || q->stmt.kind == STMT_NONE)
		return true;
	struct span rest = replace_parameters(q, literals, n, p->arena);
	return stmt_next(&rest, &p->stmt, e);
}

/* What the engine makes of the parameters: an unknown one is text. */
static void learn_types(struct prepared *q, struct statement *statement)
{
	const size_t n = statement_parameter_count(statement);
	for (size_t i = 0; i < q->parameters; i++) {
		if (q->oids[i] || i >= n)
			continue;
		const struct type *type = statement_parameter_type(statement, i + 1);
		if (!type || type->id == TYPE_NULL)
			continue;
		q->oids[i] = q->stmt.mentions & MENTIONS_CATALOG ? catalog_type(type) : type_pg_oid(type);
	}
}

/* "= ANY ($1)" is asked of the engine as "IN ($1)", so that it tells the item's type: the parameter is an array of it. */
static void any_is_array(struct prepared *q, const bool *known)
{
	struct lexer lx = {q->stmt.text};
	struct token last[3] = {0};
	uint64_t i;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		bool is_any = token_is(last[0], "any") || token_is(last[0], "all");
		if (is_any && token_is_punct(last[1], '(') && last[2].kind == TOKEN_PARAM && token_is_punct(t, ')') &&
		    span_u64(span_skip(last[2].text, 1), &i) && i >= 1 && i <= q->parameters && !known[i - 1]) {
			const struct pg_type *item = pg_type_find(q->oids[i - 1]);
			q->oids[i - 1] = item && item->array ? item->array : q->oids[i - 1];
		}
		last[0] = last[1];
		last[1] = last[2];
		last[2] = t;
	}
}

/* Parameters of known types as casts; the others as `guess`, or bare when it is NULL. */
static bool describe_as(struct backend *b, struct prepared *q, const char *guess, struct pg_error *e)
{
	struct span *texts = arena_array(b->work, struct span, q->parameters + 1);
	bool *known = arena_array(b->work, bool, q->parameters + 1);
	struct statement *statement;
	struct stmt s;
	for (size_t i = 0; i < q->parameters; i++) {
		const char *type = q->oids[i] == OID_TEXT ? "VARCHAR" : literal_type(q->oids[i], b->work);
		known[i] = q->oids[i] != 0;
		if (!known[i])
			type = guess;
		if (type)
			texts[i] = span_of(arena_printf(b->work, "($%zu::%s)", i + 1, type));
	}
	struct span rest = replace_parameters(q, texts, q->parameters, b->work);
	if (!stmt_next(&rest, &s, e) || !run_prepare(b, &s, b->work, &statement, e))
		return false;
	if (statement) {
		learn_types(q, statement);
		if (q->stmt.returns_rows)
			run_columns(statement, &q->stmt, q->arena, &q->columns, &q->column_count);
	}
	statement_free(statement);
	any_is_array(q, known);
	return true;
}

static bool all_known(const struct prepared *q)
{
	for (size_t i = 0; i < q->parameters; i++)
		if (!q->oids[i])
			return false;
	return true;
}

/* Where the engine cannot tell a parameter's type, it is text unless the statement makes no sense with a text there. */
static bool describe_unknown(struct backend *b, struct prepared *q, struct pg_error *e)
{
	static const char *const guesses[] = {"VARCHAR", "BIGINT", "DOUBLE", "INTERVAL", "TIMESTAMP"};
	for (size_t i = 0; i < ARRAY_LEN(guesses); i++) {
		struct pg_error other = PG_ERROR_INIT;
		if (describe_as(b, q, guesses[i], i ? &other : e))
			return true;
	}
	return false;
}

bool prepared_describe(struct backend *b, struct prepared *q, struct pg_error *e)
{
	if (q->described || q->stmt.kind == STMT_NONE)
		return true;
	bool changes =
		q->stmt.class == STMT_DDL || (q->stmt.class == STMT_DML && !q->stmt.returns_rows && !q->parameters);
	if (q->stmt.class == STMT_SESSION) {
		if (!commands_describe(b, &q->stmt, q->arena, &q->columns, &q->column_count, e))
			return false;
	} else if (q->stmt.class != STMT_NOTHING && !changes) {
		if (!describe_as(b, q, NULL, e) || (!all_known(q) && !describe_unknown(b, q, e)))
			return false;
	}
	for (size_t i = 0; i < q->parameters; i++)
		if (!q->oids[i])
			q->oids[i] = OID_TEXT;
	q->described = true;
	return true;
}
