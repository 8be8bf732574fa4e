/* tests/wire/pg/copy.txt, each case with its data split at every byte and fed byte by byte. */
#include "pgwire/backend.h"
#include "pgwire/copy.h"
#include "pgwire/value.h"
#include "wire_file.h"

#include <math.h>
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
			if (i >= r->count)
				return copy_read_missing(r, i, e);
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
		/* Without the texts that follow. */
		const size_t place = span_find(span_of(e.where), ':');
		buf_printf(&out, " error %s%s%.*s", e.sqlstate, place ? " " : "", (int)place, e.where);
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

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What is taken at all is the double that strtod reads. */
static void plain_reals_are_read_exactly(void **state)
{
	(void)state;
	/* Halfway between two doubles, and just beside. */
	static const char *const close[] = {"9007199254740993",
					    "9007199254740993.0",
					    "9007199254740993.001",
					    "0.5000000000000000555",
					    "1.000000000000000111",
					    "0.1",
					    "-0",
					    "-123456.789",
					    "18014398509481985",
					    "0.000000000000000001"};
	uint64_t seed = 88172645463325252;
	size_t taken = 0;
	for (size_t i = 0; i < 200000; i++) {
		char text[64];
		struct bind_value v;
		const int scale = (int)(next_random(&seed) % 19);
		const uint64_t number = next_random(&seed) >> (1 + next_random(&seed) % 60);
		if (i < ARRAY_LEN(close)) {
			(void)snprintf(text, sizeof(text), "%s", close[i]);
		} else {
			char digits[32];
			const int n = snprintf(digits, sizeof(digits), "%020llu", (unsigned long long)number);
			(void)snprintf(text, sizeof(text), "%.*s.%s", n - scale, digits, digits + n - scale);
			const size_t zeros = strspn(text, "0");
			memmove(text, text + zeros - (text[zeros] == '.'),
				strlen(text) + 1 - zeros + (text[zeros] == '.'));
		}
		if (!copy_plain(PG_KIND_FLOAT8, span_of(text), &v))
			continue;
		taken++;
		const double expected = strtod(text, NULL);
		assert_int_equal(v.kind, BIND_DOUBLE);
		/* The sign of zero counts too. */
		if (expected < v.real || expected > v.real || signbit(expected) != signbit(v.real))
			fail_msg("%s: %.17g instead of %.17g", text, v.real, expected);
	}
	assert_true(taken > 100000);
}

