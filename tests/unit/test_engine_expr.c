/* The expression guard: what must be refused, then what must pass and what it becomes. */
#include "base/limits.h"
#include "engine/expr.h"
#include "engine_bed.h"

static struct expr_guard *guard;
static struct arena *arena;

static const struct table_column columns[] = {
	{"id", "INTEGER", false, NULL},
	{"name", "VARCHAR", true, NULL},
	{"price", "DECIMAL(10,2)", true, NULL},
	{"active", "BOOLEAN", true, NULL},
	{"created", "TIMESTAMP", true, NULL},
	{"tags", "VARCHAR[]", true, NULL},
	{"doc", "JSON", true, NULL},
	{"s", "STRUCT(x INTEGER, \"y z\" VARCHAR)", true, NULL},
	{"select", "INTEGER", true, NULL},
	{"we\"ird", "DOUBLE", true, NULL},
	{"kind", "ENUM('a', 'b')", true, NULL},
};
static const struct table_schema schema = {ARRAY_LEN(columns), columns, 0, NULL};

/* Accepted expressions are run on the bed's engine. */
static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	arena = arena_new();
	if (!expr_guard_open(&guard, &err)) {
		(void)fprintf(stderr, "%s\n", err.message);
		return -1;
	}
	return bed_open(
		&(struct instance_config){.threads = 1},
		"CREATE TABLE data(id INTEGER, name VARCHAR, price DECIMAL(10,2), active BOOLEAN, created TIMESTAMP, "
		"tags VARCHAR[], doc JSON, s STRUCT(x INTEGER, \"y z\" VARCHAR), \"select\" INTEGER, "
		"\"we\"\"ird\" DOUBLE, kind ENUM('a', 'b'));"
		"INSERT INTO data VALUES (1, 'one', 1.5, true, '2024-01-01', ['a', 'b'], '{\"k\": 1}', {'x': 1, 'y z': 'q'}, 7, 1.5, 'a'),"
		"(2, 'two; --', 20, false, '2025-06-01', [], '[]', {'x': 2, 'y z': null}, 8, 2.5, 'b'),"
		"(3, null, null, null, null, null, null, null, null, null, null)");
}

static int teardown(void **state)
{
	(void)state;
	bed_close();
	expr_guard_close(guard);
	arena_free(arena);
	return 0;
}

static void refused(const char *text)
{
	struct err err = ERR_INIT;
	const char *sql;
	if (expr_filter(guard, span_of(text), &schema, arena, &sql, &err))
		fail_msg("accepted: %.300s -> %.300s", text, sql);
	if (err.code != ERR_INVALID_WHERE_CLAUSE || strlen(err.message) < 10)
		fail_msg("%.300s: %s %s", text, err_row(err.code)->id, err.message);
}

