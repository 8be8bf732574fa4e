#include "metrics/sampler.h"

#include "base/clock.h"
#include "base/pool.h"
#include "metrics/collect.h"
#include "metrics/history.h"

#include <pthread.h>
#include <time.h>

enum { COLLECT_EVERY = 2, COLLECT_WAIT_MS = 4000 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool started;
	bool stopping;
	unsigned long thread;
} sampler = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

/* Sleeps until the wall clock is at the given second; false when it is time to end. */
static bool sleep_until(int64_t unix_s)
{
	struct timespec until = {.tv_sec = unix_s};
	pthread_mutex_lock(&sampler.lock);
	int timeout = 0;
	while (!sampler.stopping && timeout == 0)
		timeout = pthread_cond_timedwait(&sampler.stop, &sampler.lock, &until);
	bool go_on = !sampler.stopping;
	pthread_mutex_unlock(&sampler.lock);
	return go_on;
}

static void *sampler_thread(void *ctx)
{
	(void)ctx;
	for (uint64_t tick = 0;; tick++) {
		int64_t now = clock_unix_us() / US_PER_S;
		if (!sleep_until(now - now % HISTORY_STEP + HISTORY_STEP))
			return NULL;
		if (tick % COLLECT_EVERY == 0)
			collect_refresh(clock_ns() + COLLECT_WAIT_MS * NS_PER_MS);
		history_sample(clock_unix_us() / US_PER_S);
	}
}

void sampler_start(void)
{
	pthread_mutex_lock(&sampler.lock);
	bool start = !sampler.started;
	sampler.started = true;
	sampler.stopping = false;
	pthread_mutex_unlock(&sampler.lock);
	if (start)
		thread_start("metrics-history", sampler_thread, NULL, &sampler.thread);
}

void sampler_stop(void)
{
	pthread_mutex_lock(&sampler.lock);
	bool stop = sampler.started;
	sampler.stopping = true;
	sampler.started = false;
	pthread_cond_signal(&sampler.stop);
	pthread_mutex_unlock(&sampler.lock);
	if (stop)
		thread_join(sampler.thread);
}
