/* Parse, Bind, Describe, Execute, Close, Flush, Sync. */
#include "base/clock.h"
#include "base/limits.h"
#include "pgwire/backend.h"
#include "pgwire/types.h"

#include <stdlib.h>

void extended_done(struct backend *b)
{
	portals_close_all(b);
	prepared_close_all(b);
	for (size_t i = 0; i < ARRAY_LEN(b->recent); i++)
		if (b->recent[i])
			prepared_free(b->recent[i]);
}

/* Clients that parse the same text again and again keep its plan. */
static bool parsed(struct backend *b, const struct message_parse *m, const uint32_t *oids, struct prepared **ret,
		   struct pg_error *e)
{
	struct prepared *old = prepared_find(b, m->name);
	if (old && m->name.len)
		return pg_error_set(e, "42P05", "prepared statement \"%.*s\" already exists", SPAN_ARG(m->name));
	if (old && old->takes_values && old->described && prepared_is(old, m->sql, oids, m->oid_count) &&
	    prepared_is_fresh(b, old)) {
		*ret = old;
		return true;
	}
	return prepared_make(b, m->name, m->sql, oids, m->oid_count, ret, e);
}

static bool no_statement(struct span name, struct pg_error *e)
{
	if (!name.len)
		return pg_error_set(e, "26000", "unnamed prepared statement does not exist");
	return pg_error_set(e, "26000", "prepared statement \"%.*s\" does not exist", SPAN_ARG(name));
}

/* A statement that ends before it could be executed counts as one that failed. Returns false. */
static bool refused(struct backend *b, struct span text, int64_t start_ns, const struct pg_error *e)
{
	struct span copy = arena_span(b->work, text);
	(void)run_begin(b, copy);
	run_end(b, start_ns, e, copy);
	return false;
}

static void tell_parsed(struct backend *b)
{
	if (b->parsed)
		message_bare(&b->conn.out, MESSAGE_PARSE_COMPLETE);
	b->parsed = NULL;
}

/*
 * Bind or Describe failed. Where the statement is at fault, not the values, Parse left that to them: it fails itself.
 * Returns false.
 */
static bool refused_late(struct backend *b, struct prepared *q, int64_t start_ns, const struct pg_error *e)
{
	if (q->described || strncmp(e->sqlstate, "22", 2) == 0)
		return false;
	(void)refused(b, q->stmt.text, start_ns, e);
	if (b->parsed == q) {
		b->parsed = NULL;
		prepared_close(b, q);
	}
	return false;
}

static bool on_parse(struct backend *b, struct span body, struct pg_error *e)
{
	struct message_parse m;
	struct prepared *q;
	const int64_t start = clock_ns();
	if (!message_parse(body, &m, e))
		return false;
	m.sql = lexer_without_database(m.sql, span_of(b->database), b->work);
	uint32_t *oids = arena_array(b->work, uint32_t, m.oid_count + 1U);
	for (size_t i = 0; i < m.oid_count; i++)
		oids[i] = message_parse_oid(&m, i);
	if (!parsed(b, &m, oids, &q, e))
		return refused(b, m.sql, start, e);
	/* When Bind follows at once, that finds the errors as well. */
	struct span ahead = conn_view(&b->conn);
	bool bind_follows = ahead.len && (*ahead.ptr == 'B' || *ahead.ptr == 'D');
	if (!transaction_allows(b, &q->stmt, e) ||
	    (!bind_follows && q->stmt.class != STMT_SESSION && !prepared_describe(b, q, e))) {
		prepared_close(b, q);
		return refused(b, m.sql, start, e);
	}
	b->parsed = q;
	if (!bind_follows)
		tell_parsed(b);
	return true;
}

/* Formats of the values and the values themselves, as literals. */
static bool bind_values(struct backend *b, struct message_bind *m, struct prepared *q, struct span **ret,
			struct pg_error *e)
{
	struct span *literals = arena_array(b->work, struct span, m->value_count + 1U);
	for (size_t i = 0; i < m->value_count; i++) {
		struct message_value v = message_next_value(m);
		struct buf out = BUF(GIB);
		if (v.is_null) {
			const char *type = literal_type(q->oids[i], b->work);
			buf_printf(&out, type ? "(NULL::%s)" : "NULL", type);
		} else if (!literal_write(q->oids[i], message_bind_format(m, i), v.bytes, b->work, &out, e)) {
			buf_done(&out);
			return false;
		}
		literals[i] = arena_span(b->work, buf_view(&out));
		buf_done(&out);
	}
	*ret = literals;
	return true;
}

