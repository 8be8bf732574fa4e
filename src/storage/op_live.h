/*
 * The operations that run right now, for `/internal/activity`: op_begin puts a
 * scope on the list, op_end takes it off. Cancelling one is asking the work to
 * stop (the call's progress); it ends with ERR_CANCELLED a moment later.
 * Thread-safe; putting on and off costs one short lock.
 */
#ifndef STORAGE_OP_LIVE_H
#define STORAGE_OP_LIVE_H

#include "storage/op.h"

struct op_live {
	const char *id, *operation, *door;
	const char *project_id, *branch_id, *bucket, *table, *resource_id; /* NULL: none */
	const char *request_id, *client;
	const char *waiting_for; /* "table lock", "execution slot"; NULL: it works */
	int64_t started_us;
	int64_t running_ns;
	bool can_cancel;
};

void op_live_add(struct op *op);
void op_live_remove(struct op *op);
/* Static text, or NULL when the wait is over. */
void op_live_waits(struct op *op, const char *what);

/* The longest-running first, at most `max`; returns how many there are. */
size_t op_live_list(const struct storage *storage, struct arena *arena, size_t max, struct op_live **ret,
		    size_t *ret_count);
/* ERR_OPERATION_NOT_FOUND; ERR_OPERATION_NOT_ALLOWED: it cannot be stopped. */
MUST_CHECK bool op_live_cancel(const struct storage *storage, const char *id, struct err *err);

#endif
