/* The one writer: takes what waits, judges it, commits it at once, shows it to the readers, wakes the callers. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/pool.h"
#include "catalog/core.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WAL_BYTES_MAX = 16 * 1024 * 1024,
	WAL_BYTES_PER_COMMIT = 200, /* of a small one */
	/* From so many callers at once a batch waits for the stragglers of the last one, so long at most. */
	CROWD_MIN = 8,
	CROWD_WAIT_NS = 10 * NS_PER_MS
};

/* ---- The queue ---- */

static bool enqueue(struct core *core, struct catalog_txn *t, struct err *err)
{
	struct writer *w = &core->writer;
	bool ok = true;
	t->start_ns = clock_ns();
	(void)pthread_mutex_lock(&w->mutex);
	if (w->closing) {
		ok = err_set(err, ERR_DRAINING, "The server is shutting down");
	} else if (t->async && w->async_depth >= LIMIT_CATALOG_ASYNC) {
		ok = err_set(err, ERR_OVERLOADED, "Too many metadata updates are waiting");
	} else {
		*w->last = t;
		w->last = &t->next;
		w->depth++;
		w->async_depth += t->async;
		metric_gauge_add(core->active, 1);
		metric_gauge_add(core->queue_depth, 1);
		if (w->depth >= w->wanted)
			(void)pthread_cond_signal(&w->wake);
	}
	(void)pthread_mutex_unlock(&w->mutex);
	return ok;
}

/*
 * Callers that commit all the time come back soon after their batch. A batch costs about the same whatever its size, so
 * that with many of them it is quicker for all to wait until most are back, yet no longer than two such batches take.
 */
static void crowd_wait(struct writer *w)
{
	if (w->crowd < CROWD_MIN)
		return;
	int64_t patience_ns = 2 * w->batch_ns;
	int64_t end = clock_ns() + (patience_ns < CROWD_WAIT_NS ? patience_ns : CROWD_WAIT_NS);
	struct timespec until = {end / NS_PER_S, end % NS_PER_S};
	w->wanted = w->crowd - w->crowd / 8;
	while (w->depth < w->wanted && !w->closing)
		if (pthread_cond_clockwait(&w->wake, &w->mutex, CLOCK_MONOTONIC, &until) != 0)
			break;
	w->wanted = 1;
}

static void crowd_count(struct writer *w, int64_t batch_ns)
{
	(void)pthread_mutex_lock(&w->mutex);
	w->crowd += w->depth;
	(void)pthread_mutex_unlock(&w->mutex);
	w->batch_ns = batch_ns;
}

/* Moves the queue to the pending ones; waits when there are none. false: closing, and nothing is left. */
static bool pending_fill(struct core *core)
{
	struct writer *w = &core->writer;
	(void)pthread_mutex_lock(&w->mutex);
	while (!w->pending && !w->first && !w->closing)
		(void)pthread_cond_wait(&w->wake, &w->mutex);
	crowd_wait(w);
	if (w->first) {
		*w->pending_last = w->first;
		w->pending_last = w->last;
		w->first = NULL;
		w->last = &w->first;
	}
	(void)pthread_mutex_unlock(&w->mutex);
	return w->pending != NULL;
}

static struct catalog_txn *pending_pop(struct core *core)
{
	struct writer *w = &core->writer;
	struct catalog_txn *t = w->pending;
	w->pending = t->next;
	if (!w->pending)
		w->pending_last = &w->pending;
	t->next = NULL;
	w->crowd++;
	(void)pthread_mutex_lock(&w->mutex);
	w->depth--;
	w->async_depth -= t->async;
	(void)pthread_mutex_unlock(&w->mutex);
	metric_gauge_add(core->queue_depth, -1);
	return t;
}

/* The transaction is over; it may be gone afterwards. */
static void finish(struct core *core, struct catalog_txn *t, const struct err *failure)
{
	txn_release(t);
	metric_gauge_add(core->active, -1);
	metric_inc(core->calls[CATALOG_WRITE]);
	metric_observe_since(core->seconds[CATALOG_WRITE], t->start_ns);
	if (!failure)
		atomic_fetch_add(&core->writer.commits, 1);
	if (t->async) {
		if (t->done)
			t->done(t->done_ctx, failure);
		arena_free(t->arena);
		return;
	}
	t->ok = !failure;
	if (t->then) {
		if (failure && failure != &t->error)
			t->error = *failure;
		t->next = NULL;
		*core->writer.over_last = t;
		core->writer.over_last = &t->next;
		return;
	}
	if (failure)
		*t->ret_err = *failure;
	(void)sem_post(&t->finished);
}

