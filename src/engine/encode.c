#include "engine/encode.h"

#include <stdlib.h>

static number_i128 huge(const struct vector *v, size_t row)
{
	const struct vector_huge *h = (const struct vector_huge *)v->data + row;
	return (number_i128)((number_u128)(uint64_t)h->upper << 64 | h->lower);
}

static number_i128 stored_integer(const void *data, size_t row, unsigned bytes)
{
	switch (bytes) {
	case 1:
		return ((const int8_t *)data)[row];
	case 2:
		return ((const int16_t *)data)[row];
	case 4:
		return ((const int32_t *)data)[row];
	default:
		return ((const int64_t *)data)[row];
	}
}

number_i128 value_i128(const struct vector *v, size_t row)
{
	switch (v->type->id) {
	case TYPE_TINYINT:
		return stored_integer(v->data, row, 1);
	case TYPE_SMALLINT:
		return stored_integer(v->data, row, 2);
	case TYPE_INTEGER:
		return stored_integer(v->data, row, 4);
	case TYPE_BOOLEAN:
	case TYPE_UTINYINT:
		return ((const uint8_t *)v->data)[row];
	case TYPE_USMALLINT:
		return ((const uint16_t *)v->data)[row];
	case TYPE_UINTEGER:
		return ((const uint32_t *)v->data)[row];
	case TYPE_UBIGINT:
		return ((const uint64_t *)v->data)[row];
	case TYPE_HUGEINT:
		return huge(v, row);
	case TYPE_DECIMAL:
		return v->decimal_bytes == 16 ? huge(v, row) : stored_integer(v->data, row, v->decimal_bytes);
	default:
		return stored_integer(v->data, row, 8);
	}
}

number_u128 value_u128(const struct vector *v, size_t row)
{
	return (number_u128)huge(v, row);
}

const char *value_label(const struct vector *v, size_t row)
{
	const uint32_t index = v->enum_bytes == 1   ? ((const uint8_t *)v->data)[row]
			       : v->enum_bytes == 2 ? ((const uint16_t *)v->data)[row]
						    : ((const uint32_t *)v->data)[row];
	return index < v->type->label_count ? v->type->labels[index] : "";
}

/* Stored as an integer with the first bit flipped, so that it sorts. */
void value_uuid(const struct vector *v, size_t row, unsigned char ret[16])
{
	const struct vector_huge *h = (const struct vector_huge *)v->data + row;
	const uint64_t upper = (uint64_t)h->upper ^ UINT64_C(1) << 63;
	for (unsigned i = 0; i < 8; i++) {
		ret[i] = (unsigned char)(upper >> (56 - 8 * i));
		ret[8 + i] = (unsigned char)(h->lower >> (56 - 8 * i));
	}
}

struct value_time value_timestamp(const struct vector *v, size_t row)
{
	static const struct {
		int64_t per_day;
		unsigned digits;
	} units[TYPE_COUNT] = {
		[TYPE_TIMESTAMP_S] = {INT64_C(86400), 0},	    [TYPE_TIMESTAMP_MS] = {INT64_C(86400000), 3},
		[TYPE_TIMESTAMP] = {INT64_C(86400000000), 6},	    [TYPE_TIMESTAMP_TZ] = {INT64_C(86400000000), 6},
		[TYPE_TIMESTAMP_NS] = {INT64_C(86400000000000), 9},
	};
	const int64_t value = value_i64(v, row);
	struct value_time t = {.digits = units[v->type->id].digits};
	if (value == TIME_INFINITE || value == -TIME_INFINITE)
		t.infinite = value > 0 ? 1 : -1;
	else
		t.day = calendar_day(value, units[v->type->id].per_day, &t.rest);
	return t;
}

/* 40 bits of microseconds, then 24 bits that count the offset down from 15:59:59. */
int64_t value_time_tz(const struct vector *v, size_t row, int32_t *ret_offset)
{
	enum { OFFSET_MAX = 16 * 3600 - 1 };
	const uint64_t bits = ((const uint64_t *)v->data)[row];
	*ret_offset = OFFSET_MAX - (int32_t)(bits & 0xFFFFFF);
	return (int64_t)(bits >> 24);
}

