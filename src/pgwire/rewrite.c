#include "pgwire/rewrite.h"

#include "base/limits.h"
#include "pgwire/rewrite_inner.h"

size_t piece_close(const struct rewriter *r, size_t open)
{
	size_t depth = 0;
	for (size_t i = open; i < r->n; i++) {
		depth += token_is_punct(r->p[i].t, '(');
		depth -= token_is_punct(r->p[i].t, ')');
		if (depth == 0)
			return i;
	}
	return r->n;
}

void piece_drop(struct rewriter *r, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < r->n; i++)
		r->p[i].dropped = true;
}

/* Index of the bracket that opens what closes at `close`. */
static size_t open_of(const struct rewriter *r, size_t close)
{
	size_t depth = 0;
	for (size_t i = close + 1; i-- > 0;) {
		struct token t = r->p[i].t;
		depth += token_is_punct(t, ')') || token_is_punct(t, ']');
		depth -= token_is_punct(t, '(') || token_is_punct(t, '[');
		if (depth == 0)
			return i;
	}
	return 0;
}

/* Words that may stand before "(" without being a function's name. */
static bool is_function_name(struct token t)
{
	static const char *const words[] = {"in",   "and",    "or",   "not",   "select", "where", "on",	     "when",
					    "then", "else",   "from", "as",    "any",	 "all",	  "values",  "by",
					    "case", "having", "join", "union", "like",	 "ilike", "distinct"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (token_is(t, words[i]))
			return false;
	return t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED;
}

/* Takes in "a.b." in front of a name. */
static size_t name_start(const struct rewriter *r, size_t last)
{
	while (last >= 2 && token_is_punct(r->p[last - 1].t, '.') &&
	       (r->p[last - 2].t.kind == TOKEN_WORD || r->p[last - 2].t.kind == TOKEN_QUOTED))
		last -= 2;
	return last;
}

size_t piece_operand_start(const struct rewriter *r, size_t last)
{
	for (;;) {
		size_t start = last;
		struct token t = r->p[last].t;
		if (token_is_punct(t, ']')) {
			start = open_of(r, last);
			if (start > 0 && (piece_is(r, start - 1, "array") || is_function_name(r->p[start - 1].t) ||
					  token_is_punct(r->p[start - 1].t, ')'))) {
				last = start - 1;
				if (piece_is(r, last, "array"))
					return last;
				continue;
			}
		} else if (token_is_punct(t, ')')) {
			start = open_of(r, last);
			if (start > 0 && is_function_name(r->p[start - 1].t))
				start = name_start(r, start - 1);
		} else if (t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED) {
			start = name_start(r, last);
		}
		if (start < 2 || r->p[start - 1].t.kind != TOKEN_CAST)
			return start;
		last = start - 2;
	}
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
		else if (token_is_punct(t, '('))
			i = piece_close(r, i) + 1;
		else if (token_is_punct(t, '[')) {
			while (i < r->n && !token_is_punct(r->p[i].t, ']'))
				i++;
			i++;
		} else
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
	put(&out, r->prologue);
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
	put(&out, r->epilogue);
	bool fine = !out.failed || pg_error_set(r->e, "54001", "statement is too long to be rewritten");
	if (fine)
		ret->sql = arena_span(r->arena, buf_view(&out));
	buf_done(&out);
	return fine;
}

bool rewrite(const struct stmt *s, const struct rewrite_hooks *hooks, struct arena *arena, struct rewritten *ret,
	     struct pg_error *e)
{
	const unsigned relevant =
		MENTIONS_CATALOG | MENTIONS_PUBLIC | MENTIONS_SYNTAX | MENTIONS_QUOTED_DOTS | MENTIONS_SETTING;
	*ret = (struct rewritten){.sql = s->text, .statements = 1};
	bool may_list = s->kind == STMT_DROP || s->kind == STMT_TRUNCATE;
	if (!(s->mentions & relevant) && !may_list)
		return true;
	struct rewriter r = {.stmt = s, .hooks = hooks, .arena = arena, .e = e, .statements = 1};
	if (!tokenize(&r))
		return false;
	mark_select_lists(&r);
	rewrite_names(&r);
	rewrite_calls(&r);
	rewrite_operators(&r);
	if (s->mentions & MENTIONS_CATALOG)
		rewrite_casts(&r);
	if (!rewrite_ddl(&r) || !assemble(&r, ret))
		return false;
	ret->statements = r.statements;
	return true;
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
