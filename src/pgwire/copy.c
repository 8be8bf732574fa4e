#include "pgwire/copy.h"

enum { SHOWN_BYTES = 100 };

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

static struct span shown(struct span s, const char **ret_more)
{
	*ret_more = s.len > SHOWN_BYTES ? "..." : "";
	return span_first_utf8(s, SHOWN_BYTES);
}

void copy_read_context(const struct copy_reader *r, size_t column, struct pg_error *e)
{
	const bool is_binary = r->options->format == COPY_BINARY;
	const unsigned long long line = r->line ? r->line : 1;
	const char *more;
	if (is_binary && !r->has_signature)
		return;
	if (column >= r->columns) {
		/* A line that is no UTF-8 would make the message none. */
		struct span text = r->text.ptr && span_is_utf8(r->text) ? shown(r->text, &more) : SPAN_NONE;
		if (text.ptr)
			pg_error_where(e, "COPY %.*s, line %llu: \"%.*s%s\"", SPAN_ARG(r->table), line, SPAN_ARG(text),
				       more);
		else
			pg_error_where(e, "COPY %.*s, line %llu", SPAN_ARG(r->table), line);
		return;
	}
	const struct copy_field *f = &r->fields[column];
	struct span value = shown(f->bytes, &more);
	if (is_binary || (!f->is_null && !span_is_utf8(f->bytes)))
		pg_error_where(e, "COPY %.*s, line %llu, column %.*s", SPAN_ARG(r->table), line,
			       SPAN_ARG(r->names[column]));
	else if (f->is_null)
		pg_error_where(e, "COPY %.*s, line %llu, column %.*s: null input", SPAN_ARG(r->table), line,
			       SPAN_ARG(r->names[column]));
	else
		pg_error_where(e, "COPY %.*s, line %llu, column %.*s: \"%.*s%s\"", SPAN_ARG(r->table), line,
			       SPAN_ARG(r->names[column]), SPAN_ARG(value), more);
}

bool copy_fault(const struct copy_reader *r, struct pg_error *e, const char *what)
{
	(void)pg_error_set(e, "22P04", "%s", what);
	copy_read_context(r, SIZE_MAX, e);
	return false;
}

bool copy_read_missing(const struct copy_reader *r, size_t column, struct pg_error *e)
{
	(void)pg_error_set(e, "22P04", "missing data for column \"%.*s\"", SPAN_ARG(r->names[column]));
	copy_read_context(r, SIZE_MAX, e);
	return false;
}

struct span copy_unread(const struct copy_reader *r)
{
	return span_skip(buf_view(&r->pending), r->at);
}

/* --- fields of text and CSV --- */

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

/* Where the next field goes; those beyond the columns are wrong, and in a header counted. */
static bool next_field(struct copy_reader *r, bool is_header, struct copy_field **ret, struct pg_error *e)
{
	if (r->count >= r->columns && !is_header)
		return copy_fault(r, e, "extra data after last expected column");
	*ret = &r->fields[r->count < r->columns ? r->count : r->columns];
	r->count++;
	return true;
}

/* The field's raw text: up to the delimiter, a backslash protecting the byte behind it. */
static size_t text_field_end(struct span line, char delimiter)
{
	size_t i = 0;
	while (i < line.len && line.ptr[i] != delimiter)
		i += line.ptr[i] == '\\' ? 2 : 1;
	return i < line.len ? i : line.len;
}

static struct span unescape(struct copy_reader *r, struct span raw)
{
	const size_t start = r->row.len;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] != '\\')
			buf_byte(&r->row, raw.ptr[i]);
		else if (i + 1 < raw.len)
			i += put_escape(&r->row, span_skip(raw, i + 1));
	}
	return span_skip(buf_view(&r->row), start);
}

static bool split_text(struct copy_reader *r, struct span line, bool is_header, struct pg_error *e)
{
	const bool has_escapes = span_find(line, '\\') < line.len;
	const char delimiter = r->options->delimiter;
	/* The line's length bounds what unescaping writes, so fields may point into the buffer while it fills. */
	if (has_escapes && !buf_reserve(&r->row, line.len + 1))
		return copy_fault(r, e, "row is too long");
	for (bool more = r->columns > 0 || line.len > 0; more;) {
		struct copy_field *f = NULL;
		if (!next_field(r, is_header, &f, e))
			return false;
		struct span raw =
			span_first(line, has_escapes ? text_field_end(line, delimiter) : span_find(line, delimiter));
		more = raw.len < line.len;
		line = span_skip(line, raw.len + 1);
		f->is_null = span_eq(raw, r->options->null);
		f->bytes = f->is_null || !has_escapes || span_find(raw, '\\') == raw.len ? raw : unescape(r, raw);
	}
	return true;
}

