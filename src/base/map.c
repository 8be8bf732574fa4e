#include "base/map.h"

#include "base/arena.h"

#include <stdlib.h>

enum { MAP_FIRST = 16 };

void map_done(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->entries[i].key);
	free(m->entries);
	*m = MAP_INIT;
}

/* The key's slot, or where it would go. */
static struct map_entry *slot(const struct map *m, struct span key, uint64_t hash)
{
	struct map_entry *free_slot = NULL;
	for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_entry *e = &m->entries[i];
		if (!e->key)
			return free_slot ? free_slot : e;
		if (!e->value)
			free_slot = free_slot ? free_slot : e;
		else if (e->hash == hash && span_eq((struct span){e->key, e->key_len}, key))
			return e;
	}
}

static void resize(struct map *m)
{
	struct map old = *m;
	size_t cap = MAP_FIRST;
	while (cap < 2 * (old.count + 1))
		cap *= 2;
	*m = (struct map){.entries = mem_alloc_array(sizeof(struct map_entry), cap), .cap = cap};
	for (size_t i = 0; i < old.cap; i++) {
		struct map_entry *e = &old.entries[i];
		if (!e->value) {
			free(e->key);
			continue;
		}
		*slot(m, (struct span){e->key, e->key_len}, e->hash) = *e;
		m->count++;
		m->used++;
	}
	free(old.entries);
}

void *map_get(const struct map *m, struct span key)
{
	return m->cap ? slot(m, key, span_hash(key))->value : NULL;
}

void *map_put(struct map *m, struct span key, void *value)
{
	if (4 * (m->used + 1) > 3 * m->cap)
		resize(m);
	uint64_t hash = span_hash(key);
	struct map_entry *e = slot(m, key, hash);
	void *former = e->value;
	if (!former) {
		/* What was removed often comes again. */
		if (!e->key || e->hash != hash || !span_eq((struct span){e->key, e->key_len}, key)) {
			m->used += !e->key;
			free(e->key);
			*e = (struct map_entry){.key = mem_copy(key), .key_len = key.len, .hash = hash};
		}
		m->count++;
	}
	e->value = value;
	return former;
}

void *map_remove(struct map *m, struct span key)
{
	if (!m->cap)
		return NULL;
	struct map_entry *e = slot(m, key, span_hash(key));
	void *former = e->value;
	if (former) {
		e->value = NULL;
		m->count--;
	}
	return former;
}

struct map_entry *map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		struct map_entry *e = &m->entries[(*at)++];
		if (e->value)
			return e;
	}
	return NULL;
}
