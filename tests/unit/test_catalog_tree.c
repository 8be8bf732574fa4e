#include "catalog/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 20000 };

static int items[ITEMS];
static bool present[ITEMS];

static int int_order(const void *order, const void *a, const void *b)
{
	(void)order;
	const int x = *(const int *)a;
	const int y = *(const int *)b;
	return (x > y) - (x < y);
}

static int int_probe(const void *key, const void *item)
{
	return int_order(NULL, item, key);
}

/* The tree must hold exactly the present items, in order, and count them right. */
static void tree_check(const struct tree *t)
{
	uint64_t expected = 0;
	for (int i = 0; i < ITEMS; i++) {
		if (i % 97 == 0)
			assert_int_equal(tree_rank(t, int_probe, &items[i]), expected);
		if (!present[i])
			continue;
		assert_ptr_equal(tree_at(t, expected), &items[i]);
		expected++;
	}
	assert_int_equal(tree_count(t), expected);
}

static int setup(void **state)
{
	(void)state;
	srand(20250314);
	for (int i = 0; i < ITEMS; i++)
		items[i] = i;
	memset(present, 0, sizeof(present));
	return 0;
}

static void filled_at_once_it_is_like_any_other(void **state)
{
	static const size_t counts[] = {0, 1, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, ITEMS};
	static void *all[ITEMS];
	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
		struct tree t = TREE(int_order, NULL);
		size_t n = counts[c];
		memset(present, 0, sizeof(present));
		for (size_t i = 0; i < n; i++) {
			/* Ascending every other time. */
			all[i] = &items[c % 2 ? i : (i * 7919) % n];
			present[i] = true;
		}
		tree_fill(&t, all, n);
		tree_check(&t);
		/* It goes on living: every third item goes, and comes back. */
		for (size_t i = 0; i < n; i += 3) {
			assert_true(tree_remove(&t, &items[i]));
			present[i] = false;
		}
		tree_check(&t);
		for (size_t i = 0; i < n; i += 3) {
			tree_insert(&t, &items[i]);
			present[i] = true;
		}
		tree_check(&t);
		tree_done(&t);
	}
}

static void empty_tree_answers(void **state)
{
	(void)state;
	struct tree t = TREE(int_order, NULL);
	assert_int_equal(tree_count(&t), 0);
	assert_int_equal(tree_rank(&t, int_probe, &items[5]), 0);
	assert_false(tree_remove(&t, &items[5]));
	tree_done(&t);
}

static void ascending_and_descending_inserts(void **state)
{
	(void)state;
	struct tree t = TREE(int_order, NULL);
	for (int i = 0; i < ITEMS; i += 2) {
		tree_insert(&t, &items[i]);
		present[i] = true;
	}
	tree_check(&t);
	for (int i = ITEMS - 1; i > 0; i -= 2) {
		tree_insert(&t, &items[i]);
		present[i] = true;
	}
	tree_check(&t);
	for (int i = 0; i < ITEMS; i++) {
		assert_true(tree_remove(&t, &items[i]));
		present[i] = false;
		assert_false(tree_remove(&t, &items[i]));
	}
	tree_check(&t);
	tree_done(&t);
}

static void random_churn_keeps_order_and_counts(void **state)
{
	(void)state;
	struct tree t = TREE(int_order, NULL);
	for (int round = 0; round < 12; round++) {
		/* Rounds grow and shrink the tree in turn, so that nodes split and join. */
		int bias = round % 2 ? 20 : 80;
		for (int step = 0; step < ITEMS; step++) {
			int i = rand() % ITEMS;
			bool insert = rand() % 100 < bias;
			if (insert && !present[i])
				tree_insert(&t, &items[i]);
			else if (!insert)
				assert_int_equal(tree_remove(&t, &items[i]), present[i]);
			present[i] = insert;
		}
		tree_check(&t);
	}
	tree_done(&t);
}

static void runs_cover_all_positions(void **state)
{
	(void)state;
	struct tree t = TREE(int_order, NULL);
	for (int i = 0; i < ITEMS; i++)
		tree_insert(&t, &items[(i * 7919) % ITEMS]);
	for (uint64_t at = 0; at < ITEMS;) {
		void *const *run;
		size_t index;
		size_t count;
		tree_run(&t, at, &run, &index, &count);
		assert_true(index < count);
		for (; index < count; index++, at++)
			assert_ptr_equal(run[index], &items[at]);
	}
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_tree_answers, setup),
		cmocka_unit_test_setup(filled_at_once_it_is_like_any_other, setup),
		cmocka_unit_test_setup(ascending_and_descending_inserts, setup),
		cmocka_unit_test_setup(random_churn_keeps_order_and_counts, setup),
		cmocka_unit_test_setup(runs_cover_all_positions, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
