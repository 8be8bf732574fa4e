#include "http/account.h"
#include "http/exchange.h"
#include "http/refusal.h"
#include "http/watch.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/settings.h"

#include "metrics/listeners.h"
#include "metrics/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 4096,
	/* Half of it is the read buffer at first, all of it holds the head. */
	CONNECTION_BYTES = LIMIT_HTTP_HEADER_BYTES * 2,
	DRAIN_STEP_MS = 10
};

/* ---- the library's callbacks, all on event loops ---- */

static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t size)
{
	struct http_server *server = cls;
	(void)address;
	(void)size;
	if (atomic_load(&server->connections) < server->config.connections_max)
		return MHD_YES;
	account_reject(REJECT_OVERLOAD);
	return MHD_NO;
}

static void peer_name(struct MHD_Connection *mhd, char *ret, size_t size)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	ret[0] = '\0';
	if (address && address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, ret,
				(socklen_t)size);
	else if (address && address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, ret,
				(socklen_t)size);
}

static void connection_open(struct loop *loop, struct MHD_Connection *mhd, void **socket_context)
{
	struct http_server *server = loop_server(loop);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *conn = mem_alloc(sizeof(*conn));
	conn->server = server;
	conn->loop = loop;
	conn->mhd = mhd;
	conn->fd = info->connect_fd;
	peer_name(mhd, conn->peer, sizeof(conn->peer));
	*socket_context = conn;
	(void)atomic_fetch_add(&server->connections, 1);
	account_connection(server, 1);
	watch_open(server->watch, conn);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = loop_server(cls);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_open(cls, mhd, socket_context);
		return;
	}
	struct conn *conn = *socket_context;
	const bool nothing_read = conn->requests == 0 && !conn->asked && !conn->answer;
	watch_close(server->watch, conn);
	(void)atomic_fetch_sub(&server->connections, 1);
	account_connection(server, -1);
	if (server->tls && conn->requests == 0 && !conn->answer)
		account_reject(REJECT_TLS);
	else if (nothing_read && !conn->doomed && watch_has_spoken(conn))
		account_reject(REJECT_BAD_REQUEST);
	if (conn->answer) {
		conn->answer->complete |= !conn->answer->raw;
		exchange_unref(conn->answer);
	}
	exchange_free(conn->spare);
	free(conn);
	*socket_context = NULL;
}

static struct conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info->socket_context;
}

/* The request line is read; the library decodes the target afterwards, so the raw one is kept here. */
static void *on_request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	(void)cls;
	struct conn *conn = conn_of(mhd);
	struct exchange *ex = exchange_new(conn);
	loop_busy(conn->loop);
	ex->target = arena_strdup(ex->req.arena, uri ? uri : "");
	conn->asked = ex;
	return ex;
}

static size_t no_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

/* Is the rest of the body too much to wait for before an answer that is known already? */
static bool answer_now(const struct exchange *ex)
{
	return ex->has_body && (ex->expects || (!ex->chunked && ex->announced > LIMIT_HTTP_DRAIN_BYTES));
}

static enum MHD_Result early_answer(struct exchange *ex)
{
	if (!answer_now(ex))
		return MHD_YES; /* the body is read and dropped, then the last call sends */
	ex->conn->linger = true;
	return send_response(ex);
}

static bool is_stream(const struct http_route *route)
{
	return route->body == HTTP_BODY_STREAM || route->body == HTTP_BODY_FILE;
}

