#include "pgwire/stmt.h"

#include "pgwire/catalog.h"

#include <stdio.h>

static const struct {
	enum stmt_class class;
	const char *tag;
	bool counts;
} KINDS[] = {
#define STMT(id, class_, tag_, counts_) [STMT_##id] = {.class = STMT_##class_, .tag = (tag_), .counts = (counts_)},
#include "pgwire/stmt.def"
#undef STMT
};

/* The first word decides. */
static const struct {
	const char *word;
	enum stmt_kind kind;
} VERBS[] = {
	{"select", STMT_SELECT},
	{"values", STMT_SELECT},
	{"table", STMT_SELECT},
	{"from", STMT_SELECT},
	{"with", STMT_SELECT},
	{"pivot", STMT_SELECT},
	{"unpivot", STMT_SELECT},
	{"describe", STMT_SELECT},
	{"desc", STMT_SELECT},
	{"summarize", STMT_SELECT},
	{"explain", STMT_EXPLAIN},
	{"pragma", STMT_PRAGMA},
	{"call", STMT_CALL},
	{"insert", STMT_INSERT},
	{"update", STMT_UPDATE},
	{"delete", STMT_DELETE},
	{"merge", STMT_MERGE},
	{"create", STMT_CREATE},
	{"alter", STMT_ALTER},
	{"drop", STMT_DROP},
	{"truncate", STMT_TRUNCATE},
	{"comment", STMT_COMMENT},
	{"checkpoint", STMT_CHECKPOINT},
	{"copy", STMT_COPY},
	{"begin", STMT_BEGIN},
	{"start", STMT_START},
	{"commit", STMT_COMMIT},
	{"end", STMT_COMMIT},
	{"rollback", STMT_ROLLBACK},
	{"abort", STMT_ROLLBACK},
	{"savepoint", STMT_SAVEPOINT},
	{"release", STMT_RELEASE},
	{"set", STMT_SET},
	{"reset", STMT_RESET},
	{"show", STMT_SHOW},
	{"discard", STMT_DISCARD},
	{"prepare", STMT_PREPARE},
	{"execute", STMT_EXECUTE},
	{"deallocate", STMT_DEALLOCATE},
	{"declare", STMT_DECLARE},
	{"fetch", STMT_FETCH},
	{"move", STMT_MOVE},
	{"close", STMT_CLOSE},
	{"listen", STMT_LISTEN},
	{"unlisten", STMT_UNLISTEN},
	{"notify", STMT_NOTIFY},
	{"lock", STMT_LOCK},
	{"vacuum", STMT_VACUUM},
	{"analyze", STMT_ANALYZE},
	{"analyse", STMT_ANALYZE},
	{"reindex", STMT_REINDEX},
	{"cluster", STMT_CLUSTER},
	{"grant", STMT_GRANT},
	{"revoke", STMT_REVOKE},
	{"attach", STMT_FORBIDDEN},
	{"detach", STMT_FORBIDDEN},
	{"install", STMT_FORBIDDEN},
	{"load", STMT_FORBIDDEN},
	{"export", STMT_FORBIDDEN},
	{"import", STMT_FORBIDDEN},
	{"use", STMT_FORBIDDEN},
	{"force", STMT_FORBIDDEN},
	{"do", STMT_DO},
};

