/*
 * metadata.duckdb: opening, loading, writing batches, checkpoints, coming back
 * after a fault. One thread at a time. A store whose engine gave up stays
 * usable: every call tries to open the file again first.
 *
 * Errors: ERR_DISK_FULL, ERR_OUT_OF_MEMORY, else ERR_METADATA.
 */
#ifndef CATALOG_STORE_H
#define CATALOG_STORE_H

#include "catalog/plan.h"

struct store;

MUST_CHECK bool store_open(const char *path, struct store **ret, struct err *err);
/* Checkpoints and closes; NULL is fine. */
void store_close(struct store *s);

/* Adds every row of the file to `model`. *ret_next_seq: above every seq in use. */
MUST_CHECK bool store_load(struct store *s, struct model *model, int64_t *ret_next_seq, struct err *err);
/*
 * One engine transaction: durable when it returned true. After a false return *ret_reload says whether the outcome is
 * unknown: the file then decides, by store_load.
 */
MUST_CHECK bool store_write(struct store *s, const struct effect *effects, size_t count, bool *ret_reload,
			    struct err *err);
MUST_CHECK bool store_checkpoint(struct store *s, struct err *err);
/* The engine gave up, or the session is lost: reload once it works again. */
bool store_is_broken(const struct store *s);
MUST_CHECK bool store_recover(struct store *s, struct err *err);
int64_t store_wal_bytes(const struct store *s);
int64_t store_file_bytes(const struct store *s);

#endif
