/*
 * What SQL statements cost, in the manner of pg_stat_statements: one row per
 * workspace, user and fingerprint of the statement with its constants replaced.
 * The door that runs statements makes the fingerprint and notes each call;
 * `/internal/statements` and the view pg_stat_statements read.
 *
 * Kept in memory since start or the last reset, at most STATEMENT_STATS_MAX rows:
 * when one more comes, the least used twentieth goes and `dealloc` counts. Times
 * are milliseconds, instants unix microseconds. Thread-safe; a note costs a
 * look-up under one lock.
 */
#ifndef STORAGE_STATEMENT_STATS_H
#define STORAGE_STATEMENT_STATS_H

#include "base/arena.h"

enum { STATEMENT_STATS_MAX = 5000, STATEMENT_TEXT_MAX = 4096 };

struct statement_stats;

/* One execution. `query` is the text with constants as $n; it is copied when the fingerprint is new. */
struct statement_call {
	const char *workspace_id, *user;
	uint64_t query_id;
	struct span query;
	int64_t took_ns;
	int64_t ended_us;
	uint64_t rows;
	int64_t memory_bytes, temp_bytes; /* at their highest */
	bool failed;
};

struct statement_row {
	const char *workspace_id, *user, *query;
	uint64_t query_id;
	uint64_t calls, errors, rows;
	uint64_t memory_peak, temp_bytes; /* the most of a call; of all calls together */
	double total_ms, min_ms, max_ms, mean_ms, stddev_ms;
	int64_t first_us, last_us;
};

/* Most first; STATEMENT_SORT_LAST: latest first. */
enum statement_sort {
	STATEMENT_SORT_TOTAL,
	STATEMENT_SORT_MEAN,
	STATEMENT_SORT_MAX,
	STATEMENT_SORT_CALLS,
	STATEMENT_SORT_ROWS,
	STATEMENT_SORT_ERRORS,
	STATEMENT_SORT_LAST
};

struct statement_info {
	uint64_t dealloc; /* times the least used went */
	int64_t reset_us; /* when counting began */
	size_t count;
};

struct statement_stats *statement_stats_new(void);
void statement_stats_free(struct statement_stats *stats);

void statement_stats_note(struct statement_stats *stats, const struct statement_call *call);
/* Rows of one workspace, or of all (NULL), in the arena; limit 0: all of them. */
void statement_stats_list(struct statement_stats *stats, struct arena *arena, const char *workspace_id,
			  enum statement_sort sort, size_t limit, struct statement_row **ret, size_t *ret_count);
/* "total_time", "mean_time", "max_time", "calls", "rows", "errors", "last_seen". */
bool statement_sort_by_name(struct span name, enum statement_sort *ret);
struct statement_info statement_stats_info(struct statement_stats *stats);
/* Forgets a workspace's rows, or all (NULL): only that sets reset_us and dealloc. */
void statement_stats_reset(struct statement_stats *stats, const char *workspace_id);

#endif