/* Words that tell what the text mentions; prefixes of names are handled in mention_of(). */
static const struct {
	const char *word;
	unsigned mention;
} MENTIONS[] = {
	{"returning", MENTIONS_RETURNING},
	{"exists", MENTIONS_EXISTS},
	{"from", MENTIONS_TABLES},
	{"table", MENTIONS_TABLES},
	{"update", MENTIONS_TABLES},
	{"merge", MENTIONS_TABLES},
	{"pivot", MENTIONS_TABLES},
	{"pivot_wider", MENTIONS_TABLES},
	{"unpivot", MENTIONS_TABLES},
	{"pivot_longer", MENTIONS_TABLES},
	{"summarize", MENTIONS_TABLES},
	{"public", MENTIONS_PUBLIC},
	{"main", MENTIONS_MAIN},
	{"temp", MENTIONS_TEMP},
	{"temporary", MENTIONS_TEMP},
	{"information_schema", MENTIONS_CATALOG},
	{"regclass", MENTIONS_CATALOG},
	{"regtype", MENTIONS_CATALOG},
	{"regproc", MENTIONS_CATALOG},
	{"regprocedure", MENTIONS_CATALOG},
	{"regnamespace", MENTIONS_CATALOG},
	{"regrole", MENTIONS_CATALOG},
	{"to_regclass", MENTIONS_CATALOG},
	{"to_regtype", MENTIONS_CATALOG},
	{"to_regproc", MENTIONS_CATALOG},
	{"to_regnamespace", MENTIONS_CATALOG},
	{"format_type", MENTIONS_CATALOG},
	{"obj_description", MENTIONS_CATALOG},
	{"col_description", MENTIONS_CATALOG},
	{"shobj_description", MENTIONS_CATALOG},
	{"aclexplode", MENTIONS_CATALOG},
	{"aclitem", MENTIONS_CATALOG},
	{"current_user", MENTIONS_FUNCTION},
	{"session_user", MENTIONS_FUNCTION},
	{"user", MENTIONS_FUNCTION},
	{"current_role", MENTIONS_FUNCTION},
	{"current_catalog", MENTIONS_FUNCTION},
	{"current_schema", MENTIONS_FUNCTION},
	{"is_called", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"cache", MENTIONS_SYNTAX},
	{"current_setting", MENTIONS_SETTING},
	{"set_config", MENTIONS_SETTING},
	{"json_build_object", MENTIONS_SYNTAX},
	{"jsonb_build_object", MENTIONS_SYNTAX},
	{"json_build_array", MENTIONS_SYNTAX},
	{"jsonb_build_array", MENTIONS_SYNTAX},
	{"json_agg", MENTIONS_SYNTAX},
	{"jsonb_agg", MENTIONS_SYNTAX},
	{"generate_series", MENTIONS_SYNTAX},
	{"lag", MENTIONS_SYNTAX},
	{"lead", MENTIONS_SYNTAX},
	{"generate_subscripts", MENTIONS_SYNTAX},
	{"unnest", MENTIONS_SYNTAX},
	{"string_to_table", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"regexp_matches", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"regexp_split_to_table", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"json_to_recordset", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"jsonb_to_recordset", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"json_to_record", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"jsonb_to_record", MENTIONS_FUNCTION | MENTIONS_SYNTAX},
	{"to_date", MENTIONS_SYNTAX},
	{"to_timestamp", MENTIONS_SYNTAX},
	{"any", MENTIONS_SYNTAX},
	{"numeric", MENTIONS_SYNTAX},
	{"varbit", MENTIONS_SYNTAX},
	{"varying", MENTIONS_SYNTAX},
	{"decimal", MENTIONS_SYNTAX},
	{"operator", MENTIONS_SYNTAX},
	{"collate", MENTIONS_SYNTAX},
	{"unlogged", MENTIONS_SYNTAX},
	{"local", MENTIONS_SYNTAX},
	{"global", MENTIONS_SYNTAX},
	{"commit", MENTIONS_SYNTAX},
	{"serial", MENTIONS_SYNTAX},
	{"bigserial", MENTIONS_SYNTAX},
	{"smallserial", MENTIONS_SYNTAX},
	{"serial4", MENTIONS_SYNTAX},
	{"serial8", MENTIONS_SYNTAX},
	{"identity", MENTIONS_SYNTAX},
	{"stored", MENTIONS_SYNTAX},
	{"fillfactor", MENTIONS_SYNTAX},
	{"share", MENTIONS_SYNTAX},
	{"only", MENTIONS_SYNTAX},
	{"jsonb", MENTIONS_SYNTAX},
	{"concurrently", MENTIONS_SYNTAX},
	{"overriding", MENTIONS_SYNTAX},
	{"constraint", MENTIONS_SYNTAX},
	{"freeze", MENTIONS_SYNTAX},
	{"autovacuum_enabled", MENTIONS_SYNTAX},
	{"tablespace", MENTIONS_SYNTAX},
	{"for", MENTIONS_SYNTAX},
};

