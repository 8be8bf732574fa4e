#include "pgwire/alter.h"

#include "pgwire/backend.h"

/* Those about constraints alone the engine would not know what to make of. */
static bool is_ours(const struct alteration *a)
{
	for (const struct action *action = a->first; action; action = action->next)
		if (action->kind <= ACTION_KEEP_CONSTRAINT)
			return true;
	return false;
}

static bool no_table(const struct alteration *a, bool *ret_done, struct pg_error *e)
{
	*ret_done = is_ours(a);
	return !*ret_done || a->quietly ||
	       pg_error_set(e, "42P01", "relation \"%.*s\" does not exist", SPAN_ARG(a->table));
}

static void tell_deferrable(struct backend *b, const struct alteration *a)
{
	for (const struct action *action = a->first; action; action = action->next)
		if (action->deferrable) {
			backend_notice(b, PG_WARNING, "01000",
				       "DEFERRABLE has no effect: constraints are checked by each statement");
			return;
		}
}

static void tell_missing(struct backend *b, const struct definition *d, const struct action *a)
{
	if (a->kind == ACTION_DROP_CONSTRAINT && a->quietly && !definition_constraint(d, a->name))
		backend_notice(b, PG_NOTICE, "00000",
			       arena_printf(b->work,
					    "constraint \"%.*s\" of relation \"%.*s\" does not exist, skipping",
					    SPAN_ARG(a->name), SPAN_ARG(d->was)));
}

/* Whether the engine must not be asked, and whether anything is to be written anew. */
static void weigh(const struct definitions *all, const struct alteration *a, bool *ret_needed, bool *ret_changes)
{
	*ret_needed = *ret_changes = false;
	for (const struct action *action = a->first; action; action = action->next) {
		*ret_needed = *ret_needed || alter_needs(all, action);
		*ret_changes = *ret_changes || action->kind != ACTION_KEEP_CONSTRAINT;
	}
}

bool alter_run(struct backend *b, const struct stmt *s, bool *ret_done, struct pg_error *e)
{
	struct alteration a;
	struct definitions all;
	bool known, found, needed, changes;
	*ret_done = false;
	if (strcmp(s->tag, "ALTER TABLE") != 0)
		return true;
	if (!alter_parse(s, b->work, &a, &known, e))
		return false;
	if (!known)
		return true;
	if (!filter_statement(b, s, e) || !run_spool(b, e) || !tables_attach(b, s, e) ||
	    !transaction_begin_implicit(b, e) || !definitions_load(b, a.schema, a.table, &all, &found, e))
		return false;
	if (!found)
		return no_table(&a, ret_done, e);
	weigh(&all, &a, &needed, &changes);
	if (!needed)
		return true;
	*ret_done = true;
	if (!transaction_may_write(b, s, e))
		return false;
	for (const struct action *action = a.first; action; action = action->next) {
		tell_missing(b, &all.list[0], action);
		if (!alter_apply(&all, action, b->work, e))
			return false;
	}
	tell_deferrable(b, &a);
	return !changes || rebuild(b, &all, e);
}
