/* COPY in and out over the codec of copy.h. */
#include "base/clock.h"
#include "base/limits.h"
#include "engine/appender.h"
#include "engine/bulk.h"
#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/copy.h"
#include "pgwire/copy_encoding.h"
#include "pgwire/copy_stage.h"
#include "pgwire/types.h"
#include "pgwire/value.h"

/* With its header in one message. */
enum { COPY_LINE_MAX = MESSAGE_BODY_MAX - MESSAGE_HEADER };

static void put_select(struct buf *sql, const struct command_copy *c, bool none)
{
	if (c->query.ptr) {
		buf_span(sql, c->query);
		return;
	}
	buf_str(sql, "SELECT ");
	for (size_t i = 0; i < c->column_count; i++) {
		buf_str(sql, i ? ", " : "");
		sql_ident(sql, c->columns[i]);
	}
	buf_str(sql, c->column_count ? " FROM " : "* FROM ");
	buf_span(sql, c->target);
	if (c->where.ptr)
		buf_printf(sql, " WHERE (%.*s\n)", SPAN_ARG(c->where));
	buf_str(sql, none ? " LIMIT 0" : "");
}

/* SELECT of what is copied out, or (in) of no row of the target: for its columns. */
static bool open_columns(struct backend *b, const struct command_copy *c, bool none, struct statement **ret,
			 struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct stmt s;
	put_select(&sql, c, none);
	struct span rest = arena_span(b->work, buf_view(&sql));
	bool fine = !sql.failed || pg_error_set(e, "54000", "the query is too long");
	buf_done(&sql);
	if (!fine || !stmt_next(&rest, &s, e))
		return false;
	if (s.class == STMT_DML && !s.returns_rows)
		return pg_error_set(e, "0A000", "COPY query must have a RETURNING clause");
	if (!s.returns_rows || s.class == STMT_DDL || s.class == STMT_SESSION)
		return pg_error_set(e, "42601", "COPY needs a query that returns rows");
	if (s.class == STMT_DML && !transaction_may_write(b, &s, e))
		return false;
	return run_prepare(b, &s, b->work, ret, e);
}

static void put_field(struct backend *b, const struct command_copy *c, const struct vector *v, size_t row, size_t i,
		      size_t n, bool quote, struct buf *value, struct buf *line)
{
	bool is_null = vector_is_null(v, row);
	buf_reset(value);
	if (!is_null && c->options.format == COPY_BINARY)
		encode_pg_binary(v, row, &b->style, value);
	else if (!is_null)
		encode_pg_text(v, row, &b->style, value);
	copy_write_field(line, &c->options, i, n, is_null, buf_view(value), quote);
}

struct copy_out {
	struct backend *b;
	const struct command_copy *c;
	struct buf line, value;
	struct copy_recoder recoder;
	struct buf recoded;
	const bool *quote;
	uint64_t rows;
};

static bool send_line(struct copy_out *o, struct pg_error *e)
{
	struct buf *line = &o->line;
	if (o->recoder.encoding) {
		line = &o->recoded;
		buf_reset(line);
		if (!copy_recoder_put(&o->recoder, buf_view(&o->line), true, line, e))
			return false;
	}
	if (line->len)
		message_copy_data(&o->b->conn.out, buf_view(line));
	buf_reset(&o->line);
	return conn_push(&o->b->conn) || pg_fatal_set(e, "08006", "the client is gone");
}

static bool send_rows(struct copy_out *o, struct cursor *cursor, struct pg_error *e)
{
	struct err err = ERR_INIT;
	const size_t n = cursor_column_count(cursor);
	size_t rows;
	for (;;) {
		if (!cursor_next(cursor, &rows, &err))
			return backend_engine_error(o->b, &err, NULL, NULL, e);
		if (!rows)
			return true;
		for (size_t row = 0; row < rows; row++) {
			copy_write_row_begin(&o->line, &o->c->options, n);
			for (size_t i = 0; i < n; i++)
				put_field(o->b, o->c, &cursor_vectors(cursor)[i], row, i, n, o->quote[i], &o->value,
					  &o->line);
			copy_write_row_end(&o->line, &o->c->options);
			if (o->line.failed || o->value.failed)
				return pg_error_set(e, "54000", "a row is too long: its text may have 1 GiB");
			o->rows++;
			if (!send_line(o, e))
				return false;
		}
	}
}

