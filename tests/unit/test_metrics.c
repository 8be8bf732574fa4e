#include "base/clock.h"
#include "base/pool.h"
#include "metrics/expose.h"
#include "metrics/registry.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROJECTS_MAX = 3, TABLES_MAX = 20000, THREADS = 4, ROUNDS = 20000, DAY = 24 * 3600 };

static _Atomic int64_t clock_offset;

static int64_t fake_seconds(void)
{
	return 1000000 + atomic_load(&clock_offset);
}

/* The text exposition of the named family; release with free(). */
static char *scrape(const char *family)
{
	static struct metrics_query query;
	char query_string[128];
	(void)snprintf(query_string, sizeof(query_string), "name[]=%s", family);
	assert_true(metrics_query_parse(&query, SPAN("/metrics"), span_of(query_string)));
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	metrics_expose(&query, &out, &answer);
	assert_int_equal(answer.status, 200);
	return buf_take(&out, NULL);
}

/* Sum and number of the samples whose line starts so. */
static double scraped_sum(const char *family, const char *start, size_t *ret_count)
{
	char *text = scrape(family);
	double sum = 0;
	size_t count = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (strncmp(line, start, strlen(start)) != 0)
			continue;
		sum += strtod(strrchr(line, ' '), NULL);
		count++;
	}
	free(text);
	if (ret_count)
		*ret_count = count;
	return sum;
}

/* ---- the table ---- */

static void rows_keep_the_naming_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = &metric_rows[i];
		const char *plain = strncmp(row->name, "duckdb_", 7) == 0 ? row->name + 7 : row->name;
		assert_int_equal(strlen(plain), strlen(row->id));
		for (size_t c = 0; plain[c]; c++)
			assert_int_equal(toupper((unsigned char)plain[c]), row->id[c]);
		assert_int_equal(span_ends(span_of(row->name), SPAN("_seconds_total")) ||
					 (span_ends(span_of(row->name), SPAN("_seconds")) && row->type != TYPE_COUNTER),
				 row->unit == UNIT_SECONDS);
		if (row->type == TYPE_COUNTER)
			assert_true(span_ends(span_of(row->name), SPAN("_total")));
		assert_int_equal(row->buckets != NULL, row->type == TYPE_HISTOGRAM);
		assert_null(strpbrk(row->help, "\\\"\n"));
		assert_int_equal(strspn(row->flags, "ELHZIPO"), strlen(row->flags));
		for (size_t other = 0; other < i; other++)
			assert_string_not_equal(metric_rows[other].name, row->name);
	}
}

static void bucket_texts_say_their_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct bucket_set *set = metric_rows[i].buckets;
		for (size_t b = 0; set && b < set->count; b++) {
			assert_true(strtod(set->texts[b], NULL) == set->bounds[b]);
			assert_non_null(strchr(set->texts[b], '.'));
			assert_true(b == 0 || set->bounds[b] > set->bounds[b - 1]);
		}
	}
}

/* ---- label values ---- */

static void series_are_found_again(void **state)
{
	(void)state;
	struct series *a = metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/a", "200", NULL);
	assert_ptr_equal(a, metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/a", "200", NULL));
	assert_ptr_not_equal(a, metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/a", "201", NULL));
	/* The boundary between two values is part of the name. */
	assert_ptr_not_equal(metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "ab", "c", NULL),
			     metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "a", "bc", NULL));
}

static void closed_labels_refuse_strange_values(void **state)
{
	(void)state;
	struct series *other = metric_series(METRIC_METADATA_QUERIES_TOTAL, "evil", NULL);
	assert_ptr_equal(other, metric_series(METRIC_METADATA_QUERIES_TOTAL, "worse", NULL));
	char *text = scrape("duckdb_metadata_queries_total");
	assert_non_null(strstr(text, "{operation=\"_other\"} 0\n"));
	assert_null(strstr(text, "evil"));
	free(text);
}

