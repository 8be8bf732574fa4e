/* to_char(): values and patterns that are no such thing end, and nothing is read beyond them. What is right PostgreSQL tells (test_pgwire_differential.py). */
#include "pgwire/to_char.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf out = BUF(1 << 20);
static const char *error;

/* A text in memory of its own size: what reads beyond it is found out. */
static struct span exact(const char *text)
{
	const size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, text, n);
	return (struct span){copy, n};
}

static const char *shown(const char *type, const char *value, const char *pattern)
{
	const struct span arguments[TO_CHAR_ARGUMENTS] = {exact(type), exact(value), exact(pattern)};
	buf_reset(&out);
	const bool fine = to_char_call(arguments, &out, &error);
	for (size_t i = 0; i < TO_CHAR_ARGUMENTS; i++)
		free((char *)(uintptr_t)arguments[i].ptr);
	buf_byte(&out, '\0');
	return fine ? out.ptr : NULL;
}

static void test_values_and_patterns(void **state)
{
	(void)state;
	assert_string_equal(shown("TIMESTAMP", "2024-12-30 23:59:58.000001", "IYYY-IW-ID HH12:MI:SS.US am"),
			    "2025-01-1 11:59:58.000001 pm");
	assert_string_equal(shown("DATE", "0044-03-15 (BC)", "YYYY-MM-DD BC"), "0044-03-15 BC");
	assert_string_equal(shown("TIMESTAMP WITH TIME ZONE", "2024-03-05 14:07:09-03:30", "OF TZH TZM"),
			    "-03:30 -03 30");
	assert_string_equal(shown("INTEGER", "1485", "9,999"), " 1,485");
	assert_string_equal(shown("DECIMAL(4,2)", "99.99", "99.9"), " ##.#");
	assert_string_equal(shown("DOUBLE", "1e+20", "FM999999999999999999999"), "100000000000000000000");
	assert_null(shown("DOUBLE", "nan", "999"));
	assert_null(error);
	assert_null(shown("INTEGER", "5", "9EEEE"));
	assert_non_null(error);
	assert_null(shown("TIMESTAMP", "infinity", "YYYY"));
}

static void test_hostile_ones_end(void **state)
{
	static const char *const types[] = {"TIMESTAMP", "DATE", "TIME", "INTERVAL", "INTEGER", "VARCHAR", ""};
	static const char *const values[] = {"",
					     "-",
					     "2024",
					     "2024-13-01",
					     "2024-00-01",
					     "2024-12-99",
					     "999999999-01-01",
					     "-999999999-12-31",
					     "0000-01-01 99:99:99.999999999+99:99:99",
					     "2024-01-01 ",
					     "2024-01-01 1:",
					     "2024-01-01 (BC",
					     "1 year",
					     "-1 months",
					     "1",
					     "999999999 days",
					     ":",
					     "1:2:3.",
					     "+",
					     ".",
					     "1.",
					     ".5",
					     "1e400",
					     "-1e-400",
					     "1e",
					     "e",
					     "12345678901234567890123456789012345678901234567890",
					     "99999.99999",
					     " 5 "};
	static const char *const patterns[] = {"",
					       "\"",
					       "\\",
					       "\"\\",
					       "FM",
					       "FMFM",
					       "th",
					       "TH",
					       "DDth",
					       "FF",
					       "FF9",
					       "FF\\",
					       "Y,YY",
					       "J",
					       "W WW IW IDDD ID D RM Month Day",
					       "9",
					       "0",
					       ".",
					       "9.",
					       ".9",
					       "S",
					       "S9",
					       "9S",
					       "MI",
					       "PR",
					       "9PR",
					       "SGPL",
					       ",9",
					       "9,",
					       "FM9.99",
					       "FM0.00",
					       "9TH",
					       "BL",
					       "999999999999999.99999999999999",
					       "\"9"};
	char many[1024];
	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t v = 0; v < ARRAY_LEN(values); v++)
			for (size_t p = 0; p < ARRAY_LEN(patterns); p++)
				(void)shown(types[t], values[v], patterns[p]);
	memset(many, '9', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_null(shown("INTEGER", "1", many));
	assert_string_equal(error, "the pattern has too many digits");
	many[TO_CHAR_DIGITS_MAX] = '\0';
	assert_int_equal(strlen(shown("INTEGER", "-1", many)), TO_CHAR_DIGITS_MAX + 1);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_and_patterns),
		cmocka_unit_test(test_hostile_ones_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
