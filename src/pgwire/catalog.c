#include "pgwire/catalog.h"

#include "pgwire/lexer.h"
#include "pgwire/stmt.h"
#include "pgwire/types.h"

#include <strings.h>

static const char SQL[] =
#include "catalog.inc"
	;

static const char OWN_SQL[] =
#include "catalog_own.inc"
	;

static const struct {
	const char *name;
	uint32_t oid;
} RELATIONS[] = {
#define RELATION(name, oid) {#name, oid},
#include "pgwire/catalog/relations.def"
#undef RELATION
};

static const struct {
	const char *schema, *name, *columns;
} EMPTY[] = {
#define EMPTY(name, columns)	  {"main", #name, columns ", NULL::UINTEGER AS tableoid"},
#define EMPTY_INFO(name, columns) {"info", #name, columns},
#include "pgwire/catalog/empty.def"
#undef EMPTY
#undef EMPTY_INFO
};

uint32_t catalog_relation_oid(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(RELATIONS); i++)
		if (span_is(name, RELATIONS[i].name))
			return RELATIONS[i].oid;
	return 0;
}

static const struct {
	const char *name;
} FUNCTIONS[] = {
#include "catalog_names.inc"
};

bool catalog_function(struct span name)
{
	size_t low = 0, high = ARRAY_LEN(FUNCTIONS);
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = strncasecmp(FUNCTIONS[middle].name, name.ptr, name.len);
		if (order == 0 && FUNCTIONS[middle].name[name.len] == '\0')
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void put_type(struct buf *out, const struct pg_type *t)
{
	buf_printf(out, "(%u,'%s',11,10,%d,%s,'%c','%c',%s,%u,%u,%u,%u,%u,%u,%u,'%c','%c',%u),\n", t->oid, t->name,
		   t->len, yes(t->by_value), t->type, t->category, yes(t->preferred), t->element ? 6179U : 0U,
		   t->element, t->array, t->io_oids[0], t->io_oids[1], t->io_oids[2], t->io_oids[3], t->align,
		   t->storage, t->collation);
}

static void put_array_type(struct buf *out, const struct pg_type *t)
{
	buf_printf(out, "(%u,'_%s',11,10,-1,false,'b','A',false,6179,%u,0,750,751,2400,2401,'%c','x',%u),\n", t->array,
		   t->name, t->oid, t->align == 'd' ? 'd' : 'i', t->collation);
}

static void put_types(struct buf *out)
{
	size_t count;
	const struct pg_type *types = pg_types(&count);
	buf_str(out,
		"CREATE TABLE _pg.main._types (oid UINTEGER, typname VARCHAR, typnamespace UINTEGER, typowner UINTEGER, "
		"typlen SMALLINT, typbyval BOOLEAN, typtype VARCHAR, typcategory VARCHAR, typispreferred BOOLEAN, "
		"typsubscript UINTEGER, typelem UINTEGER, typarray UINTEGER, typinput UINTEGER, typoutput UINTEGER, "
		"typreceive UINTEGER, typsend UINTEGER, typalign VARCHAR, typstorage VARCHAR, typcollation UINTEGER);\n"
		"INSERT INTO _pg.main._types VALUES\n");
	for (size_t i = 0; i < count; i++) {
		put_type(out, &types[i]);
		if (types[i].array)
			put_array_type(out, &types[i]);
	}
	out->len -= 2;
	buf_str(out, ";\n");
}

/* _type_name(oid) and _type_shown(name): a CASE is the one form that works wherever an expression may stand. */
static void put_type_names(struct buf *out)
{
	size_t count;
	const struct pg_type *types = pg_types(&count);
	buf_str(out, "CREATE MACRO _pg.main._type_name(o) AS CASE o");
	for (size_t i = 0; i < count; i++) {
		buf_printf(out, " WHEN %u THEN '%s'", types[i].oid, types[i].sql_name);
		if (types[i].array)
			buf_printf(out, " WHEN %u THEN '%s[]'", types[i].array, types[i].sql_name);
	}
	buf_str(out, " END;\nCREATE MACRO _pg.main._type_shown(n) AS CASE n");
	for (size_t i = 0; i < count; i++) {
		buf_printf(out, " WHEN '%s' THEN '%s'", types[i].name, types[i].sql_name);
		if (types[i].array)
			buf_printf(out, " WHEN '_%s' THEN '%s[]'", types[i].name, types[i].sql_name);
	}
	buf_str(out,
		" ELSE regexp_replace(n, '^_(.*)$', '\\1[]') END;\nCREATE TABLE _pg.main._type_names (name VARCHAR, oid UINTEGER);\n"
		"INSERT INTO _pg.main._type_names VALUES ('int', 23), ('decimal', 1700), ('float', 701), "
		"('int[]', 1007), ('string', 25)");
	for (size_t i = 0; i < count; i++) {
		const struct pg_type *t = &types[i];
		buf_printf(out, ", ('%s', %u), ('%s', %u)", t->name, t->oid, t->sql_name, t->oid);
		if (t->array)
			buf_printf(out, ", ('_%s', %u), ('%s[]', %u), ('%s[]', %u)", t->name, t->array, t->name,
				   t->array, t->sql_name, t->array);
	}
	buf_str(out, ";\n");
}

static void put_relations(struct buf *out)
{
	buf_str(out, "CREATE TABLE _pg.main._system_relations (oid UINTEGER, name VARCHAR);\n"
		     "INSERT INTO _pg.main._system_relations VALUES ");
	for (size_t i = 0; i < ARRAY_LEN(RELATIONS); i++)
		buf_printf(out, "%s(%u, '%s')", i ? ", " : "", RELATIONS[i].oid, RELATIONS[i].name);
	buf_str(out, ";\n");
	for (size_t i = 0; i < ARRAY_LEN(EMPTY); i++)
		buf_printf(out, "CREATE VIEW _pg.%s.%s AS SELECT %s WHERE false;\n", EMPTY[i].schema, EMPTY[i].name,
			   EMPTY[i].columns);
}

static const char *const KEYS[] = {"db_text",	 "database_text",    "user_text", "version_text",
				   "start_text", "temp_prefix_text", "port"};

static bool put_name(struct span key, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(KEYS); i++)
		if (span_is(key, KEYS[i])) {
			buf_printf(out, "_pg_own.main.%s()", KEYS[i]);
			return true;
		}
	return false;
}

void catalog_own_sql(const struct catalog_names *names, struct buf *out)
{
	const char *const texts[] = {names->db,	     names->database, names->user,
				     names->version, names->started,  SERIAL_TEMP_PREFIX};
	buf_str(out, "ATTACH ':memory:' AS _pg_own;\n");
	buf_str(out, OWN_SQL);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		buf_printf(out, "CREATE MACRO _pg_own.main.%s() AS ", KEYS[i]);
		lexer_quote_string(out, span_of(texts[i]));
		buf_str(out, ";\n");
	}
	buf_printf(out, "CREATE MACRO _pg_own.main.port() AS %d;\n", (int)names->port);
}

void catalog_sql(struct buf *out)
{
	struct span rest = {SQL, sizeof(SQL) - 1};
	buf_str(out, "CREATE SCHEMA _pg.info;\n");
	put_types(out);
	put_type_names(out);
	put_relations(out);
	while (rest.len) {
		buf_span(out, span_cut(&rest, '{'));
		struct span after = rest;
		struct span key = span_cut(&after, '}');
		if (key.len && key.len < 20 && put_name(key, out))
			rest = after;
		else if (rest.ptr != SQL + sizeof(SQL) - 1 && rest.len)
			buf_byte(out, '{');
	}
}
