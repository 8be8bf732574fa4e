/*
 * Memory of one lifetime (a request, a connection): allocate freely, free all
 * at once. Clean-ups registered on an arena run in reverse order when it ends:
 * files, cursors and attachments are registered there at birth.
 *
 * Not thread-safe; one owner at a time. Allocation never returns NULL: running
 * out of memory ends the process, like everywhere in this program. Under ASan
 * each allocation is a malloc of its own so that overruns are seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena;

struct arena *arena_new(void);
/* Runs the clean-ups, newest first, and frees all. NULL is fine. */
void arena_free(struct arena *arena);
/* Ends the lifetime and begins another: as arena_free and arena_new, but keeps one block. */
void arena_reset(struct arena *arena);
/* As arena_reset, and keeps nothing. */
void arena_shed(struct arena *arena);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
#define arena_new_of(arena, type)   ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, n) ((type *)arena_alloc_array((arena), sizeof(type), (n)))
void *arena_alloc_array(struct arena *arena, size_t size, size_t n);
/* NUL-terminated copies. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_copy(struct arena *arena, struct span s);
struct span arena_span(struct arena *arena, struct span s);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

void arena_on_free(struct arena *arena, void (*cleanup)(void *), void *object);

/* malloc family that ends the process on failure; for memory with a life of its own. Release with free(). */
void *mem_alloc(size_t size);
void *mem_alloc_array(size_t size, size_t n);
void *mem_grow(void *old, size_t size);
char *mem_strdup(const char *text);
char *mem_copy(struct span s);

#endif
