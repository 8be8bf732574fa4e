/*
 * The values that the built-in alerts are about, read from the registry: gauges as they are, counters and histograms as
 * what they gained in a window, for which each measure keeps samples of its own: at most ALERT_SLOTS_MAX for a window,
 * so those of three days are six minutes apart. Not thread-safe: one evaluating thread (or test) at a time. Internal to
 * the metrics room.
 */
#ifndef METRICS_ALERT_MEASURE_H
#define METRICS_ALERT_MEASURE_H

#include "metrics/registry.h"

enum {
	ALERT_TICK_SECONDS = 5,
	ALERT_WINDOW_SECONDS = 300,
	ALERT_SLOTS_MAX = 721,
	ALERT_WINDOWS_MAX = 2,
	ALERT_CASES_MAX = 8 /* values of a label that a windowed measure tells apart; the rest is added to the last */
};

enum alert_measure_kind {
	ALERT_LEVEL,
	ALERT_WORST,
	ALERT_LEAST,
	ALERT_SHARE,
	ALERT_LOW_SHARE,
	ALERT_RATIO,
	ALERT_RATE,
	ALERT_GAIN,
	ALERT_QUANTILE,
	ALERT_AGE_LEFT,
	ALERT_BURN,
	ALERT_FORECAST,
	ALERT_GROWTH
};

struct alert_selector {
	enum metric metric;
	const char *label, *value;
};

/* Of a burn rate: both must exceed factor times the budget. Other measures use long_s alone. */
struct alert_window {
	int long_s, short_s;
	double factor;
};

struct alert_measure {
	enum alert_measure_kind kind;
	struct alert_selector of, per;
	const char *by; /* label; NULL: all cases together */
	double q;	/* of a quantile; of a burn rate: the share that may fail */
	double above;	/* burn rate of a histogram: what took longer than this counts as failed */
	int events;	/* burn rate: more than these within the last hour */
	int ahead_s;	/* forecast */
	struct alert_window windows[ALERT_WINDOWS_MAX];
};

/* The worst case and its value. */
struct alert_value {
	bool known;
	double value;
	char label[32]; /* the label's name; empty: none */
	char text[METRICS_LABEL_BYTES + 4];
};

struct alert_samples;

/* NULL for measures without a window. */
struct alert_samples *alert_samples_new(const struct alert_measure *m);
void alert_samples_free(struct alert_samples *samples);
/* Whether smaller is worse. */
bool alert_measure_falls(enum alert_measure_kind kind);
/* Takes a sample where there is a window, and tells the value. `now_ns`: monotonic. */
void alert_measure(const struct alert_measure *m, struct alert_samples *samples, int64_t now_ns,
		   struct alert_value *ret);

#endif
