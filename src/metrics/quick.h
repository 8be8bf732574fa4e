/*
 * The quickest updates, inlined where they are made: counting one and moving a gauge in cells that only this processor
 * writes (see cells.h for who owns which). A series starts with a head that says whether it may be updated so; all
 * others go the longer way round in update.c. Included by metrics.h, and
 * nothing to be used by itself.
 *
 * owned_add is a plain addition in a restartable sequence (rseq(2), x86-64): the kernel starts it anew when the thread
 * is moved to another processor or interrupted in the middle of it. As with a relaxed atomic addition, other memory is
 * not ordered by it, so compilers may keep what an update looks up in registers.
 */
#ifndef METRICS_QUICK_H
#define METRICS_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/rseq.h>

struct series;

struct series_head {
	uint64_t *
		counter; /* its first cell, or NULL: no counter, or one with exemplars or cells that others write too */
	uint64_t *gauge; /* the same of a gauge */
};

enum { OWNED_STRIDE = 4096 }; /* bytes from a counter's cell of one processor to that of the next */

/* Processors with cells of their own; 0: there are no restartable sequences, or too many processors. */
extern unsigned cells_owners;
/* Where the kernel tells each thread its processor, from the thread pointer. */
extern ptrdiff_t cells_area;

/* False, and nothing was done: this thread runs where nobody owns cells. Not when cells_owners is 0. */
static inline bool owned_add(uint64_t *first, size_t stride, uint64_t n)
{
#if defined(__x86_64__) && defined(RSEQ_SIG)
again:
	/* 3: what the kernel is told: the stretch from 1: to 2:, and 4: where to go on when it was disturbed. */
	__asm__ goto(".pushsection __rseq_cs, \"aw\"\n\t"
		     ".balign 32\n\t"
		     "3: .long 0, 0\n\t"
		     ".quad 1f, 2f - 1f, 4f\n\t"
		     ".popsection\n\t"
		     "leaq 3b(%%rip), %%rax\n\t"
		     "movq %%rax, %%fs:%c[rseq_cs](%[area])\n\t"
		     "1: movl %%fs:%c[cpu_id](%[area]), %%eax\n\t"
		     "cmpl %[owners], %%eax\n\t"
		     "jae %l[nobody]\n\t"
		     "imulq %[stride], %%rax\n\t"
		     "addq %[n], (%[first], %%rax)\n\t"
		     "2:\n\t"
		     ".pushsection __rseq_failure, \"ax\"\n\t"
		     ".byte 0x0f, 0xb9, 0x3d\n\t" /* makes the signature an operand to whoever disassembles */
		     ".long %c[signature]\n\t"
		     "4: jmp %l[again]\n\t"
		     ".popsection"
		     :
		     : [area] "r"(cells_area), [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)),
		       [cpu_id] "i"(offsetof(struct rseq, cpu_id)), [owners] "m"(cells_owners), [stride] "re"(stride),
		       [n] "re"(n), [first] "r"(first), [signature] "i"(RSEQ_SIG)
		     : "cc", "rax"
		     : nobody, again);
	return true;
nobody:
	return false;
#else
	(void)first, (void)stride, (void)n;
	return false;
#endif
}

void series_count(struct series *series, uint64_t n);
void series_move(struct series *series, int64_t by);

static inline void metric_add(struct series *series, uint64_t n)
{
	const struct series_head *head = (const struct series_head *)series;
	if (!head || !head->counter || !owned_add(head->counter, OWNED_STRIDE, n))
		series_count(series, n);
}

static inline void metric_inc(struct series *series)
{
	metric_add(series, 1);
}

static inline void metric_gauge_add(struct series *series, int64_t by)
{
	const struct series_head *head = (const struct series_head *)series;
	if (!head || !head->gauge || !owned_add(head->gauge, OWNED_STRIDE, (uint64_t)by))
		series_move(series, by);
}

#endif
