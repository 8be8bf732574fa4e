/*
 * One thread that sees what the event loops cannot: clients that leave while
 * their connection is suspended, heads and bodies that come too slowly, and
 * connections to be closed gently after an early answer (RFC 9112, section 9.6).
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include "http/exchange.h"

struct watch *watch_start(struct http_server *server);
void watch_stop(struct watch *watch);

/* All on the connection's event loop. */
void watch_open(struct watch *watch, struct conn *conn);
/* Whether its client sent bytes and is still there. */
bool watch_has_spoken(const struct conn *conn);
/* With `linger` its socket stays open a little and what arrives is thrown away, so that our answer is read. */
void watch_close(struct watch *watch, struct conn *conn);
/* A head is complete; false when the connection was given up meanwhile: close it. */
MUST_CHECK bool watch_head(struct watch *watch, struct conn *conn, struct exchange *ex);
/* Body bytes arrived; false as above. */
MUST_CHECK bool watch_body(struct watch *watch, struct conn *conn, uint64_t received);
/* We do not take more for now: it is not the client who is slow. */
void watch_body_pause(struct watch *watch, struct conn *conn);
/* The whole request is here; false as above. */
MUST_CHECK bool watch_body_end(struct watch *watch, struct conn *conn);
/* A file is about to be sent. The library holds back (TCP_CORK) what it sends of one until the end, which leaves the
   client to pull it out piece by piece: once the socket was full, it sends at once. */
void watch_file(struct watch *watch, struct conn *conn);
void watch_end(struct watch *watch, struct conn *conn);
/* Every request that runs is to stop. */
void watch_abandon_all(struct watch *watch);

#endif
