#include "engine/gzip.h"

#include "base/arena.h"
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK = 1024 * 1024, THREADS_MAX = 8, HEADROOM = 4096 };

enum slot_state { SLOT_FREE, SLOT_FULL, SLOT_BUSY, SLOT_PACKED };

struct slot {
	enum slot_state state;
	size_t len;
	size_t packed_len;
	unsigned char *plain;
	unsigned char *packed;
};

struct gzip {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[2 * THREADS_MAX];
	size_t slot_count;
	size_t next; /* next slot to be compressed */
	int level;
	bool stop;
	bool failed;
};

static size_t packed_max(void)
{
	return compressBound(BLOCK) + HEADROOM;
}

static bool pack(struct slot *slot, int level)
{
	z_stream z = {.next_in = slot->plain,
		      .avail_in = (uInt)slot->len,
		      .next_out = slot->packed,
		      .avail_out = (uInt)packed_max()};
	if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	const bool ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
	slot->packed_len = packed_max() - z.avail_out;
	(void)deflateEnd(&z);
	return ok;
}

static void *worker(void *ctx)
{
	struct gzip *g = ctx;
	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct slot *slot = &g->slots[g->next];
		if (slot->state != SLOT_FULL) {
			if (g->stop)
				break;
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		slot->state = SLOT_BUSY;
		g->next = (g->next + 1) % g->slot_count;
		pthread_mutex_unlock(&g->lock);
		const bool ok = pack(slot, g->level);
		pthread_mutex_lock(&g->lock);
		g->failed |= !ok;
		slot->state = SLOT_PACKED;
		pthread_cond_broadcast(&g->changed);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* Fills a block; *ret_end when there is no more. */
static bool read_block(int from, struct slot *slot, bool *ret_end, struct err *err)
{
	slot->len = 0;
	*ret_end = false;
	while (slot->len < BLOCK && !*ret_end) {
		const ssize_t n = read(from, slot->plain + slot->len, BLOCK - slot->len);
		if (n > 0)
			slot->len += (size_t)n;
		else if (n == 0)
			*ret_end = true;
		else if (errno != EINTR)
			return err_errno(err, errno, "The export cannot read its pipe");
	}
	return true;
}

static bool write_all(int to, const unsigned char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		const ssize_t n = write(to, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "The export cannot write its file");
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Waits for the oldest member in `slot` and writes it. */
static bool drain(struct gzip *g, struct slot *slot, int to, struct err *err)
{
	pthread_mutex_lock(&g->lock);
	while (slot->state == SLOT_FULL || slot->state == SLOT_BUSY)
		pthread_cond_wait(&g->changed, &g->lock);
	const bool packed = slot->state == SLOT_PACKED, failed = g->failed;
	slot->state = SLOT_FREE; /* only this thread fills it again */
	pthread_mutex_unlock(&g->lock);
	if (failed)
		return err_set(err, ERR_OUT_OF_MEMORY, "No memory to compress the export");
	return !packed || write_all(to, slot->packed, slot->packed_len, err);
}

/* Reading, compressing and writing overlap: a slot is refilled only after its member was written. */
static bool pump(struct gzip *g, const struct gzip_request *r, struct err *err)
{
	size_t at = 0;
	bool end = false, any = false;
	while (!end) {
		struct slot *slot = &g->slots[at];
		if (!drain(g, slot, r->to, err) || !read_block(r->from, slot, &end, err))
			return false;
		/* An empty input is still one (empty) member. */
		if (slot->len == 0 && any)
			break;
		any = true;
		pthread_mutex_lock(&g->lock);
		slot->state = SLOT_FULL;
		pthread_cond_broadcast(&g->changed);
		pthread_mutex_unlock(&g->lock);
		at = (at + 1) % g->slot_count;
	}
	for (size_t i = 0; i < g->slot_count; i++)
		if (!drain(g, &g->slots[(at + i) % g->slot_count], r->to, err))
			return false;
	return true;
}

static size_t thread_count(size_t wanted)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (wanted == 0)
		wanted = cores > 0 ? (size_t)cores : 1;
	return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

bool gzip_run(const struct gzip_request *r, struct err *err)
{
	const size_t threads = thread_count(r->threads);
	struct gzip g = {.slot_count = 2 * threads, .level = r->level ? r->level : 1};
	unsigned long ids[THREADS_MAX];
	pthread_mutex_init(&g.lock, NULL);
	pthread_cond_init(&g.changed, NULL);
	for (size_t i = 0; i < g.slot_count; i++) {
		g.slots[i].plain = mem_alloc(BLOCK);
		g.slots[i].packed = mem_alloc(packed_max());
	}
	for (size_t i = 0; i < threads; i++)
		thread_start("export-gzip", worker, &g, &ids[i]);
	const bool ok = pump(&g, r, err);
	pthread_mutex_lock(&g.lock);
	g.stop = true;
	pthread_cond_broadcast(&g.changed);
	pthread_mutex_unlock(&g.lock);
	for (size_t i = 0; i < threads; i++)
		thread_join(ids[i]);
	for (size_t i = 0; i < g.slot_count; i++) {
		free(g.slots[i].plain);
		free(g.slots[i].packed);
	}
	pthread_mutex_destroy(&g.lock);
	pthread_cond_destroy(&g.changed);
	return ok;
}
