/*
 * The types clients expect of pg_catalog's columns. The engine has neither oid
 * nor name, "char" or the vectors; clients that read binary (asyncpg, pgx) and
 * those that choose a decoder by type (pgjdbc) need them. They are told by the
 * column's name, or by the name an alias stands for in the statement's text.
 * Only for statements that mention the catalog. Pure functions.
 */
#ifndef PGWIRE_CATALOG_COLUMNS_H
#define PGWIRE_CATALOG_COLUMNS_H

#include "engine/type.h"
#include "pgwire/message.h"
#include "pgwire/stmt.h"

/* The id for a column or parameter of this engine type; its own when the catalog has no other. */
uint32_t catalog_type(const struct type *type);
/* Refines type_oid and type_len of a result's columns, whose engine types are `types`. */
void catalog_columns(const struct stmt *s, struct arena *arena, const struct type *const *types,
		     struct message_column *columns, size_t n);
/* What encode_pg_row() is to do for a column whose format on the wire is known. */
int16_t catalog_format(const struct message_column *column);

#endif
