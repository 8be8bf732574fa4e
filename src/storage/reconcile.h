/*
 * Files and records in step, at start: what a crash left half done is finished
 * or undone. Safe to repeat, and to be interrupted anywhere.
 *
 * Staging is emptied. Rows whose file changed follow the file; a row whose file
 * is gone is removed when it was never published, else reported. A table file,
 * a version pin, a branch, bucket or project folder without a record is moved to
 * <DUCKDB_DIR>/_lost/<date>/, from where the sweep removes it after a week: a
 * crash leaves such things, but so does a catalog restored from an old copy.
 */
#ifndef STORAGE_RECONCILE_H
#define STORAGE_RECONCILE_H

#include "base/err.h"
#include "storage/storage.h"

struct reconcile_report {
	size_t tables;	 /* looked at */
	size_t followed; /* rows brought up to their file */
	size_t missing;	 /* rows without a file */
	size_t lost;	 /* things moved to _lost */
};

MUST_CHECK bool reconcile_run(struct storage *storage, struct reconcile_report *ret, struct err *err);
/* Removes what has been in _lost for a week. */
MUST_CHECK bool reconcile_sweep(struct storage *storage, struct err *err);

#endif
