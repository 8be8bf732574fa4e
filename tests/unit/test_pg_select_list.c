/* What a list of columns is read as: statements in, one line out. Hostile ones first. */
#include "base/buf.h"
#include "pgwire/select_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const UNREAD[] = {
	"select",
	"select from t",
	"select * exclude (a) from t",
	"select * replace (1 as a) from t",
	"select columns('a.*') from t",
	"select t.* exclude (a) from t",
	"select a from t union select b from u",
	"select a from (t) except select 1",
	"select a from t pivot (sum(x) for y in (1, 2))",
	"with t as (select 1 a) select a from t",
	"from t",
	"from t select a",
	"table t",
	"values (1)",
	"(select a from t)",
	"select a into u from t",
	"select a from x: t",
	"insert into t values (1)",
	"explain select a from t",
};

static const struct {
	const char *sql, *read;
} READ[] = {
	{"select a from t", "a < t"},
	{"SELECT A, \"B\", t.c AS d, t.e f FROM T", "a,B,t.c=,t.e= < t"},
	{"select * from s.t as x, u", "* < s.t:x,u"},
	{"select x.*, y.* from t x left join u y on x.a = y.a where x.b in (select b from v) order by 1",
	 "x.*,y.* < t:x,u:y"},
	{"select a + 1, count(*), f(x), (select 1) from t", "?,count(),f(),? < t"},
	{"select pg_catalog.version(), a::text, case when a then b end from t", "version(),?,? < t"},
	{"select distinct on (a, b) c from t", "c < t"},
	{"select a from (select b from t) q, unnest([1]) u(i), lateral (select 1)", "a < ?:q,?:u,?:"},
	{"select a from t(b)", "a < ?:"},
	{"select a from t as u(b)", "a < ?:u"},
	{"select a from 'file.csv'", "a < ?:"},
	{"select a from t for update", "a < t"},
	{"select 1", "? < "},
	{"select a from db.s.t", "a < s.?:t"},
	{"select *, a, from t", "*,a < t"},
	{"insert into s.t (a) select a from u returning a, b as c", "a,b= < s.t"},
	{"update t set a = 1 where b = 2 returning *", "* < t"},
	{"delete from t as x using u where x.a = u.a returning x.a", "x.a < t:x"},
};

/* The items of a list, and what PostgreSQL calls their columns; "-": the label or the engine tells. */
static const struct {
	const char *sql, *names;
} NAMED[] = {
	{"select", ""},
	{"select count(*), sum(x) over (partition by y), max(x) filter (where x > 1), pg_catalog.upper('a')",
	 "count,sum,max,upper"},
	{"select 1, 'a', null, true, -1, a + 1, not a, a is null, a in (1), a between 1 and 2",
	 "?column?,?column?,?column?,?column?,?column?,?column?,?column?,?column?,?column?,?column?"},
	{"select a::text, (a)::int, '1'::int, cast('1' as bigint), x.y::numeric(5,2), (a + 1)::varchar(5), f(a)::date",
	 "a,a,int4,int8,y,varchar,f"},
	{"select a::double precision, 1::double precision, '1'::timestamp with time zone, 'x'::pg_catalog.text, 'x'::text[]",
	 "a,float8,timestamptz,text,text"},
	{"select date '2024-01-01', interval '1' day, interval '1 day', timestamp with time zone '2024-01-01'",
	 "date,interval,interval,timestamptz"},
	{"select case when a then b end, case when a then 1 else b end, case a when 1 then 2 else 3 end",
	 "case,b,case"},
	{"select array[1, 2], array(select 1), array[1][1], a[1], f(a)[1], row(1, 2), (1, 2), exists (select 1)",
	 "array,array,array,a,f,row,row,exists"},
	{"select coalesce(a, b), greatest(1, 2), nullif(1, 2), trim(a), trim(leading 'x' from a), extract(year from d)",
	 "coalesce,greatest,nullif,btrim,ltrim,extract"},
	{"select a at time zone 'UTC', a collate \"C\", current_date, current_user, (select 5), (select 5 as five), (x).y",
	 "timezone,a,current_date,current_user,?column?,five,y"},
	{"select a is distinct from b, a and b, a like 'x' escape 'y' from t", "?column?,?column?,?column?"},
	{"select 1 b, 'a' b, a b, a::int b, a + 1 b, f(a) b, a is null b, interval '1' day b, a as \"B\"",
	 "-,-,-,-,-,-,-,-,-"},
	{"select [1, 2], {'a': 1}, list_transform(l, x -> x + 1), a.b.c", "-,-,list_transform,c"},
	{"select count(*) from a union all select 1", "count"},
	{"with a as (select 1 x), b(y) as materialized (values (1)) select count(*), x from a", "count,x"},
	{"(select max(a) from t) union select 1", "max"},
	{"insert into t values (1) returning a, a + 1, upper(b) as c", "a,?column?,-"},
	{"select a from", "a"},
	{"select (", "-"},
	{"select case", "case"},
	{"select a::", "a"},
	{"select cast(", "?column?"},
	{"select f(", "f"},
};

