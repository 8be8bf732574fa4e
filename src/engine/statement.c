#include "engine/core.h"

#include "engine/sql.h"

#include <stdlib.h>

struct statements {
	struct session *session;
	duckdb_extracted_statements extracted;
	size_t count;
	char *sql;
};

static const char *const type_names[] = {
	[STATEMENT_INVALID] = "INVALID",
	[STATEMENT_SELECT] = "SELECT",
	[STATEMENT_INSERT] = "INSERT",
	[STATEMENT_UPDATE] = "UPDATE",
	[STATEMENT_DELETE] = "DELETE",
	[STATEMENT_MERGE] = "MERGE",
	[STATEMENT_EXPLAIN] = "EXPLAIN",
	[STATEMENT_PREPARE] = "PREPARE",
	[STATEMENT_EXECUTE] = "EXECUTE",
	[STATEMENT_CREATE] = "CREATE",
	[STATEMENT_CREATE_FUNCTION] = "CREATE FUNCTION",
	[STATEMENT_ALTER] = "ALTER",
	[STATEMENT_DROP] = "DROP",
	[STATEMENT_TRANSACTION] = "TRANSACTION",
	[STATEMENT_COPY] = "COPY",
	[STATEMENT_COPY_DATABASE] = "COPY DATABASE",
	[STATEMENT_EXPORT] = "EXPORT",
	[STATEMENT_ANALYZE] = "ANALYZE",
	[STATEMENT_VACUUM] = "VACUUM",
	[STATEMENT_SET] = "SET",
	[STATEMENT_PRAGMA] = "PRAGMA",
	[STATEMENT_CALL] = "CALL",
	[STATEMENT_LOAD] = "LOAD",
	[STATEMENT_ATTACH] = "ATTACH",
	[STATEMENT_DETACH] = "DETACH",
	[STATEMENT_EXTENSION] = "EXTENSION",
	[STATEMENT_UPDATE_EXTENSIONS] = "UPDATE EXTENSIONS",
	[STATEMENT_RELATION] = "RELATION",
	[STATEMENT_LOGICAL_PLAN] = "LOGICAL PLAN",
	[STATEMENT_MULTI] = "MULTI",
	[STATEMENT_OTHER] = "OTHER",
};
static_assert(ARRAY_LEN(type_names) == STATEMENT_TYPE_COUNT, "a name for each statement type");

