/*
 * Time zones of the system's database (RFC 8536 files), for showing points in
 * time in a session's zone. Zones are loaded once, kept for the life of the
 * process and shared freely between threads.
 */
#ifndef ENGINE_ZONE_H
#define ENGINE_ZONE_H

#include "base/span.h"

struct zone;

/*
 * "UTC", "Europe/Prague", and POSIX: "GMT-03", "<+0530>-05:30", "-02:00", whose hours count west. NULL when there is no
 * such zone. Names are checked: no path leaves the database.
 */
const struct zone *zone_find(struct span name);
/* The spelling of a name of the database that is written in other capitals; false: there is none. */
MUST_CHECK bool zone_spelling(struct span name, char *ret, size_t size);
/* Seconds east of UTC at a Unix second; 0 for NULL. */
int32_t zone_offset(const struct zone *zone, int64_t unix_s);

#endif
