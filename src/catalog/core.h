/*
 * Inside of the catalog: what its reads, its writer and its life share.
 *
 * `model` is read under the read lock; only the writer's thread changes it,
 * under the write lock, and may read it without. The queue has its own mutex.
 */
#ifndef CATALOG_CORE_H
#define CATALOG_CORE_H

#include "catalog/model.h"
#include "catalog/store.h"
#include "metrics/metrics.h"

#include <pthread.h>

enum { CATALOG_READ, CATALOG_WRITE, CATALOG_CALLS };

struct catalog {
	struct core *core;
	bool counted;
};

struct writer {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct catalog_txn *first;
	struct catalog_txn **last;
	size_t depth;
	size_t async_depth;
	size_t wanted; /* depth at which the thread is to be woken */
	bool closing;
	unsigned long thread;
	/* Of the thread alone */
	struct catalog_txn *pending; /* taken from the queue, not yet in a batch */
	struct catalog_txn **pending_last;
	struct plan plan;
	int64_t next_seq;
	bool reload;		  /* the file decides what is in it */
	struct catalog_txn *over; /* of the running batch, for the finisher; in order */
	struct catalog_txn **over_last;
	unsigned since_checkpoint;
	size_t crowd;	  /* transactions that were there at the last batch: in it, or waiting */
	int64_t batch_ns; /* that it took */
	_Atomic int64_t batches;
	_Atomic int64_t commits;
	_Atomic int64_t checkpoints;
	_Atomic int64_t reopens;
};

/* Tells callers that went on meanwhile how their commit ended, on a thread of its own: the writer waits for nobody. */
struct finisher {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct catalog_txn *first;
	struct catalog_txn **last;
	bool closing;
	unsigned long thread;
};

struct core {
	struct catalog counted;
	struct catalog uncounted;
	pthread_rwlock_t lock;
	struct model *model;
	struct store *store;
	struct writer writer;
	struct finisher finisher;
	unsigned batch_max;
	unsigned checkpoint_commits;
	int lock_fds[2];
	struct series *calls[CATALOG_CALLS];
	struct series *seconds[CATALOG_CALLS];
	struct series *active;
	struct series *queue_depth;
	struct series *busy_seconds;
	struct series *commit_seconds;
	struct series *checkpoint_seconds;
	struct series *wal_bytes;
};

/* Starts the writer's thread; model and store are ready. */
void writer_start(struct core *core);
/* Finishes what waits and ends the thread. */
void writer_stop(struct core *core);

void finisher_start(struct finisher *f);
/* Takes over a list of transactions that are over: their `ok` and `error` say how. */
void finisher_give(struct finisher *f, struct catalog_txn *first);
/* Tells who is left and ends the thread; nothing is given any more. */
void finisher_stop(struct finisher *f);

#endif
