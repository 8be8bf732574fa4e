#include "server/alert_hook.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "catalog/catalog.h"
#include "metrics/metrics.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 6, FIRST_PAUSE_MS = 500, SEND_TIMEOUT_S = 10, BODY_BYTES = 64 * KIB, TOPICS_MAX = 128 };

/* One alert: what is to be told about it, and when that may be. */
struct topic {
	char name[ALERTS_NAME_BYTES];
	char severity[16];
	struct alert_event next;
	bool waiting;
	bool told_firing; /* the last message that was taken said so */
	int64_t sent_ns;  /* of the last message; 0: none */
	int64_t due_ns;
	int attempts;
};

struct alert_hook {
	const struct storage *storage;
	const char *url; /* a secret with some services: never shown */
	char *host;	 /* of the URL, for the log; NULL when it has none */
	struct curl_slist *headers;
	char instance[300];
	int64_t interval_ns;
	int64_t scale;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct topic topics[TOPICS_MAX];
	size_t topic_count;
	bool stopping;
	unsigned long thread;
};

/* ---- the message ---- */

static void context_write(struct json *j, const struct alert_hook *hook, const struct alert_event *e)
{
	static const char *const keys[] = {"project_id", "workspace_id", "branch_id", "session_id", "client_ip"};
	struct arena *arena = arena_new();
	struct project project;
	bool of_project = strcmp(e->label, "project_id") == 0;
	json_object(j, "context");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_str(j, keys[i], strcmp(keys[i], e->label) == 0 ? e->text : NULL);
	bool known = of_project && catalog_get_project(hook->storage->catalog, arena, KEY(e->text), &project);
	json_str(j, "project_name", known ? project.name : NULL);
	json_object_end(j);
	arena_free(arena);
}

static void message_write(const struct alert_hook *hook, const struct alert_event *e, struct buf *out)
{
	struct json j = JSON(out);
	json_object(&j, NULL);
	json_str(&j, "alert", e->name);
	json_str(&j, "status", e->firing ? "firing" : "resolved");
	json_str(&j, "severity", e->severity);
	json_time(&j, "timestamp", e->at_us);
	json_str(&j, "summary", e->summary);
	json_str(&j, "description", e->description);
	context_write(&j, hook, e);
	json_object(&j, "labels");
	json_str(&j, "service", "duckdb-api");
	json_str(&j, "instance", hook->instance);
	if (*e->label)
		json_str(&j, e->label, e->text);
	json_object_end(&j);
	json_double(&j, "value", e->value);
	json_object_end(&j);
}

/* ---- sending ---- */

