/*
 * A table file being built: a fresh one, or a private copy of a published one
 * to be changed. It is attached read-write to the data instance under its alias
 * until it is sealed or given up; the file carries a unique name in the staging
 * folder. What a crash leaves there is removed at start by emptying the folder.
 *
 *	staging_copy_of(files, dir, path, &st, err);
 *	session_run(session, "DELETE FROM <alias>.main.data WHERE ...", err);
 *	staging_seal(st, arena, &info, err);	checkpointed, synced, mode 0444
 *	fs_publish(staging_path(st), path, false, err);
 *	staging_free(st);			removes the file if it is still there
 *
 * A transaction can write one staging file only (the engine's rule), and read
 * any number of attached ones. Sessions and cursors on the file must be done
 * before sealing. One thread at a time.
 */
#ifndef ENGINE_STAGING_H
#define ENGINE_STAGING_H

#include "engine/table.h"

struct staging;

/* `expected_bytes`: of the data to come; small ones get small blocks (45 KB instead of 536 KB for a tiny table). */
MUST_CHECK bool staging_create(struct table_files *files, const char *dir, int64_t expected_bytes, struct staging **ret,
			       struct err *err);
MUST_CHECK bool staging_copy_of(struct table_files *files, const char *dir, const char *path, struct staging **ret,
				struct err *err);
/* Ready for SQL: the table is <alias>.main.data. */
const char *staging_alias(const struct staging *st);
const char *staging_catalog(const struct staging *st);
const char *staging_path(const struct staging *st);
/* CREATE TABLE main.data with columns, NOT NULL, defaults, and the key's comment. Types and defaults must be canonical (expr.h). */
MUST_CHECK bool staging_create_table(struct staging *st, const struct table_schema *schema, struct err *err);
/* Records another key; n = 0: none. Columns must exist; NOT NULL and uniqueness are the caller's. */
MUST_CHECK bool staging_set_key(struct staging *st, const char *const *columns, size_t n, struct err *err);
/* Moves the content into a fresh file without dead space; alias and path change. */
MUST_CHECK bool staging_rewrite(struct staging *st, struct err *err);
/* Present state of the file, before sealing. */
MUST_CHECK bool staging_describe(struct staging *st, struct arena *arena, struct table_info *ret, struct err *err);
/* CHECKPOINT, DETACH, fsync, mode 0444. After a failure only staging_free. */
MUST_CHECK bool staging_seal(struct staging *st, struct arena *arena, struct table_info *ret, struct err *err);
/* Detaches if needed and removes the file if it was not renamed away; NULL is fine. */
void staging_free(struct staging *st);
void staging_free_cleanup(void *st); /* for arena_on_free */

#endif
