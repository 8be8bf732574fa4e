/*
 * Engine values as JSON, straight from a chunk's vectors. Pure functions: no
 * I/O, no locks, no allocation but the buffer's.
 *
 *	integers of all widths	numbers, full precision
 *	FLOAT, DOUBLE		shortest number that reads back; NaN and infinities: null
 *	DECIMAL			string with its scale
 *	BOOLEAN			true, false
 *	VARCHAR, UUID, ENUM, BIT	string; JSON: its text as a string
 *	DATE			"2025-03-04"
 *	TIMESTAMP*		"2025-03-04T05:06:07", 6 fraction digits only when not zero; WITH TIME ZONE: UTC, "+00:00"
 *	TIME			"05:06:07"
 *	INTERVAL, BLOB		the engine's text form
 *	LIST, ARRAY		array; STRUCT, MAP: object (keys as text); UNION: the active member
 */
#ifndef ENGINE_ENCODE_JSON_H
#define ENGINE_ENCODE_JSON_H

#include "engine/cursor.h"

enum json_style {
	JSON_STYLE_PREVIEW, /* the table above */
	/*
	 * Nested values on the PostgreSQL wire: DECIMAL as a number, NaN and infinities as strings, JSON as it is, dates,
	 * times, intervals and blobs as the strings PostgreSQL prints.
	 */
	JSON_STYLE_PG
};

void encode_json_value(const struct vector *v, size_t row, enum json_style style, struct buf *out);
/* {"name":value,...} for one row. */
void encode_json_row(const struct cursor *c, size_t row, struct buf *out);
/* Rows of the loaded chunk as comma-separated objects; `first` is false once something precedes them. */
void encode_json_rows(const struct cursor *c, size_t rows, bool *first, struct buf *out);

/*
 * The engine's own text form of any value (what CAST(v AS VARCHAR) gives), without quotes. Not for NULL. Two differences:
 * TIMESTAMP WITH TIME ZONE is always in UTC, and a DECIMAL below 1 always has its leading zero.
 */
void encode_text_value(const struct vector *v, size_t row, struct buf *out);

#endif
