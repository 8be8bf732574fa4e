#include "engine/bind.h"
#include "engine/core.h"

#include <stdlib.h>

struct appender {
	struct session *session;
	duckdb_appender handle;
	struct arena *arena;
	size_t column_count;
	const struct type **types;
	size_t column; /* of the next value */
	bool row_open;
	bool failed;
};

/* The appender's messages come without the name of their class. */
static const char *class_of(duckdb_error_type type)
{
	switch (type) {
	case DUCKDB_ERROR_CONVERSION:
		return "Conversion";
	case DUCKDB_ERROR_OUT_OF_RANGE:
		return "Out of Range";
	case DUCKDB_ERROR_CONSTRAINT:
		return "Constraint";
	case DUCKDB_ERROR_CATALOG:
		return "Catalog";
	case DUCKDB_ERROR_BINDER:
		return "Binder";
	case DUCKDB_ERROR_TRANSACTION:
		return "TransactionContext";
	case DUCKDB_ERROR_IO:
		return "IO";
	case DUCKDB_ERROR_OUT_OF_MEMORY:
		return "Out of Memory";
	case DUCKDB_ERROR_INTERRUPT:
		return "INTERRUPT";
	case DUCKDB_ERROR_FATAL:
		return "FATAL";
	case DUCKDB_ERROR_INTERNAL:
		return "INTERNAL";
	default:
		return "Invalid Input";
	}
}

/* What the appender says went wrong, into the session's fault and *err. */
static bool appender_fault(struct appender *a, struct err *err)
{
	a->failed = true;
	duckdb_error_data data = duckdb_appender_error_data(a->handle);
	const char *message = data ? duckdb_error_data_message(data) : NULL;
	if (!message || !*message)
		message = "The row does not fit the table";
	if (*message != '{' && !strstr(message, " Error: ")) {
		const duckdb_error_type type = data ? duckdb_error_data_error_type(data) : DUCKDB_ERROR_INVALID;
		message = arena_printf(a->arena, "%s Error: %s", class_of(type), message);
	}
	(void)fault_set(a->session, message, NULL, err);
	duckdb_destroy_error_data(&data);
	return false;
}

static void read_types(struct appender *a)
{
	a->column_count = duckdb_appender_column_count(a->handle);
	a->types = arena_array(a->arena, const struct type *, a->column_count);
	for (size_t i = 0; i < a->column_count; i++) {
		duckdb_logical_type logical = duckdb_appender_column_type(a->handle, i);
		a->types[i] = logical_type(a->arena, logical);
		duckdb_destroy_logical_type(&logical);
	}
}

bool appender_open(struct session *session, const char *catalog, const char *schema, const char *table,
		   struct appender **ret, struct err *err)
{
	struct arena *arena = arena_new();
	struct appender *a = arena_new_of(arena, struct appender);
	*a = (struct appender){.session = session, .arena = arena};
	if (duckdb_appender_create_ext(session->connection, catalog, schema, table, &a->handle) != DuckDBSuccess) {
		(void)appender_fault(a, err);
		duckdb_appender_destroy(&a->handle);
		arena_free(arena);
		return false;
	}
	read_types(a);
	*ret = a;
	return true;
}

bool appender_columns(struct appender *a, const char *const *names, size_t n, struct err *err)
{
	if (duckdb_appender_clear_columns(a->handle) != DuckDBSuccess)
		return appender_fault(a, err);
	for (size_t i = 0; i < n; i++)
		if (duckdb_appender_add_column(a->handle, names[i]) != DuckDBSuccess)
			return appender_fault(a, err);
	read_types(a);
	return true;
}

size_t appender_column_count(const struct appender *a)
{
	return a->column_count;
}

const struct type *appender_column_type(const struct appender *a, size_t column)
{
	return a->types[column];
}

static void appended(struct appender *a, duckdb_state state)
{
	a->column++;
	a->row_open = true;
	if (state != DuckDBSuccess)
		a->failed = true;
}

/* A value too many for the row, or one behind a failed one, is not even tried. */
static bool ready(struct appender *a)
{
	if (a->column >= a->column_count)
		a->failed = true;
	return !a->failed;
}

