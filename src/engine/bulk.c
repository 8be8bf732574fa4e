#include "engine/bulk.h"

#include "engine/appender.h"
#include "engine/core.h"

#include <stdlib.h>

struct column {
	const struct type *type;
	duckdb_vector vector;
	char *data;
	uint64_t *validity;
	bool is_set; /* in the open row */
};

struct bulk {
	struct session *session;
	struct appender *appender;
	struct arena *arena;
	duckdb_data_chunk chunk;
	struct column *columns;
	size_t column_count;
	size_t rows, room;
};

static void find_vectors(struct bulk *b)
{
	for (size_t i = 0; i < b->column_count; i++) {
		struct column *c = &b->columns[i];
		c->vector = duckdb_data_chunk_get_vector(b->chunk, i);
		duckdb_vector_ensure_validity_writable(c->vector);
		c->data = duckdb_vector_get_data(c->vector);
		c->validity = duckdb_vector_get_validity(c->vector);
		c->is_set = false;
	}
}

bool bulk_open(struct session *session, const char *catalog, const char *schema, const char *table,
	       const char *const *columns, size_t n, struct bulk **ret, struct err *err)
{
	struct appender *appender;
	if (!appender_open(session, catalog, schema, table, &appender, err))
		return false;
	if (n && !appender_columns(appender, columns, n, err)) {
		appender_abort(appender);
		return false;
	}
	struct arena *arena = arena_new();
	struct bulk *b = arena_new_of(arena, struct bulk);
	*b = (struct bulk){.session = session,
			   .appender = appender,
			   .arena = arena,
			   .column_count = appender_column_count(appender),
			   .room = duckdb_vector_size()};
	b->columns = arena_array(arena, struct column, b->column_count);
	duckdb_logical_type *types = arena_array(arena, duckdb_logical_type, b->column_count);
	for (size_t i = 0; i < b->column_count; i++) {
		b->columns[i].type = appender_column_type(appender, i);
		types[i] = appender_logical(appender, i);
	}
	b->chunk = duckdb_create_data_chunk(types, b->column_count);
	for (size_t i = 0; i < b->column_count; i++)
		duckdb_destroy_logical_type(&types[i]);
	find_vectors(b);
	*ret = b;
	return true;
}

bool bulk_takes(const struct type *type)
{
	switch (type->id) {
	case TYPE_BOOLEAN:
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
	case TYPE_INTEGER:
	case TYPE_BIGINT:
	case TYPE_UTINYINT:
	case TYPE_USMALLINT:
	case TYPE_UINTEGER:
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
	case TYPE_DECIMAL:
	case TYPE_VARCHAR:
	case TYPE_BLOB:
	case TYPE_UUID:
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_TZ:
		return true;
	default:
		return false;
	}
}

size_t bulk_column_count(const struct bulk *b)
{
	return b->column_count;
}

const struct type *bulk_column_type(const struct bulk *b, size_t column)
{
	return b->columns[column].type;
}

static bool put(struct bulk *b, size_t column, const void *value, size_t size)
{
	struct column *c = &b->columns[column];
	memcpy(c->data + b->rows * size, value, size);
	c->is_set = true;
	return true;
}

bool bulk_bool(struct bulk *b, size_t column, bool value)
{
	return b->columns[column].type->id == TYPE_BOOLEAN && put(b, column, &value, sizeof(value));
}

/* Bytes of an integer column and its range; 0: no integer. */
static size_t integer_range(enum type_id id, int64_t *ret_min, int64_t *ret_max)
{
	static const struct {
		enum type_id id;
		size_t size;
		int64_t min, max;
	} ranges[] = {
		{TYPE_TINYINT, 1, INT8_MIN, INT8_MAX},
		{TYPE_SMALLINT, 2, INT16_MIN, INT16_MAX},
		{TYPE_INTEGER, 4, INT32_MIN, INT32_MAX},
		{TYPE_BIGINT, 8, INT64_MIN, INT64_MAX},
		{TYPE_UTINYINT, 1, 0, UINT8_MAX},
		{TYPE_USMALLINT, 2, 0, UINT16_MAX},
		{TYPE_UINTEGER, 4, 0, UINT32_MAX},
		{TYPE_DATE, 4, -INT32_MAX, INT32_MAX},
		{TYPE_TIME, 8, 0, INT64_C(86400000000)},
		{TYPE_TIMESTAMP, 8, -INT64_MAX, INT64_MAX},
		{TYPE_TIMESTAMP_TZ, 8, -INT64_MAX, INT64_MAX},
	};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (ranges[i].id == id) {
			*ret_min = ranges[i].min;
			*ret_max = ranges[i].max;
			return ranges[i].size;
		}
	return 0;
}

