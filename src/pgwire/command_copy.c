/* COPY, with both styles of options. */
#include "pgwire/command_parser.h"
#include "pgwire/copy_encoding.h"

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

/* What is checked when all of it is known. */
struct options {
	struct parser *p;
	struct copy_options *o;
	struct span name; /* of the option at hand */
	struct span delimiter, quote, escape;
	unsigned seen; /* a bit for each row of the table of options */
};

static bool ends_option(const struct parser *p)
{
	return token_is_punct(p->now, ',') || token_is_punct(p->now, ')');
}

static bool text_option(struct options *of, struct span *ret)
{
	struct parser *p = of->p;
	if (p->now.kind == TOKEN_STRING)
		*ret = token_string(p->now, p->arena);
	else if (token_is_name(p->now))
		*ret = token_name(p->now, p->arena);
	else if (p->now.kind == TOKEN_NUMBER)
		*ret = p->now.text;
	else if (ends_option(p) && of->name.ptr)
		return pg_error_set(p->e, "42601", "%.*s requires a parameter", SPAN_ARG(of->name));
	else
		return parser_fail(p);
	parser_step(p);
	return true;
}

static bool take_delimiter(struct options *of)
{
	return text_option(of, &of->delimiter);
}

static bool take_quote(struct options *of)
{
	return text_option(of, &of->quote);
}

static bool take_escape(struct options *of)
{
	return text_option(of, &of->escape);
}

static bool take_null(struct options *of)
{
	return text_option(of, &of->o->null);
}

static bool take_format(struct options *of)
{
	static const char *const names[] = {[COPY_TEXT] = "text", [COPY_CSV] = "csv", [COPY_BINARY] = "binary"};
	struct span text;
	if (!text_option(of, &text))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (span_is(text, names[i])) {
			of->o->format = (enum copy_format)i;
			return true;
		}
	return pg_error_set(of->p->e, "22023", "COPY format \"%.*s\" not recognized", SPAN_ARG(span_first(text, 50)));
}

/* A boolean that may be left out. *ret_text: what it is when it is none. */
static bool take_boolean(struct options *of, bool *ret, struct span *ret_text)
{
	*ret_text = SPAN("true");
	if (!ends_option(of->p) && !text_option(of, ret_text))
		return false;
	*ret = span_eq_nocase(*ret_text, SPAN("true")) || span_eq_nocase(*ret_text, SPAN("on")) ||
	       span_is(*ret_text, "1");
	if (*ret || span_eq_nocase(*ret_text, SPAN("false")) || span_eq_nocase(*ret_text, SPAN("off")) ||
	    span_is(*ret_text, "0"))
		*ret_text = SPAN_NONE;
	return true;
}

static bool take_header(struct options *of)
{
	bool wanted;
	struct span other;
	if (!take_boolean(of, &wanted, &other))
		return false;
	if (other.ptr && !span_eq_nocase(other, SPAN("match")))
		return pg_error_set(of->p->e, "42601", "header requires a Boolean value or \"match\"");
	of->o->header = other.ptr ? COPY_HEADER_MATCH : wanted ? COPY_HEADER : COPY_NO_HEADER;
	return true;
}

/* Rows are always written as the engine writes many: there is nothing to freeze. */
static bool take_freeze(struct options *of)
{
	bool wanted;
	struct span other;
	if (!take_boolean(of, &wanted, &other))
		return false;
	return !other.ptr || pg_error_set(of->p->e, "42601", "freeze requires a Boolean value");
}

static bool take_encoding(struct options *of)
{
	struct span text;
	return text_option(of, &text) &&
	       (copy_encoding_find(text, &of->o->encoding) ||
		pg_error_set(of->p->e, "22023", "argument to option \"encoding\" must be a valid encoding name"));
}

static bool take_columns(struct options *of, struct copy_columns *c, bool may_be_all)
{
	struct parser *p = of->p;
	if (may_be_all && p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "*")) {
		c->all = true;
		parser_step(p);
		return true;
	}
	if (!token_is_punct(p->now, '('))
		return pg_error_set(p->e, "22023", "argument to option \"%.*s\" must be a list of column names",
				    SPAN_ARG(of->name));
	return names_in_parentheses(p, &c->names, &c->count);
}

static bool take_force_quote(struct options *of)
{
	return take_columns(of, &of->o->force_quote, true);
}

static bool take_force_not_null(struct options *of)
{
	return take_columns(of, &of->o->force_not_null, false);
}

static bool take_force_null(struct options *of)
{
	return take_columns(of, &of->o->force_null, false);
}

static const struct {
	const char *name;
	bool (*take)(struct options *of);
} OPTIONS[] = {{"format", take_format},
	       {"delimiter", take_delimiter},
	       {"null", take_null},
	       {"header", take_header},
	       {"quote", take_quote},
	       {"escape", take_escape},
	       {"encoding", take_encoding},
	       {"freeze", take_freeze},
	       {"force_quote", take_force_quote},
	       {"force_not_null", take_force_not_null},
	       {"force_null", take_force_null}};

