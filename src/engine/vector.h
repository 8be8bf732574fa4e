/*
 * One column of one chunk of a result, as the engine laid it out in memory.
 * Encoders read it directly; everybody else uses the accessors of cursor.h.
 *
 * A vector lives until the next cursor_next() or cursor_close(). `data` is an
 * array of the type's physical form; for LIST it is struct vector_list, for
 * VARCHAR, JSON, BLOB, BIT, BIGNUM struct vector_text. STRUCT has no data, only
 * members; UNION's first member is the tag (uint8_t), its alternatives follow.
 */
#ifndef ENGINE_VECTOR_H
#define ENGINE_VECTOR_H

#include "engine/type.h"

struct vector {
	const struct type *type;
	const void *data;
	const uint64_t *valid; /* bit set: a value; NULL: no nulls */
	uint8_t enum_bytes;    /* ENUM: width of the stored index: 1, 2, 4 */
	uint8_t decimal_bytes; /* DECIMAL: width of the stored integer: 2, 4, 8, 16 */
	size_t member_count;   /* LIST, ARRAY 1 (the items); MAP 2; STRUCT n; UNION 1 + n */
	struct vector *members;
};

struct vector_list {
	uint64_t offset;
	uint64_t length;
};

struct vector_huge {
	uint64_t lower;
	int64_t upper;
};

struct vector_interval {
	int32_t months;
	int32_t days;
	int64_t micros;
};

/* Up to 12 bytes stand in the struct itself. */
struct vector_text {
	uint32_t length;
	char prefix[4];
	const char *ptr;
};

static inline bool vector_is_null(const struct vector *v, size_t row)
{
	return v->valid && !(v->valid[row / 64] >> (row % 64) & 1);
}

static inline struct span vector_text_span(const struct vector_text *text)
{
	return (struct span){text->length <= 12 ? (const char *)text + offsetof(struct vector_text, prefix) : text->ptr,
			     text->length};
}

static inline struct span vector_span(const struct vector *v, size_t row)
{
	return vector_text_span((const struct vector_text *)v->data + row);
}

#endif
