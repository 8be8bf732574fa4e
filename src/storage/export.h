/*
 * Writing a table to a file of the store. Takes no lock: it reads the version
 * that was published when it began.
 */
#ifndef STORAGE_EXPORT_H
#define STORAGE_EXPORT_H

#include "catalog/catalog.h"
#include "storage/filter.h"
#include "storage/place.h"

struct table_export {
	const char *project_id, *branch_id, *bucket, *table;
	const char *format;	 /* csv, parquet */
	const char *compression; /* NULL: none for csv, snappy for parquet */
	const char *const *columns;
	size_t column_count;
	const char *where_filter;      /* NULL: all rows */
	int64_t limit;		       /* 0: all */
	const char *version;	       /* id of a kept version; NULL: the current one */
	const struct filters *filters; /* driver only: conditions and order as data; NULL: none */
	const char *target_path;       /* driver only: key of the object to write; NULL: a new file of today */
	const char *target_project;    /* whose object; NULL: that of the table\'s project */
};

struct table_export_result {
	struct file_row file;
	int64_t rows_exported;
};

MUST_CHECK bool table_export(struct storage *storage, const struct call *call, const struct table_export *request,
			     struct table_export_result *ret, struct err *err);

#endif
