/*
 * A transaction while it is collected: an ordered list of steps in an arena.
 * The public write functions of catalog.h are here. It owns the packed rows of
 * its steps until the writer puts them into the model.
 */
#ifndef CATALOG_TXN_H
#define CATALOG_TXN_H

#include "catalog/catalog.h"
#include "catalog/packed.h"

#include <semaphore.h>

enum step_kind {
	STEP_PUT,
	STEP_INSERT,
	STEP_REMOVE,
	STEP_REMOVE_ALL,
	STEP_EXPECT,
	STEP_REFUSE,
	STEP_VERIFY,
	STEP_CHANGE,
	STEP_CHECK
};

struct step {
	struct step *next;
	enum step_kind kind;
	enum catalog_entity entity;
	enum catalog_index index;
	enum err_code code;
	struct packed *row;	/* PUT, INSERT */
	struct catalog_key key; /* texts in the arena */
	bool (*check)(void *ctx, struct catalog *catalog, struct err *err);
	bool (*verify)(void *call, const void *row, struct err *err);
	bool (*change)(void *call, void *row, struct arena *arena);
	void *call;
};

struct catalog_txn {
	struct catalog *catalog;
	struct arena *arena;
	bool own_arena;
	bool committed; /* handed to the writer */
	bool alone;	/* must see all earlier commits applied: begins a batch */
	struct step *first;
	struct step **last;
	struct packed **made; /* rows made by changes while planning */
	size_t made_count;
	size_t made_cap;
	struct err error; /* sticky failure of a step; the writer's refusal */
	/* The writer's */
	struct catalog_txn *next;
	int64_t start_ns;
	bool async;
	bool then; /* told by the finisher */
	void (*done)(void *ctx, const struct err *failure);
	void *done_ctx;
	struct err *ret_err;
	bool ok;
	sem_t finished;
};

/* Remembers a row made while planning, so that it is freed unless the model takes it. */
void txn_made(struct catalog_txn *t, struct packed *row);
/* Forgets the rows made while planning. */
void txn_unmake(struct catalog_txn *t);
/* Frees every row that is not in the model. After this the transaction holds none. */
void txn_release(struct catalog_txn *t);

#endif
