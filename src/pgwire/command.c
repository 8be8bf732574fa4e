#include "pgwire/command.h"

#include "base/buf.h"
#include "base/limits.h"
#include "pgwire/command_parser.h"
#include "pgwire/guc.h"
#include "pgwire/types.h"

static bool isolation_level(struct parser *p, struct span *ret)
{
	static const struct {
		const char *first, *second, *name;
	} levels[] = {{"read", "uncommitted", "read uncommitted"},
		      {"read", "committed", "read committed"},
		      {"repeatable", "read", "repeatable read"},
		      {"serializable", NULL, "serializable"}};
	struct token second = lexer_peek(&p->lx);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (!token_is(p->now, levels[i].first) || (levels[i].second && !token_is(second, levels[i].second)))
			continue;
		parser_step(p);
		if (levels[i].second)
			parser_step(p);
		*ret = span_of(levels[i].name);
		return true;
	}
	return parser_fail(p);
}

/* ISOLATION LEVEL x | READ ONLY | READ WRITE | [NOT] DEFERRABLE, with or without commas; at least `least` of them. */
static bool transaction_modes(struct parser *p, struct command_transaction *ret, unsigned least)
{
	for (unsigned n = 0;; n++) {
		const bool must = parser_punct(p, ',') || n < least;
		if (parser_word(p, "isolation")) {
			ret->has_isolation = true;
			if (!parser_word(p, "level") || !isolation_level(p, &ret->isolation))
				return parser_fail(p);
		} else if (token_is(p->now, "read")) {
			parser_step(p);
			ret->has_access = true;
			ret->read_only = token_is(p->now, "only");
			if (!parser_word(p, "only") && !parser_word(p, "write"))
				return parser_fail(p);
		} else if (token_is(p->now, "not") || token_is(p->now, "deferrable")) {
			ret->has_deferrable = true;
			ret->deferrable = !parser_word(p, "not");
			if (!parser_word(p, "deferrable"))
				return parser_fail(p);
		} else {
			return !must || parser_fail(p);
		}
	}
}

bool command_transaction(const struct stmt *s, struct arena *arena, struct command_transaction *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct command_transaction){0};
	parser_step(&p);
	if (!parser_word(&p, "work"))
		(void)parser_word(&p, "transaction");
	if (s->kind == STMT_BEGIN || s->kind == STMT_START)
		return transaction_modes(&p, ret, 0) && parser_end(&p);
	if (token_is(p.now, "prepared"))
		return pg_error_set(e, "0A000", "prepared transactions are not supported");
	if (parser_word(&p, "and")) {
		bool no = parser_word(&p, "no");
		if (!parser_word(&p, "chain"))
			return parser_fail(&p);
		ret->chain = !no;
	}
	return parser_end(&p);
}

/* --- SET, RESET, SHOW --- */

/* Of a list of names each is shown as SQL has it; several in one string, as the engine has them, stay as they are. */
static void set_text(struct buf *out, struct span text, bool quoted)
{
	if (quoted && !text.len)
		buf_str(out, "\"\"");
	else if (quoted && !memchr(text.ptr, ',', text.len) && !memchr(text.ptr, '"', text.len))
		lexer_quote_name(out, text);
	else
		buf_span(out, text);
}

/* One item of a value list. A number may carry a sign. */
static bool set_item(struct parser *p, bool quoted, struct buf *out)
{
	bool negative = p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "-");
	if (negative || (p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "+")))
		parser_step(p);
	if (negative)
		buf_byte(out, '-');
	switch (p->now.kind) {
	case TOKEN_STRING:
	case TOKEN_WORD:
	case TOKEN_QUOTED:
		if (token_is(p->now, "null"))
			return parser_fail(p);
		set_text(out,
			 p->now.kind == TOKEN_STRING ? token_string(p->now, p->arena) : token_name(p->now, p->arena),
			 quoted);
		break;
	case TOKEN_NUMBER:
		buf_span(out, p->now.text);
		break;
	default:
		return parser_fail(p);
	}
	parser_step(p);
	return true;
}

