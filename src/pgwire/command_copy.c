/* COPY, with both styles of options. */
#include "pgwire/command_parser.h"

static bool names_in_parentheses(struct parser *p, struct span **ret, size_t *ret_count)
{
	size_t cap = 16;
	struct span *names = arena_array(p->arena, struct span, cap);
	*ret_count = 0;
	if (!parser_punct(p, '('))
		return parser_fail(p);
	do {
		if (*ret_count == cap) {
			struct span *more = arena_array(p->arena, struct span, cap * 2);
			memcpy(more, names, cap * sizeof(*names));
			names = more;
			cap *= 2;
		}
		if (*ret_count == COMMAND_LIST_MAX)
			return pg_error_set(p->e, "54011", "a list has more than %d columns", COMMAND_LIST_MAX);
		if (!parser_name(p, &names[(*ret_count)++]))
			return false;
	} while (parser_punct(p, ','));
	*ret = names;
	return parser_punct(p, ')') || parser_fail(p);
}

static bool text_option(struct parser *p, struct span *ret)
{
	if (p->now.kind == TOKEN_STRING)
		*ret = token_string(p->now, p->arena);
	else if (p->now.kind == TOKEN_WORD || p->now.kind == TOKEN_QUOTED)
		*ret = token_name(p->now, p->arena);
	else if (p->now.kind == TOKEN_NUMBER)
		*ret = p->now.text;
	else
		return parser_fail(p);
	parser_step(p);
	return true;
}

static bool one_byte_option(struct parser *p, const char *name, char *ret)
{
	struct span text;
	if (p->now.kind != TOKEN_STRING || !text_option(p, &text))
		return parser_fail(p);
	if (text.len != 1 || *text.ptr == '\n' || *text.ptr == '\r')
		return pg_error_set(p->e, "0A000", "COPY %s must be a single one-byte character", name);
	*ret = *text.ptr;
	return true;
}

static bool format_option(struct parser *p, struct copy_options *o)
{
	static const char *const names[] = {[COPY_TEXT] = "text", [COPY_CSV] = "csv", [COPY_BINARY] = "binary"};
	struct span text;
	if (!text_option(p, &text))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (span_is(text, names[i])) {
			o->format = (enum copy_format)i;
			return true;
		}
	return pg_error_set(p->e, "22023", "COPY format \"%.*s\" not recognized", SPAN_ARG(span_first(text, 50)));
}

/* A boolean that may be left out. */
static bool header_option(struct parser *p, struct copy_options *o)
{
	struct span text = SPAN("true");
	if (!token_is_punct(p->now, ',') && !token_is_punct(p->now, ')') && !text_option(p, &text))
		return false;
	if (span_eq_nocase(text, SPAN("match")))
		o->header = COPY_HEADER_MATCH;
	else if (span_eq_nocase(text, SPAN("true")) || span_eq_nocase(text, SPAN("on")) || span_is(text, "1"))
		o->header = COPY_HEADER;
	else if (span_eq_nocase(text, SPAN("false")) || span_eq_nocase(text, SPAN("off")) || span_is(text, "0"))
		o->header = COPY_NO_HEADER;
	else
		return pg_error_set(p->e, "42601", "header requires a Boolean value or \"match\"");
	return true;
}

static bool encoding_option(struct parser *p)
{
	struct span text;
	if (!text_option(p, &text))
		return false;
	if (span_eq_nocase(text, SPAN("utf8")) || span_eq_nocase(text, SPAN("utf-8")) ||
	    span_eq_nocase(text, SPAN("unicode")) || span_eq_nocase(text, SPAN("sql_ascii")))
		return true;
	return pg_error_set(p->e, "22023", "argument to option \"encoding\" must be UTF8");
}

static bool columns_option(struct parser *p, struct copy_columns *c)
{
	if (p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "*")) {
		c->all = true;
		parser_step(p);
		return true;
	}
	return names_in_parentheses(p, &c->names, &c->count);
}

static bool ignored_option(struct parser *p)
{
	struct span text;
	return token_is_punct(p->now, ',') || token_is_punct(p->now, ')') || text_option(p, &text);
}

/* One option of the parenthesised style. */
static bool new_option(struct parser *p, struct command_copy *ret)
{
	struct copy_options *o = &ret->options;
	struct span name;
	if (!parser_name(p, &name))
		return false;
	if (span_is(name, "format"))
		return format_option(p, o);
	if (span_is(name, "delimiter"))
		return one_byte_option(p, "delimiter", &o->delimiter);
	if (span_is(name, "null"))
		return text_option(p, &o->null);
	if (span_is(name, "header"))
		return header_option(p, o);
	if (span_is(name, "quote"))
		return one_byte_option(p, "quote", &o->quote);
	if (span_is(name, "escape"))
		return one_byte_option(p, "escape", &o->escape);
	if (span_is(name, "force_quote"))
		return columns_option(p, &o->force_quote);
	if (span_is(name, "force_not_null"))
		return columns_option(p, &o->force_not_null);
	if (span_is(name, "force_null"))
		return columns_option(p, &o->force_null);
	if (span_is(name, "encoding"))
		return encoding_option(p);
	if (span_is(name, "freeze"))
		return ignored_option(p);
	return pg_error_set(p->e, "42601", "option \"%.*s\" not recognized", SPAN_ARG(span_first(name, 50)));
}

