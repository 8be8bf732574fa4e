/*
 * Bounded queue of body bytes from an event loop to the worker that reads them.
 * Putting never blocks, taking does. Safe for one of each side.
 */
#ifndef HTTP_RING_H
#define HTTP_RING_H

#include "base/span.h"

#include <pthread.h>

enum ring_end {
	RING_OPEN,
	RING_ENDED, /* the body is complete; what is held can still be taken */
	RING_BROKEN /* nothing more will come and nothing can be taken */
};

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	char *bytes; /* NULL until the first put */
	size_t size;
	size_t head;
	size_t len;
	enum ring_end end;
};

void ring_init(struct ring *ring, size_t size);
void ring_done(struct ring *ring);
/* Returns how many of the bytes found room. */
size_t ring_put(struct ring *ring, const char *bytes, size_t n);
/* Waits for bytes or an end. *ret_n 0: the end. *ret_room: at least half is free now. False: broken. */
MUST_CHECK bool ring_take(struct ring *ring, char *bytes, size_t size, size_t *ret_n, bool *ret_room);
bool ring_is_open(struct ring *ring);
/* The first end counts. */
void ring_end(struct ring *ring, enum ring_end end);

#endif
