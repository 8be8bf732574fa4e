/*
 * Values for the parameters of a statement, of any type at once: what doors that
 * learn types at run time bind with. The engine casts a value to what its place
 * needs; say `$1::T` in the SQL where that must be T.
 *
 * Units as in statement_bind_*: unix microseconds, days and microseconds since
 * 1970-01-01 or midnight; the largest number of its width and its negative are
 * infinity. A list's items are scalars of one kind (or NULL). Text must be UTF-8.
 */
#ifndef ENGINE_BIND_H
#define ENGINE_BIND_H

#include "engine/session.h"

enum bind_kind {
	BIND_NULL,
	BIND_BOOL,
	BIND_INT,
	BIND_DOUBLE,
	BIND_DECIMAL,
	BIND_TEXT,
	BIND_BLOB,
	BIND_DATE,
	BIND_TIME,
	BIND_TIMESTAMP,
	BIND_TIMESTAMP_TZ,
	BIND_INTERVAL,
	BIND_UUID,
	BIND_LIST
};

struct bind_value {
	enum bind_kind kind;
	union {
		bool boolean;
		int64_t integer; /* also the instants */
		double real;
		struct span text; /* TEXT, BLOB */
		unsigned char uuid[16];
		struct {
			__int128 unscaled; /* at most 38 digits */
			unsigned scale;	   /* at most 38 */
		} decimal;
		struct {
			int32_t months, days;
			int64_t us;
		} interval;
		struct {
			struct bind_value *items;
			size_t count;
			enum bind_kind kind; /* of the items; for an empty list too */
		} list;
	};
};

MUST_CHECK bool statement_bind(struct statement *statement, size_t index, const struct bind_value *value,
			       struct err *err);

#endif
