/*
 * What tenants may not run. The engine's lock-down holds back what leaves the private folder (workspace_instance.h); here
 * stands what it does not: statements that attach, copy or configure, and functions that read files or tell about the
 * process, its paths and other sessions.
 */
#include "pgwire/backend.h"
#include "pgwire/unsupported.h"

#include <stdlib.h>

/* Functions by name or, ending in '*', by the start of the name. */
static const char *const DENIED[] = {
	"read_*",
	"parquet_*",
	"sniff_csv",
	"glob",
	"getenv",
	"duckdb_databases",
	"duckdb_settings",
	"duckdb_secrets",
	"duckdb_extensions",
	"duckdb_temporary_files",
	"duckdb_memory",
	"duckdb_logs*",
	"duckdb_log_contexts",
	"duckdb_connection*",
	"duckdb_prepared_statements",
	"duckdb_external_file_cache",
	"duckdb_approx_database_count",
	"duckdb_profiling_settings",
	"duckdb_variables",
	"duckdb_which_secret",
	"which_secret",
	"pragma_database_list",
	"pragma_database_size",
	"pragma_platform",
	"pragma_user_agent",
	"pragma_metadata_info",
	"enable_logging",
	"disable_logging",
	"set_log_*",
	"write_log",
	"parse_duckdb_log_message",
	"truncate_duckdb_logs",
	"enable_profiling",
	"disable_profiling",
	"enable_checkpoint_on_shutdown",
	"force_checkpoint",
	"checkpoint",
	"import_database",
	"json_execute_serialized_sql",
	"json_serialize_plan",
	/* These go as deep as the JSON that they are given, and past the end of the thread's stack. */
	"json_deserialize_sql",
	"json_structure",
	"json_group_structure",
	"histogram_values",
	"query",
	"query_table",
	"test_all_types",
	"test_vector_types",
	"repeat_row",
	"arrow_scan*",
	"pandas_scan",
	"python_map_function",
	"seq_scan",
	"load_*",
	"st_read*",
	"iceberg_*",
	"delta_scan",
	"postgres_*",
	"mysql_*",
	"sqlite_*",
	"http_*",
	"shell*",
	"lo_import",
	"lo_export",
	"pg_read_*",
	"pg_ls_*",
	"pg_stat_file",
	"pg_file_*",
	"dblink*",
	"currval_*",
	"add_parquet_key",
	"__internal_*",
	"duckdb_secret_types",
	"sql_auto_complete",
	"check_peg_parser",
	"enable_peg_parser",
	"disable_peg_parser",
	"copy_database",
};

/* These go as deep as their last argument, a structure, says. */
static const char *const STRUCTURED[] = {"from_json", "from_json_strict", "json_transform", "json_transform_strict"};

/* What PRAGMA and CALL may be. */
static const char *const PRAGMAS[] = {"table_info",  "show",	       "show_tables",
				      "version",     "storage_info",   "pragma_table_info",
				      "pragma_show", "pragma_version", "pragma_storage_info"};

static bool matches(const char *pattern, struct span name)
{
	size_t n = strlen(pattern);
	if (pattern[n - 1] == '*')
		return name.len >= n - 1 && strncasecmp(name.ptr, pattern, n - 1) == 0;
	return name.len == n && strncasecmp(name.ptr, pattern, n) == 0;
}

static bool is_denied(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(DENIED); i++)
		if (matches(DENIED[i], name))
			return true;
	return false;
}

static bool denied(struct pg_error *e, const char *what, struct span name)
{
	return pg_error_set(e, "42501", "permission denied for %s %.*s", what, (int)(name.len < 100 ? name.len : 100),
			    name.ptr);
}

/* What stands between a pair of brackets, or at the top. */
struct scope {
	bool from;     /* in a FROM clause: a comma leads to the next table */
	bool table;    /* its first word may be a table: FROM (a JOIN b) */
	bool argument; /* extract(year FROM x): no table follows FROM */
};

/* A walk over a statement that knows where tables are named. */
struct scan {
	struct scope scopes[STMT_DEPTH_MAX + 1];
	size_t depth;
	struct token before, before_that;
	bool at_table; /* the token at hand stands where a table does */
	bool name;     /* so does the name that it goes on: a.b, or the alias in front of its table, a : b */
	bool distinct; /* the last FROM was one of IS DISTINCT FROM */
};

static bool leads_to_table(const struct scan *s)
{
	static const char *const words[] = {"join",    "describe", "desc",    "summarize",   "table",
					    "using",   "pivot",	   "unpivot", "pivot_wider", "pivot_longer",
					    "lateral", "update",   "into",    "only"};
	const struct scope *scope = &s->scopes[s->depth];
	if (token_is_punct(s->before, '.') || token_is_punct(s->before, ':'))
		return s->name;
	if (token_is_punct(s->before, '('))
		return scope->table;
	if (token_is_punct(s->before, ','))
		return scope->from;
	if (token_is(s->before, "from"))
		return scope->from && !s->distinct;
	return token_is_one_of(s->before, words, ARRAY_LEN(words));
}

