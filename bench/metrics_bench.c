/*
 * What instrumentation costs: updates on two threads against an empty loop, and scrapes of a full registry. An update
 * is told in nanoseconds of CPU time of one thread while the other does the same on another processor, the median of
 * several rounds; a scrape as the best of several. Prints "name value unit". bench/metrics_go measures the Prometheus
 * client for Go in the same way, bench/metrics_peer.py compares them.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "metrics/expose.h"
#include "metrics/history.h"
#include "metrics/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2, UPDATES = 500000, LOOKUPS = 50000, ROUNDS = 15, SCRAPES = 20 };

static double values[1024];
static struct series *counter;
static struct series *exemplified;
static struct series *gauge;
static struct series *histogram;

struct job {
	void (*run)(long updates);
	long updates;
	bool exemplar;
	int processor;
	pthread_barrier_t *together;
	int64_t ns;
};

static int64_t thread_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void run_empty(long updates)
{
	for (long i = 0; i < updates; i++)
		__asm__ volatile("" : : "g"(&values[i & 1023]) : "memory");
}

static void run_counter(long updates)
{
	for (long i = 0; i < updates; i++)
		metric_inc(counter);
}

static void run_exemplified(long updates)
{
	for (long i = 0; i < updates; i++)
		metric_inc(exemplified);
}

static void run_gauge(long updates)
{
	for (long i = 0; i < updates; i++)
		metric_gauge_add(gauge, i & 1 ? -1 : 1);
}

static void run_histogram(long updates)
{
	for (long i = 0; i < updates; i++)
		metric_observe(histogram, values[i & 1023]);
}

static void run_resolve(long updates)
{
	for (long i = 0; i < updates; i++) {
		struct series *s = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, "project", NULL);
		metric_inc(s);
		metric_tenant_release(s);
	}
}

static void *job_thread(void *ctx)
{
	struct job *job = ctx;
	if (job->exemplar)
		metrics_exemplar_set("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", NULL);
	cpu_set_t processors;
	CPU_ZERO(&processors);
	CPU_SET((size_t)job->processor, &processors);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(processors), &processors);
	(void)pthread_barrier_wait(job->together);
	int64_t start = thread_ns();
	job->run(job->updates);
	job->ns = thread_ns() - start;
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double measure(void (*run)(long), long updates, bool exemplar)
{
	double means[ROUNDS];
	int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
	for (int round = 0; round < ROUNDS; round++) {
		struct job jobs[THREADS];
		unsigned long threads[THREADS];
		pthread_barrier_t together;
		(void)pthread_barrier_init(&together, NULL, THREADS);
		means[round] = 0;
		for (int i = 0; i < THREADS; i++) {
			jobs[i] = (struct job){.run = run,
					       .updates = updates,
					       .exemplar = exemplar,
					       .processor = i % processors,
					       .together = &together};
			thread_start("bench", job_thread, &jobs[i], &threads[i]);
		}
		for (int i = 0; i < THREADS; i++) {
			thread_join(threads[i]);
			means[round] += (double)jobs[i].ns / (double)updates / THREADS;
		}
		(void)pthread_barrier_destroy(&together);
	}
	qsort(means, ROUNDS, sizeof(means[0]), by_size);
	return means[ROUNDS / 2];
}

static void measure_updates(void)
{
	counter = metric_series(METRIC_OPERATIONS_TOTAL, "preview_table", "success", NULL);
	exemplified = metric_series(METRIC_API_REQUESTS_TOTAL, "GET", "/projects", "200", NULL);
	gauge = metric_series(METRIC_API_REQUESTS_IN_FLIGHT, "GET", NULL);
	histogram = metric_series(METRIC_API_REQUEST_DURATION_SECONDS, "GET", "/projects", NULL);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = 1e-4 * (double)(1 + i * i % 1021);
	double empty = measure(run_empty, UPDATES, false);
	printf("empty_loop %.2f ns\n", empty);
	printf("counter_inc %.2f ns\n", measure(run_counter, UPDATES, false) - empty);
	printf("gauge_add %.2f ns\n", measure(run_gauge, UPDATES, false) - empty);
	printf("histogram_observe %.2f ns\n", measure(run_histogram, UPDATES, false) - empty);
	printf("counter_inc_exemplar %.2f ns\n", measure(run_exemplified, UPDATES, true) - empty);
	printf("histogram_observe_exemplar %.2f ns\n", measure(run_histogram, UPDATES, true) - empty);
	printf("tenant_resolve_inc_release %.2f ns\n", measure(run_resolve, LOOKUPS, false) - empty);
}

static void fill(void)
{
	for (int i = 0; i < 20000; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "tenant-%d", i % 500);
		metric_observe(metric_series(METRIC_WRITE_QUEUE_WAIT_SECONDS, name, NULL), 0.001 * i);
		metric_add(metric_series(METRIC_IMPORT_ROWS_TOTAL, name, NULL), 1);
		(void)snprintf(name, sizeof(name), "workspace-%d", i % 200);
		metric_observe(metric_series(METRIC_PGWIRE_QUERY_DURATION_SECONDS, name, NULL), 0.001 * i);
		(void)snprintf(name, sizeof(name), "table-%d", i);
		metric_inc(metric_series(METRIC_TABLE_LOCK_ACQUISITIONS_TOTAL, "project", "in.c-bucket", name, NULL));
	}
}

static void measure_scrape(const char *name, const char *page, const char *accept, const char *encoding)
{
	static struct metrics_query query;
	if (!metrics_query_parse(&query, span_of(page), SPAN("")))
		abort();
	query.accept = span_of(accept);
	query.accept_encoding = span_of(encoding);
	double best = 1e9;
	size_t bytes = 0, samples = 0, allocated = 0;
	for (int i = 0; i < SCRAPES; i++) {
		struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
		struct metrics_answer answer;
		int64_t start = clock_ns();
		metrics_expose(&query, &out, &answer);
		double ms = (double)(clock_ns() - start) / 1e6;
		best = ms < best ? ms : best;
		bytes = out.len;
		allocated = out.cap;
		samples = 0;
		for (size_t at = 0; at < out.len; at++)
			samples += out.ptr[at] == '\n' && out.ptr[at + 1] != '#';
		buf_done(&out);
	}
	printf("scrape_%s %.2f ms\n", name, best);
	printf("scrape_%s_bytes %zu bytes\n", name, bytes);
	printf("scrape_%s_buffer %zu bytes\n", name, allocated);
	if (!*encoding && !*accept)
		printf("scrape_%s_samples %zu samples\n", name, samples);
}

static double resident_mib(void)
{
	struct err err = ERR_INIT;
	char *text;
	size_t len;
	uint64_t pages;
	if (!fs_read("/proc/self/statm", 4096, &text, &len, &err))
		abort();
	struct span rest = {text, len};
	(void)span_cut(&rest, ' ');
	if (!span_u64(span_cut(&rest, ' '), &pages))
		abort();
	free(text);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (double)(1 << 20);
}

int main(void)
{
	struct metrics_config config = METRICS_CONFIG_DEFAULT;
	config.max_tables = 20000;
	config.version = config.duckdb_version = "1";
	double before = resident_mib();
	metrics_start(&config);
	history_sample(clock_unix_us() / US_PER_S);
	measure_scrape("fresh", "/metrics", "", "");
	printf("memory_fresh %.2f MiB\n", resident_mib() - before);
	measure_updates();
	fill();
	double filled = resident_mib();
	printf("memory_full %.2f MiB\n", filled - before);
	measure_scrape("full", "/metrics", "", "");
	measure_scrape("full_gzip", "/metrics", "", "gzip");
	measure_scrape("full_zstd", "/metrics", "", "zstd");
	measure_scrape("full_openmetrics", "/metrics", "application/openmetrics-text", "");
	measure_scrape("full_protobuf", "/metrics",
		       "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		       "");
	measure_scrape("light", "/metrics/light", "", "");
	printf("memory_after_scrapes %.2f MiB\n", resident_mib() - before);
	int64_t start = clock_ns();
	history_sample(clock_unix_us() / US_PER_S + 10);
	printf("history_sample_full %.2f ms\n", (double)(clock_ns() - start) / 1e6);
	metrics_stop();
	return 0;
}
