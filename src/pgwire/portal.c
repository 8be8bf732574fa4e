/* Running one statement, and the string of statements of a simple query. */
#include "base/limits.h"
#include "pgwire/alter.h"
#include "pgwire/backend.h"
#include "pgwire/catalog_columns.h"
#include "pgwire/sequences.h"
#include "pgwire/skips.h"

enum { RECENT_TEXT_MAX = 4096 };

void portal_formats(struct portal *p)
{
	p->formats = arena_array(p->arena, int16_t, p->column_count + 1);
	for (size_t i = 0; i < p->column_count; i++) {
		int16_t f = p->bound_formats == 1  ? p->bound[0]
			    : i < p->bound_formats ? p->bound[i]
						   : (int16_t)p->binary;
		p->columns[i].format = (uint16_t)f;
		p->formats[i] = catalog_format(&p->columns[i]);
	}
}

static bool plan(struct backend *b, struct portal *p, struct pg_error *e)
{
	if (!run_prepare(b, &p->stmt, p->arena, &p->statement, e))
		return false;
	if (p->statement)
		run_columns(b, p->statement, &p->stmt, p->arena, &p->columns, &p->column_count);
	if (p->of && p->of->described && p->of->column_count != p->column_count)
		return pg_error_plan_changed(e);
	p->loose = p->statement && b->block == 'I' && !b->implicit && transaction_reads(&p->stmt);
	return true;
}

bool portal_prepare(struct backend *b, struct portal *p, struct pg_error *e)
{
	const bool may_return_rows = p->stmt.returns_rows || p->stmt.kind == STMT_EXECUTE;
	if (p->ready || p->stmt.kind == STMT_NONE || !may_return_rows)
		return true;
	if (p->of && p->of->takes_values && p->values) {
		p->column_count = p->of->column_count;
		p->columns = arena_array(p->arena, struct message_column, p->column_count + 1);
		if (p->column_count)
			memcpy(p->columns, p->of->columns, p->column_count * sizeof(*p->columns));
	} else if (p->stmt.class == STMT_SESSION) {
		if (!commands_describe(b, &p->stmt, p->arena, &p->columns, &p->column_count, e))
			return false;
	} else if (!plan(b, p, e)) {
		return false;
	}
	portal_formats(p);
	p->ready = true;
	return true;
}

/* What Bind planned before the transaction began may know rows that are not the transaction's. */
static bool plan_again(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct message_column *columns;
	size_t n;
	statement_free(p->statement);
	p->statement = NULL;
	p->loose = false;
	if (!run_prepare(b, &p->stmt, p->arena, &p->statement, e))
		return false;
	run_columns(b, p->statement, &p->stmt, b->work, &columns, &n);
	bool same = n == p->column_count;
	for (size_t i = 0; same && i < n; i++)
		same = columns[i].type_oid == p->columns[i].type_oid;
	return same || pg_error_plan_changed(e);
}

/* The engine may have planned anew, by itself, since the columns were learnt: too late for a client that was told. */
static bool check_columns(struct backend *b, struct portal *p, struct pg_error *e)
{
	if (!p->stmt.returns_rows || !p->cursor)
		return true;
	const size_t n = cursor_column_count(p->cursor);
	const bool is_recent = p->of && p->of->is_recent;
	const struct cursor_column *now = cursor_columns(p->cursor);
	bool same = n == p->column_count;
	for (size_t i = 0; same && i < n; i++)
		same = origins_type(b, now[i].type) == p->columns[i].type_oid &&
		       (!is_recent || p->columns[i].renamed || span_is(p->columns[i].name, now[i].name));
	if (same)
		return true;
	if (!is_recent)
		return pg_error_plan_changed(e);
	p->of->is_stale = true;
	run_cursor_columns(b, p->cursor, p->arena, &p->columns, &p->column_count);
	portal_formats(p);
	return true;
}

