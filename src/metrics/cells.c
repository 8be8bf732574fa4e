#include "metrics/cells.h"

#include "base/arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned cells_shards = 2;
unsigned cells_owners;
ptrdiff_t cells_area;

/* Free cells of one size; chunks are taken from the kernel as needed and kept. */
struct stock {
	pthread_mutex_t lock;
	cell **free;
	size_t count;
	size_t cap;
};

static struct stock stocks[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};

/* Registered by the C library for every thread, unless the system is too old or somebody said no. */
static bool sequences_restart(void)
{
#if defined(__x86_64__) && defined(RSEQ_SIG) && !defined(__SANITIZE_THREAD__)
	return __rseq_size > 0;
#else
	return false;
#endif
}

void cells_setup(void)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);
	long shards = processors < 1 ? 1 : processors > SHARDS_MAX ? SHARDS_MAX : processors;
	cells_shards = (unsigned)shards + 1;
#ifdef RSEQ_SIG
	cells_area = __rseq_offset;
#endif
	cells_owners = sequences_restart() && processors <= SHARDS_MAX ? (unsigned)shards : 0;
}

void cells_add_shared(cell *first, size_t stride, uint64_t n)
{
	size_t shard = (unsigned)sched_getcpu() % (cells_shards - 1);
	atomic_fetch_add_explicit(first + shard * stride, n, memory_order_relaxed);
}

/* For a thread that the system did not register, and a processor that was plugged in later. */
void cells_add_spare(cell *first, size_t stride, uint64_t n)
{
	atomic_fetch_add_explicit(first + (cells_shards - 1) * stride, n, memory_order_relaxed);
}

static void stock_put(struct stock *stock, cell *cells)
{
	if (stock->count == stock->cap) {
		stock->cap = stock->cap ? stock->cap * 2 : COUNTER_STRIDE;
		stock->free = mem_grow(stock->free, stock->cap * sizeof(stock->free[0]));
	}
	stock->free[stock->count++] = cells;
}

/* Untouched pages of the map take no memory: reading them shows zeros, the first addition makes them real. */
static void stock_fill(struct stock *stock, bool histogram)
{
	size_t stride = histogram ? HISTOGRAM_STRIDE : COUNTER_STRIDE;
	size_t size = stride * cells_shards * sizeof(cell);
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		fputs("out of memory\n", stderr);
		abort();
	}
	size_t per_chunk = histogram ? HISTOGRAMS_PER_CHUNK : COUNTER_STRIDE;
	size_t step = histogram ? OCTAVE_CELLS : 1;
	for (size_t i = per_chunk; i-- > 0;)
		stock_put(stock, (cell *)map + i * step);
}

cell *cells_take(bool histogram)
{
	struct stock *stock = &stocks[histogram];
	pthread_mutex_lock(&stock->lock);
	if (stock->count == 0)
		stock_fill(stock, histogram);
	cell *cells = stock->free[--stock->count];
	pthread_mutex_unlock(&stock->lock);
	return cells;
}

void cells_give(bool histogram, cell *cells)
{
	struct stock *stock = &stocks[histogram];
	pthread_mutex_lock(&stock->lock);
	stock_put(stock, cells);
	pthread_mutex_unlock(&stock->lock);
}
