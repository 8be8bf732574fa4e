#include "engine/type.h"

#include "base/limits.h"
#include "engine/sql.h"

#include <assert.h>
#include <stdlib.h>

enum { PG_TEXT = 25, PG_TEXT_ARRAY = 1009, PG_JSON = 114 };

/* id, canonical name, PostgreSQL oid, array oid, length */
static const struct type_row rows[] = {
	{TYPE_NULL, "\"NULL\"", PG_TEXT, PG_TEXT_ARRAY, -1},
	{TYPE_BOOLEAN, "BOOLEAN", 16, 1000, 1},
	{TYPE_TINYINT, "TINYINT", 21, 1005, 2},
	{TYPE_SMALLINT, "SMALLINT", 21, 1005, 2},
	{TYPE_INTEGER, "INTEGER", 23, 1007, 4},
	{TYPE_BIGINT, "BIGINT", 20, 1016, 8},
	{TYPE_HUGEINT, "HUGEINT", 1700, 1231, -1},
	{TYPE_UTINYINT, "UTINYINT", 21, 1005, 2},
	{TYPE_USMALLINT, "USMALLINT", 23, 1007, 4},
	{TYPE_UINTEGER, "UINTEGER", 20, 1016, 8},
	{TYPE_UBIGINT, "UBIGINT", 1700, 1231, -1},
	{TYPE_UHUGEINT, "UHUGEINT", 1700, 1231, -1},
	{TYPE_BIGNUM, "BIGNUM", 1700, 1231, -1},
	{TYPE_FLOAT, "FLOAT", 700, 1021, 4},
	{TYPE_DOUBLE, "DOUBLE", 701, 1022, 8},
	{TYPE_DECIMAL, "DECIMAL", 1700, 1231, -1},
	{TYPE_VARCHAR, "VARCHAR", PG_TEXT, PG_TEXT_ARRAY, -1},
	{TYPE_JSON, "JSON", PG_JSON, 199, -1},
	{TYPE_BLOB, "BLOB", 17, 1001, -1},
	{TYPE_BIT, "BIT", 1562, 1563, -1},
	{TYPE_UUID, "UUID", 2950, 2951, 16},
	{TYPE_DATE, "DATE", 1082, 1182, 4},
	{TYPE_TIME, "TIME", 1083, 1183, 8},
	{TYPE_TIME_NS, "TIME_NS", 1083, 1183, 8},
	{TYPE_TIME_TZ, "TIME WITH TIME ZONE", 1266, 1270, 12},
	{TYPE_TIMESTAMP, "TIMESTAMP", 1114, 1115, 8},
	{TYPE_TIMESTAMP_S, "TIMESTAMP_S", 1114, 1115, 8},
	{TYPE_TIMESTAMP_MS, "TIMESTAMP_MS", 1114, 1115, 8},
	{TYPE_TIMESTAMP_NS, "TIMESTAMP_NS", 1114, 1115, 8},
	{TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE", 1184, 1185, 8},
	{TYPE_INTERVAL, "INTERVAL", 1186, 1187, 16},
	{TYPE_ENUM, "ENUM", PG_TEXT, PG_TEXT_ARRAY, -1},
	{TYPE_LIST, "LIST", PG_JSON, 0, -1},
	{TYPE_ARRAY, "ARRAY", PG_JSON, 0, -1},
	{TYPE_STRUCT, "STRUCT", PG_JSON, 0, -1},
	{TYPE_MAP, "MAP", PG_JSON, 0, -1},
	{TYPE_UNION, "UNION", PG_JSON, 0, -1},
	{TYPE_VARIANT, "VARIANT", PG_JSON, 0, -1},
	{TYPE_GEOMETRY, "GEOMETRY", PG_TEXT, PG_TEXT_ARRAY, -1},
	{TYPE_OTHER, "UNKNOWN", PG_TEXT, PG_TEXT_ARRAY, -1},
};
static_assert(ARRAY_LEN(rows) == TYPE_COUNT, "one row for each type");

static const char *const keywords[] = {
#define KEYWORD(word) word,
#include "engine/keyword.def"
#undef KEYWORD
};

const struct type_row *type_row(enum type_id id)
{
	return &rows[(size_t)id < TYPE_COUNT ? id : TYPE_OTHER];
}

const struct type_row *type_row_named(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (span_eq_nocase(name, span_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

bool type_is_integer(enum type_id id)
{
	return id >= TYPE_TINYINT && id <= TYPE_BIGNUM;
}

bool type_is_numeric(enum type_id id)
{
	return id >= TYPE_TINYINT && id <= TYPE_DECIMAL;
}

/* The array id of a list's item, 0 when the item is no scalar of PostgreSQL's. */
static uint32_t item_array_oid(const struct type *type)
{
	if ((type->id != TYPE_LIST && type->id != TYPE_ARRAY) || type->member_count == 0)
		return 0;
	return type_row(type->members[0].type->id)->pg_array_oid;
}

uint32_t type_pg_oid(const struct type *type)
{
	const uint32_t array = item_array_oid(type);
	return array ? array : type_row(type->id)->pg_oid;
}

int16_t type_pg_len(const struct type *type)
{
	return type_row(type->id)->pg_len;
}

/* numeric's: ((precision << 16) | scale) + 4 */
static int32_t numeric_mod(int32_t precision, int32_t scale)
{
	return ((precision << 16) | scale) + 4;
}

int32_t type_pg_mod(const struct type *type)
{
	switch (type->id) {
	case TYPE_LIST:
	case TYPE_ARRAY:
		return item_array_oid(type) ? type_pg_mod(type->members[0].type) : -1;
	case TYPE_DECIMAL:
		return numeric_mod(type->width, type->scale);
	case TYPE_UBIGINT:
		return numeric_mod(20, 0);
	case TYPE_HUGEINT:
	case TYPE_UHUGEINT:
		return numeric_mod(39, 0);
	default:
		return -1;
	}
}

static int keyword_cmp(const void *key, const void *word)
{
	return strcasecmp(key, *(const char *const *)word);
}

/* The engine's rule: letters, digits and '_' need no quotes unless they are a keyword or begin with a digit. */
static bool name_is_plain(const char *name)
{
	for (size_t i = 0; name[i]; i++) {
		const char c = name[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return *name && !bsearch(name, keywords, ARRAY_LEN(keywords), sizeof(*keywords), keyword_cmp);
}

static void print_members(const struct type *type, struct buf *out)
{
	buf_str(out, type_row(type->id)->name);
	buf_byte(out, '(');
	for (size_t i = 0; i < type->member_count; i++) {
		const struct type_member *m = &type->members[i];
		if (i > 0)
			buf_str(out, ", ");
		if (m->name && name_is_plain(m->name))
			buf_str(out, m->name);
		else if (m->name)
			sql_ident(out, span_of(m->name));
		if (m->name)
			buf_byte(out, ' ');
		buf_str(out, m->type->text);
	}
	buf_byte(out, ')');
}

static void print_enum(const struct type *type, struct buf *out)
{
	buf_str(out, "ENUM(");
	for (size_t i = 0; i < type->label_count; i++) {
		if (i > 0)
			buf_str(out, ", ");
		sql_text(out, span_of(type->labels[i]));
	}
	buf_byte(out, ')');
}

static void print(const struct type *type, struct buf *out)
{
	switch (type->id) {
	case TYPE_DECIMAL:
		buf_printf(out, "DECIMAL(%u,%u)", type->width, type->scale);
		break;
	case TYPE_LIST:
		buf_str(out, type->members[0].type->text);
		buf_str(out, "[]");
		break;
	case TYPE_ARRAY:
		buf_str(out, type->members[0].type->text);
		buf_printf(out, "[%llu]", (unsigned long long)type->length);
		break;
	case TYPE_STRUCT:
	case TYPE_MAP:
	case TYPE_UNION:
		print_members(type, out);
		break;
	case TYPE_ENUM:
		print_enum(type, out);
		break;
	default:
		break;
	}
}

const char *type_text(const struct type *type, struct arena *arena)
{
	if (type->alias)
		return type->alias;
	struct buf text = BUF(LIMIT_SQL_BYTES);
	print(type, &text);
	/* Most have only a name. */
	const char *ret = text.len || text.failed ? arena_copy(arena, buf_view(&text)) : type_row(type->id)->name;
	buf_done(&text);
	return ret;
}
