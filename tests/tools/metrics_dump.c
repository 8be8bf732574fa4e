/*
 * Prints what the metrics endpoint would answer, of a registry in which every family has a series.
 *
 *	metrics_dump [path=/metrics/..] [query=..] [accept=..] [encoding=..] [empty] [hostile] [random=N]
 *
 * "empty": as at start. "hostile": label values that need escaping. "random=N": so many observations of every
 * histogram, spread over ten decades. The content type goes to standard error, the body to standard output.
 */
#include "metrics/expose.h"
#include "metrics/metrics.h"
#include "metrics/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char hostile_value[] = "a\"b\\c\nd{}=, \xff\xe2\x82 \xe2\x82\xac #";

static struct series *series_of(enum metric metric, const char *open)
{
	const struct metric_row *row = &metric_rows[metric];
	const char *v[METRIC_LABELS_MAX] = {0};
	for (size_t i = 0; i < metric_row_labels(row); i++)
		v[i] = row->labels[i].list->kind == KIND_CLOSED ? row->labels[i].list->values[0] : open;
	return metric_series(metric, v[0], v[1], v[2], v[3], NULL);
}

static void observe(struct series *series, long count)
{
	uint64_t x = 88172645463325252u;
	for (long i = 0; i < count; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		metric_observe(series, pow(10, (double)(x % 10000) / 1000 - 7));
	}
}

static void fill(const char *open, long random)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		struct series *series = series_of((enum metric)m, open);
		switch (metric_rows[m].type) {
		case TYPE_COUNTER:
			metric_add(series, 3);
			break;
		case TYPE_GAUGE:
			metric_gauge_set(series, 1);
			break;
		case TYPE_HISTOGRAM:
			metrics_exemplar_set("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", NULL);
			metric_observe(series, 0);
			metric_observe(series, 0.004);
			metrics_exemplar_set(NULL, NULL, "request \"7\"");
			metric_observe(series, 0.3);
			metrics_exemplar_clear();
			metric_observe(series, 1000);
			observe(series, random);
			break;
		}
	}
}

int main(int argc, char **argv)
{
	static struct metrics_query query;
	struct span path = SPAN("/metrics"), query_string = SPAN("");
	const char *open = "value";
	long random = 0;
	for (int i = 1; i < argc; i++) {
		struct span value = span_of(argv[i]);
		struct span name = span_cut(&value, '=');
		if (span_is(name, "path"))
			path = value;
		else if (span_is(name, "query"))
			query_string = value;
		else if (span_is(name, "accept"))
			query.accept = value;
		else if (span_is(name, "encoding"))
			query.accept_encoding = value;
		else if (span_is(name, "hostile"))
			open = hostile_value;
		else if (span_is(name, "random"))
			random = strtol(value.ptr, NULL, 10);
		else if (span_is(name, "empty"))
			open = NULL;
	}
	const struct metrics_config config = {.max_projects = 10,
					      .max_tables = 10,
					      .max_workspaces = 10,
					      .max_branches = 10,
					      .per_project = true,
					      .version = "0.1.0",
					      .duckdb_version = "1.5.6"};
	metrics_start(&config);
	if (open)
		fill(open, random);
	if (!metrics_query_parse(&query, path, query_string)) {
		fputs("no such page\n", stderr);
		return 2;
	}
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	metrics_expose(&query, &out, &answer);
	fprintf(stderr, "%d\n%s\n%s\n", answer.status, answer.content_type, answer.encoding ? answer.encoding : "");
	struct span body = buf_view(&out);
	bool written = fwrite(body.ptr, 1, body.len, stdout) == body.len;
	buf_done(&out);
	metrics_stop();
	return written ? 0 : 1;
}