static void test_hostile_filters(void **state)
{
	(void)state;
	static const char *const texts[] = {
		/* Not one expression */
		"",
		" ",
		"\t\n",
		"id",
		"name",
		"'x'",
		"id = ",
		"= 1",
		"id = 1,",
		"id = 1, id = 2",
		"id id",
		"id = 1 id = 2",
		"id = 1 AS x",
		"id AS x",
		"x: id = 1",
		"(id = 1",
		"id = 1)",
		"id = 1) OR (1=1",
		"1=1) OR (1=1",
		"id = 1) UNION SELECT (1",
		"id = 1 UNION SELECT 2",
		"id = 1 UNION ALL SELECT true",
		"id = 1 EXCEPT SELECT 1",
		"id = 1 INTERSECT SELECT 1",
		"id = 1 FROM data",
		"id = 1) FROM data WHERE (id = 1",
		"id = 1 WHERE true",
		"true WHERE id = 1",
		"true GROUP BY id",
		"true HAVING true",
		"true ORDER BY id",
		"true LIMIT 1",
		"true OFFSET 1",
		"true QUALIFY true",
		"true USING SAMPLE 1",
		"DISTINCT id = 1",
		"ALL id = 1",
		"true INTO x",
		"WHERE id = 1",
		"where 1=1",
		"SELECT 1",
		"select true",
		"WITH x AS (SELECT 1) SELECT 1",
		"VALUES (true)",
		"FROM data",
		"TABLE data",
		"true WINDOW w AS ()",
		"true FOR UPDATE",
		/* Comments, separators, words */
		"1=1 --",
		"1=1 -- x",
		"id = 1 --\n",
		"id = 1 /* x */",
		"/* */ id = 1",
		"id /*",
		"*/ id = 1",
		"1=1;",
		"; 1=1",
		"1=1; DROP TABLE users;",
		"1=1; SELECT 1",
		"name = 'a;b'",
		"name = 'a--b'",
		"name = 'drop x'",
		"name = 'Alter table'",
		"x'); drop table data",
		"'); DROP TABLE data",
		"1=1);DELETE FROM data",
		"name = 'TRUNCATE x'",
		/* Sub-queries */
		"(SELECT true)",
		"id = (SELECT 1)",
		"id IN (SELECT id FROM data)",
		"EXISTS (SELECT 1)",
		"NOT EXISTS (FROM data)",
		"id = ANY (SELECT 1)",
		"id = ALL (SELECT 1)",
		"id > (SELECT max(id) FROM data)",
		"id IN (FROM data)",
		"ARRAY(SELECT 1) = [1]",
		"id = (VALUES (1))",
		"(TABLE data) = 1",
		"tags = (SELECT list(name) FROM data)",
		"(SELECT content FROM read_text('/etc/passwd')) = 'x'",
		"CASE WHEN (SELECT true) THEN true END",
		"name LIKE (SELECT 'x')",
		"id BETWEEN (SELECT 1) AND 2",
		"coalesce((SELECT true), true)",
		"[(SELECT 1)] = [1]",
		"{'a': (SELECT 1)} = {'a': 1}",
		"(id, name) IN (SELECT 1, 'x')",
		"id = (WITH q AS (SELECT 1) SELECT * FROM q)",
		/* Windows, aggregates */
		"row_number() OVER () = 1",
		"sum(id) = 1",
		"count(*) > 0",
		"count(id) > 0",
		"max(id) = id",
		"list(id) = [1]",
		"sum(id) OVER () = 1",
		"string_agg(name, ',') = 'x'",
		"first(id) = 1",
		"any_value(id) = 1",
		"bool_and(active)",
		"max(id) FILTER (WHERE true) = 1",
		"lower(name) OVER () = 'x'",
		"lower(DISTINCT name) = 'x'",
		"GROUPING(id) = 0",
		"lower(name ORDER BY id) = 'x'",
		"arg_max(id, id) = 1",
		"histogram(id) IS NULL",
		"approx_count_distinct(id) = 1",
		/* Parameters, stars, positions, lambdas */
		"id = ?",
		"id = $1",
		"id = $x",
		"id = :x",
		"*",
		"COLUMNS(*) = 1",
		"COLUMNS('id') = 1",
		"data.*",
		"#1 = 1",
		"*COLUMNS(*)",
		"DEFAULT",
		"id = DEFAULT",
		"list_filter(tags, x -> true) = []",
		"list_transform(tags, lambda x: x) = []",
		"list_filter(tags, id -> true) = []",
		"list_reduce(tags, (a, b) -> a) = 'x'",
		"[x for x in tags] = []",
		/* Columns of others */
		"nosuch = 1",
		"data.id = 1",
		"other.id = 1",
		"main.data.id = 1",
		"rowid = 1",
		"\"ID2\" = 1",
		"excluded.id = 1",
		"information_schema.tables = 1",
		"duckdb_tables = 1",
		"filename = 'x'",
		/* Functions with reach or effects */
		"getenv('HOME') = 'x'",
		"current_setting('threads') = '1'",
		"read_text('/etc/passwd') = 'x'",
		"glob('/*') = 'x'",
		"nextval('s') = 1",
		"currval('s') = 1",
		"txid_current() = 1",
		"current_database() = 'x'",
		"current_schema() = 'x'",
		"current_user = 'x'",
		"session_user = 'x'",
		"user = 'x'",
		"current_query() = 'x'",
		"version() = 'x'",
		"pg_sleep(10) = 1",
		"sleep_ms(10000) IS NULL",
		"has_table_privilege('x', 'y')",
		"pg_table_is_visible(1)",
		"pg_get_viewdef(1) = 'x'",
		"getvariable('x') = 1",
		"setseed(0.5) IS NULL",
		"write_log('x') IS NULL",
		"error('x')",
		"json_serialize_sql('x') = 'x'",
		"json_deserialize_sql('x') = 'x'",
		"json_structure(name) = 'x'",
		"from_json(name, '[]') IS NULL",
		"json_transform_strict(name, '[]') IS NULL",
		"json_serialize_plan('x') = 'x'",
		"json_execute_serialized_sql('x')",
		"range(10) = [1]",
		"generate_series(1, 1000000000) = []",
		"list_resize(tags, 1000000000) = []",
		"in_search_path('a', 'b')",
		"inet_client_addr() = 'x'",
		"parse_duckdb_log_message('x', 'y') IS NULL",
		"current_connection_id() = 1",
		"query('SELECT 1') = 1",
		"query_table('data') = 1",
		"read_csv('x') = 1",
		"parquet_scan('x') = 1",
		"duckdb_settings() = 1",
		"pragma_version() = 1",
		"unnest(tags) = 'a'",
		"UNNEST([1, 2]) = 1",
		"list_aggregate(tags, 'min') = 'x'",
		"array_aggr(tags, 'list') = 'x'",
		"nosuchfunction(id)",
		"main.getenv('x') = 'y'",
		"other.lower(name) = 'x'",
		"a.b.lower(name) = 'x'",
		"printf('%1000000000d', 1) = 'x'",
		"format('{:>1000000000}', 1) = 'x'",
		"repeat('x', 1000000000) = name",
		"repeat('x', id) = name",
		"lpad(name, 1000000000, 'x') = ''",
		"rpad(name, id, 'x') = ''",
		"repeat('x', 10 * 1000 * 1000) = ''",
		"repeat('x', -1) = ''",
		"pg_typeof(id) = 'x'",
		"\"getenv\"('HOME') = 'x'",
		"GETENV('HOME') = 'x'",
		"name.getenv() = 'x'",
		"'HOME'.getenv() = 'x'",
		"__internal_compress_integral_ubigint(1, 1) = 1",
		"create_sort_key(id, 'ASC') = 'x'",
		"stats(id) = 'x'",
		/* Types that do not fit */
		"id = 'x'::NOSUCH",
		"name + 1",
		"active + active",
		"id LIKE tags",
		"lower(id, 2)",
		"s.nosuch = 1",
		"price",
		"created",
		"name = 1 = 'x' = tags",
		/* Other statements */
		"DROP TABLE data",
		"DELETE FROM data",
		"INSERT INTO data VALUES (1)",
		"ATTACH 'x'",
		"COPY data TO 'x'",
		"PRAGMA version",
		"SET threads = 1",
		"CALL pragma_version()",
		"EXPLAIN SELECT 1",
		"CREATE TABLE x(a int)",
		"true; true",
		"INSTALL httpfs",
		/* Bytes */
		"id = 1\xff",
		"name = '\xc3'",
		"id = 1 \\",
		"id = 1 '",
		"id = 1 \"",
		"name = 'x",
		"id = 1 $$",
		"\"\" = 1",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(texts[i]);
	assert_true(ARRAY_LEN(texts) > 200);
}

static char *repeated(const char *head, const char *part, size_t n, const char *middle, const char *tail)
{
	struct buf b = BUF(64 * MIB);
	buf_str(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, part);
	buf_str(&b, middle);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, tail);
	size_t len;
	return buf_take(&b, &len);
}

