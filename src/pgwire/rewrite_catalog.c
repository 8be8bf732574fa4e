/* What PostgreSQL's catalog, types and operators are called here. */
#include "base/limits.h"
#include "pgwire/catalog.h"
#include "pgwire/rewrite_inner.h"
#include "pgwire/value.h"

/* Types of PostgreSQL the engine has under another name or not at all. */
static const struct {
	const char *name, *engine;
} TYPES[] = {
	{"oid", "UINTEGER"},
	{"name", "VARCHAR"},
	{"char", "VARCHAR"},
	{"xid", "UINTEGER"},
	{"cid", "UINTEGER"},
	{"xid8", "UBIGINT"},
	{"jsonb", "JSON"},
	{"varbit", "BIT"},
	{"int2vector", "SMALLINT[]"},
	{"oidvector", "UINTEGER[]"},
	{"sql_identifier", "VARCHAR"},
	{"character_data", "VARCHAR"},
	{"cardinal_number", "INTEGER"},
	{"yes_or_no", "VARCHAR"},
	{"citext", "VARCHAR"},
	{"anyarray", "VARCHAR"},
	{"pg_node_tree", "VARCHAR"},
	{"aclitem", "VARCHAR"},
	{"cstring", "VARCHAR"},
	{"inet", "VARCHAR"},
	{"regoper", "UINTEGER"},
	{"regoperator", "UINTEGER"},
	{"regcollation", "UINTEGER"},
	{"regconfig", "UINTEGER"},
	{"regdictionary", "UINTEGER"},
};

static const char *const REG_TYPES[] = {"regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole"};

/* --- casts --- */

static const char *reg_type(const struct rewriter *r, size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(REG_TYPES); k++)
		if (piece_named(r, i, REG_TYPES[k]))
			return k == 3 ? "regproc" : REG_TYPES[k];
	return NULL;
}

/* The '(' of CAST( for the AS at i; 0: this AS is none of a cast. */
static size_t cast_open(const struct rewriter *r, size_t i)
{
	size_t open = r->p[i].enclosing;
	return open != SIZE_MAX && open > 0 && piece_is(r, open - 1, "cast") ? open : 0;
}

static bool is_text_type(const struct rewriter *r, size_t i)
{
	if (piece_named(r, i, "pg_catalog") && piece_punct(r, i + 1, '.'))
		i += 2;
	return piece_named(r, i, "text") || piece_named(r, i, "varchar") || piece_named(r, i, "name");
}

/* The id of a literal that names a relation of pg_catalog itself. */
static const char *known_relation(struct rewriter *r, const char *type, size_t i)
{
	if (strcmp(type, "regclass") != 0 || r->p[i].t.kind != TOKEN_STRING)
		return NULL;
	struct span name = token_string(r->p[i].t, r->arena);
	if (span_starts(name, SPAN("pg_catalog.")))
		name = span_skip(name, strlen("pg_catalog."));
	uint32_t oid = catalog_relation_oid(name);
	return oid ? arena_printf(r->arena, "%u::UINTEGER", oid) : NULL;
}

/* Whether the name is wanted or the id: PostgreSQL shows a reg value by name and compares it by id. */
static const char *reg_function(struct rewriter *r, const char *type, size_t first, size_t last, size_t behind)
{
	bool literal = first == last && (r->p[first].t.kind == TOKEN_STRING || r->p[first].t.kind == TOKEN_PARAM);
	bool to_text = (piece_kind(r, behind, TOKEN_CAST) && is_text_type(r, behind + 1)) ||
		       (piece_is(r, behind, "as") && is_text_type(r, behind + 1)) ||
		       (piece_punct(r, behind, ')') && piece_is(r, behind + 1, "as") && is_text_type(r, behind + 2));
	bool casts_on = piece_kind(r, behind, TOKEN_CAST);
	bool shown = r->p[first].in_select_list && !literal && !casts_on;
	return arena_printf(r->arena, "_pg.main.%s_%s(", type, (to_text && !literal) || shown ? "text" : "oid");
}

static void wrap(struct rewriter *r, size_t first, size_t last, const char *open)
{
	const char *before = r->p[first].before;
	if ((before && strlen(before) > REWRITE_WRAP_MAX) || r->too_complex) {
		r->too_complex = true;
		return;
	}
	r->p[first].before = before ? arena_printf(r->arena, "%s%s", open, before) : open;
	const char *after = r->p[last].after;
	r->p[last].after = after ? arena_printf(r->arena, "%s)", after) : ")";
}