/* FORCE QUOTE c, d | FORCE NOT NULL c | FORCE NULL c */
static bool legacy_force(struct parser *p, struct copy_options *o)
{
	struct copy_columns *c = &o->force_quote;
	if (parser_word(p, "not"))
		c = &o->force_not_null;
	if (parser_word(p, "null"))
		c = c == &o->force_not_null ? c : &o->force_null;
	else if (!parser_word(p, "quote"))
		return parser_fail(p);
	if (p->now.kind == TOKEN_OPERATOR)
		return columns_option(p, c);
	c->names = arena_array(p->arena, struct span, COMMAND_LIST_MAX);
	do {
		if (c->count == COMMAND_LIST_MAX || !parser_name(p, &c->names[c->count++]))
			return parser_fail(p);
	} while (parser_punct(p, ','));
	return true;
}

static bool legacy_binary(struct parser *p, struct copy_options *o)
{
	(void)p;
	o->format = COPY_BINARY;
	return true;
}

static bool legacy_csv(struct parser *p, struct copy_options *o)
{
	(void)p;
	o->format = COPY_CSV;
	return true;
}

static bool legacy_header(struct parser *p, struct copy_options *o)
{
	(void)p;
	o->header = COPY_HEADER;
	return true;
}

static bool legacy_freeze(struct parser *p, struct copy_options *o)
{
	(void)p;
	(void)o;
	return true;
}

static bool delimiter_option(struct parser *p, struct copy_options *o)
{
	return one_byte_option(p, "delimiter", &o->delimiter);
}

static bool quote_option(struct parser *p, struct copy_options *o)
{
	return one_byte_option(p, "quote", &o->quote);
}

static bool escape_option(struct parser *p, struct copy_options *o)
{
	return one_byte_option(p, "escape", &o->escape);
}

static bool null_option(struct parser *p, struct copy_options *o)
{
	return text_option(p, &o->null);
}

static bool any_encoding(struct parser *p, struct copy_options *o)
{
	(void)o;
	return encoding_option(p);
}

