/*
 * Built-in history: what the dashboards need of the last day, without Prometheus.
 *
 * A thread of metrics_start samples every five seconds and keeps 15 minutes of samples, and one point a minute for 24
 * hours. Kept are the families marked H in metrics.def. Counters and gauges are summed over the endpoint and tenant
 * labels, histograms over all labels. A point is a float (of a counter: the increase), so a value costs 6.5 KB; at
 * most HISTORY_VALUES_MAX values (6.6 MB) are kept, later ones are left out. Memory is taken as values appear and
 * filled as time goes by. Nothing is written to disk. Thread-safe.
 */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include "base/buf.h"
#include "base/err.h"

enum {
	HISTORY_STEP = 5,
	HISTORY_POINTS = 180,
	HISTORY_LONG_STEP = 60,
	HISTORY_LONG_POINTS = 1440,
	HISTORY_VALUES_MAX = 1000,
	HISTORY_NAMES_MAX = 64
};

/*
 * GET /metrics/history?name=a&name=b&range=900&step=5, percent-encoded. `name` is a sample name
 * (duckdb_api_request_duration_seconds_bucket) or a family (all its samples); none: everything. `range` is a number
 * of seconds, or of 15m, 24h form (default 15m, at most 24h). `step` in seconds is a multiple of 5, beyond 15 minutes
 * of range a multiple of 60 (default: the smallest). Answers
 * {"step":5,"start":unix,"series":[{"name":..,"labels":{..},"values":[..]}]}: counters as running totals, the oldest
 * value first and of the moment `start`, null where nothing was sampled. ERR_INVALID_REQUEST names a faulty parameter.
 */
MUST_CHECK bool history_expose(struct span query_string, struct buf *out, struct err *err);

/* One sample at the given second; the sampling thread's work. A second not later than the last is passed over. */
void history_sample(int64_t unix_s);
/* Empties it. */
void history_reset(void);

#endif
