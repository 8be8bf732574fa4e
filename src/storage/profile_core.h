/* Private to the files profile*.c. */
#ifndef STORAGE_PROFILE_CORE_H
#define STORAGE_PROFILE_CORE_H

#include "engine/session.h"
#include "engine/table.h"
#include "storage/profile.h"

enum profile_kind { PROFILE_NUMBER, PROFILE_FLOAT, PROFILE_TEXT, PROFILE_MOMENT, PROFILE_OTHER };

/* One run. */
struct profiler {
	struct arena *arena;
	struct session *session;
	const char *table; /* alias.main.data */
	bool histograms;
	bool quality; /* patterns and correlations */
	bool sorts;   /* a column's numbers fit in memory */
	struct profile *result;
};

/* The sorted numbers of a column, as doubles. */
struct profile_values {
	const uint64_t *keys; /* integers of the same order */
	size_t count;
	void *memory;
};

/* A column on its way. */
struct profiled {
	struct profiler *profiler;
	struct profile_column *out;
	enum profile_kind kind;
	bool sorted;		      /* `values` answers instead of the engine */
	struct profile_values values; /* from profile_values_read to profile_values_free */
	int64_t infinite;	      /* values that are infinite or NaN */
	double low, high;	      /* least and largest finite value */
};

/* Which statistics a type gets. */
enum profile_kind profile_kind_of(const char *type);
/* Fills p->out from the column. */
MUST_CHECK bool profile_column_read(struct profiled *p, struct err *err);
/* Reads and sorts the numbers of a column whose count is known. */
MUST_CHECK bool profile_values_read(struct profiled *p, struct err *err);
void profile_values_free(struct profile_values *v);
size_t profile_values_below(const struct profile_values *v, double x);
size_t profile_values_up_to(const struct profile_values *v, double x);
int64_t profile_values_distinct(const struct profile_values *v);
/* As the engine's quantile_cont; of at least one value. */
double profile_values_quantile(const struct profile_values *v, double q);
/* The second look at a column of numbers, when its quantiles are known: outliers and histogram. */
MUST_CHECK bool profile_spread_read(struct profiled *p, struct err *err);
/* The pairs among the first numeric columns. */
MUST_CHECK bool profile_correlate(struct profiler *p, struct err *err);
/* Score and issues from what the columns say. */
void profile_judge(struct profile *profile, struct arena *arena);

/* As the API shows numbers: n decimals, halves as the nearest double says. */
double profile_round(double value, int decimals);
/* A first row of one statement; false also when there is none. The cursor is to be closed in any case. */
MUST_CHECK bool profile_query(struct profiler *p, struct buf *sql, struct cursor **ret, size_t *ret_rows,
			      struct err *err);

#endif
