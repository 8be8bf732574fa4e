#include "base/clock.h"
#include "metrics/collect.h"
#include "metrics/expose.h"
#include "metrics/history.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- history ---- */

static char *history(const char *query_string)
{
	struct buf out = BUF((size_t)64 << 20);
	struct err err = ERR_INIT;
	assert_true(history_expose(span_of(query_string), &out, &err));
	return buf_take(&out, NULL);
}

static int fresh(void **state)
{
	(void)state;
	history_reset();
	return 0;
}

static void empty_history_is_an_answer(void **state)
{
	(void)state;
	char *text = history("name=duckdb_files_total");
	assert_string_equal(text, "{\"step\":5,\"start\":0,\"series\":[]}");
	free(text);
}

static void bad_parameters_are_named(void **state)
{
	(void)state;
	static const char *const queries[] = {
		"range=0", "range=25h",	      "range=x",	   "range=15mm", "range=-5",
		"step=7",  "step=5&range=1h", "step=300&range=60", "name=%",	 "range=99999999999999999999"};
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct buf out = BUF((size_t)1 << 20);
		struct err err = ERR_INIT;
		assert_false(history_expose(span_of(queries[i]), &out, &err));
		assert_int_equal(err.code, ERR_INVALID_REQUEST);
		assert_true(strlen(err.message) > 10);
		buf_done(&out);
	}
	struct buf many = BUF((size_t)4096);
	for (size_t i = 0; i <= HISTORY_NAMES_MAX; i++)
		buf_str(&many, "name=a&");
	struct buf out = BUF((size_t)1 << 20);
	struct err err = ERR_INIT;
	assert_false(history_expose(buf_view(&many), &out, &err));
	buf_done(&out);
	buf_done(&many);
}

static void counters_are_running_totals_with_gaps(void **state)
{
	(void)state;
	struct series *a = metric_series(METRIC_HTTP_REQUEST_BYTES_TOTAL, "/a", NULL);
	struct series *b = metric_series(METRIC_HTTP_REQUEST_BYTES_TOTAL, "/b", NULL);
	metric_add(a, 1000000000);
	history_sample(1000);
	metric_add(a, 1);
	metric_add(b, 2);
	history_sample(1006);
	history_sample(1009); /* the same five seconds: passed over */
	metric_add(b, 4);
	history_sample(1015); /* 1010 is missing */
	char *text = history("name=duckdb_http_request_bytes_total&range=25");
	assert_string_equal(text, "{\"step\":5,\"start\":995,\"series\":[{\"name\":\"duckdb_http_request_bytes_total\","
				  "\"labels\":{},\"values\":[null,1000000000,1000000003,null,1000000007]}]}");
	free(text);
	text = history("name=duckdb_http_request_bytes_total&range=30s&step=15");
	assert_non_null(strstr(text, "\"step\":15,\"start\":1000,"));
	assert_non_null(strstr(text, "\"values\":[1000000000,1000000007]"));
	free(text);
}

static void gauges_and_histograms_are_kept(void **state)
{
	(void)state;
	struct series *gauge = metric_series(METRIC_STORAGE_SIZE_BYTES, "tables", NULL);
	struct series *read = metric_series(METRIC_METADATA_QUERY_DURATION_SECONDS, "read", NULL);
	struct series *write = metric_series(METRIC_METADATA_QUERY_DURATION_SECONDS, "write", NULL);
	metric_gauge_set(gauge, 4096);
	metric_observe(read, 0.002);
	history_sample(2000);
	metric_gauge_set(gauge, 1024);
	metric_observe(write, 0.2);
	history_sample(2005);
	char *text = history("name=duckdb_storage_size_bytes&range=10");
	assert_non_null(strstr(text, "{\"name\":\"duckdb_storage_size_bytes\",\"labels\":{\"type\":\"tables\"},"
				     "\"values\":[4096,1024]}"));
	free(text);
	text = history("name=duckdb_metadata_query_duration_seconds_bucket&range=10");
	assert_non_null(strstr(text, "{\"operation\":\"read\",\"le\":\"0.001\"},\"values\":[0,0]"));
	assert_non_null(strstr(text, "{\"operation\":\"read\",\"le\":\"0.005\"},\"values\":[1,1]"));
	assert_non_null(strstr(text, "{\"operation\":\"read\",\"le\":\"+Inf\"},\"values\":[1,1]"));
	assert_non_null(strstr(text, "{\"operation\":\"write\",\"le\":\"+Inf\"},\"values\":[0,1]"));
	assert_null(strstr(text, "_sum"));
	free(text);
	text = history("name=duckdb_metadata_query_duration_seconds&range=10");
	assert_non_null(strstr(text, "_sum\",\"labels\":{\"operation\":\"write\"},\"values\":[0,0.2]"));
	free(text);
}

static void the_rings_wrap(void **state)
{
	(void)state;
	struct series *counter = metric_series(METRIC_EXPORT_BYTES_TOTAL, NULL);
	enum { SAMPLES = (HISTORY_LONG_POINTS + 10) * (HISTORY_LONG_STEP / HISTORY_STEP) };
	for (int64_t i = 1; i <= SAMPLES; i++) {
		metric_add(counter, 10);
		history_sample(6000000 + i * HISTORY_STEP);
	}
	char *text = history("name=duckdb_export_bytes_total&range=15m");
	char last[32];
	(void)snprintf(last, sizeof(last), "%d]", SAMPLES * 10);
	assert_non_null(strstr(text, last));
	assert_null(strstr(text, "null"));
	(void)snprintf(last, sizeof(last), "[%d,", (SAMPLES - HISTORY_POINTS + 1) * 10);
	assert_non_null(strstr(text, last));
	free(text);
	text = history("name=duckdb_export_bytes_total&range=24h");
	assert_null(strstr(text, "null"));
	size_t values = 1;
	for (const char *c = strchr(text, '['); *c; c++)
		values += *c == ',' && c[1] >= '0' && c[1] <= '9';
	assert_int_equal(values, HISTORY_LONG_POINTS);
	free(text);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < HISTORY_VALUES_MAX + 100; i++) {
		char code[16];
		(void)snprintf(code, sizeof(code), "c%d", i);
		metric_inc(metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/", code, NULL));
	}
	history_sample(3000);
	char *text = history("range=5");
	size_t names = 0;
	for (const char *at = text; (at = strstr(at, "\"name\":")); at++)
		names++;
	/* A histogram that does not fit any more may leave a few places empty. */
	assert_in_range(names, HISTORY_VALUES_MAX - 12, HISTORY_VALUES_MAX);
	free(text);
}

