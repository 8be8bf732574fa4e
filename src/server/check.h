/*
 * `duckdb-api check`: looks at everything that can keep the server from running
 * well, and says what to do about each fault. Changes nothing.
 */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H

#include "base/settings.h"

/* Writes one line for each finding; returns the number of faults (warnings excluded). */
size_t check_run(const struct settings *settings, struct buf *out);

#endif
