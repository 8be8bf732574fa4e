#include "pgwire/to_char.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A time, or the parts of an interval. */
struct parts {
	bool interval, has_zone;
	int year, month, day, hour, minute, second, micros;
	int zone; /* seconds */
};

enum field {
	F_YEAR,
	F_YEAR3,
	F_YEAR2,
	F_YEAR1,
	F_YEAR_COMMA,
	F_ISO_YEAR,
	F_ISO_YEAR3,
	F_ISO_YEAR2,
	F_ISO_YEAR1,
	F_CENTURY,
	F_ERA,
	F_QUARTER,
	F_MONTH,
	F_MONTH_NAME,
	F_MONTH_SHORT,
	F_ROMAN,
	F_WEEK,
	F_WEEK_OF_MONTH,
	F_ISO_WEEK,
	F_DAY,
	F_DAY_OF_YEAR,
	F_ISO_DAY_OF_YEAR,
	F_DAY_OF_WEEK,
	F_ISO_DAY_OF_WEEK,
	F_DAY_NAME,
	F_DAY_SHORT,
	F_JULIAN,
	F_HOUR24,
	F_HOUR12,
	F_MINUTE,
	F_SECOND,
	F_SECONDS,
	F_MILLIS,
	F_MICROS,
	F_FRACTION,
	F_NOON,
	F_ZONE,
	F_ZONE_HOURS,
	F_ZONE_MINUTES,
	F_OFFSET
};

/* Longer ones first where one begins like another. */
static const struct {
	const char *name;
	enum field field;
	bool dotted;
} FIELDS[] = {
	{"Y,YYY", F_YEAR_COMMA, false},
	{"YYYY", F_YEAR, false},
	{"YYY", F_YEAR3, false},
	{"YY", F_YEAR2, false},
	{"Y", F_YEAR1, false},
	{"IYYY", F_ISO_YEAR, false},
	{"IYY", F_ISO_YEAR3, false},
	{"IY", F_ISO_YEAR2, false},
	{"IDDD", F_ISO_DAY_OF_YEAR, false},
	{"ID", F_ISO_DAY_OF_WEEK, false},
	{"IW", F_ISO_WEEK, false},
	{"I", F_ISO_YEAR1, false},
	{"CC", F_CENTURY, false},
	{"B.C.", F_ERA, true},
	{"A.D.", F_ERA, true},
	{"BC", F_ERA, false},
	{"AD", F_ERA, false},
	{"A.M.", F_NOON, true},
	{"P.M.", F_NOON, true},
	{"AM", F_NOON, false},
	{"PM", F_NOON, false},
	{"Q", F_QUARTER, false},
	{"MONTH", F_MONTH_NAME, false},
	{"MON", F_MONTH_SHORT, false},
	{"MM", F_MONTH, false},
	{"MI", F_MINUTE, false},
	{"MS", F_MILLIS, false},
	{"RM", F_ROMAN, false},
	{"WW", F_WEEK, false},
	{"W", F_WEEK_OF_MONTH, false},
	{"DAY", F_DAY_NAME, false},
	{"DDD", F_DAY_OF_YEAR, false},
	{"DD", F_DAY, false},
	{"DY", F_DAY_SHORT, false},
	{"D", F_DAY_OF_WEEK, false},
	{"J", F_JULIAN, false},
	{"HH24", F_HOUR24, false},
	{"HH12", F_HOUR12, false},
	{"HH", F_HOUR12, false},
	{"SSSSS", F_SECONDS, false},
	{"SSSS", F_SECONDS, false},
	{"SS", F_SECOND, false},
	{"US", F_MICROS, false},
	{"FF", F_FRACTION, false},
	{"TZH", F_ZONE_HOURS, false},
	{"TZM", F_ZONE_MINUTES, false},
	{"TZ", F_ZONE, false},
	{"OF", F_OFFSET, false},
};

