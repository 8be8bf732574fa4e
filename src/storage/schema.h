/*
 * Changes of a table's schema. Each is one publish: columns, defaults, order,
 * NOT NULL and key of the rest stay exactly; after a failure nothing changed.
 * On a dev branch the first change copies the table (write.h).
 */
#ifndef STORAGE_SCHEMA_H
#define STORAGE_SCHEMA_H

#include "storage/table.h"

struct schema_target {
	const char *project_id, *branch_id, *bucket, *table;
};

static inline struct op_target schema_op_target(struct schema_target target)
{
	return (struct op_target){.project_id = target.project_id,
				  .branch_id = target.branch_id,
				  .bucket = target.bucket,
				  .table = target.table};
}

/* Appended last. ERR_COLUMN_EXISTS, ERR_ADD_COLUMN_FAILED. Type and default as the client wrote them. */
MUST_CHECK bool schema_add_column(struct storage *storage, const struct call *call, struct schema_target target,
				  const struct table_column *column, struct table_view *ret, struct err *err);
/* ERR_COLUMN_NOT_FOUND, ERR_CANNOT_DROP_LAST_COLUMN, ERR_COLUMN_IN_PRIMARY_KEY. */
MUST_CHECK bool schema_drop_column(struct storage *storage, const struct call *call, struct schema_target target,
				   const char *column, struct table_view *ret, struct err *err);

struct column_change {
	const char *new_name; /* NULL: leave */
	const char *new_type;
	bool change_null; /* whether set_not_null counts */
	bool set_not_null;
	const char *set_default; /* NULL: leave; empty: drop */
};
MUST_CHECK bool schema_alter_column(struct storage *storage, const struct call *call, struct schema_target target,
				    const char *column, const struct column_change *change, struct table_view *ret,
				    struct err *err);

/* ERR_KEY_COLUMN_NOT_FOUND, ERR_PRIMARY_KEY_EXISTS, ERR_ADD_PRIMARY_KEY_FAILED (duplicates, nulls). */
MUST_CHECK bool schema_add_primary_key(struct storage *storage, const struct call *call, struct schema_target target,
				       const char *const *columns, size_t n, struct table_view *ret, struct err *err);
/* ERR_NO_PRIMARY_KEY. */
MUST_CHECK bool schema_drop_primary_key(struct storage *storage, const struct call *call, struct schema_target target,
					struct table_view *ret, struct err *err);

#endif
