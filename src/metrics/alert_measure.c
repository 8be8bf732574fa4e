#include "metrics/alert_measure.h"

#include "base/arena.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = BUCKETS_MAX + 1, BURN_EVENTS_MIN = 100 };

/* Of one case at one moment: a count in [0], or the cumulative buckets; `per` is what a ratio divides by. */
struct sample {
	double numbers[NUMBERS];
	double per;
};

struct cases {
	size_t count;
	char names[ALERT_CASES_MAX][METRICS_LABEL_BYTES + 4];
	struct sample samples[ALERT_CASES_MAX];
};

struct alert_samples {
	size_t slots;
	size_t taken;
	int64_t *times;
	size_t width;	     /* cases told apart */
	struct sample *ring; /* slots x width */
	struct cases now;
};

bool alert_measure_falls(enum alert_measure_kind kind)
{
	return kind == ALERT_LEAST || kind == ALERT_LOW_SHARE || kind == ALERT_AGE_LEFT;
}

static size_t window_slots(const struct alert_measure *m)
{
	switch (m->kind) {
	case ALERT_RATIO:
	case ALERT_RATE:
	case ALERT_QUANTILE:
		return ALERT_WINDOW_SECONDS / ALERT_TICK_SECONDS + 1;
	case ALERT_GAIN:
		return (size_t)m->window_s / ALERT_TICK_SECONDS + 1;
	case ALERT_BURN:
		return ALERT_LONG_SECONDS / ALERT_TICK_SECONDS + 1;
	default:
		return 0;
	}
}

struct alert_samples *alert_samples_new(const struct alert_measure *m)
{
	size_t slots = window_slots(m);
	if (slots == 0)
		return NULL;
	struct alert_samples *s = mem_alloc(sizeof(*s));
	s->slots = slots;
	s->times = mem_alloc_array(sizeof(*s->times), slots);
	s->width = m->by ? ALERT_CASES_MAX : 1;
	s->ring = mem_alloc_array(sizeof(*s->ring), slots * s->width);
	return s;
}

void alert_samples_free(struct alert_samples *samples)
{
	if (!samples)
		return;
	free(samples->times);
	free(samples->ring);
	free(samples);
}

/* ---- reading the registry ---- */

static const char *label_of(const struct series *series, const char *name)
{
	for (size_t i = 0; name && i < series->family->labels; i++) {
		if (strcmp(series->family->row->labels[i].name, name) == 0)
			return series_label(series, i);
	}
	return "";
}

static bool selected(const struct series *series, const struct alert_selector *sel)
{
	if (!*sel->label)
		return true;
	const char *have = label_of(series, sel->label);
	size_t len = strlen(sel->value);
	if (*sel->value == '!')
		return strcmp(have, sel->value + 1) != 0;
	return sel->value[len - 1] == '*' ? strncmp(have, sel->value, len - 1) == 0 : strcmp(have, sel->value) == 0;
}

static void each(const struct alert_selector *sel, void (*take)(void *ctx, struct series *series), void *ctx)
{
	struct family *family = &registry_get()->families[sel->metric];
	pthread_mutex_lock(&family->lock);
	family_settle(family);
	for (size_t i = 0; i < family->count; i++) {
		if (selected(family->sorted[i], sel))
			take(ctx, family->sorted[i]);
	}
	pthread_mutex_unlock(&family->lock);
}

/* ---- gauges ---- */

struct gauge_walk {
	const struct alert_measure *m;
	struct alert_value *ret;
	bool falls;
	const char *want; /* sums of this case only; NULL: of all */
	double sum;
	bool any;
};

static void offer(struct gauge_walk *w, double value, const char *text)
{
	struct alert_value *ret = w->ret;
	if (isnan(value) || (ret->known && (w->falls ? value >= ret->value : value <= ret->value)))
		return;
	ret->known = true;
	ret->value = value;
	(void)snprintf(ret->text, sizeof(ret->text), "%s", text);
}

static void gauge_sum(void *ctx, struct series *series)
{
	struct gauge_walk *w = ctx;
	if (w->want && strcmp(label_of(series, w->m->by), w->want) != 0)
		return;
	w->sum += series_value(series);
	w->any = true;
}

static double sum_of(const struct alert_measure *m, const struct alert_selector *sel, const char *want)
{
	struct gauge_walk w = {.m = m, .want = want};
	each(sel, gauge_sum, &w);
	return w.any ? w.sum : (double)NAN;
}

static void gauge_single(void *ctx, struct series *series)
{
	struct gauge_walk *w = ctx;
	double value = series_value(series);
	if (w->m->kind == ALERT_AGE_LEFT)
		value = value > 0 ? value - (double)clock_unix_us() / 1e6 : (double)NAN;
	offer(w, value, label_of(series, w->m->by));
}

static void share_single(void *ctx, struct series *series)
{
	struct gauge_walk *w = ctx;
	const char *text = label_of(series, w->m->by);
	double whole = sum_of(w->m, &w->m->per, w->m->by ? text : NULL);
	offer(w, whole > 0 ? series_value(series) / whole : (double)NAN, text);
}

/* ---- windows ---- */