/* ---- collectors ---- */

struct script {
	pthread_mutex_t lock;
	pthread_cond_t released;
	bool hang;
	bool fail;
	atomic_int runs;
};

static struct script script = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static bool collect(void *ctx, struct err *err)
{
	struct script *s = ctx;
	int run = atomic_fetch_add(&s->runs, 1) + 1;
	pthread_mutex_lock(&s->lock);
	while (s->hang)
		pthread_cond_wait(&s->released, &s->lock);
	bool fail = s->fail;
	pthread_mutex_unlock(&s->lock);
	if (fail)
		return err_set(err, ERR_IO, "No luck");
	metric_gauge_set(metric_series(METRIC_PROJECTS_TOTAL, NULL), run);
	return true;
}

static void scrape(const char *path, const char *timeout)
{
	static struct metrics_query query;
	assert_true(metrics_query_parse(&query, span_of(path), SPAN("")));
	query.scrape_timeout = span_of(timeout);
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	metrics_expose(&query, &out, &answer);
	assert_int_equal(answer.status, 200);
	buf_done(&out);
}

static void hang(bool on)
{
	pthread_mutex_lock(&script.lock);
	script.hang = on;
	pthread_cond_broadcast(&script.released);
	pthread_mutex_unlock(&script.lock);
}

static void next_second(void)
{
	struct timespec pause = {.tv_sec = 1, .tv_nsec = 10 * NS_PER_MS};
	(void)nanosleep(&pause, NULL);
}

static void collectors_are_run_shared_and_survived(void **state)
{
	(void)state;
	struct series *errors = metric_series(METRIC_METRICS_COLLECTOR_ERRORS_TOTAL, "script", NULL);
	struct series *age = metric_series(METRIC_METRICS_COLLECTOR_AGE_SECONDS, "script", NULL);
	struct series *value = metric_series(METRIC_PROJECTS_TOTAL, NULL);
	collect_start();
	metrics_collector_add("script", "storage", collect, &script);
	scrape("/metrics/light", "");
	scrape("/metrics/process", "");
	assert_int_equal(atomic_load(&script.runs), 0);
	scrape("/metrics/storage", "");
	scrape("/metrics", "nonsense");
	assert_int_equal(atomic_load(&script.runs), 1);
	assert_true(metric_value(value) == 1);
	/* A failure leaves the values and is counted. */
	next_second();
	script.fail = true;
	scrape("/metrics/storage", "");
	assert_int_equal(atomic_load(&script.runs), 2);
	assert_true(metric_value(value) == 1);
	assert_true(metric_value(errors) == 1);
	assert_true(metric_value(age) >= 1);
	/* One that hangs is waited for once, and counted once. */
	next_second();
	script.fail = false;
	hang(true);
	scrape("/metrics/storage", "0.6");
	assert_true(metric_value(errors) == 2);
	scrape("/metrics/storage", "60");
	assert_true(metric_value(errors) == 2);
	assert_true(metric_value(value) == 1);
	hang(false);
	metrics_collector_remove("script");
	assert_true(metric_value(value) == 3);
	scrape("/metrics/storage", "");
	assert_int_equal(atomic_load(&script.runs), 3);
	collect_stop();
}

static void processes_are_described(void **state)
{
	(void)state;
	const struct metrics_config config = METRICS_CONFIG_DEFAULT;
	metrics_start(&config);
	scrape("/metrics", "");
	assert_true(metric_value(metric_series(METRIC_PROCESS_RESIDENT_MEMORY_BYTES, NULL)) > 1e6);
	assert_true(metric_value(metric_series(METRIC_PROCESS_VIRTUAL_MEMORY_BYTES, NULL)) >
		    metric_value(metric_series(METRIC_PROCESS_RESIDENT_MEMORY_BYTES, NULL)));
	assert_true(metric_value(metric_series(METRIC_PROCESS_OPEN_FDS, NULL)) >= 3);
	assert_true(metric_value(metric_series(METRIC_PROCESS_MAX_FDS, NULL)) >= 64);
	assert_true(metric_value(metric_series(METRIC_PROCESS_THREADS, NULL)) >= 3);
	double now = (double)clock_unix_us() / 1e6;
	double start = metric_value(metric_series(METRIC_PROCESS_START_TIME_SECONDS, NULL));
	assert_true(start > now - 3600 && start < now + 2);
	metrics_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_history_is_an_answer, fresh),
		cmocka_unit_test_setup(bad_parameters_are_named, fresh),
		cmocka_unit_test_setup(counters_are_running_totals_with_gaps, fresh),
		cmocka_unit_test_setup(gauges_and_histograms_are_kept, fresh),
		cmocka_unit_test_setup(the_rings_wrap, fresh),
		cmocka_unit_test_setup(memory_is_bounded, fresh),
		cmocka_unit_test(collectors_are_run_shared_and_survived),
		cmocka_unit_test(processes_are_described),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
