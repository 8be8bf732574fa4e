/* Lines of COPY data in text and CSV, found as PostgreSQL 15 finds them. */
#include "pgwire/copy.h"

/* Where a line ends. */
struct line_end {
	size_t len, next; /* without its end, and with it */
	bool is_last;	  /* the marker of the end of data stands behind it */
};

/* LOOK_ON: the byte is one of the line. LOOK_MORE: the bytes behind it must be known. */
enum look { LOOK_ON, LOOK_FOUND, LOOK_MORE, LOOK_WRONG };

static bool is_csv(const struct copy_reader *r)
{
	return r->options->format == COPY_CSV;
}

static enum look found(struct line_end *ret, size_t len, size_t next)
{
	*ret = (struct line_end){.len = len, .next = next};
	return LOOK_FOUND;
}

static enum look wrong(const struct copy_reader *r, struct pg_error *e, const char *what, const char *letter)
{
	(void)copy_fault(r, e, what);
	if (letter && is_csv(r))
		pg_error_hint(e, "Use quoted CSV field to represent %s.",
			      *letter == 'n' ? "newline" : "carriage return");
	else if (letter)
		pg_error_hint(e, "Use \"\\%s\" to represent %s.", letter,
			      *letter == 'n' ? "newline" : "carriage return");
	return LOOK_WRONG;
}

static enum look at_return(struct copy_reader *r, struct span rest, size_t i, struct line_end *ret, struct pg_error *e)
{
	const char *refusal =
		is_csv(r) ? "unquoted carriage return found in data" : "literal carriage return found in data";
	const bool is_last = i + 1 == rest.len;
	if (r->eol == COPY_EOL_CR)
		return found(ret, i, i + 1);
	if (r->eol == COPY_EOL_LF)
		return wrong(r, e, refusal, "r");
	if (is_last && !r->finished)
		return LOOK_MORE;
	if (!is_last && rest.ptr[i + 1] == '\n') {
		r->eol = COPY_EOL_CRLF;
		return found(ret, i, i + 2);
	}
	if (r->eol == COPY_EOL_CRLF)
		return wrong(r, e, refusal, "r");
	r->eol = COPY_EOL_CR;
	return found(ret, i, i + 1);
}

static enum look at_newline(struct copy_reader *r, size_t i, struct line_end *ret, struct pg_error *e)
{
	if (r->eol == COPY_EOL_CR || r->eol == COPY_EOL_CRLF)
		return wrong(r, e, is_csv(r) ? "unquoted newline found in data" : "literal newline found in data", "n");
	r->eol = COPY_EOL_LF;
	return found(ret, i, i + 1);
}

/* \. at i in CSV: data unless the line ends behind it. */
static bool ends_csv(const struct copy_reader *r, char first, char last)
{
	return (r->eol != COPY_EOL_CRLF || first == '\r') && (last == '\r' || last == '\n');
}

/* What is wrong with the bytes behind \. in text, where the line must end as the others do; NULL: nothing. */
static const char *marker_fault(const struct copy_reader *r, char first, char last)
{
	static const char style[] = "end-of-copy marker does not match previous newline style";
	if (r->eol == COPY_EOL_CRLF && first != '\r')
		return first == '\n' ? style : "end-of-copy marker corrupt";
	if (last != '\r' && last != '\n')
		return "end-of-copy marker corrupt";
	return r->eol != COPY_EOL_UNKNOWN && last != (r->eol == COPY_EOL_CR ? '\r' : '\n') ? style : NULL;
}

/* \. at i. In text the data may also end right behind it. */
static enum look at_marker(struct copy_reader *r, struct span rest, size_t i, struct line_end *ret, struct pg_error *e)
{
	const size_t behind = i + 2;
	const size_t wanted = r->eol == COPY_EOL_CRLF ? 2 : 1;
	if (rest.len < behind + wanted && !r->finished)
		return LOOK_MORE;
	const bool at_end = behind == rest.len && !is_csv(r);
	const char first = behind < rest.len ? rest.ptr[behind] : '\0';
	const char last = behind + wanted - 1 < rest.len ? rest.ptr[behind + wanted - 1] : '\0';
	if (is_csv(r) && !ends_csv(r, first, last))
		return LOOK_ON;
	const char *fault = at_end ? NULL : marker_fault(r, first, last);
	if (fault)
		return wrong(r, e, fault, NULL);
	*ret = (struct line_end){.len = i, .next = at_end ? rest.len : behind + wanted, .is_last = true};
	return LOOK_FOUND;
}

