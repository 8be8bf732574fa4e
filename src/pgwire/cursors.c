/*
 * Cursors of SQL. A cursor is a portal with a name, as one that Bind made: FETCH, MOVE and CLOSE reach both, and so do the
 * messages Execute, Describe and Close. DECLARE only plans its statement; it runs with the first row that is asked for, or
 * before something in the transaction changes.
 */
#include "base/clock.h"
#include "pgwire/backend.h"
#include "pgwire/command.h"

static bool missing(struct span name, struct pg_error *e)
{
	return name.len ? pg_error_set(e, "34000", "cursor \"%.*s\" does not exist", SPAN_ARG(name))
			: pg_error_set(e, "34000", "invalid cursor name: must not be empty");
}

/* --- DECLARE --- */

static bool check_options(const struct command_declare *d, struct pg_error *e)
{
	if (d->scroll && d->no_scroll)
		return pg_error_set(e, "42P11", "cannot specify both %s and %s", "SCROLL", "NO SCROLL");
	if (d->insensitive && d->asensitive)
		return pg_error_set(e, "42P11", "cannot specify both %s and %s", "INSENSITIVE", "ASENSITIVE");
	return true;
}

/* The SELECT as the portal's statement. */
static bool plan(struct backend *b, struct portal *p, struct span query, struct pg_error *e)
{
	struct span rest = arena_span(p->arena, query);
	if (!stmt_next(&rest, &p->stmt, e))
		return false;
	if (p->stmt.kind != STMT_SELECT) {
		(void)pg_error_set(e, "42601", "a cursor needs a SELECT, not %s", p->stmt.tag);
		return false;
	}
	if (!run_prepare(b, &p->stmt, p->arena, &p->statement, e))
		return false;
	if (p->statement)
		run_columns(b, p->statement, &p->stmt, p->arena, &p->columns, &p->column_count);
	portal_formats(p);
	p->ready = true;
	return true;
}

/* Whether there may be such a cursor here and now. */
static bool check_place(struct backend *b, const struct command_declare *d, bool alone, struct pg_error *e)
{
	if (!d->name.len)
		return missing(d->name, e);
	if (!d->hold && alone)
		return pg_error_set(e, "25P01", "DECLARE CURSOR can only be used in transaction blocks");
	if (portal_find(b, d->name))
		return pg_error_set(e, "42P03", "cursor \"%.*s\" already exists", SPAN_ARG(d->name));
	if (b->portals.count >= BACKEND_PORTALS_MAX)
		return pg_error_set(e, "54000", "too many cursors");
	return true;
}

static bool declare(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct command_declare d;
	struct pg_error ignored = PG_ERROR_INIT;
	/* What is planned must run in the same transaction. */
	const bool alone = b->block == 'I' && !b->implicit;
	if (!command_declare(s, b->work, &d, e) || !check_options(&d, e))
		return false;
	if (alone && d.hold && !transaction_begin_implicit(b, e))
		return false;
	struct portal *p = portal_new(b, d.name);
	p->query = arena_copy(p->arena, s->text);
	p->created_us = clock_unix_us();
	p->level = b->savepoint_count;
	p->scroll = d.scroll;
	p->keeps = !d.no_scroll;
	p->hold = d.hold;
	const bool fine = plan(b, p, d.query, e) && check_place(b, &d, alone, e);
	p->binary = d.binary;
	if (fine)
		portal_add(b, p);
	else
		portal_free(b, p);
	return alone && d.hold ? transaction_end_implicit(b, fine, fine ? e : &ignored) && fine : fine;
}

/* --- FETCH, MOVE --- */

bool cursors_describe(struct backend *b, const struct stmt *s, struct arena *arena, struct message_column **ret,
		      size_t *ret_count, struct pg_error *e)
{
	struct command_fetch c;
	*ret_count = 0;
	if (!command_fetch(s, b->work, &c, e))
		return false;
	const struct portal *from = portal_find(b, c.name);
	if (!from || !from->column_count)
		return true;
	*ret = arena_array(arena, struct message_column, from->column_count);
	*ret_count = from->column_count;
	for (size_t i = 0; i < from->column_count; i++) {
		(*ret)[i] = from->columns[i];
		(*ret)[i].name = arena_span(arena, from->columns[i].name);
	}
	return true;
}

/* One way over at most n rows; with `to` they go there. */
struct walk {
	struct backend *b;
	struct portal *from;
	struct portal *to; /* NULL: MOVE */
	bool keep;
};

#define ALL UINT64_MAX

static bool put(const struct walk *w, const struct row *row, struct pg_error *e)
{
	const size_t columns = w->from->column_count;
	return w->keep ? rows_add(w->b, w->to, row, columns, e) : portal_send(w->b, w->to, row, columns, e);
}

static bool walk(const struct walk *w, bool forward, uint64_t n, bool puts, uint64_t *ret_n, struct pg_error *e)
{
	struct row row;
	*ret_n = 0;
	if (!puts || !w->to || n == 0)
		return forward ? rows_skip(w->b, w->from, n, ret_n, e) : rows_skip_back(w->from, n, ret_n, e);
	while (*ret_n < n) {
		if (!(forward ? rows_next(w->b, w->from, &row, e) : rows_prior(w->b, w->from, &row, e)))
			return false;
		if (!row.vectors)
			return true;
		if (!put(w, &row, e))
			return false;
		++*ret_n;
	}
	return true;
}

static bool is_on_row(const struct portal *p)
{
	return p->at > 0 && p->at <= p->taken;
}

