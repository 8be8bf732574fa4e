/* tests/wire/pg/copy.txt, each case with its data split at every byte and fed byte by byte. */
#include "pgwire/copy.h"
#include "wire_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct copy_options options_of(const char *sql, struct arena *arena)
{
	struct span rest = span_of(sql);
	struct stmt s;
	struct pg_error e;
	struct command_copy c;
	if (!stmt_next(&rest, &s, &e) || !command_copy(&s, arena, &c, &e))
		fail_msg("%s: %s", sql, e.message);
	return c.options;
}

static bool take_rows(struct copy_reader *r, struct buf *out, struct pg_error *e)
{
	enum copy_step step;
	do {
		if (!copy_read_row(r, &step, e))
			return false;
		for (size_t i = 0; step == COPY_ROW && i < r->columns; i++) {
			buf_str(out, i ? "," : "(");
			if (r->fields[i].is_null)
				buf_str(out, "NULL");
			else
				buf_hex(out, r->fields[i].bytes.ptr, r->fields[i].bytes.len);
		}
		if (step == COPY_ROW)
			buf_str(out, ")");
	} while (step == COPY_ROW);
	if (step == COPY_END)
		buf_str(out, " end");
	return true;
}

static void read_in_pieces(const struct wire_case *c, struct span data, size_t first, size_t step)
{
	static const struct span names[] = {SPAN("a"), SPAN("b"), SPAN("c")};
	const char *columns = wire_get(c, "columns"), *want = wire_get(c, "want");
	struct arena *arena = arena_new();
	struct buf out = BUF(1 << 16);
	struct copy_options options = options_of(wire_get(c, "sql"), arena);
	struct copy_reader r;
	struct pg_error e = PG_ERROR_INIT;
	copy_read_begin(&r, &options, SPAN("t"), names, columns ? (size_t)(*columns - '0') : 2, arena);
	bool fine = true, ended = false;
	for (size_t at = 0; at < data.len && fine && !ended; at += step) {
		step = at == 0 && first ? first : step ? step : data.len;
		char *exact = malloc(step);
		struct span piece = span_first(span_skip(data, at), step);
		memcpy(exact, piece.ptr, piece.len);
		copy_read_feed(&r, (struct span){exact, piece.len});
		free(exact);
		fine = take_rows(&r, &out, &e);
		ended = span_ends(buf_view(&out), SPAN(" end"));
		if (at == 0 && first)
			at = first - (step = 1, 1);
	}
	copy_read_finish(&r);
	if (fine && !ended)
		fine = take_rows(&r, &out, &e);
	if (!fine) {
		buf_printf(&out, " error %s%s%s", e.sqlstate, *e.where ? " " : "", e.where);
	}
	if (strcmp(buf_view(&out).ptr + (*buf_view(&out).ptr == ' '), want) != 0)
		fail_msg("line %d, %s, split at %zu:\n  got  %s (%s)\n  want %s", c->line, c->name, first,
			 buf_view(&out).ptr, e.message, want);
	copy_read_done(&r);
	buf_done(&out);
	arena_free(arena);
}

static void run_case(const struct wire_case *c)
{
	struct buf data = BUF(1 << 16);
	wire_bytes(wire_get(c, "data"), &data);
	read_in_pieces(c, buf_view(&data), 0, 0);
	for (size_t at = 1; at < data.len; at++)
		read_in_pieces(c, buf_view(&data), at, 0);
	buf_done(&data);
}

static void wire_copies(void **state)
{
	(void)state;
	assert_true(wire_file_run("pg/copy.txt", run_case) > 25);
}

/* What is written reads back the same, whatever is in it. */
static void written_rows_read_back(void **state)
{
	(void)state;
	static const char *const sqls[] = {
		"copy t to stdout", "copy t to stdout csv header", "copy t to stdout binary",
		"copy t to stdout (format csv, quote '''', escape 'x', delimiter ';', null 'N')",
		"copy t to stdout (delimiter '|', null '')"};
	static const struct span names[] = {SPAN("a"), SPAN("b,\"c")};
	static const struct span values[] = {SPAN(""),	       SPAN("plain"),	    SPAN("\\N"),      SPAN("\\."),
					     SPAN("N"),	       SPAN("'x'"),	    SPAN("a\nb\r\n"), SPAN("\"\",\""),
					     SPAN("\t\b|;\\"), SPAN("\xe2\x82\xac")};
	for (size_t s = 0; s < ARRAY_LEN(sqls); s++) {
		struct arena *arena = arena_new();
		struct copy_options o = options_of(sqls[s], arena);
		struct buf out = BUF(1 << 16);
		struct copy_reader r;
		struct pg_error e;
		enum copy_step step;
		copy_write_begin(&out, &o, names, 2);
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			copy_write_row_begin(&out, &o, 2);
			copy_write_field(&out, &o, 0, 2, false, values[i], i == 1);
			copy_write_field(&out, &o, 1, 2, true, SPAN_NONE, false);
			copy_write_row_end(&out, &o);
		}
		copy_write_end(&out, &o);
		copy_read_begin(&r, &o, SPAN("t"), names, 2, arena);
		copy_read_feed(&r, buf_view(&out));
		copy_read_finish(&r);
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			assert_true(copy_read_row(&r, &step, &e));
			assert_int_equal(step, COPY_ROW);
			/* Text with NULL '' cannot tell an empty text. */
			if (values[i].len || s != 4) {
				assert_false(r.fields[0].is_null);
				assert_true(span_eq(r.fields[0].bytes, values[i]));
			}
			assert_true(r.fields[1].is_null);
		}
		assert_true(copy_read_row(&r, &step, &e));
		assert_int_equal(step, COPY_END);
		copy_read_done(&r);
		buf_done(&out);
		arena_free(arena);
	}
}

static void csv_quotes_only_where_it_must(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct copy_options o = options_of("copy t to stdout csv", arena);
	struct buf out = BUF(1000);
	static const struct span values[] = {SPAN("a b"), SPAN(""), SPAN("x,y"), SPAN("say \"hi\"")};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		copy_write_field(&out, &o, i, 5, false, values[i], false);
	copy_write_field(&out, &o, 4, 5, true, SPAN_NONE, false);
	copy_write_row_end(&out, &o);
	assert_string_equal(out.ptr, "a b,\"\",\"x,y\",\"say \"\"hi\"\"\",\n");
	buf_done(&out);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_copies),
		cmocka_unit_test(written_rows_read_back),
		cmocka_unit_test(csv_quotes_only_where_it_must),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