static bool once(struct options *of, size_t option)
{
	if (of->seen & (1U << option))
		return pg_error_set(of->p->e, "42601", "conflicting or redundant options");
	of->seen |= 1U << option;
	return true;
}

/* One option of the parenthesised style. */
static bool new_option(struct options *of)
{
	if (!parser_name(of->p, &of->name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(OPTIONS); i++)
		if (span_is(of->name, OPTIONS[i].name))
			return once(of, i) && OPTIONS[i].take(of);
	return pg_error_set(of->p->e, "42601", "option \"%.*s\" not recognized", SPAN_ARG(span_first(of->name, 50)));
}

/* FORCE QUOTE c, d | FORCE NOT NULL c | FORCE NULL c */
static bool legacy_force(struct options *of)
{
	struct parser *p = of->p;
	struct copy_columns *c = &of->o->force_quote;
	if (parser_word(p, "not"))
		c = &of->o->force_not_null;
	if (parser_word(p, "null"))
		c = c == &of->o->force_not_null ? c : &of->o->force_null;
	else if (!parser_word(p, "quote"))
		return parser_fail(p);
	if (c->all || c->count)
		return pg_error_set(p->e, "42601", "conflicting or redundant options");
	if (p->now.kind == TOKEN_OPERATOR)
		return take_columns(of, c, true);
	c->names = arena_array(p->arena, struct span, COMMAND_LIST_MAX);
	do {
		if (c->count == COMMAND_LIST_MAX || !parser_name(p, &c->names[c->count++]))
			return parser_fail(p);
	} while (parser_punct(p, ','));
	return true;
}

/* The style before PostgreSQL 9: words without parentheses. */
static bool legacy_option(struct options *of)
{
	enum { FLAG, VALUE, AS_VALUE }; /* AS_VALUE: AS may stand before it */
	static const struct {
		const char *word, *option;
		int form;
	} words[] = {{"binary", "format", FLAG},	   {"csv", "format", FLAG},
		     {"header", "header", FLAG},	   {"freeze", "freeze", FLAG},
		     {"delimiter", "delimiter", AS_VALUE}, {"delimiters", "delimiter", AS_VALUE},
		     {"null", "null", AS_VALUE},	   {"quote", "quote", AS_VALUE},
		     {"escape", "escape", AS_VALUE},	   {"encoding", "encoding", VALUE}};
	struct parser *p = of->p;
	if (parser_word(p, "force"))
		return legacy_force(of);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!parser_word(p, words[i].word))
			continue;
		size_t option = 0;
		while (!span_eq(span_of(OPTIONS[option].name), span_of(words[i].option)))
			option++;
		if (!once(of, option))
			return false;
		if (words[i].form != FLAG) {
			(void)(words[i].form == AS_VALUE && parser_word(p, "as"));
			return OPTIONS[option].take(of);
		}
		if (option == 0)
			of->o->format = *words[i].word == 'c' ? COPY_CSV : COPY_BINARY;
		else if (span_is(span_of(words[i].word), "header"))
			of->o->header = COPY_HEADER;
		return true;
	}
	return parser_fail(p);
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

static bool one_byte(const char *name, struct span given, char usual, char *ret, struct pg_error *e)
{
	*ret = given.ptr ? *given.ptr : usual;
	return !given.ptr || given.len == 1 ||
	       pg_error_set(e, "0A000", "COPY %s must be a single one-byte character", name);
}

static bool check_delimiter(const struct options *of, struct pg_error *e)
{
	struct copy_options *o = of->o;
	const bool csv = o->format == COPY_CSV;
	if (o->format == COPY_BINARY && of->delimiter.ptr)
		return pg_error_set(e, "42601", "cannot specify DELIMITER in BINARY mode");
	if (o->format == COPY_BINARY && o->null.ptr)
		return pg_error_set(e, "42601", "cannot specify NULL in BINARY mode");
	if (!o->null.ptr)
		o->null = csv ? SPAN("") : SPAN("\\N");
	if (!one_byte("delimiter", of->delimiter, csv ? ',' : '\t', &o->delimiter, e))
		return false;
	if (strchr("\r\n", o->delimiter))
		return pg_error_set(e, "22023", "COPY delimiter cannot be newline or carriage return");
	if (span_find(o->null, '\n') < o->null.len || span_find(o->null, '\r') < o->null.len)
		return pg_error_set(e, "22023", "COPY null representation cannot use newline or carriage return");
	if (!csv && strchr("\\.abcdefghijklmnopqrstuvwxyz0123456789", o->delimiter))
		return pg_error_set(e, "22023", "COPY delimiter cannot be \"%c\"", o->delimiter);
	return true;
}

static bool check_quotes(const struct options *of, struct pg_error *e)
{
	struct copy_options *o = of->o;
	const bool csv = o->format == COPY_CSV;
	if (o->format == COPY_BINARY && o->header)
		return pg_error_set(e, "0A000", "cannot specify HEADER in BINARY mode");
	if (!csv && of->quote.ptr)
		return pg_error_set(e, "0A000", "COPY quote available only in CSV mode");
	if (!one_byte("quote", of->quote, '"', &o->quote, e))
		return false;
	if (csv && o->quote == o->delimiter)
		return pg_error_set(e, "22023", "COPY delimiter and quote must be different");
	if (!csv && of->escape.ptr)
		return pg_error_set(e, "0A000", "COPY escape available only in CSV mode");
	return one_byte("escape", of->escape, o->quote, &o->escape, e);
}