/* A column that an option names is not among those copied, or none of the table. */
static bool not_copied(struct backend *b, const struct command_copy *c, struct span column, const char *option,
		       struct pg_error *e)
{
	struct command_copy only = {.target = c->target, .columns = &column, .column_count = 1};
	struct statement *statement;
	if (c->query.ptr)
		return pg_error_set(e, "42703", "column \"%.*s\" does not exist", SPAN_ARG(column));
	if (!c->column_count || !open_columns(b, &only, true, &statement, e))
		return pg_error_set(e, "42703", "column \"%.*s\" of relation \"%.*s\" does not exist", SPAN_ARG(column),
				    SPAN_ARG(c->table));
	statement_free(statement);
	return pg_error_set(e, "42P10", "%s column \"%.*s\" not referenced by COPY", option, SPAN_ARG(column));
}

/* What an option names must be copied. */
static bool check_forced(struct backend *b, const struct command_copy *c, const struct span *names, size_t n,
			 struct pg_error *e)
{
	const struct {
		const char *name;
		const struct copy_columns *columns;
	} forced[] = {{"FORCE_QUOTE", &c->options.force_quote},
		      {"FORCE_NOT_NULL", &c->options.force_not_null},
		      {"FORCE_NULL", &c->options.force_null}};
	for (size_t f = 0; f < ARRAY_LEN(forced); f++)
		for (size_t i = 0; i < forced[f].columns->count; i++) {
			const struct span wanted = forced[f].columns->names[i];
			size_t k = 0;
			while (k < n && !span_eq(wanted, names[k]))
				k++;
			if (k == n)
				return not_copied(b, c, wanted, forced[f].name, e);
		}
	return true;
}

static bool copy_out(struct backend *b, const struct command_copy *c, uint64_t *ret_rows, struct pg_error *e)
{
	struct statement *statement;
	struct cursor *cursor;
	struct err err = ERR_INIT;
	struct copy_out o = {
		.b = b, .c = c, .line = BUF(COPY_LINE_MAX), .value = BUF(GIB), .recoded = BUF(COPY_LINE_MAX)};
	/* Planned in the transaction that it runs in, as all that reads tables. */
	if (!transaction_begin_implicit(b, e) || !open_columns(b, c, false, &statement, e))
		return false;
	if (!statement_query(statement, &cursor, &err)) {
		(void)backend_engine_error(b, &err, NULL, NULL, e);
		statement_free(statement);
		return false;
	}
	const size_t n = cursor_column_count(cursor);
	struct span *names = arena_array(b->work, struct span, n);
	bool *quote = arena_array(b->work, bool, n + 1);
	for (size_t i = 0; i < n; i++) {
		names[i] = span_of(cursor_columns(cursor)[i].name);
		quote[i] = copy_names_column(&c->options.force_quote, names[i]);
	}
	o.quote = quote;
	const bool is_binary = c->options.format == COPY_BINARY;
	bool fine = check_forced(b, c, names, n, e) &&
		    copy_recoder_open(&o.recoder, is_binary ? NULL : c->options.encoding, false, e);
	if (fine) {
		message_copy_response(&b->conn.out, 'H', is_binary, n);
		copy_write_begin(&o.line, &c->options, names, n);
		/* A binary header goes with the first row: a message of its own would be a row to some clients. */
		fine = (is_binary || send_line(&o, e)) && send_rows(&o, cursor, e);
	}
	if (fine) {
		copy_write_end(&o.line, &c->options);
		fine = send_line(&o, e);
		message_bare(&b->conn.out, MESSAGE_COPY_DONE);
	}
	*ret_rows = o.rows;
	copy_recoder_close(&o.recoder);
	buf_done(&o.recoded);
	buf_done(&o.line);
	buf_done(&o.value);
	cursor_close(cursor);
	statement_free(statement);
	return fine;
}

