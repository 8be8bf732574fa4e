/* The engine's own listings (SHOW TABLES, DESCRIBE alone, ...) in terms of the catalog: without what only the service has. */
#include "base/limits.h"
#include "engine/sql.h"
#include "pgwire/rewrite_inner.h"

#define ALL_TABLES                                                                                                  \
	"SELECT current_database()::text AS database, t.table_schema::text AS schema, t.table_name::text AS name, " \
	"array_agg(c.column_name::text ORDER BY c.ordinal_position) AS column_names, array_agg(c.data_type::text "  \
	"ORDER BY c.ordinal_position) AS column_types, t.table_type = 'LOCAL TEMPORARY' AS temporary FROM "         \
	"information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name) WHERE "     \
	"t.table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY t.table_schema, t.table_name, "        \
	"t.table_type ORDER BY t.table_schema, t.table_name"
#define SCHEMA_TABLES  "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema"
#define VISIBLE_TABLES SCHEMA_TABLES " = current_schema() OR table_type = 'LOCAL TEMPORARY' ORDER BY table_name"

struct listing {
	const char *words[3];
	const char *sql;
};

static const struct listing listings[] = {
	{{"show", "databases"}, "SELECT datname::text AS database_name FROM pg_catalog.pg_database"},
	{{"show", "schemas"},
	 "SELECT current_database()::text AS database_name, schema_name::text AS schema_name, schema_name::text = "
	 "current_schema() AS current FROM information_schema.schemata ORDER BY schema_name"},
	{{"show", "tables"}, VISIBLE_TABLES},
	{{"pragma", "show_tables"}, VISIBLE_TABLES},
	{{"show", "all", "tables"}, ALL_TABLES},
	{{"describe"}, ALL_TABLES},
	{{"desc"}, ALL_TABLES},
};

static bool follows(const struct token *tokens, size_t n, const struct listing *l)
{
	size_t i = 0;
	for (; i < ARRAY_LEN(l->words) && l->words[i]; i++)
		if (i >= n || !token_is(tokens[i], l->words[i]))
			return false;
	return i == n;
}

/* SHOW TABLES FROM [database.]schema */
static const char *tables_of(const struct token *tokens, size_t n, struct arena *arena)
{
	const bool named = n == 4 || (n == 6 && token_is_name(tokens[3]) && token_is_punct(tokens[4], '.'));
	if (!named || !token_is_name(tokens[n - 1]) || !token_is(tokens[0], "show") || !token_is(tokens[1], "tables") ||
	    !(token_is(tokens[2], "from") || token_is(tokens[2], "in")))
		return NULL;
	struct buf out = BUF(LIMIT_SQL_BYTES);
	sql_printf(&out, SCHEMA_TABLES " = %L", arena_copy(arena, token_name(tokens[n - 1], arena)));
	if (n == 6)
		sql_printf(&out, " AND table_catalog = %L", arena_copy(arena, token_name(tokens[3], arena)));
	buf_str(&out, " ORDER BY table_name");
	const char *sql = out.failed ? NULL : arena_copy(arena, buf_view(&out));
	buf_done(&out);
	return sql;
}

bool rewrite_listing(const struct stmt *s, struct arena *arena, struct stmt *ret)
{
	struct lexer lx = {s->text};
	struct token tokens[7];
	size_t n = 0;
	const char *sql = NULL;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && n < ARRAY_LEN(tokens); t = lexer_next(&lx))
		tokens[n++] = t;
	for (size_t i = 0; i < ARRAY_LEN(listings) && !sql; i++)
		if (follows(tokens, n, &listings[i]))
			sql = listings[i].sql;
	if (!sql)
		sql = tables_of(tokens, n, arena);
	if (!sql)
		return false;
	*ret = *s;
	ret->text = span_of(sql);
	ret->mentions = MENTIONS_CATALOG | MENTIONS_SETTING;
	return true;
}
