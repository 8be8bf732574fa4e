#include "engine/bulk.h"

#include "base/pool.h"
#include "engine/appender.h"
#include "engine/bind.h"
#include "engine/core.h"

#include <stdlib.h>

/* What a column takes. */
struct column {
	const struct type *type;
	size_t size;	   /* bytes of a value of a fixed width */
	int64_t min, max;  /* of integers */
	number_i128 limit; /* of decimals: the first that is too large */
	bool is_set;	   /* in the open row */
};

struct room {
	duckdb_vector vector;
	char *data;
	uint64_t *validity;
};

/* Long texts of a chunk. */
struct block {
	struct block *next;
	size_t size, used;
	char bytes[];
};

/* A chunk and where its columns stand in memory. */
struct slot {
	duckdb_data_chunk chunk;
	struct room *rooms;
	struct block *texts; /* newest first */
	size_t rows;
	size_t bytes; /* of all its texts */
	bool flush;   /* behind it */
};

/*
 * The thread that appends slots while others are filled. They are many, because the engine compresses a row group at
 * once: as long as it does, rows go on gathering. The slots from `first` on are `given`.
 */
struct writer {
	struct bulk *bulk;
	unsigned long thread;
	pthread_mutex_t lock;
	pthread_cond_t more, less; /* slots given */
	size_t first, given;
	size_t bytes; /* of their texts */
	bool stopping;
	bool failed;
	struct err err;
};

enum {
	SLOTS_MOST = 64,
	SLOTS_BYTES = 16 * 1024 * 1024, /* of all slots without their texts, and of the texts that are given */
	BLOCK_BYTES = 64 * 1024 - sizeof(struct block),
	VALUE_BYTES = 16 /* of a column in a row, at the most */
};

struct bulk {
	struct session *session;
	struct appender *appender;
	struct arena *arena;
	struct column *columns;
	size_t column_count;
	size_t room;
	struct slot *slots;
	size_t slot_count, filling;
	struct slot *slot; /* that is filled */
	struct writer *writer;
};

static void find_rooms(const struct bulk *b, struct slot *s)
{
	for (size_t i = 0; i < b->column_count; i++) {
		struct room *room = &s->rooms[i];
		room->vector = duckdb_data_chunk_get_vector(s->chunk, i);
		duckdb_vector_ensure_validity_writable(room->vector);
		room->data = duckdb_vector_get_data(room->vector);
		room->validity = duckdb_vector_get_validity(room->vector);
	}
}

/* Bytes and range of the integers and of what is counted like them. */
static void set_range(struct column *c)
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
		if (ranges[i].id == c->type->id) {
			c->size = ranges[i].size;
			c->min = ranges[i].min;
			c->max = ranges[i].max;
		}
}

static void set_column(struct column *c, const struct type *type)
{
	c->type = type;
	set_range(c);
	if (type->id != TYPE_DECIMAL)
		return;
	c->size = type->width <= 4 ? 2 : type->width <= 9 ? 4 : type->width <= 18 ? 8 : 16;
	c->limit = 1;
	for (unsigned i = 0; i < type->width; i++)
		c->limit *= 10;
}

