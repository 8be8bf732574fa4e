/*
 * Built-in history: what the dashboards need of the last day, without Prometheus.
 *
 * A thread of metrics_start samples every five seconds and keeps 15 minutes of them, and one point a minute for 24
 * hours. Kept are the families marked H, summed over endpoint and tenant labels, at most HISTORY_SERIES_MAX series;
 * a point is a float (counters: the increase), so a series costs 6.5 KB and all of them at most 6.6 MB, allocated as
 * series appear. Nothing is written to disk. Thread-safe.
 */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include "base/buf.h"

enum {
	HISTORY_STEP = 5,
	HISTORY_POINTS = 180,
	HISTORY_LONG_STEP = 60,
	HISTORY_LONG_POINTS = 1440,
	HISTORY_SERIES_MAX = 1000,
	HISTORY_NAMES_MAX = 64
};

/*
 * GET /metrics/history?name=a&name=b&range=900&step=5, percent-encoded. `name` is a sample name
 * (duckdb_api_request_duration_seconds_bucket) or a family (all its samples); none: every series. `range` in seconds
 * or as 15m, 24h (default 15m). `step` is 5 or a multiple of it below 15 minutes of range, else 60 or a multiple.
 * Answers {"step":5,"start":unix,"series":[{"name":..,"labels":{..},"values":[..]}]}: counters as running totals,
 * oldest first, null where nothing was sampled. ERR_INVALID_REQUEST names the faulty parameter.
 */
MUST_CHECK bool history_expose(struct span query_string, struct buf *out, struct err *err);

/* One sample at the given moment, in whole seconds; the thread's work, callable by tests. */
void history_sample(int64_t unix_s);
/* Empties it. */
void history_reset(void);

#endif
