/*
 * The catalog: what exists (projects, keys, branches, buckets, tables, ...),
 * durable in metadata.duckdb and whole in memory. rows.def is the list of
 * entities; for each one this header has typed functions:
 *
 *	struct bucket b;
 *	if (!catalog_get_bucket(c, arena, KEY("p7", "in_c_port"), &b)) ...
 *
 *	struct catalog_txn *t = catalog_txn(c, arena);
 *	catalog_expect_project(t, KEY("p7"), ERR_PROJECT_NOT_FOUND);
 *	catalog_insert_bucket(t, &b, ERR_BUCKET_EXISTS);
 *	if (!catalog_commit(t, err)) ...
 *
 * Reads never fail, never wait for the disk, and see committed writes only; a
 * row is copied into the caller's arena. One call sees one state, two calls may
 * see two.
 *
 * Writes collect in a transaction; catalog_commit hands it to the one writer,
 * which commits all that waits at once, and returns when it is durable and
 * visible to reads. A transaction applies wholly or not at all. Its conditions
 * (insert, expect, refuse, verify, check, change) are judged by the writer against the
 * newest state, in the order of its calls, the first that fails is the error.
 * Never put back a row read earlier when another thread may have changed it
 * since: use change.
 *
 * All functions are thread-safe; a transaction belongs to one thread. Errors of
 * commit: the caller's own codes; ERR_DISK_FULL, ERR_METADATA (file faults, the
 * state is unchanged); ERR_INVALID_REQUEST (text that is not UTF-8);
 * ERR_DRAINING (closing). Limits: CATALOG_KEY_MAX columns in a key,
 * LIMIT_CATALOG_ROW_BYTES for a row (ERR_PAYLOAD_TOO_LARGE).
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "base/arena.h"
#include "base/err.h"
#include "catalog/rows.h"

struct catalog;
struct catalog_txn;

struct catalog_config {
	const char *path;	     /* metadata.duckdb; its folder must exist */
	const char *lock_dir;	     /* "<lock_dir>/.lock" is taken too: the data directory; may be NULL */
	unsigned batch_max;	     /* transactions committed at once; 0: 256 */
	unsigned checkpoint_commits; /* commits between two checkpoints; 0: 1000 */
};

/*
 * Opens or creates the file, brings its schema up to date and loads it. ERR_STORAGE_UNAVAILABLE: another server has the
 * data directory; ERR_METADATA: the file is damaged, or newer than this program.
 */
MUST_CHECK bool catalog_open(const struct catalog_config *config, struct catalog **ret, struct err *err);
/* Commits what waits, checkpoints, closes. No other call may be running. NULL is fine. */
void catalog_close(struct catalog *catalog);

/* The same catalog for callers whose reads must not move the metadata metrics: scrapes. Lives as long as the catalog. */
struct catalog *catalog_uncounted(struct catalog *catalog);

/*
 * Several reads as one: from hold to release this thread's reads of the catalog see one state and count as one call.
 * For a few short ones: the writer waits meanwhile. No commit and no second hold in between.
 */
void catalog_hold(struct catalog *catalog);
void catalog_release(struct catalog *catalog);

struct catalog_stats {
	int64_t rows;	 /* all entities */
	int64_t batches; /* engine transactions committed */
	int64_t commits; /* caller transactions committed */
	int64_t checkpoints;
	int64_t reopens; /* the file had to be opened again after a fault */
	int64_t wal_bytes;
	int64_t file_bytes; /* without the WAL */
	size_t queue_depth; /* transactions waiting, the running batch excluded */
};
void catalog_stats(struct catalog *catalog, struct catalog_stats *ret);

/*
 * What part of a list: at most `limit` rows (0: all) behind the first `offset`, behind the rows that start with `after`
 * (count 0: from the begin; it is a whole key of the index and need not exist). `reverse` runs from the end, `after`
 * then means "before".
 */
struct catalog_page {
	struct catalog_key after;
	uint64_t offset;
	size_t limit;
	bool reverse;
};

/* ---- Transactions ---------------------------------------------------------------------------------------------- */

/* Lives in the arena; NULL: in one of its own, for catalog_commit_async, to which it must go then. */
struct catalog_txn *catalog_txn(struct catalog *catalog, struct arena *arena);

/*
 * A condition of the caller's over many rows, run by the writer when all earlier commits are visible and before anything
 * of this transaction is applied: it may read `catalog` (not write) and returns false with *err filled to refuse. Short
 * work only: every writer waits for it. It needs a batch of its own to begin; prefer verify for a condition on one row.
 */
void catalog_check(struct catalog_txn *t, bool (*check)(void *ctx, struct catalog *catalog, struct err *err),
		   void *ctx);

/* Blocks until durable and visible. A transaction is committed once. Committing nothing is fine. */
MUST_CHECK bool catalog_commit(struct catalog_txn *t, struct err *err);
/*
 * Returns at once. `done` runs when the transaction is durable and visible, or has failed (`failure` says why): on a
 * thread of the catalog's own, or, when it never reached the writer, on the caller's before this returns. It must be
 * short and wait for no other commit. The transaction and its arena are the caller's, and live until then.
 */
