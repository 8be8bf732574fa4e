/*
 * The judge of a batch: turns transactions, one after the other, into effects
 * (row out, row in) against the newest state, or into an error. What an earlier
 * transaction of the batch touched is not in the model yet; a later one that
 * needs it does not fit into this batch.
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
	size_t begin;	    /* the current transaction's first effect */
	struct map touched; /* unique keys -> struct touch */
	struct touch *touches;
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
