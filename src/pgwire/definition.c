#include "pgwire/definition.h"

#include "engine/sql.h"
#include "pgwire/backend.h"

#define SEPARATOR '\x1f'

enum { TABLES_MAX = 1000 };

bool names_have(const struct names *names, struct span name)
{
	for (size_t i = 0; i < names->count; i++)
		if (span_eq_nocase(names->list[i], name))
			return true;
	return false;
}

struct definition_column *definition_column(const struct definition *d, struct span name)
{
	for (size_t i = 0; i < d->column_count; i++)
		if (span_eq_nocase(d->columns[i].name, name))
			return &d->columns[i];
	return NULL;
}

struct definition_constraint *definition_constraint(const struct definition *d, struct span name)
{
	for (size_t i = 0; i < d->constraint_count; i++)
		if (span_eq_nocase(d->constraints[i].name, name))
			return &d->constraints[i];
	return NULL;
}

/* Room for one more: a list grows when its count is a power of two. */
static void *grow(struct arena *arena, void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	char *more = arena_alloc_array(arena, size, count ? 2 * count : 1);
	if (count)
		memcpy(more, list, count * size);
	memset(more + count * size, 0, (count ? count : 1) * size);
	return more;
}

struct definition_column *definition_add_column(struct definition *d, struct arena *arena)
{
	d->columns = grow(arena, d->columns, d->column_count, sizeof(*d->columns));
	return &d->columns[d->column_count++];
}

struct definition_constraint *definition_add_constraint(struct definition *d, struct arena *arena)
{
	d->constraints = grow(arena, d->constraints, d->constraint_count, sizeof(*d->constraints));
	return &d->constraints[d->constraint_count++];
}

struct span definition_default_name(const struct definition *d, const struct definition_constraint *c,
				    struct arena *arena)
{
	struct buf name = BUF(MIB);
	const bool tells_columns = c->kind == 'u' || c->kind == 'f' || (c->kind == 'c' && c->columns.count == 1);
	buf_span(&name, d->name);
	for (size_t i = 0; tells_columns && i < c->columns.count; i++)
		buf_printf(&name, "_%.*s", SPAN_ARG(c->columns.list[i]));
	buf_str(&name, c->kind == 'p' ? "_pkey" : c->kind == 'u' ? "_key" : c->kind == 'f' ? "_fkey" : "_check");
	const struct span text = arena_span(arena, buf_view(&name));
	buf_done(&name);
	return text;
}

void definition_put_place(const struct definition *d, struct span name, struct buf *out)
{
	sql_ident(out, d->db);
	buf_byte(out, '.');
	sql_ident(out, d->schema);
	buf_byte(out, '.');
	sql_ident(out, name);
}

void definition_put_names(const struct names *names, struct buf *out)
{
	for (size_t i = 0; i < names->count; i++) {
		buf_str(out, i ? ", " : "(");
		sql_ident(out, names->list[i]);
	}
	buf_byte(out, ')');
}

void definition_put_mark(struct span name, struct buf *out)
{
	struct buf text = BUF(4000);
	buf_str(&text, DEFINITION_NAME_MARK);
	buf_span(&text, name);
	buf_str(out, "CHECK (");
	sql_text(out, buf_view(&text));
	buf_str(out, " IS NOT NULL)");
	out->failed = out->failed || text.failed;
	buf_done(&text);
}

struct span definition_marked_name(struct span expression, struct arena *arena)
{
	struct lexer lx = {expression};
	struct token t = lexer_next(&lx);
	while (token_is_punct(t, '('))
		t = lexer_next(&lx);
	if (t.kind != TOKEN_STRING || !token_is(lexer_peek(&lx), "is"))
		return SPAN_NONE;
	const struct span text = token_string(t, arena);
	return span_starts(text, SPAN(DEFINITION_NAME_MARK)) ? span_skip(text, sizeof(DEFINITION_NAME_MARK) - 1)
							     : SPAN_NONE;
}

/* --- what the engine tells --- */

static struct names split(struct span text, struct arena *arena)
{
	struct names names = {0};
	for (struct span rest = text; rest.len; names.count++)
		(void)span_cut(&rest, SEPARATOR);
	names.list = arena_array(arena, struct span, names.count);
	for (size_t i = 0; i < names.count; i++)
		names.list[i] = arena_span(arena, span_cut(&text, SEPARATOR));
	return names;
}

struct loading {
	struct backend *b;
	struct definition *d;
	struct definitions *all;
	struct pg_error *e;
};

typedef bool (*take_row)(struct loading *l, const struct cursor *c, size_t row);

static bool ask(struct loading *l, struct buf *sql, take_row take)
{
	struct err err = ERR_INIT;
	struct cursor *c = NULL;
	const char *text;
	size_t rows = 0;
	bool taken = true;
	bool fine = sql_finish(sql, &text, &err) && session_query(l->b->engine, text, &c, &err);
	while (fine && taken && (fine = cursor_next(c, &rows, &err)) && rows > 0)
		for (size_t i = 0; taken && i < rows; i++)
			taken = take(l, c, i);
	cursor_close(c);
	buf_done(sql);
	return taken && (fine || backend_engine_error(l->b, &err, NULL, NULL, l->e));
}