/* By the engine's number. */
static const uint8_t types[] = {
	[DUCKDB_STATEMENT_TYPE_INVALID] = STATEMENT_INVALID,
	[DUCKDB_STATEMENT_TYPE_SELECT] = STATEMENT_SELECT,
	[DUCKDB_STATEMENT_TYPE_INSERT] = STATEMENT_INSERT,
	[DUCKDB_STATEMENT_TYPE_UPDATE] = STATEMENT_UPDATE,
	[DUCKDB_STATEMENT_TYPE_EXPLAIN] = STATEMENT_EXPLAIN,
	[DUCKDB_STATEMENT_TYPE_DELETE] = STATEMENT_DELETE,
	[DUCKDB_STATEMENT_TYPE_PREPARE] = STATEMENT_PREPARE,
	[DUCKDB_STATEMENT_TYPE_CREATE] = STATEMENT_CREATE,
	[DUCKDB_STATEMENT_TYPE_EXECUTE] = STATEMENT_EXECUTE,
	[DUCKDB_STATEMENT_TYPE_ALTER] = STATEMENT_ALTER,
	[DUCKDB_STATEMENT_TYPE_TRANSACTION] = STATEMENT_TRANSACTION,
	[DUCKDB_STATEMENT_TYPE_COPY] = STATEMENT_COPY,
	[DUCKDB_STATEMENT_TYPE_ANALYZE] = STATEMENT_ANALYZE,
	[DUCKDB_STATEMENT_TYPE_VARIABLE_SET] = STATEMENT_SET,
	[DUCKDB_STATEMENT_TYPE_CREATE_FUNC] = STATEMENT_CREATE_FUNCTION,
	[DUCKDB_STATEMENT_TYPE_DROP] = STATEMENT_DROP,
	[DUCKDB_STATEMENT_TYPE_EXPORT] = STATEMENT_EXPORT,
	[DUCKDB_STATEMENT_TYPE_PRAGMA] = STATEMENT_PRAGMA,
	[DUCKDB_STATEMENT_TYPE_VACUUM] = STATEMENT_VACUUM,
	[DUCKDB_STATEMENT_TYPE_CALL] = STATEMENT_CALL,
	[DUCKDB_STATEMENT_TYPE_SET] = STATEMENT_SET,
	[DUCKDB_STATEMENT_TYPE_LOAD] = STATEMENT_LOAD,
	[DUCKDB_STATEMENT_TYPE_RELATION] = STATEMENT_RELATION,
	[DUCKDB_STATEMENT_TYPE_EXTENSION] = STATEMENT_EXTENSION,
	[DUCKDB_STATEMENT_TYPE_LOGICAL_PLAN] = STATEMENT_LOGICAL_PLAN,
	[DUCKDB_STATEMENT_TYPE_ATTACH] = STATEMENT_ATTACH,
	[DUCKDB_STATEMENT_TYPE_DETACH] = STATEMENT_DETACH,
	[DUCKDB_STATEMENT_TYPE_MULTI] = STATEMENT_MULTI,
	[ENGINE_STATEMENT_COPY_DATABASE] = STATEMENT_COPY_DATABASE,
	[ENGINE_STATEMENT_UPDATE_EXTENSIONS] = STATEMENT_UPDATE_EXTENSIONS,
	[ENGINE_STATEMENT_MERGE_INTO] = STATEMENT_MERGE,
};

const char *statement_type_name(enum statement_type type)
{
	return (size_t)type < ARRAY_LEN(type_names) ? type_names[type] : "OTHER";
}

static enum statement_type type_of(duckdb_prepared_statement prepared)
{
	const size_t number = (size_t)duckdb_prepared_statement_type(prepared);
	return number < ARRAY_LEN(types) ? (enum statement_type)types[number] : STATEMENT_OTHER;
}

static void read_columns(struct statement *s)
{
	s->column_count = duckdb_prepared_statement_column_count(s->prepared);
	s->columns = arena_array(s->arena, struct cursor_column, s->column_count);
	for (size_t i = 0; i < s->column_count; i++) {
		const char *name = duckdb_prepared_statement_column_name(s->prepared, i);
		duckdb_logical_type logical = duckdb_prepared_statement_column_logical_type(s->prepared, i);
		s->columns[i] = (struct cursor_column){arena_strdup(s->arena, name ? name : ""),
						       logical_type(s->arena, logical)};
		duckdb_free((void *)(uintptr_t)name);
		duckdb_destroy_logical_type(&logical);
	}
}

/* Takes over what duckdb_prepare made, also when it failed. */
static bool finish_prepare(struct session *session, duckdb_prepared_statement prepared, bool prepared_ok,
			   const char *sql, struct statement **ret, struct err *err)
{
	if (!prepared_ok) {
		(void)fault_set(session, duckdb_prepare_error(prepared), sql, err);
		duckdb_destroy_prepare(&prepared);
		return false;
	}
	if (duckdb_prepared_statement_column_count(prepared) > LIMIT_RESULT_COLUMNS) {
		duckdb_destroy_prepare(&prepared);
		session->fault = (struct fault){.kind = FAULT_KIND_BINDER, .sqlstate = "54011"};
		return err_set(err, ERR_ENGINE_REFUSED, "A result can have at most %d columns", LIMIT_RESULT_COLUMNS);
	}
	struct arena *arena = arena_new();
	struct statement *s = arena_new_of(arena, struct statement);
	*s = (struct statement){.session = session, .prepared = prepared, .arena = arena, .type = type_of(prepared)};
	s->sql = arena_strdup(arena, sql);
	*ret = s;
	return true;
}

