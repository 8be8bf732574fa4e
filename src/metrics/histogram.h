/*
 * The two views of a histogram's cells: classic buckets with the bounds of its set, and a native histogram. Pure
 * functions of the cells; layout: see cells.h.
 */
#ifndef METRICS_HISTOGRAM_H
#define METRICS_HISTOGRAM_H

#include "metrics/cells.h"

#include <string.h>

enum { NATIVE_SCHEMA = 3, NATIVE_BUCKETS_MAX = 160, NATIVE_CELLS = OCTAVES * 8 };

/* For each octave: the native bucket that holds a classic bound, and the bound. */
struct histogram_split {
	uint64_t bound[OCTAVES]; /* bits of the double */
	uint8_t sub[OCTAVES];	 /* 0xff: none */
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

/*
 * seconds > 0. In bits, because positive doubles are sorted as their bits are; one is taken off, because upper bounds
 * are inclusive: then a power of two is the last of the octave below it. The first four bits of a mantissa leave two
 * neighbours of the eight cells of an octave to choose from.
 */
static inline struct histogram_place histogram_place(const struct histogram_layout *layout, double seconds)
{
	enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023 };
	/* Mantissas of 2^(k/8), k = 0..8. */
	static const uint64_t bounds[9] = {
		0x0000000000000, 0x172b83c7d517b, 0x306fe0a31b715, 0x4bfdad5362a27, 0x6a09e667f3bcd,
		0x8ace5422aa0db, 0xae89f995ad3ad, 0xd5818dcfba487, UINT64_MAX,
	};
	static const uint8_t first[16] = {0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7};
	uint64_t bits;
	memcpy(&bits, &seconds, sizeof(bits));
	bits--;
	int64_t octave = (int64_t)(bits >> MANTISSA_BITS) - (EXPONENT_BIAS + OCTAVE_MIN);
	if (octave < 0)
		return (struct histogram_place){0, 0};
	if (octave >= OCTAVES)
		return (struct histogram_place){OCTAVES - 1, OCTAVE_CELLS - 2};
	uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	uint8_t sub = first[mantissa >> (MANTISSA_BITS - 4)];
	sub = (uint8_t)(sub + (mantissa >= bounds[sub + 1]));
	if (layout->split.sub[octave] == sub && bits >= layout->split.bound[octave])
		sub = OCTAVE_CELLS - 1;
	return (struct histogram_place){(uint8_t)octave, sub};
}

void histogram_read(const struct histogram_layout *layout, cell *cells, uint64_t octaves,
		    struct histogram_reading *ret);
void histogram_native(const struct histogram_layout *layout, const struct histogram_reading *reading,
		      struct histogram_native *ret);
/* Moves all counts; `from` is empty afterwards but for what is being added meanwhile. */
void histogram_move(cell *from, cell *to, uint64_t octaves);

#endif
