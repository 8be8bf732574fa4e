/*
 * Files and bytes of each project, counted in memory, so that quotas cost a
 * look-up. Filled at start from the records, then moved by reservations: a
 * writer reserves before its commit and gives back when that fails, so that
 * racing writers cannot pass a quota together. Thread-safe.
 */
#ifndef STORAGE_USAGE_H
#define STORAGE_USAGE_H

#include "base/err.h"

struct usage;

struct usage_limits {
	int64_t files;
	int64_t bytes;
};

struct usage *usage_new(struct usage_limits limits);
void usage_free(struct usage *usage);

/* Moves both numbers. ERR_QUOTA_EXCEEDED (details limit, current) when one grows past its limit. */
MUST_CHECK bool usage_reserve(struct usage *usage, const char *project_id, int64_t files, int64_t bytes,
			      struct err *err);
/* The same without a limit: what was reserved and is not needed, what was deleted, what start-up finds. */
void usage_move(struct usage *usage, const char *project_id, int64_t files, int64_t bytes);
/* project_id NULL: of all. */
void usage_get(struct usage *usage, const char *project_id, int64_t *ret_files, int64_t *ret_bytes);
void usage_forget(struct usage *usage, const char *project_id);

#endif
