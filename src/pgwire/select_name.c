#include "pgwire/select_name.h"

#include "base/buf.h"

enum { NESTING_MAX = 100 };

/* How sure a name is: a cast's type and CASE make way for what stands inside. */
enum strength { UNNAMED, WEAK, STRONG, FOREIGN };

struct expression {
	const struct token *t;
	size_t from, end;
	struct arena *arena;
	unsigned depth;
};

static enum strength name_of(const struct expression *x, struct span *ret);

size_t select_behind_bracket(const struct token *t, size_t i, size_t n)
{
	for (size_t depth = 0; i < n; i++) {
		if (token_opens(t[i]))
			depth++;
		else if (token_closes(t[i]) && --depth == 0)
			return i + 1;
	}
	return n;
}

/* Behind the END of the CASE at i. */
static size_t behind_case(const struct token *t, size_t i, size_t n)
{
	for (size_t depth = 0; i < n; i++) {
		if (token_is(t[i], "case"))
			depth++;
		else if (token_is(t[i], "end") && --depth == 0)
			return i + 1;
	}
	return n;
}

/* What follows the token at i, a bracket or CASE being one. */
static size_t step(const struct expression *x, size_t i)
{
	if (token_opens(x->t[i]))
		return select_behind_bracket(x->t, i, x->end);
	return token_is(x->t[i], "case") ? behind_case(x->t, i, x->end) : i + 1;
}

/* Outside of brackets: an operator, in words or signs. */
static bool has_operator(const struct expression *x)
{
	static const char *const words[] = {"and",   "or",	"not",	   "is",     "in",	"like",
					    "ilike", "similar", "between", "isnull", "notnull", "overlaps"};
	for (size_t i = x->from; i < x->end; i = step(x, i))
		if (x->t[i].kind == TOKEN_OPERATOR || token_is_one_of(x->t[i], words, ARRAY_LEN(words)))
			return true;
	return false;
}

/* The last of a word outside of brackets; x->end: there is none. */
static size_t find_last(const struct expression *x, const char *word)
{
	size_t found = x->end;
	for (size_t i = x->from; i < x->end; i = step(x, i))
		if (word ? token_is(x->t[i], word) : x->t[i].kind == TOKEN_CAST)
			found = i;
	return found;
}

static enum strength part(const struct expression *x, size_t from, size_t end, struct span *ret)
{
	const struct expression inner = {x->t, from, end, x->arena, x->depth + 1};
	return name_of(&inner, ret);
}

/* PostgreSQL's own name of a type as SQL spells it. */
static struct span type_name(const struct expression *x, size_t from, size_t end)
{
	static const struct {
		const char *first, *last, *name;
	} types[] = {{"int", NULL, "int4"},
		     {"integer", NULL, "int4"},
		     {"smallint", NULL, "int2"},
		     {"bigint", NULL, "int8"},
		     {"real", NULL, "float4"},
		     {"float", NULL, "float8"},
		     {"double", NULL, "float8"},
		     {"boolean", NULL, "bool"},
		     {"decimal", NULL, "numeric"},
		     {"dec", NULL, "numeric"},
		     {"character", "varying", "varchar"},
		     {"char", "varying", "varchar"},
		     {"character", NULL, "bpchar"},
		     {"char", NULL, "bpchar"},
		     {"bit", "varying", "varbit"},
		     {"timestamp", "with", "timestamptz"},
		     {"time", "with", "timetz"}};
	if (from + 2 < end && token_is_punct(x->t[from + 1], '.'))
		from += 2;
	if (from >= end || !token_is_name(x->t[from]))
		return SPAN("?column?");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t last = from + 1;
		while (types[i].last && last < end && !token_is(x->t[last], types[i].last))
			last++;
		if (token_is(x->t[from], types[i].first) && (!types[i].last || last < end))
			return span_of(types[i].name);
	}
	return token_name(x->t[from], x->arena);
}

/* A cast of from..as to the type at..end. */
static enum strength of_cast(const struct expression *x, size_t from, size_t as, size_t at, size_t end,
			     struct span *ret)
{
	const enum strength inner = part(x, from, as, ret);
	if (inner == STRONG)
		return inner;
	*ret = type_name(x, at, end);
	return WEAK;
}

/* CAST(x AS type), its bracket being from..end. */
static enum strength of_cast_call(const struct expression *x, size_t open, struct span *ret)
{
	const struct expression inside = {x->t, open + 1, x->end - 1, x->arena, x->depth};
	const size_t as = find_last(&inside, "as");
	return as == inside.end ? UNNAMED : of_cast(x, inside.from, as, as + 1, inside.end, ret);
}

static enum strength of_case(const struct expression *x, struct span *ret)
{
	const struct expression inside = {x->t, x->from + 1, x->end - 1, x->arena, x->depth};
	const size_t otherwise = find_last(&inside, "else");
	if (otherwise < inside.end && part(x, otherwise + 1, inside.end, ret) == STRONG)
		return STRONG;
	*ret = SPAN("case");
	return WEAK;
}

/* (SELECT x ...): the name of its one column. */
static enum strength of_subquery(const struct expression *x, struct span *ret)
{
	size_t end = x->from + 2;
	const struct expression inside = {x->t, x->from + 1, x->end - 1, x->arena, x->depth};
	while (end < inside.end && !token_is(x->t[end], "from") && !token_is(x->t[end], "union") &&
	       !token_is(x->t[end], "order") && !token_is(x->t[end], "limit") && !token_is(x->t[end], "where"))
		end = step(&inside, end);
	if (end > x->from + 3 && token_is(x->t[end - 2], "as") && token_is_name(x->t[end - 1])) {
		*ret = token_name(x->t[end - 1], x->arena);
		return STRONG;
	}
	return part(x, x->from + 2, end, ret);
}