/* --- in --- */

struct copy_in {
	struct backend *b;
	const struct command_copy *c;
	struct copy_reader reader;
	struct copy_recoder recoder;
	struct buf recoded;
	const char *stage; /* where rows wait for the condition; NULL: there is none */
	struct message_column *columns;
	enum pg_kind *kinds; /* REFUSED: of no plain form */
	size_t n;
	struct bulk *bulk;
	struct appender *appender; /* of the bulk, while rows need the engine's casts; else NULL */
	bool casts;		   /* a column's type is none of the bulk's: all rows do */
	size_t rows, bytes;	   /* not flushed yet */
	size_t unseen;		   /* bytes, at most, since the size limit was looked at */
	uint64_t total;
	int64_t deadline_ns;
	struct arena *scratch; /* of the row at hand */
	bool used;	       /* by it */
};

/*
 * What waits in memory for its table. After COPY_LOOK_BYTES, and before COMMIT, it is looked at whether the workspace may
 * still grow: a value counts its text and COPY_VALUE_BYTES. From COPY_OVERLAP_ROWS on a thread of its own hands rows to the
 * engine.
 */
enum {
	COPY_FLUSH_ROWS = 65536,
	COPY_FLUSH_BYTES = 32 * 1024 * 1024,
	COPY_LOOK_BYTES = 32 * 1024 * 1024,
	COPY_VALUE_BYTES = 16,
	COPY_OVERLAP_ROWS = 8192
};

static bool flush_rows(struct copy_in *in, bool last, struct pg_error *e)
{
	struct backend *b = in->b;
	struct err err = ERR_INIT;
	in->unseen += in->bytes + in->rows * in->n * COPY_VALUE_BYTES;
	if (last || in->unseen >= COPY_LOOK_BYTES) {
		in->unseen = 0;
		if (!in->stage && !transaction_fits(b, e))
			return false;
	}
	if (!(last || in->appender ? bulk_flush(in->bulk, &err) : bulk_flush_soon(in->bulk, &err)))
		return backend_engine_error(b, &err, NULL, NULL, e);
	if (!in->casts)
		in->appender = NULL;
	in->total += in->rows;
	in->rows = in->bytes = 0;
	return true;
}

/* Texts that the engine would take, or refuse in words of its own. */
static bool check_text(struct copy_in *in, size_t i, const struct bind_value *v, struct pg_error *e)
{
	if (v->kind != BIND_TEXT)
		return true;
	if (in->kinds[i] == PG_KIND_INTERVAL)
		return pg_error_set(e, "22007", "invalid input syntax for type interval: \"%.*s\"",
				    SPAN_ARG(span_first(v->text, 200)));
	if (in->kinds[i] == PG_KIND_JSON && bulk_column_type(in->bulk, i)->id == TYPE_JSON && !value_is_json(v->text))
		return pg_error_set(e, "22P02", "invalid input syntax for type json");
	return true;
}

static bool decode(struct copy_in *in, size_t i, struct bind_value *ret, struct pg_error *e)
{
	const struct copy_field *f = &in->reader.fields[i];
	const unsigned format = in->c->options.format == COPY_BINARY;
	ret->kind = BIND_NULL;
	if (i >= in->reader.count)
		return copy_read_missing(&in->reader, i, e);
	if (f->is_null || (!format && copy_plain(in->kinds[i], f->bytes, ret)))
		return true;
	*ret = (struct bind_value){.kind = BIND_NULL};
	in->used = true;
	if (parameter_decode(in->columns[i].type_oid, format, f->bytes, in->scratch, ret, e) &&
	    check_text(in, i, ret, e))
		return true;
	/* Bytes that are no text are a fault of the line: PostgreSQL looks at them before it knows of columns. */
	const bool of_line = !format && strcmp(e->sqlstate, "22021") == 0;
	copy_read_context(&in->reader, of_line ? SIZE_MAX : i, e);
	return false;
}

