#include "pgwire/rewrite.h"

#include "base/limits.h"
#include "pgwire/rewrite_inner.h"

void piece_drop(struct rewriter *r, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < r->n; i++)
		r->p[i].dropped = true;
}

void piece_wrap(struct rewriter *r, size_t first, size_t last, const char *open, const char *close)
{
	struct piece *p = r->p;
	p[first].before = p[first].before ? arena_printf(r->arena, "%s%s", open, p[first].before) : open;
	p[last].after = p[last].after ? arena_printf(r->arena, "%s%s", p[last].after, close) : close;
}

/* Words that may stand before "(" without being a function's name. */
static bool is_function_name(struct token t)
{
	static const char *const words[] = {"in",   "and",    "or",   "not",   "select", "where", "on",	     "when",
					    "then", "else",   "from", "as",    "any",	 "all",	  "values",  "by",
					    "case", "having", "join", "union", "like",	 "ilike", "distinct"};
	return token_is_name(t) && !token_is_one_of(t, words, ARRAY_LEN(words));
}

/* Takes in "a.b." in front of a name. */
static size_t name_start(const struct rewriter *r, size_t last)
{
	while (last >= 2 && token_is_punct(r->p[last - 1].t, '.') && token_is_name(r->p[last - 2].t))
		last -= 2;
	return last;
}

/* One step back: the start of what ends at `last`; *ret_more: a subscript was taken, what it belongs to comes next. */
static size_t primary_start(const struct rewriter *r, size_t last, bool *ret_more)
{
	struct token t = r->p[last].t;
	size_t start = r->p[last].match;
	*ret_more = false;
	if (token_is_punct(t, ']') && start > 0) {
		struct token before = r->p[start - 1].t;
		*ret_more = is_function_name(before) || token_is_punct(before, ')') || token_is_punct(before, ']');
		return token_is(before, "array") ? start - 1 : start;
	}
	if (token_is_punct(t, ')'))
		return start > 0 && is_function_name(r->p[start - 1].t) ? name_start(r, start - 1) : start;
	return token_is_name(t) ? name_start(r, last) : last;
}

size_t piece_operand_start(const struct rewriter *r, size_t last)
{
	size_t start = last;
	for (size_t step = 0; step < REWRITE_CHAIN_MAX; step++) {
		bool more;
		start = primary_start(r, last, &more);
		if (more && !piece_is(r, start, "array")) {
			last = start - 1;
			continue;
		}
		if (start < 2 || r->p[start - 1].t.kind != TOKEN_CAST)
			break;
		last = start - 2;
	}
	return start;
}

size_t piece_operand_end(const struct rewriter *r, size_t first)
{
	size_t i = first;
	if (piece_punct(r, i, '('))
		i = piece_close(r, i) + 1;
	else
		i++;
	while (i < r->n) {
		struct token t = r->p[i].t;
		if (token_is_punct(t, '.') || t.kind == TOKEN_CAST)
			i += 2;
		else if (token_is_punct(t, '(') || token_is_punct(t, '['))
			i = piece_close(r, i) + 1;
		else
			break;
	}
	return i < r->n ? i : r->n;
}

/* Marks what stands in the list of a SELECT that is shown, not in an argument or a condition. */
static void mark_select_lists(struct rewriter *r)
{
	bool open[STMT_DEPTH_MAX + 1] = {false};
	size_t depth = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct token t = r->p[i].t;
		if (token_is_punct(t, '(') || token_is(t, "case")) {
			depth += depth < STMT_DEPTH_MAX;
			open[depth] = false;
		} else if (token_is_punct(t, ')') || token_is(t, "end")) {
			depth -= depth > 0;
		} else if (token_is(t, "select")) {
			open[depth] = true;
		} else if (token_is(t, "from") || token_is(t, "where") || token_is(t, "order")) {
			open[depth] = false;
		}
		r->p[i].in_select_list = open[depth];
	}
}

/* Pairs the brackets; deeper ones than the scan allows do not come here. */
static void match_brackets(struct rewriter *r)
{
	size_t open[3 * STMT_DEPTH_MAX];
	size_t depth = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct token t = r->p[i].t;
		bool opens = token_opens(t);
		bool closes = token_closes(t);
		r->p[i].match = i;
		if (closes && depth > 0) {
			r->p[i].match = open[--depth];
			r->p[open[depth]].match = i;
		}
		r->p[i].enclosing = depth ? open[depth - 1] : SIZE_MAX;
		if (opens && depth < ARRAY_LEN(open))
			open[depth++] = i;
	}
}

