/* What the actions of ALTER TABLE do to definitions. */
#include "pgwire/alter.h"

#include "base/buf.h"
#include "base/limits.h"
#include "engine/sql.h"

enum { NUMBERED_MAX = 1000 };

/* --- whether the engine would refuse it --- */

static bool in_constraint(const struct definition *d, struct span column)
{
	for (size_t i = 0; i < d->constraint_count; i++)
		if (names_have(&d->constraints[i].columns, column))
			return true;
	return false;
}

static bool has_foreign_key(const struct definition *d)
{
	for (size_t i = 0; i < d->constraint_count; i++)
		if (d->constraints[i].kind == 'f')
			return true;
	return false;
}

bool alter_needs(const struct definitions *all, const struct action *a)
{
	const struct definition *d = &all->list[0];
	const bool held = d->index_count > 0 || all->count > 1;
	switch (a->kind) {
	case ACTION_ADD_CONSTRAINT:
	case ACTION_DROP_CONSTRAINT:
	case ACTION_RENAME_CONSTRAINT:
	case ACTION_KEEP_CONSTRAINT:
		return true;
	case ACTION_ADD_COLUMN:
		return a->makes;
	case ACTION_DROP_COLUMN:
	case ACTION_TYPE:
	case ACTION_RENAME_COLUMN: /* the engine would tell of the old name in errors */
		return held || in_constraint(d, a->name);
	case ACTION_RENAME_TABLE:
		return held || has_foreign_key(d);
	case ACTION_SET_NOT_NULL:
	case ACTION_DROP_NOT_NULL:
		return held || in_constraint(d, a->name);
	case ACTION_SET_DEFAULT:
	case ACTION_DROP_DEFAULT:
		return false;
	}
	return true;
}

/* --- names of columns in expressions --- */

static bool is_column(struct token before, struct token t, const struct lexer *lx)
{
	return token_is_name(t) && !token_is_punct(before, '.') && !token_is(before, "as") &&
	       !token_is_punct(lexer_peek(lx), '(');
}

/* The expression with one column's name in place of another's. */
static struct span renamed(struct span text, struct span from, struct span to, struct arena *arena)
{
	struct buf out = BUF(MIB);
	struct lexer lx = {text};
	const char *at = text.ptr;
	struct token before = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && t.kind != TOKEN_BAD;
	     before = t, t = lexer_next(&lx)) {
		if (!is_column(before, t, &lx) || !span_eq_nocase(token_name(t, arena), from))
			continue;
		buf_bytes(&out, at, (size_t)(t.text.ptr - at));
		sql_ident(&out, to);
		at = t.text.ptr + t.text.len;
	}
	buf_bytes(&out, at, (size_t)(text.ptr + text.len - at));
	const struct span result = arena_span(arena, buf_view(&out));
	buf_done(&out);
	return result;
}

static bool mentions(struct span text, struct span column, struct arena *arena)
{
	struct lexer lx = {text};
	struct token before = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && t.kind != TOKEN_BAD;
	     before = t, t = lexer_next(&lx))
		if (is_column(before, t, &lx) && span_eq_nocase(token_name(t, arena), column))
			return true;
	return false;
}

/* The keys of CREATE INDEX i ON t(..). */
static struct span index_keys(const struct definition_index *index)
{
	const size_t at = span_find(index->sql, '(');
	struct lexer lx = {index->sql};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx))
		if (token_is_punct(t, '('))
			return span_skip(index->sql, (size_t)(t.text.ptr - index->sql.ptr));
	return span_skip(index->sql, at);
}

static void rename_in(struct names *names, struct span from, struct span to)
{
	for (size_t i = 0; i < names->count; i++)
		if (span_eq_nocase(names->list[i], from))
			names->list[i] = to;
}

/* --- constraints --- */

static bool refers_to(const struct definition *d, const struct definition_constraint *c,
		      const struct definition *parent)
{
	return c->kind == 'f' && span_eq_nocase(c->parent, parent->was) && span_eq(d->schema, parent->schema);
}

