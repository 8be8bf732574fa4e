/* Other forms of what the engine has refused: statements that it takes never come here. */
#include "base/limits.h"
#include "pgwire/rewrite_inner.h"

/* --- GROUP BY the primary key: the other columns of its table follow from it --- */

/* A table of a FROM clause whose key is known. */
struct keyed {
	struct span alias;
	struct rewrite_key is;
	struct keyed *next;
};

/* A SELECT with a GROUP BY, by its tokens. */
struct grouped {
	size_t select, from, by, end;
};

static bool is_beside(const struct rewriter *r, size_t i, size_t other)
{
	return r->p[i].enclosing == r->p[other].enclosing;
}

static bool ends_groups(const struct rewriter *r, size_t i)
{
	static const char *const words[] = {"having", "window", "qualify", "order",  "limit",	  "offset", "fetch",
					    "union",  "except", "for",	   "sample", "intersect", "using",  "on"};
	return token_is_one_of(r->p[i].t, words, ARRAY_LEN(words));
}

/* The words of the SELECT whose GROUP stands at `group`; false: it has no FROM, or groups in several ways. */
static bool read_grouped(const struct rewriter *r, size_t group, struct grouped *ret)
{
	static const char *const several[] = {"all", "rollup", "cube", "grouping", "distinct"};
	*ret = (struct grouped){.select = r->n, .from = r->n, .by = group + 1};
	for (size_t i = group; i-- > 0 && ret->select == r->n;) {
		if (!is_beside(r, i, group))
			continue;
		if (piece_is(r, i, "from") && !piece_is(r, i - 1, "distinct"))
			ret->from = i;
		else if (piece_is(r, i, "select"))
			ret->select = i;
	}
	size_t i = group + 2;
	for (; i < r->n && r->p[group].enclosing != r->p[i].match; i++) {
		if (!is_beside(r, i, group))
			continue;
		if (ends_groups(r, i))
			break;
		if (token_is_one_of(r->p[i].t, several, ARRAY_LEN(several)))
			return false;
	}
	ret->end = i;
	return ret->select < r->n && ret->from < r->n && ret->end > group + 2;
}

/* [s.]t [[AS] alias] at i; returns what follows. */
static size_t read_table(struct rewriter *r, size_t i, struct keyed **list)
{
	static const char *const no_alias[] = {"join", "inner", "left",	 "right",	"full",	     "cross", "natural",
					       "asof", "on",	"using", "tablesample", "where",     "group", "semi",
					       "anti", "as",	"pivot", "unpivot",	"positional"};
	struct keyed k = {.next = *list};
	struct span schema = SPAN_NONE;
	for (; piece_punct(r, i + 1, '.') && piece_is_name(r, i + 2); i += 2)
		schema = token_name(r->p[i].t, r->arena);
	const struct span name = token_name(r->p[i++].t, r->arena);
	k.alias = name;
	i += piece_is(r, i, "as");
	if (piece_is_name(r, i) && !token_is_one_of(r->p[i].t, no_alias, ARRAY_LEN(no_alias)))
		k.alias = token_name(r->p[i++].t, r->arena);
	/* Neither functions nor tables whose columns have other names. */
	if (!piece_punct(r, i, '(') && r->hooks->key(r->hooks->session, schema, name, &k.is)) {
		*list = arena_new_of(r->arena, struct keyed);
		**list = k;
	}
	return i;
}

static struct keyed *read_tables(struct rewriter *r, const struct grouped *g)
{
	static const char *const leads[] = {"from", "join", "lateral", "only"};
	struct keyed *list = NULL;
	bool expected = false;
	for (size_t i = g->from; i + 1 < g->by;) {
		const bool comma = piece_punct(r, i, ',') && is_beside(r, i, g->from);
		if (token_is_one_of(r->p[i].t, leads, ARRAY_LEN(leads)) || comma) {
			expected = true;
			i++;
		} else if (expected && piece_punct(r, i, '(') && !piece_is(r, i + 1, "select") &&
			   !piece_is(r, i + 1, "with") && !piece_is(r, i + 1, "values")) {
			i++;
		} else if (expected && piece_is_name(r, i)) {
			i = read_table(r, i, &list);
			expected = false;
		} else {
			/* What is in brackets has tables of its own. */
			i = token_opens(r->p[i].t) ? piece_close(r, i) + 1 : i + 1;
			expected = false;
		}
	}
	return list;
}

/* The item of the SELECT's list with that number, up to *ret_end. */
static size_t item_numbered(const struct rewriter *r, const struct grouped *g, uint64_t number, size_t *ret_end)
{
	size_t first = g->select + 1;
	for (*ret_end = first; *ret_end < g->from; (*ret_end)++) {
		if (!piece_punct(r, *ret_end, ',') || !is_beside(r, *ret_end, g->from))
			continue;
		if (--number == 0)
			break;
		first = *ret_end + 1;
	}
	if (piece_is(r, *ret_end - 2, "as"))
		*ret_end -= 2;
	return number <= 1 ? first : g->from;
}

/* Whether what stands at `first` is that column of the table. */
static bool is_column(struct rewriter *r, size_t first, size_t end, const struct keyed *k, const char *column)
{
	const size_t n = end - first;
	const bool dotted = n >= 3 && piece_punct(r, end - 2, '.') && piece_is_name(r, end - 3);
	if ((n != 1 && n != 3 && n != 5) || (n > 1 && !dotted) || !piece_is_name(r, end - 1) ||
	    !span_eq_nocase(token_name(r->p[end - 1].t, r->arena), span_of(column)))
		return false;
	return !dotted || span_eq_nocase(token_name(r->p[end - 3].t, r->arena), k->alias);
}

