#include "catalog/model.h"

#include <assert.h>
#include <stdlib.h>

static int row_order(const void *order, const void *a, const void *b)
{
	return packed_compare(order, a, b);
}

struct model *model_new(void)
{
	struct model *m = mem_alloc(sizeof(*m));
	for (enum catalog_index i = 0; i < CATALOG_INDEXES; i++)
		m->trees[i] = TREE(row_order, schema_index(i));
	return m;
}

static void rows_free(struct tree *t)
{
	uint64_t count = tree_count(t);
	for (uint64_t at = 0; at < count;) {
		void *const *run;
		size_t i;
		size_t n;
		tree_run(t, at, &run, &i, &n);
		for (; i < n; i++, at++)
			free(run[i]);
	}
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (enum catalog_entity e = 0; e < CATALOG_ENTITIES; e++)
		rows_free(&m->trees[schema_entity(e)->indexes[0]]);
	for (enum catalog_index i = 0; i < CATALOG_INDEXES; i++)
		tree_done(&m->trees[i]);
	free(m);
}

void model_add(struct model *m, enum catalog_entity entity, struct packed *row)
{
	const struct entity_def *e = schema_entity(entity);
	row->in_model = true;
	for (unsigned i = 0; i < e->index_count; i++)
		tree_insert(&m->trees[e->indexes[i]], row);
}

void model_fill(struct model *m, enum catalog_entity entity, struct packed **rows, size_t n)
{
	const struct entity_def *e = schema_entity(entity);
	for (size_t i = 0; i < n; i++)
		rows[i]->in_model = true;
	for (unsigned i = 0; i < e->index_count; i++)
		tree_fill(&m->trees[e->indexes[i]], (void **)rows, n);
}

void model_take(struct model *m, enum catalog_entity entity, struct packed *row)
{
	const struct entity_def *e = schema_entity(entity);
	for (unsigned i = 0; i < e->index_count; i++) {
		bool found = tree_remove(&m->trees[e->indexes[i]], row);
		assert(found);
		(void)found;
	}
	row->in_model = false;
}

static int probe_at(const void *key, const void *item)
{
	return packed_compare_probe(key, item);
}

/* Behind the rows that start with the key. */
static int probe_behind(const void *key, const void *item)
{
	int order = packed_compare_probe(key, item);
	return order == 0 ? -1 : order;
}

static uint64_t rank(const struct model *m, enum catalog_index index, const struct catalog_key *key, bool behind)
{
	struct packed_probe probe;
	packed_probe(schema_index(index), key, &probe);
	return tree_rank(&m->trees[index], behind ? probe_behind : probe_at, &probe);
}

struct packed *model_find(const struct model *m, enum catalog_index index, const struct catalog_key *key)
{
	struct packed_probe probe;
	packed_probe(schema_index(index), key, &probe);
	uint64_t at = tree_rank(&m->trees[index], probe_at, &probe);
	if (at == tree_count(&m->trees[index]))
		return NULL;
	struct packed *row = tree_at(&m->trees[index], at);
	return packed_compare_probe(&probe, row) == 0 ? row : NULL;
}

void model_range(const struct model *m, enum catalog_index index, const struct catalog_key *prefix, uint64_t *ret_from,
		 uint64_t *ret_to)
{
	*ret_from = prefix->count ? rank(m, index, prefix, false) : 0;
	*ret_to = prefix->count ? rank(m, index, prefix, true) : tree_count(&m->trees[index]);
}

/* Cuts the range of the prefix down to the page. */
static void page_range(const struct model *m, enum catalog_index index, const struct catalog_key *prefix,
		       const struct catalog_page *page, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t from;
	uint64_t to;
	model_range(m, index, prefix, &from, &to);
	if (page && page->after.count) {
		uint64_t at = rank(m, index, &page->after, !page->reverse);
		if (page->reverse)
			to = at < to ? at : to;
		else
			from = at > from ? at : from;
	}
	from = from < to ? from : to;
	if (page) {
		uint64_t skip = page->offset < to - from ? page->offset : to - from;
		uint64_t left = to - from - skip;
		uint64_t take = page->limit && page->limit < left ? page->limit : left;
		if (page->reverse) {
			to -= skip;
			from = to - take;
		} else {
			from += skip;
			to = from + take;
		}
	}
	*ret_from = from;
	*ret_to = to;
}

uint64_t model_page_count(const struct model *m, enum catalog_index index, const struct catalog_key *prefix,
			  const struct catalog_page *page)
{
	uint64_t from;
	uint64_t to;
	page_range(m, index, prefix, page, &from, &to);
	return to - from;
}

static void walk_back(const struct tree *t, uint64_t from, uint64_t to, bool (*visit)(void *ctx, struct packed *row),
		      void *ctx)
{
	while (to > from) {
		void *const *run;
		size_t i;
		size_t n;
		tree_run(t, to - 1, &run, &i, &n);
		for (i++; i > 0 && to > from; i--, to--)
			if (!visit(ctx, run[i - 1]))
				return;
	}
}

void model_walk(const struct model *m, enum catalog_index index, const struct catalog_key *prefix,
		const struct catalog_page *page, bool (*visit)(void *ctx, struct packed *row), void *ctx)
{
	const struct tree *t = &m->trees[index];
	uint64_t from;
	uint64_t to;
	page_range(m, index, prefix, page, &from, &to);
	if (page && page->reverse) {
		walk_back(t, from, to, visit, ctx);
		return;
	}
	while (from < to) {
		void *const *run;
		size_t i;
		size_t n;
		tree_run(t, from, &run, &i, &n);
		for (; i < n && from < to; i++, from++)
			if (!visit(ctx, run[i]))
				return;
	}
}

uint64_t model_rows(const struct model *m)
{
	uint64_t rows = 0;
	for (enum catalog_entity e = 0; e < CATALOG_ENTITIES; e++)
		rows += tree_count(&m->trees[schema_entity(e)->indexes[0]]);
	return rows;
}
