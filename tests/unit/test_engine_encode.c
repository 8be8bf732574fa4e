/* Values as text: against the engine's own casts, against PostgreSQL's forms, against expected JSON. */
#include "base/limits.h"
#include "engine/encode_json.h"
#include "engine/number.h"
#include "engine_bed.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

static int setup(void **state)
{
	(void)state;
	return bed_open(&(struct instance_config){.threads = 1}, "SET TimeZone='UTC'");
}

static int teardown(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

static void check_double(double value)
{
	char text[NUMBER_DOUBLE_MAX + 1], want[40];
	text[number_engine_double(value, text)] = '\0';
	if (strtod(text, NULL) != value)
		fail_msg("%.17g: %s", value, text);
	/* No shorter text reads back. */
	const struct number_shortest s = number_shortest_double(value);
	char digits[NUMBER_U64_MAX];
	const int n = (int)number_u64(s.digits, digits);
	if (n > 1) {
		(void)snprintf(want, sizeof(want), "%.*e", n - 2, value);
		if (strtod(want, NULL) == value)
			fail_msg("%.17g: %s is not the shortest: %s", value, text, want);
	}
}

static void check_float(float value)
{
	char text[NUMBER_DOUBLE_MAX + 1], want[40];
	text[number_engine_float(value, text)] = '\0';
	if (strtof(text, NULL) != value)
		fail_msg("%.9g: %s", (double)value, text);
	const struct number_shortest s = number_shortest_float(value);
	char digits[NUMBER_U64_MAX];
	const int n = (int)number_u64(s.digits, digits);
	if (n > 1) {
		(void)snprintf(want, sizeof(want), "%.*e", n - 2, (double)value);
		if (strtof(want, NULL) == value)
			fail_msg("%.9g: %s is not the shortest: %s", (double)value, text, want);
	}
}

/* Splitmix64: the same values in every run. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static void test_shortest(void **state)
{
	(void)state;
	static const double edges[] = {DBL_MIN,
				       DBL_MAX,
				       DBL_TRUE_MIN,
				       DBL_EPSILON,
				       1.0,
				       2.0,
				       0.1,
				       0.3,
				       9007199254740993.0,
				       1e22,
				       1e23,
				       5e-324,
				       2.2250738585072011e-308,
				       1e15,
				       1e16,
				       123456.789};
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		check_double(edges[i]);
	for (int e = -1074; e < 1024; e++) { /* every power of two and its neighbours */
		const double power = ldexp(1, e);
		check_double(power);
		check_double(nextafter(power, 0) == 0 ? power : nextafter(power, 0));
		check_double(nextafter(power, INFINITY));
	}
	for (int e = -149; e < 128; e++)
		check_float(ldexpf(1, e));
	uint64_t seed = 1;
	for (int i = 0; i < 100000; i++) {
		const uint64_t bits = next_random(&seed);
		const uint32_t half = (uint32_t)(bits >> 32);
		double d;
		float f;
		memcpy(&d, &bits, sizeof(d));
		memcpy(&f, &half, sizeof(f));
		if (isfinite(d) && d != 0)
			check_double(d);
		if (isfinite(f) && f != 0)
			check_float(f);
		check_double((double)(bits % 100000000) / 100 + 0.01);
	}
}

