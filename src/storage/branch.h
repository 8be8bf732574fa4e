/*
 * Dev branches. A branch costs nothing: it reads main's tables as they are now,
 * until it writes one; then it has a copy of its own (write.h), and whatever
 * main does with that table shows no more. Buckets are shared with main.
 *
 * What a branch changed can be looked at (diff), thrown away table by table
 * (pull) and brought back to main (merge).
 */
#ifndef STORAGE_BRANCH_H
#define STORAGE_BRANCH_H

#include "catalog/catalog.h"
#include "storage/op.h"

struct place;
struct storage;

enum { BRANCH_NAME_BYTES_MAX = 1024 };

struct branch_info {
	struct branch row;
	int64_t table_count; /* tables that live in the branch */
	int64_t size_bytes;
};

/* ERR_BRANCH_NAME_EXISTS. */
MUST_CHECK bool branch_create(struct storage *storage, const struct call *call, const char *project_id,
			      const char *name, const char *description, struct branch_info *ret, struct err *err);
/* The same with an id of the caller's choice, which must be free (ERR_BRANCH_EXISTS); NULL: one is made. */
MUST_CHECK bool branch_create_as(struct storage *storage, const struct call *call, const char *project_id,
				 const char *id, const char *name, struct branch_info *ret, struct err *err);
/* Newest first. */
MUST_CHECK bool branch_list(struct storage *storage, const struct call *call, const char *project_id, int64_t limit,
			    int64_t offset, struct branch_info **ret, size_t *ret_count, struct err *err);
/* *ret_tables: its own tables in the order of copied_at. "default" is not found: it is no record. */
MUST_CHECK bool branch_get(struct storage *storage, const struct call *call, const char *project_id,
			   const char *branch_id, struct branch_info *ret, struct table_row **ret_tables,
			   size_t *ret_count, struct err *err);
/* With its tables, versions, workspaces and keys, in one step. */
MUST_CHECK bool branch_delete(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, struct err *err);
/* The branch reads main's table again; *ret_was_local: it had a copy. ERR_TABLE_NOT_FOUND: main has no such table. */
MUST_CHECK bool branch_pull(struct storage *storage, const struct call *call, const char *project_id,
			    const char *branch_id, const char *bucket, const char *table, bool *ret_was_local,
			    struct err *err);

/* The place of a dev branch; "default" is none: ERR_BRANCH_NOT_FOUND. */
MUST_CHECK bool branch_place(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, struct place *ret, struct err *err);

/* ---- against main ---- */

/* Of a table that lives in the branch, compared with main's. */
enum branch_change { CHANGE_NONE, CHANGE_CHANGED, CHANGE_ADDED };
/* What main did since the copy was made. */
enum branch_conflict { CONFLICT_NONE, CONFLICT_MAIN_CHANGED, CONFLICT_MAIN_DROPPED, CONFLICT_MAIN_CREATED };

const char *branch_change_name(enum branch_change change);
const char *branch_conflict_name(enum branch_conflict conflict); /* NULL for NONE */

struct branch_table {
	struct table_row row; /* in the branch */
	bool on_main;
	struct table_row main; /* valid when on_main */
	enum branch_conflict conflict;
};

/* What a table of the branch stands against; for diff and merge. */
void branch_table_of(struct storage *storage, struct arena *arena, const struct table_row *row,
		     struct branch_table *ret);

struct branch_table_diff {
	struct branch_table table;
	enum branch_change change;
	const char **columns_added;
	size_t columns_added_count;
	const char **columns_removed;
	size_t columns_removed_count;
	const char **columns_changed; /* other type, NOT NULL or default */
	size_t columns_changed_count;
	bool key_changed;
	bool by_key; /* rows were matched by primary key; else whole rows, as a multiset, and none is "changed" */
	int64_t rows_added;
	int64_t rows_removed;
	int64_t rows_changed;
};

/*
 * Tables of the branch against main, by bucket and name; bucket, table NULL: all. Rows are matched by the key when both
 * sides have the same one, and compared in the columns that both have.
 */
MUST_CHECK bool branch_diff(struct storage *storage, const struct call *call, const char *project_id,
			    const char *branch_id, const char *bucket, const char *table,
			    struct branch_table_diff **ret, size_t *ret_count, struct err *err);

struct branch_merge_name {
	const char *bucket;
	const char *table;
};

struct branch_merge {
	const struct branch_merge_name *names; /* NULL: all tables of the branch */
	size_t name_count;
	bool dry_run;
	bool overwrite; /* conflicts do not stop it */
};

struct branch_merged {
	struct branch_table *tables; /* all that were asked for */
	size_t count;
	size_t conflict_count;
};

/*
 * The tables become main's, all at one moment or none, and the branch reads main live again; main's former files are kept
 * as versions. ERR_MERGE_CONFLICT when main changed since a copy was made, with details.conflicts; a dry run tells them in
 * the result instead. ERR_TABLE_NOT_FOUND: a name that does not live in the branch.
 */
MUST_CHECK bool branch_merge(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const struct branch_merge *request, struct branch_merged *ret,
			     struct err *err);

#endif
