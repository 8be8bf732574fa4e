#include "metrics/expose.h"

#include "base/clock.h"
#include "metrics/collect.h"
#include "metrics/compress.h"
#include "metrics/percent.h"
#include "metrics/writers.h"

#include <stdio.h>
#include <stdlib.h>

/* Without a word from the scraper; with it, this much earlier than it gives up. */
enum { TIMEOUT_DEFAULT_MS = 5000, TIMEOUT_MAX_MS = 60000, TIMEOUT_MIN_MS = 100, TIMEOUT_MARGIN_MS = 500 };

/* ---- the page asked for ---- */

static bool parse_page(struct metrics_query *query, struct span page)
{
	if (page.len == 0)
		return true;
	query->light = span_is(page, "light");
	if (query->light)
		return true;
	if (span_eq(span_first(page, strlen("tenant")), SPAN("tenant"))) {
		struct span rest = span_skip(page, strlen("tenant"));
		query->tenant_only = true;
		if (rest.len == 0)
			return true;
		return rest.ptr[0] == '/' && rest.len > 1 &&
		       percent_decode(span_skip(rest, 1), false, query->tenant, sizeof(query->tenant));
	}
	query->group = metric_group_find(page);
	return query->group >= 0;
}

bool metrics_query_parse(struct metrics_query *query, struct span path, struct span query_string)
{
	query->light = query->list = query->tenant_only = false;
	query->group = -1;
	query->tenant[0] = '\0';
	query->names_count = 0;
	if (!span_starts(path, SPAN("/metrics")))
		return false;
	path = span_skip(path, strlen("/metrics"));
	if (path.len > 0 && path.ptr[0] != '/')
		return false;
	path = span_skip(path, 1);
	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	if (!parse_page(query, path))
		return false;
	struct span name, value;
	while (percent_next(&query_string, &name, &value)) {
		char text[sizeof(query->names[0])];
		if (!percent_decode(name, true, text, sizeof(text)))
			continue;
		if (strcmp(text, "list") == 0)
			query->list = true;
		/* More names than fit choose nothing more. A name that cannot be ours chooses nothing, but it chooses. */
		if (strcmp(text, "name[]") != 0 || query->names_count == METRICS_QUERY_NAMES)
			continue;
		char *to = query->names[query->names_count++];
		if (!percent_decode(value, true, to, sizeof(query->names[0])))
			to[0] = '\0';
	}
	return true;
}

/* ---- what belongs to it ---- */

static bool is_named(const struct metrics_query *query, const char *name)
{
	for (size_t i = 0; i < query->names_count; i++)
		if (strcmp(query->names[i], name) == 0)
			return true;
	return query->names_count == 0;
}

static bool has_project(const struct metric_row *row)
{
	for (size_t i = 0; i < metric_row_labels(row); i++)
		if (strcmp(row->labels[i].name, "project_id") == 0)
			return true;
	return false;
}

static bool is_chosen(const struct metrics_query *query, const struct metric_row *row)
{
	if (query->light && !metric_row_has(row, 'L'))
		return false;
	if (query->group >= 0 && row->group != (enum metric_group)query->group)
		return false;
	if (query->tenant_only && metric_row_kind(row) <= KIND_OPEN)
		return false;
	if (query->tenant[0] && !has_project(row))
		return false;
	return is_named(query, row->name);
}

bool writer_takes(const struct writer *w, struct series *series)
{
	if (!series_shown(series, w->now_s))
		return false;
	if (!w->project)
		return true;
	for (size_t i = 0; i < series->family->labels; i++)
		if (strcmp(series->family->row->labels[i].name, "project_id") == 0)
			return strcmp(series_label(series, i), w->project) == 0;
	return false;
}

/* ---- the scrape ---- */