void catalog_commit_then(struct catalog_txn *t, void (*done)(void *ctx, const struct err *failure), void *ctx);
/*
 * For updates nobody waits for (last_used_at). `done` (may be NULL) runs on the writer's thread; `failure` is NULL on
 * success. Frees the transaction. At most LIMIT_CATALOG_ASYNC wait; what comes on top fails with ERR_OVERLOADED.
 */
void catalog_commit_async(struct catalog_txn *t, void (*done)(void *ctx, const struct err *failure), void *ctx);

/* ---- Typed functions, generated ---------------------------------------------------------------------------------- */
/*
 * For each entity E:
 *	catalog_put_E(t, &row)			insert or replace the row of this key
 *	catalog_insert_E(t, &row, taken)	commit fails with `taken` when the key, or a UNIQUE index, is taken
 *	catalog_remove_E(t, key)		a missing row is fine
 *	catalog_expect_E(t, key, missing)	commit fails with `missing` when there is no such row
 *	catalog_refuse_E(t, key, taken)		commit fails with `taken` when there is one
 *	catalog_verify_E(t, key, verify, ctx)	the writer hands the newest row (NULL: there is none) to `verify`, which
 *		returns false with *err filled to refuse; cheaper than catalog_check, which ends a batch
 *	catalog_change_E(t, key, change, ctx, missing)
 *		the writer hands the newest row to `change`, which edits it (new text from `arena`) and returns false to
 *		leave it as it was; no row: commit fails with `missing`, or with ERR_NONE nothing happens
 * For each key, UNIQUE or not:
 *	catalog_get_E(c, arena, key, &row)	false: no such row
 * For each index I (an index's rows that start with `prefix`, in its order):
 *	catalog_list_I(c, arena, prefix, &page, &rows, &n)	page NULL: all
 *	catalog_count_I(c, prefix)
 *	catalog_visit_I(c, prefix, &page, visit, ctx)	without copying, under the read lock: the row is valid during the
 *		call only, `visit` must not call the catalog, and returns false to stop
 *	catalog_remove_all_I(t, prefix)
 */

/* What the generated functions stand on; not for direct use. */
bool catalog_get_row(struct catalog *c, enum catalog_index index, struct arena *arena, struct catalog_key key,
		     void *ret_row);
void catalog_list_rows(struct catalog *c, enum catalog_index index, struct arena *arena, struct catalog_key prefix,
		       const struct catalog_page *page, void **ret_rows, size_t *ret_n);
uint64_t catalog_count_rows(struct catalog *c, enum catalog_index index, struct catalog_key prefix);
void catalog_visit_rows(struct catalog *c, enum catalog_index index, struct catalog_key prefix,
			const struct catalog_page *page, bool (*visit)(void *call, const void *row), void *call);
void catalog_put_row(struct catalog_txn *t, enum catalog_entity entity, const void *row);
void catalog_insert_row(struct catalog_txn *t, enum catalog_entity entity, const void *row, enum err_code taken);
void catalog_remove_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key);
void catalog_expect_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			enum err_code missing);
void catalog_refuse_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key, enum err_code taken);
/* `call` is copied (size bytes) into the transaction. */
void catalog_verify_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			bool (*run)(void *call, const void *row, struct err *err), const void *call, size_t size);
void catalog_change_row(struct catalog_txn *t, enum catalog_entity entity, struct catalog_key key,
			bool (*run)(void *call, void *row, struct arena *arena), const void *call, size_t size,
			enum err_code missing);
void catalog_remove_all_rows(struct catalog_txn *t, enum catalog_index index, struct catalog_key prefix);