/* `column`: whose value was wrong; SIZE_MAX: not known. */
static bool row_error(struct copy_in *in, const struct err *err, size_t column, struct pg_error *e)
{
	(void)backend_engine_error(in->b, err, NULL, NULL, e);
	if (column < in->n && in->kinds[column] == PG_KIND_NUMERIC && strcmp(e->sqlstate, "22023") == 0)
		(void)pg_error_set(e, "22003", "numeric field overflow");
	copy_read_context(&in->reader, column, e);
	return false;
}

/* *ret_odd: a value needs a cast, so nothing of the row was put. */
static bool put_row(struct copy_in *in, bool *ret_odd, struct pg_error *e)
{
	struct err err = ERR_INIT;
	struct bind_value value;
	*ret_odd = false;
	for (size_t i = 0; i < in->n; i++) {
		if (!decode(in, i, &value, e))
			return false;
		*ret_odd = !bulk_value(in->bulk, i, &value);
		if (*ret_odd) {
			bulk_drop_row(in->bulk);
			return true;
		}
	}
	return bulk_end_row(in->bulk, &err) || row_error(in, &err, SIZE_MAX, e);
}

/* The appender's rows stand behind those of the bulk, and it keeps them until the next flush: so does this COPY. */
static bool append_row(struct copy_in *in, struct pg_error *e)
{
	struct err err = ERR_INIT;
	struct bind_value value;
	if (!in->appender && !bulk_rows(in->bulk, &in->appender, &err))
		return row_error(in, &err, SIZE_MAX, e);
	for (size_t i = 0; i < in->n; i++) {
		if (!decode(in, i, &value, e))
			return false;
		appender_value(in->appender, &value);
	}
	const size_t failed = appender_failed(in->appender);
	return appender_end_row(in->appender, &err) || row_error(in, &err, failed, e);
}

static bool take_row(struct copy_in *in, struct pg_error *e)
{
	bool odd = in->appender != NULL;
	in->used = false;
	if ((!odd && !put_row(in, &odd, e)) || (odd && !append_row(in, e)))
		return false;
	if (in->used)
		arena_reset(in->scratch);
	for (size_t i = 0; i < in->n; i++)
		in->bytes += in->reader.fields[i].bytes.len;
	if (++in->rows == COPY_OVERLAP_ROWS && !in->casts)
		bulk_overlap(in->bulk);
	return (in->rows < COPY_FLUSH_ROWS && in->bytes < COPY_FLUSH_BYTES) || flush_rows(in, false, e);
}

static bool take_rows(struct copy_in *in, bool *ret_end, struct pg_error *e)
{
	enum copy_step step;
	for (;;) {
		if (!copy_read_row(&in->reader, &step, e))
			return false;
		*ret_end = step == COPY_END;
		if (step != COPY_ROW)
			return true;
		if (!take_row(in, e))
			return false;
	}
}

static bool was_stopped(struct copy_in *in, struct pg_error *e)
{
	if (backend_cancelled(in->b, e))
		return true;
	if (in->deadline_ns && clock_ns() > in->deadline_ns)
		return !pg_error_set(e, "57014", "canceling statement due to statement timeout");
	return false;
}

static void told_to_fail(const struct copy_reader *r, struct span body, struct pg_error *e)
{
	struct span reason;
	if (message_string(body, &reason, e))
		(void)pg_error_set(e, "57014", "COPY from stdin failed: %.*s",
				   (int)(reason.len < 500 ? reason.len : 500), reason.ptr);
	copy_read_context(r, SIZE_MAX, e);
}