bool bulk_int(struct bulk *b, size_t column, int64_t value)
{
	int64_t min, max;
	const size_t size = integer_range(b->columns[column].type->id, &min, &max);
	/* Little-endian: the low bytes come first. */
	return size && value >= min && value <= max && put(b, column, &value, size);
}

bool bulk_real(struct bulk *b, size_t column, double value)
{
	const enum type_id id = b->columns[column].type->id;
	const float single = (float)value;
	if (id == TYPE_DOUBLE)
		return put(b, column, &value, sizeof(value));
	return id == TYPE_FLOAT && put(b, column, &single, sizeof(single));
}

static bool rescale(number_i128 *value, unsigned from, unsigned to)
{
	for (; from < to; from++)
		if (__builtin_mul_overflow(*value, (number_i128)10, value))
			return false;
	for (; from > to + 1; from--)
		*value /= 10;
	if (from > to) {
		const int last = (int)(*value % 10);
		*value = *value / 10 + (last >= 5) - (last <= -5);
	}
	return true;
}

bool bulk_decimal(struct bulk *b, size_t column, number_i128 value, unsigned scale)
{
	const struct type *type = b->columns[column].type;
	number_i128 limit = 1;
	if (type->id != TYPE_DECIMAL || !rescale(&value, scale, type->scale))
		return false;
	for (unsigned i = 0; i < type->width; i++)
		limit *= 10;
	if (value >= limit || value <= -limit)
		return false;
	return put(b, column, &value, type->width <= 4 ? 2 : type->width <= 9 ? 4 : type->width <= 18 ? 8 : 16);
}

bool bulk_bytes(struct bulk *b, size_t column, struct span value)
{
	struct column *c = &b->columns[column];
	if (c->type->id != TYPE_VARCHAR && c->type->id != TYPE_BLOB)
		return false;
	duckdb_vector_assign_string_element_len(c->vector, b->rows, value.ptr ? value.ptr : "", value.len);
	c->is_set = true;
	return true;
}

bool bulk_uuid(struct bulk *b, size_t column, const unsigned char value[16])
{
	uint64_t words[2] = {0, 0};
	if (b->columns[column].type->id != TYPE_UUID)
		return false;
	for (size_t i = 0; i < 16; i++)
		words[i < 8] = words[i < 8] << 8 | value[i];
	/* The engine keeps the highest bit flipped, so that it orders as a number. */
	words[1] ^= UINT64_C(1) << 63;
	return put(b, column, words, sizeof(words));
}

static bool send_chunk(struct bulk *b, struct err *err)
{
	if (b->rows == 0)
		return true;
	duckdb_data_chunk_set_size(b->chunk, b->rows);
	if (!appender_chunk(b->appender, b->chunk, err))
		return false;
	b->rows = 0;
	duckdb_data_chunk_reset(b->chunk);
	find_vectors(b);
	return true;
}

bool bulk_end_row(struct bulk *b, struct err *err)
{
	for (size_t i = 0; i < b->column_count; i++) {
		struct column *c = &b->columns[i];
		if (!c->is_set)
			duckdb_validity_set_row_invalid(c->validity, b->rows);
		c->is_set = false;
	}
	return ++b->rows < b->room || send_chunk(b, err);
}

bool bulk_flush(struct bulk *b, struct err *err)
{
	return send_chunk(b, err) && appender_flush(b->appender, err);
}

void bulk_close(struct bulk *b)
{
	if (!b)
		return;
	duckdb_destroy_data_chunk(&b->chunk);
	appender_abort(b->appender);
	arena_free(b->arena);
}
