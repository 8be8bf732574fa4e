/*
 * A value as a client sent it, in the units of the engine: what Bind parameters
 * and COPY fields become before they are bound or appended.
 *
 * Dates are days and timestamps microseconds from 1970-01-01; infinity is the
 * largest number of its width, -infinity its negative. Numbers of type numeric
 * stay decimal text, canonical ("-12.50", "NaN"). Text, bytes and array items
 * live in the arena given, or where the input lives.
 *
 * Text of a date, time or interval that is right for PostgreSQL but not in an
 * ISO form is handed on as PG_KIND_TEXT: the engine's own cast has the last
 * word. Errors carry PostgreSQL's SQLSTATEs and texts: 22P02, 22003, 22007,
 * 22008, 22P03 (binary), 22021 (not UTF-8), 0A000.
 */
#ifndef PGWIRE_VALUE_H
#define PGWIRE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "pgwire/sqlstate.h"
#include "pgwire/types.h"

enum { VALUE_ARRAY_ITEMS_MAX = 16 * 1024 * 1024, VALUE_ARRAY_DIMENSIONS_MAX = 6, VALUE_NUMERIC_DIGITS_MAX = 4096 };

#define VALUE_DATE_INFINITY INT32_MAX
#define VALUE_TIME_INFINITY INT64_MAX

struct pg_value {
	enum pg_kind kind; /* of what the union holds; INT2, INT4, OID hold an integer, JSONB becomes JSON */
	bool is_null;
	bool is_array;
	union {
		bool boolean;
		int64_t integer; /* also DATE, TIME, TIMESTAMP(TZ) */
		double real;
		struct span text; /* TEXT, NUMERIC, JSON, BYTEA, BIT ("0101"), INET, REG */
		unsigned char uuid[16];
		struct {
			int64_t us;
			int32_t east_seconds;
		} timetz;
		struct {
			int32_t months, days;
			int64_t us;
		} interval;
		struct {
			struct pg_value *items; /* row-major when nested */
			uint32_t count;
			uint32_t dimensions;
			uint32_t lengths[VALUE_ARRAY_DIMENSIONS_MAX];
		} array;
	};
};

/* `format`: 0 text, 1 binary. `oid` 0 and unknown oids (enums) are taken as text. */
MUST_CHECK bool value_decode(uint32_t oid, unsigned format, struct span bytes, struct arena *arena,
			     struct pg_value *ret, struct pg_error *e);
/* A numeric as integer and scale when it has at most 38 digits. */
MUST_CHECK bool value_numeric(struct span text, __int128 *ret_unscaled, unsigned *ret_scale);

/* A TIMETZ as 10:00:00.000000+05:30:00. */
void value_put_timetz(struct buf *out, const struct pg_value *v);

/* Whether the text is JSON, brackets nested at most a thousand deep. */
bool value_is_json(struct span text);

#endif
