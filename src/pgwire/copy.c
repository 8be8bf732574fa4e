#include "pgwire/copy.h"

static const char SIGNATURE[] = "PGCOPY\n\377\r\n"; /* and the literal's NUL: 11 bytes */

enum { SIGNATURE_SIZE = sizeof(SIGNATURE), BINARY_HEADER = SIGNATURE_SIZE + 8 };

bool copy_names_column(const struct copy_columns *c, struct span name)
{
	for (size_t i = 0; i < c->count; i++)
		if (span_eq(c->names[i], name))
			return true;
	return c->all;
}

void copy_read_begin(struct copy_reader *r, const struct copy_options *options, struct span table,
		     const struct span *names, size_t columns, struct arena *arena)
{
	*r = (struct copy_reader){.options = options, .table = table, .names = names, .columns = columns};
	r->pending = BUF(2 * COPY_ROW_MAX);
	r->row = BUF(2 * COPY_ROW_MAX);
	r->fields = arena_array(arena, struct copy_field, columns + 1);
	r->force_not_null = arena_array(arena, bool, columns + 1);
	r->force_null = arena_array(arena, bool, columns + 1);
	for (size_t i = 0; i < columns; i++) {
		r->force_not_null[i] = copy_names_column(&options->force_not_null, names[i]);
		r->force_null[i] = copy_names_column(&options->force_null, names[i]);
	}
}

void copy_read_done(struct copy_reader *r)
{
	buf_done(&r->pending);
	buf_done(&r->row);
}

void copy_read_feed(struct copy_reader *r, struct span chunk)
{
	if (r->ended)
		return;
	if (r->at) {
		memmove(r->pending.ptr, r->pending.ptr + r->at, r->pending.len - r->at);
		r->pending.len -= r->at;
		r->at = 0;
	}
	buf_span(&r->pending, chunk);
}

void copy_read_finish(struct copy_reader *r)
{
	r->finished = true;
}

void copy_read_context(const struct copy_reader *r, size_t column, struct pg_error *e)
{
	if (column >= r->columns) {
		pg_error_where(e, "COPY %.*s, line %llu", SPAN_ARG(r->table), (unsigned long long)r->line);
		return;
	}
	struct span value = r->fields[column].bytes;
	bool is_null = r->fields[column].is_null || r->options->format == COPY_BINARY;
	pg_error_where(e, "COPY %.*s, line %llu, column %.*s%s%.*s%s", SPAN_ARG(r->table), (unsigned long long)r->line,
		       SPAN_ARG(r->names[column]), is_null ? "" : ": \"",
		       SPAN_ARG(span_first(is_null ? SPAN_NONE : value, 100)), is_null ? "" : "\"");
}

static bool fault(struct copy_reader *r, struct pg_error *e, const char *what)
{
	(void)pg_error_set(e, "22P04", "%s", what);
	copy_read_context(r, SIZE_MAX, e);
	return false;
}

static struct span unread(const struct copy_reader *r)
{
	return span_skip(buf_view(&r->pending), r->at);
}

/* --- lines of text and CSV --- */

/* In text format a newline behind an odd number of backslashes is data. */
static bool find_text_end(struct copy_reader *r, struct span rest, size_t *ret_end)
{
	for (size_t at = r->scanned; at < rest.len; at++) {
		at += span_find(span_skip(rest, at), '\n');
		size_t slashes = 0;
		while (slashes < at && rest.ptr[at - slashes - 1] == '\\')
			slashes++;
		if (at < rest.len && slashes % 2 == 0) {
			*ret_end = at;
			return true;
		}
	}
	r->scanned = rest.len;
	return false;
}

