#include "engine/magazine.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static bool keep(void *block)
{
	return magazine_keep(block, malloc_usable_size(block));
}

static int closed(void **state)
{
	(void)state;
	magazine_close();
	return 0;
}

static void what_was_kept_comes_back_for_its_size_and_no_larger(void **state)
{
	(void)state;
	const size_t sizes[] = {24, 40, 56, 264, 504, MAGAZINE_BYTES};
	magazine_open();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		void *at = calloc(1, sizes[i]);
		assert_int_equal(malloc_usable_size(at), sizes[i]);
		assert_true(keep(at));
		assert_null(magazine_take(sizes[i] + 1));
		assert_ptr_equal(magazine_take(sizes[i] - 15), at);
		assert_null(magazine_take(sizes[i]));
		assert_true(keep(at));
		assert_ptr_equal(magazine_take(sizes[i]), at);
		free(at);
	}
}

static void the_smallest_sizes_share_one(void **state)
{
	(void)state;
	magazine_open();
	void *at = calloc(1, 24);
	for (size_t bytes = 0; bytes <= 24; bytes++) {
		assert_true(keep(at));
		assert_ptr_equal(magazine_take(bytes), at);
	}
	free(at);
}

static void only_so_many_are_kept(void **state)
{
	(void)state;
	magazine_open();
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < MAGAZINE_ROUNDS; i++)
			assert_true(keep(calloc(1, 100)));
		void *more = calloc(1, 100);
		assert_false(keep(more));
		free(more);
		magazine_shed();
		assert_null(magazine_take(100));
	}
}

static void what_is_no_small_block_is_not_kept(void **state)
{
	(void)state;
	magazine_open();
	void *large = calloc(1, MAGAZINE_BYTES + 1);
	assert_false(keep(large));
	assert_null(magazine_take(MAGAZINE_BYTES + 1));
	assert_null(magazine_take(SIZE_MAX));
	free(large);
}

static void a_thread_that_opened_none_keeps_nothing(void **state)
{
	(void)state;
	void *at = calloc(1, 100);
	assert_false(keep(at));
	assert_null(magazine_take(100));
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_was_kept_comes_back_for_its_size_and_no_larger, closed),
		cmocka_unit_test_teardown(the_smallest_sizes_share_one, closed),
		cmocka_unit_test_teardown(only_so_many_are_kept, closed),
		cmocka_unit_test_teardown(what_is_no_small_block_is_not_kept, closed),
		cmocka_unit_test(a_thread_that_opened_none_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
