/* Functions of PostgreSQL that return rows and stand where a table does. */
#include "base/limits.h"
#include "pgwire/rewrite_inner.h"

static const struct {
	const char *name;
	const char *list;  /* a macro that gives the rows as a list */
	const char *table; /* its own name as a table; NULL: the same */
	bool has_value;	   /* its column is called value, whatever the alias */
} SETS[] = {
	{"json_array_elements", "_json_items", NULL, true},
	{"jsonb_array_elements", "_json_items", NULL, true},
	{"json_array_elements_text", "_json_texts", NULL, true},
	{"jsonb_array_elements_text", "_json_texts", NULL, true},
	{"json_object_keys", "_json_names", NULL, false},
	{"jsonb_object_keys", "_json_names", NULL, false},
	{"string_to_table", "_split", NULL, false},
	{"regexp_matches", "_matches", "_pg.main._match_rows", false},
	{"regexp_split_to_table", "_pieces", "_pg.main._split_pieces", false},
};

/* The alias by itself means the value: SELECT e ->> 'a' FROM jsonb_array_elements(..) e. */
static void alias_is_value(struct rewriter *r, size_t alias)
{
	const struct span name = token_name(r->p[alias].t, r->arena);
	const size_t open = r->p[alias].enclosing;
	const size_t from = open == SIZE_MAX ? 0 : open, to = open == SIZE_MAX ? r->n : piece_close(r, open);
	for (size_t k = from; k < to; k++) {
		const bool is_it = k != alias && piece_is_name(r, k) &&
				   span_eq(token_name(r->p[k].t, r->arena), name) && !r->p[k].text;
		const bool more = piece_punct(r, k + 1, '.') || piece_punct(r, k + 1, '(');
		if (is_it && !more && !(k && (piece_punct(r, k - 1, '.') || piece_is(r, k - 1, "as"))) && piece_edit(r))
			r->p[k].text = arena_printf(r->arena, "%.*s.value", SPAN_ARG(r->p[k].t.text));
	}
}

void rewrite_sets(struct rewriter *r, size_t i, size_t close, size_t alias)
{
	size_t k = 0;
	while (k < ARRAY_LEN(SETS) && !piece_named(r, i, SETS[k].name))
		k++;
	if (k == ARRAY_LEN(SETS) || close >= r->n || !piece_edit(r))
		return;
	if (piece_is(r, close + 1, "with") && piece_is(r, close + 2, "ordinality")) {
		r->p[i].text = arena_printf(r->arena, "_pg.main._ordered(_pg.main.%s", SETS[k].list);
		r->p[close].after = ")";
		piece_drop(r, close + 1, close + 3);
		return;
	}
	if (SETS[k].table)
		r->p[i].text = SETS[k].table;
	if (alias && SETS[k].has_value && !piece_punct(r, alias + 1, '('))
		alias_is_value(r, alias);
}

/* --- json_to_recordset(j) AS t(a int, b text) --- */

/* A column's definition from `first`, up to *ret_end: what it is of a record _r. */
static bool put_column(struct rewriter *r, size_t first, size_t close, struct buf *out, size_t *ret_end)
{
	size_t end = first + 1;
	while (end < close && !(piece_punct(r, end, ',') && r->p[end].enclosing == r->p[first].enclosing))
		end++;
	*ret_end = end;
	if (!piece_is_name(r, first) || end < first + 2)
		return false;
	const bool is_json =
		piece_named(r, first + 1, "json") || piece_named(r, first + 1, "jsonb") || piece_punct(r, end - 1, ']');
	const char *from = r->p[first + 1].t.text.ptr;
	const struct span last = r->p[end - 1].t.text;
	const bool jsonb = end == first + 2 && piece_named(r, first + 1, "jsonb");
	buf_str(out, is_json ? "nullif(_r -> " : "(_r ->> ");
	lexer_quote_string(out, token_name(r->p[first].t, r->arena));
	buf_printf(out, "%s)::%.*s AS ", is_json ? ", 'null'::JSON" : "", (int)(jsonb ? 4 : last.ptr + last.len - from),
		   jsonb ? "JSON" : from);
	lexer_quote_name(out, token_name(r->p[first].t, r->arena));
	return true;
}

/* The definitions in the parentheses, as what a SELECT lists. */
static bool put_columns(struct rewriter *r, size_t open, struct buf *out)
{
	const size_t end = piece_close(r, open);
	buf_str(out, "(SELECT ");
	for (size_t k = open + 1, next; k < end; k = next + 1) {
		buf_str(out, k > open + 1 ? ", " : "");
		if (!put_column(r, k, end, out, &next))
			return false;
	}
	return !out->failed;
}

bool rewrite_records(struct rewriter *r, size_t i, size_t close)
{
	const bool set = piece_named(r, i, "json_to_recordset") || piece_named(r, i, "jsonb_to_recordset");
	const bool one = piece_named(r, i, "json_to_record") || piece_named(r, i, "jsonb_to_record");
	if ((!set && !one) || close >= r->n)
		return false;
	const size_t alias = close + 1 + piece_is(r, close + 1, "as"), open = alias + piece_is_name(r, alias);
	const size_t end = piece_close(r, open);
	struct buf columns = BUF(LIMIT_SQL_BYTES);
	if (piece_punct(r, open, '(') && end < r->n && piece_edit(r) && put_columns(r, open, &columns)) {
		buf_str(&columns, set ? " FROM (SELECT unnest(_pg.main._json_items" : " FROM (SELECT CAST(");
		r->p[i].text = arena_copy(r->arena, buf_view(&columns));
		r->p[close].after = set ? ") AS _r))" : " AS JSON) AS _r))";
		piece_drop(r, open, end + 1);
		if (open == alias)
			r->p[end].after = " AS json_to_record";
	}
	r->too_complex = r->too_complex || columns.failed;
	buf_done(&columns);
	return true;
}
