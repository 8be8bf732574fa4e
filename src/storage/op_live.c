#include "storage/op_live.h"

#include "base/clock.h"
#include "engine/session.h"

#include <pthread.h>

/* Newest first. */
static struct {
	pthread_mutex_t lock;
	struct op *first;
} live = {.lock = PTHREAD_MUTEX_INITIALIZER};

void op_live_add(struct op *op)
{
	(void)pthread_mutex_lock(&live.lock);
	op->live_next = live.first;
	op->live_at = &live.first;
	if (live.first)
		live.first->live_at = &op->live_next;
	live.first = op;
	(void)pthread_mutex_unlock(&live.lock);
}

void op_live_remove(struct op *op)
{
	(void)pthread_mutex_lock(&live.lock);
	*op->live_at = op->live_next;
	if (op->live_next)
		op->live_next->live_at = op->live_at;
	(void)pthread_mutex_unlock(&live.lock);
}

void op_live_waits(struct op *op, const char *what)
{
	atomic_store_explicit(&op->waiting_for, what, memory_order_relaxed);
}

static const char *copy(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

/* The texts of an operation live until it leaves the list, so they are copied with the lock held. */
static struct op_live copy_of(const struct op *op, struct arena *arena)
{
	const struct op_target *t = &op->target;
	return (struct op_live){
		.id = arena_strdup(arena, op->id),
		.operation = op_name(op->kind),
		.door = door_name(op->call->door),
		.project_id = copy(arena, t->project_id),
		.branch_id = copy(arena, t->branch_id),
		.bucket = copy(arena, t->bucket),
		.table = copy(arena, t->table),
		.resource_id = copy(arena, t->resource_id),
		.request_id = copy(arena, op->call->request_id),
		.client = copy(arena, op->call->client),
		.waiting_for = atomic_load_explicit(&op->waiting_for, memory_order_relaxed),
		.started_us = op->start_us,
		.running_ns = clock_ns() - op->start_ns,
		.can_cancel = op->call->progress != NULL,
	};
}

size_t op_live_list(const struct storage *storage, struct arena *arena, size_t max, struct op_live **ret,
		    size_t *ret_count)
{
	size_t total = 0;
	size_t n = 0;
	(void)pthread_mutex_lock(&live.lock);
	for (const struct op *op = live.first; op; op = op->live_next)
		total += op->storage == storage;
	size_t skip = total > max ? total - max : 0;
	*ret = arena_array(arena, struct op_live, total - skip);
	*ret_count = total - skip;
	for (const struct op *op = live.first; op; op = op->live_next) {
		if (op->storage != storage)
			continue;
		if (n >= skip)
			(*ret)[total - 1 - n] = copy_of(op, arena);
		n++;
	}
	(void)pthread_mutex_unlock(&live.lock);
	return total;
}

bool op_live_cancel(const struct storage *storage, const char *id, struct err *err)
{
	bool found = false;
	bool stopped = false;
	(void)pthread_mutex_lock(&live.lock);
	for (const struct op *op = live.first; op && !found; op = op->live_next) {
		found = op->storage == storage && strcmp(op->id, id) == 0;
		if (found && op->call->progress) {
			progress_cancel(op->call->progress);
			stopped = true;
		}
	}
	(void)pthread_mutex_unlock(&live.lock);
	if (!found)
		return err_set(err, ERR_OPERATION_NOT_FOUND, "Nothing with the id %.100s runs now", id);
	return stopped || err_set(err, ERR_OPERATION_NOT_ALLOWED, "This operation is short and cannot be stopped");
}