void appender_null(struct appender *a)
{
	if (ready(a))
		appended(a, duckdb_append_null(a->handle));
}

void appender_default(struct appender *a)
{
	if (ready(a))
		appended(a, duckdb_append_default(a->handle));
}

void appender_bool(struct appender *a, bool value)
{
	if (ready(a))
		appended(a, duckdb_append_bool(a->handle, value));
}

void appender_int(struct appender *a, int64_t value)
{
	if (ready(a))
		appended(a, duckdb_append_int64(a->handle, value));
}

void appender_double(struct appender *a, double value)
{
	if (ready(a))
		appended(a, duckdb_append_double(a->handle, value));
}

void appender_text(struct appender *a, struct span value)
{
	if (!ready(a))
		return;
	if (span_is_utf8(value))
		appended(a, duckdb_append_varchar_length(a->handle, value.ptr ? value.ptr : "", value.len));
	else
		a->failed = true;
}

void appender_blob(struct appender *a, struct span value)
{
	if (ready(a))
		appended(a, duckdb_append_blob(a->handle, value.ptr ? value.ptr : "", value.len));
}

void appender_timestamp(struct appender *a, int64_t unix_us)
{
	if (ready(a))
		appended(a, duckdb_append_timestamp(a->handle, (duckdb_timestamp){unix_us}));
}

static void append_other(struct appender *a, const struct bind_value *v)
{
	if (!ready(a))
		return;
	duckdb_value value = bind_make(v);
	appended(a, value ? duckdb_append_value(a->handle, value) : DuckDBError);
	if (value)
		duckdb_destroy_value(&value);
}

void appender_value(struct appender *a, const struct bind_value *v)
{
	switch (v->kind) {
	case BIND_NULL:
		appender_null(a);
		return;
	case BIND_BOOL:
		appender_bool(a, v->boolean);
		return;
	case BIND_INT:
		appender_int(a, v->integer);
		return;
	case BIND_DOUBLE:
		appender_double(a, v->real);
		return;
	case BIND_TEXT:
		appender_text(a, v->text);
		return;
	case BIND_BLOB:
		appender_blob(a, v->text);
		return;
	case BIND_DATE:
		if (ready(a))
			appended(a, duckdb_append_date(a->handle, (duckdb_date){(int32_t)v->integer}));
		return;
	case BIND_TIMESTAMP:
		appender_timestamp(a, v->integer);
		return;
	default:
		append_other(a, v);
	}
}

size_t appender_failed(const struct appender *a)
{
	return a->failed && a->row_open ? a->column - 1 : SIZE_MAX;
}

bool appender_end_row(struct appender *a, struct err *err)
{
	if (a->failed || a->column != a->column_count)
		return appender_fault(a, err);
	a->column = 0;
	a->row_open = false;
	if (duckdb_appender_end_row(a->handle) != DuckDBSuccess)
		return appender_fault(a, err);
	return true;
}

bool appender_flush(struct appender *a, struct err *err)
{
	if (a->failed || a->row_open)
		return appender_fault(a, err);
	if (!session_begin(a->session, err))
		return false;
	const bool ok = duckdb_appender_flush(a->handle) == DuckDBSuccess || appender_fault(a, err);
	session_end(a->session);
	return ok;
}

duckdb_logical_type appender_logical(struct appender *a, size_t column)
{
	return duckdb_appender_column_type(a->handle, column);
}

bool appender_chunk(struct appender *a, duckdb_data_chunk chunk, struct err *err)
{
	if (!session_begin(a->session, err))
		return false;
	const bool ok = duckdb_append_data_chunk(a->handle, chunk) == DuckDBSuccess || appender_fault(a, err);
	session_end(a->session);
	return ok;
}

bool appender_finish(struct appender *a, struct err *err)
{
	const bool ok = appender_flush(a, err);
	appender_abort(a);
	return ok;
}

void appender_abort(struct appender *a)
{
	if (!a)
		return;
	/* Destroying flushes what is left, so what must be forgotten is cleared first. */
	(void)duckdb_appender_clear(a->handle);
	(void)duckdb_appender_destroy(&a->handle);
	arena_free(a->arena);
}
