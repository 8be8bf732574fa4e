#include "engine/core.h"

/* Rows flow chunk by chunk; everything else runs to its end before it answers. */
static bool streams(enum statement_type type)
{
	return type == STATEMENT_SELECT || type == STATEMENT_EXECUTE || type == STATEMENT_CALL ||
	       type == STATEMENT_RELATION;
}

/*
 * BEGIN, COMMIT and ROLLBACK are one type to the engine. BEGIN fails inside a transaction, the others outside of one: a
 * success flips the state. A COMMIT that fails has ended the transaction.
 */
static void track_transaction(struct session *session, enum statement_type type, bool ok)
{
	if (type != STATEMENT_TRANSACTION)
		return;
	if (ok)
		session->in_transaction = !session->in_transaction;
	else if (session->in_transaction && strcmp(session->fault.sqlstate, "25001") != 0)
		session->in_transaction = false;
	if (!session->in_transaction)
		session->aborted = false;
}

static bool execute(struct statement *statement, duckdb_result *ret, struct err *err)
{
	struct session *session = statement->session;
	duckdb_pending_result pending = NULL;
	if (statement->type == STATEMENT_EXPLAIN && strcasestr(statement->sql, "analyze"))
		session_measure(session);
	session_planning(session, true); /* with parameters it is made anew */
	const duckdb_state state = streams(statement->type)
					   ? duckdb_pending_prepared_streaming(statement->prepared, &pending)
					   : duckdb_pending_prepared(statement->prepared, &pending);
	bool ok = state == DuckDBSuccess;
	session_planning(session, false);
	if (!ok)
		(void)fault_set(session, duckdb_pending_error(pending), statement->sql, err);
	else if (!session_check(session, err))
		ok = false;
	else if (duckdb_execute_pending(pending, ret) != DuckDBSuccess) {
		(void)fault_set(session, duckdb_result_error(ret), statement->sql, err);
		duckdb_destroy_result(ret);
		ok = false;
	}
	duckdb_destroy_pending(&pending);
	track_transaction(session, statement->type, ok);
	return ok;
}

/* What statement_find_untyped() found; the vector is that of INTEGER all the same. */
static const struct type *told_type(const struct cursor *c, size_t i, const struct type *type)
{
	const struct statement *s = c->statement;
	const bool told = type->id == TYPE_INTEGER && s->columns && s->column_count == c->column_count &&
			  s->columns[i].type == &type_untyped;
	return told ? s->columns[i].type : type;
}

static void read_shape(struct cursor *c)
{
	c->column_count = duckdb_column_count(&c->result);
	c->columns = arena_array(c->arena, struct cursor_column, c->column_count);
	c->vectors = arena_array(c->arena, struct vector, c->column_count);
	for (size_t i = 0; i < c->column_count; i++) {
		const char *name = duckdb_column_name(&c->result, i);
		duckdb_logical_type logical = duckdb_column_logical_type(&c->result, i);
		const struct type *type = logical_type(c->arena, logical);
		c->columns[i] = (struct cursor_column){arena_strdup(c->arena, name ? name : ""), told_type(c, i, type)};
		vector_shape(c->arena, type, logical, &c->vectors[i]);
		duckdb_destroy_logical_type(&logical);
	}
}

