/*
 * Operations on tables: create, look, list, delete, preview. Changes of schema
 * are in schema.h, of rows in rows.h and import.h.
 */
#ifndef STORAGE_TABLE_H
#define STORAGE_TABLE_H

#include "base/buf.h"
#include "storage/filter.h"
#include "storage/op.h"
#include "storage/place.h"

struct table_view {
	const char *name;
	const char *bucket;	/* as the caller named it */
	struct table_info info; /* columns, key, row count, size */
	int64_t created_at;
	enum table_source source;
};

struct table_create {
	const char *name;
	const struct table_column *columns; /* types as the client wrote them */
	size_t column_count;
	const char *const *primary_key;
	size_t primary_key_count;
};

MUST_CHECK bool table_create(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const char *bucket, const struct table_create *request,
			     struct table_view *ret, struct err *err);
MUST_CHECK bool table_get(struct storage *storage, const struct call *call, const char *project_id,
			  const char *branch_id, const char *bucket, const char *table, struct table_view *ret,
			  struct err *err);
MUST_CHECK bool table_list(struct storage *storage, const struct call *call, const char *project_id,
			   const char *branch_id, const char *bucket, bool include_linked, struct table_view **ret,
			   size_t *ret_count, struct err *err);
MUST_CHECK bool table_delete(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const char *bucket, const char *table, struct err *err);

struct table_preview {
	struct table_view table;
	struct buf rows; /* a JSON array of row objects; released with the arena */
	int64_t row_count;
};

struct table_preview_request {
	int64_t limit;
	const char *version;	    /* id of a kept version; NULL: the current one */
	const char *const *columns; /* NULL: all */
	size_t column_count;
	const char *filter;   /* validated expression text; NULL: none */
	const char *order_by; /* a column, or NULL */
	bool descending;
	const struct filters *filters; /* conditions and order as data; NULL: none */
	/* Takes each chunk of rows instead of table_preview.rows; NULL: JSON. `info` has the table's columns. */
	bool (*take)(void *ctx, const struct cursor *cursor, size_t rows, struct err *err);
	void *take_ctx;
};

MUST_CHECK bool table_preview(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *bucket, const char *table,
			      const struct table_preview_request *request, struct table_preview *ret, struct err *err);

struct staging;
/* Seals `next` and makes it the new table of the place's bucket. The caller holds the table's lock. */
MUST_CHECK bool table_publish_new(struct op *op, struct place *place, const char *table, struct staging *next,
				  struct table_info *ret, struct err *err);
/* The same with a finished file below staging (write_adopt). */
MUST_CHECK bool table_publish_file(struct op *op, struct place *place, const char *table, const char *file,
				   const struct table_info *info, struct err *err);
/* Removes the table that the place found, with its versions. The caller holds its lock. */
MUST_CHECK bool table_discard(struct op *op, struct place *place, struct err *err);
/* ERR_TABLE_EXISTS when the place's bucket shows a table of that name. */
MUST_CHECK bool table_absent(struct place *place, const char *table, struct err *err);
/* 1 to LIMIT_COLUMN_NAME_BYTES bytes, else the given code. */
MUST_CHECK bool table_column_name_check(const char *name, enum err_code code, struct err *err);

const char *table_source_name(enum table_source source);
void table_view_of(const struct place *place, const struct table_info *info, struct table_view *ret);

#endif
