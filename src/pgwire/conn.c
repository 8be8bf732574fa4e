#include "pgwire/conn.h"

#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TICK_MS = 1000, COMPACT_BYTES = 64 * 1024 };

/* In plaintext a read that may last that long waits inside of recv(): most answers come sooner, and poll() is not needed. */
#define READ_NS (400 * NS_PER_MS)

void conn_init(struct conn *c, int fd, atomic_int *stop)
{
	c->fd = fd;
	c->stop = stop;
	c->in = BUF(GIB + MIB);
	c->out = CONN_OUT;
	c->reading = CONN_READ_FIRST;
	const struct timeval patience = {.tv_usec = READ_NS / 1000};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

void conn_rest(struct conn *c)
{
	if (c->in.len == 0) {
		buf_done(&c->in);
		c->in = BUF(GIB + MIB);
		c->reading = CONN_READ_FIRST;
	}
	if (c->out.len == 0 && !c->out.failed) {
		buf_done(&c->out);
		c->out = CONN_OUT;
	}
}

void conn_done(struct conn *c)
{
	if (c->tls) {
		if (!c->broken)
			(void)SSL_shutdown(c->tls);
		SSL_free(c->tls);
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	c->tls = NULL;
	c->fd = -1;
}

struct span conn_view(const struct conn *c)
{
	return span_skip(buf_view(&c->in), c->at);
}

void conn_take(struct conn *c, size_t n)
{
	c->at += n;
	if (c->at >= c->in.len) {
		bool large = c->in.cap > MIB;
		c->at = 0;
		if (large) {
			buf_done(&c->in);
			c->in = BUF(GIB + MIB);
		} else {
			buf_reset(&c->in);
		}
	}
}

/* Moves what is left to the front, so that taken bytes do not pile up. */
static void compact(struct conn *c)
{
	if (c->at < COMPACT_BYTES)
		return;
	memmove(c->in.ptr, c->in.ptr + c->at, c->in.len - c->at);
	c->in.len -= c->at;
	c->at = 0;
}

static int wait_ms(int64_t deadline_ns, int most)
{
	if (!deadline_ns)
		return most;
	int64_t left = (deadline_ns - clock_ns() + NS_PER_MS - 1) / NS_PER_MS;
	if (left < 0)
		left = 0;
	return left < most || most < 0 ? (int)(left > INT32_MAX ? INT32_MAX : left) : most;
}

static bool wait_for(const struct conn *c, short events, int ms)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	return poll(&p, 1, ms) > 0;
}

/* > 0: bytes; 0: closed; -1: wait for *ret_events. */
static ssize_t read_some(struct conn *c, char *to, size_t n, bool patient, short *ret_events)
{
	*ret_events = POLLIN;
	if (!c->tls) {
		ssize_t got = recv(c->fd, to, n, patient ? 0 : MSG_DONTWAIT);
		return got >= 0 ? got : errno == EAGAIN || errno == EINTR ? -1 : 0;
	}
	ERR_clear_error();
	int got = SSL_read(c->tls, to, (int)n);
	if (got > 0)
		return got;
	int why = SSL_get_error(c->tls, got);
	if (why == SSL_ERROR_WANT_WRITE)
		*ret_events = POLLOUT;
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

/* What is asked for follows what comes. */
static void adapt(struct conn *c, size_t asked, size_t got)
{
	if (got == asked && asked < CONN_READ_MOST)
		c->reading = asked * 2 + 1;
	else if (got < asked / 4 && asked > CONN_READ_FIRST)
		c->reading = asked / 2;
}

/* 0: none. `waited`: for as long as a read lasts. */
static int64_t deadline_of(int64_t wait_ns, bool waited)
{
	return wait_ns ? clock_ns() + wait_ns - (waited ? READ_NS : 0) : 0;
}

/* False: time is over. */
static bool wait_until(const struct conn *c, short events, int64_t deadline_ns)
{
	return wait_for(c, events, wait_ms(deadline_ns, -1)) || !deadline_ns || clock_ns() < deadline_ns;
}

enum conn_event conn_read(struct conn *c, int64_t wait_ns)
{
	/* Without a buffer the connection rested, and one is made when there is something to read. */
	bool wait_first = !c->in.cap && !c->tls;
	bool patient = !wait_first && !c->tls && (!wait_ns || wait_ns >= READ_NS);
	int64_t deadline_ns = 0; /* told only when nothing came at once */
	short events = POLLIN;
	compact(c);
	for (;;) {
		ssize_t got = -1;
		if (!wait_first) {
			const size_t asked = c->reading;
			char *to = buf_reserve(&c->in, asked);
			got = to ? read_some(c, to, asked, patient, &events) : 0;
			if (got > 0) {
				buf_commit(&c->in, (size_t)got);
				adapt(c, asked, (size_t)got);
				return CONN_DATA;
			}
		}
		if (got == 0)
			return CONN_CLOSED;
		if (!deadline_ns)
			deadline_ns = deadline_of(wait_ns, patient);
		wait_first = patient = false;
		if (!wait_until(c, events, deadline_ns))
			return CONN_TIMEOUT;
	}
}

static ssize_t write_some(struct conn *c, const char *from, size_t n, short *ret_events)
{
	*ret_events = POLLOUT;
	if (!c->tls) {
		ssize_t sent = send(c->fd, from, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		return sent > 0 ? sent : sent < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
	}
	ERR_clear_error();
	int sent = SSL_write(c->tls, from, n > INT32_MAX ? INT32_MAX : (int)n);
	if (sent > 0)
		return sent;
	int why = SSL_get_error(c->tls, sent);
	if (why == SSL_ERROR_WANT_READ)
		*ret_events = POLLIN;
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

bool conn_flush(struct conn *c)
{
	size_t at = 0;
	if (c->out.failed)
		c->broken = true;
	while (!c->broken && at < c->out.len) {
		short events;
		ssize_t sent = write_some(c, c->out.ptr + at, c->out.len - at, &events);
		if (sent > 0)
			at += (size_t)sent;
		else if (sent == 0)
			c->broken = true;
		else if (!wait_for(c, events, TICK_MS) && atomic_load(c->stop))
			c->broken = true;
	}
	if (c->out.cap > MIB) {
		buf_done(&c->out);
		c->out = CONN_OUT;
	} else {
		buf_reset(&c->out);
	}
	return !c->broken;
}

bool conn_push(struct conn *c)
{
	return c->out.len < CONN_OUT_BYTES ? !c->broken : conn_flush(c);
}

bool conn_start_tls(struct conn *c, struct ssl_ctx_st *context, int64_t deadline_ns, bool need_alpn)
{
	const unsigned char *protocol = NULL;
	unsigned protocol_len = 0;
	/* The library must not wait by itself. */
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		return false;
	c->tls = SSL_new(context);
	if (!c->tls || !SSL_set_fd(c->tls, c->fd))
		return false;
	for (;;) {
		ERR_clear_error();
		int got = SSL_accept(c->tls);
		if (got == 1)
			break;
		int why = SSL_get_error(c->tls, got);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return false;
		if (!wait_for(c, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, wait_ms(deadline_ns, TICK_MS)) &&
		    (clock_ns() >= deadline_ns || atomic_load(c->stop)))
			return false;
	}
	SSL_get0_alpn_selected(c->tls, &protocol, &protocol_len);
	return !need_alpn || protocol_len > 0;
}

void conn_wake(struct conn *c)
{
	(void)shutdown(c->fd, SHUT_RD);
}

void conn_abort(struct conn *c)
{
	(void)shutdown(c->fd, SHUT_RDWR);
}

bool conn_peer_left(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

int conn_read_first(const struct conn *c, int64_t deadline_ns)
{
	unsigned char byte;
	while (!wait_for(c, POLLIN, wait_ms(deadline_ns, TICK_MS)))
		if (clock_ns() >= deadline_ns || atomic_load(c->stop))
			return -1;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? byte : -1;
}

/* "postgresql" when the client offers it (PostgreSQL 17, "ALPN"). */
static int choose_protocol(SSL *tls, const unsigned char **ret, unsigned char *ret_len, const unsigned char *in,
			   unsigned in_len, void *ctx)
{
	static const unsigned char ours[] = "\012postgresql";
	unsigned char *chosen;
	(void)tls;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* The hash of the certificate's signature, MD5 and SHA-1 replaced by SHA-256. */
static bool binding_hash(X509 *cert, unsigned char ret[64], size_t *ret_len)
{
	int digest_nid = NID_undef;
	unsigned len = 0;
	if (!cert || !X509_get_signature_info(cert, &digest_nid, NULL, NULL, NULL))
		return false;
	if (digest_nid == NID_md5 || digest_nid == NID_sha1 || digest_nid == NID_undef)
		digest_nid = NID_sha256;
	const EVP_MD *digest = EVP_get_digestbynid(digest_nid);
	unsigned char hash[EVP_MAX_MD_SIZE];
	if (!digest || !X509_digest(cert, digest, hash, &len) || len > 64)
		return false;
	memcpy(ret, hash, len);
	*ret_len = len;
	return true;
}

struct ssl_ctx_st *conn_tls_context(const char *cert, const char *key, unsigned char ret_hash[64], size_t *ret_len,
				    struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (context && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
	    SSL_CTX_use_certificate_chain_file(context, cert) == 1 &&
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(context) == 1) {
		(void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
							SSL_MODE_RELEASE_BUFFERS);
		/* The end of what the client sends is no error: it may still be told why its session ends. */
		(void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
		SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
		if (!binding_hash(SSL_CTX_get0_certificate(context), ret_hash, ret_len))
			*ret_len = 0;
		return context;
	}
	char why[256] = "unreadable";
	ERR_error_string_n(ERR_get_error(), why, sizeof(why));
	SSL_CTX_free(context);
	(void)err_set(err, ERR_INVALID_CONFIG, "PGWIRE_SSL_CERT and PGWIRE_SSL_KEY cannot be used: %s", why);
	return NULL;
}

void conn_tls_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}
