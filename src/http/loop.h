/*
 * An event loop: one library daemon, polled from outside by a thread of its own.
 *
 * Polling is ours because the library, where it polls itself, asks again after
 * each full batch of 128 events with the timeout of the first question: when
 * nothing else happens it sleeps on requests that it has been told of. Asked
 * from outside it never sleeps.
 *
 * A loop belongs to who made it. loop_wake and loop_refuse may be called by anybody, loop_stop once.
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <microhttpd.h>

struct http_server;
struct loop;

/* For `server`, which its daemon's callbacks ask for. */
struct loop *loop_new(struct http_server *server);
struct http_server *loop_server(const struct loop *loop);
/* Takes the daemon, which must be one for external polling with epoll. */
void loop_start(struct loop *loop, struct MHD_Daemon *daemon);
/* On the loop: a request was read. While they come it looks for the next before it goes to sleep, which costs less. */
void loop_busy(struct loop *loop);
/* Something changed that its daemon must look at: a connection was resumed. */
void loop_wake(struct loop *loop);
/* Accepts no more; the connections stay. */
void loop_refuse(struct loop *loop);
/* Ends the connections, the thread and the daemon; the loop is gone. Also for one that was not started. */
void loop_stop(struct loop *loop);

#endif