bool stmt_makes_index(const struct stmt *s)
{
	return s->kind == STMT_CREATE && strcmp(s->tag, "CREATE INDEX") == 0;
}

bool stmt_has_no_data(const struct stmt *s)
{
	struct lexer lx = {s->text};
	struct token last[3] = {0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		last[0] = last[1];
		last[1] = last[2];
		last[2] = t;
	}
	return token_is(last[0], "with") && token_is(last[1], "no") && token_is(last[2], "data");
}

bool stmt_is_temp_schema(struct span name)
{
	return span_eq_nocase(name, SPAN("pg_temp")) || span_eq_nocase(name, SPAN("pg_temp_1"));
}

static unsigned mention_of(struct token t)
{
	unsigned mentions = 0;
	if (t.kind == TOKEN_QUOTED && (span_find(t.text, '.') < t.text.len || span_find(t.text, '-') < t.text.len))
		mentions |= MENTIONS_QUOTED_DOTS;
	if (t.kind == TOKEN_QUOTED && t.text.len > 2)
		t.text = (struct span){t.text.ptr + 1, t.text.len - 2};
	if (t.text.len > 3 && strncasecmp(t.text.ptr, "pg_", 3) == 0)
		return mentions | (stmt_is_temp_schema(t.text) ? MENTIONS_TEMP | MENTIONS_PG_TEMP : MENTIONS_CATALOG);
	/* The shortest of the words below has three letters. */
	for (size_t i = 0; i < ARRAY_LEN(MENTIONS) && t.text.len > 2; i++)
		if (span_eq_nocase(t.text, span_of(MENTIONS[i].word)))
			return mentions | MENTIONS[i].mention;
	return mentions;
}

/* A name in front of a parenthesis that calls: not a word that has a list or a query behind it. */
static bool may_call(struct token t)
{
	static const char *const words[] = {"values", "in",	"and",	  "or",	 "not",	 "as",	 "on",
					    "using",  "select", "where",  "by",	 "then", "else", "when",
					    "from",   "over",	"exists", "any", "all"};
	return token_is_name(t) && !token_is_one_of(t, words, ARRAY_LEN(words));
}

/* What stands in front of a parenthesis. Rights are asked of tables that the listing must have. */
static unsigned mention_of_call(struct token t)
{
	struct span name = t.text;
	if (t.kind == TOKEN_QUOTED && name.len > 2)
		name = (struct span){name.ptr + 1, name.len - 2};
	if (!token_is_name(t) || !catalog_function(name))
		return 0;
	if (span_eq_nocase(span_first(name, 4), SPAN("has_")))
		return MENTIONS_CATALOG;
	/* Those that may be tables have aliases that mean their columns. */
	return MENTIONS_FUNCTION | (span_eq_nocase(span_first(name, 4), SPAN("json")) ? MENTIONS_SYNTAX : 0);
}

static enum stmt_kind kind_of(struct token first)
{
	for (size_t i = 0; i < ARRAY_LEN(VERBS); i++)
		if (token_is(first, VERBS[i].word))
			return VERBS[i].kind;
	return STMT_UNKNOWN;
}

/* The state of one walk over a statement's tokens. */
struct scan {
	unsigned depth;
	unsigned subqueries;		  /* scalar ones that are open */
	bool is_subquery[STMT_DEPTH_MAX]; /* of each open parenthesis */
	struct token before;		  /* the token before the last '(' */
	struct token earlier;		  /* the one before the last */
	struct token last;
	bool with_waits; /* WITH: the main verb has not come yet */
	bool saw_as;	 /* a top-level AS */
	bool saw_into;	 /* a top-level INTO */
	bool saw_setval; /* a call of setval() */
	bool saw_rows;	 /* of INSERT: what is inserted, behind the table and its columns */
	struct token words[5];
	size_t word_count;
	unsigned mentions, parameters;
};

