/* tests/wire/pg/sql.txt: statements in, what they are out. */
#include "base/buf.h"
#include "pgwire/command.h"
#include "wire_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_spans(struct buf *out, const char *label, const struct span *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%.*s", i ? "," : label, SPAN_ARG(items[i]));
}

static void show_modes(struct buf *out, const struct command_transaction *t)
{
	if (t->has_isolation)
		buf_printf(out, " isolation=%.*s", SPAN_ARG(t->isolation));
	if (t->has_access)
		buf_printf(out, " %s", t->read_only ? "read only" : "read write");
	buf_str(out, t->chain ? " chain" : "");
}

static bool show_set(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	static const char *const scopes[] = {"", " local", " transaction", " characteristics"};
	struct command_set c;
	if (!command_set(s, arena, &c, e))
		return false;
	buf_printf(out, "%s", scopes[c.scope]);
	show_modes(out, &c.modes);
	if (c.scope < SET_TRANSACTION)
		buf_printf(out, " %.*s=%s[%.*s]", SPAN_ARG(c.name), c.is_default ? "default" : "", SPAN_ARG(c.value));
	return true;
}

static bool show_copy(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	static const char *const formats[] = {"text", "csv", "binary"};
	struct command_copy c;
	if (!command_copy(s, arena, &c, e))
		return false;
	struct copy_options *o = &c.options;
	buf_printf(out, " %s %.*s|%.*s|%.*s", c.is_from ? "from" : "to", SPAN_ARG(c.target), SPAN_ARG(c.table),
		   SPAN_ARG(c.query));
	put_spans(out, " columns=", c.columns, c.column_count);
	buf_printf(out, " %s delimiter=%d null=[%.*s]", formats[o->format], o->delimiter, SPAN_ARG(o->null));
	if (o->format == COPY_CSV)
		buf_printf(out, " quote=%c escape=%c", o->quote, o->escape);
	buf_str(out, o->header == COPY_HEADER ? " header" : o->header ? " match" : "");
	buf_str(out, o->force_quote.all ? " force_quote=*" : "");
	put_spans(out, " force_quote=", o->force_quote.names, o->force_quote.count);
	put_spans(out, " force_null=", o->force_null.names, o->force_null.count);
	put_spans(out, " force_not_null=", o->force_not_null.names, o->force_not_null.count);
	return true;
}

static bool show_cursor(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	static const char *const directions[] = {"forward", "backward", "absolute", "relative"};
	struct command_declare d;
	struct command_fetch f;
	if (s->kind == STMT_DECLARE) {
		if (!command_declare(s, arena, &d, e))
			return false;
		buf_printf(out, " %.*s%s%s%s%s [%.*s]", SPAN_ARG(d.name), d.binary ? " binary" : "",
			   d.scroll ? " scroll" : "", d.no_scroll ? " no scroll" : "", d.hold ? " hold" : "",
			   SPAN_ARG(d.query));
		return true;
	}
	if (!command_fetch(s, arena, &f, e))
		return false;
	buf_printf(out, " %s %lld %.*s", directions[f.direction], (long long)f.count, SPAN_ARG(f.name));
	return true;
}

static bool show_prepared(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	struct command_prepare p;
	struct command_execute x;
	if (s->kind == STMT_PREPARE) {
		if (!command_prepare(s, arena, &p, e))
			return false;
		buf_printf(out, " %.*s", SPAN_ARG(p.name));
		for (size_t i = 0; i < p.type_count; i++)
			buf_printf(out, " %u", p.types[i]);
		buf_printf(out, " [%.*s]", SPAN_ARG(p.body));
		return true;
	}
	if (!command_execute(s, arena, &x, e))
		return false;
	buf_printf(out, " %.*s", SPAN_ARG(x.name));
	put_spans(out, " ", x.arguments, x.argument_count);
	return true;
}

