/* One column: the statements that look at it, and what becomes of their answers. */
#include "storage/profile_core.h"

#include "engine/encode_json.h"
#include "engine/sql.h"

#include <math.h>

/* A pattern of text. `first` is a cheap condition that rules most values out before the expression is tried. */
static const struct {
	const char *name;
	const char *first;
	const char *match;
} patterns[PROFILE_PATTERNS] = {
	{"email", "contains(x, '@')", "regexp_full_match(x, '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}')"},
	{"uuid", "strlen(x) = 36",
	 "regexp_full_match(x, "
	 "'(?i)[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')"},
	{"url", "starts_with(x, 'http')", "starts_with(x, 'http://') OR starts_with(x, 'https://')"},
	{"phone", "strlen(x) BETWEEN 10 AND 21", "regexp_full_match(x, '\\+?[0-9\\s()-]{10,20}')"},
	{"ipv4", "strlen(x) BETWEEN 7 AND 15",
	 "regexp_full_match(x, '((25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])\\.){3}"
	 "(25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])')"},
	{"date_iso", "strlen(x) = 10", "regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}')"},
	{"datetime_iso", "strlen(x) >= 16", "regexp_matches(x, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}')"},
};

enum profile_kind profile_kind_of(const char *type)
{
	struct span name = span_of(type);
	const struct type_row *row = type_row_named(name);
	bool decimal = span_starts(name, SPAN("DECIMAL(")) && span_find(name, ')') == name.len - 1;
	enum type_id id = decimal ? TYPE_DECIMAL : row ? row->id : TYPE_OTHER;
	switch (id) {
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return PROFILE_FLOAT;
	case TYPE_DECIMAL:
		return PROFILE_NUMBER;
	case TYPE_VARCHAR:
		return PROFILE_TEXT;
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		return PROFILE_MOMENT;
	default:
		return type_is_integer(id) ? PROFILE_NUMBER : PROFILE_OTHER;
	}
}

/* ---- the statement ---- */

/* What is left out when the engine refuses: some types have no order, some numbers too large moments. */
struct reach {
	bool order, moments;
};

/* Columns of the answer. */
enum { A_COUNT, A_DISTINCT, A_MIN, A_MAX, A_FIRST };
enum { A_AVG = A_FIRST, A_STD, A_SKEW, A_KURT, A_INFINITE, A_LOW, A_HIGH, A_QUANTILE };
enum { A_AVG_LENGTH = A_FIRST, A_MIN_LENGTH, A_MAX_LENGTH, A_EMPTY, A_BLANK, A_PATTERN };

static void number_sql(const struct profiled *p, struct reach reach, struct buf *sql)
{
	bool filter = p->kind == PROFILE_FLOAT;
	static const char *const moments[] = {"avg", "stddev_samp", "skewness", "kurtosis"};
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		if (reach.moments)
			sql_printf(sql, ", %s(x::DOUBLE)%s", moments[i], filter ? " FILTER (isfinite(x))" : "");
		else
			buf_str(sql, ", NULL::DOUBLE");
	}
	if (filter)
		buf_str(sql, ", count(*) FILTER (NOT isfinite(x)), min(x::DOUBLE) FILTER (isfinite(x)), "
			     "max(x::DOUBLE) FILTER (isfinite(x))");
	else
		buf_str(sql, ", 0::BIGINT, min(x)::DOUBLE, max(x)::DOUBLE");
	buf_str(sql, p->sorted ? ", NULL::DOUBLE[] AS q"
			       : ", quantile_cont(x::DOUBLE, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) AS q");
}

static void text_sql(const struct profiled *p, struct buf *sql)
{
	buf_str(sql, ", avg(length(x)), min(length(x)), max(length(x)), count(*) FILTER (x = ''), "
		     "count(*) FILTER (x <> '' AND trim(x) = '')");
	for (size_t i = 0; i < PROFILE_PATTERNS && p->profiler->quality; i++)
		sql_printf(sql, ", count(*) FILTER (CASE WHEN %s THEN %s ELSE false END)", patterns[i].first,
			   patterns[i].match);
}

