/* A cursor over a statement's tokens, for the files of command.h. */
#ifndef PGWIRE_COMMAND_PARSER_H
#define PGWIRE_COMMAND_PARSER_H

#include "pgwire/command.h"

struct parser {
	struct lexer lx;
	struct token now;
	struct span text;
	struct arena *arena;
	struct pg_error *e;
};

static inline void parser_step(struct parser *p)
{
	p->now = lexer_next(&p->lx);
}

static inline struct parser parser_start(const struct stmt *s, struct arena *arena, struct pg_error *e)
{
	struct parser p = {.lx = {s->text}, .text = s->text, .arena = arena, .e = e};
	parser_step(&p);
	return p;
}

static inline bool parser_fail(struct parser *p)
{
	bool at_end = p->now.kind == TOKEN_END;
	if (at_end)
		(void)pg_error_set(p->e, "42601", "syntax error at end of input");
	else
		(void)pg_error_set(p->e, "42601", "syntax error at or near \"%.*s\"",
				   SPAN_ARG(span_first(p->now.text, 100)));
	p->e->position = sqlstate_position(p->text, (size_t)(p->now.text.ptr - p->text.ptr));
	return false;
}

static inline bool parser_word(struct parser *p, const char *word)
{
	if (!token_is(p->now, word))
		return false;
	parser_step(p);
	return true;
}

static inline bool parser_punct(struct parser *p, char c)
{
	if (!token_is_punct(p->now, c))
		return false;
	parser_step(p);
	return true;
}

static inline bool parser_name(struct parser *p, struct span *ret)
{
	if (!token_is_name(p->now))
		return parser_fail(p);
	*ret = token_name(p->now, p->arena);
	parser_step(p);
	return true;
}

/* a, s.a or d.s.a; *ret_schema is SPAN_NONE without one. */
static inline bool parser_qualified(struct parser *p, struct span *ret_schema, struct span *ret_name)
{
	*ret_schema = SPAN_NONE;
	if (!parser_name(p, ret_name))
		return false;
	while (parser_punct(p, '.')) {
		*ret_schema = *ret_name;
		if (!parser_name(p, ret_name))
			return false;
	}
	return true;
}

static inline bool parser_end(struct parser *p)
{
	return p->now.kind == TOKEN_END || parser_fail(p);
}

/* What is left, as text. */
static inline struct span parser_rest(const struct parser *p)
{
	return span_skip(p->text, (size_t)(p->now.text.ptr - p->text.ptr));
}

#endif
