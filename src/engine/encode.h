/* Private to this folder: what the encoders share. Readers of a vector's raw values; the row is never NULL. */
#ifndef ENGINE_ENCODE_H
#define ENGINE_ENCODE_H

#include "engine/calendar.h"
#include "engine/number.h"
#include "engine/vector.h"

enum { DATE_INFINITE = INT32_MAX };
#define TIME_INFINITE INT64_MAX

static inline int64_t value_i64(const struct vector *v, size_t row)
{
	return ((const int64_t *)v->data)[row];
}

/* Any integer type, DECIMAL's stored integer too; UHUGEINT is read with value_u128. */
number_i128 value_i128(const struct vector *v, size_t row);
number_u128 value_u128(const struct vector *v, size_t row);
const char *value_label(const struct vector *v, size_t row);
/* The sixteen bytes of a UUID in their order on the wire. */
void value_uuid(const struct vector *v, size_t row, unsigned char ret[16]);

/* A point in time of any precision, split. */
struct value_time {
	int infinite; /* -1, 0, 1 */
	int64_t day;
	int64_t rest;	 /* units since midnight */
	unsigned digits; /* of the unit behind the second: 0, 3, 6, 9 */
};

struct value_time value_timestamp(const struct vector *v, size_t row);
/* TIME WITH TIME ZONE: microseconds since midnight, seconds east of UTC. */
int64_t value_time_tz(const struct vector *v, size_t row, int32_t *ret_offset);
/* Where the first item of a LIST, MAP or ARRAY row stands in its member vectors, and how many there are. */
size_t value_items(const struct vector *v, size_t row, size_t *ret_first);
/* UNION: the active member's vector. */
const struct vector *value_union(const struct vector *v, size_t row);

/* BIT: number of bits, and the test of one (0 is the leftmost). */
size_t bit_count(struct span stored);
static inline bool bit_at(struct span stored, size_t i)
{
	const size_t at = i + (unsigned char)stored.ptr[0];
	return (unsigned char)stored.ptr[1 + at / 8] >> (7 - at % 8) & 1;
}

/* Decimal digits of a BIGNUM. */
void bignum_print(struct span stored, struct buf *out);

/* Writers of the engine's text forms that other formats use too. */
void print_bits(struct span stored, struct buf *out);
void print_uuid(const struct vector *v, size_t row, struct buf *out);
void print_integer(const struct vector *v, size_t row, struct buf *out);
void print_decimal(const struct vector *v, size_t row, struct buf *out);

#endif