static void missing_values_are_survived(void **state)
{
	(void)state;
	metric_inc(metric_series(METRIC_API_REQUESTS_TOTAL, "GET", NULL));
	metric_inc(NULL);
	metric_observe(NULL, 1);
	metric_gauge_set(NULL, 1);
	metric_tenant_release(NULL);
	/* The wrong kind of update changes nothing. */
	struct series *counter = metric_series(METRIC_EXPORT_ROWS_TOTAL, NULL);
	metric_observe(counter, 1);
	metric_gauge_set(counter, 5);
	metric_gauge_add(counter, 5);
	assert_true(metric_value(counter) == 0);
}

static void hostile_values_are_escaped(void **state)
{
	(void)state;
	metric_inc(metric_series(METRIC_HTTP_REQUEST_BYTES_TOTAL, "a\"b\\c\nd", NULL));
	metric_inc(metric_series(METRIC_HTTP_REQUEST_BYTES_TOTAL, "bad\xff\xc0\xafutf", NULL));
	char *text = scrape("duckdb_http_request_bytes_total");
	assert_non_null(strstr(text, "{endpoint=\"a\\\"b\\\\c\\nd\"} 1\n"));
	assert_non_null(strstr(text, "{endpoint=\"bad\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdutf\"} 1\n"));
	assert_true(span_is_utf8(span_of(text)));
	free(text);
}

static void long_values_are_cut_at_a_character(void **state)
{
	(void)state;
	char value[600] = {0};
	for (size_t i = 0; i + 3 < sizeof(value); i += 3)
		for (size_t c = 0; c < 3; c++)
			value[i + c] = "\xe2\x82\xac"[c];
	struct series *series = metric_series(METRIC_HTTP_RESPONSE_BYTES_TOTAL, value, NULL);
	const char *kept = series_label(series, 0);
	assert_int_equal(strlen(kept), METRICS_LABEL_BYTES / 3 * 3);
	assert_true(span_is_utf8(span_of(kept)));
}

/* ---- numbers ---- */

static void gauges_are_never_read_below_zero(void **state)
{
	(void)state;
	struct series *gauge = metric_series(METRIC_TABLE_LOCKS_ACTIVE, NULL);
	metric_gauge_add(gauge, -5);
	assert_true(metric_value(gauge) == 0);
	metric_gauge_add(gauge, 7);
	assert_true(metric_value(gauge) == 2);
	metric_gauge_add(gauge, -2);
}

static void mirrored_totals_survive_a_restart(void **state)
{
	(void)state;
	struct series *total = metric_series(METRIC_POOL_TASKS_TOTAL, "restarted", NULL);
	metric_mirror(total, 10);
	metric_mirror(total, 15);
	metric_mirror(total, 3);
	metric_mirror(total, -1);
	assert_true(metric_value(total) == 18);
	struct series *seconds = metric_series(METRIC_METADATA_WRITER_BUSY_SECONDS_TOTAL, NULL);
	metric_add_seconds(seconds, 0.25);
	metric_add_seconds(seconds, -1);
	metric_mirror(seconds, 2);
	metric_mirror(seconds, 1);
	assert_true(metric_value(seconds) == 3.25);
}

static void observations_land_in_their_buckets(void **state)
{
	(void)state;
	struct series *s = metric_series(METRIC_FSYNC_DURATION_SECONDS, "files", NULL);
	const double values[] = {0, -3, 0.001, 0.0010000001, 0.01, 0.5, 0.51, 1, 1.01, 5, 5.01, 1e9, 1e-12};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		metric_observe(s, values[i]);
	metric_observe(s, __builtin_nan(""));
	metric_observe(s, __builtin_inf());
	char *text = scrape("duckdb_fsync_duration_seconds");
	static const char *const lines[] = {"{le=\"0.001\",target=\"files\"} 4\n", "{le=\"0.01\",target=\"files\"} 6\n",
					    "{le=\"0.05\",target=\"files\"} 6\n",  "{le=\"0.5\",target=\"files\"} 7\n",
					    "{le=\"1.0\",target=\"files\"} 9\n",   "{le=\"5.0\",target=\"files\"} 11\n",
					    "{le=\"+Inf\",target=\"files\"} 13\n", "_count{target=\"files\"} 13\n"};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_non_null(strstr(text, lines[i]));
	free(text);
}

/* ---- tenants ---- */