size_t value_items(const struct vector *v, size_t row, size_t *ret_first)
{
	if (v->type->id == TYPE_ARRAY) {
		*ret_first = row * v->type->length;
		return v->type->length;
	}
	const struct vector_list *list = (const struct vector_list *)v->data + row;
	*ret_first = list->offset;
	return list->length;
}

const struct vector *value_union(const struct vector *v, size_t row)
{
	const size_t tag = ((const uint8_t *)v->members[0].data)[row];
	return &v->members[tag + 1 < v->member_count ? tag + 1 : 1];
}

/* The first byte says how many bits of the second one are padding. */
size_t bit_count(struct span stored)
{
	return stored.len < 2 ? 0 : (stored.len - 1) * 8 - (unsigned char)stored.ptr[0];
}

void print_bits(struct span stored, struct buf *out)
{
	const size_t n = bit_count(stored);
	char *to = buf_reserve(out, n);
	if (!to)
		return;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)('0' + bit_at(stored, i));
	buf_commit(out, n);
}

/*
 * Three bytes of header (the first bit is set for positive numbers), then the magnitude, highest byte first; of a negative
 * number all bits are inverted.
 */
void bignum_print(struct span stored, struct buf *out)
{
	enum { HEADER = 3, CHUNK = 1000000000 };
	if (stored.len <= HEADER)
		return;
	const unsigned char *bytes = (const unsigned char *)stored.ptr;
	const bool negative = !(bytes[0] & 0x80);
	const size_t n = stored.len - HEADER;
	/* 9 digits hold more than 3 bytes. */
	const size_t chunks_max = n / 3 + 1;
	uint32_t *chunks = mem_alloc_array(sizeof(*chunks), chunks_max);
	size_t used = 1;
	for (size_t i = 0; i < n; i++) {
		uint64_t carry = (unsigned char)(negative ? ~bytes[HEADER + i] : bytes[HEADER + i]);
		for (size_t c = 0; c < used; c++) {
			carry += (uint64_t)chunks[c] << 8;
			chunks[c] = (uint32_t)(carry % CHUNK);
			carry /= CHUNK;
		}
		if (carry)
			chunks[used++] = (uint32_t)carry;
	}
	char *to = buf_reserve(out, 1 + 10 * used);
	if (to) {
		size_t len = 0;
		if (negative)
			to[len++] = '-';
		len += number_u64(chunks[used - 1], to + len);
		for (size_t c = used - 1; c-- > 0; len += 9)
			number_padded(chunks[c], 9, to + len);
		buf_commit(out, len);
	}
	free(chunks);
}

void print_uuid(const struct vector *v, size_t row, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];
	value_uuid(v, row, bytes);
	char *to = buf_reserve(out, 36);
	if (!to)
		return;
	size_t n = 0;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			to[n++] = '-';
		to[n++] = digits[bytes[i] >> 4];
		to[n++] = digits[bytes[i] & 15];
	}
	buf_commit(out, n);
}

void print_integer(const struct vector *v, size_t row, struct buf *out)
{
	char *to = buf_reserve(out, NUMBER_I128_MAX);
	if (!to)
		return;
	if (v->type->id == TYPE_UHUGEINT)
		buf_commit(out, number_u128_text(value_u128(v, row), to));
	else if (v->type->id == TYPE_HUGEINT)
		buf_commit(out, number_i128_text(value_i128(v, row), to));
	else if (v->type->id == TYPE_UBIGINT)
		buf_commit(out, number_u64(((const uint64_t *)v->data)[row], to));
	else
		buf_commit(out, number_i64((int64_t)value_i128(v, row), to));
}

void print_decimal(const struct vector *v, size_t row, struct buf *out)
{
	char *to = buf_reserve(out, NUMBER_DECIMAL_MAX);
	if (to)
		buf_commit(out, number_decimal(value_i128(v, row), v->type->scale, to));
}
