#include "pgwire/fingerprint.h"

#include "base/buf.h"
#include "pgwire/lexer.h"

struct writer {
	struct buf out;
	uint64_t hash;
	unsigned constants;
};

static bool is_constant(struct token t)
{
	return t.kind == TOKEN_STRING || t.kind == TOKEN_NUMBER || t.kind == TOKEN_PARAM;
}

static void mix(struct writer *w, char c)
{
	w->hash = (w->hash ^ (unsigned char)c) * 0x100000001b3u;
}

static void put(struct writer *w, struct token t)
{
	const bool shown = w->out.len < FINGERPRINT_TEXT_MAX;
	if (shown && t.after_space && w->out.len)
		buf_byte(&w->out, ' ');
	if (is_constant(t)) {
		w->constants++;
		mix(w, 1);
		if (shown)
			buf_printf(&w->out, "$%u", w->constants);
		return;
	}
	mix(w, 2);
	for (size_t i = 0; i < t.text.len; i++) {
		char c = t.text.ptr[i];
		mix(w, t.kind == TOKEN_WORD && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	if (shown)
		buf_span(&w->out, span_first(t.text, FINGERPRINT_TEXT_MAX));
}

/* ", 2, 3" behind a constant. */
static void skip_list(struct lexer *lx)
{
	for (;;) {
		struct lexer ahead = *lx;
		if (!token_is_punct(lexer_next(&ahead), ',') || !is_constant(lexer_next(&ahead)))
			return;
		*lx = ahead;
	}
}

/* ", (1, 'a')" behind a bracket that held constants only. */
static void skip_rows(struct lexer *lx)
{
	for (;;) {
		struct lexer ahead = *lx;
		if (!token_is_punct(lexer_next(&ahead), ',') || !token_is_punct(lexer_next(&ahead), '(') ||
		    !is_constant(lexer_next(&ahead)))
			return;
		skip_list(&ahead);
		if (!token_is_punct(lexer_next(&ahead), ')'))
			return;
		*lx = ahead;
	}
}

struct fingerprint fingerprint_of(struct span sql, struct arena *arena)
{
	struct lexer lx = {sql};
	struct writer w = {.out = BUF(3 * FINGERPRINT_TEXT_MAX), .hash = 0xcbf29ce484222325u};
	struct token before[2] = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		put(&w, t);
		if (is_constant(t))
			skip_list(&lx);
		else if (token_is_punct(t, ')') && is_constant(before[1]) && token_is_punct(before[0], '('))
			skip_rows(&lx);
		before[0] = before[1];
		before[1] = t;
	}
	w.hash ^= w.hash >> 32;
	struct span text = span_first(buf_view(&w.out), FINGERPRINT_TEXT_MAX);
	/* No half of a character at the cut. */
	while (text.len && !span_is_utf8(text) && text.len + 4 > FINGERPRINT_TEXT_MAX)
		text.len--;
	struct fingerprint f = {(w.hash * 0x9e3779b97f4a7c15u) >> 1 | 1, arena_span(arena, text)};
	buf_done(&w.out);
	return f;
}
