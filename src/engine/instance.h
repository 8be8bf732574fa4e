/*
 * Instances of the engine: the catalog's, the data instance, one per open
 * workspace. The room below is the only one that knows DuckDB; no type of it
 * leaves this folder.
 *
 * A `struct instance` is a stable handle. When the engine reports a FATAL or
 * INTERNAL error the engine behind the handle is given up: sessions open on it
 * drain with errors, and the next session_open() gets a fresh one (an in-memory
 * instance at once; one with a file as soon as the last old session is gone,
 * ERR_STORAGE_UNAVAILABLE until then).
 *
 * Never open one file in two instances of the process: the engine does not
 * notice and damages it. Threads: all functions are thread-safe but
 * instance_close, which comes after every session of it is closed.
 *
 * No engine worker threads exist. Statements run on the caller's thread; after
 * 10 ms the instance's helper threads (threads - 1) join in. Threads that run
 * SQL need the 8 MiB stacks of thread_start() and pools.
 */
#ifndef ENGINE_INSTANCE_H
#define ENGINE_INSTANCE_H

#include "base/arena.h"
#include "base/err.h"

struct instance;

struct instance_config {
	const char *path;     /* NULL: in memory */
	size_t threads;	      /* most threads that work on one statement; 0: one per core */
	int64_t memory_limit; /* bytes; 0: the engine's default (80 % of the machine) */
	const char
		*temp_dir; /* for spilled intermediate results; made by the engine when it spills; NULL: no spilling */
	int64_t temp_max;  /* bytes in temp_dir; 0: no limit of ours */
	bool read_only;
	/*
	 * Rows to a group in what is written from now on; 0: the engine's 122,880. A lookup by a column without a key reads the groups whose
	 * minimum and maximum allow the value: smaller ones make it quicker, and below about 30,000 the file grows. Groups of any
	 * size are read.
	 */
	size_t row_group;
	/*
	 * Not NULL: lock down to this folder (absolute, ending in '/' or not; "": no file at all): SQL can open files only below it, no
	 * extension, secret or setting can be touched any more. For instances that run tenants' SQL.
	 */
	const char *lockdown_dir;
	/* Error messages show paths below this folder without it; NULL: as they are. */
	const char *hide_dir;
	/* SQL run on each engine opened behind the handle, before the lock-down; may be NULL. */
	const char *init_sql;
};

/* ERR_ENGINE when the library is not the version this program was built for. */
MUST_CHECK bool instance_open(const struct instance_config *config, struct instance **ret, struct err *err);
/* Checkpoints and closes; NULL is fine. All sessions must be closed. */
void instance_close(struct instance *instance);
/* After a FATAL or INTERNAL error, until a new engine stands behind the handle. */
bool instance_is_dead(struct instance *instance);
/* Starts at 1, grows whenever a new engine was put behind the handle. */
uint64_t instance_generation(const struct instance *instance);
/* Interrupts every running statement: shutdown. */
void instance_interrupt_all(struct instance *instance);

struct instance_stats {
	size_t sessions;
	size_t running;	      /* statements inside the engine now */
	uint64_t statements;  /* started since the start */
	int64_t memory_bytes; /* what the engine's buffer manager and allocator hold */
	int64_t memory_limit;
	int64_t temp_bytes; /* spilled to disk */
};

enum { INSTANCE_MEMORY_TAGS_MAX = 32 };

struct instance_memory {
	char tag[32]; /* BASE_TABLE, HASH_TABLE, ... as duckdb_memory() names them */
	int64_t memory_bytes;
	int64_t temp_bytes;
};

/* Never blocks on running statements; fields the engine cannot answer now are 0. */
void instance_stats(struct instance *instance, struct instance_stats *ret);
/* Fills up to INSTANCE_MEMORY_TAGS_MAX rows, returns their number. */
size_t instance_memory(struct instance *instance, struct instance_memory *ret);

/* The engine's version text, e.g. "v1.5.6". */
const char *engine_version(void);

#endif
