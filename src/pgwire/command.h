/*
 * The statements this server carries out itself, parsed into structs: they
 * never reach the engine as they are. Everything lives in the arena given or in
 * the statement's text. Errors are 42601 with a position.
 */
#ifndef PGWIRE_COMMAND_H
#define PGWIRE_COMMAND_H

#include "pgwire/stmt.h"

enum { COMMAND_LIST_MAX = 4096 };

/* BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT; SET TRANSACTION has the same modes. */
struct command_transaction {
	bool has_isolation, has_access, read_only, has_deferrable, deferrable;
	struct span isolation; /* "read committed", lower case */
	bool chain;
};
MUST_CHECK bool command_transaction(const struct stmt *s, struct arena *arena, struct command_transaction *ret,
				    struct pg_error *e);

enum set_scope { SET_SESSION, SET_LOCAL, SET_TRANSACTION, SET_CHARACTERISTICS };

/* SET, RESET, SHOW. */
struct command_set {
	enum set_scope scope;
	struct span name;		  /* as written, lower case; SPAN_NONE: ALL */
	bool is_default;		  /* SET x TO DEFAULT, RESET x */
	bool is_current;		  /* SET x FROM CURRENT */
	struct span value;		  /* list items joined by ", " */
	struct command_transaction modes; /* SET_TRANSACTION, SET_CHARACTERISTICS */
};
MUST_CHECK bool command_set(const struct stmt *s, struct arena *arena, struct command_set *ret, struct pg_error *e);

/* SAVEPOINT, RELEASE, ROLLBACK TO, DEALLOCATE, CLOSE, DISCARD: one name; SPAN_NONE: ALL. */
MUST_CHECK bool command_name(const struct stmt *s, struct arena *arena, struct span *ret, struct pg_error *e);

struct command_prepare {
	struct span name;
	uint32_t *types;
	size_t type_count;
	struct span body;
};
MUST_CHECK bool command_prepare(const struct stmt *s, struct arena *arena, struct command_prepare *ret,
				struct pg_error *e);

struct command_execute {
	struct span name;
	struct span *arguments; /* expressions, as text */
	size_t argument_count;
};
MUST_CHECK bool command_execute(const struct stmt *s, struct arena *arena, struct command_execute *ret,
				struct pg_error *e);

struct command_declare {
	struct span name;
	bool binary, insensitive, asensitive, scroll, no_scroll, hold;
	struct span query;
};
MUST_CHECK bool command_declare(const struct stmt *s, struct arena *arena, struct command_declare *ret,
				struct pg_error *e);

enum fetch_direction { FETCH_FORWARD, FETCH_BACKWARD, FETCH_ABSOLUTE, FETCH_RELATIVE };

/* FETCH, MOVE. A count of INT64_MAX means ALL; PRIOR is BACKWARD 1, FIRST is ABSOLUTE 1, LAST is ABSOLUTE -1. */
struct command_fetch {
	enum fetch_direction direction;
	int64_t count;
	struct span name;
};
MUST_CHECK bool command_fetch(const struct stmt *s, struct arena *arena, struct command_fetch *ret, struct pg_error *e);

enum copy_format { COPY_TEXT, COPY_CSV, COPY_BINARY };
enum copy_header { COPY_NO_HEADER, COPY_HEADER, COPY_HEADER_MATCH };

/* Lists of columns for FORCE_...: all, or those named. */
struct copy_columns {
	bool all;
	struct span *names;
	size_t count;
};

struct copy_encoding; /* copy_encoding.h */

struct copy_options {
	enum copy_format format;
	char delimiter, quote, escape;
	struct span null;
	enum copy_header header;
	struct copy_columns force_quote, force_not_null, force_null;
	const struct copy_encoding *encoding; /* NULL: UTF-8 */
};

struct command_copy {
	bool is_from;	    /* COPY .. FROM STDIN */
	struct span schema; /* SPAN_NONE: not given */
	struct span table;
	struct span target; /* schema and table as written */
	struct span query;  /* COPY (query) TO */
	struct span where;  /* COPY .. FROM STDIN WHERE condition */
	struct span *columns;
	size_t column_count;
	struct copy_options options;
};
/* A file or a program is 42501. */
MUST_CHECK bool command_copy(const struct stmt *s, struct arena *arena, struct command_copy *ret, struct pg_error *e);

#endif
