#include "catalog/plan.h"

#include "base/buf.h"
#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>

/* A unique key that a transaction of the batch wrote. */
struct touch {
	struct touch *next; /* newest first */
	const struct catalog_txn *txn;
	size_t effect;
	bool present; /* the row of that effect stands under the key now; else none does */
	size_t key_len;
	char key[];
};

/* One transaction being judged. */
struct judge {
	struct plan *plan;
	struct catalog_txn *txn;
	struct err *err;
	bool waits;
};

static void key_bytes(struct buf *out, enum catalog_index index, const struct catalog_key *key)
{
	buf_be32(out, (uint32_t)index);
	for (unsigned i = 0; i < key->count; i++) {
		const struct catalog_value *v = &key->values[i];
		if (!v->is_text) {
			buf_be64(out, (uint64_t)v->number);
			continue;
		}
		size_t len = v->text ? strlen(v->text) : 0;
		buf_be64(out, v->text ? len + 1 : 0);
		buf_bytes(out, v->text ? v->text : "", len);
	}
}

enum { KEY_BYTES_MAX = CATALOG_KEY_MAX * (LIMIT_CATALOG_ROW_BYTES / 4) };

static struct touch *touch_find(struct plan *p, enum catalog_index index, const struct catalog_key *key)
{
	struct buf bytes = BUF(KEY_BYTES_MAX);
	key_bytes(&bytes, index, key);
	struct touch *t = map_get(&p->touched, buf_view(&bytes));
	buf_done(&bytes);
	return t;
}

static void touch_set(struct judge *j, enum catalog_index index, const struct catalog_key *key, size_t effect,
		      bool present)
{
	struct plan *p = j->plan;
	struct buf bytes = BUF(KEY_BYTES_MAX);
	key_bytes(&bytes, index, key);
	struct touch *t = map_get(&p->touched, buf_view(&bytes));
	if (!t) {
		t = mem_alloc(sizeof(*t) + bytes.len);
		t->key_len = bytes.len;
		memcpy(t->key, bytes.ptr, bytes.len);
		t->next = p->touches;
		p->touches = t;
		(void)map_put(&p->touched, buf_view(&bytes), t);
	}
	assert(!t->txn || t->txn == j->txn);
	t->txn = j->txn;
	t->effect = effect;
	t->present = present;
	buf_done(&bytes);
}

/*
 * The row under a whole unique key as this transaction sees it. *ret_effect is the effect that put it there, or
 * SIZE_MAX. false: an earlier transaction of the batch wrote the key.
 */
static bool row_see(struct judge *j, enum catalog_index index, const struct catalog_key *key, struct packed **ret_row,
		    size_t *ret_effect)
{
	struct touch *t = touch_find(j->plan, index, key);
	*ret_effect = SIZE_MAX;
	if (!t) {
		*ret_row = model_find(j->plan->model, index, key);
		return true;
	}
	if (t->txn != j->txn) {
		j->waits = true;
		return false;
	}
	*ret_row = t->present ? j->plan->effects[t->effect].fresh : NULL;
	if (*ret_row)
		*ret_effect = t->effect;
	return true;
}

static size_t effect_add(struct plan *p, struct effect effect)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 256;
		p->effects = mem_grow(p->effects, p->cap * sizeof(struct effect));
	}
	p->effects[p->count] = effect;
	return p->count++;
}

/* Marks the row's unique keys as taken by, or free after, the effect. */
static void keys_touch(struct judge *j, enum catalog_entity entity, const struct packed *row, size_t effect,
		       bool present)
{
	const struct entity_def *e = schema_entity(entity);
	for (unsigned i = 0; i < e->index_count; i++) {
		const struct index_def *x = schema_index(e->indexes[i]);
		struct catalog_key key;
		if (x->unique && packed_key(x, row, &key))
			touch_set(j, e->indexes[i], &key, effect, present);
	}
}

/* `effect` is the one of this transaction that brought `old`, or SIZE_MAX when `old` is in the model or NULL. */
static void row_replace(struct judge *j, enum catalog_entity entity, struct packed *old, size_t effect,
			struct packed *fresh)
{
	if (effect == SIZE_MAX)
		effect = effect_add(j->plan, (struct effect){.entity = entity, .old = old});
	if (old)
		keys_touch(j, entity, old, effect, false);
	j->plan->effects[effect].fresh = fresh;
	if (fresh)
		keys_touch(j, entity, fresh, effect, true);
}

static bool refuse(struct judge *j, const struct step *s, const struct catalog_key *key, const char *what)
{
	char noun[64];
	schema_noun(s->entity, noun, sizeof(noun));
	const char *name = "";
	for (unsigned i = 0; i < key->count; i++)
		if (key->values[i].text)
			name = key->values[i].text;
	return err_set(j->err, s->code, "%s %s %s", noun, name, what);
}

/* No other row may stand under the unique keys of `fresh`. */
static bool keys_free(struct judge *j, const struct step *s, const struct packed *old, const struct packed *fresh)
{
	const struct entity_def *e = schema_entity(s->entity);
	for (unsigned i = 0; i < e->index_count; i++) {
		const struct index_def *x = schema_index(e->indexes[i]);
		struct catalog_key key;
		struct packed *there;
		size_t effect;
		if (!x->unique || !packed_key(x, fresh, &key))
			continue;
		if (!row_see(j, e->indexes[i], &key, &there, &effect))
			return false;
		if (there && there != old)
			return refuse(j, s, &key, "already exists");
	}
	return true;
}

