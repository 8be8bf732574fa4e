/*
 * Time travel: table files that were replaced are kept for a while as hard
 * links under <DUCKDB_DIR>/_versions, so a version costs only what changed.
 * How long, how many of a table and how many bytes of a project: settings.
 */
#ifndef STORAGE_VERSION_H
#define STORAGE_VERSION_H

#include "storage/op.h"
#include "storage/place.h"

/*
 * Pins the present file of `place` before it is replaced, and adds the record to the transaction. *ret_path: the pin, also
 * made when no version is kept (then below the staging folder): who replaces the file can put it back from there.
 */
MUST_CHECK bool version_pin(const struct op *op, const struct place *place, struct catalog_txn *t,
			    const char **ret_path, struct err *err);
/* After the commit: removes the pins that exceed the table's count and the project's bytes. Never fails; the sweep repeats it. */
void version_prune(struct storage *storage, const char *project_id, const char *branch_id, const char *bucket,
		   const char *table);
/* Adds the removal of all versions below to the transaction (bucket, table may be NULL); files by version_remove_files. */
void version_forget(struct catalog_txn *t, const char *project_id, const char *branch_id, const char *bucket,
		    const char *table);
void version_remove_files(struct storage *storage, const char *project_id, const char *branch_id, const char *bucket,
			  const char *table);
/* Pins a kept version for reading, by the id that lists show: its generation. ERR_VERSION_NOT_FOUND. */
MUST_CHECK bool version_attach(struct place *place, const char *id, struct table_ref **ret, struct table_info *ret_info,
			       struct err *err);
/* Removes what has expired; returns how many. */
size_t version_sweep(struct storage *storage);

#endif
