/* Parameters of Bind as values of the engine. */
#include "pgwire/backend.h"
#include "pgwire/types.h"
#include "pgwire/value.h"

#include <stdlib.h>

/* What has no value of its own in the engine's interface goes as text and is cast where it stands. */
static void text_of(const struct pg_value *v, struct arena *arena, struct bind_value *ret)
{
	ret->kind = BIND_TEXT;
	if (v->kind != PG_KIND_TIMETZ) {
		ret->text = v->text;
		return;
	}
	struct buf text = BUF(64);
	value_put_timetz(&text, v);
	ret->text = arena_span(arena, buf_view(&text));
	buf_done(&text);
}

static void numeric_of(const struct pg_value *v, struct arena *arena, struct bind_value *ret)
{
	ret->kind = BIND_DECIMAL;
	if (value_numeric(v->text, &ret->decimal.unscaled, &ret->decimal.scale))
		return;
	/* More digits than the engine's decimals have, NaN, infinity. */
	ret->kind = BIND_DOUBLE;
	ret->real = strtod(arena_copy(arena, v->text), NULL);
}

static void scalar_of(const struct pg_value *v, struct arena *arena, struct bind_value *ret)
{
	static const enum bind_kind kinds[] = {
		[PG_KIND_INT2] = BIND_INT,
		[PG_KIND_INT4] = BIND_INT,
		[PG_KIND_INT8] = BIND_INT,
		[PG_KIND_OID] = BIND_INT,
		[PG_KIND_DATE] = BIND_DATE,
		[PG_KIND_TIME] = BIND_TIME,
		[PG_KIND_TIMESTAMP] = BIND_TIMESTAMP,
		[PG_KIND_TIMESTAMPTZ] = BIND_TIMESTAMP_TZ,
	};
	if (v->is_null) {
		ret->kind = BIND_NULL;
		return;
	}
	switch (v->kind) {
	case PG_KIND_BOOL:
		*ret = (struct bind_value){.kind = BIND_BOOL, .boolean = v->boolean};
		return;
	case PG_KIND_FLOAT4:
	case PG_KIND_FLOAT8:
		*ret = (struct bind_value){.kind = BIND_DOUBLE, .real = v->real};
		return;
	case PG_KIND_NUMERIC:
		numeric_of(v, arena, ret);
		return;
	case PG_KIND_BYTEA:
		*ret = (struct bind_value){.kind = BIND_BLOB, .text = v->text};
		return;
	case PG_KIND_INTERVAL:
		*ret = (struct bind_value){.kind = BIND_INTERVAL,
					   .interval = {v->interval.months, v->interval.days, v->interval.us}};
		return;
	case PG_KIND_UUID:
		ret->kind = BIND_UUID;
		memcpy(ret->uuid, v->uuid, sizeof(ret->uuid));
		return;
	default:
		if ((size_t)v->kind < ARRAY_LEN(kinds) && kinds[v->kind] != BIND_NULL)
			*ret = (struct bind_value){.kind = kinds[v->kind], .integer = v->integer};
		else
			text_of(v, arena, ret);
	}
}

static bool list_of(const struct pg_value *v, struct arena *arena, struct bind_value *ret, struct pg_error *e)
{
	if (v->array.dimensions > 1)
		return pg_error_set(e, "0A000", "parameters that are arrays of arrays are not supported");
	*ret = (struct bind_value){.kind = BIND_LIST};
	ret->list.items = arena_array(arena, struct bind_value, v->array.count + 1U);
	ret->list.count = v->array.count;
	ret->list.kind = BIND_NULL;
	for (uint32_t i = 0; i < v->array.count; i++) {
		struct bind_value *item = &ret->list.items[i];
		scalar_of(&v->array.items[i], arena, item);
		if (item->kind == BIND_NULL)
			continue;
		/* Items of several kinds meet as text. */
		bool same = ret->list.kind == BIND_NULL || ret->list.kind == item->kind;
		ret->list.kind = same ? item->kind : BIND_TEXT;
	}
	return true;
}

bool parameter_decode(uint32_t oid, unsigned format, struct span bytes, struct arena *arena, struct bind_value *ret,
		      struct pg_error *e)
{
	struct pg_value v;
	if (!value_decode(oid, format, bytes, arena, &v, e))
		return false;
	if (v.is_array)
		return list_of(&v, arena, ret, e);
	scalar_of(&v, arena, ret);
	return true;
}