static bool show_details(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	struct command_transaction t;
	struct span name;
	switch (s->kind) {
	case STMT_BEGIN:
	case STMT_START:
	case STMT_COMMIT:
	case STMT_ROLLBACK:
		if (!command_transaction(s, arena, &t, e))
			return false;
		show_modes(out, &t);
		return true;
	case STMT_SET:
	case STMT_RESET:
	case STMT_SHOW:
		return show_set(s, arena, out, e);
	case STMT_SAVEPOINT:
	case STMT_RELEASE:
	case STMT_ROLLBACK_TO:
	case STMT_DEALLOCATE:
	case STMT_CLOSE:
	case STMT_DISCARD:
		if (!command_name(s, arena, &name, e))
			return false;
		buf_printf(out, " %.*s", SPAN_ARG(name.ptr ? name : SPAN("(all)")));
		return true;
	case STMT_PREPARE:
	case STMT_EXECUTE:
		return show_prepared(s, arena, out, e);
	case STMT_DECLARE:
	case STMT_FETCH:
	case STMT_MOVE:
		return show_cursor(s, arena, out, e);
	case STMT_COPY:
		return show_copy(s, arena, out, e);
	default:
		return true;
	}
}

static bool show_statement(const struct stmt *s, struct arena *arena, struct buf *out, struct pg_error *e)
{
	static const char classes[] = "-qddsnx";
	char tag[STMT_TAG_SIZE + 24];
	stmt_tag(s, 3, tag);
	buf_printf(out, "%c(%s)", s->class == STMT_DDL ? 'o' : classes[s->class], tag);
	buf_str(out, s->returns_rows ? "r" : "");
	if (s->parameters)
		buf_printf(out, "$%u", s->parameters);
	static const char mentions[] = "CPSRDF";
	for (unsigned i = 0; i < 6; i++)
		if (s->mentions & 1U << i)
			buf_byte(out, mentions[i]);
	return show_details(s, arena, out, e);
}

static void run_case(const struct wire_case *c)
{
	struct arena *arena = arena_new();
	struct buf sql = BUF(1 << 20), out = BUF(1 << 20);
	struct pg_error e;
	struct stmt s;
	if (wire_get(c, "bytes"))
		wire_bytes(wire_get(c, "bytes"), &sql);
	else
		buf_str(&sql, wire_get(c, "sql"));
	/* An exact copy, so that a read past the end is seen. */
	char *exact = malloc(sql.len + (sql.len == 0));
	memcpy(exact, buf_view(&sql).ptr, sql.len);
	struct span rest = {exact, sql.len};
	for (;;) {
		if (!stmt_next(&rest, &s, &e) || (s.kind != STMT_NONE && !(buf_str(&out, out.len ? " ; " : ""),
									   show_statement(&s, arena, &out, &e)))) {
			buf_reset(&out);
			buf_printf(&out, "error %s at %u", e.sqlstate, e.position);
			break;
		}
		if (s.kind == STMT_NONE)
			break;
	}
	const char *want = wire_get(c, "want");
	if (strcmp(buf_view(&out).ptr, want) != 0)
		fail_msg("line %d, %s:\n  got  %s\n  want %s", c->line, c->name, buf_view(&out).ptr, want);
	free(exact);
	buf_done(&sql);
	buf_done(&out);
	arena_free(arena);
}

static void wire_statements(void **state)
{
	(void)state;
	assert_true(wire_file_run("pg/sql.txt", run_case) > 60);
}

static void the_own_database_is_blanked(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{"SELECT * FROM db.s.t", "SELECT * FROM    s.t"},
		{"SELECT \"db\" . \"s\".t.c FROM db . s.t", "SELECT        \"s\".t.c FROM      s.t"},
		{"SELECT 'db.s.t', db.s, DB2.s.t, x.db.s.t -- db.s.t",
		 "SELECT 'db.s.t', db.s, DB2.s.t, x.db.s.t -- db.s.t"},
		{"db.", "db."},
		{"db.s.", "   s."},
		{"DROP TABLE db.s.a, db.s.b", "DROP TABLE    s.a,    s.b"},
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct span got = lexer_without_database(span_of(cases[i].sql), SPAN("db"), arena);
		assert_string_equal(arena_copy(arena, got), cases[i].want);
	}
	arena_free(arena);
}

