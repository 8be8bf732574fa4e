/* tests/wire/pg/rewrite.txt, and the catalog that the rewritten statements find in the engine. */
#include "base/limits.h"
#include "engine/function.h"
#include "engine/session.h"
#include "pgwire/catalog.h"
#include "pgwire/json_edit.h"
#include "pgwire/to_char.h"
#include "pgwire/rewrite.h"
#include "wire_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool relation(void *session, struct span name, struct buf *out)
{
	(void)session;
	if (!span_is(name, "pg_settings"))
		return false;
	buf_str(out, "(select 1 as name)");
	return true;
}

static bool call(void *session, struct span name, const struct span *arguments, size_t n, struct buf *out)
{
	(void)session;
	if (!span_is(name, "current_setting") || n != 1)
		return false;
	buf_printf(out, "'[%.*s]'", SPAN_ARG(arguments[0]));
	return true;
}

static bool bucket(void *session, struct span name, struct buf *out)
{
	(void)session;
	if (!span_is(name, "in.c-fin"))
		return false;
	buf_str(out, "in_c_fin");
	return true;
}

static const struct rewrite_hooks HOOKS = {.relation = relation, .call = call, .bucket = bucket};
static const struct rewrite_hooks TEMP_HOOKS = {
	.relation = relation, .call = call, .bucket = bucket, .database = "\"w\"", .has_temp = true};

/* Blanks as one, none at the ends, behind '(' and '::', before ')' and ','. */
static void fold(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		bool blank = strchr(" \t\n", text.ptr[i]) != NULL;
		bool after_blank = out->len == 0 || strchr(" (:", out->ptr[out->len - 1]);
		if (!blank && strchr("),", text.ptr[i]) && out->len && out->ptr[out->len - 1] == ' ')
			out->len--;
		if (!blank || !after_blank)
			buf_byte(out, blank ? ' ' : text.ptr[i]);
	}
	while (out->len && out->ptr[out->len - 1] == ' ')
		out->ptr[--out->len] = '\0';
}

static bool rewrite_with(const struct rewrite_hooks *hooks, const char *sql, struct arena *arena, struct rewritten *ret,
			 struct pg_error *e)
{
	struct span rest = span_of(sql);
	struct stmt *s = arena_new_of(arena, struct stmt);
	return stmt_next(&rest, s, e) && rewrite(s, hooks, arena, ret, e);
}

static bool rewrite_text(const char *sql, struct arena *arena, struct rewritten *ret, struct pg_error *e)
{
	return rewrite_with(&HOOKS, sql, arena, ret, e);
}

static void run_case(const struct wire_case *c)
{
	struct arena *arena = arena_new();
	struct rewritten r;
	struct pg_error e;
	struct buf got = BUF(1 << 16), want = BUF(1 << 16);
	const char *sql = wire_get(c, "sql");
	const char *expected = strcmp(wire_get(c, "want"), "same") == 0 ? sql : wire_get(c, "want");
	if (rewrite_with(wire_get(c, "temp") ? &TEMP_HOOKS : &HOOKS, sql, arena, &r, &e)) {
		fold(r.sql, &got);
		/* Every offset maps back into the statement. */
		for (size_t i = 0; i <= r.sql.len; i++)
			assert_true(rewrite_origin(&r, i) <= strlen(sql) + r.sql.len);
	} else {
		buf_printf(&got, "error %s", e.sqlstate);
	}
	struct span rest = span_of(expected);
	if (strcmp(wire_get(c, "want"), "same") == 0) {
		struct stmt s;
		assert_true(stmt_next(&rest, &s, &e));
		rest = s.text;
	}
	fold(rest, &want);
	if (strcmp(buf_view(&got).ptr, want.ptr) != 0)
		fail_msg("line %d, %s:\n  got  %s\n  want %s", c->line, c->name, got.ptr, want.ptr);
	buf_done(&got);
	buf_done(&want);
	arena_free(arena);
}

static void wire_rewrites(void **state)
{
	(void)state;
	assert_true(wire_file_run("pg/rewrite.txt", run_case) > 25);
}