/* A statement whose values can be read: itself, or one around it. */
static bool make_readable(struct session *session, const char *sql, struct statement **statement, struct err *err)
{
	if (!opaque_any(*statement))
		return true;
	struct buf wrapped = BUF(LIMIT_SQL_BYTES);
	const char *text;
	struct statement *readable = NULL;
	opaque_wrap(*statement, sql, &wrapped);
	duckdb_prepared_statement prepared = NULL;
	bool ok = sql_finish(&wrapped, &text, err);
	if (ok) {
		ok = duckdb_prepare(session->connection, text, &prepared) == DuckDBSuccess;
		ok = finish_prepare(session, prepared, ok, text, &readable, err);
	}
	buf_done(&wrapped);
	statement_free(*statement);
	*statement = readable;
	return ok;
}

bool statements_parse(struct session *session, const char *sql, struct statements **ret, size_t *ret_count,
		      struct err *err)
{
	duckdb_extracted_statements extracted = NULL;
	const idx_t count = duckdb_extract_statements(session->connection, sql, &extracted);
	const char *message = extracted ? duckdb_extract_statements_error(extracted) : "Parser Error: unreadable SQL";
	if (count == 0 && message) {
		(void)fault_set(session, message, sql, err);
		duckdb_destroy_extracted(&extracted);
		return false;
	}
	struct statements *list = mem_alloc(sizeof(*list));
	*list = (struct statements){session, extracted, count, mem_strdup(sql)};
	*ret = list;
	*ret_count = count;
	return true;
}

/* An interrupt that came while the engine prepared, and that it did not notice, must not be lost. */
static bool prepare_end(struct session *session, bool done, struct statement *statement, struct statement **ret,
			struct err *err)
{
	if (done && !session_check(session, err)) {
		statement_free(statement);
		done = false;
	}
	session_end(session);
	if (done)
		*ret = statement;
	return done;
}

bool statements_prepare(struct statements *list, size_t i, struct statement **ret, struct err *err)
{
	struct session *session = list->session;
	if (!session_begin(session, err))
		return false;
	session_planning(session, true);
	duckdb_prepared_statement prepared = NULL;
	const bool ok =
		duckdb_prepare_extracted_statement(session->connection, list->extracted, i, &prepared) == DuckDBSuccess;
	struct statement *statement = NULL;
	bool done = finish_prepare(session, prepared, ok, list->sql, &statement, err);
	/* Of several statements the text of one alone is not known. */
	if (done && list->count == 1)
		done = make_readable(session, list->sql, &statement, err);
	return prepare_end(session, done, statement, ret, err);
}

void statements_free(struct statements *list)
{
	if (!list)
		return;
	duckdb_destroy_extracted(&list->extracted);
	free(list->sql);
	free(list);
}

bool statement_prepare(struct session *session, const char *sql, struct statement **ret, struct err *err)
{
	if (!session_begin(session, err))
		return false;
	session_planning(session, true);
	duckdb_prepared_statement prepared = NULL;
	const bool ok = duckdb_prepare(session->connection, sql, &prepared) == DuckDBSuccess;
	struct statement *statement = NULL;
	const bool done = finish_prepare(session, prepared, ok, sql, &statement, err) &&
			  make_readable(session, sql, &statement, err);
	return prepare_end(session, done, statement, ret, err);
}

void statement_free(struct statement *statement)
{
	if (!statement)
		return;
	duckdb_destroy_prepare(&statement->prepared);
	arena_free(statement->spare);
	arena_free(statement->arena);
}

enum statement_type statement_type(const struct statement *statement)
{
	return statement->type;
}

size_t statement_parameter_count(const struct statement *statement)
{
	return duckdb_nparams(statement->prepared);
}

