/*
 * What a statement gives to columns about which the engine does not know enough, seen from its tokens. Columns GENERATED
 * ALWAYS AS IDENTITY have for the engine a default from a sequence, whose comment tells what they are: they get no values.
 * Arrays get texts in PostgreSQL's notation ('{1,2}'), which the engine does not read, and the last columns no values at all.
 */
#include "pgwire/backend.h"
#include "pgwire/wording.h"

struct walk {
	struct lexer lx;
	struct token now;
	struct arena *arena;
};

static void step(struct walk *w)
{
	w->now = lexer_next(&w->lx);
}

static bool word(struct walk *w, const char *text)
{
	const bool found = token_is(w->now, text);
	if (found)
		step(w);
	return found;
}

/* To what ends an item of a list; the item itself when it is one token. */
static struct token lone_item(struct walk *w)
{
	const struct token first = w->now;
	size_t tokens = 0;
	for (size_t depth = 0; w->now.kind != TOKEN_END; step(w), tokens++) {
		if (depth == 0 && (token_closes(w->now) || token_is_punct(w->now, ',')))
			break;
		if (token_opens(w->now))
			depth++;
		else if (token_closes(w->now))
			depth--;
	}
	return tokens == 1 ? first : (struct token){0};
}

static bool item_is_default(struct walk *w)
{
	return token_is(lone_item(w), "default");
}

/* Behind the table's name. */
static bool target(struct walk *w, const struct stmt *s, struct select_source *ret)
{
	const struct token last = wording_target(s);
	*ret = (struct select_source){.known = true};
	if (last.kind == TOKEN_END)
		return false;
	for (step(w); w->now.text.ptr != last.text.ptr; step(w))
		if (token_is_punct(lexer_peek(&w->lx), '.'))
			ret->schema = token_name(w->now, w->arena);
	ret->name = token_name(w->now, w->arena);
	step(w);
	return true;
}

static bool refuse(struct pg_error *e, const char *fmt, const char *column, bool insert)
{
	(void)pg_error_set(e, "428C9", fmt, column);
	pg_error_detail(e, "Column \"%s\" is an identity column defined as GENERATED ALWAYS.", column);
	if (insert)
		pg_error_hint(e, "Use OVERRIDING SYSTEM VALUE to override.");
	return false;
}

/* Where the column's values stand in a row; SIZE_MAX: nowhere. */
static size_t place_of(struct walk *w, const struct origin_table *table, size_t column)
{
	size_t place = SIZE_MAX;
	if (!token_is_punct(w->now, '('))
		return column;
	struct walk ahead = *w;
	step(&ahead);
	if (token_is(ahead.now, "select") || token_is(ahead.now, "with"))
		return column;
	for (size_t i = 0; !token_is_punct(ahead.now, ')') && ahead.now.kind != TOKEN_END; i++) {
		if (span_eq_nocase(token_name(ahead.now, w->arena), span_of(table->columns[column])))
			place = i;
		(void)item_is_default(&ahead);
		if (token_is_punct(ahead.now, ','))
			step(&ahead);
	}
	step(&ahead);
	*w = ahead;
	return place;
}

/* Rows of VALUES: at this place there is DEFAULT, or nothing. */
static bool values_fit(struct walk *w, size_t place)
{
	while (token_is_punct(w->now, '(')) {
		step(w);
		for (size_t i = 0; !token_closes(w->now) && w->now.kind != TOKEN_END; i++) {
			if (!item_is_default(w) && i == place)
				return false;
			if (token_is_punct(w->now, ','))
				step(w);
		}
		step(w);
		if (token_is_punct(w->now, ','))
			step(w);
	}
	return true;
}

