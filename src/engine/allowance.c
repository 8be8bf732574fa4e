#include "engine/allowance.h"

#include "base/arena.h"
#include "engine/magazine.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LARGE_BYTES = 1024 * 1024, SLACK_BYTES = 128 * 1024 * 1024, BUCKETS = 4096, CAUGHT_BELOW_BYTES = 8192 };

/* Guarded by `lock`, but for `most`. */
struct allowance {
	size_t most;
	size_t used;
	size_t blocks;
	bool orphan;
};

struct block {
	struct block *next;
	const void *at;
	size_t bytes;
	struct allowance *whose;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* By address. An empty one tells, without the lock, that a block is none of these. */
static _Atomic(struct block *) blocks[BUCKETS];

static _Thread_local struct allowance *mine;
static _Thread_local atomic_bool *mine_starved;
static _Thread_local const char *mine_base; /* where the stack was */

struct allowance *allowance_new(int64_t memory_limit)
{
	struct allowance *a = mem_alloc(sizeof(*a));
	const size_t limit = memory_limit > 0 ? (size_t)memory_limit : SIZE_MAX / 2;
	*a = (struct allowance){.most = limit + limit / 4 + SLACK_BYTES};
	return a;
}

void allowance_free(struct allowance *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&lock);
	const bool last = a->blocks == 0;
	a->orphan = true;
	pthread_mutex_unlock(&lock);
	if (last)
		free(a);
}

void allowance_enter(struct allowance *a, atomic_bool *starved)
{
	mine = a;
	mine_starved = starved;
	mine_base = __builtin_frame_address(0);
}

static _Atomic(struct block *) *bucket_of(const void *at)
{
	return &blocks[((uintptr_t)at >> 12) % BUCKETS];
}

static bool reserve(struct allowance *a, size_t bytes)
{
	pthread_mutex_lock(&lock);
	const bool fits = bytes <= a->most && a->used <= a->most - bytes;
	if (fits) {
		a->used += bytes;
		a->blocks++;
	}
	pthread_mutex_unlock(&lock);
	return fits;
}

/* Lock held. */
static void give_back(struct allowance *a, size_t bytes)
{
	a->used -= bytes;
	if (--a->blocks == 0 && a->orphan)
		free(a);
}

static void put(struct block *b)
{
	_Atomic(struct block *) *bucket = bucket_of(b->at);
	pthread_mutex_lock(&lock);
	b->next = atomic_load(bucket);
	atomic_store(bucket, b);
	pthread_mutex_unlock(&lock);
}

static void forget(struct block *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&lock);
	give_back(b->whose, b->bytes);
	pthread_mutex_unlock(&lock);
	free(b);
}

/* What was reserved is at this address; NULL: it could not be had after all. */
static void note(struct allowance *a, const void *at, size_t bytes)
{
	struct block *b = mem_alloc(sizeof(*b));
	*b = (struct block){.at = at, .bytes = bytes, .whose = a};
	if (at)
		put(b);
	else
		forget(b);
}

/* Takes the block out of the list; NULL: it is none of these. */
static struct block *take(const void *at)
{
	_Atomic(struct block *) *bucket = bucket_of(at);
	struct block *found = NULL;
	if (!at || !atomic_load_explicit(bucket, memory_order_relaxed))
		return NULL;
	pthread_mutex_lock(&lock);
	struct block *before = NULL;
	for (struct block *b = atomic_load(bucket); b && !found; before = found ? before : b, b = b->next)
		if (b->at == at)
			found = b;
	if (found && before)
		before->next = found->next;
	else if (found)
		atomic_store(bucket, found->next);
	pthread_mutex_unlock(&lock);
	return found;
}

/* ---- the library's allocator ---- */

/* Its names, by which the library finds these here first. */
void *duckdb_je_malloc(size_t bytes);
void *duckdb_je_realloc(void *at, size_t bytes);
void duckdb_je_free(void *at);

