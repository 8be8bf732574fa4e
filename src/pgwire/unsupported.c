#include "pgwire/unsupported.h"

#define KEYS	   "CHECK, UNIQUE, PRIMARY KEY and FOREIGN KEY are what there is."
#define LOGINS	   "A workspace has one login, which is managed over REST."
#define DATABASES  "A workspace is one database; more of them are made over REST, as workspaces."
#define MACROS	   "Functions are macros: CREATE FUNCTION f(a, b) AS a + b."
#define TRIGGERS   "There are no triggers and rules: carry out what they would do in the same transaction."
#define ROWS	   "Rows have no rights of their own: show others a view."
#define STORED	   "CREATE OR REPLACE TABLE t AS SELECT .. keeps the rows of a query, and brings them up to date."
#define INDEXES	   "CREATE [UNIQUE] INDEX name ON t (columns) is what there is."
#define STATISTICS "The engine keeps its statistics by itself."
#define PARTS	   "One table holds all rows: the engine skips what a filter leaves out by itself."
#define UNIONS	   "CREATE VIEW .. AS SELECT .. UNION ALL SELECT .. shows several tables as one."
#define PLANS	   "EXPLAIN, EXPLAIN ANALYZE and EXPLAIN (FORMAT JSON) are what there is."

static const struct {
	const char *sqlstate, *pattern, *what, *hint;
} STATEMENTS[] = {
#define UNSUPPORTED(pattern, what, hint) {"0A000", pattern, what, hint},
#define DENIED(pattern, what, hint)	 {"42501", pattern, what, hint},
#include "pgwire/unsupported.def"
#undef UNSUPPORTED
#undef DENIED
};

/* What the engine says of forms that may stand anywhere in a statement. */
static const struct {
	const char *engine, *what, *hint;
} SAYINGS[] = {
	{"A CTE needs a SELECT", "a statement in WITH that changes rows",
	 "Send two statements in one transaction: the change with RETURNING, then the query."},
	{"Adding columns with constraints not yet supported", "a constraint of a column that is added",
	 "Add it in a statement of its own: ALTER TABLE t ADD COLUMN c .."},
	{"Unimplemented explain type", "this option of EXPLAIN", PLANS},
	{"Function with name lastval does not exist", "lastval()",
	 "INSERT .. RETURNING tells the number that a column got; nextval('s') gives one beforehand."},
};

static bool fits(const char *pattern, struct span text)
{
	struct lexer lx = {text};
	struct span rest = span_of(pattern);
	struct token t = lexer_next(&lx);
	while (rest.len) {
		struct span word = span_cut(&rest, ' ');
		const bool any = span_is(word, "*");
		if (any)
			word = span_cut(&rest, ' ');
		while (any && t.kind != TOKEN_END && !span_eq_nocase(t.text, word))
			t = lexer_next(&lx);
		if (t.kind == TOKEN_END || !span_eq_nocase(t.text, word))
			return false;
		t = lexer_next(&lx);
		while (span_is(word, "create") && stmt_is_modifier(t))
			t = lexer_next(&lx);
	}
	return true;
}

static bool tell(struct pg_error *e, const char *sqlstate, const char *what, const char *hint)
{
	const uint32_t position = e->position;
	const bool denied = strcmp(sqlstate, "42501") == 0;
	(void)pg_error_set(e, sqlstate, denied ? "permission denied for %s" : "%s is not supported", what);
	pg_error_hint(e, "%s", hint);
	e->position = denied ? 0 : position;
	return false;
}

/* Always false when the table has the statement. */
static bool tell_statement(const struct stmt *s, struct pg_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(STATEMENTS); i++)
		if (fits(STATEMENTS[i].pattern, s->text))
			return tell(e, STATEMENTS[i].sqlstate, STATEMENTS[i].what, STATEMENTS[i].hint);
	return true;
}

bool unsupported(const struct stmt *s, struct pg_error *e)
{
	return tell_statement(s, e) && tell(e, "0A000", s->tag, "The engine has no such statement.");
}

bool unsupported_apply(const struct stmt *s, struct pg_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(SAYINGS); i++)
		if (strstr(e->message, SAYINGS[i].engine))
			return tell(e, "0A000", SAYINGS[i].what, SAYINGS[i].hint);
	const bool refused = strcmp(e->sqlstate, "42601") == 0 || strcmp(e->sqlstate, "0A000") == 0;
	return !refused || tell_statement(s, e);
}
