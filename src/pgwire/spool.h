/*
 * Rows that wait: blocks of them in a file without a name, which grows at its
 * end and is read anywhere, one block in memory at a time. It goes when it is
 * freed, and with the process.
 *
 * Errors: 53400 when the session's spools together exceed PGWIRE_SPOOL_MAX_BYTES,
 * 53100 when the disk is full, 58030 for others.
 */
#ifndef PGWIRE_SPOOL_H
#define PGWIRE_SPOOL_H

#include "engine/vector.h"
#include "pgwire/sqlstate.h"

struct backend;
struct spool;

/* For rows of these columns. */
MUST_CHECK bool spool_new(struct backend *b, const struct vector *vectors, size_t columns, struct spool **ret,
			  struct pg_error *e);
/* NULL is fine. */
void spool_free(struct backend *b, struct spool *s);
/* Rows [from, from + rows) of the vectors, behind those it has. */
MUST_CHECK bool spool_add(struct backend *b, struct spool *s, const struct vector *vectors, size_t from, size_t rows,
			  struct pg_error *e);
uint64_t spool_rows(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);
/* Where row number `row` (from 0) lies, until the next call. */
MUST_CHECK bool spool_look(struct spool *s, uint64_t row, const struct vector **ret, size_t *ret_at,
			   struct pg_error *e);

#endif