static bool groups_by(struct rewriter *r, const struct grouped *g, const struct keyed *k, const char *column)
{
	for (size_t first = g->by + 1, end; first < g->end; first = end + 1) {
		uint64_t number;
		for (end = first; end < g->end && !(piece_punct(r, end, ',') && is_beside(r, end, g->by));)
			end++;
		size_t from = first, to = end;
		if (to == from + 1 && piece_kind(r, from, TOKEN_NUMBER) && span_u64(r->p[from].t.text, &number))
			from = item_numbered(r, g, number, &to);
		if (from < to && is_column(r, from, to, k, column))
			return true;
	}
	return false;
}

static void complete_groups(struct rewriter *r, size_t group)
{
	struct grouped g;
	struct buf more = BUF(LIMIT_SQL_BYTES);
	if (!read_grouped(r, group, &g))
		return;
	for (const struct keyed *k = read_tables(r, &g); k; k = k->next) {
		size_t found = 0;
		while (found < k->is.key_count && groups_by(r, &g, k, k->is.key[found]))
			found++;
		for (size_t i = 0; found == k->is.key_count && i < k->is.count; i++) {
			buf_str(&more, ", ");
			lexer_quote_name(&more, k->alias);
			buf_byte(&more, '.');
			lexer_quote_name(&more, span_of(k->is.columns[i]));
		}
	}
	r->too_complex = r->too_complex || more.failed;
	if (more.len && !more.failed && piece_edit(r))
		piece_wrap(r, g.end - 1, g.end - 1, "", arena_copy(r->arena, buf_view(&more)));
	buf_done(&more);
}

/* --- ON CONFLICT ON CONSTRAINT name: the columns that it keeps apart --- */

static bool name_conflict(struct rewriter *r, size_t i)
{
	struct buf columns = BUF(LIMIT_SQL_BYTES);
	struct span schema = SPAN_NONE;
	size_t at = 0;
	while (at < i && !piece_is(r, at, "into"))
		at++;
	for (at++; piece_punct(r, at + 1, '.'); at += 2)
		schema = token_name(r->p[at].t, r->arena);
	const struct span table = token_name(r->p[at].t, r->arena), name = token_name(r->p[i + 2].t, r->arena);
	const bool found = r->hooks->constraint(r->hooks->session, schema, table, name, &columns) && !columns.failed;
	if (found && piece_edit(r)) {
		piece_drop(r, i, i + 3);
		r->p[i].before = arena_copy(r->arena, buf_view(&columns));
	}
	buf_done(&columns);
	return found || pg_error_set(r->e, "42704", "constraint \"%.*s\" for table \"%.*s\" does not exist",
				     SPAN_ARG(name), SPAN_ARG(table));
}

/* --- operators of types that the engine has no operators for --- */

/* What stands in front of an operator, the arrows of JSON that bind as it does included. */
static size_t left_operand(const struct rewriter *r, size_t i)
{
	size_t start = piece_operand_start(r, i - 1);
	while (start >= 2 && piece_kind(r, start - 1, TOKEN_OPERATOR) &&
	       (span_starts(r->p[start - 1].t.text, SPAN("->")) || span_starts(r->p[start - 1].t.text, SPAN("#>"))))
		start = piece_operand_start(r, start - 2);
	return start;
}

static void call_operator(struct rewriter *r, size_t i, const char *call)
{
	if (i == 0 || i + 1 >= r->n || !piece_edit(r))
		return;
	piece_wrap(r, left_operand(r, i), i - 1, arena_printf(r->arena, "%s(", call), "");
	r->p[i].text = ",";
	const bool is_signed = r->p[i + 1].t.kind == TOKEN_OPERATOR && i + 2 < r->n;
	piece_wrap(r, i + 1, piece_operand_end(r, i + 1 + is_signed) - 1, "", ")");
}

static void call_operators(struct rewriter *r)
{
	const struct rewrite_operator *o = r->hooks->operators;
	for (size_t i = 0, k = 0; i < r->n && k < r->hooks->operator_count; i++) {
		if (r->p[i].t.text.ptr != o[k].at)
			continue;
		call_operator(r, i, o[k++].call);
	}
}

/* j ? 'a', j ?| names, j ?& names: signs that the engine reads as parameters, which nobody can give; j #- path it refuses. */
static void call_questions(struct rewriter *r)
{
	static const struct {
		const char *sign, *call;
	} signs[] = {{"?", "_pg.main._json_has"},
		     {"?|", "_pg.main._json_has_any"},
		     {"?&", "_pg.main._json_has_all"},
		     {"#-", "_pg.main._json_removed"}};
	for (size_t i = 1; i + 1 < r->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(signs); k++)
			if (piece_operator(r, i, signs[k].sign))
				call_operator(r, i, signs[k].call);
}

bool rewrite_refused(struct rewriter *r)
{
	call_operators(r);
	call_questions(r);
	for (size_t i = 0; i < r->n && (r->hooks->refused & REFUSED_GROUPS); i++)
		if (piece_is(r, i, "group") && piece_is(r, i + 1, "by"))
			complete_groups(r, i);
	for (size_t i = 1; i + 2 < r->n && (r->hooks->refused & REFUSED_CONFLICT); i++)
		if (piece_is(r, i - 1, "conflict") && piece_is(r, i, "on") && piece_is(r, i + 1, "constraint") &&
		    !name_conflict(r, i))
			return false;
	return true;
}