/* What a CopyData carries, or the end of all of them. Rows in front of a wrong byte are taken, so that its line is told. */
static bool feed(struct copy_in *in, struct span data, bool last, bool *end, struct pg_error *e)
{
	struct pg_error wrong = PG_ERROR_INIT;
	bool fine = true;
	if (in->recoder.encoding) {
		buf_reset(&in->recoded);
		fine = copy_recoder_put(&in->recoder, data, last, &in->recoded, &wrong);
		data = buf_view(&in->recoded);
	}
	copy_read_feed(&in->reader, data);
	if (fine && last)
		copy_read_finish(&in->reader);
	if (!*end && !take_rows(in, end, e))
		return false;
	if (fine || *end)
		return true;
	*e = wrong;
	copy_read_context(&in->reader, SIZE_MAX, e);
	return false;
}

/* Up to CopyDone. The message that began the COPY is still in the buffer: its frame comes first. */
static bool read_data(struct copy_in *in, struct pg_error *e)
{
	struct backend *b = in->b;
	struct message_frame m;
	bool end = false, quiet;
	for (;;) {
		if (was_stopped(in, e))
			return false;
		if (!backend_message_or_tick(b, &m, &quiet))
			return pg_fatal_set(e, "08006", "the client is gone");
		if (quiet)
			continue;
		if (m.type == 'd') {
			const bool fine = end || feed(in, m.body, false, &end, e);
			conn_take(&b->conn, m.size);
			if (!fine)
				return false;
		} else if (m.type == 'c') {
			conn_take(&b->conn, m.size);
			return (end || feed(in, SPAN_NONE, true, &end, e)) && flush_rows(in, true, e);
		} else if (m.type == 'f') {
			told_to_fail(&in->reader, m.body, e);
			conn_take(&b->conn, m.size);
			return false;
		} else if (m.type == 'H' || m.type == 'S') {
			conn_take(&b->conn, m.size);
		} else {
			return pg_fatal_set(e, "08P01", "unexpected message type 0x%02X during COPY from stdin",
					    (unsigned char)m.type);
		}
	}
}

static bool begin_in(struct copy_in *in, struct pg_error *e)
{
	struct backend *b = in->b;
	const struct command_copy *c = in->c;
	struct statement *statement;
	struct stmt target;
	struct span rest = span_of(arena_printf(b->work, "INSERT INTO %.*s VALUES (1)", SPAN_ARG(c->target)));
	if (!stmt_next(&rest, &target, e) || !tables_attach(b, &target, e))
		return false;
	target.kind = STMT_COPY;
	(void)snprintf(target.tag, sizeof(target.tag), "COPY FROM");
	if (!transaction_may_write(b, &target, e) || !open_columns(b, c, true, &statement, e))
		return false;
	run_columns(b, statement, NULL, b->work, &in->columns, &in->n);
	statement_free(statement);
	in->kinds = arena_array(b->work, enum pg_kind, in->n + 1);
	for (size_t i = 0; i < in->n; i++) {
		const struct pg_type *type = pg_type_find(in->columns[i].type_oid);
		in->kinds[i] = type ? type->kind : PG_KIND_REFUSED;
	}
	return true;
}

/* The engine's name of the database; NULL: as the search path finds the table. */
static const char *database_of(const struct copy_in *in)
{
	const struct span schema = in->c->schema;
	if (in->stage || (schema.ptr && (span_eq_nocase(schema, SPAN("temp")) || stmt_is_temp_schema(schema))))
		return "temp";
	const bool is_main =
		schema.ptr && (span_eq_nocase(schema, SPAN("public")) || span_eq_nocase(schema, SPAN("main")));
	return is_main ? workspace_db(in->b->wi) : NULL;
}

static bool open_bulk(struct copy_in *in, struct pg_error *e)
{
	struct backend *b = in->b;
	const struct command_copy *c = in->c;
	struct err err = ERR_INIT;
	const char *database = database_of(in);
	const char *schema = database ? "main" : c->schema.ptr ? arena_copy(b->work, c->schema) : NULL;
	const char **names = arena_array(b->work, const char *, c->column_count + 1);
	for (size_t i = 0; i < c->column_count; i++)
		names[i] = arena_copy(b->work, c->columns[i]);
	const char *table = in->stage ? in->stage : arena_copy(b->work, c->table);
	if (!bulk_open(b->engine, database, schema, table, names, in->stage ? 0 : c->column_count, &in->bulk, &err))
		return backend_engine_error(b, &err, NULL, NULL, e);
	for (size_t i = 0; i < bulk_column_count(in->bulk); i++)
		in->casts = in->casts || !bulk_takes(bulk_column_type(in->bulk, i));
	return !in->casts || bulk_rows(in->bulk, &in->appender, &err) || backend_engine_error(b, &err, NULL, NULL, e);
}

