/* EXPLAIN carried out: the engine's plan as PostgreSQL's one column. */
#include "base/limits.h"
#include "pgwire/backend.h"
#include "pgwire/explain.h"

bool explaining_describe(const struct stmt *s, struct arena *arena, struct message_column **ret, size_t *ret_count,
			 struct pg_error *e)
{
	struct explain x;
	if (!explain_parse(s, &x, e))
		return false;
	struct message_column *c = arena_new_of(arena, struct message_column);
	*c = (struct message_column){.name = SPAN("QUERY PLAN"),
				     .type_oid = x.format == EXPLAIN_JSON ? OID_JSON : OID_TEXT,
				     .type_len = -1,
				     .type_mod = -1};
	*ret = c;
	*ret_count = 1;
	return true;
}

/* EXPLAIN EXECUTE: the prepared statement with its parameters filled in. `of` is the portal that keeps it. */
static bool take_prepared(struct backend *b, struct explain *x, struct portal *of, struct pg_error *e)
{
	if (x->inner.kind != STMT_EXECUTE)
		return true;
	of->stmt = x->inner;
	if (!commands_execute(b, of, e))
		return false;
	x->inner = of->stmt;
	return true;
}

/* The engine's text ends with an end of line. */
static bool read_rows(struct cursor *cursor, struct buf *out, struct err *err)
{
	size_t rows;
	bool fine;
	while ((fine = cursor_next(cursor, &rows, err)) && rows)
		for (size_t i = 0; i < rows; i++) {
			if (out->len && out->ptr[out->len - 1] != '\n')
				buf_byte(out, '\n');
			buf_span(out, cursor_text(cursor, cursor_column_count(cursor) - 1, i));
		}
	while (out->len && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == ' '))
		out->len--;
	return fine;
}

static bool read_plan(struct backend *b, const struct stmt *s, struct portal *run, struct buf *out, struct pg_error *e)
{
	struct err err = ERR_INIT;
	run->stmt = *s;
	if (!run_prepare(b, s, run->arena, &run->statement, e) || !run_start(b, run, e))
		return false;
	if (run->cursor && !read_rows(run->cursor, out, &err))
		return backend_engine_error(b, &err, NULL, s, e);
	return !out->failed || pg_error_set(e, "54000", "the plan is too long");
}

/* A position in what the engine got as one in what the client sent. */
static void place(const struct stmt *s, const struct explain *x, size_t prefix, struct pg_error *e)
{
	const bool from_client = x->inner.text.ptr >= s->text.ptr && x->inner.text.ptr <= s->text.ptr + s->text.len;
	if (!from_client || e->position <= prefix)
		e->position = 0;
	else
		e->position +=
			sqlstate_position(s->text, (size_t)(x->inner.text.ptr - s->text.ptr)) - 1 - (uint32_t)prefix;
}

static void give(struct portal *p, const struct explain *x, struct span plan)
{
	size_t lines = 1, n = 0;
	for (size_t i = 0; i < plan.len && x->format == EXPLAIN_TEXT; i++)
		lines += plan.ptr[i] == '\n';
	struct span *texts = arena_array(p->arena, struct span, lines);
	struct span rest = arena_span(p->arena, plan);
	if (x->format != EXPLAIN_TEXT)
		texts[n++] = rest;
	while (n < lines)
		texts[n++] = span_cut(&rest, '\n');
	rows_give(p, texts, 1, n);
}

/* The rows of the portal: one for each line, or one for the whole tree. */
static bool show(struct portal *p, const struct explain *x, struct span plan, struct pg_error *e)
{
	struct buf nodes = BUF(LIMIT_SQL_BYTES);
	bool fine = x->format != EXPLAIN_JSON || explain_nodes(plan, &nodes);
	if (fine)
		give(p, x, x->format == EXPLAIN_JSON ? buf_view(&nodes) : plan);
	else
		(void)pg_error_set(e, "54000", "the plan is too long");
	buf_done(&nodes);
	return fine;
}

bool explaining_run(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct explain x;
	struct stmt s;
	struct buf plan = BUF(LIMIT_SQL_BYTES);
	if (!explain_parse(&p->stmt, &x, e))
		return false;
	struct portal *of = portal_new(b, SPAN("")), *run = portal_new(b, SPAN(""));
	const char *prefix = explain_prefix(&x);
	bool fine = take_prepared(b, &x, of, e);
	if (fine) {
		struct span rest = span_of(arena_printf(b->work, "%s%.*s", prefix, SPAN_ARG(x.inner.text)));
		fine = stmt_next(&rest, &s, e) && read_plan(b, &s, run, &plan, e);
		if (!fine)
			place(&p->stmt, &x, strlen(prefix), e);
	}
	if (x.analyze && (x.inner.class == STMT_DDL || x.inner.kind == STMT_CREATE_TABLE_AS)) {
		b->objects_changed = true;
		workspace_changed(b->wi);
	}
	fine = fine && show(p, &x, buf_view(&plan), e);
	portal_free(b, run);
	portal_free(b, of);
	buf_done(&plan);
	return fine;
}
