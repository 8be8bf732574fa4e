/*
 * The catalog in memory: one counted tree per index over shared packed rows.
 * Not thread-safe: the catalog's lock stands around it. The model owns its rows.
 */
#ifndef CATALOG_MODEL_H
#define CATALOG_MODEL_H

#include "catalog/catalog.h"
#include "catalog/packed.h"
#include "catalog/tree.h"

struct model {
	struct tree trees[CATALOG_INDEXES];
};

struct model *model_new(void);
void model_free(struct model *m);

void model_add(struct model *m, enum catalog_entity entity, struct packed *row);
/* Puts all rows of an entity into a model that has none of it; the order of the array changes. */
void model_fill(struct model *m, enum catalog_entity entity, struct packed **rows, size_t n);
/* The row is in the model; the caller frees it. */
void model_take(struct model *m, enum catalog_entity entity, struct packed *row);

/* First row of the index that starts with key, NULL when there is none. */
struct packed *model_find(const struct model *m, enum catalog_index index, const struct catalog_key *key);
/* Positions [*ret_from, *ret_to) of the rows that start with prefix. */
void model_range(const struct model *m, enum catalog_index index, const struct catalog_key *prefix, uint64_t *ret_from,
		 uint64_t *ret_to);
/* Calls visit for a page of the range, in order, until it returns false. */
void model_walk(const struct model *m, enum catalog_index index, const struct catalog_key *prefix,
		const struct catalog_page *page, bool (*visit)(void *ctx, struct packed *row), void *ctx);
/* How many rows that walk would visit. */
uint64_t model_page_count(const struct model *m, enum catalog_index index, const struct catalog_key *prefix,
			  const struct catalog_page *page);
uint64_t model_rows(const struct model *m);

#endif