/* The rows between CopyInResponse and CopyDone. */
static bool receive(struct copy_in *in, struct pg_error *e)
{
	struct backend *b = in->b;
	struct span *names = arena_array(b->work, struct span, in->n);
	for (size_t i = 0; i < in->n; i++)
		names[i] = in->columns[i].name;
	if (!check_forced(b, in->c, names, in->n, e) ||
	    !copy_recoder_open(&in->recoder, in->c->options.format == COPY_BINARY ? NULL : in->c->options.encoding,
			       true, e))
		return false;
	copy_read_begin(&in->reader, &in->c->options, in->c->table, names, in->n, b->work);
	message_copy_response(&b->conn.out, 'G', in->c->options.format == COPY_BINARY, in->n);
	bool fine = conn_flush(&b->conn) && read_data(in, e);
	copy_read_done(&in->reader);
	copy_recoder_close(&in->recoder);
	buf_done(&in->recoded);
	return fine;
}

static bool make_stage(struct copy_in *in, struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	put_select(&sql, in->c, true);
	const bool fine = copy_stage_make(in->b, arena_span(in->b->work, buf_view(&sql)), &in->stage, e);
	buf_done(&sql);
	return fine;
}

static bool load(struct copy_in *in, struct pg_error *e)
{
	if ((in->c->where.ptr && !make_stage(in, e)) || !open_bulk(in, e) || !receive(in, e))
		return false;
	bulk_close(in->bulk);
	in->bulk = NULL;
	return !in->stage || copy_stage_insert(in->b, in->c, in->stage, &in->total, e);
}

static bool copy_in(struct backend *b, const struct command_copy *c, uint64_t *ret_rows, struct pg_error *e)
{
	struct copy_in in = {.b = b, .c = c, .scratch = arena_new(), .recoded = BUF(GIB)};
	const int64_t timeout = gucs_timeout_ns(b);
	struct pg_error late = PG_ERROR_INIT;
	in.deadline_ns = timeout ? clock_ns() + timeout : 0;
	bool fine = begin_in(&in, e);
	/* All or nothing: what is flushed on the way is in one transaction. */
	bool was_alone = b->block == 'I' && !b->implicit;
	fine = fine && transaction_begin_implicit(b, e);
	if (fine) {
		fine = load(&in, e);
		bulk_close(in.bulk);
		b->changes += fine;
		if (was_alone && !transaction_end_implicit(b, fine, &late) && fine) {
			*e = late;
			fine = false;
		}
	}
	*ret_rows = in.total;
	arena_free(in.scratch);
	return fine;
}

/* Found in the query or in one made here, told of the client's text. */
static void place_error(const struct stmt *s, const struct command_copy *c, struct pg_error *e)
{
	if (!e->position)
		return;
	const bool is_inside = c->query.ptr >= s->text.ptr && c->query.ptr < s->text.ptr + s->text.len;
	e->position += is_inside ? sqlstate_position(s->text, (size_t)(c->query.ptr - s->text.ptr)) - 1 : 0;
	if (!is_inside)
		e->position = 0;
}

bool copying_run(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct command_copy c;
	uint64_t rows = 0;
	if (!command_copy(s, b->work, &c, e) || !run_spool(b, e))
		return false;
	bool fine = c.is_from ? copy_in(b, &c, &rows, e) : copy_out(b, &c, &rows, e);
	if (!fine)
		place_error(s, &c, e);
	stmt_tag(s, rows, tag);
	return fine;
}
