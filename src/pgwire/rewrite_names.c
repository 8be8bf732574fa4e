/* Names of schemas: PostgreSQL's, the session's own, and the project's buckets in another spelling. */
#include "pgwire/rewrite_inner.h"

static bool is_one_of(const struct rewriter *r, size_t i, const char *const words[], size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (piece_is(r, i, words[k]))
			return true;
	return false;
}

/* "pg_catalog." in front of a function or a type goes; in front of a relation it names the database of the catalog. */
static void catalog_prefix(struct rewriter *r, size_t i, const char *schema)
{
	bool is_type = i > 0 && (r->p[i - 1].t.kind == TOKEN_CAST || piece_is(r, i - 1, "as"));
	bool is_collation = i > 0 && piece_is(r, i - 1, "collate");
	if (is_type || is_collation || piece_punct(r, i + 3, '('))
		piece_drop(r, i, i + 2);
	else
		r->p[i].text = schema;
}

static void quoted_bucket(struct rewriter *r, size_t i)
{
	struct buf out = BUF(1000);
	if (r->hooks->bucket && r->hooks->bucket(r->hooks->session, token_name(r->p[i].t, r->arena), &out) &&
	    !out.failed)
		r->p[i].text = arena_copy(r->arena, buf_view(&out));
	buf_done(&out);
}

/* --- the session's own schemas --- */

/* A table alias of the name makes name.x a column. */
static bool is_alias(const struct rewriter *r, const char *name)
{
	for (size_t i = 1; i < r->n; i++)
		if (piece_named(r, i, name) && !piece_punct(r, i + 1, '.') && !piece_is(r, i - 1, "schema") &&
		    piece_is_name(r, i - 1))
			return true;
	return false;
}

/* The text of a definition that outlives the session: there names must mean what they mean to it now. */
static bool is_kept(const struct stmt *s)
{
	return strcmp(s->tag, "CREATE VIEW") == 0 || strcmp(s->tag, "CREATE FUNCTION") == 0;
}

/* Whether s.x at i stands for an object: behind a word that one follows, in front of a column's name or of arguments. */
static bool stands_for_object(const struct rewriter *r, size_t i)
{
	static const char *const words[] = {"from",    "join",	   "into",     "update", "table",    "view",
					    "index",   "sequence", "type",     "macro",	 "function", "exists",
					    "only",    "copy",	   "truncate", "using",	 "describe", "desc",
					    "analyze", "lateral",  "summarize"};
	if (i == 0 || is_one_of(r, i - 1, words, ARRAY_LEN(words)))
		return true;
	if (piece_is(r, i - 1, "on"))
		return strcmp(r->stmt->tag, "CREATE INDEX") == 0;
	return (piece_punct(r, i - 1, ',') || piece_punct(r, i - 1, '(')) && !r->p[i].in_select_list;
}

/* Of another database a key may refer to none, even if it is the same. */
static bool needs_database(const struct rewriter *r, size_t i)
{
	return r->hooks->database && (r->hooks->has_temp || is_kept(r->stmt)) &&
	       !(i > 0 && piece_is(r, i - 1, "references"));
}

/* s.x.c, s.x.*, s.f(..), ::s.type */
static bool stands_for_more(const struct rewriter *r, size_t i)
{
	return piece_punct(r, i + 3, '.') || piece_punct(r, i + 3, '(') || (i > 0 && r->p[i - 1].t.kind == TOKEN_CAST);
}

static bool is_star(const struct rewriter *r, size_t i)
{
	return piece_punct(r, i + 3, '.') && piece_operator(r, i + 4, "*");
}

/* main.x and public.x: the permanent object, also where a temporary one has its name. */
static void own_schema(struct rewriter *r, size_t i, bool alias)
{
	const bool object = stands_for_object(r, i);
	const bool whole = needs_database(r, i) && (object || stands_for_more(r, i));
	if (alias && !object)
		return;
	if (whole && is_star(r, i))
		piece_drop(r, i, i + 2); /* the parser takes a.b.*, not d.a.b.* */
	else if (whole)
		r->p[i].text = arena_printf(r->arena, "%s.main", r->hooks->database);
	else if (piece_named(r, i, "public"))
		r->p[i].text = "main";
}

/* The name that CREATE gives, where it is qualified with the temporary schema; r->n: it is not. */
static size_t created_in_temp(const struct rewriter *r, size_t i)
{
	static const char *const objects[] = {"table", "view", "sequence", "macro", "function"};
	const bool creates = r->stmt->kind == STMT_CREATE || r->stmt->kind == STMT_CREATE_TABLE_AS;
	size_t at = i;
	if (!creates || !piece_is(r, 0, "create"))
		return r->n;
	if (at >= 3 && piece_is(r, at - 1, "exists"))
		at -= 3;
	return at > 0 && is_one_of(r, at - 1, objects, ARRAY_LEN(objects)) ? at - 1 : r->n;
}

/* pg_temp.x; what is made there is made with TEMP, which takes no schema. */
static void temp_schema(struct rewriter *r, size_t i)
{
	const size_t object = created_in_temp(r, i);
	if (object >= r->n) {
		if (is_star(r, i))
			piece_drop(r, i, i + 2);
		else
			r->p[i].text = "temp.main";
		return;
	}
	piece_drop(r, i, i + 2);
	r->makes_temp = true;
	for (size_t k = 1; k < object; k++)
		if (piece_is(r, k, "temp") || piece_is(r, k, "temporary"))
			return;
	r->p[object].before = "TEMP ";
}

bool rewrite_names_needed(const struct stmt *s, const struct rewrite_hooks *hooks)
{
	return (s->mentions & MENTIONS_PG_TEMP) ||
	       ((s->mentions & MENTIONS_MAIN) && hooks->database && (hooks->has_temp || is_kept(s)));
}

void rewrite_names(struct rewriter *r)
{
	const unsigned mentions = r->stmt->mentions;
	const bool public_alias = (mentions & MENTIONS_PUBLIC) && is_alias(r, "public");
	const bool main_alias = (mentions & MENTIONS_MAIN) && is_alias(r, "main");
	for (size_t i = 0; i + 2 < r->n; i++) {
		if (!piece_punct(r, i + 1, '.') || (i > 0 && piece_punct(r, i - 1, '.')))
			continue;
		if (piece_named(r, i, "pg_catalog"))
			catalog_prefix(r, i, "_pg.main");
		else if (piece_named(r, i, "information_schema"))
			catalog_prefix(r, i, "_pg.info");
		else if (piece_named(r, i, "public"))
			own_schema(r, i, public_alias);
		else if (piece_named(r, i, "main"))
			own_schema(r, i, main_alias);
		else if ((mentions & MENTIONS_PG_TEMP) && piece_is_name(r, i) &&
			 stmt_is_temp_schema(token_name(r->p[i].t, r->arena)))
			temp_schema(r, i);
		else if (r->p[i].t.kind == TOKEN_QUOTED)
			quoted_bucket(r, i);
	}
}
