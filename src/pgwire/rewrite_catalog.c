/* What PostgreSQL's catalog, types and operators are called here. */
#include "base/limits.h"
#include "pgwire/catalog.h"
#include "pgwire/rewrite_inner.h"

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

static bool before_call(const struct rewriter *r, size_t i)
{
	return piece_punct(r, i + 1, '(');
}

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
	return arena_printf(r->arena, "%s_%s(", type, (to_text && !literal) || shown ? "text" : "oid");
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
	const char *known = first == last ? known_relation(r, type, first) : NULL;
	if (known)
		r->p[first].text = known;
	else
		wrap(r, first, last, reg_function(r, type, first, last, at + 1));
	/* 's.t'::regclass::text: of the name the id, of the id the name. */
	if (named && (to_text || is_whole_item(r, first, at + 1)))
		wrap(r, first, last, arena_printf(r->arena, "%s_text(", type));
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
}

static bool is_vector(const struct rewriter *r, size_t i)
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
	if (i > 0 && is_vector(r, i - 1) && is_text_type(r, i + 1))
		wrap(r, piece_operand_start(r, i - 1), i - 1, "_vector_text(");
}

/* The first of a vector is indkey[0]. */
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
		} else if (piece_punct(r, i + 1, '[') && is_vector(r, i)) {
			vector_subscript(r, i);
		} else if (piece_is(r, i, "as") && cast_open(r, i)) {
			plain_type(r, i);
			reg_cast_call(r, i);
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

/* x = ANY(list) as a call: the engine makes a subquery of it, which outer joins do not take. */
static void any_of_list(struct rewriter *r, size_t i)
{
	bool is_any = piece_operator(r, i, "=") && piece_is(r, i + 1, "any") && piece_punct(r, i + 2, '(');
	if (!is_any || i == 0 || piece_is(r, i + 3, "select") || piece_punct(r, i + 3, '(') ||
	    !(r->stmt->mentions & MENTIONS_CATALOG))
		return;
	wrap(r, piece_operand_start(r, i - 1), piece_close(r, i + 2), "_in_list(");
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
			if (!any_of_parameter(r, i))
				any_of_list(r, i);
		}
		i = last;
	}
}

/* --- calls and relations of the session --- */

/* The literals between the parentheses from `open`; false when there is anything else. */
static bool literal_arguments(struct rewriter *r, size_t open, size_t close, struct span *ret, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = open + 1; i < close; i++) {
		struct token t = r->p[i].t;
		bool word = token_is(t, "true") || token_is(t, "false") || token_is(t, "null");
		if (*ret_count == REWRITE_ARGUMENTS_MAX || (t.kind != TOKEN_STRING && t.kind != TOKEN_NUMBER && !word))
			return false;
		ret[(*ret_count)++] = t.kind == TOKEN_STRING ? token_string(t, r->arena) : t.text;
		/* A cast of the literal changes nothing that matters here. */
		while (piece_kind(r, i + 1, TOKEN_CAST))
			i += 2;
		if (i + 1 < close && !piece_punct(r, ++i, ','))
			return false;
	}
	return true;
}

static void session_call(struct rewriter *r, size_t i)
{
	struct span arguments[REWRITE_ARGUMENTS_MAX];
	size_t count, close = piece_close(r, i + 1);
	struct buf out = BUF(64 * 1024);
	if (close < r->n && !r->too_complex && literal_arguments(r, i + 1, close, arguments, &count) &&
	    r->hooks->call(r->hooks->session, token_name(r->p[i].t, r->arena), arguments, count, &out) && !out.failed &&
	    piece_edit(r)) {
		piece_drop(r, i, close + 1);
		r->p[i].text = arena_copy(r->arena, buf_view(&out));
	}
	buf_done(&out);
}

/* Whether what follows names the relation: an alias, with or without AS. */
static bool alias_follows(const struct rewriter *r, size_t i)
{
	static const char *const clauses[] = {"where", "join",	 "left",      "right",	"inner",   "cross",
					      "full",  "on",	 "order",     "group",	"limit",   "union",
					      "using", "having", "intersect", "except", "natural", "offset"};
	if (piece_is(r, i, "as"))
		return true;
	for (size_t k = 0; k < ARRAY_LEN(clauses); k++)
		if (piece_is(r, i, clauses[k]))
			return false;
	return piece_kind(r, i, TOKEN_WORD) || piece_kind(r, i, TOKEN_QUOTED);
}

