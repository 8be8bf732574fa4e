/* Tables made anew from definitions: alter.h tells how. */
#include "engine/sql.h"
#include "pgwire/alter.h"
#include "pgwire/backend.h"

/* Where the rows are while there is no table. */
#define STAGE "duckdb_api_altered_"

struct rebuilding {
	struct backend *b;
	struct definitions *all;
	struct pg_error *e;
};

static bool run_buf(struct rebuilding *r, struct buf *sql)
{
	const bool fine = (!sql->failed || pg_error_set(r->e, "54001", "the table's definition is too long")) &&
			  run_sql(r->b, sql->ptr, r->e);
	buf_done(sql);
	return fine;
}

/* What holds the client's expressions: rewritten as his own statement would be. */
static bool run_client(struct rebuilding *r, struct buf *sql)
{
	struct err err = ERR_INIT;
	struct span rest = arena_span(r->b->work, buf_view(sql));
	struct stmt s;
	struct statement *statement = NULL;
	uint64_t changed;
	const bool whole = !sql->failed || pg_error_set(r->e, "54001", "the table's definition is too long");
	buf_done(sql);
	if (!whole || !stmt_next(&rest, &s, r->e))
		return false;
	bool fine = run_prepare(r->b, &s, r->b->work, &statement, r->e);
	if (fine && statement)
		fine = statement_run(statement, &changed, &err) || backend_engine_error(r->b, &err, NULL, &s, r->e);
	statement_free(statement);
	r->e->position = 0;
	return fine;
}

static bool is_temporary(const struct definition *d)
{
	return span_is(d->db, "temp");
}

/* As the client's statement may name it. */
static void put_own_name(const struct definition *d, struct buf *out)
{
	sql_ident(out, is_temporary(d) ? SPAN("pg_temp") : d->schema);
	buf_byte(out, '.');
	sql_ident(out, d->name);
}

/* --- what others did --- */

static bool lock(struct rebuilding *r, const struct definition *d)
{
	struct buf sql = BUF(MIB);
	buf_str(&sql, "ALTER TABLE ");
	definition_put_place(d, d->was, &sql);
	buf_str(&sql, " ADD COLUMN " STAGE " INTEGER");
	return run_buf(r, &sql);
}

static bool asked(struct session *session, struct buf *sql, struct span *ret, struct arena *arena, struct err *err)
{
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	const bool fine =
		sql_finish(sql, &text, err) && session_query(session, text, &c, err) && cursor_next(c, &rows, err);
	*ret = fine && rows ? arena_span(arena, cursor_text(c, 0, 0)) : SPAN_NONE;
	cursor_close(c);
	buf_done(sql);
	return fine;
}

/* Names and types of the stored columns that a session sees, as one text to compare and to take apart. */
static void put_columns_question(const struct definition *d, struct buf *sql)
{
	buf_str(sql, "SELECT system.main.string_agg(column_name, system.main.chr(31) ORDER BY column_name) FROM "
		     "system.main.duckdb_columns() WHERE database_name = ");
	sql_text(sql, d->db);
	buf_printf(sql, " AND table_oid = %.*s", SPAN_ARG(d->oid));
}

/* How many rows there are, and a sum over them. */
static void put_sum(const struct definition *d, struct span columns, struct buf *sql)
{
	buf_str(sql, "SELECT system.main.concat(system.main.count(*), ' ', system.main.sum(system.main.hash(0");
	for (struct span rest = columns; rest.len;) {
		const struct span name = span_cut(&rest, '\x1f');
		const struct definition_column *column = definition_column(d, name);
		if (!column || column->generated || !column->was.len)
			continue;
		buf_str(sql, ", ");
		sql_ident(sql, column->was);
	}
	buf_str(sql, ")::HUGEINT)) FROM ");
	definition_put_place(d, d->was, sql);
}

/*
 * Nobody can commit rows of the locked table any more; the rows that another session sees now must be those of this
 * transaction. A table that this transaction made nobody else sees.
 */