static void put_where(const struct loading *l, struct buf *sql)
{
	buf_str(sql, " WHERE database_name = ");
	sql_text(sql, l->d->db);
	buf_printf(sql, " AND table_oid = %.*s", SPAN_ARG(l->d->oid));
}

/* The end of a column's type in the engine's words, or of a value's. */
static bool ends_type(struct token t)
{
	static const char *const words[] = {"collate", "default", "generated", "not", "unique", "primary"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

/* The tokens up to the next of these words, a comma or the closing parenthesis. */
static struct span part(struct lexer *lx, struct token *t)
{
	const char *start = t->text.ptr, *end = start;
	for (size_t depth = 0; t->kind != TOKEN_END; *t = lexer_next(lx)) {
		if (!depth && (token_is_punct(*t, ',') || token_is_punct(*t, ')')))
			break;
		if (!depth && end > start && ends_type(*t))
			break;
		depth += token_opens(*t);
		depth -= depth && token_closes(*t);
		end = t->text.ptr + t->text.len;
	}
	return (struct span){start, (size_t)(end - start)};
}

/* name type [COLLATE ..] [DEFAULT ..] [GENERATED ..] [NOT NULL] [UNIQUE] [PRIMARY KEY]; the last two are told apart. */
static void read_column(struct loading *l, struct lexer *lx, struct token *t)
{
	struct definition_column *column = definition_add_column(l->d, l->b->work);
	column->name = column->was = token_name(*t, l->b->work);
	*t = lexer_next(lx);
	column->type = part(lx, t);
	while (t->kind != TOKEN_END && !token_is_punct(*t, ',') && !token_is_punct(*t, ')')) {
		const struct token word = *t;
		const struct span text = part(lx, t);
		if (token_is(word, "collate"))
			column->collation = text;
		else if (token_is(word, "not"))
			column->not_null = true;
		else if (token_is(word, "default") || token_is(word, "generated"))
			column->value = text;
		column->generated = column->generated || token_is(word, "generated");
	}
}

/* The columns of CREATE TABLE t(..) as the engine writes it; constraints of the table follow them. */
static void read_columns(struct loading *l, struct span sql)
{
	static const char *const constraints[] = {"check", "primary", "unique", "foreign"};
	struct lexer lx = {sql};
	struct token t = lexer_next(&lx);
	while (t.kind != TOKEN_END && !token_is_punct(t, '('))
		t = lexer_next(&lx);
	for (t = lexer_next(&lx); token_is_name(t) && !token_is_one_of(t, constraints, ARRAY_LEN(constraints));
	     t = lexer_next(&lx)) {
		read_column(l, &lx, &t);
		if (!token_is_punct(t, ','))
			break;
	}
}

static bool take_table(struct loading *l, const struct cursor *c, size_t row)
{
	struct arena *arena = l->b->work;
	if (l->all->count == TABLES_MAX)
		return pg_error_set(l->e, "54000", "too many tables refer to each other");
	for (size_t i = 0; i < l->all->count; i++)
		if (span_eq(l->all->list[i].oid, cursor_text(c, 0, row)))
			return true;
	l->all->list = grow(arena, l->all->list, l->all->count, sizeof(*l->all->list));
	l->d = &l->all->list[l->all->count++];
	*l->d = (struct definition){.oid = arena_span(arena, cursor_text(c, 0, row)),
				    .db = arena_span(arena, cursor_text(c, 1, row)),
				    .schema = arena_span(arena, cursor_text(c, 2, row)),
				    .name = arena_span(arena, cursor_text(c, 3, row)),
				    .comment = arena_span(arena, cursor_text(c, 5, row))};
	l->d->was = l->d->name;
	read_columns(l, arena_span(arena, cursor_text(c, 4, row)));
	return true;
}

#define TABLE_COLUMNS \
	"SELECT table_oid::VARCHAR, database_name, schema_name, table_name, sql, coalesce(comment, '') FROM system.main.duckdb_tables()"

static bool take_comment(struct loading *l, const struct cursor *c, size_t row)
{
	struct definition_column *column = definition_column(l->d, cursor_text(c, 0, row));
	if (column)
		column->comment = arena_span(l->b->work, cursor_text(c, 1, row));
	return true;
}

static bool take_constraint(struct loading *l, const struct cursor *c, size_t row)
{
	struct arena *arena = l->b->work;
	const struct span kind = cursor_text(c, 0, row), check = cursor_text(c, 1, row);
	const struct span name = definition_marked_name(check, arena);
	if (name.len && l->d->constraint_count) {
		l->d->constraints[l->d->constraint_count - 1].name = name;
		return true;
	}
	struct definition_constraint *to = definition_add_constraint(l->d, arena);
	*to = (struct definition_constraint){.kind = span_is(kind, "PRIMARY KEY") ? 'p'
						     : span_is(kind, "UNIQUE")	  ? 'u'
						     : span_is(kind, "CHECK")	  ? 'c'
										  : 'f',
					     .check = arena_span(arena, check),
					     .columns = split(cursor_text(c, 2, row), arena),
					     .parent_schema = l->d->schema,
					     .parent = arena_span(arena, cursor_text(c, 3, row)),
					     .referenced = split(cursor_text(c, 4, row), arena)};
	to->name = definition_default_name(l->d, to, arena);
	return true;
}

static bool take_index(struct loading *l, const struct cursor *c, size_t row)
{
	struct arena *arena = l->b->work;
	l->d->indexes = grow(arena, l->d->indexes, l->d->index_count, sizeof(*l->d->indexes));
	l->d->indexes[l->d->index_count++] =
		(struct definition_index){.name = arena_span(arena, cursor_text(c, 0, row)),
					  .sql = arena_span(arena, cursor_text(c, 1, row)),
					  .comment = arena_span(arena, cursor_text(c, 2, row))};
	return true;
}

static bool load_parts(struct loading *l)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "SELECT column_name, comment FROM system.main.duckdb_columns()");
	put_where(l, &sql);
	buf_str(&sql, " AND comment IS NOT NULL");
	if (!ask(l, &sql, take_comment))
		return false;
	sql = (struct buf)BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "SELECT constraint_type, coalesce(expression, ''), "
		      "coalesce(system.main.array_to_string(constraint_column_names, system.main.chr(31)), ''), "
		      "coalesce(referenced_table, ''), "
		      "coalesce(system.main.array_to_string(referenced_column_names, system.main.chr(31)), '') "
		      "FROM system.main.duckdb_constraints()");
	put_where(l, &sql);
	buf_str(&sql, " AND constraint_type <> 'NOT NULL' ORDER BY constraint_index");
	if (!ask(l, &sql, take_constraint))
		return false;
	sql = (struct buf)BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "SELECT index_name, sql, coalesce(comment, '') FROM system.main.duckdb_indexes()");
	put_where(l, &sql);
	return ask(l, &sql, take_index);
}

