#include "engine/chunk.h"

#include <stdlib.h>

/* Stands for a row that NULL hides. */
#define NO_ROW UINT64_MAX

enum { WORD = 8, BITS = 64 };

/* Which rows of a vector are meant. */
struct pick {
	const uint64_t *rows;
	size_t n;
	bool in_a_row; /* rows[0], rows[0] + 1, ... */
};

static struct pick pick_of(const uint64_t *rows, size_t n)
{
	bool in_a_row = n > 0 && rows[0] != NO_ROW;
	for (size_t i = 1; in_a_row && i < n; i++)
		in_a_row = rows[i] == rows[0] + i;
	return (struct pick){rows, n, in_a_row};
}

static size_t rounded(size_t bytes)
{
	return (bytes + WORD - 1) & ~(size_t)(WORD - 1);
}

static size_t words_of(size_t rows)
{
	return (rows + BITS - 1) / BITS;
}

/* Bytes of a value; 0: its form is another. */
static size_t width_of(const struct vector *v)
{
	switch (v->type->id) {
	case TYPE_BOOLEAN:
	case TYPE_TINYINT:
	case TYPE_UTINYINT:
		return 1;
	case TYPE_SMALLINT:
	case TYPE_USMALLINT:
		return 2;
	case TYPE_INTEGER:
	case TYPE_UINTEGER:
	case TYPE_FLOAT:
	case TYPE_DATE:
		return 4;
	case TYPE_BIGINT:
	case TYPE_UBIGINT:
	case TYPE_DOUBLE:
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIME_TZ:
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		return 8;
	case TYPE_HUGEINT:
	case TYPE_UHUGEINT:
	case TYPE_UUID:
	case TYPE_INTERVAL:
		return 16;
	case TYPE_DECIMAL:
		return v->decimal_bytes;
	case TYPE_ENUM:
		return v->enum_bytes;
	default:
		return 0;
	}
}

static bool is_text(const struct vector *v)
{
	const enum type_id id = v->type->id;
	return id == TYPE_VARCHAR || id == TYPE_JSON || id == TYPE_BLOB || id == TYPE_BIT || id == TYPE_BIGNUM;
}

static bool has_row(const struct vector *v, uint64_t row)
{
	return row != NO_ROW && !vector_is_null(v, row);
}

/* Zeroed room of whole words; NULL: the buffer is full. */
static void *room(struct buf *out, size_t bytes)
{
	char *to = buf_reserve(out, rounded(bytes));
	if (!to)
		return NULL;
	memset(to, 0, rounded(bytes));
	buf_commit(out, rounded(bytes));
	return to;
}

static void put_valid(const struct vector *v, struct pick rows, struct buf *out)
{
	uint64_t *words = room(out, words_of(rows.n) * WORD);
	for (size_t i = 0; words && i < rows.n; i++)
		if (has_row(v, rows.rows[i]))
			words[i / BITS] |= UINT64_C(1) << (i % BITS);
}

static void put_fixed(const struct vector *v, size_t width, struct pick rows, struct buf *out)
{
	const char *from = v->data;
	char *to = room(out, rows.n * width);
	if (!to || !width)
		return;
	if (rows.in_a_row) {
		memcpy(to, from + rows.rows[0] * width, rows.n * width);
		return;
	}
	for (size_t i = 0; i < rows.n; i++)
		if (rows.rows[i] != NO_ROW)
			memcpy(to + i * width, from + rows.rows[i] * width, width);
}

static bool is_long(struct span text)
{
	return text.len > sizeof(struct vector_text) - offsetof(struct vector_text, prefix);
}

