#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/pool.h"
#include "grpc/rpc.h"
#include "metrics/listeners.h"
#include "metrics/metrics.h"

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* Calls that may be taken in while another is being taken in. */
	REQUESTS_WAITING = 16,
	STREAMS_PER_CONNECTION = 256,
	/* Clients may ping as often as this without being taken for an attack. */
	PING_INTERVAL_MS = 10 * 1000,
	KEEPALIVE_TIMEOUT_MS = 20 * 1000,
	/*
	 * Metadata beyond this ends the whole connection: the C core knows no gentler way. So it takes more than a call may
	 * have (LIMIT_GRPC_METADATA_BYTES), for the call alone to be refused.
	 */
	METADATA_BYTES_CORE = 16 * LIMIT_GRPC_METADATA_BYTES,
	SHUTDOWN_GRACE_S = 5,
	PEM_BYTES = 1024 * 1024
};

/* ---- polling ---- */

static void *poll(void *ctx)
{
	struct driver_server *server = ctx;
	for (;;) {
		grpc_event event = grpc_completion_queue_next(server->cq, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		struct rpc_tag *tag = event.tag;
		(void)atomic_load(&tag->handed);
		if (tag != &server->shutdown) {
			tag->done(tag->rpc, event.success);
			continue;
		}
		pthread_mutex_lock(&server->lock);
		server->shut = true;
		pthread_cond_broadcast(&server->changed);
		pthread_mutex_unlock(&server->lock);
	}
}

/* ---- connections, as the C core counts them for channelz ---- */

/* Items of `list` in the channelz answer; whether there are more behind `*ret_last`. */
static size_t page_count(const char *json, const char *list, const char *ref, const char *id, int64_t *ret_last,
			 bool *ret_more)
{
	json_error_t error;
	json_t *page = json_loads(json ? json : "{}", 0, &error);
	const json_t *items = json_object_get(page, list);
	size_t n = json_array_size(items);
	const json_t *last = n ? json_array_get(items, n - 1) : NULL;
	const json_t *named = ref ? json_object_get(last, ref) : last;
	const char *text = json_string_value(json_object_get(named, id));
	*ret_last = 0;
	*ret_more = n && !json_is_true(json_object_get(page, "end"));
	if (text && !span_i64(span_of(text), ret_last))
		*ret_more = false;
	json_decref(page);
	return n;
}

static size_t connections(void)
{
	int64_t server = 0;
	int64_t at = 0;
	bool more;
	size_t n = 0;
	char *json = grpc_channelz_get_servers(0);
	if (page_count(json, "server", "ref", "serverId", &server, &more) == 0)
		server = -1;
	gpr_free(json);
	do {
		if (server < 0)
			break;
		json = grpc_channelz_get_server_sockets((intptr_t)server, (intptr_t)at, 500);
		n += page_count(json, "socketRef", NULL, "socketId", &at, &more);
		at++;
		gpr_free(json);
	} while (more);
	return n;
}

static bool collect(void *ctx, struct err *err)
{
	struct driver_server *server = ctx;
	struct pool_stats stats;
	const char *name = pool_name(server->pool);
	size_t n = connections();
	(void)err;
	pool_stats(server->pool, &stats);
	metric_gauge_set(metric_series(METRIC_POOL_THREADS, name, NULL), (double)stats.threads);
	metric_gauge_set(metric_series(METRIC_POOL_BUSY, name, NULL), (double)stats.busy);
	metric_gauge_set(metric_series(METRIC_POOL_QUEUED, name, NULL), (double)stats.queued);
	metric_mirror(metric_series(METRIC_POOL_TASKS_TOTAL, name, NULL), (double)stats.tasks);
	metric_gauge_set(metric_series(METRIC_GRPC_CONNECTIONS_ACTIVE, NULL), (double)n);
	metric_gauge_set(metric_series(METRIC_CONNECTIONS_ACTIVE, "grpc", NULL), (double)n);
	return true;
}

/* ---- start ---- */

/* What the C core has to say is about single clients: for those who look closely. */
static void core_log(gpr_log_func_args *args)
{
	log_event(LOG_DEBUG, "grpc", "cause", LOG_S(args->message), NULL);
}

static grpc_arg arg_int(const char *key, int64_t value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = (int)value};
}

