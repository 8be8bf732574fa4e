#include "catalog/plan.h"

#include "base/buf.h"
#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>

/* A unique key that the batch wrote. */
struct touch {
	struct touch *next; /* newest first */
	size_t effect;
	bool present; /* the row of that effect stands under the key now; else none does */
	size_t key_len;
	char key[];
};

/* The state before: of a touch, or (touch NULL) of an effect's fresh row. */
struct undo {
	struct touch *touch;
	bool is_new; /* the touch: was not there */
	bool present;
	size_t effect;
	struct packed *fresh;
};

/* One transaction being judged. */
struct judge {
	struct plan *plan;
	struct catalog_txn *txn;
	struct err *err;
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

static struct touch *touch_find(const struct plan *p, enum catalog_index index, const struct catalog_key *key)
{
	struct buf bytes = BUF(KEY_BYTES_MAX);
	key_bytes(&bytes, index, key);
	struct touch *t = map_get(&p->touched, buf_view(&bytes));
	buf_done(&bytes);
	return t;
}

static void undo_note(struct plan *p, struct undo undo)
{
	if (p->undo_count == p->undo_cap) {
		p->undo_cap = p->undo_cap ? 2 * p->undo_cap : 64;
		p->undo = mem_grow(p->undo, p->undo_cap * sizeof(struct undo));
	}
	p->undo[p->undo_count++] = undo;
}

static void touch_set(struct plan *p, enum catalog_index index, const struct catalog_key *key, size_t effect,
		      bool present)
{
	struct buf bytes = BUF(KEY_BYTES_MAX);
	key_bytes(&bytes, index, key);
	struct touch *t = map_get(&p->touched, buf_view(&bytes));
	undo_note(p, (struct undo){.touch = t, .present = t && t->present, .effect = t ? t->effect : 0});
	if (!t) {
		t = mem_alloc(sizeof(*t) + bytes.len);
		t->key_len = bytes.len;
		memcpy(t->key, bytes.ptr, bytes.len);
		t->next = p->touches;
		p->touches = t;
		(void)map_put(&p->touched, buf_view(&bytes), t);
		p->undo[p->undo_count - 1].touch = t;
		p->undo[p->undo_count - 1].is_new = true;
	}
	t->effect = effect;
	t->present = present;
	buf_done(&bytes);
}

/* The newest one goes. */
static void touch_drop(struct plan *p)
{
	struct touch *t = p->touches;
	p->touches = t->next;
	(void)map_remove(&p->touched, (struct span){t->key, t->key_len});
	free(t);
}

/* The row under a whole unique key as the next step sees it. *ret_effect is the effect that put it there, or SIZE_MAX. */
static struct packed *row_see(const struct plan *p, enum catalog_index index, const struct catalog_key *key,
			      size_t *ret_effect)
{
	const struct touch *t = touch_find(p, index, key);
	*ret_effect = SIZE_MAX;
	if (!t)
		return model_find(p->model, index, key);
	if (!t->present)
		return NULL;
	*ret_effect = t->effect;
	return p->effects[t->effect].fresh;
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
static void keys_touch(struct plan *p, enum catalog_entity entity, const struct packed *row, size_t effect,
		       bool present)
{
	const struct entity_def *e = schema_entity(entity);
	for (unsigned i = 0; i < e->index_count; i++) {
		const struct index_def *x = schema_index(e->indexes[i]);
		struct catalog_key key;
		if (x->unique && packed_key(x, row, &key))
			touch_set(p, e->indexes[i], &key, effect, present);
	}
}

/* `effect` is the one that brought `old`, or SIZE_MAX when `old` is in the model or NULL. */
static void row_replace(struct plan *p, enum catalog_entity entity, struct packed *old, size_t effect,
			struct packed *fresh)
{
	if (effect == SIZE_MAX)
		effect = effect_add(p, (struct effect){.entity = entity, .old = old});
	else
		undo_note(p, (struct undo){.effect = effect, .fresh = p->effects[effect].fresh});
	if (old)
		keys_touch(p, entity, old, effect, false);
	p->effects[effect].fresh = fresh;
	if (fresh)
		keys_touch(p, entity, fresh, effect, true);
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
		size_t effect;
		if (!x->unique || !packed_key(x, fresh, &key))
			continue;
		const struct packed *there = row_see(j->plan, e->indexes[i], &key, &effect);
		if (there && there != old)
			return refuse(j, s, &key, "already exists");
	}
	return true;
}

static bool step_put(struct judge *j, const struct step *s)
{
	struct catalog_key key;
	size_t effect;
	(void)packed_key(schema_index(s->index), s->row, &key);
	struct packed *old = row_see(j->plan, s->index, &key, &effect);
	if (old && s->kind == STEP_INSERT)
		return refuse(j, s, &key, "already exists");
	if (!keys_free(j, s, old, s->row))
		return false;
	row_replace(j->plan, s->entity, old, effect, s->row);
	return true;
}

/* The edited row in place of the old one. */
static bool change_apply(struct judge *j, const struct step *s, struct packed *old, size_t effect, const void *row)
{
	struct packed *fresh;
	if (!packed_new(schema_entity(s->entity), row, &fresh, j->err))
		return false;
	txn_made(j->txn, fresh);
	struct step as_put = *s;
	as_put.code = ERR_INTERNAL;
	if (!keys_free(j, &as_put, old, fresh))
		return false;
	row_replace(j->plan, s->entity, old, effect, fresh);
	return true;
}

static bool step_change(struct judge *j, const struct step *s)
{
	const struct entity_def *e = schema_entity(s->entity);
	size_t effect;
	struct packed *old = row_see(j->plan, s->index, &s->key, &effect);
	if (!old)
		return s->code == ERR_NONE || refuse(j, s, &s->key, "not found");
	struct arena *arena = arena_new();
	union row_space row;
	packed_copy(e, old, arena, &row);
	bool ok = !s->change(s->call, &row, arena) || change_apply(j, s, old, effect, &row);
	arena_free(arena);
	return ok;
}

static bool step_verify(struct judge *j, const struct step *s)
{
	size_t effect;
	union row_space values;
	const struct packed *row = row_see(j->plan, s->index, &s->key, &effect);
	if (row)
		packed_read(schema_entity(s->entity), row, &values);
	return s->verify(s->call, row ? &values : NULL, j->err);
}

static bool step_key(struct judge *j, const struct step *s)
{
	size_t effect;
	struct packed *row = row_see(j->plan, s->index, &s->key, &effect);
	if (s->kind == STEP_EXPECT && !row)
		return refuse(j, s, &s->key, "not found");
	if (s->kind == STEP_REFUSE && row)
		return refuse(j, s, &s->key, "already exists");
	if (s->kind == STEP_REMOVE && row)
		row_replace(j->plan, s->entity, row, effect, NULL);
	return true;
}

struct removal {
	struct plan *plan;
	enum catalog_entity entity;
};

static bool row_remove(void *ctx, struct packed *row)
{
	struct removal *r = ctx;
	struct catalog_key key;
	size_t effect;
	enum catalog_index primary = schema_entity(r->entity)->indexes[0];
	(void)packed_key(schema_index(primary), row, &key);
	/* The batch may have removed or replaced it already. */
	if (row_see(r->plan, primary, &key, &effect) == row)
		row_replace(r->plan, r->entity, row, effect, NULL);
	return true;
}

static bool step_remove_all(struct judge *j, const struct step *s)
{
	struct plan *p = j->plan;
	struct removal r = {p, s->entity};
	struct packed_probe probe;
	packed_probe(schema_index(s->index), &s->key, &probe);
	for (size_t i = 0; i < p->count; i++) {
		struct packed *fresh = p->effects[i].fresh;
		if (p->effects[i].entity == s->entity && fresh && packed_compare_probe(&probe, fresh) == 0)
			row_replace(p, s->entity, fresh, i, NULL);
	}
	model_walk(p->model, s->index, &s->key, NULL, row_remove, &r);
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
	case STEP_VERIFY:
		return step_verify(j, s);
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

/* Takes back what the current transaction did. */
static void judge_undo(struct plan *p, size_t count_before)
{
	while (p->undo_count > 0) {
		const struct undo *u = &p->undo[--p->undo_count];
		if (!u->touch) {
			p->effects[u->effect].fresh = u->fresh;
		} else if (u->is_new) {
			assert(u->touch == p->touches);
			touch_drop(p);
		} else {
			u->touch->effect = u->effect;
			u->touch->present = u->present;
		}
	}
	p->count = count_before;
}

void plan_begin(struct plan *p, const struct model *model)
{
	*p = (struct plan){.model = model, .touched = MAP_INIT};
}

enum verdict plan_add(struct plan *p, struct catalog_txn *t, struct err *err)
{
	if (t->alone && p->count > 0)
		return VERDICT_WAITS;
	size_t before = p->count;
	struct judge j = {.plan = p, .txn = t, .err = err};
	bool ok = true;
	p->undo_count = 0;
	for (const struct step *s = t->first; s && ok; s = s->next)
		ok = step_judge(&j, s);
	if (ok)
		return VERDICT_FITS;
	judge_undo(p, before);
	txn_unmake(t);
	return VERDICT_FAILS;
}

void plan_reset(struct plan *p, const struct model *model)
{
	while (p->touches)
		touch_drop(p);
	p->model = model;
	p->count = 0;
}

void plan_done(struct plan *p)
{
	while (p->touches)
		touch_drop(p);
	map_done(&p->touched);
	free(p->effects);
	free(p->undo);
}
