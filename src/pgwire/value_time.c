/* Dates, times and intervals in the ISO forms; false means "not one of these", and the engine's cast decides. */
#include "pgwire/value_inner.h"

#include <stdlib.h>

enum { YEAR_MAX = 294276, ZONE_SECONDS_MAX = 16 * 3600 };

#define SECOND_US INT64_C(1000000)
#define DAY_US	  (INT64_C(86400) * SECOND_US)

/* Takes min..max digits off the front. */
static bool take_number(struct span *text, size_t min, size_t max, int64_t *ret)
{
	size_t n = 0;
	int64_t value = 0;
	while (n < text->len && n < max && text->ptr[n] >= '0' && text->ptr[n] <= '9')
		value = value * 10 + (text->ptr[n++] - '0');
	*text = span_skip(*text, n);
	*ret = value;
	return n >= min;
}

static bool take_char(struct span *text, char c)
{
	if (text->len == 0 || *text->ptr != c)
		return false;
	*text = span_skip(*text, 1);
	return true;
}

/* ".5" as microseconds; nothing there is 0. Digits past the sixth round. */
static bool take_fraction(struct span *text, int64_t *ret_us)
{
	int64_t us = 0, place = SECOND_US / 10;
	*ret_us = 0;
	if (!take_char(text, '.'))
		return true;
	bool any = false;
	for (; text->len && *text->ptr >= '0' && *text->ptr <= '9'; *text = span_skip(*text, 1)) {
		any = true;
		if (place > 0)
			us += place * (*text->ptr - '0');
		else if (place == 0 && *text->ptr >= '5')
			us++;
		place = place > 0 ? place / 10 : -1;
	}
	*ret_us = us;
	return any;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t month_days(int64_t year, int64_t month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool value_civil(int64_t year, int64_t month, int64_t day, int64_t *ret_days)
{
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	*ret_days = days_from_civil(year, month, day);
	return true;
}

/* YYYYMMDD */
static bool take_date_basic(struct span *text, int64_t *ret_days)
{
	struct span rest = *text;
	int64_t date;
	if (!take_number(&rest, 8, 8, &date) ||
	    (rest.len && (*rest.ptr == '-' || (*rest.ptr >= '0' && *rest.ptr <= '9'))))
		return false;
	*text = rest;
	return date >= 10000 && value_civil(date / 10000, date / 100 % 100, date % 100, ret_days);
}

/* YYYY-MM-DD; " BC" may stand at the very end of the whole text, so the caller cut it off. */
static bool take_date(struct span *text, bool is_bc, int64_t *ret_days)
{
	int64_t year, month, day;
	if (!is_bc && take_date_basic(text, ret_days))
		return true;
	if (!take_number(text, 4, 6, &year) || !take_char(text, '-') || !take_number(text, 1, 2, &month) ||
	    !take_char(text, '-') || !take_number(text, 1, 2, &day))
		return false;
	if (year == 0 || year > YEAR_MAX)
		return false;
	return value_civil(is_bc ? 1 - year : year, month, day, ret_days);
}

/* HHMMSS[.ffffff] */
static bool take_compact(struct span *text, int64_t *ret_us)
{
	struct span rest = *text;
	int64_t number, us;
	if (!take_number(&rest, 6, 6, &number) || !take_fraction(&rest, &us) || (rest.len && *rest.ptr == ':'))
		return false;
	const int64_t hours = number / 10000, minutes = number / 100 % 100, seconds = number % 100;
	*ret_us = ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + us;
	if (minutes > 59 || seconds > 59 || *ret_us > DAY_US)
		return false;
	*text = rest;
	return true;
}

/* "AM", "PM" behind a time of at most twelve hours; false: more than that. */
static bool take_half_day(struct span *text, int64_t *hours)
{
	const struct span rest = value_trim(*text);
	const bool am = span_eq_nocase(span_first(rest, rest.len < 2 ? rest.len : 2), SPAN("am"));
	const bool pm = span_eq_nocase(span_first(rest, rest.len < 2 ? rest.len : 2), SPAN("pm"));
	if (!am && !pm)
		return true;
	*text = span_skip(rest, 2);
	if (*hours < 1 || *hours > 12)
		return false;
	*hours = *hours % 12 + (pm ? 12 : 0);
	return true;
}

/* HH:MM[:SS[.ffffff]] [AM|PM] */
static bool take_time(struct span *text, int64_t *ret_us)
{
	int64_t hours, minutes, seconds = 0, us = 0;
	if (take_compact(text, ret_us))
		return true;
	if (!take_number(text, 1, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, 2, &minutes))
		return false;
	if (take_char(text, ':') && (!take_number(text, 2, 2, &seconds) || !take_fraction(text, &us)))
		return false;
	if (!take_half_day(text, &hours))
		return false;
	int64_t total = ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + us;
	if (minutes > 59 || seconds > 60 || (seconds == 60 && us) || total > DAY_US)
		return false;
	*ret_us = total;
	return true;
}

/* Z, UTC, +HH, +HHMM, +HH:MM, +HH:MM:SS at the end. */
static bool take_zone(struct span *text, int32_t *ret_east)
{
	int64_t hours, minutes = 0, seconds = 0;
	struct span zone = value_trim(*text);
	*ret_east = 0;
	*text = span_skip(*text, text->len);
	if (span_eq_nocase(zone, SPAN("z")) || span_eq_nocase(zone, SPAN("utc")))
		return true;
	bool west = take_char(&zone, '-');
	if (!west && !take_char(&zone, '+'))
		return false;
	if (!take_number(&zone, 1, 2, &hours))
		return false;
	if (zone.len) {
		(void)take_char(&zone, ':');
		if (!take_number(&zone, 2, 2, &minutes))
			return false;
	}
	if (take_char(&zone, ':') && !take_number(&zone, 2, 2, &seconds))
		return false;
	int64_t east = (hours * 60 + minutes) * 60 + seconds;
	if (zone.len || minutes > 59 || seconds > 59 || east >= ZONE_SECONDS_MAX)
		return false;
	*ret_east = (int32_t)(west ? -east : east);
	return true;
}

static bool is_infinity(struct span text, int64_t infinity, int64_t *ret)
{
	if (!span_eq_nocase(text, SPAN("infinity")) && !span_eq_nocase(text, SPAN("-infinity")))
		return false;
	*ret = *text.ptr == '-' ? -infinity : infinity;
	return true;
}

static struct span cut_era(struct span text, bool *ret_bc)
{
	*ret_bc = text.len > 3 && span_eq_nocase(span_skip(text, text.len - 3), SPAN(" BC"));
	bool has_ad = text.len > 3 && span_eq_nocase(span_skip(text, text.len - 3), SPAN(" AD"));
	return *ret_bc || has_ad ? value_trim(span_first(text, text.len - 3)) : text;
}

bool value_date_text(struct span text, struct pg_value *ret)
{
	bool bc;
	int64_t days;
	if (is_infinity(text, VALUE_DATE_INFINITY, &ret->integer))
		return true;
	text = cut_era(text, &bc);
	if (!take_date(&text, bc, &days) || text.len)
		return false;
	ret->integer = days;
	return true;
}

bool value_time_text(struct span text, bool with_zone, struct pg_value *ret)
{
	int64_t us;
	int32_t east;
	if (!take_time(&text, &us))
		return false;
	if (!with_zone) {
		ret->integer = us;
		return text.len == 0;
	}
	if (!take_zone(&text, &east))
		return false;
	ret->timetz.us = us;
	ret->timetz.east_seconds = east;
	return true;
}

void value_put_timetz(struct buf *out, const struct pg_value *v)
{
	const int64_t us = v->timetz.us;
	const int32_t east = v->timetz.east_seconds, size = abs(east);
	buf_printf(out, "%02d:%02d:%02d.%06d%c%02d:%02d:%02d", (int)(us / 3600 / SECOND_US),
		   (int)(us / 60 / SECOND_US % 60), (int)(us / SECOND_US % 60), (int)(us % SECOND_US),
		   east < 0 ? '-' : '+', size / 3600, size / 60 % 60, size % 60);
}

bool value_timestamp_text(struct span text, bool with_zone, struct pg_value *ret)
{
	bool bc;
	int64_t days, us = 0;
	int32_t east = 0;
	if (is_infinity(text, VALUE_TIME_INFINITY, &ret->integer))
		return true;
	text = cut_era(text, &bc);
	if (!take_date(&text, bc, &days))
		return false;
	if (text.len && strchr(" Tt", *text.ptr)) {
		text = value_trim(span_skip(text, 1));
		if (!take_time(&text, &us))
			return false;
	}
	/* Without a zone, the session's zone decides: the engine knows it. */
	bool zone_given = text.len > 0;
	if ((zone_given && !take_zone(&text, &east)) || (with_zone && !zone_given))
		return false;
	int64_t whole;
	return !__builtin_mul_overflow(days, DAY_US, &whole) &&
	       !__builtin_add_overflow(whole, us - (with_zone ? east * SECOND_US : 0), &ret->integer) &&
	       ret->integer < VALUE_TIME_INFINITY && ret->integer > -VALUE_TIME_INFINITY;
}

/* --- intervals --- */

enum unit { UNIT_MONTHS, UNIT_DAYS, UNIT_US };

static const struct {
	const char *name;
	enum unit unit;
	int64_t factor;
} UNITS[] = {
	{"microsecond", UNIT_US, 1},
	{"us", UNIT_US, 1},
	{"usec", UNIT_US, 1},
	{"millisecond", UNIT_US, 1000},
	{"ms", UNIT_US, 1000},
	{"msec", UNIT_US, 1000},
	{"second", UNIT_US, SECOND_US},
	{"sec", UNIT_US, SECOND_US},
	{"s", UNIT_US, SECOND_US},
	{"minute", UNIT_US, 60 * SECOND_US},
	{"min", UNIT_US, 60 * SECOND_US},
	{"m", UNIT_US, 60 * SECOND_US},
	{"hour", UNIT_US, 3600 * SECOND_US},
	{"hr", UNIT_US, 3600 * SECOND_US},
	{"h", UNIT_US, 3600 * SECOND_US},
	{"day", UNIT_DAYS, 1},
	{"d", UNIT_DAYS, 1},
	{"week", UNIT_DAYS, 7},
	{"w", UNIT_DAYS, 7},
	{"month", UNIT_MONTHS, 1},
	{"mon", UNIT_MONTHS, 1},
	{"year", UNIT_MONTHS, 12},
	{"yr", UNIT_MONTHS, 12},
	{"y", UNIT_MONTHS, 12},
	{"decade", UNIT_MONTHS, 120},
	{"century", UNIT_MONTHS, 1200},
	{"centurie", UNIT_MONTHS, 1200},
	{"millennium", UNIT_MONTHS, 12000},
};

struct interval {
	int64_t months, days, us;
	bool failed;
};

/* `fraction_us` is a millionth part of the unit. Parts of months become days, parts of days become time. */
static void add(struct interval *t, enum unit unit, int64_t factor, int64_t number, int64_t fraction_us)
{
	int64_t *const fields[] = {[UNIT_MONTHS] = &t->months, [UNIT_DAYS] = &t->days, [UNIT_US] = &t->us};
	int64_t amount;
	if (__builtin_mul_overflow(number, factor, &amount) ||
	    __builtin_add_overflow(*fields[unit], amount, fields[unit])) {
		t->failed = true;
		return;
	}
	int64_t part;
	if (fraction_us == 0)
		return;
	if (__builtin_mul_overflow(fraction_us, factor, &part)) {
		t->failed = true;
		return;
	}
	add(t, unit, 1, part / SECOND_US, 0);
	if (unit == UNIT_DAYS)
		add(t, UNIT_US, DAY_US / SECOND_US, part % SECOND_US, 0);
	else if (unit == UNIT_MONTHS)
		add(t, UNIT_DAYS, 30, 0, part % SECOND_US);
}

static bool add_named(struct interval *t, struct span name, int64_t number, int64_t fraction_us)
{
	for (size_t plural = 0; plural < 2; plural++) {
		if (plural && !(name.len > 2 && (name.ptr[name.len - 1] == 's' || name.ptr[name.len - 1] == 'S')))
			break;
		struct span stem = span_first(name, name.len - plural);
		for (size_t i = 0; i < ARRAY_LEN(UNITS); i++)
			if (span_eq_nocase(stem, span_of(UNITS[i].name))) {
				add(t, UNITS[i].unit, UNITS[i].factor, number, fraction_us);
				return true;
			}
	}
	return false;
}

static struct span take_word(struct span *text)
{
	size_t n = 0;
	while (n < text->len && ((text->ptr[n] | 0x20) >= 'a' && (text->ptr[n] | 0x20) <= 'z'))
		n++;
	struct span word = span_first(*text, n);
	*text = value_trim(span_skip(*text, n));
	return word;
}

/* "04:05:06.5", hours unbounded. */
static bool take_clock(struct span *text, int64_t hours, int64_t sign, struct interval *t)
{
	int64_t minutes, seconds = 0, us = 0;
	if (!take_char(text, ':') || !take_number(text, 2, 2, &minutes))
		return false;
	if (take_char(text, ':') && (!take_number(text, 2, 2, &seconds) || !take_fraction(text, &us)))
		return false;
	if (minutes > 59 || seconds > 59)
		return false;
	add(t, UNIT_US, 3600 * SECOND_US, sign * hours, 0);
	add(t, UNIT_US, 1, sign * ((minutes * 60 + seconds) * SECOND_US + us), 0);
	return true;
}

static bool take_sign(struct span *text)
{
	bool minus = take_char(text, '-');
	if (!minus)
		(void)take_char(text, '+');
	return minus;
}

/* SQL's own forms: "1-2" are years and months, in "3 4:05:06" the first are days. False: it is none of them. */
static bool take_bare(struct span *text, int64_t sign, int64_t number, struct interval *t)
{
	struct span rest = *text;
	int64_t more;
	if (rest.len > 1 && *rest.ptr == '-' && take_char(&rest, '-')) {
		if (!take_number(&rest, 1, 2, &more) || more > 11 || (rest.len && *rest.ptr != ' '))
			return false;
		add(t, UNIT_MONTHS, 12, sign * number, 0);
		add(t, UNIT_MONTHS, 1, sign * more, 0);
		*text = value_trim(rest);
		return true;
	}
	struct span clock = value_trim(rest);
	if (clock.ptr == rest.ptr)
		return false;
	*text = clock;
	(void)take_sign(&clock);
	if (!take_number(&clock, 1, 15, &more) || !clock.len || *clock.ptr != ':')
		return false;
	add(t, UNIT_DAYS, 1, sign * number, 0);
	return true;
}

static bool verbose_interval(struct span text, struct interval *t)
{
	(void)take_char(&text, '@');
	text = value_trim(text);
	bool any = false;
	while (text.len) {
		int64_t number, fraction;
		if (any && span_eq_nocase(text, SPAN("ago"))) {
			*t = (struct interval){-t->months, -t->days, -t->us, t->failed};
			return true;
		}
		const int64_t sign = take_sign(&text) ? -1 : 1;
		if (!take_number(&text, 1, 15, &number))
			return false;
		any = true;
		if (text.len && *text.ptr == ':') {
			if (!take_clock(&text, number, sign, t))
				return false;
			text = value_trim(text);
			continue;
		}
		struct span bare = text;
		if (take_bare(&bare, sign, number, t)) {
			text = bare;
			continue;
		}
		if (!take_fraction(&text, &fraction))
			return false;
		text = value_trim(text);
		if (!add_named(t, take_word(&text), sign * number, sign * fraction))
			return false;
	}
	return any;
}

/* ISO 8601: P1Y2M3W4DT5H6M7.5S */
static bool iso_interval(struct span text, struct interval *t)
{
	static const struct {
		char letter;
		bool in_time;
		enum unit unit;
		int64_t factor;
	} letters[] = {{'Y', false, UNIT_MONTHS, 12},
		       {'M', false, UNIT_MONTHS, 1},
		       {'W', false, UNIT_DAYS, 7},
		       {'D', false, UNIT_DAYS, 1},
		       {'H', true, UNIT_US, 3600 * SECOND_US},
		       {'M', true, UNIT_US, 60 * SECOND_US},
		       {'S', true, UNIT_US, SECOND_US}};
	bool in_time = false, any = false;
	text = span_skip(text, 1);
	while (text.len) {
		int64_t number, fraction;
		if (!in_time && take_char(&text, 'T')) {
			in_time = true;
			continue;
		}
		int64_t sign = take_char(&text, '-') ? -1 : 1;
		if (!take_number(&text, 1, 15, &number) || !take_fraction(&text, &fraction) || text.len == 0)
			return false;
		size_t i = 0;
		while (i < ARRAY_LEN(letters) && (letters[i].letter != *text.ptr || letters[i].in_time != in_time))
			i++;
		if (i == ARRAY_LEN(letters))
			return false;
		add(t, letters[i].unit, letters[i].factor, sign * number, sign * fraction);
		text = span_skip(text, 1);
		any = true;
	}
	return any;
}

bool value_interval_text(struct span text, struct pg_value *ret)
{
	struct interval t = {0};
	bool fine = text.len && *text.ptr == 'P' ? iso_interval(text, &t) : verbose_interval(text, &t);
	if (!fine || t.failed || llabs(t.months) > INT32_MAX || llabs(t.days) > INT32_MAX)
		return false;
	ret->interval.months = (int32_t)t.months;
	ret->interval.days = (int32_t)t.days;
	ret->interval.us = t.us;
	return true;
}
