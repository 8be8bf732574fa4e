/*
 * Reading data files: what is in a file, and the SQL that scans it. The file's
 * path and every option are bound as escaped literals. Policy (which column goes
 * where, what a duplicate means) is the caller's.
 *
 * Plain SQL text comes out: the caller runs "INSERT INTO ... SELECT ... FROM
 * <scan>" on a session of the data instance.
 */
#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/session.h"

enum import_format { IMPORT_CSV, IMPORT_PARQUET };
enum import_compression { IMPORT_PLAIN, IMPORT_GZIP, IMPORT_ZSTD };

struct import_options {
	enum import_format format;
	/* CSV. NULL: detected from the file (delimiter among , ; tab |) */
	const char *delimiter;
	const char *quote;     /* empty: none; else one byte */
	const char *escape;    /* likewise */
	const char *null_text; /* NULL: empty fields are NULL */
	/* Instead of empty fields and null_text, unless the count is 0 */
	const char *const *null_texts;
	size_t null_text_count;
	size_t skip;	    /* lines in front of the first row */
	bool header;	    /* first row is a header */
	bool detect_header; /* overrides `header` by what the file looks like */
};

struct import_file {
	enum import_format format;
	enum import_compression compression;
	bool has_header;
	char delimiter[8];
	char quote[8];
	char escape[8];
	/* What ends the first record, when quoted fields of it hold line ends too: the engine guesses then. Else "". */
	char newline[8];
	/* CSV: names of the header row as they stand there, or column0, column1, ... without one. All types are VARCHAR. */
	size_t column_count;
	struct import_column {
		const char *name;
		const char *type; /* Parquet: the file's; CSV: VARCHAR */
	} * columns;
};

/* By magic bytes first, then the name's ending. */
MUST_CHECK bool import_compression_of(const char *path, enum import_compression *ret, struct err *err);
/*
 * Reads a compressed file to its end, checksums included: the engine takes a cut or damaged one for a whole one. Nothing
 * to do for a plain one. ERR_IMPORT_FAILED; ERR_CANCELLED when `progress` (may be NULL) is.
 */
MUST_CHECK bool import_check(const char *path, enum import_compression compression, const struct progress *progress,
			     struct err *err);
/*
 * Looks at the beginning of the file. ERR_IMPORT_FAILED when it is unreadable as its format. An empty file has no columns.
 */
MUST_CHECK bool import_sniff(struct session *session, const char *path, const struct import_options *options,
			     struct arena *arena, struct import_file *ret, struct err *err);
/*
 * A FROM item (table function call) for what import_sniff found: all columns, in the file's order. CSV columns are
 * VARCHAR unless `types` names a canonical type for each column (NULL entries: VARCHAR).
 */
MUST_CHECK bool import_scan_sql(const char *path, const struct import_options *options, const struct import_file *file,
				const char *const *types, struct buf *out, struct err *err);

#endif
