/*
 * operations.duckdb, the file side of the history: two tables of the same
 * columns, `operations` (what ended) and `running` (what began and has not
 * ended). Writing is the history thread's; queries open sessions of their own.
 */
#ifndef CATALOG_HISTORY_FILE_H
#define CATALOG_HISTORY_FILE_H

#include "base/map.h"
#include "catalog/columns.h"
#include "catalog/history.h"

enum { HISTORY_COLUMNS_MAX = 24 };

/* A row on its way; its texts are in the same block. */
struct record {
	struct record *next;
	bool begins; /* a start, not an end */
	struct operation op;
	char texts[];
};

struct history_file {
	char *path;
	char *wal_path;
	struct instance *instance;
	struct session *session;   /* the writer's; NULL: broken */
	struct feed *into_history; /* the table `operations` */
	struct feed *into_running;
	struct map running; /* ids in the table `running` */
};

extern const struct column_def history_columns[];
size_t history_column_count(void);

/* Creates the tables; what was running becomes "interrupted". */
MUST_CHECK bool history_file_open(struct history_file *f, const char *path, struct err *err);
void history_file_close(struct history_file *f);
/* All records in one transaction. */
MUST_CHECK bool history_file_write(struct history_file *f, const struct record *first, struct err *err);
/* See fault.h. Returns false. */
bool history_fault(struct err *err);

#endif
