/* What the files of the object store share; nobody else includes this. */
#ifndef STORAGE_OBJECT_CORE_H
#define STORAGE_OBJECT_CORE_H

#include "storage/key_lock.h"
#include "storage/object.h"
#include "storage/usage.h"

struct objects {
	struct key_locks *locks;
	struct usage *usage;
};

/* The name of a project's key in the lock table. */
struct span object_lock_name(struct arena *arena, const char *project_id, struct span key);
const char *object_files_dir(const struct storage *storage);
/* Absolute path of the settled bytes of a record. */
const char *object_path(struct storage *storage, struct arena *arena, const struct file_row *row);

/* Does the condition hold for the record of a key, which is locked? Fills in a missing entity tag. */
MUST_CHECK bool object_judge(struct storage *storage, struct arena *arena, const struct object_condition *condition,
			     struct file_row *old, bool exists, struct err *err);
/*
 * Renames the bytes of a committed record from _incoming to their path; *row learns a new path when the old one cannot
 * be taken. What fails is finished by the next start-up, and readers find the bytes in the meantime. Key locked.
 */
void object_settle(struct storage *storage, struct arena *arena, struct file_row *row);
/*
 * Takes the bytes of a record out of their path, back to _incoming, and undoes that. Missing bytes are fine; bytes that
 * cannot be moved could not be removed either: ERR_STORAGE_UNWRITABLE, ERR_IO.
 */
MUST_CHECK bool object_stash(struct storage *storage, struct arena *arena, const struct file_row *row, struct err *err);
void object_unstash(struct storage *storage, struct arena *arena, const struct file_row *row);
/* Removes folders above a path that have become empty, up to the project's. */
void object_prune(struct storage *storage, struct arena *arena, const struct file_row *row);
/* The path for a new content of the key; makes its folders. `old`: the record that is replaced, or NULL. */
const char *object_choose_path(struct storage *storage, struct arena *arena, const char *project_id, struct span key,
			       const struct file_row *old);

#endif