/* Takes one CSV field off the line, unquoted into the row buffer; *ret_quoted: it had quotes. */
static bool take_csv(struct copy_reader *r, struct span *line, struct span *ret, bool *ret_quoted, bool *ret_more,
		     struct pg_error *e)
{
	const struct copy_options *o = r->options;
	size_t start = r->row.len, i = 0;
	bool inside = false;
	*ret_quoted = false;
	const struct span plain = span_first(*line, span_find(*line, o->delimiter));
	if (span_find(plain, o->quote) == plain.len) {
		*ret_more = plain.len < line->len;
		*line = span_skip(*line, plain.len + 1);
		*ret = plain;
		return true;
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
	*ret = span_skip(buf_view(&r->row), start);
	return !inside || copy_fault(r, e, "unterminated CSV quoted field");
}

static bool split_csv(struct copy_reader *r, struct span line, bool is_header, struct pg_error *e)
{
	if (!buf_reserve(&r->row, line.len + 1))
		return copy_fault(r, e, "row is too long");
	for (bool more = r->columns > 0 || line.len > 0; more;) {
		struct copy_field *f = NULL;
		bool quoted;
		if (!next_field(r, is_header, &f, e) || !take_csv(r, &line, &f->bytes, &quoted, &more, e))
			return false;
		const size_t i = (size_t)(f - r->fields);
		f->is_null = span_eq(f->bytes, r->options->null) && (quoted ? r->force_null[i] : !r->force_not_null[i]);
	}
	return true;
}

static bool split(struct copy_reader *r, struct span line, bool is_header, struct pg_error *e)
{
	buf_reset(&r->row);
	r->count = 0;
	return r->options->format == COPY_CSV ? split_csv(r, line, is_header, e) : split_text(r, line, is_header, e);
}

static bool header_fault(const struct copy_reader *r, struct pg_error *e)
{
	copy_read_context(r, SIZE_MAX, e);
	return false;
}

static bool check_header(struct copy_reader *r, struct pg_error *e)
{
	if (!span_is_utf8(r->text)) {
		(void)pg_error_set(e, "22021", "invalid byte sequence for encoding \"UTF8\" in the header line");
		return header_fault(r, e);
	}
	if (r->count != r->columns) {
		(void)pg_error_set(e, "22P04", "wrong number of fields in header line: got %zu, expected %zu", r->count,
				   r->columns);
		return header_fault(r, e);
	}
	for (size_t i = 0; i < r->columns; i++) {
		const struct copy_field *f = &r->fields[i];
		const char *more;
		if (!f->is_null && span_eq(f->bytes, r->names[i]))
			continue;
		struct span got = shown(f->bytes, &more);
		(void)pg_error_set(
			e, "22P04",
			"column name mismatch in header line field %zu: got %s\"%.*s%s\"%s, expected \"%.*s\"", i + 1,
			f->is_null ? "null value (" : "", SPAN_ARG(got), more, f->is_null ? ")" : "",
			SPAN_ARG(r->names[i]));
		return header_fault(r, e);
	}
	return true;
}

static bool read_line(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	for (;;) {
		struct span line = SPAN_NONE;
		if (!copy_line_take(r, &line, ret, e))
			return false;
		if (*ret != COPY_ROW)
			return true;
		const bool is_header = r->options->header != COPY_NO_HEADER && !r->header_done;
		r->header_done = true;
		if (r->options->header == COPY_HEADER_MATCH && is_header &&
		    (!split(r, line, true, e) || !check_header(r, e)))
			return false;
		r->ended = r->last_line;
		if (r->last_line && (is_header || line.len == 0)) {
			*ret = COPY_END;
			return true;
		}
		if (!is_header)
			return split(r, line, false, e);
	}
}

bool copy_read_row(struct copy_reader *r, enum copy_step *ret, struct pg_error *e)
{
	if (r->ended) {
		*ret = COPY_END;
		return true;
	}
	return r->options->format == COPY_BINARY ? copy_binary_row(r, ret, e) : read_line(r, ret, e);
}