/* An untyped text that may be an array or bytes in PostgreSQL's notation, which the engine does not know. */
static bool needs_types(struct message_bind *m, const struct prepared *q)
{
	struct message_bind copy = *m;
	for (size_t i = 0; i < m->value_count; i++) {
		struct message_value v = message_next_value(&copy);
		if (!q->oids[i] && !v.is_null && v.bytes.len > 1 && (*v.bytes.ptr == '{' || *v.bytes.ptr == '\\'))
			return true;
	}
	return false;
}

/* The same as values of the engine, in the portal. */
static bool bind_engine_values(struct message_bind *m, const struct prepared *q, struct portal *p, struct pg_error *e)
{
	p->values = arena_array(p->arena, struct bind_value, m->value_count + 1U);
	for (size_t i = 0; i < m->value_count; i++) {
		struct message_value v = message_next_value(m);
		if (v.is_null)
			continue;
		/* A text is the literal of the type its place asks for. */
		bool is_text = q->oids[i] != q->types[i];
		unsigned format = is_text ? 0 : message_bind_format(m, i);
		if (!parameter_decode(q->types[i], format, arena_span(p->arena, v.bytes), p->arena, &p->values[i], e))
			return false;
	}
	return true;
}

static bool bind_portal(struct backend *b, struct message_bind *m, struct prepared *q, struct portal *p,
			struct pg_error *e)
{
	struct span *literals;
	p->bound_formats = m->result_format_count;
	p->bound = arena_array(p->arena, int16_t, m->result_format_count + 1U);
	for (size_t i = 0; i < m->result_format_count; i++)
		p->bound[i] = (int16_t)message_result_format(m, i);
	if (q->takes_values) {
		struct statement *plan = NULL;
		bool own = false;
		if (!prepared_describe(b, q, e) || !prepared_fill(q, NULL, 0, p, e) || !bind_engine_values(m, q, p, e))
			return false;
		prepared_scales(q, p->values);
		bool fine = q->plan_settings || prepared_plan(b, q, &plan, &own, e);
		if (own)
			statement_free(plan);
		return fine && portal_prepare(b, p, e);
	}
	if (needs_types(m, q) && !prepared_describe(b, q, e))
		return false;
	return bind_values(b, m, q, &literals, e) && prepared_fill(q, literals, m->value_count, p, e) &&
	       portal_prepare(b, p, e);
}

/* None, one for all, or one for each column of what has columns. */
static bool check_formats(const struct portal *p, struct pg_error *e)
{
	return p->bound_formats < 2 || !p->column_count || p->bound_formats == p->column_count ||
	       pg_error_set(e, "08P01", "bind message has %zu result formats but query has %zu columns",
			    p->bound_formats, p->column_count);
}

static bool on_bind(struct backend *b, struct span body, struct pg_error *e)
{
	struct message_bind m;
	if (!message_bind(body, &m, e))
		return false;
	struct prepared *q = prepared_find(b, m.statement);
	if (!q)
		return no_statement(m.statement, e);
	if (m.value_count != q->parameters)
		return pg_error_set(e, "08P01",
				    "bind message supplies %u parameters, but prepared statement \"%s\" requires %zu",
				    m.value_count, q->name, q->parameters);
	struct portal *old = portal_find(b, m.portal);
	if (old && m.portal.len)
		return pg_error_set(e, "42P03", "cursor \"%.*s\" already exists", SPAN_ARG(m.portal));
	if (b->portals.count >= BACKEND_PORTALS_MAX)
		return pg_error_set(e, "54000", "too many portals");
	if (!transaction_allows(b, &q->stmt, e))
		return false;
	if (old)
		portal_close(b, old);
	struct portal *p = portal_new(b, m.portal);
	p->level = b->savepoint_count;
	p->created_us = b->heard_us;
	const int64_t start = clock_ns();
	if (!bind_portal(b, &m, q, p, e) || !check_formats(p, e)) {
		portal_free(b, p);
		return refused_late(b, q, start, e);
	}
	portal_add(b, p);
	tell_parsed(b);
	message_bare(&b->conn.out, MESSAGE_BIND_COMPLETE);
	return true;
}

