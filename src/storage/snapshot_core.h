/* Private to the files snapshot*.c. */
#ifndef STORAGE_SNAPSHOT_CORE_H
#define STORAGE_SNAPSHOT_CORE_H

#include "storage/snapshot.h"

/* Folder and data file; a record's path is relative to the snapshots' folder. */
const char *snapshot_dir(const struct storage *storage, struct arena *arena, const struct snapshot *row);
const char *snapshot_file(const struct storage *storage, struct arena *arena, const struct snapshot *row);
/* A live snapshot of the project. */
MUST_CHECK bool snapshot_find(struct storage *storage, struct arena *arena, const char *project_id, const char *id,
			      struct snapshot *ret, struct err *err);

#endif
