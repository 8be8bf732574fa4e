/*
 * Rewrites a statement in PostgreSQL's dialect into one the engine takes. Only
 * what the engine refuses, and what reads pg_catalog or information_schema, is
 * touched; every other statement passes unchanged (and uncopied). Works on
 * tokens: the text between them, comments included, stays.
 *
 * The session answers for what it alone knows through struct rewrite_hooks.
 * Positions the engine reports in the new text map back with rewrite_origin().
 *
 * One statement may become several, separated by semicolons (DROP TABLE a, b;
 * serial columns): `statements` tells how many.
 */
#ifndef PGWIRE_REWRITE_H
#define PGWIRE_REWRITE_H

#include "pgwire/stmt.h"

enum { REWRITE_TOKENS_MAX = 1000000, REWRITE_ARGUMENTS_MAX = 8 };

struct buf;

/* What is written instead of a literal. */
struct rewrite_literal {
	const char *at; /* in the statement's text */
	const char *text;
};

/* An operator that the engine has for other types: its operands become the arguments of a function. */
struct rewrite_operator {
	const char *at; /* in the statement's text */
	const char *call;
};

/* A table's columns, and those of its primary key. */
struct rewrite_key {
	const char *const *columns, *const *key;
	size_t count, key_count;
};

/* Why the engine refused the statement in the form it has without them (rewrite_refused.c). */
enum rewrite_refusal { REFUSED_GROUPS = 1 << 0, REFUSED_CONFLICT = 1 << 1 };

struct rewrite_hooks {
	void *session;
	/* A relation of pg_catalog that mirrors the session's state (pg_settings, ...): writes "(SELECT ..)". */
	bool (*relation)(void *session, struct span name, struct buf *out);
	/*
	 * A call whose arguments are all literals (strings without their quotes): writes an expression. False: none of
	 * the session's.
	 */
	bool (*call)(void *session, struct span name, const struct span *arguments, size_t n, struct buf *out);
	/* A quoted name with dots or dashes that stands where a schema does: writes the bucket's own name. */
	bool (*bucket)(void *session, struct span name, struct buf *out);
	/* The engine's name, quoted, of the database whose schema main is the workspace's; NULL: main alone will do. */
	const char *database;
	bool has_temp; /* the session may have temporary objects, which would stand in front of main's */
	const struct rewrite_literal *literals; /* ascending; those of which the columns tell what they are */
	size_t literal_count;
	unsigned refused;			  /* enum rewrite_refusal */
	const struct rewrite_operator *operators; /* ascending */
	size_t operator_count;
	/* False: nobody knows the table, or it has no primary key. */
	bool (*key)(void *session, struct span schema, struct span table, struct rewrite_key *ret);
	/* Writes the columns of a constraint that keeps rows apart: (a, b). */
	bool (*constraint)(void *session, struct span schema, struct span table, struct span name, struct buf *out);
};

struct rewrite_mark {
	uint32_t out, in;
};

struct rewritten {
	struct span sql;
	struct rewrite_mark *marks; /* ascending */
	size_t mark_count;
};

MUST_CHECK bool rewrite(const struct stmt *s, const struct rewrite_hooks *hooks, struct arena *arena,
			struct rewritten *ret, struct pg_error *e);
/* The byte offset in the statement's text for one in the rewritten text. */
size_t rewrite_origin(const struct rewritten *r, size_t offset);

#endif