static bool stands_in_from(const struct rewriter *r, size_t i)
{
	return i > 0 && !r->p[i].in_select_list &&
	       (piece_is(r, i - 1, "from") || piece_is(r, i - 1, "join") || piece_punct(r, i - 1, ',') ||
		piece_punct(r, i - 1, '(') || piece_is(r, i - 1, "lateral"));
}

static void session_relation(struct rewriter *r, size_t i)
{
	size_t first = i >= 2 && piece_punct(r, i - 1, '.') ? i - 2 : i;
	struct buf out = BUF(4 * MIB);
	struct span name = token_name(r->p[i].t, r->arena);
	if (stands_in_from(r, first) && r->hooks->relation(r->hooks->session, name, &out) && !out.failed &&
	    piece_edit(r)) {
		piece_drop(r, first, i + 1);
		r->p[i].text = alias_follows(r, i + 1) ? arena_copy(r->arena, buf_view(&out))
						       : arena_printf(r->arena, "%.*s AS %.*s",
								      SPAN_ARG(buf_view(&out)), SPAN_ARG(name));
		r->p[first].text = first == i ? r->p[i].text : NULL;
	}
	buf_done(&out);
}

/*
 * Functions in FROM. PostgreSQL names the one column after the table's alias; the engine does not. Functions that return
 * sets are lists here.
 */
static void function_in_from(struct rewriter *r, size_t i)
{
	static const char *const series[] = {"generate_series", "unnest", "generate_subscripts"};
	static const struct {
		const char *name, *list;
	} sets[] = {{"pg_partition_ancestors", "unnest(_partition_list"},
		    {"pg_listening_channels", "unnest(_channel_list"},
		    {"aclexplode", "unnest(_acl_list"}};
	size_t close = piece_close(r, i + 1), alias = close + 1;
	for (size_t k = 0; k < ARRAY_LEN(sets); k++)
		if (piece_named(r, i, sets[k].name) && close < r->n) {
			r->p[i].text = sets[k].list;
			r->p[close].after = ")";
		}
	bool is_series = false;
	for (size_t k = 0; k < ARRAY_LEN(series); k++)
		is_series = is_series || piece_named(r, i, series[k]);
	if (!is_series || !alias_follows(r, alias))
		return;
	alias += piece_is(r, alias, "as");
	if (!before_call(r, alias) && alias < r->n && !piece_is(r, alias, "with"))
		r->p[alias].after = arena_printf(r->arena, "(%.*s)", SPAN_ARG(r->p[alias].t.text));
}

/* A series that is selected is rows, not a list; subscripts of a vector count from 0. */
static void series_in_list(struct rewriter *r, size_t i)
{
	size_t close = piece_close(r, i + 1);
	if (!r->p[i].in_select_list || close >= r->n)
		return;
	if (piece_is(r, i, "generate_series")) {
		r->p[i].text = "unnest(generate_series";
		r->p[close].after = ")";
	} else if (piece_is(r, i, "generate_subscripts") && close > i + 4 && piece_punct(r, close - 2, ',') &&
		   is_vector(r, close - 3)) {
		r->p[close].after = " - 1";
	}
}

/* current_setting(x) of what is no literal looks into the relation of all settings. */
static void shown_setting(struct rewriter *r, size_t i)
{
	size_t close = piece_close(r, i + 1);
	struct buf out = BUF(4 * MIB);
	if (piece_named(r, i, "current_setting") && !r->p[i].dropped && close < r->n && r->hooks->relation &&
	    r->hooks->relation(r->hooks->session, SPAN("pg_settings"), &out) && !out.failed && piece_edit(r)) {
		r->p[i].text = arena_printf(r->arena, "(SELECT any_value(_s.setting) FROM %.*s _s WHERE _s.name =",
					    SPAN_ARG(buf_view(&out)));
		r->p[close].after = ")";
	}
	buf_done(&out);
}