/* The bounds of these come as values, for the form that a preview gives them; all else in the engine's own text form. */
static bool as_in_preview(enum profile_kind kind)
{
	return kind == PROFILE_MOMENT || kind == PROFILE_NUMBER;
}

static void column_sql(const struct profiled *p, struct reach reach, struct buf *sql)
{
	bool number = p->kind == PROFILE_NUMBER || p->kind == PROFILE_FLOAT;
	const char *form = as_in_preview(p->kind) ? "" : "::VARCHAR";
	if (number)
		buf_str(sql, "SELECT * EXCLUDE (q), q[1], q[2], q[3], q[4], q[5], q[6], q[7] FROM (");
	buf_str(sql, p->sorted ? "SELECT count(x), 0::BIGINT" : "SELECT count(x), count(DISTINCT x)");
	if (reach.order)
		sql_printf(sql, ", min(x)%s, max(x)%s", form, form);
	else
		buf_str(sql, ", NULL::VARCHAR, NULL::VARCHAR");
	if (number)
		number_sql(p, reach, sql);
	else if (p->kind == PROFILE_TEXT)
		text_sql(p, sql);
	sql_printf(sql, " FROM (SELECT %I AS x FROM %s)%s", p->out->name, p->profiler->table, number ? ")" : "");
}

/* ---- the answer ---- */

static const char *bound_text(struct profiled *p, const struct cursor *c, size_t column)
{
	struct arena *arena = p->profiler->arena;
	if (cursor_is_null(c, column, 0))
		return NULL;
	if (!as_in_preview(p->kind))
		return arena_copy(arena, cursor_text(c, column, 0));
	struct buf text = BUF(256);
	encode_json_value(&cursor_vectors(c)[column], 0, JSON_STYLE_PREVIEW, &text);
	struct span s = buf_view(&text);
	/* A JSON string of plain characters. */
	const char *copy = s.len > 2 && s.ptr[0] == '"' ? arena_copy(arena, (struct span){s.ptr + 1, s.len - 2})
							: arena_copy(arena, s);
	buf_done(&text);
	return copy;
}

static double number_or_nan(const struct cursor *c, size_t column)
{
	return cursor_is_null(c, column, 0) ? NAN : cursor_double(c, column, 0);
}

static enum profile_class class_of(int64_t distinct, int64_t count)
{
	double ratio = count ? (double)distinct / (double)count : 0;
	if (count && distinct == count)
		return CLASS_UNIQUE;
	if (distinct == 1)
		return CLASS_CONSTANT;
	return ratio > 0.9 ? CLASS_HIGH : ratio > 0.5 ? CLASS_MEDIUM : ratio > 0.01 ? CLASS_LOW : CLASS_VERY_LOW;
}

static void distinct_take(struct profile_column *out, int64_t distinct)
{
	out->distinct = distinct;
	out->cardinality_ratio = out->count ? profile_round((double)distinct / (double)out->count, 4) : 0;
	out->cardinality = class_of(distinct, out->count);
}

static void base_take(struct profiled *p, const struct cursor *c)
{
	struct profile_column *out = p->out;
	int64_t rows = p->profiler->result->row_count;
	out->count = cursor_int(c, A_COUNT, 0);
	out->null_percentage = rows ? profile_round((double)(rows - out->count) / (double)rows * 100, 2) : 0;
	distinct_take(out, cursor_int(c, A_DISTINCT, 0));
	out->min = bound_text(p, c, A_MIN);
	out->max = bound_text(p, c, A_MAX);
}

static void number_take(struct profiled *p, const struct cursor *c)
{
	struct profile_column *out = p->out;
	p->infinite = cursor_int(c, A_INFINITE, 0);
	p->low = number_or_nan(c, A_LOW);
	p->high = number_or_nan(c, A_HIGH);
	for (size_t i = 0; i < PROFILE_QUANTILES; i++)
		out->quantiles[i] = number_or_nan(c, A_QUANTILE + i);
	/* Infinities make them infinite or undefined. */
	if (p->infinite)
		return;
	out->avg = profile_round(number_or_nan(c, A_AVG), 4);
	out->std = profile_round(number_or_nan(c, A_STD), 4);
	out->skewness = profile_round(number_or_nan(c, A_SKEW), 4);
	out->kurtosis = profile_round(number_or_nan(c, A_KURT), 4);
}

