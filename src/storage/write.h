/*
 * Changing one table: lock, copy-on-write in a dev branch, build the next file,
 * publish it by rename, record it, keep the old version for those who pin it.
 *
 *	struct table_write w;
 *	bool fine = write_begin(&w, op, err)
 *		&& write_next_copy(&w, err)              (or write_next_empty, write_next_file)
 *		&& ... run SQL on staging_alias(w.next) ...
 *		&& write_publish(&w, err);
 *	write_end(&w);
 *
 * Nothing is visible before write_publish returned true; it is durable then.
 * After a failure or a crash the table is as it was. write_end releases all and
 * throws an unpublished file away; it is called on every path.
 *
 * In a dev branch the first change of a main table publishes into the branch:
 * the next file starts from main's, is registered as a copy there and counted as
 * copy-on-write. A change that fails leaves no copy behind.
 */
#ifndef STORAGE_WRITE_H
#define STORAGE_WRITE_H

#include "storage/lock.h"
#include "storage/place.h"

struct table_write {
	struct op *op;
	struct place place;	/* as found under the lock */
	struct table_info info; /* of the current version */
	struct admission admission;
	const char *base; /* first change in a dev branch: the version of main that is copied, pinned */
	struct staging *next;
	const char *ready;	     /* instead of `next`: a finished file, below staging */
	struct table_info published; /* valid after write_publish */
	int64_t copy_ns;	     /* what copying the current version took */
	bool copies;		     /* the publish brings a main table into the branch */
};

/* Locks the operation's table and finds it. ERR_TABLE_NOT_FOUND and the other errors of place_table_own. */
MUST_CHECK bool write_begin(struct table_write *w, struct op *op, struct err *err);
/* The same for a table that the operation finds out by itself. */
MUST_CHECK bool write_begin_at(struct table_write *w, struct op *op, const char *project_id, const char *branch_id,
			       const char *bucket, const char *table, struct err *err);
/* The next file as a private copy of the current one, attached read-write. */
MUST_CHECK bool write_next_copy(struct table_write *w, struct err *err);
/* The next file with the schema and no rows. */
MUST_CHECK bool write_next_empty(struct table_write *w, const struct table_schema *schema, int64_t expected_bytes,
				 struct err *err);
/* The next file as one that is finished already: a snapshot's or a version's, taken by a hard link. */
MUST_CHECK bool write_next_file(struct table_write *w, const char *path, struct err *err);
MUST_CHECK bool write_publish(struct table_write *w, struct err *err);
void write_end(struct table_write *w);

/* Links (or copies, across file systems) a finished table file below staging and reads it. */
MUST_CHECK bool write_adopt(struct storage *storage, struct arena *arena, const char *path, const char **ret_path,
			    struct table_info *ret, struct err *err);

/* What the catalog remembers of a published file. */
void write_row_fill(struct table_row *row, const struct table_info *info, struct arena *arena);

#endif
