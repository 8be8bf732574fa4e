/*
 * The built-in alerts: alerts.def evaluated on this server's own metrics, for sites without Prometheus and Alertmanager.
 *
 * An alert is inactive, pending while its condition has held for less than its time, firing after that. Every change to
 * firing and back is told to `notify` on the evaluating thread; it must not block. Of several cases (a disk, a project)
 * the worst is told. `scale` divides all times, for fire drills: 5m at 60 are 5 s. Thread-safe.
 */
#ifndef METRICS_ALERTS_H
#define METRICS_ALERTS_H

#include "base/buf.h"

enum { ALERTS_NAME_BYTES = 64, ALERTS_TEXT_BYTES = 400, ALERTS_SCALE_MAX = 1000 };

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };

struct alert_event {
	const char *name, *severity, *summary; /* static */
	bool firing;			       /* false: it was, and is over */
	double value;
	int64_t at_us;
	char description[ALERTS_TEXT_BYTES];
	char label[32]; /* tells which case it is, with `text`; empty: no such label */
	char text[264];
};

struct alerts_config {
	int64_t scale;
	void (*notify)(void *ctx, const struct alert_event *event);
	void *ctx;
};

void alerts_start(const struct alerts_config *config);
void alerts_stop(void);
/* One evaluation at the given moments; the evaluating thread's work. */
void alerts_evaluate(int64_t now_ns, int64_t unix_us);
/* {"alerts":[...],"firing":n,"pending":n}: the firing first, then the pending, in the order of the list. */
void alerts_expose(struct buf *out);
/* All inactive, as at the start. */
void alerts_reset(void);

#endif
