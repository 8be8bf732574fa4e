/* Rows at rest read like the engine's own, whatever their types; bytes that are none are refused. */
#include "engine/chunk.h"

#include "base/limits.h"
#include "engine/encode_pg.h"
#include "engine_bed.h"

static int set_up(void **state)
{
	(void)state;
	return bed_open(&(struct instance_config){.threads = 2}, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')");
}

static int tear_down(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

/* Rows [from, from + n) of what the cursor holds, there and back. */
static void check_rows(const struct cursor *c, size_t from, size_t n)
{
	struct buf bytes = BUF(64 * MIB), before = BUF(64 * MIB), after = BUF(64 * MIB);
	struct arena *arena = arena_new();
	const size_t columns = cursor_column_count(c);
	struct vector *back = chunk_shape(arena, cursor_vectors(c), columns);
	chunk_write(cursor_vectors(c), columns, from, n, &bytes);
	assert_false(bytes.failed);
	assert_int_equal(bytes.len % 8, 0);
	assert_true(chunk_read(back, columns, n, bytes.ptr, bytes.len));
	int16_t *formats = arena_array(arena, int16_t, columns);
	for (int16_t format = 0; format < 2; format++) {
		for (size_t i = 0; i < columns; i++)
			formats[i] = format;
		for (size_t row = 0; row < n; row++) {
			buf_reset(&before);
			buf_reset(&after);
			encode_pg_row(cursor_vectors(c), columns, from + row, formats, NULL, &before);
			encode_pg_row(back, columns, row, formats, NULL, &after);
			if (!span_eq(buf_view(&before), buf_view(&after)))
				fail_msg("row %zu of %zu from %zu is another", row, n, from);
		}
	}
	buf_done(&bytes);
	buf_done(&before);
	buf_done(&after);
	arena_free(arena);
}

static void check_query(const char *sql)
{
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows;
	if (!session_query(session, sql, &c, &err))
		fail_msg("%s: %s", sql, err.message);
	while (cursor_next(c, &rows, &err) && rows > 0) {
		check_rows(c, 0, rows);
		check_rows(c, rows / 3, rows - rows / 3);
		check_rows(c, rows - 1, 1);
	}
	assert_int_equal(err.code, ERR_NONE);
	cursor_close(c);
}

static void test_there_and_back(void **state)
{
	(void)state;
	static const char *const values[] = {
		"i",
		"i % 2 = 0",
		"(i % 100)::TINYINT, (i % 200)::UTINYINT, i::SMALLINT, i::USMALLINT, i::INTEGER, i::UINTEGER, i::UBIGINT",
		"i::HUGEINT << 70, i::UHUGEINT, (i::VARCHAR || repeat('0', i::INTEGER % 60))::BIGNUM",
		"i / 3::FLOAT, i / 7.0::DOUBLE, i::DECIMAL(4,0), i::DECIMAL(9,2), i::DECIMAL(18,3), i::DECIMAL(38,9)",
		"repeat('x', i::INTEGER % 40), 'a', NULL, repeat('y', i::INTEGER % 14)::BLOB, ('1' || repeat('01', i::INTEGER % 30))::BIT",
		"('{\"a\": ' || i || '}')::JSON, uuid(), DATE '2000-01-01' + i::INTEGER, TIME '01:02:03' + to_seconds(i)",
		"make_timestamp(i), make_timestamptz(i * 1000000), to_seconds(i) + to_months(i::INTEGER)",
		"TIMETZ '01:02:03+02', make_timestamp(i)::TIMESTAMP_S, make_timestamp(i)::TIMESTAMP_MS, make_timestamp(i)::TIMESTAMP_NS",
		"(['sad', 'ok', 'happy'])[1 + i % 3]::mood",
		"CASE WHEN i % 5 > 0 THEN range(i % 7) END, [['deep ' || i, NULL], NULL, []], [repeat('z', i::INTEGER % 30)]",
		"{'a': i, 'b': {'c': 'a text of some length ' || i, 'd': [i]}}, CASE WHEN i % 2 = 0 THEN {'x': i} END",
		"MAP {i: 'value that is long ' || i, i + 1: NULL}, CASE WHEN i % 2 = 0 THEN MAP {'k': [i]} END",
		"CASE WHEN i % 3 = 0 THEN union_value(n := i)::UNION(n BIGINT, t VARCHAR) "
		"WHEN i % 3 = 1 THEN union_value(t := 'text of a union ' || i)::UNION(n BIGINT, t VARCHAR) END",
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		check_query(arena_printf(arena, "SELECT %s FROM range(3000) r(i)", values[i]));
		check_query(arena_printf(arena,
					 "SELECT CASE WHEN i %% 4 < 3 THEN v END FROM "
					 "(SELECT i, ROW(%s) AS v FROM range(3000) r(i))",
					 values[i]));
	}
	arena_free(arena);
	check_query("SELECT l[2:3], l FROM (SELECT [i, i + 1, i + 2] AS l FROM range(5000) r(i)) WHERE l[1] % 7 = 1");
	check_query(
		"SELECT [i, NULL, i + 1]::BIGINT[3], [['a text of some length ' || i, 'b'], NULL]::VARCHAR[2][2], "
		"(CASE WHEN i % 3 = 0 THEN ['a', 'text of some length ' || i] END)::VARCHAR[2] FROM range(3000) r(i)");
	check_query("SELECT unnest([[1], [], NULL, [2, 3]])");
}

/* Bytes cut short or with lengths that lie are refused; none of it is read behind the end. */
static void test_hostile(void **state)
{
	(void)state;
	struct cursor *c = bed_query(
		"SELECT 'a text of some length ' || i, [i, i], {'a': i, 'b': 'x'}, i::DECIMAL(20,2) FROM range(50) r(i)");
	struct buf bytes = BUF(64 * MIB);
	struct arena *arena = arena_new();
	struct vector *back = chunk_shape(arena, cursor_vectors(c), 4);
	chunk_write(cursor_vectors(c), 4, 0, 50, &bytes);
	for (size_t len = 0; len < bytes.len; len += 8) {
		char *copy = mem_copy((struct span){bytes.ptr, len});
		assert_false(chunk_read(back, 4, 50, copy, len));
		free(copy);
	}
	for (size_t at = 0; at < bytes.len; at += 8) {
		char *copy = mem_copy(buf_view(&bytes));
		memset(copy + at, 0x7f, 8);
		(void)!chunk_read(back, 4, 50, copy, bytes.len);
		free(copy);
	}
	for (size_t max = 1; max < bytes.len; max += 61) {
		struct buf small = BUF(max);
		chunk_write(cursor_vectors(c), 4, 0, 50, &small);
		assert_true(small.failed);
		buf_done(&small);
	}
	buf_done(&bytes);
	arena_free(arena);
	cursor_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