static const char *const MONTHS[] = {"January", "February", "March",	 "April",   "May",	"June",
				     "July",	"August",   "September", "October", "November", "December"};
static const char *const DAYS[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const ROMAN[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

/* --- the calendar --- */

static int64_t julian(int64_t y, int m, int d)
{
	const int64_t shifted = m > 2 ? m + 1LL : m + 13LL, years = (m > 2 ? y : y - 1) + 4800, century = years / 100;
	return years * 365 - 32167 + years / 4 - century + century / 4 + 7834 * shifted / 256 + d;
}

static int64_t day_number(const struct parts *p)
{
	return julian(p->year, p->month, p->day);
}

/* Of what there is no such day or month, as of intervals, one is told all the same. */
static int within(int64_t n, int of)
{
	return (int)((n % of + of) % of);
}

/* Sunday is 0. */
static int day_of_week(const struct parts *p)
{
	return within(day_number(p) + 1, 7);
}

static int day_of_year(const struct parts *p)
{
	return (int)(day_number(p) - julian(p->year, 1, 1) + 1);
}

/* The Monday on which the ISO year begins. */
static int64_t iso_start(int64_t year)
{
	const int64_t fourth = julian(year, 1, 4);
	return fourth - within(fourth, 7);
}

static int iso_year(const struct parts *p)
{
	const int64_t day = day_number(p);
	if (day < iso_start(p->year))
		return p->year - 1;
	return day >= iso_start(p->year + 1LL) ? p->year + 1 : p->year;
}

static int iso_day(const struct parts *p)
{
	return (int)(day_number(p) - iso_start(iso_year(p)) + 1);
}

/* --- what the engine writes --- */

static bool take_int(struct span *s, int *ret)
{
	const bool negative = s->len && *s->ptr == '-';
	struct span rest = negative ? span_skip(*s, 1) : *s;
	int64_t n = 0;
	size_t digits = 0;
	for (; rest.len && isdigit((unsigned char)*rest.ptr) && digits < 9; rest = span_skip(rest, 1), digits++)
		n = n * 10 + (*rest.ptr - '0');
	if (!digits)
		return false;
	*ret = (int)(negative ? -n : n);
	*s = rest;
	return true;
}

static bool take(struct span *s, char c)
{
	if (!s->len || *s->ptr != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

/* 04:05:06.789 */
static bool read_clock(struct span *s, struct parts *p)
{
	const bool negative = take(s, '-');
	if (!take_int(s, &p->hour) || !take(s, ':') || !take_int(s, &p->minute))
		return false;
	if (take(s, ':') && !take_int(s, &p->second))
		return false;
	if (take(s, '.'))
		for (int i = 0, unit = 100000; s->len && isdigit((unsigned char)*s->ptr);
		     i++, unit /= 10, *s = span_skip(*s, 1))
			p->micros += (*s->ptr - '0') * unit;
	if (negative) {
		p->hour = -p->hour;
		p->minute = -p->minute;
		p->second = -p->second;
		p->micros = -p->micros;
	}
	return true;
}

static bool read_zone(struct span *s, struct parts *p)
{
	int hours = 0, minutes = 0, seconds = 0;
	const bool west = s->len && *s->ptr == '-';
	if (!take(s, '+') && !take(s, '-'))
		return true;
	p->has_zone = true;
	if (!take_int(s, &hours) || (take(s, ':') && !take_int(s, &minutes)) ||
	    (take(s, ':') && !take_int(s, &seconds)))
		return false;
	if (hours > 99 || minutes > 59 || seconds > 59)
		return false;
	p->zone = (hours * 60 + minutes) * 60 + seconds;
	p->zone = west ? -p->zone : p->zone;
	return true;
}

/* 2024-03-05 (BC) 14:07:09.5+01 */
static bool read_time(struct span s, struct parts *p)
{
	if (!take_int(&s, &p->year) || !take(&s, '-') || !take_int(&s, &p->month) || !take(&s, '-') ||
	    !take_int(&s, &p->day) || p->month < 1 || p->month > 12)
		return false;
	if (span_starts(s, SPAN(" (BC)"))) {
		p->year = 1 - p->year;
		s = span_skip(s, 5);
	}
	if (!take(&s, ' ') && !take(&s, 'T'))
		return true;
	return read_clock(&s, p) && read_zone(&s, p);
}

/* 1 year 2 months -3 days 04:05:06 */
static bool read_interval(struct span s, struct parts *p)
{
	p->interval = true;
	while (s.len) {
		struct span word = span_cut(&s, ' ');
		if (span_find(word, ':') < word.len) {
			if (!read_clock(&word, p))
				return false;
			continue;
		}
		const struct span unit = span_cut(&s, ' ');
		int n;
		if (!take_int(&word, &n))
			return false;
		if (span_starts(unit, SPAN("year")))
			p->year = n;
		else if (span_starts(unit, SPAN("month")))
			p->month = n;
		else
			p->day = n;
	}
	return true;
}

/* --- what is written --- */

struct writer {
	const struct parts *p;
	struct buf *out;
	bool fill;	   /* FM: no padding */
	bool upper, lower; /* how the pattern is written */
	bool dotted;
};

static void put_int(const struct writer *w, int n, int width)
{
	if (w->fill)
		buf_printf(w->out, "%d", n);
	else
		buf_printf(w->out, n < 0 ? "-%0*d" : "%0*d", width, abs(n));
}

static void put_word(const struct writer *w, const char *word, size_t len, size_t width)
{
	const size_t n = strlen(word) < len ? strlen(word) : len;
	for (size_t i = 0; i < n; i++) {
		const int c = (unsigned char)word[i];
		buf_byte(w->out, (char)(w->upper ? toupper(c) : w->lower ? tolower(c) : c));
	}
	for (size_t i = n; i < width && !w->fill; i++)
		buf_byte(w->out, ' ');
}

static void put_mark(const struct writer *w, const char *mark)
{
	for (const char *c = mark; *c; c++) {
		buf_byte(w->out, w->lower ? (char)tolower((unsigned char)*c) : *c);
		if (w->dotted)
			buf_byte(w->out, '.');
	}
}

static void put_zone(const struct writer *w, bool minutes)
{
	const int zone = w->p->zone, left = abs(zone) / 60 % 60;
	buf_printf(w->out, "%c%02d", zone < 0 ? '-' : '+', abs(zone) / 3600);
	if (minutes && left)
		buf_printf(w->out, ":%02d", left);
}

/* Years before Christ count from 1. */
static int shown_year(const struct parts *p, int year)
{
	return year <= 0 && !p->interval ? 1 - year : year;
}

static int hour12(int hour)
{
	return hour % 12 == 0 ? 12 : hour % 12;
}

static void put_year(const struct writer *w, enum field field)
{
	const bool iso = field >= F_ISO_YEAR;
	const int year = shown_year(w->p, iso ? iso_year(w->p) : w->p->year);
	switch (field) {
	case F_YEAR_COMMA:
		buf_printf(w->out, "%d,%03d", year / 1000, year % 1000);
		break;
	case F_YEAR3:
	case F_ISO_YEAR3:
		put_int(w, year % 1000, 3);
		break;
	case F_YEAR2:
	case F_ISO_YEAR2:
		put_int(w, year % 100, 2);
		break;
	case F_YEAR1:
	case F_ISO_YEAR1:
		put_int(w, year % 10, 1);
		break;
	default:
		put_int(w, year, 4);
	}
}

static void put_date(const struct writer *w, enum field field)
{
	const struct parts *p = w->p;
	const int weekday = p->interval ? 0 : day_of_week(p);
	const int of_year = p->interval ? p->day : day_of_year(p);
	switch (field) {
	case F_CENTURY:
		put_int(w, p->year > 0 ? (p->year - 1) / 100 + 1 : p->year / 100 - 1, 2);
		break;
	case F_QUARTER:
		put_int(w, (p->month - 1) / 3 + 1, 1);
		break;
	case F_MONTH:
		put_int(w, p->month, 2);
		break;
	case F_WEEK:
		put_int(w, (of_year - 1) / 7 + 1, 2);
		break;
	case F_WEEK_OF_MONTH:
		put_int(w, (p->day - 1) / 7 + 1, 1);
		break;
	case F_ISO_WEEK:
		put_int(w, (iso_day(p) - 1) / 7 + 1, 2);
		break;
	case F_DAY:
		put_int(w, p->day, 2);
		break;
	case F_DAY_OF_YEAR:
		put_int(w, of_year, 3);
		break;
	case F_ISO_DAY_OF_YEAR:
		put_int(w, iso_day(p), 3);
		break;
	case F_DAY_OF_WEEK:
		put_int(w, weekday + 1, 1);
		break;
	case F_ISO_DAY_OF_WEEK:
		put_int(w, weekday ? weekday : 7, 1);
		break;
	default:
		buf_printf(w->out, "%lld", (long long)day_number(p));
	}
}

static void put_name(const struct writer *w, enum field field)
{
	const struct parts *p = w->p;
	const char *month = MONTHS[within(p->month - 1, 12)], *day = DAYS[day_of_week(p)];
	switch (field) {
	case F_ERA:
		put_mark(w, p->year > 0 ? "AD" : "BC");
		break;
	case F_MONTH_NAME:
		put_word(w, month, 9, 9);
		break;
	case F_MONTH_SHORT:
		put_word(w, month, 3, 3);
		break;
	case F_ROMAN:
		put_word(w, ROMAN[within(p->month - 1, 12)], 4, 4);
		break;
	case F_DAY_NAME:
		put_word(w, day, 9, 9);
		break;
	default:
		put_word(w, day, 3, 3);
	}
}

static void put_clock(const struct writer *w, enum field field)
{
	const struct parts *p = w->p;
	switch (field) {
	case F_HOUR24:
		put_int(w, p->hour, 2);
		break;
	case F_HOUR12:
		put_int(w, hour12(p->hour), 2);
		break;
	case F_MINUTE:
		put_int(w, p->minute, 2);
		break;
	case F_SECOND:
		put_int(w, p->second, 2);
		break;
	case F_SECONDS:
		buf_printf(w->out, "%lld", (p->hour * 60LL + p->minute) * 60 + p->second);
		break;
	case F_MILLIS:
		put_int(w, p->micros / 1000, 3);
		break;
	case F_MICROS:
		put_int(w, p->micros, 6);
		break;
	case F_NOON:
		put_mark(w, p->hour % 24 >= 12 ? "PM" : "AM");
		break;
	case F_ZONE_HOURS:
		put_zone(w, false);
		break;
	case F_ZONE_MINUTES:
		buf_printf(w->out, "%02d", abs(p->zone) / 60 % 60);
		break;
	case F_OFFSET:
		put_zone(w, true);
		break;
	default:
		if (p->has_zone && p->zone)
			put_zone(w, true);
		else if (p->has_zone)
			put_mark(w, "UTC");
	}
}

static void put_ordinal(struct buf *out, bool lower)
{
	const char *text = "TH";
	const char last = out->len ? out->ptr[out->len - 1] : '0';
	const bool teen = out->len > 1 && out->ptr[out->len - 2] == '1';
	if (last == '1' && !teen)
		text = "ST";
	else if (last == '2' && !teen)
		text = "ND";
	else if (last == '3' && !teen)
		text = "RD";
	for (; *text; text++)
		buf_byte(out, lower ? (char)tolower((unsigned char)*text) : *text);
}

/* FF1 to FF6 */
static void put_fraction(const struct writer *w, size_t digits)
{
	char text[16];
	(void)snprintf(text, sizeof(text), "%06d", abs(w->p->micros));
	buf_bytes(w->out, text, digits < 6 ? digits : 6);
}

static void put_field(const struct writer *w, enum field field, struct span *pattern)
{
	if (field == F_FRACTION) {
		put_fraction(w, pattern->len ? (size_t)(*pattern->ptr - '0') : 6);
		*pattern = span_skip(*pattern, 1);
	} else if (field <= F_ISO_YEAR1) {
		put_year(w, field);
	} else if (field == F_ERA || field == F_MONTH_NAME || field == F_MONTH_SHORT || field == F_ROMAN ||
		   field == F_DAY_NAME || field == F_DAY_SHORT) {
		put_name(w, field);
	} else if (field <= F_JULIAN) {
		put_date(w, field);
	} else {
		put_clock(w, field);
	}
	if (pattern->len >= 2 && span_eq_nocase(span_first(*pattern, 2), SPAN("TH"))) {
		put_ordinal(w->out, *pattern->ptr == 't');
		*pattern = span_skip(*pattern, 2);
	}
}

/* "text", a backslash and a character, or one character by itself. */
static void put_literal(struct span *pattern, struct buf *out)
{
	if (take(pattern, '"')) {
		while (pattern->len && *pattern->ptr != '"') {
			if (*pattern->ptr == '\\' && pattern->len > 1)
				*pattern = span_skip(*pattern, 1);
			buf_byte(out, *pattern->ptr);
			*pattern = span_skip(*pattern, 1);
		}
		*pattern = span_skip(*pattern, 1);
		return;
	}
	if (*pattern->ptr == '\\' && pattern->len > 1)
		*pattern = span_skip(*pattern, 1);
	buf_byte(out, *pattern->ptr);
	*pattern = span_skip(*pattern, 1);
}

static void write_time(const struct parts *p, struct span pattern, struct buf *out)
{
	while (pattern.len) {
		struct writer w = {.p = p, .out = out};
		struct span rest = pattern;
		while (rest.len >= 2 && (span_eq_nocase(span_first(rest, 2), SPAN("FM")) ||
					 span_eq_nocase(span_first(rest, 2), SPAN("FX")))) {
			w.fill = w.fill || toupper((unsigned char)rest.ptr[1]) == 'M';
			rest = span_skip(rest, 2);
		}
		size_t k = 0;
		while (k < ARRAY_LEN(FIELDS) &&
		       !span_eq_nocase(span_first(rest, strlen(FIELDS[k].name)), span_of(FIELDS[k].name)))
			k++;
		if (k == ARRAY_LEN(FIELDS)) {
			put_literal(&pattern, out);
			continue;
		}
		w.lower = islower((unsigned char)rest.ptr[0]);
		w.upper = !w.lower && rest.len > 1 && isupper((unsigned char)rest.ptr[1]);
		w.dotted = FIELDS[k].dotted;
		pattern = span_skip(rest, strlen(FIELDS[k].name));
		put_field(&w, FIELDS[k].field, &pattern);
	}
}

bool to_char_call(const struct span *arguments, struct buf *out, const char **ret_error)
{
	const struct span type = arguments[0], value = arguments[1], pattern = arguments[2];
	struct parts p = {.month = 1};
	*ret_error = NULL;
	if (!value.ptr || !type.ptr || !pattern.len)
		return false;
	if (span_is(type, "INTERVAL") || span_is(type, "TIME")) {
		p.month = 0;
		if (!read_interval(value, &p))
			return false;
		write_time(&p, pattern, out);
		return true;
	}
	if (span_starts(type, SPAN("TIMESTAMP")) || span_is(type, "DATE") || span_is(type, "VARCHAR")) {
		/* Infinity is none of the calendar. */
		if (read_time(value, &p)) {
			write_time(&p, pattern, out);
			return true;
		}
		if (!span_is(type, "VARCHAR"))
			return false;
	}
	return to_char_number(value, pattern, out, ret_error);
}
