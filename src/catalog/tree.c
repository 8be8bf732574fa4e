#include "catalog/tree.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FAN = 64 };

struct tree_node {
	uint32_t count;
	bool leaf;
	void *items[FAN]; /* of a leaf: its items; of an inner node: the first item below each child */
};

struct inner {
	struct tree_node node;
	struct tree_node *children[FAN];
	uint64_t totals[FAN]; /* items below each child */
};

static struct inner *inner_of(struct tree_node *n)
{
	return (struct inner *)n;
}

static const struct inner *inner_const(const struct tree_node *n)
{
	return (const struct inner *)n;
}

static struct tree_node *node_new(bool leaf)
{
	struct tree_node *n = mem_alloc(leaf ? sizeof(struct tree_node) : sizeof(struct inner));
	n->leaf = leaf;
	return n;
}

static uint64_t node_total(const struct tree_node *n)
{
	if (n->leaf)
		return n->count;
	uint64_t total = 0;
	for (uint32_t i = 0; i < n->count; i++)
		total += inner_const(n)->totals[i];
	return total;
}

static void node_free(struct tree_node *n)
{
	if (!n)
		return;
	if (!n->leaf)
		for (uint32_t i = 0; i < n->count; i++)
			node_free(inner_of(n)->children[i]);
	free(n);
}

void tree_done(struct tree *t)
{
	node_free(t->root);
	t->root = NULL;
}

uint64_t tree_count(const struct tree *t)
{
	return t->root ? node_total(t->root) : 0;
}