/* CREATE TABLE AS counts its rows as others do, but the engine does not say that its answer is a count. */
static uint64_t count_of_created(duckdb_result *result)
{
	uint64_t count = 0;
	if (duckdb_column_count(result) != 1 || duckdb_column_type(result, 0) != DUCKDB_TYPE_BIGINT)
		return 0;
	duckdb_data_chunk chunk = duckdb_fetch_chunk(*result);
	if (chunk && duckdb_data_chunk_get_size(chunk) == 1)
		count = (uint64_t) * (const int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
	duckdb_destroy_data_chunk(&chunk);
	return count;
}

bool statement_query(struct statement *statement, struct cursor **ret, struct err *err)
{
	struct session *session = statement->session;
	duckdb_result result;
	if (!session_begin(session, err))
		return false;
	if (!execute(statement, &result, err)) {
		session_end(session);
		return false;
	}
	atomic_store_explicit(&session->in_engine, false, memory_order_release);
	allowance_enter(NULL, NULL);
	struct arena *arena = statement->spare ? statement->spare : arena_new();
	statement->spare = NULL;
	struct cursor *c = arena_new_of(arena, struct cursor);
	*c = (struct cursor){.session = session, .statement = statement, .result = result, .arena = arena};
	const duckdb_result_type kind = duckdb_result_return_type(result);
	c->has_rows = kind == DUCKDB_RESULT_TYPE_QUERY_RESULT;
	if (kind == DUCKDB_RESULT_TYPE_CHANGED_ROWS)
		c->rows_changed = duckdb_rows_changed(&c->result);
	else if (statement->type == STATEMENT_CREATE)
		c->rows_changed = count_of_created(&c->result);
	if (c->has_rows) {
		read_shape(c);
	} else {
		c->ended = true;
		session_end(session);
	}
	*ret = c;
	return true;
}

bool session_query(struct session *session, const char *sql, struct cursor **ret, struct err *err)
{
	struct statement *statement;
	if (!statement_prepare(session, sql, &statement, err))
		return false;
	if (!statement_query(statement, ret, err)) {
		statement_free(statement);
		return false;
	}
	(*ret)->owns_statement = true;
	return true;
}

size_t cursor_column_count(const struct cursor *c)
{
	return c->column_count;
}

const struct cursor_column *cursor_columns(const struct cursor *c)
{
	return c->columns;
}

uint64_t cursor_rows_changed(const struct cursor *c)
{
	return c->rows_changed;
}

bool cursor_has_rows(const struct cursor *c)
{
	return c->has_rows;
}

static void drop_chunk(struct cursor *c)
{
	if (c->chunk)
		duckdb_destroy_data_chunk(&c->chunk);
	c->chunk = NULL;
}

static bool end_stream(struct cursor *c, struct err *err)
{
	const char *message = duckdb_result_error(&c->result);
	const bool ok = !message || !*message;
	if (!ok) {
		(void)fault_set(c->session, message, c->statement->sql, err);
		c->failed = true;
	}
	c->ended = true;
	session_end(c->session);
	return ok;
}

bool cursor_next(struct cursor *c, size_t *ret_rows, struct err *err)
{
	*ret_rows = 0;
	drop_chunk(c);
	if (c->failed)
		return err_set(err, ERR_ENGINE, "The result ended with an error");
	if (c->ended)
		return true;
	/* What did not stream is done, and perhaps committed: who is told of a cancel would think it undone. */
	if (streams(c->statement->type) && !session_check(c->session, err)) {
		c->failed = c->ended = true;
		session_end(c->session);
		return false;
	}
	atomic_store_explicit(&c->session->in_engine, true, memory_order_release);
	atomic_store_explicit(&c->session->fetched, true, memory_order_release);
	session_planning(c->session, false);
	do {
		drop_chunk(c);
		c->chunk = duckdb_fetch_chunk(c->result);
	} while (c->chunk && duckdb_data_chunk_get_size(c->chunk) == 0);
	atomic_store_explicit(&c->session->in_engine, false, memory_order_release);
	allowance_enter(NULL, NULL);
	if (!c->chunk)
		return end_stream(c, err);
	for (size_t i = 0; i < c->column_count; i++)
		vector_load(&c->vectors[i], duckdb_data_chunk_get_vector(c->chunk, i));
	*ret_rows = duckdb_data_chunk_get_size(c->chunk);
	return true;
}

const struct vector *cursor_vectors(const struct cursor *c)
{
	return c->vectors;
}

bool cursor_is_null(const struct cursor *c, size_t column, size_t row)
{
	return vector_is_null(&c->vectors[column], row);
}

int64_t cursor_int(const struct cursor *c, size_t column, size_t row)
{
	const struct vector *v = &c->vectors[column];
	if (vector_is_null(v, row))
		return 0;
	switch (v->type->id) {
	case TYPE_BOOLEAN:
	case TYPE_UTINYINT:
		return ((const uint8_t *)v->data)[row];
	case TYPE_TINYINT:
		return ((const int8_t *)v->data)[row];
	case TYPE_SMALLINT:
		return ((const int16_t *)v->data)[row];
	case TYPE_USMALLINT:
		return ((const uint16_t *)v->data)[row];
	case TYPE_INTEGER:
	case TYPE_DATE:
		return ((const int32_t *)v->data)[row];
	case TYPE_UINTEGER:
		return ((const uint32_t *)v->data)[row];
	case TYPE_UBIGINT:
	case TYPE_BIGINT:
	case TYPE_TIME:
	case TYPE_TIME_NS:
	case TYPE_TIMESTAMP:
	case TYPE_TIMESTAMP_S:
	case TYPE_TIMESTAMP_MS:
	case TYPE_TIMESTAMP_NS:
	case TYPE_TIMESTAMP_TZ:
		return ((const int64_t *)v->data)[row];
	case TYPE_HUGEINT: /* count and sum results; larger ones are cut */
		return (int64_t)((const struct vector_huge *)v->data)[row].lower;
	default:
		return 0;
	}
}

double cursor_double(const struct cursor *c, size_t column, size_t row)
{
	const struct vector *v = &c->vectors[column];
	if (vector_is_null(v, row))
		return 0;
	if (v->type->id == TYPE_DOUBLE)
		return ((const double *)v->data)[row];
	if (v->type->id == TYPE_FLOAT)
		return (double)((const float *)v->data)[row];
	return (double)cursor_int(c, column, row);
}

struct span cursor_text(const struct cursor *c, size_t column, size_t row)
{
	const struct vector *v = &c->vectors[column];
	const enum type_id id = v->type->id;
	if ((id != TYPE_VARCHAR && id != TYPE_JSON && id != TYPE_BLOB) || vector_is_null(v, row))
		return (struct span){"", 0};
	return vector_span(v, row);
}

void cursor_close(struct cursor *c)
{
	if (!c)
		return;
	drop_chunk(c);
	duckdb_destroy_result(&c->result);
	if (!c->ended)
		session_end(c->session);
	struct statement *statement = c->statement;
	const bool owns_statement = c->owns_statement;
	arena_free(statement->spare);
	statement->spare = c->arena;
	arena_reset(statement->spare);
	if (owns_statement)
		statement_free(statement);
}

void cursor_close_cleanup(void *cursor)
{
	cursor_close(cursor);
}
