/* The built-in alerts over hours and days: time passes as fast as the test says. */
#include "base/clock.h"
#include "metrics/alerts.h"
#include "metrics/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TICK = 5, HOUR = 3600 };

static int64_t now_s = 1000;
static double bytes; /* of the gauge under test */

static enum alert_state state_of(const char *alert, const char *severity)
{
	return (enum alert_state)metric_value(metric_series(METRIC_ALERT_STATE, alert, severity, NULL));
}

/* Ten requests at each evaluation, `lost` of a thousand of them fail. */
static void serve(int seconds, int lost)
{
	static uint64_t sent;
	struct series *fine = metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/projects", "200", NULL);
	struct series *broken = metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/projects", "500", NULL);
	for (int64_t end = now_s + seconds; now_s < end; now_s += TICK) {
		for (int i = 0; i < 10; i++, sent++)
			metric_inc((int)(sent * 7 % 1000) < lost ? broken : fine);
		alerts_evaluate(now_s * NS_PER_S, now_s * US_PER_S);
	}
}

/* The gauge changes by so much in an hour. */
static void drift(struct series *gauge, int seconds, double an_hour)
{
	for (int64_t end = now_s + seconds; now_s < end; now_s += TICK) {
		bytes += an_hour * TICK / HOUR;
		metric_gauge_set(gauge, bytes);
		alerts_evaluate(now_s * NS_PER_S, now_s * US_PER_S);
	}
}

static int fresh(void **state)
{
	(void)state;
	alerts_reset();
	return 0;
}

static void a_fast_burn_pages_and_ends(void **state)
{
	(void)state;
	serve(HOUR, 0);
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "critical"), ALERT_INACTIVE);
	serve(HOUR / 2, 50); /* 5 %: more than 1.44 % of the hour soon */
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "critical"), ALERT_FIRING);
	serve(HOUR / 2 + 2 * TICK, 0); /* the longest short window of the pair */
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "critical"), ALERT_INACTIVE);
}

static void a_slow_burn_needs_the_long_windows(void **state)
{
	(void)state;
	serve(3 * HOUR, 0);
	/* 0.4 %: under 6 times the budget, over 3 times; the day so far has to get there. */
	serve(HOUR, 4);
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "critical"), ALERT_INACTIVE);
	serve(11 * HOUR, 4);
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "critical"), ALERT_INACTIVE);
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "warning"), ALERT_FIRING);
	/* The day still remembers, the short windows do not. */
	serve(6 * HOUR + 10 * 60, 0);
	assert_int_equal(state_of("DuckDBAPIErrorBudgetBurn", "warning"), ALERT_INACTIVE);
}

static void few_events_are_no_burn(void **state)
{
	(void)state;
	struct series *broken = metric_series(METRIC_IMPORT_FAILURES_TOTAL, "csv", "internal", NULL);
	struct series *all = metric_series(METRIC_IMPORT_OPERATIONS_TOTAL, "csv", "full", "error", NULL);
	serve(60, 0);
	for (int i = 0; i < 20; i++) {
		metric_inc(broken);
		metric_inc(all);
		serve(60, 0);
	}
	assert_int_equal(state_of("DuckDBImportErrorBudgetBurn", "critical"), ALERT_INACTIVE);
	for (int i = 0; i < 5; i++) {
		metric_inc(broken);
		metric_inc(all);
		serve(60, 0);
	}
	assert_int_equal(state_of("DuckDBImportErrorBudgetBurn", "critical"), ALERT_FIRING);
}

static void only_faults_of_ours_spend_the_budget(void **state)
{
	(void)state;
	serve(60, 0);
	for (int i = 0; i < 200; i++) {
		metric_inc(metric_series(METRIC_GRPC_REQUESTS_TOTAL, "CreateTable", "error", NULL));
		metric_inc(metric_series(METRIC_GRPC_ERRORS_TOTAL, "CreateTable", "not_found", NULL));
	}
	serve(300, 0);
	assert_int_equal(state_of("DuckDBGRPCErrorBudgetBurn", "critical"), ALERT_INACTIVE);
	for (int i = 0; i < 20; i++) {
		metric_inc(metric_series(METRIC_GRPC_REQUESTS_TOTAL, "CreateTable", "error", NULL));
		metric_inc(metric_series(METRIC_GRPC_ERRORS_TOTAL, "CreateTable", "unavailable", NULL));
	}
	serve(240, 0);
	assert_int_equal(state_of("DuckDBGRPCErrorBudgetBurn", "critical"), ALERT_FIRING);
}

static void slow_work_that_may_be_slow_is_no_burn(void **state)
{
	(void)state;
	struct series *import = metric_series(METRIC_API_REQUEST_DURATION_SECONDS, "POST",
					      "/projects/{project_id}/branches/{branch_id}/buckets/{bucket_name}/"
					      "tables/{table_name}/import/file",
					      NULL);
	struct series *read = metric_series(METRIC_API_REQUEST_DURATION_SECONDS, "GET", "/projects", NULL);
	serve(60, 0);
	for (int i = 0; i < 500; i++) {
		metric_observe(import, 20);
		metric_observe(read, 0.5);
	}
	serve(300, 0);
	assert_int_equal(state_of("DuckDBAPILatencyBudgetBurn", "critical"), ALERT_INACTIVE);
	for (int i = 0; i < 2000; i++)
		metric_observe(read, 0.6);
	serve(240, 0);
	assert_int_equal(state_of("DuckDBAPILatencyBudgetBurn", "critical"), ALERT_FIRING);
}

static void a_disk_that_will_be_full(void **state)
{
	(void)state;
	struct series *disk = metric_series(METRIC_DISK_FREE_BYTES, "tables", NULL);
	bytes = 100e9;
	drift(disk, 4 * HOUR, -8e9); /* 68 GB, in four hours 36 GB */
	assert_int_equal(state_of("DiskWillFill", "warning"), ALERT_INACTIVE);
	drift(disk, 2 * HOUR, -20e9); /* 28 GB */
	assert_int_equal(state_of("DiskWillFill", "warning"), ALERT_FIRING);
	drift(disk, 5 * HOUR, 0);
	assert_int_equal(state_of("DiskWillFill", "warning"), ALERT_INACTIVE);
}

static void memory_that_keeps_growing(void **state)
{
	(void)state;
	struct series *memory = metric_series(METRIC_PROCESS_RESIDENT_MEMORY_BYTES, NULL);
	bytes = 200e6;
	drift(memory, HOUR, 0);
	drift(memory, 7 * HOUR, 15e6);
	assert_int_equal(state_of("MemoryGrowth", "warning"), ALERT_PENDING); /* for six hours */
	drift(memory, 4 * HOUR, 15e6);
	assert_int_equal(state_of("MemoryGrowth", "warning"), ALERT_FIRING);
	drift(memory, 6 * HOUR, 0);
	assert_int_equal(state_of("MemoryGrowth", "warning"), ALERT_INACTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_fast_burn_pages_and_ends, fresh),
		cmocka_unit_test_setup(a_slow_burn_needs_the_long_windows, fresh),
		cmocka_unit_test_setup(few_events_are_no_burn, fresh),
		cmocka_unit_test_setup(only_faults_of_ours_spend_the_budget, fresh),
		cmocka_unit_test_setup(slow_work_that_may_be_slow_is_no_burn, fresh),
		cmocka_unit_test_setup(a_disk_that_will_be_full, fresh),
		cmocka_unit_test_setup(memory_that_keeps_growing, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
