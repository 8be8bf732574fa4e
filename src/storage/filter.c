#include "storage/filter.h"

#include "base/clock.h"
#include "base/limits.h"
#include "engine/sql.h"

#include <ctype.h>

static const char *const type_names[] = {NULL, "BIGINT", "DOUBLE", "TIMESTAMP"};

static bool column_find(const struct table_schema *schema, const char *name, const struct table_column **ret,
			struct err *err)
{
	*ret = table_column_find(schema, name);
	if (*ret)
		return true;
	(void)err_set(err, ERR_COLUMN_NOT_FOUND, "Column %s not found", name);
	err_detail(err, "column_name", name);
	return false;
}

/* ---- times ---- */

struct scan {
	struct span rest;
	bool failed;
};

static int64_t digits(struct scan *s, size_t least, size_t most)
{
	int64_t value = 0;
	size_t n = 0;
	while (n < most && n < s->rest.len && isdigit((unsigned char)s->rest.ptr[n]))
		value = value * 10 + (s->rest.ptr[n++] - '0');
	s->failed = s->failed || n < least;
	s->rest = span_skip(s->rest, n);
	return value;
}

static bool accept(struct scan *s, char c)
{
	if (s->rest.len == 0 || *s->rest.ptr != c)
		return false;
	s->rest = span_skip(s->rest, 1);
	return true;
}

static void expect(struct scan *s, char c)
{
	if (!accept(s, c))
		s->failed = true;
}

/* A fraction of up to nine digits in microseconds. */
static int64_t fraction(struct scan *s)
{
	struct span before = s->rest;
	int64_t value = digits(s, 1, 9);
	for (size_t n = before.len - s->rest.len; n < 6; n++)
		value *= 10;
	for (size_t n = before.len - s->rest.len; n > 6; n--)
		value /= 10;
	return value;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar (civil-from-days turned round). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t offset_seconds(struct scan *s)
{
	bool east = accept(s, '+');
	if (!east && !accept(s, '-')) {
		if (!accept(s, 'Z'))
			(void)accept(s, 'z');
		return 0;
	}
	int64_t hours = digits(s, 2, 2);
	(void)accept(s, ':');
	int64_t minutes = s->rest.len ? digits(s, 2, 2) : 0;
	s->failed = s->failed || hours > 15 || minutes > 59;
	return (east ? 1 : -1) * (hours * 3600 + minutes * 60);
}

static bool within(int64_t value, int64_t least, int64_t most)
{
	return value >= least && value <= most;
}

static bool calendar_time(struct span text, int64_t *ret_unix_us)
{
	struct scan s = {.rest = text};
	int64_t hour = 0;
	int64_t minute = 0;
	int64_t second = 0;
	int64_t micros = 0;
	int64_t year = digits(&s, 4, 4);
	expect(&s, '-');
	int64_t month = digits(&s, 2, 2);
	expect(&s, '-');
	int64_t day = digits(&s, 2, 2);
	if (accept(&s, 'T') || accept(&s, 't') || accept(&s, ' ')) {
		hour = digits(&s, 2, 2);
		expect(&s, ':');
		minute = digits(&s, 2, 2);
		second = accept(&s, ':') ? digits(&s, 2, 2) : 0;
		micros = accept(&s, '.') ? fraction(&s) : 0;
		(void)accept(&s, ' ');
	}
	int64_t offset = offset_seconds(&s);
	if (s.failed || s.rest.len || !within(year, 1, 9999) || !within(month, 1, 12) || !within(day, 1, 31) ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_unix_us =
		(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) * US_PER_S + micros;
	return true;
}

bool filter_time(struct span text, int64_t *ret_unix_us)
{
	struct span rest = text;
	struct span whole = span_cut(&rest, '.');
	int64_t seconds;
	if (span_i64(whole, &seconds) && whole.len <= 12) {
		struct scan s = {.rest = rest};
		int64_t micros = whole.len < text.len ? fraction(&s) : 0;
		if (s.failed || s.rest.len)
			return false;
		*ret_unix_us = seconds * US_PER_S + (*text.ptr == '-' ? -micros : micros);
		return true;
	}
	return calendar_time(text, ret_unix_us);
}

static bool changed_write(const struct table_schema *schema, const char *text, const char *op, struct buf *sql,
			  struct err *err)
{
	int64_t unix_us;
	if (!text || !*text)
		return true;
	if (!filter_time(span_of(text), &unix_us))
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "'%s' is no time: give Unix seconds or an ISO 8601 date and time", text);
	const struct table_column *column = table_column_find(schema, "_timestamp");
	if (!column)
		return err_set(err, ERR_NO_TIMESTAMP_COLUMN,
			       "changeSince and changeUntil need a column _timestamp, which the table has not");
	bool is_time = strncmp(column->type, "TIMESTAMP", strlen("TIMESTAMP")) == 0;
	sql_printf(sql, is_time ? " AND epoch_us(%I) %s %d" : " AND epoch_us(TRY_CAST(%I AS TIMESTAMP)) %s %d",
		   column->name, op, unix_us);
	return true;
}

/* ---- conditions ---- */

static bool filter_write(const struct filter *f, const struct table_schema *schema, struct buf *sql, struct err *err)
{
	static const char *const one[] = {"=", "<>", ">", ">=", "<", "<="};
	const struct table_column *column;
	if (!column_find(schema, f->column, &column, err))
		return false;
	if (f->value_count == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "The filter on column %s has no value", f->column);
	if (f->value_count > 1 && f->op != FILTER_EQ && f->op != FILTER_NE)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "The filter on column %s has several values: only eq and ne may", f->column);
	const char *type = f->type == FILTER_OWN ? column->type : type_names[f->type];
	if (f->type == FILTER_OWN)
		sql_printf(sql, " AND %I ", column->name);
	else
		sql_printf(sql, " AND TRY_CAST(%I AS %s) ", column->name, type);
	buf_str(sql, f->value_count == 1 ? one[f->op] : f->op == FILTER_EQ ? "IN" : "NOT IN");
	for (size_t i = 0; i < f->value_count; i++)
		sql_printf(sql, "%sTRY_CAST(%L AS %s)", i ? ", " : " (", f->values[i], type);
	buf_byte(sql, ')');
	return true;
}

