/*
 * From names to things: project, branch, bucket, table, in the order of checks
 * that every door promises, with dev branches and linked buckets resolved.
 *
 *	project -> branch -> [default only] -> project folder -> bucket -> table
 *
 * A place is a snapshot of the catalog in the caller's arena; nothing is locked.
 * Writers take the table's lock first and look again under it.
 *
 * Errors: ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_OPERATION_NOT_ALLOWED,
 * ERR_PROJECT_DB_NOT_FOUND, ERR_BUCKET_NOT_FOUND, ERR_TABLE_NOT_FOUND, each with
 * its details.
 */
#ifndef STORAGE_PLACE_H
#define STORAGE_PLACE_H

#include "catalog/catalog.h"
#include "engine/table.h"
#include "storage/storage.h"

#define BRANCH_MAIN "default"

enum table_source { SOURCE_MAIN, SOURCE_BRANCH, SOURCE_LINKED };

struct place {
	struct storage *storage;
	struct arena *arena;
	struct project project;
	const char *branch_id; /* "default" or the dev branch's id */
	int64_t branch_created_at;
	bool on_main;
	/* Bucket */
	struct bucket bucket; /* own bucket; of a linked one: the source's */
	bool linked;
	struct bucket_link link;
	const char *bucket_name; /* as the caller named it */
	/* Table: the row whose file a reader reads */
	enum table_source source;
	struct table_row table;
	const char *path; /* its file; under another name than the table's while a merge renames (publication.h) */
};

/* The project alone, for what has no branch; a dropped one whose record is kept is not found either. */
MUST_CHECK bool place_project_live(struct storage *storage, struct arena *arena, const char *project_id,
				   struct err *err);
/* Ends with the branch; `only_main`: name of the operation that is for default only, else NULL. */
MUST_CHECK bool place_branch(struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *only_main, struct place *ret, struct err *err);
MUST_CHECK bool place_bucket(struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *bucket, const char *only_main, struct place *ret,
			     struct err *err);
/* For reading: the branch's copy, else main's; through a link: the source's, else a local table of that name. */
MUST_CHECK bool place_table(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
			    const char *bucket, const char *table, struct place *ret, struct err *err);
/* The same for writing: a linked source's table is not found (linked tables are read-only). */
MUST_CHECK bool place_table_own(struct storage *storage, struct arena *arena, const char *project_id,
				const char *branch_id, const char *bucket, const char *table, struct place *ret,
				struct err *err);
/*
 * For a transaction that brings a table into the place: its project, branch and bucket stand, and are not later ones of
 * the same names. The place must live until the commit.
 */
void place_expect(struct catalog_txn *t, const struct place *place);
/* A file of the place could not be written: that is told by what is gone, when its folder was removed meanwhile. */
void place_explain(const struct place *place, struct err *err);
/* Looks the table up again in a place whose bucket is resolved; false without error when there is none. */
bool place_find_table(struct place *place, const char *table, bool own_only);

/* <DUCKDB_DIR>/project_<id>[_branch_<branch>] and below. Names must be valid (place_name_ok). */
const char *place_project_dir(const struct storage *storage, struct arena *arena, const char *project_id,
			      const char *branch_id);
const char *place_bucket_dir(const struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *bucket);
const char *place_table_path(const struct storage *storage, struct arena *arena, const char *project_id,
			     const char *branch_id, const char *bucket, const char *table);

/* [A-Za-z0-9][A-Za-z0-9_.-]*, at most 128 bytes. */
bool place_name_ok(const char *name);
MUST_CHECK bool place_name_check(const char *what, const char *name, struct err *err);

/*
 * Pins the published file of a table found by place_table for reading: a newer one that was published meanwhile is taken
 * with its newer row. The reference is released with the place's arena.
 */
MUST_CHECK bool place_attach(struct place *place, struct table_ref **ret, struct table_info *ret_info, struct err *err);

/* The same as a hard link of its own below the staging folder, which the caller removes: for those who keep the file. */
MUST_CHECK bool place_pin(struct place *place, const char **ret_path, struct err *err);

/*
 * The file under a table's name is not the one its row remembers: the row takes over what the file holds, as a new
 * generation, unless somebody recorded it meanwhile. *row is brought up to the file too.
 */
MUST_CHECK bool place_follow_file(struct storage *storage, struct arena *arena, const char *path, struct table_row *row,
				  struct err *err);

/* Schema of a table row: the cached one, read from the file when that is newer. */
MUST_CHECK bool place_schema(struct place *place, struct table_info *ret, struct err *err);

#endif
