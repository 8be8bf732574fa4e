#include "server/server.h"

#include "base/log.h"
#include "base/pool.h"
#include "engine/instance.h"
#include "grpc/driver.h"
#include "http/http.h"
#include "metrics/metrics.h"
#include "pgwire/door.h"
#include "rest/rest.h"
#include "s3/s3.h"
#include "server/alert_hook.h"
#include "server/idempotency.h"
#include "storage/auth.h"
#include "storage/storage.h"
#include "web/routes.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* Writers wait for their table on a thread; how many work at once is decided by the admission of lock.h. */
	WRITE_THREADS = 64,
	TABLES_MAX = REST_TABLES + 8
};

struct server {
	const struct settings *settings;
	struct storage *storage;
	struct pool *pools[HTTP_RUNS];
	const struct http_routes *tables[TABLES_MAX];
	size_t table_count;
	struct web_context web;
	struct s3_door *s3;
	struct http_idempotency idempotency;
	char *openapi;
	struct http_server *http;
	struct http_server *metrics;
	struct driver_server *grpc;
	struct pg_door *pg;
	struct alert_hook *alert_hook;
};

static void pools_start(struct server *server)
{
	const struct settings *s = server->settings;
	const struct {
		enum http_run run;
		const char *name;
		int64_t threads;
	} rows[] = {{HTTP_READ, "read", s->read_workers},
		    {HTTP_WRITE, "write", s->write_workers > WRITE_THREADS ? s->write_workers : WRITE_THREADS},
		    {HTTP_STREAM, "stream", s->stream_workers}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pool_config config = {.name = rows[i].name,
					     .threads = (size_t)rows[i].threads,
					     .queue_max = (size_t)s->queue_max,
					     .on_wait = metrics_pool_wait};
		server->pools[rows[i].run] = pool_start(&config);
	}
}

static bool collect_pools(void *ctx, struct err *err)
{
	struct server *server = ctx;
	(void)err;
	for (int i = 0; i < HTTP_RUNS; i++) {
		struct pool_stats stats;
		if (!server->pools[i])
			continue;
		const char *name = pool_name(server->pools[i]);
		pool_stats(server->pools[i], &stats);
		metric_gauge_set(metric_series(METRIC_POOL_THREADS, name, NULL), (double)stats.threads);
		metric_gauge_set(metric_series(METRIC_POOL_BUSY, name, NULL), (double)stats.busy);
		metric_gauge_set(metric_series(METRIC_POOL_QUEUED, name, NULL), (double)stats.queued);
		metric_mirror(metric_series(METRIC_POOL_TASKS_TOTAL, name, NULL), (double)stats.tasks);
	}
	return true;
}

static bool authenticate(void *ctx, struct span key, struct principal *ret, const char **ret_why)
{
	return auth_key(ctx, key, ret, ret_why);
}

static void metrics_begin(const struct settings *s)
{
	const char *engine = engine_version();
	struct metrics_config config = METRICS_CONFIG_DEFAULT;
	config.max_projects = (size_t)s->metrics_max_projects;
	config.max_tables = (size_t)s->metrics_max_tables;
	config.max_workspaces = (size_t)s->metrics_max_workspaces;
	config.max_branches = (size_t)s->metrics_max_branches;
	config.per_project = s->metrics_per_project;
	config.version = s->api_version;
	config.duckdb_version = *engine == 'v' ? engine + 1 : engine;
	log_on_message(metrics_log_hook);
	metrics_start(&config);
}

static bool http_begin(struct server *server, struct err *err)
{
	struct http_config config = http_config_of(server->settings);
	rest_setup(server->storage, server->tables);
	server->table_count = REST_TABLES;
	server->tables[server->table_count++] = web_routes(&server->web);
	server->tables[server->table_count++] = driver_routes(server->storage);
	server->s3 = s3_door_new(server->storage);
	server->tables[server->table_count++] = s3_routes(server->s3);
	config.preroute = s3_preroute;
	config.preroute_ctx = server->s3;
	memcpy(config.pools, server->pools, sizeof(config.pools));
	config.tables = server->tables;
	config.table_count = server->table_count;
	config.auth = authenticate;
	config.auth_ctx = server->storage;
	config.allow = auth_check;
	server->idempotency = idempotency_open(server->storage->catalog);
	config.idempotency = server->idempotency;
	server->openapi = http_openapi(&config, &server->web.openapi_len);
	server->web.openapi = server->openapi;
	if (!http_server_start(&config, &server->http, err))
		return false;
	s3_door_listens(server->s3, http_server_port(server->http));
	return true;
}

