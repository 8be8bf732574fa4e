/* The portals of a session: those of Bind and the cursors of SQL have one set of names, and end with their transaction. */
#include "pgwire/backend.h"

#include <stdlib.h>

struct portal *portal_new(struct backend *b, struct span name)
{
	struct arena *arena = b->spare ? b->spare : arena_new();
	struct portal *p = arena_new_of(arena, struct portal);
	b->spare = NULL;
	p->arena = arena;
	p->name = arena_copy(arena, name);
	return p;
}

void portal_free(struct backend *b, struct portal *p)
{
	run_drop(b, p);
	spool_free(b, p->spool);
	if (!p->borrowed)
		statement_free(p->statement);
	prepared_unuse(p->of);
	struct arena *arena = p->arena;
	if (b->spare) {
		arena_free(arena);
	} else {
		arena_reset(arena);
		b->spare = arena;
	}
}

struct portal *portal_find(struct backend *b, struct span name)
{
	return map_get(&b->portals, name);
}

void portal_add(struct backend *b, struct portal *p)
{
	(void)map_put(&b->portals, span_of(p->name), p);
}

void portal_close(struct backend *b, struct portal *p)
{
	(void)map_remove(&b->portals, span_of(p->name));
	portal_free(b, p);
}

/* Those that `goes` says, but the one that runs. */
static void close_some(struct backend *b, bool (*goes)(const struct portal *p, const void *of), const void *of)
{
	struct map_entry *entry;
	for (size_t i = 0; b->portals.count && (entry = map_next(&b->portals, &i));) {
		struct portal *p = entry->value;
		if (p != b->current && goes(p, of))
			portal_close(b, p);
	}
}

static bool is_any(const struct portal *p, const void *of)
{
	(void)of;
	return p != NULL;
}

static bool is_own(const struct portal *p, const void *of)
{
	(void)of;
	return !p->held;
}

static bool is_passing(const struct portal *p, const void *of)
{
	(void)of;
	return !p->hold;
}

static bool is_above(const struct portal *p, const void *level)
{
	return !p->held && p->level > *(const size_t *)level;
}

static bool is_of(const struct portal *p, const void *prepared)
{
	return p->of == prepared;
}

void portals_close_all(struct backend *b)
{
	close_some(b, is_any, NULL);
}

void portals_close_own(struct backend *b)
{
	close_some(b, is_own, NULL);
}

void portals_close_of(struct backend *b, const struct prepared *q)
{
	close_some(b, is_of, q);
}

void portals_rollback(struct backend *b, size_t level)
{
	close_some(b, is_above, &level);
}

void portals_release(struct backend *b, size_t level)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->portals, &i));) {
		struct portal *p = entry->value;
		p->level = p->level < level ? p->level : level;
	}
}

bool portals_settle(struct backend *b, struct pg_error *e)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->portals, &i));) {
		struct portal *p = entry->value;
		if (p != b->current && p->stmt.kind == STMT_SELECT && !portal_start(b, p, e))
			return false;
	}
	return true;
}

bool portals_hold(struct backend *b, struct pg_error *e)
{
	struct map_entry *entry;
	close_some(b, is_passing, NULL);
	for (size_t i = 0; (entry = map_next(&b->portals, &i));) {
		struct portal *p = entry->value;
		if (p->hold && !p->held && (!portal_start(b, p, e) || !run_spool(b, e)))
			return false;
	}
	return true;
}

void portals_end(struct backend *b, bool committed)
{
	struct map_entry *entry;
	for (size_t i = 0; committed && (entry = map_next(&b->portals, &i));) {
		struct portal *p = entry->value;
		p->held = p->hold;
	}
	portals_close_own(b);
}
