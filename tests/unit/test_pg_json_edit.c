/* Changes of JSON at a path: what is malformed, deep or large ends in an error, never in a read beyond the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pgwire/json_edit.h"

#include <cmocka.h>

static struct buf out = BUF(1 << 20);
static const char *error;

static const char *call(const char *what, const char *value, const char *path, const char *fresh, const char *flag)
{
	/* Copies of their own size: what reads beyond one is found out. */
	const char *texts[JSON_EDIT_ARGUMENTS] = {what, value, path, fresh, flag};
	struct span arguments[JSON_EDIT_ARGUMENTS];
	char *copies[JSON_EDIT_ARGUMENTS];
	for (size_t i = 0; i < JSON_EDIT_ARGUMENTS; i++) {
		const size_t n = strlen(texts[i]);
		copies[i] = malloc(n + 1);
		char *exact = malloc(n ? n : 1);
		memcpy(exact, texts[i], n);
		free(copies[i]);
		copies[i] = exact;
		arguments[i] = (struct span){exact, n};
	}
	buf_reset(&out);
	const bool fine = json_edit_call(arguments, &out, &error);
	for (size_t i = 0; i < JSON_EDIT_ARGUMENTS; i++)
		free(copies[i]);
	buf_byte(&out, '\0');
	return fine ? out.ptr : NULL;
}

static void test_what_is_not_touched_stays_as_it_is_written(void **state)
{
	(void)state;
	assert_string_equal(call("set", " {\"a\" : 1.500, \"b\":[ 1 ,2]} ", "{b,0}", "7", "t"),
			    " {\"a\" : 1.500, \"b\":[ 7 ,2]} ");
	assert_string_equal(call("set", "{\"a\":1,\"a\":2}", "{a}", "3", "t"), "{\"a\":1,\"a\":3}");
	assert_string_equal(call("remove", "{\"a\":1,\"b\":{\"a\":2},\"a\":2}", "{a}", "", ""), "{\"b\":{\"a\":2}}");
	assert_string_equal(call("set", "{\"x,}\":{\"\\\"\":1}}", "[\"x,}\",\"\\\"\"]", "2", "f"),
			    "{\"x,}\":{\"\\\"\":2}}");
	assert_string_equal(call("insert", "[]", "{3}", "{}", "f"), "[{}]");
	assert_string_equal(call("without", "[\"a\",1,\"b\"]", "[\"a\",\"b\"]", "", ""), "[1]");
	assert_string_equal(call("without", "[]", "-1", "", ""), "[]");
}

static void test_malformed_texts_are_no_values_to_read_beyond(void **state)
{
	static const char *const values[] = {"{",   "[",      "{\"a",	"{\"a\":", "{\"a\\", "[1,", "]",	"\"",
					     "{\"", "{\"a\"", "[[[[[[", "{}}",	   "[}",     "\\",  ",",	" ",
					     "",    "{,}",    "[,",	"{\"a\"}", "{:}",    "nul", "[\"\\u12", "\"\\"};
	static const char *const whats[] = {"set", "insert", "remove", "without", "strip", "contains"};
	static const char *const paths[] = {"{a}", "{0}", "{",	 "[",	    "[\"",	 "{\"",
					    "{\\", "",	  "{,}", "{a,b,c}", "[\"a\",0]", "{99999999999999999999}"};
	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(whats); w++)
		for (size_t v = 0; v < ARRAY_LEN(values); v++)
			for (size_t p = 0; p < ARRAY_LEN(paths); p++)
				(void)call(whats[w], values[v], paths[p], values[v], "t");
}

static void test_depth_and_size_end(void **state)
{
	struct buf deep = BUF(1 << 20), wide = BUF(1 << 20);
	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_byte(&deep, '[');
	for (size_t i = 0; i < 100000; i++)
		buf_byte(&deep, ']');
	buf_byte(&deep, '\0');
	assert_null(call("strip", deep.ptr, "", "", ""));
	assert_string_equal(error, "JSON is nested too deeply");
	assert_null(call("contains", deep.ptr, deep.ptr, "", ""));
	assert_string_equal(error, "JSON is nested too deeply");
	buf_byte(&wide, '[');
	for (size_t i = 0; i < 20000; i++)
		buf_printf(&wide, "%s%zu", i ? "," : "", i);
	buf_str(&wide, "]");
	buf_byte(&wide, '\0');
	assert_null(call("contains", wide.ptr, wide.ptr, "", ""));
	assert_string_equal(error, "JSON is too large to be compared");
	buf_done(&deep);
	buf_done(&wide);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_touched_stays_as_it_is_written),
		cmocka_unit_test(test_malformed_texts_are_no_values_to_read_beyond),
		cmocka_unit_test(test_depth_and_size_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