static bool set_value(struct parser *p, struct command_set *ret)
{
	struct buf out = BUF(LIMIT_EXPRESSION_BYTES);
	bool fine;
	size_t n = 1;
	if (token_is(p->now, "default")) {
		parser_step(p);
		ret->is_default = true;
		return parser_end(p);
	}
	const enum guc_id id = guc_find(ret->name);
	const enum guc_type type = id == GUC_COUNT ? GUC_STRING : guc_row(id)->type;
	for (; (fine = set_item(p, type == GUC_NAMES, &out)) && parser_punct(p, ','); n++)
		buf_str(&out, ", ");
	fine = fine && parser_end(p);
	if (fine && n > 1 && type != GUC_NAMES && type != GUC_LIST)
		fine = pg_error_set(p->e, "22023", "SET %.*s takes only one argument", SPAN_ARG(ret->name));
	if (out.failed)
		fine = pg_error_set(p->e, "22023", "value of a setting is too long");
	ret->value = fine ? arena_span(p->arena, buf_view(&out)) : SPAN_NONE;
	buf_done(&out);
	return fine;
}

/* a or a.b; lower case, dots kept. */
static bool setting_name(struct parser *p, struct span *ret)
{
	struct span name, part;
	if (!parser_name(p, &name))
		return false;
	while (parser_punct(p, '.')) {
		if (!parser_name(p, &part))
			return false;
		name = span_of(arena_printf(p->arena, "%.*s.%.*s", SPAN_ARG(name), SPAN_ARG(part)));
	}
	*ret = name;
	return true;
}

/* '-08:00', hours east, in POSIX's words: <-08>+08. What is none of that is refused as a zone. */
static struct span interval_zone(struct span text, struct arena *arena)
{
	text = span_trim(text);
	const bool signed_text = text.len && strchr("+-", *text.ptr);
	const bool west = signed_text && *text.ptr == '-';
	struct span rest = span_skip(text, signed_text);
	const struct span hours = span_cut(&rest, ':'), minutes = span_cut(&rest, ':');
	uint64_t h, m = 0;
	/* A number alone would be one of seconds. */
	if (!span_u64(hours, &h) || !span_u64(minutes, &m) || h > 15 || m > 59)
		return span_of(arena_printf(arena, "INTERVAL '%.*s'", SPAN_ARG(text)));
	const char *tail = m ? arena_printf(arena, ":%02u", (unsigned)m) : "";
	return span_of(arena_printf(arena, "<%c%02u%s>%c%02u%s", west ? '-' : '+', (unsigned)h, tail, west ? '+' : '-',
				    (unsigned)h, tail));
}

/* TIME ZONE x, where x may be LOCAL, DEFAULT, a number of hours, or INTERVAL '..' HOUR TO MINUTE. */
static bool set_time_zone(struct parser *p, struct command_set *ret)
{
	ret->name = SPAN("timezone");
	if (parser_word(p, "local")) {
		ret->is_default = true;
		return parser_end(p);
	}
	if (parser_word(p, "interval")) {
		if (p->now.kind != TOKEN_STRING)
			return parser_fail(p);
		ret->value = interval_zone(token_string(p->now, p->arena), p->arena);
		return true;
	}
	return set_value(p, ret);
}

static bool set_role(struct parser *p, struct command_set *ret)
{
	if (p->now.kind == TOKEN_OPERATOR || token_is(p->now, "to"))
		parser_step(p);
	return set_value(p, ret);
}

static bool set_modes(struct parser *p, struct command_set *ret, enum set_scope scope)
{
	ret->scope = scope;
	if (scope == SET_TRANSACTION && token_is(p->now, "snapshot"))
		return pg_error_set(p->e, "0A000", "SET TRANSACTION SNAPSHOT is not supported");
	return transaction_modes(p, &ret->modes, 1) && parser_end(p);
}

/* SET SCHEMA 'x' and SET XML OPTION x, which are settings by other names; SET CATALOG 'x'. */
static bool set_renamed(struct parser *p, struct command_set *ret, bool *ret_done)
{
	const struct token after = lexer_peek(&p->lx);
	*ret_done = true;
	if (token_is(p->now, "schema") && after.kind == TOKEN_STRING) {
		parser_step(p);
		ret->name = SPAN("search_path");
		return set_value(p, ret);
	}
	if (token_is(p->now, "catalog") && after.kind == TOKEN_STRING) {
		parser_step(p);
		(void)pg_error_set(p->e, "0A000", "current database cannot be changed");
		p->e->position = sqlstate_position(p->text, (size_t)(p->now.text.ptr - p->text.ptr));
		return false;
	}
	if (token_is(p->now, "xml") && token_is(after, "option")) {
		parser_step(p);
		parser_step(p);
		ret->name = SPAN("xmloption");
		return token_is(p->now, "document") || token_is(p->now, "content") ? set_value(p, ret) : parser_fail(p);
	}
	*ret_done = false;
	return true;
}

