/*
 * What the engine takes without counting it. Its memory_limit bounds what its buffer manager gives out: tables, joins, sorts,
 * aggregates. It does not know of the values that functions make (range(0, 1000000000), repeat('x', 3000000000)) and of plans
 * (macros and views that multiply), and nothing interrupts a plan while it is made.
 *
 * So this file stands in front of the library's allocator and of operator new, by their names, and looks at threads that said
 * for whom they work. Blocks of a MiB and more of the allocator count, together, against a limit somewhat above the engine's,
 * and so does, by itself, all that operator new gives out, whichever thread gives it back; beyond it there is no memory, which
 * the engine reports as such. And while a statement is planned whose session should long have ended, now and then an
 * allocation fails until the plan is given up. Small ones fail only where the engine catches it, which is deep below the call
 * that allowance_enter() stands next to, and not while another exception is on its way.
 *
 * Private to this folder. Any thread. Under sanitizers operator new is theirs: there plans are not given up, and small
 * blocks do not count.
 */
#ifndef ENGINE_ALLOWANCE_H
#define ENGINE_ALLOWANCE_H

#include <stdatomic.h>
#include <stdint.h>

struct allowance;

/* For an engine of that memory_limit; 0: without end. */
struct allowance *allowance_new(int64_t memory_limit);
/* Blocks may outlive it. NULL is fine. */
void allowance_free(struct allowance *a);

/* This thread works for `a` from now on; NULL: for nobody. `starved` (may be NULL): fails the next allocation once it is set. */
void allowance_enter(struct allowance *a, atomic_bool *starved);

/* Frees a block of operator new that a magazine kept. */
void allowance_drop(void *block);

#endif