static bool start_plan(struct backend *b, struct portal *p, struct pg_error *e)
{
	struct prepared *q = p->of;
	bool own;
	prepared_scales(q, p->values);
	if (!prepared_plan(b, q, &p->statement, &own, e))
		return false;
	p->borrowed = !own;
	q->plan_busy = q->plan_busy || p->borrowed;
	if (p->statement && !prepared_bind(q, p->values, b, p->statement, e))
		return false;
	return run_start(b, p, e) && check_columns(b, p, e);
}

static bool start(struct backend *b, struct portal *p, struct pg_error *e)
{
	if (p->stmt.class == STMT_REFUSED)
		return filter_statement(b, &p->stmt, e);
	if ((p->stmt.class == STMT_DML || p->stmt.class == STMT_DDL) && !transaction_may_write(b, &p->stmt, e))
		return false;
	if (!portal_prepare(b, p, e))
		return false;
	if (p->values)
		return start_plan(b, p, e);
	if (p->loose && !plan_again(b, p, e))
		return false;
	if (!p->statement && !p->ready && !run_prepare(b, &p->stmt, p->arena, &p->statement, e))
		return false;
	return run_start(b, p, e);
}

static bool alter(struct backend *b, struct portal *p, struct pg_error *e)
{
	if (!alter_run(b, &p->stmt, &p->over, e))
		return false;
	p->started = p->over;
	return p->over || start(b, p, e);
}

/* Statements that are accepted without effect. */
static bool pass_over(struct backend *b, struct portal *p, struct pg_error *e)
{
	if (p->stmt.kind == STMT_CONSTRAINTS && b->block == 'I')
		backend_notice(b, PG_WARNING, "25P01", "SET CONSTRAINTS can only be used in transaction blocks");
	if (p->stmt.kind == STMT_EXTENSION && !skips_extension(b, &p->stmt, e))
		return false;
	p->started = p->over = true;
	return true;
}

/* The first Execute of a portal. */
static bool begin(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	if (p->stmt.kind == STMT_EXECUTE && (!commands_execute(b, p, e) || !transaction_begin_read(b, &p->stmt, e)))
		return false;
	if (p->stmt.kind == STMT_SETVAL && !sequences_setval(b, p, e))
		return false;
	stmt_tag(&p->stmt, 0, tag);
	if (p->stmt.class == STMT_NOTHING)
		return pass_over(b, p, e);
	if (p->stmt.kind == STMT_ALTER)
		return alter(b, p, e);
	if (p->stmt.class != STMT_SESSION)
		return start(b, p, e);
	if (!portal_prepare(b, p, e) || !commands_run(b, p, tag, e))
		return false;
	p->started = true;
	return true;
}

bool portal_start(struct backend *b, struct portal *p, struct pg_error *e)
{
	char tag[STMT_TAG_SIZE + 24];
	return p->started || begin(b, p, tag, e);
}

static bool run(struct backend *b, struct portal *p, uint64_t max, bool with_columns, bool *ret_suspended,
		char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	*ret_suspended = false;
	stmt_tag(&p->stmt, 0, tag);
	if (p->stmt.kind == STMT_NONE)
		return true;
	if (p->started && !p->stmt.returns_rows)
		return pg_error_set(e, "55000", "portal \"%s\" cannot be run", p->name);
	if (!p->started && !begin(b, p, tag, e))
		return false;
	if (!p->stmt.returns_rows && (p->stmt.class == STMT_SESSION || p->stmt.class == STMT_NOTHING))
		return true;
	/* Where a FETCH cannot go is known only behind its beginning. */
	p->tells_columns = with_columns && p->stmt.returns_rows;
	if (!p->fetch)
		portal_tell(b, p);
	if (!run_rows(b, p, max, ret_suspended, e))
		return false;
	portal_tell(b, p);
	b->statement_rows = p->stmt.returns_rows ? p->sent : p->changed;
	stmt_tag(&p->stmt, b->statement_rows, tag);
	return true;
}

