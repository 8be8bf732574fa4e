/*
 * A client's socket: bytes in and out, in plaintext or TLS, with deadlines.
 *
 * Reads gather in `in` until a whole packet stands at its head; writes gather in
 * `out` and go when conn_flush is called or more than CONN_OUT_BYTES wait, so a
 * slow client holds back whoever writes, at most a second at a time, so that
 * *stop is seen. One thread, but for conn_wake.
 */
#ifndef PGWIRE_CONN_H
#define PGWIRE_CONN_H

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>

struct ssl_st;
struct ssl_ctx_st;

enum { CONN_OUT_BYTES = 64 * 1024, CONN_PEER_SIZE = 64 };

/* Longer messages no client takes (PostgreSQL's own maximum is 1 GiB - 1). */
#define CONN_OUT_MAX ((size_t)CONN_OUT_BYTES + (1U << 30))
#define CONN_OUT     ((struct buf){.max = CONN_OUT_MAX, .keeps = true})

/* Bytes asked for at once: twice as many after each read that was filled. One less than a power of two, for the NUL behind. */
enum { CONN_READ_FIRST = 4 * 1024 - 1, CONN_READ_MOST = 256 * 1024 - 1 };

enum conn_event { CONN_DATA, CONN_CLOSED, CONN_TIMEOUT };

struct conn {
	int fd;
	struct ssl_st *tls;
	struct buf in;
	size_t reading; /* bytes the next read asks for */
	size_t at;	/* bytes of `in` already taken */
	struct buf out;
	bool broken;	  /* the peer is gone, or too slow for *stop */
	atomic_int *stop; /* not 0: give up waiting for a slow reader */
	char peer[CONN_PEER_SIZE];
};

void conn_init(struct conn *c, int fd, atomic_int *stop);
/* Closes the socket. */
void conn_done(struct conn *c);
/* What has arrived and is not taken. */
struct span conn_view(const struct conn *c);
void conn_take(struct conn *c, size_t n);
/* Waits so long for more bytes; 0: without end. */
enum conn_event conn_read(struct conn *c, int64_t wait_ns);
/* Frees the buffers as far as they are empty: nothing may come for long. */
void conn_rest(struct conn *c);
/* Sends all that waits. False: the peer is gone. */
bool conn_flush(struct conn *c);
/* Sends when much waits. */
bool conn_push(struct conn *c);
/* The TLS handshake; the buffers must be empty. */
MUST_CHECK bool conn_start_tls(struct conn *c, struct ssl_ctx_st *context, int64_t deadline_ns, bool need_alpn);
/* Another thread: what waits for input sees the end of it. */
void conn_wake(struct conn *c);
/* Another thread: nothing comes in or goes out any more. */
void conn_abort(struct conn *c);
/* The peer closed its side (seen without reading). */
bool conn_peer_left(const struct conn *c);
/* Waits for the first byte of a connection and leaves it where it is; -1: none came. */
int conn_read_first(const struct conn *c, int64_t deadline_ns);

/* NULL and *err when the files are no certificate and key. *ret_hash gets the hash of tls-server-end-point (RFC 5929). */
struct ssl_ctx_st *conn_tls_context(const char *cert, const char *key, unsigned char ret_hash[64], size_t *ret_len,
				    struct err *err);
void conn_tls_free(struct ssl_ctx_st *context);

#endif
