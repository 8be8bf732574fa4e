/*
 * pg_catalog and information_schema as SQL for the engine: the database _pg, the
 * same for all workspaces (catalog_file.h), and _pg_own, a small one in memory with
 * what is each one's own. Stmt rewriting (rewrite.h) turns the names clients write
 * into _pg's. Sessions put "_pg.main" at the end of their search path.
 *
 * The relations and functions are data: src/pgwire/catalog/ holds .sql files with
 * texts in braces, .def files with relations that are empty here, and types.def.
 */
#ifndef PGWIRE_CATALOG_H
#define PGWIRE_CATALOG_H

#include "base/buf.h"

struct catalog_names {
	const char *db;	      /* the engine's name of the workspace's own file */
	const char *database; /* what clients see: workspace_<id> */
	const char *user;
	const char *version; /* version() */
	const char *started; /* ISO time */
	int64_t port;
};

/* Statements separated by ";\n"; LIMIT_SQL_BYTES is room enough. Those for _pg_own come first, and attach it. */
void catalog_own_sql(const struct catalog_names *names, struct buf *out);
void catalog_sql(struct buf *out);
/* The id PostgreSQL gives a relation of pg_catalog; 0: none. */
uint32_t catalog_relation_oid(struct span name);
/* The catalog defines a function of that name, case ignored. */
bool catalog_function(struct span name);

#endif
