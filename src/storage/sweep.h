/*
 * Background jobs: each runs on its own interval on one thread, and reports
 * through the duckdb_background_job_* families. A job never fails the server.
 */
#ifndef STORAGE_SWEEP_H
#define STORAGE_SWEEP_H

#include "base/err.h"
#include "storage/storage.h"

struct sweeper;

struct sweeper *sweeper_start(struct storage *storage);
/* A job by name (static text, the `job` label). First run after one interval. */
void sweeper_add(struct sweeper *sweeper, const char *name, int64_t interval_s,
		 bool (*run)(struct storage *storage, struct err *err));
void sweeper_stop(struct sweeper *sweeper);

#endif