/* The forms of SET that have words of their own; *ret_done: this was one of them. */
static bool set_special(struct parser *p, struct command_set *ret, bool *ret_done)
{
	*ret_done = true;
	if (parser_word(p, "time"))
		return parser_word(p, "zone") ? set_time_zone(p, ret) : parser_fail(p);
	if (parser_word(p, "names")) {
		ret->name = SPAN("client_encoding");
		ret->is_default = p->now.kind == TOKEN_END;
		return ret->is_default || set_value(p, ret);
	}
	if (parser_word(p, "transaction"))
		return set_modes(p, ret, SET_TRANSACTION);
	if (parser_word(p, "characteristics"))
		return parser_word(p, "as") && parser_word(p, "transaction") ? set_modes(p, ret, SET_CHARACTERISTICS)
									     : parser_fail(p);
	if (parser_word(p, "role")) {
		ret->name = SPAN("role");
		return set_role(p, ret);
	}
	if (token_is(p->now, "session") && token_is(lexer_peek(&p->lx), "authorization"))
		parser_step(p);
	if (parser_word(p, "authorization")) {
		ret->name = SPAN("session_authorization");
		return set_role(p, ret);
	}
	return set_renamed(p, ret, ret_done);
}

/* "x =" or "x TO": whatever x is, it is a setting's name. */
static bool is_assignment(const struct parser *p)
{
	struct token after = lexer_peek(&p->lx);
	return after.kind == TOKEN_OPERATOR || token_is(after, "to");
}

/* Behind the name. */
static bool set_assigned(struct parser *p, struct command_set *ret)
{
	/* "=-1" is two signs. */
	const bool equals = p->now.kind == TOKEN_OPERATOR && *p->now.text.ptr == '=' &&
			    (p->now.text.len == 1 || strchr("+-", p->now.text.ptr[1]));
	if (!equals && !token_is(p->now, "to"))
		return parser_fail(p);
	if (equals)
		p->lx.rest = span_skip(p->text, (size_t)(p->now.text.ptr + 1 - p->text.ptr));
	parser_step(p);
	return set_value(p, ret);
}

static bool parse_set(struct parser *p, struct command_set *ret)
{
	bool done = false;
	if (!is_assignment(p)) {
		if (parser_word(p, "local"))
			ret->scope = SET_LOCAL;
		else if (!parser_word(p, "session"))
			(void)parser_word(p, "global");
	}
	if (!is_assignment(p) && !set_special(p, ret, &done))
		return false;
	if (done)
		return true;
	if (!setting_name(p, &ret->name))
		return false;
	if (parser_word(p, "from")) {
		ret->is_current = parser_word(p, "current");
		return ret->is_current ? parser_end(p) : parser_fail(p);
	}
	return set_assigned(p, ret);
}

/* RESET and SHOW: ALL, a name, or the special spellings of PostgreSQL. */
static bool parse_shown(struct parser *p, struct command_set *ret)
{
	ret->is_default = true;
	if (parser_word(p, "all"))
		return parser_end(p);
	if (token_is(p->now, "time") && token_is(lexer_peek(&p->lx), "zone")) {
		parser_step(p);
		parser_step(p);
		ret->name = SPAN("timezone");
	} else if (token_is(p->now, "transaction") && token_is(lexer_peek(&p->lx), "isolation")) {
		parser_step(p);
		parser_step(p);
		if (!parser_word(p, "level"))
			return parser_fail(p);
		ret->name = SPAN("transaction_isolation");
	} else if (token_is(p->now, "session") && token_is(lexer_peek(&p->lx), "authorization")) {
		parser_step(p);
		parser_step(p);
		ret->name = SPAN("session_authorization");
	} else if (!setting_name(p, &ret->name)) {
		return false;
	}
	return parser_end(p);
}