/* A column of the rows the client gets, not of a query inside: what is from first to last. */
static bool is_whole_item(const struct rewriter *r, size_t first, size_t behind)
{
	return r->stmt->kind == STMT_SELECT && first > 0 && r->p[first].enclosing == SIZE_MAX &&
	       (piece_is(r, first - 1, "select") || piece_punct(r, first - 1, ',')) && r->p[first].in_select_list &&
	       (behind >= r->n || piece_punct(r, behind, ',') || piece_is(r, behind, "as") ||
		piece_is(r, behind, "from"));
}

/* nextval('s'::regclass): the engine's takes the name alone. */
static bool names_sequence(struct rewriter *r, const char *type, size_t i)
{
	if (i < 2 || strcmp(type, "regclass") != 0 || !piece_punct(r, i - 1, '(') || !piece_kind(r, i, TOKEN_STRING))
		return false;
	if (!piece_named(r, i - 2, "nextval") && !piece_named(r, i - 2, "currval"))
		return false;
	const struct span name = token_string(r->p[i].t, r->arena);
	if (span_starts(name, SPAN("public."))) {
		struct buf quoted = BUF(4000);
		lexer_quote_string(&quoted, span_of(arena_printf(r->arena, "main.%.*s", SPAN_ARG(span_skip(name, 7)))));
		r->p[i].text = arena_copy(r->arena, buf_view(&quoted));
		buf_done(&quoted);
	}
	return true;
}

/* x::regclass, the '::' being at i. */
static void reg_cast(struct rewriter *r, size_t i)
{
	size_t at = i + 1;
	if (piece_named(r, at, "pg_catalog") && piece_punct(r, at + 1, '.'))
		at += 2;
	const char *type = reg_type(r, at);
	if (!type || i == 0)
		return;
	size_t last = i - 1, first = piece_operand_start(r, last);
	const bool named = first == last && r->p[first].t.kind == TOKEN_STRING;
	const bool to_text = piece_kind(r, at + 1, TOKEN_CAST) && is_text_type(r, at + 2);
	piece_drop(r, i, at + 1);
	if (names_sequence(r, type, first))
		return;
	const char *known = first == last ? known_relation(r, type, first) : NULL;
	if (known)
		r->p[first].text = known;
	else
		wrap(r, first, last, reg_function(r, type, first, last, at + 1));
	/* 's.t'::regclass::text: of the name the id, of the id the name. */
	if (named && (to_text || is_whole_item(r, first, at + 1)))
		wrap(r, first, last, arena_printf(r->arena, "_pg.main.%s_text(", type));
}

/* CAST(x AS regclass), the AS being at i. */
static void reg_cast_call(struct rewriter *r, size_t i)
{
	size_t at = i + 1, open = cast_open(r, i);
	if (piece_named(r, at, "pg_catalog") && piece_punct(r, at + 1, '.'))
		at += 2;
	const char *type = reg_type(r, at);
	if (!type || open == 0)
		return;
	const char *known = open + 2 == i ? known_relation(r, type, open + 1) : NULL;
	piece_drop(r, i, at + 1);
	if (known) {
		piece_drop(r, open - 1, open);
		r->p[open + 1].text = known;
		return;
	}
	const char *function = reg_function(r, type, open + 1, i - 1, at + 2);
	r->p[open - 1].text = arena_copy(r->arena, span_first(span_of(function), strlen(function) - 1));
}

static size_t skip_schema(struct rewriter *r, size_t at, const char *schema)
{
	if (!piece_named(r, at, schema) || !piece_punct(r, at + 1, '.'))
		return at;
	piece_drop(r, at, at + 2);
	return at + 2;
}

/* A type's name behind the '::' or AS at i. */
static void plain_type(struct rewriter *r, size_t i)
{
	size_t at = skip_schema(r, skip_schema(r, i + 1, "pg_catalog"), "information_schema");
	for (size_t k = 0; k < ARRAY_LEN(TYPES); k++)
		/* Unquoted, char is character. */
		if (piece_named(r, at, TYPES[k].name) &&
		    (piece_kind(r, at, TOKEN_QUOTED) || strcmp(TYPES[k].name, "char") != 0))
			r->p[at].text = TYPES[k].engine;
	if (piece_is(r, at, "bit") && piece_is(r, at + 1, "varying"))
		piece_drop(r, at + 1, at + 2);
}

