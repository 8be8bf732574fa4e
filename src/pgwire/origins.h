/*
 * Where the columns of a result come from, as RowDescription tells it: the id
 * and number of the table's column for plain references (drivers edit results
 * by them), the ids of ENUM types, and PostgreSQL's names for calls into its
 * catalog. What a session looked up it keeps until the workspace's objects, the
 * project's tables in use or the search path changed.
 */
#ifndef PGWIRE_ORIGINS_H
#define PGWIRE_ORIGINS_H

#include "base/map.h"
#include "engine/type.h"
#include "pgwire/message.h"
#include "pgwire/select_list.h"
#include "pgwire/stmt.h"

struct backend;

enum {
	ORIGINS_KEPT_MAX = 1000,
	/* Behind the 31st row that is numbered after its ENUM type (_row_oid of the catalog) stands its array type. */
	ENUM_ARRAY_ROW = 31
};

/* What is known of tables and ENUM types; zeroed at first, its arena is the session's. */
struct origins {
	struct arena *arena;
	struct map tables; /* "schema.name" -> struct origin_table */
	struct map enums;  /* the type's text -> its id */
	uint64_t changes, attached, settings;
};

/* A table that a name means. */
struct origin_table {
	uint32_t oid; /* 0: nobody knows the table */
	const char **columns;
	bool *always; /* by column: GENERATED ALWAYS AS IDENTITY */
	bool any_always;
	uint32_t *lists; /* by column: what reads texts that it is given, bytea[] or text[]; 0: no array */
	bool any_list;
	size_t count;
};

void origins_done(struct origins *o);
/* Kept until the workspace's objects change; never NULL. */
const struct origin_table *origins_table(struct backend *b, const struct select_source *source);
/* The id of a column's type; of an ENUM its own. */
uint32_t origins_type(struct backend *b, const struct type *type);
/* Fills in what the columns of the statement's result have beyond name and type of the engine. */
void origins_tell(struct backend *b, const struct stmt *s, struct arena *arena, const struct type *const *types,
		  struct message_column *columns, size_t n);

#endif