static void tenants_past_the_cap_are_folded(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		char project[16];
		(void)snprintf(project, sizeof(project), "cap-%d", i);
		struct series *s = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, project, NULL);
		metric_add(s, 100);
		metric_tenant_release(s);
	}
	size_t count;
	assert_true(scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{", &count) == 1000);
	assert_int_equal(count, PROJECTS_MAX + 1);
	assert_true(scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{project_id=\"_other\"}", NULL) ==
		    100 * (10 - PROJECTS_MAX));
	metric_tenant_forget(TENANT_PROJECT, NULL, NULL, NULL);
}

static void a_cap_of_zero_shows_no_tenant(void **state)
{
	(void)state;
	struct series *s = metric_tenant_series(METRIC_PGWIRE_QUERIES_TOTAL, "secret", "error", NULL);
	metric_inc(s);
	metric_tenant_release(s);
	char *text = scrape("pgwire_queries_total");
	assert_null(strstr(text, "secret"));
	/* What is not the tenant's name stays. */
	assert_non_null(strstr(text, "{status=\"error\",workspace_id=\"_other\"} 1\n"));
	free(text);
}

static void forgotten_tenants_leave_their_sums(void **state)
{
	(void)state;
	struct series *rows = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "gone", NULL);
	struct series *wait = metric_tenant_series(METRIC_WRITE_QUEUE_WAIT_SECONDS, "gone", NULL);
	metric_add(rows, 5);
	metric_observe(wait, 0);
	metric_observe(wait, 0.25);
	double before = scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{", NULL);
	metric_tenant_forget(TENANT_PROJECT, "gone", NULL, NULL);
	/* Handles stay good and count on under "_other". */
	metric_add(rows, 2);
	metric_observe(wait, 4);
	assert_true(scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{", NULL) == before + 2);
	char *text = scrape("duckdb_write_queue_wait_seconds");
	assert_null(strstr(text, "gone"));
	assert_non_null(strstr(text, "_count{project_id=\"_other\"} 3\n"));
	assert_non_null(strstr(text, "_sum{project_id=\"_other\"} 4.25\n"));
	assert_non_null(strstr(text, "_bucket{le=\"0.5\",project_id=\"_other\"} 2\n"));
	free(text);
	metric_tenant_release(rows);
	metric_tenant_release(wait);
	/* Of the same name again: a series of its own, from 0. */
	rows = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "gone", NULL);
	assert_true(metric_value(rows) == 0);
	metric_tenant_release(rows);
	metric_tenant_forget(TENANT_PROJECT, NULL, NULL, NULL);
}

static void a_bucket_takes_its_tables_along(void **state)
{
	(void)state;
	static const char *const names[][3] = {{"p", "b", "1"}, {"p", "b", "2"}, {"p", "c", "1"}, {"q", "b", "1"}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct series *s = metric_tenant_series(METRIC_TABLE_LOCK_ACQUISITIONS_TOTAL, names[i][0], names[i][1],
							names[i][2], NULL);
		metric_inc(s);
		metric_tenant_release(s);
	}
	metric_tenant_forget(TENANT_TABLE, "p", "b", NULL);
	char *text = scrape("duckdb_table_lock_acquisitions_total");
	assert_null(strstr(text, "bucket=\"b\",project_id=\"p\""));
	assert_non_null(strstr(text, "{bucket=\"c\",project_id=\"p\",table=\"1\"} 1\n"));
	assert_non_null(strstr(text, "{bucket=\"_other\",project_id=\"_other\",table=\"_other\"} 2\n"));
	free(text);
	metric_tenant_forget(TENANT_PROJECT, "p", NULL, NULL);
	text = scrape("duckdb_table_lock_acquisitions_total");
	assert_null(strstr(text, "project_id=\"p\""));
	assert_non_null(strstr(text, "{bucket=\"b\",project_id=\"q\",table=\"1\"} 1\n"));
	free(text);
	metric_tenant_forget(TENANT_TABLE, NULL, NULL, NULL);
}

static void idle_tenants_make_room_after_a_day(void **state)
{
	(void)state;
	for (int i = 0; i < PROJECTS_MAX; i++) {
		char project[16];
		(void)snprintf(project, sizeof(project), "old-%d", i);
		metric_tenant_release(metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, project, NULL));
	}
	struct series *held = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "old-1", NULL);
	metric_add(held, 1);
	double before = scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{", NULL);
	struct series *refused = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "new", NULL);
	assert_string_equal(series_label(refused, 0), LABEL_OTHER);
	atomic_fetch_add(&clock_offset, DAY - 10);
	/* Used within the day, although nobody looked it up. */
	metric_add(held, 1);
	metric_tenant_release(metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "new", NULL));
	atomic_fetch_add(&clock_offset, 100);
	struct series *taken = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "new", NULL);
	assert_string_equal(series_label(taken, 0), "new");
	char *text = scrape("duckdb_import_rows_total");
	assert_null(strstr(text, "old-0"));
	assert_non_null(strstr(text, "old-1"));
	free(text);
	assert_true(scraped_sum("duckdb_import_rows_total", "duckdb_import_rows_total{", NULL) == before + 1);
	metric_tenant_release(taken);
	metric_tenant_release(held);
	metric_tenant_forget(TENANT_PROJECT, NULL, NULL, NULL);
}

