/* The writing half of copy.h. */
#include "pgwire/copy.h"

void copy_write_begin(struct buf *out, const struct copy_options *o, const struct span *names, size_t columns)
{
	if (o->format == COPY_BINARY) {
		buf_bytes(out, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
		return;
	}
	if (o->header == COPY_NO_HEADER)
		return;
	for (size_t i = 0; i < columns; i++)
		copy_write_field(out, o, i, columns, false, names[i], false);
	copy_write_row_end(out, o);
}

void copy_write_row_begin(struct buf *out, const struct copy_options *o, size_t columns)
{
	if (o->format == COPY_BINARY)
		buf_be16(out, (uint16_t)columns);
}

static void put_text(struct buf *out, const struct copy_options *o, struct span value)
{
	static const char special[] = "\b\f\n\r\t\v\\";
	static const char letters[] = "bfnrtv\\";
	size_t from = 0;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		const char *found = (unsigned char)c <= '\\' && c ? strchr(special, c) : NULL;
		if (!found && c != o->delimiter)
			continue;
		buf_bytes(out, value.ptr + from, i - from);
		buf_byte(out, '\\');
		buf_byte(out, found ? letters[found - special] : c);
		from = i + 1;
	}
	buf_bytes(out, value.ptr + from, value.len - from);
}

static bool csv_needs_quotes(const struct copy_options *o, size_t columns, struct span value)
{
	/* A lone \. would end the data for a reader. */
	if (span_eq(value, o->null) || (columns == 1 && span_is(value, "\\.")))
		return true;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		if (c == o->delimiter || c == o->quote || c == '\n' || c == '\r')
			return true;
	}
	return false;
}

static void put_csv(struct buf *out, const struct copy_options *o, struct span value, bool quote)
{
	if (!quote) {
		buf_span(out, value);
		return;
	}
	buf_byte(out, o->quote);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == o->quote || value.ptr[i] == o->escape)
			buf_byte(out, o->escape);
		buf_byte(out, value.ptr[i]);
	}
	buf_byte(out, o->quote);
}

void copy_write_field(struct buf *out, const struct copy_options *o, size_t column, size_t columns, bool is_null,
		      struct span value, bool quote)
{
	if (o->format == COPY_BINARY) {
		buf_be32(out, is_null ? UINT32_MAX : (uint32_t)value.len);
		if (!is_null)
			buf_span(out, value);
		return;
	}
	if (column)
		buf_byte(out, o->delimiter);
	if (is_null)
		buf_span(out, o->null);
	else if (o->format == COPY_CSV)
		put_csv(out, o, value, quote || csv_needs_quotes(o, columns, value));
	else
		put_text(out, o, value);
}

void copy_write_row_end(struct buf *out, const struct copy_options *o)
{
	if (o->format != COPY_BINARY)
		buf_byte(out, '\n');
}

void copy_write_end(struct buf *out, const struct copy_options *o)
{
	if (o->format == COPY_BINARY)
		buf_be16(out, UINT16_MAX);
}
