#include "metrics/alert_measure.h"

#include "base/arena.h"
#include "base/clock.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NUMBERS = BUCKETS_MAX + 1,
	HOUR_SECONDS = 3600,
	TREND_SHARE = 4 /* a trend is told from a quarter of its window on: every server grows when it starts */
};

/* Of one case at one moment: a count in [0], or the cumulative buckets; `per` is what a ratio divides by. */
struct sample {
	double per;
	double numbers[NUMBERS];
};

struct cases {
	size_t count;
	char names[ALERT_CASES_MAX][METRICS_LABEL_BYTES + 4];
	struct sample samples[ALERT_CASES_MAX];
};

/* The samples of a window, every so many evaluations. */
struct ring {
	size_t every;
	size_t slots;
	size_t taken;
	int64_t *times;
	double *numbers; /* slots x cases x numbers of a sample */
};

struct alert_samples {
	size_t width;	/* cases told apart */
	size_t numbers; /* of a sample, with `per` */
	uint64_t ticks;
	int64_t now_ns;
	size_t windows;
	struct ring rings[ALERT_WINDOWS_MAX];
	struct cases now;
};

bool alert_measure_falls(enum alert_measure_kind kind)
{
	return kind == ALERT_LEAST || kind == ALERT_LOW_SHARE || kind == ALERT_AGE_LEFT || kind == ALERT_FORECAST;
}

static int window_seconds(const struct alert_measure *m, size_t window)
{
	switch (m->kind) {
	case ALERT_RATIO:
	case ALERT_RATE:
	case ALERT_QUANTILE:
		return window == 0 ? ALERT_WINDOW_SECONDS : 0;
	default:
		return m->windows[window].long_s;
	}
}

static void ring_make(struct ring *r, size_t ticks, size_t row)
{
	r->every = (ticks + ALERT_SLOTS_MAX - 2) / (ALERT_SLOTS_MAX - 1);
	r->slots = ticks / r->every + 1;
	r->times = mem_alloc_array(sizeof(*r->times), r->slots);
	r->numbers = mem_alloc_array(sizeof(*r->numbers), r->slots * row);
}

struct alert_samples *alert_samples_new(const struct alert_measure *m)
{
	if (window_seconds(m, 0) == 0)
		return NULL;
	struct alert_samples *s = mem_alloc(sizeof(*s));
	*s = (struct alert_samples){.width = m->by ? ALERT_CASES_MAX : 1,
				    .numbers = m->kind == ALERT_QUANTILE ? 1 + NUMBERS : 2};
	while (s->windows < ALERT_WINDOWS_MAX && window_seconds(m, s->windows) > 0) {
		size_t ticks = (size_t)window_seconds(m, s->windows) / ALERT_TICK_SECONDS;
		ring_make(&s->rings[s->windows++], ticks, s->width * s->numbers);
	}
	return s;
}