static struct sample *case_of(struct cases *cases, const char *name)
{
	for (size_t i = 0; i < cases->count; i++) {
		if (strcmp(cases->names[i], name) == 0)
			return &cases->samples[i];
	}
	if (cases->count == ALERT_CASES_MAX)
		return &cases->samples[ALERT_CASES_MAX - 1];
	(void)snprintf(cases->names[cases->count], sizeof(cases->names[0]), "%s", name);
	return &cases->samples[cases->count++];
}

struct window_walk {
	const struct alert_measure *m;
	struct cases *cases;
};

static double events(struct series *series)
{
	struct histogram_reading reading;
	if (series->family->row->type != TYPE_HISTOGRAM)
		return series_value(series);
	histogram_read(&series->family->layout, series->cells, atomic_load(&series->octaves), &reading);
	return (double)reading.count;
}

static void window_of(void *ctx, struct series *series)
{
	struct window_walk *w = ctx;
	struct sample *sample = case_of(w->cases, label_of(series, w->m->by));
	if (w->m->kind != ALERT_QUANTILE) {
		sample->numbers[0] += events(series);
		return;
	}
	struct histogram_reading reading;
	histogram_read(&series->family->layout, series->cells, atomic_load(&series->octaves), &reading);
	for (size_t i = 0; i <= series->family->row->buckets->count; i++)
		sample->numbers[i] += (double)reading.cumulative[i];
}

static void window_per(void *ctx, struct series *series)
{
	struct window_walk *w = ctx;
	case_of(w->cases, "")->per += events(series);
}

static void take_sample(const struct alert_measure *m, struct alert_samples *s, int64_t now_ns)
{
	struct window_walk w = {.m = m, .cases = &s->now};
	memset(s->now.samples, 0, sizeof(s->now.samples));
	each(&m->of, window_of, &w);
	if (m->kind == ALERT_RATIO || m->kind == ALERT_BURN)
		each(&m->per, window_per, &w);
	size_t at = s->taken % s->slots;
	s->times[at] = now_ns;
	memcpy(&s->ring[at * s->width], s->now.samples, s->width * sizeof(struct sample));
	s->taken++;
}

/* As histogram_quantile does: linear inside a bucket, the last bound above it. */
static double quantile(const struct bucket_set *set, const double *gained, double q)
{
	double total = gained[set->count];
	double below = 0;
	double lower = 0;
	for (size_t i = 0; total > 0 && i < set->count; i++) {
		if (gained[i] >= q * total && gained[i] > below)
			return lower + (set->bounds[i] - lower) * (q * total - below) / (gained[i] - below);
		lower = set->bounds[i];
		below = gained[i];
	}
	return total > 0 ? lower : (double)NAN;
}

/* What case `c` says about the last `slots` samples. */
static double case_value(const struct alert_measure *m, const struct alert_samples *s, size_t c, size_t slots)
{
	size_t back = s->taken < slots ? s->taken : slots;
	size_t first = (s->taken - back) % s->slots;
	size_t last = (s->taken - 1) % s->slots;
	const struct sample *a = &s->ring[first * s->width + c];
	const struct sample *b = &s->ring[last * s->width + c];
	double seconds = (double)(s->times[last] - s->times[first]) / 1e9;
	double gained[NUMBERS];
	if (back < 2)
		return (double)NAN;
	for (size_t i = 0; i < NUMBERS; i++)
		gained[i] = b->numbers[i] > a->numbers[i] ? b->numbers[i] - a->numbers[i] : 0;
	double per = b->per - a->per;
	switch (m->kind) {
	case ALERT_QUANTILE:
		return quantile(metric_rows[m->of.metric].buckets, gained, m->q);
	case ALERT_RATE:
		return seconds > 0 ? gained[0] / seconds : (double)NAN;
	case ALERT_GAIN:
		return gained[0];
	case ALERT_BURN:
		if (slots == s->slots && per <= BURN_EVENTS_MIN)
			return (double)NAN;
		return per > 0 ? gained[0] / per : (double)NAN;
	default:
		return per > 0 ? gained[0] / per : (double)NAN;
	}
}

static void windowed(const struct alert_measure *m, struct alert_samples *s, struct gauge_walk *w)
{
	for (size_t c = 0; c < s->now.count; c++) {
		double value = case_value(m, s, c, s->slots);
		if (m->kind == ALERT_BURN)
			value = isnan(value) ? value
					     : fmin(value,
						    case_value(m, s, c, ALERT_WINDOW_SECONDS / ALERT_TICK_SECONDS + 1));
		offer(w, value, s->now.names[c]);
	}
}

void alert_measure(const struct alert_measure *m, struct alert_samples *samples, int64_t now_ns,
		   struct alert_value *ret)
{
	struct gauge_walk w = {.m = m, .ret = ret, .falls = alert_measure_falls(m->kind)};
	*ret = (struct alert_value){.known = false};
	(void)snprintf(ret->label, sizeof(ret->label), "%s", m->by ? m->by : "");
	if (samples) {
		take_sample(m, samples, now_ns);
		windowed(m, samples, &w);
	} else if (m->kind == ALERT_LEVEL) {
		offer(&w, sum_of(m, &m->of, NULL), "");
	} else if (m->kind == ALERT_SHARE || m->kind == ALERT_LOW_SHARE) {
		each(&m->of, share_single, &w);
	} else {
		each(&m->of, gauge_single, &w);
	}
}
