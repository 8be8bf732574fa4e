/* Updates of series: the hot path, but for what quick.h does in place. */
#include "base/clock.h"
#include "metrics/registry.h"

#include <math.h>

/* What a sum can take in nanoseconds, a hundred times over. */
#define SECONDS_MAX 9e7

static const struct series *target(const struct series *series)
{
	const struct series *moved = atomic_load_explicit(&series->moved, memory_order_acquire);
	return moved ? moved : series;
}

static bool is_type(const struct series *series, enum metric_type type)
{
	return series && series->type == type;
}

static inline void cell_add(const struct series *series, cell *first, size_t stride, uint64_t n)
{
	if (!series->owned)
		cells_add_shared(first, stride, n);
	else if (!owned_add((uint64_t *)first, stride * sizeof(cell), n))
		cells_add_spare(first, stride, n);
}

static inline void plain_add(struct series *series, uint64_t n)
{
	cell_add(series, series->cells, COUNTER_STRIDE, n);
}

static struct series *counter_of(struct series *series)
{
	return is_type(series, TYPE_COUNTER) ? (struct series *)target(series) : NULL;
}

void series_count(struct series *series, uint64_t n)
{
	struct series *s = counter_of(series);
	if (!s)
		return;
	if (s->exemplified && exemplar_wanted())
		exemplar_note(&s->exemplars, 1, 0, (double)n);
	plain_add(s, n);
}

/* The cells of a counter in seconds hold nanoseconds. */
void metric_add_seconds(struct series *series, double seconds)
{
	struct series *s = counter_of(series);
	if (s && seconds > 0 && isfinite(seconds))
		plain_add(s, (uint64_t)(seconds * 1e9 + 0.5));
}

static double fixed_swap(struct series *series, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits = atomic_exchange_explicit(&series->fixed, bits, memory_order_relaxed);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

void metric_mirror(struct series *series, double total)
{
	struct series *s = counter_of(series);
	if (!s || !(total >= 0) || !isfinite(total))
		return;
	double former = fixed_swap(s, total);
	if (former > total)
		plain_add(s, (uint64_t)(s->family->row->unit == UNIT_SECONDS ? former * 1e9 : former));
}

void metric_gauge_set(struct series *series, double value)
{
	if (is_type(series, TYPE_GAUGE))
		(void)fixed_swap((struct series *)target(series), value);
}

void series_move(struct series *series, int64_t by)
{
	if (is_type(series, TYPE_GAUGE))
		plain_add((struct series *)target(series), (uint64_t)by);
}

static void note_exemplar(struct series *s, double seconds)
{
	const struct bucket_set *buckets = s->family->row->buckets;
	size_t bucket = 0;
	while (bucket < buckets->count && seconds > buckets->bounds[bucket])
		bucket++;
	exemplar_note(&s->exemplars, buckets->count + 1, bucket, seconds);
}

static inline void observe_time(struct series *s, double seconds)
{
	struct histogram_place place = histogram_place(&s->family->layout, seconds);
	uint64_t bit = UINT64_C(1) << place.octave;
	if (!(atomic_load_explicit(&s->octaves, memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(&s->octaves, bit, memory_order_relaxed);
	int64_t ns = (int64_t)((seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1e9 + 0.5);
	cell_add(s, cells_sum(s->cells, 0), HISTOGRAM_STRIDE, (uint64_t)ns);
	cell_add(s, cells_octave(s->cells, 0, place.octave) + place.cell, HISTOGRAM_STRIDE, 1);
}

void metric_observe(struct series *series, double seconds)
{
	if (!is_type(series, TYPE_HISTOGRAM) || !isfinite(seconds))
		return;
	struct series *s = (struct series *)target(series);
	if (seconds > 0)
		observe_time(s, seconds);
	else
		cell_add(s, cells_zeros(s->cells, 0), HISTOGRAM_STRIDE, 1);
	if (s->exemplified && exemplar_wanted())
		note_exemplar(s, seconds > 0 ? seconds : 0);
}

void metric_observe_since(struct series *series, int64_t start_ns)
{
	metric_observe(series, clock_seconds_since(start_ns));
}

static uint64_t cells_total(const struct series *series)
{
	uint64_t total = 0;
	for (size_t shard = 0; shard < cells_shards; shard++)
		total += atomic_load_explicit(&series->cells[shard * COUNTER_STRIDE], memory_order_relaxed);
	return total;
}

static double fixed_value(const struct series *series)
{
	uint64_t bits = atomic_load_explicit(&series->fixed, memory_order_relaxed);
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

double series_value(const struct series *series)
{
	uint64_t total = cells_total(series);
	double fixed = fixed_value(series);
	if (series->family->row->type == TYPE_GAUGE)
		/* Shards are read one after the other: up on one and down on another may be seen the wrong way round. */
		return fixed + ((int64_t)total > 0 ? (double)total : 0);
	return fixed + (series->family->row->unit == UNIT_SECONDS ? (double)total / 1e9 : (double)total);
}

bool series_whole(const struct series *series, uint64_t *ret)
{
	if (series->family->row->type != TYPE_COUNTER || series->family->row->unit == UNIT_SECONDS ||
	    atomic_load_explicit(&series->fixed, memory_order_relaxed) != 0)
		return false;
	*ret = cells_total(series);
	return true;
}

uint64_t series_total(const struct series *series)
{
	if (series->family->row->type != TYPE_HISTOGRAM)
		return cells_total(series) + atomic_load_explicit(&series->fixed, memory_order_relaxed);
	uint64_t total = 0;
	for (size_t shard = 0; shard < cells_shards; shard++) {
		total += atomic_load_explicit(cells_sum(series->cells, shard), memory_order_relaxed);
		total += atomic_load_explicit(cells_zeros(series->cells, shard), memory_order_relaxed);
	}
	return total;
}

static void read_histogram(const struct series *series, struct histogram_reading *ret)
{
	const struct series *s = target(series);
	uint64_t octaves = atomic_load_explicit(&s->octaves, memory_order_relaxed);
	histogram_read(&s->family->layout, s->cells, octaves, ret);
}

double metric_value(const struct series *series)
{
	if (!series)
		return 0;
	if (series->family->row->type != TYPE_HISTOGRAM)
		return series_value(target(series));
	struct histogram_reading reading;
	read_histogram(series, &reading);
	return (double)reading.count;
}

double metric_sum(const struct series *series)
{
	if (!is_type(series, TYPE_HISTOGRAM))
		return 0;
	struct histogram_reading reading;
	read_histogram(series, &reading);
	return (double)reading.sum_ns / 1e9;
}
