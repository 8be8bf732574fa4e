/*
 * Blocks that a thread let go and will soon want again. A small statement makes and drops some two hundred objects of the
 * engine, and malloc(3) and free(3) of them were a third of its instructions.
 *
 * A thread that opened its magazines keeps up to MAGAZINE_ROUNDS blocks of each size up to MAGAZINE_BYTES, and operator new
 * (allowance.c) takes from there first. Others keep nothing. One that rests gives them back with magazine_shed(), one that
 * ends with magazine_close(). Blocks are malloc's: any thread may free them. Under sanitizers operator new is theirs, and
 * nothing is kept.
 */
#ifndef ENGINE_MAGAZINE_H
#define ENGINE_MAGAZINE_H

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

enum { MAGAZINE_BYTES = 520, MAGAZINE_ROUNDS = 24, MAGAZINES = (MAGAZINE_BYTES + 7) / 16 + 1 };

void magazine_open(void);
void magazine_shed(void);
void magazine_close(void);

/* The one at index i holds blocks of 16 i + 8 bytes and more, each with the address of the next in front. */
extern _Thread_local struct magazine {
	void *top;
	unsigned room;
} magazines[MAGAZINES];

/* NULL: there is none. */
static inline void *magazine_take(size_t bytes)
{
	if (bytes > MAGAZINE_BYTES)
		return NULL;
	/* No block of malloc(3) has less than 24 bytes. */
	struct magazine *m = &magazines[bytes <= 24 ? 1 : (bytes + 7) / 16];
	if (!m->top)
		return NULL;
	void *at = m->top;
	m->top = *(void **)at;
	m->room++;
	return at;
}

/* False: it is to be freed. */
static inline bool magazine_keep(void *at)
{
	const size_t bytes = at ? malloc_usable_size(at) : 0;
	if (bytes < 24 || bytes > MAGAZINE_BYTES)
		return false;
	struct magazine *m = &magazines[(bytes - 8) / 16];
	if (!m->room)
		return false;
	*(void **)at = m->top;
	m->top = at;
	m->room--;
	return true;
}

#endif
