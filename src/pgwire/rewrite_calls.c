/* Calls and relations that the session answers, and functions that stand differently here. */
#include "base/limits.h"
#include "pgwire/catalog.h"
#include "pgwire/rewrite_inner.h"

/* The literals between the parentheses from `open`; false when there is anything else. */
static bool literal_arguments(struct rewriter *r, size_t open, size_t close, struct span *ret, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = open + 1; i < close; i++) {
		struct token t = r->p[i].t;
		bool word = token_is(t, "true") || token_is(t, "false") || token_is(t, "null");
		if (*ret_count == REWRITE_ARGUMENTS_MAX || (t.kind != TOKEN_STRING && t.kind != TOKEN_NUMBER && !word))
			return false;
		ret[(*ret_count)++] = t.kind == TOKEN_STRING ? token_string(t, r->arena)
				      : token_is(t, "null")  ? SPAN_NONE
							     : t.text;
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
		const bool path = piece_named(r, i, "current_setting") && arguments[0].ptr &&
				  span_eq_nocase(arguments[0], SPAN("search_path"));
		piece_drop(r, i, close + 1);
		r->p[i].text = arena_copy(r->arena, buf_view(&out));
		/* What relations of the catalog are compared with has their names of schemas. */
		if (path && (r->stmt->mentions & MENTIONS_CATALOG) && !r->p[i].in_select_list)
			r->p[i].text = arena_printf(r->arena, "system.main.regexp_replace(%s, '\\bpublic\\b', 'main')",
						    r->p[i].text);
	}
	buf_done(&out);
}

/* Whether what follows names the relation: an alias, with or without AS. */
static bool alias_follows(const struct rewriter *r, size_t i)
{
	static const char *const clauses[] = {
		"where",     "join",   "left",	  "right",     "inner",	  "cross",  "full",    "on",	  "order",
		"group",     "limit",  "union",	  "using",     "having",  "except", "natural", "offset",  "intersect",
		"asof",	     "anti",   "semi",	  "window",    "qualify", "fetch",  "for",     "pivot",	  "unpivot",
		"returning", "sample", "and",	  "or",	       "is",	  "in",	    "not",     "between", "like",
		"ilike",     "then",   "else",	  "end",       "when",	  "asc",    "desc",    "nulls",	  "tablesample",
		"set",	     "from",   "similar", "positional"};
	if (piece_is(r, i, "as"))
		return true;
	for (size_t k = 0; k < ARRAY_LEN(clauses); k++)
		if (piece_is(r, i, clauses[k]))
			return false;
	return piece_is_name(r, i);
}

static bool stands_in_from(const struct rewriter *r, size_t i)
{
	/* (f(x)).y in a list is none, though what is in parentheses does not count as the list's. */
	const bool listed = i > 0 && piece_punct(r, i - 1, '(') && r->p[r->p[i - 1].match].in_select_list;
	return i > 0 && !r->p[i].in_select_list && !listed &&
	       (piece_is(r, i - 1, "from") || piece_is(r, i - 1, "join") || piece_punct(r, i - 1, ',') ||
		piece_punct(r, i - 1, '(') || piece_is(r, i - 1, "lateral"));
}

static void session_relation(struct rewriter *r, size_t i)
{
	size_t first = i >= 2 && piece_punct(r, i - 1, '.') ? i - 2 : i;
	struct buf out = BUF(LIMIT_SQL_BYTES);
	struct span name = token_name(r->p[i].t, r->arena);
	const bool found = stands_in_from(r, first) && r->hooks->relation(r->hooks->session, name, &out);
	r->too_complex = r->too_complex || out.failed;
	if (found && !out.failed && piece_edit(r)) {
		piece_drop(r, first, i + 1);
		r->p[i].text = alias_follows(r, i + 1) ? arena_copy(r->arena, buf_view(&out))
						       : arena_printf(r->arena, "%.*s AS %.*s",
								      SPAN_ARG(buf_view(&out)), SPAN_ARG(name));
		r->p[first].text = first == i ? r->p[i].text : NULL;
	}
	buf_done(&out);
}

/* generate_subscripts(t.indkey, 1), which count from 0. */
static bool vector_subscripts(const struct rewriter *r, size_t i, size_t close)
{
	return piece_is(r, i, "generate_subscripts") && close > i + 4 && piece_punct(r, close - 2, ',') &&
	       piece_vector(r, close - 3);
}

