#include "metrics/alerts.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/pool.h"
#include "metrics/alert_measure.h"
#include "metrics/collect.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { TICK_MS_MIN = 100, COLLECT_WAIT_MS = 1000 };
enum alert_unit { UNIT_OF_PERCENT, UNIT_OF_SECONDS, UNIT_OF_BYTES, UNIT_OF_NUMBER };

struct alert_row {
	const char *name, *severity;
	int64_t for_s;
	struct alert_measure measure;
	double limit;
	enum alert_unit unit;
	const char *summary, *what;
};

#define SEL(id, name, is)                                             \
	{                                                             \
		.metric = METRIC_##id, .label = (name), .value = (is) \
	}
#define LEVEL(sel)                             \
	{                                      \
		.kind = ALERT_LEVEL, .of = sel \
	}
#define WORST(sel, name)                                     \
	{                                                    \
		.kind = ALERT_WORST, .of = sel, .by = (name) \
	}
#define LEAST(sel, name)                                     \
	{                                                    \
		.kind = ALERT_LEAST, .of = sel, .by = (name) \
	}
#define SHARE(sel, whole)                                    \
	{                                                    \
		.kind = ALERT_SHARE, .of = sel, .per = whole \
	}
#define LOW_SHARE(sel, whole, name)                                            \
	{                                                                      \
		.kind = ALERT_LOW_SHARE, .of = sel, .per = whole, .by = (name) \
	}
#define RATIO(sel, whole)                                    \
	{                                                    \
		.kind = ALERT_RATIO, .of = sel, .per = whole \
	}
#define RATE(sel, name)                                     \
	{                                                   \
		.kind = ALERT_RATE, .of = sel, .by = (name) \
	}
#define GAIN(seconds, sel, name)                                                                \
	{                                                                                       \
		.kind = ALERT_GAIN, .windows = {{.long_s = (seconds)}}, .of = sel, .by = (name) \
	}
#define QUANTILE(share, sel, name)                                            \
	{                                                                     \
		.kind = ALERT_QUANTILE, .q = (share), .of = sel, .by = (name) \
	}
#define AGE_LEFT(sel, name)                                     \
	{                                                       \
		.kind = ALERT_AGE_LEFT, .of = sel, .by = (name) \
	}
/* Two pairs of windows each: {long, short, factor}. */
#define PAGE                             \
	{                                \
		{3600, 300, 14.4},       \
		{                        \
			21600, 1800, 6.0 \
		}                        \
	}
#define TICKET                             \
	{                                  \
		{86400, 7200, 3.0},        \
		{                          \
			259200, 21600, 1.0 \
		}                          \
	}
#define BURN(budget, least, sel, whole, pairs)                                                                  \
	{                                                                                                       \
		.kind = ALERT_BURN, .q = (budget), .events = (least), .of = sel, .per = whole, .windows = pairs \
	}
#define SLOW_BURN(budget, least, seconds, sel, pairs)                                                            \
	{                                                                                                        \
		.kind = ALERT_BURN, .q = (budget), .events = (least), .above = (seconds), .of = sel, .per = sel, \
		.windows = pairs                                                                                 \
	}
#define FORECAST(seconds, ahead, sel, name)                                                                \
	{                                                                                                  \
		.kind = ALERT_FORECAST, .windows = {{.long_s = (seconds)}}, .ahead_s = (ahead), .of = sel, \
		.by = (name)                                                                               \
	}
#define GROWTH(seconds, sel)                                                        \
	{                                                                           \
		.kind = ALERT_GROWTH, .windows = {{.long_s = (seconds)}}, .of = sel \
	}

static const struct alert_row rows[] = {
#define ALERT(name, severity, for_s, measure, limit, unit, summary, what) \
	{#name, severity, for_s, measure, limit, unit, summary, what},
#include "metrics/alerts.def"
#undef ALERT
};

struct alert {
	enum alert_state state;
	int64_t since_ns; /* pending */
	int64_t active_us, fired_us, resolved_us;
	struct alert_value now;
	struct alert_event told; /* as it fired */
	struct alert_samples *samples;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	struct alert list[ARRAY_LEN(rows)];
	struct alerts_config config;
	bool running;
	bool stopping;
	unsigned long thread;
} alerts = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER, .config = {.scale = 1}};