static bool step_put(struct judge *j, const struct step *s)
{
	struct catalog_key key;
	struct packed *old;
	size_t effect;
	(void)packed_key(schema_index(s->index), s->row, &key);
	if (!row_see(j, s->index, &key, &old, &effect))
		return false;
	if (old && s->kind == STEP_INSERT)
		return refuse(j, s, &key, "already exists");
	if (!keys_free(j, s, old, s->row))
		return false;
	row_replace(j, s->entity, old, effect, s->row);
	return true;
}

static bool step_change(struct judge *j, const struct step *s)
{
	const struct entity_def *e = schema_entity(s->entity);
	struct packed *old;
	size_t effect;
	if (!row_see(j, s->index, &s->key, &old, &effect))
		return false;
	if (!old)
		return s->code == ERR_NONE || refuse(j, s, &s->key, "not found");
	struct arena *arena = arena_new();
	void *row = arena_alloc(arena, e->row_size);
	packed_copy(e, old, arena, row);
	bool ok = true;
	if (s->change(s->call, row, arena)) {
		struct packed *fresh = NULL;
		ok = packed_new(e, row, &fresh, j->err);
		if (ok) {
			txn_made(j->txn, fresh);
			struct step as_put = *s;
			as_put.code = ERR_INTERNAL;
			ok = keys_free(j, &as_put, old, fresh);
		}
		if (ok)
			row_replace(j, s->entity, old, effect, fresh);
	}
	arena_free(arena);
	return ok;
}

static bool step_key(struct judge *j, const struct step *s)
{
	struct packed *row;
	size_t effect;
	if (!row_see(j, s->index, &s->key, &row, &effect))
		return false;
	if (s->kind == STEP_EXPECT && !row)
		return refuse(j, s, &s->key, "not found");
	if (s->kind == STEP_REFUSE && row)
		return refuse(j, s, &s->key, "already exists");
	if (s->kind == STEP_REMOVE && row)
		row_replace(j, s->entity, row, effect, NULL);
	return true;
}

struct removal {
	struct judge *judge;
	const struct step *step;
};

static bool row_remove(void *ctx, struct packed *row)
{
	struct removal *r = ctx;
	struct catalog_key key;
	struct packed *seen;
	size_t effect;
	enum catalog_index primary = schema_entity(r->step->entity)->indexes[0];
	(void)packed_key(schema_index(primary), row, &key);
	/* The transaction itself may have removed or replaced it. */
	if (row_see(r->judge, primary, &key, &seen, &effect) && seen == row)
		row_replace(r->judge, r->step->entity, row, effect, NULL);
	return true;
}

static bool step_remove_all(struct judge *j, const struct step *s)
{
	struct removal r = {j, s};
	struct packed_probe probe;
	packed_probe(schema_index(s->index), &s->key, &probe);
	for (size_t i = j->plan->begin; i < j->plan->count; i++) {
		struct effect *e = &j->plan->effects[i];
		if (e->entity == s->entity && e->fresh && packed_compare_probe(&probe, e->fresh) == 0)
			row_replace(j, s->entity, e->fresh, i, NULL);
	}
	model_walk(j->plan->model, s->index, &s->key, NULL, row_remove, &r);
	return true;
}

static bool step_judge(struct judge *j, const struct step *s)
{
	switch (s->kind) {
	case STEP_PUT:
	case STEP_INSERT:
		return step_put(j, s);
	case STEP_CHANGE:
		return step_change(j, s);
	case STEP_REMOVE:
	case STEP_EXPECT:
	case STEP_REFUSE:
		return step_key(j, s);
	case STEP_REMOVE_ALL:
		return step_remove_all(j, s);
	case STEP_CHECK:
		return s->check(s->call, catalog_uncounted(j->txn->catalog), j->err);
	}
	return false;
}

static void touches_drop(struct plan *p, const struct catalog_txn *txn)
{
	/* A transaction's touches are the newest ones: it never takes over another's. */
	while (p->touches && (!txn || p->touches->txn == txn)) {
		struct touch *t = p->touches;
		p->touches = t->next;
		(void)map_remove(&p->touched, (struct span){t->key, t->key_len});
		free(t);
	}
}

void plan_begin(struct plan *p, const struct model *model)
{
	*p = (struct plan){.model = model, .touched = MAP_INIT};
}

enum verdict plan_add(struct plan *p, struct catalog_txn *t, struct err *err)
{
	if (t->alone && p->count > 0)
		return VERDICT_WAITS;
	if (t->error.code != ERR_NONE) {
		*err = t->error;
		return VERDICT_FAILS;
	}
	p->begin = p->count;
	struct judge j = {.plan = p, .txn = t, .err = err};
	bool ok = true;
	for (const struct step *s = t->first; s && ok; s = s->next)
		ok = step_judge(&j, s);
	if (ok)
		return VERDICT_FITS;
	p->count = p->begin;
	touches_drop(p, t);
	txn_unmake(t);
	return j.waits ? VERDICT_WAITS : VERDICT_FAILS;
}

void plan_reset(struct plan *p, const struct model *model)
{
	touches_drop(p, NULL);
	p->model = model;
	p->count = 0;
	p->begin = 0;
}

void plan_done(struct plan *p)
{
	touches_drop(p, NULL);
	map_done(&p->touched);
	free(p->effects);
}
