/*
 * One call on the gRPC port, from the moment the C core hands it over until
 * its last event has come. Inside of the gRPC server.
 *
 * Whoever waits for an event of the call holds a reference: the "closed" event
 * one, the flow of messages one. Flows run on polling threads, or on a worker
 * in between; the closed event may come at any time on another thread and does
 * no more than to cancel. A call that is answered at once has no closed event
 * of its own: it comes with the answer's.
 *
 *	requested (with the message) -> [worker] -> sent     Execute
 *	requested -> received -> sent                        other unary methods
 *	requested -> received -> sent -> received -> ...     streams
 */
#ifndef GRPC_RPC_H
#define GRPC_RPC_H

#include "grpc/command.h"
#include "grpc/driver.h"
#include "grpc/reflection.h"

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct rpc;
struct method;

/* An event to come: `done` runs on a polling thread; `ok` as the C core says. */
struct rpc_tag {
	struct rpc *rpc;
	void (*done)(struct rpc *rpc, bool ok);
	/* Written before the C core gets the tag and read when it comes back: the order between the two threads, as a
	   sanitizer sees it (the core's own queue is not instrumented). */
	_Atomic bool handed;
};

enum rpc_watch { WATCH_NONE, WATCH_SERVER, WATCH_UNKNOWN };

struct rpc {
	struct driver_server *server;
	const struct method *method;
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload;
	struct rpc_tag requested, received, closed, sent;
	int cancelled; /* filled by the C core */
	atomic_int refs;
	_Atomic bool abandoned;
	struct arena *arena;   /* from the moment it is requested */
	bool began;	       /* the head of the answer went out */
	bool closing;	       /* the closed event was asked for */
	gpr_timespec deadline; /* of Execute */
	/* Execute */
	struct call context;
	struct progress *progress;
	struct driver_call *command;
	ProtobufCMessage *message;
	const char *query_tags;
	int64_t start_ns;
	/* Streams; guarded by the server's lock */
	struct rpc *next, *previous;
	bool listed;
	bool over; /* the closed event has come */
	enum rpc_watch watch;
	bool sending;
	int sent_status; /* last state a watcher was told */
};

/* What can be called. */
struct method {
	const char *path;
	void (*received)(struct rpc *rpc, bool ok);
};

enum { SPARE_ARENAS = 32 };

struct driver_server {
	struct storage *storage;
	grpc_server *server;
	grpc_completion_queue *cq;
	void *execute; /* the registered method */
	struct pool *pool;
	struct reflection *reflection;
	unsigned long pollers[2];
	size_t poller_count;
	int port;
	size_t request_max;
	size_t response_max;
	bool reference_compat;
	_Atomic bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rpc *streams;		   /* open ones */
	struct arena *spare[SPARE_ARENAS]; /* of calls that are over */
	size_t spare_count;
	size_t calls; /* rpcs that exist, but for those that wait for a call */
	struct timespec grace_end;
	bool shut; /* the C core's server has ended all calls */
	struct rpc_tag shutdown;
};

/* rpc.c */
/* Registers the method that has the traffic; before the server starts. */
void rpc_register(struct driver_server *server);
/* Waits for the next call of Execute; for the next one of anything else. */
void rpc_request_execute(struct driver_server *server);
void rpc_request(struct driver_server *server);
/* Asks for the closed event: for calls that are not answered at once. */
void rpc_watch_close(struct rpc *rpc);
void rpc_unref(struct rpc *rpc);
/* Asks for the next message of the client; `received` of the method follows. */
void rpc_receive(struct rpc *rpc);
/*
 * The received message's bytes, unpacked when they were compressed; in the arena. ERR_PAYLOAD_TOO_LARGE, and
 * ERR_INVALID_REQUEST for broken compression.
 */
MUST_CHECK bool rpc_payload(struct rpc *rpc, struct span *ret, struct err *err);
/* One message of a stream; `sent` follows. */
void rpc_send(struct rpc *rpc, struct span message, void (*sent)(struct rpc *rpc, bool ok));
/* Ends the call: an answer (NULL: none) and a status; gives up the flow's reference once that is sent. */
void rpc_finish(struct rpc *rpc, const struct span *message, enum err_grpc status, const char *text);
/* First value of a metadata key (lower case); empty when absent. */
struct span rpc_metadata(const struct rpc *rpc, const char *key);

/* Whether the metadata is within LIMIT_GRPC_METADATA_BYTES; if not, the call is answered with METADATA_TOO_LARGE. */
bool rpc_metadata_fits(const struct rpc *rpc);
#define METADATA_TOO_LARGE "The metadata of the call is too large"

/* Counts a call that is turned away before it is one of a command. */
void rpc_reject(const char *reason);

/* execute.c */
void execute_received(struct rpc *rpc, bool ok);
/* Resolves the series of the gRPC ecosystem's own names, and counts the call in. */
void execute_started(struct rpc *rpc);

/* streams.c: health and reflection */
void health_check_received(struct rpc *rpc, bool ok);
void health_watch_received(struct rpc *rpc, bool ok);
void reflection_received(struct rpc *rpc, bool ok);
/* Tells the watchers that the server is going away, and ends all streams. */
void streams_end(struct driver_server *server);
/* The stream's call is over. */
void stream_unlist(struct rpc *rpc);

#endif