static bool check_insert(struct walk w, const struct origin_table *table, size_t column, struct pg_error *e)
{
	static const char refused[] = "cannot insert a non-DEFAULT value into column \"%s\"";
	if (word(&w, "as"))
		step(&w);
	const size_t place = place_of(&w, table, column);
	if (word(&w, "overriding") || place == SIZE_MAX || word(&w, "default"))
		return true;
	const bool fits = word(&w, "values") && values_fit(&w, place);
	return fits || refuse(e, refused, table->columns[column], true);
}

static bool check_update(struct walk w, const struct origin_table *table, size_t column, struct pg_error *e)
{
	while (w.now.kind != TOKEN_END && !token_is(w.now, "set"))
		step(&w);
	step(&w);
	while (token_is_name(w.now)) {
		const bool is_it = span_eq_nocase(token_name(w.now, w.arena), span_of(table->columns[column]));
		step(&w);
		if (w.now.kind == TOKEN_OPERATOR)
			step(&w);
		const bool to_default = token_is(w.now, "default");
		(void)item_is_default(&w);
		if (is_it && !to_default)
			return refuse(e, "column \"%s\" can only be updated to DEFAULT", table->columns[column], false);
		if (!token_is_punct(w.now, ','))
			return true;
		step(&w);
	}
	return true;
}

/* INSERT INTO t [AS x] [(columns)] OVERRIDING USER VALUE */
static bool overrides_user(struct walk w)
{
	if (word(&w, "as"))
		step(&w);
	for (bool list = token_is_punct(w.now, '('); list && w.now.kind != TOKEN_END; step(&w))
		list = !token_is_punct(w.now, ')');
	return word(&w, "overriding") && token_is(w.now, "user");
}

/* --- arrays --- */

struct replaced {
	struct rewrite_literal *literals;
	size_t count, cap;
	struct arena *arena;
};

static uint32_t array_of(const struct origin_table *table, struct span column)
{
	for (size_t i = 0; i < table->count; i++)
		if (span_eq_nocase(column, span_of(table->columns[i])))
			return table->lists[i];
	return 0;
}

static void note(struct replaced *a, const char *at, const char *text)
{
	if (a->count == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 16;
		struct rewrite_literal *more = arena_array(a->arena, struct rewrite_literal, a->cap);
		if (a->count)
			memcpy(more, a->literals, a->count * sizeof(*more));
		a->literals = more;
	}
	a->literals[a->count++] = (struct rewrite_literal){at, text};
}

/* Items are texts, which become what the column holds; what is no array's text is left to the engine. */
static void note_array(struct replaced *a, uint32_t oid, struct token t)
{
	struct pg_error ignored = PG_ERROR_INIT;
	if (!oid || t.kind != TOKEN_STRING || t.text.len < 4 || t.text.ptr[1] != '{')
		return;
	struct buf out = BUF(8 * t.text.len + 200);
	if (literal_write(oid, 0, token_string(t, a->arena), a->arena, &out, &ignored) && !out.failed)
		note(a, t.text.ptr, arena_copy(a->arena, buf_view(&out)));
	buf_done(&out);
}

/* By place in a row, behind the list of columns if there is one; items beyond *ret_count are none. */
static const uint32_t *places(struct walk *w, const struct origin_table *table, size_t *ret_count)
{
	uint32_t *found = arena_array(w->arena, uint32_t, table->count + 1);
	*ret_count = 0;
	if (!token_is_punct(w->now, '(')) {
		*ret_count = table->count;
		return table->lists;
	}
	for (step(w); !token_is_punct(w->now, ')') && w->now.kind != TOKEN_END;) {
		if (*ret_count < table->count)
			found[(*ret_count)++] = array_of(table, token_name(w->now, w->arena));
		(void)lone_item(w);
		if (token_is_punct(w->now, ','))
			step(w);
	}
	step(w);
	return found;
}