/* The texts, where long ones tell where their bytes begin in what follows. */
static void put_texts(const struct vector *v, struct pick rows, struct buf *out)
{
	const struct vector_text *from = v->data;
	struct vector_text *to = room(out, rows.n * sizeof(*to));
	uint64_t size = 0;
	for (size_t i = 0; to && i < rows.n; i++) {
		if (!has_row(v, rows.rows[i]))
			continue;
		to[i] = from[rows.rows[i]];
		if (is_long(vector_text_span(&from[rows.rows[i]]))) {
			to[i].ptr = (const char *)(uintptr_t)size;
			size += to[i].length;
		}
	}
	buf_bytes(out, &size, sizeof(size));
	for (size_t i = 0; to && i < rows.n && !out->failed; i++) {
		const struct span text = has_row(v, rows.rows[i]) ? vector_text_span(&from[rows.rows[i]]) : SPAN_NONE;
		if (is_long(text))
			buf_span(out, text);
	}
	static const char zeros[WORD];
	buf_bytes(out, zeros, rounded(size) - size);
}

static void put_vector(const struct vector *v, struct pick rows, struct buf *out);

static void put_members(const struct vector *v, uint64_t *items, size_t n, struct buf *out)
{
	const struct pick rows = pick_of(items, n);
	for (size_t i = 0; i < v->member_count; i++)
		put_vector(&v->members[i], rows, out);
	free(items);
}

static void put_lists(const struct vector *v, struct pick rows, struct buf *out)
{
	const struct vector_list *from = v->data;
	struct vector_list *to = room(out, rows.n * sizeof(*to));
	uint64_t n = 0;
	if (!to)
		return;
	for (size_t i = 0; i < rows.n; i++)
		if (has_row(v, rows.rows[i])) {
			to[i] = (struct vector_list){n, from[rows.rows[i]].length};
			n += to[i].length;
		}
	uint64_t *items = mem_alloc_array(sizeof(*items), n + 1);
	n = 0;
	for (size_t i = 0; i < rows.n; i++)
		if (has_row(v, rows.rows[i]))
			for (uint64_t k = 0; k < from[rows.rows[i]].length; k++)
				items[n++] = from[rows.rows[i]].offset + k;
	buf_bytes(out, &n, sizeof(n));
	put_members(v, items, n, out);
}

/* ARRAY, where each row has so many items; STRUCT and UNION, where it is one. */
static void put_parts(const struct vector *v, uint64_t each, struct pick rows, struct buf *out)
{
	const size_t n = rows.n * each;
	uint64_t *items = mem_alloc_array(sizeof(*items), n + 1);
	for (size_t i = 0; i < rows.n; i++)
		for (uint64_t k = 0; k < each; k++)
			items[i * each + k] = has_row(v, rows.rows[i]) ? rows.rows[i] * each + k : NO_ROW;
	put_members(v, items, n, out);
}

static void put_vector(const struct vector *v, struct pick rows, struct buf *out)
{
	const enum type_id id = v->type->id;
	put_valid(v, rows, out);
	if (is_text(v))
		put_texts(v, rows, out);
	else if (id == TYPE_LIST || id == TYPE_MAP)
		put_lists(v, rows, out);
	else if (v->member_count)
		put_parts(v, id == TYPE_ARRAY ? v->type->length : 1, rows, out);
	else
		put_fixed(v, width_of(v), rows, out);
}

void chunk_write(const struct vector *vectors, size_t n, size_t from, size_t rows, struct buf *out)
{
	uint64_t *numbers = mem_alloc_array(sizeof(*numbers), rows + 1);
	for (size_t i = 0; i < rows; i++)
		numbers[i] = from + i;
	const struct pick all = {numbers, rows, rows > 0};
	for (size_t i = 0; i < n && !out->failed; i++)
		put_vector(&vectors[i], all, out);
	free(numbers);
}

/* --- Back --- */

static void *take(struct span *from, size_t n, size_t width)
{
	if (width && n > SIZE_MAX / 2 / width)
		return NULL;
	const size_t bytes = rounded(n * width);
	if (bytes > from->len)
		return NULL;
	char *at = (char *)(uintptr_t)from->ptr;
	*from = span_skip(*from, bytes);
	return at;
}

