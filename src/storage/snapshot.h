/*
 * Snapshots: the published file of a table of main, pinned by a hard link under
 * <SNAPSHOTS_DIR>/<project>/<id>/data.duckdb with a metadata.json beside it for
 * recovery by hand. Taking one costs no time and no space until the table
 * changes; it keeps types, defaults, NOT NULL and key, because it is the file.
 *
 * A snapshot outlives its table and its bucket; it ends with its own deletion,
 * its expiry (set when it is taken) or its project. An expired one is invisible
 * at once and removed by the sweep.
 *
 * The id, snap_<table>_<YYYYMMDD>_<HHMMSS>_<mmm>, is unique in the server.
 */
#ifndef STORAGE_SNAPSHOT_H
#define STORAGE_SNAPSHOT_H

#include "storage/op.h"
#include "storage/place.h"

/* What makes the server take a snapshot by itself; the settings say whether (snapshot_settings.h). */
enum snapshot_trigger { SNAPSHOT_MANUAL, SNAPSHOT_DROP_TABLE, SNAPSHOT_TRUNCATE, SNAPSHOT_DROP_COLUMN };

/*
 * Takes the automatic snapshot of the place's table if its settings want one: after all checks of the operation, before
 * it changes anything, under the table's lock. Nothing on dev branches. `column` of DROP_COLUMN, else NULL.
 * ERR_AUTO_SNAPSHOT_FAILED: the operation must not go on.
 */
MUST_CHECK bool snapshot_auto(struct op *op, struct place *place, enum snapshot_trigger trigger, const char *column,
			      struct err *err);
/* The same for each main table of a bucket that is going to be dropped. */
MUST_CHECK bool snapshot_auto_bucket(struct op *op, const struct table_row *tables, size_t n, struct err *err);

/* ERR_SNAPSHOTS_DISABLED. */
MUST_CHECK bool snapshot_create(struct storage *storage, const struct call *call, const char *project_id,
				const char *branch_id, const char *bucket, const char *table, const char *description,
				struct snapshot *ret, struct err *err);
/* ERR_SNAPSHOT_NOT_FOUND, also when it has expired or is another project's. */
MUST_CHECK bool snapshot_get(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const char *id, struct snapshot *ret, struct err *err);

struct snapshot_filter {
	const char *bucket, *table, *type; /* NULL: any */
	int64_t limit, offset;
};
/* Newest first; *ret_total counts all matches. */
MUST_CHECK bool snapshot_list(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const struct snapshot_filter *filter, struct snapshot **ret,
			      size_t *ret_count, size_t *ret_total, struct err *err);
MUST_CHECK bool snapshot_delete(struct storage *storage, const struct call *call, const char *project_id,
				const char *branch_id, const char *id, struct err *err);

struct snapshot_restored {
	const char *bucket;
	const char *table;
	int64_t row_count;
};
/*
 * The snapshot's content as a table: in its old place (replaced there, or made again after a drop), or under another
 * name, which must be free: ERR_TABLE_EXISTS. NULL target: as it was. ERR_SNAPSHOT_FILE_NOT_FOUND.
 */
MUST_CHECK bool snapshot_restore(struct storage *storage, const struct call *call, const char *project_id,
				 const char *branch_id, const char *id, const char *target_bucket,
				 const char *target_table, struct snapshot_restored *ret, struct err *err);

/* Background job: removes what has expired. */
MUST_CHECK bool snapshot_sweep(struct storage *storage, struct err *err);

#endif
