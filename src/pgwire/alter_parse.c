/* The actions of ALTER TABLE. */
#include "pgwire/alter.h"

#include "pgwire/command_parser.h"

static bool unknown(struct parser *p)
{
	return parser_fail(p);
}

static bool refuse(struct parser *p, const char *what, const char *hint)
{
	(void)pg_error_set(p->e, "0A000", "%s is not supported", what);
	pg_error_hint(p->e, "%s", hint);
	return false;
}

static bool two_words(struct parser *p, const char *first, const char *second)
{
	if (!token_is(p->now, first) || !token_is(lexer_peek(&p->lx), second))
		return false;
	parser_step(p);
	parser_step(p);
	return true;
}

static bool at_end(const struct parser *p)
{
	return p->now.kind == TOKEN_END || token_is_punct(p->now, ',');
}

/* What may follow a column's type or default. */
static bool ends_part(struct token t)
{
	static const char *const words[] = {"constraint", "not",	"null",	     "default", "unique", "primary",
					    "check",	  "references", "generated", "collate", "using"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

/* At least one token, up to what follows it. */
static struct span part(struct parser *p)
{
	const char *start = p->now.text.ptr, *end = start;
	for (size_t depth = 0; p->now.kind != TOKEN_END; parser_step(p)) {
		if (!depth && (token_is_punct(p->now, ',') || (end > start && ends_part(p->now))))
			break;
		depth += token_opens(p->now);
		depth -= depth && token_closes(p->now);
		end = p->now.text.ptr + p->now.text.len;
	}
	return (struct span){start, (size_t)(end - start)};
}

/* ( .. ): what is between. */
static bool enclosed(struct parser *p, struct span *ret)
{
	const char *start = p->now.text.ptr + 1;
	size_t depth = 0;
	if (!token_is_punct(p->now, '('))
		return parser_fail(p);
	do {
		depth += token_opens(p->now);
		depth -= token_closes(p->now);
		if (depth)
			parser_step(p);
	} while (depth && p->now.kind != TOKEN_END);
	if (depth)
		return parser_fail(p);
	*ret = (struct span){start, (size_t)(p->now.text.ptr - start)};
	parser_step(p);
	return true;
}

static bool read_names(struct parser *p, struct names *ret)
{
	struct span inside, rest;
	if (!enclosed(p, &inside))
		return false;
	size_t n = 1;
	for (rest = inside; rest.len; n++)
		(void)span_cut(&rest, ',');
	*ret = (struct names){.list = arena_array(p->arena, struct span, n)};
	struct parser names = {.lx = {inside}, .text = p->text, .arena = p->arena, .e = p->e};
	parser_step(&names);
	do
		if (!parser_name(&names, &ret->list[ret->count++]))
			return false;
	while (parser_punct(&names, ','));
	return names.now.kind == TOKEN_END || parser_fail(&names);
}

/* ON DELETE and ON UPDATE behind a foreign key. */
static bool read_reaction(struct parser *p)
{
	parser_step(p);
	parser_step(p);
	if (parser_word(p, "restrict") || two_words(p, "no", "action"))
		return true;
	return refuse(p, "ON DELETE or ON UPDATE with CASCADE, SET NULL or SET DEFAULT",
		      "NO ACTION and RESTRICT are what there is: change the rows that refer to others first.");
}

/* Words that say what is so anyway, or that all rows need not be looked through. */
static bool skip_words(struct parser *p)
{
	static const char *const words[][2] = {{"not", "deferrable"},
					       {"initially", "immediate"},
					       {"not", "valid"},
					       {"no", "inherit"},
					       {"match", "simple"}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (two_words(p, words[i][0], words[i][1]))
			return true;
	return false;
}

/* What may stand behind any constraint. */
static bool read_attributes(struct parser *p, struct action *a)
{
	struct span ignored;
	for (;;) {
		const struct token next = lexer_peek(&p->lx);
		if (parser_word(p, "deferrable") || two_words(p, "initially", "deferred")) {
			a->deferrable = true;
		} else if (token_is(p->now, "on") && (token_is(next, "delete") || token_is(next, "update"))) {
			if (!read_reaction(p))
				return false;
		} else if (token_is(p->now, "with") && token_is_punct(next, '(')) {
			parser_step(p);
			if (!enclosed(p, &ignored))
				return false;
		} else if (!skip_words(p)) {
			return true;
		}
	}
}

static bool read_references(struct parser *p, struct action *a, struct definition_constraint *c)
{
	c->kind = 'f';
	if (!parser_qualified(p, &c->parent_schema, &c->parent))
		return false;
	if (token_is_punct(p->now, '(') && !read_names(p, &c->referenced))
		return false;
	return read_attributes(p, a);
}

static bool read_key(struct parser *p, struct action *a, struct definition_constraint *c, bool table)
{
	c->kind = parser_word(p, "primary") ? 'p' : 'u';
	parser_step(p); /* KEY or UNIQUE */
	if (token_is(p->now, "using"))
		return refuse(p, "a constraint USING INDEX", "Name its columns: UNIQUE (a, b).");
	if (parser_word(p, "nulls") && !parser_word(p, "distinct"))
		return refuse(p, "NULLS NOT DISTINCT", "NULLs are distinct to UNIQUE.");
	if (table && !read_names(p, &c->columns))
		return false;
	if (token_is(p->now, "include"))
		return refuse(p, "INCLUDE", "Leave it out: it adds no rule.");
	return read_attributes(p, a);
}

/* One constraint, of the table or of a column. */
static bool read_constraint(struct parser *p, struct action *a, const struct definition_column *column)
{
	struct definition_constraint *c = definition_add_constraint(&a->constraints, p->arena);
	*c = (struct definition_constraint){.added = true, .name = SPAN_NONE};
	if (parser_word(p, "constraint") && !parser_name(p, &c->name))
		return false;
	if (column) {
		c->columns = (struct names){.list = arena_array(p->arena, struct span, 1), .count = 1};
		c->columns.list[0] = column->name;
	}
	if (token_is(p->now, "unique") || token_is(p->now, "primary"))
		return read_key(p, a, c, !column);
	if (parser_word(p, "check")) {
		c->kind = 'c';
		c->columns = (struct names){0};
		return enclosed(p, &c->check) && read_attributes(p, a);
	}
	if (column && parser_word(p, "references"))
		return read_references(p, a, c);
	if (!column && two_words(p, "foreign", "key"))
		return read_names(p, &c->columns) && (parser_word(p, "references") || parser_fail(p)) &&
		       read_references(p, a, c);
	return unknown(p);
}

static bool is_serial(struct span type)
{
	static const char *const types[] = {"serial",  "bigserial", "smallserial", "serial2",
					    "serial4", "serial8",   "jsonb"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq_nocase(type, span_of(types[i])))
			return true;
	return false;
}

/* DEFAULT .. or GENERATED ..: the words in front of the expression may be those that end one. */
static struct span value(struct parser *p)
{
	const char *start = p->now.text.ptr;
	if (!parser_word(p, "default")) {
		parser_step(p);
		if (!two_words(p, "by", "default"))
			(void)parser_word(p, "always");
	}
	const struct span expression = part(p);
	return (struct span){start, (size_t)(expression.ptr + expression.len - start)};
}

/* Of NOT NULL a name is not kept. */
static void skip_name(struct parser *p)
{
	struct lexer ahead = p->lx;
	(void)lexer_next(&ahead);
	const struct token next = lexer_peek(&ahead);
	if (!token_is(p->now, "constraint") || !(token_is(next, "not") || token_is(next, "null")))
		return;
	parser_step(p);
	parser_step(p);
}

/* One clause behind a column's type. */
static bool read_clause(struct parser *p, struct action *a)
{
	struct definition_column *column = &a->column;
	skip_name(p);
	if (token_is(p->now, "default") || token_is(p->now, "generated")) {
		column->generated = token_is(p->now, "generated");
		column->value = value(p);
		/* Of a default that is no constant the engine makes statements of which some are not for tenants. */
		a->makes = a->makes || column->generated || span_find(column->value, '(') < column->value.len;
		return true;
	}
	if (token_is(p->now, "collate")) {
		column->collation = part(p);
		return true;
	}
	if (parser_word(p, "null"))
		return true;
	a->makes = true;
	if (two_words(p, "not", "null"))
		return column->not_null = true;
	return read_constraint(p, a, column);
}

static bool read_column(struct parser *p, struct action *a)
{
	a->kind = ACTION_ADD_COLUMN;
	(void)parser_word(p, "column");
	a->quietly = parser_word(p, "if");
	if (a->quietly && !two_words(p, "not", "exists"))
		return parser_fail(p);
	if (!parser_name(p, &a->column.name) || at_end(p))
		return parser_fail(p);
	a->name = a->column.name;
	a->column.type = part(p);
	a->makes = is_serial(a->column.type);
	while (!at_end(p))
		if (!read_clause(p, a))
			return false;
	return true;
}

static bool read_add(struct parser *p, struct action *a)
{
	static const char *const words[] = {"constraint", "unique", "primary", "check", "foreign"};
	if (!token_is_one_of(p->now, words, ARRAY_LEN(words)))
		return read_column(p, a);
	a->kind = ACTION_ADD_CONSTRAINT;
	return read_constraint(p, a, NULL);
}

static bool read_drop(struct parser *p, struct action *a)
{
	a->kind = parser_word(p, "constraint") ? ACTION_DROP_CONSTRAINT : ACTION_DROP_COLUMN;
	(void)parser_word(p, "column");
	a->quietly = two_words(p, "if", "exists");
	if (!parser_name(p, &a->name))
		return false;
	a->cascade = parser_word(p, "cascade");
	(void)parser_word(p, "restrict");
	return true;
}

static bool read_type(struct parser *p, struct action *a)
{
	a->kind = ACTION_TYPE;
	a->text = part(p);
	if (token_is(p->now, "collate"))
		(void)part(p);
	if (!parser_word(p, "using"))
		return true;
	a->using = part(p);
	return true;
}

static bool read_alter(struct parser *p, struct action *a)
{
	if (parser_word(p, "constraint")) {
		a->kind = ACTION_KEEP_CONSTRAINT;
		return parser_name(p, &a->name) && read_attributes(p, a);
	}
	(void)parser_word(p, "column");
	if (!parser_name(p, &a->name))
		return false;
	const bool drops = token_is(p->now, "drop");
	if (parser_word(p, "type") || (two_words(p, "set", "data") && parser_word(p, "type")))
		return read_type(p, a);
	if (!drops && !token_is(p->now, "set"))
		return unknown(p);
	parser_step(p);
	if (two_words(p, "not", "null")) {
		a->kind = drops ? ACTION_DROP_NOT_NULL : ACTION_SET_NOT_NULL;
		return true;
	}
	if (!token_is(p->now, "default"))
		return unknown(p);
	a->kind = drops ? ACTION_DROP_DEFAULT : ACTION_SET_DEFAULT;
	if (!drops)
		a->text = value(p);
	return !drops || parser_word(p, "default");
}

static bool read_rename(struct parser *p, struct action *a)
{
	if (parser_word(p, "to")) {
		a->kind = ACTION_RENAME_TABLE;
		return parser_name(p, &a->to);
	}
	a->kind = parser_word(p, "constraint") ? ACTION_RENAME_CONSTRAINT : ACTION_RENAME_COLUMN;
	(void)parser_word(p, "column");
	return parser_name(p, &a->name) && (parser_word(p, "to") || parser_fail(p)) && parser_name(p, &a->to);
}

static bool read_action(struct parser *p, struct action *a)
{
	if (parser_word(p, "add"))
		return read_add(p, a);
	if (parser_word(p, "drop"))
		return read_drop(p, a);
	if (parser_word(p, "alter"))
		return read_alter(p, a);
	if (parser_word(p, "rename"))
		return read_rename(p, a);
	if (!parser_word(p, "validate") || !parser_word(p, "constraint"))
		return unknown(p);
	a->kind = ACTION_KEEP_CONSTRAINT;
	return parser_name(p, &a->name);
}

static bool read_all(struct parser *p, struct alteration *ret)
{
	struct action **last = &ret->first;
	parser_step(p); /* ALTER TABLE */
	parser_step(p);
	ret->quietly = two_words(p, "if", "exists");
	(void)parser_word(p, "only");
	if (!parser_qualified(p, &ret->schema, &ret->table))
		return false;
	do {
		struct action *a = arena_new_of(p->arena, struct action);
		*a = (struct action){.name = SPAN_NONE};
		if (!read_action(p, a))
			return false;
		*last = a;
		last = &a->next;
	} while (parser_punct(p, ','));
	return parser_end(p);
}

bool alter_parse(const struct stmt *s, struct arena *arena, struct alteration *ret, bool *ret_known, struct pg_error *e)
{
	struct pg_error found = PG_ERROR_INIT;
	struct parser p = parser_start(s, arena, &found);
	*ret = (struct alteration){.schema = SPAN_NONE};
	*ret_known = read_all(&p, ret);
	if (*ret_known || strcmp(found.sqlstate, "0A000") != 0)
		return true;
	*e = found;
	return false;
}