static void open_scope(struct scan *s)
{
	static const char *const with_from[] = {"extract", "substring", "trim", "overlay", "substr"};
	bool argument = token_is_one_of(s->before, with_from, ARRAY_LEN(with_from));
	bool table = s->at_table;
	if (s->depth < STMT_DEPTH_MAX)
		s->depth++;
	s->scopes[s->depth] = (struct scope){.table = table, .argument = argument};
}

/* A word that starts or ends a FROM clause. */
static void scan_word(struct scan *s, struct token t)
{
	static const char *const ends[] = {"where",  "group",	  "having", "order",   "limit",	    "union",
					   "except", "intersect", "window", "qualify", "returning", "offset"};
	struct scope *scope = &s->scopes[s->depth];
	if (token_is(t, "from")) {
		s->distinct = token_is(s->before, "distinct") &&
			      (token_is(s->before_that, "is") || token_is(s->before_that, "not"));
		if (!s->distinct)
			scope->from = !scope->argument || token_is_punct(s->before, '(');
	} else if (token_is(t, "select")) {
		*scope = (struct scope){.table = scope->table};
	} else if (token_is(t, "using")) {
		scope->from = true;
	} else if (token_is_one_of(t, ends, ARRAY_LEN(ends)) || (token_is(t, "set") && token_is(s->before, "update"))) {
		/* SET and VALUES are names of tables, too. */
		scope->from = false;
	}
}

static void scan_step(struct scan *s, struct token t)
{
	s->at_table = leads_to_table(s);
	if (token_opens(t))
		open_scope(s);
	else if (token_closes(t) && s->depth > 0)
		s->depth--;
	else if (!token_is_punct(s->before, '.')) /* what follows a dot is a name, whatever it says */
		scan_word(s, t);
	if (!token_is_punct(t, '.') && !token_is_punct(t, ':'))
		s->name = s->at_table;
	s->before_that = s->before;
	s->before = t;
}

/* A string, or a name that looks like a file, where a table is expected makes the engine read a file. */
static bool is_file(struct token t, struct arena *arena)
{
	if (t.kind == TOKEN_STRING)
		return true;
	return t.kind == TOKEN_QUOTED && span_find(token_name(t, arena), '/') < token_name(t, arena).len;
}

bool filter_is_hidden(struct span name)
{
	if (span_eq_nocase(name, SPAN("__private")) || span_eq_nocase(name, SPAN("system")) ||
	    span_eq_nocase(name, SPAN("_pg")) || span_eq_nocase(name, SPAN("_pg_own")))
		return true;
	/* _t and digits */
	bool digits = name.len > 2 && strncasecmp(name.ptr, "_t", 2) == 0;
	for (size_t i = 2; digits && i < name.len; i++)
		digits = name.ptr[i] >= '0' && name.ptr[i] <= '9';
	return digits;
}

/* The engine's views over such functions need no parentheses. */
static bool is_denied_view(struct span name)
{
	return (span_eq_nocase(span_first(name, 7), SPAN("duckdb_")) ||
		span_eq_nocase(span_first(name, 7), SPAN("pragma_"))) &&
	       is_denied(name);
}

/* No escapes, which could hide what opens. */
static bool is_shallow(struct token structure)
{
	size_t opened = 0;
	for (size_t i = 0; i < structure.text.len; i++)
		opened += structure.text.ptr[i] == '[' || structure.text.ptr[i] == '{';
	return structure.kind == TOKEN_STRING && structure.text.ptr[0] == '\'' && opened <= LIMIT_EXPRESSION_DEPTH;
}

/* Whether the last argument of the call behind is written out, and not too deep. */
static bool is_structure_shallow(struct lexer lx)
{
	struct token last = {0}, before = {0};
	size_t depth = 0;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; before = last, last = t, t = lexer_next(&lx)) {
		depth += token_opens(t);
		depth -= token_closes(t) && depth > 0;
		if (!depth)
			break;
	}
	return is_shallow(last) && (token_is_punct(before, ',') || token_is_punct(before, '('));
}

static bool is_structured(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(STRUCTURED); i++)
		if (matches(STRUCTURED[i], name))
			return true;
	return false;
}

static bool unbounded(struct pg_error *e, struct span name)
{
	(void)denied(e, "function", name);
	pg_error_hint(
		e,
		"Write its structure out as the last argument, at most %d levels deep: from_json(j, '[\"INTEGER\"]').",
		LIMIT_EXPRESSION_DEPTH);
	return false;
}

/* lag() and lead() otherwise than by these words, by which their offset is found (rewrite_calls.c). */
static bool is_disguised_offset(const struct scan *scan, struct span name, struct lexer behind)
{
	const bool disguised = scan->before.kind == TOKEN_QUOTED || token_is_punct(scan->before_that, '.');
	size_t depth = 0;
	if (!disguised || (!span_eq_nocase(name, SPAN("lag")) && !span_eq_nocase(name, SPAN("lead"))))
		return false;
	for (struct token t = lexer_next(&behind); t.kind != TOKEN_END; t = lexer_next(&behind)) {
		depth += token_opens(t);
		depth -= token_closes(t) && depth > 0;
		if (!depth)
			break;
	}
	return token_is_window(lexer_peek(&behind));
}