static bool is_unchanged(struct rebuilding *r, const struct definition *d)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	struct session *other = NULL;
	struct span columns, theirs, ours;
	struct arena *arena = r->b->work;
	put_columns_question(d, &sql);
	bool fine = session_open(workspace_engine(r->b->wi), &other, &err) && asked(other, &sql, &columns, arena, &err);
	if (fine && columns.len) {
		struct buf sum = BUF(LIMIT_SQL_BYTES), again = BUF(LIMIT_SQL_BYTES);
		put_sum(d, columns, &sum);
		put_sum(d, columns, &again);
		fine = asked(other, &sum, &theirs, arena, &err) && asked(r->b->engine, &again, &ours, arena, &err);
	}
	session_close(other);
	if (!fine)
		return backend_engine_error(r->b, &err, NULL, NULL, r->e);
	if (!columns.len || span_eq(theirs, ours))
		return true;
	(void)pg_error_set(r->e, "40001", "could not serialize access due to concurrent update");
	pg_error_hint(
		r->e,
		"Rows of table \"%.*s\" were changed since the transaction began: alter it in a transaction of its own.",
		SPAN_ARG(d->was));
	return false;
}

/* --- the rows --- */

static void put_stage(size_t i, struct buf *sql)
{
	buf_printf(sql, "temp.main." STAGE "%zu", i);
}

static bool stage(struct rebuilding *r, size_t i)
{
	const struct definition *d = &r->all->list[i];
	struct buf sql = BUF(MIB);
	bool any = false;
	buf_str(&sql, "CREATE TEMP TABLE ");
	put_stage(i, &sql);
	buf_str(&sql, " AS SELECT ");
	/* A column that is dropped is left out, but another may be made of it. */
	for (size_t k = 0; k < d->column_count; k++) {
		if (d->columns[k].generated || !d->columns[k].was.len)
			continue;
		buf_str(&sql, any ? ", " : "");
		sql_ident(&sql, d->columns[k].was);
		any = true;
	}
	buf_str(&sql, any ? " FROM " : "0 AS " STAGE " FROM ");
	definition_put_place(d, d->was, &sql);
	return run_buf(r, &sql);
}

static bool drop_stage(struct rebuilding *r, size_t i)
{
	struct buf sql = BUF(MIB);
	buf_str(&sql, "DROP TABLE ");
	put_stage(i, &sql);
	return run_buf(r, &sql);
}

static bool drop(struct rebuilding *r, const struct definition *d)
{
	struct buf sql = BUF(MIB);
	buf_str(&sql, "DROP TABLE ");
	definition_put_place(d, d->was, &sql);
	return run_buf(r, &sql);
}

/* --- the definition --- */

static void put_column(const struct definition_column *column, struct buf *sql)
{
	sql_ident(sql, column->name);
	buf_printf(sql, " %.*s %.*s %.*s%s", SPAN_ARG(column->type), SPAN_ARG(column->collation),
		   SPAN_ARG(column->value), column->not_null ? " NOT NULL" : "");
}

static void put_constraint(const struct definition *d, const struct definition_constraint *c, struct arena *arena,
			   struct buf *sql)
{
	if (c->kind == 'c') {
		buf_printf(sql, "CHECK (%.*s)", SPAN_ARG(c->check));
	} else {
		buf_str(sql, c->kind == 'p' ? "PRIMARY KEY " : c->kind == 'u' ? "UNIQUE " : "FOREIGN KEY ");
		definition_put_names(&c->columns, sql);
	}
	if (c->kind == 'f') {
		buf_str(sql, " REFERENCES ");
		if (c->parent_schema.len && !is_temporary(d)) {
			sql_ident(sql, c->parent_schema);
			buf_byte(sql, '.');
		}
		sql_ident(sql, c->parent);
		if (c->referenced.count)
			definition_put_names(&c->referenced, sql);
	}
	if (span_eq(c->name, definition_default_name(d, c, arena)))
		return;
	buf_str(sql, ", ");
	definition_put_mark(c->name, sql);
}

static bool make(struct rebuilding *r, const struct definition *d)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "CREATE TABLE ");
	put_own_name(d, &sql);
	for (size_t i = 0; i < d->column_count; i++) {
		buf_str(&sql, i ? ", " : " (");
		put_column(&d->columns[i], &sql);
	}
	for (size_t i = 0; i < d->constraint_count; i++) {
		buf_str(&sql, ", ");
		put_constraint(d, &d->constraints[i], r->b->work, &sql);
	}
	buf_byte(&sql, ')');
	return run_client(r, &sql);
}

