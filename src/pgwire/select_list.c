#include "pgwire/select_list.h"

#include "pgwire/select_name.h"

struct reader {
	struct arena *arena;
	struct token *t;
	size_t n; /* behind the last stands an end token */
	struct select_list *list;
	bool lost; /* something was not understood */
	bool beyond;
};

static bool is_star(struct token t)
{
	return t.kind == TOKEN_OPERATOR && span_is(t.text, "*");
}

/* Words that end the list of tables. */
static bool ends_from(struct token t)
{
	static const char *const words[] = {"where",  "group", "having", "window",  "order",	"limit",
					    "offset", "fetch", "for",	 "qualify", "returning"};
	return t.kind == TOKEN_END || token_is_one_of(t, words, ARRAY_LEN(words));
}

/* Words that make of several results one, or another table of one. */
static bool is_beyond(struct token t)
{
	static const char *const words[] = {"union", "intersect", "except", "pivot", "unpivot", "into"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

/* Words that may follow a table without being its alias. */
static bool is_alias(struct token t)
{
	static const char *const words[] = {"join",    "inner",	      "left", "right",	    "full",    "cross",
					    "natural", "asof",	      "on",   "positional", "semi",    "anti",
					    "using",   "tablesample", "set",  "values",	    "default", "select"};
	return token_is_name(t) && !ends_from(t) && !is_beyond(t) && !token_is_one_of(t, words, ARRAY_LEN(words));
}

static bool tokenize(struct reader *r, struct span text)
{
	size_t cap = 64;
	struct lexer lx = {text};
	r->t = arena_array(r->arena, struct token, cap);
	for (;; r->n++) {
		if (r->n == cap) {
			if (cap > SELECT_TOKENS_MAX)
				return false;
			struct token *more = arena_array(r->arena, struct token, cap * 2);
			memcpy(more, r->t, cap * sizeof(*more));
			r->t = more;
			cap *= 2;
		}
		r->t[r->n] = lexer_next(&lx);
		if (r->t[r->n].kind == TOKEN_END || r->t[r->n].kind == TOKEN_BAD)
			return r->t[r->n].kind == TOKEN_END;
	}
}

static size_t behind_bracket(const struct reader *r, size_t i)
{
	return select_behind_bracket(r->t, i, r->n);
}

/* A name with up to two in front: how many tokens. */
static size_t dotted(const struct reader *r, size_t i, size_t end)
{
	size_t n = 0;
	if (i >= end || !token_is_name(r->t[i]))
		return 0;
	for (n = 1; n < 5 && i + n + 1 < end && token_is_punct(r->t[i + n], '.') && token_is_name(r->t[i + n + 1]);)
		n += 2;
	return n;
}

/* What an expression may end with, so that a name behind it can only be a label. */
static bool ends_operand(const struct reader *r, size_t from, size_t i)
{
	static const char *const more_follows[] = {"and",   "or",      "not",	  "is",	    "in",	"like",
						   "ilike", "similar", "between", "from",   "at",	"zone",
						   "to",    "over",    "collate", "escape", "then",	"else",
						   "when",  "case",    "as",	  "with",   "distinct", "time"};
	const struct token t = r->t[i];
	/* interval '1' day */
	if (t.kind == TOKEN_STRING)
		return i == from || !token_is(r->t[i - 1], "interval");
	if (t.kind == TOKEN_NUMBER || t.kind == TOKEN_PARAM || token_is_punct(t, ')') || token_is_punct(t, ']'))
		return true;
	return token_is_name(t) && !token_is_one_of(t, more_follows, ARRAY_LEN(more_follows));
}

/* Without the label, which makes `*end` smaller. */
static bool take_label(const struct reader *r, size_t from, size_t *end)
{
	static const char *const no_labels[] = {"end",	   "null",   "true",	"false", "precision",
						"varying", "isnull", "notnull", "zone"};
	if (*end - from < 2 || !token_is_name(r->t[*end - 1]))
		return false;
	if (token_is(r->t[*end - 2], "as")) {
		*end -= 2;
		return true;
	}
	if (token_is_one_of(r->t[*end - 1], no_labels, ARRAY_LEN(no_labels)) || !ends_operand(r, from, *end - 2))
		return false;
	*end -= 1;
	return true;
}

static bool has_columns_call(const struct reader *r, size_t from, size_t end)
{
	for (size_t i = from; i + 1 < end; i++)
		if (token_is(r->t[i], "columns") && token_is_punct(r->t[i + 1], '('))
			return true;
	return false;
}

/* "*" or "t.*", whose name in front has n tokens. */
static bool is_star_item(const struct reader *r, size_t from, size_t end, size_t n)
{
	const size_t behind = from + n;
	if (!n)
		return end - from == 1 && is_star(r->t[from]);
	return behind + 2 == end && token_is_punct(r->t[behind], '.') && is_star(r->t[behind + 1]);
}

/* Of stars that leave columns out or choose them nobody knows how many there are. */
static bool is_star_expression(const struct reader *r, size_t from, size_t end, size_t n)
{
	return is_star(r->t[from]) || (n && token_is_punct(r->t[from + n], '.')) || has_columns_call(r, from, end);
}

static void take_item(struct reader *r, size_t from, size_t end)
{
	struct select_item *item = &r->list->items[r->list->item_count++];
	item->labelled = take_label(r, from, &end);
	const size_t n = dotted(r, from, end), behind = from + n;
	if (is_star_item(r, from, end, n)) {
		item->kind = ITEM_STAR;
		item->table = n ? token_name(r->t[behind - 1], r->arena) : SPAN_NONE;
		r->lost = r->lost || item->labelled;
		return;
	}
	r->lost = r->lost || from == end || is_star_expression(r, from, end, n);
	item->name = item->labelled ? SPAN_NONE : select_name(r->t, from, end, r->arena);
	if (n && behind == end) {
		item->kind = ITEM_COLUMN;
		item->column = token_name(r->t[end - 1], r->arena);
		item->table = n > 1 ? token_name(r->t[end - 3], r->arena) : SPAN_NONE;
	} else if (n && token_is_punct(r->t[behind], '(') && behind_bracket(r, behind) == end) {
		item->callee = token_name(r->t[behind - 1], r->arena);
	}
}

/* Not that of IS DISTINCT FROM. */
static bool starts_from(const struct reader *r, size_t at)
{
	return token_is(r->t[at], "from") && !token_is(r->t[at - 1], "distinct");
}

/* The list from `at`; returns where it ends. */
static size_t take_items(struct reader *r, size_t at)
{
	size_t from = at;
	r->list->items = arena_array(r->arena, struct select_item, r->n + 1);
	while (at < r->n && !starts_from(r, at) && !ends_from(r->t[at]) && !is_beyond(r->t[at])) {
		if (token_opens(r->t[at])) {
			at = behind_bracket(r, at);
			continue;
		}
		if (token_is_punct(r->t[at], ',')) {
			take_item(r, from, at);
			from = at + 1;
		}
		at++;
	}
	if (from < at)
		take_item(r, from, at);
	return at;
}

/* A table by its name; returns what follows. */
static size_t take_table(struct reader *r, struct select_source *source, size_t at)
{
	size_t n = dotted(r, at, r->n);
	source->known = n && n <= 3;
	source->name = source->alias = n ? token_name(r->t[at + n - 1], r->arena) : SPAN_NONE;
	source->schema = n > 1 ? token_name(r->t[at + n - 3], r->arena) : SPAN_NONE;
	return at + n;
}

/* AS name, or a name alone. */
static size_t take_alias(struct reader *r, struct select_source *source, size_t at)
{
	bool as = token_is(r->t[at], "as");
	if (!as && !is_alias(r->t[at]))
		return at;
	at += as;
	source->alias = token_is_name(r->t[at]) ? token_name(r->t[at], r->arena) : SPAN_NONE;
	return at < r->n ? at + 1 : at;
}

/* A table, a subquery or a function, with its alias; returns what follows. */
static size_t take_source(struct reader *r, size_t at)
{
	struct select_source *source = &r->list->sources[r->list->source_count++];
	while (token_is(r->t[at], "lateral") || token_is(r->t[at], "only"))
		at++;
	size_t n = dotted(r, at, r->n);
	if (n && !token_is_punct(r->t[at + n], '(')) {
		at = take_table(r, source, at);
	} else {
		at += n;
		at = token_opens(r->t[at]) ? behind_bracket(r, at) : at + (n == 0 && at < r->n);
	}
	const size_t alias = at;
	at = take_alias(r, source, at);
	/* Columns of other names. */
	source->known = source->known && !(at > alias && token_is_punct(r->t[at], '('));
	r->lost = r->lost || token_is_punct(r->t[at], ':');
	return at;
}

/* The tables from `at` on, and that nothing follows which makes another result of them. */
static void take_sources(struct reader *r, size_t at)
{
	bool expected = true;
	while (!ends_from(r->t[at]) && !r->lost) {
		if (expected)
			at = take_source(r, at);
		expected = token_is_punct(r->t[at], ',') || token_is(r->t[at], "join");
		r->lost = r->lost || is_beyond(r->t[at]);
		if (token_opens(r->t[at]))
			at = behind_bracket(r, at);
		else if (!ends_from(r->t[at]))
			at++;
	}
	for (; at < r->n; at++)
		r->lost = r->lost || is_beyond(r->t[at]);
}

static void read_select(struct reader *r, size_t at)
{
	at++;
	if (token_is(r->t[at], "distinct") || token_is(r->t[at], "all"))
		at++;
	if (token_is(r->t[at], "on") && token_is_punct(r->t[at + 1], '('))
		at = behind_bracket(r, at + 1);
	at = take_items(r, at);
	r->list->has_items = !r->lost && r->list->item_count > 0;
	if (token_is(r->t[at], "from"))
		take_sources(r, at + 1);
	else
		r->lost = r->lost || is_beyond(r->t[at]);
}

/* INSERT INTO t, UPDATE t, DELETE FROM t: the list behind RETURNING is about t. */
static void read_returning(struct reader *r)
{
	size_t at = 1;
	at += token_is(r->t[at], "into") || token_is(r->t[at], "from");
	struct select_source *target = &r->list->sources[r->list->source_count++];
	at = take_alias(r, target, take_table(r, target, at));
	while (at < r->n && !token_is(r->t[at], "returning"))
		at = token_opens(r->t[at]) ? behind_bracket(r, at) : at + 1;
	if (at < r->n)
		(void)take_items(r, at + 1);
	r->list->has_items = !r->lost && r->list->item_count > 0;
}

/* Behind WITH a AS (..), b AS (..), and brackets around the first of several results. */
static size_t skip_with(struct reader *r)
{
	size_t at = 0;
	bool with = token_is(r->t[0], "with");
	while (at < r->n && with && !token_is(r->t[at], "select") && !token_is(r->t[at], "values"))
		at = token_opens(r->t[at]) ? behind_bracket(r, at) : at + 1;
	while (token_is_punct(r->t[at], '('))
		at++;
	r->beyond = at > 0;
	return at;
}

bool select_list_read(const struct stmt *s, struct arena *arena, struct select_list *ret)
{
	struct reader r = {.arena = arena, .list = ret};
	*ret = (struct select_list){0};
	bool returning = s->class == STMT_DML && (s->mentions & MENTIONS_RETURNING);
	if ((s->kind != STMT_SELECT && !returning) || !tokenize(&r, s->text))
		return false;
	const size_t at = skip_with(&r);
	const bool is_select = token_is(r.t[at], "select");
	ret->is_values = token_is(r.t[at], "values");
	if (!is_select && !(returning && !r.beyond))
		return false;
	ret->sources = arena_array(arena, struct select_source, r.n + 1);
	if (is_select)
		read_select(&r, at);
	else
		read_returning(&r);
	return !r.lost && !r.beyond && ret->item_count > 0;
}
