#include "catalog/schema.h"

#include "engine/sql.h"

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>

static struct entity_def entities[CATALOG_ENTITIES];
static struct index_def indexes[CATALOG_INDEXES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint8_t column_find(const struct entity_def *e, struct span name)
{
	for (unsigned i = 0; i < e->column_count; i++)
		if (span_is(name, e->columns[i].name))
			return (uint8_t)i;
	assert(!"an index of rows.def names a column that its entity does not have");
	return 0;
}

static void entity_add(enum catalog_entity entity, const char *name, const char *table,
		       const struct column_def *columns, size_t count, size_t row_size)
{
	assert(count <= SCHEMA_COLUMNS_MAX);
	struct entity_def *e = &entities[entity];
	e->name = name;
	e->table = table;
	e->columns = columns;
	e->column_count = (unsigned)count;
	e->row_size = row_size;
	unsigned texts = 0;
	for (size_t i = 0; i < count; i++) {
		bool text = column_is_text(columns[i].kind);
		e->slots[i] = (uint8_t)(text ? texts++ : e->number_count++);
	}
}

static void index_add(enum catalog_entity entity, enum catalog_index index, const char *name, bool unique,
		      const char *columns)
{
	struct entity_def *e = &entities[entity];
	struct index_def *x = &indexes[index];
	x->name = name;
	x->entity = entity;
	x->of = e;
	x->unique = unique;
	struct span rest = span_of(columns);
	while (rest.len > 0) {
		struct span word = span_trim(span_cut(&rest, ','));
		assert(x->count < CATALOG_KEY_MAX);
		bool desc = span_ends(word, SPAN(" desc"));
		uint8_t column = column_find(e, desc ? span_first(word, word.len - 5) : word);
		assert(e->columns[column].kind != COLUMN_BLOB);
		x->columns[x->count] = column;
		x->slots[x->count] = e->slots[column];
		x->text[x->count] = e->columns[column].kind == COLUMN_TEXT;
		x->desc[x->count++] = desc;
	}
	assert(x->count > 0 && e->index_count < SCHEMA_INDEXES_MAX);
	e->indexes[e->index_count++] = index;
}

static void schema_build(void)
{
	/* clang-format off */
#define ENTITY(entity, table_name) { \
	typedef struct entity row_type; \
	static const char table[] = #table_name; \
	static const struct column_def columns[] = {
#define TEXT(column) {#column, COLUMN_TEXT, offsetof(row_type, column)},
#define INT(column) {#column, COLUMN_INT, offsetof(row_type, column)},
#define TIME(column) {#column, COLUMN_TIME, offsetof(row_type, column)},
#define BOOL(column) {#column, COLUMN_BOOL, offsetof(row_type, column)},
#define BLOB(column) {#column, COLUMN_BLOB, offsetof(row_type, column)},
#define PRIMARY(entity, list, names) }; \
	entity_add(CATALOG_ENTITY_##entity, #entity, table, columns, ARRAY_LEN(columns), sizeof(row_type)); \
	index_add(CATALOG_ENTITY_##entity, CATALOG_INDEX_##list, #list, true, names);
#define UNIQUE(entity, name, names) index_add(CATALOG_ENTITY_##entity, CATALOG_INDEX_##name, #name, true, names);
#define INDEX(entity, list, names) index_add(CATALOG_ENTITY_##entity, CATALOG_INDEX_##list, #list, false, names);
#define END(entity) }
#include "catalog/rows.def"
	/* clang-format on */
}

const struct entity_def *schema_entity(enum catalog_entity entity)
{
	(void)pthread_once(&once, schema_build);
	return &entities[entity];
}

const struct index_def *schema_index(enum catalog_index index)
{
	(void)pthread_once(&once, schema_build);
	return &indexes[index];
}

void schema_noun(enum catalog_entity entity, char *ret, size_t size)
{
	const char *name = schema_entity(entity)->name;
	struct span noun = span_of(name);
	if (span_ends(noun, SPAN("_row")))
		noun = span_first(noun, noun.len - 4);
	(void)snprintf(ret, size, "%.*s", SPAN_ARG(noun));
	for (char *c = ret; *c; c++)
		if (*c == '_')
			*c = ' ';
	ret[0] = (char)toupper((unsigned char)ret[0]);
}

void schema_create_sql(struct buf *out)
{
	for (enum catalog_entity i = 0; i < CATALOG_ENTITIES; i++) {
		const struct entity_def *e = schema_entity(i);
		sql_printf(out, "CREATE TABLE %I (seq BIGINT, ", e->table);
		columns_create_sql(e->columns, e->column_count, out);
		buf_str(out, ");\n");
	}
}

void schema_select_sql(enum catalog_entity entity, struct buf *out)
{
	const struct entity_def *e = schema_entity(entity);
	buf_str(out, "SELECT seq, ");
	columns_sql(e->columns, e->column_count, out);
	sql_printf(out, " FROM %I", e->table);
}
