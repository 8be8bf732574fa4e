/*
 * Operation history and audit: one row for each operation that ended, in
 * operations.duckdb beside the catalog. Not in memory: a writer thread appends
 * batches, queries are SQL on the same file.
 *
 * history_add copies the row into a bounded queue and returns at once (a few
 * microseconds); when LIMIT_HISTORY_QUEUE rows wait, the row is dropped and
 * counted. history_begin is for long operations: it returns when the start is
 * durable, so that a crash leaves a trace: at the next open each operation that
 * began and never ended becomes a row with status "interrupted".
 *
 * Queries see every row added before them. All functions are thread-safe.
 * Errors: ERR_METADATA, ERR_DISK_FULL.
 */
#ifndef CATALOG_HISTORY_H
#define CATALOG_HISTORY_H

#include "base/arena.h"
#include "base/err.h"

struct history;

struct operation {
	const char *id; /* a UUID; the same in begin and add */
	const char *project_id;
	const char *branch_id;
	const char *bucket;
	const char *table_name;
	const char *command; /* the operation's name, e.g. create_table */
	const char *door;    /* rest, s3, pgwire, grpc, driver, internal */
	const char *status;  /* success, error, timeout; interrupted is set by history_open */
	const char *error_code;
	const char *error_message;
	const char *resource_type;
	const char *resource_id;
	const char *request_id;
	const char *connection_job_id;
	const char *connection_run_id;
	const char *details_json; /* an object, or NULL */
	int64_t started_at;	  /* Unix microseconds */
	int64_t duration_us;
	int64_t queue_wait_us;
	int64_t rows;
	int64_t bytes_in;
	int64_t bytes_out;
};

struct history_config {
	const char *path; /* operations.duckdb */
	int success_days; /* 0: 7 */
	int error_days;	  /* 0: 30; errors, timeouts, interrupted */
};

MUST_CHECK bool history_open(const struct history_config *config, struct history **ret, struct err *err);
/* Writes what waits. NULL is fine. */
void history_close(struct history *h);

/* A long operation begins. Without `durable` the record is written with the next batch. */
MUST_CHECK bool history_begin(struct history *h, const struct operation *op, bool durable, struct err *err);
/* An operation ended, begun with history_begin or not. */
void history_add(struct history *h, const struct operation *op);
/* Waits until everything added so far is durable. */
MUST_CHECK bool history_flush(struct history *h, struct err *err);

/* NULL and 0 members do not filter; the others are combined with AND. */
struct history_filter {
	const char *project_id;
	const char *command;
	const char *status;
	const char *bucket;
	const char *table_name;
	const char *resource_type;
	const char *resource_id;
	int64_t from; /* started_at, inclusive, Unix microseconds */
	int64_t to;   /* exclusive */
};

/* Newest first. *ret_total counts all matches. limit at most LIMIT_HISTORY_PAGE. */
MUST_CHECK bool history_list(struct history *h, struct arena *arena, const struct history_filter *filter, size_t limit,
			     uint64_t offset, struct operation **ret_rows, size_t *ret_n, uint64_t *ret_total,
			     struct err *err);
/* ERR_OPERATION_NOT_FOUND when there is none of that id (in that project, unless project_id is NULL). */
MUST_CHECK bool history_get(struct history *h, struct arena *arena, const char *project_id, const char *id,
			    struct operation *ret, struct err *err);

struct history_command {
	const char *command;
	uint64_t count;
	double avg_ms;
};

struct history_error {
	const char *code;
	uint64_t count;
};

struct history_stats {
	uint64_t total;
	double success_rate; /* 0..1; 1 when there is nothing */
	double avg_ms, p50_ms, p95_ms, p99_ms;
	struct history_command *commands; /* by name */
	size_t command_count;
	struct history_error *errors; /* most frequent first, at most 100 */
	size_t error_count;
};
MUST_CHECK bool history_stats(struct history *h, struct arena *arena, const struct history_filter *filter,
			      struct history_stats *ret, struct err *err);

/* Deletes what is older than the configured days before `now`; *ret_removed rows. A background job calls it. */
MUST_CHECK bool history_sweep(struct history *h, int64_t now_unix_us, uint64_t *ret_removed, struct err *err);

struct history_totals {
	uint64_t added;
	uint64_t dropped; /* the queue was full, or the file failed */
	size_t queue_depth;
	int64_t file_bytes;
	int64_t wal_bytes;
};
void history_totals(struct history *h, struct history_totals *ret);

#endif
