/*
 * The PostgreSQL listener: one thread per connection, which reads, runs and
 * streams; one more that accepts, watches running statements' sockets and tells
 * idle ones to end. Built on storage/workspace_instance.h and pg_session.h.
 *
 * Stopping: pg_door_drain refuses new logins (57P03) and waits for sessions to
 * go; pg_door_stop ends the rest with 57P01 and frees everything.
 */
#ifndef PGWIRE_DOOR_H
#define PGWIRE_DOOR_H

#include "base/err.h"

struct storage;
struct pg_door;

/* ERR_INVALID_CONFIG: the address cannot be bound, the certificate cannot be used. */
MUST_CHECK bool pg_door_start(struct storage *storage, struct pg_door **ret, struct err *err);
int pg_door_port(const struct pg_door *door);
/* Waits up to so many seconds for sessions to end by themselves. NULL is fine. */
void pg_door_drain(struct pg_door *door, unsigned seconds);
void pg_door_stop(struct pg_door *door);

#endif
