/* Instances, sessions, statements, cursors, appenders: faults first, then what must work. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/pool.h"
#include "engine/appender.h"
#include "engine/feed.h"
#include "engine/sql.h"
#include "engine_bed.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

static int setup(void **state)
{
	(void)state;
	return bed_open(&(struct instance_config){.threads = 2, .memory_limit = 1 << 30, .hide_dir = "/tmp"},
			"SELECT 1");
}

static int teardown(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

#define RUN(sql)                                                    \
	do {                                                        \
		struct err run_err = ERR_INIT;                      \
		if (!session_run(session, (sql), &run_err))         \
			fail_msg("%s: %s", (sql), run_err.message); \
	} while (0)

static void test_faults(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		enum err_code code;
		enum fault_kind kind;
		const char *sqlstate;
		size_t position;
	} rows[] = {
		{"select 1 frmo x y", ERR_ENGINE_REFUSED, FAULT_KIND_SYNTAX, "42601", 15},
		{"select 'ž', 1 frmo x y", ERR_ENGINE_REFUSED, FAULT_KIND_SYNTAX, "42601", 20},
		{"selec 1", ERR_ENGINE_REFUSED, FAULT_KIND_SYNTAX, "42601", 1},
		{"select a from nope", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42P01", 15},
		{"select zz from f", ERR_ENGINE_REFUSED, FAULT_KIND_BINDER, "42703", 8},
		{"select q.a from f", ERR_ENGINE_REFUSED, FAULT_KIND_BINDER, "42P01", 8},
		{"select nofunc(1)", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42883", 8},
		{"select * from nofunc(1)", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42883", 15},
		{"select substr(1,2,3,4,5)", ERR_ENGINE_REFUSED, FAULT_KIND_BINDER, "42883", 8},
		{"select a, sum(b) from f", ERR_ENGINE_REFUSED, FAULT_KIND_BINDER, "42803", 8},
		{"select t1.a from f t1, f t2 where a=1", ERR_ENGINE_REFUSED, FAULT_KIND_BINDER, "42702", 35},
		{"select 'a'::int", ERR_ENGINE_REFUSED, FAULT_KIND_CONVERSION, "22P02", 11},
		{"select 300::tinyint", ERR_ENGINE_REFUSED, FAULT_KIND_CONVERSION, "22003", 11},
		{"select '2020-13-45'::date", ERR_ENGINE_REFUSED, FAULT_KIND_CONVERSION, "22008", 0},
		{"select 9223372036854775807::bigint + a from f2", ERR_ENGINE_REFUSED, FAULT_KIND_OUT_OF_RANGE, "22003",
		 0},
		{"insert into f values (1, 1)", ERR_ENGINE_REFUSED, FAULT_KIND_CONSTRAINT, "23505", 0},
		{"insert into f values (9, null)", ERR_ENGINE_REFUSED, FAULT_KIND_CONSTRAINT, "23502", 0},
		{"create table f(a int)", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42P07", 0},
		{"create schema main", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42P06", 0},
		{"drop schema nope", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "3F000", 0},
		{"select 1::nosuch", ERR_ENGINE_REFUSED, FAULT_KIND_CATALOG, "42704", 11},
		{"commit", ERR_ENGINE_REFUSED, FAULT_KIND_TRANSACTION, "25P01", 0},
		{"select * from read_csv('/tmp/secret/none.csv')", ERR_IO, FAULT_KIND_IO, "58030", 0},
	};
	RUN("create table f(a int primary key, b int not null); insert into f values (1, 1)");
	RUN("create table f2(a bigint); insert into f2 values (5)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		if (session_run(session, rows[i].sql, &err))
			fail_msg("%s: was not refused", rows[i].sql);
		const struct fault *f = session_fault(session);
		if (err.code != rows[i].code || f->kind != rows[i].kind || strcmp(f->sqlstate, rows[i].sqlstate) != 0 ||
		    (rows[i].position && f->position != rows[i].position))
			fail_msg("%s: code %s kind %d sqlstate %s position %zu: %s", rows[i].sql, err_row(err.code)->id,
				 (int)f->kind, f->sqlstate, f->position, f->message);
		assert_null(strstr(err.message, "/tmp"));
		assert_null(strchr(f->message, '{'));
	}
}

static void test_transactions(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_false(session_in_transaction(session));
	RUN("begin");
	assert_true(session_in_transaction(session));
	assert_false(session_run(session, "select 'x'::int", &err));
	assert_true(session_aborted(session));
	RUN("rollback");
	assert_false(session_in_transaction(session));
	assert_false(session_aborted(session));
	RUN("begin; select 1; commit");
	assert_false(session_in_transaction(session));
	RUN("begin");
	assert_false(session_run(session, "begin", &err));
	assert_string_equal(session_fault(session)->sqlstate, "25001");
	assert_true(session_in_transaction(session));
	RUN("rollback");
}

static void test_rows(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows, total = 0;
	int64_t sum = 0;
	assert_true(session_query(session, "select i, i::varchar t, if(i % 2 = 0, null, i) n from range(100000) r(i)",
				  &c, &err));
	assert_int_equal(cursor_column_count(c), 3);
	assert_string_equal(cursor_columns(c)[1].name, "t");
	assert_int_equal(cursor_columns(c)[1].type->id, TYPE_VARCHAR);
	while (cursor_next(c, &rows, &err) && rows > 0)
		for (size_t row = 0; row < rows; row++, total++) {
			uint64_t n;
			sum += cursor_int(c, 0, row);
			assert_true(span_u64(cursor_text(c, 1, row), &n));
			assert_int_equal(n, total);
			assert_int_equal(cursor_is_null(c, 2, row), total % 2 == 0);
		}
	assert_int_equal(err.code, ERR_NONE);
	assert_int_equal(total, 100000);
	assert_int_equal(sum, 4999950000);
	assert_true(cursor_next(c, &rows, &err));
	assert_int_equal(rows, 0);
	cursor_close(c);
}

static void test_error_in_the_middle(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows, total = 0;
	assert_true(session_query(
		session, "select case when i < 1000000 then i::varchar else 'x' end::bigint from range(1000010) r(i)",
		&c, &err));
	bool ok;
	while ((ok = cursor_next(c, &rows, &err)) && rows > 0)
		total += rows;
	assert_false(ok);
	assert_int_equal(err.code, ERR_ENGINE_REFUSED);
	assert_true(total > 0 && total <= 1000000);
	assert_string_equal(session_fault(session)->sqlstate, "22P02");
	assert_false(cursor_next(c, &rows, &err)); /* stays failed */
	cursor_close(c);
	RUN("select 1");
}