/* to_date and to_timestamp want another notation of the format, which must be a literal. */
static void time_function(struct rewriter *r, size_t i, const char *cast)
{
	static const struct {
		const char *theirs, *ours;
	} marks[] = {{"YYYY", "%Y"}, {"YY", "%y"},    {"HH24", "%H"}, {"HH12", "%I"}, {"HH", "%I"},  {"MI", "%M"},
		     {"SS", "%S"},   {"MONTH", "%B"}, {"MON", "%b"},  {"MM", "%m"},   {"DDD", "%j"}, {"DD", "%d"},
		     {"US", "%f"},   {"MS", "%g"},    {"AM", "%p"},   {"PM", "%p"},   {"TZ", "%Z"}};
	size_t close = piece_close(r, i + 1);
	if (close >= r->n || close < i + 4 || !piece_kind(r, close - 1, TOKEN_STRING) ||
	    !piece_punct(r, close - 2, ','))
		return;
	struct span format = token_string(r->p[close - 1].t, r->arena);
	struct buf out = BUF(1000), quoted = BUF(2000);
	while (format.len) {
		size_t k = 0;
		while (k < ARRAY_LEN(marks) &&
		       !span_eq_nocase(span_first(format, strlen(marks[k].theirs)), span_of(marks[k].theirs)))
			k++;
		if (k < ARRAY_LEN(marks))
			buf_str(&out, marks[k].ours);
		else
			buf_byte(&out, *format.ptr);
		format = span_skip(format, k < ARRAY_LEN(marks) ? strlen(marks[k].theirs) : 1);
	}
	lexer_quote_string(&quoted, buf_view(&out));
	if (!out.failed && !quoted.failed) {
		r->p[i].text = "strptime";
		r->p[close - 1].text = arena_copy(r->arena, buf_view(&quoted));
		r->p[close].after = cast;
	}
	buf_done(&out);
	buf_done(&quoted);
}

/* Functions the engine has under another name. */
static void rename_function(struct rewriter *r, size_t i)
{
	static const struct {
		const char *theirs, *ours;
		bool catalog_only;
	} names[] = {{"format", "pg_format", true}, /* the engine's has other marks */
		     {"json_build_object", "json_object", false},
		     {"jsonb_build_object", "json_object", false},
		     {"json_build_array", "json_array", false},
		     {"jsonb_build_array", "json_array", false},
		     {"json_agg", "json_group_array", false},
		     {"jsonb_agg", "json_group_array", false}};
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (piece_is(r, i, names[k].theirs) &&
		    (!names[k].catalog_only || (r->stmt->mentions & MENTIONS_CATALOG)))
			r->p[i].text = names[k].ours;
	if (piece_is(r, i, "to_date"))
		time_function(r, i, "::DATE");
	else if (piece_is(r, i, "to_timestamp"))
		time_function(r, i, "::TIMESTAMPTZ");
}

static void rewrite_call(struct rewriter *r, size_t i)
{
	bool qualified = i >= 2 && piece_punct(r, i - 1, '.') && !r->p[i - 1].dropped;
	size_t first = i >= 2 && piece_punct(r, i - 1, '.') ? i - 2 : i;
	if (r->hooks->call && !qualified)
		session_call(r, i);
	if (r->hooks->call)
		shown_setting(r, i);
	rename_function(r, i);
	if (!(r->stmt->mentions & MENTIONS_CATALOG))
		return;
	if (stands_in_from(r, first))
		function_in_from(r, i);
	else
		series_in_list(r, i);
}

void rewrite_calls(struct rewriter *r)
{
	bool relations = r->hooks->relation && (r->stmt->mentions & MENTIONS_CATALOG);
	for (size_t i = 0; i < r->n; i++) {
		if (!piece_kind(r, i, TOKEN_WORD) && !piece_kind(r, i, TOKEN_QUOTED))
			continue;
		if (before_call(r, i))
			rewrite_call(r, i);
		else if (relations && !piece_punct(r, i + 1, '.') && r->p[i].t.text.len > 3)
			session_relation(r, i);
	}
}