static void positions_map_back(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct rewritten r;
	struct pg_error e;
	const char *sql = "select pg_catalog.version(), nope from pg_catalog.pg_class";
	assert_true(rewrite_text(sql, arena, &r, &e));
	const char *at = memmem(r.sql.ptr, r.sql.len, "nope", 4);
	assert_int_equal(rewrite_origin(&r, (size_t)(at - r.sql.ptr)), (size_t)(strstr(sql, "nope") - sql));
	arena_free(arena);
}

/* --- against the engine --- */

struct world {
	struct instance *instance;
	struct session *session;
};

static bool is_seven(void *ctx, int32_t number, bool flag)
{
	(void)ctx;
	return number == 7 && !flag;
}

static int open_world(void **state)
{
	static struct world w;
	struct err err = ERR_INIT;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct instance_config config = {.threads = 1};
	struct catalog_names names = {
		"memory", "workspace_w", "it's me", "PostgreSQL 15.10 (DuckDB)", "2026-01-02 03:04:05+00", 5432};
	assert_true(instance_open(&config, &w.instance, &err));
	assert_true(session_open(w.instance, &w.session, &err));
	catalog_own_sql(&names, &sql);
	buf_str(&sql, "ATTACH ':memory:' AS _pg;\n");
	catalog_sql(&sql);
	assert_true(function_register(w.session, "_pg_signal", &(struct function){is_seven, NULL, NULL}, &err));
	static const struct text_function json_edit = {JSON_EDIT_ARGUMENTS, json_edit_call};
	static const struct text_function to_char = {TO_CHAR_ARGUMENTS, to_char_call};
	assert_true(function_register_text(w.session, "_pg_json", &json_edit, &err));
	assert_true(function_register_text(w.session, "_pg_to_char", &to_char, &err));
	if (!session_run(w.session, sql.ptr, &err))
		fail_msg("%s", err.message);
	static const char setup[] =
		"CREATE TYPE mood AS ENUM ('sad', 'ok');"
		"CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'x', price DECIMAL(10,2) CHECK (price > 0),"
		" tags VARCHAR[], m mood, s STRUCT(a INTEGER)[]);"
		"CREATE TABLE ch (t_id INTEGER REFERENCES t(id), made TIMESTAMPTZ);"
		"CREATE VIEW v AS SELECT id FROM t; CREATE SEQUENCE sq; CREATE INDEX ix ON t(name); CREATE TEMP TABLE tmp (a INTEGER);"
		"COMMENT ON TABLE t IS 'things';"
		"INSERT INTO _pg_own._project_schemas VALUES (1073741825, 'in_c_fin');"
		"INSERT INTO _pg_own._project_tables VALUES (1073741826, 1073741825, 'in_c_fin', 'Invoices', 7, 4096, 'id', NULL);"
		"INSERT INTO _pg_own._project_columns VALUES (1073741826, 1, 'id', 'BIGINT', false, NULL, NULL),"
		" (1073741826, 2, 'total', 'DECIMAL(12,3)', true, NULL, 'sum');"
		"SET search_path = 'main,_pg.main'";
	if (!session_run(w.session, setup, &err))
		fail_msg("%s", err.message);
	buf_done(&sql);
	*state = &w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;
	session_close(w->session);
	instance_close(w->instance);
	return 0;
}

