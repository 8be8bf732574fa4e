#include "http/ring.h"

#include "base/arena.h"

#include <stdlib.h>

void ring_init(struct ring *ring, size_t size)
{
	*ring = (struct ring){.size = size};
	(void)pthread_mutex_init(&ring->lock, NULL);
	(void)pthread_cond_init(&ring->ready, NULL);
}

void ring_done(struct ring *ring)
{
	free(ring->bytes);
	(void)pthread_mutex_destroy(&ring->lock);
	(void)pthread_cond_destroy(&ring->ready);
}

size_t ring_put(struct ring *ring, const char *bytes, size_t n)
{
	(void)pthread_mutex_lock(&ring->lock);
	if (!ring->bytes)
		ring->bytes = mem_alloc(ring->size);
	size_t room = ring->size - ring->len;
	n = n < room ? n : room;
	size_t at = (ring->head + ring->len) % ring->size;
	size_t first = n < ring->size - at ? n : ring->size - at;
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, bytes + first, n - first);
	ring->len += n;
	(void)pthread_cond_signal(&ring->ready);
	(void)pthread_mutex_unlock(&ring->lock);
	return n;
}

bool ring_take(struct ring *ring, char *bytes, size_t size, size_t *ret_n, bool *ret_room)
{
	(void)pthread_mutex_lock(&ring->lock);
	while (ring->len == 0 && ring->end == RING_OPEN)
		(void)pthread_cond_wait(&ring->ready, &ring->lock);
	bool fine = ring->end != RING_BROKEN;
	size_t n = size < ring->len ? size : ring->len;
	if (fine && n) {
		size_t first = n < ring->size - ring->head ? n : ring->size - ring->head;
		memcpy(bytes, ring->bytes + ring->head, first);
		memcpy(bytes + first, ring->bytes, n - first);
		ring->head = (ring->head + n) % ring->size;
		ring->len -= n;
	}
	*ret_n = fine ? n : 0;
	*ret_room = ring->len <= ring->size / 2;
	(void)pthread_mutex_unlock(&ring->lock);
	return fine;
}

bool ring_is_open(struct ring *ring)
{
	(void)pthread_mutex_lock(&ring->lock);
	bool open = ring->end == RING_OPEN;
	(void)pthread_mutex_unlock(&ring->lock);
	return open;
}

void ring_end(struct ring *ring, enum ring_end end)
{
	(void)pthread_mutex_lock(&ring->lock);
	if (ring->end == RING_OPEN)
		ring->end = end;
	(void)pthread_cond_broadcast(&ring->ready);
	(void)pthread_mutex_unlock(&ring->lock);
}