static void test_statement(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct statement *s;
	struct cursor *c;
	size_t rows;
	uint64_t changed;
	RUN("create table st(a int, b varchar, c double, d boolean, e blob, f timestamp, g date)");
	assert_false(statement_prepare(session, "select 1; select 2", &s, &err));
	assert_true(statement_prepare(session, "insert into st values ($1,$2,$3,$4,$5,$6,$7)", &s, &err));
	assert_int_equal(statement_type(s), STATEMENT_INSERT);
	assert_int_equal(statement_parameter_count(s), 7);
	assert_int_equal(statement_parameter_type(s, 2)->id, TYPE_VARCHAR);
	assert_true(statement_bind_int(s, 1, 7, &err));
	assert_true(statement_bind_text(s, 2, SPAN("it's"), &err));
	assert_true(statement_bind_double(s, 3, 1.5, &err));
	assert_true(statement_bind_bool(s, 4, true, &err));
	assert_true(statement_bind_blob(s, 5, ((struct span){"\0\1", 2}), &err));
	assert_true(statement_bind_timestamp(s, 6, 1000000, &err));
	assert_true(statement_bind_null(s, 7, &err));
	assert_false(statement_bind_null(s, 8, &err));
	assert_false(statement_bind_text(s, 2, SPAN("\xff"), &err));
	for (int i = 0; i < 3; i++) {
		assert_true(statement_run(s, &changed, &err));
		assert_int_equal(changed, 1);
	}
	statement_free(s);
	assert_true(session_query(session, "select a, b, c, d, e, f, g from st", &c, &err));
	assert_true(cursor_next(c, &rows, &err));
	assert_int_equal(rows, 3);
	assert_int_equal(cursor_int(c, 0, 2), 7);
	assert_true(span_is(cursor_text(c, 1, 2), "it's"));
	assert_true(cursor_double(c, 2, 2) == 1.5);
	assert_int_equal(cursor_int(c, 3, 2), 1);
	assert_int_equal(cursor_text(c, 4, 2).len, 2);
	assert_int_equal(cursor_int(c, 5, 2), 1000000);
	assert_true(cursor_is_null(c, 6, 2));
	cursor_close(c);
	assert_true(session_run_count(session, "delete from st", &changed, &err));
	assert_int_equal(changed, 3);
}

