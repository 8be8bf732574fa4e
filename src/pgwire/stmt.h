/*
 * What a statement is, from its tokens alone: where it ends in a text of many,
 * its kind, who carries it out, its command tag, and what in it needs rewriting
 * before the engine may see it. The engine's own statement type, known after
 * parsing, decides about permissions as well; this is the first of two nets.
 *
 * stmt_next() also refuses what would hurt the engine: scalar subqueries
 * nested more than STMT_SUBQUERIES_MAX deep (its planner's time explodes
 * and cannot be interrupted) and parentheses deeper than STMT_DEPTH_MAX.
 */
#ifndef PGWIRE_STMT_H
#define PGWIRE_STMT_H

#include "pgwire/lexer.h"
#include "pgwire/sqlstate.h"

/* What names of sequences behind serial columns of temporary tables begin with. */
#define SERIAL_TEMP_PREFIX "pg_temp_"
/* The comment of a sequence whose column takes no other values. */
#define IDENTITY_COMMENT "GENERATED ALWAYS AS IDENTITY"

enum { STMT_SUBQUERIES_MAX = 16, STMT_DEPTH_MAX = 500, STMT_TAG_SIZE = 64 };

enum stmt_class {
	STMT_EMPTY,
	STMT_QUERY,   /* the engine returns rows */
	STMT_DML,     /* the engine returns a count, or rows with RETURNING */
	STMT_DDL,     /* the engine changes objects */
	STMT_SESSION, /* carried out here: command.h */
	STMT_NOTHING, /* accepted without effect */
	STMT_REFUSED  /* 42501 */
};

enum stmt_kind {
#define STMT(id, class, tag, counts) STMT_##id,
#include "pgwire/stmt.def"
#undef STMT
	STMT_KIND_COUNT
};

/* What the text mentions. */
enum stmt_mention {
	MENTIONS_CATALOG = 1 << 0, /* pg_catalog, information_schema, pg_..., reg types */
	MENTIONS_PUBLIC = 1 << 1,  /* the schema public */
	MENTIONS_SYNTAX = 1 << 2,  /* PostgreSQL syntax the engine refuses */
	MENTIONS_RETURNING = 1 << 3,
	MENTIONS_QUOTED_DOTS = 1 << 4, /* "in.c-fin" */
	MENTIONS_SETTING = 1 << 5,     /* functions that show or change the session's state */
	MENTIONS_FUNCTION = 1 << 6,    /* functions of the catalog that the engine lacks or answers differently */
	MENTIONS_MAIN = 1 << 7,	       /* the workspace's own schema, under the engine's name */
	MENTIONS_TEMP = 1 << 8,	       /* temp, temporary, pg_temp */
	MENTIONS_PG_TEMP = 1 << 9,     /* PostgreSQL's name of the session's temporary schema */
	MENTIONS_TABLES = 1 << 10,     /* a word in front of tables: rows may be read */
	MENTIONS_CALL = 1 << 11,       /* a name in front of a parenthesis: perhaps a macro that reads tables */
	MENTIONS_EXISTS = 1 << 12,     /* IF [NOT] EXISTS */
	MENTIONS_LISTING = 1 << 13     /* SHOW TABLES and the like, which are queries of the catalog */
};

struct stmt {
	enum stmt_kind kind;
	enum stmt_class class;
	struct span text;	 /* without blanks around and without the semicolon */
	char tag[STMT_TAG_SIZE]; /* without the count */
	bool tag_counts;
	bool returns_rows;
	unsigned mentions;
	unsigned parameters; /* the highest $n */
};

/*
 * Takes the next statement off *rest; at the end its kind is STMT_NONE and *rest is empty. A statement that is only
 * blanks and comments before a semicolon is skipped, so a text without any statement gives STMT_NONE at once.
 */
MUST_CHECK bool stmt_next(struct span *rest, struct stmt *ret, struct pg_error *e);
/* CREATE [UNIQUE] INDEX */
bool stmt_makes_index(const struct stmt *s);
/* Whether a name is that of the session's temporary schema in PostgreSQL: the alias, or the one the catalog tells. */
bool stmt_is_temp_schema(struct span name);
/* CREATE TABLE .. AS .. WITH NO DATA */
bool stmt_has_no_data(const struct stmt *s);
/* A command of this door that reads and writes nothing in the engine: it needs no transaction. */
bool stmt_is_control(const struct stmt *s);
/* A word between CREATE and what is created. */
bool stmt_is_modifier(struct token t);
/* True when another statement follows. */
bool stmt_more(struct span rest);
/* The statement behind EXPLAIN. */
MUST_CHECK bool stmt_explained(const struct stmt *s, struct stmt *ret, struct pg_error *e);
/*
 * A query of the catalog alone, or of functions of the catalog: what it names is the engine's before it is the tenant's, as
 * PostgreSQL looks into pg_catalog first. None that names a table by a schema of the workspace's or by a bucket.
 */
bool stmt_asks_catalog(const struct stmt *s);
/* The tag with its count, as CommandComplete carries it. */
void stmt_tag(const struct stmt *s, uint64_t rows, char ret[STMT_TAG_SIZE + 24]);

#endif
