/* Which column of a file goes where: hostile and odd files first. */
#include "storage/import_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct table_column columns[] = {
	{"id", "INTEGER", false, NULL},		 {"Name", "VARCHAR", true, NULL},
	{"price", "DECIMAL(10,2)", true, NULL},	 {"tags", "VARCHAR[]", true, NULL},
	{"_timestamp", "TIMESTAMP", true, NULL},
};
static const struct table_schema schema = {.column_count = ARRAY_LEN(columns), .columns = columns};

struct bed {
	struct arena *arena;
	struct import_file file;
	struct table_import request;
	struct import_map map;
	struct err err;
};

static int bed_open(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	b->arena = arena_new();
	b->file = (struct import_file){.format = IMPORT_CSV, .has_header = true};
	*state = b;
	return 0;
}

static int bed_close(void **state)
{
	struct bed *b = *state;
	arena_free(b->arena);
	free(b);
	return 0;
}

static void file_of(struct bed *b, const char *const *names, size_t n)
{
	b->file.columns = arena_array(b->arena, struct import_column, n);
	b->file.column_count = n;
	for (size_t i = 0; i < n; i++)
		b->file.columns[i] = (struct import_column){names[i], "VARCHAR"};
}

#define FILE_OF(b, ...)                                     \
	do {                                                \
		const char *const names_[] = {__VA_ARGS__}; \
		file_of(b, names_, ARRAY_LEN(names_));      \
	} while (0)

static bool mapped(struct bed *b)
{
	b->err = ERR_INIT;
	return import_map(&schema, &b->file, &b->request, b->arena, &b->map, &b->err);
}

/* Source of a table column; -1: none. */
static int source_of(const struct bed *b, size_t target)
{
	for (size_t i = 0; i < b->map.count; i++) {
		if (b->map.target[i] == target)
			return (int)b->map.source[i];
	}
	return -1;
}

static void wants_columns(struct bed *b, const char *const *names, size_t n)
{
	b->request.columns = names;
	b->request.column_count = n;
}

static void odd_files_are_refused(void **state)
{
	struct bed *b = *state;
	assert_false(mapped(b));
	assert_int_equal(b->err.code, ERR_IMPORT_FAILED);
	FILE_OF(b, "id", "name", "price", "tags");
	assert_false(mapped(b));
	assert_non_null(strstr(b->err.message, "4"));
	assert_non_null(strstr(b->err.message, "5"));
	FILE_OF(b, "id", "name", "price", "tags", "_timestamp", "more");
	assert_false(mapped(b));
	assert_int_equal(b->err.code, ERR_IMPORT_FAILED);
}

static void names_in_any_order_and_case(void **state)
{
	struct bed *b = *state;
	FILE_OF(b, "_TIMESTAMP", "Tags", "ID", "nAmE", "price");
	assert_true(mapped(b));
	assert_null(b->map.warning);
	assert_int_equal(b->map.count, 5);
	assert_int_equal(source_of(b, 0), 2);
	assert_int_equal(source_of(b, 1), 3);
	assert_int_equal(source_of(b, 2), 4);
	assert_int_equal(source_of(b, 3), 1);
	assert_int_equal(source_of(b, 4), 0);
}

static void other_names_go_by_position_with_a_warning(void **state)
{
	struct bed *b = *state;
	FILE_OF(b, "name", "id", "price", "tags", "nope");
	assert_true(mapped(b));
	assert_non_null(b->map.warning);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(source_of(b, i), i);
	/* A name that stands twice cannot be told apart. */
	FILE_OF(b, "id", "id", "name", "price", "tags");
	assert_true(mapped(b));
	assert_non_null(b->map.warning);
	assert_int_equal(source_of(b, 1), 1);
	b->file.has_header = false;
	FILE_OF(b, "column0", "column1", "column2", "column3", "column4");
	assert_true(mapped(b));
	assert_null(b->map.warning);
}

static void chosen_columns(void **state)
{
	struct bed *b = *state;
	const char *const chosen[] = {"PRICE", "id"};
	const char *const unknown[] = {"id", "x\"; --"};
	const char *const twice[] = {"id", "Id"};
	FILE_OF(b, "id", "price");
	wants_columns(b, chosen, 2);
	assert_true(mapped(b));
	assert_null(b->map.warning);
	assert_int_equal(b->map.count, 2);
	assert_int_equal(source_of(b, 0), 0);
	assert_int_equal(source_of(b, 2), 1);
	b->file.has_header = false;
	assert_true(mapped(b));
	assert_int_equal(source_of(b, 2), 0);
	assert_int_equal(source_of(b, 0), 1);
	assert_int_equal(source_of(b, 1), -1);
	wants_columns(b, unknown, 2);
	assert_false(mapped(b));
	assert_int_equal(b->err.code, ERR_INVALID_COLUMN);
	assert_non_null(strstr(b->err.details, "x\\\"; --"));
	wants_columns(b, twice, 2);
	assert_false(mapped(b));
	assert_int_equal(b->err.code, ERR_INVALID_COLUMN);
}

static void by_name_only(void **state)
{
	struct bed *b = *state;
	b->request.mapping = TABLE_IMPORT_BY_NAME;
	FILE_OF(b, "extra", "tags", "price", "_timestamp", "id", "name");
	assert_true(mapped(b));
	assert_int_equal(b->map.count, 4);
	assert_int_equal(source_of(b, 0), 4);
	assert_int_equal(source_of(b, 3), 1);
	assert_int_equal(source_of(b, 4), -1);
	FILE_OF(b, "id", "name", "price");
	assert_false(mapped(b));
	assert_int_equal(b->err.code, ERR_IMPORT_FAILED);
	assert_non_null(strstr(b->err.message, "tags"));
	/* The caller's names for a file without a header. */
	const char *const given[] = {"name", "id", "tags", "price"};
	b->file.has_header = false;
	wants_columns(b, given, 4);
	FILE_OF(b, "column0", "column1", "column2", "column3", "column4");
	assert_true(mapped(b));
	assert_int_equal(source_of(b, 0), 1);
	assert_int_equal(source_of(b, 1), 0);
	assert_int_equal(source_of(b, 2), 3);
}

static void types_that_the_reader_casts(void **state)
{
	struct bed *b = *state;
	FILE_OF(b, "tags", "price", "id", "name", "_timestamp");
	assert_true(mapped(b));
	const char *const *types = import_map_types(&b->map, &schema, &b->file, b->arena);
	assert_null(types[0]);
	assert_string_equal(types[1], "DECIMAL(10,2)");
	assert_string_equal(types[2], "INTEGER");
	assert_string_equal(types[4], "TIMESTAMP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(odd_files_are_refused, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(names_in_any_order_and_case, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(other_names_go_by_position_with_a_warning, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(chosen_columns, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(by_name_only, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(types_that_the_reader_casts, bed_open, bed_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
