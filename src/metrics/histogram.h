/*
 * The two views of a histogram's cells: classic buckets with the bounds of its set, and a native histogram. Pure
 * functions of the cells; layout: see cells.h.
 */
#ifndef METRICS_HISTOGRAM_H
#define METRICS_HISTOGRAM_H

#include "metrics/cells.h"

enum { NATIVE_SCHEMA = 3, NATIVE_BUCKETS_MAX = 160, NATIVE_CELLS = OCTAVES * 8 };

/* For each octave: the native bucket that holds a classic bound, and the bound. */
struct histogram_split {
	double bound[OCTAVES];
	uint8_t sub[OCTAVES]; /* 0xff: none */
};

struct histogram_layout {
	const struct bucket_set *buckets;
	struct histogram_split split;
	uint8_t octave[BUCKETS_MAX]; /* of each bound */
};

/* Where a value belongs. */
struct histogram_place {
	uint8_t octave;
	uint8_t cell;
};

struct histogram_reading {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t zeros;
	uint64_t cumulative[BUCKETS_MAX + 1]; /* the last is +Inf: the count */
	uint64_t cells[OCTAVES][OCTAVE_CELLS];
	uint64_t octaves; /* bit set: that octave may have counts; the others' cells are not filled */
};

struct histogram_native {
	int schema; /* coarser than NATIVE_SCHEMA when there would be too many buckets */
	size_t count;
	int32_t index[NATIVE_CELLS];
	uint64_t counts[NATIVE_CELLS];
};

void histogram_layout(const struct bucket_set *buckets, struct histogram_layout *ret);
/* seconds > 0 */
struct histogram_place histogram_place(const struct histogram_layout *layout, double seconds);
void histogram_read(const struct histogram_layout *layout, cell *cells, uint64_t octaves,
		    struct histogram_reading *ret);
void histogram_native(const struct histogram_layout *layout, const struct histogram_reading *reading,
		      struct histogram_native *ret);
/* Moves all counts; `from` is empty afterwards but for what is being added meanwhile. */
void histogram_move(cell *from, cell *to, uint64_t octaves);

#endif