/* One query's rows as text: columns by '|', rows by ';'. */
static void check_rows(struct world *w, const char *sql, const char *want)
{
	struct arena *arena = arena_new();
	struct rewritten r;
	struct pg_error e;
	struct err err = ERR_INIT;
	struct cursor *c;
	struct buf text = BUF(1 << 16), got = BUF(1 << 16);
	if (!rewrite_text(sql, arena, &r, &e))
		fail_msg("%s: %s", sql, e.message);
	buf_printf(&text, "SELECT COLUMNS(*)::VARCHAR FROM (%.*s)", SPAN_ARG(r.sql));
	if (!session_query(w->session, text.ptr, &c, &err))
		fail_msg("%s: %s\n%s", sql, err.message, text.ptr);
	size_t rows;
	bool fine;
	while ((fine = cursor_next(c, &rows, &err)) && rows)
		for (size_t row = 0; row < rows; row++) {
			buf_str(&got, got.len ? ";" : "");
			for (size_t i = 0; i < cursor_column_count(c); i++)
				buf_printf(&got, "%s%.*s", i ? "|" : "",
					   SPAN_ARG(cursor_is_null(c, i, row) ? SPAN("~") : cursor_text(c, i, row)));
		}
	cursor_close(c);
	if (!fine || strcmp(buf_view(&got).ptr, want) != 0)
		fail_msg("%s:\n  got  %s\n  want %s %s", sql, buf_view(&got).ptr, want, err.message);
	buf_done(&text);
	buf_done(&got);
	arena_free(arena);
}

static void functions_of_the_program_are_called_for_rows(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	int64_t count = 0;
	assert_true(session_int(w->session, "SELECT count(*) FROM range(5, 10) r(x) WHERE pg_cancel_backend(x)", &count,
				&err));
	assert_int_equal(count, 1);
	assert_true(session_int(w->session,
				"SELECT count(*) FROM (SELECT pg_terminate_backend(NULL) AS x) WHERE x IS NULL", &count,
				&err));
	assert_int_equal(count, 1);
}

