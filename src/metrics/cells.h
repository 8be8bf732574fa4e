/*
 * Where the numbers live: for each processor a shard of 64-bit cells, so that threads on different processors do not
 * share cache lines. A counter or gauge has one cell in each shard, a histogram a few hundred of which only the used
 * ones take memory. Updates are relaxed atomic additions (a thread may be moved between choosing a shard and adding).
 *
 * A histogram's cells are those of a native (exponential) histogram of schema 3: eight buckets to the octave from
 * 2^-30 s to 2^17 s; the bucket that a classic bound falls into is split at the bound, and the part above it is the
 * octave's ninth cell. So one addition serves both views, and both always agree. Values outside the range count in
 * the first and last bucket. Memory is laid out octave by octave for 64 histograms at a time, because neighbours use
 * the same few octaves.
 *
 * Allocation locks; the cells of one series are never moved.
 */
#ifndef METRICS_CELLS_H
#define METRICS_CELLS_H

#include "metrics/rows.h"

#include <sched.h>
#include <stdatomic.h>

enum {
	SHARDS_MAX = 16,
	COUNTER_STRIDE = 512, /* cells from a shard to the next: one page */
	OCTAVE_CELLS = 9,
	OCTAVES = 47,
	OCTAVE_MIN = -30, /* the first octave is (2^-30, 2^-29] */
	HISTOGRAMS_PER_CHUNK = 64,
	GROUP_STRIDE = HISTOGRAMS_PER_CHUNK * OCTAVE_CELLS, /* cells from an octave to the next */
	/* One more group in front for the sum (in nanoseconds) and the zeros. */
	HISTOGRAM_STRIDE = (OCTAVES + 1) * GROUP_STRIDE
};

typedef _Atomic uint64_t cell;

/* Shards in use: the processors, rounded up to a power of two. */
extern unsigned cells_shards;

static inline size_t cells_here(void)
{
	return (unsigned)sched_getcpu() & (cells_shards - 1);
}

void cells_setup(void);
/* Zeroed cells of shard 0. */
cell *cells_take(bool histogram);
/* Nobody updates them any more. */
void cells_give(bool histogram, cell *cells);

static inline cell *cells_sum(cell *cells, size_t shard)
{
	return cells + shard * HISTOGRAM_STRIDE;
}

static inline cell *cells_zeros(cell *cells, size_t shard)
{
	return cells + shard * HISTOGRAM_STRIDE + 1;
}

static inline cell *cells_octave(cell *cells, size_t shard, size_t octave)
{
	return cells + shard * HISTOGRAM_STRIDE + (octave + 1) * GROUP_STRIDE;
}

#endif
