#include "metrics/tracks.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

pthread_mutex_t tracks_lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t short_slots[HISTORY_POINTS];
static int64_t long_slots[HISTORY_LONG_POINTS];

static struct ring rings[RINGS] = {
	[RING_SHORT] = {HISTORY_STEP, HISTORY_POINTS, -1, short_slots},
	[RING_LONG] = {HISTORY_LONG_STEP, HISTORY_LONG_POINTS, -1, long_slots},
};

static struct {
	struct track *first[METRIC_COUNT];
	struct map by_key;
	size_t values;
} tracks;

const struct ring *tracks_ring(size_t ring)
{
	return &rings[ring];
}

struct track *tracks_first(enum metric metric)
{
	return tracks.first[metric];
}

static size_t place(size_t ring, int64_t slot)
{
	return (size_t)(slot % (int64_t)rings[ring].points);
}

bool tracks_has(size_t ring, const struct track *track, int64_t slot)
{
	return slot >= track->first[ring] && slot <= rings[ring].last && rings[ring].slots[place(ring, slot)] == slot;
}

float tracks_point(size_t ring, const struct track *track, size_t value, int64_t slot)
{
	return track->points[ring][value * rings[ring].points + place(ring, slot)];
}

/* ---- finding the track of a series ---- */

/*
 * Endpoints and tenants are too many. A histogram has a dimension more than the rest: it keeps only what tells two sorts
 * apart, as reads from writes.
 */
static bool keeps_label(const struct metric_row *row, size_t label)
{
	enum { SORTS_MAX = 2 };
	const struct label_list *list = row->labels[label].list;
	if (row->type == TYPE_HISTOGRAM)
		return list->kind == KIND_CLOSED && list->count <= SORTS_MAX;
	return list->kind <= KIND_OPEN && strcmp(row->labels[label].name, "endpoint") != 0;
}

/* The metric's number and the kept values, a NUL behind each. */
static struct buf track_key(const struct series *series)
{
	const struct family *f = series->family;
	struct buf key = BUF((size_t)8 * 1024);
	buf_u64(&key, (uint64_t)(f->row - metric_rows));
	for (size_t i = 0; i < f->labels; i++) {
		buf_byte(&key, '\0');
		if (keeps_label(f->row, i))
			buf_str(&key, series_label(series, i));
	}
	return key;
}

static struct track *track_new(const struct family *family, struct span key)
{
	size_t values = family->row->type == TYPE_HISTOGRAM ? family->row->buckets->count + 2 : 1;
	if (tracks.values + values > HISTORY_VALUES_MAX)
		return NULL;
	tracks.values += values;
	struct track *t = mem_alloc(sizeof(*t));
	*t = (struct track){.row = family->row, .key = mem_copy(key), .values = values, .first = {-1, -1}};
	const char *at = t->key;
	for (size_t i = 0; i < family->labels; i++) {
		at += strlen(at) + 1;
		t->labels[i] = keeps_label(family->row, i) ? at : NULL;
	}
	for (size_t r = 0; r < RINGS; r++)
		t->points[r] = mem_alloc_array(sizeof(float), values * rings[r].points);
	(void)map_put(&tracks.by_key, key, t);
	struct track **last = &tracks.first[family->row - metric_rows];
	while (*last)
		last = &(*last)->next;
	*last = t;
	return t;
}

static struct track *track_of(const struct series *series)
{
	struct buf key = track_key(series);
	struct track *track = map_get(&tracks.by_key, buf_view(&key));
	if (!track)
		track = track_new(series->family, buf_view(&key));
	buf_done(&key);
	return track;
}

/* ---- sampling ---- */

static void sample_series(struct series *series)
{
	struct track *track = track_of(series);
	if (!track)
		return;
	track->sampled = true;
	if (series->family->row->type != TYPE_HISTOGRAM) {
		track->sample[0] += series_value(series);
		return;
	}
	struct histogram_reading reading;
	histogram_read(&series->family->layout, series->cells, atomic_load(&series->octaves), &reading);
	for (size_t i = 0; i + 1 < track->values; i++)
		track->sample[i] += (double)reading.cumulative[i];
	track->sample[track->values - 1] += (double)reading.sum_ns / 1e9;
}

static void sample_family(struct family *family)
{
	pthread_mutex_lock(&family->lock);
	family_settle(family);
	for (size_t i = 0; i < family->count; i++)
		sample_series(family->sorted[i]);
	pthread_mutex_unlock(&family->lock);
}

static void ring_write(size_t ring, struct track *t, int64_t slot, double *former)
{
	size_t at = place(ring, slot);
	bool gauge = t->row->type == TYPE_GAUGE;
	if (t->first[ring] < 0)
		t->first[ring] = slot;
	for (size_t i = 0; i < t->values; i++) {
		t->points[ring][i * rings[ring].points + at] = (float)(gauge ? t->sample[i] : t->sample[i] - former[i]);
		former[i] = t->sample[i];
	}
}

/* Tracks whose series are all gone stay: a counter's total stands still, a gauge is 0. */
static void track_write(struct track *t, int64_t slot, int64_t minute, bool new_minute)
{
	if (!t->sampled && t->row->type != TYPE_GAUGE)
		memcpy(t->sample, t->total, sizeof(t->sample));
	ring_write(RING_SHORT, t, slot, t->total);
	if (new_minute)
		ring_write(RING_LONG, t, minute, t->long_total);
	memset(t->sample, 0, sizeof(t->sample));
	t->sampled = false;
}

void history_sample(int64_t unix_s)
{
	struct registry *registry = registry_get();
	int64_t slot = unix_s / HISTORY_STEP;
	int64_t minute = unix_s / HISTORY_LONG_STEP;
	pthread_mutex_lock(&tracks_lock);
	if (slot <= rings[RING_SHORT].last) {
		pthread_mutex_unlock(&tracks_lock);
		return;
	}
	bool new_minute = minute > rings[RING_LONG].last;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		if (metric_row_has(registry->families[i].row, 'H'))
			sample_family(&registry->families[i]);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		for (struct track *t = tracks.first[i]; t; t = t->next)
			track_write(t, slot, minute, new_minute);
	rings[RING_SHORT].last = slot;
	rings[RING_SHORT].slots[place(RING_SHORT, slot)] = slot;
	if (new_minute) {
		rings[RING_LONG].last = minute;
		rings[RING_LONG].slots[place(RING_LONG, minute)] = minute;
	}
	pthread_mutex_unlock(&tracks_lock);
}

void history_reset(void)
{
	pthread_mutex_lock(&tracks_lock);
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		for (struct track *t = tracks.first[i], *next; t; t = next) {
			next = t->next;
			free(t->points[RING_SHORT]);
			free(t->points[RING_LONG]);
			free(t->key);
			free(t);
		}
		tracks.first[i] = NULL;
	}
	map_done(&tracks.by_key);
	tracks.by_key = MAP_INIT;
	tracks.values = 0;
	for (size_t r = 0; r < RINGS; r++) {
		rings[r].last = -1;
		memset(rings[r].slots, 0, rings[r].points * sizeof(rings[r].slots[0]));
	}
	pthread_mutex_unlock(&tracks_lock);
}
