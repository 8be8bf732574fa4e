/*
 * The types a client may name or see, from types.def: look-ups by oid and name,
 * and how a parameter of each is decoded (value.h). All const, thread-safe.
 */
#ifndef PGWIRE_TYPES_H
#define PGWIRE_TYPES_H

#include "base/span.h"

enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT2VECTOR = 22,
	OID_INT4 = 23,
	OID_REGPROC = 24,
	OID_TEXT = 25,
	OID_TEXT_ARRAY = 1009,
	OID_OID = 26,
	OID_OIDVECTOR = 30,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_UNKNOWN = 705,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIME = 1083,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_INTERVAL = 1186,
	OID_TIMETZ = 1266,
	OID_VARBIT = 1562,
	OID_NUMERIC = 1700,
	OID_UUID = 2950,
	OID_JSONB = 3802,
	/* Objects of users start here. */
	OID_FIRST_USER = 16384
};

/* How a parameter arrives. REFUSED: no such parameter can be taken. */
enum pg_kind {
	PG_KIND_REFUSED,
	PG_KIND_BOOL,
	PG_KIND_INT2,
	PG_KIND_INT4,
	PG_KIND_INT8,
	PG_KIND_OID,
	PG_KIND_FLOAT4,
	PG_KIND_FLOAT8,
	PG_KIND_NUMERIC,
	PG_KIND_TEXT,
	PG_KIND_BYTEA,
	PG_KIND_DATE,
	PG_KIND_TIME,
	PG_KIND_TIMETZ,
	PG_KIND_TIMESTAMP,
	PG_KIND_TIMESTAMPTZ,
	PG_KIND_INTERVAL,
	PG_KIND_UUID,
	PG_KIND_JSON,
	PG_KIND_JSONB,
	PG_KIND_BIT,
	PG_KIND_INET,  /* text only */
	PG_KIND_REG,   /* regclass and its like: a name, or an oid in binary */
	PG_KIND_VECTOR /* int2vector, oidvector: an array */
};

struct pg_type {
	uint32_t oid;
	const char *name;     /* typname */
	const char *sql_name; /* as format_type shows it */
	int16_t len;
	bool by_value;
	char type;
	char category;
	bool preferred;
	uint32_t element;
	uint32_t array;
	char storage;
	char align;
	uint32_t collation;
	uint32_t io_oids[4]; /* input, output, receive, send */
	enum pg_kind kind;
	const char *engine; /* what to cast to */
};

/* All rows, ordered by oid. */
const struct pg_type *pg_types(size_t *ret_count);
/* NULL when unknown; array types have no row. */
const struct pg_type *pg_type_find(uint32_t oid);
/* The element type when `oid` is that of an array type (or of a vector), else NULL. */
const struct pg_type *pg_type_element(uint32_t oid);
/*
 * By any of its names (typname, SQL name, common spellings; "_int4" and "int4[]" are arrays): 0 when unknown.
 * A length or precision in parentheses is ignored.
 */
uint32_t pg_type_oid(struct span name);
/* typlen of any type, arrays included. */
int16_t pg_type_len(uint32_t oid);

#endif
