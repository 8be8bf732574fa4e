/* The backend's half of message.h. */
#include "pgwire/message.h"

#include <endian.h>

static void patch32(struct buf *out, size_t at, size_t value)
{
	if (out->failed)
		return;
	uint32_t be = htobe32((uint32_t)value);
	memcpy(out->ptr + at, &be, sizeof(be));
}

size_t message_begin(struct buf *out, char type)
{
	buf_byte(out, type);
	size_t start = out->len;
	buf_be32(out, 0);
	return start;
}

void message_end(struct buf *out, size_t start)
{
	patch32(out, start, out->len - start);
}

void message_cstr(struct buf *out, struct span text)
{
	buf_span(out, span_first(text, span_find(text, '\0')));
	buf_byte(out, '\0');
}

void message_auth(struct buf *out, enum message_auth code, struct span data)
{
	size_t start = message_begin(out, 'R');
	buf_be32(out, (uint32_t)code);
	buf_span(out, data);
	message_end(out, start);
}

void message_auth_mechanisms(struct buf *out, bool with_channel_binding)
{
	static const char names[] = "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
	/* sizeof counts the literal's own NUL, which ends the list. */
	struct span list = {names, sizeof(names)};
	message_auth(out, AUTH_SASL, with_channel_binding ? list : span_skip(list, sizeof("SCRAM-SHA-256-PLUS")));
}

void message_negotiate(struct buf *out, const struct startup *s)
{
	size_t start = message_begin(out, 'v');
	buf_be32(out, 196608);
	buf_be32(out, (uint32_t)s->unknown_count);
	for (size_t i = 0; i < s->unknown_count; i++)
		message_cstr(out, s->unknown[i]);
	message_end(out, start);
}

void message_parameter_status(struct buf *out, struct span name, struct span value)
{
	size_t start = message_begin(out, 'S');
	message_cstr(out, name);
	message_cstr(out, value);
	message_end(out, start);
}

void message_key_data(struct buf *out, uint32_t pid, uint32_t key)
{
	size_t start = message_begin(out, 'K');
	buf_be32(out, pid);
	buf_be32(out, key);
	message_end(out, start);
}

void message_ready(struct buf *out, char status)
{
	size_t start = message_begin(out, 'Z');
	buf_byte(out, status);
	message_end(out, start);
}

static void error_field(struct buf *out, char field, const char *value)
{
	if (!*value)
		return;
	buf_byte(out, field);
	message_cstr(out, span_of(value));
}

void message_error(struct buf *out, const struct pg_error *e)
{
	const char *severity = pg_severity_name(e->severity);
	size_t start = message_begin(out, e->severity <= PG_PANIC ? 'E' : 'N');
	error_field(out, 'S', severity);
	error_field(out, 'V', severity);
	error_field(out, 'C', e->sqlstate);
	error_field(out, 'M', *e->message ? e->message : "unknown error");
	error_field(out, 'D', e->detail);
	error_field(out, 'H', e->hint);
	if (e->position) {
		buf_byte(out, 'P');
		buf_u64(out, e->position);
		buf_byte(out, '\0');
	}
	error_field(out, 'W', e->where);
	error_field(out, 's', e->schema);
	error_field(out, 't', e->table);
	error_field(out, 'c', e->column);
	error_field(out, 'n', e->constraint);
	error_field(out, 'R', e->routine);
	buf_byte(out, '\0');
	message_end(out, start);
}

void message_complete(struct buf *out, const char *tag)
{
	size_t start = message_begin(out, 'C');
	message_cstr(out, span_of(tag));
	message_end(out, start);
}

void message_bare(struct buf *out, enum message_bare type)
{
	message_end(out, message_begin(out, (char)type));
}

void message_parameter_description(struct buf *out, const uint32_t *oids, size_t n)
{
	size_t start = message_begin(out, 't');
	buf_be16(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		buf_be32(out, oids[i]);
	message_end(out, start);
}

void message_row_description(struct buf *out, const struct message_column *columns, size_t n)
{
	size_t start = message_begin(out, 'T');
	buf_be16(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		message_cstr(out, columns[i].name);
		buf_be32(out, columns[i].table_oid);
		buf_be16(out, columns[i].attnum);
		buf_be32(out, columns[i].type_oid);
		buf_be16(out, (uint16_t)columns[i].type_len);
		buf_be32(out, (uint32_t)columns[i].type_mod);
		buf_be16(out, columns[i].format);
	}
	message_end(out, start);
}

size_t message_row_begin(struct buf *out, size_t columns)
{
	size_t start = message_begin(out, 'D');
	buf_be16(out, (uint16_t)columns);
	return start;
}

void message_field_null(struct buf *out)
{
	buf_be32(out, UINT32_MAX);
}

void message_field(struct buf *out, struct span value)
{
	buf_be32(out, (uint32_t)value.len);
	buf_span(out, value);
}

size_t message_field_begin(struct buf *out)
{
	size_t start = out->len;
	buf_be32(out, 0);
	return start;
}

void message_field_end(struct buf *out, size_t start)
{
	patch32(out, start, out->len - start - 4);
}

void message_copy_response(struct buf *out, char type, bool binary, size_t columns)
{
	size_t start = message_begin(out, type);
	buf_byte(out, binary);
	buf_be16(out, (uint16_t)columns);
	for (size_t i = 0; i < columns; i++)
		buf_be16(out, binary);
	message_end(out, start);
}

void message_copy_data(struct buf *out, struct span data)
{
	size_t start = message_begin(out, 'd');
	buf_span(out, data);
	message_end(out, start);
}
