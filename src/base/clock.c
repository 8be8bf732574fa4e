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

void clock_iso(int64_t unix_us, char ret[CLOCK_ISO_SIZE])
{
	size_t len = clock_format(unix_us, "%Y-%m-%dT%H:%M:%S", ret, CLOCK_ISO_SIZE);
	long us = (long)(unix_us - floor_seconds(unix_us) * US_PER_S);
	(void)snprintf(ret + len, CLOCK_ISO_SIZE - len, ".%06ld+00:00", us);
}
