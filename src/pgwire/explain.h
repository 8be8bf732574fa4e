/*
 * EXPLAIN as PostgreSQL's clients know it: the options in parentheses or as the
 * old words ANALYZE and VERBOSE, and the engine's plan in JSON as the tree of
 * nodes that tools draw: [{"Plan": {"Node Type": .., "Plans": [..]}}].
 *
 * Of the options ANALYZE and FORMAT change what is shown. VERBOSE, COSTS,
 * BUFFERS, TIMING, SUMMARY and SETTINGS are taken and change nothing: the
 * engine always shows its estimates, and what it measured with ANALYZE.
 */
#ifndef PGWIRE_EXPLAIN_H
#define PGWIRE_EXPLAIN_H

#include "base/buf.h"
#include "pgwire/stmt.h"

enum explain_format {
	EXPLAIN_TEXT, /* a row for each line; one for all in other formats */
	EXPLAIN_JSON,
	EXPLAIN_YAML, /* this and the following in the engine's own form */
	EXPLAIN_HTML,
	EXPLAIN_GRAPHVIZ,
	EXPLAIN_MERMAID
};

struct explain {
	bool analyze;
	enum explain_format format;
	struct stmt inner; /* the statement explained */
};

/* 42601 and 22023 as PostgreSQL has them; 0A000 for a format that there is not. */
MUST_CHECK bool explain_parse(const struct stmt *s, struct explain *ret, struct pg_error *e);
/* EXPLAIN with the engine's options, in front of the statement to explain. */
const char *explain_prefix(const struct explain *x);
/* The engine's plan in JSON as PostgreSQL's; false: it is none. */
MUST_CHECK bool explain_nodes(struct span plan, struct buf *out);

#endif