static void the_catalog_answers(void **state)
{
	static const struct {
		const char *sql, *want;
	} rows[] = {
		{"select version(), current_user, current_database(), current_schema()",
		 "PostgreSQL 15.10 (DuckDB)|it's me|workspace_w|main"},
		{"select c.relname, c.relkind, c.relhasindex, c.relhastriggers, c.relpersistence from pg_catalog.pg_class c join "
		 "pg_namespace n on n.oid = c.relnamespace where n.nspname not in ('pg_catalog', 'information_schema') order by 1",
		 "Invoices|r|true|false|p;Invoices_pkey|i|false|false|p;ch|r|false|true|p;ix|i|false|false|p;sq|S|false|false|p;"
		 "t|r|true|true|p;t_pkey|i|false|false|p;tmp|r|false|false|t;v|v|false|false|p"},
		{"select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attndims from pg_attribute a where "
		 "a.attrelid = 't'::regclass and a.attnum > 0 order by a.attnum",
		 "id|integer|true|0;name|text|true|0;price|numeric(10,2)|false|0;tags|text[]|false|1;m|mood|false|0;s|json|false|1"},
		{"select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a where a.attrelid = "
		 "'in_c_fin.\"Invoices\"'::regclass order by a.attnum",
		 "id|bigint;total|numeric(12,3)"},
		{"select conname, contype, conkey, pg_get_constraintdef(oid) from pg_constraint where contype <> 'f' order by 1",
		 "Invoices_pkey|p|[1]|PRIMARY KEY (id);t_pkey|p|[1]|PRIMARY KEY (id);t_price_check|c|[3]|CHECK ((price > 0))"},
		{"select conrelid::regclass::text, confrelid::regclass::text, conkey, confkey from pg_constraint where contype = 'f'",
		 "ch|t|[1]|[1]"},
		{"select indkey::text, indisprimary, pg_get_indexdef(indexrelid) from pg_index where indrelid = 't'::regclass order by 2",
		 "2|false|CREATE INDEX ix ON main.t USING btree (name);1|true|CREATE UNIQUE INDEX t_pkey ON main.t USING btree (id)"},
		{"select d.adnum, pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = 't'::regclass",
		 "2|'x'::text"},
		{"select obj_description('t'::regclass, 'pg_class'), col_description('in_c_fin.\"Invoices\"'::regclass, 2)",
		 "things|sum"},
		{"select t.typname, e.enumlabel from pg_type t join pg_enum e on e.enumtypid = t.oid order by e.enumsortorder",
		 "mood|sad;mood|ok"},
		{"select typname, typarray, typelem, typcategory from pg_type where oid in (23, 1007) order by oid",
		 "int4|1007|0|N;_int4|0|23|A"},
		{"select count(*) = count(distinct oid) from pg_class", "true"},
		{"select count(*) = count(distinct oid) from pg_type", "true"},
		{"select count(*) = count(distinct oid) from pg_proc", "true"},
		{"select count(*) from pg_type t left join pg_proc p on p.oid = t.typinput where p.oid is null", "0"},
		{"select typname from pg_type where typinput = 'pg_catalog.array_in'::regproc and typname = '_int4'",
		 "_int4"},
		{"select datname from pg_database", "workspace_w"},
		{"select nspname from pg_namespace where nspname !~ '^pg_' order by 1",
		 "in_c_fin;information_schema;main"},
		{"select relname from pg_class where relname ~ 'nvoic' and relkind = any('{r}'::\"char\"[])",
		 "Invoices"},
		{"select count(*) from pg_policy", "0"},
		{"select has_table_privilege('t', 'INSERT'), has_table_privilege('in_c_fin.\"Invoices\"', 'INSERT'), "
		 "has_table_privilege('in_c_fin.\"Invoices\"', 'SELECT')",
		 "true|false|true"},
		{"select pg_table_is_visible('t'::regclass), pg_table_is_visible(1073741826)", "true|false"},
		{"select to_regclass('nope'), to_regtype('int4')::regtype::text, 'pg_class'::regclass",
		 "~|integer|pg_class"},
		{"select table_name, data_type, udt_name, is_nullable, numeric_precision, numeric_scale from information_schema.columns "
		 "where table_name = 't' order by ordinal_position",
		 "t|integer|int4|NO|32|0;t|text|text|NO|~|~;t|numeric|numeric|YES|10|2;t|ARRAY|_text|YES|~|~;t|USER-DEFINED|mood|YES|~|~;"
		 "t|json|json|YES|~|~"},
		{"select table_schema, table_name, table_type, is_insertable_into from information_schema.tables order by 1, 2",
		 "in_c_fin|Invoices|BASE TABLE|NO;main|ch|BASE TABLE|YES;main|t|BASE TABLE|YES;main|v|VIEW|NO;pg_temp_1|tmp|LOCAL TEMPORARY|YES"},
		{"select constraint_name, column_name, ordinal_position from information_schema.key_column_usage where constraint_name "
		 "like '%pkey' order by 1",
		 "Invoices_pkey|id|1;t_pkey|id|1"},
		{"select (information_schema._pg_expandarray(array[7,8])).n, (information_schema._pg_expandarray(array[7,8])).x",
		 "1|7;2|8"},
		{"select pg_catalog.format('%I.%I %L', 'main', 'A b', 1)", "main.\"A b\" '1'"},
		{"select array_to_string(array['a', null, 'b'], ',', '*'), array_upper(array[1, 2], 1), pg_size_pretty(20480)",
		 "a,*,b|2|20 kB"},
		{"select viewname, definition from pg_views where schemaname = 'main'",
		 "v|CREATE VIEW v AS SELECT id FROM t;"},
		{"select word, catcode from pg_get_keywords() where word = 'select'", "select|R"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_rows(*state, rows[i].sql, rows[i].want);
}

/* Every view can be read, whatever its columns. */
static void every_relation_can_be_read(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct cursor *c;
	struct buf all = BUF(1 << 20);
	size_t rows, count = 0;
	assert_true(session_query(
		w->session,
		"SELECT 'SELECT count(*) FROM (SELECT * FROM _pg.' || schema_name || '.' || view_name || ');' FROM "
		"duckdb_views() WHERE database_name = '_pg'",
		&c, &err));
	while (cursor_next(c, &rows, &err) && rows)
		for (size_t row = 0; row < rows; row++, count++)
			buf_span(&all, cursor_text(c, 0, row));
	cursor_close(c);
	assert_true(count > 120);
	if (!session_run(w->session, all.ptr, &err))
		fail_msg("%s", err.message);
	buf_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_rewrites),
		cmocka_unit_test(positions_map_back),
		cmocka_unit_test(the_catalog_answers),
		cmocka_unit_test(functions_of_the_program_are_called_for_rows),
		cmocka_unit_test(every_relation_can_be_read),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