static grpc_server *server_create(const struct settings *s)
{
	uint32_t encodings = 1U << GRPC_COMPRESS_NONE | 1U << GRPC_COMPRESS_GZIP;
	grpc_arg args[] = {
		/* The C core would drop a message that is too long only once it has all of it, and tell nobody: rpc_payload
		   refuses it instead. */
		arg_int(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
		arg_int(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
		arg_int(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, encodings),
		/* Compressed messages are unpacked by rpc_payload, which knows where to stop. */
		arg_int(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
		arg_int(GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_PER_CONNECTION),
		arg_int(GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES_CORE),
		arg_int(GRPC_ARG_KEEPALIVE_TIME_MS, s->grpc_keepalive * 1000),
		arg_int(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
		arg_int(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		arg_int(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MS),
		/* A port that is taken is an error, not a second server beside the first. */
		arg_int(GRPC_ARG_ALLOW_REUSEPORT, 0),
		arg_int(GRPC_ARG_ENABLE_CHANNELZ, 1),
	};
	const grpc_channel_args all = {.num_args = ARRAY_LEN(args), .args = args};
	return grpc_server_create(&all, NULL);
}

static void expiry_count(const char *pem)
{
	struct tm end = {0};
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) == 1)
		metric_gauge_set(metric_series(METRIC_TLS_CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS, "grpc", NULL),
				 (double)timegm(&end));
	X509_free(cert);
	BIO_free(bio);
}

static bool credentials_create(const struct settings *s, grpc_server_credentials **ret, struct err *err)
{
	char *cert = NULL;
	char *key = NULL;
	char *authorities = NULL;
	size_t size;
	*ret = NULL;
	if (!s->grpc_tls_cert != !s->grpc_tls_key)
		return err_set(err, ERR_INVALID_CONFIG,
			       "GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE go together: only one is set");
	if (!s->grpc_tls_cert) {
		*ret = grpc_insecure_server_credentials_create();
		return true;
	}
	if (fs_read(s->grpc_tls_cert, PEM_BYTES, &cert, &size, err) &&
	    fs_read(s->grpc_tls_key, PEM_BYTES, &key, &size, err) &&
	    (!s->grpc_tls_client_ca || fs_read(s->grpc_tls_client_ca, PEM_BYTES, &authorities, &size, err))) {
		grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = cert};
		*ret = grpc_ssl_server_credentials_create_ex(
			authorities, &pair, 1,
			authorities ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
				    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
			NULL);
		if (!*ret)
			(void)err_set(err, ERR_INVALID_CONFIG, "The certificate in %s cannot be used",
				      s->grpc_tls_cert);
		else
			expiry_count(cert);
	}
	free(cert);
	free(key);
	free(authorities);
	return *ret != NULL;
}

static bool listen_on(struct driver_server *server, struct err *err)
{
	const struct settings *s = server->storage->settings;
	grpc_server_credentials *credentials;
	char address[300];
	if (!credentials_create(s, &credentials, err))
		return false;
	bool v6 = strchr(s->grpc_host, ':') && *s->grpc_host != '[';
	(void)snprintf(address, sizeof(address), v6 ? "[%s]:%d" : "%s:%d", s->grpc_host, (int)s->grpc_port);
	server->port = grpc_server_add_http2_port(server->server, address, credentials);
	grpc_server_credentials_release(credentials);
	return server->port > 0 ||
	       err_set(err, ERR_INVALID_CONFIG, "Cannot listen on %s for gRPC: is the port in use?", address);
}

bool driver_server_start(struct storage *storage, struct driver_server **ret, struct err *err)
{
	const struct settings *s = storage->settings;
	*ret = NULL;
	if (s->grpc_port < 0)
		return true;
	gpr_set_log_function(core_log);
	grpc_init();
	struct driver_server *server = mem_alloc(sizeof(*server));
	server->storage = storage;
	server->request_max = (size_t)s->grpc_request_max;
	server->response_max = (size_t)s->grpc_response_max;
	server->reference_compat = s->reference_compat;
	server->reflection = s->grpc_reflection ? reflection_new() : NULL;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->changed, NULL);
	server->server = server_create(s);
	server->cq = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(server->server, server->cq, NULL);
	const struct pool_config pool = {.name = "driver",
					 .threads = (size_t)s->grpc_workers,
					 .queue_max = (size_t)s->queue_max,
					 .on_wait = metrics_pool_wait};
	server->pool = pool_start(&pool);
	rpc_register(server);
	bool fine = listen_on(server, err);
	grpc_server_start(server->server);
	for (size_t i = 0; i < ARRAY_LEN(server->pollers); i++)
		thread_start("grpc", poll, server, &server->pollers[server->poller_count++]);
	if (!fine) {
		driver_server_stop(server);
		return false;
	}
	for (size_t i = 0; i < REQUESTS_WAITING; i++) {
		rpc_request_execute(server);
		rpc_request(server);
	}
	metrics_collector_add("grpc", "grpc", collect, server);
	listener_opened("grpc", server->port);
	*ret = server;
	return true;
}

int driver_server_port(const struct driver_server *server)
{
	return server ? server->port : -1;
}

/* ---- stop ---- */

/* Waits until the C core has ended all calls; false when the time is up. */
static bool wait_shut(struct driver_server *server)
{
	pthread_mutex_lock(&server->lock);
	int result = 0;
	while (!server->shut && result == 0)
		result = pthread_cond_timedwait(&server->changed, &server->lock, &server->grace_end);
	bool shut = server->shut;
	pthread_mutex_unlock(&server->lock);
	return shut;
}

static void calls_wait(struct driver_server *server)
{
	pthread_mutex_lock(&server->lock);
	while (server->calls || !server->shut)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	pthread_mutex_unlock(&server->lock);
}

void driver_server_drain(struct driver_server *server)
{
	if (!server || atomic_exchange(&server->stopping, true))
		return;
	(void)clock_gettime(CLOCK_REALTIME, &server->grace_end);
	server->grace_end.tv_sec += SHUTDOWN_GRACE_S;
	listener_closed("grpc");
	streams_end(server);
	grpc_server_shutdown_and_notify(server->server, server->cq, &server->shutdown);
}

void driver_server_stop(struct driver_server *server)
{
	if (!server)
		return;
	driver_server_drain(server);
	metrics_collector_remove("grpc");
	if (!wait_shut(server))
		grpc_server_cancel_all_calls(server->server);
	calls_wait(server);
	pool_stop(server->pool);
	grpc_completion_queue_shutdown(server->cq);
	for (size_t i = 0; i < server->poller_count; i++)
		thread_join(server->pollers[i]);
	grpc_server_destroy(server->server);
	grpc_completion_queue_destroy(server->cq);
	reflection_free(server->reflection);
	while (server->spare_count)
		arena_free(server->spare[--server->spare_count]);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
	grpc_shutdown();
}
