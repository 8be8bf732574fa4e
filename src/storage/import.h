/*
 * Loading a stored file into a table. The whole import is one publish: after any
 * error the table is as it was.
 */
#ifndef STORAGE_IMPORT_H
#define STORAGE_IMPORT_H

#include "storage/place.h"

struct table_import_csv {
	bool given;	       /* csv_options was in the request */
	const char *delimiter; /* NULL: detect (or "," when given) */
	const char *quote;     /* NULL: "\""; empty: none */
	const char *escape;    /* NULL: the quote; empty: none */
	bool header;
	const char *null_string; /* NULL or empty: only empty fields are NULL */
};

/* How file columns meet table columns. */
enum table_import_mapping {
	TABLE_IMPORT_BY_NAME_OR_POSITION, /* REST: names when the header allows it, else position with a warning */
	TABLE_IMPORT_BY_NAME		  /* driver: header names only, names that start with '_' skipped */
};

struct table_import {
	const char *project_id, *branch_id, *bucket, *table;
	const char *file_id;   /* a registered file ... */
	const char *file_path; /* ... or a file of the store by absolute path (the driver's) */
	const char *format;    /* csv, parquet */
	struct table_import_csv csv;
	bool incremental;
	const char *dedup_mode; /* update_duplicates, insert_duplicates, fail_on_duplicates */
	const char *const *columns;
	size_t column_count;
	enum table_import_mapping mapping;
	const char *timestamp_column; /* set to the import's time on every row; NULL: none */
};

struct table_import_result {
	int64_t imported_rows, table_rows_after, table_size_bytes;
	const char **warnings;
	size_t warning_count;
	struct table_info info;
};

MUST_CHECK bool table_import(struct storage *storage, const struct call *call, const struct table_import *request,
			     struct table_import_result *ret, struct err *err);

#endif
