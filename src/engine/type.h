/*
 * Types of values: the one table of what the engine knows, what REST calls it
 * and what the PostgreSQL protocol makes of it.
 *
 * A `struct type` is an immutable tree owned by whoever handed it out (a
 * cursor, a statement, an arena). JSON is a type of its own here, although the
 * engine stores it as text. TYPE_OTHER is what a newer engine may invent: it is
 * shown by its text form.
 *
 * PostgreSQL object ids are those of pg_type.dat in PostgreSQL's source.
 */
#ifndef ENGINE_TYPE_H
#define ENGINE_TYPE_H

#include "base/arena.h"
#include "base/buf.h"

enum type_id {
	TYPE_NULL,
	TYPE_BOOLEAN,
	TYPE_TINYINT,
	TYPE_SMALLINT,
	TYPE_INTEGER,
	TYPE_BIGINT,
	TYPE_HUGEINT,
	TYPE_UTINYINT,
	TYPE_USMALLINT,
	TYPE_UINTEGER,
	TYPE_UBIGINT,
	TYPE_UHUGEINT,
	TYPE_BIGNUM,
	TYPE_FLOAT,
	TYPE_DOUBLE,
	TYPE_DECIMAL,
	TYPE_VARCHAR,
	TYPE_JSON,
	TYPE_BLOB,
	TYPE_BIT,
	TYPE_UUID,
	TYPE_DATE,
	TYPE_TIME,
	TYPE_TIME_NS,
	TYPE_TIME_TZ,
	TYPE_TIMESTAMP,
	TYPE_TIMESTAMP_S,
	TYPE_TIMESTAMP_MS,
	TYPE_TIMESTAMP_NS,
	TYPE_TIMESTAMP_TZ,
	TYPE_INTERVAL,
	TYPE_ENUM,
	TYPE_LIST,
	TYPE_ARRAY,
	TYPE_STRUCT,
	TYPE_MAP,
	TYPE_UNION,
	TYPE_VARIANT,
	TYPE_GEOMETRY,
	TYPE_OTHER,
	TYPE_COUNT
};

struct type_member {
	const char *name; /* STRUCT, UNION; else NULL */
	const struct type *type;
};

struct type {
	enum type_id id;
	uint8_t width; /* DECIMAL */
	uint8_t scale;
	uint64_t length; /* ARRAY: fixed number of items */
	/* LIST, ARRAY: the item. MAP: key, value. STRUCT, UNION: the members in order. */
	size_t member_count;
	const struct type_member *members;
	size_t label_count; /* ENUM */
	const char *const *labels;
	const char *alias; /* name of a user-defined type, else NULL */
	const char *text;  /* canonical, as the engine prints it: DECIMAL(18,3), STRUCT(a INTEGER)[] */
};

struct type_row {
	enum type_id id;
	const char *name; /* canonical name without parameters */
	uint32_t pg_oid;
	uint32_t pg_array_oid; /* 0: PostgreSQL has no array of it */
	int16_t pg_len;	       /* bytes of the binary form, -1: varies */
};

const struct type_row *type_row(enum type_id id);
/* By canonical name, ASCII case ignored; NULL when unknown. Parameters are not parsed. */
const struct type_row *type_row_named(struct span name);
bool type_is_integer(enum type_id id);
/* Integers, FLOAT, DOUBLE, DECIMAL. */
bool type_is_numeric(enum type_id id);

/* PostgreSQL's view. ENUM answers 25 (text): whoever keeps a pg_type knows its real id. A list of a scalar: its array id. */
uint32_t type_pg_oid(const struct type *type);
int16_t type_pg_len(const struct type *type);
int32_t type_pg_mod(const struct type *type);

/* The tree's canonical text, for `text`; made in the arena where it is more than a name. */
const char *type_text(const struct type *type, struct arena *arena);

#endif
