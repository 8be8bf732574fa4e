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

enum pg_interval_style { PG_INTERVAL_POSTGRES, PG_INTERVAL_ISO_8601 };

struct pg_style {
	const struct zone *zone; /* of TIMESTAMPTZ as text; NULL: UTC */
	enum pg_interval_style interval;
};

/* The value's bytes alone (no length word). Not for NULL. */
void encode_pg_text(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out);
void encode_pg_binary(const struct vector *v, size_t row, const struct pg_style *style, struct buf *out);
/*
 * int16 column count, then int32 length (-1: NULL) and bytes of each: the body of a DataRow. `formats` has one entry per
 * column; NULL: all text.
 */
void encode_pg_row(const struct cursor *c, size_t row, const int16_t *formats, const struct pg_style *style,
		   struct buf *out);

#endif
