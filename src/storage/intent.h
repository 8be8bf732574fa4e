/*
 * What an operation is about to create on disk, noted in a small
 * file of the staging folder while it runs. When the process dies in between,
 * the next start finds a thing without a record; named in an intent it is the
 * rest of a change that nobody was promised and is removed, else it is moved to
 * _lost (reconcile.h).
 *
 *	struct intent intent;
 *	intent_begin(&intent, storage, path);
 *	... create, commit ...
 *	intent_end(&intent);
 *
 * Notes are not synced: they are for a process that dies, not for a machine that
 * loses power. A note that cannot be written is left out.
 */
#ifndef STORAGE_INTENT_H
#define STORAGE_INTENT_H

#include "base/limits.h"
#include "base/map.h"
#include "storage/storage.h"

struct intent {
	char path[LIMIT_PATH_BYTES]; /* of the note; empty: none */
};

/* A file, or a folder with all below it; NULL: nothing is noted. */
void intent_begin(struct intent *intent, const struct storage *storage, const char *path);
void intent_end(struct intent *intent);
/* The paths of all notes that a dead process left, as keys of the map. */
void intent_collect(const struct storage *storage, struct map *ret);

#endif