bool command_set(const struct stmt *s, struct arena *arena, struct command_set *ret, struct pg_error *e)
{
	*ret = (struct command_set){.scope = SET_SESSION};
	struct parser p = parser_start(s, arena, e);
	parser_step(&p);
	return s->kind == STMT_SET ? parse_set(&p, ret) : parse_shown(&p, ret);
}

/* --- one name --- */

bool command_name(const struct stmt *s, struct arena *arena, struct span *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	parser_step(&p);
	*ret = SPAN_NONE;
	if (s->kind == STMT_ROLLBACK_TO) {
		if (!parser_word(&p, "work"))
			(void)parser_word(&p, "transaction");
		if (!parser_word(&p, "to"))
			return parser_fail(&p);
	}
	bool may_be_savepoint = s->kind == STMT_ROLLBACK_TO || s->kind == STMT_RELEASE;
	if (may_be_savepoint && lexer_peek(&p.lx).kind != TOKEN_END)
		(void)parser_word(&p, "savepoint");
	if (s->kind == STMT_DEALLOCATE && lexer_peek(&p.lx).kind != TOKEN_END)
		(void)parser_word(&p, "prepare");
	bool takes_all = s->kind == STMT_DEALLOCATE || s->kind == STMT_CLOSE || s->kind == STMT_DISCARD;
	if (takes_all && parser_word(&p, "all"))
		return parser_end(&p);
	return parser_name(&p, ret) && parser_end(&p);
}

/* --- PREPARE, EXECUTE --- */

/* Skips to the ',' or ')' that ends an item of a list, with nesting; the item's text. */
static struct span skip_item(struct parser *p)
{
	const char *start = p->now.text.ptr, *end = start;
	unsigned depth = 0;
	while (p->now.kind != TOKEN_END) {
		bool opens = token_opens(p->now);
		bool closes = token_closes(p->now);
		if (depth == 0 && (closes || token_is_punct(p->now, ',')))
			break;
		depth = opens ? depth + 1 : closes ? depth - 1 : depth;
		end = p->now.text.ptr + p->now.text.len;
		parser_step(p);
	}
	return (struct span){start, (size_t)(end - start)};
}

/* "( item, item )", the '(' being the current token. */
static bool item_list(struct parser *p, struct span **ret_items, size_t *ret_count)
{
	size_t cap = 8;
	struct span *items = arena_array(p->arena, struct span, cap);
	*ret_count = 0;
	parser_step(p);
	do {
		if (*ret_count == COMMAND_LIST_MAX)
			return pg_error_set(p->e, "54000", "a list has more than %d items", COMMAND_LIST_MAX);
		if (*ret_count == cap) {
			struct span *more = arena_array(p->arena, struct span, cap * 2);
			memcpy(more, items, cap * sizeof(*items));
			items = more;
			cap *= 2;
		}
		items[*ret_count] = skip_item(p);
		if (items[(*ret_count)++].len == 0)
			return parser_fail(p);
	} while (parser_punct(p, ','));
	*ret_items = items;
	return parser_punct(p, ')') || parser_fail(p);
}

bool command_prepare(const struct stmt *s, struct arena *arena, struct command_prepare *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	struct span *types;
	*ret = (struct command_prepare){0};
	parser_step(&p);
	if (!parser_name(&p, &ret->name))
		return false;
	if (token_is_punct(p.now, '(')) {
		if (!item_list(&p, &types, &ret->type_count))
			return false;
		ret->types = arena_array(arena, uint32_t, ret->type_count);
		for (size_t i = 0; i < ret->type_count; i++) {
			const struct span schema = SPAN("pg_catalog.");
			ret->types[i] =
				pg_type_oid(span_skip(types[i], span_starts(types[i], schema) ? schema.len : 0));
			if (ret->types[i] == 0) {
				(void)pg_error_set(e, "42704", "type \"%.*s\" does not exist",
						   SPAN_ARG(span_first(types[i], 100)));
				e->position = sqlstate_position(s->text, (size_t)(types[i].ptr - s->text.ptr));
				return false;
			}
		}
	}
	if (!parser_word(&p, "as"))
		return parser_fail(&p);
	ret->body = parser_rest(&p);
	return ret->body.len > 0 || parser_fail(&p);
}

