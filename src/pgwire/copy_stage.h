/*
 * COPY .. FROM STDIN WHERE: the rows stand in a temporary table first, and those
 * that meet the condition are inserted from there. It goes with the transaction
 * that the COPY runs in, or with copy_stage_insert().
 *
 * The condition may name the columns that are copied, as PostgreSQL's does; it
 * has no subqueries.
 */
#ifndef PGWIRE_COPY_STAGE_H
#define PGWIRE_COPY_STAGE_H

#include "pgwire/backend.h"
#include "pgwire/command.h"

/* `columns`: the SELECT of what is copied, without rows. *ret is the table's name in `temp`. */
MUST_CHECK bool copy_stage_make(struct backend *b, struct span columns, const char **ret, struct pg_error *e);
/* *ret_rows: how many met the condition. */
MUST_CHECK bool copy_stage_insert(struct backend *b, const struct command_copy *c, const char *stage,
				  uint64_t *ret_rows, struct pg_error *e);

#endif
