/* Constants in PostgreSQL's notation, told by the cast behind them. */
#include "pgwire/rewrite_inner.h"

/* '{a,b}'::text[] -> '[a,b]'::text[] */
static void array_literal(struct rewriter *r, size_t i)
{
	struct span text = token_string(r->p[i].t, r->arena);
	if (text.len >= 2 && *text.ptr == '{' && text.ptr[text.len - 1] == '}') {
		struct buf out = BUF(text.len + 2), quoted = BUF(2 * text.len + 8);
		buf_byte(&out, '[');
		buf_span(&out, span_skip(span_first(text, text.len - 1), 1));
		buf_byte(&out, ']');
		lexer_quote_string(&quoted, buf_view(&out));
		r->p[i].text = arena_copy(r->arena, buf_view(&quoted));
		buf_done(&out);
		buf_done(&quoted);
	}
}

static bool is_hex(struct span digits)
{
	for (size_t i = 0; i < digits.len; i++)
		if (!strchr("0123456789abcdefABCDEF", digits.ptr[i]) || !digits.ptr[i])
			return false;
	return digits.len % 2 == 0;
}

/* '\x00ff'::bytea -> '\x00\xff'::bytea; what the engine's own notation is stays. */
static void bytes_literal(struct rewriter *r, size_t i)
{
	struct span text = token_string(r->p[i].t, r->arena);
	if (!span_starts(text, SPAN("\\x")) || !is_hex(span_skip(text, 2)))
		return;
	struct buf out = BUF(2 * text.len + 8);
	buf_byte(&out, '\'');
	for (size_t k = 2; k < text.len; k += 2) {
		buf_str(&out, "\\x");
		buf_bytes(&out, text.ptr + k, 2);
	}
	buf_byte(&out, '\'');
	r->p[i].text = arena_copy(r->arena, buf_view(&out));
	buf_done(&out);
}

/* '1.2345'::numeric keeps its digits: the engine's DECIMAL alone has three behind the point. */
static void numeric_literal(struct rewriter *r, size_t i, size_t type)
{
	struct span text = token_string(r->p[i].t, r->arena);
	size_t point = span_find(text, '.');
	for (size_t k = 0; k < text.len; k++)
		if (!strchr("+-.0123456789", text.ptr[k]) || !text.ptr[k])
			return;
	size_t scale = point < text.len ? text.len - point - 1 : 0;
	if (text.len && text.len <= 38)
		r->p[type].text = arena_printf(r->arena, "DECIMAL(38,%zu)", scale);
}

/* What clients look for in the catalog under PostgreSQL's names of schemas, whole or as psql's pattern. */
static void schema_literal(struct rewriter *r, size_t i)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {{"public", "'main'"},
		     {"^(public)$", "'^(main)$'"},
		     {"pg_temp", "'pg_temp_1'"},
		     {"^(pg_temp)$", "'^(pg_temp_1)$'"}};
	struct span text = token_string(r->p[i].t, r->arena);
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (span_is(text, names[k].theirs))
			r->p[i].text = names[k].ours;
}

static void cast_literal(struct rewriter *r, size_t i)
{
	size_t type = i + 1;
	if (piece_named(r, type, "pg_catalog") && piece_punct(r, type + 1, '.'))
		type += 2;
	if (piece_punct(r, type + 1, '['))
		array_literal(r, i - 1);
	else if (piece_named(r, type, "bytea"))
		bytes_literal(r, i - 1);
	else if ((piece_named(r, type, "numeric") || piece_named(r, type, "decimal")) && !piece_punct(r, type + 1, '('))
		numeric_literal(r, i - 1, type);
}

void rewrite_literals(struct rewriter *r)
{
	for (size_t i = 0; (r->stmt->mentions & MENTIONS_CATALOG) && i < r->n; i++)
		if (r->p[i].t.kind == TOKEN_STRING && !r->p[i].in_select_list && !r->p[i].text && !r->p[i].dropped)
			schema_literal(r, i);
	for (size_t i = 1; i < r->n; i++)
		if (r->p[i].t.kind == TOKEN_CAST && piece_kind(r, i - 1, TOKEN_STRING) && !r->p[i - 1].text)
			cast_literal(r, i);
}