/* "a: 1, b: x" within the detail of a foreign key's error, as PostgreSQL writes it. */
static void tell_orphan(struct pg_error *e, const struct definition *d, const struct definition_constraint *c)
{
	struct span rest = span_of(e->detail);
	char values[256] = "", columns[256] = "";
	(void)span_cut(&rest, '"');
	for (struct span pairs = span_cut(&rest, '"'); pairs.len;) {
		const char *end = memmem(pairs.ptr, pairs.len, ", ", 2);
		struct span value = span_first(pairs, end ? (size_t)(end - pairs.ptr) : pairs.len);
		const size_t v = strlen(values);
		pairs = span_skip(pairs, value.len + 2);
		(void)span_cut(&value, ':');
		value = span_trim(value);
		(void)snprintf(values + v, sizeof(values) - v, "%s%.*s", v ? ", " : "", SPAN_ARG(value));
	}
	for (size_t i = 0; i < c->columns.count; i++) {
		const size_t n = strlen(columns);
		(void)snprintf(columns + n, sizeof(columns) - n, "%s%.*s", n ? ", " : "", SPAN_ARG(c->columns.list[i]));
	}
	(void)pg_error_set(e, "23503", "insert or update on table \"%.*s\" violates foreign key constraint \"%.*s\"",
			   SPAN_ARG(d->was), SPAN_ARG(c->name));
	pg_error_detail(e, "Key (%s)=(%s) is not present in table \"%.*s\".", columns, values, SPAN_ARG(c->parent));
}

/* What the engine says of a row that does not fit is about the constraint that was added, not about an INSERT. */
static void tell_added(struct rebuilding *r, const struct definition *d)
{
	struct pg_error *e = r->e;
	const struct definition_constraint *added = NULL;
	const char kind = strcmp(e->sqlstate, "23514") == 0 ? 'c' : strcmp(e->sqlstate, "23503") == 0 ? 'f' : 'u';
	char column[sizeof(e->column)];
	for (size_t i = 0; i < d->constraint_count; i++)
		if (d->constraints[i].added && d->constraints[i].kind == kind)
			added = &d->constraints[i];
	memcpy(column, e->column, sizeof(column));
	if (strcmp(e->sqlstate, "23502") == 0)
		(void)pg_error_set(e, "23502", "column \"%s\" of relation \"%.*s\" contains null values", column,
				   SPAN_ARG(d->was));
	else if (strcmp(e->sqlstate, "23514") == 0 && added)
		(void)pg_error_set(e, "23514", "check constraint \"%.*s\" of relation \"%.*s\" is violated by some row",
				   SPAN_ARG(added->name), SPAN_ARG(d->was));
	else if (kind == 'f' && added)
		tell_orphan(e, d, added);
	else if (strcmp(e->sqlstate, "23505") == 0 && added)
		(void)pg_error_set(e, "23505", "could not create unique index \"%.*s\"", SPAN_ARG(added->name));
	else
		return;
	(void)snprintf(e->table, sizeof(e->table), "%.*s", SPAN_ARG(d->was));
	if (strcmp(e->sqlstate, "23502") == 0)
		memcpy(e->column, column, sizeof(column));
	else
		(void)snprintf(e->constraint, sizeof(e->constraint), "%.*s", SPAN_ARG(added->name));
}

static bool fill(struct rebuilding *r, size_t i)
{
	const struct definition *d = &r->all->list[i];
	struct buf sql = BUF(LIMIT_SQL_BYTES), values = BUF(LIMIT_SQL_BYTES);
	bool any = false;
	buf_str(&sql, "INSERT INTO ");
	put_own_name(d, &sql);
	for (size_t k = 0; k < d->column_count; k++) {
		const struct definition_column *column = &d->columns[k];
		if (column->generated || !column->was.len)
			continue;
		buf_str(&sql, any ? ", " : " (");
		sql_ident(&sql, column->name);
		buf_str(&values, any ? ", " : ") SELECT ");
		if (column->using.len)
			buf_printf(&values, "(%.*s)", SPAN_ARG(column->using));
		else
			sql_ident(&values, column->was);
		any = true;
	}
	buf_span(&sql, buf_view(&values));
	sql.failed = sql.failed || values.failed;
	buf_done(&values);
	buf_str(&sql, " FROM pg_temp.");
	buf_printf(&sql, STAGE "%zu", i);
	if (!any) {
		buf_done(&sql);
		return true;
	}
	if (run_client(r, &sql))
		return true;
	tell_added(r, d);
	return false;
}

