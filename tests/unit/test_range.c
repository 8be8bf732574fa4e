#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void whole(const char *header)
{
	struct byte_range range;
	assert_int_equal(range_parse(span_of(header), 100, &range), RANGE_WHOLE);
}

static void part(const char *header, uint64_t size, uint64_t first, uint64_t length)
{
	struct byte_range range;
	assert_int_equal(range_parse(span_of(header), size, &range), RANGE_PART);
	assert_int_equal(range.first, first);
	assert_int_equal(range.length, length);
}

static void beyond(const char *header, uint64_t size)
{
	struct byte_range range;
	assert_int_equal(range_parse(span_of(header), size, &range), RANGE_BEYOND);
}

static void malformed_ranges_count_as_none(void **state)
{
	(void)state;
	static const char *const headers[] = {"",
					      "bytes",
					      "bytes=",
					      "bytes=-",
					      "bytes=a-b",
					      "bytes=1",
					      "bytes=5-4",
					      "bytes=0-1,2-3",
					      "items=0-1",
					      "bytes=--1",
					      "bytes=+1-2",
					      "bytes=1-2x",
					      "bytes=18446744073709551616-5",
					      "bytes=0x1-2",
					      "bytes=1-2-3"};
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		whole(headers[i]);
}

static void ranges_are_cut_to_the_content(void **state)
{
	(void)state;
	part("bytes=0-0", 100, 0, 1);
	part("BYTES=10-", 100, 10, 90);
	part("bytes= 10 - 19 ", 100, 10, 10);
	part("bytes=99-18446744073709551615", 100, 99, 1);
	part("bytes=99-99999999999999999999999", 100, 99, 1);
	part("bytes=-99999999999999999999999", 100, 0, 100);
	part("bytes=-1", 100, 99, 1);
	part("bytes=-1000", 100, 0, 100);
	beyond("bytes=100-", 100);
	beyond("bytes=18446744073709551616-", 100);
	beyond("bytes=18446744073709551615-18446744073709551615", 100);
	beyond("bytes=-0", 100);
	beyond("bytes=0-", 0);
	beyond("bytes=-5", 0);
}

static enum condition check(const char *match, const char *none_match, const char *since, const char *unmodified)
{
	const struct conditions conditions = {match, none_match, since, unmodified};
	return conditions_check(&conditions, "\"abc\"", 784111777);
}

static void conditions_follow_the_rfc(void **state)
{
	(void)state;
	static const char exact[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	static const char before[] = "Sunday, 06-Nov-94 08:49:36 GMT";
	static const char after[] = "Sun Nov  6 08:49:38 1994";
	assert_int_equal(check(NULL, NULL, NULL, NULL), CONDITION_GO);
	assert_int_equal(check("\"abc\"", NULL, NULL, before), CONDITION_GO);
	assert_int_equal(check("\"x\", abc", NULL, NULL, NULL), CONDITION_GO);
	assert_int_equal(check("*", NULL, NULL, NULL), CONDITION_GO);
	assert_int_equal(check("\"ab\"", NULL, NULL, NULL), CONDITION_FAILED);
	assert_int_equal(check("", NULL, NULL, NULL), CONDITION_FAILED);
	assert_int_equal(check(NULL, NULL, NULL, before), CONDITION_FAILED);
	assert_int_equal(check(NULL, NULL, NULL, exact), CONDITION_GO);
	assert_int_equal(check(NULL, "W/\"abc\"", NULL, NULL), CONDITION_NOT_MODIFIED);
	assert_int_equal(check(NULL, "*", NULL, NULL), CONDITION_NOT_MODIFIED);
	assert_int_equal(check(NULL, "\"x\"", after, NULL), CONDITION_GO);
	assert_int_equal(check(NULL, NULL, exact, NULL), CONDITION_NOT_MODIFIED);
	assert_int_equal(check(NULL, NULL, before, NULL), CONDITION_GO);
	assert_int_equal(check(NULL, NULL, "yesterday", NULL), CONDITION_GO);
	const struct conditions no_tag = {.if_match = "\"abc\""};
	assert_int_equal(conditions_check(&no_tag, NULL, 0), CONDITION_FAILED);
}

static void if_range_wants_the_same_version(void **state)
{
	(void)state;
	assert_true(range_applies(NULL, NULL, 0));
	assert_true(range_applies("\"abc\"", "\"abc\"", 0));
	assert_false(range_applies("W/\"abc\"", "\"abc\"", 0));
	assert_false(range_applies("\"abd\"", "\"abc\"", 0));
	assert_false(range_applies("\"abc\"", NULL, 0));
	assert_true(range_applies("Sun, 06 Nov 1994 08:49:37 GMT", NULL, 784111777));
	assert_false(range_applies("Sun, 06 Nov 1994 08:49:37 GMT", NULL, 784111778));
}

static void dates_are_written_as_read(void **state)
{
	(void)state;
	char text[HTTP_DATE_SIZE];
	int64_t time = 0;
	http_date(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_true(http_date_parse(text, &time) && time == 784111777);
	assert_false(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT+1", &time));
	assert_false(http_date_parse("", &time));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_ranges_count_as_none), cmocka_unit_test(ranges_are_cut_to_the_content),
		cmocka_unit_test(conditions_follow_the_rfc),	  cmocka_unit_test(if_range_wants_the_same_version),
		cmocka_unit_test(dates_are_written_as_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