static void reads_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(NAMED); i++) {
		struct arena *arena = arena_new();
		struct buf out = BUF(4096);
		struct span rest = span_of(NAMED[i].sql);
		struct select_list list;
		struct pg_error e;
		struct stmt s;
		assert_true(stmt_next(&rest, &s, &e));
		(void)select_list_read(&s, arena, &list);
		for (size_t k = 0; k < list.item_count; k++)
			buf_printf(&out, "%s%.*s", k ? "," : "",
				   SPAN_ARG(list.items[k].name.len ? list.items[k].name : SPAN("-")));
		buf_byte(&out, '\0');
		assert_string_equal(out.ptr, NAMED[i].names);
		buf_done(&out);
		arena_free(arena);
	}
}

static void show(struct buf *out, const struct select_list *list)
{
	for (size_t i = 0; i < list->item_count; i++) {
		const struct select_item *item = &list->items[i];
		buf_printf(out, "%s%.*s%s", i ? "," : "", SPAN_ARG(item->table), item->table.len ? "." : "");
		if (item->kind == ITEM_STAR)
			buf_str(out, "*");
		else if (item->kind == ITEM_COLUMN)
			buf_printf(out, "%.*s", SPAN_ARG(item->column));
		else if (item->callee.len)
			buf_printf(out, "%.*s()", SPAN_ARG(item->callee));
		else
			buf_str(out, "?");
		buf_str(out, item->labelled ? "=" : "");
	}
	buf_str(out, " < ");
	for (size_t i = 0; i < list->source_count; i++) {
		const struct select_source *s = &list->sources[i];
		buf_printf(out, "%s%.*s%s", i ? "," : "", SPAN_ARG(s->schema), s->schema.len ? "." : "");
		buf_printf(out, "%.*s", s->known ? (int)s->name.len : 1, s->known ? s->name.ptr : "?");
		if (!s->known || !span_eq(s->alias, s->name))
			buf_printf(out, ":%.*s", SPAN_ARG(s->alias));
	}
}

static bool read(const char *sql, struct arena *arena, struct select_list *ret)
{
	struct stmt s;
	struct pg_error e;
	struct span rest = span_of(sql);
	assert_true(stmt_next(&rest, &s, &e));
	return select_list_read(&s, arena, ret);
}

static void test_what_is_not_understood_is_not_guessed(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct select_list list;
	for (size_t i = 0; i < ARRAY_LEN(UNREAD); i++)
		if (read(UNREAD[i], arena, &list))
			fail_msg("read: %s", UNREAD[i]);
	arena_free(arena);
}

static void test_lists(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct select_list list;
	for (size_t i = 0; i < ARRAY_LEN(READ); i++) {
		struct buf out = BUF(10000);
		if (!read(READ[i].sql, arena, &list))
			fail_msg("not read: %s", READ[i].sql);
		show(&out, &list);
		assert_string_equal(out.ptr, READ[i].read);
		buf_done(&out);
	}
	arena_free(arena);
}

/* Every beginning of every statement: nothing is read behind its end. */
static void test_pieces(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(READ); i++)
		for (size_t n = 1; n <= strlen(READ[i].sql); n++) {
			struct select_list list;
			struct stmt s;
			struct pg_error e;
			char *piece = arena_copy(arena, (struct span){READ[i].sql, n});
			struct span rest = span_of(piece);
			if (stmt_next(&rest, &s, &e) && select_list_read(&s, arena, &list))
				assert_true(list.item_count <= n && list.source_count <= n);
		}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_names),
		cmocka_unit_test(test_what_is_not_understood_is_not_guessed),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
