/* Rows of COPY data in the binary format. */
#include "pgwire/copy.h"

static const char SIGNATURE[] = "PGCOPY\n\377\r\n"; /* and the literal's NUL: 11 bytes */

enum { SIGNATURE_SIZE = sizeof(SIGNATURE), BINARY_HEADER = SIGNATURE_SIZE + 8 };

#define FLAG_OIDS      (UINT32_C(1) << 16)
#define FLAGS_CRITICAL UINT32_C(0xffff0000)

static uint32_t load(const char *at, size_t n)
{
	uint32_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

static bool too_long(const struct copy_reader *r)
{
	return r->pending.failed || r->pending.len - r->at > COPY_ROW_MAX;
}

static bool field_fault(struct copy_reader *r, size_t column, struct pg_error *e, const char *what)
{
	(void)pg_error_set(e, "22P04", "%s", what);
	copy_read_context(r, column, e);
	return false;
}

/* More must come, or `what` is wrong. */
static bool more_or_cut(struct copy_reader *r, size_t column, const char *what, enum copy_step *ret, struct pg_error *e)
{
	*ret = COPY_MORE;
	if (too_long(r))
		return pg_error_set(e, "54000", "a row of COPY data is longer than %zu bytes", COPY_ROW_MAX);
	return !r->finished || field_fault(r, column, e, what);
}

/* Signature, flags, extension. */
static bool read_signature(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	struct span rest = copy_unread(r);
	struct span sent = span_first(rest, SIGNATURE_SIZE);
	if (sent.len && memcmp(sent.ptr, SIGNATURE, sent.len) != 0)
		return copy_fault(r, e, "COPY file signature not recognized");
	*ret = COPY_ROW;
	if (rest.len < SIGNATURE_SIZE)
		return more_or_cut(r, SIZE_MAX, "COPY file signature not recognized", ret, e);
	if (rest.len < BINARY_HEADER - 4)
		return more_or_cut(r, SIZE_MAX, "invalid COPY file header (missing flags)", ret, e);
	uint32_t flags = load(rest.ptr + SIGNATURE_SIZE, 4);
	if (flags & FLAG_OIDS)
		return copy_fault(r, e, "invalid COPY file header (WITH OIDS)");
	if (flags & FLAGS_CRITICAL)
		return copy_fault(r, e, "unrecognized critical flags in COPY file header");
	if (rest.len < BINARY_HEADER)
		return more_or_cut(r, SIZE_MAX, "invalid COPY file header (missing length)", ret, e);
	uint32_t extension = load(rest.ptr + SIGNATURE_SIZE + 4, 4);
	if (extension > COPY_ROW_MAX)
		return copy_fault(r, e, "invalid COPY file header (missing length)");
	if (rest.len < BINARY_HEADER + (size_t)extension)
		return more_or_cut(r, SIZE_MAX, "invalid COPY file header (wrong length)", ret, e);
	r->at += BINARY_HEADER + (size_t)extension;
	r->has_signature = true;
	return true;
}

static bool read_fields(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	static const char cut[] = "unexpected EOF in COPY data";
	struct span rest = span_skip(copy_unread(r), 2);
	r->count = r->columns;
	for (size_t i = 0; i < r->columns; i++) {
		if (rest.len < 4)
			return more_or_cut(r, i, cut, ret, e);
		uint32_t length = load(rest.ptr, 4);
		rest = span_skip(rest, 4);
		r->fields[i] = (struct copy_field){.is_null = length == UINT32_MAX};
		if (r->fields[i].is_null)
			continue;
		if (length > COPY_ROW_MAX)
			return field_fault(r, i, e, "invalid field size");
		if (rest.len < length)
			return more_or_cut(r, i, cut, ret, e);
		r->fields[i].bytes = span_first(rest, length);
		rest = span_skip(rest, length);
	}
	r->at = (size_t)(rest.ptr - r->pending.ptr);
	r->in_line = false;
	*ret = COPY_ROW;
	return true;
}

bool copy_binary_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	if (!r->has_signature) {
		if (!read_signature(r, ret, e))
			return false;
		if (*ret != COPY_ROW)
			return true;
	}
	r->line += !r->in_line;
	r->in_line = true;
	struct span rest = copy_unread(r);
	if (rest.len < 2) {
		/* The trailer may be missing at the very end, as in PostgreSQL. */
		*ret = r->finished ? COPY_END : COPY_MORE;
		return true;
	}
	const int16_t count = (int16_t)load(rest.ptr, 2);
	if (count == -1) {
		r->ended = rest.len == 2;
		*ret = COPY_END;
		return r->ended || copy_fault(r, e, "received copy data after EOF marker");
	}
	if (count < 0 || (size_t)count != r->columns) {
		(void)pg_error_set(e, "22P04", "row field count is %d, expected %zu", count, r->columns);
		copy_read_context(r, SIZE_MAX, e);
		return false;
	}
	return read_fields(r, ret, e);
}