static bool too_deep(struct pg_error *e)
{
	return pg_error_set(e, "54001", "statement is nested too deeply");
}

static bool open_parenthesis(struct scan *s, struct pg_error *e)
{
	if (s->depth == STMT_DEPTH_MAX)
		return too_deep(e);
	s->before = s->last;
	s->is_subquery[s->depth++] = false;
	return true;
}

/* "( select": a scalar subquery unless it stands where a table or a list is expected. */
static bool enter_subquery(struct scan *s, struct token t, struct pg_error *e)
{
	static const char *const starts[] = {"select", "with", "values", "from", "table"};
	static const char *const not_scalar[] = {"from",  "join", "in",	       "as",	 "lateral",	"exists",
						 "union", "all",  "intersect", "except", "materialized"};
	bool is_start = false;
	for (size_t i = 0; i < ARRAY_LEN(starts) && !is_start; i++)
		is_start = token_is(t, starts[i]);
	for (size_t i = 0; i < ARRAY_LEN(not_scalar) && is_start; i++)
		is_start = !token_is(s->before, not_scalar[i]);
	if (!is_start)
		return true;
	s->is_subquery[s->depth - 1] = true;
	return ++s->subqueries <= STMT_SUBQUERIES_MAX || too_deep(e);
}

static void close_parenthesis(struct scan *s)
{
	if (s->depth && s->is_subquery[--s->depth])
		s->subqueries--;
}

static bool note_parameter(struct scan *s, struct token t, struct pg_error *e)
{
	uint64_t n;
	if (t.kind != TOKEN_PARAM || !span_u64(span_skip(t.text, 1), &n))
		return true;
	if (n < 1 || n > UINT16_MAX)
		return pg_error_set(e, "42P02", "there is no parameter %.*s", SPAN_ARG(span_first(t.text, 200)));
	if (n > s->parameters)
		s->parameters = (unsigned)n;
	return true;
}

/* Words outside of parentheses. */
static void note_top_word(struct scan *s, struct token t, struct stmt *ret)
{
	if (s->word_count < ARRAY_LEN(s->words))
		s->words[s->word_count++] = t;
	s->saw_as = s->saw_as || token_is(t, "as");
	s->saw_into = s->saw_into || token_is(t, "into");
	s->saw_rows = s->saw_rows || token_is(t, "values") || token_is(t, "select") || token_is(t, "with");
	if (!s->with_waits)
		return;
	enum stmt_kind kind = kind_of(t);
	bool is_main = kind == STMT_SELECT || KINDS[kind].class == STMT_DML;
	if (is_main && !token_is(t, "with")) {
		ret->kind = kind;
		s->with_waits = false;
	}
}

/* What PostgreSQL reads otherwise than the engine, or what that refuses: times before Christ, bytes with octal escapes, .. */
static bool is_foreign_literal(struct token t)
{
	struct span text = t.text;
	if (t.kind != TOKEN_STRING || text.len < 3)
		return false;
	text = span_first(span_skip(text, 1), text.len - 2);
	const char last = text.ptr[text.len - 1];
	return *text.ptr == '{' || last == 'C' || last == 'c' || *text.ptr == 'P' || memchr(text.ptr, '\\', text.len) ||
	       span_starts(text, SPAN("on")) || span_starts(text, SPAN("of")) || memchr(text.ptr, '+', text.len) ||
	       (text.len < 24 && memchr(text.ptr, ' ', text.len) && memchr(text.ptr, ':', text.len)) ||
	       (text.len < 8 && memchr(text.ptr, '-', text.len));
}

/* Regular expressions, and constants PostgreSQL reads differently: '{1,2}'::int[], '\\x00'::bytea. */
static bool is_foreign_operator(const struct scan *s, struct token t)
{
	if (t.kind == TOKEN_CAST)
		return is_foreign_literal(s->last);
	return t.kind == TOKEN_OPERATOR && (memchr(t.text.ptr, '~', t.text.len) || span_starts(t.text, SPAN("#>")));
}