static enum MHD_Result on_head(struct exchange *ex, const char *method, const char *version)
{
	ex->head_ns = clock_ns();
	head_read(ex, method, version);
	account_head(ex);
	bool known = ex->phase == PHASE_READY;
	if (!known && ex->has_body && is_stream(ex->req.route)) {
		ex->gathers = !ex->chunked && !ex->expects && ex->announced <= LIMIT_HTTP_GATHER_BYTES;
		ex->ring = mem_alloc(sizeof(*ex->ring));
		ring_init(ex->ring, ex->gathers ? (size_t)ex->announced : LIMIT_HTTP_RING_BYTES);
	}
	if (!watch_head(ex->server->watch, ex->conn, ex))
		return MHD_NO;
	if (known)
		return early_answer(ex);
	ex->phase = ex->ring ? PHASE_STREAM : PHASE_BODY;
	if (ex->gathers) {
		ex->body_open = true;
		return watch_body(ex->server->watch, ex->conn, 0) ? MHD_YES : MHD_NO;
	}
	if (ex->ring) {
		exchange_suspend(ex);
		exchange_submit(ex);
	}
	return MHD_YES;
}

/* The head of a streamed request again: its worker wants the body, or has an answer already. */
static enum MHD_Result on_stream_head(struct exchange *ex)
{
	ex->body_open = true;
	if (exchange_phase(ex) == PHASE_READY)
		return early_answer(ex);
	return watch_body(ex->server->watch, ex->conn, 0) ? MHD_YES : MHD_NO;
}

static void gathered(struct exchange *ex)
{
	if (!ex->gathers)
		return;
	ex->gathers = false;
	exchange_submit(ex);
}

static enum MHD_Result on_stream_end(struct exchange *ex)
{
	(void)pthread_mutex_lock(&ex->lock);
	ring_end(ex->ring, RING_ENDED);
	bool ready = ex->phase == PHASE_READY;
	if (!ready)
		exchange_suspend(ex);
	(void)pthread_mutex_unlock(&ex->lock);
	gathered(ex);
	return ready ? send_response(ex) : MHD_YES;
}

/* The whole request is here. */
static enum MHD_Result on_whole(struct exchange *ex)
{
	if (!watch_body_end(ex->server->watch, ex->conn))
		return MHD_NO;
	if (ex->ring)
		return on_stream_end(ex);
	if (ex->phase == PHASE_READY)
		return send_response(ex);
	ex->phase = PHASE_RUN;
	if (ex->run_inline) {
		exchange_run(ex);
		if (!ex->deferred)
			return send_response(ex);
		ex->deferred = false;
		ex->run_inline = false;
	}
	exchange_suspend(ex);
	exchange_submit(ex);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
				  const char *version, const char *bytes, size_t *size, void **context)
{
	struct exchange *ex = *context;
	(void)cls;
	(void)mhd;
	(void)url;
	if (!ex)
		return MHD_NO;
	if (*size)
		return body_take(ex, bytes, size);
	if (ex->head_ns == 0)
		return on_head(ex, method, version);
	if (ex->ring && !ex->body_open)
		return on_stream_head(ex);
	return on_whole(ex);
}

static void on_end(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct exchange *ex = *context;
	(void)mhd;
	if (!ex)
		return;
	*context = NULL;
	ex->conn->asked = NULL;
	watch_end(server->watch, ex->conn);
	if (exchange_phase(ex) == PHASE_QUEUED) {
		if (!ex->raw)
			send_account(ex, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	} else {
		atomic_store(&ex->abandoned, true);
		body_broken(ex);
		/* The handler learns of it, and counts it, as when it had read along. */
		if (!atomic_load(&server->stopping))
			gathered(ex);
	}
	exchange_end(ex);
}

static void on_message(void *cls, const char *format, va_list args)
{
	char text[512];
	(void)cls;
	int n = vsnprintf(text, sizeof(text), format, args);
	while (n > 0 && (size_t)n < sizeof(text) && text[n - 1] == '\n')
		text[--n] = '\0';
	log_event(LOG_DEBUG, "http connection", "cause", LOG_S(text), NULL);
}

/* ---- start ---- */

struct http_config http_config_of(const struct settings *settings)
{
	return (struct http_config){.listener = "http",
				    .host = settings->host,
				    .port = (int)settings->port,
				    .tls_cert = settings->tls_cert,
				    .tls_key = settings->tls_key,
				    .threads = (unsigned)settings->http_threads,
				    .connections_max = (unsigned)settings->http_connections_max,
				    .idle_timeout_s = (unsigned)settings->http_idle_timeout,
				    .head_timeout_s = (unsigned)settings->connection_timeout,
				    .debug = settings->debug,
				    .title = settings->api_title,
				    .version = settings->api_version,
				    .local_keyless = settings->reference_compat};
}

static bool listen_on(const struct addrinfo *address, int *ret_fd)
{
	int on = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return true;
	}
	int number = errno;
	(void)close(fd);
	errno = number;
	return false;
}

