/*
 * Inside of the transport: one request and its answer on a connection.
 *
 * The event loop calls for an exchange when the request line, the head, pieces
 * of the body and the whole request have come; at the end when the last byte is
 * out or the client left. In between a worker may have it; then the connection
 * is suspended, or, for a streamed body, goes on receiving into the ring.
 *
 *	HEAD -> BODY -> RUN -> READY -> QUEUED        (inline handlers skip RUN)
 *	HEAD -> STREAM ----> READY -> QUEUED          (body arrives while it runs)
 *
 * A small body of a streamed route is gathered in the ring first: a slow client
 * holds no worker, and the request changes threads only twice.
 *
 * Two hold an exchange: the connection and its worker, or whoever is to answer later. Who lets go last ends it
 * (exchange_unref). The connection is only touched by its event loop, and by
 * others through exchange_resume while it is suspended.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/idempotency.h"
#include "http/loop.h"
#include "http/response.h"
#include "http/ring.h"
#include "http/router.h"

#include "base/clock.h"

#include <microhttpd.h>
#include <stdatomic.h>

enum phase {
	PHASE_HEAD,
	PHASE_BODY,   /* taken into memory, or dropped */
	PHASE_STREAM, /* a worker reads it from the ring */
	PHASE_RUN,    /* a worker has the request, or it waits for one with its key */
	PHASE_READY,  /* the answer is complete */
	PHASE_QUEUED  /* the library has it */
};

struct multipart;
struct stats;

/* One connection; belongs to its event loop but for what the watch reads under its lock. */
struct conn {
	struct http_server *server;
	struct loop *loop;
	struct MHD_Connection *mhd;
	int fd;
	uint32_t generation;
	bool linger; /* the client may still be sending: close gently */
	char peer[64];
	struct exchange *spare;
	struct exchange *asked;	 /* the request whose line was read, until its end; loop only */
	struct exchange *answer; /* to what the library refused; until the connection closes */
	/* Guarded by the watch's lock for this fd */
	struct exchange *current; /* from its head until its end */
	bool in_head;
	bool doomed; /* the watch answered: the loop must close */
	uint64_t idle_bytes;
	int64_t idle_since_ns;
	uint64_t requests;
	uint64_t idle_requests;
	uint64_t body_bytes;
	int64_t body_since_ns;
	bool left;	/* the client closed its side */
	bool left_seen; /* by the last sweep, with left_bytes of the body here */
	uint64_t left_bytes;
};

struct http_header {
	const char *name;
	const char *value;
};

enum { KEY_BYTES = 32 };

struct exchange {
	struct http_request req; /* first: exchange_of */
	struct http_response res;
	struct http_server *server;
	struct conn *conn; /* loop only */
	struct MHD_Connection *mhd;
	const struct router_entry *entry; /* NULL: no route */
	struct stats *stats;		  /* NULL: not counted */
	_Atomic int refs;
	enum phase phase; /* under `lock` while a worker streams */
	pthread_mutex_t lock;
	bool suspended;
	bool body_wanted;
	bool body_open; /* the client was told to go on */
	/* Head */
	char *target;
	struct http_header *headers;
	size_t header_count;
	size_t header_room;
	const char *params[HTTP_PARAMS_MAX];
	const char **query_values;
	uint64_t announced; /* body length */
	bool chunked;
	bool has_body;
	bool expects;	 /* 100-continue */
	bool gathers;	 /* its worker is called once the body is whole, or broken */
	bool run_inline; /* no worker */
	bool deferred;	 /* the inline handler asked for one */
	bool later;	 /* the answer comes from elsewhere, whatever the handler returned */
	bool keyed;
	bool refused; /* access was denied; only a replay may be served */
	struct err *refusal;
	/* Body */
	struct buf body;
	uint64_t received;
	uint64_t dropped;
	struct ring *ring;
	struct multipart *form;
	struct err *body_err; /* of the stream; final */
	struct idem_claim claim;
	void *digest;  /* EVP_MD_CTX of a streamed body with a key, while it is read */
	bool digested; /* to its end: claim.self.body_sha256 stands */
	/* A streamed answer */
	char *out;
	size_t out_len;
	size_t out_at;
	bool out_ended;
	bool out_failed;
	/* Account */
	int64_t head_ns;
	int64_t queued_ns;
	uint64_t wire_start; /* bytes written to the connection before this answer */
	uint64_t head_bytes; /* of the answer's head */
	uint64_t streamed;   /* bytes given to the library by a reader */
	uint64_t sent;
	bool complete;
	int refused_status; /* by the library: broken chunks, for example; 0: it did not */
	bool raw;	    /* the answer went out beside the library */
	bool counted_in;    /* the in-flight gauge went up */
	_Atomic bool abandoned;
	const char *request_id; /* as sent, or made; of the arena */
	char peer[64];
	char location[16];
};

struct watch;

struct http_server {
	struct http_config config;
	struct loop **loops;
	size_t loop_count;
	struct router *router;
	struct idem idem;
	struct watch *watch;
	struct stats *unmatched;
	struct arena *arena; /* of the server's life */
	int port;
	int listen_fd; /* each loop has a duplicate */
	bool tls;
	char *tls_cert; /* PEM */
	char *tls_key;
	_Atomic size_t connections;
	_Atomic size_t running; /* exchanges between head and end */
	_Atomic size_t working; /* tasks in pools that hold one */
	_Atomic bool draining;
	_Atomic bool stopping;
};

static inline struct exchange *exchange_of(const struct http_request *req)
{
	return (struct exchange *)(uintptr_t)req;
}

/* exchange.c */
struct exchange *exchange_new(struct conn *conn);
void exchange_free(struct exchange *ex); /* memory only */
void exchange_unref(struct exchange *ex);
/* The connection lets go: as exchange_unref, and keeps the memory for its next request. */
void exchange_end(struct exchange *ex);
void exchange_suspend(struct exchange *ex); /* event loop */
void exchange_resume(struct exchange *ex);  /* anybody */
enum phase exchange_phase(struct exchange *ex);
/* On a worker, or on the loop for inline routes: from the whole request to the complete answer. */
void exchange_run(void *exchange);
/* Sends it to its pool; without room the answer is the error. Takes a reference. The connection is suspended. */
void exchange_submit(struct exchange *ex);
/* The answer is complete: back to the connection. */
void exchange_ready(struct exchange *ex);

/* head.c: reads the head and decides what is to happen; fills the response when that is known already. */
void head_read(struct exchange *ex, const char *method, const char *version);

/* The same for an answer to what the library refused. `asked`: the request, as far as it was read; NULL: not even its line. */
void head_refused(struct exchange *ex, const struct exchange *asked);

/* body.c */
enum MHD_Result body_take(struct exchange *ex, const char *bytes, size_t *size);
void body_broken(struct exchange *ex);
void body_release(struct exchange *ex);

/* access.c: who is it; the route's guard. */
MUST_CHECK bool access_check(struct exchange *ex, struct err *err);
/* What two requests of one caller have in common: the key, whatever case the scheme is written in. */
struct span access_credential(const struct http_request *req);

/* render.c */
void render_error(struct exchange *ex, const struct err *err);
void render_detail(struct http_response *res, int status, const char *detail);
void render_headers(struct http_response *res);

/* send.c */
enum MHD_Result send_response(struct exchange *ex);
/* The whole answer as bytes, for a connection that is in the middle of a body; false for answers that are not bytes. */
bool send_raw(struct exchange *ex);
/* Bytes written to the connection's socket so far. */
uint64_t send_written(int fd);
void send_account(struct exchange *ex, bool complete);

#endif
