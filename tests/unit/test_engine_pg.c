/* Values in PostgreSQL's text and binary formats, and time zones. */
#include "base/limits.h"
#include "engine/encode_pg.h"
#include "engine_bed.h"

static int setup(void **state)
{
	(void)state;
	return bed_open(&(struct instance_config){.threads = 1}, "SET TimeZone='UTC'");
}

static int teardown(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

/* As a field of a row it is the same bytes, behind their length. */
static void check_field(const struct vector *v, size_t row, enum pg_format format, struct span expected)
{
	struct buf field = BUF(MIB), whole = BUF(MIB);
	encode_pg_field(v, row, format, NULL, &field);
	buf_be32(&whole, (uint32_t)expected.len);
	buf_span(&whole, expected);
	if (!span_eq(buf_view(&field), buf_view(&whole)))
		fail_msg("%s in format %d as a field differs", v->type->text, (int)format);
	buf_done(&field);
	buf_done(&whole);
}

static void test_values(void **state)
{
	(void)state;
	/* Binary as hex. NULL binary: the same bytes as the text. */
	static const struct {
		const char *value, *text, *binary;
		uint32_t oid;
		int16_t len;
		int32_t mod;
	} rows[] = {
		{"true", "t", "01", 16, 1, -1},
		{"false", "f", "00", 16, 1, -1},
		{"(-5)::TINYINT", "-5", "fffb", 21, 2, -1},
		{"255::UTINYINT", "255", "00ff", 21, 2, -1},
		{"(-32768)::SMALLINT", "-32768", "8000", 21, 2, -1},
		{"65535::USMALLINT", "65535", "0000ffff", 23, 4, -1},
		{"(-1)::INTEGER", "-1", "ffffffff", 23, 4, -1},
		{"4294967295::UINTEGER", "4294967295", "00000000ffffffff", 20, 8, -1},
		{"(-2)::BIGINT", "-2", "fffffffffffffffe", 20, 8, -1},
		{"18446744073709551615::UBIGINT", "18446744073709551615", "000500040000000007341a5802e103bb064f", 1700,
		 -1, 1310724},
		{"0::HUGEINT", "0", "0000000000000000", 1700, -1, 2555908},
		{"(-10000)::HUGEINT", "-10000", "00010001400000000001", 1700, -1, 2555908},
		{"12345::UHUGEINT", "12345", "000200010000000000010929", 1700, -1, 2555908},
		{"'123456789012345678901234567890'::BIGNUM", "123456789012345678901234567890",
		 "0008000700000000000c0d801ed204d2162e23340d801ed2", 1700, -1, -1},
		{"1.50::DECIMAL(4,2)", "1.50",
		 "00020000000000020001"
		 "1388",
		 1700, -1, 262150},
		{"(-0.05)::DECIMAL(4,2)", "-0.05", "0001ffff4000000201f4", 1700, -1, 262150},
		{"0.00::DECIMAL(4,2)", "0.00", "0000000000000002", 1700, -1, 262150},
		{"10000.0001::DECIMAL(18,4)", "10000.0001",
		 "00030001000000040001"
		 "00000001",
		 1700, -1, 1179656},
		{"0.00001::DECIMAL(10,5)", "0.00001", "0001fffe0000000503e8", 1700, -1, 655369},
		{"99999999::DECIMAL(8,0)", "99999999", "0002000100000000270f270f", 1700, -1, 524292},
		{"1.5::FLOAT", "1.5", "3fc00000", 700, 4, -1},
		{"1e6::FLOAT", "1e+06", "49742400", 700, 4, -1},
		{"1::DOUBLE", "1", "3ff0000000000000", 701, 8, -1},
		{"1e15::DOUBLE", "1e+15", "430c6bf526340000", 701, 8, -1},
		{"'nan'::DOUBLE", "NaN", "7ff8000000000000", 701, 8, -1},
		{"'-inf'::DOUBLE", "-Infinity", "fff0000000000000", 701, 8, -1},
		{"'ž'", "ž", NULL, 25, -1, -1},
		{"'{\"a\": 1}'::JSON", "{\"a\": 1}", NULL, 114, -1, -1},
		{"'\\x00\\xFFa'::BLOB", "\\x00ff61", "00ff61", 17, -1, -1},
		{"'0101'::BIT", "0101", "0000000450", 1562, -1, -1},
		{"'101010101'::BIT", "101010101", "00000009aa80", 1562, -1, -1},
		{"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		 "6ba7b8109dad11d180b400c04fd430c8", 2950, 16, -1},
		{"DATE '2000-01-01'", "2000-01-01", "00000000", 1082, 4, -1},
		{"DATE '2031-05-04'", "2031-05-04", "00002cb6", 1082, 4, -1},
		{"DATE '0044-03-15 (BC)'", "0044-03-15 BC", "fff49d7b", 1082, 4, -1},
		{"DATE 'infinity'", "infinity", "7fffffff", 1082, 4, -1},
		{"DATE '-infinity'", "-infinity", "80000000", 1082, 4, -1},
		{"TIME '09:08:07.5'", "09:08:07.5", "00000007a83f6ce0", 1083, 8, -1},
		{"'09:08:07.123456789'::TIME_NS", "09:08:07.123456", "00000007a839ae00", 1083, 8, -1},
		{"'09:08:07+05:30'::TIMETZ", "09:08:07+05:30", "00000007a837cbc0ffffb2a8", 1266, 12, -1},
		{"TIMESTAMP '2000-01-01 00:00:01'", "2000-01-01 00:00:01", "00000000000f4240", 1114, 8, -1},
		{"TIMESTAMP '1999-12-31 23:59:59.5'", "1999-12-31 23:59:59.5", "fffffffffff85ee0", 1114, 8, -1},
		{"TIMESTAMP '0044-03-15 (BC) 01:02:03'", "0044-03-15 01:02:03 BC", "ff1af9dfca4398c0", 1114, 8, -1},
		{"TIMESTAMP 'infinity'", "infinity", "7fffffffffffffff", 1114, 8, -1},
		{"TIMESTAMP '-infinity'", "-infinity", "8000000000000000", 1114, 8, -1},
		{"'2000-01-01 00:00:01'::TIMESTAMP_S", "2000-01-01 00:00:01", "00000000000f4240", 1114, 8, -1},
		{"'2000-01-01 00:00:01.5'::TIMESTAMP_MS", "2000-01-01 00:00:01.5", "000000000016e360", 1114, 8, -1},
		{"'2000-01-01 00:00:00.123456789'::TIMESTAMP_NS", "2000-01-01 00:00:00.123456", "000000000001e240",
		 1114, 8, -1},
		{"TIMESTAMPTZ '2000-01-01 00:00:01+00'", "2000-01-01 00:00:01+00", "00000000000f4240", 1184, 8, -1},
		{"INTERVAL '1 year 2 months -3 days 04:05:06.5'", "1 year 2 mons -3 days +04:05:06.5",
		 "000000036c9361a0fffffffd0000000e", 1186, 16, -1},
		{"INTERVAL '0 days'", "00:00:00", "00000000000000000000000000000000", 1186, 16, -1},
		{"INTERVAL '-1 year'", "-1 years", "000000000000000000000000fffffff4", 1186, 16, -1},
		{"INTERVAL '1 day -1 second'", "1 day -00:00:01", "fffffffffff0bdc00000000100000000", 1186, 16, -1},
		{"INTERVAL '-1 month 1 day'", "-1 mons +1 day", "000000000000000000000001ffffffff", 1186, 16, -1},
		{"INTERVAL '100 hours'", "100:00:00", "00000053d1ac10000000000000000000", 1186, 16, -1},
		{"'b c'::ENUM('a', 'b c')", "b c", NULL, 25, -1, -1},
		{"[1, NULL, 3]", "{1,NULL,3}",
		 "00000001000000010000001700000003000000010000000400000001ffffffff0000000400000003", 1007, -1, -1},
		{"[]::INTEGER[]", "{}", "000000000000000000000017", 1007, -1, -1},
		{"[true, false]", "{t,f}",
		 "00000001000000000000001000000002000000010000000101000000"
		 "0100",
		 1000, -1, -1},
		{"['a', '', 'NULL', 'a,b', 'a\"b', 'a\\b', 'a b', NULL]",
		 "{a,\"\",\"NULL\",\"a,b\",\"a\\\"b\",\"a\\\\b\",\"a b\",NULL}", "", 1009, -1, -1},
		{"['\\x00'::BLOB]", "{\"\\\\x00\"}",
		 "0000000100000000000000110000000100000001"
		 "0000000100",
		 1001, -1, -1},
		{"[DATE '2000-01-02']::DATE[1]", "{2000-01-02}",
		 "00000001000000000000043a00000001000000010000000400000001", 1182, -1, -1},
		{"[TIMESTAMP '2000-01-01 00:00:01']", "{\"2000-01-01 00:00:01\"}",
		 "00000001000000000000045a000000010000000100000008"
		 "00000000000f4240",
		 1115, -1, -1},
		{"[[1], [2]]", "[[1],[2]]", NULL, 114, -1, -1},
		{"{'a': 1, 'b': DATE '2000-01-01', 'c': 1.50::DECIMAL(4,2)}",
		 "{\"a\":1,\"b\":\"2000-01-01\",\"c\":1.50}", NULL, 114, -1, -1},
		{"map([1], ['x'])", "{\"1\":\"x\"}", NULL, 114, -1, -1},
		{"union_value(a := 1)", "1", NULL, 114, -1, -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char sql[400];
		struct buf text = BUF(MIB), binary = BUF(MIB), hex = BUF(MIB);
		(void)snprintf(sql, sizeof(sql), "SELECT %s", rows[i].value);
		struct cursor *c = bed_query(sql);
		const struct vector *v = cursor_vectors(c);
		encode_pg_text(v, 0, NULL, &text);
		if (!span_is(buf_view(&text), rows[i].text))
			fail_msg("%s: text %s", rows[i].value, buf_view(&text).ptr);
		encode_pg_binary(v, 0, NULL, &binary);
		if (rows[i].binary) {
			buf_hex(&hex, binary.ptr, binary.len);
			/* A prefix is enough for the long ones. */
			if (!span_starts(buf_view(&hex), span_of(rows[i].binary)) ||
			    (strlen(rows[i].binary) != hex.len && rows[i].oid != 1009 && rows[i].oid != 1700))
				fail_msg("%s: binary %s", rows[i].value, buf_view(&hex).ptr);
		} else {
			assert_true(span_eq(buf_view(&binary), buf_view(&text)));
		}
		check_field(v, 0, PG_FORMAT_TEXT, buf_view(&text));
		check_field(v, 0, PG_FORMAT_BINARY, buf_view(&binary));
		if (type_pg_oid(v->type) != rows[i].oid || type_pg_len(v->type) != rows[i].len ||
		    type_pg_mod(v->type) != rows[i].mod)
			fail_msg("%s: oid %u len %d mod %d", rows[i].value, type_pg_oid(v->type), type_pg_len(v->type),
				 type_pg_mod(v->type));
		buf_done(&text);
		buf_done(&binary);
		buf_done(&hex);
		cursor_close(c);
	}
}

/* A numeric's binary form read back as the documentation of its fields says. */
static void numeric_back(struct span b, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)b.ptr;
#define WORD(i) ((int16_t)(p[2 * (i)] << 8 | p[2 * (i) + 1]))
	const int n = WORD(0), weight = WORD(1), scale = WORD(3);
	assert_int_equal(b.len, 8 + 2 * (size_t)n);
	if ((uint16_t)WORD(2) == 0x4000)
		buf_byte(out, '-');
	for (int place = weight > 0 ? weight : 0; place >= -(scale + 3) / 4; place--) {
		const int i = weight - place;
		const int group = i >= 0 && i < n ? WORD(4 + i) : 0;
		assert_true(group >= 0 && group < 10000);
		char digits[8];
		(void)snprintf(digits, sizeof(digits), "%04d", group);
		if (place >= 0) {
			const bool leading = place == (weight > 0 ? weight : 0);
			buf_str(out, leading ? digits + strspn(digits, "0") : digits);
			if (leading && place == 0 && strcmp(digits, "0000") == 0)
				buf_byte(out, '0');
			if (place == 0 && scale > 0)
				buf_byte(out, '.');
		} else {
			const int left = scale - 4 * (-place - 1);
			buf_bytes(out, digits, (size_t)(left < 4 ? left : 4));
		}
	}
}

static void test_numerics(void **state)
{
	(void)state;
	static const char *const types[] = {"DECIMAL(4,1)",   "DECIMAL(9,2)",  "DECIMAL(9,9)",
					    "DECIMAL(18,5)",  "DECIMAL(18,0)", "DECIMAL(38,7)",
					    "DECIMAL(38,20)", "DECIMAL(12,4)", "DECIMAL(12,3)"};
	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		char sql[300];
		struct err err = ERR_INIT;
		struct cursor *c;
		size_t rows;
		(void)snprintf(
			sql, sizeof(sql),
			"SELECT ((hash(i) %% 1999 - 999::HUGEINT) / pow(10, i %% 9))::%s FROM range(2000) r(i) WHERE %s",
			types[t],
			t == 2	 ? "i % 9 > 3"
			: t == 0 ? "i % 9 > 0"
				 : "true");
		assert_true(session_query(session, sql, &c, &err));
		while (cursor_next(c, &rows, &err) && rows > 0)
			for (size_t row = 0; row < rows; row++) {
				struct buf text = BUF(MIB), binary = BUF(MIB), back = BUF(MIB);
				encode_pg_text(cursor_vectors(c), row, NULL, &text);
				encode_pg_binary(cursor_vectors(c), row, NULL, &binary);
				check_field(cursor_vectors(c), row, PG_FORMAT_TEXT, buf_view(&text));
				check_field(cursor_vectors(c), row, PG_FORMAT_BINARY, buf_view(&binary));
				numeric_back(buf_view(&binary), &back);
				/* "-0.0" cannot be told from zero. */
				if (!span_eq(buf_view(&back), buf_view(&text)))
					fail_msg("%s: %s came back as %s", types[t], buf_view(&text).ptr,
						 buf_view(&back).ptr);
				buf_done(&text);
				buf_done(&binary);
				buf_done(&back);
			}
		if (err.code != ERR_NONE)
			fail_msg("%s", err.message);
		cursor_close(c);
	}
}

static void test_interval_iso(void **state)
{
	(void)state;
	static const struct {
		const char *value, *text;
	} rows[] = {
		{"INTERVAL '1 year 2 months'", "P1Y2M"},
		{"INTERVAL '0 days'", "PT0S"},
		{"INTERVAL '3 days 04:05:06.5'", "P3DT4H5M6.5S"},
		{"INTERVAL '-1 day'", "P-1D"},
		{"INTERVAL '-1 second'", "PT-1S"},
		{"INTERVAL '-0.25 seconds'", "PT-0.25S"},
		{"INTERVAL '90 minutes'", "PT1H30M"},
		{"to_months(-13)", "P-1Y-1M"},
		{"INTERVAL '1 day 00:00:00.000001'", "P1DT0.000001S"},
	};
	const struct pg_style style = {.interval = PG_INTERVAL_ISO_8601};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char sql[200];
		struct buf text = BUF(MIB);
		(void)snprintf(sql, sizeof(sql), "SELECT %s", rows[i].value);
		struct cursor *c = bed_query(sql);
		encode_pg_text(cursor_vectors(c), 0, &style, &text);
		if (!span_is(buf_view(&text), rows[i].text))
			fail_msg("%s: %s", rows[i].value, buf_view(&text).ptr);
		buf_done(&text);
		cursor_close(c);
	}
}