void alert_samples_free(struct alert_samples *samples)
{
	if (!samples)
		return;
	for (size_t i = 0; i < samples->windows; i++) {
		free(samples->rings[i].times);
		free(samples->rings[i].numbers);
	}
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

/* What may take long; the same list as in the rules for Prometheus. */
static bool is_interactive(const char *endpoint)
{
	static const char *const others[] = {"/health*",  "/driver/execute", "/s3/*",	    "*/import/file",
					     "*/export",  "*/profile",	     "*/pull",	    "*/load",
					     "*/restore", "*/download",	     "*/snapshots", "*/files/upload/*"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (fnmatch(others[i], endpoint, 0) == 0)
			return false;
	}
	return true;
}

static bool is_one_of(const char *have, const char *values)
{
	struct span rest = span_of(values);
	while (rest.len > 0) {
		if (span_eq(span_cut(&rest, '|'), span_of(have)))
			return true;
	}
	return false;
}

static bool selected(const struct series *series, const struct alert_selector *sel)
{
	if (!*sel->label)
		return true;
	const char *have = label_of(series, sel->label);
	size_t len = strlen(sel->value);
	if (*sel->value == '!')
		return strcmp(have, sel->value + 1) != 0;
	if (strcmp(sel->value, "?interactive") == 0)
		return is_interactive(have);
	return sel->value[len - 1] == '*' ? strncmp(have, sel->value, len - 1) == 0 : is_one_of(have, sel->value);
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

/* Observations that took longer than one of the bounds. */
static double slow_events(struct series *series, double above)
{
	const struct bucket_set *set = series->family->row->buckets;
	struct histogram_reading reading;
	size_t bound = 0;
	while (bound < set->count && set->bounds[bound] < above)
		bound++;
	histogram_read(&series->family->layout, series->cells, atomic_load(&series->octaves), &reading);
	return (double)(reading.count - reading.cumulative[bound]);
}

static void window_of(void *ctx, struct series *series)
{
	struct window_walk *w = ctx;
	struct sample *sample = case_of(w->cases, label_of(series, w->m->by));
	if (w->m->kind != ALERT_QUANTILE) {
		sample->numbers[0] += w->m->above > 0 ? slow_events(series, w->m->above) : events(series);
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

static void ring_put(const struct alert_samples *s, struct ring *r)
{
	size_t at = r->taken++ % r->slots;
	r->times[at] = s->now_ns;
	for (size_t c = 0; c < s->width; c++)
		memcpy(&r->numbers[(at * s->width + c) * s->numbers], &s->now.samples[c], s->numbers * sizeof(double));
}

static void take_sample(const struct alert_measure *m, struct alert_samples *s, int64_t now_ns)
{
	struct window_walk w = {.m = m, .cases = &s->now};
	memset(s->now.samples, 0, sizeof(s->now.samples));
	each(&m->of, window_of, &w);
	if (m->kind == ALERT_RATIO || m->kind == ALERT_BURN)
		each(&m->per, window_per, &w);
	s->now_ns = now_ns;
	for (size_t i = 0; i < s->windows; i++) {
		if (s->ticks % s->rings[i].every == 0)
			ring_put(s, &s->rings[i]);
	}
	s->ticks++;
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

/* What a case gained since the sample that is `window_s` old, or since the first there is. */
struct gain {
	double seconds;
	double per;
	double numbers[NUMBERS];
};

static void gain_of(const struct alert_samples *s, size_t ring, size_t c, int window_s, struct gain *ret)
{
	const struct ring *r = &s->rings[ring];
	size_t kept = r->taken < r->slots ? r->taken : r->slots;
	size_t back = (size_t)window_s / ALERT_TICK_SECONDS / r->every;
	size_t first = (r->taken - 1 - (back < kept ? back : kept - 1)) % r->slots;
	const double *then = &r->numbers[(first * s->width + c) * s->numbers];
	const struct sample *now = &s->now.samples[c];
	*ret = (struct gain){.seconds = (double)(s->now_ns - r->times[first]) / 1e9, .per = now->per - then[0]};
	for (size_t i = 0; i + 1 < s->numbers; i++)
		ret->numbers[i] = now->numbers[i] > then[i + 1] ? now->numbers[i] - then[i + 1] : 0;
}

static double share(const struct alert_samples *s, size_t ring, size_t c, int window_s)
{
	struct gain gain;
	gain_of(s, ring, c, window_s, &gain);
	return gain.per > 0 ? gain.numbers[0] / gain.per : (double)NAN;
}

/* How much faster than the pair of windows allows the budget is spent, of the worst pair. */
static double burn(const struct alert_measure *m, const struct alert_samples *s, size_t c)
{
	double worst = (double)NAN;
	for (size_t i = 0; i < s->windows; i++) {
		const struct alert_window *w = &m->windows[i];
		struct gain hour;
		gain_of(s, i, c, HOUR_SECONDS, &hour);
		double both = fmin(share(s, i, c, w->long_s), share(s, i, c, w->short_s)) / (w->factor * m->q);
		if (hour.per > m->events && (isnan(worst) || both > worst))
			worst = both;
	}
	return worst;
}

/* The straight line through the samples by least squares: its value now and its change in a second. */
static bool line_fit(const struct alert_samples *s, size_t c, double *ret_now, double *ret_slope)
{
	const struct ring *r = &s->rings[0];
	size_t n = r->taken < r->slots ? r->taken : r->slots;
	double step = (double)(r->every * ALERT_TICK_SECONDS);
	double newest = (double)((s->ticks - 1) % r->every * ALERT_TICK_SECONDS); /* age of the newest sample */
	double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = (r->taken - 1 - i) % r->slots;
		double x = -newest - (double)i * step;
		double y = r->numbers[(at * s->width + c) * s->numbers + 1];
		sum_x += x;
		sum_y += y;
		sum_xx += x * x;
		sum_xy += x * y;
	}
	double spread = (double)n * sum_xx - sum_x * sum_x;
	if (n < r->slots / TREND_SHARE || spread <= 0)
		return false;
	*ret_slope = ((double)n * sum_xy - sum_x * sum_y) / spread;
	*ret_now = (sum_y - *ret_slope * sum_x) / (double)n;
	return true;
}

static double case_value(const struct alert_measure *m, const struct alert_samples *s, size_t c)
{
	struct gain gain;
	double now, slope;
	switch (m->kind) {
	case ALERT_BURN:
		return burn(m, s, c);
	case ALERT_FORECAST:
		return line_fit(s, c, &now, &slope) ? now + slope * m->ahead_s : (double)NAN;
	case ALERT_GROWTH:
		return line_fit(s, c, &now, &slope) ? slope * HOUR_SECONDS : (double)NAN;
	case ALERT_RATIO:
		return share(s, 0, c, ALERT_WINDOW_SECONDS);
	default:
		gain_of(s, 0, c, window_seconds(m, 0), &gain);
	}
	if (gain.seconds <= 0)
		return (double)NAN;
	if (m->kind == ALERT_QUANTILE)
		return quantile(metric_rows[m->of.metric].buckets, gain.numbers, m->q);
	return m->kind == ALERT_RATE ? gain.numbers[0] / gain.seconds : gain.numbers[0];
}

static void windowed(const struct alert_measure *m, const struct alert_samples *s, struct gauge_walk *w)
{
	for (size_t c = 0; c < s->now.count; c++)
		offer(w, case_value(m, s, c), s->now.names[c]);
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
