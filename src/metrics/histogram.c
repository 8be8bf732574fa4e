#include "metrics/histogram.h"

#include <assert.h>

enum { NO_SPLIT = 0xff };

void histogram_layout(const struct bucket_set *buckets, struct histogram_layout *ret)
{
	*ret = (struct histogram_layout){.buckets = buckets};
	memset(ret->split.sub, NO_SPLIT, sizeof(ret->split.sub));
	for (size_t i = 0; i < buckets->count; i++) {
		struct histogram_place place = histogram_place(ret, buckets->bounds[i]);
		/* Two bounds in an octave would need a tenth cell. */
		assert(ret->split.sub[place.octave] == NO_SPLIT);
		ret->split.sub[place.octave] = place.cell;
		memcpy(&ret->split.bound[place.octave], &buckets->bounds[i], sizeof(uint64_t));
		ret->octave[i] = place.octave;
	}
}

static uint64_t octave_sum(const uint64_t cells[OCTAVE_CELLS])
{
	uint64_t sum = 0;
	for (size_t i = 0; i < OCTAVE_CELLS; i++)
		sum += cells[i];
	return sum;
}

static void cumulate(const struct histogram_layout *layout, struct histogram_reading *r)
{
	uint64_t below = r->zeros;
	size_t octave = 0;
	for (size_t i = 0; i < layout->buckets->count; i++) {
		for (; octave < layout->octave[i]; octave++)
			below += r->octaves >> octave & 1 ? octave_sum(r->cells[octave]) : 0;
		uint64_t within = 0;
		if (r->octaves >> octave & 1)
			for (size_t sub = 0; sub <= layout->split.sub[octave]; sub++)
				within += r->cells[octave][sub];
		r->cumulative[i] = below + within;
	}
	for (; octave < OCTAVES; octave++)
		below += r->octaves >> octave & 1 ? octave_sum(r->cells[octave]) : 0;
	r->cumulative[layout->buckets->count] = below;
	r->count = below;
}

void histogram_read(const struct histogram_layout *layout, cell *cells, uint64_t octaves, struct histogram_reading *ret)
{
	ret->octaves = octaves;
	ret->sum_ns = 0;
	ret->zeros = 0;
	for (size_t shard = 0; shard < cells_shards; shard++) {
		ret->sum_ns += atomic_load_explicit(cells_sum(cells, shard), memory_order_relaxed);
		ret->zeros += atomic_load_explicit(cells_zeros(cells, shard), memory_order_relaxed);
	}
	for (size_t octave = 0; octave < OCTAVES; octave++) {
		if (!(octaves >> octave & 1))
			continue;
		memset(ret->cells[octave], 0, sizeof(ret->cells[octave]));
		for (size_t shard = 0; shard < cells_shards; shard++) {
			cell *from = cells_octave(cells, shard, octave);
			for (size_t i = 0; i < OCTAVE_CELLS; i++)
				ret->cells[octave][i] += atomic_load_explicit(&from[i], memory_order_relaxed);
		}
	}
	cumulate(layout, ret);
}

/* Two neighbours become one: bucket i of a schema lies in bucket ceil(i/2) of the next coarser. */
static void native_halve(struct histogram_native *n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->count; i++) {
		int32_t index = (n->index[i] + (n->index[i] > 0)) / 2;
		if (kept > 0 && n->index[kept - 1] == index) {
			n->counts[kept - 1] += n->counts[i];
			continue;
		}
		n->index[kept] = index;
		n->counts[kept++] = n->counts[i];
	}
	n->count = kept;
	n->schema--;
}

void histogram_native(const struct histogram_layout *layout, const struct histogram_reading *reading,
		      struct histogram_native *ret)
{
	ret->schema = NATIVE_SCHEMA;
	ret->count = 0;
	for (size_t octave = 0; octave < OCTAVES; octave++) {
		if (!(reading->octaves >> octave & 1))
			continue;
		for (size_t sub = 0; sub < 8; sub++) {
			uint64_t count = reading->cells[octave][sub];
			if (layout->split.sub[octave] == sub)
				count += reading->cells[octave][OCTAVE_CELLS - 1];
			if (count == 0)
				continue;
			ret->index[ret->count] = (int32_t)(octave * 8 + sub) + OCTAVE_MIN * 8 + 1;
			ret->counts[ret->count++] = count;
		}
	}
	while (ret->count > NATIVE_BUCKETS_MAX)
		native_halve(ret);
}

static void cell_move(cell *from, cell *to)
{
	uint64_t n = atomic_exchange_explicit(from, 0, memory_order_relaxed);
	if (n)
		atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void histogram_move(cell *from, cell *to, uint64_t octaves)
{
	for (size_t shard = 0; shard < cells_shards; shard++) {
		cell_move(cells_sum(from, shard), cells_sum(to, shard));
		cell_move(cells_zeros(from, shard), cells_zeros(to, shard));
		for (size_t octave = 0; octave < OCTAVES; octave++)
			for (size_t i = 0; i < OCTAVE_CELLS && octaves >> octave & 1; i++)
				cell_move(cells_octave(from, shard, octave) + i, cells_octave(to, shard, octave) + i);
	}
}