/* FROM unnest(a, b) WITH ORDINALITY x(p, q, n): the engine takes several lists side by side only where columns stand. */
static bool lists_in_from(struct rewriter *r, size_t i, size_t close)
{
	size_t first_end = 0;
	if (!piece_is(r, i, "unnest") || close >= r->n || !piece_edit(r))
		return false;
	for (size_t k = i + 2; k < close; k++)
		if (piece_punct(r, k, ',') && r->p[k].enclosing == i + 1) {
			first_end = first_end ? first_end : k;
			r->p[k].text = "), unnest(";
		}
	if (!first_end)
		return false;
	const char *number = "";
	if (piece_is(r, close + 1, "with") && piece_is(r, close + 2, "ordinality")) {
		const struct token last = r->p[first_end - 1].t;
		const char *from = r->p[i + 2].t.text.ptr;
		number = arena_printf(r->arena, ", unnest(range(1, len(%.*s) + 1))",
				      (int)(last.text.ptr + last.text.len - from), from);
		piece_drop(r, close + 1, close + 3);
	}
	r->p[i].text = "(SELECT unnest";
	r->p[close].after = arena_printf(r->arena, "%s)", number);
	return true;
}

/* Functions of the catalog that return sets are lists here. */
static void set_in_from(struct rewriter *r, size_t i, size_t close)
{
	static const struct {
		const char *name, *open, *close;
	} sets[] = {{"pg_partition_ancestors", "unnest(_pg.main._partition_list", ")"},
		    {"pg_listening_channels", "unnest(_pg.main._channel_list", ")"},
		    {"aclexplode", "(SELECT unnest(_pg.main._acl_list", ", max_depth := 2))"},
		    {"_pg_expandarray", "(SELECT unnest(_pg.main._expanded_list", ", max_depth := 2))"},
		    {"generate_subscripts", "unnest(_pg.main._subscript_list", ")"},
		    {"string_to_array", "(SELECT _pg.main.string_to_array", ")"}};
	for (size_t k = 0; k < ARRAY_LEN(sets); k++)
		if (piece_named(r, i, sets[k].name) && close < r->n) {
			r->p[i].text = sets[k].open;
			r->p[close].after = sets[k].close;
			if (vector_subscripts(r, i, close))
				r->p[i].text = "unnest(_pg.main._vector_subscript_list";
		}
}

/* PostgreSQL names the one column of a function in FROM after the table's alias; the engine does not. */
static void name_series(struct rewriter *r, size_t i, size_t alias)
{
	static const char *const series[] = {"generate_series", "unnest",	    "generate_subscripts",
					     "string_to_array", "json_object_keys", "jsonb_object_keys",
					     "string_to_table", "regexp_matches",   "regexp_split_to_table"};
	bool is_series = false;
	for (size_t k = 0; k < ARRAY_LEN(series); k++)
		is_series = is_series || piece_named(r, i, series[k]);
	if (!is_series || !alias_follows(r, alias))
		return;
	alias += piece_is(r, alias, "as");
	if (!piece_punct(r, alias + 1, '(') && alias < r->n && !piece_is(r, alias, "with"))
		r->p[alias].after = arena_printf(r->arena, "(%.*s)", SPAN_ARG(r->p[alias].t.text));
}

static void function_in_from(struct rewriter *r, size_t i)
{
	const size_t close = piece_close(r, i + 1);
	if (lists_in_from(r, i, close))
		return;
	if (rewrite_records(r, i, close))
		return;
	if (r->stmt->mentions & MENTIONS_CATALOG)
		set_in_from(r, i, close);
	rewrite_sets(r, i, close, alias_follows(r, close + 1) ? close + 1 + piece_is(r, close + 1, "as") : 0);
	name_series(r, i, close + 1);
}

/* generate_series('2024-01-01', '2024-02-01', '1 day'): the engine does not guess that these are times. */
static void series_of_times(struct rewriter *r, size_t i)
{
	const size_t close = piece_close(r, i + 1);
	size_t argument = 0;
	if (!piece_is(r, i, "generate_series") || close >= r->n || !piece_kind(r, close - 1, TOKEN_STRING) ||
	    !piece_punct(r, close - 2, ','))
		return;
	for (size_t k = i + 2; k < close; k++) {
		if (r->p[k].enclosing != i + 1)
			continue;
		if (piece_punct(r, k, ','))
			argument++;
		else if (piece_kind(r, k, TOKEN_STRING) && (k == i + 2 || piece_punct(r, k - 1, ',')) &&
			 (k + 1 == close || piece_punct(r, k + 1, ',')))
			r->p[k].after = argument == 2 ? "::INTERVAL" : "::TIMESTAMP";
	}
}

