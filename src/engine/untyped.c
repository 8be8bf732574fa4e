/*
 * The engine gives a column of nothing but the constant NULL the type INTEGER when it leaves a query. Inside another query
 * the column has none yet: there it takes the type of what stands beside it.
 */
#include "engine/core.h"

#include "engine/sql.h"

static bool may_be_untyped(const struct cursor_column *column)
{
	return column->type->id == TYPE_INTEGER;
}

static bool put_probe(struct statement *statement, struct buf *out)
{
	const struct cursor_column *columns = statement_columns(statement);
	const size_t n = statement_column_count(statement);
	bool any = false;
	buf_str(out, "SELECT ");
	for (size_t i = 0; i < n; i++) {
		if (!may_be_untyped(&columns[i]))
			continue;
		buf_printf(out, "%scoalesce(c%zu, true)", any ? ", " : "", i);
		any = true;
	}
	buf_str(out, " FROM (");
	buf_str(out, statement->sql);
	buf_str(out, "\n) AS q(");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%sc%zu", i > 0 ? ", " : "", i);
	buf_byte(out, ')');
	return any;
}

const struct type type_untyped = {.id = TYPE_NULL};

static void take(struct statement *statement, duckdb_prepared_statement probe)
{
	size_t at = 0;
	for (size_t i = 0; i < statement->column_count; i++)
		if (may_be_untyped(&statement->columns[i]) &&
		    duckdb_prepared_statement_column_type(probe, at++) == DUCKDB_TYPE_BOOLEAN)
			statement->columns[i].type = &type_untyped;
}

void statement_find_untyped(struct statement *statement)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct session *session = statement->session;
	const char *text;
	duckdb_prepared_statement probe = NULL;
	const bool asks = statement->type == STATEMENT_SELECT && put_probe(statement, &sql) &&
			  sql_finish(&sql, &text, &err) && session_begin(session, &err);
	if (asks) {
		session_planning(session, true);
		if (duckdb_prepare(session->connection, text, &probe) == DuckDBSuccess) {
			take(statement, probe);
		} else {
			(void)fault_set(session, duckdb_prepare_error(probe), text, &err);
			(void)session_recover(session);
		}
		duckdb_destroy_prepare(&probe);
		session_end(session);
	}
	buf_done(&sql);
}
