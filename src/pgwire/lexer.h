/*
 * Tokens of SQL as PostgreSQL and the engine read it: nested comments, quoted
 * identifiers, strings of every form ('..', E'..', U&'..', B'..', X'..', N'..',
 * $tag$..$tag$), numbers, $1 and $name, operators. standard_conforming_strings
 * is always on: only E'..' has backslash escapes.
 *
 * What is refused is found in these tokens, so they must be the engine's own:
 * text that it reads as code must never be a string or a comment here.
 *
 * Pure; a token's text points into the statement. What never ends (a string, a
 * comment) is one TOKEN_BAD up to the end of the text. Linear in the text.
 */
#ifndef PGWIRE_LEXER_H
#define PGWIRE_LEXER_H

#include "base/arena.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* keyword or plain identifier */
	TOKEN_QUOTED, /* "identifier" */
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_PARAM, /* $1, $name */
	TOKEN_OPERATOR,
	TOKEN_PUNCT, /* one of ( ) [ ] { } , ; . : */
	TOKEN_CAST,  /* :: */
	TOKEN_BAD
};

struct token {
	enum token_kind kind;
	struct span text;
	bool after_space; /* blanks or a comment stand before it */
};

struct lexer {
	struct span rest;
};

struct token lexer_next(struct lexer *lx);
/* The next token, not taken. */
struct token lexer_peek(const struct lexer *lx);

/*
 * The engine takes U+00A0 and its like for blanks, by rules of its own about what is quoted. The same text with plain ones
 * between the tokens leaves nothing to these rules, and as many characters.
 */
struct span lexer_plain_blanks(struct span text, struct arena *arena);

/*
 * Blanks in place of the database's name, and the dot behind it, wherever it stands in front of a schema and an object
 * (database.schema.object): PostgreSQL takes that for the database one is in, the engine has none of the name. Nothing
 * else moves.
 */
struct span lexer_without_database(struct span text, struct span database, struct arena *arena);

/* Case-insensitive comparison of a word; a quoted identifier is no keyword. */
bool token_is(struct token t, const char *word);
bool token_is_punct(struct token t, char c);
/* A word that stands behind the arguments of a window function. */
bool token_is_window(struct token t);
/* A bracket of any kind. */
static inline bool token_opens(struct token t)
{
	return token_is_punct(t, '(') || token_is_punct(t, '[') || token_is_punct(t, '{');
}
static inline bool token_closes(struct token t)
{
	return token_is_punct(t, ')') || token_is_punct(t, ']') || token_is_punct(t, '}');
}
bool token_is_one_of(struct token t, const char *const *words, size_t n);
static inline bool token_is_name(struct token t)
{
	return t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED;
}
/* The name an identifier means: folded to lower case, or without its quotes. For other tokens the text. */
struct span token_name(struct token t, struct arena *arena);
/* The content of a string, escapes resolved. */
struct span token_string(struct token t, struct arena *arena);
/* Appends the name as an identifier, quoted where it must be. */
struct buf;
void lexer_quote_name(struct buf *out, struct span name);
void lexer_quote_string(struct buf *out, struct span text);

#endif