static bool is_key_of(const struct definition_constraint *c, const struct names *columns)
{
	bool same = (c->kind == 'p' || c->kind == 'u') && c->columns.count == columns->count;
	for (size_t i = 0; same && i < columns->count; i++)
		same = names_have(&c->columns, columns->list[i]);
	return same;
}

static bool has_key(const struct definition *d, const struct names *columns)
{
	for (size_t i = 0; i < d->constraint_count; i++)
		if (is_key_of(&d->constraints[i], columns))
			return true;
	return false;
}

static void remove_constraint(struct definition *d, size_t i)
{
	d->constraint_count--;
	memmove(&d->constraints[i], &d->constraints[i + 1], (d->constraint_count - i) * sizeof(*d->constraints));
}

/* Foreign keys whose key is gone go with CASCADE. */
static bool check_references(struct definitions *all, const struct action *a, const char *key, struct pg_error *e)
{
	const struct definition *parent = &all->list[0];
	for (size_t t = 0; t < all->count; t++) {
		struct definition *d = &all->list[t];
		for (size_t i = 0; i < d->constraint_count;) {
			const struct definition_constraint *c = &d->constraints[i];
			if (!refers_to(d, c, parent) || c->added || has_key(parent, &c->referenced)) {
				i++;
				continue;
			}
			if (!a->cascade) {
				const bool column = a->kind == ACTION_DROP_COLUMN;
				(void)pg_error_set(
					e, "2BP01",
					"cannot drop %s %.*s %s table %.*s because other objects depend on it",
					column ? "column" : "constraint", SPAN_ARG(a->name), column ? "of" : "on",
					SPAN_ARG(parent->was));
				pg_error_detail(e, "constraint %.*s on table %.*s depends on %s", SPAN_ARG(c->name),
						SPAN_ARG(d->was), key);
				pg_error_hint(e, "Use DROP ... CASCADE to drop the dependent objects too.");
				return false;
			}
			remove_constraint(d, i);
		}
	}
	return true;
}

static bool no_constraint(const struct definition *d, struct span name, struct pg_error *e)
{
	return pg_error_set(e, "42704", "constraint \"%.*s\" of relation \"%.*s\" does not exist", SPAN_ARG(name),
			    SPAN_ARG(d->was));
}

static bool is_taken(const struct definition *d, struct span name)
{
	for (size_t i = 0; i < d->index_count; i++)
		if (span_eq_nocase(d->indexes[i].name, name))
			return true;
	return definition_constraint(d, name) != NULL;
}

/* The name that was given, or PostgreSQL's choice. */
static bool name_constraint(const struct definition *d, struct definition_constraint *c, struct arena *arena,
			    struct pg_error *e)
{
	const bool key = c->kind == 'p' || c->kind == 'u';
	if (c->name.len && !key && definition_constraint(d, c->name))
		return pg_error_set(e, "42710", "constraint \"%.*s\" for relation \"%.*s\" already exists",
				    SPAN_ARG(c->name), SPAN_ARG(d->was));
	if (c->name.len)
		return !key || !is_taken(d, c->name) ||
		       pg_error_set(e, "42P07", "relation \"%.*s\" already exists", SPAN_ARG(c->name));
	const struct span name = definition_default_name(d, c, arena);
	c->name = name;
	for (size_t n = 1; is_taken(d, c->name) && n < NUMBERED_MAX; n++)
		c->name = span_of(arena_printf(arena, "%.*s%zu", SPAN_ARG(name), n));
	return true;
}

/* The columns must be there; of CHECK they are found in its text. */
static bool find_columns(const struct definition *d, struct definition_constraint *c, struct arena *arena,
			 struct pg_error *e)
{
	for (size_t i = 0; c->kind != 'c' && i < c->columns.count; i++) {
		const struct definition_column *column = definition_column(d, c->columns.list[i]);
		if (!column)
			return pg_error_set(
				e, "42703",
				c->kind == 'f' ? "column \"%.*s\" referenced in foreign key constraint does not exist"
					       : "column \"%.*s\" named in key does not exist",
				SPAN_ARG(c->columns.list[i]));
		c->columns.list[i] = column->name;
	}
	if (c->kind != 'c')
		return true;
	c->columns = (struct names){.list = arena_array(arena, struct span, d->column_count)};
	for (size_t i = 0; i < d->column_count; i++)
		if (mentions(c->check, d->columns[i].name, arena))
			c->columns.list[c->columns.count++] = d->columns[i].name;
	return true;
}

