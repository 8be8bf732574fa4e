#include "pgwire/guc.h"

#include "base/arena.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct guc_row ROWS[] = {
#define GUC(name_, type_, value_, unit_, least_, most_, words_, rule_, reported_) \
	{.name = #name_,                                                          \
	 .type = GUC_##type_,                                                     \
	 .value = (value_),                                                       \
	 .unit = (unit_),                                                         \
	 .least = (double)(least_),                                               \
	 .most = (double)(most_),                                                 \
	 .words = (words_),                                                       \
	 .rule = GUC_##rule_,                                                     \
	 .reported = (reported_)},
#include "pgwire/guc.def"
#undef GUC
};

const struct guc_row *guc_row(enum guc_id id)
{
	return &ROWS[id];
}

enum guc_id guc_find(struct span name)
{
	for (size_t i = 0; i < GUC_COUNT; i++)
		if (span_eq_nocase(name, span_of(ROWS[i].name)))
			return (enum guc_id)i;
	return GUC_COUNT;
}

void gucs_init(struct gucs *g)
{
	*g = (struct gucs){0};
	for (size_t i = 0; i < GUC_COUNT; i++) {
		g->values[i].now = guc_first_value(&ROWS[i]);
		g->values[i].reset = mem_strdup(g->values[i].now);
	}
}

static void undo_drop(struct gucs *g)
{
	while (g->undo_count > 0) {
		free(g->undo[--g->undo_count].now);
		free(g->undo[g->undo_count].base);
	}
	g->undo_mark = 0;
	g->has_mark = false;
}

static void value_done(struct guc_value *v)
{
	free(v->now);
	free(v->reset);
	free(v->saved);
	free(v->base);
}

void gucs_done(struct gucs *g)
{
	for (size_t i = 0; i < GUC_COUNT; i++)
		value_done(&g->values[i]);
	for (size_t i = 0; i < g->custom_count; i++) {
		free(g->custom[i].name);
		value_done(&g->custom[i].value);
	}
	undo_drop(g);
	free(g->undo);
	*g = (struct gucs){0};
}

/* --- values and transactions --- */

static void put(struct gucs *g, struct guc_value *v, const char *text)
{
	if (strcmp(v->now, text) != 0) {
		v->unreported = true;
		g->any_unreported = true;
	}
	char *copy = mem_strdup(text);
	free(v->now);
	v->now = copy;
}

static bool is_noted(const struct gucs *g, const struct guc_value *v)
{
	for (size_t i = g->undo_count; i > g->undo_mark; i--)
		if (g->undo[i - 1].value == v)
			return true;
	return false;
}

/* What ROLLBACK TO a savepoint brings back; behind very many changes, no more. */
static void note_undo(struct gucs *g, struct guc_value *v)
{
	if (!g->has_mark || is_noted(g, v) || g->undo_count == GUC_UNDO_MAX)
		return;
	g->undo = mem_grow(g->undo, (g->undo_count + 1) * sizeof(*g->undo));
	g->undo[g->undo_count++] =
		(struct guc_undo){.value = v, .now = mem_strdup(v->now), .base = v->base ? mem_strdup(v->base) : NULL};
}

size_t gucs_mark(struct gucs *g)
{
	g->has_mark = true;
	g->undo_mark = g->undo_count;
	return g->undo_mark;
}

void gucs_back(struct gucs *g, size_t mark)
{
	while (g->undo_count > mark) {
		struct guc_undo *u = &g->undo[--g->undo_count];
		put(g, u->value, u->now);
		free(u->value->base);
		u->value->base = u->base;
		free(u->now);
	}
	g->undo_mark = mark;
}

static void change(struct gucs *g, struct guc_value *v, const char *text, enum guc_scope scope, bool in_block)
{
	if (in_block)
		note_undo(g, v);
	if (in_block && !v->saved)
		v->saved = mem_strdup(v->now);
	if (in_block && scope == GUC_LOCAL && !v->base)
		v->base = mem_strdup(v->now);
	if (scope != GUC_LOCAL) {
		free(v->base);
		v->base = NULL;
	}
	g->any_touched = g->any_touched || in_block;
	put(g, v, text);
	if (scope == GUC_STARTUP) {
		free(v->reset);
		v->reset = mem_strdup(text);
	}
}

void guc_assign(struct gucs *g, enum guc_id id, const char *value)
{
	change(g, &g->values[id], value, GUC_STARTUP, false);
}

static struct guc_value *find_custom(const struct gucs *g, struct span name)
{
	for (size_t i = 0; i < g->custom_count; i++)
		if (span_eq_nocase(name, span_of(g->custom[i].name)))
			return (struct guc_value *)&g->custom[i].value;
	return NULL;
}

/* Two or more identifiers with dots between. */
static bool is_custom_name(struct span name)
{
	bool fine = name.len < GUC_NAME_MAX && span_find(name, '.') < name.len;
	while (fine && name.ptr) {
		const size_t dot = span_find(name, '.');
		const struct span part = span_first(name, dot);
		fine = part.len > 0 && !isdigit((unsigned char)*part.ptr) && *part.ptr != '$';
		for (size_t i = 0; i < part.len; i++)
			fine = fine &&
			       (isalnum((unsigned char)part.ptr[i]) || part.ptr[i] < 0 || strchr("_$", part.ptr[i]));
		name = dot < name.len ? span_skip(name, dot + 1) : SPAN_NONE;
	}
	return fine;
}