static size_t answer_drop(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

/* True when it was taken; *ret_again: another try makes sense. */
static bool post(const struct alert_hook *hook, const struct buf *body, bool *ret_again)
{
	long status = 0;
	CURL *curl = curl_easy_init();
	if (curl) {
		(void)curl_easy_setopt(curl, CURLOPT_URL, hook->url);
		(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
		(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, hook->headers);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->ptr);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
		(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_TIMEOUT_S);
		(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_drop);
		if (curl_easy_perform(curl) == CURLE_OK)
			(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(curl);
	*ret_again = status == 0 || status == 408 || status == 429 || status >= 500;
	return status >= 200 && status < 300;
}

/* The earliest that is due, or when the next will be; with the lock held. */
static struct topic *topic_due(struct alert_hook *hook, int64_t *ret_next_ns)
{
	struct topic *found = NULL;
	*ret_next_ns = INT64_MAX;
	for (size_t i = 0; i < hook->topic_count; i++) {
		struct topic *t = &hook->topics[i];
		if (t->waiting && t->due_ns < *ret_next_ns) {
			*ret_next_ns = t->due_ns;
			found = t;
		}
	}
	return found && (hook->stopping || *ret_next_ns <= clock_ns()) ? found : NULL;
}

static void count(bool fine)
{
	metric_inc(metric_series(METRIC_ALERT_NOTIFICATIONS_TOTAL, fine ? "success" : "error", NULL));
}

/* With the lock held, which is given up while it sends. */
static void topic_send(struct alert_hook *hook, struct topic *t)
{
	struct alert_event event = t->next;
	struct buf body = BUF(BODY_BYTES);
	bool again;
	t->waiting = false;
	(void)pthread_mutex_unlock(&hook->lock);
	message_write(hook, &event, &body);
	bool taken = post(hook, &body, &again);
	buf_done(&body);
	(void)pthread_mutex_lock(&hook->lock);
	t->sent_ns = clock_ns();
	if (taken) {
		t->told_firing = event.firing;
		t->attempts = 0;
		count(true);
		return;
	}
	if (again && ++t->attempts < ATTEMPTS && !hook->stopping) {
		if (!t->waiting)
			t->next = event;
		t->waiting = true;
		t->due_ns = t->sent_ns + (FIRST_PAUSE_MS * NS_PER_MS << (t->attempts - 1));
		return;
	}
	t->attempts = 0;
	count(false);
	log_event(LOG_WARN, "an alert could not be told", "alert", LOG_S(event.name), "webhook_host", LOG_S(hook->host),
		  NULL);
}

static void *run(void *ctx)
{
	struct alert_hook *hook = ctx;
	(void)pthread_mutex_lock(&hook->lock);
	for (;;) {
		int64_t next_ns;
		struct topic *t = topic_due(hook, &next_ns);
		if (t) {
			topic_send(hook, t);
			continue;
		}
		if (hook->stopping)
			break;
		if (next_ns == INT64_MAX) {
			(void)pthread_cond_wait(&hook->wake, &hook->lock);
			continue;
		}
		struct timespec at = {.tv_sec = next_ns / NS_PER_S, .tv_nsec = next_ns % NS_PER_S};
		(void)pthread_cond_timedwait(&hook->wake, &hook->lock, &at);
	}
	(void)pthread_mutex_unlock(&hook->lock);
	return NULL;
}

/* ---- taking ---- */

static struct topic *topic_of(struct alert_hook *hook, const struct alert_event *e)
{
	for (size_t i = 0; i < hook->topic_count; i++) {
		struct topic *t = &hook->topics[i];
		if (strcmp(t->name, e->name) == 0 && strcmp(t->severity, e->severity) == 0)
			return t;
	}
	if (hook->topic_count == TOPICS_MAX)
		return NULL;
	struct topic *t = &hook->topics[hook->topic_count++];
	(void)snprintf(t->name, sizeof(t->name), "%s", e->name);
	(void)snprintf(t->severity, sizeof(t->severity), "%s", e->severity);
	return t;
}

void alert_hook_notify(void *ctx, const struct alert_event *event)
{
	struct alert_hook *hook = ctx;
	(void)pthread_mutex_lock(&hook->lock);
	struct topic *t = topic_of(hook, event);
	if (t) {
		/* Back to what was told last: there is nothing to tell. */
		bool news = event->firing != t->told_firing || (t->waiting && t->next.firing != event->firing);
		int64_t now = clock_ns();
		int64_t allowed = t->sent_ns ? t->sent_ns + hook->interval_ns : now;
		t->next = *event;
		t->due_ns = allowed > now ? allowed : now;
		t->waiting = news && event->firing != t->told_firing;
		t->attempts = 0;
		(void)pthread_cond_signal(&hook->wake);
	}
	(void)pthread_mutex_unlock(&hook->lock);
}

/* ---- start and stop ---- */

/* "Name: value; Name: value" */
static struct curl_slist *headers_read(const char *text)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	struct span rest = span_of(text ? text : "");
	while (rest.len > 0) {
		char line[2048];
		struct span one = span_trim(span_cut(&rest, ';'));
		if (one.len == 0 || one.len >= sizeof(line))
			continue;
		(void)snprintf(line, sizeof(line), "%.*s", SPAN_ARG(one));
		list = curl_slist_append(list, line);
	}
	return list;
}

/* Allocated by curl. */
static char *host_of(const char *url)
{
	char *host = NULL;
	CURLU *parts = curl_url();
	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
		(void)curl_url_get(parts, CURLUPART_HOST, &host, 0);
	curl_url_cleanup(parts);
	return host;
}

struct alert_hook *alert_hook_start(const struct storage *storage, int port)
{
	const struct settings *s = storage->settings;
	char host[256] = "localhost";
	pthread_condattr_t attr;
	if (!s->alert_webhook_url || !*s->alert_webhook_url)
		return NULL;
	struct alert_hook *hook = mem_alloc(sizeof(*hook));
	hook->storage = storage;
	hook->url = s->alert_webhook_url;
	hook->host = host_of(hook->url);
	hook->headers = headers_read(s->alert_webhook_headers);
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(hook->instance, sizeof(hook->instance), "%s:%d", host, port);
	hook->interval_ns = s->alert_min_interval * NS_PER_S / s->alert_time_scale;
	(void)pthread_mutex_init(&hook->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&hook->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	thread_start("alert-hook", run, hook, &hook->thread);
	return hook;
}

void alert_hook_stop(struct alert_hook *hook)
{
	if (!hook)
		return;
	(void)pthread_mutex_lock(&hook->lock);
	hook->stopping = true;
	(void)pthread_cond_signal(&hook->wake);
	(void)pthread_mutex_unlock(&hook->lock);
	thread_join(hook->thread);
	curl_slist_free_all(hook->headers);
	curl_free(hook->host);
	(void)pthread_cond_destroy(&hook->wake);
	(void)pthread_mutex_destroy(&hook->lock);
	free(hook);
}
