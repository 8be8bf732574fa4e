#include "metrics/collect.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define FRESH_NS NS_PER_S
/*
 * A collector that needs more of the processor than this, or waits longer for a disk, is left to the sampling thread:
 * scrapes show what it found last. On a busy machine all take long; that alone makes none slow.
 */
#define SLOW_CPU_NS   (20 * NS_PER_MS)
#define SLOW_NS	      (250 * NS_PER_MS)
#define SLOW_FRESH_NS (14 * NS_PER_S)

struct collector {
	const char *name;
	enum metric_group group;
	bool (*collect)(void *ctx, struct err *err);
	void *ctx;
	bool wanted;
	bool late;	      /* the run going on was given up by a scrape and is counted as an error */
	int64_t finished_ns;  /* of the last run; 0: none yet */
	bool slow;	      /* the last run was */
	int64_t succeeded_ns; /* or, before the first success, when it was added */
	struct series *duration;
	struct series *errors;
	struct series *age;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct collector *list[METRICS_COLLECTORS_MAX];
	size_t count;
	struct collector *running;
	bool started;
	bool stopping;
	unsigned long thread;
} work = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t cond_once = PTHREAD_ONCE_INIT;

static void cond_make(void)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&work.changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void lock(void)
{
	(void)pthread_once(&cond_once, cond_make);
	pthread_mutex_lock(&work.lock);
}

/* With the lock held; it is given up while the collector runs. */
static int64_t thread_cpu_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void run(struct collector *c)
{
	c->wanted = false;
	c->late = false;
	work.running = c;
	pthread_mutex_unlock(&work.lock);
	struct err err = ERR_INIT;
	int64_t start = clock_ns();
	int64_t cpu = thread_cpu_ns();
	bool good = c->collect(c->ctx, &err);
	cpu = thread_cpu_ns() - cpu;
	int64_t end = clock_ns();
	metric_gauge_set(c->duration, (double)(end - start) / 1e9);
	pthread_mutex_lock(&work.lock);
	c->finished_ns = end;
	c->slow = cpu > SLOW_CPU_NS || end - start > SLOW_NS;
	if (good)
		c->succeeded_ns = end;
	else if (!c->late)
		metric_inc(c->errors);
	work.running = NULL;
	pthread_cond_broadcast(&work.changed);
}

static struct collector *next_wanted(void)
{
	for (size_t i = 0; i < work.count; i++)
		if (work.list[i]->wanted)
			return work.list[i];
	return NULL;
}

static void *collect_thread(void *ctx)
{
	(void)ctx;
	lock();
	while (!work.stopping) {
		struct collector *c = next_wanted();
		if (c)
			run(c);
		else
			pthread_cond_wait(&work.changed, &work.lock);
	}
	pthread_mutex_unlock(&work.lock);
	return NULL;
}

void collect_start(void)
{
	lock();
	bool start = !work.started;
	work.started = true;
	work.stopping = false;
	pthread_mutex_unlock(&work.lock);
	if (start)
		thread_start("metrics", collect_thread, NULL, &work.thread);
}

void collect_stop(void)
{
	lock();
	bool stop = work.started;
	work.stopping = true;
	work.started = false;
	pthread_cond_broadcast(&work.changed);
	pthread_mutex_unlock(&work.lock);
	if (stop)
		thread_join(work.thread);
}

void metrics_collector_add(const char *name, const char *group, bool (*collect)(void *ctx, struct err *err), void *ctx)
{
	int found = metric_group_find(span_of(group));
	assert(found >= 0);
	struct collector *c = mem_alloc(sizeof(*c));
	*c = (struct collector){.name = name,
				.group = (enum metric_group)found,
				.collect = collect,
				.ctx = ctx,
				.succeeded_ns = clock_ns(),
				.duration = metric_series(METRIC_METRICS_COLLECTOR_DURATION_SECONDS, name, NULL),
				.errors = metric_series(METRIC_METRICS_COLLECTOR_ERRORS_TOTAL, name, NULL),
				.age = metric_series(METRIC_METRICS_COLLECTOR_AGE_SECONDS, name, NULL)};
	lock();
	assert(work.count < METRICS_COLLECTORS_MAX);
	work.list[work.count++] = c;
	pthread_mutex_unlock(&work.lock);
}

