/*
 * Where the numbers live: for each processor a shard of 64-bit cells, so that threads on different processors do not
 * share cache lines. A counter or gauge has one cell in each shard, a histogram a few hundred of which only the used
 * ones take memory.
 *
 * Cells are added to in one of two ways, by family and for ever: cells_add_shared is a relaxed atomic addition (a thread
 * may be moved between choosing a shard and adding), after which cells may also be emptied by others. cells_add_owned is
 * for cells that nobody else ever writes: a plain addition in a restartable sequence (rseq(2), x86-64), which the kernel
 * starts anew when the thread is moved or interrupted in the middle of it; a third of the time. Where the system has no
 * such sequences it is the same as the shared one.
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
#include <sys/rseq.h>

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

/* Shards in use, the ones to sum up: one for each processor or group of processors, and a spare one. */
extern unsigned cells_shards;
/* Processors with a shard that only they write in cells_add_owned; 0: there are no restartable sequences, or too many
 * processors. */
extern unsigned cells_owners;

void cells_setup(void);

/* `stride` in cells: from a shard to the next. */
void cells_add_shared(cell *first, size_t stride, uint64_t n);
void cells_add_spare(cell *first, size_t stride, uint64_t n);

#if defined(__x86_64__) && defined(RSEQ_SIG)
static inline void cells_add_owned(cell *first, size_t stride, uint64_t n)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	if (cells_owners == 0) {
		cells_add_shared(first, stride, n);
		return;
	}
again:
	/* 3: what the kernel is told: the stretch from 1: to 2:, and 4: where to go on when it was disturbed. */
	__asm__ goto(".pushsection __rseq_cs, \"aw\"\n\t"
		     ".balign 32\n\t"
		     "3: .long 0, 0\n\t"
		     ".quad 1f, 2f - 1f, 4f\n\t"
		     ".popsection\n\t"
		     "leaq 3b(%%rip), %%rax\n\t"
		     "movq %%rax, %c[rseq_cs](%[area])\n\t"
		     "1: movl %c[cpu_id](%[area]), %%eax\n\t"
		     "cmpl %[owners], %%eax\n\t"
		     "jae %l[spare]\n\t"
		     "imulq %[stride], %%rax\n\t"
		     "addq %[n], (%[first], %%rax)\n\t"
		     "2:\n\t"
		     ".pushsection __rseq_failure, \"ax\"\n\t"
		     ".byte 0x0f, 0xb9, 0x3d\n\t" /* makes the signature an operand to whoever disassembles */
		     ".long %c[signature]\n\t"
		     "4: jmp %l[again]\n\t"
		     ".popsection"
		     :
		     : [area] "r"(area), [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)),
		       [cpu_id] "i"(offsetof(struct rseq, cpu_id)), [owners] "r"(cells_owners),
		       [stride] "r"(stride * sizeof(cell)), [n] "r"(n), [first] "r"(first), [signature] "i"(RSEQ_SIG)
		     : "memory", "cc", "rax"
		     : spare, again);
	return;
spare:
	cells_add_spare(first, stride, n);
}
#else
static inline void cells_add_owned(cell *first, size_t stride, uint64_t n)
{
	cells_add_shared(first, stride, n);
}
#endif

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
