/*
 * COPY data in PostgreSQL's text, CSV and binary formats as state machines over
 * chunks: bytes in, rows of fields out, and back. No I/O.
 *
 * Reading: feed what a CopyData carries, then take rows until COPY_MORE; after
 * CopyDone call copy_read_finish and take rows until COPY_END. A row may be cut
 * by chunks anywhere. Fields point into the reader and live until the next call.
 * Text fields come unescaped; their encoding is checked when they are decoded.
 * Memory is bounded by COPY_ROW_MAX plus one chunk.
 *
 * Errors: 22P04 bad file format, 22P02 bad escape, 54000 row too long; with
 * CONTEXT "COPY t, line n, column c" where the fault has a place.
 */
#ifndef PGWIRE_COPY_H
#define PGWIRE_COPY_H

#include "base/buf.h"
#include "base/limits.h"
#include "pgwire/command.h"

#define COPY_ROW_MAX (256 * MIB)

struct copy_field {
	bool is_null;
	struct span bytes;
};

enum copy_step { COPY_MORE, COPY_ROW, COPY_END };

struct copy_reader {
	const struct copy_options *options;
	struct span table;	  /* for CONTEXT */
	const struct span *names; /* of the columns that are read */
	size_t columns;
	bool *force_not_null, *force_null; /* by column; CSV */
	struct copy_field *fields;
	struct buf pending; /* what has arrived and is not taken */
	size_t at;	    /* start of the current row in it */
	size_t scanned;	    /* bytes of the row already searched for its end */
	bool in_quotes;
	bool has_signature, header_done, finished, ended;
	struct buf row; /* unescaped fields */
	uint64_t line;
};

/* `columns` names; the spans and options must outlive the reader. Field arrays are taken from the arena. */
void copy_read_begin(struct copy_reader *r, const struct copy_options *options, struct span table,
		     const struct span *names, size_t columns, struct arena *arena);
void copy_read_done(struct copy_reader *r);
void copy_read_feed(struct copy_reader *r, struct span chunk);
void copy_read_finish(struct copy_reader *r);
MUST_CHECK bool copy_read_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e);
/* Adds where the reader is to an error about column `column` (SIZE_MAX: about the line). */
void copy_read_context(const struct copy_reader *r, size_t column, struct pg_error *e);

/* --- out --- */

/* The binary signature, or the header line when one is wanted. */
void copy_write_begin(struct buf *out, const struct copy_options *o, const struct span *names, size_t columns);
void copy_write_row_begin(struct buf *out, const struct copy_options *o, size_t columns);
/* `quote`: FORCE_QUOTE of this column. In binary format `value` is the field's binary form. */
void copy_write_field(struct buf *out, const struct copy_options *o, size_t column, size_t columns, bool is_null,
		      struct span value, bool quote);
void copy_write_row_end(struct buf *out, const struct copy_options *o);
/* The binary trailer. */
void copy_write_end(struct buf *out, const struct copy_options *o);
/* Whether a list such as FORCE_QUOTE names the column. */
bool copy_names_column(const struct copy_columns *c, struct span name);

#endif
