#include "engine/allowance.h"

#include "base/arena.h"
#include "engine/magazine.h"

#include <assert.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

enum {
	LARGE_BYTES = 1024 * 1024,
	SLACK_BYTES = 128 * 1024 * 1024,
	BUCKETS = 4096,
	/* What a thread counts by itself, and what may still be had after a failure, to give things up. */
	BATCH_BYTES = 256 * 1024,
	GRACE_BYTES = 64 * 1024 * 1024,
	/* As deep on the stack the engine catches what fails; and where it may be about to tell of a failure. */
	CAUGHT_BELOW_BYTES = 2048,
	CAUGHT_AGAIN_BELOW_BYTES = 8192
};

/* Guarded by `lock`, but for `most` and what is atomic. */
struct allowance {
	size_t most;
	size_t used;
	size_t blocks;
	atomic_int_fast64_t small; /* what operator new gave out */
	atomic_int_fast64_t fails_at;
	struct allowance *next; /* of those that only blocks remember */
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

static struct allowance *retired;

static _Thread_local struct allowance *mine;
static _Thread_local int64_t mine_uncounted; /* not yet in mine->small */
static _Thread_local atomic_bool *mine_starved;
static _Thread_local const char *mine_base; /* where the stack was */

/* Lock held. */
static void sweep_retired(void)
{
	for (struct allowance **link = &retired; *link;) {
		struct allowance *a = *link;
		if (a->blocks == 0 && atomic_load(&a->small) == 0) {
			*link = a->next;
			free(a);
		} else {
			link = &a->next;
		}
	}
}

struct allowance *allowance_new(int64_t memory_limit)
{
	struct allowance *a = mem_alloc(sizeof(*a));
	const size_t limit = memory_limit > 0 ? (size_t)memory_limit : SIZE_MAX / 4;
	*a = (struct allowance){.most = limit + limit / 4 + SLACK_BYTES};
	atomic_init(&a->fails_at, (int64_t)a->most);
	return a;
}

void allowance_free(struct allowance *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&lock);
	a->next = retired;
	retired = a;
	sweep_retired();
	pthread_mutex_unlock(&lock);
}

static void settle(struct allowance *a)
{
	const int64_t now = atomic_fetch_add(&a->small, mine_uncounted) + mine_uncounted;
	mine_uncounted = 0;
	if (now <= (int64_t)a->most && atomic_load_explicit(&a->fails_at, memory_order_relaxed) != (int64_t)a->most)
		atomic_store(&a->fails_at, (int64_t)a->most);
}

void allowance_enter(struct allowance *a, atomic_bool *starved)
{
	if (mine && mine != a && mine_uncounted)
		settle(mine);
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
	a->blocks--;
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

#ifdef SANITIZED
void allowance_drop(void *block)
{
	free(block);
}
#else
/* operator new, operator delete and their like for arrays, for the linker, and how the C++ library throws std::bad_alloc. */
void *allowance_allocate(size_t bytes) __asm__("_Znwm");
void *allowance_allocate_array(size_t bytes) __asm__("_Znam");
void allowance_give_up(void *at) __asm__("_ZdlPv");
void allowance_give_up_array(void *at) __asm__("_ZdaPv");
void allowance_give_up_sized(void *at, size_t bytes) __asm__("_ZdlPvm");
void allowance_give_up_array_sized(void *at, size_t bytes) __asm__("_ZdaPvm");
extern _Noreturn void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv");

/* Before each block. One that a magazine keeps still counts. */
struct head {
	struct allowance *whose;
	size_t bytes;
};
static_assert(sizeof(struct head) % _Alignof(max_align_t) == 0, "blocks stay aligned");
static_assert(sizeof(struct head) == MAGAZINE_HEAD, "magazines leave it as it is");

/* What the C++ ABI for Itanium keeps of a thread's exceptions. */
struct exceptions {
	void *caught;
	unsigned uncaught;
};
extern struct exceptions *exceptions_here(void) __asm__("__cxa_get_globals");

static void count(struct allowance *a, int64_t bytes)
{
	if (a != mine) {
		atomic_fetch_add(&a->small, bytes);
		return;
	}
	mine_uncounted += bytes;
	if (mine_uncounted > BATCH_BYTES || mine_uncounted < -BATCH_BYTES)
		settle(a);
}

static bool may_fail(void)
{
	const ptrdiff_t depth = mine_base - (const char *)__builtin_frame_address(0);
	const struct exceptions *now = exceptions_here();
	return !now->uncaught && depth > (now->caught ? CAUGHT_AGAIN_BELOW_BYTES : CAUGHT_BELOW_BYTES);
}

static bool is_starved(void)
{
	atomic_bool *starved = mine_starved;
	return starved && atomic_load_explicit(starved, memory_order_relaxed) && may_fail() &&
	       atomic_exchange(starved, false);
}

/* Small ones without end. One fails, and then one after each step beyond: who gives up needs memory, too. */
static bool is_too_much(struct allowance *a, size_t bytes)
{
	const int64_t used = atomic_load_explicit(&a->small, memory_order_relaxed) + mine_uncounted + (int64_t)bytes;
	if (used <= atomic_load_explicit(&a->fails_at, memory_order_relaxed) || !may_fail())
		return false;
	atomic_store(&a->fails_at, used + GRACE_BYTES);
	return true;
}

/* Large ones fail at once. */
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

/* What only some blocks need stands apart, so that operator new and delete themselves need no frame. */
__attribute__((noinline)) static void *allocate(size_t bytes)
{
	struct allowance *a = mine;
	struct head *head = NULL;
	if (bytes < SIZE_MAX / 2 && !(a && (is_starved() || is_too_large(bytes) || is_too_much(a, bytes))))
		head = malloc(sizeof(*head) + bytes);
	if (!head)
		throw_bad_alloc();
	*head = (struct head){a, malloc_usable_size(head)}; /* more than was asked for, by much for small ones */
	if (a)
		count(a, (int64_t)head->bytes);
	return head + 1;
}

__attribute__((noinline)) static void *hand_over(struct head *head)
{
	struct allowance *a = mine;
	if (head->whose)
		count(head->whose, -(int64_t)head->bytes);
	if (a)
		count(a, (int64_t)head->bytes);
	head->whose = a;
	return head + 1;
}

__attribute__((noinline)) void allowance_drop(void *block)
{
	struct head *head = block;
	if (head->whose)
		count(head->whose, -(int64_t)head->bytes);
	free(head);
}

void *allowance_allocate(size_t bytes)
{
	const atomic_bool *starved = mine_starved;
	if (bytes > MAGAZINE_BYTES || (starved && atomic_load_explicit(starved, memory_order_relaxed)))
		return allocate(bytes);
	struct head *head = magazine_take(sizeof(*head) + bytes);
	if (!head)
		return allocate(bytes);
	return head->whose == mine ? head + 1 : hand_over(head);
}

void *allowance_allocate_array(size_t bytes)
{
	return allowance_allocate(bytes);
}

void allowance_give_up(void *at)
{
	struct head *head = (struct head *)at - 1;
	if (at && !magazine_keep(head, head->bytes))
		allowance_drop(head);
}

void allowance_give_up_array(void *at)
{
	allowance_give_up(at);
}

void allowance_give_up_sized(void *at, size_t bytes)
{
	(void)bytes;
	allowance_give_up(at);
}

void allowance_give_up_array_sized(void *at, size_t bytes)
{
	(void)bytes;
	allowance_give_up(at);
}
#endif