/* ANY ('{1,2}'), ALL ('{1,2}'), DEFAULT '{}': what makes an array of the text stands in front of it. */
static bool is_array_text(const struct scan *s, struct token t)
{
	const bool in_all = token_is_punct(s->last, '(') && token_is(s->before, "all");
	return t.kind == TOKEN_STRING && span_starts(t.text, SPAN("'{")) && (in_all || token_is(s->last, "default"));
}

/* What stands in front of the parenthesis at hand. */
static void note_call(struct scan *s, const struct stmt *ret)
{
	s->mentions |= mention_of_call(s->last);
	if (token_is(s->earlier, "from") || token_is(s->earlier, "join") || token_is(s->earlier, "lateral"))
		s->mentions |= MENTIONS_SYNTAX;
	s->saw_setval = s->saw_setval || token_is(s->last, "setval");
	if (may_call(s->last) && (s->saw_rows || ret->kind != STMT_INSERT))
		s->mentions |= MENTIONS_CALL;
}

/* What is neither a name nor a parenthesis. */
static unsigned mention_of_sign(const struct scan *s, struct token t)
{
	if (t.kind == TOKEN_OPERATOR && (*t.text.ptr == '?' || span_is(t.text, "#-")))
		return MENTIONS_FUNCTION | MENTIONS_SYNTAX;
	const bool foreign = is_foreign_operator(s, t) || is_array_text(s, t) ||
			     (token_is_punct(t, '.') && token_is_punct(s->last, ')'));
	return foreign ? MENTIONS_SYNTAX : 0;
}

static bool note_token(struct scan *s, struct token t, struct stmt *ret, struct pg_error *e)
{
	if (token_is_punct(t, '(')) {
		note_call(s, ret);
		if (!open_parenthesis(s, e))
			return false;
	} else if (token_is_punct(t, ')')) {
		close_parenthesis(s);
	} else if (token_is_name(t)) {
		s->mentions |= mention_of(t);
		if (token_is_punct(s->last, '(') && s->depth && !enter_subquery(s, t, e))
			return false;
		if (s->depth == 0)
			note_top_word(s, t, ret);
	} else {
		s->mentions |= mention_of_sign(s, t);
	}
	s->earlier = s->last;
	s->last = t;
	return note_parameter(s, t, e);
}

