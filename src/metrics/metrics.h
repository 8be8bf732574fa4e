/*
 * Metrics: one registry for the program, listed in metrics.def, and its exposition.
 *
 * A series is a metric with label values. Resolve it once with metric_series, keep the handle, update it as often as
 * you like: an update takes no lock and allocates nothing (one shard of cells for each processor, summed when read).
 * Label values are given in the order of metrics.def. A closed label takes its listed values only; a value outside
 * the list counts under "_other", so no text of a client ever becomes a series.
 *
 *	static struct series *hits;
 *	hits = metric_series(METRIC_IDEMPOTENCY_CACHE_HITS_TOTAL, NULL);
 *	metric_inc(hits);
 *
 * Series with a tenant label (project, table, workspace, branch) come and go: take them with metric_tenant_series and
 * give them back with metric_tenant_release. Past the cap, after metric_tenant_forget and after a day of idleness at
 * a full cap they are the family's "_other" series: a handle stays valid for as long as it is held, and sums never go
 * down. Resolve tenant handles for each operation or session, not once for ever, so that a tenant that comes back
 * gets a series of its own again.
 *
 * All functions are thread-safe. A NULL series is fine for every update and does nothing. Everything works before
 * metrics_start, with the default caps. The whole exposition never has more than METRICS_SERIES_MAX series.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/err.h"
#include "base/log.h"
#include "metrics/quick.h"

enum metric {
#define LIST(...)
#define METRIC(id, ...) METRIC_##id,
#define SEED(...)
#include "metrics/metrics.def"
#undef LIST
#undef METRIC
#undef SEED
	METRIC_COUNT
};

enum {
	METRICS_SERIES_MAX = 20000, /* every bucket is one */
	METRICS_OPEN_MAX = 1000,    /* label sets of a metric with an open label */
	METRICS_LABEL_BYTES = 256,  /* longer values are cut at a whole character */
	METRICS_COLLECTORS_MAX = 64
};

struct metrics_config {
	size_t max_projects; /* label sets of their own in each family with this tenant label; 0: only "_other" */
	size_t max_tables;
	size_t max_workspaces;
	size_t max_branches;
	bool per_project;	    /* the duckdb_project_* families */
	const char *version;	    /* of the API */
	const char *duckdb_version; /* without a leading v */
};

#define METRICS_CONFIG_DEFAULT \
	((struct metrics_config){.max_projects = 500, .max_tables = 200, .max_workspaces = 200, .max_branches = 200})

/* Sets the caps, the start time and the service info, starts the collecting thread, the history and the process
 * collector. Once, early. */
void metrics_start(const struct metrics_config *config);
/* Ends the threads; series stay usable. */
void metrics_stop(void);

/* ---- series ---- */

/* Label values (const char *) in the order of metrics.def, ended by NULL. Never NULL. Valid for ever. */
struct series *metric_series(enum metric metric, ...) __attribute__((sentinel));
/* For families with a tenant label. Held until metric_tenant_release; costs a lock and a look-up. */
struct series *metric_tenant_series(enum metric metric, ...) __attribute__((sentinel));
void metric_tenant_release(struct series *series);
/*
 * The entity is gone: folds its series of every family into "_other". By kind: project (project), table (project,
 * bucket, table), workspace (workspace), branch (project, branch); NULL stands for every value: (TENANT_TABLE,
 * "p1", "b1", NULL) forgets all tables of a bucket. A project takes its tables and branches along.
 */
enum metric_tenant { TENANT_PROJECT, TENANT_TABLE, TENANT_WORKSPACE, TENANT_BRANCH };
void metric_tenant_forget(enum metric_tenant tenant, const char *first, const char *second, const char *third);

/* ---- updates ---- */

/* In quick.h: metric_inc and metric_add (series, n) for counters, metric_gauge_add (series, by) for gauges. */
void metric_add_seconds(struct series *series, double seconds); /* counter in seconds */
void metric_mirror(struct series *series, double total);	/* counter kept elsewhere; a lower total is a restart */
/* A gauge is either set or moved up and down, not both. A moved one is never read below 0. */
void metric_gauge_set(struct series *series, double value);
void metric_observe(struct series *series, double seconds);	    /* histogram */
void metric_observe_since(struct series *series, int64_t start_ns); /* from clock_ns() */

/* Sum over all shards; of a histogram the number of observations. For tests and for the program's own decisions. */
double metric_value(const struct series *series);
/* Of a histogram, in seconds. */
double metric_sum(const struct series *series);

/* ---- exemplars ---- */

enum { METRICS_EXEMPLAR_BYTES = 128 }; /* label names and values together (OpenMetrics 1.0.0) */
/*
 * What this thread works for from now on: observations of families marked E carry it. Ids are hex or free of quotes;
 * trace_id wins, request_id is for requests without a sampled trace. All NULL ends it.
 */
void metrics_exemplar_set(const char *trace_id, const char *span_id, const char *request_id);
void metrics_exemplar_clear(void);

/* ---- values computed for a scrape ---- */

/*
 * `collect` sets gauges (metric_gauge_set, metric_mirror) of its group; it runs on the collecting thread, one
 * collector at a time, at most once a second when somebody asks for its group, and every ten seconds for the history.
 * For one that takes longer than 20 ms only the latter: scrapes do not wait for it. A false return or a run longer
 * than the scrape may take leaves the last values and counts in duckdb_metrics_collector_errors_total.
 * `name` and `group` (a group of metrics.def in lower case) live for ever.
 */
void metrics_collector_add(const char *name, const char *group, bool (*collect)(void *ctx, struct err *err), void *ctx);
/* After its return the collector does not run any more; ctx may be freed. */
void metrics_collector_remove(const char *name);

/* Counts log messages by level: log_on_message(metrics_log_hook). */
void metrics_log_hook(enum log_level level);
/* For pool_config.on_wait. */
void metrics_pool_wait(const char *pool, double seconds);

#if !OBSERVABILITY && !defined(METRICS_ROOM)
#include "metrics/off.h"
#endif

#endif
