/* What SQL may ask about the session: catalog views of its state, and functions that show or change it. */
#include "base/clock.h"
#include "pgwire/backend.h"
#include "storage/statement_stats.h"
#include "storage/storage.h"

void state_put_text(struct buf *out, const char *text)
{
	lexer_quote_string(out, span_of(text));
}

static void put_or_null(struct buf *out, const char *text, bool given)
{
	if (given)
		state_put_text(out, text);
	else
		buf_str(out, "NULL");
	buf_str(out, ", ");
}

/* Without its unit. */
static void put_value(struct buf *out, const struct guc_row *row, const char *text)
{
	const bool is_number = row->type == GUC_INTEGER || row->type == GUC_REAL;
	char number[32];
	(void)snprintf(number, sizeof(number), row->type == GUC_INTEGER ? "%.0f" : "%g",
		       is_number ? guc_number(row, text) : 0);
	put_or_null(out, is_number ? number : text, true);
}

static void put_setting(struct backend *b, const struct guc_row *row, enum guc_id id, struct buf *out)
{
	static const char *const types[] = {
		[GUC_BOOL] = "bool",	 [GUC_INTEGER] = "integer", [GUC_REAL] = "real",   [GUC_ENUM] = "enum",
		[GUC_STRING] = "string", [GUC_LIST] = "string",	    [GUC_NAMES] = "string"};
	const bool is_number = row->type == GUC_INTEGER || row->type == GUC_REAL;
	const char *now = gucs_shown(b, id), *reset = guc_reset_text(&b->gucs, id);
	char limit[32];
	/* What the server decides has the value it booted with. */
	const bool is_user = row->rule == GUC_USER || row->rule == GUC_SPECIAL;
	const char *boot = is_user ? row->value : reset;
	buf_byte(out, '(');
	put_or_null(out, row->name, true);
	put_value(out, row, now);
	put_or_null(out, row->unit, row->unit[0]);
	put_or_null(out, row->rule == GUC_FIXED ? "internal" : row->rule == GUC_SERVER ? "postmaster" : "user", true);
	put_or_null(out, types[row->type], true);
	put_or_null(out,
		    strcmp(now, reset) != 0		  ? "session"
		    : is_user && strcmp(reset, boot) != 0 ? "client"
							  : "default",
		    true);
	(void)snprintf(limit, sizeof(limit), row->type == GUC_INTEGER ? "%.0f" : "%g", row->least);
	put_or_null(out, limit, is_number);
	(void)snprintf(limit, sizeof(limit), row->type == GUC_INTEGER ? "%.0f" : "%g", row->most);
	put_or_null(out, limit, is_number);
	const struct span words = span_first(span_of(row->words), strcspn(row->words, ";"));
	put_or_null(out, arena_printf(b->work, "%.*s", SPAN_ARG(words)), row->type == GUC_ENUM);
	put_value(out, row, boot);
	put_value(out, row, reset);
	out->len -= 2;
	buf_byte(out, ')');
}

static void put_settings(struct backend *b, struct buf *out)
{
	buf_str(out,
		"(SELECT name, setting, unit, 'Server' AS category, '' AS short_desc, NULL::VARCHAR AS extra_desc, "
		"context, vartype, source, min_val, max_val, system.main.string_split(words, ',') AS enumvals, boot_val, "
		"reset_val, NULL::VARCHAR AS sourcefile, NULL::INTEGER AS sourceline, false AS pending_restart FROM (VALUES ");
	for (int i = 0; i < GUC_COUNT; i++) {
		buf_str(out, i ? ", " : "");
		put_setting(b, guc_row((enum guc_id)i), (enum guc_id)i, out);
	}
	buf_str(out,
		") AS s(name, setting, unit, context, vartype, source, min_val, max_val, words, boot_val, reset_val))");
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

static bool is_true(struct span text)
{
	static const char *const words[] = {"true", "t", "yes", "y", "on", "1"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_eq_nocase(text, span_of(words[i])))
			return true;
	return false;
}

/* Arguments without a text are NULL. */
static bool set_config(struct backend *b, const struct span *arguments, struct pg_error *e)
{
	const struct span name = arguments[0];
	if (!name.ptr)
		return pg_error_set(e, "22004", "SET requires parameter name");
	if (guc_find(name) == GUC_COUNT && (gucs_is_engine(name) || gucs_is_denied(name)))
		return pg_error_set(e, "42501", "permission denied to set parameter \"%.*s\"",
				    SPAN_ARG(span_first(name, 100)));
	return gucs_assign(b, name, arguments[1].ptr ? &arguments[1] : NULL,
			   is_true(arguments[2]) ? GUC_LOCAL : GUC_SESSION, e);
}

static void put_current(struct backend *b, struct span name, bool may_miss, struct buf *out)
{
	struct pg_error e = PG_ERROR_INIT;
	const char *value;
	const enum guc_id id = guc_find(name);
	if (id == GUC_COUNT && gucs_is_engine(name))
		buf_printf(out, "system.main.current_setting('%.*s')::VARCHAR", SPAN_ARG(name));
	else if (id < GUC_COUNT)
		state_put_text(out, gucs_shown(b, id));
	else if (guc_show(&b->gucs, name, &value, &e))
		state_put_text(out, value);
	else if (may_miss)
		buf_str(out, "NULL::VARCHAR");
	else
		put_error(out, &e);
}

static bool call_setting(struct backend *b, struct span name, const struct span *arguments, size_t n, struct buf *out)
{
	struct pg_error e = PG_ERROR_INIT;
	if (span_eq_nocase(name, SPAN("set_config")) && n == 3) {
		if (!set_config(b, arguments, &e)) {
			put_error(out, &e);
			return true;
		}
		gucs_apply(b);
	} else if (!span_eq_nocase(name, SPAN("current_setting")) || n < 1 || n > 2) {
		return false;
	}
	if (!arguments[0].ptr || (n == 2 && !arguments[1].ptr))
		buf_str(out, "NULL::VARCHAR");
	else
		put_current(b, arguments[0], n == 2 && is_true(arguments[1]), out);
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