static void test_row(void **state)
{
	(void)state;
	struct buf row = BUF(MIB), hex = BUF(MIB);
	struct cursor *c = bed_query("SELECT 1::INTEGER, NULL, 'ab', 2::INTEGER");
	const int16_t formats[] = {1, 1, 1, 0};
	encode_pg_row(cursor_vectors(c), 4, 0, formats, NULL, &row);
	buf_hex(&hex, row.ptr, row.len);
	assert_string_equal(buf_view(&hex).ptr, "000400000004"
						"00000001"
						"ffffffff"
						"00000002"
						"6162"
						"00000001"
						"32");
	buf_reset(&row);
	encode_pg_row(cursor_vectors(c), 4, 0, NULL, NULL, &row);
	assert_memory_equal(row.ptr,
			    "\0\4\0\0\0\1"
			    "1"
			    "\xff\xff\xff\xff\0\0\0\2"
			    "ab\0\0\0\1"
			    "2",
			    row.len);
	for (size_t max = 1; max < 20; max++) {
		struct buf small = BUF(max);
		encode_pg_row(cursor_vectors(c), 4, 0, formats, NULL, &small);
		assert_true(small.failed);
		buf_done(&small);
	}
	buf_done(&row);
	buf_done(&hex);
	cursor_close(c);
}

