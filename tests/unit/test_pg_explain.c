/* EXPLAIN: its options, and the engine's plan as PostgreSQL's tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pgwire/explain.h"

static bool parse(const char *text, struct explain *ret, struct pg_error *e)
{
	struct stmt s;
	struct span rest = span_of(text);
	*e = (struct pg_error)PG_ERROR_INIT;
	return stmt_next(&rest, &s, e) && s.kind == STMT_EXPLAIN && explain_parse(&s, ret, e);
}

static void test_options(void **state)
{
	static const struct {
		const char *text, *prefix, *inner;
	} cases[] = {
		{"EXPLAIN SELECT 1", "EXPLAIN (FORMAT TEXT) ", "SELECT 1"},
		{"explain analyse verbose SELECT 1", "EXPLAIN (ANALYZE, FORMAT TEXT) ", "SELECT 1"},
		{"EXPLAIN VERBOSE SELECT 1", "EXPLAIN (FORMAT TEXT) ", "SELECT 1"},
		{"EXPLAIN (SELECT 1)", "EXPLAIN (FORMAT TEXT) ", "(SELECT 1)"},
		{"EXPLAIN ((VALUES (1)))", "EXPLAIN (FORMAT TEXT) ", "((VALUES (1)))"},
		{"EXPLAIN (ANALYZE) (SELECT 1)", "EXPLAIN (ANALYZE, FORMAT TEXT) ", "(SELECT 1)"},
		{"EXPLAIN (ANALYZE off, FORMAT 'Json', COSTS 1) SELECT 1", "EXPLAIN (FORMAT JSON) ", "SELECT 1"},
		{"EXPLAIN (\"analyze\", TIMING, WAL) SELECT 1", "EXPLAIN (ANALYZE, FORMAT TEXT) ", "SELECT 1"},
	};
	struct explain x;
	struct pg_error e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(parse(cases[i].text, &x, &e));
		assert_string_equal(explain_prefix(&x), cases[i].prefix);
		assert_true(span_is(x.inner.text, cases[i].inner));
	}
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *text, *sqlstate;
	} cases[] = {
		{"EXPLAIN (", "42601"},
		{"EXPLAIN ()", "42601"},
		{"EXPLAIN (ANALYZE", "42601"},
		{"EXPLAIN (ANALYZE,", "42601"},
		{"EXPLAIN (ANALYZE,) SELECT 1", "42601"},
		{"EXPLAIN (ANALYZE TIMING) SELECT 1", "42601"},
		{"EXPLAIN (ANALYZE 'yes') SELECT 1", "42601"},
		{"EXPLAIN (FORMAT) SELECT 1", "22023"},
		{"EXPLAIN (FORMAT xml) SELECT 1", "0A000"},
		{"EXPLAIN (TIMING) SELECT 1", "22023"},
		{"EXPLAIN (ANALYZE, ANALYZE 0, WAL) SELECT 1", "22023"},
		{"EXPLAIN (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) SELECT 1",
		 "42601"},
		{"EXPLAIN (INSERT INTO t VALUES (1))", "42601"},
	};
	struct explain x;
	struct pg_error e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(parse(cases[i].text, &x, &e));
		assert_string_equal(e.sqlstate, cases[i].sqlstate);
	}
}

static void test_plans_that_are_none(void **state)
{
	static const char *const plans[] = {
		"", "x", "[]", "{}", "[1]", "[[]]", "{\"children\": 3}", "[{\"name\": \"A\""};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct buf out = BUF(10000);
		assert_false(explain_nodes(span_of(plans[i]), &out));
		buf_done(&out);
	}
}

static void assert_tree(const char *plan, const char *expected)
{
	struct buf out = BUF(1000000);
	assert_true(explain_nodes(span_of(plan), &out));
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, expected);
	buf_done(&out);
}

static void test_trees(void **state)
{
	(void)state;
	assert_tree("[{}]", "[\n  {\n    \"Plan\": {\n      \"Node Type\": \"Unknown\"\n    }\n  }\n]");
	assert_tree("[{\"name\": 3, \"children\": {}, \"extra_info\": [1]}]",
		    "[\n  {\n    \"Plan\": {\n      \"Node Type\": \"Unknown\"\n    }\n  }\n]");
	assert_tree(
		"[{\"name\": \"SCAN\", \"extra_info\": {\"Table\": \"w.main.a\\\"b\", \"Estimated Cardinality\": \"12\"}, "
		"\"children\": []}]",
		"[\n  {\n    \"Plan\": {\n      \"Node Type\": \"SCAN\",\n      \"Relation Name\": \"a\\\"b\",\n      "
		"\"Table\": \"w.main.a\\\"b\",\n      \"Plan Rows\": 12\n    }\n  }\n]");
	assert_tree(
		"{\"latency\": 0.5, \"children\": [{\"operator_type\": \"EXPLAIN_ANALYZE\", \"children\": [{\"operator_name\": "
		"\"A\", \"operator_cardinality\": 3, \"operator_timing\": 0.25}]}]}",
		"[\n  {\n    \"Plan\": {\n      \"Node Type\": \"A\",\n      \"Actual Rows\": 3,\n      \"Actual Total Time\": "
		"250.000,\n      \"Actual Loops\": 1\n    },\n    \"Execution Time\": 500.000\n  }\n]");
}

static void test_deep_trees_are_cut(void **state)
{
	struct buf plan = BUF(1000000), out = BUF(10000000);
	(void)state;
	buf_byte(&plan, '[');
	for (int i = 0; i < 900; i++)
		buf_str(&plan, "{\"name\": \"A\", \"children\": [");
	for (int i = 0; i < 900; i++)
		buf_str(&plan, "]}");
	buf_byte(&plan, ']');
	assert_true(explain_nodes(buf_view(&plan), &out));
	assert_true(out.ptr[out.len - 1] == ']');
	buf_done(&plan);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_plans_that_are_none),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_deep_trees_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