static void test_types_of_statements(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		enum statement_type type;
	} rows[] = {
		{"select 1", STATEMENT_SELECT},
		{"values (1)", STATEMENT_SELECT},
		{"create table tt(a int)", STATEMENT_CREATE},
		{"insert into f2 values (1)", STATEMENT_INSERT},
		{"update f2 set a = 1", STATEMENT_UPDATE},
		{"delete from f2", STATEMENT_DELETE},
		{"merge into f2 using f on f2.a = f.a when matched then delete", STATEMENT_MERGE},
		{"explain select 1", STATEMENT_EXPLAIN},
		{"begin", STATEMENT_TRANSACTION},
		{"copy f2 to '/tmp/x.csv'", STATEMENT_COPY},
		{"attach ':memory:' as m", STATEMENT_ATTACH},
		{"set threads = 1", STATEMENT_SET},
		{"pragma disable_profiling", STATEMENT_PRAGMA},
		{"checkpoint", STATEMENT_CALL},
		{"alter table f2 add column z int", STATEMENT_ALTER},
		{"drop table f2", STATEMENT_DROP},
		{"create macro mm(a) as a", STATEMENT_CREATE},
		{"load 'x'", STATEMENT_LOAD},
		{"vacuum", STATEMENT_VACUUM},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct statement *s;
		if (!statement_prepare(session, rows[i].sql, &s, &err))
			fail_msg("%s: %s", rows[i].sql, err.message);
		if (statement_type(s) != rows[i].type)
			fail_msg("%s is a %s", rows[i].sql, statement_type_name(statement_type(s)));
		statement_free(s);
	}
}

struct racer {
	struct session *session;
	const char *sql;
	struct err err;
	bool ok;
	bool done;
};