/* The style before PostgreSQL 9: words without parentheses. */
static bool legacy_option(struct parser *p, struct copy_options *o)
{
	static const struct {
		const char *word;
		bool may_say_as;
		bool (*parse)(struct parser *p, struct copy_options *o);
	} words[] = {{"binary", false, legacy_binary},	    {"csv", false, legacy_csv},
		     {"header", false, legacy_header},	    {"freeze", false, legacy_freeze},
		     {"delimiter", true, delimiter_option}, {"delimiters", true, delimiter_option},
		     {"null", true, null_option},	    {"quote", true, quote_option},
		     {"escape", true, escape_option},	    {"force", false, legacy_force},
		     {"encoding", false, any_encoding}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (parser_word(p, words[i].word)) {
			if (words[i].may_say_as)
				(void)parser_word(p, "as");
			return words[i].parse(p, o);
		}
	return parser_fail(p);
}

static bool names_columns(const struct copy_columns *c)
{
	return c->all || c->count > 0;
}

static bool check_columns(const struct command_copy *c, struct pg_error *e)
{
	for (size_t i = 0; i < c->column_count; i++)
		for (size_t k = 0; k < i; k++)
			if (span_eq(c->columns[i], c->columns[k]))
				return pg_error_set(e, "42701", "column \"%.*s\" specified more than once",
						    SPAN_ARG(c->columns[i]));
	return true;
}

/* Each is of one direction. */
static bool check_forced(const struct command_copy *c, struct pg_error *e)
{
	const struct copy_options *o = &c->options;
	if (c->is_from && names_columns(&o->force_quote))
		return pg_error_set(e, "0A000", "COPY force quote only available using COPY TO");
	if (!c->is_from && (names_columns(&o->force_not_null) || names_columns(&o->force_null)))
		return pg_error_set(e, "0A000", "COPY force null and force not null only available using COPY FROM");
	return true;
}

/* Combinations that make no sense. */
static bool check_options(const struct command_copy *c, struct pg_error *e)
{
	const struct copy_options *o = &c->options;
	bool has_csv_option = o->quote || o->escape || names_columns(&o->force_quote) ||
			      names_columns(&o->force_null) || names_columns(&o->force_not_null);
	if (o->format == COPY_BINARY && (o->delimiter || o->null.ptr || o->header))
		return pg_error_set(e, "42601", "cannot specify DELIMITER, NULL or HEADER in BINARY mode");
	if (o->format != COPY_CSV && has_csv_option)
		return pg_error_set(e, "0A000", "COPY quote, escape and force options are available only in CSV mode");
	if (!c->is_from && o->header == COPY_HEADER_MATCH)
		return pg_error_set(e, "0A000", "cannot use \"match\" with HEADER in COPY TO");
	return true;
}

static void set_defaults(struct copy_options *o)
{
	bool csv = o->format == COPY_CSV;
	if (!o->delimiter)
		o->delimiter = csv ? ',' : '\t';
	if (!o->null.ptr)
		o->null = csv ? SPAN("") : SPAN("\\N");
	if (csv && !o->quote)
		o->quote = '"';
	if (csv && !o->escape)
		o->escape = o->quote;
}

static bool check_characters(const struct copy_options *o, struct pg_error *e)
{
	if (o->format == COPY_CSV && o->quote == o->delimiter)
		return pg_error_set(e, "22023", "COPY delimiter and quote must be different");
	if (o->format == COPY_TEXT && strchr("\\.abcdefghijklmnopqrstuvwxyz0123456789", o->delimiter))
		return pg_error_set(e, "22023", "COPY delimiter cannot be \"%c\"", o->delimiter);
	if (span_find(o->null, o->delimiter) < o->null.len)
		return pg_error_set(e, "22023", "COPY delimiter character must not appear in the NULL specification");
	if (span_find(o->null, '\n') < o->null.len || span_find(o->null, '\r') < o->null.len)
		return pg_error_set(e, "22023", "COPY null representation cannot use newline or carriage return");
	return true;
}

static bool copy_source(struct parser *p, struct command_copy *ret)
{
	const char *start = p->now.text.ptr;
	if (parser_punct(p, '(')) {
		start = p->now.text.ptr;
		unsigned depth = 1;
		for (; p->now.kind != TOKEN_END; parser_step(p)) {
			depth += token_is_punct(p->now, '(');
			depth -= token_is_punct(p->now, ')');
			if (depth == 0)
				break;
		}
		ret->query = (struct span){start, (size_t)(p->now.text.ptr - start)};
		return parser_punct(p, ')') || parser_fail(p);
	}
	if (!parser_name(p, &ret->table))
		return false;
	const char *end;
	while (parser_punct(p, '.')) {
		ret->schema = ret->table;
		if (!parser_name(p, &ret->table))
			return false;
	}
	end = p->now.text.ptr;
	ret->target = (struct span){start, (size_t)(end - start)};
	while (ret->target.len && strchr(" \t\r\n", ret->target.ptr[ret->target.len - 1]))
		ret->target.len--;
	return !token_is_punct(p->now, '(') || names_in_parentheses(p, &ret->columns, &ret->column_count);
}

static bool copy_direction(struct parser *p, struct command_copy *ret)
{
	ret->is_from = token_is(p->now, "from");
	if (!parser_word(p, "from") && !parser_word(p, "to"))
		return parser_fail(p);
	if (ret->is_from && ret->query.ptr)
		return parser_fail(p);
	if (p->now.kind == TOKEN_STRING || token_is(p->now, "program"))
		return pg_error_set(p->e, "42501", "COPY to or from a file or a program is not permitted");
	/* As in PostgreSQL, either word names the client, whatever the direction. */
	return parser_word(p, "stdin") || parser_word(p, "stdout") || parser_fail(p);
}

static bool copy_options(struct parser *p, struct command_copy *ret)
{
	(void)parser_word(p, "with");
	if (parser_punct(p, '(')) {
		do {
			if (!new_option(p, ret))
				return false;
		} while (parser_punct(p, ','));
		return parser_punct(p, ')') || parser_fail(p);
	}
	while (p->now.kind == TOKEN_WORD && !token_is(p->now, "where"))
		if (!legacy_option(p, &ret->options))
			return false;
	return true;
}

bool command_copy(const struct stmt *s, struct arena *arena, struct command_copy *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct command_copy){0};
	parser_step(&p);
	/* COPY BINARY t: older than the options. */
	struct token after = lexer_peek(&p.lx);
	if (token_is(p.now, "binary") && after.kind == TOKEN_WORD && !token_is(after, "from") &&
	    !token_is(after, "to")) {
		ret->options.format = COPY_BINARY;
		parser_step(&p);
	}
	if (!copy_source(&p, ret) || !copy_direction(&p, ret) || !copy_options(&p, ret))
		return false;
	if (token_is(p.now, "where"))
		return pg_error_set(e, "0A000", "COPY ... WHERE is not supported");
	if (!parser_end(&p) || !check_options(ret, e) || !check_forced(ret, e) || !check_columns(ret, e))
		return false;
	set_defaults(&ret->options);
	return check_characters(&ret->options, e);
}
