#include "http/account.h"

#include "http/exchange.h"

#include "base/log.h"

#include "metrics/metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* More statuses of one method on one endpoint are looked up each time. */
enum { STATUSES_KEPT = 12 };

struct status_series {
	_Atomic int status; /* 0: free */
	struct series *_Atomic series;
};

struct method_stats {
	struct series *_Atomic duration;
	struct series *_Atomic ttfb;
	struct status_series statuses[STATUSES_KEPT];
};

struct stats {
	const char *endpoint;
	struct method_stats methods[HTTP_METHODS];
	struct series *_Atomic bytes_in;
	struct series *_Atomic bytes_out;
};

struct stats *stats_new(struct arena *arena, const char *endpoint)
{
	struct stats *stats = arena_new_of(arena, struct stats);
	stats->endpoint = endpoint;
	return stats;
}

/* The registry gives every caller the same series, so two threads that resolve one at once agree. */
static struct series *histogram(struct series *_Atomic *slot, enum metric metric, enum http_method method,
				const char *endpoint)
{
	struct series *series = atomic_load_explicit(slot, memory_order_acquire);
	if (!series) {
		series = metric_series(metric, http_method_name(method), endpoint, NULL);
		atomic_store_explicit(slot, series, memory_order_release);
	}
	return series;
}

static struct series *bytes_series(struct series *_Atomic *slot, enum metric metric, const char *endpoint)
{
	struct series *series = atomic_load_explicit(slot, memory_order_acquire);
	if (!series) {
		series = metric_series(metric, endpoint, NULL);
		atomic_store_explicit(slot, series, memory_order_release);
	}
	return series;
}

static struct series *requests_resolve(enum http_method method, const char *endpoint, int status)
{
	char text[8];
	(void)snprintf(text, sizeof(text), "%03d", status);
	return metric_series(METRIC_API_REQUESTS_TOTAL, http_method_name(method), endpoint, text, NULL);
}

static struct series *requests(struct stats *stats, enum http_method method, int status)
{
	struct method_stats *of = &stats->methods[method];
	for (size_t i = 0; i < STATUSES_KEPT; i++) {
		struct status_series *slot = &of->statuses[i];
		int kept = atomic_load_explicit(&slot->status, memory_order_acquire);
		if (kept == 0 && atomic_compare_exchange_strong(&slot->status, &kept, status))
			kept = status;
		if (kept != status)
			continue;
		struct series *series = atomic_load_explicit(&slot->series, memory_order_acquire);
		if (!series) {
			series = requests_resolve(method, stats->endpoint, status);
			atomic_store_explicit(&slot->series, series, memory_order_release);
		}
		return series;
	}
	return requests_resolve(method, stats->endpoint, status);
}

static struct series *in_flight(enum http_method method)
{
	static struct series *_Atomic slots[HTTP_METHODS];
	struct series *series = atomic_load_explicit(&slots[method], memory_order_acquire);
	if (!series) {
		series = metric_series(METRIC_API_REQUESTS_IN_FLIGHT, http_method_name(method), NULL);
		atomic_store_explicit(&slots[method], series, memory_order_release);
	}
	return series;
}

void account_head(struct exchange *ex)
{
	ex->counted_in = true;
	(void)atomic_fetch_add(&ex->server->running, 1);
	if (ex->stats)
		metric_gauge_add(in_flight(ex->req.method), 1);
}

static void access_log(const struct exchange *ex, int status, double seconds)
{
	const struct http_request *req = &ex->req;
	const struct err_row *row = err_row(ex->res.code);
	enum log_level level = row->fault != FAULT_NONE ? LOG_ERROR : status >= 500 ? LOG_WARN : LOG_INFO;
	if (ex->server->config.quiet || !log_enabled(level))
		return;
	const char *trace = req->call.trace.trace_id;
	log_event(level, "request", "request_id", LOG_S(ex->req.call.request_id), "trace_id",
		  LOG_S(*trace ? trace : NULL), "method", LOG_S(http_method_name(req->method)), "endpoint",
		  LOG_S(ex->entry ? ex->entry->route->path : "unmatched"), "status", LOG_I(status), "duration",
		  LOG_SECONDS(seconds), "bytes_in", LOG_I(ex->received), "bytes", LOG_I(ex->sent), "project",
		  LOG_S(http_param(req, "project_id")), "client", LOG_S(ex->peer), "error",
		  LOG_S(ex->res.code ? row->rest : NULL), "cause",
		  LOG_S(ex->res.code && status >= 500 ? ex->res.message : NULL), NULL);
}

static void reject(const char *door, enum reject reason)
{
	static const char *const names[] = {"bad_request", "too_large", "slow_client", "overload", "draining", "tls"};
	metric_inc(metric_series(METRIC_REQUESTS_REJECTED_TOTAL, door, names[reason], NULL));
}

void account_end(struct exchange *ex, int status)
{
	struct stats *stats = ex->stats;
	enum http_method method = ex->req.method;
	double seconds = clock_seconds_since(ex->head_ns);
	enum err_fault fault = err_row(ex->res.code)->fault;
	if (!OBSERVABILITY || !stats)
		return;
	struct method_stats *of = &stats->methods[method];
	metric_inc(requests(stats, method, status));
	metric_observe(histogram(&of->duration, METRIC_API_REQUEST_DURATION_SECONDS, method, stats->endpoint), seconds);
	if (ex->queued_ns)
		metric_observe(histogram(&of->ttfb, METRIC_HTTP_RESPONSE_TTFB_SECONDS, method, stats->endpoint),
			       (double)(ex->queued_ns - ex->head_ns) / 1e9);
	if (ex->received)
		metric_add(bytes_series(&stats->bytes_in, METRIC_HTTP_REQUEST_BYTES_TOTAL, stats->endpoint),
			   ex->received);
	if (ex->sent)
		metric_add(bytes_series(&stats->bytes_out, METRIC_HTTP_RESPONSE_BYTES_TOTAL, stats->endpoint),
			   ex->sent);
	if (ex->res.code == ERR_PAYLOAD_TOO_LARGE || ex->res.code == ERR_FILE_TOO_LARGE)
		reject(ex->entry && ex->entry->table->door == DOOR_S3 ? "s3" : "http", REJECT_TOO_LARGE);
	if (fault != FAULT_NONE)
		metric_inc(metric_series(METRIC_API_ERRORS_TOTAL, err_fault_name(fault), stats->endpoint, NULL));
	/* Last: who sees nothing in flight sees all that was counted. */
	metric_gauge_add(in_flight(method), -1);
	access_log(ex, status, seconds);
}

void account_reject(enum reject reason)
{
	reject("http", reason);
}

void account_auth_failure(const char *reason)
{
	metric_inc(metric_series(METRIC_AUTH_FAILURES_TOTAL, "http", reason, NULL));
}

void account_idempotency(enum idem_verdict verdict)
{
	static const enum metric metrics[] = {[IDEM_RUN] = METRIC_IDEMPOTENCY_CACHE_MISSES_TOTAL,
					      [IDEM_REPLAY] = METRIC_IDEMPOTENCY_CACHE_HITS_TOTAL,
					      [IDEM_CONFLICT] = METRIC_IDEMPOTENCY_CONFLICTS_TOTAL};
	metric_inc(metric_series(metrics[verdict], NULL));
}

void account_connection(const struct http_server *server, int by)
{
	metric_gauge_add(metric_series(METRIC_CONNECTIONS_ACTIVE, server->config.listener, NULL), by);
}