/* ---- words ---- */

static void value_text(enum alert_unit unit, double value, char *ret, size_t size)
{
	if (unit == UNIT_OF_PERCENT)
		(void)snprintf(ret, size, "%.2f%%", value * 100);
	else if (unit == UNIT_OF_SECONDS && value < 1)
		(void)snprintf(ret, size, "%.1f ms", value * 1e3);
	else if (unit == UNIT_OF_SECONDS)
		(void)snprintf(ret, size, value < 7200 ? "%.2f s" : "%.0f s", value);
	else if (unit == UNIT_OF_BYTES)
		(void)snprintf(ret, size, fabs(value) < 1e9 ? "%.1f MB" : "%.1f GB",
			       value / (fabs(value) < 1e9 ? 1e6 : 1e9));
	else
		(void)snprintf(ret, size, "%.6g", value);
}

static void event_fill(const struct alert_row *row, const struct alert_value *value, bool firing, int64_t unix_us,
		       struct alert_event *ret)
{
	char text[32];
	*ret = (struct alert_event){.name = row->name,
				    .severity = row->severity,
				    .summary = row->summary,
				    .firing = firing,
				    .value = value->value,
				    .at_us = unix_us};
	value_text(row->unit, value->value, text, sizeof(text));
	const char *hole = strstr(row->what, "%s");
	int before = hole ? (int)(hole - row->what) : (int)strlen(row->what);
	int len = snprintf(ret->description, sizeof(ret->description), "%.*s%s%s", before, row->what, hole ? text : "",
			   hole ? hole + 2 : "");
	if (*value->text && len > 0 && (size_t)len < sizeof(ret->description))
		(void)snprintf(ret->description + len, sizeof(ret->description) - (size_t)len, " (%s %s)", value->label,
			       value->text);
	(void)snprintf(ret->label, sizeof(ret->label), "%s", *value->text ? value->label : "");
	(void)snprintf(ret->text, sizeof(ret->text), "%s", value->text);
}

/* ---- evaluating ---- */

static bool holds(const struct alert_row *row, const struct alert_value *value)
{
	if (!value->known)
		return false;
	return alert_measure_falls(row->measure.kind) ? value->value < row->limit : value->value > row->limit;
}

static void tell(const struct alert_event *event)
{
	if (alerts.config.notify)
		alerts.config.notify(alerts.config.ctx, event);
}

static void step(size_t i, int64_t now_ns, int64_t unix_us)
{
	const struct alert_row *row = &rows[i];
	struct alert *a = &alerts.list[i];
	if (!a->samples)
		a->samples = alert_samples_new(&row->measure);
	alert_measure(&row->measure, a->samples, now_ns, &a->now);
	if (!holds(row, &a->now)) {
		if (a->state == ALERT_FIRING) {
			struct alert_event over = a->told;
			over.firing = false;
			over.at_us = unix_us;
			a->resolved_us = unix_us;
			tell(&over);
		}
		a->state = ALERT_INACTIVE;
		return;
	}
	if (a->state == ALERT_INACTIVE) {
		a->state = ALERT_PENDING;
		a->since_ns = now_ns;
		a->active_us = unix_us;
	}
	if (a->state == ALERT_PENDING && now_ns - a->since_ns >= row->for_s * NS_PER_S / alerts.config.scale) {
		a->state = ALERT_FIRING;
		a->fired_us = unix_us;
		event_fill(row, &a->now, true, unix_us, &a->told);
		tell(&a->told);
	}
}

void alerts_evaluate(int64_t now_ns, int64_t unix_us)
{
	(void)pthread_mutex_lock(&alerts.lock);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		step(i, now_ns, unix_us);
		metric_gauge_set(metric_series(METRIC_ALERT_STATE, rows[i].name, rows[i].severity, NULL),
				 (double)alerts.list[i].state);
	}
	(void)pthread_mutex_unlock(&alerts.lock);
}

void alerts_reset(void)
{
	(void)pthread_mutex_lock(&alerts.lock);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		alert_samples_free(alerts.list[i].samples);
		alerts.list[i] = (struct alert){.state = ALERT_INACTIVE};
	}
	(void)pthread_mutex_unlock(&alerts.lock);
}

