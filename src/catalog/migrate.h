/*
 * The schema of metadata.duckdb over time. The table schema_version has a row
 * for each version the file went through. An empty file gets the newest schema
 * at once; an older one is brought up step by step, each step in a transaction
 * with its version row; a newer one is refused.
 */
#ifndef CATALOG_MIGRATE_H
#define CATALOG_MIGRATE_H

#include "base/err.h"
#include "engine/session.h"

/* From version - 1 to version. */
struct migration {
	int64_t version;
	const char *sql;
};

enum { SCHEMA_VERSION = 4 };

/* ERR_METADATA: not a catalog, newer than `newest`, or not the schema that rows.def describes afterwards. */
MUST_CHECK bool migrate_run(struct session *session, const struct migration *steps, size_t count, int64_t newest,
			    struct err *err);
/* As above with the program's own steps. */
MUST_CHECK bool migrate_to_current(struct session *session, struct err *err);

#endif