static void over_give(struct core *core)
{
	struct writer *w = &core->writer;
	if (!w->over)
		return;
	finisher_give(&core->finisher, w->over);
	w->over = NULL;
	w->over_last = &w->over;
}

/* ---- A batch ---- */

static void effects_number(struct writer *w)
{
	for (size_t i = 0; i < w->plan.count; i++)
		if (w->plan.effects[i].fresh)
			w->plan.effects[i].fresh->seq = w->next_seq++;
}

static void effects_show(struct core *core)
{
	struct plan *p = &core->writer.plan;
	(void)pthread_rwlock_wrlock(&core->lock);
	for (size_t i = 0; i < p->count; i++) {
		struct effect *e = &p->effects[i];
		if (e->old)
			model_take(core->model, e->entity, e->old);
		if (e->fresh)
			model_add(core->model, e->entity, e->fresh);
	}
	(void)pthread_rwlock_unlock(&core->lock);
	for (size_t i = 0; i < p->count; i++)
		free(p->effects[i].old);
}

static bool plan_is_empty(const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->effects[i].old || p->effects[i].fresh)
			return false;
	return true;
}

/* Commits the plan and shows it. */
static bool plan_commit(struct core *core, struct err *err)
{
	struct writer *w = &core->writer;
	if (plan_is_empty(&w->plan))
		return true;
	effects_number(w);
	int64_t start = clock_ns();
	bool reload;
	bool ok = store_write(core->store, w->plan.effects, w->plan.count, &reload, err);
	metric_observe_since(core->commit_seconds, start);
	if (!ok) {
		w->reload = w->reload || reload;
		return false;
	}
	effects_show(core);
	atomic_fetch_add(&w->batches, 1);
	w->since_checkpoint++;
	return true;
}

/* After a fault whose outcome is unknown the file is the truth. */
static bool state_ready(struct core *core, struct err *err)
{
	struct writer *w = &core->writer;
	if (!w->reload && !store_is_broken(core->store))
		return true;
	w->reload = true;
	struct model *fresh = model_new();
	if (!store_load(core->store, fresh, &w->next_seq, err)) {
		model_free(fresh);
		return false;
	}
	(void)pthread_rwlock_wrlock(&core->lock);
	struct model *old = core->model;
	core->model = fresh;
	(void)pthread_rwlock_unlock(&core->lock);
	model_free(old);
	w->reload = false;
	atomic_fetch_add(&w->reopens, 1);
	return true;
}

static void batch_fail(struct core *core, struct catalog_txn *batch, const struct err *failure)
{
	while (batch) {
		struct catalog_txn *next = batch->next;
		finish(core, batch, failure);
		batch = next;
	}
}

/* Each one for itself, so that the one the engine does not take fails alone. */
static void batch_singly(struct core *core, struct catalog_txn *batch)
{
	struct plan *p = &core->writer.plan;
	while (batch) {
		struct catalog_txn *next = batch->next;
		struct err err = ERR_INIT;
		txn_unmake(batch);
		bool ok = state_ready(core, &err);
		plan_reset(p, core->model);
		ok = ok && plan_add(p, batch, &err) == VERDICT_FITS && plan_commit(core, &err);
		finish(core, batch, ok ? NULL : &err);
		batch = next;
	}
}

/*
 * Takes as many of the pending ones as fit together. One that is refused stays in the batch with its error: it may have
 * been refused for what another member is about to write, which is true only once that is committed. NULL: none.
 */
static struct catalog_txn *batch_take(struct core *core)
{
	struct writer *w = &core->writer;
	struct catalog_txn *first = NULL;
	struct catalog_txn **last = &first;
	plan_reset(&w->plan, core->model);
	unsigned count = 0;
	while (w->pending && count < core->batch_max) {
		if (plan_add(&w->plan, w->pending, &w->pending->error) == VERDICT_WAITS)
			break;
		*last = pending_pop(core);
		last = &(*last)->next;
		count++;
	}
	return first;
}

