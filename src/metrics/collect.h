/*
 * The collecting thread: runs the collectors whose group was asked for, one at a time, at most once a second, so that
 * scrapes at the same time share a run. A collector that hangs is left alone: scrapes wait for it no longer than they
 * may and show its last values. Internal to the metrics room.
 */
#ifndef METRICS_COLLECT_H
#define METRICS_COLLECT_H

#include "metrics/rows.h"

/* Bit n: group n. */
typedef uint64_t group_set;
#define GROUPS_ALL (~(group_set)0)

void collect_start(void);
void collect_stop(void);
/* Values no older than a second in the groups, or as good as can be had until the deadline (clock_ns). */
void collect_run(group_set groups, int64_t deadline_ns);
/* Runs all, also those that scrapes do not wait for because they take long. */
void collect_refresh(int64_t deadline_ns);
/* Sets duckdb_metrics_collector_age_seconds. */
void collect_date(void);

#endif
