#include "storage/trace.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "metrics/metrics.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	QUEUE_MAX = 2048,
	BATCH_MAX = 256,
	BATCH_WAIT_MS = 1000,
	ATTEMPTS = 3,
	SEND_TIMEOUT_S = 5,
	BODY_BYTES = 4 * 1024 * 1024
};

/* One operation, copied: everything the exporter writes about it. */
struct traced {
	struct traced *next;
	char trace_id[33];
	char parent_id[17]; /* empty: the operation is the root */
	char span_id[17];
	const char *name; /* static */
	const char *door; /* static */
	char project_id[LIMIT_ID_BYTES + 1];
	char request_id[64];
	char error[64]; /* code; empty: fine */
	int64_t start_us;
	int64_t start_ns;
	int64_t end_ns;
	size_t span_count;
	struct op_span spans[OP_SPANS_MAX];
};

struct traces {
	char *url;
	const char *version;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct traced *first;
	struct traced **last;
	size_t waiting;
	bool stopping;
	unsigned long thread;
	struct series *exported;
	struct series *dropped;
};

/* ---- the body ---- */

static void attribute(struct json *j, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	json_object(j, NULL);
	json_str(j, "key", key);
	json_object(j, "value");
	json_str(j, "stringValue", value);
	json_object_end(j);
	json_object_end(j);
}

/* Monotonic times become Unix nanoseconds by the operation's own start on both clocks. 64-bit numbers are strings in OTLP's JSON. */
static void times(struct json *j, const struct traced *t, int64_t start_ns, int64_t end_ns)
{
	char text[24];
	int64_t base = t->start_us * 1000 - t->start_ns;
	(void)snprintf(text, sizeof(text), "%lld", (long long)(base + start_ns));
	json_str(j, "startTimeUnixNano", text);
	(void)snprintf(text, sizeof(text), "%lld", (long long)(base + end_ns));
	json_str(j, "endTimeUnixNano", text);
}

static void span_begin(struct json *j, const struct traced *t, const char *span_id, const char *parent,
		       const char *name, int kind)
{
	json_object(j, NULL);
	json_str(j, "traceId", t->trace_id);
	json_str(j, "spanId", span_id);
	if (*parent)
		json_str(j, "parentSpanId", parent);
	json_str(j, "name", name);
	json_int(j, "kind", kind);
}

static void traced_write(struct json *j, const struct traced *t)
{
	enum { KIND_INTERNAL = 1, KIND_SERVER = 2, STATUS_OK = 1, STATUS_ERROR = 2 };
	span_begin(j, t, t->span_id, t->parent_id, t->name, KIND_SERVER);
	times(j, t, t->start_ns, t->end_ns);
	json_array(j, "attributes");
	attribute(j, "duckdb.door", t->door);
	attribute(j, "duckdb.project", t->project_id);
	attribute(j, "request.id", t->request_id);
	attribute(j, "error.type", t->error);
	json_array_end(j);
	json_object(j, "status");
	json_int(j, "code", t->error[0] ? STATUS_ERROR : STATUS_OK);
	json_object_end(j);
	json_object_end(j);
	for (size_t i = 0; i < t->span_count; i++) {
		char id[17];
		id_hex(8, id);
		span_begin(j, t, id, t->span_id, t->spans[i].name, KIND_INTERNAL);
		times(j, t, t->spans[i].start_ns, t->spans[i].end_ns);
		json_object_end(j);
	}
}

static void body_write(const struct traces *traces, const struct traced *batch, struct buf *out)
{
	struct json j = JSON(out);
	json_object(&j, NULL);
	json_array(&j, "resourceSpans");
	json_object(&j, NULL);
	json_object(&j, "resource");
	json_array(&j, "attributes");
	attribute(&j, "service.name", "duckdb-api");
	attribute(&j, "service.version", traces->version);
	json_array_end(&j);
	json_object_end(&j);
	json_array(&j, "scopeSpans");
	json_object(&j, NULL);
	json_object(&j, "scope");
	json_str(&j, "name", "duckdb-api");
	json_object_end(&j);
	json_array(&j, "spans");
	for (const struct traced *t = batch; t; t = t->next)
		traced_write(&j, t);
	json_array_end(&j);
	json_object_end(&j);
	json_array_end(&j);
	json_object_end(&j);
	json_array_end(&j);
	json_object_end(&j);
}

/* ---- sending ---- */

static size_t answer_drop(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

/* True when the collector took it; *ret_again says whether trying again makes sense. */
static bool post(const struct traces *traces, const struct buf *body, bool *ret_again)
{
	long status = 0;
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	*ret_again = true;
	if (!curl) {
		curl_slist_free_all(headers);
		return false;
	}
	(void)curl_easy_setopt(curl, CURLOPT_URL, traces->url);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->ptr);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_TIMEOUT_S);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_drop);
	CURLcode sent = curl_easy_perform(curl);
	if (sent == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	/* The retryable answers of the OTLP specification. */
	*ret_again = status == 0 || status == 429 || (status >= 502 && status <= 504);
	return status >= 200 && status < 300;
}

static bool stopping(struct traces *traces)
{
	(void)pthread_mutex_lock(&traces->mutex);
	bool is = traces->stopping;
	(void)pthread_mutex_unlock(&traces->mutex);
	return is;
}