static void arrays_in_rows(struct replaced *a, struct walk *w, const struct origin_table *table)
{
	size_t n;
	if (word(w, "as"))
		step(w);
	const uint32_t *lists = places(w, table, &n);
	while (w->now.kind != TOKEN_END && !token_is(w->now, "values"))
		step(w);
	for (step(w); token_is_punct(w->now, '(');) {
		step(w);
		for (size_t i = 0; !token_closes(w->now) && w->now.kind != TOKEN_END; i++) {
			const struct token t = lone_item(w);
			note_array(a, i < n ? lists[i] : 0, t);
			if (token_is_punct(w->now, ','))
				step(w);
		}
		step(w);
		if (token_is_punct(w->now, ','))
			step(w);
	}
}

/* SET a = '{1}', of UPDATE and of ON CONFLICT. */
static void arrays_set(struct replaced *a, struct walk *w, const struct origin_table *table)
{
	while (w->now.kind != TOKEN_END && !token_is(w->now, "set"))
		step(w);
	for (step(w); token_is_name(w->now);) {
		const uint32_t oid = array_of(table, token_name(w->now, w->arena));
		step(w);
		if (w->now.kind == TOKEN_OPERATOR)
			step(w);
		/* What stands behind the last one may be WHERE: a lone text ends in front of it. */
		const struct token t = w->now;
		step(w);
		const bool ends = w->now.kind == TOKEN_END || token_is_punct(w->now, ',') || token_is_name(w->now);
		note_array(a, ends ? oid : 0, t);
		(void)lone_item(w);
		if (!token_is_punct(w->now, ','))
			return;
		step(w);
	}
}

/* INSERT INTO t VALUES (1): the columns behind the last value have their defaults, if they are not named. */
static void name_columns(struct replaced *a, struct walk w, const struct origin_table *table)
{
	size_t n = 0;
	if (word(&w, "as"))
		step(&w);
	const struct token values = w.now;
	if (!word(&w, "values") || !token_is_punct(w.now, '('))
		return;
	do {
		step(&w);
		(void)lone_item(&w);
		n++;
	} while (token_is_punct(w.now, ','));
	if (n >= table->count)
		return;
	struct buf names = BUF(MIB);
	for (size_t i = 0; i < n; i++) {
		buf_str(&names, i ? ", " : "(");
		lexer_quote_name(&names, span_of(table->columns[i]));
	}
	buf_str(&names, ") VALUES");
	if (!names.failed)
		note(a, values.text.ptr, arena_copy(a->arena, buf_view(&names)));
	buf_done(&names);
}

static void find_literals(struct walk w, const struct stmt *s, const struct origin_table *table,
			  struct rewrite_hooks *hooks)
{
	struct replaced a = {.arena = w.arena};
	if (s->kind == STMT_INSERT)
		name_columns(&a, w, table);
	if (table->any_list && memmem(s->text.ptr, s->text.len, "'{", 2)) {
		if (s->kind == STMT_INSERT)
			arrays_in_rows(&a, &w, table);
		arrays_set(&a, &w, table);
	}
	hooks->literals = a.literals;
	hooks->literal_count = a.count;
}

bool identity_check(struct backend *b, const struct stmt *s, struct rewrite_hooks *hooks, struct pg_error *e)
{
	struct walk w = {.lx = {s->text}, .arena = b->work};
	struct select_source source;
	if ((s->kind != STMT_INSERT && s->kind != STMT_UPDATE) || !target(&w, s, &source))
		return true;
	if (s->kind == STMT_INSERT && overrides_user(w)) {
		(void)pg_error_set(e, "0A000", "OVERRIDING USER VALUE is not supported");
		pg_error_hint(e, "Leave the column out of the list: it gets the next number.");
		return false;
	}
	const struct origin_table *table = origins_table(b, &source);
	for (size_t i = 0; i < table->count && table->any_always; i++)
		if (table->always[i] &&
		    !(s->kind == STMT_INSERT ? check_insert(w, table, i, e) : check_update(w, table, i, e)))
			return false;
	find_literals(w, s, table, hooks);
	return true;
}
