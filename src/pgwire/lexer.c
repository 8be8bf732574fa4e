#include "pgwire/lexer.h"

#include "base/buf.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word_part(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

static bool is_operator(char c)
{
	return c != '\0' && strchr("+-*/<>=~!@#%^&|`?", c) != NULL;
}

static char at(struct span s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

/* The engine takes some characters beyond ASCII for blanks: how long such a one is, 0 for others. */
static size_t wide_blank(struct span s)
{
	static const struct {
		char first[4], last[4]; /* they differ in their last byte only */
	} blanks[] = {
		{"\xC2\xA0", "\xC2\xA0"},	  /* U+00A0 no-break space */
		{"\xE2\x80\x80", "\xE2\x80\x8D"}, /* U+2000 to U+200D */
		{"\xE2\x80\xAF", "\xE2\x80\xAF"}, /* U+202F */
		{"\xE2\x81\x9F", "\xE2\x81\xA0"}, /* U+205F, U+2060 */
		{"\xE3\x80\x80", "\xE3\x80\x80"}, /* U+3000 */
		{"\xEF\xBB\xBF", "\xEF\xBB\xBF"}, /* U+FEFF byte order mark */
	};
	if (((unsigned char)at(s, 0) & 0xC0) != 0xC0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
		size_t n = strlen(blanks[i].first);
		if (s.len >= n && memcmp(s.ptr, blanks[i].first, n - 1) == 0 &&
		    (unsigned char)s.ptr[n - 1] >= (unsigned char)blanks[i].first[n - 1] &&
		    (unsigned char)s.ptr[n - 1] <= (unsigned char)blanks[i].last[n - 1])
			return n;
	}
	return 0;
}

/* How much of the text is a word, or the rest of one. */
static size_t word_length(struct span s)
{
	size_t i = 0;
	while (i < s.len && is_word_part(s.ptr[i]) && !wide_blank(span_skip(s, i)))
		i++;
	return i;
}

static size_t line_comment_length(struct span s)
{
	size_t i = 0;
	while (i < s.len && s.ptr[i] != '\n' && s.ptr[i] != '\r')
		i++;
	return i;
}

/* Length of a nested comment that starts the text; 0: it does not end. */
static size_t comment_length(struct span s)
{
	size_t depth = 0, i = 0;
	while (i < s.len) {
		if (s.ptr[i] == '/' && at(s, i + 1) == '*') {
			depth++;
			i += 2;
		} else if (s.ptr[i] == '*' && at(s, i + 1) == '/') {
			i += 2;
			if (--depth == 0)
				return i;
		} else {
			i++;
		}
	}
	return 0;
}

/* Skips blanks and comments; false when a comment does not end. */
static bool skip_space(struct span *rest)
{
	for (;;) {
		char c = at(*rest, 0);
		if (c != '\0' && strchr(" \t\n\r\f\v", c)) {
			*rest = span_skip(*rest, 1);
		} else if (c == '-' && at(*rest, 1) == '-') {
			*rest = span_skip(*rest, line_comment_length(*rest));
		} else if (c == '/' && at(*rest, 1) == '*') {
			size_t n = comment_length(*rest);
			if (n == 0)
				return false;
			*rest = span_skip(*rest, n);
		} else {
			size_t n = wide_blank(*rest);
			if (n == 0)
				return true;
			*rest = span_skip(*rest, n);
		}
	}
}

/*
 * A string goes on behind its closing quote where only blanks, a line's end among them, and comments of lines stand before
 * the next quote: the length up to that quote, included; 0: the string is over.
 */
static size_t continuation(struct span s)
{
	bool line = false;
	size_t i = 0;
	for (; i < s.len; i++) {
		if (s.ptr[i] == '-' && at(s, i + 1) == '-')
			i += line_comment_length(span_skip(s, i));
		const char c = at(s, i);
		if (c == '\'' && line)
			return i + 1;
		line = line || c == '\n' || c == '\r';
		if (!c || !strchr(" \t\n\r\f", c))
			break;
	}
	return 0;
}

/* Length of quoted text from its opening quote at `from`; 0: it does not end. */
static size_t quoted_length(struct span s, size_t from, bool escapes)
{
	char quote = s.ptr[from];
	for (size_t i = from + 1; i < s.len; i++) {
		if (escapes && s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == quote && at(s, i + 1) == quote)
			i++;
		else if (s.ptr[i] == quote) {
			const size_t more = escapes ? continuation(span_skip(s, i + 1)) : 0;
			if (more == 0)
				return i + 1;
			i += more;
		}
	}
	return 0;
}

/* $tag$ .. $tag$; SIZE_MAX: no dollar quote starts here, 0: it does not end. */
static size_t dollar_length(struct span s)
{
	size_t tag = 1;
	while (tag < s.len && is_word_part(s.ptr[tag]) && s.ptr[tag] != '$' && !wide_blank(span_skip(s, tag)))
		tag++;
	if (at(s, tag) != '$' || is_digit(at(s, 1)))
		return SIZE_MAX;
	tag++;
	struct span body = span_skip(s, tag);
	const char *end = body.len ? memmem(body.ptr, body.len, s.ptr, tag) : NULL;
	return end ? (size_t)(end - s.ptr) + tag : 0;
}

/* The prefix of a string literal: its length, 0 for none. */
static size_t string_prefix(struct span s)
{
	if (at(s, 1) == '\'' && strchr("eEbBxXnN", at(s, 0)))
		return 1;
	if ((at(s, 0) == 'U' || at(s, 0) == 'u') && at(s, 1) == '&' && (at(s, 2) == '\'' || at(s, 2) == '"'))
		return 2;
	return 0;
}

/* Digits, between which single underscores may stand. */
static size_t digits_length(struct span s)
{
	size_t i = 0;
	while (is_digit(at(s, i)) || (i > 0 && at(s, i) == '_' && is_digit(at(s, i + 1))))
		i++;
	return i;
}

/* A word may follow a number at once: 1FROM t. */
static size_t number_length(struct span s)
{
	size_t i = digits_length(s);
	if (at(s, i) == '.' && at(s, i + 1) != '.')
		i += 1 + digits_length(span_skip(s, i + 1));
	if ((at(s, i) | 0x20) == 'e') {
		const size_t sign = at(s, i + 1) == '+' || at(s, i + 1) == '-';
		const size_t n = digits_length(span_skip(s, i + 1 + sign));
		i += n ? 1 + sign + n : 0;
	}
	return i;
}

/* An operator ends where a comment begins. */
static size_t operator_length(struct span s)
{
	size_t i = 1;
	while (i < s.len && is_operator(s.ptr[i]) && !(s.ptr[i] == '-' && at(s, i + 1) == '-') &&
	       !(s.ptr[i] == '/' && at(s, i + 1) == '*'))
		i++;
	return i;
}

/* A string in dollars, $1 or $name. */
static enum token_kind measure_dollar(struct span s, size_t *ret_len)
{
	const struct span name = span_skip(s, 1);
	*ret_len = dollar_length(s);
	if (*ret_len != SIZE_MAX)
		return TOKEN_STRING;
	*ret_len = 1 + (is_digit(at(name, 0)) ? digits_length(name) : word_length(name));
	return TOKEN_PARAM;
}

/* Kind and length of the token that starts the text; a length of 0 means that it does not end. */
static enum token_kind measure(struct span s, size_t *ret_len)
{
	char c = *s.ptr;
	size_t prefix = string_prefix(s);
	if (c == '\'' || c == '"' || prefix) {
		*ret_len = quoted_length(s, prefix, prefix == 1 && (c | 0x20) == 'e');
		return s.ptr[prefix] == '"' ? TOKEN_QUOTED : TOKEN_STRING;
	}
	if (is_word_start(c)) {
		*ret_len = word_length(s);
		return TOKEN_WORD;
	}
	if (is_digit(c)) {
		*ret_len = number_length(s);
		return TOKEN_NUMBER;
	}
	if (c == '$')
		return measure_dollar(s, ret_len);
	if (is_operator(c)) {
		*ret_len = operator_length(s);
		return TOKEN_OPERATOR;
	}
	*ret_len = c == ':' && at(s, 1) == ':' ? 2 : 1;
	return *ret_len == 2 ? TOKEN_CAST : TOKEN_PUNCT;
}

struct token lexer_next(struct lexer *lx)
{
	const char *before = lx->rest.ptr;
	struct token t = {.kind = TOKEN_BAD};
	bool fine = skip_space(&lx->rest);
	t.after_space = lx->rest.ptr != before;
	t.text = lx->rest;
	if (fine && lx->rest.len == 0) {
		t.kind = TOKEN_END;
		return t;
	}
	size_t len = 0;
	enum token_kind kind = fine ? measure(lx->rest, &len) : TOKEN_BAD;
	if (len) {
		t.kind = kind;
		t.text = span_first(lx->rest, len);
	}
	lx->rest = span_skip(lx->rest, t.text.len);
	return t;
}

struct token lexer_peek(const struct lexer *lx)
{
	struct lexer copy = *lx;
	return lexer_next(&copy);
}

bool token_is(struct token t, const char *word)
{
	return t.kind == TOKEN_WORD && span_eq_nocase(t.text, span_of(word));
}

bool token_is_one_of(struct token t, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

bool token_is_punct(struct token t, char c)
{
	return t.kind == TOKEN_PUNCT && *t.text.ptr == c;
}

bool token_is_window(struct token t)
{
	static const char *const words[] = {"over", "filter", "ignore", "respect"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

struct span token_name(struct token t, struct arena *arena)
{
	char *name = arena_copy(arena, t.text);
	if (t.kind == TOKEN_WORD) {
		for (char *c = name; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c | 0x20);
		return (struct span){name, t.text.len};
	}
	if (t.kind != TOKEN_QUOTED)
		return (struct span){name, t.text.len};
	size_t len = 0, open = span_find(t.text, '"');
	for (size_t i = open + 1; i + 1 < t.text.len; i++) {
		name[len++] = t.text.ptr[i];
		if (t.text.ptr[i] == '"')
			i++;
	}
	name[len] = '\0';
	return (struct span){name, len};
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00U >> size) | c);
	return size;
}

/* Up to `max` digits of a base; the count read. */
static size_t read_code(struct span s, size_t max, uint32_t base, uint32_t *ret)
{
	size_t i = 0;
	*ret = 0;
	for (; i < max && i < s.len; i++) {
		static const char digits[] = "0123456789abcdef";
		char lower = s.ptr[i] >= 'A' && s.ptr[i] <= 'F' ? (char)(s.ptr[i] | 0x20) : s.ptr[i];
		const char *found = lower ? strchr(digits, lower) : NULL;
		if (!found || (uint32_t)(found - digits) >= base)
			break;
		*ret = *ret * base + (uint32_t)(found - digits);
	}
	return i;
}

/* One escape behind its backslash; the bytes it takes. */
static size_t resolve_escape(struct span s, char *to, size_t *len)
{
	static const char from[] = "bfnrt";
	static const char plain[] = "\b\f\n\r\t";
	uint32_t code;
	char c = at(s, 0);
	const char *known = c ? strchr(from, c) : NULL;
	if (known) {
		to[(*len)++] = plain[known - from];
		return 1;
	}
	size_t digits = 0, lead = 1;
	if (c == 'x')
		digits = read_code(span_skip(s, 1), 2, 16, &code);
	else if (c == 'u' || c == 'U')
		digits = read_code(span_skip(s, 1), c == 'u' ? 4 : 8, 16, &code);
	else {
		digits = read_code(s, 3, 8, &code);
		lead = 0;
	}
	if (digits == 0) {
		to[(*len)++] = c;
		return 1;
	}
	if (c == 'u' || c == 'U')
		*len += put_utf8(to + *len, code < 0x110000 ? code : 0xfffd);
	else
		to[(*len)++] = (char)code;
	return lead + digits;
}

struct span token_string(struct token t, struct arena *arena)
{
	struct span s = t.text;
	if (s.len && *s.ptr == '$') {
		size_t tag = span_find(span_skip(s, 1), '$') + 2;
		return s.len >= 2 * tag ? (struct span){s.ptr + tag, s.len - 2 * tag} : SPAN_NONE;
	}
	bool escapes = s.len && (*s.ptr | 0x20) == 'e';
	struct span body = span_skip(s, span_find(s, '\'') + 1);
	body.len -= body.len > 0;
	char *text = arena_alloc(arena, body.len * 4 + 1);
	size_t len = 0;
	for (size_t i = 0; i < body.len; i++) {
		if (escapes && body.ptr[i] == '\\' && i + 1 < body.len) {
			i += resolve_escape(span_skip(body, i + 1), text, &len);
			continue;
		}
		if (body.ptr[i] == '\'' && at(body, i + 1) != '\'') {
			const size_t more = continuation(span_skip(body, i + 1));
			i += more;
			continue;
		}
		text[len++] = body.ptr[i];
		if (body.ptr[i] == '\'')
			i++;
	}
	return (struct span){text, len};
}

struct span lexer_plain_blanks(struct span text, struct arena *arena)
{
	size_t first = 0;
	while (first < text.len && !wide_blank(span_skip(text, first)))
		first++;
	if (first == text.len)
		return text;
	char *plain = arena_alloc(arena, text.len + 1);
	size_t len = 0;
	struct lexer lx = {text};
	for (struct token t = {.kind = TOKEN_BAD}; t.kind != TOKEN_END;) {
		const char *from = lx.rest.ptr;
		t = lexer_next(&lx);
		for (struct span gap = {from, (size_t)(t.text.ptr - from)}; gap.len;) {
			const size_t wide = wide_blank(gap);
			plain[len++] = wide ? ' ' : *gap.ptr;
			gap = span_skip(gap, wide ? wide : 1);
		}
		memcpy(plain + len, t.text.ptr, t.text.len);
		len += t.text.len;
	}
	plain[len] = '\0';
	return (struct span){plain, len};
}

/* .schema.object */
static bool schema_follows(struct lexer lx, struct token *ret_dot)
{
	*ret_dot = lexer_next(&lx);
	return token_is_punct(*ret_dot, '.') && token_is_name(lexer_next(&lx)) && token_is_punct(lexer_next(&lx), '.');
}

struct span lexer_without_database(struct span text, struct span database, struct arena *arena)
{
	struct lexer lx = {text};
	struct token before = {0}, dot;
	char *copy = NULL;
	if (!memmem(text.ptr, text.len, database.ptr, database.len))
		return text;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; before = t, t = lexer_next(&lx)) {
		if (!token_is_name(t) || token_is_punct(before, '.') || !span_eq(token_name(t, arena), database) ||
		    !schema_follows(lx, &dot))
			continue;
		if (!copy)
			copy = arena_copy(arena, text);
		memset(copy + (t.text.ptr - text.ptr), ' ', (size_t)(dot.text.ptr + 1 - t.text.ptr));
	}
	return copy ? (struct span){copy, text.len} : text;
}

void lexer_quote_name(struct buf *out, struct span name)
{
	bool plain = name.len > 0 && (is_word_start(*name.ptr) && (*name.ptr < 'A' || *name.ptr > 'Z'));
	for (size_t i = 0; i < name.len && plain; i++)
		plain = is_word_part(name.ptr[i]) && (name.ptr[i] < 'A' || name.ptr[i] > 'Z') && name.ptr[i] != '$';
	if (plain) {
		buf_span(out, name);
		return;
	}
	buf_byte(out, '"');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"')
			buf_byte(out, '"');
		buf_byte(out, name.ptr[i]);
	}
	buf_byte(out, '"');
}

void lexer_quote_string(struct buf *out, struct span text)
{
	buf_byte(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'')
			buf_byte(out, '\'');
		buf_byte(out, text.ptr[i]);
	}
	buf_byte(out, '\'');
}