static bool get_vector(struct vector *v, size_t rows, struct span *from);

static bool get_members(struct vector *v, size_t rows, struct span *from)
{
	bool fine = true;
	for (size_t i = 0; fine && i < v->member_count; i++)
		fine = get_vector(&v->members[i], rows, from);
	return fine;
}

static bool get_texts(struct vector *v, size_t rows, struct span *from)
{
	struct vector_text *texts = take(from, rows, sizeof(*texts));
	const uint64_t *size = take(from, 1, sizeof(*size));
	const char *bytes = texts && size ? take(from, *size, 1) : NULL;
	if (!bytes)
		return false;
	for (size_t i = 0; i < rows; i++) {
		const uint64_t at = (uintptr_t)texts[i].ptr;
		if (texts[i].length <= sizeof(*texts) - offsetof(struct vector_text, prefix))
			continue;
		if (at > *size || texts[i].length > *size - at)
			return false;
		texts[i].ptr = bytes + at;
	}
	v->data = texts;
	return true;
}

static bool get_lists(struct vector *v, size_t rows, struct span *from)
{
	const struct vector_list *lists = take(from, rows, sizeof(*lists));
	const uint64_t *items = take(from, 1, sizeof(*items));
	if (!lists || !items)
		return false;
	for (size_t i = 0; i < rows; i++)
		if (lists[i].offset > *items || lists[i].length > *items - lists[i].offset)
			return false;
	v->data = lists;
	return get_members(v, *items, from);
}

static bool get_vector(struct vector *v, size_t rows, struct span *from)
{
	const enum type_id id = v->type->id;
	v->valid = take(from, words_of(rows), WORD);
	if (!v->valid)
		return false;
	if (is_text(v))
		return get_texts(v, rows, from);
	if (id == TYPE_LIST || id == TYPE_MAP)
		return get_lists(v, rows, from);
	if (v->member_count) {
		const uint64_t each = id == TYPE_ARRAY ? v->type->length : 1;
		return (each == 0 || rows <= SIZE_MAX / each) && get_members(v, rows * each, from);
	}
	v->data = take(from, rows, width_of(v));
	return v->data;
}

bool chunk_read(struct vector *vectors, size_t n, size_t rows, char *bytes, size_t len)
{
	struct span from = {bytes, len};
	bool fine = true;
	for (size_t i = 0; fine && i < n; i++)
		fine = get_vector(&vectors[i], rows, &from);
	return fine && from.len == 0;
}

/* --- Shapes --- */

static const struct type *copy_type(struct arena *arena, const struct type *from)
{
	struct type *to = arena_new_of(arena, struct type);
	*to = *from;
	to->alias = from->alias ? arena_strdup(arena, from->alias) : NULL;
	to->text = from->text ? arena_strdup(arena, from->text) : NULL;
	struct type_member *members = arena_array(arena, struct type_member, from->member_count + 1);
	for (size_t i = 0; i < from->member_count; i++) {
		const struct type_member *m = &from->members[i];
		members[i] =
			(struct type_member){m->name ? arena_strdup(arena, m->name) : NULL, copy_type(arena, m->type)};
	}
	const char **labels = arena_array(arena, const char *, from->label_count + 1);
	for (size_t i = 0; i < from->label_count; i++)
		labels[i] = arena_strdup(arena, from->labels[i]);
	to->members = members;
	to->labels = labels;
	return to;
}

struct vector *chunk_shape(struct arena *arena, const struct vector *vectors, size_t n)
{
	struct vector *to = arena_array(arena, struct vector, n + 1);
	for (size_t i = 0; i < n; i++) {
		to[i] = (struct vector){.type = copy_type(arena, vectors[i].type),
					.enum_bytes = vectors[i].enum_bytes,
					.decimal_bytes = vectors[i].decimal_bytes,
					.member_count = vectors[i].member_count};
		to[i].members = chunk_shape(arena, vectors[i].members, vectors[i].member_count);
	}
	return to;
}
