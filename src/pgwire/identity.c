/*
 * Columns GENERATED ALWAYS AS IDENTITY. For the engine they have a default from a sequence, whose comment tells what they
 * are; that statements give them no values is seen to here, from the tokens.
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

static bool opens(struct token t)
{
	return token_is_punct(t, '(') || token_is_punct(t, '[') || token_is_punct(t, '{');
}

static bool closes(struct token t)
{
	return token_is_punct(t, ')') || token_is_punct(t, ']') || token_is_punct(t, '}');
}

/* To what ends an item of a list; true when the item is the word DEFAULT. */
static bool item_is_default(struct walk *w)
{
	bool is_default = token_is(w->now, "default");
	size_t tokens = 0;
	for (size_t depth = 0; w->now.kind != TOKEN_END; step(w), tokens++) {
		if (depth == 0 && (closes(w->now) || token_is_punct(w->now, ',')))
			break;
		if (opens(w->now))
			depth++;
		else if (closes(w->now))
			depth--;
	}
	return is_default && tokens == 1;
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
		for (size_t i = 0; !closes(w->now) && w->now.kind != TOKEN_END; i++) {
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

bool identity_check(struct backend *b, const struct stmt *s, struct pg_error *e)
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
	return true;
}
