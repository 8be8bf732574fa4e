#include "pgwire/copy_stage.h"

#include "engine/sql.h"

static bool run(struct backend *b, struct buf *sql, uint64_t *ret_changed, struct pg_error *e)
{
	struct stmt s;
	struct statement *statement = NULL;
	struct err err = ERR_INIT;
	struct span rest = arena_span(b->work, buf_view(sql));
	bool fine = !sql->failed || pg_error_set(e, "54000", "the condition is too long");
	buf_done(sql);
	fine = fine && stmt_next(&rest, &s, e) && run_prepare(b, &s, b->work, &statement, e);
	fine = fine && (statement_run(statement, ret_changed, &err) || backend_engine_error(b, &err, NULL, NULL, e));
	statement_free(statement);
	return fine;
}

bool copy_stage_make(struct backend *b, struct span columns, const char **ret, struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	uint64_t changed;
	*ret = "_pgcopy";
	buf_printf(&sql, "CREATE OR REPLACE TEMP TABLE \"%s\" AS %.*s", *ret, SPAN_ARG(columns));
	return run(b, &sql, &changed, e);
}

bool copy_stage_insert(struct backend *b, const struct command_copy *c, const char *stage, uint64_t *ret_rows,
		       struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_printf(&sql, "INSERT INTO %.*s ", SPAN_ARG(c->target));
	for (size_t i = 0; i < c->column_count; i++) {
		buf_str(&sql, i ? ", " : "(");
		sql_ident(&sql, c->columns[i]);
	}
	buf_printf(&sql, "%s SELECT * FROM temp.\"%s\" AS ", c->column_count ? ")" : "", stage);
	sql_ident(&sql, c->table);
	buf_printf(&sql, " WHERE (%.*s\n)", SPAN_ARG(c->where));
	return run(b, &sql, ret_rows, e) && run_sql(b, arena_printf(b->work, "DROP TABLE temp.\"%s\"", stage), e);
}
