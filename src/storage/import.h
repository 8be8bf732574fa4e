/*
 * Loading stored files, or the rows of another table, into a table. The whole import is one publish: after any
 * error the table is as it was. A caller who leaves does not stop it; only
 * call->progress does (ERR_CANCELLED).
 *
 * Rows go straight from the file into the next table file. With a key, what is
 * known already or stands in the file twice is found afterwards by one join over
 * the key columns: the engine numbers rows in file order, so of equal keys the
 * highest number is the one to keep.
 *
 * Errors besides those of places and locks: ERR_OPERATION_NOT_ALLOWED (linked
 * table), ERR_FILE_NOT_FOUND, ERR_FILE_CONTENT_NOT_FOUND, ERR_INVALID_FORMAT,
 * ERR_INVALID_DEDUP_MODE, ERR_INVALID_COLUMN, ERR_IMPORT_FAILED (the file's
 * fault; details file_id, format), ERR_DUPLICATE_KEY (details dedup_mode).
 */
#ifndef STORAGE_IMPORT_H
#define STORAGE_IMPORT_H

#include "storage/filter.h"
#include "storage/place.h"

struct table_import_csv {
	bool given;		 /* csv_options was in the request */
	const char *delimiter;	 /* NULL: detect (or "," when given) */
	const char *quote;	 /* NULL: "\""; empty: none */
	const char *escape;	 /* NULL: the quote; empty: none */
	bool header;		 /* counts when given; without options the first row is the header */
	const char *null_string; /* NULL or empty: only empty fields are NULL */
	/* The driver's */
	const char *const *null_texts; /* instead of the empty text and null_string, unless the count is 0 */
	size_t null_text_count;
	size_t skip;	   /* lines in front of the header or the first row */
	bool names_header; /* without header: a first row equal to `columns` is one all the same */
};

/* A table to read instead of files: of storage, or of a workspace. */
struct source_column {
	const char *source;
	const char *destination; /* NULL or empty: the same */
};

struct source_table {
	const char *project_id, *branch_id, *bucket; /* unless workspace_id is set */
	const char *workspace_id;
	const char *table;
	const struct source_column *columns; /* count 0: all */
	size_t column_count;
	const struct filters *filters; /* NULL: all rows */
	int64_t limit;		       /* 0: all */
};

/* How file columns meet table columns. */
enum table_import_mapping {
	TABLE_IMPORT_BY_NAME_OR_POSITION, /* REST: names when the header allows it, else position with a warning */
	TABLE_IMPORT_BY_NAME,		  /* driver: header names only, names that start with '_' skipped */
	TABLE_IMPORT_CHOSEN /* the source's columns, each by its name; other table columns get their default */
};

struct table_import {
	const char *project_id, *branch_id, *bucket, *table;
	const char *file_id; /* a registered file ... */
	/* ... or files of the store by absolute path, in this order (the driver's) */
	const char *const *file_paths;
	size_t file_path_count;
	const struct source_table *from; /* ... or a table */
	const char *format;		 /* csv, parquet; NULL for a table */
	struct table_import_csv csv;
	bool incremental;
	const char *dedup_mode;	    /* update_duplicates, insert_duplicates, fail_on_duplicates */
	const char *const *columns; /* what the file supplies; count 0: all of the table's */
	size_t column_count;
	const char *const *key_columns; /* the key to merge by; count 0: the table's primary key */
	size_t key_column_count;
	enum table_import_mapping mapping;
	const char *timestamp_column; /* set to the import's time on every row; NULL: none */
	bool timestamp_given;	      /* it is read from the file instead */
	/* Columns whose empty text is NULL, whatever the null texts are */
	const char *const *empty_columns;
	size_t empty_column_count;
};

struct table_import_result {
	int64_t imported_rows; /* full: rows of the file; incremental: by how many the table grew */
	int64_t read_rows;     /* rows of the file */
	int64_t merged_rows;   /* rows of the file that are in the table now: inserted, or in place of another */
	int64_t table_rows_after, table_size_bytes;
	const char **warnings;
	size_t warning_count;
	struct table_info info;
};

MUST_CHECK bool table_import(struct storage *storage, const struct call *call, const struct table_import *request,
			     struct table_import_result *ret, struct err *err);

/*
 * The whole table, with definition and key, as a new table; with `replace` also over an existing one. Of storage no row is
 * copied: both names have the same file until one is changed. ERR_TABLE_EXISTS.
 */
MUST_CHECK bool table_clone(struct storage *storage, const struct call *call, const struct source_table *from,
			    const char *project_id, const char *branch_id, const char *bucket, const char *table,
			    bool replace, struct table_info *ret, struct err *err);

#endif
