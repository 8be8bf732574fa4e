/* Sentences of the engine in, PostgreSQL's out; hostile and unknown ones first. */
#include "base/buf.h"
#include "pgwire/wording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	const char *sqlstate, *engine, *sql, *want;
} CASES[] = {
	{"XX000", "", NULL, "XX000@0 "},
	{"XX000", "*", "", "XX000@0 *"},
	{"42P01", "Table with name ", "select 1", "42P01@0 Table with name "},
	{"42P01", "Table with name  does not exist!", "select 1", "42P01@0 relation \"\" does not exist"},
	{"23505", "Duplicate key \"\" violates primary key constraint.", "insert into",
	 "23505@0 Duplicate key \"\" violates primary key constraint."},
	{"23505", "Duplicate key \"\" violates unique constraint.", "insert into t",
	 "23505@0 duplicate key value violates unique constraint \"t_key\" [Key ()=() already exists.] t t_key"},
	{"23505", "Duplicate key \", , : ,\" violates primary key constraint.", "update t set",
	 "23505@0 duplicate key value violates unique constraint \"t_pkey\" [Key ()=(,) already exists.] t t_pkey"},
	{"22P02", "Could not convert string '%&*' to INT32", NULL,
	 "22P02@0 invalid input syntax for type integer: \"%&*\""},
	{"42P01", "Table with name a'b\" does not exist!", "select 'unterminated",
	 "42P01@0 relation \"a'b\"\" does not exist"},
	{"42601", "something else", "select 1", "42601@0 something else"},
	/* Names and where they stand */
	{"42P01", "Table with name nope does not exist!", "insert into nope values (1)",
	 "42P01@13 relation \"nope\" does not exist"},
	{"42P01", "Table with name nope does not exist!", "drop table nope",
	 "42P01@0 relation \"nope\" does not exist"},
	{"42P01", "Table with name \"s.t\" does not exist because schema \"s\" does not exist.", "select * from s.t",
	 "42P01@15 relation \"s.t\" does not exist"},
	{"42883", "Scalar Function with name f does not exist!", "select f()", "42883@0 function f does not exist"},
	{"42703", "Table \"t\" does not have a column with name \"c\"", "insert into t (c) values (1)",
	 "42703@16 column \"c\" of relation \"t\" does not exist"},
	{"42601", "Duplicate column name \"v\" in INSERT", NULL, "42701@0 column \"v\" specified more than once"},
	/* Values */
	{"22P02", "Could not convert string '99999999999' to INT32", NULL,
	 "22003@0 value \"99999999999\" is out of range for type integer"},
	{"22P02", "Could not convert string '-' to INT64", NULL, "22P02@0 invalid input syntax for type bigint: \"-\""},
	{"22003", "Overflow in addition of INT32 (2147483647 + 1)!", NULL, "22003@0 integer out of range"},
	/* Constraints */
	{"23505", "Duplicate key \"a: 1, b: x\" violates unique constraint.", "insert into s.\"T\" values (1)",
	 "23505@0 duplicate key value violates unique constraint \"T_a_b_key\" [Key (a, b)=(1, x) already exists.] T T_a_b_key"},
	{"23503", "Violates foreign key constraint because key \"id: 1\" does not exist in the referenced table",
	 "insert into c values (1)",
	 "23503@0 insert or update on table \"c\" violates foreign key constraint [Key \"id: 1\" is not present in the referenced table.] c "},
	{"23503",
	 "Violates foreign key constraint because key \"p: 1\" is still referenced by a foreign key in a different table.",
	 "delete from p",
	 "23503@0 update or delete on table \"p\" violates foreign key constraint [Key \"p: 1\" is still referenced from another table.] p "},
	{"23502", "NOT NULL constraint failed: t.c", "insert into t values (null)",
	 "23502@0 null value in column \"c\" of relation \"t\" violates not-null constraint"},
};

static void words_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct arena *arena = arena_new();
		struct pg_error e, ignored;
		struct stmt s;
		struct span rest = span_of(CASES[i].sql ? CASES[i].sql : "");
		char got[2048];
		(void)pg_error_set(&e, CASES[i].sqlstate, "%s", CASES[i].engine);
		assert_true(stmt_next(&rest, &s, &ignored));
		wording_apply(&e, CASES[i].sql ? &s : NULL, arena);
		int n = snprintf(got, sizeof(got), "%s@%u %s", e.sqlstate, e.position, e.message);
		if (e.detail[0])
			(void)snprintf(got + n, sizeof(got) - (size_t)n, " [%s] %s %s", e.detail, e.table,
				       e.constraint);
		assert_string_equal(got, CASES[i].want);
		arena_free(arena);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(words_errors)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