static bool add_constraint(struct definitions *all, const struct definition_constraint *from, struct arena *arena,
			   struct pg_error *e)
{
	struct definition *d = &all->list[0];
	struct definition_constraint c = *from;
	if (!find_columns(d, &c, arena, e) || !name_constraint(d, &c, arena, e))
		return false;
	for (size_t i = 0; c.kind == 'p' && i < d->constraint_count; i++)
		if (d->constraints[i].kind == 'p')
			return pg_error_set(e, "42P16", "multiple primary keys for table \"%.*s\" are not allowed",
					    SPAN_ARG(d->was));
	for (size_t i = 1; c.kind == 'f' && i < all->count; i++)
		if (span_eq_nocase(c.parent, all->list[i].name)) {
			(void)pg_error_set(e, "0A000", "foreign keys that refer to each other are not supported");
			pg_error_hint(e, "Table \"%.*s\" already refers to \"%.*s\": leave one of them out.",
				      SPAN_ARG(all->list[i].name), SPAN_ARG(d->was));
			return false;
		}
	*definition_add_constraint(d, arena) = c;
	return true;
}

static bool drop_constraint(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e)
{
	struct definition *d = &all->list[0];
	const struct definition_constraint *c = definition_constraint(d, a->name);
	if (!c)
		return a->quietly || no_constraint(d, a->name, e);
	remove_constraint(d, (size_t)(c - d->constraints));
	return check_references(all, a, arena_printf(arena, "index %.*s", SPAN_ARG(a->name)), e);
}

static bool rename_constraint(struct definition *d, const struct action *a, struct pg_error *e)
{
	struct definition_constraint *c = definition_constraint(d, a->name);
	if (!c)
		return no_constraint(d, a->name, e);
	if (is_taken(d, a->to))
		return pg_error_set(e, "42710", "constraint \"%.*s\" for relation \"%.*s\" already exists",
				    SPAN_ARG(a->to), SPAN_ARG(d->was));
	c->name = a->to;
	return true;
}

/* --- columns --- */

static bool no_column(const struct definition *d, struct span name, struct pg_error *e)
{
	return pg_error_set(e, "42703", "column \"%.*s\" of relation \"%.*s\" does not exist", SPAN_ARG(name),
			    SPAN_ARG(d->was));
}

static bool column_exists(const struct definition *d, struct span name, struct pg_error *e)
{
	return pg_error_set(e, "42701", "column \"%.*s\" of relation \"%.*s\" already exists", SPAN_ARG(name),
			    SPAN_ARG(d->was));
}

static bool add_column(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e)
{
	struct definition *d = &all->list[0];
	if (definition_column(d, a->name))
		return a->quietly || column_exists(d, a->name, e);
	*definition_add_column(d, arena) = a->column;
	for (size_t i = 0; i < a->constraints.constraint_count; i++)
		if (!add_constraint(all, &a->constraints.constraints[i], arena, e))
			return false;
	return true;
}

static bool drop_column(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e)
{
	struct definition *d = &all->list[0];
	const struct definition_column *column = definition_column(d, a->name);
	size_t kept = 0;
	if (!column)
		return a->quietly || no_column(d, a->name, e);
	const size_t at = (size_t)(column - d->columns);
	for (size_t i = d->constraint_count; i > 0; i--)
		if (names_have(&d->constraints[i - 1].columns, a->name))
			remove_constraint(d, i - 1);
	for (size_t i = 0; i < d->index_count; i++)
		if (!mentions(index_keys(&d->indexes[i]), a->name, arena))
			d->indexes[kept++] = d->indexes[i];
	d->index_count = kept;
	d->column_count--;
	memmove(&d->columns[at], &d->columns[at + 1], (d->column_count - at) * sizeof(*d->columns));
	return check_references(
		all, a, arena_printf(arena, "column %.*s of table %.*s", SPAN_ARG(a->name), SPAN_ARG(d->was)), e);
}