static void test_number_texts(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *json, *pg, *engine;
	} rows[] = {
		{0.0, "0.0", "0", "0.0"},
		{-0.0, "-0.0", "-0", "-0.0"},
		{1, "1.0", "1", "1.0"},
		{100, "100.0", "100", "100.0"},
		{1e15, "1000000000000000.0", "1e+15", "1000000000000000.0"},
		{1e14, "100000000000000.0", "100000000000000", "100000000000000.0"},
		{1e16, "1e+16", "1e+16", "1e+16"},
		{0.0001, "0.0001", "0.0001", "0.0001"},
		{0.00001, "0.00001", "1e-05", "1e-05"},
		{1e-7, "0.0000001", "1e-07", "1e-07"},
		{1e-8, "1e-08", "1e-08", "1e-08"},
		{-1.5e300, "-1.5e+300", "-1.5e+300", "-1.5e+300"},
		{78.9, "78.9", "78.9", "78.9"},
		{5e-324, "5e-324", "5e-324", "5e-324"},
		{123456789.125, "123456789.125", "123456789.125", "123456789.125"},
	};
	char text[64];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		text[number_json_double(rows[i].value, text)] = '\0';
		assert_string_equal(text, rows[i].json);
		text[number_pg_double(rows[i].value, text)] = '\0';
		assert_string_equal(text, rows[i].pg);
		text[number_engine_double(rows[i].value, text)] = '\0';
		assert_string_equal(text, rows[i].engine);
	}
	text[number_pg_double((double)NAN, text)] = '\0';
	assert_string_equal(text, "NaN");
	text[number_pg_double(-(double)INFINITY, text)] = '\0';
	assert_string_equal(text, "-Infinity");
	text[number_pg_float(1e6F, text)] = '\0';
	assert_string_equal(text, "1e+06");
	text[number_pg_float(123456.0F, text)] = '\0';
	assert_string_equal(text, "123456");
	static const struct {
		int64_t value;
		unsigned scale;
		const char *text;
	} decimals[] = {
		{0, 0, "0"},	      {0, 2, "0.00"},	      {5, 2, "0.05"}, {-5, 2, "-0.05"},
		{10050, 2, "100.50"}, {-10050, 4, "-1.0050"}, {7, 0, "7"},    {INT64_MIN, 1, "-922337203685477580.8"}};
	for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
		text[number_decimal(decimals[i].value, decimals[i].scale, text)] = '\0';
		assert_string_equal(text, decimals[i].text);
	}
	text[number_i128_text((number_i128)((number_u128)1 << 127), text)] = '\0';
	assert_string_equal(text, "-170141183460469231731687303715884105728");
	text[number_u128_text(~(number_u128)0, text)] = '\0';
	assert_string_equal(text, "340282366920938463463374607431768211455");
}