static void test_huge_filters(void **state)
{
	(void)state;
	static const struct {
		const char *head, *part;
		size_t n;
		const char *middle, *tail;
	} rows[] = {
		{"", "(", 100000, "true", ")"},
		{"", "(", 30000, "true", ")"},
		{"", "(", 30000, "", ""},
		{"", "NOT ", 15000, "true", ""},
		{"", "NOT ", 150, "true", ""},
		{"id = 1", " + 1", 15000, "", ""},
		{"id = 1", " + 1", 200, "", ""},
		{"id = ", "-", 1, "-1", ""},
		{"id = ", "- ", 30000, "1", ""},
		{"id = ", "abs(", 120, "1", ")"},
		{"id = ", "abs(", 10000, "1", ")"},
		{"tags = ", "[", 20000, "", "]"},
		{"id = ", "CASE WHEN true THEN ", 2000, "1", " END"},
		{"id = ", "(SELECT ", 20, "1", ")"},
		{"id = ", "(SELECT ", 2000, "1", ")"},
		{"name = '", "x", 70000, "'", ""},
		{"", "true AND ", 8000, "true", ""},
		{"id", "[1]", 10000, " = 1", ""},
		{"id", "::INTEGER", 5000, " = 1", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = repeated(rows[i].head, rows[i].part, rows[i].n, rows[i].middle, rows[i].tail);
		refused(text);
		free(text);
	}
	/* NUL inside: what stands behind it must not be forgotten. */
	struct err err = ERR_INIT;
	const char *sql;
	assert_false(expr_filter(guard, (struct span){"id = 1\0 OR true", 15}, &schema, arena, &sql, &err));
	assert_int_equal(err.code, ERR_INVALID_WHERE_CLAUSE);
	/* Long but flat is fine. */
	char *text = repeated("id = 1", " OR id = 2", 3000, "", "");
	if (!expr_filter(guard, span_of(text), &schema, arena, &sql, &err))
		fail_msg("%s", err.message);
	free(text);
}

static void test_good_filters(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t rows; /* that it selects */
	} rows[] = {
		{"1=1", 3},
		{"true", 3},
		{"1", 3},
		{"false", 0},
		{"id = 1", 1},
		{"ID = 1", 1},
		{"\"id\" = 1", 1},
		{"id >= 1 AND id <= 2", 2},
		{"id IN (1, 3)", 2},
		{"id NOT IN (1, 3)", 1},
		{"id BETWEEN 2 AND 3", 2},
		{"name = 'one'", 1},
		{"name IS NULL", 1},
		{"name IS NOT NULL", 2},
		{"name LIKE 't%'", 1},
		{"name ILIKE 'ONE'", 1},
		{"name NOT LIKE 't%'", 1},
		{"name SIMILAR TO 'o.e'", 1},
		{"lower(name) = 'one'", 1},
		{"LOWER(name) = 'one'", 1},
		{"name || 'x' = 'onex'", 1},
		{"length(name) = 3", 1},
		{"active", 1},
		{"NOT active", 1},
		{"active IS TRUE", 1},
		{"price > 1.50", 1},
		{"price * 2 = 3", 1},
		{"id % 2 = 1", 2},
		{"-id = -1", 1},
		{"id + 1 = 2", 1},
		{"created >= DATE '2025-01-01'", 1},
		{"created < TIMESTAMP '2024-12-31 00:00:00'", 1},
		{"year(created) = 2024", 1},
		{"created > now() - INTERVAL 100 YEAR", 2},
		{"created < current_timestamp", 2},
		{"extract(month FROM created) = 6", 1},
		{"date_trunc('month', created) = '2025-06-01'", 1},
		{"strftime(created, '%Y') = '2024'", 1},
		{"list_contains(tags, 'a')", 1},
		{"tags[1] = 'a'", 1},
		{"len(tags) = 0", 1},
		{"'a' IN tags", 1},
		{"tags = ['a', 'b']", 1},
		{"doc->>'k' = '1'", 1},
		{"(doc->'$.k')::VARCHAR = '1'", 1},
		{"json_extract_string(doc, '$.k') = '1'", 1},
		{"s.x = 2", 1},
		{"s['x'] = 2", 1},
		{"s.\"y z\" = 'q'", 1},
		{"s = {'x': 1, 'y z': 'q'}", 1},
		{"struct_extract(s, 'x') = 1", 1},
		{"\"select\" = 7", 1},
		{"\"we\"\"ird\" > 2", 1},
		{"kind = 'a'", 1},
		{"kind::VARCHAR = 'b'", 1},
		{"CASE WHEN id = 1 THEN true ELSE false END", 1},
		{"coalesce(price, 0) = 0", 1},
		{"nullif(id, 1) IS NULL", 1},
		{"id IS DISTINCT FROM 1", 2},
		{"TRY_CAST(name AS INTEGER) IS NULL", 3},
		{"name COLLATE NOCASE = 'ONE'", 1},
		{"regexp_matches(name, '^o')", 1},
		{"md5(name) = md5('one')", 1},
		{"abs(id - 2) = 1", 2},
		{"id::VARCHAR = '1'", 1},
		{"id = 1 OR (id = 2 AND NOT (name = 'x'))", 2},
		{"greatest(id, 2) = 2", 2},
		{"trim(name) = 'one'", 1},
		{"substring(name, 1, 1) = 'o'", 1},
		{"position('w' IN name) = 2", 1},
		{"lpad(id::VARCHAR, 3, '0') = '001'", 1},
		{"starts_with(name, 't')", 1},
		{"id = 1 AND\n\tname = 'one'", 1},
		{"name = 'it''s' OR name = 'one'", 1},
		{"  id = 1  ", 1},
		{"id = 1e0", 1},
		{"id << 1 = 2", 1},
		{"name = E'one'", 1},
		{"(id, id) = (1, 1)", 1},
		{"id IN (1, 2, NULL)", 2},
		{"name = $$one$$", 1},
		{"isfinite(\"we\"\"ird\")", 2},
		{"random() < 2", 3},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		const char *sql, *again;
		int64_t n;
		if (!expr_filter(guard, span_of(rows[i].text), &schema, arena, &sql, &err))
			fail_msg("refused: %s: %s", rows[i].text, err.message);
		const char *query = arena_printf(arena, "SELECT count(*) FROM data WHERE %s", sql);
		if (!session_int(session, query, &n, &err))
			fail_msg("%s: %s", query, err.message);
		if (n != rows[i].rows)
			fail_msg("%s: %lld rows", query, (long long)n);
		/* Canonical: its own image. */
		if (!expr_filter(guard, span_of(sql), &schema, arena, &again, &err))
			fail_msg("refused the second time: %s: %s", sql, err.message);
	}
}