static bool filter_name(const struct scan *scan, struct span name, struct lexer behind, struct pg_error *e)
{
	const struct token next = lexer_peek(&behind);
	/* histogram(x) is an aggregate, FROM histogram('t', x) reads whatever table is named. */
	const bool reads = scan->at_table && span_eq_nocase(name, SPAN("histogram"));
	if (token_is_punct(next, '(') && (is_denied(name) || reads || is_disguised_offset(scan, name, behind)))
		return denied(e, "function", name);
	if (token_is_punct(next, '(') && is_structured(name) && !is_structure_shallow(behind))
		return unbounded(e, name);
	if (token_is_punct(next, '.') && filter_is_hidden(name))
		return denied(e, "schema", name);
	return !is_denied_view(name) || denied(e, "relation", name);
}

static bool filter_tokens(struct backend *b, struct span text, bool names, struct pg_error *e)
{
	struct lexer lx = {text};
	struct scan scan = {.depth = 0};
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		scan_step(&scan, t);
		if (scan.at_table && is_file(t, b->work))
			return denied(e, "file", t.text);
		if (names && token_is_name(t) &&
		    !filter_name(&scan, t.kind == TOKEN_WORD ? t.text : token_name(t, b->work), lx, e))
			return false;
	}
	return true;
}

bool filter_rewritten(struct backend *b, struct span sql, struct pg_error *e)
{
	return filter_tokens(b, sql, false, e);
}

static bool is_pragma_allowed(struct span text)
{
	struct lexer lx = {text};
	(void)lexer_next(&lx);
	struct token t = lexer_next(&lx);
	bool listed = false;
	for (size_t i = 0; i < ARRAY_LEN(PRAGMAS); i++)
		listed = listed || token_is(t, PRAGMAS[i]);
	struct token next = lexer_next(&lx);
	return listed && !(next.kind == TOKEN_OPERATOR && span_is(next.text, "="));
}

/* CHECKPOINT may name a database, and ALTER DATABASE does: there is none but the workspace's. */
static bool is_own_change(const struct stmt *s)
{
	struct lexer lx = {s->text};
	(void)lexer_next(&lx);
	if (s->kind == STMT_CHECKPOINT)
		return lexer_next(&lx).kind == TOKEN_END;
	return s->kind != STMT_ALTER || !token_is(lexer_next(&lx), "database");
}

/* EXPLAIN runs, or at least plans, what stands behind it. */
static bool filter_explained(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct stmt inner;
	if (!stmt_explained(s, &inner, e))
		return false;
	bool fine = inner.kind == STMT_NONE || inner.class == STMT_DML || inner.class == STMT_DDL ||
		    inner.kind == STMT_SELECT;
	if (!fine || !is_own_change(&inner))
		return denied(e, "statement", span_first(inner.text, 20));
	return inner.class == STMT_QUERY || inner.kind == STMT_NONE || transaction_may_write(b, &inner, e);
}

bool filter_statement(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	if (s->kind == STMT_DO)
		return unsupported(s, e);
	if (s->class == STMT_REFUSED)
		return denied(e, "statement", span_first(s->text, 20));
	if ((s->kind == STMT_PRAGMA || s->kind == STMT_CALL) && !is_pragma_allowed(s->text))
		return denied(e, "statement", span_first(s->text, 40));
	if (s->kind == STMT_EXPLAIN && !filter_explained(b, s, e))
		return false;
	if (!is_own_change(s))
		return denied(e, "statement", span_first(s->text, 40));
	return filter_tokens(b, s->text, true, e);
}

bool filter_type(const struct stmt *s, enum statement_type type, struct pg_error *e)
{
	switch (type) {
	case STATEMENT_SELECT:
	case STATEMENT_INSERT:
	case STATEMENT_UPDATE:
	case STATEMENT_DELETE:
	case STATEMENT_MERGE:
	case STATEMENT_EXPLAIN:
	case STATEMENT_CREATE:
	case STATEMENT_CREATE_FUNCTION:
	case STATEMENT_ALTER:
	case STATEMENT_DROP:
	case STATEMENT_RELATION:
	case STATEMENT_ANALYZE:
		return true;
	case STATEMENT_VACUUM:
	case STATEMENT_CALL:
		return s->kind == STMT_CHECKPOINT || s->kind == STMT_PRAGMA || s->kind == STMT_CALL ||
		       denied(e, "statement", SPAN("VACUUM"));
	case STATEMENT_PRAGMA:
		return s->kind == STMT_PRAGMA || denied(e, "statement", SPAN("PRAGMA"));
	default:
		return denied(e, "statement", span_of(statement_type_name(type)));
	}
}
