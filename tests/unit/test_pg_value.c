#include "pgwire/value.h"
#include "base/buf.h"
#include "wire_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void show(struct buf *out, const struct pg_value *v)
{
	if (v->is_null) {
		buf_str(out, "NULL");
		return;
	}
	if (v->is_array) {
		buf_byte(out, '[');
		for (uint32_t i = 0; i < v->array.dimensions; i++)
			buf_printf(out, "%u%s", v->array.lengths[i], i + 1 < v->array.dimensions ? "x" : ":");
		for (uint32_t i = 0; i < v->array.count; i++) {
			buf_str(out, i ? "," : "");
			show(out, &v->array.items[i]);
		}
		buf_byte(out, ']');
		return;
	}
	switch (v->kind) {
	case PG_KIND_BOOL:
		buf_str(out, v->boolean ? "true" : "false");
		break;
	case PG_KIND_FLOAT4:
	case PG_KIND_FLOAT8:
		buf_double(out, v->real);
		break;
	case PG_KIND_UUID:
	case PG_KIND_BYTEA:
		if (v->kind == PG_KIND_UUID)
			buf_hex(out, v->uuid, 16);
		else
			buf_hex(out, v->text.ptr, v->text.len);
		break;
	case PG_KIND_TIMETZ:
		buf_printf(out, "%lld%+d", (long long)v->timetz.us, v->timetz.east_seconds);
		break;
	case PG_KIND_INTERVAL:
		buf_printf(out, "%dm %dd %lldus", v->interval.months, v->interval.days, (long long)v->interval.us);
		break;
	case PG_KIND_TEXT:
	case PG_KIND_NUMERIC:
	case PG_KIND_JSON:
	case PG_KIND_BIT:
	case PG_KIND_REG:
	case PG_KIND_INET:
		buf_printf(out, "'%.*s'", SPAN_ARG(v->text));
		break;
	default:
		buf_i64(out, v->integer);
	}
}

static void run_case(const struct wire_case *c)
{
	uint32_t oid = pg_type_oid(span_of(wire_get(c, "type")));
	assert_int_not_equal(oid, 0);
	for (size_t i = 1; i + 1 < c->count; i += 2) {
		struct arena *arena = arena_new();
		struct buf bytes = BUF(1 << 20), out = BUF(1 << 20);
		struct pg_value v;
		struct pg_error e;
		bool binary = strcmp(c->fields[i].key, "binary") == 0;
		wire_bytes(c->fields[i].value, &bytes);
		char *exact = malloc(bytes.len + (bytes.len == 0));
		memcpy(exact, buf_view(&bytes).ptr, bytes.len);
		if (value_decode(oid, binary, (struct span){exact, bytes.len}, arena, &v, &e))
			show(&out, &v);
		else
			buf_printf(&out, "error %s", e.sqlstate);
		if (strcmp(buf_view(&out).ptr, c->fields[i + 1].value) != 0)
			fail_msg("%s, line %d, %s: got %s, want %s", c->name, c->line, c->fields[i].value, out.ptr,
				 c->fields[i + 1].value);
		free(exact);
		buf_done(&bytes);
		buf_done(&out);
		arena_free(arena);
	}
}

static void wire_values(void **state)
{
	(void)state;
	assert_true(wire_file_run("pg/value.txt", run_case) > 20);
}

static void numerics_become_decimals(void **state)
{
	(void)state;
	__int128 value;
	unsigned scale;
	assert_true(value_numeric(SPAN("-12.50"), &value, &scale));
	assert_int_equal((int)value, -1250);
	assert_int_equal(scale, 2);
	assert_true(value_numeric(SPAN("99999999999999999999999999999999999999"), &value, &scale));
	assert_false(value_numeric(SPAN("999999999999999999999999999999999999999"), &value, &scale));
	assert_false(value_numeric(SPAN("NaN"), &value, &scale));
}

static void types_are_found_by_every_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t oid;
	} rows[] = {{"int4", 23},
		    {"INTEGER", 23},
		    {"int", 23},
		    {"numeric(10,2)", 1700},
		    {"varchar(20)", 1043},
		    {"character varying", 1043},
		    {"timestamp(3) with time zone", 1184},
		    {"_int4", 1007},
		    {"int[]", 1007},
		    {"text[][]", 1009},
		    {"pg_catalog.int8", 20},
		    {"double precision", 701},
		    {"\"char\"", 18},
		    {"nope", 0},
		    {"", 0},
		    {"[]", 0},
		    {"int4]", 0},
		    {"]", 0},
		    {"int4[]]", 1007},
		    {"_", 0}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (pg_type_oid(span_of(rows[i].name)) != rows[i].oid)
			fail_msg("%s is %u", rows[i].name, pg_type_oid(span_of(rows[i].name)));
	size_t count;
	const struct pg_type *types = pg_types(&count);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(pg_type_find(types[i].oid), &types[i]);
		assert_true(i == 0 || types[i - 1].oid < types[i].oid);
		if (types[i].array)
			assert_ptr_equal(pg_type_element(types[i].array), &types[i]);
	}
	assert_null(pg_type_find(0));
	assert_null(pg_type_element(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_values),
		cmocka_unit_test(numerics_become_decimals),
		cmocka_unit_test(types_are_found_by_every_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
