/*
 * Filling a table of a workspace from one table of storage, with columns chosen
 * and renamed, rows chosen by conditions as data, replacing or adding; and
 * running one statement of a client that is no SQL session.
 *
 * Each is one transaction of the workspace.
 */
#ifndef STORAGE_WORKSPACE_FILL_H
#define STORAGE_WORKSPACE_FILL_H

#include "engine/cursor.h"
#include "storage/filter.h"
#include "storage/workspace.h"

struct workspace_column {
	const char *source;
	const char *destination;
};

struct workspace_fill {
	const char *project_id, *branch_id, *bucket, *table;
	const char *destination;
	const struct workspace_column *columns;
	size_t column_count; /* 0: all */
	const struct filters *filters;
	int64_t limit; /* 0: all */
	bool append;   /* else the destination is replaced */
	const char *const *key;
	size_t key_count; /* append: rows of equal key are replaced */
};

/* ERR_WORKSPACE_NOT_FOUND, the source's errors, ERR_COLUMN_NOT_FOUND, ERR_INVALID_ARGUMENT (the rows do not fit). */
MUST_CHECK bool workspace_fill(struct storage *storage, const struct call *call, const char *workspace_id,
			       const struct workspace_fill *fill, int64_t *ret_rows, struct err *err);

struct workspace_query {
	const char *project_id;
	const char *branch_id;	  /* NULL: default */
	const char *workspace_id; /* NULL: reading only, in no workspace */
	const char *bucket;	  /* its tables may be named without it; NULL: none */
	const char *sql;
	int64_t timeout_s;
	/* Takes the result chunk by chunk; not called for statements without one. */
	bool (*take)(void *ctx, const struct cursor *cursor, size_t rows, struct err *err);
	void *take_ctx;
};

/* *ret_has_rows: the statement has a result. Failures of the statement itself are ERR_ENGINE_REFUSED or ERR_TIMEOUT. */
MUST_CHECK bool workspace_run(struct storage *storage, const struct call *call, const struct workspace_query *query,
			      bool *ret_has_rows, struct err *err);

#endif