static enum look at_backslash(struct copy_reader *r, struct span rest, size_t *i, struct line_end *ret,
			      struct pg_error *e)
{
	if (*i + 1 == rest.len)
		return r->finished ? LOOK_ON : LOOK_MORE;
	if (rest.ptr[*i + 1] == '.')
		return at_marker(r, rest, *i, ret, e);
	if (!is_csv(r))
		(*i)++; /* what it protects */
	return LOOK_ON;
}

/* Quotes and, inside of them, escapes; newlines there count as lines. */
static void follow_quotes(struct copy_reader *r, char c)
{
	const struct copy_options *o = r->options;
	const bool has_escape = o->escape != o->quote;
	if (has_escape && r->in_quotes && c == o->escape)
		r->behind_escape = !r->behind_escape;
	if (c == o->quote && !r->behind_escape)
		r->in_quotes = !r->in_quotes;
	if (!has_escape || c != o->escape)
		r->behind_escape = false;
	if (r->in_quotes && c == (r->eol == COPY_EOL_LF ? '\n' : '\r'))
		r->line++;
}

static enum look look_at(struct copy_reader *r, struct span rest, size_t *i, struct line_end *ret, struct pg_error *e)
{
	const char c = rest.ptr[*i];
	/* In CSV the marker begins a line, where no quotes are open yet. */
	if (c == '\\' && (!is_csv(r) || *i == 0)) {
		const enum look seen = at_backslash(r, rest, i, ret, e);
		if (seen != LOOK_ON)
			return seen;
	}
	if (is_csv(r))
		follow_quotes(r, c);
	if (r->in_quotes)
		return LOOK_ON;
	return c == '\r' ? at_return(r, rest, *i, ret, e) : c == '\n' ? at_newline(r, *i, ret, e) : LOOK_ON;
}

/* Most lines: all of it has arrived, and nothing in it is special. */
static bool is_plain(const struct copy_reader *r, struct span rest, struct line_end *ret)
{
	const struct copy_options *o = r->options;
	if (r->scanned || r->eol == COPY_EOL_UNKNOWN || r->eol == COPY_EOL_CR)
		return false;
	const size_t end = span_find(rest, '\n');
	struct span line = span_first(rest, end);
	if (end == rest.len)
		return false;
	if (r->eol == COPY_EOL_CRLF) {
		if (end == 0 || rest.ptr[end - 1] != '\r')
			return false;
		line.len--;
	}
	*ret = (struct line_end){.len = line.len, .next = end + 1};
	return span_find(line, '\r') == line.len && span_find(line, '\\') == line.len &&
	       (!is_csv(r) || span_find(line, o->quote) == line.len);
}

/* Goes on looking where the last call stopped. */
static enum look find_end(struct copy_reader *r, struct span rest, struct line_end *ret, struct pg_error *e)
{
	if (is_plain(r, rest, ret))
		return LOOK_FOUND;
	for (size_t i = r->scanned; i < rest.len; i++) {
		const size_t at = i;
		const enum look seen = look_at(r, rest, &i, ret, e);
		if (seen == LOOK_MORE)
			r->scanned = at;
		if (seen != LOOK_ON)
			return seen;
	}
	r->scanned = rest.len;
	return LOOK_MORE;
}

bool copy_line_take(struct copy_reader *r, struct span *ret, enum copy_step *ret_step, struct pg_error *e)
{
	struct span rest = copy_unread(r);
	struct line_end end = {0};
	if (!r->in_line) {
		r->in_line = true;
		r->text = SPAN_NONE;
		r->line++;
	}
	const enum look seen = find_end(r, rest, &end, e);
	if (seen == LOOK_WRONG)
		return false;
	if (seen == LOOK_MORE) {
		if (r->pending.failed || rest.len > COPY_ROW_MAX)
			return pg_error_set(e, "54000", "a row of COPY data is longer than %zu bytes", COPY_ROW_MAX);
		*ret_step = COPY_MORE;
		if (!r->finished)
			return true;
		end = (struct line_end){.len = rest.len, .next = rest.len, .is_last = true};
	}
	*ret_step = COPY_ROW;
	*ret = r->text = span_first(rest, end.len);
	r->last_line = end.is_last;
	r->at += end.next;
	r->scanned = 0;
	r->in_line = r->in_quotes = r->behind_escape = false;
	return true;
}
