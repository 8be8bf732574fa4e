/*
 * ALTER TABLE where the engine refuses it: adding and dropping constraints, columns with
 * constraints, and whatever changes columns that indexes, constraints or other tables hold on to.
 *
 * The table is made anew in the transaction at hand, with those that refer to it: first the
 * engine is told of a column, which keeps others from writing to the tables from then on; what
 * they committed since the transaction began is found by comparing rows (40001). Then the rows
 * are put aside, the tables dropped, made and filled again. What fails, or is cut off, leaves
 * everything as it was.
 */
#ifndef PGWIRE_ALTER_H
#define PGWIRE_ALTER_H

#include "pgwire/definition.h"
#include "pgwire/stmt.h"

enum action_kind {
	ACTION_ADD_CONSTRAINT,
	ACTION_DROP_CONSTRAINT,
	ACTION_RENAME_CONSTRAINT,
	ACTION_KEEP_CONSTRAINT, /* VALIDATE, ALTER CONSTRAINT */
	ACTION_ADD_COLUMN,
	ACTION_DROP_COLUMN,
	ACTION_RENAME_COLUMN,
	ACTION_RENAME_TABLE,
	ACTION_TYPE,
	ACTION_SET_NOT_NULL,
	ACTION_DROP_NOT_NULL,
	ACTION_SET_DEFAULT,
	ACTION_DROP_DEFAULT,
};

struct action {
	struct action *next;
	enum action_kind kind;
	bool quietly; /* IF EXISTS, IF NOT EXISTS */
	bool cascade;
	bool makes;		 /* a column with more than a type and a default */
	struct span name, to;	 /* of a constraint, column or table */
	struct span text, using; /* a type or default */
	struct definition_column column;
	struct definition constraints; /* of a column, or the one that is added */
	bool deferrable;
};

struct alteration {
	struct span schema, table;
	bool quietly; /* IF EXISTS */
	struct action *first;
};

/* alter_parse.c: *ret_known false: has something the engine is to answer for. */
MUST_CHECK bool alter_parse(const struct stmt *s, struct arena *arena, struct alteration *ret, bool *ret_known,
			    struct pg_error *e);
/* alter_apply.c */
bool alter_needs(const struct definitions *all, const struct action *a);
MUST_CHECK bool alter_apply(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e);
/* rebuild.c: writes the tables anew. */
MUST_CHECK bool rebuild(struct backend *b, struct definitions *all, struct pg_error *e);
/* alter.c: *ret_done false: the engine may carry it out. */
MUST_CHECK bool alter_run(struct backend *b, const struct stmt *s, bool *ret_done, struct pg_error *e);

#endif