const struct type *statement_parameter_type(struct statement *statement, size_t index)
{
	duckdb_logical_type logical = duckdb_param_logical_type(statement->prepared, index);
	const struct type *type = logical_type(statement->arena, logical);
	duckdb_destroy_logical_type(&logical);
	return type;
}

size_t statement_column_count(struct statement *statement)
{
	if (!statement->columns)
		read_columns(statement);
	return statement->column_count;
}

const struct cursor_column *statement_columns(struct statement *statement)
{
	(void)statement_column_count(statement);
	return statement->columns;
}

static bool bound(struct statement *statement, duckdb_state state, size_t index, struct err *err)
{
	if (state == DuckDBSuccess)
		return true;
	const char *message = duckdb_prepare_error(statement->prepared);
	statement->session->fault = (struct fault){.kind = FAULT_KIND_INVALID_INPUT, .sqlstate = "08P01"};
	return err_set(err, ERR_ENGINE_REFUSED, "Parameter $%zu cannot be bound%s%s", index, message ? ": " : "",
		       message ? message : "");
}

bool statement_bind_null(struct statement *s, size_t index, struct err *err)
{
	return bound(s, duckdb_bind_null(s->prepared, index), index, err);
}

bool statement_bind_bool(struct statement *s, size_t index, bool value, struct err *err)
{
	return bound(s, duckdb_bind_boolean(s->prepared, index, value), index, err);
}

bool statement_bind_int(struct statement *s, size_t index, int64_t value, struct err *err)
{
	return bound(s, duckdb_bind_int64(s->prepared, index, value), index, err);
}

bool statement_bind_double(struct statement *s, size_t index, double value, struct err *err)
{
	return bound(s, duckdb_bind_double(s->prepared, index, value), index, err);
}

bool statement_bind_text(struct statement *s, size_t index, struct span value, struct err *err)
{
	if (!span_is_utf8(value)) {
		s->session->fault = (struct fault){.kind = FAULT_KIND_INVALID_INPUT, .sqlstate = "22021"};
		return err_set(err, ERR_ENGINE_REFUSED, "Parameter $%zu is not valid UTF-8", index);
	}
	return bound(s, duckdb_bind_varchar_length(s->prepared, index, value.ptr ? value.ptr : "", value.len), index,
		     err);
}

bool statement_bind_blob(struct statement *s, size_t index, struct span value, struct err *err)
{
	return bound(s, duckdb_bind_blob(s->prepared, index, value.ptr ? value.ptr : "", value.len), index, err);
}

bool statement_bind_timestamp(struct statement *s, size_t index, int64_t unix_us, struct err *err)
{
	return bound(s, duckdb_bind_timestamp(s->prepared, index, (duckdb_timestamp){unix_us}), index, err);
}

bool statement_bind_timestamp_tz(struct statement *s, size_t index, int64_t unix_us, struct err *err)
{
	return bound(s, duckdb_bind_timestamp_tz(s->prepared, index, (duckdb_timestamp){unix_us}), index, err);
}

bool statement_bind_date(struct statement *s, size_t index, int32_t days, struct err *err)
{
	return bound(s, duckdb_bind_date(s->prepared, index, (duckdb_date){days}), index, err);
}

bool statement_bind_time(struct statement *s, size_t index, int64_t micros, struct err *err)
{
	return bound(s, duckdb_bind_time(s->prepared, index, (duckdb_time){micros}), index, err);
}

bool statement_bind_interval(struct statement *s, size_t index, int32_t months, int32_t days, int64_t micros,
			     struct err *err)
{
	return bound(s, duckdb_bind_interval(s->prepared, index, (duckdb_interval){months, days, micros}), index, err);
}

bool statement_run(struct statement *statement, uint64_t *ret_changed, struct err *err)
{
	struct cursor *c;
	size_t rows;
	bool ok;
	if (!statement_query(statement, &c, err))
		return false;
	*ret_changed = cursor_rows_changed(c);
	while ((ok = cursor_next(c, &rows, err)) && rows > 0)
		;
	cursor_close(c);
	return ok;
}
