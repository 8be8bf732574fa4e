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
 * As in PostgreSQL 15, the first line tells whether lines end with LF, CR or
 * CRLF, and the others must end alike; \. ends the data (in text wherever it
 * stands, in CSV on a line of its own). A row may have fewer fields than
 * columns: who converts one after the other asks copy_read_missing when they end.
 *
 * Errors: 22P04 bad file format, 54000 row too long; with CONTEXT
 * `COPY t, line n, column c: "value"` or `COPY t, line n: "line"` as far as the
 * fault has a place.
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
enum copy_eol { COPY_EOL_UNKNOWN, COPY_EOL_LF, COPY_EOL_CR, COPY_EOL_CRLF };

struct copy_reader {
	const struct copy_options *options;
	struct span table;	  /* for CONTEXT */
	const struct span *names; /* of the columns that are read */
	size_t columns;
	bool *force_not_null, *force_null; /* by column; CSV */
	struct copy_field *fields;	   /* of the row, and one more */
	size_t count;			   /* that the row has: at most as many as columns */
	struct buf pending;		   /* what has arrived and is not taken */
	size_t at;			   /* start of the current row in it */
	size_t scanned;			   /* bytes of the row already searched for its end */
	enum copy_eol eol;
	bool in_quotes, behind_escape;
	bool in_line;	/* the line that `line` counts is not taken yet */
	bool last_line; /* behind the one that was taken nothing counts */
	bool has_signature, header_done, finished, ended;
	struct buf row;	  /* unescaped fields */
	struct span text; /* the line that was taken, as it came; else SPAN_NONE */
	uint64_t line;
};

/* `columns` names; the spans and options must outlive the reader. Field arrays are taken from the arena. */
void copy_read_begin(struct copy_reader *r, const struct copy_options *options, struct span table,
		     const struct span *names, size_t columns, struct arena *arena);
void copy_read_done(struct copy_reader *r);
void copy_read_feed(struct copy_reader *r, struct span chunk);
void copy_read_finish(struct copy_reader *r);
MUST_CHECK bool copy_read_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e);
/* 22P04: the row has no field for this column. Returns false. */
bool copy_read_missing(const struct copy_reader *r, size_t column, struct pg_error *e);
/* Adds where the reader is to an error about column `column` (SIZE_MAX: about the line). */
void copy_read_context(const struct copy_reader *r, size_t column, struct pg_error *e);

/* --- the reader's own --- */

/* What has arrived and is not taken. */
struct span copy_unread(const struct copy_reader *r);
/* 22P04 with the place. Returns false. */
bool copy_fault(const struct copy_reader *r, struct pg_error *e, const char *what);
/* copy_line.c: the next line without its end, taken off the input; *ret_step is COPY_ROW or COPY_MORE. */
MUST_CHECK bool copy_line_take(struct copy_reader *r, struct span *ret, enum copy_step *ret_step, struct pg_error *e);
/* copy_binary.c: copy_read_row of the binary format. */
MUST_CHECK bool copy_binary_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e);

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