static enum strength of_brackets(const struct expression *x, struct span *ret)
{
	const struct expression inside = {x->t, x->from + 1, x->end - 1, x->arena, x->depth};
	if (token_is(x->t[x->from + 1], "select"))
		return of_subquery(x, ret);
	for (size_t i = inside.from; i < inside.end; i = step(&inside, i))
		if (token_is_punct(x->t[i], ',')) {
			*ret = SPAN("row");
			return STRONG;
		}
	return part(x, inside.from, inside.end, ret);
}

/* TRIM is three functions. */
static struct span call_name(const struct expression *x, size_t name)
{
	const struct span text = token_name(x->t[name], x->arena);
	if (!span_eq_nocase(text, SPAN("trim")))
		return text;
	const struct token side = x->t[name + 2];
	return token_is(side, "leading") ? SPAN("ltrim") : token_is(side, "trailing") ? SPAN("rtrim") : SPAN("btrim");
}

/* f(..), with what may follow an aggregate or a window function; `open` is its bracket. */
static enum strength of_call(const struct expression *x, size_t open, struct span *ret)
{
	static const char *const behind[] = {"over", "filter", "within", "respect", "ignore"};
	const size_t after = select_behind_bracket(x->t, open, x->end);
	if (after < x->end && !token_is_one_of(x->t[after], behind, ARRAY_LEN(behind)))
		return FOREIGN;
	const struct token name = x->t[open - 1];
	if (open - 1 == x->from && (token_is(name, "cast") || token_is(name, "try_cast")))
		return of_cast_call(x, open, ret);
	*ret = call_name(x, open - 1);
	return STRONG;
}

/* A name, dotted, with whatever stands behind. */
static enum strength of_name(const struct expression *x, struct span *ret)
{
	size_t last = x->from;
	while (last + 2 < x->end && token_is_punct(x->t[last + 1], '.') && token_is_name(x->t[last + 2]))
		last += 2;
	const size_t next = last + 1;
	if (next < x->end && token_is_punct(x->t[next], '(') && x->t[x->end - 1].kind != TOKEN_STRING)
		return of_call(x, next, ret);
	if (next == x->end) {
		*ret = token_name(x->t[last], x->arena);
		if (last > x->from)
			return STRONG;
		static const char *const constants[] = {"null", "default", "true", "false"};
		return token_is_one_of(x->t[last], constants, ARRAY_LEN(constants)) ? UNNAMED : STRONG;
	}
	/* date '..', interval '1' day */
	for (size_t i = next; i < x->end; i = step(x, i))
		if (x->t[i].kind == TOKEN_STRING) {
			*ret = type_name(x, x->from, i);
			return WEAK;
		}
	return FOREIGN;
}

/* x[1], ARRAY[1, 2] */
static enum strength of_subscript(const struct expression *x, struct span *ret)
{
	size_t open = x->from;
	for (size_t i = x->from; i < x->end; i = step(x, i))
		open = i;
	if (open == x->from + 1 && token_is(x->t[x->from], "array")) {
		*ret = SPAN("array");
		return STRONG;
	}
	return open > x->from ? part(x, x->from, open, ret) : FOREIGN;
}

/* (x).y */
static bool is_field_of_brackets(const struct expression *x)
{
	return token_is_punct(x->t[x->from], '(') && x->end - x->from > 2 && token_is_punct(x->t[x->end - 2], '.') &&
	       token_is_name(x->t[x->end - 1]);
}

/* What binds closer than operators. */
static enum strength of_term(const struct expression *x, struct span *ret)
{
	const struct token first = x->t[x->from];
	const bool whole = step(x, x->from) == x->end;
	if (token_is_punct(first, '(') && whole)
		return of_brackets(x, ret);
	if (token_is(first, "case"))
		return whole ? of_case(x, ret) : FOREIGN;
	if (token_is_punct(x->t[x->end - 1], ']'))
		return of_subscript(x, ret);
	if (token_is_name(first))
		return of_name(x, ret);
	if (is_field_of_brackets(x)) {
		*ret = token_name(x->t[x->end - 1], x->arena);
		return STRONG;
	}
	return x->end - x->from == 1 && !token_opens(first) ? UNNAMED : FOREIGN;
}

static enum strength name_of(const struct expression *x, struct span *ret)
{
	if (x->from >= x->end || x->depth > NESTING_MAX)
		return FOREIGN;
	if (has_operator(x))
		return UNNAMED;
	const size_t zone = find_last(x, "zone");
	if (zone > x->from + 1 && zone < x->end && token_is(x->t[zone - 1], "time") && token_is(x->t[zone - 2], "at")) {
		*ret = SPAN("timezone");
		return STRONG;
	}
	const size_t collate = find_last(x, "collate");
	if (collate < x->end)
		return part(x, x->from, collate, ret);
	const size_t cast = find_last(x, NULL);
	if (cast < x->end)
		return of_cast(x, x->from, cast, cast + 1, x->end, ret);
	return of_term(x, ret);
}

struct span select_name(const struct token *t, size_t from, size_t end, struct arena *arena)
{
	const struct expression x = {t, from, end, arena, 0};
	struct span name = SPAN_NONE;
	switch (name_of(&x, &name)) {
	case UNNAMED:
		return SPAN("?column?");
	case FOREIGN:
		return SPAN_NONE;
	default:
		return name;
	}
}
