#include "pgwire/guc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool set(struct gucs *g, const char *name, const char *value, enum guc_scope scope, bool in_block)
{
	struct pg_error e;
	return guc_set(g, span_of(name), span_of(value), scope, in_block, &e);
}

static void check(struct gucs *g, const char *name, const char *want)
{
	struct pg_error e;
	const char *got;
	if (!guc_show(g, span_of(name), &got, &e))
		fail_msg("%s: %s", name, e.message);
	assert_string_equal(got, want);
}

static void values_are_checked(void **state)
{
	(void)state;
	/* NULL: refused with the SQLSTATE that follows. */
	static const struct {
		const char *name, *value, *want, *sqlstate;
	} rows[] = {
		{"nope", "1", NULL, "42704"},
		{"", "1", NULL, "42704"},
		{".x", "1", NULL, "42602"},
		{"x.", "1", NULL, "42602"},
		{"x..y", "1", NULL, "42602"},
		{"x.1", "1", NULL, "42602"},
		{"x.y z", "1", NULL, "42602"},
		{"x.$y", "1", NULL, "42602"},
		{"_x.y$1.z", "1", "1", NULL},
		{"server_version", "9", NULL, "55P02"},
		{"max_connections", "9", NULL, "55P02"},
		{"client_encoding", "latin1", NULL, "22023"},
		{"client_encoding", "UTF-8", "UTF8", NULL},
		{"client_encoding", "sql_ascii", "SQL_ASCII", NULL},
		{"datestyle", "German", NULL, "22023"},
		{"datestyle", "iso, dmy", "ISO, DMY", NULL},
		{"datestyle", "YMD", "ISO, YMD", NULL},
		{"statement_timeout", "-1", NULL, "22023"},
		{"statement_timeout", "5 parsecs", NULL, "22023"},
		{"statement_timeout", "nan", NULL, "22023"},
		{"statement_timeout", "1e99", NULL, "22023"},
		{"statement_timeout", "5min", "5min", NULL},
		{"statement_timeout", "1500", "1500ms", NULL},
		{"statement_timeout", "0x10", "16ms", NULL},
		{"statement_timeout", "010", "8ms", NULL},
		{"statement_timeout", "1.0004s", "1s", NULL},
		{"statement_timeout", "1500us", "2ms", NULL},
		{"statement_timeout", "2147483648", NULL, "22023"},
		{"statement_timeout", "0", "0", NULL},
		{"effective_cache_size", "12kB", "16kB", NULL},
		{"vacuum_cost_delay", "1.5", "1500us", NULL},
		{"random_page_cost", "1.5s", NULL, "22023"},
		{"datestyle", "mdy, dmy", NULL, "22023"},
		{"datestyle", "iso,", NULL, "22023"},
		{"datestyle", "European", "ISO, DMY", NULL},
		{"search_path", "\"a, \"\"b\", c", "\"a, \"\"b\", c", NULL},
		{"search_path", "\"a", NULL, "22023"},
		{"search_path", "\"", NULL, "22023"},
		{"search_path", "a b", NULL, "22023"},
		{"search_path", ",", NULL, "22023"},
		{"search_path", "", "", NULL},
		{"client_min_messages", "debug", "debug2", NULL},
		{"client_min_messages", "debug=debug2", NULL, "22023"},
		{"client_min_messages", "info", "info", NULL},
		{"client_min_messages", "", NULL, "22023"},
		{"work_mem", "64MB", "64MB", NULL},
		{"extra_float_digits", "4", NULL, "22023"},
		{"extra_float_digits", "3", "3", NULL},
		{"intervalstyle", "nope", NULL, "22023"},
		{"intervalstyle", "ISO_8601", "iso_8601", NULL},
		{"default_transaction_isolation", "Serializable", "serializable", NULL},
		{"standard_conforming_strings", "off", NULL, "0A000"},
		{"enable_seqscan", "of", "off", NULL},
		{"enable_seqscan", "maybe", NULL, "22023"},
		{"synchronous_commit", "true", "on", NULL},
		{"role", "postgres", NULL, "42501"},
		{"role", "none", "none", NULL},
		{"application_name",
		 "p\xc3\xa4"
		 "b\x01",
		 "p??b?", NULL},
		{"my.thing", "42", "42", NULL},
		{"MY.thing", "43", "43", NULL},
	};
	struct gucs g;
	gucs_init(&g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pg_error e;
		bool fine = guc_set(&g, span_of(rows[i].name), span_of(rows[i].value), GUC_SESSION, false, &e);
		if (fine != (rows[i].want != NULL))
			fail_msg("%s = %s", rows[i].name, rows[i].value);
		if (fine)
			check(&g, rows[i].name, rows[i].want);
		else
			assert_string_equal(e.sqlstate, rows[i].sqlstate);
	}
	assert_int_equal(g.custom_count, 2);
	assert_int_equal(guc_int(&g, GUC_statement_timeout), 0);
	assert_true(set(&g, "statement_timeout", "2s", GUC_SESSION, false));
	assert_int_equal(guc_int(&g, GUC_statement_timeout), 2000);
	assert_false(guc_bool(&g, GUC_enable_seqscan));
	gucs_done(&g);
}

