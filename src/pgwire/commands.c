/* Statements the door carries out itself. */
#include "pgwire/command.h"

#include "base/clock.h"
#include "pgwire/backend.h"
#include "pgwire/sequences.h"
#include "pgwire/types.h"
#include "pgwire/unsupported.h"

static bool prepare(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct command_prepare c;
	struct prepared *q;
	if (!command_prepare(s, b->work, &c, e))
		return unsupported_apply(s, e) && false;
	if (prepared_find(b, c.name))
		return pg_error_set(e, "42P05", "prepared statement \"%.*s\" already exists", SPAN_ARG(c.name));
	if (!prepared_make(b, c.name, c.body, c.types, c.type_count, &q, e))
		return false;
	q->from_sql = true;
	q->created_us = clock_unix_us();
	if (prepared_describe(b, q, e))
		return true;
	/* Found in the body, told of the whole. */
	if (e->position)
		e->position += sqlstate_position(s->text, (size_t)(c.body.ptr - s->text.ptr)) - 1;
	prepared_close(b, q);
	return false;
}

bool commands_execute(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct command_execute c;
	if (!command_execute(&p->stmt, b->work, &c, e))
		return false;
	struct prepared *q = prepared_find(b, c.name);
	if (!q)
		return pg_error_set(e, "26000", "prepared statement \"%.*s\" does not exist", SPAN_ARG(c.name));
	if (c.argument_count != q->parameters) {
		(void)pg_error_set(e, "42601", "wrong number of parameters for prepared statement \"%s\"", q->name);
		pg_error_detail(e, "Expected %zu parameters but got %zu.", q->parameters, c.argument_count);
		return false;
	}
	struct span *texts = arena_array(b->work, struct span, c.argument_count + 1);
	for (size_t i = 0; i < c.argument_count; i++) {
		const char *type = literal_type(q->oids[i], b->work);
		texts[i] =
			span_of(arena_printf(b->work, type ? "(%.*s)::%s" : "(%.*s)", SPAN_ARG(c.arguments[i]), type));
	}
	prepared_unuse(p->of);
	p->ready = false;
	return prepared_fill(q, texts, c.argument_count, p, e);
}

static bool deallocate(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct span name;
	if (!command_name(s, b->work, &name, e))
		return false;
	if (!name.ptr) {
		prepared_close_all(b);
		return true;
	}
	struct prepared *q = prepared_find(b, name);
	if (!q)
		return pg_error_set(e, "26000", "prepared statement \"%.*s\" does not exist", SPAN_ARG(name));
	prepared_close(b, q);
	return true;
}

static void show_columns(struct span name, struct arena *arena, struct message_column **ret, size_t *ret_count)
{
	struct message_column *c = arena_new_of(arena, struct message_column);
	*c = (struct message_column){
		.name = arena_span(arena, name), .type_oid = OID_TEXT, .type_len = -1, .type_mod = -1};
	*ret = c;
	*ret_count = 1;
}

static bool describe_show(struct backend *b, const struct stmt *s, struct arena *arena, struct message_column **ret,
			  size_t *ret_count, struct pg_error *e)
{
	struct command_set c;
	static const char *const all[] = {"name", "setting", "description"};
	if (!command_set(s, b->work, &c, e))
		return false;
	if (c.name.ptr) {
		enum guc_id id = guc_find(c.name);
		show_columns(id < GUC_COUNT ? span_of(guc_row(id)->name) : c.name, arena, ret, ret_count);
		return true;
	}
	*ret = arena_array(arena, struct message_column, ARRAY_LEN(all));
	*ret_count = ARRAY_LEN(all);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		(*ret)[i] = (struct message_column){
			.name = span_of(all[i]), .type_oid = OID_TEXT, .type_len = -1, .type_mod = -1};
	return true;
}

static void copy_columns(const struct message_column *from, size_t n, struct arena *arena, struct message_column **ret,
			 size_t *ret_count)
{
	*ret = arena_array(arena, struct message_column, n);
	for (size_t i = 0; i < n; i++) {
		(*ret)[i] = from[i];
		(*ret)[i].name = arena_span(arena, from[i].name);
	}
	*ret_count = n;
}

bool commands_describe(struct backend *b, const struct stmt *s, struct arena *arena, struct message_column **ret,
		       size_t *ret_count, struct pg_error *e)
{
	*ret_count = 0;
	if (s->kind == STMT_SHOW)
		return describe_show(b, s, arena, ret, ret_count, e);
	if (s->kind == STMT_EXPLAIN)
		return explaining_describe(s, arena, ret, ret_count, e);
	if (s->kind == STMT_SETVAL)
		return sequences_describe(s, arena, ret, ret_count, e);
	if (s->kind == STMT_FETCH)
		return cursors_describe(b, s, arena, ret, ret_count, e);
	if (s->kind == STMT_EXECUTE) {
		struct command_execute c;
		if (!command_execute(s, b->work, &c, e))
			return false;
		struct prepared *q = prepared_find(b, c.name);
		if (!q)
			return pg_error_set(e, "26000", "prepared statement \"%.*s\" does not exist", SPAN_ARG(c.name));
		copy_columns(q->columns, q->column_count, arena, ret, ret_count);
	}
	return true;
}

bool commands_run(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	const struct stmt *s = &p->stmt;
	switch (s->kind) {
	case STMT_BEGIN:
	case STMT_START:
	case STMT_COMMIT:
	case STMT_ROLLBACK:
	case STMT_ROLLBACK_TO:
	case STMT_SAVEPOINT:
	case STMT_RELEASE:
		return transaction_command(b, s, tag, e);
	case STMT_SET:
	case STMT_RESET:
		return gucs_run(b, s, e);
	case STMT_SHOW:
		return gucs_run_show(b, s, p, e);
	case STMT_DISCARD:
		return discard_run(b, s, tag, e);
	case STMT_EXPLAIN:
		return explaining_run(b, p, e);
	case STMT_PREPARE:
		return prepare(b, s, e);
	case STMT_DEALLOCATE:
		return deallocate(b, s, e);
	case STMT_ALTER_SEQUENCE:
		return sequences_alter(b, s, e);
	case STMT_COPY:
		return copying_run(b, s, tag, e);
	default:
		return cursors_run(b, p, tag, e);
	}
}
