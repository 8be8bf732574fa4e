#include "pgwire/catalog_columns.h"

#include "base/map.h"
#include "engine/encode_pg.h"
#include "pgwire/types.h"

enum { OID_OID_ARRAY = 1028 };

struct catalog_column {
	const char *name;
	uint32_t oid;
};

static const struct catalog_column COLUMNS[] = {
#define COLUMN(name, oid) {#name, oid},
#include "pgwire/catalog/columns.def"
#undef COLUMN
};

static const struct catalog_column *column_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(COLUMNS); i++)
		if (span_is(name, COLUMNS[i].name))
			return &COLUMNS[i];
	return NULL;
}

static bool is_list_of(const struct type *type, enum type_id item)
{
	return type->id == TYPE_LIST && type->members[0].type->id == item;
}

uint32_t catalog_type(const struct type *type)
{
	if (type->id == TYPE_UINTEGER)
		return OID_OID;
	return is_list_of(type, TYPE_UINTEGER) ? OID_OID_ARRAY : type_pg_oid(type);
}

/* A name's type holds only for a column of the engine type that stands for it. */
static bool fits(uint32_t oid, const struct type *type)
{
	switch (oid) {
	case OID_NAME:
	case OID_CHAR:
		return type->id == TYPE_VARCHAR;
	case OID_INT2VECTOR:
		return is_list_of(type, TYPE_SMALLINT);
	case OID_OIDVECTOR:
		return is_list_of(type, TYPE_UINTEGER);
	default:
		return false;
	}
}

/* "t.typtype AS kind": kind means typtype, here and wherever a query around it selects kind. */
static void find_aliases(const struct stmt *s, struct arena *arena, struct map *ret)
{
	struct lexer lx = {s->text};
	struct token before = {0}, name = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		if (token_is(before, "as") && token_is_name(name) && token_is_name(t)) {
			const struct catalog_column *column = column_find(token_name(name, arena));
			if (column)
				(void)map_put(ret, token_name(t, arena), (void *)(uintptr_t)column);
		}
		name = before;
		before = t;
	}
}

void catalog_columns(const struct stmt *s, struct arena *arena, const struct type *const *types,
		     struct message_column *columns, size_t n)
{
	struct map aliases = MAP_INIT;
	find_aliases(s, arena, &aliases);
	for (size_t i = 0; i < n; i++) {
		const struct catalog_column *named = map_get(&aliases, columns[i].name);
		if (!named)
			named = column_find(columns[i].name);
		columns[i].type_oid = named && fits(named->oid, types[i]) ? named->oid : catalog_type(types[i]);
		columns[i].type_len = pg_type_len(columns[i].type_oid);
	}
	map_done(&aliases);
}

int16_t catalog_format(const struct message_column *column)
{
	switch (column->type_oid) {
	case OID_OID:
	case OID_OID_ARRAY:
		return column->format ? PG_FORMAT_OIDS : PG_FORMAT_TEXT;
	case OID_OIDVECTOR:
		return column->format ? PG_FORMAT_OIDS : PG_FORMAT_VECTOR;
	case OID_INT2VECTOR:
		return column->format ? PG_FORMAT_BINARY : PG_FORMAT_VECTOR;
	default:
		return (int16_t)column->format;
	}
}
