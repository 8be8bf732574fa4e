/* Inside of the history: its queue and its thread. `mutex` guards the queue and the counters. */
#ifndef CATALOG_HISTORY_CORE_H
#define CATALOG_HISTORY_CORE_H

#include "catalog/history_file.h"

#include <pthread.h>

struct history {
	struct history_file file;
	int64_t success_us;
	int64_t error_us;
	unsigned long thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;	/* for the thread */
	pthread_cond_t written; /* for those who wait */
	struct record *first;
	struct record **last;
	size_t depth;	   /* waiting or being written */
	uint64_t enqueued; /* records ever taken into the queue */
	uint64_t settled;  /* of those: written or given up */
	uint64_t failures; /* batches that failed */
	uint64_t added;
	uint64_t dropped;
	size_t waiters;
	bool closing;
	struct err error; /* of the last failure */
};

#endif