bool command_execute(const struct stmt *s, struct arena *arena, struct command_execute *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct command_execute){0};
	parser_step(&p);
	if (!parser_name(&p, &ret->name))
		return false;
	if (token_is_punct(p.now, '(') && !token_is_punct(lexer_peek(&p.lx), ')'))
		return item_list(&p, &ret->arguments, &ret->argument_count) && parser_end(&p);
	if (parser_punct(&p, '(') && !parser_punct(&p, ')'))
		return parser_fail(&p);
	return parser_end(&p);
}

/* --- cursors --- */

bool command_declare(const struct stmt *s, struct arena *arena, struct command_declare *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct command_declare){0};
	parser_step(&p);
	if (!parser_name(&p, &ret->name))
		return false;
	while (!parser_word(&p, "cursor")) {
		if (parser_word(&p, "binary"))
			ret->binary = true;
		else if (parser_word(&p, "scroll"))
			ret->scroll = true;
		else if (token_is(p.now, "no") && token_is(lexer_peek(&p.lx), "scroll")) {
			ret->no_scroll = true;
			parser_step(&p);
			parser_step(&p);
		} else if (parser_word(&p, "insensitive"))
			ret->insensitive = true;
		else if (parser_word(&p, "asensitive"))
			ret->asensitive = true;
		else
			return parser_fail(&p);
	}
	bool with = token_is(p.now, "with");
	if (with || token_is(p.now, "without")) {
		parser_step(&p);
		if (!parser_word(&p, "hold"))
			return parser_fail(&p);
		ret->hold = with;
	}
	if (!parser_word(&p, "for"))
		return parser_fail(&p);
	ret->query = parser_rest(&p);
	return ret->query.len > 0 || parser_fail(&p);
}

/* A count with a sign, or ALL. */
static bool fetch_count(struct parser *p, int64_t *ret)
{
	if (parser_word(p, "all")) {
		*ret = INT64_MAX;
		return true;
	}
	bool negative = p->now.kind == TOKEN_OPERATOR && span_is(p->now.text, "-");
	if (negative)
		parser_step(p);
	if (p->now.kind != TOKEN_NUMBER || !span_i64(p->now.text, ret))
		return false;
	*ret = negative ? -*ret : *ret;
	parser_step(p);
	return true;
}

static bool fetch_direction(struct parser *p, struct command_fetch *ret)
{
	static const struct {
		const char *word;
		enum fetch_direction direction;
		int64_t count; /* 0: one follows or 1 is meant */
	} words[] = {{"next", FETCH_FORWARD, 1},    {"prior", FETCH_BACKWARD, 1},    {"first", FETCH_ABSOLUTE, 1},
		     {"last", FETCH_ABSOLUTE, -1},  {"absolute", FETCH_ABSOLUTE, 0}, {"relative", FETCH_RELATIVE, 0},
		     {"forward", FETCH_FORWARD, 0}, {"backward", FETCH_BACKWARD, 0}};
	/* A cursor may be named like a direction. */
	bool is_name = lexer_peek(&p->lx).kind == TOKEN_END;
	for (size_t i = 0; i < ARRAY_LEN(words) && !is_name; i++) {
		if (!parser_word(p, words[i].word))
			continue;
		ret->direction = words[i].direction;
		ret->count = words[i].count ? words[i].count : 1;
		bool needs_count = ret->direction == FETCH_RELATIVE || span_is(span_of(words[i].word), "absolute");
		if (words[i].count == 0 && !fetch_count(p, &ret->count) && needs_count)
			return parser_fail(p);
		return true;
	}
	if (!is_name)
		(void)fetch_count(p, &ret->count);
	return true;
}

bool command_fetch(const struct stmt *s, struct arena *arena, struct command_fetch *ret, struct pg_error *e)
{
	struct parser p = parser_start(s, arena, e);
	*ret = (struct command_fetch){.direction = FETCH_FORWARD, .count = 1};
	parser_step(&p);
	if (!fetch_direction(&p, ret))
		return false;
	if (!parser_word(&p, "from"))
		(void)parser_word(&p, "in");
	if (!parser_name(&p, &ret->name) || !parser_end(&p))
		return false;
	/* Fetching a negative number of rows goes the other way. */
	if (ret->direction <= FETCH_BACKWARD && ret->count < 0) {
		ret->direction = ret->direction == FETCH_FORWARD ? FETCH_BACKWARD : FETCH_FORWARD;
		ret->count = -ret->count;
	}
	return true;
}