static void *race(void *ctx)
{
	struct racer *r = ctx;
	r->ok = session_run(r->session, r->sql, &r->err);
	__atomic_store_n(&r->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static const char slow[] = "select sum(hash(a.i * b.i)) from range(1000000) a(i), range(1000000) b(i)";

static void test_interrupt(void **state)
{
	(void)state;
	unsigned long thread;
	struct racer r = {.session = session, .sql = slow, .err = ERR_INIT};
	session_interrupt(session); /* idle: nothing sticks */
	RUN("select 1");
	thread_start("race", race, &r, &thread);
	/* Only a running statement can be hit. */
	struct instance_stats stats;
	do {
		instance_stats(instance, &stats);
		(void)usleep(1000);
	} while (stats.running == 0);
	session_interrupt(session);
	thread_join(thread);
	assert_false(r.ok);
	assert_int_equal(r.err.code, ERR_CANCELLED);
	assert_string_equal(session_fault(session)->sqlstate, "57014");
	RUN("select 1");
}

static bool third_look(void *ctx)
{
	return atomic_fetch_add((atomic_int *)ctx, 1) >= 2;
}

static void test_brake(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	atomic_int looks = 0;
	session_set_brake(session, third_look, &looks);
	assert_false(session_run(session, slow, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(atomic_load(&looks) >= 3);
	session_set_brake(session, NULL, NULL);
	const int before = atomic_load(&looks);
	RUN("select 1");
	assert_int_equal(atomic_load(&looks), before);
}

static void test_timeout(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	session_set_timeout(session, 50 * NS_PER_MS);
	assert_false(session_run(session, slow, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	session_set_timeout(session, 0);
	RUN("select 1");
	/* In time, too late or just at the end: the next statement is none of it. */
	for (int i = 0; i < 200; i++) {
		session_set_timeout(session, NS_PER_MS);
		const bool in_time = session_run(session, "select sum(hash(i)) from range(200000) a(i)", &err);
		assert_true(in_time || err.code == ERR_TIMEOUT);
		session_set_timeout(session, 0);
		RUN("select 1");
	}
}

static void test_progress(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	unsigned long thread;
	struct progress *p = progress_new(true);
	struct racer r = {.session = session, .err = ERR_INIT};
	RUN("create table src as select i from range(3000000) r(i)");
	r.sql = "create or replace temp table big as select md5(i::varchar) || md5((i + 1)::varchar) from src";
	assert_true(session_follow(session, p, &err));
	thread_start("race", race, &r, &thread);
	double seen = -1;
	while (!__atomic_load_n(&r.done, __ATOMIC_SEQ_CST)) {
		const double percent = progress_percent(p);
		seen = percent > seen ? percent : seen;
		if (seen > 0)
			progress_cancel(p);
		(void)usleep(500);
	}
	thread_join(thread);
	assert_true(seen > 0 && seen <= 100);
	assert_false(r.ok);
	assert_int_equal(r.err.code, ERR_CANCELLED);
	assert_false(session_run(session, "select 1", &err)); /* sticky */
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(session_follow(session, NULL, &err));
	RUN("select 1");
	progress_free(p);
}

static void test_appender(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct appender *a;
	int64_t n;
	RUN("create table ap(a int primary key, b varchar default 'd', c timestamp, d double)");
	assert_false(appender_open(session, NULL, NULL, "nope", &a, &err));
	if (err.code != ERR_ENGINE_REFUSED)
		fail_msg("%s", err.message);
	assert_true(appender_open(session, NULL, NULL, "ap", &a, &err));
	assert_int_equal(appender_column_count(a), 4);
	assert_int_equal(appender_column_type(a, 1)->id, TYPE_VARCHAR);
	for (int i = 0; i < 5000; i++) {
		appender_int(a, i);
		if (i % 2)
			appender_default(a);
		else
			appender_text(a, SPAN("a longer text than fits in place"));
		appender_timestamp(a, i);
		appender_null(a);
		assert_true(appender_end_row(a, &err));
	}
	assert_true(appender_finish(a, &err));
	assert_true(session_int(session, "select count(*) from ap where b = 'd' and d is null", &n, &err));
	assert_int_equal(n, 2500);
	/* A bad value, too many values, too few values, bytes that are no text. */
	static const char *const bad[] = {"x", "1|2|3|4|5", "1", "\xc3"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(appender_open(session, NULL, NULL, "ap", &a, &err));
		struct span rest = span_of(bad[i]);
		while (rest.len)
			appender_text(a, span_cut(&rest, '|'));
		err = ERR_INIT;
		assert_false(appender_end_row(a, &err));
		if (err.code != ERR_ENGINE_REFUSED)
			fail_msg("%s", err.message);
		appender_abort(a);
	}
	/* A duplicate shows at the flush, and nothing of it stays. */
	assert_true(appender_open(session, NULL, NULL, "ap", &a, &err));
	static const char *const columns[] = {"a"};
	assert_true(appender_columns(a, columns, 1, &err));
	appender_int(a, 100000);
	assert_true(appender_end_row(a, &err));
	appender_int(a, 1);
	assert_true(appender_end_row(a, &err));
	assert_false(appender_finish(a, &err));
	assert_string_equal(session_fault(session)->sqlstate, "23505");
	assert_true(session_int(session, "select count(*) from ap", &n, &err));
	assert_int_equal(n, 5000);
	/* Forgotten rows. */
	assert_true(appender_open(session, NULL, NULL, "ap", &a, &err));
	assert_true(appender_columns(a, columns, 1, &err));
	appender_int(a, 100001);
	assert_true(appender_end_row(a, &err));
	appender_abort(a);
	assert_true(session_int(session, "select count(*) from ap", &n, &err));
	assert_int_equal(n, 5000);
}

struct fed {
	int next, end;
	int same_key_at; /* this row has the key of the one before */
	char text[64];
};

static bool fed_next(void *ctx, struct bind_value *values)
{
	struct fed *f = ctx;
	if (f->next == f->end)
		return false;
	int i = f->next++;
	(void)snprintf(f->text, sizeof(f->text), "row %d, with a text that does not fit in place", i);
	values[0] = (struct bind_value){.kind = BIND_INT, .integer = i == f->same_key_at ? i - 1 : i};
	values[1] = (struct bind_value){.kind = i % 2 ? BIND_NULL : BIND_TEXT, .text = span_of(f->text)};
	values[2] = (struct bind_value){.kind = BIND_TIMESTAMP, .integer = i};
	values[3] = (struct bind_value){.kind = BIND_BOOL, .boolean = i % 3 == 0};
	values[4] = (struct bind_value){.kind = BIND_BLOB, .text = {"\0\xff", 2}};
	return true;
}

static void fed_expect(const char *sql, int64_t expected)
{
	struct err err = ERR_INIT;
	int64_t n = -1;
	assert_true(session_int(session, sql, &n, &err));
	assert_int_equal(n, expected);
}

/* More rows than a chunk has, one row, none; a refused row takes its feed's others along and the feed goes on. */
static void test_feed(void **state)
{
	(void)state;
	static const struct feed_column columns[] = {
		{"a", BIND_INT}, {"b", BIND_TEXT}, {"c", BIND_TIMESTAMP}, {"odd name\"", BIND_BOOL}, {"e", BIND_BLOB}};
	struct err err = ERR_INIT;
	struct feed *feed;
	RUN("create table fed(z int default 7, e blob, a int primary key, b varchar, c timestamp, \"odd name\"\"\" bool)");
	assert_false(feed_open(session, "nope", columns, ARRAY_LEN(columns), &feed, &err));
	assert_int_equal(err.code, ERR_ENGINE_REFUSED);
	assert_true(feed_open(session, "fed", columns, ARRAY_LEN(columns), &feed, &err));
	RUN("BEGIN");
	assert_true(feed_insert(feed, fed_next, &(struct fed){.end = 5000, .same_key_at = -1}, &err));
	assert_true(feed_insert(feed, fed_next, &(struct fed){5000, 5001, -1, ""}, &err));
	assert_true(feed_insert(feed, fed_next, &(struct fed){5001, 5001, -1, ""}, &err));
	RUN("COMMIT");
	fed_expect("select count(*) from fed where z = 7 and e = '\\x00\\xFF'::blob and epoch_us(c) = a and "
		   "\"odd name\"\"\" = (a % 3 = 0)",
		   5001);
	fed_expect("select count(*) from fed where b = 'row ' || a || ', with a text that does not fit in place'",
		   2501);
	fed_expect("select count(*) from fed where b is null", 2500);
	RUN("BEGIN");
	assert_false(feed_insert(feed, fed_next, &(struct fed){6000, 6100, 6050, ""}, &err));
	assert_string_equal(session_fault(session)->sqlstate, "23505");
	RUN("ROLLBACK");
	assert_true(feed_insert(feed, fed_next, &(struct fed){6000, 6100, -1, ""}, &err));
	fed_expect("select count(*) from fed", 5101);
	/* The table may change under the feed. */
	RUN("ALTER TABLE fed ADD COLUMN late int default 3");
	assert_true(feed_insert(feed, fed_next, &(struct fed){7000, 7010, -1, ""}, &err));
	fed_expect("select count(*) from fed where a >= 7000 and late = 3", 10);
	feed_close(feed);
	feed_close(NULL);
	/* A second one on the same engine; in a transaction it is refused. */
	RUN("BEGIN");
	assert_false(feed_open(session, "fed", columns, ARRAY_LEN(columns), &feed, &err));
	RUN("ROLLBACK");
	assert_true(feed_open(session, "fed", columns, ARRAY_LEN(columns), &feed, &err));
	assert_true(feed_insert(feed, fed_next, &(struct fed){8000, 8001, -1, ""}, &err));
	feed_close(feed);
	fed_expect("select count(*) from fed where a = 8000", 1);
}

static void test_sql_quoting(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	static const char *const names[] = {
		"select", "a\"b", "\"", "\"\"; drop table f; --", "ž ů 😀", "a'b", "new\nline", " ", "a.b", "$1", "--",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf sql = BUF(MIB);
		const char *text;
		struct arena *arena = arena_new();
		sql_printf(&sql, "create or replace table %I as select %L as %I", names[i], names[i], names[i]);
		assert_true(sql_finish(&sql, &text, &err));
		RUN(text);
		buf_reset(&sql);
		sql_printf(&sql, "select %I from %I where %I = %L", names[i], names[i], names[i], names[i]);
		assert_true(sql_finish(&sql, &text, &err));
		const char *back;
		assert_true(session_text(session, text, arena, &back, &err));
		assert_string_equal(back, names[i]);
		arena_free(arena);
		buf_done(&sql);
	}
	static const struct span bad[] = {{"a\0b", 3}, {"\xff", 1}, {"\xc3", 1}, {"\xed\xa0\x80", 3}};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *text;
		struct buf sql = BUF(MIB);
		sql_ident(&sql, bad[i]);
		assert_false(sql_finish(&sql, &text, &err));
		buf_done(&sql);
		sql = BUF(MIB);
		sql_text(&sql, bad[i]);
		sql_text(&sql, SPAN("fine"));
		assert_false(sql_finish(&sql, &text, &err));
		buf_done(&sql);
	}
}

static void test_type_texts(void **state)
{
	(void)state;
	static const char *const types[] = {
		"BOOLEAN",
		"TINYINT",
		"UHUGEINT",
		"DECIMAL(38,10)",
		"BIGNUM",
		"JSON",
		"BIT",
		"TIME_NS",
		"TIME WITH TIME ZONE",
		"TIMESTAMP_S",
		"TIMESTAMP_MS",
		"TIMESTAMP_NS",
		"TIMESTAMP WITH TIME ZONE",
		"INTERVAL",
		"UUID",
		"BLOB",
		"ENUM('a', 'b''c')",
		"INTEGER[]",
		"INTEGER[3]",
		"VARCHAR[][2]",
		"MAP(VARCHAR, JSON[])",
		"STRUCT(a INTEGER, \"B c\" DECIMAL(5,1)[], \"key\" STRUCT(X DATE))",
		"UNION(num INTEGER, \"select\" VARCHAR)",
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct err err = ERR_INIT;
		char sql[200];
		struct cursor *c;
		(void)snprintf(sql, sizeof(sql), "select null::%s", types[i]);
		if (!session_query(session, sql, &c, &err))
			fail_msg("%s: %s", types[i], err.message);
		assert_string_equal(cursor_columns(c)[0].type->text, types[i]);
		cursor_close(c);
	}
}

static void test_lockdown(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct instance *locked;
	struct session *s;
	char dir[] = "/tmp/engine_lock_XXXXXX";
	assert_non_null(mkdtemp(dir));
	const struct instance_config config = {.threads = 1, .lockdown_dir = dir, .hide_dir = "/tmp"};
	assert_true(instance_open(&config, &locked, &err));
	assert_true(session_open(locked, &s, &err));
	static const char *const refused[] = {
		"select * from read_text('/etc/passwd')",
		"attach '/tmp/other.duckdb' as o",
		"copy (select 1) to '/tmp/x.csv'",
		"install httpfs",
		"load httpfs",
		"set memory_limit='10GB'",
		"set threads=4",
		"set errors_as_json=false",
		"set enable_external_access=true",
		"set allowed_directories=['/']",
		"create secret (type s3)",
		"select * from read_csv('../../etc/passwd')",
		"set temp_directory='/tmp/x'",
		"set lock_configuration=false",
		"select getenv('HOME')",
	};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (session_run(s, refused[i], &err))
			fail_msg("%s: was allowed", refused[i]);
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "attach '%s/own.duckdb' as own; create table own.t as select 1; detach own",
		       dir);
	if (!session_run(s, sql, &err))
		fail_msg("%s", err.message);
	assert_true(session_run(s, "set TimeZone='Europe/Prague'", &err));
	session_close(s);
	instance_close(locked);
	(void)snprintf(sql, sizeof(sql), "%s/own.duckdb", dir);
	(void)unlink(sql);
	(void)rmdir(dir);
}

static void test_stats(void **state)
{
	(void)state;
	struct instance_stats stats;
	struct instance_memory rows[INSTANCE_MEMORY_TAGS_MAX];
	RUN("create or replace table mem as select i, i::varchar || 'some longer text' t from range(200000) r(i)");
	instance_stats(instance, &stats);
	assert_int_equal(stats.sessions, 1);
	assert_int_equal(stats.running, 0);
	assert_true(stats.statements > 10);
	assert_true(stats.memory_bytes > 1000000);
	assert_true(instance_memory(instance, rows) > 3);
	assert_string_equal(engine_version(), ENGINE_VERSION);
	assert_false(instance_is_dead(instance));
}

static bool plan_has(struct session *s, const char *sql, const char *what)
{
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows;
	assert_true(session_query(s, sql, &c, &err) && cursor_next(c, &rows, &err));
	struct arena *arena = arena_new();
	const bool found = strstr(arena_copy(arena, cursor_text(c, 1, 0)), what) != NULL;
	arena_free(arena);
	cursor_close(c);
	return found;
}

/* Under a lock-down as without: figures are skipped until EXPLAIN ANALYZE asks for them. */
static void test_figures(void **state)
{
	(void)state;
	static const struct instance_config configs[] = {{.threads = 1}, {.threads = 1, .lockdown_dir = ""}};
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct err err = ERR_INIT;
		struct instance *own;
		struct session *s;
		struct arena *arena = arena_new();
		const char *kept;
		static const char figures[] = "select current_setting('custom_profiling_settings')";
		assert_true(instance_open(&configs[i], &own, &err) && session_open(own, &s, &err));
		assert_true(session_skip_figures(s, &err));
		assert_true(session_text(s, figures, arena, &kept, &err));
		assert_string_equal(kept, "{}");
		assert_true(plan_has(s, "explain select * from range(2000)", "RANGE"));
		assert_true(session_text(s, figures, arena, &kept, &err));
		assert_string_equal(kept, "{}");
		assert_true(plan_has(s, "Explain Analyze select * from range(2000)", "2,000 rows"));
		assert_true(plan_has(s, "explain (analyze) select * from range(3000)", "3,000 rows"));
		arena_free(arena);
		session_close(s);
		instance_close(own);
	}
}

/* Only for sessions that ask; taken once. */
static void test_peaks(void **state)
{
	(void)state;
	static const char heavy[] = "select count(*) from (select distinct i::varchar from range(3000000) t(i))";
	const struct instance_config config = {.threads = 1};
	struct err err = ERR_INIT;
	struct instance *own;
	struct session *s;
	assert_true(instance_open(&config, &own, &err) && session_open(own, &s, &err));
	assert_true(session_run(s, heavy, &err));
	assert_int_equal(session_take_peaks(s).memory_bytes, 0);
	session_watch_peaks(s);
	assert_true(session_run(s, heavy, &err));
	assert_true(session_take_peaks(s).memory_bytes > (int64_t)MIB);
	assert_int_equal(session_take_peaks(s).memory_bytes, 0);
	session_close(s);
	instance_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),	    cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_rows),	    cmocka_unit_test(test_error_in_the_middle),
		cmocka_unit_test(test_statement),   cmocka_unit_test(test_types_of_statements),
		cmocka_unit_test(test_interrupt),   cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_progress),    cmocka_unit_test(test_appender),
		cmocka_unit_test(test_sql_quoting), cmocka_unit_test(test_type_texts),
		cmocka_unit_test(test_lockdown),    cmocka_unit_test(test_stats),
		cmocka_unit_test(test_figures),	    cmocka_unit_test(test_feed),
		cmocka_unit_test(test_peaks),	    cmocka_unit_test(test_brake),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
