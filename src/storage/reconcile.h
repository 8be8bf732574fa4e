/*
 * Files and records in step, at start: what a crash left half done is finished
 * or undone. Safe to repeat, and to be interrupted anywhere.
 *
 * Merges that are recorded are finished (publication.h). Rows whose file changed
 * follow the file; a row whose file is gone is reported. A table file, snapshot,
 * branch, bucket or project folder without a record is removed when it was noted
 * as being created (intent.h) or its record as removed (removal.h), or is an empty bucket folder; else it is moved to
 * <DUCKDB_DIR>/_lost/<date>/, from where the sweep removes it after a week: that
 * is how things look after a catalog was restored from an old copy. Version pins
 * without a record are removed. At last staging is emptied.
 */
#ifndef STORAGE_RECONCILE_H
#define STORAGE_RECONCILE_H

#include "base/err.h"
#include "storage/storage.h"

struct reconcile_report {
	size_t tables;		    /* looked at */
	size_t followed;	    /* rows brought up to their file */
	size_t missing;		    /* rows without a file */
	size_t lost;		    /* things moved to _lost */
	size_t merged;		    /* tables whose merge was finished */
	size_t unfinished;	    /* rests of interrupted changes that were removed */
	size_t unfinished_versions; /* the same, pins */
};

MUST_CHECK bool reconcile_run(struct storage *storage, struct reconcile_report *ret, struct err *err);
/* Removes what has been in _lost for a week. */
MUST_CHECK bool reconcile_sweep(struct storage *storage, struct err *err);

#endif