static void text_take(struct profiled *p, const struct cursor *c)
{
	struct profile_column *out = p->out;
	out->avg_length = profile_round(number_or_nan(c, A_AVG_LENGTH), 1);
	out->min_length = cursor_int(c, A_MIN_LENGTH, 0);
	out->max_length = cursor_int(c, A_MAX_LENGTH, 0);
	out->empty_count = cursor_int(c, A_EMPTY, 0);
	out->whitespace_count = cursor_int(c, A_BLANK, 0);
	out->has_patterns = p->profiler->quality;
	for (size_t i = 0; i < PROFILE_PATTERNS && out->has_patterns; i++) {
		int64_t count = cursor_int(c, A_PATTERN + i, 0);
		if (count)
			out->patterns[out->pattern_count++] = (struct profile_pattern){
				patterns[i].name, count, profile_round((double)count / (double)out->count * 100, 1)};
	}
}

static void column_clear(struct profile_column *out)
{
	*out = (struct profile_column){
		.name = out->name,
		.type = out->type,
		.avg = NAN,
		.std = NAN,
		.skewness = NAN,
		.kurtosis = NAN,
		.outlier_count = -1,
		.outlier_lower = NAN,
		.outlier_upper = NAN,
		.avg_length = NAN,
		.min_length = -1,
		.max_length = -1,
		.empty_count = -1,
		.whitespace_count = -1,
	};
	for (size_t i = 0; i < PROFILE_QUANTILES; i++)
		out->quantiles[i] = NAN;
}

/* ---- from the sorted values ---- */

/* Do different values of the type stay different as doubles? */
static bool doubles_tell_apart(const struct profiled *p)
{
	const double whole = 9007199254740992.0; /* 2^53 */
	struct span type = span_of(p->out->type);
	uint64_t width;
	if (p->kind == PROFILE_FLOAT)
		return true;
	if (!span_starts(type, SPAN("DECIMAL(")))
		return fabs(p->low) <= whole && fabs(p->high) <= whole;
	struct span digits = span_skip(type, strlen("DECIMAL("));
	return span_u64(span_first(digits, span_find(digits, ',')), &width) && width <= 15;
}

static bool distinct_count(struct profiled *p, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	size_t rows;
	sql_printf(&sql, "SELECT count(DISTINCT %I) FROM %s", p->out->name, p->profiler->table);
	bool fine = profile_query(p->profiler, &sql, &c, &rows, err);
	if (fine && rows == 1)
		distinct_take(p->out, cursor_int(c, 0, 0));
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

static bool sorted_take(struct profiled *p, struct err *err)
{
	static const double at[PROFILE_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
	struct profile_column *out = p->out;
	if (!profile_values_read(p, err))
		return false;
	for (size_t i = 0; i < PROFILE_QUANTILES; i++)
		out->quantiles[i] = profile_values_quantile(&p->values, at[i]);
	if (!doubles_tell_apart(p))
		return distinct_count(p, err);
	distinct_take(out, profile_values_distinct(&p->values));
	return true;
}

bool profile_column_read(struct profiled *p, struct err *err)
{
	static const struct reach reaches[] = {{true, true}, {true, false}, {false, false}};
	bool fine = false;
	for (size_t i = 0; i < ARRAY_LEN(reaches) && !fine; i++) {
		struct buf sql = BUF(64 * KIB);
		struct cursor *c;
		size_t rows;
		column_clear(p->out);
		err_clear(err);
		column_sql(p, reaches[i], &sql);
		fine = profile_query(p->profiler, &sql, &c, &rows, err);
		if (fine && rows == 1) {
			base_take(p, c);
			if (p->out->count > 0 && (p->kind == PROFILE_NUMBER || p->kind == PROFILE_FLOAT))
				number_take(p, c);
			else if (p->out->count > 0 && p->kind == PROFILE_TEXT)
				text_take(p, c);
		}
		cursor_close(c);
		buf_done(&sql);
		if (!fine && err->code != ERR_ENGINE_REFUSED)
			return false;
	}
	return fine && (!p->sorted || p->out->count == 0 || sorted_take(p, err));
}
