/*
 * Files and folders whose records go. What a transaction takes from the catalog
 * is named in the same transaction (rows of `doomed`), so that a process that
 * dies before it has removed the files leaves word of them, and the next start
 * finishes the work (reconcile.h):
 *
 *	struct removal gone = REMOVAL(storage, arena);
 *	removal_add(&gone, txn, path);
 *	if (catalog_commit(txn, err))
 *		removal_run(&gone);
 *
 * removal_run removes in the order of the naming: a folder that claims a name for
 * others (a project's, a branch's) is named last. Folders are moved out of the way
 * first, so that their names are free at once. Names of what is gone are forgotten in batches by a background job: a
 * removal costs a row in a commit that is made anyway, and no commit of its own.
 * What cannot be removed keeps its name and is tried again at the next start.
 *
 * A name alone removes nothing: at start a thing goes when it is named AND has no
 * record, for its place may have been taken again since.
 */
#ifndef STORAGE_REMOVAL_H
#define STORAGE_REMOVAL_H

#include "base/map.h"
#include "catalog/catalog.h"
#include "storage/storage.h"

struct doomed_path;
struct removals;

struct removal {
	struct storage *storage;
	struct arena *arena;
	struct doomed_path *first;
	struct doomed_path *last;
};
#define REMOVAL(owner, memory) ((struct removal){.storage = (owner), .arena = (memory)})

/* A whole path of a file or a folder with all below it. Before the transaction's commit. */
void removal_add(struct removal *removal, struct catalog_txn *t, const char *path);
/* After a commit that succeeded. */
void removal_run(struct removal *removal);

struct removals *removals_new(void);
void removals_free(struct removals *removals);
/* Background job, and the last act before the catalog closes: forgets the names of what is gone. */
MUST_CHECK bool removals_sweep(struct storage *storage, struct err *err);

/* At start: adds the named paths as keys. */
void removals_collect(struct storage *storage, struct map *paths);
/* At start, when tables, branches, buckets and snapshots are in step: the files of projects, then all names. */
MUST_CHECK bool removals_settle(struct storage *storage, struct err *err);

#endif
