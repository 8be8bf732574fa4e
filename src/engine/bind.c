#include "engine/bind.h"

#include "engine/core.h"

#include <stdlib.h>

enum { DECIMAL_DIGITS = 38 };

static duckdb_value decimal(const struct bind_value *v)
{
	duckdb_hugeint huge = {(uint64_t)v->decimal.unscaled, (int64_t)(v->decimal.unscaled >> 64)};
	return duckdb_create_decimal((duckdb_decimal){DECIMAL_DIGITS, (uint8_t)v->decimal.scale, huge});
}

static duckdb_value uuid(const unsigned char bytes[16])
{
	duckdb_uhugeint huge = {0, 0};
	for (int i = 0; i < 8; i++) {
		huge.upper = huge.upper << 8 | bytes[i];
		huge.lower = huge.lower << 8 | bytes[i + 8];
	}
	return duckdb_create_uuid(huge);
}

static const char *text_of(struct span s)
{
	return s.ptr ? s.ptr : "";
}

static duckdb_value scalar(const struct bind_value *v)
{
	switch (v->kind) {
	case BIND_BOOL:
		return duckdb_create_bool(v->boolean);
	case BIND_INT:
		return duckdb_create_int64(v->integer);
	case BIND_DOUBLE:
		return duckdb_create_double(v->real);
	case BIND_DECIMAL:
		return decimal(v);
	case BIND_TEXT:
		return duckdb_create_varchar_length(text_of(v->text), v->text.len);
	case BIND_BLOB:
		return duckdb_create_blob((const uint8_t *)text_of(v->text), v->text.len);
	case BIND_DATE:
		return duckdb_create_date((duckdb_date){(int32_t)v->integer});
	case BIND_TIME:
		return duckdb_create_time((duckdb_time){v->integer});
	case BIND_TIMESTAMP:
		return duckdb_create_timestamp((duckdb_timestamp){v->integer});
	case BIND_TIMESTAMP_TZ:
		return duckdb_create_timestamp_tz((duckdb_timestamp){v->integer});
	case BIND_INTERVAL:
		return duckdb_create_interval((duckdb_interval){v->interval.months, v->interval.days, v->interval.us});
	case BIND_UUID:
		return uuid(v->uuid);
	default:
		return duckdb_create_null_value();
	}
}

/* Decimals of one list may differ in scale: text brings them together. */
static duckdb_type item_type(enum bind_kind kind)
{
	static const duckdb_type types[] = {
		[BIND_BOOL] = DUCKDB_TYPE_BOOLEAN,	  [BIND_INT] = DUCKDB_TYPE_BIGINT,
		[BIND_DOUBLE] = DUCKDB_TYPE_DOUBLE,	  [BIND_BLOB] = DUCKDB_TYPE_BLOB,
		[BIND_DATE] = DUCKDB_TYPE_DATE,		  [BIND_TIME] = DUCKDB_TYPE_TIME,
		[BIND_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP, [BIND_TIMESTAMP_TZ] = DUCKDB_TYPE_TIMESTAMP_TZ,
		[BIND_INTERVAL] = DUCKDB_TYPE_INTERVAL,	  [BIND_UUID] = DUCKDB_TYPE_UUID,
		[BIND_TEXT] = DUCKDB_TYPE_VARCHAR,	  [BIND_LIST] = DUCKDB_TYPE_VARCHAR,
	};
	return types[kind] ? types[kind] : DUCKDB_TYPE_VARCHAR;
}

static duckdb_value list(const struct bind_value *v)
{
	duckdb_logical_type type = duckdb_create_logical_type(item_type(v->list.kind));
	duckdb_value *items = mem_alloc_array(sizeof(*items), v->list.count + 1);
	for (size_t i = 0; i < v->list.count; i++)
		items[i] = scalar(&v->list.items[i]);
	duckdb_value value = duckdb_create_list_value(type, items, v->list.count);
	for (size_t i = 0; i < v->list.count; i++)
		duckdb_destroy_value(&items[i]);
	free(items);
	duckdb_destroy_logical_type(&type);
	return value;
}

duckdb_value bind_make(const struct bind_value *v)
{
	return v->kind == BIND_LIST ? list(v) : scalar(v);
}

static bool texts_are_utf8(const struct bind_value *v)
{
	if (v->kind == BIND_TEXT)
		return span_is_utf8(v->text);
	for (size_t i = 0; v->kind == BIND_LIST && i < v->list.count; i++)
		if (v->list.items[i].kind == BIND_TEXT && !span_is_utf8(v->list.items[i].text))
			return false;
	return true;
}

bool statement_bind(struct statement *s, size_t index, const struct bind_value *v, struct err *err)
{
	if (!texts_are_utf8(v)) {
		s->session->fault = (struct fault){.kind = FAULT_KIND_INVALID_INPUT, .sqlstate = "22021"};
		return err_set(err, ERR_ENGINE_REFUSED, "Parameter $%zu is not valid UTF-8", index);
	}
	duckdb_value value = bind_make(v);
	bool fine = value && duckdb_bind_value(s->prepared, index, value) == DuckDBSuccess;
	if (value)
		duckdb_destroy_value(&value);
	if (fine)
		return true;
	s->session->fault = (struct fault){.kind = FAULT_KIND_INVALID_INPUT, .sqlstate = "22023"};
	return err_set(err, ERR_ENGINE_REFUSED, "Parameter $%zu cannot be bound", index);
}