static void test_defaults(void **state)
{
	(void)state;
	static const struct {
		const char *text, *type;
		bool fine;
	} rows[] = {
		{"true", "BOOLEAN", true},
		{"0", "INTEGER", true},
		{"'new'", "VARCHAR", true},
		{"now()", "TIMESTAMP", true},
		{"current_timestamp", "TIMESTAMP WITH TIME ZONE", true},
		{"uuid()", "UUID", true},
		{"gen_random_uuid()", "UUID", true},
		{"random()", "DOUBLE", true},
		{"[]", "INTEGER[]", true},
		{"{'x': 1}", "STRUCT(x INTEGER)", true},
		{"NULL", "DATE", true},
		{"'a'", "ENUM('a', 'b')", true},
		{"1 + 1", "INTEGER", true},
		{"'it''s; --'", "VARCHAR", true},
		{"current_date", "DATE", true},
		{"-1", "INTEGER", true},
		{"'{}'", "JSON", true},
		{"1.50", "DECIMAL(10,2)", true},
		{"'x'", "INTEGER", false},
		{"300", "TINYINT", false},
		{"id", "INTEGER", false},
		{"(SELECT 1)", "INTEGER", false},
		{"nextval('s')", "BIGINT", false},
		{"0) , b INTEGER DEFAULT (1", "INTEGER", false},
		{"0 CHECK (true)", "INTEGER", false},
		{"getenv('HOME')", "VARCHAR", false},
		{"", "INTEGER", false},
		{"1, 2", "INTEGER", false},
		{"count(*)", "INTEGER", false},
		{"?", "INTEGER", false},
		{"1; DROP TABLE x", "INTEGER", false},
		{"1 --", "INTEGER", false},
		{"'c'", "ENUM('a', 'b')", false},
		{"'x'::INTEGER", "INTEGER", false},
		{"[1]", "INTEGER", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		const char *sql;
		const bool ok = expr_default(guard, span_of(rows[i].text), rows[i].type, arena, &sql, &err);
		if (ok != rows[i].fine)
			fail_msg("%s as %s: %s", rows[i].text, rows[i].type, ok ? sql : err.message);
		if (!ok) {
			assert_int_equal(err.code, ERR_INVALID_REQUEST);
			continue;
		}
		char *ddl =
			arena_printf(arena, "CREATE OR REPLACE TABLE d(i INTEGER, v %s DEFAULT %s)", rows[i].type, sql);
		if (!session_run(session, ddl, &err) || !session_run(session, "INSERT INTO d(i) VALUES (1)", &err))
			fail_msg("%s: %s", ddl, err.message);
	}
}

static void test_types(void **state)
{
	(void)state;
	static const struct {
		const char *text, *canonical; /* NULL: refused */
	} rows[] = {
		{"INT", "INTEGER"},
		{"int4", "INTEGER"},
		{"TEXT", "VARCHAR"},
		{"STRING", "VARCHAR"},
		{"varchar(10)", "VARCHAR"},
		{"REAL", "FLOAT"},
		{"DECIMAL", "DECIMAL(18,3)"},
		{"numeric(10)", "DECIMAL(10,0)"},
		{"DECIMAL(38,10)", "DECIMAL(38,10)"},
		{"TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"},
		{"BIGINT", "BIGINT"},
		{"DOUBLE", "DOUBLE"},
		{"BOOLEAN", "BOOLEAN"},
		{"bool", "BOOLEAN"},
		{"DATE", "DATE"},
		{"TIMESTAMP", "TIMESTAMP"},
		{"datetime", "TIMESTAMP"},
		{"JSON", "JSON"},
		{"json[]", "JSON[]"},
		{"uuid", "UUID"},
		{"blob", "BLOB"},
		{"bytea", "BLOB"},
		{"interval", "INTERVAL"},
		{"hugeint", "HUGEINT"},
		{"int[3]", "INTEGER[3]"},
		{"enum('b', 'a''c')", "ENUM('b', 'a''c')"},
		{"map(int, varchar[])", "MAP(INTEGER, VARCHAR[])"},
		{"struct(\"a b\" int, c struct(d date))", "STRUCT(\"a b\" INTEGER, c STRUCT(d DATE))"},
		{"union(a int, b text)", "UNION(a INTEGER, b VARCHAR)"},
		{" double precision ", "DOUBLE"},
		{"bit", "BIT"},
		{"time", "TIME"},
		{"timestamp_ns", "TIMESTAMP_NS"},
		{"varint", "BIGNUM"},
		{"", NULL},
		{" ", NULL},
		{"nosuch", NULL},
		{"INTEGER DEFAULT 1", NULL},
		{"INTEGER NOT NULL", NULL},
		{"INTEGER, b INTEGER", NULL},
		{"INTEGER PRIMARY KEY", NULL},
		{"INTEGER)", NULL},
		{"(INTEGER", NULL},
		{"INTEGER) FROM x", NULL},
		{"INTEGER) + (1", NULL},
		{"INTEGER; DROP TABLE x", NULL},
		{"INTEGER --", NULL},
		{"INTEGER AS x", NULL},
		{"INTEGER x", NULL},
		{"INTEGER + 1", NULL},
		{"INTEGER::VARCHAR", NULL},
		{"DECIMAL(100,2)", NULL},
		{"DECIMAL(10,20)", NULL},
		{"DECIMAL(a)", NULL},
		{"enum()", NULL},
		{"enum('a', 'a')", NULL},
		{"enum(SELECT 'a')", NULL},
		{"struct()", NULL},
		{"\"NULL\"", NULL},
		{"ANY", NULL},
		{"1", NULL},
		{"'INTEGER'", NULL},
		{"INTEGER COLLATE nocase", NULL},
		{"int[0]", NULL},
		{"INT[-1]", NULL},
		{"INTEGER[1000000000]", NULL},
		{"DECIMAL((SELECT 1), 2)", NULL},
		{"INTEGER USING x", NULL},
		{"INTEGER\xff", NULL},
		{"int4 CHECK (true)", NULL},
		{"struct(a int, a int)", NULL},
		{"INTEGER OR true", NULL},
		{"GENERATED ALWAYS AS (1)", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		const char *type = NULL;
		const bool ok = expr_type(guard, span_of(rows[i].text), arena, &type, &err);
		if (ok != (rows[i].canonical != NULL))
			fail_msg("%s: %s", rows[i].text, ok ? type : err.message);
		if (ok)
			assert_string_equal(type, rows[i].canonical);
		else
			assert_int_equal(err.code, ERR_INVALID_REQUEST);
	}
	/* Deep nesting is an answer, not a crash. */
	struct err err = ERR_INIT;
	const char *type;
	char *deep = repeated("INTEGER", "[]", 20000, "", "");
	(void)!expr_type(guard, span_of(deep), arena, &type, &err);
	free(deep);
	deep = repeated("", "STRUCT(a ", 3000, "INTEGER", ")");
	assert_false(expr_type(guard, span_of(deep), arena, &type, &err));
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_filters), cmocka_unit_test(test_huge_filters),
		cmocka_unit_test(test_good_filters),	cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_types),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