bool stmt_is_modifier(struct token t)
{
	static const char *const words[] = {"or",	"replace", "temp",	"temporary",  "local",	"global",
					    "unlogged", "unique",  "recursive", "persistent", "trusted"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

/* CREATE, ALTER, DROP, DISCARD: the tag says of what. */
static void make_tag(struct stmt *ret, const struct scan *s)
{
	static const struct {
		const char *word, *noun;
	} nouns[] = {{"macro", "FUNCTION"},
		     {"function", "FUNCTION"},
		     {"secret", "SECRET"},
		     {"materialized", "MATERIALIZED VIEW"}};
	struct token object = {0};
	for (size_t i = 1; i < s->word_count; i++)
		if (!stmt_is_modifier(s->words[i]) || ret->kind == STMT_DISCARD) {
			object = s->words[i];
			break;
		}
	const char *noun = NULL;
	for (size_t i = 0; i < ARRAY_LEN(nouns); i++)
		if (token_is(object, nouns[i].word))
			noun = nouns[i].noun;
	if (noun)
		(void)snprintf(ret->tag, sizeof(ret->tag), "%.*s %s", SPAN_ARG(s->words[0].text), noun);
	else
		(void)snprintf(ret->tag, sizeof(ret->tag), "%.*s %.*s", SPAN_ARG(s->words[0].text),
			       (int)(object.text.len < 30 ? object.text.len : 30), object.text.ptr);
	for (char *c = ret->tag; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c & ~0x20);
}

static bool word_at(const struct scan *s, size_t i, const char *word)
{
	return i < s->word_count && token_is(s->words[i], word);
}

/* Kinds that more than the first word tells; `object` is the first word behind the modifiers. */
static enum stmt_kind refine_ddl(const struct scan *s, enum stmt_kind kind)
{
	size_t object = 1;
	while (object < s->word_count && stmt_is_modifier(s->words[object]))
		object++;
	if (word_at(s, object, "secret"))
		return STMT_FORBIDDEN;
	if (word_at(s, object, "extension"))
		return STMT_EXTENSION;
	return kind == STMT_CREATE && word_at(s, object, "table") && s->saw_as ? STMT_CREATE_TABLE_AS : kind;
}

/* The engine's own listings are queries; the rest of SHOW shows settings. */
static bool shows_objects(const struct scan *s)
{
	static const char *const words[] = {"tables", "databases", "schemas"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (word_at(s, 1, words[i]))
			return true;
	return word_at(s, 1, "all") && word_at(s, 2, "tables");
}

/* SHOW TABLES, PRAGMA show_tables, DESCRIBE alone. */
static bool lists_objects(const struct scan *s)
{
	if (word_at(s, 0, "show"))
		return shows_objects(s);
	if (word_at(s, 0, "pragma"))
		return word_at(s, 1, "show_tables");
	return s->word_count == 1 && (word_at(s, 0, "describe") || word_at(s, 0, "desc"));
}

/* ALTER .. OWNER TO, ALTER SEQUENCE .. OWNED BY: all is the workspace's, and sequences of serial columns go with them anyway. */
static bool tells_owner(const struct scan *s)
{
	for (size_t i = 2; i < s->word_count; i++)
		if ((token_is(s->words[i], "owner") && word_at(s, i + 1, "to")) ||
		    (word_at(s, 1, "sequence") && token_is(s->words[i], "owned")))
			return true;
	return false;
}

static enum stmt_kind refine(const struct scan *s, enum stmt_kind kind)
{
	switch (kind) {
	case STMT_CREATE:
	case STMT_DROP:
		return refine_ddl(s, kind);
	case STMT_ALTER:
		if (tells_owner(s))
			return STMT_OWNER;
		return word_at(s, 1, "sequence") ? STMT_ALTER_SEQUENCE : refine_ddl(s, kind);
	case STMT_ROLLBACK:
		for (size_t i = 1; i < s->word_count; i++)
			if (token_is(s->words[i], "to"))
				return STMT_ROLLBACK_TO;
		return kind;
	case STMT_SET:
		return word_at(s, 1, "constraints") ? STMT_CONSTRAINTS : kind;
	case STMT_SHOW:
		return shows_objects(s) ? STMT_SELECT : kind;
	case STMT_UPDATE:
		return word_at(s, 1, "extensions") ? STMT_FORBIDDEN : kind;
	case STMT_SELECT:
		if (s->saw_setval)
			return STMT_SETVAL;
		return s->saw_into && word_at(s, 0, "select") ? STMT_CREATE_TABLE_AS : kind;
	default:
		return kind;
	}
}

static void finish(struct stmt *ret, const struct scan *s)
{
	ret->mentions = s->mentions;
	ret->parameters = s->parameters;
	const bool is_select = ret->kind == STMT_SELECT;
	if (lists_objects(s))
		ret->mentions |= MENTIONS_LISTING | MENTIONS_CATALOG;
	ret->kind = refine(s, ret->kind);
	if (is_select && ret->kind == STMT_CREATE_TABLE_AS)
		ret->mentions |= MENTIONS_SYNTAX; /* SELECT INTO */
	ret->class = KINDS[ret->kind].class;
	ret->tag_counts = KINDS[ret->kind].counts;
	ret->returns_rows = ret->class == STMT_QUERY || ret->kind == STMT_SHOW || ret->kind == STMT_FETCH ||
			    ret->kind == STMT_EXPLAIN || ret->kind == STMT_SETVAL ||
			    (ret->class == STMT_DML && (s->mentions & MENTIONS_RETURNING));
	if (KINDS[ret->kind].tag)
		(void)snprintf(ret->tag, sizeof(ret->tag), "%s", KINDS[ret->kind].tag);
	else
		make_tag(ret, s);
	if ((ret->kind == STMT_DEALLOCATE || ret->kind == STMT_CLOSE) && s->word_count &&
	    token_is(s->words[s->word_count - 1], "all"))
		(void)snprintf(ret->tag, sizeof(ret->tag), "%s ALL", KINDS[ret->kind].tag);
}

bool stmt_next(struct span *rest, struct stmt *ret, struct pg_error *e)
{
	struct lexer lx = {*rest};
	static const struct scan zero;
	struct scan s = zero;
	struct token t = lexer_next(&lx);
	*ret = (struct stmt){.kind = STMT_NONE};
	while (token_is_punct(t, ';'))
		t = lexer_next(&lx);
	const char *start = t.text.ptr, *end = start;
	if (t.kind == TOKEN_END) {
		*rest = lx.rest;
		return true;
	}
	struct token first = t;
	for (struct lexer inner = lx; token_is_punct(first, '(');)
		first = lexer_next(&inner);
	ret->kind = kind_of(first);
	s.with_waits = token_is(t, "with");
	for (; t.kind != TOKEN_END && !token_is_punct(t, ';'); t = lexer_next(&lx)) {
		if (!note_token(&s, t, ret, e))
			return false;
		end = t.text.ptr + t.text.len;
	}
	ret->text = (struct span){start, (size_t)(end - start)};
	*rest = lx.rest;
	finish(ret, &s);
	return true;
}

bool stmt_is_control(const struct stmt *s)
{
	static const enum stmt_kind others[] = {STMT_COPY, STMT_EXECUTE, STMT_DECLARE, STMT_FETCH, STMT_EXPLAIN};
	bool control = s->class == STMT_SESSION;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		control = control && s->kind != others[i];
	return control;
}

bool stmt_more(struct span rest)
{
	struct lexer lx = {rest};
	struct token t = lexer_next(&lx);
	while (token_is_punct(t, ';'))
		t = lexer_next(&lx);
	return t.kind != TOKEN_END;
}

/* Whether the parentheses ahead are those of a query, not of options. */
static bool is_query(struct lexer ahead)
{
	static const char *const words[] = {"select", "with", "values", "table", "from"};
	struct token t;
	do
		t = lexer_next(&ahead);
	while (token_is_punct(t, '('));
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

bool stmt_explained(const struct stmt *s, struct stmt *ret, struct pg_error *e)
{
	struct lexer lx = {s->text};
	(void)lexer_next(&lx);
	struct token t = lexer_peek(&lx);
	if (token_is_punct(t, '(') && !is_query(lx)) {
		int depth = 0;
		do {
			t = lexer_next(&lx);
			depth += token_is_punct(t, '(') - token_is_punct(t, ')');
		} while (depth > 0 && t.kind != TOKEN_END);
	}
	while (token_is(lexer_peek(&lx), "analyze") || token_is(lexer_peek(&lx), "analyse") ||
	       token_is(lexer_peek(&lx), "verbose"))
		(void)lexer_next(&lx);
	struct span rest = lx.rest;
	return stmt_next(&rest, ret, e);
}

/* Told after each statement: a printf() here shows in what a short one costs. */
void stmt_tag(const struct stmt *s, uint64_t rows, char ret[STMT_TAG_SIZE + 24])
{
	char digits[20];
	const size_t len = strnlen(s->tag, STMT_TAG_SIZE);
	size_t n = 0;
	memcpy(ret, s->tag, len);
	if (s->tag_counts) {
		do
			digits[n++] = (char)('0' + rows % 10);
		while ((rows /= 10));
		ret[len] = ' ';
	}
	for (size_t i = 0; i < n; i++)
		ret[len + 1 + i] = digits[n - 1 - i];
	ret[n ? len + 1 + n : len] = '\0';
}
