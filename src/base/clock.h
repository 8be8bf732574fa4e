/*
 * Time. Durations and deadlines use the monotonic clock in nanoseconds, stored
 * points in time are Unix microseconds UTC. Thread-safe.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/span.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define US_PER_S  INT64_C(1000000)

int64_t clock_ns(void);	     /* monotonic */
int64_t clock_unix_us(void); /* wall clock */

static inline double clock_seconds_since(int64_t start_ns)
{
	return (double)(clock_ns() - start_ns) / 1e9;
}

enum { CLOCK_ISO_SIZE = 33 };
/* 2025-03-04T05:06:07.123456+00:00 */
void clock_iso(int64_t unix_us, char ret[CLOCK_ISO_SIZE]);
/* As strftime, in UTC; returns the length, 0 when it does not fit. */
size_t clock_format(int64_t unix_us, const char *format, char *ret, size_t size)
	__attribute__((format(strftime, 2, 0)));

#endif