/* --- the rows that do not fit, told as PostgreSQL tells them --- */

static void put_text_of(const struct names *columns, struct buf *sql)
{
	for (size_t i = 0; i < columns->count; i++) {
		buf_str(sql, i ? ", ', ', " : "system.main.concat(");
		sql_ident(sql, columns->list[i]);
	}
	buf_byte(sql, ')');
}

static void put_all_known(const struct names *columns, struct buf *sql)
{
	for (size_t i = 0; i < columns->count; i++) {
		buf_str(sql, i ? " AND " : " WHERE ");
		sql_ident(sql, columns->list[i]);
		buf_str(sql, " IS NOT NULL");
	}
}

/* Key columns as they are put aside; false: one of them is made by the statement itself. */
static bool staged_names(const struct definition *d, const struct names *columns, struct names *ret,
			 struct arena *arena)
{
	*ret = (struct names){.list = arena_array(arena, struct span, columns->count), .count = columns->count};
	for (size_t i = 0; i < columns->count; i++) {
		const struct definition_column *column = definition_column(d, columns->list[i]);
		if (!column || !column->was.len || column->generated || column->using.len)
			return false;
		ret->list[i] = column->was;
	}
	return true;
}

static bool find_nulls(struct rebuilding *r, const struct definition *d, size_t i, const struct names *columns)
{
	for (size_t k = 0; k < columns->count; k++) {
		struct buf sql = BUF(MIB);
		struct err err = ERR_INIT;
		int64_t nulls = 0;
		buf_str(&sql, "SELECT count(*) FROM ");
		put_stage(i, &sql);
		buf_str(&sql, " WHERE ");
		sql_ident(&sql, columns->list[k]);
		buf_str(&sql, " IS NULL");
		const bool fine = !sql.failed && session_int(r->b->engine, sql.ptr, &nulls, &err);
		buf_done(&sql);
		if (!fine)
			return backend_engine_error(r->b, &err, NULL, NULL, r->e);
		if (!nulls)
			continue;
		(void)snprintf(r->e->column, sizeof(r->e->column), "%.*s", SPAN_ARG(columns->list[k]));
		(void)snprintf(r->e->sqlstate, sizeof(r->e->sqlstate), "23502");
		tell_added(r, d);
		return false;
	}
	return true;
}

static bool find_doubles(struct rebuilding *r, size_t i, const struct definition_constraint *c,
			 const struct names *columns)
{
	const struct span table = r->all->list[i].was;
	struct buf sql = BUF(MIB);
	struct err err = ERR_INIT;
	struct span found;
	buf_str(&sql, "SELECT ");
	put_text_of(columns, &sql);
	buf_str(&sql, " FROM ");
	put_stage(i, &sql);
	put_all_known(columns, &sql);
	buf_str(&sql, " GROUP BY ");
	for (size_t k = 0; k < columns->count; k++) {
		buf_str(&sql, k ? ", " : "");
		sql_ident(&sql, columns->list[k]);
	}
	buf_str(&sql, " HAVING count(*) > 1 LIMIT 1");
	if (!asked(r->b->engine, &sql, &found, r->b->work, &err))
		return backend_engine_error(r->b, &err, NULL, NULL, r->e);
	if (!found.ptr)
		return true;
	struct buf names = BUF(MIB);
	for (size_t k = 0; k < c->columns.count; k++)
		buf_printf(&names, "%s%.*s", k ? ", " : "", SPAN_ARG(c->columns.list[k]));
	(void)pg_error_set(r->e, "23505", "could not create unique index \"%.*s\"", SPAN_ARG(c->name));
	pg_error_detail(r->e, "Key (%.*s)=(%.*s) is duplicated.", SPAN_ARG(buf_view(&names)), SPAN_ARG(found));
	(void)snprintf(r->e->table, sizeof(r->e->table), "%.*s", SPAN_ARG(table));
	(void)snprintf(r->e->constraint, sizeof(r->e->constraint), "%.*s", SPAN_ARG(c->name));
	buf_done(&names);
	return false;
}

