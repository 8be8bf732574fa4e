/*
 * Deleting rows of a table by one boolean expression over its columns.
 */
#ifndef STORAGE_ROWS_H
#define STORAGE_ROWS_H

#include "storage/filter.h"
#include "storage/schema.h"

struct rows_deleted {
	int64_t deleted;
	int64_t left;
	struct table_info info; /* of the published table */
};

/*
 * ERR_INVALID_WHERE_CLAUSE: blank, one of the refused fragments (';', comments, drop, truncate, alter), or not one safe
 * expression (engine/expr.h). `1=1`, `true` and `1` empty the table.
 */
MUST_CHECK bool rows_delete(struct storage *storage, const struct call *call, struct schema_target target,
			    const char *where_clause, struct rows_deleted *ret, struct err *err);

/* Rows whose `column` is (not) among the values of a column of another table; NULLs there are left out. */
struct rows_reference {
	const char *column;
	bool absent;
	struct schema_target table;
	const char *referenced;
};

/*
 * The same by conditions as data; none at all: every row. ERR_COLUMN_NOT_FOUND and the errors of filter.h; ERR_NOT_FOUND
 * names a referenced table or column that does not exist.
 */
MUST_CHECK bool rows_delete_matching(struct storage *storage, const struct call *call, struct schema_target target,
				     const struct filters *filters, const struct rows_reference *references, size_t n,
				     struct rows_deleted *ret, struct err *err);

/* The text rules that stand before parsing: what clients may rely on to be refused. */
MUST_CHECK bool rows_clause_check(const char *clause, struct err *err);
/* Trimmed and in any case `1=1`, `true` or `1`. */
bool rows_clause_is_all(const char *clause);

#endif