#define CATALOG_GET(entity, name, index)                                                                      \
	static inline bool catalog_get_##name(struct catalog *c, struct arena *arena, struct catalog_key key, \
					      struct entity *ret_row)                                         \
	{                                                                                                     \
		return catalog_get_row(c, CATALOG_INDEX_##index, arena, key, ret_row);                        \
	}

#define CATALOG_READS(entity, index)                                                                               \
	static inline void catalog_list_##index(struct catalog *c, struct arena *arena, struct catalog_key prefix, \
						const struct catalog_page *page, struct entity **ret_rows,         \
						size_t *ret_n)                                                     \
	{                                                                                                          \
		void *rows;                                                                                        \
		catalog_list_rows(c, CATALOG_INDEX_##index, arena, prefix, page, &rows, ret_n);                    \
		*ret_rows = rows;                                                                                  \
	}                                                                                                          \
	static inline uint64_t catalog_count_##index(struct catalog *c, struct catalog_key prefix)                 \
	{                                                                                                          \
		return catalog_count_rows(c, CATALOG_INDEX_##index, prefix);                                       \
	}                                                                                                          \
	struct catalog_visit_##index {                                                                             \
		bool (*visit)(void *ctx, const struct entity *row);                                                \
		void *ctx;                                                                                         \
	};                                                                                                         \
	static inline bool catalog_visit_one_##index(void *call, const void *row)                                  \
	{                                                                                                          \
		struct catalog_visit_##index *v = call;                                                            \
		return v->visit(v->ctx, row);                                                                      \
	}                                                                                                          \
	static inline void catalog_visit_##index(struct catalog *c, struct catalog_key prefix,                     \
						 const struct catalog_page *page,                                  \
						 bool (*visit)(void *ctx, const struct entity *row), void *ctx)    \
	{                                                                                                          \
		struct catalog_visit_##index v = {visit, ctx};                                                     \
		catalog_visit_rows(c, CATALOG_INDEX_##index, prefix, page, catalog_visit_one_##index, &v);         \
	}                                                                                                          \
	static inline void catalog_remove_all_##index(struct catalog_txn *t, struct catalog_key prefix)            \
	{                                                                                                          \
		catalog_remove_all_rows(t, CATALOG_INDEX_##index, prefix);                                         \
	}

#define CATALOG_WRITES(entity)                                                                                         \
	static inline void catalog_put_##entity(struct catalog_txn *t, const struct entity *row)                       \
	{                                                                                                              \
		catalog_put_row(t, CATALOG_ENTITY_##entity, row);                                                      \
	}                                                                                                              \
	static inline void catalog_insert_##entity(struct catalog_txn *t, const struct entity *row,                    \
						   enum err_code taken)                                                \
	{                                                                                                              \
		catalog_insert_row(t, CATALOG_ENTITY_##entity, row, taken);                                            \
	}                                                                                                              \
	static inline void catalog_remove_##entity(struct catalog_txn *t, struct catalog_key key)                      \
	{                                                                                                              \
		catalog_remove_row(t, CATALOG_ENTITY_##entity, key);                                                   \
	}                                                                                                              \
	static inline void catalog_expect_##entity(struct catalog_txn *t, struct catalog_key key,                      \
						   enum err_code missing)                                              \
	{                                                                                                              \
		catalog_expect_row(t, CATALOG_ENTITY_##entity, key, missing);                                          \
	}                                                                                                              \
	static inline void catalog_refuse_##entity(struct catalog_txn *t, struct catalog_key key, enum err_code taken) \
	{                                                                                                              \
		catalog_refuse_row(t, CATALOG_ENTITY_##entity, key, taken);                                            \
	}                                                                                                              \
	struct catalog_verify_##entity {                                                                               \
		bool (*verify)(void *ctx, const struct entity *row, struct err *err);                                  \
		void *ctx;                                                                                             \
	};                                                                                                             \
	static inline bool catalog_verify_one_##entity(void *call, const void *row, struct err *err)                   \
	{                                                                                                              \
		struct catalog_verify_##entity *v = call;                                                              \
		return v->verify(v->ctx, row, err);                                                                    \
	}                                                                                                              \
	static inline void catalog_verify_##entity(                                                                    \
		struct catalog_txn *t, struct catalog_key key,                                                         \
		bool (*verify)(void *ctx, const struct entity *row, struct err *err), void *ctx)                       \
	{                                                                                                              \
		struct catalog_verify_##entity v = {verify, ctx};                                                      \
		catalog_verify_row(t, CATALOG_ENTITY_##entity, key, catalog_verify_one_##entity, &v, sizeof(v));       \
	}                                                                                                              \
	struct catalog_change_##entity {                                                                               \
		bool (*change)(void *ctx, struct entity *row, struct arena *arena);                                    \
		void *ctx;                                                                                             \
	};                                                                                                             \
	static inline bool catalog_change_one_##entity(void *call, void *row, struct arena *arena)                     \
	{                                                                                                              \
		struct catalog_change_##entity *c = call;                                                              \
		return c->change(c->ctx, row, arena);                                                                  \
	}                                                                                                              \
	static inline void catalog_change_##entity(struct catalog_txn *t, struct catalog_key key,                      \
						   bool (*change)(void *ctx, struct entity *row, struct arena *arena), \
						   void *ctx, enum err_code missing)                                   \
	{                                                                                                              \
		struct catalog_change_##entity c = {change, ctx};                                                      \
		catalog_change_row(t, CATALOG_ENTITY_##entity, key, catalog_change_one_##entity, &c, sizeof(c),        \
				   missing);                                                                           \
	}

#define PRIMARY(entity, list, columns)    \
	CATALOG_GET(entity, entity, list) \
	CATALOG_READS(entity, list)
#define UNIQUE(entity, name, columns)   \
	CATALOG_GET(entity, name, name) \
	CATALOG_READS(entity, name)
#define INDEX(entity, list, columns) CATALOG_READS(entity, list)
#define END(entity)		     CATALOG_WRITES(entity)
#include "catalog/rows.def"

#endif