/* Columns that are to be unique are looked through first: of an INSERT the engine tells less. */
static bool fits(struct rebuilding *r, size_t i)
{
	const struct definition *d = &r->all->list[i];
	for (size_t k = 0; k < d->constraint_count; k++) {
		const struct definition_constraint *c = &d->constraints[k];
		struct names columns;
		if (!c->added || (c->kind != 'p' && c->kind != 'u') ||
		    !staged_names(d, &c->columns, &columns, r->b->work))
			continue;
		if ((c->kind == 'p' && !find_nulls(r, d, i, &columns)) || !find_doubles(r, i, c, &columns))
			return false;
	}
	return true;
}

/* --- what hangs on the table --- */

static bool make_index(struct rebuilding *r, const struct definition *d, const struct definition_index *index)
{
	struct buf sql = BUF(MIB);
	struct lexer lx = {index->sql};
	const char *on = NULL, *keys = NULL;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && !keys; t = lexer_next(&lx)) {
		if (token_is_punct(t, '('))
			keys = t.text.ptr;
		if (token_is(t, "on"))
			on = t.text.ptr + t.text.len;
	}
	if (!on || !keys)
		return pg_error_set(r->e, "XX000", "index \"%.*s\" cannot be made again", SPAN_ARG(index->name));
	buf_bytes(&sql, index->sql.ptr, (size_t)(on - index->sql.ptr));
	buf_byte(&sql, ' ');
	definition_put_place(d, d->name, &sql);
	buf_bytes(&sql, keys, (size_t)(index->sql.ptr + index->sql.len - keys));
	if (index->comment.len) {
		buf_str(&sql, "; COMMENT ON INDEX ");
		definition_put_place(d, index->name, &sql);
		buf_str(&sql, " IS ");
		sql_text(&sql, index->comment);
	}
	return run_buf(r, &sql);
}

static bool comment(struct rebuilding *r, const struct definition *d)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	if (d->comment.len) {
		buf_str(&sql, "COMMENT ON TABLE ");
		definition_put_place(d, d->name, &sql);
		buf_str(&sql, " IS ");
		sql_text(&sql, d->comment);
		buf_byte(&sql, ';');
	}
	for (size_t i = 0; i < d->column_count; i++) {
		if (!d->columns[i].comment.len)
			continue;
		buf_str(&sql, "COMMENT ON COLUMN ");
		definition_put_place(d, d->name, &sql);
		buf_byte(&sql, '.');
		sql_ident(&sql, d->columns[i].name);
		buf_str(&sql, " IS ");
		sql_text(&sql, d->columns[i].comment);
		buf_byte(&sql, ';');
	}
	if (sql.len)
		return run_buf(r, &sql);
	buf_done(&sql);
	return true;
}

static bool complete(struct rebuilding *r, size_t i)
{
	const struct definition *d = &r->all->list[i];
	if (!fill(r, i) || !drop_stage(r, i))
		return false;
	for (size_t k = 0; k < d->index_count; k++)
		if (!make_index(r, d, &d->indexes[k]))
			return false;
	return comment(r, d);
}

bool rebuild(struct backend *b, struct definitions *all, struct pg_error *e)
{
	struct rebuilding r = {.b = b, .all = all, .e = e};
	bool fine = true;
	for (size_t i = 0; fine && i < all->count && !is_temporary(&all->list[i]); i++)
		fine = lock(&r, &all->list[i]) && is_unchanged(&r, &all->list[i]);
	for (size_t i = 0; fine && i < all->count; i++)
		fine = stage(&r, i) && fits(&r, i);
	for (size_t i = all->count; fine && i > 0; i--)
		fine = drop(&r, &all->list[i - 1]);
	for (size_t i = 0; fine && i < all->count; i++)
		fine = make(&r, &all->list[i]) && complete(&r, i);
	return fine;
}