static void batch_run(struct core *core)
{
	struct err err = ERR_INIT;
	if (!state_ready(core, &err)) {
		struct catalog_txn *t = pending_pop(core);
		finish(core, t, &err);
		return;
	}
	struct catalog_txn *batch = batch_take(core);
	if (!batch)
		return;
	if (plan_commit(core, &err)) {
		while (batch) {
			struct catalog_txn *next = batch->next;
			finish(core, batch, batch->error.code == ERR_NONE ? NULL : &batch->error);
			batch = next;
		}
		return;
	}
	bool alone = !batch->next;
	if (alone || err.code == ERR_DISK_FULL || core->writer.reload)
		batch_fail(core, batch, &err);
	else
		batch_singly(core, batch);
}

static void checkpoint_maybe(struct core *core)
{
	struct writer *w = &core->writer;
	int64_t wal = store_wal_bytes(core->store);
	metric_gauge_set(core->wal_bytes, (double)wal);
	if (w->since_checkpoint < core->checkpoint_commits && wal < WAL_BYTES_MAX)
		return;
	if (w->since_checkpoint == 0)
		return;
	struct err err;
	int64_t start = clock_ns();
	w->since_checkpoint = 0;
	if (store_checkpoint(core->store, &err))
		atomic_fetch_add(&w->checkpoints, 1);
	metric_observe_since(core->checkpoint_seconds, start);
}

static void *writer_run(void *ctx)
{
	struct core *core = ctx;
	while (pending_fill(core)) {
		int64_t start = clock_ns();
		core->writer.crowd = 0;
		batch_run(core);
		over_give(core);
		crowd_count(&core->writer, clock_ns() - start);
		checkpoint_maybe(core);
		metric_add_seconds(core->busy_seconds, clock_seconds_since(start));
	}
	return NULL;
}

void writer_start(struct core *core)
{
	struct writer *w = &core->writer;
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)pthread_cond_init(&w->wake, NULL);
	w->last = &w->first;
	w->pending_last = &w->pending;
	w->over_last = &w->over;
	w->wanted = 1;
	/* What a killed server left counts too, or the log would grow by each kill and every start read all of it again. */
	w->since_checkpoint = (unsigned)(store_wal_bytes(core->store) / WAL_BYTES_PER_COMMIT);
	plan_begin(&w->plan, core->model);
	thread_start("catalog-writer", writer_run, core, &w->thread);
}

void writer_stop(struct core *core)
{
	struct writer *w = &core->writer;
	(void)pthread_mutex_lock(&w->mutex);
	w->closing = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->mutex);
	thread_join(w->thread);
	plan_done(&w->plan);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->mutex);
}

/* ---- The callers' side ---- */

bool catalog_commit(struct catalog_txn *t, struct err *err)
{
	assert(!t->committed);
	t->committed = true;
	if (t->error.code != ERR_NONE) {
		*err = t->error;
		txn_release(t);
		return false;
	}
	if (!t->first)
		return true;
	t->ret_err = err;
	(void)sem_init(&t->finished, 0, 0);
	if (!enqueue(t->catalog->core, t, err)) {
		txn_release(t);
		return false;
	}
	while (sem_wait(&t->finished) != 0)
		continue;
	(void)sem_destroy(&t->finished);
	return t->ok;
}

void catalog_commit_then(struct catalog_txn *t, void (*done)(void *ctx, const struct err *failure), void *ctx)
{
	assert(!t->committed && !t->own_arena);
	t->committed = true;
	t->then = true;
	t->done = done;
	t->done_ctx = ctx;
	struct err err = t->error;
	if (err.code == ERR_NONE && t->first && enqueue(t->catalog->core, t, &err))
		return;
	txn_release(t);
	done(ctx, err.code == ERR_NONE ? NULL : &err);
}

void catalog_commit_async(struct catalog_txn *t, void (*done)(void *ctx, const struct err *failure), void *ctx)
{
	assert(!t->committed && t->own_arena);
	t->committed = true;
	t->async = true;
	t->done = done;
	t->done_ctx = ctx;
	struct err err = t->error;
	if (err.code == ERR_NONE && enqueue(t->catalog->core, t, &err))
		return;
	if (done)
		done(ctx, &err);
	txn_release(t);
	arena_free(t->arena);
}
