/*
 * Who may change a table, and when: the exclusive table locks and the admission
 * of table changes.
 *
 * A table (project, branch, bucket, name) has one writer at a time; waiting
 * writers are served in order of arrival. Readers take no lock. A writer that
 * has its table then waits for one of the execution slots, which are handed out
 * to the projects in turn. The whole wait is bounded by the deadline of the call
 * and OPERATION_TIMEOUT: then ERR_TABLE_LOCKED. A cancelled call stops waiting
 * with ERR_CANCELLED. Thread-safe.
 */
#ifndef STORAGE_LOCK_H
#define STORAGE_LOCK_H

#include "storage/op.h"

struct locks;

struct locks *locks_new(int64_t timeout_s, size_t slots);
void locks_free(struct locks *locks);

/* A held admission: any number of tables, one execution slot. */
struct admission {
	struct locks *locks;
	struct held_lock *held;
	bool slot;
	bool counted;
	char project_id[LIMIT_ID_BYTES + 1];
};

/* Waits for the table and a slot; updates the op's waits and the metrics. Pair with lock_release, also on failure. */
MUST_CHECK bool lock_table(struct locks *locks, struct op *op, const char *project_id, const char *branch_id,
			   const char *bucket, const char *table, struct admission *ret, struct err *err);

/* A table of a set; lock_tables takes them in one global order, so sets cannot deadlock each other. */
struct lock_name {
	const char *project_id, *branch_id, *bucket, *table;
};
MUST_CHECK bool lock_tables(struct locks *locks, struct op *op, const struct lock_name *names, size_t n,
			    struct admission *ret, struct err *err);
void lock_release(struct admission *admission);

/* A locked table, for how long its present holder has it, and how many wait for it. */
struct lock_row {
	const char *project_id, *branch_id, *bucket, *table;
	int64_t held_ns;
	size_t waiting;
};
/* At most `max` of them, in no order. */
void locks_list(struct locks *locks, struct arena *arena, size_t max, struct lock_row **ret, size_t *ret_count);

/* Writes waiting now, of all projects. */
size_t locks_waiting(struct locks *locks);

#endif
