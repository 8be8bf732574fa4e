/*
 * Several tables published as one step. Renames are one by one, the catalog's
 * transaction is not: so the new files first stand as pins under
 * <DUCKDB_DIR>/_merge/<id>/, then ONE transaction records the new rows together
 * with a publication for each table (its pin), and only then the pins are
 * renamed over the tables' names and the publications removed.
 *
 *	crash before the transaction	pins without a record, removed at start: nothing happened
 *	after it			start-up finishes the renames: all happened
 *
 * In between, readers whose row does not fit the file under the table's name
 * read the pin instead (place.c), so that all tables change at one moment. The
 * caller holds the locks of all the tables from before the transaction.
 */
#ifndef STORAGE_PUBLICATION_H
#define STORAGE_PUBLICATION_H

#include "storage/place.h"

/* Absolute path of a publication's pin. */
const char *publication_path(const struct storage *storage, struct arena *arena, const struct publication *pending);
/* The table's lock is held: finishes what an earlier step left undone, so that place->path is the table's own name. */
MUST_CHECK bool publication_settle(struct place *place, struct err *err);
/* Renames the pin of a row that is recorded, and removes the publication. */
MUST_CHECK bool publication_finish(struct storage *storage, struct arena *arena, const struct publication *pending,
				   struct err *err);
/* At start, before rows are compared with files: finishes all, then removes _merge. */
MUST_CHECK bool publication_reconcile(struct storage *storage, size_t *ret_finished, struct err *err);

#endif
