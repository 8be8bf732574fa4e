#include "pgwire/skips.h"

#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/command_parser.h"

/* What can be dropped or made: where the engine lists it, and the word of PostgreSQL's notices. */
static const struct kind {
	const char *word, *list, *name, *noun;
	bool schemas; /* lies in a schema */
} KINDS[] = {
	{"table", "duckdb_tables", "table_name", "table", true},
	{"view", "duckdb_views", "view_name", "view", true},
	{"index", "duckdb_indexes", "index_name", "index", true},
	{"sequence", "duckdb_sequences", "sequence_name", "sequence", true},
	{"type", "duckdb_types", "type_name", "type", true},
	{"function", "duckdb_functions", "function_name", "function", true},
	{"macro", "duckdb_functions", "function_name", "function", true},
	{"schema", "duckdb_schemas", "schema_name", "schema", false},
};

struct finding {
	struct backend *b;
	struct parser p;
	struct skips *skips;
	bool temp; /* CREATE TEMP */
	bool creates;
};

static void add(struct finding *f, const char *sqlstate, const char *text)
{
	struct skip *skip = arena_new_of(f->b->work, struct skip);
	*skip = (struct skip){.sqlstate = sqlstate, .text = text};
	*f->skips->last = skip;
	f->skips->last = &skip->next;
}

/* What is made is made in the first schema of the path. */
static void put_place(const struct finding *f, struct span schema, struct buf *sql)
{
	if (f->creates && !f->temp && !schema.len)
		sql_printf(sql, "database_name = %L AND schema_name = system.main.current_schema()",
			   workspace_db(f->b->wi));
	else
		gucs_put_place(f->b, f->temp ? SPAN("temp") : schema, sql);
}

static bool exists(struct finding *f, const struct kind *k, struct span schema, struct span name, bool *ret,
		   struct pg_error *e)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	const char *text;
	int64_t count = 0;
	sql_printf(&sql, "SELECT count(*) FROM system.main.%s() WHERE %s COLLATE NOCASE = ", k->list, k->name);
	sql_text(&sql, name);
	buf_str(&sql, " AND ");
	if (k->schemas)
		put_place(f, schema, &sql);
	else
		sql_printf(&sql, "database_name = %L", workspace_db(f->b->wi));
	const bool fine = (sql_finish(&sql, &text, &err) && session_int(f->b->engine, text, &count, &err)) ||
			  backend_engine_error(f->b, &err, NULL, NULL, e);
	buf_done(&sql);
	*ret = count > 0;
	return fine;
}

static bool schema_known(struct finding *f, struct span schema, bool *ret, struct pg_error *e)
{
	*ret = true;
	if (!schema.len || span_is(schema, "public") || span_is(schema, "temp") || stmt_is_temp_schema(schema))
		return true;
	return exists(f, &KINDS[ARRAY_LEN(KINDS) - 1], SPAN_NONE, schema, ret, e);
}

static const struct kind *kind_of(struct parser *p)
{
	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++)
		if (parser_word(p, KINDS[i].word))
			return &KINDS[i];
	return NULL;
}

/* DROP x [CONCURRENTLY] IF EXISTS a, b */
static bool find_dropped(struct finding *f, struct pg_error *e)
{
	struct parser *p = &f->p;
	const struct kind *k = kind_of(p);
	struct span schema, name;
	bool there;
	(void)parser_word(p, "concurrently");
	if (!k || !parser_word(p, "if") || !parser_word(p, "exists"))
		return true;
	if (!transaction_begin_implicit(f->b, e))
		return false;
	do {
		if (!parser_qualified(p, &schema, &name))
			return true; /* the engine tells what is wrong */
		if (!schema_known(f, schema, &there, e))
			return false;
		if (!there) {
			add(f, "00000",
			    arena_printf(f->b->work, "schema \"%.*s\" does not exist, skipping", SPAN_ARG(schema)));
			continue;
		}
		if (!exists(f, k, schema, name, &there, e))
			return false;
		const bool function = strcmp(k->noun, "function") == 0;
		if (!there)
			add(f, "00000",
			    arena_printf(f->b->work,
					 function ? "%s %.*s() does not exist, skipping"
						  : "%s \"%.*s\" does not exist, skipping",
					 k->noun, SPAN_ARG(name)));
	} while (parser_punct(p, ','));
	return true;
}

/* CREATE [..] x [CONCURRENTLY] IF NOT EXISTS a */
static bool find_made(struct finding *f, struct pg_error *e)
{
	static const char *const modifiers[] = {"local", "global", "unlogged", "unique"};
	struct parser *p = &f->p;
	struct span schema, name;
	bool there = false;
	for (size_t i = 0; i < ARRAY_LEN(modifiers); i++)
		(void)parser_word(p, modifiers[i]);
	f->temp = parser_word(p, "temp") || parser_word(p, "temporary");
	f->creates = true;
	const struct kind *k = kind_of(p);
	(void)parser_word(p, "concurrently");
	if (!k || !parser_word(p, "if") || !parser_word(p, "not") || !parser_word(p, "exists"))
		return true;
	if (!transaction_begin_implicit(f->b, e))
		return false;
	if (!parser_qualified(p, &schema, &name))
		return true;
	/* public stands for main, which is always there. */
	if (!k->schemas && span_is(name, "public"))
		there = true;
	else if (!exists(f, k, schema, name, &there, e))
		return false;
	f->skips->whole = there;
	if (there)
		add(f, k->schemas ? "42P07" : "42P06",
		    arena_printf(f->b->work, "%s \"%.*s\" already exists, skipping", k->schemas ? "relation" : "schema",
				 SPAN_ARG(name)));
	return true;
}

