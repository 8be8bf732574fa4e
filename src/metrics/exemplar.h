/*
 * Exemplars: for each bucket of a histogram, or for a counter, the newest observation that was part of a trace or a
 * request, with its id. Kept in slots that a series allocates when it gets its first one. A slot that is busy, or was
 * written in this tick of the coarse clock, is passed over: "newest" is exact to a few milliseconds and costs a hot
 * series next to nothing. Thread-safe.
 */
#ifndef METRICS_EXEMPLAR_H
#define METRICS_EXEMPLAR_H

#include "metrics/rows.h"

#include <stdatomic.h>

struct exemplar_slot;

struct exemplar_store {
	struct exemplar_slot *_Atomic slots;
};

struct exemplar {
	double value;
	int64_t unix_us;
	size_t labels;
	const char *names[2];
	char values[2][METRICS_EXEMPLAR_BYTES + 1];
};

/* What this thread works for; set by metrics_exemplar_set. */
extern __thread struct exemplar exemplar_current;

/* True when this thread works for something that has an id. */
static inline bool exemplar_wanted(void)
{
	return exemplar_current.labels > 0;
}

/* `slots`: how many the store has when it must be made; `slot` below it. */
void exemplar_note(struct exemplar_store *store, size_t slots, size_t slot, double value);
/* False: none there. */
bool exemplar_read(struct exemplar_store *store, size_t slot, struct exemplar *ret);
void exemplar_free(struct exemplar_store *store);

#endif
