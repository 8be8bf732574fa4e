/*
 * Blocks that a thread let go and will soon want again. A small statement makes and drops some two hundred objects of the
 * engine, and malloc(3) and free(3) of them were a third of its instructions.
 *
 * A thread that opened its magazines keeps up to MAGAZINE_ROUNDS blocks of each size up to MAGAZINE_BYTES, and operator new
 * (allowance.c) takes from there first. Others keep nothing. One that rests gives them back with magazine_shed(), one that
 * ends with magazine_close(). Under sanitizers operator new is theirs, and nothing is kept.
 */
#ifndef ENGINE_MAGAZINE_H
#define ENGINE_MAGAZINE_H

#include <stdbool.h>
#include <stddef.h>

enum { MAGAZINE_BYTES = 520, MAGAZINE_ROUNDS = 24, MAGAZINE_HEAD = 16, MAGAZINES = (MAGAZINE_BYTES + 7) / 16 + 1 };

void magazine_open(void);
void magazine_shed(void);
void magazine_close(void);

/* The one at index i holds blocks of 16 i + 8 bytes and more. Their first MAGAZINE_HEAD bytes stay as they are; behind them
 * stands the address of the next. */
extern _Thread_local struct magazine {
	void *top;
	unsigned room;
} magazines[MAGAZINES];

static inline void **magazine_link(void *block)
{
	return (void **)((char *)block + MAGAZINE_HEAD);
}

/* NULL: there is none. */
static inline void *magazine_take(size_t bytes)
{
	if (bytes > MAGAZINE_BYTES)
		return NULL;
	/* No block of malloc(3) has less than 24 bytes. */
	struct magazine *m = &magazines[bytes <= 24 ? 1 : (bytes + 7) / 16];
	void *block = m->top;
	if (!block)
		return NULL;
	m->top = *magazine_link(block);
	m->room++;
	return block;
}

/* A block of that malloc_usable_size(3). False: it is to be freed. */
static inline bool magazine_keep(void *block, size_t bytes)
{
	if (bytes < MAGAZINE_HEAD + sizeof(void *) || bytes > MAGAZINE_BYTES)
		return false;
	struct magazine *m = &magazines[(bytes - 8) / 16];
	if (!m->room)
		return false;
	*magazine_link(block) = m->top;
	m->top = block;
	m->room--;
	return true;
}

#endif