/* Each is of CSV and of one direction. */
static bool check_forced(const struct command_copy *c, struct pg_error *e)
{
	const struct copy_options *o = &c->options;
	const struct {
		const struct copy_columns *columns;
		const char *name, *direction;
		bool is_from;
	} forced[] = {{&o->force_quote, "quote", "TO", false},
		      {&o->force_not_null, "not null", "FROM", true},
		      {&o->force_null, "null", "FROM", true}};
	for (size_t i = 0; i < ARRAY_LEN(forced); i++) {
		if (!forced[i].columns->all && !forced[i].columns->count)
			continue;
		if (o->format != COPY_CSV)
			return pg_error_set(e, "0A000", "COPY force %s available only in CSV mode", forced[i].name);
		if (c->is_from != forced[i].is_from)
			return pg_error_set(e, "0A000", "COPY force %s only available using COPY %s", forced[i].name,
					    forced[i].direction);
	}
	return true;
}

/* In PostgreSQL's order, and its defaults where an option is not given. */
static bool check_options(const struct options *of, const struct command_copy *c, struct pg_error *e)
{
	const struct copy_options *o = &c->options;
	if (!check_delimiter(of, e) || !check_quotes(of, e) || !check_forced(c, e))
		return false;
	if (o->format == COPY_BINARY)
		return true;
	if (span_find(o->null, o->delimiter) < o->null.len)
		return pg_error_set(e, "0A000", "COPY delimiter must not appear in the NULL specification");
	if (o->format == COPY_CSV && span_find(o->null, o->quote) < o->null.len)
		return pg_error_set(e, "0A000", "CSV quote character must not appear in the NULL specification");
	if (!c->is_from && o->header == COPY_HEADER_MATCH)
		return pg_error_set(e, "0A000", "cannot use \"match\" with HEADER in COPY TO");
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
	if (ret->is_from && ret->query.ptr)
		return parser_fail(p);
	if (!parser_word(p, "from") && !parser_word(p, "to"))
		return parser_fail(p);
	if (p->now.kind == TOKEN_STRING || token_is(p->now, "program"))
		return pg_error_set(p->e, "42501", "COPY to or from a file or a program is not permitted");
	/* As in PostgreSQL, either word names the client, whatever the direction. */
	return parser_word(p, "stdin") || parser_word(p, "stdout") || parser_fail(p);
}

static bool copy_options(struct options *of)
{
	struct parser *p = of->p;
	/* Older still than the words: before WITH. */
	if (parser_word(p, "using") && !token_is(p->now, "delimiters"))
		return parser_fail(p);
	if (token_is(p->now, "delimiters") && !legacy_option(of))
		return false;
	(void)parser_word(p, "with");
	if (parser_punct(p, '(')) {
		do {
			if (!new_option(of))
				return false;
		} while (parser_punct(p, ','));
		return parser_punct(p, ')') || parser_fail(p);
	}
	while (p->now.kind == TOKEN_WORD && !token_is(p->now, "where"))
		if (!legacy_option(of))
			return false;
	return true;
}

/* WHERE condition, up to the end of the statement. */
static bool copy_where(struct parser *p, struct command_copy *ret)
{
	if (!token_is(p->now, "where"))
		return true;
	if (!ret->is_from)
		return pg_error_set(p->e, "42601", "WHERE clause not allowed with COPY TO");
	parser_step(p);
	const char *start = p->now.text.ptr, *end = start;
	int depth = 0;
	for (; p->now.kind != TOKEN_END; parser_step(p)) {
		if (token_is(p->now, "select"))
			return pg_error_set(p->e, "0A000", "cannot use subquery in COPY FROM WHERE condition");
		depth += token_is_punct(p->now, '(');
		depth -= token_is_punct(p->now, ')');
		if (depth < 0 || token_is_punct(p->now, ';'))
			return parser_fail(p);
		end = p->now.text.ptr + p->now.text.len;
	}
	ret->where = (struct span){start, (size_t)(end - start)};
	return (ret->where.len && depth == 0) || parser_fail(p);
}

bool command_copy(const struct stmt *s, struct arena *arena, struct command_copy *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	struct options of = {.p = &p, .o = &ret->options};
	*ret = (struct command_copy){0};
	parser_step(&p);
	/* COPY BINARY t: older than the options. */
	struct token after = lexer_peek(&p.lx);
	if (token_is(p.now, "binary") && after.kind == TOKEN_WORD && !token_is(after, "from") &&
	    !token_is(after, "to")) {
		ret->options.format = COPY_BINARY;
		of.seen = 1;
		parser_step(&p);
	}
	if (!copy_source(&p, ret) || !copy_direction(&p, ret) || !copy_options(&of) || !copy_where(&p, ret))
		return false;
	return parser_end(&p) && check_options(&of, ret, e) && check_columns(ret, e);
}
