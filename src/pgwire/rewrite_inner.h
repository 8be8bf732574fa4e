/* Shared by the rewrite files: a statement as tokens that can be replaced. */
#ifndef PGWIRE_REWRITE_INNER_H
#define PGWIRE_REWRITE_INNER_H

#include "base/buf.h"
#include "pgwire/rewrite.h"

struct piece {
	struct token t;
	const char *before; /* written in front; NULL: nothing */
	const char *after;
	const char *text; /* written instead; NULL: the token itself */
	bool dropped;
	bool in_select_list;
	size_t match;	  /* of a bracket: the other one, or its own index when there is none */
	size_t enclosing; /* the innermost '(' around it; SIZE_MAX: none */
};

/* What a rewritten statement may cost: chains of casts, replacements made of the session's state. */
enum { REWRITE_CHAIN_MAX = 500, REWRITE_EDITS_MAX = 500, REWRITE_WRAP_MAX = 4096 };

struct rewriter {
	const struct stmt *stmt;
	const struct rewrite_hooks *hooks;
	struct arena *arena;
	struct pg_error *e;
	struct piece *p;
	size_t n;	     /* without the end token, which stands at p[n] */
	struct buf prologue; /* statements in front, each with its semicolon */
	size_t edits;
	bool too_complex;
	bool makes_temp; /* CREATE in pg_temp */
};

static inline bool piece_is(const struct rewriter *r, size_t i, const char *word)
{
	return i < r->n && token_is(r->p[i].t, word);
}

static inline bool piece_punct(const struct rewriter *r, size_t i, char c)
{
	return i < r->n && token_is_punct(r->p[i].t, c);
}

static inline bool piece_kind(const struct rewriter *r, size_t i, enum token_kind kind)
{
	return i < r->n && r->p[i].t.kind == kind;
}

static inline bool piece_is_name(const struct rewriter *r, size_t i)
{
	return i < r->n && token_is_name(r->p[i].t);
}

/* An identifier, quoted or not, that means this name. */
static inline bool piece_named(const struct rewriter *r, size_t i, const char *name)
{
	if (i >= r->n)
		return false;
	struct span text = r->p[i].t.text;
	if (r->p[i].t.kind == TOKEN_QUOTED)
		return text.len >= 2 && span_is((struct span){text.ptr + 1, text.len - 2}, name);
	return token_is(r->p[i].t, name);
}

static inline bool piece_operator(const struct rewriter *r, size_t i, const char *op)
{
	return piece_kind(r, i, TOKEN_OPERATOR) && span_is(r->p[i].t.text, op);
}

/* Index of the bracket that closes the one at `open`; r->n when there is none. */
static inline size_t piece_close(const struct rewriter *r, size_t open)
{
	return open < r->n && r->p[open].match > open ? r->p[open].match : r->n;
}

/* Counts a replacement; false when the statement has had its share. */
static inline bool piece_edit(struct rewriter *r)
{
	r->too_complex = r->too_complex || ++r->edits > REWRITE_EDITS_MAX;
	return !r->too_complex;
}

/* First token of the operand that ends at `last` (a primary expression with its casts and subscripts). */
size_t piece_operand_start(const struct rewriter *r, size_t last);
/* One behind the last token of the operand that starts at `first`. */
size_t piece_operand_end(const struct rewriter *r, size_t first);
void piece_drop(struct rewriter *r, size_t from, size_t to);
/* Texts around tokens, outside of what stands there already. */
void piece_wrap(struct rewriter *r, size_t first, size_t last, const char *open, const char *close);
/* A column of the catalog whose items count from 0: indkey and the like. */
bool piece_vector(const struct rewriter *r, size_t i);

/* The passes. */
/* rewrite_listing.c: false when the statement is none of them; *ret: the query to rewrite instead. */
bool rewrite_listing(const struct stmt *s, struct arena *arena, struct stmt *ret);
/* rewrite_names.c */
bool rewrite_names_needed(const struct stmt *s, const struct rewrite_hooks *hooks);
void rewrite_names(struct rewriter *r);
void rewrite_casts(struct rewriter *r);
void rewrite_types(struct rewriter *r);
void rewrite_operators(struct rewriter *r);
void rewrite_calls(struct rewriter *r);
void rewrite_columns(struct rewriter *r);
void rewrite_literals(struct rewriter *r);
/* rewrite_sets.c: functions that stand where a table does, i being the name; `alias` is where theirs stands, 0: nowhere. */
void rewrite_sets(struct rewriter *r, size_t i, size_t close, size_t alias);
bool rewrite_records(struct rewriter *r, size_t i, size_t close);
/* rewrite_refused.c */
MUST_CHECK bool rewrite_refused(struct rewriter *r);
MUST_CHECK bool rewrite_ddl(struct rewriter *r);

#endif
