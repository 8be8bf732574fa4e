#include "http/exchange.h"

#include "http/account.h"
#include "http/refusal.h"
#include "http/watch.h"

#include "base/id.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bodies below this size either reach the socket whole or count as not sent. */
enum { MEASURED_BYTES = 64 * 1024 };
/* What fits into the buffers of a socket goes out without being asked for. */
enum { UNCORKED_BYTES = 1024 * 1024 };

static const struct tcp_info *tcp_info_of(int fd, struct tcp_info *info)
{
	socklen_t size = sizeof(*info);
	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 ? info : NULL;
}

uint64_t send_written(int fd)
{
	struct tcp_info info;
	int waiting = 0;
	if (!tcp_info_of(fd, &info))
		return 0;
	if (ioctl(fd, SIOCOUTQ, &waiting) != 0 || waiting < 0)
		waiting = 0;
	return (uint64_t)info.tcpi_bytes_acked + (unsigned)waiting;
}

static uint64_t acked(int fd)
{
	struct tcp_info info;
	return tcp_info_of(fd, &info) ? info.tcpi_bytes_acked : 0;
}

void send_account(struct exchange *ex, bool complete)
{
	const struct http_response *res = &ex->res;
	bool body = res->kind == RESPONSE_BYTES || res->kind == RESPONSE_FILE || res->kind == RESPONSE_STREAM;
	ex->complete = complete;
	if (!body || ex->req.method == HTTP_HEAD)
		return;
	bool streamed = res->kind == RESPONSE_STREAM || ex->server->tls;
	if (complete)
		ex->sent = res->kind == RESPONSE_STREAM ? ex->streamed : res->length;
	else if (streamed)
		ex->sent = ex->streamed;
	else if (res->length >= MEASURED_BYTES) {
		uint64_t now = acked(ex->conn->fd);
		uint64_t before = ex->wire_start + ex->head_bytes;
		ex->sent = now > before ? now - before : 0;
		if (ex->sent > res->length)
			ex->sent = res->length;
	}
}

/* ---- bodies that are read while they are sent ---- */

static void out_fill(void *object)
{
	struct exchange *ex = object;
	struct http_server *server = ex->server;
	size_t n = 0;
	bool fine = ex->res.produce(ex->res.produce_ctx, ex->out, LIMIT_HTTP_STREAM_BYTES, &n);
	ex->out_failed = !fine;
	ex->out_ended = n == 0;
	ex->out_len = n;
	ex->out_at = 0;
	(void)pthread_mutex_lock(&ex->lock);
	exchange_resume(ex);
	(void)pthread_mutex_unlock(&ex->lock);
	exchange_unref(ex);
	(void)atomic_fetch_sub(&server->working, 1);
}

static ssize_t out_ask(struct exchange *ex)
{
	struct err err = ERR_INIT;
	enum http_run run = ex->req.route->run == HTTP_INLINE ? HTTP_READ : ex->req.route->run;
	if (!ex->out)
		ex->out = mem_alloc(LIMIT_HTTP_STREAM_BYTES);
	(void)atomic_fetch_add(&ex->refs, 1);
	(void)atomic_fetch_add(&ex->server->working, 1);
	exchange_suspend(ex);
	if (pool_submit(ex->server->config.pools[run], span_of(ex->peer), out_fill, ex, &err))
		return 0;
	ex->out_failed = true;
	exchange_resume(ex);
	(void)atomic_fetch_sub(&ex->refs, 1);
	(void)atomic_fetch_sub(&ex->server->working, 1);
	return 0;
}

static ssize_t stream_read(void *cls, uint64_t position, char *bytes, size_t size)
{
	struct exchange *ex = cls;
	(void)position;
	if (ex->out_failed || atomic_load(&ex->server->stopping) || atomic_load(&ex->abandoned))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (ex->out_at == ex->out_len)
		return ex->out_ended ? MHD_CONTENT_READER_END_OF_STREAM : out_ask(ex);
	size_t n = ex->out_len - ex->out_at;
	n = n < size ? n : size;
	memcpy(bytes, ex->out + ex->out_at, n);
	ex->out_at += n;
	ex->streamed += n;
	return (ssize_t)n;
}

