/*
 * Results of types whose values cannot be read from a vector (VARIANT, GEOMETRY, what a newer engine invents): the
 * statement is prepared again inside one that casts them, VARIANT and what contains it to JSON, the others to text.
 */
#include "engine/core.h"

#include "engine/sql.h"

static bool is_opaque_id(enum type_id id)
{
	return id == TYPE_VARIANT || id == TYPE_GEOMETRY || id == TYPE_OTHER;
}

static bool is_opaque(const struct type *type)
{
	if (is_opaque_id(type->id))
		return true;
	for (size_t i = 0; i < type->member_count; i++)
		if (is_opaque(type->members[i].type))
			return true;
	return false;
}

/* Whether it is worth building the types: most statements have plain columns only. */
static bool may_be_opaque(duckdb_prepared_statement prepared)
{
	const size_t n = duckdb_prepared_statement_column_count(prepared);
	for (size_t i = 0; i < n; i++)
		switch (duckdb_prepared_statement_column_type(prepared, i)) {
		case DUCKDB_TYPE_LIST:
		case DUCKDB_TYPE_ARRAY:
		case DUCKDB_TYPE_STRUCT:
		case DUCKDB_TYPE_MAP:
		case DUCKDB_TYPE_UNION:
			return true;
		default:
			if (duckdb_prepared_statement_column_type(prepared, i) > DUCKDB_TYPE_TIME_NS)
				return true;
		}
	return false;
}

bool opaque_any(struct statement *statement)
{
	if (statement->type != STATEMENT_SELECT || !may_be_opaque(statement->prepared))
		return false;
	const struct cursor_column *columns = statement_columns(statement);
	for (size_t i = 0; i < statement_column_count(statement); i++)
		if (is_opaque(columns[i].type))
			return true;
	return false;
}

static struct span without_end(struct span sql)
{
	while (sql.len > 0 && strchr("; \t\r\n", sql.ptr[sql.len - 1]))
		sql.len--;
	return sql;
}

void opaque_wrap(struct statement *statement, const char *sql, struct buf *out)
{
	const struct cursor_column *columns = statement_columns(statement);
	const size_t n = statement_column_count(statement);
	buf_str(out, "SELECT ");
	for (size_t i = 0; i < n; i++) {
		const struct type *type = columns[i].type;
		const char *to = type->id == TYPE_GEOMETRY || type->id == TYPE_OTHER ? "VARCHAR" : "JSON";
		buf_str(out, i > 0 ? ", " : "");
		if (is_opaque(type))
			buf_printf(out, "CASE WHEN c%zu IS NOT NULL THEN CAST(c%zu AS %s) END", i, i, to);
		else
			buf_printf(out, "c%zu", i);
		sql_printf(out, " AS %I", columns[i].name);
	}
	buf_str(out, " FROM (");
	buf_span(out, without_end(span_of(sql)));
	buf_str(out, "\n) AS q(");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%sc%zu", i > 0 ? ", " : "", i);
	buf_byte(out, ')');
}
