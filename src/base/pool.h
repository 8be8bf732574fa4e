/*
 * Worker pool: a fixed number of threads (8 MiB stacks, because the engine's
 * parser recurses) and bounded queues, one per fairness key (a project). The
 * next task is taken from the keys in turn, so that one project's burst does
 * not starve the others.
 *
 * Thread-safe. pool_stop waits for what is queued and running. A task must not
 * wait for another task of the same pool.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/err.h"

struct pool;

struct pool_stats {
	size_t threads;
	size_t busy;
	size_t queued;
	uint64_t tasks;
};

struct pool_config {
	const char *name; /* at most 15 bytes: it is the threads' name too */
	size_t threads;
	size_t queue_max;
	/* Called on the worker before each task with the time it waited; may be NULL. */
	void (*on_wait)(const char *pool, double seconds);
};

struct pool *pool_start(const struct pool_config *config);
/* ERR_OVERLOADED when the queue is full, ERR_DRAINING when the pool is being stopped. */
MUST_CHECK bool pool_submit(struct pool *pool, struct span fair_key, void (*run)(void *), void *task, struct err *err);
void pool_stats(struct pool *pool, struct pool_stats *ret);
const char *pool_name(const struct pool *pool);
/* Refuses new tasks, finishes the queued ones, joins the threads, frees the pool. */
void pool_stop(struct pool *pool);

/* A named thread with an 8 MiB stack. Ends the process when the system has no thread left. */
void thread_start(const char *name, void *(*run)(void *), void *ctx, unsigned long *ret_thread);
/* The same; false when the system has no thread left. */
MUST_CHECK bool thread_try_start(const char *name, void *(*run)(void *), void *ctx, unsigned long *ret_thread);
void thread_join(unsigned long thread);
/* Gives the part of the caller's stack back to the system that past calls used and no running one does. */
void thread_shed_stack(void);

#endif
