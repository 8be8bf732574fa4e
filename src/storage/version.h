/*
 * Time travel: table files that were replaced are kept for a while as hard
 * links under <DUCKDB_DIR>/_versions, so a version costs only what changed.
 * How long, how many of a table and how many bytes of a project: settings.
 *
 * A version's id is the generation of the table that it was. Records and files:
 * the record goes first when a version is removed; a pin without one is swept at
 * the next start.
 */
#ifndef STORAGE_VERSION_H
#define STORAGE_VERSION_H

#include "storage/op.h"
#include "storage/table.h"

/* A file that is being replaced. */
struct version_pin {
	const char *path;    /* its pin: who replaces the file can put it back from there */
	bool kept;	     /* as a version; else the pin is only for the undoing */
	const char **excess; /* pins whose records the transaction removes */
	size_t excess_count;
};

/* Pins the present file of `place`, adds its record to the transaction and removes those that exceed the table's count. */
MUST_CHECK bool version_pin(const struct op *op, const struct place *place, struct catalog_txn *t,
			    struct version_pin *ret, struct err *err);
/* After the commit: removes the files of what went, and what exceeds the project's bytes. Never fails; the sweep repeats it. */
void version_pinned(struct storage *storage, const struct version_pin *pin, const char *project_id);
/* Instead of a commit. */
void version_unpin(const struct version_pin *pin);

/* Adds the removal of all versions below to the transaction (bucket, table may be NULL); files by version_remove_files. */
void version_forget(struct catalog_txn *t, const char *project_id, const char *branch_id, const char *bucket,
		    const char *table);
void version_remove_files(struct storage *storage, const char *project_id, const char *branch_id, const char *bucket,
			  const char *table);
/* Pins a kept version for reading, by the id that lists show: its generation. ERR_VERSION_NOT_FOUND. */
MUST_CHECK bool version_attach(struct place *place, const char *id, struct table_ref **ret, struct table_info *ret_info,
			       struct err *err);

/* What is kept of the table that a reader of the place would read, newest first. */
MUST_CHECK bool version_list(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const char *bucket, const char *table, struct table_version **ret,
			     size_t *ret_count, struct err *err);
/* Makes a version the current one; the present one becomes a version. On a dev branch copy-on-write. */
MUST_CHECK bool version_restore(struct storage *storage, const struct call *call, const char *project_id,
				const char *branch_id, const char *bucket, const char *table, const char *id,
				struct table_view *ret, struct err *err);

/* Removes what has expired; returns how many. */
size_t version_sweep(struct storage *storage);
/* At start: removes pins without a record. */
MUST_CHECK bool version_reconcile(struct storage *storage, size_t *ret_removed, struct err *err);

#endif
