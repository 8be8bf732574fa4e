/*
 * Whether listeners still accept connections: duckdb_listener_up of the doors whose sockets a library serves (HTTP,
 * gRPC). A listener is down when no socket of the process listens on its port any more, or when connections wait to be
 * accepted and their queue did not become shorter for five seconds; so one that nobody calls counts as up. Looked at
 * for each collection, at least every ten seconds. Thread-safe; names live for ever.
 */
#ifndef METRICS_LISTENERS_H
#define METRICS_LISTENERS_H

#include "base/err.h"

void listener_opened(const char *name, int port);
void listener_closed(const char *name);

/* Collector; ctx is not used. */
MUST_CHECK bool listeners_collect(void *ctx, struct err *err);

#endif