/* Objects may have changed, and with them what a search path finds. */
static void note_objects(struct backend *b, const struct stmt *s, bool fine)
{
	if (s->class != STMT_DDL && s->kind != STMT_CREATE_TABLE_AS)
		return;
	b->objects_changed = true;
	workspace_changed(b->wi);
	if (fine && span_ends(span_of(s->tag), SPAN(" SCHEMA")))
		gucs_schemas_changed(b);
}

static const char *sequences_of(struct backend *b, const struct stmt *drop)
{
	struct pg_error ignored = PG_ERROR_INIT;
	const bool can_tell = strcmp(drop->tag, "DROP TABLE") == 0 && b->block != 'E' && run_spool(b, &ignored);
	return can_tell ? serial_sequences(b, drop) : NULL;
}

/* The sequences of a dropped table's columns. Outside of a transaction one that something else uses stays. */
static bool drop_sequences(struct backend *b, const char *sequences, struct pg_error *e)
{
	struct pg_error ignored = PG_ERROR_INIT;
	const bool in_transaction = b->block == 'T' || b->implicit;
	return !sequences || run_sql(b, sequences, in_transaction ? e : &ignored) || !in_transaction;
}

/* Near the size limit a statement is a transaction of its own, which can be undone when it went beyond. */
static bool run_within_limit(struct backend *b, struct portal *p, uint64_t max, bool with_columns, bool *ret_suspended,
			     char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	if (p->started || max || p->stmt.returns_rows || !transaction_is_tight(b, &p->stmt))
		return run(b, p, max, with_columns, ret_suspended, tag, e);
	struct pg_error ignored = PG_ERROR_INIT;
	const bool fine = transaction_begin_implicit(b, e) && run(b, p, max, with_columns, ret_suspended, tag, e);
	return transaction_end_implicit(b, fine, fine ? e : &ignored) && fine;
}

/* And tells what it did not do. */
static bool run_with_skips(struct backend *b, struct portal *p, uint64_t max, bool with_columns, bool *ret_suspended,
			   char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct skips skips;
	const bool restarts = sequences_restarts(&p->stmt);
	if (!skips_find(b, &p->stmt, &skips, e) || (restarts && !transaction_begin_implicit(b, e)) ||
	    !on_commit_begin(b, &p->stmt, e) || !run_within_limit(b, p, max, with_columns, ret_suspended, tag, e))
		return false;
	if (restarts && !sequences_restart(b, &p->stmt, e))
		return false;
	if (!skips.whole && !on_commit_note(b, &p->stmt, e))
		return false;
	skips_tell(b, &skips);
	if (p->stmt.kind == STMT_CREATE_TABLE_AS && (skips.whole || stmt_has_no_data(&p->stmt)))
		(void)snprintf(tag, STMT_TAG_SIZE + 24, "CREATE TABLE AS");
	return true;
}

bool portal_run(struct backend *b, struct portal *p, uint64_t max, bool with_columns, bool *ret_suspended,
		char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct portal *outer = b->current;
	const char *text = p->stmt.text.ptr;
	const bool hide = p->stmt.kind == STMT_DROP || p->stmt.kind == STMT_ALTER || p->stmt.kind == STMT_COMMENT;
	b->current = p;
	gucs_engine_first(b, &p->stmt);
	if (hide)
		gucs_hide_catalog(b, true);
	const char *sequences = p->stmt.kind == STMT_DROP ? sequences_of(b, &p->stmt) : NULL;
	const bool fine =
		run_with_skips(b, p, max, with_columns, ret_suspended, tag, e) && drop_sequences(b, sequences, e);
	if (hide)
		gucs_hide_catalog(b, false);
	b->current = outer;
	note_objects(b, &p->stmt, fine);
	/* What EXECUTE stands for is not in its own text. */
	if (!fine && p->stmt.text.ptr != text)
		e->position = 0;
	return fine;
}

static void place_error(struct span sql, struct span text, struct pg_error *e)
{
	if (e->position > 0 && text.ptr >= sql.ptr && text.ptr <= sql.ptr + sql.len)
		e->position += sqlstate_position(sql, (size_t)(text.ptr - sql.ptr)) - 1;
}

