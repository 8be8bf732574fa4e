/*
 * What the commands on tables share: columns as the protocol has them, filters, table descriptions.
 */
#ifndef GRPC_PLACE_H
#define GRPC_PLACE_H

#include "grpc/command.h"
#include "grpc/protocol.h"
#include "storage/filter.h"
#include "storage/schema.h"
#include "storage/table.h"

/* `length` becomes part of the type where the type takes one. */
MUST_CHECK bool driver_type(struct driver_call *c, const char *type, const char *length, const char **ret,
			    struct err *err);
MUST_CHECK bool driver_column(struct driver_call *c, const TABLE_MSG(TableColumnShared) * from,
			      struct table_column *ret, struct err *err);
/* A command's path and table name, the name first. */
MUST_CHECK bool driver_table(struct driver_call *c, char *const *path, size_t n, const char *table,
			     struct driver_place *ret, struct err *err);

typedef TABLE_MSG(ImportExportShared__TableWhereFilter) where_msg;
typedef TABLE_MSG(ImportExportShared__ExportFilters) filters_msg;
typedef TABLE_MSG(ImportExportShared__ExportOrderBy) order_msg;

MUST_CHECK bool driver_where(struct driver_call *c, where_msg *const *from, size_t n, struct filters *ret,
			     struct err *err);
/* Filters of a reading command; `from` may be NULL. */
MUST_CHECK bool driver_filters(struct driver_call *c, const filters_msg *from, order_msg *const *order,
			       size_t order_count, struct filters *ret, struct err *err);

/* TableInfo of a table: path as the client gave it. */
INFO_MSG(TableInfo) * driver_table_info(struct driver_call *c, char *const *path, size_t n, const char *table,
					const struct table_info *info);
/* Copies for answers, which hold char *. */
char **driver_texts(struct arena *arena, const char *const *from, size_t n);
char **driver_path_copy(struct arena *arena, char *const *path, size_t n);

static inline struct schema_target driver_target(const struct driver_place *place)
{
	return (struct schema_target){place->project_id, place->branch_id, place->bucket, place->table};
}

#endif
