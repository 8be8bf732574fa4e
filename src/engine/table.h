/*
 * Table files: one DuckDB file per table, holding `main.data`, never modified
 * once published (see ARCHITECTURE.md).
 *
 * Reading: `struct table_files` attaches files to the data instance, read-only,
 * at most `max` at a time, least recently used ones detached first. The public
 * name is never attached but a hard link of it in a private folder, so a file
 * that is replaced by rename is simply another file: whoever holds a reference
 * to the old one goes on reading it.
 *
 *	table_attach(files, path, &ref, err);
 *	sql_printf(&sql, "SELECT count(*) FROM %s.main.data", table_ref_alias(ref));
 *	...
 *	table_release(ref);
 *
 * Writing: see staging.h. The primary key is no engine index; it is written in
 * the table's comment as JSON, {"version":1,"primary_key":["a","b"]}, and its
 * columns are NOT NULL.
 *
 * Threads: all functions are thread-safe; a reference may be used and released
 * by any thread. A reference taken before the data instance was rebuilt keeps its
 * file, but new sessions do not see it: ERR_ENGINE_REFUSED, attach again.
 */
#ifndef ENGINE_TABLE_H
#define ENGINE_TABLE_H

#include "engine/instance.h"
#include "engine/session.h"

struct table_files;
struct table_ref;

struct table_column {
	const char *name;
	const char *type; /* the engine's canonical text */
	bool nullable;
	const char *default_sql; /* NULL: none */
};

struct table_schema {
	size_t column_count;
	const struct table_column *columns;
	size_t key_count;
	const char *const *key; /* primary key's columns in declared order */
};

/* Which file it was: a replaced one differs. */
struct table_identity {
	uint64_t device;
	uint64_t inode;
	int64_t size;
	int64_t mtime_ns;
};

struct table_info {
	struct table_schema schema;
	int64_t row_count;
	int64_t size_bytes;
	struct table_identity identity;
	double dead_fraction; /* share of the file that holds nothing any more: free blocks and deleted rows */
};

struct table_files_config {
	struct instance *data;	 /* of one table_files only: they share its names */
	const char *private_dir; /* emptied at start, on the file system of the tables */
	size_t max;		 /* attached at a time; those in use may exceed it for a while */
};

struct table_files_stats {
	size_t attached;
	size_t in_use;
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions;
};

MUST_CHECK bool table_files_open(const struct table_files_config *config, struct table_files **ret, struct err *err);
/* Every reference must be released. */
void table_files_close(struct table_files *files);
void table_files_stats(struct table_files *files, struct table_files_stats *ret);
struct instance *table_files_instance(struct table_files *files);

/* ERR_TABLE_NOT_FOUND when there is no such file; ERR_ENGINE when it is no table file. */
MUST_CHECK bool table_attach(struct table_files *files, const char *path, struct table_ref **ret, struct err *err);
void table_release(struct table_ref *ref); /* NULL is fine */
void table_release_cleanup(void *ref);	   /* for arena_on_free */
/* Ready for SQL: the table is <alias>.main.data. */
const char *table_ref_alias(const struct table_ref *ref);
/* The engine's name of the attached file, unquoted (for appender_open and the like). */
const char *table_ref_catalog(const struct table_ref *ref);
const struct table_identity *table_ref_identity(const struct table_ref *ref);
/* Detaches what was attached from this path and is unused, e.g. after a delete; the rest goes when released. */
void table_forget(struct table_files *files, const char *path);
/* Detaches unused files whose every other name is gone: versions and snapshots that were removed, dropped folders. */
void table_reap(struct table_files *files);

MUST_CHECK bool table_identify(const char *path, struct table_identity *ret, struct err *err);
bool table_identity_eq(const struct table_identity *a, const struct table_identity *b);
/* Reads a file's schema and counts (some 2 ms), all of it in the arena. */
MUST_CHECK bool table_describe(struct table_files *files, const char *path, struct arena *arena, struct table_info *ret,
			       struct err *err);

/* NULL when there is none of that name; names compare without case, as in the engine. */
const struct table_column *table_column_find(const struct table_schema *schema, const char *name);
bool table_column_in_key(const struct table_schema *schema, const char *name);
/* A deep copy. */
void table_schema_copy(const struct table_schema *from, struct arena *arena, struct table_schema *ret);

#endif
