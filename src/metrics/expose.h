/*
 * What GET /metrics and its relatives answer: text 0.0.4 and 1.0.0, OpenMetrics, protobuf, the list of metrics as
 * JSON. The door only moves bytes: it fills a query from the request (metrics_query_parse), calls metrics_expose and
 * sends what it got with `Vary: Accept, Accept-Encoding` and `Cache-Control: no-store`.
 *
 * metrics_expose blocks: it waits for collectors, at most until half a second before the scraper's own timeout. It
 * never fails but for more content than the buffer takes; a slow or broken collector leaves its last values.
 * Thread-safe. Formats: prometheus.io/docs/instrumenting/exposition_formats, OpenMetrics 1.0.0,
 * io.prometheus.client metrics.proto.
 */
#ifndef METRICS_EXPOSE_H
#define METRICS_EXPOSE_H

#include "base/buf.h"

enum { METRICS_QUERY_NAMES = 256, METRICS_EXPOSE_BYTES = 64 * 1024 * 1024 };

struct metrics_query {
	struct span accept;	     /* header values; empty: absent */
	struct span accept_encoding; /* several headers of a name are joined with ", " */
	struct span scrape_timeout;  /* X-Prometheus-Scrape-Timeout-Seconds */
	/* Filled by metrics_query_parse: */
	bool light; /* the few series that need no collector */
	bool list;  /* JSON instead of samples */
	bool tenant_only;
	int group;	  /* -1: all */
	char tenant[256]; /* only series of this project; empty: all */
	size_t names_count;
	char names[METRICS_QUERY_NAMES][96];
};

struct metrics_answer {
	int status;		  /* 200, or 503 when the buffer is too small */
	const char *content_type; /* static */
	const char *encoding;	  /* "gzip", "zstd" or NULL for identity */
};

/*
 * `path` from /metrics on, as sent ("/metrics", "/metrics/", "/metrics/light", "/metrics/{group}", "/metrics/tenant",
 * "/metrics/tenant/{project_id}"), `query` behind the question mark, percent-encoded ("name[]=a&name[]=b", "list").
 * False: no such page (404). The three header fields are left alone.
 */
MUST_CHECK bool metrics_query_parse(struct metrics_query *query, struct span path, struct span query_string);

/* Appends to `out` (BUF(METRICS_EXPOSE_BYTES)) and counts the scrape. */
void metrics_expose(const struct metrics_query *query, struct buf *out, struct metrics_answer *ret);

/* A scrape refused before metrics_expose (401, 404, 503), for duckdb_metrics_scrapes_total. */
void metrics_scrape_refused(int status);

#endif
