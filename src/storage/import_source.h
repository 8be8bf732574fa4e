/*
 * What an import reads: a file (by descriptor, so that it stays the same file
 * though it be deleted or replaced meanwhile), or a table of storage or of a
 * workspace, pinned in the version of the moment. Private to the imports.
 */
#ifndef STORAGE_IMPORT_SOURCE_H
#define STORAGE_IMPORT_SOURCE_H

#include "base/limits.h"
#include "storage/import_map.h"
#include "storage/op.h"

/*
 * The engine gets the name of a link to our descriptor: these very bytes, under a name that never comes back (the
 * engine's caches go by name). `file` is filled for tables; for files it is the sniffer's to fill.
 */
struct import_source {
	int fd; /* -1: none */
	int64_t size;
	const char *name; /* as the user knows it */
	char link[LIMIT_PATH_BYTES];
	const char *scan; /* FROM item of a table; NULL: a file */
	struct import_file file;
	struct import_map map;
};

/* A registered file. After a failure too the source is to be closed. */
MUST_CHECK bool import_source_file(struct import_source *s, const struct op *op, const char *project_id,
				   const char *file_id, struct err *err);
MUST_CHECK bool import_source_path(struct import_source *s, const struct op *op, const char *path, struct err *err);
/* ERR_INVALID_COLUMN, and the errors of places, filters and workspaces. */
MUST_CHECK bool import_source_table(struct import_source *s, const struct op *op, const struct source_table *from,
				    struct err *err);
void import_source_close(struct import_source *s);

/* A table as a file of its own below the staging folder, which goes with the call's arena. */
struct source_pin {
	const char *path;
	/* Of a workspace's table, whose file tells neither */
	const char **not_null;
	size_t not_null_count;
	const char **key;
	size_t key_count;
};

MUST_CHECK bool source_pin(const struct op *op, const struct source_table *from, struct source_pin *ret,
			   struct err *err);

#endif
