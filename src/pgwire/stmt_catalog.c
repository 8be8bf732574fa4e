/* Which statements ask the catalog, and nothing of the tenant's in which names would mean something else. */
#include "pgwire/catalog.h"
#include "pgwire/stmt.h"

/* Words behind which a list of tables ends. */
static bool ends_from(struct token t)
{
	static const char *const words[] = {"where", "group",  "order",	    "having", "limit",
					    "union", "except", "intersect", "window"};
	return token_is_one_of(t, words, ARRAY_LEN(words));
}

/* A schema of the workspace's own is looked for in the database that is first on the search path. */
static bool is_known_schema(struct token t)
{
	static const char *const schemas[] = {"pg_catalog", "information_schema", "main", "public", "pg_temp", "temp"};
	const struct span name =
		t.kind == TOKEN_QUOTED && t.text.len > 2 ? (struct span){t.text.ptr + 1, t.text.len - 2} : t.text;
	for (size_t i = 0; i < ARRAY_LEN(schemas); i++)
		if (span_eq_nocase(name, span_of(schemas[i])))
			return true;
	return false;
}

/* A table whose schema is none of the catalog's, or whose name is like those that the catalog has for itself. */
static bool is_tenants(struct token t, struct token next)
{
	return token_is_punct(next, '.') ? !is_known_schema(t)
					 : t.text.len && t.text.ptr[t.kind == TOKEN_QUOTED] == '_';
}

/* Where the scan is: whether a list of tables is open at each depth of parentheses. */
struct place {
	bool in_from[STMT_DEPTH_MAX + 1];
	size_t depth;
};

static void step(struct place *p, struct token t)
{
	if (token_is_punct(t, '(')) {
		p->depth += p->depth < STMT_DEPTH_MAX;
		p->in_from[p->depth] = false;
	} else if (token_is_punct(t, ')')) {
		p->depth -= p->depth > 0;
	} else if (token_is(t, "from") || token_is(t, "join")) {
		p->in_from[p->depth] = true;
	} else if (token_is(t, "select") || ends_from(t)) {
		p->in_from[p->depth] = false;
	}
}

static bool may_be_table(const struct place *p, struct token before)
{
	return token_is(before, "from") || token_is(before, "join") ||
	       (token_is_punct(before, ',') && p->in_from[p->depth]);
}

bool stmt_asks_catalog(const struct stmt *s)
{
	const bool catalog = s->mentions & MENTIONS_CATALOG;
	struct place place = {.depth = 0};
	struct lexer lx = {s->text};
	struct token before = {0};
	if (s->class != STMT_QUERY || (s->mentions & MENTIONS_LISTING) ||
	    (!catalog && (!(s->mentions & MENTIONS_FUNCTION) || (s->mentions & MENTIONS_TABLES))))
		return false;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; before = t, t = lexer_next(&lx)) {
		const struct token next = lexer_peek(&lx);
		if (token_is_name(t) && may_be_table(&place, before) && is_tenants(t, next))
			return false;
		if (!catalog && token_is_name(t) && token_is_punct(next, '(') && !catalog_function(t.text))
			return false;
		step(&place, t);
	}
	return true;
}
