/*
 * Choosing and ordering rows by structured conditions, as the driver's clients
 * give them: values are data, whatever they hold. What comes out is SQL made of
 * quoted names and literals over the columns of one table.
 *
 * Conditions are ANDed. Without a type a value is cast to the column's own
 * type; with one both sides are cast. What cannot be cast matches nothing.
 *
 * Errors: ERR_COLUMN_NOT_FOUND, ERR_INVALID_ARGUMENT (no value, several values
 * for an operator other than eq and ne, a time that is none), and
 * ERR_NO_TIMESTAMP_COLUMN for changed_since and changed_until.
 */
#ifndef STORAGE_FILTER_H
#define STORAGE_FILTER_H

#include "engine/table.h"

enum filter_op { FILTER_EQ, FILTER_NE, FILTER_GT, FILTER_GE, FILTER_LT, FILTER_LE, FILTER_OPS };
enum filter_type { FILTER_OWN, FILTER_BIGINT, FILTER_DOUBLE, FILTER_TIMESTAMP };

struct filter {
	const char *column; /* any case */
	enum filter_op op;
	const char *const *values;
	size_t value_count;
	enum filter_type type;
};

struct filter_order {
	const char *column;
	bool descending;
	enum filter_type type;
};

struct filters {
	const struct filter *rows;
	size_t count;
	/* On the column _timestamp: at or after, before. Unix seconds or ISO 8601; NULL or empty: no limit. */
	const char *changed_since;
	const char *changed_until;
	const char *fulltext; /* in any text column; NULL or empty: not asked */
	const struct filter_order *order;
	size_t order_count;
};

/* A condition for WHERE; NULL when every row is wanted. */
MUST_CHECK bool filters_where(const struct filters *filters, const struct table_schema *schema, struct arena *arena,
			      const char **ret_sql, struct err *err);
/* " ORDER BY ..." or nothing; NULLs come last. */
MUST_CHECK bool filters_order(const struct filters *filters, const struct table_schema *schema, struct buf *sql,
			      struct err *err);

/* Decimal seconds, or a date and time with 'T' or a blank between them; without a zone it is UTC. */
MUST_CHECK bool filter_time(struct span text, int64_t *ret_unix_us);

#endif