/* Our text must be the engine's cast, for values of every type and their edges. */
static void test_text_is_the_engines(void **state)
{
	(void)state;
	static const char *const values[] = {
		"true",
		"false",
		"(-128)::TINYINT",
		"127::TINYINT",
		"255::UTINYINT",
		"(-32768)::SMALLINT",
		"65535::USMALLINT",
		"(-2147483648)::INTEGER",
		"4294967295::UINTEGER",
		"(-9223372036854775808)::BIGINT",
		"18446744073709551615::UBIGINT",
		"(-170141183460469231731687303715884105728)::HUGEINT",
		"170141183460469231731687303715884105727::HUGEINT",
		"340282366920938463463374607431768211455::UHUGEINT",
		"0::HUGEINT",
		"(-1)::HUGEINT",
		"10000000000000000000::HUGEINT",
		"0::BIGNUM",
		"(-1)::BIGNUM",
		"255::BIGNUM",
		"256::BIGNUM",
		"'123456789012345678901234567890123456789012345678901234567890'::BIGNUM",
		"'-99999999999999999999999999999999999999999999999999'::BIGNUM",
		"1e300::DOUBLE::BIGNUM",
		"1.5::FLOAT",
		"0.1::FLOAT",
		"16777216::FLOAT",
		"1e20::FLOAT",
		"1e-5::FLOAT",
		"'nan'::FLOAT",
		"'-inf'::DOUBLE",
		"0.1::DOUBLE",
		"1e16::DOUBLE",
		"(-0.0)::DOUBLE",
		"1e-4::DOUBLE",
		"123456789012345678::DOUBLE",
		"5e-324::DOUBLE",
		"1e15::DOUBLE",
		"1.50::DECIMAL(4,2)",
		"(-0.05)::DECIMAL(4,2)",
		"12345678.9::DECIMAL(9,1)",
		"(-1234567890.12345)::DECIMAL(18,5)",
		"'99999999999999999999999999999999999999'::DECIMAL(38,0)",
		"''",
		"'text'",
		"'it''s \"q\" \\ ž 😀'",
		"'a longer text than twelve bytes'",
		"'{\"a\": [1, null]}'::JSON",
		"''::BLOB",
		"'\\x00\\xFFab\\x5C\\x27\\x22~\\x7F'::BLOB",
		"'0'::BIT",
		"'1'::BIT",
		"'0101'::BIT",
		"'11111111'::BIT",
		"'101010101'::BIT",
		"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID",
		"'00000000-0000-0000-0000-000000000000'::UUID",
		"'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID",
		"'80000000-0000-0000-0000-000000000001'::UUID",
		"DATE '1970-01-01'",
		"DATE '1969-12-31'",
		"DATE '2000-02-29'",
		"DATE '1900-03-01'",
		"DATE '0001-01-01'",
		"DATE '0044-03-15 (BC)'",
		"DATE '0001-12-31 (BC)'",
		"DATE '10000-01-01'",
		"DATE '5877642-06-25 (BC)'",
		"DATE '5881580-07-10'",
		"DATE 'infinity'",
		"DATE '-infinity'",
		"TIME '00:00:00'",
		"TIME '23:59:59.999999'",
		"TIME '24:00:00'",
		"TIME '01:02:03.5'",
		"'01:02:03.123456789'::TIME_NS",
		"'01:02:03'::TIME_NS",
		"'01:02:03+00'::TIMETZ",
		"'01:02:03.5-02:30'::TIMETZ",
		"'01:02:03+05:30:15'::TIMETZ",
		"'23:59:59-15:59:59'::TIMETZ",
		"'23:59:59+15:59:59'::TIMETZ",
		"TIMESTAMP '1970-01-01 00:00:00'",
		"TIMESTAMP '1969-12-31 23:59:59.999999'",
		"TIMESTAMP '2025-03-04 05:06:07.5'",
		"TIMESTAMP '0044-03-15 (BC) 01:02:03'",
		"TIMESTAMP 'infinity'",
		"TIMESTAMP '-infinity'",
		"TIMESTAMP '290000-01-01 00:00:00'",
		"'2025-03-04 05:06:07'::TIMESTAMP_S",
		"'1901-03-04 05:06:07'::TIMESTAMP_S",
		"'2025-03-04 05:06:07.12'::TIMESTAMP_MS",
		"'2025-03-04 05:06:07.123456789'::TIMESTAMP_NS",
		"'1969-12-31 23:59:59.999999999'::TIMESTAMP_NS",
		"'2025-03-04 05:06:07.1'::TIMESTAMP_NS",
		"'infinity'::TIMESTAMP_NS",
		"TIMESTAMPTZ '2025-03-04 05:06:07.5+02'",
		"'infinity'::TIMESTAMPTZ",
		"TIMESTAMPTZ '1900-01-01 00:00:00+00'",
		"INTERVAL '0 days'",
		"INTERVAL '1 year 2 months 3 days 04:05:06.5'",
		"INTERVAL '-1 month'",
		"INTERVAL '-3 days 4 hours'",
		"INTERVAL '13 months'",
		"INTERVAL '1000 hours'",
		"INTERVAL '-1 microsecond'",
		"to_months(-13)",
		"INTERVAL '1 day -1 hour'",
		"to_hours(-100)",
		"'a b'::ENUM('x', 'a b')",
		"[1, NULL, 3]",
		"[]::INTEGER[]",
		"[[1], [], NULL, [2, 3]]",
		"[1, 2]::INTEGER[2]",
		"[[1, 2], [3, 4]]::INTEGER[2][2]",
		"['a', 'b c', 'NULL', 'null', '', NULL, 'x,y', 'it''s', '[a]', '\"q\"', ' sp', 'sp ', 'a:b', '{x}', 'a\\b', 'a\\b''', '(p)', 'a=b', 'ž']",
		"{'a': 1, 'b': 'x', 'c d': NULL, 'E': 'it''s', 'f': ''}",
		"{'a''b': 1}",
		"{'x': {'y z': [1]}}",
		"row(1, 'x', NULL)",
		"map(['a', 'b c', '1,2'], [1, 2, NULL])",
		"map([1], [DATE '2020-01-01'])",
		"map()",
		"[TIMESTAMP '2020-01-01']",
		"[TIME '01:02:03']",
		"[INTERVAL '1 day', INTERVAL '01:00:00']",
		"['x'::BLOB, '\\x00'::BLOB]",
		"['{\"a\":1}'::JSON]",
		"[1.5::DOUBLE]",
		"[2.50::DECIMAL(5,2)]",
		"['0101'::BIT]",
		"[true, NULL]",
		"[{'a': [1]}]",
		"union_value(a := 1)",
		"union_value(a := 'x y')",
		"[union_value(a := 'x,y')]",
		"['a'::ENUM('a', 'b')]",
		"[DATE '0044-03-15 (BC)']",
		"map(['k'], [[1, 2]])",
		"[map(['k'], ['v w'])]",
		"[NULL]::VARCHAR[]",
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char sql[600];
		struct buf text = BUF(MIB);
		(void)snprintf(sql, sizeof(sql), "SELECT v, v::VARCHAR FROM (SELECT %s AS v)", values[i]);
		struct cursor *c = bed_query(sql);
		const struct vector *v = cursor_vectors(c);
		encode_text_value(&v[0], 0, &text);
		const struct span want = cursor_text(c, 1, 0), got = buf_view(&text);
		if (!span_eq(want, got))
			fail_msg("%s: the engine says %.*s, we say %.*s", values[i], SPAN_ARG(want), SPAN_ARG(got));
		buf_done(&text);
		cursor_close(c);
	}
	/* Every day of 800 years, through list chunks and nulls. */
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows;
	assert_true(session_query(
		session,
		"SELECT v, v::VARCHAR FROM (SELECT CASE WHEN i % 7 = 3 THEN NULL ELSE [DATE '1600-01-01' + i::INTEGER] END v "
		"FROM range(292194) r(i))",
		&c, &err));
	struct buf text = BUF(MIB);
	while (cursor_next(c, &rows, &err) && rows > 0)
		for (size_t row = 0; row < rows; row++) {
			const struct vector *v = cursor_vectors(c);
			assert_int_equal(vector_is_null(&v[0], row), cursor_is_null(c, 1, row));
			if (vector_is_null(&v[0], row))
				continue;
			buf_reset(&text);
			encode_text_value(&v[0], row, &text);
			if (!span_eq(buf_view(&text), cursor_text(c, 1, row)))
				fail_msg("%.*s", SPAN_ARG(cursor_text(c, 1, row)));
		}
	assert_int_equal(err.code, ERR_NONE);
	buf_done(&text);
	cursor_close(c);
}

