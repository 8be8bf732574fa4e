/* Private to the live half: finding other sessions of the door. Thread-safe. */
#ifndef PGWIRE_REGISTRY_H
#define PGWIRE_REGISTRY_H

#include "pgwire/backend.h"

/* With the door's lock held. */
struct backend *registry_find(struct pg_door *door, uint32_t pid);
/* A CancelRequest; silent when pid and key do not match. */
void registry_cancel(struct pg_door *door, uint32_t pid, struct span key);
/* Interrupts the session's statement; terminate: ends it as well. The door's lock is held. */
void registry_end(struct backend *b, bool terminate);
/* Makes the door the source of storage/activity.h. */
void activity_begin(struct pg_door *door);
/* Releases what a login took. */
void session_end_backend(struct backend *b);
/* Failed logins of a peer for a user: true when it must wait. */
bool throttle_blocks(struct pg_door *door, const char *peer, struct span user);
void throttle_note(struct pg_door *door, const char *peer, struct span user, bool failed);

/* The login is proven: the connection is no newcomer any more, who might have to make way. */
void registry_proven(struct backend *b);

#endif