static bool load_children(struct loading *l, const struct definition *parent)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, TABLE_COLUMNS " WHERE database_name = ");
	sql_text(&sql, parent->db);
	buf_str(&sql,
		" AND table_oid IN (SELECT table_oid FROM system.main.duckdb_constraints() WHERE constraint_type = "
		"'FOREIGN KEY' AND database_name = ");
	sql_text(&sql, parent->db);
	buf_str(&sql, " AND schema_name = ");
	sql_text(&sql, parent->schema);
	buf_str(&sql, " AND referenced_table = ");
	sql_text(&sql, parent->was);
	buf_str(&sql, ") ORDER BY table_oid");
	return ask(l, &sql, take_table);
}

/* Whether a table refers to one that stands behind it. */
static bool waits(const struct definitions *all, size_t i)
{
	const struct definition *d = &all->list[i];
	for (size_t k = 0; k < d->constraint_count; k++)
		for (size_t behind = i + 1; d->constraints[k].kind == 'f' && behind < all->count; behind++)
			if (span_eq(d->constraints[k].parent, all->list[behind].name) &&
			    span_eq(d->schema, all->list[behind].schema))
				return true;
	return false;
}

/* Foreign keys make no circles, since a table can only refer to one that is there. */
static void sort(struct definitions *all)
{
	for (size_t i = 1; i < all->count; i++)
		for (size_t tries = all->count - i; tries > 1 && waits(all, i); tries--) {
			const struct definition first = all->list[i];
			memmove(&all->list[i], &all->list[i + 1], (all->count - i - 1) * sizeof(*all->list));
			all->list[all->count - 1] = first;
		}
}

bool definitions_load(struct backend *b, struct span schema, struct span name, struct definitions *ret, bool *ret_found,
		      struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct loading l = {.b = b, .all = ret, .e = e};
	*ret = (struct definitions){0};
	buf_str(&sql, TABLE_COLUMNS " WHERE table_name COLLATE NOCASE = ");
	sql_text(&sql, name);
	buf_str(&sql, " AND ");
	gucs_put_place(b, schema, &sql);
	buf_str(&sql, " ORDER BY database_name = 'temp' DESC LIMIT 1");
	if (!ask(&l, &sql, take_table))
		return false;
	for (size_t i = 0; i < ret->count; i++) {
		l.d = &ret->list[i];
		if (!load_parts(&l))
			return false;
		const struct definition parent = ret->list[i];
		if (!load_children(&l, &parent))
			return false;
	}
	sort(ret);
	*ret_found = ret->count > 0;
	return true;
}
