/*
 * The judge of a batch: turns transactions, one after the other, into effects
 * (row out, row in), or into an error. A transaction is judged against the model
 * with the effects of the batch so far on top, so that a row which everybody
 * changes (a project's counters) does not cut batches short. Only catalog_check
 * needs the model itself to be the newest state.
 */
#ifndef CATALOG_PLAN_H
#define CATALOG_PLAN_H

#include "base/map.h"
#include "catalog/model.h"
#include "catalog/txn.h"

struct effect {
	enum catalog_entity entity;
	struct packed *old;   /* in the model; NULL: nothing goes */
	struct packed *fresh; /* NULL: nothing comes */
};

struct plan {
	const struct model *model;
	struct effect *effects;
	size_t count;
	size_t cap;
	struct map touched; /* unique keys -> struct touch */
	struct touch *touches;
	struct undo *undo; /* what the current transaction did, to take it back when it is refused */
	size_t undo_count;
	size_t undo_cap;
};

enum verdict {
	VERDICT_FITS,
	VERDICT_FAILS, /* *err says why; nothing of it is in the plan */
	VERDICT_WAITS  /* needs the batch so far to be applied first */
};

void plan_begin(struct plan *p, const struct model *model);
/* The transaction keeps its rows until the plan is applied or dropped. */
enum verdict plan_add(struct plan *p, struct catalog_txn *t, struct err *err);
/* Empties it; `model` may be another one now. */
void plan_reset(struct plan *p, const struct model *model);
void plan_done(struct plan *p);

#endif