static void idle_queues_are_not_shown(void **state)
{
	(void)state;
	struct series *depth = metric_tenant_series(METRIC_WRITE_QUEUE_DEPTH, "quiet", NULL);
	metric_gauge_add(depth, 1);
	size_t count;
	assert_true(scraped_sum("duckdb_write_queue_depth", "duckdb_write_queue_depth{", &count) == 1);
	metric_gauge_add(depth, -1);
	atomic_fetch_add(&clock_offset, 599);
	(void)scraped_sum("duckdb_write_queue_depth", "duckdb_write_queue_depth{", &count);
	assert_int_equal(count, 1);
	atomic_fetch_add(&clock_offset, 601);
	(void)scraped_sum("duckdb_write_queue_depth", "duckdb_write_queue_depth{", &count);
	assert_int_equal(count, 0);
	metric_gauge_add(depth, 2);
	assert_true(scraped_sum("duckdb_write_queue_depth", "duckdb_write_queue_depth{project_id=\"quiet\"}", NULL) ==
		    2);
	metric_tenant_release(depth);
	metric_tenant_forget(TENANT_PROJECT, "quiet", NULL, NULL);
}

static void the_whole_never_passes_the_ceiling(void **state)
{
	(void)state;
	enum { MORE = METRICS_SERIES_MAX + 5000 };
	double before =
		scraped_sum("duckdb_table_lock_acquisitions_total", "duckdb_table_lock_acquisitions_total{", NULL);
	for (int i = 0; i < MORE; i++) {
		char table[16];
		(void)snprintf(table, sizeof(table), "t%d", i);
		struct series *s =
			metric_tenant_series(METRIC_TABLE_LOCK_ACQUISITIONS_TOTAL, "big", "bucket", table, NULL);
		metric_inc(s);
		metric_tenant_release(s);
	}
	for (int i = 0; i < METRICS_OPEN_MAX + 100; i++) {
		char endpoint[16];
		(void)snprintf(endpoint, sizeof(endpoint), "/%d", i);
		metric_observe(metric_series(METRIC_API_REQUEST_DURATION_SECONDS, "GET", endpoint, NULL), 1);
	}
	assert_true(scraped_sum("duckdb_table_lock_acquisitions_total", "duckdb_table_lock_acquisitions_total{",
				NULL) == before + MORE);
	static struct metrics_query query;
	assert_true(metrics_query_parse(&query, SPAN("/metrics"), SPAN("")));
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	metrics_expose(&query, &out, &answer);
	size_t samples = 0;
	for (const char *line = out.ptr; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		samples += *line != '#';
	assert_in_range(samples, METRICS_SERIES_MAX - 2000, METRICS_SERIES_MAX);
	buf_done(&out);
	metric_tenant_forget(TENANT_TABLE, NULL, NULL, NULL);
	/* The room is there again. */
	struct series *s = metric_tenant_series(METRIC_TABLE_LOCK_ACQUISITIONS_TOTAL, "big", "bucket", "again", NULL);
	assert_string_equal(series_label(s, 2), "again");
	metric_tenant_release(s);
	metric_tenant_forget(TENANT_TABLE, NULL, NULL, NULL);
}

/* ---- threads ---- */

static _Atomic bool working;

static void *updater(void *ctx)
{
	const char *project = ctx;
	struct series *counter = metric_series(METRIC_FILES_UPLOAD_BYTES_TOTAL, NULL);
	struct series *histogram = metric_series(METRIC_TABLE_LOCK_HOLD_SECONDS, NULL);
	metrics_exemplar_set(NULL, NULL, project);
	for (int i = 0; i < ROUNDS; i++) {
		metric_inc(counter);
		metric_observe(histogram, 0.001 * (i % 100));
		struct series *s = metric_tenant_series(METRIC_BRANCH_COW_OPERATIONS_TOTAL, project, "b", NULL);
		metric_inc(s);
		metric_inc(metric_series(METRIC_METADATA_QUERIES_TOTAL, "read", NULL));
		metric_tenant_release(s);
	}
	metrics_exemplar_clear();
	return NULL;
}

static void *forgetter(void *ctx)
{
	(void)ctx;
	double last = 0;
	while (atomic_load(&working)) {
		metric_tenant_forget(TENANT_BRANCH, "p0", NULL, NULL);
		metric_tenant_forget(TENANT_BRANCH, "p1", "b", NULL);
		double sum =
			scraped_sum("duckdb_branch_cow_operations_total", "duckdb_branch_cow_operations_total{", NULL);
		assert_true(sum >= last);
		last = sum;
	}
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	(void)state;
	static char names[THREADS][8];
	unsigned long threads[THREADS], other;
	atomic_store(&working, true);
	thread_start("forget", forgetter, NULL, &other);
	for (size_t i = 0; i < THREADS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "p%zu", i);
		thread_start("update", updater, names[i], &threads[i]);
	}
	for (size_t i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	atomic_store(&working, false);
	thread_join(other);
	assert_true(metric_value(metric_series(METRIC_FILES_UPLOAD_BYTES_TOTAL, NULL)) == THREADS * ROUNDS);
	struct series *hold = metric_series(METRIC_TABLE_LOCK_HOLD_SECONDS, NULL);
	assert_true(metric_value(hold) == THREADS * ROUNDS);
	assert_float_equal(metric_sum(hold), THREADS * ROUNDS * 0.0495, 1e-6);
	assert_true(scraped_sum("duckdb_branch_cow_operations_total", "duckdb_branch_cow_operations_total{", NULL) ==
		    THREADS * ROUNDS);
}

static int start(void **state)
{
	(void)state;
	registry_seconds = fake_seconds;
	const struct metrics_config config = {
		.max_projects = PROJECTS_MAX, .max_tables = TABLES_MAX, .max_workspaces = 0, .max_branches = 10};
	metrics_start(&config);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	metrics_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_keep_the_naming_rules),
		cmocka_unit_test(bucket_texts_say_their_bounds),
		cmocka_unit_test(series_are_found_again),
		cmocka_unit_test(closed_labels_refuse_strange_values),
		cmocka_unit_test(missing_values_are_survived),
		cmocka_unit_test(hostile_values_are_escaped),
		cmocka_unit_test(long_values_are_cut_at_a_character),
		cmocka_unit_test(gauges_are_never_read_below_zero),
		cmocka_unit_test(mirrored_totals_survive_a_restart),
		cmocka_unit_test(observations_land_in_their_buckets),
		cmocka_unit_test(tenants_past_the_cap_are_folded),
		cmocka_unit_test(a_cap_of_zero_shows_no_tenant),
		cmocka_unit_test(forgotten_tenants_leave_their_sums),
		cmocka_unit_test(a_bucket_takes_its_tables_along),
		cmocka_unit_test(idle_tenants_make_room_after_a_day),
		cmocka_unit_test(idle_queues_are_not_shown),
		cmocka_unit_test(the_whole_never_passes_the_ceiling),
		cmocka_unit_test(threads_lose_nothing),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