/* A series that is selected is rows, not a list; subscripts of a vector count from 0. */
static void series_in_list(struct rewriter *r, size_t i)
{
	size_t close = piece_close(r, i + 1);
	if (!r->p[i].in_select_list || close >= r->n)
		return;
	if (piece_is(r, i, "generate_series") && !piece_punct(r, close + 1, '[')) {
		r->p[i].text = "unnest(generate_series";
		r->p[close].after = ")";
	} else if ((r->stmt->mentions & MENTIONS_CATALOG) && vector_subscripts(r, i, close)) {
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

/* Of a call whose arguments end at `close`: the last token of the clauses behind it. */
static size_t clauses_end(const struct rewriter *r, size_t close)
{
	size_t end = close;
	if (piece_is(r, end + 1, "filter") && piece_close(r, end + 2) < r->n)
		end = piece_close(r, end + 2);
	if (piece_is(r, end + 1, "over") && piece_close(r, end + 2) < r->n)
		end = piece_close(r, end + 2);
	else if (piece_is(r, end + 1, "over") && piece_is_name(r, end + 2))
		end += 2;
	return end;
}

/* json_agg(x ORDER BY y) FILTER (..): the engine's own aggregate of JSON takes no clauses, its lists do. */
static void json_of_list(struct rewriter *r, size_t i)
{
	const size_t close = piece_close(r, i + 1);
	if ((!piece_is(r, i, "json_agg") && !piece_is(r, i, "jsonb_agg")) || close >= r->n)
		return;
	const size_t end = clauses_end(r, close);
	bool clauses = end > close || piece_is(r, i + 2, "distinct");
	for (size_t k = i + 2; k < close; k++)
		clauses = clauses || (piece_is(r, k, "order") && r->p[k].enclosing == i + 1);
	if (!clauses || !piece_edit(r))
		return;
	r->p[i].text = "to_json(list";
	piece_wrap(r, end, end, "", ")");
}

/* Functions the engine has under another name. */
static void rename_function(struct rewriter *r, size_t i)
{
	static const struct {
		const char *theirs, *ours;
		bool catalog_only;
	} names[] = {{"format", "_pg.main.pg_format", true}, /* the engine's has other marks */
		     {"json_build_object", "json_object", false}, {"jsonb_build_object", "json_object", false},
		     {"json_build_array", "json_array", false},	  {"jsonb_build_array", "json_array", false},
		     {"json_agg", "json_group_array", false},	  {"jsonb_agg", "json_group_array", false}};
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (piece_is(r, i, names[k].theirs) &&
		    (!names[k].catalog_only || (r->stmt->mentions & MENTIONS_CATALOG)))
			r->p[i].text = names[k].ours;
	json_of_list(r, i);
	if (piece_is(r, i, "to_date"))
		time_function(r, i, "::DATE");
	else if (piece_is(r, i, "to_timestamp"))
		time_function(r, i, "::TIMESTAMPTZ");
}

/* Whether a table stands behind the FROM or JOIN before i: extract(epoch FROM now()) and its like have another. */
static bool is_table(const struct rewriter *r, size_t i)
{
	const size_t open = i ? r->p[i].enclosing : 0;
	const bool follows =
		i && (piece_is(r, i - 1, "from") || piece_is(r, i - 1, "join") || piece_is(r, i - 1, "lateral"));
	return follows && (open == SIZE_MAX || !piece_is_name(r, open - 1) || piece_is(r, open + 1, "select"));
}

/* FROM now() n: a function of one value is a table of one row. */
static void value_in_from(struct rewriter *r, size_t i, size_t first)
{
	static const char *const names[] = {
		"now",	   "current_schema", "current_database",      "current_setting", "version",
		"nextval", "set_config",     "transaction_timestamp", "clock_timestamp", "statement_timestamp",
		"to_json", "to_jsonb",	     "gen_random_uuid",	      "pg_backend_pid",	 "row_to_json"};
	const size_t close = piece_close(r, i + 1);
	bool is_value = r->p[i].dropped;
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		is_value = is_value || piece_named(r, i, names[k]);
	if (!is_value || !is_table(r, first) || close >= r->n || !piece_edit(r))
		return;
	const struct span name = r->p[i].t.text;
	const bool as = piece_is(r, close + 1, "as");
	const size_t alias = close + 1 + as;
	r->p[first].before = "(SELECT ";
	if (!alias_follows(r, close + 1)) {
		r->p[close].after = arena_printf(r->arena, " AS %.*s) AS %.*s", SPAN_ARG(name), SPAN_ARG(name));
	} else {
		r->p[close].after = ")";
		if (!piece_punct(r, alias + 1, '('))
			r->p[alias].after = arena_printf(r->arena, "(%.*s)", SPAN_ARG(r->p[alias].t.text));
	}
}

/* PostgreSQL looks for a function in pg_catalog first, the engine for a macro of the tenant's. */
static void own_function(struct rewriter *r, size_t i)
{
	if ((r->stmt->mentions & MENTIONS_CATALOG) && !r->p[i].text && !r->p[i].dropped &&
	    catalog_function(token_name(r->p[i].t, r->arena)))
		r->p[i].text = arena_printf(r->arena, "_pg.main.%.*s", SPAN_ARG(r->p[i].t.text));
}

/* lag(x, 2): the offset is PostgreSQL's integer; with the least of its bigints the engine ends the process. */
static void integer_offset(struct rewriter *r, size_t i)
{
	static const char *const tails[] = {"order", "ignore", "respect"};
	const size_t open = i + 1, close = piece_close(r, open);
	size_t comma = 0, end = close;
	if ((!piece_is(r, i, "lag") && !piece_is(r, i, "lead")) || close >= r->n || !token_is_window(r->p[close + 1].t))
		return;
	for (size_t k = open + 1; k < end; k++) {
		const bool is_comma = piece_punct(r, k, ',');
		if (r->p[k].enclosing != open)
			continue;
		if (comma && (is_comma || token_is_one_of(r->p[k].t, tails, ARRAY_LEN(tails))))
			end = k;
		else if (is_comma)
			comma = k;
	}
	if (!comma || !piece_edit(r))
		return;
	r->p[comma].text = ", CAST((";
	r->p[end].before = ") AS INTEGER) ";
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
	integer_offset(r, i);
	series_of_times(r, i);
	value_in_from(r, i, first);
	if (stands_in_from(r, first))
		function_in_from(r, i);
	else
		series_in_list(r, i);
	if (!qualified)
		own_function(r, i);
}

/* t.xmin of a catalog's relation, by which tools tell whether they know a row already: the rows here have no versions. */
static bool row_version(struct rewriter *r, size_t i)
{
	if (!piece_is(r, i, "xmin") || i < 2 || !piece_punct(r, i - 1, '.') ||
	    !(r->stmt->mentions & MENTIONS_CATALOG) || !piece_edit(r))
		return false;
	piece_drop(r, i - 2, i);
	r->p[i].text = "1::UINTEGER";
	return true;
}

/* The alias "at", which the engine would take for a point in time. */
static bool alias_at(struct rewriter *r, size_t i)
{
	if (!piece_is(r, i, "at") || piece_is(r, i + 1, "time") || piece_punct(r, i + 1, '(') ||
	    !(r->stmt->mentions & MENTIONS_CATALOG))
		return false;
	r->p[i].text = "\"at\"";
	return true;
}

/* SELECT last_value, is_called FROM s: a sequence read like a table, which the engine does not know. */
static void sequence_state(struct rewriter *r)
{
	struct buf name = BUF(4000), quoted = BUF(8000);
	size_t from = 4;
	if (piece_is(r, 3, "log_cnt") && piece_punct(r, 4, ','))
		from = 6;
	const bool asks = piece_is(r, 0, "select") && piece_is(r, 1, "last_value") && piece_punct(r, 2, ',') &&
			  piece_is(r, from - 1, "is_called") && piece_is(r, from, "from");
	const bool plain = r->n == from + 2 || (r->n == from + 4 && piece_punct(r, from + 2, '.'));
	if (!asks || !plain || !piece_edit(r))
		return;
	for (size_t i = from + 1; i < r->n; i++)
		buf_span(&name, r->p[i].t.text);
	lexer_quote_string(&quoted, buf_view(&name));
	if (!name.failed && !quoted.failed) {
		piece_drop(r, from + 1, r->n);
		r->p[from + 1].text =
			arena_printf(r->arena, "_pg.main._sequence_states WHERE oid = _pg.main.regclass_oid(%.*s)",
				     SPAN_ARG(buf_view(&quoted)));
	}
	buf_done(&name);
	buf_done(&quoted);
}

void rewrite_calls(struct rewriter *r)
{
	if (r->stmt->mentions & MENTIONS_FUNCTION)
		sequence_state(r);
	bool relations = r->hooks->relation && (r->stmt->mentions & MENTIONS_CATALOG);
	for (size_t i = 0; i < r->n; i++) {
		if (!piece_is_name(r, i))
			continue;
		if (row_version(r, i) || alias_at(r, i))
			continue;
		if (piece_punct(r, i + 1, '('))
			rewrite_call(r, i);
		else if (relations && !piece_punct(r, i + 1, '.') && r->p[i].t.text.len > 3)
			session_relation(r, i);
	}
}
