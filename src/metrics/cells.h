/*
 * Where the numbers live: for each processor a shard of 64-bit cells, so that threads on different processors do not
 * share cache lines. A counter or gauge has one cell in each shard, a histogram a few hundred of which only the used
 * ones take memory.
 *
 * Cells are added to in one of two ways, by family and for ever: cells_add_shared is a relaxed atomic addition (a thread
 * may be moved between choosing a shard and adding), after which cells may also be emptied by others. owned_add (quick.h) is
 * for cells that nobody else ever writes: a plain addition in a restartable sequence (rseq(2), x86-64), which the kernel
 * starts anew when the thread is moved or interrupted in the middle of it; a third of the time. Where the system has no
 * such sequences nobody owns a cell.
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

#include <stdatomic.h>
#include <stddef.h>

enum {
	SHARDS_MAX = 16,
	COUNTER_STRIDE = OWNED_STRIDE / sizeof(uint64_t), /* cells from a shard to the next: one page */
	OCTAVE_CELLS = 9,
	OCTAVES = 47,
	OCTAVE_MIN = -30, /* the first octave is (2^-30, 2^-29] */
	HISTOGRAMS_PER_CHUNK = 64,
	GROUP_STRIDE = HISTOGRAMS_PER_CHUNK * OCTAVE_CELLS, /* cells from an octave to the next */
	/* One more group in front for the sum (in nanoseconds) and the zeros. */
	HISTOGRAM_STRIDE = (OCTAVES + 1) * GROUP_STRIDE
};

typedef _Atomic uint64_t cell;

/* Shards in use, the ones to sum up: one for each processor or group of processors, and a spare one. */
extern unsigned cells_shards;

void cells_setup(void);

/* `stride` in cells: from a shard to the next. */
void cells_add_shared(cell *first, size_t stride, uint64_t n);
void cells_add_spare(cell *first, size_t stride, uint64_t n);

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
