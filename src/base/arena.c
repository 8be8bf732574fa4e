#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SEPARATE 1
#else
#define ARENA_SEPARATE 0
#endif

struct block {
	struct block *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

/*
 * The first block is small: many arenas hold little. Each next one is twice as large. Their sizes count the head, so that
 * the first two are of those that malloc(3) keeps at hand for each thread.
 */
enum {
	SMALL_BYTES = 1024,
	BLOCK_HEAD = sizeof(struct block),
	BLOCK_FIRST = SMALL_BYTES / 2 - BLOCK_HEAD,
	BLOCK_BYTES = 8 * SMALL_BYTES - BLOCK_HEAD,
	PRINTED_USUALLY = 256
};

struct cleanup {
	struct cleanup *next;
	void (*run)(void *);
	void *object;
};

struct arena {
	struct block *blocks; /* newest first; the first one is being filled */
	size_t used;
	struct cleanup *cleanups;
};

static void *checked(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_alloc_array(size_t size, size_t n)
{
	size_t total;
	if (__builtin_mul_overflow(size, n, &total)) {
		fputs("allocation size overflows\n", stderr);
		abort();
	}
	return mem_alloc(total);
}

void *mem_grow(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1));
}

char *mem_strdup(const char *text)
{
	return mem_copy(span_of(text));
}

char *mem_copy(struct span s)
{
	char *copy = mem_grow(NULL, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

struct arena *arena_new(void)
{
	struct arena *arena = mem_grow(NULL, sizeof(*arena));
	*arena = (struct arena){0};
	return arena;
}

static void cleanups_run(struct arena *arena)
{
	while (arena->cleanups) {
		struct cleanup *c = arena->cleanups;
		arena->cleanups = c->next;
		c->run(c->object);
	}
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	cleanups_run(arena);
	blocks_free(arena->blocks);
	free(arena);
}

void arena_shed(struct arena *arena)
{
	cleanups_run(arena);
	blocks_free(arena->blocks);
	arena->blocks = NULL;
	arena->used = 0;
}

void arena_reset(struct arena *arena)
{
	cleanups_run(arena);
	struct block *kept = arena->blocks;
	if (kept && (ARENA_SEPARATE || kept->size > BLOCK_BYTES)) {
		blocks_free(kept);
		kept = NULL;
	} else if (kept) {
		blocks_free(kept->next);
		kept->next = NULL;
	}
	arena->blocks = kept;
	arena->used = 0;
}

/*
 * What is given out is zeroed then, and blocks are not: malloc(3) has those a thread freed lately at hand, calloc(3) does
 * not look there.
 */
static void *block_add(struct arena *arena, size_t size, bool own)
{
	struct block *b = own ? mem_alloc(sizeof(*b) + size) : mem_grow(NULL, sizeof(*b) + size);
	b->size = size;
	/* An allocation with a block of its own goes behind the one being filled. */
	if (own && arena->blocks) {
		b->next = arena->blocks->next;
		arena->blocks->next = b;
	} else {
		b->next = arena->blocks;
		arena->blocks = b;
		arena->used = own ? size : 0;
	}
	return b->bytes;
}

static size_t next_size(const struct arena *arena, size_t least)
{
	size_t size = BLOCK_FIRST;
	if (arena->blocks && arena->blocks->size <= BLOCK_BYTES)
		size = arena->blocks->size * 2 + BLOCK_HEAD;
	while (size < least)
		size = size * 2 + BLOCK_HEAD;
	return size < BLOCK_BYTES ? size : BLOCK_BYTES;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	size = size ? (size + align - 1) / align * align : align;
	if (ARENA_SEPARATE || size > BLOCK_BYTES / 4)
		return block_add(arena, size, true);
	if (!arena->blocks || arena->blocks->size - arena->used < size)
		(void)block_add(arena, next_size(arena, size), false);
	void *p = arena->blocks->bytes + arena->used;
	arena->used += size;
	return memset(p, 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t size, size_t n)
{
	size_t total;
	if (__builtin_mul_overflow(size, n, &total)) {
		fputs("allocation size overflows\n", stderr);
		abort();
	}
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, struct span s)
{
	char *copy = arena_alloc(arena, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, span_of(text)) : NULL;
}

struct span arena_span(struct arena *arena, struct span s)
{
	return (struct span){arena_copy(arena, s), s.len};
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	va_list again;
	va_copy(again, args);
	char first[PRINTED_USUALLY];
	int len = vsnprintf(first, sizeof(first), fmt, args);
	va_end(args);
	size_t size = (size_t)(len < 0 ? 0 : len) + 1;
	char *text = arena_alloc(arena, size);
	if (len >= 0 && size <= sizeof(first))
		memcpy(text, first, size);
	else
		(void)vsnprintf(text, size, fmt, again);
	va_end(again);
	return text;
}

void arena_on_free(struct arena *arena, void (*cleanup)(void *), void *object)
{
	struct cleanup *c = arena_new_of(arena, struct cleanup);
	*c = (struct cleanup){.next = arena->cleanups, .run = cleanup, .object = object};
	arena->cleanups = c;
}