/* The same as the general path, or nothing at all. */
static void plain_fields_mean_the_same(void **state)
{
	(void)state;
	static const struct {
		uint32_t oid;
		enum pg_kind kind;
		const char *text;
		bool plain;
	} cases[] = {
		{OID_INT4, PG_KIND_INT4, "-2147483647", true},
		{OID_INT4, PG_KIND_INT4, "2147483648", false},
		{OID_INT2, PG_KIND_INT2, "32768", false},
		{OID_INT8, PG_KIND_INT8, "-", false},
		{OID_INT8, PG_KIND_INT8, "", false},
		{OID_INT8, PG_KIND_INT8, "1.0", false},
		{OID_INT8, PG_KIND_INT8, "1.", false},
		{OID_INT8, PG_KIND_INT8, "999999999999999999", true},
		{OID_INT8, PG_KIND_INT8, "9223372036854775808", false},
		{OID_NUMERIC, PG_KIND_NUMERIC, "-12.50", true},
		{OID_NUMERIC, PG_KIND_NUMERIC, "1.2.3", false},
		{OID_NUMERIC, PG_KIND_NUMERIC, ".5", false},
		{OID_NUMERIC, PG_KIND_NUMERIC, "NaN", false},
		{OID_FLOAT8, PG_KIND_FLOAT8, "1e5", false},
		{OID_FLOAT8, PG_KIND_FLOAT8, "Infinity", false},
		{OID_BOOL, PG_KIND_BOOL, "t", true},
		{OID_BOOL, PG_KIND_BOOL, "tr", false},
		{OID_DATE, PG_KIND_DATE, "2024-02-29", true},
		{OID_DATE, PG_KIND_DATE, "2023-02-29", false},
		{OID_DATE, PG_KIND_DATE, "2023-13-01", false},
		{OID_DATE, PG_KIND_DATE, "0000-01-01", false},
		{OID_DATE, PG_KIND_DATE, "1969-12-31", true},
		{OID_DATE, PG_KIND_DATE, "2023/01/01", false},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "1969-12-31 23:59:59.5", true},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "2024-05-06 07:08:09.123456", true},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "2024-05-06 07:08:09.", false},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "2024-05-06 24:00:00", false},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "2024-05-06 07:60:00", false},
		{OID_TIMESTAMP, PG_KIND_TIMESTAMP, "2024-05-06 07:08:09+02", false},
		{OID_TEXT, PG_KIND_TEXT, "gr\xc3\xbc\xc3\x9f dich, Welt", true},
		{OID_TEXT, PG_KIND_TEXT, "eight.by\xc3", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct bind_value plain, general = {.kind = BIND_NULL};
		struct pg_error e = PG_ERROR_INIT;
		if (copy_plain(cases[i].kind, span_of(cases[i].text), &plain) != cases[i].plain)
			fail_msg("%s is %staken", cases[i].text, cases[i].plain ? "not " : "");
		if (cases[i].plain) {
			assert_true(parameter_decode(cases[i].oid, 0, span_of(cases[i].text), arena, &general, &e));
			assert_int_equal(plain.kind, general.kind);
			if (plain.kind == BIND_DECIMAL) {
				assert_true(plain.decimal.unscaled == general.decimal.unscaled);
				assert_int_equal(plain.decimal.scale, general.decimal.scale);
			} else if (plain.kind == BIND_TEXT) {
				assert_true(span_eq(plain.text, general.text));
			} else if (plain.kind == BIND_BOOL) {
				assert_true(plain.boolean == general.boolean);
			} else {
				assert_true(plain.integer == general.integer);
			}
		}
		arena_free(arena);
	}
	struct bind_value v;
	assert_false(copy_plain(PG_KIND_TEXT, (struct span){"nul\0inside", 10}, &v));
}

static void only_json_is_json(void **state)
{
	(void)state;
	static const char *const good[] = {"1",
					   "-0",
					   "0.5e-10",
					   "1E+400",
					   "\"\"",
					   "\"\\u00e9\\n\\\\\"",
					   "null",
					   " [ ] ",
					   "{}",
					   "{\"a\":[1,{\"b\":null}],\"a\":true}",
					   "[[],[{}],\n\t{\"x\" : \"y\"}]"};
	static const char *const bad[] = {
		"",	  " ",	   "{a}",	"'a'",	"[1,]", "[,1]",	    "{\"a\"}",	"{\"a\":}", "{\"a\":1,}",
		"{1:2}",  "[1}",   "{\"a\":1]", "1 2",	"01",	"1.",	    ".5",	"+1",	    "-",
		"1e",	  "nul",   "nullx",	"True", "[1",	"{\"a\":1", "\"a",	"\"\\x\"",  "\"\\u12g4\"",
		"\"\n\"", "[1 2]", "]",		"}",	"[]]",	",",	    "{\"a\" 1}"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!value_is_json(span_of(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (value_is_json(span_of(bad[i])))
			fail_msg("%s is taken", bad[i]);
	/* Exactly as long as its text, whatever stands behind. */
	const char *whole = good[9];
	for (size_t n = 0; n < strlen(whole); n++) {
		char *cut = malloc(n + 1);
		memcpy(cut, whole, n);
		assert_false(value_is_json((struct span){cut, n}));
		free(cut);
	}
	char deep[5000];
	memset(deep, '[', sizeof(deep));
	assert_false(value_is_json((struct span){deep, sizeof(deep)}));
	memset(deep + 1000, ']', 1000);
	assert_true(value_is_json((struct span){deep, 2000}));
	assert_false(value_is_json((struct span){"1\0", 2}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_copies),
		cmocka_unit_test(written_rows_read_back),
		cmocka_unit_test(csv_quotes_only_where_it_must),
		cmocka_unit_test(plain_reals_are_read_exactly),
		cmocka_unit_test(plain_fields_mean_the_same),
		cmocka_unit_test(only_json_is_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