static bool describe_statement(struct backend *b, struct span name, struct pg_error *e)
{
	struct prepared *q = prepared_find(b, name);
	if (!q)
		return no_statement(name, e);
	const int64_t start = clock_ns();
	if (!transaction_allows(b, &q->stmt, e))
		return false;
	if (!prepared_describe(b, q, e))
		return refused_late(b, q, start, e);
	tell_parsed(b);
	message_parameter_description(&b->conn.out, q->oids, q->parameters);
	if (q->column_count)
		message_row_description(&b->conn.out, q->columns, q->column_count);
	else
		message_bare(&b->conn.out, MESSAGE_NO_DATA);
	return true;
}

static bool on_describe(struct backend *b, struct span body, struct pg_error *e)
{
	struct message_target m;
	if (!message_target(body, &m, e))
		return false;
	if (m.kind == 'S')
		return describe_statement(b, m.name, e);
	struct portal *p = portal_find(b, m.name);
	tell_parsed(b);
	if (!p)
		return pg_error_set(e, "34000", "portal \"%.*s\" does not exist", SPAN_ARG(m.name));
	if (p->column_count)
		message_row_description(&b->conn.out, p->columns, p->column_count);
	else
		message_bare(&b->conn.out, MESSAGE_NO_DATA);
	return true;
}

/* A lone Execute before Sync needs no transaction of its own: the engine commits it by itself. */
static bool sync_follows(const struct backend *b)
{
	struct span ahead = conn_view(&b->conn);
	return ahead.len && *ahead.ptr == 'S';
}

static bool execute(struct backend *b, struct portal *p, const struct message_execute *m, struct pg_error *e)
{
	char tag[STMT_TAG_SIZE + 24];
	bool suspended = false;
	if (!p->started && !stmt_is_control(&p->stmt) && p->stmt.kind != STMT_NONE && !sync_follows(b) &&
	    !transaction_begin_implicit(b, e))
		return false;
	if (!p->started && !transaction_begin_read(b, &p->stmt, e))
		return false;
	if (!portal_run(b, p, m->max_rows, false, &suspended, tag, e))
		return false;
	if (p->stmt.kind == STMT_NONE)
		message_bare(&b->conn.out, MESSAGE_EMPTY_QUERY);
	else if (suspended)
		message_bare(&b->conn.out, MESSAGE_SUSPENDED);
	else
		message_complete(&b->conn.out, tag);
	return true;
}

static bool on_execute(struct backend *b, struct span body, struct pg_error *e)
{
	struct message_execute m;
	if (!message_execute(body, &m, e))
		return false;
	struct portal *p = portal_find(b, m.portal);
	if (!p)
		return pg_error_set(e, "34000", "portal \"%.*s\" does not exist", SPAN_ARG(m.portal));
	if (!transaction_allows(b, &p->stmt, e))
		return false;
	if (p->stmt.kind == STMT_NONE)
		return execute(b, p, &m, e);
	struct span text = arena_span(b->work, p->stmt.text);
	int64_t start = run_begin(b, text);
	bool fine = execute(b, p, &m, e);
	run_end(b, start, fine ? NULL : e, text);
	return fine;
}

static bool on_close(struct backend *b, struct span body, struct pg_error *e)
{
	struct message_target m;
	if (!message_target(body, &m, e))
		return false;
	if (m.kind == 'S') {
		struct prepared *q = prepared_find(b, m.name);
		if (q) {
			portals_close_of(b, q);
			prepared_close(b, q);
		}
	} else {
		struct portal *p = portal_find(b, m.name);
		if (p)
			portal_close(b, p);
	}
	message_bare(&b->conn.out, MESSAGE_CLOSE_COMPLETE);
	return true;
}

static void on_sync(struct backend *b)
{
	struct pg_error e = PG_ERROR_INIT;
	if (!transaction_end_implicit(b, !b->skipping, &e))
		backend_error(b, &e);
	if (b->block == 'I')
		portals_close_own(b);
	b->skipping = false;
	backend_ready(b);
}

void extended_message(struct backend *b, const struct message_frame *m)
{
	if (m->type == 'S')
		on_sync(b);
	if (m->type == 'S' || b->skipping)
		return;
	struct pg_error e = PG_ERROR_INIT;
	bool fine = true;
	switch (m->type) {
	case 'P':
		fine = on_parse(b, m->body, &e);
		break;
	case 'B':
		fine = on_bind(b, m->body, &e);
		break;
	case 'D':
		fine = on_describe(b, m->body, &e);
		break;
	case 'E':
		fine = on_execute(b, m->body, &e);
		break;
	case 'C':
		fine = on_close(b, m->body, &e);
		break;
	default:
		(void)conn_flush(&b->conn);
	}
	if (!fine) {
		tell_parsed(b);
		backend_error(b, &e);
		b->skipping = true;
	}
}