static void slot_make(struct bulk *b, struct slot *s)
{
	duckdb_logical_type *types = arena_array(b->arena, duckdb_logical_type, b->column_count + 1);
	for (size_t i = 0; i < b->column_count; i++)
		types[i] = appender_logical(b->appender, i);
	s->chunk = duckdb_create_data_chunk(types, b->column_count);
	for (size_t i = 0; i < b->column_count; i++)
		duckdb_destroy_logical_type(&types[i]);
	s->rooms = arena_array(b->arena, struct room, b->column_count + 1);
	find_rooms(b, s);
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
	const size_t slots = SLOTS_BYTES / (VALUE_BYTES * b->room * (b->column_count + 1));
	b->slot_count = slots < 2 ? 2 : slots > SLOTS_MOST ? SLOTS_MOST : slots;
	b->slots = arena_array(arena, struct slot, b->slot_count);
	b->slot = &b->slots[0];
	for (size_t i = 0; i < b->column_count; i++)
		set_column(&b->columns[i], appender_column_type(appender, i));
	slot_make(b, b->slot);
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
	case TYPE_JSON:
	case TYPE_BLOB:
	case TYPE_UUID:
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_TZ:
	case TYPE_INTERVAL:
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

static inline bool put(struct bulk *b, size_t column, const void *value, size_t size)
{
	memcpy(b->slot->rooms[column].data + b->slot->rows * size, value, size);
	b->columns[column].is_set = true;
	return true;
}

bool bulk_bool(struct bulk *b, size_t column, bool value)
{
	return b->columns[column].type->id == TYPE_BOOLEAN && put(b, column, &value, sizeof(value));
}

bool bulk_int(struct bulk *b, size_t column, int64_t value)
{
	const struct column *c = &b->columns[column];
	/* Little-endian: the low bytes come first. */
	return c->size && !c->limit && value >= c->min && value <= c->max && put(b, column, &value, c->size);
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
	const struct column *c = &b->columns[column];
	return c->limit && rescale(&value, scale, c->type->scale) && value < c->limit && value > -c->limit &&
	       put(b, column, &value, c->size);
}

/* A copy that lives as long as the slot's rows do. */
static char *keep_text(struct slot *s, struct span text)
{
	struct block *block = s->texts;
	if (!block || block->size - block->used < text.len) {
		const size_t size = text.len > BLOCK_BYTES / 4 ? text.len : BLOCK_BYTES;
		block = mem_grow(NULL, sizeof(*block) + size);
		*block = (struct block){.next = s->texts, .size = size};
		s->texts = block;
	}
	char *copy = block->bytes + block->used;
	memcpy(copy, text.ptr, text.len);
	block->used += text.len;
	s->bytes += text.len;
	return copy;
}

static void forget_texts(struct slot *s)
{
	while (s->texts) {
		struct block *next = s->texts->next;
		free(s->texts);
		s->texts = next;
	}
	s->bytes = 0;
}

bool bulk_bytes(struct bulk *b, size_t column, struct span value)
{
	const enum type_id id = b->columns[column].type->id;
	duckdb_string_t text = {0};
	if ((id != TYPE_VARCHAR && id != TYPE_JSON && id != TYPE_BLOB) || value.len > UINT32_MAX)
		return false;
	if (value.len <= sizeof(text.value.inlined.inlined)) {
		text.value.inlined.length = (uint32_t)value.len;
		if (value.len)
			memcpy(text.value.inlined.inlined, value.ptr, value.len);
	} else {
		text.value.pointer.length = (uint32_t)value.len;
		memcpy(text.value.pointer.prefix, value.ptr, sizeof(text.value.pointer.prefix));
		text.value.pointer.ptr = keep_text(b->slot, value);
	}
	return put(b, column, &text, sizeof(text));
}

bool bulk_interval(struct bulk *b, size_t column, int32_t months, int32_t days, int64_t us)
{
	const duckdb_interval value = {.months = months, .days = days, .micros = us};
	return b->columns[column].type->id == TYPE_INTERVAL && put(b, column, &value, sizeof(value));
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

/* The value as one of the column's type, by the kinds that have a form in the column. */
bool bulk_value(struct bulk *b, size_t column, const struct bind_value *v)
{
	const enum type_id id = b->columns[column].type->id;
	switch (v->kind) {
	case BIND_NULL:
		return true;
	case BIND_BOOL:
		return bulk_bool(b, column, v->boolean);
	case BIND_INT:
		return type_is_integer(id) && bulk_int(b, column, v->integer);
	case BIND_DOUBLE:
		return bulk_real(b, column, v->real);
	case BIND_DECIMAL:
		return bulk_decimal(b, column, v->decimal.unscaled, v->decimal.scale);
	case BIND_TEXT:
		return id != TYPE_BLOB && bulk_bytes(b, column, v->text);
	case BIND_BLOB:
		return id == TYPE_BLOB && bulk_bytes(b, column, v->text);
	case BIND_DATE:
		return id == TYPE_DATE && bulk_int(b, column, v->integer);
	case BIND_TIME:
		return id == TYPE_TIME && bulk_int(b, column, v->integer);
	case BIND_TIMESTAMP:
		return id == TYPE_TIMESTAMP && bulk_int(b, column, v->integer);
	case BIND_TIMESTAMP_TZ:
		return id == TYPE_TIMESTAMP_TZ && bulk_int(b, column, v->integer);
	case BIND_INTERVAL:
		return bulk_interval(b, column, v->interval.months, v->interval.days, v->interval.us);
	case BIND_UUID:
		return bulk_uuid(b, column, v->uuid);
	default:
		return false;
	}
}

void bulk_drop_row(struct bulk *b)
{
	for (size_t i = 0; i < b->column_count; i++)
		b->columns[i].is_set = false;
}

/* Appends a slot's rows and empties it. */
static bool slot_send(struct bulk *b, struct slot *s, struct err *err)
{
	bool fine = true;
	if (s->rows) {
		duckdb_data_chunk_set_size(s->chunk, s->rows);
		fine = appender_chunk(b->appender, s->chunk, err);
		s->rows = 0;
		forget_texts(s);
		duckdb_data_chunk_reset(s->chunk);
		find_rooms(b, s);
	}
	if (fine && s->flush)
		fine = appender_flush(b->appender, err);
	s->flush = false;
	return fine;
}

static void *writer_thread(void *ctx)
{
	struct writer *w = ctx;
	struct bulk *b = w->bulk;
	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->given && !w->stopping)
			(void)pthread_cond_wait(&w->more, &w->lock);
		if (!w->given || w->stopping)
			break;
		struct slot *s = &b->slots[w->first];
		const size_t bytes = s->bytes;
		const bool failed = w->failed;
		(void)pthread_mutex_unlock(&w->lock);
		struct err err = ERR_INIT;
		const bool fine = failed || slot_send(b, s, &err);
		(void)pthread_mutex_lock(&w->lock);
		w->first = (w->first + 1) % b->slot_count;
		w->given--;
		w->bytes -= bytes;
		if (!fine) {
			w->failed = true;
			w->err = err;
		}
		(void)pthread_cond_signal(&w->less);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Waits until the writer has at most so many slots, and texts for as long. */
static bool writer_wait(struct writer *w, size_t slots, struct err *err)
{
	(void)pthread_mutex_lock(&w->lock);
	while (w->given > slots || (w->given && w->bytes > SLOTS_BYTES))
		(void)pthread_cond_wait(&w->less, &w->lock);
	const bool fine = !w->failed;
	if (!fine)
		*err = w->err;
	(void)pthread_mutex_unlock(&w->lock);
	return fine;
}

/* Hands the filled slot on; another one is next. */
static bool hand_over(struct bulk *b, struct err *err)
{
	struct writer *w = b->writer;
	if (!w)
		return slot_send(b, b->slot, err);
	if (!writer_wait(w, b->slot_count - 2, err))
		return false;
	(void)pthread_mutex_lock(&w->lock);
	w->given++;
	w->bytes += b->slot->bytes;
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->lock);
	b->filling = (b->filling + 1) % b->slot_count;
	b->slot = &b->slots[b->filling];
	if (!b->slot->chunk)
		slot_make(b, b->slot);
	return true;
}

void bulk_overlap(struct bulk *b)
{
	if (b->writer)
		return;
	struct writer *w = arena_new_of(b->arena, struct writer);
	w->bulk = b;
	w->first = b->filling;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	(void)pthread_cond_init(&w->less, NULL);
	b->writer = w;
	thread_start("bulk-writer", writer_thread, w, &w->thread);
}

bool bulk_end_row(struct bulk *b, struct err *err)
{
	struct slot *s = b->slot;
	for (size_t i = 0; i < b->column_count; i++) {
		if (!b->columns[i].is_set)
			duckdb_validity_set_row_invalid(s->rooms[i].validity, s->rows);
		b->columns[i].is_set = false;
	}
	return ++s->rows < b->room || hand_over(b, err);
}

bool bulk_flush_soon(struct bulk *b, struct err *err)
{
	b->slot->flush = true;
	return hand_over(b, err);
}

bool bulk_flush(struct bulk *b, struct err *err)
{
	return bulk_flush_soon(b, err) && (!b->writer || writer_wait(b->writer, 0, err));
}

bool bulk_rows(struct bulk *b, struct appender **ret, struct err *err)
{
	*ret = b->appender;
	return hand_over(b, err) && (!b->writer || writer_wait(b->writer, 0, err));
}

void bulk_close(struct bulk *b)
{
	if (!b)
		return;
	struct writer *w = b->writer;
	if (w) {
		(void)pthread_mutex_lock(&w->lock);
		w->stopping = true;
		(void)pthread_cond_signal(&w->more);
		(void)pthread_mutex_unlock(&w->lock);
		thread_join(w->thread);
		(void)pthread_mutex_destroy(&w->lock);
		(void)pthread_cond_destroy(&w->more);
		(void)pthread_cond_destroy(&w->less);
	}
	for (size_t i = 0; i < b->slot_count; i++) {
		forget_texts(&b->slots[i]);
		duckdb_destroy_data_chunk(&b->slots[i].chunk);
	}
	appender_abort(b->appender);
	arena_free(b->arena);
}
