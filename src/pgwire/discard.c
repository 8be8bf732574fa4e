/* DISCARD: what a session keeps, given up at once. Pools send it between two users of a connection. */
#include "pgwire/backend.h"
#include "pgwire/command.h"

/* The temporary objects, newest first, since what refers to another is younger. */
static const char DROPS[] =
	"SELECT kind, 'temp', 'main', name FROM (SELECT 'VIEW' AS kind, view_name AS name, 1 AS rank, view_oid AS oid FROM "
	"system.main.duckdb_views() WHERE database_name = 'temp' AND NOT internal UNION ALL SELECT 'TABLE', table_name, 2, "
	"table_oid FROM system.main.duckdb_tables() WHERE database_name = 'temp' AND NOT internal "
	"UNION ALL SELECT 'SEQUENCE', sequence_name, 3, sequence_oid FROM "
	"system.main.duckdb_sequences() WHERE database_name = 'temp' UNION ALL SELECT 'TYPE', type_name, 4, type_oid FROM "
	"system.main.duckdb_types() WHERE database_name = 'temp' AND NOT internal UNION ALL SELECT DISTINCT CASE "
	"function_type WHEN 'macro' THEN 'MACRO' ELSE 'MACRO TABLE' END, function_name, 5, 0 FROM "
	"system.main.duckdb_functions() WHERE database_name = 'temp' AND NOT internal AND "
	"function_type IN ('macro', 'table_macro')) ORDER BY rank, oid DESC";

static bool discard_temp(struct backend *b, struct pg_error *e)
{
	struct err err = ERR_INIT;
	const char *drops = NULL;
	if (!b->has_temp)
		return true;
	if (!portals_settle(b, e) || !run_spool(b, e))
		return false;
	if (!serial_drops(b, DROPS, &drops, &err))
		return backend_engine_error(b, &err, NULL, NULL, e);
	b->plan_settings++;
	if (!drops)
		return true;
	b->changes++;
	return run_sql(b, drops, e);
}

static bool refuse(const struct stmt *s, struct pg_error *e)
{
	struct lexer lx = {s->text};
	(void)lexer_next(&lx);
	const struct token t = lexer_next(&lx);
	(void)pg_error_set(e, "42601", "syntax error at or near \"%.*s\"", SPAN_ARG(span_first_utf8(t.text, 100)));
	e->position = sqlstate_position(s->text, (size_t)(t.text.ptr - s->text.ptr));
	return false;
}

bool discard_run(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct span what;
	if (!command_name(s, b->work, &what, e))
		return false;
	if (what.ptr && (span_is(what, "temp") || span_is(what, "temporary"))) {
		(void)snprintf(tag, STMT_TAG_SIZE + 24, "DISCARD TEMP");
		return discard_temp(b, e);
	}
	if (span_is(what, "plans"))
		b->plan_settings++;
	if (what.ptr && !span_is(what, "all"))
		return span_is(what, "plans") || span_is(what, "sequences") || refuse(s, e);
	if (b->block != 'I')
		return pg_error_set(e, "25001", "DISCARD ALL cannot run inside a transaction block");
	portals_close_all(b);
	prepared_close_all(b);
	guc_reset_all(&b->gucs, false);
	gucs_apply(b);
	return discard_temp(b, e);
}