static void test_json(void **state)
{
	(void)state;
	static const struct {
		const char *value, *json, *pg; /* pg NULL: the same */
	} rows[] = {
		{"NULL", "null", NULL},
		{"true", "true", NULL},
		{"(-5)::TINYINT", "-5", NULL},
		{"18446744073709551615::UBIGINT", "18446744073709551615", NULL},
		{"170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727", NULL},
		{"1.5::DOUBLE", "1.5", NULL},
		{"1::DOUBLE", "1.0", NULL},
		{"0.1::FLOAT", "0.1", NULL},
		{"'nan'::DOUBLE", "null", "\"NaN\""},
		{"'inf'::FLOAT", "null", "\"Infinity\""},
		{"'-inf'::DOUBLE", "null", "\"-Infinity\""},
		{"100.50::DECIMAL(10,2)", "\"100.50\"", "100.50"},
		{"(-0.05)::DECIMAL(4,2)", "\"-0.05\"", "-0.05"},
		{"'it\"s \\ ' || chr(10) || chr(1) || 'ž'", "\"it\\\"s \\\\ \\n\\u0001ž\"", NULL},
		{"'{\"a\": 1}'::JSON", "\"{\\\"a\\\": 1}\"", "{\"a\": 1}"},
		{"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID", "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"", NULL},
		{"'0101'::BIT", "\"0101\"", NULL},
		{"'a'::ENUM('a', 'b')", "\"a\"", NULL},
		{"DATE '2025-03-04'", "\"2025-03-04\"", NULL},
		{"TIMESTAMP '2025-03-04 05:06:07'", "\"2025-03-04T05:06:07\"", "\"2025-03-04 05:06:07\""},
		{"TIMESTAMP '2025-03-04 05:06:07.5'", "\"2025-03-04T05:06:07.500000\"", "\"2025-03-04 05:06:07.5\""},
		{"'2025-03-04 05:06:07.25'::TIMESTAMP_MS", "\"2025-03-04T05:06:07.250000\"",
		 "\"2025-03-04 05:06:07.25\""},
		{"'2025-03-04 05:06:07.123456789'::TIMESTAMP_NS", "\"2025-03-04T05:06:07.123456\"",
		 "\"2025-03-04 05:06:07.123456\""},
		{"'2025-03-04 05:06:07'::TIMESTAMP_S", "\"2025-03-04T05:06:07\"", "\"2025-03-04 05:06:07\""},
		{"TIMESTAMPTZ '2025-03-04 05:06:07+02'", "\"2025-03-04T03:06:07+00:00\"", "\"2025-03-04 03:06:07+00\""},
		{"TIMESTAMP 'infinity'", "\"infinity\"", NULL},
		{"TIME '05:06:07'", "\"05:06:07\"", NULL},
		{"TIME '05:06:07.25'", "\"05:06:07.250000\"", "\"05:06:07.25\""},
		{"'05:06:07+02'::TIMETZ", "\"05:06:07+02\"", NULL},
		{"INTERVAL '1 year 2 days'", "\"1 year 2 days\"", "\"1 year 2 days\""},
		{"'\\x00a'::BLOB", "\"\\\\x00a\"", "\"\\\\x0061\""},
		{"[1, NULL]", "[1,null]", NULL},
		{"[]::INTEGER[]", "[]", NULL},
		{"[1, 2]::INTEGER[2]", "[1,2]", NULL},
		{"{'a': 1, 'b \"c': [1.50::DECIMAL(4,2)]}", "{\"a\":1,\"b \\\"c\":[\"1.50\"]}",
		 "{\"a\":1,\"b \\\"c\":[1.50]}"},
		{"map([1, 2], ['x', NULL])", "{\"1\":\"x\",\"2\":null}", NULL},
		{"map(['a\"b'], [[1]])", "{\"a\\\"b\":[1]}", NULL},
		{"map()", "{}", NULL},
		{"union_value(a := 'x')", "\"x\"", NULL},
		{"row(1, 'x')", "{\"f1\":1,\"f2\":\"x\"}", NULL},
		{"[{'d': DATE '2020-01-01'}, NULL]", "[{\"d\":\"2020-01-01\"},null]", NULL},
		{"'123456789012345678901234567890'::BIGNUM", "123456789012345678901234567890", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char sql[400];
		(void)snprintf(sql, sizeof(sql), "SELECT %s AS \"a\"\"b\"", rows[i].value);
		struct cursor *c = bed_query(sql);
		for (int style = JSON_STYLE_PREVIEW; style <= JSON_STYLE_PG; style++) {
			struct buf text = BUF(MIB);
			encode_json_value(cursor_vectors(c), 0, (enum json_style)style, &text);
			const char *want = style == JSON_STYLE_PG && rows[i].pg ? rows[i].pg : rows[i].json;
			if (!span_is(buf_view(&text), want))
				fail_msg("%s: %s, not %s", rows[i].value, buf_view(&text).ptr, want);
			json_t *parsed =
				json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
			assert_non_null(parsed);
			json_decref(parsed);
			buf_done(&text);
		}
		struct buf row = BUF(MIB);
		bool first = true;
		encode_json_rows(c, 1, &first, &row);
		assert_true(span_starts(buf_view(&row), SPAN("{\"a\\\"b\":")));
		assert_false(first);
		buf_done(&row);
		cursor_close(c);
	}
}

/* Types that no vector shows come as JSON or text, whatever stands around them. */
static void test_opaque(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_true(session_run(session,
				"CREATE TABLE opaque(id INTEGER, v VARIANT, g GEOMETRY);"
				"INSERT INTO opaque VALUES (1, 1::VARIANT, 'POINT (1 2)'), (2, 'a'::VARIANT, NULL);"
				"INSERT INTO opaque VALUES (3, [1, 2]::VARIANT, NULL), (4, NULL, NULL)",
				&err));
	struct cursor *c = bed_query("SELECT id AS \"select\", v, g, [v] AS l FROM opaque ORDER BY id DESC ; \n");
	struct buf rows = BUF(MIB);
	bool first = true;
	assert_int_equal(cursor_columns(c)[1].type->id, TYPE_JSON);
	encode_json_rows(c, 4, &first, &rows);
	assert_string_equal(buf_view(&rows).ptr, "{\"select\":4,\"v\":null,\"g\":null,\"l\":\"[null]\"},"
						 "{\"select\":3,\"v\":\"[1,2]\",\"g\":null,\"l\":\"[[1,2]]\"},"
						 "{\"select\":2,\"v\":\"\\\"a\\\"\",\"g\":null,\"l\":\"[\\\"a\\\"]\"},"
						 "{\"select\":1,\"v\":\"1\",\"g\":\"POINT (1 2)\",\"l\":\"[1]\"}");
	buf_done(&rows);
	cursor_close(c);
}

static void test_full_buffer(void **state)
{
	(void)state;
	struct cursor *c = bed_query(
		"SELECT 'some text' AS t, [1, 2, 3] AS l, {'a': 'x'} AS s, map(['k'], ['\\x00'::BLOB]) AS m, 1.5 AS d "
		"FROM range(100)");
	for (size_t max = 1; max < 300; max++) {
		struct buf text = BUF(max);
		bool first = true;
		encode_json_rows(c, 100, &first, &text);
		assert_true(text.failed);
		for (size_t i = 0; i < cursor_column_count(c); i++)
			encode_text_value(&cursor_vectors(c)[i], 0, &text);
		assert_int_equal(text.len, 0);
		buf_done(&text);
	}
	cursor_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shortest),
		cmocka_unit_test(test_number_texts),
		cmocka_unit_test(test_text_is_the_engines),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_full_buffer),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