static bool column_exists(struct finding *f, struct span schema, struct span table, struct span column, bool *ret,
			  struct pg_error *e)
{
	const struct select_source source = {.known = true, .schema = schema, .name = table};
	const struct origin_table *t = origins_table(f->b, &source);
	*ret = false;
	for (size_t i = 0; i < t->count; i++)
		*ret = *ret || span_eq_nocase(column, span_of(t->columns[i]));
	return t->oid || !pg_error_set(e, "42P01", "relation \"%.*s\" does not exist", SPAN_ARG(table));
}

static void skip_action(struct parser *p)
{
	for (size_t depth = 0; p->now.kind != TOKEN_END; parser_step(p)) {
		if (token_is_punct(p->now, '('))
			depth++;
		else if (token_is_punct(p->now, ')'))
			depth -= depth > 0;
		else if (!depth && token_is_punct(p->now, ','))
			break;
	}
}

/* One action: ADD [COLUMN] IF NOT EXISTS c, DROP [COLUMN] IF EXISTS c; then up to the next. */
static void find_column(struct finding *f, struct span schema, struct span table)
{
	struct parser *p = &f->p;
	struct pg_error ignored = PG_ERROR_INIT;
	struct span column = SPAN_NONE;
	bool there;
	const bool adds = parser_word(p, "add"), drops = !adds && parser_word(p, "drop");
	(void)parser_word(p, "column");
	const bool told =
		(adds || drops) && parser_word(p, "if") && (drops || parser_word(p, "not")) && parser_word(p, "exists");
	if (told && parser_name(p, &column) && column_exists(f, schema, table, column, &there, &ignored) &&
	    there == adds)
		add(f, adds ? "42701" : "00000",
		    arena_printf(f->b->work, "column \"%.*s\" of relation \"%.*s\" %s, skipping", SPAN_ARG(column),
				 SPAN_ARG(table), adds ? "already exists" : "does not exist"));
	skip_action(p);
}

/* ALTER x [IF EXISTS] [ONLY] a .. */
static bool find_altered(struct finding *f, struct pg_error *e)
{
	struct parser *p = &f->p;
	const struct kind *k = kind_of(p);
	struct span schema, name;
	bool there = true;
	if (!k || !k->schemas)
		return true;
	const bool if_exists = parser_word(p, "if") && parser_word(p, "exists");
	(void)parser_word(p, "only");
	if (!parser_qualified(p, &schema, &name))
		return true;
	if (if_exists && (!transaction_begin_implicit(f->b, e) || !exists(f, k, schema, name, &there, e)))
		return false;
	if (!there) {
		add(f, "00000", arena_printf(f->b->work, "relation \"%.*s\" does not exist, skipping", SPAN_ARG(name)));
		return true;
	}
	do
		find_column(f, schema, name);
	while (parser_punct(p, ','));
	return true;
}

bool skips_find(struct backend *b, const struct stmt *s, struct skips *ret, struct pg_error *e)
{
	struct pg_error ignored = PG_ERROR_INIT;
	*ret = (struct skips){0};
	ret->last = &ret->first;
	if (b->block == 'E' || !(s->mentions & MENTIONS_EXISTS))
		return true;
	if (!run_spool(b, e))
		return false;
	struct finding f = {.b = b, .p = parser_start(s, b->work, &ignored), .skips = ret};
	parser_step(&f.p);
	switch (s->kind) {
	case STMT_DROP:
		return find_dropped(&f, e);
	case STMT_CREATE:
	case STMT_CREATE_TABLE_AS:
		return find_made(&f, e);
	case STMT_ALTER:
		return find_altered(&f, e);
	default:
		return true;
	}
}

bool skips_extension(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct parser p = parser_start(s, b->work, e);
	struct span name = SPAN_NONE;
	const bool creates = token_is(p.now, "create");
	parser_step(&p);
	parser_step(&p); /* EXTENSION */
	const bool quietly = parser_word(&p, "if");
	if (quietly && ((creates && !parser_word(&p, "not")) || !parser_word(&p, "exists")))
		return parser_fail(&p);
	if (!parser_name(&p, &name))
		return false;
	const bool known = span_is(name, "plpgsql");
	if (creates && !known) {
		(void)pg_error_set(e, "0A000", "extension \"%.*s\" is not available", SPAN_ARG(name));
		pg_error_hint(e, "The server has no extensions. gen_random_uuid() and JSON need none.");
		return false;
	}
	if (!creates && known)
		return pg_error_set(e, "42501", "must be owner of extension plpgsql");
	const char *what = creates ? "already exists" : "does not exist";
	if (!quietly)
		return pg_error_set(e, creates ? "42710" : "42704", "extension \"%.*s\" %s", SPAN_ARG(name), what);
	backend_notice(b, PG_NOTICE, creates ? "42710" : "00000",
		       arena_printf(b->work, "extension \"%.*s\" %s, skipping", SPAN_ARG(name), what));
	return true;
}

void skips_tell(struct backend *b, const struct skips *skips)
{
	for (const struct skip *skip = skips->first; skip; skip = skip->next)
		backend_notice(b, PG_NOTICE, skip->sqlstate, skip->text);
}
