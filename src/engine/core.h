/*
 * Private to this folder: what the engine's handles look like behind instance.h
 * and session.h. Other rooms cannot include this (it needs duckdb.h).
 *
 * A core is one opened engine. It is shared by its sessions and dies with the
 * last of them once the instance let go of it. Its watch thread wakes up only
 * while statements run: it repeats interrupts until they took effect, enforces
 * deadlines, and calls the helper threads when a statement is older than 10 ms.
 */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include "base/limits.h"
#include "engine/allowance.h"
#include "engine/appender.h"

#include <assert.h>
#include <duckdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Values of a newer engine than the header's. */
enum { ENGINE_TYPE_GEOMETRY = 40, ENGINE_TYPE_VARIANT = 41 };
enum { ENGINE_STATEMENT_COPY_DATABASE = 28, ENGINE_STATEMENT_UPDATE_EXTENSIONS = 29, ENGINE_STATEMENT_MERGE_INTO = 30 };

/* Exported by the library, missing in the header: forgets the rows that are not flushed. */
duckdb_state duckdb_appender_clear(duckdb_appender appender);

enum { HELPERS_MAX = 64 };

struct core {
	duckdb_database db;
	struct allowance *allowance;
	atomic_bool dead;

	pthread_mutex_t lock; /* sessions, references, parking */
	pthread_cond_t wake;
	struct session *sessions;
	size_t session_count;
	bool disowned; /* the instance has a newer core, or is closing */

	pthread_mutex_t stats_lock;
	duckdb_connection stats_connection;
	int64_t looked_ns; /* the watch's: when it last looked at the memory */

	/* Watch and helpers */
	duckdb_task_state tasks;
	size_t helper_count;
	unsigned long helpers[HELPERS_MAX];
	unsigned long watch;
	atomic_bool stopping;
	atomic_bool parked; /* the watch sleeps until a statement starts */
	atomic_bool help_wanted;
};

struct instance {
	pthread_mutex_t lock; /* core, generation */
	struct core *core;
	atomic_uint_fast64_t generation;
	atomic_uint_fast64_t statements;
	struct instance_config config;
	char *owned[6];
};

struct session {
	struct instance *instance;
	struct core *core;
	struct session *next;
	struct session **link;
	duckdb_connection connection;
	struct fault fault;
	bool in_transaction;
	bool aborted;
	bool skips_figures;
	atomic_bool wants_peaks;
	int64_t timeout_ns;
	struct progress *progress;

	/* Guarded by the core's lock */
	bool (*brake)(void *ctx);
	void *brake_ctx;

	/* Held where a statement ends, and by who interrupts one while it looks whether that still runs. */
	pthread_mutex_t gate;

	/* Shared with the watch */
	atomic_int_fast64_t started_ns;	 /* 0: idle */
	atomic_int_fast64_t deadline_ns; /* 0: none */
	atomic_bool in_engine;		 /* not waiting for a slow reader of the stream */
	atomic_bool fetched;		 /* from the stream, since the watch looked */
	atomic_bool interrupted;
	atomic_bool timed_out;
	int64_t overdue_ns;  /* the watch's: since when an interrupt is of no use; 0: it is not */
	atomic_bool starved; /* the plan that is made gets no more memory */
	atomic_int_fast64_t memory_peak, temp_peak;
};

struct statement {
	struct session *session;
	duckdb_prepared_statement prepared;
	enum statement_type type;
	const char *sql;
	struct arena *arena;
	struct arena *spare; /* of its last cursor, for the next; may be NULL */
	size_t column_count;
	struct cursor_column *columns;
};

struct cursor {
	struct session *session;
	struct statement *statement;
	bool owns_statement;
	duckdb_result result;
	duckdb_data_chunk chunk;
	struct arena *arena;
	size_t column_count;
	struct cursor_column *columns;
	struct vector *vectors;
	uint64_t rows_changed;
	bool has_rows;
	bool ended;
	bool failed;
};

/* instance.c */
void core_unref_session(struct core *core);
/* After a FATAL or INTERNAL error: dead unless a probe still works. */
void core_check(struct core *core);
/* Of columns that statement_find_untyped() found; of a type that parameters will decide the id is the same. */
extern const struct type type_untyped;

/* What statements hold: without the cached pages of tables. */
void core_memory(struct core *core, int64_t *ret_memory, int64_t *ret_temp);

/* bind.c: NULL when there is no such value. */
struct bind_value;
duckdb_value bind_make(const struct bind_value *value);

/* watch.c */
void core_watch_start(struct core *core, size_t helpers);
void core_watch_stop(struct core *core);

/* session.c: around everything that may take time inside the engine. */
MUST_CHECK bool session_begin(struct session *session, struct err *err);
void session_end(struct session *session);
/* This thread makes a plan for the session, which an interrupt does not stop; false: it does something else for it. */
void session_planning(struct session *session, bool planning);
/* Before EXPLAIN ANALYZE: takes session_skip_figures back. */
void session_measure(struct session *session);
/* Between two steps of one statement. */
MUST_CHECK bool session_check(struct session *session, struct err *err);

/* appender.c: the engine's type of a column, which the caller destroys; a chunk of all columns as rows */
struct appender;
duckdb_logical_type appender_logical(struct appender *a, size_t column);
MUST_CHECK bool appender_chunk(struct appender *a, duckdb_data_chunk chunk, struct err *err);

/* progress.c */
void progress_attach(struct progress *progress, struct session *session);
void progress_detach(struct progress *progress, struct session *session);

/* fault.c: the engine's message (JSON or plain) about `sql` (may be NULL) into session->fault and *err. Returns false. */
bool fault_set(struct session *session, const char *message, const char *sql, struct err *err);
/* For failures without a session. */
bool fault_err(const char *message, const char *hide_dir, struct fault *fault, struct err *err);

/* opaque.c: does the statement answer values that no vector shows, and the statement that casts them */
bool opaque_any(struct statement *statement);
void opaque_wrap(struct statement *statement, const char *sql, struct buf *out);

/* logical.c */
const struct type *logical_type(struct arena *arena, duckdb_logical_type logical);
/* Builds the vector's tree once; point it at a chunk with vector_load. */
void vector_shape(struct arena *arena, const struct type *type, duckdb_logical_type logical, struct vector *ret);
void vector_load(struct vector *v, duckdb_vector source);

#endif