/* Our zones against the engine's, every 36 hours and a bit through their changes. */
static void test_zones(void **state)
{
	(void)state;
	static const char *const names[] = {"Europe/Prague",	   "America/New_York",	"Asia/Kolkata",
					    "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tokyo",
					    "Africa/Lagos",	   "Pacific/Chatham",	"UTC"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char sql[400];
		struct err err = ERR_INIT;
		struct cursor *c;
		size_t rows;
		const struct zone *zone = zone_find(span_of(names[i]));
		if (!zone)
			fail_msg("%s is missing", names[i]);
		assert_ptr_equal(zone, zone_find(span_of(names[i])));
		(void)snprintf(sql, sizeof(sql), "SET TimeZone='%s'", names[i]);
		assert_true(session_run(session, sql, &err));
		assert_true(session_query(
			session,
			"SELECT t, t::VARCHAR FROM (SELECT TIMESTAMPTZ '1985-01-01 00:00:00+00' + to_seconds(i * 133337) t "
			"FROM range(11000) r(i))",
			&c, &err));
		const struct pg_style style = {.zone = zone};
		while (cursor_next(c, &rows, &err) && rows > 0)
			for (size_t row = 0; row < rows; row++) {
				struct buf text = BUF(MIB);
				encode_pg_text(cursor_vectors(c), row, &style, &text);
				if (!span_eq(buf_view(&text), cursor_text(c, 1, row)))
					fail_msg("%s: %s, the engine says %.*s", names[i], buf_view(&text).ptr,
						 SPAN_ARG(cursor_text(c, 1, row)));
				buf_done(&text);
			}
		assert_int_equal(err.code, ERR_NONE);
		cursor_close(c);
	}
	struct err err = ERR_INIT;
	assert_true(session_run(session, "SET TimeZone='UTC'", &err));
	assert_int_equal(zone_offset(zone_find(SPAN("+02:00")), 0), -7200);
	assert_int_equal(zone_offset(zone_find(SPAN("-0530")), 0), 19800);
	assert_int_equal(zone_offset(NULL, 0), 0);
	static const char *const bad[] = {"",
					  "/etc/passwd",
					  "../../etc/passwd",
					  "Europe/../../etc",
					  "Nowhere/City",
					  "Europe",
					  "a//b",
					  "+",
					  "+99",
					  "+02:99",
					  "posixrules\n",
					  ".",
					  "Europe/",
					  "zone.tab"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(zone_find(span_of(bad[i])));
	assert_null(zone_find((struct span){"UTC\0x", 5}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_numerics), cmocka_unit_test(test_interval_iso),
		cmocka_unit_test(test_row),    cmocka_unit_test(test_zones),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