bool piece_vector(const struct rewriter *r, size_t i)
{
	static const char *const vectors[] = {"indkey", "indoption", "indclass", "indcollation", "proargtypes"};
	for (size_t k = 0; k < ARRAY_LEN(vectors); k++)
		if (piece_named(r, i, vectors[k]))
			return true;
	return false;
}

/* indkey::text is "1 2", not an array. */
static void vector_cast(struct rewriter *r, size_t i)
{
	if (i > 0 && piece_vector(r, i - 1) && is_text_type(r, i + 1))
		wrap(r, piece_operand_start(r, i - 1), i - 1, "_pg.main._vector_text(");
}

/* Columns of the type regproc: where the client sees them it is the function's name. */
static void shown_function(struct rewriter *r, size_t i)
{
	static const char *const columns[] = {"typinput", "typoutput", "typreceive", "typsend"};
	const char *name = NULL;
	for (size_t k = 0; k < ARRAY_LEN(columns); k++)
		if (piece_is(r, i, columns[k]))
			name = columns[k];
	const size_t first = i >= 2 && piece_punct(r, i - 1, '.') ? i - 2 : i;
	if (!name || !is_whole_item(r, first, i + 1) || !piece_edit(r))
		return;
	wrap(r, first, i, "_pg.main.regproc_text(");
	if (!r->too_complex && !piece_is(r, i + 1, "as"))
		r->p[i].after = arena_printf(r->arena, "%s AS %s", r->p[i].after, name);
}

/* to_regclass('t') and its like: where the client sees it, it is the name. Of types it stays the id: their names are long CASEs. */
static void shown_object(struct rewriter *r, size_t i)
{
	static const char *const functions[] = {"to_regclass", "to_regproc", "to_regnamespace", "to_regrole"};
	const size_t close = piece_close(r, i + 1);
	for (size_t k = 0; k < ARRAY_LEN(functions) && close < r->n; k++) {
		const size_t first = i >= 2 && piece_punct(r, i - 1, '.') ? i - 2 : i;
		const bool to_text = piece_kind(r, close + 1, TOKEN_CAST) && is_text_type(r, close + 2);
		if (!piece_is(r, i, functions[k]) || !(to_text || is_whole_item(r, first, close + 1)) || !piece_edit(r))
			continue;
		wrap(r, first, close, arena_printf(r->arena, "_pg.main.%s_text(", functions[k] + strlen("to_")));
		if (!r->too_complex && !to_text && !piece_is(r, close + 1, "as"))
			r->p[close].after = arena_printf(r->arena, "%s AS %s", r->p[close].after, functions[k]);
	}
}

/* The first of a vector is indkey[0], that of a name typname[0]. */
static void vector_subscript(struct rewriter *r, size_t i)
{
	size_t close = piece_close(r, i + 1);
	if (close >= r->n || !piece_edit(r))
		return;
	r->p[i + 1].after = "1 + (";
	r->p[close].before = ")";
}

/* Outside of the catalog only types that the engine lacks altogether. */
void rewrite_types(struct rewriter *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->p[i].t.kind == TOKEN_CAST || (piece_is(r, i, "as") && cast_open(r, i)))
			plain_type(r, i);
}

void rewrite_casts(struct rewriter *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->p[i].t.kind == TOKEN_CAST) {
			plain_type(r, i);
			vector_cast(r, i);
			reg_cast(r, i);
		} else if (piece_punct(r, i + 1, '[') && (piece_vector(r, i) || piece_named(r, i, "typname"))) {
			vector_subscript(r, i);
		} else if (piece_is(r, i, "as") && cast_open(r, i)) {
			plain_type(r, i);
			reg_cast_call(r, i);
		} else if (piece_kind(r, i, TOKEN_WORD)) {
			shown_function(r, i);
			shown_object(r, i);
		}
	}
}

/* --- operators --- */

