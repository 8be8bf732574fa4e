/* Constants in PostgreSQL's notation, told by the cast behind them. */
#include "pgwire/backend.h"
#include "pgwire/rewrite_inner.h"

/* The literal as parameters of that type are written; false: it is no text of the type, the engine shall say so. */
static bool written(struct rewriter *r, size_t i, uint32_t oid, struct span text)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct buf out = BUF(8 * text.len + 200);
	const bool fine = literal_write(oid, 0, text, r->arena, &out, &ignored) && !out.failed;
	if (fine)
		r->p[i].text = arena_copy(r->arena, buf_view(&out));
	buf_done(&out);
	return fine;
}

/* One behind the name of a type: double precision, numeric(10,2), timestamp with time zone. */
static size_t type_end(const struct rewriter *r, size_t type)
{
	size_t end = type + 1;
	while (piece_is(r, end, "precision") || piece_is(r, end, "varying"))
		end++;
	if (piece_punct(r, end, '(') && piece_close(r, end) < r->n)
		end = piece_close(r, end) + 1;
	if ((piece_is(r, end, "with") || piece_is(r, end, "without")) && piece_is(r, end + 1, "time"))
		end += 3;
	return end;
}

/* '{a,b}' -> '[a,b]' */
static void bracketed(struct rewriter *r, size_t i)
{
	const struct span text = token_string(r->p[i].t, r->arena);
	if (text.len < 2 || *text.ptr != '{' || text.ptr[text.len - 1] != '}')
		return;
	struct buf out = BUF(text.len + 2), quoted = BUF(2 * text.len + 8);
	buf_byte(&out, '[');
	buf_span(&out, span_skip(span_first(text, text.len - 1), 1));
	buf_byte(&out, ']');
	lexer_quote_string(&quoted, buf_view(&out));
	r->p[i].text = arena_copy(r->arena, buf_view(&quoted));
	buf_done(&out);
	buf_done(&quoted);
}

/* '{a,b}'::text[] -> '[a,b]'::text[]; items in which the engine reads quotes or bytes otherwise, one by one. */
static void array_literal(struct rewriter *r, size_t i, size_t type)
{
	static const struct {
		const char *name;
		uint32_t oid;
	} types[] = {{"bytea", 1001}, {"json", 199}, {"jsonb", 199}, {"date", 1182}, {"timestamp", 1115}};
	struct span text = token_string(r->p[i].t, r->arena);
	for (size_t k = 0; k < ARRAY_LEN(types) && text.len && *text.ptr == '{'; k++)
		if (piece_is(r, type, types[k].name) && !piece_is(r, type + 1, "with") &&
		    written(r, i, types[k].oid, text))
			return;
	bracketed(r, i);
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

static bool has_letter(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((text.ptr[i] | 0x20) >= 'a' && (text.ptr[i] | 0x20) <= 'z')
			return true;
	return false;
}

static bool ends_in_bc(struct span text)
{
	return text.len > 3 && span_eq_nocase(span_skip(text, text.len - 3), SPAN(" BC"));
}

/* Whether the engine refuses or misreads the text as that type, which PostgreSQL takes. */
static bool is_misread(uint32_t oid, struct span text)
{
	switch (oid) {
	case OID_BOOL:
		return true;
	case OID_BYTEA:
		return span_find(text, '\\') < text.len && !memmem(text.ptr, text.len, "\\x", 2);
	case OID_INTERVAL:
		return span_starts(text, SPAN("P")) || span_find(text, '+') < text.len || !has_letter(text);
	default:
		return ends_in_bc(text);
	}
}

/* '0044-03-15 BC'::date and the like, as what the engine reads the same way. */
static void value_literal(struct rewriter *r, size_t i, size_t type)
{
	static const struct {
		const char *name;
		uint32_t oid;
	} types[] = {{"date", OID_DATE},	{"timestamp", OID_TIMESTAMP}, {"timestamptz", OID_TIMESTAMPTZ},
		     {"bool", OID_BOOL},	{"boolean", OID_BOOL},	      {"bytea", OID_BYTEA},
		     {"interval", OID_INTERVAL}};
	const struct span text = token_string(r->p[i].t, r->arena);
	for (size_t k = 0; k < ARRAY_LEN(types); k++) {
		uint32_t oid = types[k].oid;
		if (!piece_is(r, type, types[k].name))
			continue;
		if (oid == OID_TIMESTAMP && piece_is(r, type + 1, "with"))
			oid = OID_TIMESTAMPTZ;
		if (is_misread(oid, text) && written(r, i, oid, text))
			return;
	}
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
	if (piece_punct(r, type_end(r, type), '['))
		array_literal(r, i - 1, type);
	else if (piece_named(r, type, "bytea"))
		bytes_literal(r, i - 1);
	else if ((piece_named(r, type, "numeric") || piece_named(r, type, "decimal")) && !piece_punct(r, type + 1, '('))
		numeric_literal(r, i - 1, type);
	if (!r->p[i - 1].text && !piece_punct(r, type_end(r, type), '['))
		value_literal(r, i - 1, type);
}

/* tags text[] NOT NULL DEFAULT '{}' */
static void default_literal(struct rewriter *r, size_t i)
{
	if (!piece_kind(r, i, TOKEN_STRING) || !piece_is(r, i - 1, "default"))
		return;
	size_t k = i - 1;
	while (k > 0 && piece_is_name(r, k) && !piece_punct(r, k, ','))
		k--;
	if (piece_punct(r, k, ']'))
		bracketed(r, i);
}

void rewrite_literals(struct rewriter *r)
{
	for (size_t i = 0; (r->stmt->mentions & MENTIONS_CATALOG) && i < r->n; i++)
		if (r->p[i].t.kind == TOKEN_STRING && !r->p[i].in_select_list && !r->p[i].text && !r->p[i].dropped)
			schema_literal(r, i);
	for (size_t i = 1; i < r->n && (r->stmt->kind == STMT_CREATE || r->stmt->kind == STMT_ALTER); i++)
		default_literal(r, i);
	for (size_t i = 1; i < r->n; i++)
		if (r->p[i].t.kind == TOKEN_CAST && piece_kind(r, i - 1, TOKEN_STRING) && !r->p[i - 1].text)
			cast_literal(r, i);
}
