/*
 * Days and times of day to text. The calendar is the proleptic Gregorian one;
 * a date is counted in days from 1970-01-01. Writers write at `out` without a
 * terminator and return the number of bytes (at most CALENDAR_MAX).
 */
#ifndef ENGINE_CALENDAR_H
#define ENGINE_CALENDAR_H

#include "base/span.h"

enum { CALENDAR_MAX = 40 };

struct calendar_date {
	int64_t year; /* astronomical: 0 is 1 BC */
	unsigned month;
	unsigned day;
};

void calendar_split(int64_t days, struct calendar_date *ret);
/* Floor division: the day of a point in time, and what is left of it. */
int64_t calendar_day(int64_t value, int64_t units_per_day, int64_t *ret_rest);
/* YYYY-MM-DD; of a year before 1 the year before Christ (calendar_is_bc tells). */
size_t calendar_print_date(const struct calendar_date *date, char *out);
static inline bool calendar_is_bc(const struct calendar_date *date)
{
	return date->year <= 0;
}

/*
 * HH:MM:SS and a fraction: `units` since midnight, `digits` of them (0, 3, 6 or 9) behind the second. `trim`: without
 * trailing zeros; else all digits. No fraction when it is zero.
 */
size_t calendar_print_time(int64_t units, unsigned digits, bool trim, char *out);
/* +HH, +HH:MM or +HH:MM:SS of seconds east of UTC. */
size_t calendar_print_offset(int32_t seconds, char *out);

#endif
