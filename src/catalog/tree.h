/*
 * Ordered set of pointers that can count: a B+ tree whose nodes know how many
 * items lie below them, so that the position of a key and the item at a position
 * cost O(log n). Not thread-safe; items are the caller's.
 */
#ifndef CATALOG_TREE_H
#define CATALOG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_node;

struct tree {
	struct tree_node *root;
	/* A total order: 0 for the same item only. */
	int (*compare)(const void *order, const void *a, const void *b);
	const void *order;
};

#define TREE(compare_fn, order_ptr) ((struct tree){.compare = (compare_fn), .order = (order_ptr)})

void tree_done(struct tree *t);
uint64_t tree_count(const struct tree *t);
/* The item must not be in the tree. */
void tree_insert(struct tree *t, void *item);
/* Fills an empty tree with n different items in any order; sorts the array. */
void tree_fill(struct tree *t, void **items, size_t n);
/* false: it was not in the tree. */
bool tree_remove(struct tree *t, const void *item);
/* How many items come before the first one with probe(...) >= 0; probe must rise along the order. */
uint64_t tree_rank(const struct tree *t, int (*probe)(const void *key, const void *item), const void *key);
/* The item at `position` < tree_count. */
void *tree_at(const struct tree *t, uint64_t position);
/* The run of neighbours in one node around that item: *ret_count items, the asked one is (*ret_run)[*ret_index]. */
void tree_run(const struct tree *t, uint64_t position, void *const **ret_run, size_t *ret_index, size_t *ret_count);

#endif