#define BEHIND(name, type)                                                   \
	static type name##_behind(void)                                      \
	{                                                                    \
		static _Atomic(type) found;                                  \
		type f = atomic_load_explicit(&found, memory_order_relaxed); \
		if (!f) {                                                    \
			*(void **)&f = dlsym(RTLD_NEXT, #name);              \
			assert(f);                                           \
			atomic_store(&found, f);                             \
		}                                                            \
		return f;                                                    \
	}
typedef void *(*malloc_fn)(size_t);
typedef void *(*realloc_fn)(void *, size_t);
typedef void (*free_fn)(void *);
BEHIND(duckdb_je_malloc, malloc_fn)
BEHIND(duckdb_je_realloc, realloc_fn)
BEHIND(duckdb_je_free, free_fn)

void *duckdb_je_malloc(size_t bytes)
{
	struct allowance *a = mine;
	if (bytes < LARGE_BYTES || !a)
		return duckdb_je_malloc_behind()(bytes);
	if (!reserve(a, bytes))
		return NULL;
	void *at = duckdb_je_malloc_behind()(bytes);
	note(a, at, bytes);
	return at;
}

void *duckdb_je_realloc(void *at, size_t bytes)
{
	struct allowance *a = mine;
	const bool large = bytes >= LARGE_BYTES && a;
	if (large && !reserve(a, bytes))
		return NULL;
	struct block *former = take(at);
	void *moved = duckdb_je_realloc_behind()(at, bytes);
	if (large)
		note(a, moved, bytes);
	if (former && !moved && bytes)
		put(former);
	else
		forget(former);
	return moved;
}

void duckdb_je_free(void *at)
{
	forget(take(at));
	duckdb_je_free_behind()(at);
}

/* ---- operator new ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED
/* operator new, new[], delete and delete[] for the linker, and how the C++ library throws std::bad_alloc. */
void *allowance_allocate(size_t bytes) __asm__("_Znwm");
void *allowance_allocate_array(size_t bytes) __asm__("_Znam");
void allowance_release(void *at) __asm__("_ZdlPv");
void allowance_release_array(void *at) __asm__("_ZdaPv");
extern _Noreturn void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv");

/* What the C++ ABI for Itanium keeps of a thread's exceptions. */
struct exceptions {
	void *caught;
	unsigned uncaught;
};
extern struct exceptions *exceptions_here(void) __asm__("__cxa_get_globals");

static bool is_starved(void)
{
	atomic_bool *starved = mine_starved;
	if (!starved || !atomic_load_explicit(starved, memory_order_relaxed))
		return false;
	const char *here = __builtin_frame_address(0);
	const struct exceptions *now = exceptions_here();
	return mine_base - here > CAUGHT_BELOW_BYTES && !now->uncaught && atomic_exchange(starved, false);
}

/* Large ones are looked at, but not kept count of: the engine's own containers hold them for moments. */
static bool is_too_large(size_t bytes)
{
	const struct allowance *a = mine;
	if (bytes < LARGE_BYTES || !a)
		return false;
	pthread_mutex_lock(&lock);
	const bool too_large = bytes > a->most || a->used > a->most - bytes;
	pthread_mutex_unlock(&lock);
	return too_large;
}

/* Apart, so that operator new itself needs no frame. */
__attribute__((noinline)) static void *allocate(size_t bytes)
{
	void *at = is_starved() || is_too_large(bytes) ? NULL : malloc(bytes ? bytes : 1);
	if (!at)
		throw_bad_alloc();
	return at;
}

void *allowance_allocate(size_t bytes)
{
	const atomic_bool *starved = mine_starved;
	void *at = starved && atomic_load_explicit(starved, memory_order_relaxed) ? NULL : magazine_take(bytes);
	return at ? at : allocate(bytes);
}

void *allowance_allocate_array(size_t bytes)
{
	return allowance_allocate(bytes);
}

void allowance_release(void *at)
{
	if (!magazine_keep(at))
		free(at);
}

void allowance_release_array(void *at)
{
	allowance_release(at);
}
#endif