/* METRICS_LISTEN: host:port, with the host in brackets for IPv6. */
static bool metrics_listen(struct server *server, struct err *err)
{
	const char *where = server->settings->metrics_listen;
	char host[256];
	uint64_t port;
	if (!where)
		return true;
	const char *colon = strrchr(where, ':');
	struct span name = {where, colon ? (size_t)(colon - where) : 0};
	if (name.len > 1 && *name.ptr == '[' && name.ptr[name.len - 1] == ']')
		name = (struct span){name.ptr + 1, name.len - 2};
	if (!colon || name.len >= sizeof(host) || !span_u64(span_of(colon + 1), &port) || port > 65535)
		return err_set(err, ERR_INVALID_CONFIG, "METRICS_LISTEN must be host:port, not '%s'", where);
	(void)snprintf(host, sizeof(host), "%.*s", SPAN_ARG(name));
	static const struct http_routes *tables[1];
	tables[0] = web_metrics_routes(&server->web);
	struct http_config config = http_config_of(server->settings);
	config.listener = "metrics";
	config.host = name.len ? host : "0.0.0.0";
	config.port = (int)port;
	config.threads = 1;
	config.tables = tables;
	config.table_count = 1;
	memcpy(config.pools, server->pools, sizeof(config.pools));
	return http_server_start(&config, &server->metrics, err);
}

/* Off with PGWIRE_PORT -1. */
static bool pg_begin(struct server *server, struct err *err)
{
	return server->settings->pgwire_port < 0 || pg_door_start(server->storage, &server->pg, err);
}

static void alerts_begin(struct server *server)
{
	server->alert_hook = alert_hook_start(server->storage, http_server_port(server->http));
	struct alerts_config config = {.scale = server->settings->alert_time_scale,
				       .notify = server->alert_hook ? alert_hook_notify : NULL,
				       .ctx = server->alert_hook};
	alerts_start(&config);
}

bool server_start(const struct settings *settings, struct server **ret, struct err *err)
{
	struct server *server = mem_alloc(sizeof(*server));
	server->settings = settings;
	server->web.metrics_token = settings->metrics_token;
	metrics_begin(settings);
	pools_start(server);
	metrics_collector_add("pools", "pools", collect_pools, server);
	bool opened = storage_open(settings, &server->storage, err);
	/* Reading the catalog leaves freed memory behind, as much as what it keeps. */
	(void)malloc_trim(0);
	if (!opened || !http_begin(server, err) || !metrics_listen(server, err) ||
	    !driver_server_start(server->storage, &server->grpc, err) || !pg_begin(server, err)) {
		server_stop(server);
		return false;
	}
	alerts_begin(server);
	metric_gauge_set(metric_series(METRIC_API_UP, NULL), 1);
	*ret = server;
	return true;
}

int server_port(const struct server *server)
{
	return http_server_port(server->http);
}

int server_grpc_port(const struct server *server)
{
	return driver_server_port(server->grpc);
}

int server_pg_port(const struct server *server)
{
	return server->pg ? pg_door_port(server->pg) : -1;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	metric_gauge_set(metric_series(METRIC_API_UP, NULL), 0);
	alerts_stop();
	alert_hook_stop(server->alert_hook);
	driver_server_drain(server->grpc);
	if (server->http)
		(void)http_server_drain(server->http, (unsigned)server->settings->drain_timeout);
	pg_door_drain(server->pg, (unsigned)server->settings->drain_timeout);
	pg_door_stop(server->pg);
	if (server->storage)
		storage_interrupt(server->storage);
	driver_server_stop(server->grpc);
	http_server_stop(server->http);
	http_server_stop(server->metrics);
	metrics_collector_remove("pools");
	for (int i = 0; i < HTTP_RUNS; i++)
		pool_stop(server->pools[i]);
	s3_door_free(server->s3);
	idempotency_close(&server->idempotency);
	storage_close(server->storage);
	metrics_stop();
	free(server->openapi);
	free(server);
}
