/*
 * The row structs of the catalog and the keys that find them, generated from
 * rows.def (which says what the columns mean).
 *
 * Text of a row that was read lives as long as the arena it was read into. Text
 * of a row being written is copied by the write function. Text is UTF-8.
 */
#ifndef CATALOG_ROWS_H
#define CATALOG_ROWS_H

#include "base/span.h"

#define ENTITY(entity, table) struct entity {
#define TEXT(column)	      const char *column;
#define INT(column)	      int64_t column;
#define TIME(column)	      int64_t column;
#define BOOL(column)	      bool column;
#define BLOB(column)	      struct span column;
#define END(entity) \
	}           \
	;
#include "catalog/rows.def"

enum catalog_entity {
#define ENTITY(entity, table) CATALOG_ENTITY_##entity,
#include "catalog/rows.def"
	CATALOG_ENTITIES
};

enum catalog_index {
#define PRIMARY(entity, list, columns) CATALOG_INDEX_##list,
#define UNIQUE(entity, name, columns)  CATALOG_INDEX_##name,
#define INDEX(entity, list, columns)   CATALOG_INDEX_##list,
#include "catalog/rows.def"
	CATALOG_INDEXES
};

enum { CATALOG_KEY_MAX = 6 };

struct catalog_value {
	const char *text; /* NULL in a text column: SQL's NULL */
	int64_t number;
	bool is_text;
};

/* The first `count` columns of an index. */
struct catalog_key {
	unsigned count;
	struct catalog_value values[CATALOG_KEY_MAX];
};

static inline struct catalog_value catalog_text(const char *text)
{
	return (struct catalog_value){.text = text, .is_text = true};
}

static inline struct catalog_value catalog_number(int64_t number)
{
	return (struct catalog_value){.number = number};
}

/* KEY("p7", "in_c_port") or KEY(upload_id, 3): texts and integers, 1 to CATALOG_KEY_MAX of them. */
#define KEY_VALUE(x)			   _Generic((x), char * : catalog_text, const char * : catalog_text, default : catalog_number)(x)
#define KEY(...)			   KEY_N(__VA_ARGS__, KEY_6, KEY_5, KEY_4, KEY_3, KEY_2, KEY_1)(__VA_ARGS__)
#define KEY_N(a, b, c, d, e, f, name, ...) name
#define KEY_1(a)			   ((struct catalog_key){1, {KEY_VALUE(a)}})
#define KEY_2(a, b)			   ((struct catalog_key){2, {KEY_VALUE(a), KEY_VALUE(b)}})
#define KEY_3(a, b, c)			   ((struct catalog_key){3, {KEY_VALUE(a), KEY_VALUE(b), KEY_VALUE(c)}})
#define KEY_4(a, b, c, d)		   ((struct catalog_key){4, {KEY_VALUE(a), KEY_VALUE(b), KEY_VALUE(c), KEY_VALUE(d)}})
#define KEY_5(a, b, c, d, e) \
	((struct catalog_key){5, {KEY_VALUE(a), KEY_VALUE(b), KEY_VALUE(c), KEY_VALUE(d), KEY_VALUE(e)}})
#define KEY_6(a, b, c, d, e, f) \
	((struct catalog_key){6, {KEY_VALUE(a), KEY_VALUE(b), KEY_VALUE(c), KEY_VALUE(d), KEY_VALUE(e), KEY_VALUE(f)}})
/* Every row of an index. */
#define KEY_ALL ((struct catalog_key){.count = 0})

#endif
