/*
 * Keeps a key unique after rows were added to a table file: rows from number
 * `first_new` on are new, in file order. The table has no column "rowid" of its
 * own then: that name stands for the engine's row numbers.
 *
 * Replace: of equal keys the newest row stays. Refuse: ERR_DUPLICATE_KEY when a
 * new row has the key of another row.
 */
#ifndef STORAGE_IMPORT_MERGE_H
#define STORAGE_IMPORT_MERGE_H

#include "engine/session.h"

struct import_merge {
	const char *alias; /* the table is <alias>.main.data */
	const char *const *key;
	size_t key_count;
	int64_t first_new; /* 0: all rows are new */
};

MUST_CHECK bool import_merge_replace(struct session *session, const struct import_merge *merge, uint64_t *ret_removed,
				     struct err *err);
MUST_CHECK bool import_merge_refuse(struct session *session, const struct import_merge *merge, struct arena *arena,
				    struct err *err);

#endif
