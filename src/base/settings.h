/*
 * Settings of the server, read once at start: flags win over the environment,
 * the environment over `.env`, that over the defaults. Immutable afterwards, so
 * every thread reads them freely. settings.def is the list.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include "base/buf.h"
#include "base/err.h"

struct settings {
#define GROUP(title)
#define TEXT(field, name, value, help)		 const char *field;
#define SECRET(field, name, value, help)	 const char *field;
#define INT(field, name, value, min, max, help)	 int64_t field;
#define SIZE(field, name, value, min, max, help) int64_t field;
#define BOOL(field, name, value, help)		 bool field;
#define CHOICE(field, name, value, of, help)	 const char *field;
#include "base/settings.def"
#undef GROUP
#undef TEXT
#undef SECRET
#undef INT
#undef SIZE
#undef BOOL
#undef CHOICE
	/* Resolved */
	char *staging_dir; /* duckdb_dir/_staging: same file system as the tables */
	char *owned[512];  /* texts this struct owns */
	size_t owned_count;
};

/*
 * Defaults, then `env_file` (may be absent), then the environment, then flags of argv ("--port 8000" or "--port=8000").
 * ERR_INVALID_CONFIG names the faulty setting and what it takes.
 */
MUST_CHECK bool settings_load(struct settings *s, const char *env_file, int argc, const char *const *argv,
			      struct err *err);
void settings_done(struct settings *s);
/* The options part of --help, or a Markdown table for the docs. */
void settings_help(struct buf *out, bool markdown);
/* Effective values, one NAME=value a line; secrets as *** */
void settings_show(const struct settings *s, struct buf *out);

#endif
