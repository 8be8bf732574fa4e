#include "catalog/txn.h"

#include <assert.h>
#include <stdlib.h>

static void txn_cleanup(void *txn)
{
	txn_release(txn);
}

struct catalog_txn *catalog_txn(struct catalog *catalog, struct arena *arena)
{
	bool own = !arena;
	if (own)
		arena = arena_new();
	struct catalog_txn *t = arena_new_of(arena, struct catalog_txn);
	t->catalog = catalog;
	t->arena = arena;
	t->own_arena = own;
	t->last = &t->first;
	t->error = ERR_INIT;
	if (!own)
		arena_on_free(arena, txn_cleanup, t);
	return t;
}

void txn_made(struct catalog_txn *t, struct packed *row)
{
	if (t->made_count == t->made_cap) {
		t->made_cap = t->made_cap ? 2 * t->made_cap : 8;
		t->made = mem_grow(t->made, t->made_cap * sizeof(struct packed *));
	}
	t->made[t->made_count++] = row;
}

static void row_release(struct packed *row)
{
	if (row && !row->in_model)
		free(row);
}

void txn_unmake(struct catalog_txn *t)
{
	for (size_t i = 0; i < t->made_count; i++)
		row_release(t->made[i]);
	t->made_count = 0;
}

void txn_release(struct catalog_txn *t)
{
	for (struct step *s = t->first; s; s = s->next) {
		row_release(s->row);
		s->row = NULL;
	}
	txn_unmake(t);
	free(t->made);
	t->made = NULL;
	t->made_cap = 0;
}

static struct step *step_add(struct catalog_txn *t, enum step_kind kind, enum catalog_entity entity,
			     enum catalog_index index, enum err_code code)
{
	assert(!t->committed);
	struct step *s = arena_new_of(t->arena, struct step);
	s->kind = kind;
	s->entity = entity;
	s->index = index;
	s->code = code;
	*t->last = s;
	t->last = &s->next;
	return s;
}

static enum catalog_index primary(enum catalog_entity entity)
{
	return schema_entity(entity)->indexes[0];
}

static void step_row(struct catalog_txn *t, enum step_kind kind, enum catalog_entity entity, const void *row,
		     enum err_code code)
{
	struct packed *packed;
	if (t->error.code != ERR_NONE || !packed_new(schema_entity(entity), row, &packed, &t->error))
		return;
	step_add(t, kind, entity, primary(entity), code)->row = packed;
}

static void step_key(struct catalog_txn *t, struct step *s, const struct catalog_key *key)
{
	packed_key_check(schema_index(s->index), key, s->kind != STEP_REMOVE_ALL);
	s->key = *key;
	for (unsigned i = 0; i < key->count; i++)
		if (key->values[i].is_text)
			s->key.values[i].text = arena_strdup(t->arena, key->values[i].text);
}

void catalog_put_row(struct catalog_txn *t, enum catalog_entity entity, const void *row)
{
	step_row(t, STEP_PUT, entity, row, ERR_INTERNAL);
}

void catalog_insert_row(struct catalog_txn *t, enum catalog_entity entity, const void *row, enum err_code taken)
{
	step_row(t, STEP_INSERT, entity, row, taken);
}

void catalog_remove_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key)
{
	step_key(t, step_add(t, STEP_REMOVE, entity, primary(entity), ERR_NONE), &key);
}

void catalog_expect_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			enum err_code missing)
{
	step_key(t, step_add(t, STEP_EXPECT, entity, primary(entity), missing), &key);
}

void catalog_refuse_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key, enum err_code taken)
{
	step_key(t, step_add(t, STEP_REFUSE, entity, primary(entity), taken), &key);
}

void catalog_verify_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			bool (*run)(void *call, const void *row, struct err *err), const void *call, size_t size)
{
	struct step *s = step_add(t, STEP_VERIFY, entity, primary(entity), ERR_NONE);
	step_key(t, s, &key);
	s->verify = run;
	s->call = arena_alloc(t->arena, size);
	memcpy(s->call, call, size);
}

void catalog_change_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			bool (*run)(void *call, void *row, struct arena *arena), const void *call, size_t size,
			enum err_code missing)
{
	struct step *s = step_add(t, STEP_CHANGE, entity, primary(entity), missing);
	step_key(t, s, &key);
	s->change = run;
	s->call = arena_alloc(t->arena, size);
	memcpy(s->call, call, size);
}

void catalog_remove_all_rows(struct catalog_txn *t, enum catalog_index index, struct catalog_key prefix)
{
	struct step *s = step_add(t, STEP_REMOVE_ALL, schema_index(index)->entity, index, ERR_NONE);
	step_key(t, s, &prefix);
}

void catalog_check(struct catalog_txn *t, bool (*check)(void *ctx, struct catalog *catalog, struct err *err), void *ctx)
{
	struct step *s = step_add(t, STEP_CHECK, 0, 0, ERR_NONE);
	s->check = check;
	s->call = ctx;
	t->alone = true;
}
