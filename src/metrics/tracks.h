/*
 * The store behind the history: a track holds the rings of one metric with reduced labels, several values side by
 * side for a histogram (its cumulative buckets with +Inf last, then the sum). Everything here with tracks_lock held.
 * Internal to the metrics room.
 */
#ifndef METRICS_TRACKS_H
#define METRICS_TRACKS_H

#include "metrics/history.h"
#include "metrics/registry.h"

enum { TRACK_VALUES_MAX = BUCKETS_MAX + 2 };

enum { RING_SHORT, RING_LONG, RINGS };

struct track {
	struct track *next;
	const struct metric_row *row;
	char *key;
	const char *labels[METRIC_LABELS_MAX]; /* values in key by the order of the row; NULL: summed over */
	size_t values;
	int64_t first[RINGS];		     /* slot of the first sample */
	double total[TRACK_VALUES_MAX];	     /* at the last sample */
	double long_total[TRACK_VALUES_MAX]; /* at the last minute */
	double sample[TRACK_VALUES_MAX];     /* being summed up */
	bool sampled;
	float *points[RINGS]; /* values x slots */
};

struct ring {
	int64_t step;
	size_t points;
	int64_t last;	/* slot of the newest sample; -1: none */
	int64_t *slots; /* which slot a place was written for */
};

extern pthread_mutex_t tracks_lock;

const struct ring *tracks_ring(size_t ring);
/* In the order of metrics.def, then of appearance. */
struct track *tracks_first(enum metric metric);
bool tracks_has(size_t ring, const struct track *track, int64_t slot);
float tracks_point(size_t ring, const struct track *track, size_t value, int64_t slot);

#endif