static int64_t deadline(struct span timeout)
{
	char text[16] = {0};
	int64_t ms = TIMEOUT_DEFAULT_MS;
	if (timeout.len > 0 && timeout.len < sizeof(text)) {
		memcpy(text, timeout.ptr, timeout.len);
		double seconds = strtod(text, NULL);
		if (seconds > 0 && seconds < 1e6)
			ms = (int64_t)(seconds * 1000) - TIMEOUT_MARGIN_MS;
	}
	if (ms < TIMEOUT_MIN_MS)
		ms = TIMEOUT_MIN_MS;
	if (ms > TIMEOUT_MAX_MS)
		ms = TIMEOUT_MAX_MS;
	return clock_ns() + ms * NS_PER_MS;
}

static void count_series(struct registry *registry)
{
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		struct family *f = &registry->families[i];
		pthread_mutex_lock(&f->lock);
		size_t count = f->count;
		pthread_mutex_unlock(&f->lock);
		metric_gauge_set(f->counted, (double)(count * f->cost));
	}
}

static void write_families(struct writer *w, const bool chosen[METRIC_COUNT])
{
	struct registry *registry = registry_get();
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		struct family *f = &registry->families[i];
		if (!chosen[i])
			continue;
		pthread_mutex_lock(&f->lock);
		family_settle(f);
		if (w->format == FORMAT_PROTOBUF)
			protobuf_family(w, f);
		else
			text_family(w, f);
		pthread_mutex_unlock(&f->lock);
	}
	if (w->format != FORMAT_PROTOBUF)
		text_end(w);
}

static void collect_for(const struct metrics_query *query, const bool chosen[METRIC_COUNT])
{
	group_set groups = 0;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		if (chosen[i])
			groups |= (group_set)1 << metric_rows[i].group;
	if (!query->light)
		collect_run(groups, deadline(query->scrape_timeout));
	collect_date();
	count_series(registry_get());
}

/* The plain bytes, and their type. */
static void write_answer(const struct metrics_query *query, struct buf *out, struct metrics_answer *ret)
{
	bool chosen[METRIC_COUNT];
	for (size_t i = 0; i < METRIC_COUNT; i++)
		chosen[i] = is_chosen(query, &metric_rows[i]);
	if (query->list) {
		ret->content_type = "application/json";
		list_json(out, chosen);
		return;
	}
	struct writer w = {.out = out,
			   .format = negotiate_format(query->accept, &ret->content_type),
			   .project = query->tenant[0] ? query->tenant : NULL,
			   .now_s = registry_seconds()};
	collect_for(query, chosen);
	write_families(&w, chosen);
}

static void encode_answer(const struct metrics_query *query, struct buf *plain, struct buf *out,
			  struct metrics_answer *ret)
{
	enum metrics_encoding encoding = negotiate_encoding(query->accept_encoding);
	size_t before = out->len;
	if (encoding != ENCODING_IDENTITY && compress_bytes(encoding, buf_view(plain), out)) {
		ret->encoding = encoding == ENCODING_GZIP ? "gzip" : "zstd";
		return;
	}
	/* The coder could not: then as it is, unless the buffer itself was the reason. */
	if (!out->failed)
		out->len = before;
	buf_span(out, buf_view(plain));
}

static struct series *scrapes(int status)
{
	char code[16];
	(void)snprintf(code, sizeof(code), "%d", status);
	return metric_series(METRIC_METRICS_SCRAPES_TOTAL, code, NULL);
}

void metrics_scrape_refused(int status)
{
	metric_inc(scrapes(status));
}

void metrics_expose(const struct metrics_query *query, struct buf *out, struct metrics_answer *ret)
{
	struct series *in_flight = metric_series(METRIC_METRICS_SCRAPES_IN_FLIGHT, NULL);
	*ret = (struct metrics_answer){.status = 200};
	metric_gauge_add(in_flight, 1);
	if (negotiate_encoding(query->accept_encoding) == ENCODING_IDENTITY) {
		write_answer(query, out, ret);
	} else {
		struct buf plain = BUF((size_t)METRICS_EXPOSE_BYTES);
		write_answer(query, &plain, ret);
		encode_answer(query, &plain, out, ret);
		if (plain.failed)
			ret->status = 503;
		buf_done(&plain);
	}
	if (out->failed)
		ret->status = 503;
	metric_gauge_add(in_flight, -1);
	metric_inc(scrapes(ret->status));
}
