/*
 * A table's definition as it can be changed and written again: what the engine
 * tells of columns, constraints, indexes and comments, and the tables whose
 * foreign keys refer to it, which cannot stay while it is made anew.
 *
 * Constraints have names: the one a user gave, else PostgreSQL's by default
 * (t_pkey, t_a_key, t_a_fkey, t_a_check). The engine keeps none. A name that is
 * not the default stands in the table itself, as a condition that is always
 * true behind the constraint (DEFINITION_NAME_MARK): whatever becomes of the
 * table becomes of the name. catalog.sql shows them the same way.
 */
#ifndef PGWIRE_DEFINITION_H
#define PGWIRE_DEFINITION_H

#include "base/arena.h"
#include "pgwire/lexer.h"
#include "pgwire/sqlstate.h"

#define DEFINITION_NAME_MARK "constraint name: "

struct backend;
struct buf;

struct names {
	struct span *list;
	size_t count;
};

struct definition_column {
	struct span name;
	struct span was; /* in the table as it is; empty: it is added */
	struct span type;
	struct span collation; /* COLLATE .. */
	struct span value;     /* DEFAULT .. or GENERATED .. */
	struct span using;     /* an expression in place of what it was */
	struct span comment;
	bool not_null, generated;
};

struct definition_constraint {
	char kind; /* p, u, c, f as in pg_constraint */
	bool added;
	struct span name;
	struct names columns;
	struct span check; /* the expression */
	struct span parent_schema, parent;
	struct names referenced; /* none: the parent's primary key */
};

struct definition_index {
	struct span name, sql, comment;
};

struct definition {
	struct span oid, db, schema, name, comment;
	struct span was; /* its name as it is */
	struct definition_column *columns;
	struct definition_constraint *constraints;
	struct definition_index *indexes;
	size_t column_count, constraint_count, index_count;
};

/* The table itself, then those that refer to it, each behind what it refers to. */
struct definitions {
	struct definition *list;
	size_t count;
};

/* *ret_found false: there is no such table. */
MUST_CHECK bool definitions_load(struct backend *b, struct span schema, struct span name, struct definitions *ret,
				 bool *ret_found, struct pg_error *e);
bool names_have(const struct names *names, struct span name);
/* NULL: there is none. */
struct definition_column *definition_column(const struct definition *d, struct span name);
struct definition_constraint *definition_constraint(const struct definition *d, struct span name);
struct definition_column *definition_add_column(struct definition *d, struct arena *arena);
struct definition_constraint *definition_add_constraint(struct definition *d, struct arena *arena);
/* The name a constraint has when nobody gave it one. */
struct span definition_default_name(const struct definition *d, const struct definition_constraint *c,
				    struct arena *arena);
/* "database"."schema"."name" */
void definition_put_place(const struct definition *d, struct span name, struct buf *out);
/* (a, b) */
void definition_put_names(const struct names *names, struct buf *out);
/* The name such a condition carries, as the engine writes it; empty: it is another. */
struct span definition_marked_name(struct span expression, struct arena *arena);
/* A condition that carries the name of the constraint in front of it. */
void definition_put_mark(struct span name, struct buf *out);

#endif
