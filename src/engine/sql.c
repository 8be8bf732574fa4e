#include "engine/sql.h"

#include <stdarg.h>
#include <stdlib.h>

static void quoted(struct buf *out, struct span text, char quote)
{
	if ((text.len && memchr(text.ptr, '\0', text.len)) || !span_is_utf8(text)) {
		buf_done(out);
		out->failed = true;
		return;
	}
	buf_byte(out, quote);
	while (text.len > 0) {
		const size_t n = span_find(text, quote);
		buf_span(out, span_first(text, n));
		if (n < text.len) {
			buf_byte(out, quote);
			buf_byte(out, quote);
		}
		text = span_skip(text, n + 1);
	}
	buf_byte(out, quote);
}

void sql_ident(struct buf *out, struct span name)
{
	quoted(out, name, '"');
}

void sql_text(struct buf *out, struct span text)
{
	quoted(out, text, '\'');
}

void sql_idents(struct buf *out, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		sql_ident(out, span_of(names[i]));
	}
}

static void literal(struct buf *out, const char *text)
{
	if (text)
		sql_text(out, span_of(text));
	else
		buf_str(out, "NULL");
}

void sql_printf(struct buf *out, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	for (const char *at = fmt; *at; at++) {
		const size_t plain = strcspn(at, "%");
		buf_bytes(out, at, plain);
		at += plain;
		if (!*at)
			break;
		switch (*++at) {
		case 'I':
			sql_ident(out, span_of(va_arg(args, const char *)));
			break;
		case 'L':
			literal(out, va_arg(args, const char *));
			break;
		case 's':
			buf_str(out, va_arg(args, const char *));
			break;
		case 'd':
			buf_i64(out, va_arg(args, int64_t));
			break;
		case '%':
			buf_byte(out, '%');
			break;
		default:
			abort();
		}
	}
	va_end(args);
}

bool sql_finish(struct buf *sql, const char **ret, struct err *err)
{
	if (sql->failed)
		return err_set(
			err, ERR_INVALID_REQUEST,
			"A name or text contains a NUL byte or bytes that are not UTF-8, or the statement is too long");
	*ret = buf_view(sql).ptr;
	return true;
}