/* Under TLS the library copies files through memory anyway; here we see how far it came. */
static ssize_t file_read(void *cls, uint64_t position, char *bytes, size_t size)
{
	struct exchange *ex = cls;
	ssize_t n;
	do {
		n = pread(ex->res.fd, bytes, size, (off_t)(ex->res.offset + position));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	ex->streamed += (uint64_t)n;
	return n;
}

static ssize_t nothing_read(void *cls, uint64_t position, char *bytes, size_t size)
{
	(void)cls;
	(void)position;
	(void)bytes;
	(void)size;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* ---- the library's response ---- */

static struct MHD_Response *bytes_response(struct span bytes)
{
	/* The library reads them only. */
	return MHD_create_response_from_buffer(bytes.len, (void *)(uintptr_t)bytes.ptr, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *file_response(struct exchange *ex)
{
	struct http_response *res = &ex->res;
	if (res->length == 0)
		return bytes_response(SPAN(""));
	if (ex->server->tls)
		return MHD_create_response_from_callback(res->length, LIMIT_HTTP_STREAM_BYTES, file_read, ex, NULL);
	struct MHD_Response *made = MHD_create_response_from_fd_at_offset64(res->length, res->fd, res->offset);
	if (made)
		res->fd = -1; /* the library closes it */
	return made;
}

static struct MHD_Response *response_make(struct exchange *ex)
{
	struct http_response *res = &ex->res;
	switch (res->kind) {
	case RESPONSE_BYTES:
		return bytes_response(res->bytes);
	case RESPONSE_FILE:
		return file_response(ex);
	case RESPONSE_STREAM:
		return MHD_create_response_from_callback(res->length, LIMIT_HTTP_STREAM_BYTES, stream_read, ex, NULL);
	case RESPONSE_LENGTH:
		return MHD_create_response_from_callback(res->length, 1024, nothing_read, NULL, NULL);
	default:
		return bytes_response(SPAN(""));
	}
}

static bool has_header(const struct http_response *res, const char *name)
{
	for (size_t i = 0; i < res->header_count; i++) {
		if (strcasecmp(res->headers[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Gives every header of the answer to `each`. */
static void headers_each(struct exchange *ex, void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
	const struct http_response *res = &ex->res;
	char trace[TRACE_TEXT_SIZE];
	each(ctx, "X-Request-ID", ex->request_id);
	if (*ex->req.call.trace.trace_id)
		each(ctx, "traceparent", trace_text(&ex->req.call.trace, trace));
	if (http_header(&ex->req, "Origin") && !has_header(res, "Access-Control-Allow-Origin"))
		each(ctx, "Access-Control-Allow-Origin", "*");
	if (res->type)
		each(ctx, "Content-Type", res->type);
	for (size_t i = 0; i < res->header_count; i++)
		each(ctx, res->headers[i].name, res->headers[i].value);
	if (atomic_load_explicit(&ex->server->draining, memory_order_relaxed))
		each(ctx, "Connection", "close");
}

struct head {
	struct MHD_Response *response;
	uint64_t bytes;
};

static void header_give(void *ctx, const char *name, const char *value)
{
	struct head *head = ctx;
	if (MHD_add_response_header(head->response, name, value) == MHD_YES)
		head->bytes += strlen(name) + strlen(value) + 4;
}

/* Length of the head as the library writes it: its own lines are the status, Date, Connection and Content-Length. */
static uint64_t head_length(const struct exchange *ex, uint64_t headers)
{
	char number[24];
	const char *reason = MHD_get_reason_phrase_for((unsigned)ex->res.status);
	uint64_t bytes = strlen("HTTP/1.1 200 ") + strlen(reason ? reason : "") + 2 + 37 + 2 + headers;
	if (ex->res.length != UINT64_MAX)
		bytes += strlen("Content-Length: ") + 2 +
			 (uint64_t)snprintf(number, sizeof(number), "%llu", (unsigned long long)ex->res.length);
	return bytes;
}

enum MHD_Result send_response(struct exchange *ex)
{
	struct head head = {.response = response_make(ex)};
	if (!head.response)
		return MHD_NO;
	headers_each(ex, header_give, &head);
	bool measured = ex->res.kind == RESPONSE_FILE || ex->res.length >= MEASURED_BYTES;
	if (measured && !ex->server->tls) {
		ex->head_bytes = head_length(ex, head.bytes);
		ex->wire_start = send_written(ex->conn->fd);
	}
	if (ex->res.kind == RESPONSE_FILE && ex->res.length >= UNCORKED_BYTES && !ex->server->tls)
		watch_file(ex->server->watch, ex->conn);
	ex->queued_ns = clock_ns();
	ex->phase = PHASE_QUEUED;
	/* From here on the exchange may end within the call. */
	struct MHD_Response *response = head.response;
	enum MHD_Result result = refusal_pass(ex->mhd, (unsigned)ex->res.status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- the answer as bytes ---- */

static void header_print(void *ctx, const char *name, const char *value)
{
	buf_printf(ctx, "%s: %s\r\n", name, value);
}

static ssize_t write_now(const struct conn *conn, const char *bytes, size_t n)
{
	if (!conn->server->tls)
		return send(conn->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return gnutls_record_send(info->tls_session, bytes, n);
}

bool send_raw(struct exchange *ex)
{
	struct http_response *res = &ex->res;
	if (res->kind != RESPONSE_BYTES && res->kind != RESPONSE_EMPTY)
		return false;
	struct buf out = BUF(MIB);
	const char *reason = MHD_get_reason_phrase_for((unsigned)res->status);
	struct span body = res->kind == RESPONSE_BYTES ? res->bytes : SPAN("");
	buf_printf(&out, "HTTP/1.1 %d %s\r\n", res->status, reason ? reason : "");
	headers_each(ex, header_print, &out);
	buf_printf(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	buf_span(&out, body);
	ssize_t n = out.failed ? -1 : write_now(ex->conn, out.ptr, out.len);
	bool fine = n >= 0 && (size_t)n == out.len;
	buf_done(&out);
	ex->queued_ns = clock_ns();
	ex->phase = PHASE_QUEUED;
	ex->raw = true;
	ex->sent = fine ? body.len : 0;
	ex->complete = fine;
	return fine;
}
