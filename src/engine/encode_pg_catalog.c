/* Values of catalog columns, whose types the engine does not have. */
#include "engine/encode.h"
#include "engine/encode_pg.h"

static void oids_binary(const struct vector *v, size_t row, struct buf *out)
{
	enum { OID_OID = 26 };
	size_t first;
	if (v->type->id == TYPE_UINTEGER) {
		buf_be32(out, (uint32_t)value_i128(v, row));
		return;
	}
	const size_t n = value_items(v, row, &first);
	buf_be32(out, n > 0);
	buf_be32(out, 0);
	buf_be32(out, OID_OID);
	if (n == 0)
		return;
	buf_be32(out, (uint32_t)n);
	buf_be32(out, 1);
	for (size_t i = 0; i < n; i++) {
		buf_be32(out, 4);
		buf_be32(out, (uint32_t)value_i128(&v->members[0], first + i));
	}
}

static void vector_text(const struct vector *v, size_t row, struct buf *out)
{
	size_t first;
	const size_t n = value_items(v, row, &first);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ' ');
		buf_i64(out, (int64_t)value_i128(&v->members[0], first + i));
	}
}

void encode_pg_catalog(const struct vector *v, size_t row, enum pg_format format, struct buf *out)
{
	if (format == PG_FORMAT_OIDS)
		oids_binary(v, row, out);
	else
		vector_text(v, row, out);
}
