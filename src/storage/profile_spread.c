/* Outliers, histograms, correlations: what needs the first look's results, or several columns. */
#include "storage/profile_core.h"

#include "engine/sql.h"

#include <math.h>
#include <stdlib.h>

enum { HISTOGRAM_VALUES_MAX = 1000, HISTOGRAM_RANGES = 50 };

/* A double that the engine reads as exactly this double. */
static void double_sql(struct buf *sql, double value)
{
	buf_str(sql, "'");
	buf_double(sql, value);
	buf_str(sql, "'::DOUBLE");
}

/* ---- outliers ---- */

static void bounds_take(struct profile_column *out, double lower, double upper)
{
	out->outlier_lower = profile_round(lower, 4);
	out->outlier_upper = profile_round(upper, 4);
}

static bool outliers_count(struct profiled *p, struct err *err)
{
	struct profile_column *out = p->out;
	double spread = out->quantiles[Q75] - out->quantiles[Q25];
	double lower = out->quantiles[Q25] - 1.5 * spread;
	double upper = out->quantiles[Q75] + 1.5 * spread;
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	size_t rows;
	if (!isfinite(lower) || !isfinite(upper))
		return true;
	if (p->sorted) {
		out->outlier_count = (int64_t)(profile_values_below(&p->values, lower) + p->values.count -
					       profile_values_up_to(&p->values, upper));
		bounds_take(out, lower, upper);
		return true;
	}
	sql_printf(&sql, "SELECT count(*) FILTER (x < ");
	double_sql(&sql, lower);
	buf_str(&sql, " OR x > ");
	double_sql(&sql, upper);
	sql_printf(&sql, ") FROM (SELECT %I::DOUBLE AS x FROM %s)", out->name, p->profiler->table);
	bool fine = profile_query(p->profiler, &sql, &c, &rows, err);
	if (fine && rows == 1) {
		out->outlier_count = cursor_int(c, 0, 0);
		bounds_take(out, lower, upper);
	}
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

/* ---- histogram ---- */

static bool histogram_values(struct profiled *p, struct err *err)
{
	struct profile_column *out = p->out;
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	size_t rows;
	struct profile_bar *bars = arena_array(p->profiler->arena, struct profile_bar, HISTOGRAM_VALUES_MAX);
	sql_printf(&sql,
		   "SELECT x::VARCHAR, count(*) FROM (SELECT %I AS x FROM %s) WHERE x IS NOT NULL GROUP BY x "
		   "ORDER BY x",
		   out->name, p->profiler->table);
	bool fine = profile_query(p->profiler, &sql, &c, &rows, err);
	while (fine && rows > 0) {
		for (size_t i = 0; i < rows && out->histogram_count < HISTOGRAM_VALUES_MAX; i++)
			bars[out->histogram_count++] = (struct profile_bar){
				arena_copy(p->profiler->arena, cursor_text(c, 0, i)), cursor_int(c, 1, i)};
		fine = cursor_next(c, &rows, err);
	}
	out->histogram = bars;
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

/* Edge i of the ranges. The difference is taken last, so that the widest range of doubles does not overflow. */
static double edge(const struct profiled *p, double width, int i)
{
	return i == HISTOGRAM_RANGES ? p->high : p->low + (double)i * width;
}

static const char *range_text(const struct profiled *p, double width, int i)
{
	struct buf text = BUF(256);
	buf_byte(&text, '[');
	buf_double(&text, edge(p, width, i));
	buf_str(&text, ", ");
	buf_double(&text, edge(p, width, i + 1));
	buf_byte(&text, i + 1 == HISTOGRAM_RANGES ? ']' : ')');
	const char *copy = arena_copy(p->profiler->arena, buf_view(&text));
	buf_done(&text);
	return copy;
}

/*
 * b is right up to one, because the division rounds; the comparison with the edges, computed as above, puts it right, so that
 * the counts are those of the ranges as they are printed.
 */
static void ranges_sql(const struct profiled *p, double width, struct buf *sql)
{
	buf_str(sql, "SELECT least(greatest(CASE WHEN x < l + b * w THEN b - 1 WHEN x >= l + (b + 1) * w THEN b + 1 "
		     "ELSE b END, 0), 49)::BIGINT AS n, count(*) FROM (SELECT x, ");
	double_sql(sql, p->low);
	buf_str(sql, " AS l, ");
	double_sql(sql, width);
	sql_printf(sql,
		   " AS w, floor(x / w - l / w) AS b FROM (SELECT %I::DOUBLE AS x FROM %s) WHERE isfinite(x)) "
		   "GROUP BY n",
		   p->out->name, p->profiler->table);
}

static void ranges_count(const struct profiled *p, double width, struct profile_bar *bars)
{
	for (int i = 0; i < HISTOGRAM_RANGES; i++) {
		size_t from = profile_values_below(&p->values, edge(p, width, i));
		size_t to = i + 1 == HISTOGRAM_RANGES ? profile_values_up_to(&p->values, p->high)
						      : profile_values_below(&p->values, edge(p, width, i + 1));
		bars[i].count = to > from ? (int64_t)(to - from) : 0;
	}
}

static bool histogram_ranges(struct profiled *p, struct err *err)
{
	struct profile_column *out = p->out;
	double width = p->high / HISTOGRAM_RANGES - p->low / HISTOGRAM_RANGES;
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	size_t rows;
	struct profile_bar *bars = arena_array(p->profiler->arena, struct profile_bar, HISTOGRAM_RANGES);
	for (int i = 0; i < HISTOGRAM_RANGES; i++)
		bars[i].value = range_text(p, width, i);
	out->histogram = bars;
	out->histogram_count = HISTOGRAM_RANGES;
	if (p->sorted) {
		ranges_count(p, width, bars);
		return true;
	}
	ranges_sql(p, width, &sql);
	bool fine = profile_query(p->profiler, &sql, &c, &rows, err);
	while (fine && rows > 0) {
		for (size_t i = 0; i < rows; i++)
			bars[cursor_int(c, 0, i)].count = cursor_int(c, 1, i);
		fine = cursor_next(c, &rows, err);
	}
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

bool profile_spread_read(struct profiled *p, struct err *err)
{
	if (!outliers_count(p, err))
		return false;
	if (!p->profiler->histograms)
		return true;
	return p->out->distinct <= HISTOGRAM_VALUES_MAX ? histogram_values(p, err) : histogram_ranges(p, err);
}

/* ---- correlations ---- */

static int stronger_first(const void *a, const void *b)
{
	double left = fabs(((const struct profile_correlation *)a)->r);
	double right = fabs(((const struct profile_correlation *)b)->r);
	return (left < right) - (left > right);
}

/* corr() of the pairs i < k with first <= pair number < last; a refusal leaves them out. */
static bool pairs_read(struct profiler *p, const struct profile_column *const *columns, size_t n, size_t first,
		       size_t last, double *ret_r, struct err *err)
{
	struct buf sql = BUF(1 * MIB);
	struct cursor *c;
	size_t rows;
	size_t pair = 0;
	buf_str(&sql, "SELECT ");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++, pair++) {
			if (pair >= first && pair < last)
				sql_printf(&sql, "%scorr(c%d, c%d)", pair > first ? ", " : "", (int64_t)i, (int64_t)k);
		}
	}
	buf_str(&sql, " FROM (SELECT ");
	for (size_t i = 0; i < n; i++)
		sql_printf(&sql, "%s%I::DOUBLE AS c%d", i ? ", " : "", columns[i]->name, (int64_t)i);
	sql_printf(&sql, " FROM %s)", p->table);
	bool fine = profile_query(p, &sql, &c, &rows, err);
	for (size_t i = first; i < last && fine && rows == 1; i++)
		ret_r[i] = cursor_is_null(c, i - first, 0) ? NAN : cursor_double(c, i - first, 0);
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

/* All at once; when one pair's numbers are too large for the engine, each on its own. */
static bool pairs_all(struct profiler *p, const struct profile_column *const *columns, size_t n, size_t pairs,
		      double *r, struct err *err)
{
	if (pairs_read(p, columns, n, 0, pairs, r, err))
		return true;
	for (size_t i = 0; i < pairs; i++) {
		if (err->code != ERR_ENGINE_REFUSED)
			return false;
		err_clear(err);
		(void)!pairs_read(p, columns, n, i, i + 1, r, err);
		if (err->code == ERR_NONE)
			err->code = ERR_ENGINE_REFUSED;
	}
	bool fine = err->code == ERR_ENGINE_REFUSED;
	err_clear(err);
	return fine;
}

static void strongest_keep(struct profile *profile, struct profile_correlation *all, size_t n)
{
	qsort(all, n, sizeof(*all), stronger_first);
	profile->correlation_count = n < PROFILE_CORRELATIONS_MAX ? n : PROFILE_CORRELATIONS_MAX;
	for (size_t i = 0; i < profile->correlation_count; i++) {
		profile->correlations[i] = all[i];
		profile->correlations[i].r = profile_round(all[i].r, 4);
	}
}

bool profile_correlate(struct profiler *p, struct err *err)
{
	enum { PAIRS_MAX = PROFILE_CORRELATED * (PROFILE_CORRELATED - 1) / 2 };
	const double least = 0.3;
	const double strong = 0.7;
	struct profile *profile = p->result;
	const struct profile_column *columns[PROFILE_CORRELATED];
	struct profile_correlation kept[PAIRS_MAX];
	double r[PAIRS_MAX];
	size_t n = 0;
	size_t pair = 0;
	size_t count = 0;
	for (size_t i = 0; i < profile->column_count && n < PROFILE_CORRELATED; i++) {
		enum profile_kind kind = profile_kind_of(profile->columns[i].type);
		if (kind == PROFILE_NUMBER || kind == PROFILE_FLOAT)
			columns[n++] = &profile->columns[i];
	}
	if (n < 2 || profile->row_count == 0)
		return true;
	for (size_t i = 0; i < PAIRS_MAX; i++)
		r[i] = NAN;
	if (!pairs_all(p, columns, n, n * (n - 1) / 2, r, err))
		return false;
	profile->has_correlations = true;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++, pair++) {
			if (isfinite(r[pair]) && fabs(r[pair]) > least)
				kept[count++] = (struct profile_correlation){columns[i]->name, columns[k]->name,
									     r[pair], fabs(r[pair]) > strong};
		}
	}
	strongest_keep(profile, kept, count);
	return true;
}