/* In CSV a newline inside quotes is data. */
static bool find_csv_end(struct copy_reader *r, struct span rest, size_t *ret_end)
{
	const struct copy_options *o = r->options;
	size_t i = r->scanned;
	for (; i < rest.len; i++) {
		char c = rest.ptr[i];
		if (r->in_quotes && c == o->escape && o->escape != o->quote) {
			if (i + 1 >= rest.len)
				break;
			i += rest.ptr[i + 1] == o->quote || rest.ptr[i + 1] == o->escape;
		} else if (c == o->quote) {
			r->in_quotes = !r->in_quotes;
		} else if (c == '\n' && !r->in_quotes) {
			*ret_end = i;
			return true;
		}
	}
	r->scanned = i;
	return false;
}

/* Goes on searching where the last call stopped. */
static bool find_line_end(struct copy_reader *r, struct span rest, size_t *ret_end)
{
	return r->options->format == COPY_CSV ? find_csv_end(r, rest, ret_end) : find_text_end(r, rest, ret_end);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape behind its backslash; the bytes it takes. */
static size_t put_escape(struct buf *out, struct span s)
{
	static const char from[] = "bfnrtv";
	static const char to[] = "\b\f\n\r\t\v";
	const char *known = *s.ptr ? strchr(from, *s.ptr) : NULL;
	unsigned code = 0;
	size_t n = 0;
	if (known) {
		buf_byte(out, to[known - from]);
		return 1;
	}
	while (n < 3 && n < s.len && is_octal(s.ptr[n]))
		code = code * 8 + (unsigned)(s.ptr[n++] - '0');
	if (n) {
		buf_byte(out, (char)code);
		return n;
	}
	if (*s.ptr == 'x')
		for (n = 1; n < 3 && n < s.len && hex_value(s.ptr[n]) >= 0; n++)
			code = code * 16 + (unsigned)hex_value(s.ptr[n]);
	if (n > 1) {
		buf_byte(out, (char)code);
		return n;
	}
	buf_byte(out, *s.ptr);
	return 1;
}

static bool too_many(struct copy_reader *r, struct pg_error *e)
{
	return fault(r, e, "extra data after last expected column");
}

static bool check_count(struct copy_reader *r, size_t count, struct pg_error *e)
{
	if (count == r->columns)
		return true;
	(void)pg_error_set(e, "22P04", "missing data for column \"%.*s\"", SPAN_ARG(r->names[count]));
	copy_read_context(r, SIZE_MAX, e);
	return false;
}

/* The field's raw text: up to the delimiter, a backslash protecting the byte behind it. */
static size_t text_field_end(struct span line, char delimiter)
{
	size_t i = 0;
	while (i < line.len && line.ptr[i] != delimiter)
		i += line.ptr[i] == '\\' ? 2 : 1;
	return i < line.len ? i : line.len;
}

static bool split_text(struct copy_reader *r, struct span line, struct pg_error *e)
{
	const bool has_escapes = span_find(line, '\\') < line.len;
	size_t count = 0;
	/* The line's length bounds what unescaping writes, so fields may point into the buffer while it fills. */
	if (has_escapes && !buf_reserve(&r->row, line.len + 1))
		return fault(r, e, "row is too long");
	for (bool more = r->columns > 0 || line.len > 0; more; count++) {
		if (count == r->columns)
			return too_many(r, e);
		const char delimiter = r->options->delimiter;
		struct span raw =
			span_first(line, has_escapes ? text_field_end(line, delimiter) : span_find(line, delimiter));
		more = raw.len < line.len;
		line = span_skip(line, raw.len + 1);
		struct copy_field *f = &r->fields[count];
		f->is_null = span_eq(raw, r->options->null);
		f->bytes = raw;
		if (f->is_null || !has_escapes || span_find(raw, '\\') == raw.len)
			continue;
		size_t start = r->row.len;
		for (size_t i = 0; i < raw.len; i++) {
			if (raw.ptr[i] == '\\' && i + 1 < raw.len)
				i += put_escape(&r->row, span_skip(raw, i + 1));
			else
				buf_byte(&r->row, raw.ptr[i]);
		}
		f->bytes = span_skip(buf_view(&r->row), start);
	}
	return check_count(r, count, e);
}

/* Takes one CSV field off the line, unquoted into the row buffer; *ret_quoted: it had quotes. */
static struct span take_csv(struct copy_reader *r, struct span *line, bool *ret_quoted, bool *ret_more)
{
	const struct copy_options *o = r->options;
	size_t start = r->row.len, i = 0;
	bool inside = false;
	*ret_quoted = false;
	const struct span plain = span_first(*line, span_find(*line, o->delimiter));
	if (span_find(plain, o->quote) == plain.len) {
		*ret_more = plain.len < line->len;
		*line = span_skip(*line, plain.len + 1);
		return plain;
	}
	for (; i < line->len; i++) {
		char c = line->ptr[i];
		char next = i + 1 < line->len ? line->ptr[i + 1] : '\0';
		if (!inside && c == o->delimiter)
			break;
		if (inside && c == o->escape && i + 1 < line->len && (next == o->quote || next == o->escape)) {
			buf_byte(&r->row, next);
			i++;
		} else if (c == o->quote) {
			inside = !inside;
			*ret_quoted = true;
		} else {
			buf_byte(&r->row, c);
		}
	}
	*ret_more = i < line->len;
	*line = span_skip(*line, i + 1);
	return span_skip(buf_view(&r->row), start);
}

static bool split_csv(struct copy_reader *r, struct span line, struct pg_error *e)
{
	size_t count = 0;
	if (!buf_reserve(&r->row, line.len + 1))
		return fault(r, e, "row is too long");
	for (bool more = r->columns > 0 || line.len > 0; more; count++) {
		bool quoted;
		if (count == r->columns)
			return too_many(r, e);
		struct copy_field *f = &r->fields[count];
		f->bytes = take_csv(r, &line, &quoted, &more);
		bool is_null_text = span_eq(f->bytes, r->options->null);
		f->is_null = is_null_text && (quoted ? r->force_null[count] : !r->force_not_null[count]);
	}
	return check_count(r, count, e);
}

static bool check_header(struct copy_reader *r, struct pg_error *e)
{
	for (size_t i = 0; i < r->columns; i++)
		if (!span_eq(r->fields[i].bytes, r->names[i])) {
			(void)pg_error_set(
				e, "22P04",
				"column name mismatch in header line field %zu: got \"%.*s\", expected \"%.*s\"", i + 1,
				SPAN_ARG(span_first(r->fields[i].bytes, 100)), SPAN_ARG(r->names[i]));
			copy_read_context(r, SIZE_MAX, e);
			return false;
		}
	return true;
}

/* The next line without its end, taken off the input. */
static bool take_line(struct copy_reader *r, struct span *ret, enum copy_step *ret_step, struct pg_error *e)
{
	struct span rest = unread(r);
	size_t end;
	*ret_step = COPY_ROW;
	if (!find_line_end(r, rest, &end)) {
		if (r->pending.failed || rest.len > COPY_ROW_MAX)
			return pg_error_set(e, "54000", "a row of COPY data is longer than %zu bytes", COPY_ROW_MAX);
		*ret_step = !r->finished ? COPY_MORE : rest.len == 0 ? COPY_END : COPY_ROW;
		if (*ret_step != COPY_ROW)
			return true;
		if (r->in_quotes)
			return fault(r, e, "unterminated CSV quoted field");
		end = rest.len;
	}
	struct span line = span_first(rest, end);
	r->at += end < rest.len ? end + 1 : end;
	r->scanned = 0;
	r->line++;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	*ret = line;
	if (span_is(line, "\\."))
		*ret_step = COPY_END;
	return true;
}

static bool read_line(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	for (;;) {
		struct span line = SPAN_NONE;
		if (!take_line(r, &line, ret, e))
			return false;
		if (*ret != COPY_ROW) {
			r->ended = *ret == COPY_END;
			return true;
		}
		buf_reset(&r->row);
		bool is_header = r->options->header != COPY_NO_HEADER && !r->header_done;
		r->header_done = true;
		if (is_header && r->options->header == COPY_HEADER)
			continue;
		if (!(r->options->format == COPY_CSV ? split_csv(r, line, e) : split_text(r, line, e)))
			return false;
		if (!is_header)
			return true;
		if (!check_header(r, e))
			return false;
	}
}

/* --- binary --- */

static uint32_t load(const char *at, size_t n)
{
	uint32_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

static bool more_or_cut(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	*ret = COPY_MORE;
	if (r->pending.failed || r->pending.len - r->at > COPY_ROW_MAX)
		return pg_error_set(e, "54000", "a row of COPY data is longer than %zu bytes", COPY_ROW_MAX);
	return !r->finished || fault(r, e, "unexpected EOF in COPY data");
}

/* Signature, flags, extension. */
static bool read_signature(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	struct span rest = unread(r);
	struct span sent = span_first(rest, SIGNATURE_SIZE);
	if (sent.len && memcmp(sent.ptr, SIGNATURE, sent.len) != 0)
		return fault(r, e, "COPY file signature not recognized");
	*ret = COPY_ROW;
	if (rest.len < BINARY_HEADER)
		return more_or_cut(r, ret, e);
	uint32_t flags = load(rest.ptr + SIGNATURE_SIZE, 4);
	uint32_t extension = load(rest.ptr + SIGNATURE_SIZE + 4, 4);
	if (flags)
		return fault(r, e, "invalid COPY file header (flags)");
	if (extension > COPY_ROW_MAX)
		return fault(r, e, "invalid COPY file header (wrong length)");
	if (rest.len < BINARY_HEADER + (size_t)extension)
		return more_or_cut(r, ret, e);
	r->at += BINARY_HEADER + (size_t)extension;
	r->has_signature = true;
	return true;
}

static bool read_fields(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	struct span rest = span_skip(unread(r), 2);
	for (size_t i = 0; i < r->columns; i++) {
		if (rest.len < 4)
			return more_or_cut(r, ret, e);
		uint32_t length = load(rest.ptr, 4);
		rest = span_skip(rest, 4);
		r->fields[i] = (struct copy_field){.is_null = length == UINT32_MAX};
		if (r->fields[i].is_null)
			continue;
		if (length > COPY_ROW_MAX)
			return fault(r, e, "invalid field size");
		if (rest.len < length)
			return more_or_cut(r, ret, e);
		r->fields[i].bytes = span_first(rest, length);
		rest = span_skip(rest, length);
	}
	r->at = (size_t)(rest.ptr - r->pending.ptr);
	*ret = COPY_ROW;
	return true;
}

static bool read_binary(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	if (!r->has_signature) {
		if (!read_signature(r, ret, e))
			return false;
		if (*ret != COPY_ROW)
			return true;
	}
	struct span rest = unread(r);
	/* The trailer may be missing at the very end, as in PostgreSQL. */
	if (rest.len == 0 && r->finished) {
		*ret = COPY_END;
		return true;
	}
	if (rest.len < 2)
		return more_or_cut(r, ret, e);
	uint32_t count = load(rest.ptr, 2);
	if (count == UINT16_MAX) {
		r->ended = rest.len == 2;
		*ret = COPY_END;
		return r->ended || fault(r, e, "received copy data after EOF marker");
	}
	r->line++;
	if (count != r->columns) {
		(void)pg_error_set(e, "22P04", "row field count is %u, expected %zu", count, r->columns);
		copy_read_context(r, SIZE_MAX, e);
		return false;
	}
	bool fine = read_fields(r, ret, e);
	if (fine && *ret == COPY_MORE)
		r->line--;
	return fine;
}

bool copy_read_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	if (r->ended) {
		*ret = COPY_END;
		return true;
	}
	return r->options->format == COPY_BINARY ? read_binary(r, ret, e) : read_line(r, ret, e);
}
