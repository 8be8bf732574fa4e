/*
 * What the list of a SELECT (or of RETURNING) says about its columns, from the
 * tokens alone: which are plain references, and the tables they may refer to.
 * select_list_read() answers false for what it does not understand (set
 * operations, WITH, star expressions with lists): then nothing is known. It
 * never guesses; what a name means is for whoever knows the tables.
 *
 * Spans point into the statement or the arena; names are folded as PostgreSQL
 * folds them. Pure.
 */
#ifndef PGWIRE_SELECT_LIST_H
#define PGWIRE_SELECT_LIST_H

#include "pgwire/stmt.h"

enum { SELECT_TOKENS_MAX = 20000 };

enum select_item_kind { ITEM_EXPRESSION, ITEM_COLUMN, ITEM_STAR };

struct select_item {
	enum select_item_kind kind;
	bool labelled;	    /* AS name */
	struct span table;  /* in front of the column or the star; SPAN_NONE: nothing */
	struct span column; /* ITEM_COLUMN */
	struct span callee; /* of an expression that is one call: the function; else SPAN_NONE */
	struct span name;   /* without a label: what PostgreSQL calls the column; SPAN_NONE: nobody knows */
};

struct select_source {
	bool known; /* a table by its name; else a subquery, a function, ... */
	struct span schema, name;
	struct span alias; /* what it is called in the list: the alias or the name */
};

struct select_list {
	struct select_item *items;
	size_t item_count;
	struct select_source *sources;
	size_t source_count;
	bool is_values; /* VALUES: columns without names */
	bool has_items; /* the items are known, even when the rest is not: those of the first of several results */
};

bool select_list_read(const struct stmt *s, struct arena *arena, struct select_list *ret);

#endif