static void blocks_take_values_back(void **state)
{
	(void)state;
	struct gucs g;
	gucs_init(&g);
	assert_true(set(&g, "work_mem", "1MB", GUC_SESSION, false));
	assert_true(set(&g, "work_mem", "2MB", GUC_SESSION, true));
	assert_true(set(&g, "a.b", "x", GUC_SESSION, true));
	gucs_rollback(&g);
	check(&g, "work_mem", "1MB");
	check(&g, "a.b", "");

	assert_true(set(&g, "work_mem", "3MB", GUC_LOCAL, true));
	assert_true(set(&g, "work_mem", "4MB", GUC_LOCAL, true));
	check(&g, "work_mem", "4MB");
	gucs_commit(&g);
	check(&g, "work_mem", "1MB");

	assert_true(set(&g, "work_mem", "5MB", GUC_LOCAL, true));
	assert_true(set(&g, "work_mem", "6MB", GUC_SESSION, true));
	gucs_commit(&g);
	check(&g, "work_mem", "6MB");
	gucs_rollback(&g);
	check(&g, "work_mem", "6MB");
	gucs_done(&g);
}

static void resets_go_to_the_value_of_the_start(void **state)
{
	(void)state;
	struct gucs g;
	struct pg_error e;
	gucs_init(&g);
	assert_true(set(&g, "application_name", "app", GUC_STARTUP, false));
	assert_true(set(&g, "application_name", "other", GUC_SESSION, false));
	assert_true(guc_reset(&g, SPAN("application_name"), GUC_SESSION, false, &e));
	check(&g, "application_name", "app");
	assert_false(guc_reset(&g, SPAN("server_version"), GUC_SESSION, false, &e));
	assert_false(guc_reset(&g, SPAN("nope"), GUC_SESSION, false, &e));
	assert_true(set(&g, "work_mem", "1MB", GUC_SESSION, false));
	assert_true(set(&g, "a.b", "first", GUC_STARTUP, false));
	assert_true(set(&g, "a.b", "second", GUC_SESSION, false));
	guc_reset_all(&g, true);
	check(&g, "work_mem", "4MB");
	check(&g, "a.b", "first");
	gucs_rollback(&g);
	check(&g, "work_mem", "1MB");
	check(&g, "a.b", "second");
	gucs_done(&g);
}

static void changes_are_reported_once(void **state)
{
	(void)state;
	struct gucs g;
	const char *name, *value;
	gucs_init(&g);
	assert_false(guc_next_report(&g, &name, &value));
	assert_true(set(&g, "timezone", "Europe/Prague", GUC_SESSION, true));
	assert_true(set(&g, "work_mem", "1MB", GUC_SESSION, true));
	assert_true(guc_next_report(&g, &name, &value));
	assert_string_equal(name, "TimeZone");
	assert_string_equal(value, "Europe/Prague");
	assert_false(guc_next_report(&g, &name, &value));
	gucs_rollback(&g);
	assert_true(guc_next_report(&g, &name, &value));
	assert_string_equal(value, "UTC");
	/* The same value again is no change. */
	assert_true(set(&g, "timezone", "UTC", GUC_SESSION, false));
	assert_false(guc_next_report(&g, &name, &value));
	gucs_done(&g);
}

static void custom_settings_are_bounded(void **state)
{
	(void)state;
	struct gucs g;
	char name[20];
	gucs_init(&g);
	for (int i = 0; i < GUC_CUSTOM_MAX; i++) {
		(void)snprintf(name, sizeof(name), "x.y%d", i);
		assert_true(set(&g, name, "v", GUC_SESSION, false));
	}
	assert_false(set(&g, "x.more", "v", GUC_SESSION, false));
	gucs_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_checked),	     cmocka_unit_test(custom_settings_are_bounded),
		cmocka_unit_test(blocks_take_values_back),   cmocka_unit_test(resets_go_to_the_value_of_the_start),
		cmocka_unit_test(changes_are_reported_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
