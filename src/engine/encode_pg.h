/*
 * Engine values in the PostgreSQL wire formats, text (0) and binary (1),
 * straight from a chunk's vectors. Types as the table of type.h says; ENUM is
 * its label in both. Pure functions.
 *
 * Sources: PostgreSQL documentation "Message Formats" (DataRow), and the
 * send/recv functions of its data types (numeric, array, timestamp, interval).
 */
#ifndef ENGINE_ENCODE_PG_H
#define ENGINE_ENCODE_PG_H

#include "engine/cursor.h"
#include "engine/zone.h"

/* The wire's two, and two more of how catalog columns look: as PostgreSQL's 4-byte oids, and as a vector ("1 2"). */
enum pg_format { PG_FORMAT_TEXT, PG_FORMAT_BINARY, PG_FORMAT_OIDS, PG_FORMAT_VECTOR };

/* The order of the words of the setting IntervalStyle. */
enum pg_interval_style {
	PG_INTERVAL_POSTGRES,
	PG_INTERVAL_POSTGRES_VERBOSE,
	PG_INTERVAL_SQL_STANDARD,
	PG_INTERVAL_ISO_8601,
	PG_INTERVAL_STYLE_COUNT
};

struct pg_style {
	const struct zone *zone; /* of TIMESTAMPTZ as text; NULL: UTC */
	enum pg_interval_style interval;
	unsigned digits;    /* significant ones of DOUBLE; FLOAT has nine less; 0: as many as tell the value exactly */
	bool escapes_bytes; /* BLOB as \ooo instead of \x.. */
};

void encode_pg_interval(const struct vector_interval *i, enum pg_interval_style style, struct buf *out);
/* The value's bytes alone (no length word). Not for NULL. */
void encode_pg_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out);
void encode_pg_binary(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out);
/* As PG_FORMAT_OIDS or PG_FORMAT_VECTOR. */
void encode_pg_catalog(const struct vector *v, size_t row, enum pg_format format, struct buf *out);
/* An int32 length (-1: NULL) and the value's bytes. */
void encode_pg_field(const struct vector *v, size_t row, enum pg_format format, const struct pg_style *style,
		     struct buf *out);
/*
 * int16 column count, then int32 length (-1: NULL) and bytes of each: the body of a DataRow. `formats` has one enum
 * pg_format per column; NULL: all text. OIDS is for UINTEGER and lists of it, VECTOR for lists of integers.
 */
void encode_pg_row(const struct vector *vectors, size_t columns, size_t row, const int16_t *formats,
		   const struct pg_style *style, struct buf *out);

#endif