/* OPERATOR(pg_catalog.~) -> ~; the parenthesis stands at i + 1. */
static size_t explicit_operator(struct rewriter *r, size_t i)
{
	size_t close = piece_close(r, i + 1);
	for (size_t k = i; k <= close && k < r->n; k++)
		if (r->p[k].t.kind == TOKEN_OPERATOR) {
			struct token op = r->p[k].t;
			piece_drop(r, i, close + 1);
			for (size_t n = i; n <= close; n++)
				r->p[n].text = NULL;
			r->p[i].dropped = false;
			r->p[i].text = arena_copy(r->arena, op.text);
			r->p[i].t.kind = TOKEN_OPERATOR;
			return close;
		}
	return i;
}

/*
 * Regular expressions: the engine's ~ wants the whole text to match, PostgreSQL's any part of it. Only statements about the
 * catalog, and operators the engine does not have, are changed.
 */
static void regex_operator(struct rewriter *r, size_t i, size_t operand)
{
	const char *op = r->p[i].text;
	struct span text = op ? span_of(op) : r->p[i].t.text;
	bool ignores_case = span_ends(text, SPAN("~*"));
	bool is_regex = span_is(text, "~") || span_is(text, "!~") || span_is(text, "~*") || span_is(text, "!~*");
	if (!is_regex || operand >= r->n || !(ignores_case || op || (r->stmt->mentions & MENTIONS_CATALOG)))
		return;
	r->p[i].text = *text.ptr == '!' ? "!~" : "~";
	size_t end = piece_operand_end(r, operand);
	if (r->p[end - 1].after && strlen(r->p[end - 1].after) > REWRITE_WRAP_MAX)
		r->too_complex = true;
	wrap(r, operand, end - 1, ignores_case ? "('(?is).*(?:' || " : "('(?s).*(?:' || ");
	r->p[end - 1].after =
		arena_printf(r->arena, "%.*s || ').*')", (int)strlen(r->p[end - 1].after) - 1, r->p[end - 1].after);
}

/* x = ANY ($1), x <> ALL ($1): the engine tells a parameter's type only where the items stand by themselves. */
static bool any_of_parameter(struct rewriter *r, size_t i)
{
	bool is_any = piece_operator(r, i, "=") && piece_is(r, i + 1, "any");
	bool is_all = (piece_operator(r, i, "<>") || piece_operator(r, i, "!=")) && piece_is(r, i + 1, "all");
	if ((!is_any && !is_all) || !piece_punct(r, i + 2, '(') || !piece_kind(r, i + 3, TOKEN_PARAM) ||
	    !piece_punct(r, i + 4, ')'))
		return false;
	r->p[i].text = is_any ? "IN" : "NOT IN";
	piece_drop(r, i + 1, i + 2);
	return true;
}

/* The items of '{a,b}'; NULL: something else. */
static const char *array_items(struct rewriter *r, struct token t)
{
	struct pg_error ignored = PG_ERROR_INIT;
	struct pg_value v;
	if (t.kind != TOKEN_STRING ||
	    !value_decode(OID_TEXT_ARRAY, 0, token_string(t, r->arena), r->arena, &v, &ignored) ||
	    v.array.dimensions > 1)
		return NULL;
	struct buf list = BUF(MIB);
	buf_str(&list, "");
	for (uint32_t i = 0; i < v.array.count; i++) {
		if (i)
			buf_str(&list, ", ");
		if (v.array.items[i].is_null)
			buf_str(&list, "NULL");
		else
			lexer_quote_string(&list, v.array.items[i].text);
	}
	const char *copy = list.failed ? NULL : arena_copy(r->arena, buf_view(&list));
	buf_done(&list);
	return copy;
}

/* x = ANY ('{a,b}'): the text is an array's. */
static bool any_of_text(struct rewriter *r, size_t i)
{
	static const char *const words[] = {"any", "all", "some"};
	bool is_word = false;
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		is_word = is_word || piece_is(r, i + 1, words[k]);
	if (!is_word || !piece_punct(r, i + 2, '(') || !piece_punct(r, i + 4, ')'))
		return false;
	const char *items = array_items(r, r->p[i + 3].t);
	const bool is_all = piece_is(r, i + 1, "all");
	const bool differs = piece_operator(r, i, "<>") || piece_operator(r, i, "!=");
	if (!items || !piece_edit(r))
		return false;
	if (is_all ? !differs : !piece_operator(r, i, "=")) {
		r->p[i + 3].text = arena_printf(r->arena, "[%s]", items);
		return true;
	}
	/* In a list without a type each text takes that of the other side. */
	r->p[i].text = is_all ? "NOT IN" : "IN";
	piece_drop(r, i + 1, i + 2);
	r->p[i + 3].text = *items ? items : "SELECT NULL LIMIT 0";
	return true;
}