static void fulltext_write(const char *needle, const struct table_schema *schema, struct buf *sql)
{
	size_t n = 0;
	for (size_t i = 0; i < schema->column_count; i++) {
		if (strcmp(schema->columns[i].type, "VARCHAR") == 0)
			sql_printf(sql, "%scontains(%I, %L)", n++ ? " OR " : " AND (", schema->columns[i].name, needle);
	}
	buf_str(sql, n ? ")" : " AND false");
}

bool filters_where(const struct filters *filters, const struct table_schema *schema, struct arena *arena,
		   const char **ret_sql, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	bool fine = true;
	for (size_t i = 0; fine && i < filters->count; i++)
		fine = filter_write(&filters->rows[i], schema, &sql, err);
	fine = fine && changed_write(schema, filters->changed_since, ">=", &sql, err) &&
	       changed_write(schema, filters->changed_until, "<", &sql, err);
	if (fine && filters->fulltext && *filters->fulltext) {
		if (filters->count)
			fine = err_set(err, ERR_INVALID_ARGUMENT,
				       "fulltextSearch and whereFilters cannot be used together");
		else
			fulltext_write(filters->fulltext, schema, &sql);
	}
	const char *text;
	if (fine && (fine = sql_finish(&sql, &text, err)))
		*ret_sql = sql.len ? arena_strdup(arena, text + strlen(" AND ")) : NULL;
	buf_done(&sql);
	return fine;
}

bool filters_order(const struct filters *filters, const struct table_schema *schema, struct buf *sql, struct err *err)
{
	for (size_t i = 0; i < filters->order_count; i++) {
		const struct filter_order *o = &filters->order[i];
		const struct table_column *column;
		if (!column_find(schema, o->column, &column, err))
			return false;
		buf_str(sql, i ? ", " : " ORDER BY ");
		if (o->type == FILTER_OWN)
			sql_printf(sql, "%I", column->name);
		else
			sql_printf(sql, "TRY_CAST(%I AS %s)", column->name, type_names[o->type]);
		buf_str(sql, o->descending ? " DESC NULLS LAST" : " ASC NULLS LAST");
	}
	return true;
}