static bool unknown(struct pg_error *e, struct span name)
{
	return pg_error_set(e, "42704", "unrecognized configuration parameter \"%.*s\"",
			    SPAN_ARG(span_first_utf8(name, 100)));
}

/* The client's own setting, made when it is first named in SET or RESET. */
static struct guc_value *make_custom(struct gucs *g, struct span name, struct pg_error *e)
{
	struct guc_value *v = find_custom(g, name);
	if (v)
		return v;
	if (span_find(name, '.') == name.len) {
		(void)unknown(e, name);
		return NULL;
	}
	if (!is_custom_name(name)) {
		(void)pg_error_set(e, "42602", "invalid configuration parameter name \"%.*s\"",
				   SPAN_ARG(span_first_utf8(name, 100)));
		pg_error_detail(e, "Custom parameter names must be two or more simple identifiers separated by dots.");
		return NULL;
	}
	if (g->custom_count == GUC_CUSTOM_MAX) {
		(void)pg_error_set(e, "53400", "more than %d custom parameters", GUC_CUSTOM_MAX);
		return NULL;
	}
	struct guc_custom *c = &g->custom[g->custom_count++];
	c->name = mem_copy(name);
	c->value = (struct guc_value){.now = mem_strdup(""), .reset = mem_strdup("")};
	return &c->value;
}

static bool set_custom(struct gucs *g, struct span name, struct span value, enum guc_scope scope, bool in_block,
		       struct pg_error *e)
{
	char text[GUC_VALUE_MAX];
	if (value.len >= sizeof(text))
		return pg_error_set(e, "22023", "value of parameter \"%.*s\" is too long",
				    SPAN_ARG(span_first_utf8(name, 100)));
	struct guc_value *v = make_custom(g, name, e);
	if (!v)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", SPAN_ARG(value));
	change(g, v, text, scope, in_block);
	return true;
}

bool guc_set(struct gucs *g, struct span name, struct span value, enum guc_scope scope, bool in_block,
	     struct pg_error *e)
{
	char text[GUC_VALUE_MAX];
	enum guc_id id = guc_find(name);
	if (id == GUC_COUNT)
		return set_custom(g, name, value, scope, in_block, e);
	if (!guc_check(g, id, name, value, text, e))
		return false;
	change(g, &g->values[id], text, scope, in_block);
	return true;
}

bool guc_reset(struct gucs *g, struct span name, enum guc_scope scope, bool in_block, struct pg_error *e)
{
	enum guc_id id = guc_find(name);
	if (id != GUC_COUNT && !guc_check_fixed(&ROWS[id], name, e))
		return false;
	struct guc_value *v = id == GUC_COUNT ? make_custom(g, name, e) : &g->values[id];
	if (v)
		change(g, v, v->reset, scope, in_block);
	return v != NULL;
}

void guc_reset_all(struct gucs *g, bool in_block)
{
	struct pg_error ignored;
	for (size_t i = 0; i < GUC_COUNT; i++)
		if (strcmp(g->values[i].now, g->values[i].reset) != 0)
			(void)!guc_reset(g, span_of(ROWS[i].name), GUC_SESSION, in_block, &ignored);
	for (size_t i = 0; i < g->custom_count; i++)
		change(g, &g->custom[i].value, g->custom[i].value.reset, GUC_SESSION, in_block);
}

bool guc_show(const struct gucs *g, struct span name, const char **ret, struct pg_error *e)
{
	enum guc_id id = guc_find(name);
	const struct guc_value *v = id == GUC_COUNT ? find_custom(g, name) : &g->values[id];
	if (!v)
		return unknown(e, name);
	*ret = v->now;
	return true;
}

static void end_value(struct gucs *g, struct guc_value *v, bool commit)
{
	const char *back = commit ? v->base : v->saved;
	if (back)
		put(g, v, back);
	free(v->base);
	free(v->saved);
	v->base = v->saved = NULL;
}

static void end_all(struct gucs *g, bool commit)
{
	undo_drop(g);
	if (!g->any_touched)
		return;
	for (size_t i = 0; i < GUC_COUNT; i++)
		end_value(g, &g->values[i], commit);
	for (size_t i = 0; i < g->custom_count; i++)
		end_value(g, &g->custom[i].value, commit);
	g->any_touched = false;
}

void gucs_commit(struct gucs *g)
{
	end_all(g, true);
}

void gucs_rollback(struct gucs *g)
{
	end_all(g, false);
}

const char *guc_text(const struct gucs *g, enum guc_id id)
{
	return g->values[id].now;
}

bool guc_bool(const struct gucs *g, enum guc_id id)
{
	return strcmp(g->values[id].now, "on") == 0;
}

int64_t guc_int(const struct gucs *g, enum guc_id id)
{
	return llrint(guc_number(&ROWS[id], g->values[id].now));
}

const char *guc_reset_text(const struct gucs *g, enum guc_id id)
{
	return g->values[id].reset;
}

bool guc_is_reported(enum guc_id id)
{
	return ROWS[id].reported;
}

bool guc_next_report(struct gucs *g, const char **ret_name, const char **ret_value)
{
	if (!g->any_unreported)
		return false;
	for (size_t i = 0; i < GUC_COUNT; i++) {
		bool pending = g->values[i].unreported;
		g->values[i].unreported = false;
		if (pending && ROWS[i].reported) {
			*ret_name = ROWS[i].name;
			*ret_value = g->values[i].now;
			return true;
		}
	}
	g->any_unreported = false;
	return false;
}