static void pause_between(struct traces *traces, int64_t ms)
{
	int64_t until = clock_ns() + ms * NS_PER_MS;
	struct timespec at = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
	(void)pthread_mutex_lock(&traces->mutex);
	while (!traces->stopping && clock_ns() < until)
		(void)pthread_cond_timedwait(&traces->wake, &traces->mutex, &at);
	(void)pthread_mutex_unlock(&traces->mutex);
}

static void batch_send(struct traces *traces, struct traced *batch)
{
	struct buf body = BUF(BODY_BYTES);
	uint64_t spans = 0;
	bool again = true;
	bool sent = false;
	body_write(traces, batch, &body);
	for (int attempt = 0; attempt < ATTEMPTS && again && !sent && !body.failed; attempt++) {
		if (attempt)
			pause_between(traces, INT64_C(500) << attempt);
		sent = post(traces, &body, &again);
		if (stopping(traces))
			break;
	}
	while (batch) {
		struct traced *next = batch->next;
		spans += 1 + batch->span_count;
		free(batch);
		batch = next;
	}
	metric_add(sent ? traces->exported : traces->dropped, spans);
	if (!sent)
		log_event(LOG_WARN, "spans could not be exported and were dropped", "spans", LOG_I(spans), "collector",
			  LOG_S(traces->url), NULL);
	buf_done(&body);
}

/* Up to BATCH_MAX operations, with the mutex held. */
static struct traced *batch_take(struct traces *traces)
{
	struct traced *batch = traces->first;
	struct traced **end = &traces->first;
	size_t n = 0;
	while (*end && n < BATCH_MAX) {
		end = &(*end)->next;
		n++;
	}
	traces->first = *end;
	*end = NULL;
	traces->waiting -= n;
	if (!traces->first)
		traces->last = &traces->first;
	return batch;
}

static void *traces_run(void *ctx)
{
	struct traces *traces = ctx;
	for (;;) {
		if (!stopping(traces))
			pause_between(traces, BATCH_WAIT_MS);
		(void)pthread_mutex_lock(&traces->mutex);
		struct traced *batch = traces->first ? batch_take(traces) : NULL;
		bool done = traces->stopping && !batch;
		(void)pthread_mutex_unlock(&traces->mutex);
		if (done)
			return NULL;
		if (batch)
			batch_send(traces, batch);
	}
}

bool traces_start(const char *endpoint, const char *service_version, struct traces **ret, struct err *err)
{
	size_t len = strlen(endpoint);
	if (strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)
		return err_set(err, ERR_INVALID_CONFIG,
			       "OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL, not '%s'", endpoint);
	while (len && endpoint[len - 1] == '/')
		len--;
	struct traces *traces = mem_alloc(sizeof(*traces));
	traces->url = mem_alloc(len + sizeof("/v1/traces"));
	(void)snprintf(traces->url, len + sizeof("/v1/traces"), "%.*s/v1/traces", (int)len, endpoint);
	traces->version = service_version;
	traces->last = &traces->first;
	traces->exported = metric_series(METRIC_TRACE_SPANS_EXPORTED_TOTAL, NULL);
	traces->dropped = metric_series(METRIC_TRACE_SPANS_DROPPED_TOTAL, NULL);
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&traces->mutex, NULL);
	(void)pthread_cond_init(&traces->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	thread_start("traces", traces_run, traces, &traces->thread);
	*ret = traces;
	return true;
}

void traces_stop(struct traces *traces)
{
	if (!traces)
		return;
	(void)pthread_mutex_lock(&traces->mutex);
	traces->stopping = true;
	(void)pthread_cond_signal(&traces->wake);
	(void)pthread_mutex_unlock(&traces->mutex);
	thread_join(traces->thread);
	(void)pthread_mutex_destroy(&traces->mutex);
	(void)pthread_cond_destroy(&traces->wake);
	free(traces->url);
	free(traces);
}

void trace_operation(struct traces *traces, const struct op *op, bool fine, const struct err *err, int64_t end_ns)
{
	const struct trace *trace = &op->call->trace;
	if (*trace->trace_id && !trace->sampled)
		return;
	struct traced *t = mem_alloc(sizeof(*t));
	*t = (struct traced){.name = op_name(op->kind),
			     .door = door_name(op->call->door),
			     .start_us = op->start_us,
			     .start_ns = op->start_ns,
			     .end_ns = end_ns,
			     .span_count = op->span_count};
	memcpy(t->spans, op->spans, sizeof(t->spans));
	if (*trace->trace_id)
		(void)snprintf(t->trace_id, sizeof(t->trace_id), "%s", trace->trace_id);
	else
		id_hex(16, t->trace_id);
	(void)snprintf(t->parent_id, sizeof(t->parent_id), "%s", trace->span_id);
	id_hex(8, t->span_id);
	(void)snprintf(t->project_id, sizeof(t->project_id), "%s", op->target.project_id ? op->target.project_id : "");
	(void)snprintf(t->request_id, sizeof(t->request_id), "%s", op->call->request_id ? op->call->request_id : "");
	(void)snprintf(t->error, sizeof(t->error), "%s", fine ? "" : err_row(err->code)->rest);
	(void)pthread_mutex_lock(&traces->mutex);
	bool full = traces->waiting >= QUEUE_MAX;
	if (!full) {
		*traces->last = t;
		traces->last = &t->next;
		traces->waiting++;
	}
	(void)pthread_mutex_unlock(&traces->mutex);
	if (full) {
		metric_add(traces->dropped, 1 + t->span_count);
		free(t);
	}
}