static void strings_are_resolved(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *want;
	} rows[] = {{"'a''b'", "a'b"},
		    {"E'a\\n\\'\\x41\\101\\u00e4'", "a\n'AA\xc3\xa4"},
		    {"$x$a'b$$c$x$", "a'b$$c"},
		    {"$$$$", ""},
		    {"'a\\'", "a\\"},
		    {"e'\\\\'", "\\"},
		    {"N'x'", "x"},
		    /* An escape string goes on in the next line. */
		    {"E'a'\n'\\'b'", "a'b"},
		    {"E'a' -- it's\r\t'b''c'", "ab'c"},
		    {"E'a'\n--'\n'\\\\'", "a\\"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct lexer lx = {span_of(rows[i].sql)};
		struct token t = lexer_next(&lx);
		assert_int_equal(t.kind, TOKEN_STRING);
		assert_int_equal(lexer_next(&lx).kind, TOKEN_END);
		if (!span_is(token_string(t, arena), rows[i].want))
			fail_msg("%s", rows[i].sql);
		arena_free(arena);
	}
}

/* Each text as its tokens, with a bar between: what the engine takes for code must not be within a string or a comment. */
static void tokens_end_where_the_engines_do(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *want;
	} rows[] = {{"a--b\rc--d\ne", "a|c|e"},
		    {"E'a' '\\'b'", "E'a'|'\\'|b'"},
		    {"E'a'\n'\\' b'c", "E'a'\n'\\' b'|c"},
		    {"'a'\n'\\' b'", "'a'|'\\'|b'"},
		    {"1FROM 1.5AS 1e5x 1ex 1e+ 0xE'\\'", "1|FROM|1.5|AS|1e5|x|1|ex|1|e|+|0|xE|'\\'"},
		    {"1_000_z 1__0 1..2 1.e2", "1_000|_z|1|__0|1|.|.|2|1.e2"},
		    {"$1FROM $ab$", "$1|FROM|$ab$"},
		    {"a\xc2\xa0(\xe3\x80\x80"
		     "E'\\''\xe2\x80\x8b"
		     "b\xe2\x80\xafz",
		     "a|(|E'\\''|b|z"},
		    {"$a\xc2\xa0"
		     "b$ x $a\xc2\xa0"
		     "b$",
		     "$a|b$|x|$a|b$"},
		    {"\xc2\xa1\xe2\x80\x8e \xe3\x80\x81", "\xc2\xa1\xe2\x80\x8e|\xe3\x80\x81"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lexer lx = {span_of(rows[i].sql)};
		struct buf got = BUF(1000);
		for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
			if (got.len)
				buf_byte(&got, '|');
			buf_span(&got, t.text);
		}
		buf_byte(&got, '\0');
		assert_string_equal(got.ptr, rows[i].want);
		buf_done(&got);
	}
}

static void blanks_become_plain_between_tokens(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *want;
	} rows[] = {{"a b", "a b"},
		    {"a\xc2\xa0\xe3\x80\x80"
		     "b",
		     "a  b"},
		    {"\xef\xbb\xbf'\xc2\xa0'\xe2\x80\x80\"\xc2\xa0\"--\xc2\xa0", " '\xc2\xa0' \"\xc2\xa0\"-- "},
		    {"/* ' */\xc2\xa0"
		     "a",
		     "/* ' */ a"},
		    {"a\xc2\xa0'b\xc2\xa0", "a 'b\xc2\xa0"},
		    {"\xc2", "\xc2"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		const struct span got = lexer_plain_blanks(span_of(rows[i].sql), arena);
		if (!span_is(got, rows[i].want))
			fail_msg("%s: %.*s", rows[i].sql, SPAN_ARG(got));
		arena_free(arena);
	}
}

static void names_are_quoted_when_they_must(void **state)
{
	(void)state;
	struct buf out = BUF(100);
	lexer_quote_name(&out, SPAN("plain_1"));
	lexer_quote_name(&out, SPAN("Up"));
	lexer_quote_name(&out, SPAN("a\"b"));
	lexer_quote_name(&out, SPAN(""));
	lexer_quote_string(&out, SPAN("it's"));
	assert_string_equal(out.ptr, "plain_1\"Up\"\"a\"\"b\"\"\"'it''s'");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_statements),
		cmocka_unit_test(the_own_database_is_blanked),
		cmocka_unit_test(strings_are_resolved),
		cmocka_unit_test(tokens_end_where_the_engines_do),
		cmocka_unit_test(blanks_become_plain_between_tokens),
		cmocka_unit_test(names_are_quoted_when_they_must),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
