/*
 * Cursors of SQL. The rows of a cursor stand in a temporary table, which the engine spills to disk when they are many: so
 * any direction works, other statements may run meanwhile, and WITH HOLD outlives its transaction.
 */
#include "base/clock.h"
#include "pgwire/backend.h"
#include "pgwire/catalog_columns.h"
#include "pgwire/command.h"

#include <stdlib.h>

static void cursor_forget(struct backend *b, struct pg_cursor *c)
{
	(void)map_remove(&b->cursors, span_of(c->name));
	arena_free(c->arena);
}

static void cursor_drop(struct backend *b, struct pg_cursor *c)
{
	struct pg_error ignored = PG_ERROR_INIT;
	/* A table that stays goes with the session. */
	if (run_spool(b, &ignored) &&
	    !run_sql(b, arena_printf(b->work, "DROP TABLE IF EXISTS temp.\"%s\"", c->table), &ignored))
		ignored = PG_ERROR_INIT;
	cursor_forget(b, c);
}

void cursors_forget(struct backend *b)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->cursors, &i));)
		cursor_forget(b, entry->value);
}

void cursors_drop_all(struct backend *b)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->cursors, &i));)
		cursor_drop(b, entry->value);
}

/* A roll-back took the tables of the block's cursors with it; a commit left them. */
void cursors_end_of_block(struct backend *b, bool committed)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->cursors, &i));) {
		struct pg_cursor *c = entry->value;
		if (c->held)
			continue;
		if (committed && c->hold)
			c->held = true;
		else if (committed)
			cursor_drop(b, c);
		else
			cursor_forget(b, c);
	}
}

static bool fill(struct backend *b, struct pg_cursor *c, struct span query, struct pg_error *e)
{
	struct stmt s;
	struct statement *statement;
	struct err err = ERR_INIT;
	uint64_t changed = 0;
	struct span rest = query;
	if (!stmt_next(&rest, &s, e))
		return false;
	if (s.class != STMT_QUERY || s.kind == STMT_PRAGMA || s.kind == STMT_CALL || s.kind == STMT_EXPLAIN)
		return pg_error_set(e, "42P11", "a cursor needs a SELECT");
	if (!run_prepare(b, &s, b->work, &statement, e))
		return false;
	if (statement)
		run_columns(b, statement, &s, c->arena, &c->columns, &c->column_count);
	statement_free(statement);
	rest = span_of(arena_printf(
		b->work, "CREATE TEMP TABLE \"%s\" AS SELECT row_number() OVER () AS _pgrow, * FROM (%.*s\n)", c->table,
		SPAN_ARG(s.text)));
	if (!stmt_next(&rest, &s, e) || !run_prepare(b, &s, b->work, &statement, e))
		return false;
	bool fine = statement_run(statement, &changed, &err) || backend_engine_error(b, &err, NULL, NULL, e);
	statement_free(statement);
	const char *count = arena_printf(b->work, "SELECT count(*) FROM temp.\"%s\"", c->table);
	return fine && (session_int(b->engine, count, &c->rows, &err) || backend_engine_error(b, &err, NULL, NULL, e));
}

static bool declare(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct command_declare d;
	if (!command_declare(s, b->work, &d, e))
		return false;
	if (!d.hold && b->block == 'I' && !b->implicit)
		return pg_error_set(e, "25P01", "DECLARE CURSOR can only be used in transaction blocks");
	if (map_get(&b->cursors, d.name))
		return pg_error_set(e, "42P03", "cursor \"%.*s\" already exists", SPAN_ARG(d.name));
	if (b->cursors.count >= BACKEND_PORTALS_MAX)
		return pg_error_set(e, "54000", "too many cursors");
	struct arena *arena = arena_new();
	struct pg_cursor *c = arena_new_of(arena, struct pg_cursor);
	*c = (struct pg_cursor){.arena = arena,
				.name = arena_copy(arena, d.name),
				.table = arena_printf(arena, "_pgcursor_%llu", (unsigned long long)++b->cursor_number),
				.query = arena_copy(arena, s->text),
				.scroll = d.scroll,
				.no_scroll = d.no_scroll,
				.hold = d.hold,
				.held = d.hold && b->block == 'I' && !b->implicit,
				.binary = d.binary,
				.created_us = clock_unix_us()};
	if (!fill(b, c, d.query, e)) {
		arena_free(arena);
		return false;
	}
	for (size_t i = 0; d.binary && i < c->column_count; i++)
		c->columns[i].format = 1;
	(void)map_put(&b->cursors, d.name, c);
	return true;
}

