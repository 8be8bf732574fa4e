/*
 * Parameters as SQL literals. A parameter without a type becomes an untyped literal, which takes the type its place asks
 * for, as in PostgreSQL; a typed one becomes a cast. The engine plans statements with parameters anew each time anyway, so
 * nothing is lost, and literals are seen by the rewriting of catalog functions.
 */
#include "pgwire/backend.h"
#include "pgwire/types.h"
#include "pgwire/value.h"

#include <math.h>

const char *literal_type(uint32_t oid, struct arena *arena)
{
	const struct pg_type *type = pg_type_find(oid);
	const struct pg_type *element = type ? NULL : pg_type_element(oid);
	if (element)
		return arena_printf(arena, "%s[]", element->kind == PG_KIND_NUMERIC ? "DOUBLE" : element->engine);
	if (!type || type->kind == PG_KIND_NUMERIC || type->kind == PG_KIND_TEXT || type->kind == PG_KIND_REG ||
	    type->kind == PG_KIND_INET || type->kind == PG_KIND_REFUSED)
		return NULL;
	return type->engine;
}

static void put_bytes(struct buf *out, struct span bytes)
{
	buf_byte(out, '\'');
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(out, "\\x%02X", (unsigned char)bytes.ptr[i]);
	buf_str(out, "'::BLOB");
}

static void put_instant(struct buf *out, int64_t us, bool with_zone)
{
	const char *type = with_zone ? "TIMESTAMPTZ" : "TIMESTAMP";
	if (us == VALUE_TIME_INFINITY || us == -VALUE_TIME_INFINITY)
		buf_printf(out, "'%sinfinity'::%s", us < 0 ? "-" : "", type);
	else if (with_zone)
		buf_printf(out, "make_timestamptz(%lld)", (long long)us);
	else
		buf_printf(out, "make_timestamp(%lld)", (long long)us);
}

static void put_date(struct buf *out, int64_t days)
{
	if (days == VALUE_DATE_INFINITY || days == -VALUE_DATE_INFINITY)
		buf_printf(out, "'%sinfinity'::DATE", days < 0 ? "-" : "");
	else
		buf_printf(out, "(DATE '1970-01-01' + (%lld)::INTEGER)", (long long)days);
}

static void put_time(struct buf *out, int64_t us)
{
	buf_printf(out, "'%02lld:%02lld:%02lld.%06lld'", (long long)(us / 3600000000), (long long)(us / 60000000 % 60),
		   (long long)(us / 1000000 % 60), (long long)(us % 1000000));
}

static void put_real(struct buf *out, double real, const char *type)
{
	buf_byte(out, '\'');
	buf_double(out, real);
	buf_printf(out, "'::%s", type);
}

static void put_numeric(struct buf *out, struct span text)
{
	__int128 unscaled;
	unsigned scale;
	if (!value_numeric(text, &unscaled, &scale)) {
		buf_byte(out, '\'');
		buf_span(out, text);
		buf_str(out, "'::DOUBLE");
		return;
	}
	buf_printf(out, "'%.*s'::DECIMAL(38,%u)", SPAN_ARG(text), scale);
}

static void put_scalar(struct buf *out, const struct pg_value *v, const char *type)
{
	switch (v->kind) {
	case PG_KIND_BOOL:
		buf_str(out, v->boolean ? "true" : "false");
		return;
	case PG_KIND_INT2:
	case PG_KIND_INT4:
	case PG_KIND_INT8:
	case PG_KIND_OID:
		buf_printf(out, "('%lld'::%s)", (long long)v->integer, type ? type : "BIGINT");
		return;
	case PG_KIND_FLOAT4:
	case PG_KIND_FLOAT8:
		put_real(out, v->real, v->kind == PG_KIND_FLOAT4 ? "FLOAT" : "DOUBLE");
		return;
	case PG_KIND_NUMERIC:
		put_numeric(out, v->text);
		return;
	case PG_KIND_BYTEA:
		put_bytes(out, v->text);
		return;
	case PG_KIND_DATE:
		put_date(out, v->integer);
		return;
	case PG_KIND_TIME:
		put_time(out, v->integer);
		buf_str(out, "::TIME");
		return;
	case PG_KIND_TIMETZ:
		buf_byte(out, '\'');
		value_put_timetz(out, v);
		buf_str(out, "'::TIMETZ");
		return;
	case PG_KIND_TIMESTAMP:
	case PG_KIND_TIMESTAMPTZ:
		put_instant(out, v->integer, v->kind == PG_KIND_TIMESTAMPTZ);
		return;
	case PG_KIND_INTERVAL:
		buf_printf(out, "(to_months(%d) + to_days(%d) + to_microseconds(%lld))", v->interval.months,
			   v->interval.days, (long long)v->interval.us);
		return;
	case PG_KIND_UUID:
		buf_byte(out, '\'');
		buf_hex(out, v->uuid, sizeof(v->uuid));
		buf_str(out, "'::UUID");
		return;
	default:
		lexer_quote_string(out, v->text);
		if (type)
			buf_printf(out, "::%s", type);
	}
}

static bool put_array(struct buf *out, const struct pg_value *v, const char *type, struct pg_error *e)
{
	bool typed = true;
	if (v->array.dimensions > 1)
		return pg_error_set(e, "0A000", "parameters that are arrays of arrays are not supported");
	buf_byte(out, '[');
	for (uint32_t i = 0; i < v->array.count; i++) {
		if (i)
			buf_str(out, ", ");
		if (v->array.items[i].is_null)
			buf_str(out, "NULL");
		else
			put_scalar(out, &v->array.items[i], NULL);
		/* Decimals bring their type; the list's would round them. */
		typed = typed && (v->array.items[i].is_null || v->array.items[i].kind != PG_KIND_NUMERIC);
	}
	buf_byte(out, ']');
	if (type && typed)
		buf_printf(out, "::%s", type);
	return true;
}

bool literal_write(uint32_t oid, unsigned format, struct span bytes, struct arena *arena, struct buf *out,
		   struct pg_error *e)
{
	struct pg_value v;
	const char *type = literal_type(oid, arena);
	if (!value_decode(oid, format, bytes, arena, &v, e))
		return false;
	if (v.is_array)
		return put_array(out, &v, type, e);
	put_scalar(out, &v, type);
	return !out->failed || pg_error_set(e, "54000", "the parameters are too long");
}
