/*
 * Profile of a table: statistics of each column, a quality score, and, by mode,
 * histograms, patterns of text and correlations.
 *
 *	basic		base, numeric and text statistics, score and issues
 *	distribution	and histograms
 *	quality		and patterns and correlations
 *	full		all of it
 *
 * Distinct counts and quantiles are exact. Each column is read on its own, so
 * that memory is bounded by one column: numbers are sorted in memory when they
 * fit in PROFILE_MEMORY_BYTES, else the engine does it. What the engine cannot
 * compute for a type, or only as infinity, is absent. Results live in the call's arena.
 */
#ifndef STORAGE_PROFILE_H
#define STORAGE_PROFILE_H

#include "storage/op.h"

struct storage;

enum profile_mode { PROFILE_BASIC, PROFILE_DISTRIBUTION, PROFILE_QUALITY, PROFILE_FULL };

enum profile_class { CLASS_UNIQUE, CLASS_CONSTANT, CLASS_HIGH, CLASS_MEDIUM, CLASS_LOW, CLASS_VERY_LOW };

enum profile_quantile { Q01, Q05, Q25, Q50, Q75, Q95, Q99, PROFILE_QUANTILES };

enum { PROFILE_PATTERNS = 7, PROFILE_CORRELATED = 10, PROFILE_CORRELATIONS_MAX = 20 };

struct profile_bar {
	const char *value; /* the value itself, or a range "[lo, hi)" */
	int64_t count;
};

struct profile_pattern {
	const char *name;
	int64_t count;
	double percentage;
};

/* Absent: NAN in a double, -1 in a count, NULL in a text. Numbers are rounded as the API shows them. */
struct profile_column {
	const char *name;
	const char *type;
	const char *min;
	const char *max;
	int64_t distinct;
	int64_t count; /* not null */
	double null_percentage;
	double cardinality_ratio;
	enum profile_class cardinality;
	/* Numbers */
	double avg, std, skewness, kurtosis;
	double quantiles[PROFILE_QUANTILES];
	int64_t outlier_count;
	double outlier_lower, outlier_upper;
	const struct profile_bar *histogram; /* NULL: none was asked for */
	size_t histogram_count;
	/* Text */
	double avg_length;
	int64_t min_length, max_length, empty_count, whitespace_count;
	bool has_patterns;
	struct profile_pattern patterns[PROFILE_PATTERNS];
	size_t pattern_count;
};

struct profile_issue {
	const char *column;
	const char *type;
	const char *severity;
	const char *message;
};

struct profile_correlation {
	const char *column1, *column2;
	double r;
	bool strong;
};

struct profile {
	const char *table;
	const char *bucket; /* as the caller named it */
	int64_t row_count;
	struct profile_column *columns;
	size_t column_count;
	double score;
	struct profile_issue *issues;
	size_t issue_count;
	bool has_correlations;
	struct profile_correlation correlations[PROFILE_CORRELATIONS_MAX];
	size_t correlation_count;
};

const char *profile_class_name(enum profile_class class);
/* "q01" ... */
const char *profile_quantile_name(enum profile_quantile quantile);

/* ERR_TABLE_NOT_FOUND, ERR_PROFILE_TABLE_FAILED. */
MUST_CHECK bool profile_table(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *bucket, const char *table, enum profile_mode mode,
			      struct profile *ret, struct err *err);

#endif