/* A query like one a moment ago takes its plan: what generates SQL repeats itself. */
static bool use_recent(struct backend *b, struct portal *p, const struct stmt *s, struct pg_error *e)
{
	if (s->kind != STMT_SELECT || s->parameters || s->text.len > RECENT_TEXT_MAX)
		return true;
	struct prepared **slot = &b->recent[span_hash(s->text) % ARRAY_LEN(b->recent)];
	struct prepared *q = *slot;
	if (q && q->uses)
		return true;
	if (q && (q->is_stale || !prepared_is(q, s->text, NULL, 0) || !prepared_is_fresh(b, q))) {
		prepared_free(q);
		*slot = NULL;
	}
	if (!*slot && !prepared_new(SPAN(""), s->text, NULL, 0, slot, e))
		return false;
	q = *slot;
	q->is_recent = true;
	if (!q->takes_values)
		return true;
	p->values = arena_new_of(p->arena, struct bind_value);
	return prepared_describe(b, q, e) && prepared_fill(q, NULL, 0, p, e);
}

/* The engine plans what has parameters when it runs it. */
static bool begin_read(struct backend *b, const struct portal *p, struct pg_error *e)
{
	return (p->of && p->of->parameters) || transaction_begin_read(b, &p->stmt, e);
}

/* Only Parse and PREPARE make statements that have some. */
static bool has_no_parameters(const struct stmt *s, struct pg_error *e)
{
	struct lexer lx = {s->text};
	struct token t;
	if (!s->parameters || s->kind == STMT_PREPARE)
		return true;
	do
		t = lexer_next(&lx);
	while (t.kind != TOKEN_PARAM && t.kind != TOKEN_END);
	(void)pg_error_set(e, "42P02", "there is no parameter %.*s", SPAN_ARG(span_first(t.text, 200)));
	e->position = sqlstate_position(s->text, (size_t)(t.text.ptr - s->text.ptr));
	return false;
}

static bool run_one(struct backend *b, const struct stmt *s, bool many, struct pg_error *e)
{
	char tag[STMT_TAG_SIZE + 24];
	bool suspended;
	if (!transaction_allows(b, s, e) || (many && !stmt_is_control(s) && !transaction_begin_implicit(b, e)))
		return false;
	struct portal *p = portal_new(b, SPAN(""));
	p->stmt = *s;
	bool fine = use_recent(b, p, s, e) && begin_read(b, p, e) && portal_run(b, p, 0, true, &suspended, tag, e);
	portal_free(b, p);
	if (fine)
		message_complete(&b->conn.out, tag);
	return fine;
}

static bool run_string(struct backend *b, struct span sql, struct pg_error *e)
{
	struct span rest = sql;
	struct stmt s;
	bool first = true;
	for (;; first = false) {
		if (!stmt_next(&rest, &s, e)) {
			int64_t start = run_begin(b, sql);
			run_end(b, start, e, sql);
			return false;
		}
		if (s.kind == STMT_NONE)
			break;
		bool many = !first || stmt_more(rest);
		int64_t start = run_begin(b, s.text);
		bool fine = has_no_parameters(&s, e) && run_one(b, &s, many, e);
		if (!fine)
			place_error(sql, s.text, e);
		run_end(b, start, fine ? NULL : e, s.text);
		if (!fine)
			return false;
	}
	if (first)
		message_bare(&b->conn.out, MESSAGE_EMPTY_QUERY);
	return true;
}

void simple_query(struct backend *b, struct span body)
{
	struct pg_error e = PG_ERROR_INIT;
	struct span sql;
	bool fine =
		message_query(body, &sql, &e) &&
		run_string(b, lexer_without_database(lexer_plain_blanks(sql, b->work), span_of(b->database), b->work),
			   &e);
	if (!fine)
		backend_error(b, &e);
	struct pg_error late = PG_ERROR_INIT;
	if (!transaction_end_implicit(b, fine, &late))
		backend_error(b, &late);
	if (b->block == 'I')
		portals_close_own(b);
	backend_ready(b);
}