/* Index of the first item of the node above `item`; an equal one counts as not above. */
static uint32_t node_above(const struct tree *t, const struct tree_node *n, const void *item)
{
	uint32_t low = 0;
	uint32_t high = n->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (t->compare(t->order, n->items[middle], item) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Moves what is at `from` and behind to `to`. */
static void slots_shift(struct tree_node *n, uint32_t from, uint32_t to)
{
	size_t count = n->count - from;
	memmove(n->items + to, n->items + from, count * sizeof(void *));
	if (n->leaf)
		return;
	struct inner *in = inner_of(n);
	memmove(in->children + to, in->children + from, count * sizeof(in->children[0]));
	memmove(in->totals + to, in->totals + from, count * sizeof(in->totals[0]));
}

/* Appends slots [from, from + count) of another node of the same kind. */
static void slots_append(struct tree_node *to, const struct tree_node *from, uint32_t start, uint32_t count)
{
	memcpy(to->items + to->count, from->items + start, count * sizeof(void *));
	if (!to->leaf) {
		struct inner *in = inner_of(to);
		const struct inner *source = inner_const(from);
		memcpy(in->children + to->count, source->children + start, count * sizeof(in->children[0]));
		memcpy(in->totals + to->count, source->totals + start, count * sizeof(in->totals[0]));
	}
	to->count += count;
}

/* Takes the upper half away; `at` (where the next slot goes) says how to halve: at the end, ascending inserts leave full nodes. */
static struct tree_node *node_split(struct tree_node *n, uint32_t at)
{
	uint32_t keep = at == FAN ? FAN - 1 : FAN / 2;
	struct tree_node *right = node_new(n->leaf);
	slots_append(right, n, keep, n->count - keep);
	n->count = keep;
	return right;
}

static void child_refresh(struct inner *in, uint32_t i)
{
	in->node.items[i] = in->children[i]->items[0];
	in->totals[i] = node_total(in->children[i]);
}

static void slot_put(struct tree_node *n, uint32_t at, void *item, struct tree_node *child)
{
	slots_shift(n, at, at + 1);
	n->items[at] = item;
	n->count++;
	if (child) {
		inner_of(n)->children[at] = child;
		child_refresh(inner_of(n), at);
	}
}

/* Puts a slot into the node; returns the new right neighbour when it had to be split. */
static struct tree_node *slot_add(struct tree_node *n, uint32_t at, void *item, struct tree_node *child)
{
	struct tree_node *right = NULL;
	if (n->count == FAN) {
		right = node_split(n, at);
		if (at > n->count) {
			at -= n->count;
			n = right;
		}
	}
	slot_put(n, at, item, child);
	return right;
}

static struct tree_node *node_insert(const struct tree *t, struct tree_node *n, void *item)
{
	uint32_t at = node_above(t, n, item);
	if (n->leaf)
		return slot_add(n, at, item, NULL);
	uint32_t i = at ? at - 1 : 0;
	struct tree_node *extra = node_insert(t, inner_of(n)->children[i], item);
	child_refresh(inner_of(n), i);
	return extra ? slot_add(n, i + 1, extra->items[0], extra) : NULL;
}

void tree_insert(struct tree *t, void *item)
{
	if (!t->root)
		t->root = node_new(true);
	struct tree_node *right = node_insert(t, t->root, item);
	if (!right)
		return;
	struct tree_node *left = t->root;
	t->root = node_new(false);
	slot_put(t->root, 0, left->items[0], left);
	slot_put(t->root, 1, right->items[0], right);
}

/* ---- many at once ---- */

static int pointer_order(const void *a, const void *b, void *tree)
{
	const struct tree *t = tree;
	return t->compare(t->order, *(void *const *)a, *(void *const *)b);
}

static bool ascending(const struct tree *t, void *const *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (t->compare(t->order, items[i - 1], items[i]) > 0)
			return false;
	return true;
}

/* Share `i` of n slots over `nodes` nodes, whose sizes differ by at most one: none is left nearly empty. */
static size_t share(size_t n, size_t nodes, size_t i)
{
	return n / nodes + (i < n % nodes);
}

/* The nodes above `n` slots, which are items or, on higher levels, nodes. */
static struct tree_node **level_build(void *const *items, struct tree_node *const *below, size_t n, size_t *ret_count)
{
	size_t count = (n + FAN - 1) / FAN;
	struct tree_node **level = mem_alloc_array(sizeof(struct tree_node *), count);
	for (size_t i = 0; i < count; i++) {
		size_t size = share(n, count, i);
		level[i] = node_new(!below);
		for (size_t k = 0; k < size; k++) {
			struct tree_node *child = below ? *below++ : NULL;
			slot_put(level[i], (uint32_t)k, child ? child->items[0] : *items++, child);
		}
	}
	*ret_count = count;
	return level;
}

void tree_fill(struct tree *t, void **items, size_t n)
{
	assert(!t->root);
	if (n == 0)
		return;
	if (!ascending(t, items, n))
		qsort_r(items, n, sizeof(*items), pointer_order, t);
	struct tree_node **level = level_build(items, NULL, n, &n);
	while (n > 1) {
		struct tree_node **above = level_build(NULL, level, n, &n);
		free(level);
		level = above;
	}
	t->root = level[0];
	free(level);
}

static void slot_drop(struct tree_node *n, uint32_t at)
{
	slots_shift(n, at + 1, at);
	n->count--;
}

/* Joins child i with its right neighbour when both fit into one node. */
static bool children_join(struct tree_node *n, uint32_t i)
{
	struct inner *in = inner_of(n);
	if (i + 1 >= n->count || in->children[i]->count + in->children[i + 1]->count > FAN)
		return false;
	struct tree_node *right = in->children[i + 1];
	slots_append(in->children[i], right, 0, right->count);
	free(right);
	slot_drop(n, i + 1);
	child_refresh(in, i);
	return true;
}

static bool node_remove(const struct tree *t, struct tree_node *n, const void *item)
{
	uint32_t at = node_above(t, n, item);
	if (at == 0)
		return false;
	uint32_t i = at - 1;
	if (n->leaf) {
		if (t->compare(t->order, n->items[i], item) != 0)
			return false;
		slot_drop(n, i);
		return true;
	}
	struct inner *in = inner_of(n);
	if (!node_remove(t, in->children[i], item))
		return false;
	if (in->children[i]->count == 0) {
		free(in->children[i]);
		slot_drop(n, i);
		return true;
	}
	child_refresh(in, i);
	if (in->children[i]->count < FAN / 4 && !children_join(n, i) && i > 0)
		(void)children_join(n, i - 1);
	return true;
}

bool tree_remove(struct tree *t, const void *item)
{
	if (!t->root || !node_remove(t, t->root, item))
		return false;
	while (t->root && !t->root->leaf && t->root->count == 1) {
		struct tree_node *only = inner_of(t->root)->children[0];
		free(t->root);
		t->root = only;
	}
	if (t->root->count == 0) {
		free(t->root);
		t->root = NULL;
	}
	return true;
}

uint64_t tree_rank(const struct tree *t, int (*probe)(const void *key, const void *item), const void *key)
{
	uint64_t rank = 0;
	for (const struct tree_node *n = t->root; n;) {
		uint32_t low = 0;
		uint32_t high = n->count;
		while (low < high) {
			uint32_t middle = (low + high) / 2;
			if (probe(key, n->items[middle]) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (n->leaf)
			return rank + low;
		uint32_t child = low ? low - 1 : 0;
		for (uint32_t i = 0; i < child; i++)
			rank += inner_const(n)->totals[i];
		n = inner_const(n)->children[child];
	}
	return rank;
}

void tree_run(const struct tree *t, uint64_t position, void *const **ret_run, size_t *ret_index, size_t *ret_count)
{
	const struct tree_node *n = t->root;
	assert(n);
	while (!n->leaf) {
		uint32_t i = 0;
		while (position >= inner_const(n)->totals[i])
			position -= inner_const(n)->totals[i++];
		assert(i < n->count);
		n = inner_const(n)->children[i];
	}
	assert(position < n->count);
	*ret_run = n->items;
	*ret_index = (size_t)position;
	*ret_count = n->count;
}

void *tree_at(const struct tree *t, uint64_t position)
{
	void *const *run;
	size_t index;
	size_t count;
	tree_run(t, position, &run, &index, &count);
	return run[index];
}
