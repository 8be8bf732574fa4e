#include "base/pool.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct task {
	struct task *next;
	void (*run)(void *);
	void *object;
	int64_t queued_ns;
};

/* The waiting tasks of one fairness key; on the ring of keys while it has any. */
struct lane {
	struct lane *next;
	char *key;
	size_t key_len;
	struct task *first;
	struct task **last;
};

struct pool {
	struct pool_config config;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct map lanes;
	struct lane *ring_first;
	struct lane **ring_last;
	size_t queued;
	size_t busy;
	size_t idle; /* threads that wait for work */
	bool called; /* one of those is woken and not here yet: it calls the next when there is more */
	uint64_t tasks;
	bool stopping;
	unsigned long *threads;
};

bool thread_try_start(const char *name, void *(*run)(void *), void *ctx, unsigned long *ret_thread)
{
	pthread_attr_t attr;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, (size_t)8 << 20);
	int failed = pthread_create(ret_thread, &attr, run, ctx);
	(void)pthread_attr_destroy(&attr);
	if (!failed)
		(void)pthread_setname_np(*ret_thread, name);
	return !failed;
}

void thread_start(const char *name, void *(*run)(void *), void *ctx, unsigned long *ret_thread)
{
	if (thread_try_start(name, run, ctx, ret_thread))
		return;
	fprintf(stderr, "cannot start thread %s\n", name);
	abort();
}

void thread_join(unsigned long thread)
{
	(void)pthread_join(thread, NULL);
}

/* Room for the frames of thread_shed_stack and what it calls. */
enum { STACK_IN_USE = 4096 };

void thread_shed_stack(void)
{
	pthread_attr_t attr;
	void *lowest;
	size_t size;
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	const bool known = pthread_attr_getstack(&attr, &lowest, &size) == 0;
	(void)pthread_attr_destroy(&attr);
	const uintptr_t from = ((uintptr_t)lowest + page - 1) / page * page, to = (here - STACK_IN_USE) / page * page;
	if (known && from < to && here - (uintptr_t)lowest < size)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

static void ring_add(struct pool *pool, struct lane *lane)
{
	lane->next = NULL;
	*pool->ring_last = lane;
	pool->ring_last = &lane->next;
}

/* Takes the next task of the first lane; the lane goes to the ring's end, or away when it is empty. */
static struct task *task_take(struct pool *pool)
{
	struct lane *lane = pool->ring_first;
	pool->ring_first = lane->next;
	if (!pool->ring_first)
		pool->ring_last = &pool->ring_first;
	struct task *task = lane->first;
	lane->first = task->next;
	pool->queued--;
	if (lane->first) {
		ring_add(pool, lane);
	} else {
		(void)map_remove(&pool->lanes, (struct span){lane->key, lane->key_len});
		free(lane->key);
		free(lane);
	}
	return task;
}

/*
 * Wakes a thread for what is queued, unless one is on its way already. A burst of short tasks then costs few changes of
 * threads: who is awake takes the next one. One by one all of them wake when the tasks take long.
 */
static void call_one(struct pool *pool)
{
	if (pool->called || pool->idle == 0 || !pool->ring_first)
		return;
	pool->called = true;
	(void)pthread_cond_signal(&pool->work);
}

static void wait_for_work(struct pool *pool)
{
	pool->idle++;
	while (!pool->ring_first && !pool->stopping) {
		(void)pthread_cond_wait(&pool->work, &pool->lock);
		pool->called = false;
	}
	pool->idle--;
}

static void *worker(void *ctx)
{
	struct pool *pool = ctx;
	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		if (!pool->ring_first)
			wait_for_work(pool);
		if (!pool->ring_first)
			break;
		struct task *task = task_take(pool);
		pool->busy++;
		call_one(pool);
		(void)pthread_mutex_unlock(&pool->lock);
		if (pool->config.on_wait)
			pool->config.on_wait(pool->config.name, clock_seconds_since(task->queued_ns));
		task->run(task->object);
		free(task);
		(void)pthread_mutex_lock(&pool->lock);
		pool->busy--;
		pool->tasks++;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

struct pool *pool_start(const struct pool_config *config)
{
	struct pool *pool = mem_alloc(sizeof(*pool));
	pool->config = *config;
	pool->ring_last = &pool->ring_first;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	pool->threads = mem_alloc_array(sizeof(*pool->threads), config->threads);
	for (size_t i = 0; i < config->threads; i++)
		thread_start(config->name, worker, pool, &pool->threads[i]);
	return pool;
}

bool pool_submit(struct pool *pool, struct span fair_key, void (*run)(void *), void *task, struct err *err)
{
	(void)pthread_mutex_lock(&pool->lock);
	bool full = pool->queued >= pool->config.queue_max;
	bool stopping = pool->stopping;
	if (!full && !stopping) {
		struct task *t = mem_alloc(sizeof(*t));
		*t = (struct task){.run = run, .object = task, .queued_ns = clock_ns()};
		struct lane *lane = map_get(&pool->lanes, fair_key);
		if (!lane) {
			lane = mem_alloc(sizeof(*lane));
			lane->key = mem_copy(fair_key);
			lane->key_len = fair_key.len;
			lane->last = &lane->first;
			(void)map_put(&pool->lanes, fair_key, lane);
			ring_add(pool, lane);
		}
		*lane->last = t;
		lane->last = &t->next;
		pool->queued++;
		call_one(pool);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (stopping)
		return err_set(err, ERR_DRAINING, "The server is shutting down");
	if (full)
		return err_set(err, ERR_OVERLOADED, "The server is busy: %zu requests wait already; try again shortly",
			       pool->config.queue_max);
	return true;
}

void pool_stats(struct pool *pool, struct pool_stats *ret)
{
	(void)pthread_mutex_lock(&pool->lock);
	*ret = (struct pool_stats){
		.threads = pool->config.threads, .busy = pool->busy, .queued = pool->queued, .tasks = pool->tasks};
	(void)pthread_mutex_unlock(&pool->lock);
}

const char *pool_name(const struct pool *pool)
{
	return pool->config.name;
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->config.threads; i++)
		thread_join(pool->threads[i]);
	map_done(&pool->lanes);
	(void)pthread_mutex_destroy(&pool->lock);
	(void)pthread_cond_destroy(&pool->work);
	free(pool->threads);
	free(pool);
}