static bool listener_open(const struct http_config *config, int *ret_fd, struct err *err)
{
	char port[16];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	(void)snprintf(port, sizeof(port), "%d", config->port);
	int failed = getaddrinfo(config->host, port, &hints, &found);
	if (failed)
		return err_set(err, ERR_INVALID_CONFIG, "Cannot resolve HOST %s: %s", config->host,
			       gai_strerror(failed));
	bool fine = listen_on(found, ret_fd) ||
		    err_errno(err, errno, "Cannot listen on %s port %d", config->host, config->port);
	freeaddrinfo(found);
	return fine;
}

static int port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

static void expiry_count(const struct http_server *server)
{
	struct tm end = {0};
	BIO *bio = BIO_new_mem_buf(server->tls_cert, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) == 1)
		metric_gauge_set(
			metric_series(METRIC_TLS_CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS, server->config.listener, NULL),
			(double)timegm(&end));
	X509_free(cert);
	BIO_free(bio);
}

static bool tls_read(struct http_server *server, struct err *err)
{
	const struct http_config *config = &server->config;
	size_t size;
	if (!config->tls_cert && !config->tls_key)
		return true;
	if (!config->tls_cert || !config->tls_key)
		return err_set(err, ERR_INVALID_CONFIG, "TLS_CERT_FILE and TLS_KEY_FILE must both be set");
	if (!fs_read(config->tls_cert, MIB, &server->tls_cert, &size, err) ||
	    !fs_read(config->tls_key, MIB, &server->tls_key, &size, err))
		return err_recode(err, ERR_INVALID_CONFIG);
	server->tls = true;
	expiry_count(server);
	return true;
}

static bool pools_check(const struct http_config *config, struct err *err)
{
	for (size_t t = 0; t < config->table_count; t++) {
		for (size_t i = 0; i < config->tables[t]->count; i++) {
			const struct http_route *route = &config->tables[t]->rows[i];
			if (route->run != HTTP_INLINE && !config->pools[route->run])
				return err_set(err, ERR_INTERNAL, "Route %s has no pool to run on", route->path);
			if (is_stream(route) != (route->run == HTTP_STREAM) && is_stream(route))
				return err_set(err, ERR_INTERNAL, "Route %s streams but does not run as HTTP_STREAM",
					       route->path);
		}
	}
	if (config->idempotency.ctx && !config->pools[HTTP_WRITE])
		return err_set(err, ERR_INTERNAL, "Idempotency needs the pool of writers");
	return true;
}

/* Routes of one template share their series. */
static void stats_attach(struct http_server *server)
{
	size_t count;
	struct router_entry *entries = router_entries(server->router, &count);
	server->unmatched = stats_new(server->arena, "unmatched");
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i && !entries[i].stats; k++) {
			if (strcmp(entries[k].route->path, entries[i].route->path) == 0)
				entries[i].stats = entries[k].stats;
		}
		if (!entries[i].stats)
			entries[i].stats = stats_new(server->arena, entries[i].route->path);
	}
}

