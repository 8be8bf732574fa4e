#include "storage/sweep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "metrics/metrics.h"

#include <pthread.h>
#include <stdlib.h>

enum { JOBS_MAX = 16 };

struct job_row {
	const char *name;
	int64_t interval_s;
	int64_t next_ns;
	bool (*run)(struct storage *storage, struct err *err);
	struct series *success;
	struct series *duration;
	struct series *failures;
};

struct sweeper {
	struct storage *storage;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct job_row jobs[JOBS_MAX];
	size_t count;
	bool stopping;
	unsigned long thread;
};

static void job_run(struct sweeper *sweeper, const struct job_row *job)
{
	struct err err = ERR_INIT;
	int64_t start = clock_ns();
	bool fine = job->run(sweeper->storage, &err);
	metric_gauge_set(job->duration, clock_seconds_since(start));
	if (fine) {
		metric_gauge_set(job->success, (double)clock_unix_us() / 1e6);
		return;
	}
	metric_inc(job->failures);
	log_event(LOG_WARN, "background job failed", "job", LOG_S(job->name), "error", LOG_S(err.message), NULL);
}

/* The job that is due, NULL when none is; *ret_wait_ns until the next one. */
static struct job_row *job_due(struct sweeper *sweeper, int64_t *ret_wait_ns)
{
	int64_t now = clock_ns();
	*ret_wait_ns = 60 * NS_PER_S;
	for (size_t i = 0; i < sweeper->count; i++) {
		struct job_row *job = &sweeper->jobs[i];
		if (job->next_ns <= now) {
			job->next_ns = now + job->interval_s * NS_PER_S;
			return job;
		}
		if (job->next_ns - now < *ret_wait_ns)
			*ret_wait_ns = job->next_ns - now;
	}
	return NULL;
}

static void *sweeper_run(void *ctx)
{
	struct sweeper *sweeper = ctx;
	int64_t wait_ns;
	(void)pthread_mutex_lock(&sweeper->mutex);
	while (!sweeper->stopping) {
		struct job_row *job = job_due(sweeper, &wait_ns);
		if (job) {
			(void)pthread_mutex_unlock(&sweeper->mutex);
			job_run(sweeper, job);
			(void)pthread_mutex_lock(&sweeper->mutex);
			continue;
		}
		int64_t until = clock_ns() + wait_ns;
		struct timespec at = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
		(void)pthread_cond_timedwait(&sweeper->wake, &sweeper->mutex, &at);
	}
	(void)pthread_mutex_unlock(&sweeper->mutex);
	return NULL;
}

struct sweeper *sweeper_start(struct storage *storage)
{
	struct sweeper *sweeper = mem_alloc(sizeof(*sweeper));
	pthread_condattr_t attr;
	sweeper->storage = storage;
	(void)pthread_mutex_init(&sweeper->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&sweeper->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	thread_start("sweeper", sweeper_run, sweeper, &sweeper->thread);
	return sweeper;
}

void sweeper_add(struct sweeper *sweeper, const char *name, int64_t interval_s,
		 bool (*run)(struct storage *storage, struct err *err))
{
	(void)pthread_mutex_lock(&sweeper->mutex);
	if (sweeper->count < JOBS_MAX) {
		struct job_row *job = &sweeper->jobs[sweeper->count++];
		*job = (struct job_row){
			.name = name,
			.interval_s = interval_s,
			.next_ns = clock_ns() + interval_s * NS_PER_S,
			.run = run,
			.success = metric_series(METRIC_BACKGROUND_JOB_LAST_SUCCESS_TIMESTAMP_SECONDS, name, NULL),
			.duration = metric_series(METRIC_BACKGROUND_JOB_DURATION_SECONDS, name, NULL),
			.failures = metric_series(METRIC_BACKGROUND_JOB_FAILURES_TOTAL, name, NULL),
		};
		metric_gauge_set(metric_series(METRIC_BACKGROUND_JOB_INTERVAL_SECONDS, name, NULL), (double)interval_s);
		metric_gauge_set(job->success, (double)clock_unix_us() / 1e6);
		(void)pthread_cond_signal(&sweeper->wake);
	}
	(void)pthread_mutex_unlock(&sweeper->mutex);
}

void sweeper_stop(struct sweeper *sweeper)
{
	if (!sweeper)
		return;
	(void)pthread_mutex_lock(&sweeper->mutex);
	sweeper->stopping = true;
	(void)pthread_cond_signal(&sweeper->wake);
	(void)pthread_mutex_unlock(&sweeper->mutex);
	thread_join(sweeper->thread);
	(void)pthread_mutex_destroy(&sweeper->mutex);
	(void)pthread_cond_destroy(&sweeper->wake);
	free(sweeper);
}
