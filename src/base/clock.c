#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_unix_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static int64_t floor_seconds(int64_t unix_us)
{
	return unix_us / US_PER_S - (unix_us % US_PER_S < 0);
}

size_t clock_format(int64_t unix_us, const char *format, char *ret, size_t size)
{
	time_t seconds = floor_seconds(unix_us);
	struct tm parts;
	if (!gmtime_r(&seconds, &parts))
		return 0;
	return strftime(ret, size, format, &parts);
}

/* `n` decimal digits with leading zeros. */
static char *digits(char *to, unsigned value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + n;
}

/* To the second, by hand. Years 0 to 9999. */
static void iso_seconds(int64_t seconds, char *to)
{
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	unsigned second = (unsigned)(seconds - days * 86400);
	/* Eras of 400 years that begin on 1 March, so that leap days come last. */
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned day_of_era = (unsigned)(z - era * 146097);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day + 2) / 153;
	int64_t year = year_of_era + era * 400 + (month >= 10);
	to = digits(to, (unsigned)(year < 0 ? 0 : year > 9999 ? 9999 : year), 4);
	*to++ = '-';
	to = digits(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	to = digits(to, day - (153 * month + 2) / 5 + 1, 2);
	*to++ = 'T';
	to = digits(to, second / 3600, 2);
	*to++ = ':';
	to = digits(to, second / 60 % 60, 2);
	*to++ = ':';
	(void)digits(to, second % 60, 2);
}

/* Every answer and log line has some times, most of them of the same second. */
void clock_iso(int64_t unix_us, char ret[CLOCK_ISO_SIZE])
{
	enum { SECONDS_LEN = sizeof("1970-01-01T00:00:00") - 1 };
	static __thread int64_t last = INT64_MIN;
	static __thread char text[SECONDS_LEN];
	int64_t seconds = floor_seconds(unix_us);
	if (seconds != last) {
		iso_seconds(seconds, text);
		last = seconds;
	}
	memcpy(ret, text, SECONDS_LEN);
	ret[SECONDS_LEN] = '.';
	char *to = digits(ret + SECONDS_LEN + 1, (unsigned)(unix_us - seconds * US_PER_S), 6);
	memcpy(to, "+00:00", sizeof("+00:00"));
}
