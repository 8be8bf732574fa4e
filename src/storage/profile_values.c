/*
 * The numbers of a column, sorted in memory: one streamed read and a radix sort answer at once what the engine would need a
 * hash table, a selection and several more scans for. Only for columns that fit in the memory a profile may have.
 */
#include "storage/profile_core.h"

#include "engine/sql.h"

#include <math.h>
#include <stdlib.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 6 };

/* Doubles as integers of the same order: NaN last, one zero. */
static uint64_t key_of(double x)
{
	uint64_t bits;
	if (isnan(x))
		return UINT64_MAX;
	x = x == 0 ? 0 : x;
	memcpy(&bits, &x, sizeof(bits));
	return bits >> 63 ? ~bits : bits | (UINT64_C(1) << 63);
}

static double value_of(uint64_t key)
{
	double x;
	if (key == UINT64_MAX)
		return NAN;
	uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Least significant digit first; digits that all keys share cost one look. */
static uint64_t *keys_sort(uint64_t *keys, uint64_t *spare, size_t n)
{
	uint64_t *to = spare;
	for (int pass = 0; pass < PASSES; pass++) {
		size_t counts[DIGITS] = {0};
		int shift = pass * DIGIT_BITS;
		for (size_t i = 0; i < n; i++)
			counts[(keys[i] >> shift) % DIGITS]++;
		if (counts[(keys[0] >> shift) % DIGITS] == n)
			continue;
		size_t at = 0;
		for (size_t d = 0; d < DIGITS; d++) {
			size_t count = counts[d];
			counts[d] = at;
			at += count;
		}
		for (size_t i = 0; i < n; i++)
			to[counts[(keys[i] >> shift) % DIGITS]++] = keys[i];
		uint64_t *from = keys;
		keys = to;
		to = from;
	}
	return keys;
}

/* How many keys are below this one. */
static size_t below(const struct profile_values *v, uint64_t key)
{
	size_t low = 0;
	size_t high = v->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v->keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t profile_values_below(const struct profile_values *v, double x)
{
	return below(v, key_of(x));
}

size_t profile_values_up_to(const struct profile_values *v, double x)
{
	return below(v, key_of(x) + 1);
}

int64_t profile_values_distinct(const struct profile_values *v)
{
	int64_t n = v->count > 0;
	for (size_t i = 1; i < v->count; i++)
		n += v->keys[i] != v->keys[i - 1];
	return n;
}

double profile_values_quantile(const struct profile_values *v, double q)
{
	double at = (double)(v->count - 1) * q;
	double low = value_of(v->keys[(size_t)floor(at)]);
	double high = value_of(v->keys[(size_t)ceil(at)]);
	return low == high ? low : low + (at - floor(at)) * (high - low);
}

static bool keys_read(struct profiled *p, uint64_t *keys, size_t room, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	struct cursor *c;
	size_t rows;
	sql_printf(&sql, "SELECT x::DOUBLE FROM (SELECT %I AS x FROM %s) WHERE x IS NOT NULL", p->out->name,
		   p->profiler->table);
	bool fine = profile_query(p->profiler, &sql, &c, &rows, err);
	for (; fine && rows > 0; fine = cursor_next(c, &rows, err)) {
		const double *values = cursor_vectors(c)[0].data;
		if (rows > room - p->values.count) {
			fine = err_set(err, ERR_INTERNAL, "Column %s has more values than were counted", p->out->name);
			break;
		}
		for (size_t i = 0; i < rows; i++)
			keys[p->values.count++] = key_of(values[i]);
	}
	cursor_close(c);
	buf_done(&sql);
	return fine;
}

bool profile_values_read(struct profiled *p, struct err *err)
{
	size_t room = (size_t)p->out->count;
	uint64_t *keys = mem_alloc_array(sizeof(*keys), 2 * room);
	p->values = (struct profile_values){.memory = keys};
	if (!keys_read(p, keys, room, err))
		return false;
	p->values.keys = p->values.count ? keys_sort(keys, keys + room, p->values.count) : keys;
	return true;
}

void profile_values_free(struct profile_values *v)
{
	free(v->memory);
	*v = (struct profile_values){0};
}