/* The row it stands on, once more. */
static bool again(const struct walk *w, uint64_t *ret_n, struct pg_error *e)
{
	uint64_t one;
	*ret_n = is_on_row(w->from);
	if (!*ret_n || !w->to)
		return true;
	return walk(w, false, 1, false, &one, e) && walk(w, true, 1, true, ret_n, e);
}

/* Row n of all; a short way is gone from where it stands, as PostgreSQL does: what cannot go back may get there, too. */
static bool to_row(const struct walk *w, uint64_t n, uint64_t *ret_n, struct pg_error *e)
{
	struct portal *p = w->from;
	uint64_t skipped;
	const uint64_t passed = p->at <= p->taken ? p->at : p->taken;
	bool fine;
	if (n - 1 <= passed / 2)
		fine = rows_rewind(p, e) && walk(w, true, n - 1, false, &skipped, e);
	else if (n <= p->at)
		fine = walk(w, false, p->at - n + 1, false, &skipped, e);
	else
		fine = walk(w, true, n - p->at - 1, false, &skipped, e);
	return fine && walk(w, true, 1, true, ret_n, e);
}

static bool absolute(const struct walk *w, int64_t n, uint64_t *ret_n, struct pg_error *e)
{
	uint64_t skipped;
	*ret_n = 0;
	if (n == 0)
		return rows_rewind(w->from, e);
	if (n > 0)
		return to_row(w, (uint64_t)n, ret_n, e);
	return walk(w, true, ALL, false, &skipped, e) &&
	       (n == -1 || walk(w, false, 0 - (uint64_t)n - 1, false, &skipped, e)) &&
	       walk(w, false, 1, true, ret_n, e);
}

static bool relative(const struct walk *w, int64_t n, uint64_t *ret_n, struct pg_error *e)
{
	uint64_t skipped;
	const bool forward = n > 0;
	const uint64_t far = forward ? (uint64_t)n : 0 - (uint64_t)n;
	if (n == 0)
		return again(w, ret_n, e);
	return (far == 1 || walk(w, forward, far - 1, false, &skipped, e)) && walk(w, forward, 1, true, ret_n, e);
}

static bool go(const struct walk *w, const struct command_fetch *f, uint64_t *ret_n, struct pg_error *e)
{
	const uint64_t n = f->count == INT64_MAX ? ALL : (uint64_t)f->count;
	switch (f->direction) {
	case FETCH_ABSOLUTE:
		return absolute(w, f->count, ret_n, e);
	case FETCH_RELATIVE:
		return relative(w, f->count, ret_n, e);
	default:
		return n == 0 ? again(w, ret_n, e) : walk(w, f->direction == FETCH_FORWARD, n, true, ret_n, e);
	}
}

bool cursors_fetch(struct backend *b, struct portal *p, bool keep, uint64_t *ret_n, struct pg_error *e)
{
	const struct walk w = {b, p->from, p, keep};
	if (!go(&w, p->fetch, ret_n, e))
		return false;
	p->filled = keep;
	p->over = true;
	return true;
}

/* A client that was told columns gets no others. */
static bool same_columns(const struct portal *p, const struct portal *from)
{
	bool same = p->column_count == from->column_count;
	for (size_t i = 0; same && i < p->column_count; i++)
		same = p->columns[i].type_oid == from->columns[i].type_oid;
	return same;
}

/* Other statements of the session are not begun in the middle of one. A FETCH that was begun has rows when it kept them. */
static bool may_start(const struct portal *p)
{
	const enum stmt_kind kind = p->stmt.kind;
	if (p->fetch || kind == STMT_FETCH)
		return p->filled;
	return p->stmt.returns_rows || kind == STMT_EXECUTE;
}

static bool fetch(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	uint64_t n;
	p->fetch = arena_new_of(p->arena, struct command_fetch);
	if (!command_fetch(&p->stmt, p->arena, p->fetch, e))
		return false;
	p->from = p->fetch->name.len ? portal_find(b, p->fetch->name) : NULL;
	if (!p->from)
		return missing(p->fetch->name, e);
	if (!may_start(p->from))
		return pg_error_set(e, "55000", "portal \"%s\" cannot be run", p->from->name);
	if (!portal_start(b, p->from, e))
		return false;
	if (!p->from->stmt.returns_rows)
		return pg_error_set(e, "55000", "portal \"%s\" has no rows", p->from->name);
	if (p->stmt.kind == STMT_MOVE) {
		const struct walk w = {b, p->from, NULL, false};
		if (!go(&w, p->fetch, &n, e))
			return false;
		stmt_tag(&p->stmt, n, tag);
		return true;
	}
	if (!same_columns(p, p->from))
		return pg_error_plan_changed(e);
	p->binary = p->from->binary && !p->of;
	portal_formats(p);
	return true;
}

/* --- CLOSE --- */

static bool close_cursor(struct backend *b, const struct portal *p, struct pg_error *e)
{
	struct span name;
	if (!command_name(&p->stmt, b->work, &name, e))
		return false;
	if (!name.ptr) {
		portals_close_all(b);
		return true;
	}
	struct portal *c = name.len ? portal_find(b, name) : NULL;
	if (!c)
		return missing(name, e);
	if (c == p)
		return pg_error_set(e, "24000", "cannot drop active portal \"%s\"", p->name);
	portal_close(b, c);
	return true;
}

bool cursors_run(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	switch (p->stmt.kind) {
	case STMT_DECLARE:
		return declare(b, &p->stmt, e);
	case STMT_FETCH:
	case STMT_MOVE:
		return fetch(b, p, tag, e);
	case STMT_CLOSE:
		return close_cursor(b, p, e);
	default:
		return pg_error_set(e, "0A000", "%s is not supported", p->stmt.tag);
	}
}
