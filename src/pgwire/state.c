/* What SQL may ask about the session: catalog views of its state, and functions that show or change it. */
#include "base/clock.h"
#include "pgwire/backend.h"
#include "storage/statement_stats.h"
#include "storage/storage.h"

void state_put_text(struct buf *out, const char *text)
{
	lexer_quote_string(out, span_of(text));
}

static void put_settings(struct backend *b, struct buf *out)
{
	buf_str(out,
		"(SELECT name, setting, unit, 'Server' AS category, '' AS short_desc, NULL::VARCHAR AS extra_desc, "
		"'user' AS context, vartype, 'default' AS source, NULL::VARCHAR AS min_val, NULL::VARCHAR AS max_val, "
		"NULL::VARCHAR[] AS enumvals, setting AS boot_val, setting AS reset_val, NULL::VARCHAR AS sourcefile, "
		"NULL::INTEGER AS sourceline, false AS pending_restart FROM (VALUES ");
	for (int i = 0; i < GUC_COUNT; i++) {
		static const char *const types[] = {"bool", "integer", "real", "enum", "string"};
		const struct guc_row *row = guc_row((enum guc_id)i);
		buf_str(out, i ? ", (" : "(");
		state_put_text(out, row->name);
		buf_str(out, ", ");
		if (row->type == GUC_INTEGER)
			buf_printf(out, "'%lld'", (long long)guc_int(&b->gucs, (enum guc_id)i));
		else
			state_put_text(out, guc_text(&b->gucs, (enum guc_id)i));
		buf_printf(out, ", %s%s%s, '%s')", row->unit[0] ? "'" : "", row->unit[0] ? row->unit : "NULL",
			   row->unit[0] ? "'" : "", types[row->type]);
	}
	buf_str(out, ") AS s(name, setting, unit, vartype))");
}

void state_put_time(struct buf *out, int64_t us)
{
	if (us)
		buf_printf(out, "system.main.make_timestamptz(%lld)", (long long)us);
	else
		buf_str(out, "NULL::TIMESTAMPTZ");
}

static void put_cursors(struct backend *b, struct buf *out)
{
	struct map_entry *entry;
	buf_str(out,
		"(SELECT * FROM (VALUES (NULL::VARCHAR, NULL::VARCHAR, NULL::BOOLEAN, NULL::BOOLEAN, NULL::BOOLEAN, "
		"NULL::TIMESTAMPTZ)");
	for (size_t i = 0; (entry = map_next(&b->portals, &i));) {
		const struct portal *p = entry->value;
		if (!p->name[0])
			continue;
		buf_str(out, ", (");
		state_put_text(out, p->name);
		buf_str(out, ", ");
		lexer_quote_string(out, p->query ? span_of(p->query) : p->stmt.text);
		buf_printf(out, ", %s, %s, %s, ", p->hold ? "true" : "false", p->binary ? "true" : "false",
			   p->keeps ? "true" : "false");
		state_put_time(out, p->created_us);
		buf_byte(out, ')');
	}
	buf_str(out,
		") AS c(name, statement, is_holdable, is_binary, is_scrollable, creation_time) WHERE name IS NOT NULL)");
}

static void put_prepared(struct backend *b, struct buf *out)
{
	struct map_entry *entry;
	buf_str(out, "(SELECT * FROM (VALUES (NULL::VARCHAR, NULL::VARCHAR, NULL::TIMESTAMPTZ, NULL::UINTEGER[], "
		     "NULL::BOOLEAN, 0::BIGINT, 0::BIGINT)");
	for (size_t i = 0; (entry = map_next(&b->prepared, &i));) {
		const struct prepared *q = entry->value;
		if (!q->name[0])
			continue;
		buf_str(out, ", (");
		state_put_text(out, q->name);
		buf_str(out, ", ");
		lexer_quote_string(out, q->stmt.text);
		buf_str(out, ", ");
		state_put_time(out, q->created_us);
		buf_str(out, ", [");
		for (size_t k = 0; k < q->parameters; k++)
			buf_printf(out, "%s%u", k ? ", " : "", q->oids[k]);
		buf_printf(out, "]::UINTEGER[], %s, 0, 0)", q->from_sql ? "true" : "false");
	}
	buf_str(out, ") AS p(name, statement, prepare_time, parameter_types, from_sql, generic_plans, custom_plans) "
		     "WHERE name IS NOT NULL)");
}

bool session_relation(struct backend *b, struct span name, struct buf *out)
{
	static const struct {
		const char *name;
		void (*put)(struct backend *b, struct buf *out);
	} rows[] = {{"pg_settings", put_settings},
		    {"pg_stat_activity", activity_sql},
		    {"pg_stat_statements", statements_sql},
		    {"pg_stat_statements_info", statements_info_sql},
		    {"pg_cursors", put_cursors},
		    {"pg_prepared_statements", put_prepared}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (span_eq_nocase(name, span_of(rows[i].name))) {
			rows[i].put(b, out);
			return true;
		}
	return false;
}

/* The statement fails where it would read the setting. */
static void put_error(struct buf *out, const struct pg_error *e)
{
	buf_str(out, "system.main.error(");
	lexer_quote_string(out, span_of(e->message));
	buf_str(out, ")::VARCHAR");
}

static bool set_config(struct backend *b, const struct span *arguments, struct pg_error *e)
{
	const bool local = span_eq_nocase(arguments[2], SPAN("true")) || span_is(arguments[2], "t");
	const bool is_engines =
		guc_find(arguments[0]) == GUC_COUNT && (gucs_is_engine(arguments[0]) || gucs_is_denied(arguments[0]));
	if (is_engines)
		return pg_error_set(e, "42501", "permission denied to set parameter \"%.*s\"",
				    SPAN_ARG(span_first(arguments[0], 100)));
	return guc_set(&b->gucs, arguments[0], arguments[1], local ? GUC_LOCAL : GUC_SESSION, b->block != 'I', e);
}

static bool call_setting(struct backend *b, struct span name, const struct span *arguments, size_t n, struct buf *out)
{
	struct pg_error e = PG_ERROR_INIT;
	const char *value;
	if (span_eq_nocase(name, SPAN("set_config")) && n == 3) {
		if (!set_config(b, arguments, &e)) {
			put_error(out, &e);
			return true;
		}
		gucs_apply(b);
	} else if (!span_eq_nocase(name, SPAN("current_setting")) || n < 1) {
		return false;
	}
	if (guc_find(arguments[0]) == GUC_COUNT && gucs_is_engine(arguments[0]))
		buf_printf(out, "system.main.current_setting('%.*s')::VARCHAR", SPAN_ARG(arguments[0]));
	else if (guc_show(&b->gucs, arguments[0], &value, &e))
		state_put_text(out, value);
	else if (n == 2)
		buf_str(out, "NULL::VARCHAR");
	else
		put_error(out, &e);
	return true;
}

bool session_call(struct backend *b, struct span name, const struct span *arguments, size_t n, struct buf *out)
{
	if (span_eq_nocase(name, SPAN("pg_backend_pid")) && n == 0) {
		buf_printf(out, "%u::INTEGER", b->pid);
		return true;
	}
	if (span_eq_nocase(name, SPAN("pg_stat_statements_reset"))) {
		statement_stats_reset(b->door->storage->statements, b->workspace.id);
		buf_str(out, "NULL::VARCHAR");
		return true;
	}
	return call_setting(b, name, arguments, n, out);
}
