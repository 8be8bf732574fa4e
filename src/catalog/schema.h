/*
 * What rows.def says, as tables the room can walk: entities, their columns with
 * the place in the row struct, indexes with their columns and directions.
 * Constant after the first call; thread-safe.
 */
#ifndef CATALOG_SCHEMA_H
#define CATALOG_SCHEMA_H

#include "catalog/columns.h"
#include "catalog/rows.h"

enum { SCHEMA_COLUMNS_MAX = 24, SCHEMA_INDEXES_MAX = 8 };

struct entity_def {
	const char *name;
	const char *table;
	const struct column_def *columns;
	unsigned column_count;
	unsigned number_count;		   /* INT, TIME and BOOL columns */
	uint8_t slots[SCHEMA_COLUMNS_MAX]; /* a column's place among the numbers, or among the texts and blobs */
	size_t row_size;
	enum catalog_index indexes[SCHEMA_INDEXES_MAX]; /* the first one is the key */
	unsigned index_count;
};

struct index_def {
	const char *name;
	enum catalog_entity entity;
	const struct entity_def *of;
	bool unique; /* the key, or UNIQUE */
	unsigned count;
	uint8_t columns[CATALOG_KEY_MAX];
	uint8_t slots[CATALOG_KEY_MAX]; /* of those columns */
	bool text[CATALOG_KEY_MAX];
	bool desc[CATALOG_KEY_MAX];
};

/* Room for any row struct. */
union row_space {
	max_align_t align;
	char bytes[SCHEMA_COLUMNS_MAX * sizeof(struct span)];
};

const struct entity_def *schema_entity(enum catalog_entity entity);
const struct index_def *schema_index(enum catalog_index index);
/* "file" of file_row, "api key" of api_key: what messages call it. The first letter as a capital. */
void schema_noun(enum catalog_entity entity, char *ret, size_t size);

/* CREATE TABLE of every entity; each table begins with seq BIGINT, by which the writer addresses its rows. */
void schema_create_sql(struct buf *out);
/* SELECT seq, columns FROM table */
void schema_select_sql(enum catalog_entity entity, struct buf *out);

#endif
