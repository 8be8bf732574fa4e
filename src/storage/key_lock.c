#include "storage/key_lock.h"

#include "base/arena.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 64 };

struct shard {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	struct map held;
};

struct key_locks {
	struct shard shards[SHARDS];
};

struct key_locks *key_locks_new(void)
{
	struct key_locks *locks = mem_alloc(sizeof(*locks));
	for (size_t i = 0; i < SHARDS; i++) {
		(void)pthread_mutex_init(&locks->shards[i].mutex, NULL);
		(void)pthread_cond_init(&locks->shards[i].freed, NULL);
	}
	return locks;
}

void key_locks_free(struct key_locks *locks)
{
	if (!locks)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		map_done(&locks->shards[i].held);
		(void)pthread_cond_destroy(&locks->shards[i].freed);
		(void)pthread_mutex_destroy(&locks->shards[i].mutex);
	}
	free(locks);
}

static struct shard *shard_of(struct key_locks *locks, struct span key)
{
	return &locks->shards[span_hash(key) % SHARDS];
}

void key_lock(struct key_locks *locks, struct span key)
{
	struct shard *shard = shard_of(locks, key);
	(void)pthread_mutex_lock(&shard->mutex);
	while (map_get(&shard->held, key))
		(void)pthread_cond_wait(&shard->freed, &shard->mutex);
	(void)map_put(&shard->held, key, shard);
	(void)pthread_mutex_unlock(&shard->mutex);
}

void key_unlock(struct key_locks *locks, struct span key)
{
	struct shard *shard = shard_of(locks, key);
	(void)pthread_mutex_lock(&shard->mutex);
	(void)map_remove(&shard->held, key);
	(void)pthread_cond_broadcast(&shard->freed);
	(void)pthread_mutex_unlock(&shard->mutex);
}