/* The rows a FETCH takes, as positions, and where it leaves the cursor. */
struct stretch {
	int64_t from, to, at;
	bool forward;
};

/* FETCH ABSOLUTE and RELATIVE: one position, before the first row (0) up to behind the last. */
static struct stretch one_row(const struct pg_cursor *c, int64_t base, int64_t n)
{
	const int64_t end = c->rows + 1;
	int64_t at = n > end - base ? end : n < -base ? 0 : base + n;
	return (struct stretch){at, at, at, true};
}

static struct stretch rows_ahead(const struct pg_cursor *c, int64_t n)
{
	if (n > c->rows - c->at)
		return (struct stretch){c->at + 1, c->rows, c->rows + 1, true};
	return (struct stretch){n ? c->at + 1 : c->at, c->at + n, c->at + n, true};
}

static struct stretch rows_back(const struct pg_cursor *c, int64_t n)
{
	if (n > c->at - 1)
		return (struct stretch){1, c->at - 1, 0, false};
	return (struct stretch){c->at - n, c->at - 1, c->at - n, false};
}

static struct stretch stretch_of(const struct pg_cursor *c, const struct command_fetch *f)
{
	int64_t n = f->count == INT64_MIN ? -INT64_MAX : f->count;
	if (f->direction == FETCH_ABSOLUTE)
		return one_row(c, n < 0 ? c->rows + 1 : 0, n);
	if (f->direction == FETCH_RELATIVE)
		return one_row(c, c->at, n);
	bool back = f->direction == FETCH_BACKWARD ? n > 0 : n < 0;
	return back ? rows_back(c, n < 0 ? -n : n) : rows_ahead(c, n < 0 ? -n : n);
}

/* The rows as a statement over the cursor's table. */
static bool select_rows(struct backend *b, struct portal *p, const struct pg_cursor *c, const struct stretch *rows,
			struct pg_error *e)
{
	struct err err = ERR_INIT;
	const char *sql = arena_printf(
		b->work,
		"SELECT * EXCLUDE (_pgrow) FROM temp.\"%s\" WHERE _pgrow BETWEEN %lld AND %lld ORDER BY _pgrow %s",
		c->table, (long long)rows->from, (long long)rows->to, rows->forward ? "ASC" : "DESC");
	for (size_t i = 0; c->binary && !p->bound_formats && i < p->column_count; i++) {
		p->columns[i].format = 1;
		p->formats[i] = catalog_format(&p->columns[i]);
	}
	if (!run_spool(b, e))
		return false;
	if (!statement_prepare(b->engine, sql, &p->statement, &err))
		return backend_engine_error(b, &err, NULL, NULL, e);
	return run_start(b, p, e);
}

static bool fetch(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct command_fetch f;
	if (!command_fetch(&p->stmt, b->work, &f, e))
		return false;
	struct pg_cursor *c = map_get(&b->cursors, f.name);
	if (!c)
		return pg_error_set(e, "34000", "cursor \"%.*s\" does not exist", SPAN_ARG(f.name));
	struct stretch rows = stretch_of(c, &f);
	if (c->no_scroll && (!rows.forward || rows.at < c->at))
		return pg_error_set(e, "55000", "cursor can only scan forward");
	rows.from = rows.from < 1 ? 1 : rows.from;
	rows.to = rows.to > c->rows ? c->rows : rows.to;
	c->at = rows.at;
	if (p->stmt.kind != STMT_MOVE)
		return select_rows(b, p, c, &rows, e);
	stmt_tag(&p->stmt, rows.to >= rows.from ? (uint64_t)(rows.to - rows.from + 1) : 0, tag);
	return true;
}

static bool close_cursor(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct span name;
	if (!command_name(s, b->work, &name, e))
		return false;
	if (!name.ptr) {
		cursors_drop_all(b);
		return true;
	}
	struct pg_cursor *c = map_get(&b->cursors, name);
	if (!c)
		return pg_error_set(e, "34000", "cursor \"%.*s\" does not exist", SPAN_ARG(name));
	cursor_drop(b, c);
	return true;
}

bool cursors_run(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	if (!run_spool(b, e))
		return false;
	switch (p->stmt.kind) {
	case STMT_DECLARE:
		return declare(b, &p->stmt, e);
	case STMT_FETCH:
	case STMT_MOVE:
		return fetch(b, p, tag, e);
	case STMT_CLOSE:
		return close_cursor(b, &p->stmt, e);
	default:
		return pg_error_set(e, "0A000", "%s is not supported", p->stmt.tag);
	}
}