static bool rename_column(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e)
{
	struct definition *parent = &all->list[0];
	struct definition_column *column = definition_column(parent, a->name);
	if (!column)
		return no_column(parent, a->name, e);
	if (definition_column(parent, a->to) && !span_eq_nocase(a->to, a->name))
		return column_exists(parent, a->to, e);
	column->name = a->to;
	for (size_t i = 0; i < parent->column_count; i++)
		if (parent->columns[i].generated)
			parent->columns[i].value = renamed(parent->columns[i].value, a->name, a->to, arena);
	for (size_t i = 0; i < parent->index_count; i++) {
		struct definition_index *index = &parent->indexes[i];
		const struct span keys = index_keys(index);
		const struct span head = span_first(index->sql, index->sql.len - keys.len);
		const struct span tail = renamed(keys, a->name, a->to, arena);
		index->sql = span_of(arena_printf(arena, "%.*s%.*s", SPAN_ARG(head), SPAN_ARG(tail)));
	}
	for (size_t t = 0; t < all->count; t++)
		for (size_t i = 0; i < all->list[t].constraint_count; i++) {
			struct definition_constraint *c = &all->list[t].constraints[i];
			if (refers_to(&all->list[t], c, parent))
				rename_in(&c->referenced, a->name, a->to);
			if (t > 0)
				continue;
			rename_in(&c->columns, a->name, a->to);
			c->check = renamed(c->check, a->name, a->to, arena);
		}
	return true;
}

static bool change_column(struct definition *d, const struct action *a, struct pg_error *e)
{
	struct definition_column *column = definition_column(d, a->name);
	if (!column)
		return no_column(d, a->name, e);
	if (a->kind == ACTION_TYPE) {
		column->type = a->text;
		column->collation = SPAN_NONE;
		column->using = a->using;
	} else if (a->kind == ACTION_SET_NOT_NULL || a->kind == ACTION_DROP_NOT_NULL) {
		for (size_t i = 0; a->kind == ACTION_DROP_NOT_NULL && i < d->constraint_count; i++)
			if (d->constraints[i].kind == 'p' && names_have(&d->constraints[i].columns, a->name))
				return pg_error_set(e, "42P16", "column \"%.*s\" is in a primary key",
						    SPAN_ARG(column->name));
		column->not_null = a->kind == ACTION_SET_NOT_NULL;
	} else {
		column->value = a->kind == ACTION_SET_DEFAULT ? a->text : SPAN_NONE;
	}
	return true;
}

/* Those that refer to it follow. */
static bool rename_table(struct definitions *all, const struct action *a)
{
	struct definition *parent = &all->list[0];
	for (size_t t = 0; t < all->count; t++)
		for (size_t i = 0; i < all->list[t].constraint_count; i++)
			if (refers_to(&all->list[t], &all->list[t].constraints[i], parent))
				all->list[t].constraints[i].parent = a->to;
	parent->name = a->to;
	return true;
}

bool alter_apply(struct definitions *all, const struct action *a, struct arena *arena, struct pg_error *e)
{
	struct definition *d = &all->list[0];
	switch (a->kind) {
	case ACTION_ADD_CONSTRAINT:
		return add_constraint(all, &a->constraints.constraints[0], arena, e);
	case ACTION_DROP_CONSTRAINT:
		return drop_constraint(all, a, arena, e);
	case ACTION_RENAME_CONSTRAINT:
		return rename_constraint(d, a, e);
	case ACTION_KEEP_CONSTRAINT:
		return definition_constraint(d, a->name) || no_constraint(d, a->name, e);
	case ACTION_ADD_COLUMN:
		return add_column(all, a, arena, e);
	case ACTION_DROP_COLUMN:
		return drop_column(all, a, arena, e);
	case ACTION_RENAME_COLUMN:
		return rename_column(all, a, arena, e);
	case ACTION_RENAME_TABLE:
		return rename_table(all, a);
	default:
		return change_column(d, a, e);
	}
}