static bool tokenize(struct rewriter *r)
{
	size_t cap = 64;
	struct lexer lx = {r->stmt->text};
	r->p = arena_array(r->arena, struct piece, cap);
	for (;;) {
		struct token t = lexer_next(&lx);
		if (r->n + 1 == cap) {
			if (cap > REWRITE_TOKENS_MAX)
				return pg_error_set(r->e, "54001", "statement is too long to be rewritten");
			struct piece *more = arena_array(r->arena, struct piece, cap * 2);
			memcpy(more, r->p, cap * sizeof(*more));
			r->p = more;
			cap *= 2;
		}
		r->p[r->n].t = t;
		if (t.kind == TOKEN_END)
			return true;
		r->n++;
	}
}

static void put(struct buf *out, const char *text)
{
	if (text)
		buf_str(out, text);
}

static bool assemble(struct rewriter *r, struct rewritten *ret)
{
	struct buf out = BUF(LIMIT_SQL_BYTES + r->stmt->text.len * 4);
	ret->marks = arena_array(r->arena, struct rewrite_mark, r->n + 1);
	buf_span(&out, buf_view(&r->prologue));
	const char *from = r->stmt->text.ptr;
	for (size_t i = 0; i < r->n; i++) {
		struct piece *p = &r->p[i];
		/* What stood between the tokens. */
		buf_bytes(&out, from, (size_t)(p->t.text.ptr - from));
		from = p->t.text.ptr + p->t.text.len;
		if (p->text || p->before || p->dropped)
			buf_byte(&out, ' ');
		put(&out, p->before);
		ret->marks[ret->mark_count++] =
			(struct rewrite_mark){(uint32_t)out.len, (uint32_t)(p->t.text.ptr - r->stmt->text.ptr)};
		if (p->text)
			buf_str(&out, p->text);
		else if (!p->dropped)
			buf_span(&out, p->t.text);
		put(&out, p->after);
	}
	bool fine = !out.failed || pg_error_set(r->e, "54001", "statement is too long to be rewritten");
	if (fine)
		ret->sql = arena_span(r->arena, buf_view(&out));
	buf_done(&out);
	return fine;
}

static void put_literals(struct rewriter *r)
{
	for (size_t i = 0, k = 0; i < r->n && k < r->hooks->literal_count; i++)
		if (r->p[i].t.text.ptr == r->hooks->literals[k].at)
			r->p[i].text = r->hooks->literals[k++].text;
}

static bool rewrite_tokens(struct rewriter *r)
{
	if (!tokenize(r))
		return false;
	match_brackets(r);
	mark_select_lists(r);
	put_literals(r);
	rewrite_names(r);
	rewrite_calls(r);
	rewrite_columns(r);
	rewrite_operators(r);
	rewrite_literals(r);
	if (!rewrite_refused(r))
		return false;
	if (r->stmt->mentions & MENTIONS_CATALOG)
		rewrite_casts(r);
	else if (r->stmt->mentions & MENTIONS_SYNTAX)
		rewrite_types(r);
	if (!rewrite_ddl(r))
		return false;
	return !(r->too_complex || r->prologue.failed) ||
	       pg_error_set(r->e, "54001", "statement is too complex to be rewritten");
}

static bool is_needed(const struct stmt *s, const struct rewrite_hooks *hooks)
{
	const unsigned relevant =
		MENTIONS_CATALOG | MENTIONS_PUBLIC | MENTIONS_SYNTAX | MENTIONS_QUOTED_DOTS | MENTIONS_SETTING;
	const bool may_list = s->kind == STMT_DROP || s->kind == STMT_TRUNCATE || s->kind == STMT_ALTER;
	return (s->mentions & relevant) || may_list || stmt_makes_index(s) || rewrite_names_needed(s, hooks) ||
	       hooks->literal_count || hooks->refused || hooks->operator_count;
}

bool rewrite(const struct stmt *s, const struct rewrite_hooks *hooks, struct arena *arena, struct rewritten *ret,
	     struct pg_error *e)
{
	*ret = (struct rewritten){.sql = s->text};
	if (!is_needed(s, hooks))
		return true;
	struct stmt query;
	if ((s->mentions & MENTIONS_LISTING) && rewrite_listing(s, arena, &query))
		s = &query;
	struct rewriter r = {.stmt = s, .hooks = hooks, .arena = arena, .e = e, .prologue = BUF(LIMIT_SQL_BYTES)};
	const bool fine = rewrite_tokens(&r) && assemble(&r, ret);
	buf_done(&r.prologue);
	return fine;
}

size_t rewrite_origin(const struct rewritten *r, size_t offset)
{
	size_t low = 0, high = r->mark_count;
	if (r->mark_count == 0)
		return offset;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (r->marks[middle].out <= offset)
			low = middle;
		else
			high = middle;
	}
	if (r->marks[low].out > offset)
		return 0;
	size_t origin = r->marks[low].in + (offset - r->marks[low].out);
	/* Inside a replacement there is nothing to point at but the token itself. */
	return low + 1 < r->mark_count && origin >= r->marks[low + 1].in ? r->marks[low].in : origin;
}