/* x = ANY(list) as a call: the engine makes a subquery of it, which outer joins do not take. */
static void any_of_list(struct rewriter *r, size_t i)
{
	bool is_any = piece_operator(r, i, "=") && piece_is(r, i + 1, "any") && piece_punct(r, i + 2, '(');
	if (!is_any || i == 0 || piece_is(r, i + 3, "select") || piece_punct(r, i + 3, '(') ||
	    !(r->stmt->mentions & MENTIONS_CATALOG))
		return;
	wrap(r, piece_operand_start(r, i - 1), piece_close(r, i + 2), "_pg.main._in_list(");
	r->p[i].text = ",";
	piece_drop(r, i + 1, i + 2);
}

/* Collations are all alike here. */
static void drop_collation(struct rewriter *r, size_t i)
{
	size_t name = i + 1;
	bool qualified = piece_punct(r, name + 1, '.');
	size_t last = qualified ? name + 2 : name;
	bool is_ours = piece_named(r, last, "default") || piece_named(r, last, "C") || piece_named(r, last, "POSIX") ||
		       piece_named(r, last, "c");
	if (is_ours || (r->stmt->mentions & MENTIONS_CATALOG))
		piece_drop(r, i, last + 1);
}

/* '{a,b,1}' as the pointer /a/b/1, whose parts are keys or numbers of items; NULL: quoted parts, which need the cast. */
static const char *json_pointer(struct rewriter *r, struct token t)
{
	struct span path = t.kind == TOKEN_STRING ? span_trim(token_string(t, r->arena)) : SPAN_NONE;
	if (path.len < 2 || *path.ptr != '{' || path.ptr[path.len - 1] != '}' || memchr(path.ptr, '"', path.len) ||
	    memchr(path.ptr, '/', path.len) || memchr(path.ptr, '~', path.len))
		return NULL;
	struct span rest = {path.ptr + 1, path.len - 2};
	struct buf pointer = BUF(10000), quoted = BUF(20000);
	while (rest.len) {
		buf_byte(&pointer, '/');
		buf_span(&pointer, span_trim(span_cut(&rest, ',')));
	}
	lexer_quote_string(&quoted, buf_view(&pointer));
	const char *text = pointer.failed || quoted.failed ? NULL : arena_copy(r->arena, buf_view(&quoted));
	buf_done(&pointer);
	buf_done(&quoted);
	return text;
}

/* x #> '{a,b}' and x #>> '{a,b}': what stands at a path. */
static void json_path(struct rewriter *r, size_t i)
{
	if ((!piece_operator(r, i, "#>") && !piece_operator(r, i, "#>>")) || i == 0 || i + 1 >= r->n || !piece_edit(r))
		return;
	size_t first = piece_operand_start(r, i - 1);
	while (first >= 2 && (piece_operator(r, first - 1, "->") || piece_operator(r, first - 1, "->>")))
		first = piece_operand_start(r, first - 2);
	const size_t end = piece_operand_end(r, i + 1);
	const char *pointer = json_pointer(r, r->p[i + 1].t);
	if (pointer) {
		piece_drop(r, i + 1, end);
		r->p[i + 1].dropped = false;
		r->p[i + 1].text = pointer;
	} else {
		wrap(r, i + 1, end - 1, "('/' || array_to_string(");
		r->p[end - 1].after = arena_printf(r->arena, "%.*s::VARCHAR[], '/'))",
						   (int)strlen(r->p[end - 1].after) - 1, r->p[end - 1].after);
	}
	wrap(r, first, end - 1, span_is(r->p[i].t.text, "#>") ? "json_extract(" : "json_extract_string(");
	r->p[i].text = ",";
}

void rewrite_operators(struct rewriter *r)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t last = i;
		if (piece_is(r, i, "collate")) {
			drop_collation(r, i);
			continue;
		}
		if (piece_is(r, i, "operator") && piece_punct(r, i + 1, '('))
			last = explicit_operator(r, i);
		if (r->p[i].t.kind == TOKEN_OPERATOR) {
			regex_operator(r, i, last + 1);
			json_path(r, i);
			if (!any_of_text(r, i) && !any_of_parameter(r, i))
				any_of_list(r, i);
		}
		i = last;
	}
}