/* False when it is time to end. */
static bool pause_tick(void)
{
	int64_t ms = ALERT_TICK_SECONDS * 1000 / alerts.config.scale;
	int64_t until = clock_unix_us() + (ms > TICK_MS_MIN ? ms : TICK_MS_MIN) * 1000;
	struct timespec at = {.tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000};
	int timeout = 0;
	(void)pthread_mutex_lock(&alerts.lock);
	while (!alerts.stopping && timeout == 0)
		timeout = pthread_cond_timedwait(&alerts.stop, &alerts.lock, &at);
	bool go_on = !alerts.stopping;
	(void)pthread_mutex_unlock(&alerts.lock);
	return go_on;
}

static void *run(void *ctx)
{
	(void)ctx;
	while (pause_tick()) {
		/* Otherwise the history's thread keeps the gauges fresh enough. */
		if (alerts.config.scale > 1)
			collect_run(GROUPS_ALL, clock_ns() + COLLECT_WAIT_MS * NS_PER_MS);
		alerts_evaluate(clock_ns(), clock_unix_us());
	}
	return NULL;
}

void alerts_start(const struct alerts_config *config)
{
	alerts.config = *config;
	alerts.stopping = false;
	alerts.running = true;
	thread_start("alerts", run, NULL, &alerts.thread);
}

void alerts_stop(void)
{
	if (!alerts.running)
		return;
	(void)pthread_mutex_lock(&alerts.lock);
	alerts.stopping = true;
	(void)pthread_cond_signal(&alerts.stop);
	(void)pthread_mutex_unlock(&alerts.lock);
	thread_join(alerts.thread);
	alerts.running = false;
	alerts_reset();
}

/* ---- telling ---- */

static void time_or_null(struct json *j, const char *key, int64_t unix_us)
{
	if (unix_us)
		json_time(j, key, unix_us);
	else
		json_null(j, key);
}

static void alert_write(struct json *j, size_t i)
{
	static const char *const states[] = {"inactive", "pending", "firing"};
	const struct alert_row *row = &rows[i];
	const struct alert *a = &alerts.list[i];
	char runbook[ALERTS_NAME_BYTES + 32];
	struct alert_event event;
	bool active = a->state != ALERT_INACTIVE;
	event_fill(row, &a->now, true, 0, &event);
	(void)snprintf(runbook, sizeof(runbook), "docs/runbooks/%s.md", row->name);
	json_object(j, NULL);
	json_str(j, "alert", row->name);
	json_str(j, "severity", row->severity);
	json_str(j, "state", states[a->state]);
	if (a->now.known)
		json_double(j, "value", a->now.value);
	else
		json_null(j, "value");
	json_double(j, "threshold", row->limit);
	json_bool(j, "below", alert_measure_falls(row->measure.kind));
	json_int(j, "for_seconds", row->for_s);
	json_str(j, "summary", row->summary);
	json_str(j, "description", active ? event.description : NULL);
	json_object(j, "labels");
	if (active && *event.label)
		json_str(j, event.label, event.text);
	json_object_end(j);
	time_or_null(j, "active_since", active ? a->active_us : 0);
	time_or_null(j, "fired_at", a->fired_us);
	time_or_null(j, "resolved_at", a->resolved_us);
	json_str(j, "runbook", runbook);
	json_object_end(j);
}

void alerts_expose(struct buf *out)
{
	struct json j = JSON(out);
	int64_t counts[ALERT_FIRING + 1] = {0};
	(void)pthread_mutex_lock(&alerts.lock);
	json_object(&j, NULL);
	json_array(&j, "alerts");
	for (int state = ALERT_FIRING; state >= ALERT_INACTIVE; state--) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if ((int)alerts.list[i].state != state)
				continue;
			alert_write(&j, i);
			counts[state]++;
		}
	}
	json_array_end(&j);
	json_int(&j, "firing", counts[ALERT_FIRING]);
	json_int(&j, "pending", counts[ALERT_PENDING]);
	json_object_end(&j);
	(void)pthread_mutex_unlock(&alerts.lock);
}
