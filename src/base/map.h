/*
 * Hash map from byte strings to pointers. Keys are copied; values are the
 * caller's. Not thread-safe: the owner locks. Iteration order is unspecified.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/span.h"

struct map_entry {
	char *key;
	size_t key_len;
	uint64_t hash;
	void *value; /* NULL: free slot, or removed when key is set */
};

struct map {
	struct map_entry *entries;
	size_t cap;
	size_t count;
	size_t used; /* live and removed slots */
};

#define MAP_INIT ((struct map){0})

void map_done(struct map *m);
void *map_get(const struct map *m, struct span key);
/* Returns the former value, NULL when the key is new. `value` is not NULL. */
void *map_put(struct map *m, struct span key, void *value);
void *map_remove(struct map *m, struct span key);
/* for (size_t i = 0; (e = map_next(m, &i));) ...; removing the current entry is allowed. */
struct map_entry *map_next(const struct map *m, size_t *at);

#endif