void metrics_collector_remove(const char *name)
{
	lock();
	for (size_t i = 0; i < work.count; i++) {
		struct collector *c = work.list[i];
		if (strcmp(c->name, name) != 0)
			continue;
		work.list[i] = work.list[--work.count];
		c->wanted = false;
		while (work.running == c)
			pthread_cond_wait(&work.changed, &work.lock);
		free(c);
		break;
	}
	pthread_mutex_unlock(&work.lock);
}

/* Done as far as a scrape begun at `start` is concerned. */
static bool is_fresh(const struct collector *c, int64_t start)
{
	int64_t fresh = c->slow ? SLOW_FRESH_NS : FRESH_NS;
	return c->finished_ns > start - fresh && c->finished_ns > 0;
}

static bool is_due(const struct collector *c, group_set groups, int64_t start)
{
	return (groups >> c->group & 1) && !is_fresh(c, start);
}

static size_t want(group_set groups, int64_t start)
{
	size_t due = 0;
	for (size_t i = 0; i < work.count; i++) {
		struct collector *c = work.list[i];
		if (!is_due(c, groups, start))
			continue;
		due++;
		if (c != work.running)
			c->wanted = true;
	}
	return due;
}

/* Whether waiting makes sense: a collector that was given up once may hang for ever, and the others behind it. */
static bool any_due(group_set groups, int64_t start)
{
	if (work.running && work.running->late)
		return false;
	for (size_t i = 0; i < work.count; i++)
		if (is_due(work.list[i], groups, start))
			return true;
	return false;
}

/* What is still due at the deadline goes on without us. */
static void give_up(group_set groups, int64_t start)
{
	for (size_t i = 0; i < work.count; i++) {
		struct collector *c = work.list[i];
		if (!is_due(c, groups, start) || c->late)
			continue;
		c->late = c == work.running;
		metric_inc(c->errors);
	}
}

static void run_here(group_set groups, int64_t start)
{
	for (size_t i = 0; i < work.count; i++)
		if (is_due(work.list[i], groups, start) && !work.running)
			run(work.list[i]);
}

void collect_run(group_set groups, int64_t deadline_ns)
{
	int64_t start = clock_ns();
	struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
	lock();
	if (!work.started) {
		run_here(groups, start);
	} else if (want(groups, start) > 0) {
		pthread_cond_broadcast(&work.changed);
		bool in_time = true;
		while (in_time && work.started && any_due(groups, start))
			in_time = pthread_cond_timedwait(&work.changed, &work.lock, &until) == 0;
		give_up(groups, start);
	}
	pthread_mutex_unlock(&work.lock);
}

static bool any_wanted(void)
{
	return work.running ? !work.running->late : next_wanted() != NULL;
}

void collect_refresh(int64_t deadline_ns)
{
	int64_t start = clock_ns();
	struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
	bool in_time = true;
	lock();
	for (size_t i = 0; i < work.count; i++) {
		struct collector *c = work.list[i];
		c->wanted = c->wanted || (c != work.running && c->finished_ns <= start - FRESH_NS);
	}
	pthread_cond_broadcast(&work.changed);
	while (in_time && work.started && any_wanted())
		in_time = pthread_cond_timedwait(&work.changed, &work.lock, &until) == 0;
	pthread_mutex_unlock(&work.lock);
}

void collect_date(void)
{
	int64_t now = clock_ns();
	lock();
	for (size_t i = 0; i < work.count; i++)
		metric_gauge_set(work.list[i]->age, (double)(now - work.list[i]->succeeded_ns) / 1e9);
	pthread_mutex_unlock(&work.lock);
}