static void files_limit_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static struct MHD_Daemon *daemon_start(struct http_server *server, struct loop *loop, int fd)
{
	const struct http_config *config = &server->config;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL},
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		/* Somewhat more than may be, so that on_accept refuses instead of the library letting clients hang. */
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)config->connections_max + 16, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)config->idle_timeout_s, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, server},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)no_unescape, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_end, server},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, loop},
		/* Else it sends files by read and write. */
		{MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, server->tls_cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls_key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
		{MHD_OPTION_END, 0, NULL},
	};
	if (!server->tls)
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(flags | (server->tls ? (unsigned)MHD_USE_TLS : 0), 0, on_accept, server, on_request,
				server, MHD_OPTION_ARRAY, options, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static bool loops_start(struct http_server *server)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = server->config.threads ? server->config.threads : (size_t)(cores > 0 ? cores : 1);
	server->loops = arena_alloc(server->arena, count * sizeof(struct loop *));
	while (server->loop_count < count) {
		struct loop *loop = loop_new(server);
		int fd = fcntl(server->listen_fd, F_DUPFD_CLOEXEC, 0);
		struct MHD_Daemon *daemon = fd < 0 ? NULL : daemon_start(server, loop, fd);
		server->loops[server->loop_count++] = loop;
		if (!daemon) {
			if (fd >= 0)
				(void)close(fd);
			return false;
		}
		loop_start(loop, daemon);
	}
	return true;
}

static void server_free(struct http_server *server)
{
	for (size_t i = 0; i < server->loop_count; i++)
		loop_stop(server->loops[i]);
	if (server->listen_fd >= 0)
		(void)close(server->listen_fd);
	watch_stop(server->watch);
	router_free(server->router);
	arena_free(server->arena);
	idem_done(&server->idem);
	free(server->tls_cert);
	free(server->tls_key);
	free(server);
}

bool http_server_start(const struct http_config *config, struct http_server **ret, struct err *err)
{
	struct http_server *server = mem_alloc(sizeof(*server));
	server->config = *config;
	server->listen_fd = -1;
	server->arena = arena_new();
	idem_init(&server->idem, &server->config.idempotency);
	files_limit_raise();
	if (!refusal_start(err) || !pools_check(config, err) ||
	    !router_new(config->tables, config->table_count, &server->router, err) || !tls_read(server, err) ||
	    !listener_open(config, &server->listen_fd, err))
		goto failed;
	stats_attach(server);
	server->port = port_of(server->listen_fd);
	server->watch = watch_start(server);
	if (!loops_start(server)) {
		(void)err_set(err, ERR_INVALID_CONFIG, "Cannot start the HTTP listener%s",
			      server->tls ? ": check the TLS certificate and key" : "");
		goto failed;
	}
	listener_opened(server->config.listener, server->port);
	*ret = server;
	return true;
failed:
	server_free(server);
	return false;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

size_t http_server_connections(const struct http_server *server)
{
	return atomic_load(&server->connections);
}

/* ---- end ---- */

static void pause_ms(long ms)
{
	struct timespec step = {.tv_sec = 0, .tv_nsec = ms * NS_PER_MS};
	(void)nanosleep(&step, NULL);
}

bool http_server_drain(struct http_server *server, unsigned timeout_s)
{
	int64_t until = clock_ns() + (int64_t)timeout_s * NS_PER_S;
	if (!atomic_exchange(&server->draining, true)) {
		listener_closed(server->config.listener);
		(void)shutdown(server->listen_fd, SHUT_RDWR);
		for (size_t i = 0; i < server->loop_count; i++)
			loop_refuse(server->loops[i]);
	}
	while (atomic_load(&server->running) && clock_ns() < until)
		pause_ms(DRAIN_STEP_MS);
	return atomic_load(&server->running) == 0;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	(void)http_server_drain(server, 0);
	atomic_store(&server->stopping, true);
	/* The library cannot close a connection that is suspended for a worker; others end with it. */
	while (atomic_load(&server->working)) {
		watch_abandon_all(server->watch);
		pause_ms(DRAIN_STEP_MS);
	}
	server_free(server);
}
