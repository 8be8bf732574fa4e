/* SET, RESET, SHOW, and what settings do. */
#include "base/clock.h"
#include "engine/sql.h"
#include "engine/zone.h"
#include "pgwire/backend.h"
#include "pgwire/command.h"
#include "storage/storage.h"

#include <float.h>
#include <stdlib.h>

/* Hours east of UTC: 3, -7.5. PostgreSQL calls such a zone <+03>-03. */
static bool zone_of_hours(struct span text, char *ret, size_t size)
{
	char copy[16], *end;
	if (!text.len || text.len >= sizeof(copy) || !strchr("+-0123456789", *text.ptr))
		return false;
	(void)snprintf(copy, sizeof(copy), "%.*s", SPAN_ARG(text));
	const double hours = strtod(copy, &end);
	if (*end || !(hours > -16 && hours < 16))
		return false;
	const int minutes = (int)(hours * 60), size_of = abs(minutes);
	const char east = minutes < 0 ? '-' : '+', west = minutes < 0 ? '+' : '-';
	const int h = size_of / 60, m = size_of % 60;
	if (m)
		(void)snprintf(ret, size, "<%c%02d:%02d>%c%02d:%02d", east, h, m, west, h, m);
	else
		(void)snprintf(ret, size, "<%c%02d>%c%02d", east, h, west, h);
	return true;
}

bool gucs_zone_known(struct span name, char *ret, size_t size)
{
	if (zone_of_hours(name, ret, size))
		return true;
	if (name.len >= size)
		return false;
	if (!zone_find(name))
		return zone_spelling(name, ret, size) && zone_find(span_of(ret));
	(void)snprintf(ret, size, "%.*s", SPAN_ARG(name));
	return true;
}

int64_t gucs_timeout_ns(const struct backend *b)
{
	int64_t cap = b->door->storage->settings->pgwire_query_timeout * NS_PER_S;
	int64_t own = guc_int(&b->gucs, GUC_statement_timeout) * NS_PER_MS;
	return own > 0 && (!cap || own < cap) ? own : cap;
}

enum { PATH_SCHEMAS_MAX = 64 };

static bool schema_exists(struct backend *b, struct span name)
{
	struct err err = ERR_INIT;
	struct buf sql = BUF(4096);
	int64_t count = 0;
	buf_str(&sql, "SELECT system.main.count(*) FROM system.main.duckdb_schemas() WHERE database_name = ");
	sql_text(&sql, span_of(workspace_db(b->wi)));
	buf_str(&sql, " AND system.main.lower(schema_name) = system.main.lower(");
	sql_text(&sql, name);
	buf_byte(&sql, ')');
	run_spool_quietly(b);
	bool found = !sql.failed && session_int(b->engine, sql.ptr, &count, &err) && count > 0;
	buf_done(&sql);
	return found;
}

/* A schema alone would be one of the database that is first on the path so far. */
static void put_own(struct backend *b, struct buf *out)
{
	sql_ident(out, span_of(workspace_db(b->wi)));
	buf_byte(out, '.');
}

/* The next schema of the path that the engine may have; empty for those it has anyway. */
static struct span next_schema(struct span *rest)
{
	struct span name = span_trim(span_cut(rest, ','));
	if (name.len > 1 && *name.ptr == '"')
		name = (struct span){name.ptr + 1, name.len - 2};
	if (span_is(name, "$user") || span_is(name, "pg_catalog"))
		return SPAN_NONE;
	return span_is(name, "public") ? SPAN("main") : name;
}

/* The schemas of a search path as the engine names them, each with a comma behind; notes the buckets among them. */
static void put_schemas(struct backend *b, struct buf *out, struct span rest)
{
	const char **path = arena_array(b->path_arena, const char *, PATH_SCHEMAS_MAX);
	bool any = false;
	b->path_count = 0;
	while (rest.len && b->path_count < PATH_SCHEMAS_MAX) {
		struct err err = ERR_INIT;
		bool is_bucket = false;
		const struct span name = next_schema(&rest);
		const bool is_main = span_is(name, "main");
		const char *copy = arena_copy(b->path_arena, name);
		if (name.len && !is_main && !workspace_attach_bucket(b->wi, copy, &is_bucket, &err))
			is_bucket = false;
		if (!name.len || (!is_bucket && !is_main && !schema_exists(b, name)))
			continue;
		any = any || is_bucket;
		path[b->path_count++] = is_bucket ? copy : "";
		if (!is_bucket)
			put_own(b, out);
		sql_ident(out, name);
		buf_byte(out, ',');
	}
	b->path = path;
	b->path_count = any ? b->path_count : 0;
}

static bool is_only_main(struct backend *b, const struct buf *path)
{
	struct buf main = BUF(4096);
	put_own(b, &main);
	buf_str(&main, "\"main\",");
	bool same = !path->len || span_eq(buf_view(path), buf_view(&main));
	buf_done(&main);
	return same;
}

static bool wants_none(const struct backend *b)
{
	const struct span text = span_trim(span_of(guc_text(&b->gucs, GUC_search_path)));
	return !text.len || span_is(text, "\"\"");
}

/* The engine's search path: what exists of the client's, then the catalog. */
static bool apply_search_path(struct backend *b, bool with_catalog)
{
	struct buf path = BUF(16384), sql = BUF(32768);
	struct err err = ERR_INIT;
	put_schemas(b, &path, span_of(guc_text(&b->gucs, GUC_search_path)));
	bool fine = !b->path_was_set && !with_catalog && !b->path_count && is_only_main(b, &path);
	if (!fine) {
		b->path_was_set = true;
		if (!path.len) {
			put_own(b, &path);
			buf_str(&path, "main,");
		}
		buf_str(&path, with_catalog ? "_pg.main" : "");
		path.len -= !with_catalog && path.len > 0;
		/* A client that wants no schema has main all the same; _path() in functions.sql tells by the mark. */
		buf_str(&path, with_catalog && wants_none(b) ? ",_pg.main" : "");
		buf_str(&sql, "SET search_path = ");
		sql_text(&sql, buf_view(&path));
		run_spool_quietly(b);
		fine = !path.failed && !sql.failed && session_run(b->engine, sql.ptr, &err);
		b->engine_first = b->engine_first && !fine;
		b->path_engine = fine ? arena_copy(b->path_arena, buf_view(&path)) : NULL;
	}
	buf_done(&path);
	buf_done(&sql);
	return fine;
}

static void put_path(const struct backend *b, struct buf *out)
{
	struct span rest = span_of(guc_text(&b->gucs, GUC_search_path));
	bool any = false;
	buf_byte(out, '(');
	while (rest.len) {
		const struct span name = next_schema(&rest);
		if (!name.len)
			continue;
		buf_str(out, any ? ", " : "");
		sql_text(out, name);
		any = true;
	}
	buf_str(out, any ? ")" : "'main')");
}

void gucs_put_place(const struct backend *b, struct span schema, struct buf *out)
{
	const char *own = workspace_db(b->wi);
	if (span_is(schema, "temp") || stmt_is_temp_schema(schema)) {
		buf_str(out, "database_name = 'temp'");
	} else if (schema.len) {
		sql_printf(out, "database_name = %L AND schema_name COLLATE NOCASE = ", own);
		sql_text(out, span_is(schema, "public") ? SPAN("main") : schema);
	} else {
		sql_printf(out, "(database_name = 'temp' OR (database_name = %L AND schema_name IN ", own);
		put_path(b, out);
		buf_str(out, "))");
	}
}

void gucs_schemas_changed(struct backend *b)
{
	b->path_applied = NULL;
	gucs_apply(b);
}

void gucs_engine_first(struct backend *b, const struct stmt *s)
{
	const bool first = b->catalog_ready && stmt_asks_catalog(s);
	struct buf path = BUF(16384), sql = BUF(32768);
	struct err err = ERR_INIT;
	if (first == b->engine_first || b->block == 'E' || !b->path_engine)
		return;
	buf_printf(&path, "%s%s", first ? "_pg.main,system.main," : "", b->path_engine);
	buf_str(&sql, "SET search_path = ");
	sql_text(&sql, buf_view(&path));
	run_spool_quietly(b);
	if (!path.failed && !sql.failed && session_run(b->engine, sql.ptr, &err))
		b->engine_first = first;
	buf_done(&path);
	buf_done(&sql);
}

void gucs_hide_catalog(struct backend *b, bool hide)
{
	b->catalog_hidden = hide;
	gucs_apply(b);
}

/* The engine reads and casts instants in the session's zone as well. */
static void apply_zone(struct backend *b)
{
	struct err err = ERR_INIT;
	const char *zone = guc_text(&b->gucs, GUC_TimeZone);
	if (!b->zone_applied[0] && strcmp(zone, WORKSPACE_ZONE) == 0)
		(void)snprintf(b->zone_applied, sizeof(b->zone_applied), "%s", zone);
	if (b->block == 'E' || !b->engine || strcmp(b->zone_applied, zone) == 0)
		return;
	run_spool_quietly(b);
	struct buf sql = BUF(1024);
	buf_str(&sql, "SET TimeZone = ");
	sql_text(&sql, span_of(zone));
	/* Zones that only PostgreSQL knows, such as GMT-03, are whole hours of the database's Etc, or do for what is shown. */
	if (sql.failed || !session_run(b->engine, sql.ptr, &err)) {
		const int32_t offset = zone_offset(b->style.zone, 0);
		buf_reset(&sql);
		buf_printf(&sql, "SET TimeZone = 'Etc/GMT%+d'", (int)(-offset / 3600));
		if (!offset || offset % 3600 || !session_run(b->engine, sql.ptr, &err))
			(void)!session_run(b->engine, "SET TimeZone = 'UTC'", &err);
	}
	buf_done(&sql);
	(void)snprintf(b->zone_applied, sizeof(b->zone_applied), "%s", zone);
	b->plan_settings++;
}

static void apply_style(struct backend *b)
{
	static const char *const intervals[] = {[PG_INTERVAL_POSTGRES] = "postgres",
						[PG_INTERVAL_POSTGRES_VERBOSE] = "postgres_verbose",
						[PG_INTERVAL_SQL_STANDARD] = "sql_standard",
						[PG_INTERVAL_ISO_8601] = "iso_8601"};
	const int64_t more_digits = guc_int(&b->gucs, GUC_extra_float_digits);
	b->style.zone = zone_find(span_of(guc_text(&b->gucs, GUC_TimeZone)));
	b->style.digits = more_digits > 0 ? 0 : more_digits > -DBL_DIG ? (unsigned)(DBL_DIG + more_digits) : 1;
	b->style.escapes_bytes = strcmp(guc_text(&b->gucs, GUC_bytea_output), "escape") == 0;
	for (unsigned i = 0; i < PG_INTERVAL_STYLE_COUNT; i++)
		if (strcmp(guc_text(&b->gucs, GUC_IntervalStyle), intervals[i]) == 0)
			b->style.interval = (enum pg_interval_style)i;
}

void gucs_apply(struct backend *b)
{
	apply_style(b);
	(void)pthread_mutex_lock(&b->guard);
	(void)snprintf(b->application_name, sizeof(b->application_name), "%s",
		       guc_text(&b->gucs, GUC_application_name));
	(void)pthread_mutex_unlock(&b->guard);
	apply_zone(b);
	const char *path = guc_text(&b->gucs, GUC_search_path);
	const bool with_catalog = b->catalog_ready && !b->catalog_hidden;
	if (!b->path_applied || b->path_had_catalog != with_catalog || strcmp(b->path_applied, path) != 0) {
		/* In a failed block nothing can be set: it is done when the block has ended. */
		if (b->block == 'E' || !b->engine)
			return;
		arena_reset(b->path_arena);
		/* What could not be set, a failed transaction say, is tried again. */
		b->path_applied = apply_search_path(b, with_catalog) ? arena_strdup(b->path_arena, path) : NULL;
		b->path_had_catalog = with_catalog;
		b->plan_settings++;
	}
}

static bool too_late(struct pg_error *e, const char *text)
{
	return pg_error_set(e, "25001", "%s", text);
}

/* What a block reads and writes is settled with its first query. */
static bool may_change_mode(const struct backend *b, enum guc_id id, struct span value, struct pg_error *e)
{
	const bool isolation = id == GUC_transaction_isolation, within = b->savepoint_count > 0;
	if (b->block != 'T' || (!isolation && id != GUC_transaction_deferrable) || (!within && !b->has_queried) ||
	    (isolation && span_eq_nocase(value, span_of(guc_text(&b->gucs, id)))))
		return true;
	if (isolation)
		return too_late(e, within ? "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"
					  : "SET TRANSACTION ISOLATION LEVEL must be called before any query");
	return too_late(e, within ? "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction"
				  : "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
}

static bool change_access(struct backend *b, bool read_only, struct pg_error *e)
{
	if (b->block == 'T' && b->read_only && !read_only) {
		if (b->savepoint_count && b->savepoints[b->savepoint_count - 1].read_only)
			return too_late(e, "cannot set transaction read-write mode inside a read-only transaction");
		if (b->has_queried)
			return too_late(e, "transaction read-write mode must be set before any query");
	}
	b->read_only = read_only;
	return true;
}

bool gucs_assign(struct backend *b, struct span name, const struct span *value, enum guc_scope scope,
		 struct pg_error *e)
{
	const enum guc_id id = guc_find(name);
	const struct gucs *g = &b->gucs;
	const struct span wanted = value ? *value : id == GUC_COUNT ? SPAN_NONE : span_of(guc_reset_text(g, id));
	if (!may_change_mode(b, id, wanted, e))
		return false;
	if (!(value ? guc_set(&b->gucs, name, *value, scope, true, e) : guc_reset(&b->gucs, name, scope, true, e)))
		return false;
	return id != GUC_transaction_read_only || change_access(b, guc_bool(g, id), e);
}

bool gucs_modes(struct backend *b, const struct command_transaction *modes, bool for_session, struct pg_error *e)
{
	const struct {
		bool given;
		const char *of_session, *of_block;
		struct span value;
	} rows[] = {{modes->has_isolation, "default_transaction_isolation", "transaction_isolation", modes->isolation},
		    {modes->has_access, "default_transaction_read_only", "transaction_read_only",
		     modes->read_only ? SPAN("on") : SPAN("off")},
		    {modes->has_deferrable, "default_transaction_deferrable", "transaction_deferrable",
		     modes->deferrable ? SPAN("on") : SPAN("off")}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && !gucs_assign(b, span_of(for_session ? rows[i].of_session : rows[i].of_block),
						  &rows[i].value, for_session ? GUC_SESSION : GUC_LOCAL, e))
			return false;
	return true;
}

static bool set_modes(struct backend *b, const struct command_set *c, struct pg_error *e)
{
	const bool session = c->scope == SET_CHARACTERISTICS;
	if (!session && b->block == 'I')
		backend_notice(b, PG_WARNING, "25P01", "SET TRANSACTION can only be used in transaction blocks");
	return gucs_modes(b, &c->modes, session, e);
}

/* --- the engine's own settings --- */

/* What a user may change of the engine's; the instance's lock-down lets these through. */
static const char *const ENGINE_SETTINGS[] = {"preserve_insertion_order",
					      "default_order",
					      "default_null_order",
					      "integer_division",
					      "ieee_floating_point_ops",
					      "explain_output",
					      "scalar_subquery_error_on_multiple_rows",
					      "order_by_non_integer_literal",
					      "old_implicit_casting"};

/* What decides about resources and security; an underscore at the end stands for all that begin so. */
static const char *const ENGINE_DENIED[] = {
	"memory_limit",
	"max_memory",
	"threads",
	"worker_threads",
	"external_threads",
	"temp_",
	"max_temp_",
	"enable_external_",
	"allowed_",
	"lock_",
	"allow_",
	"autoinstall_",
	"autoload_",
	"custom_",
	"extension_",
	"home_",
	"secret_",
	"default_secret_",
	"s3_",
	"http_",
	"azure_",
	"hf_",
	"ca_",
	"file_",
	"log_query_",
	"enable_log",
	"logging_",
	"enable_profiling",
	"profiling_",
	"profile_",
	"access_mode",
	"wal_",
	"checkpoint_",
	"disabled_",
	"storage_",
	"allocator_",
	"buffer_",
	"streaming_buffer_",
	"enable_http_",
	"enable_object_",
	"username",
	"password",
	"user",
	"duckdb_api",
	"custom_user_",
};

bool gucs_is_engine(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(ENGINE_SETTINGS); i++)
		if (span_eq_nocase(name, span_of(ENGINE_SETTINGS[i])))
			return true;
	return false;
}

bool gucs_is_denied(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(ENGINE_DENIED); i++) {
		const struct span denied = span_of(ENGINE_DENIED[i]);
		const bool starts = denied.ptr[denied.len - 1] == '_';
		if (span_eq_nocase(starts ? span_first(name, denied.len) : name, denied))
			return true;
	}
	return false;
}

/* SET and RESET of a setting that is none of PostgreSQL's; *ret_done: it was one of the engine's. */
static bool set_engine(struct backend *b, const struct command_set *c, bool *ret_done, struct pg_error *e)
{
	*ret_done = c->name.ptr && guc_find(c->name) == GUC_COUNT && gucs_is_engine(c->name);
	if (c->name.ptr && guc_find(c->name) == GUC_COUNT && gucs_is_denied(c->name))
		return pg_error_set(e, "42501", "permission denied to set parameter \"%.*s\"",
				    SPAN_ARG(span_first(c->name, 100)));
	if (!*ret_done)
		return true;
	struct buf sql = BUF(4096);
	buf_printf(&sql, c->is_default ? "RESET %.*s" : "SET %.*s = ", SPAN_ARG(c->name));
	if (!c->is_default)
		sql_text(&sql, c->value);
	bool fine = sql.failed ? pg_error_set(e, "22023", "the value is too long") : run_sql(b, sql.ptr, e);
	/* Whatever the engine calls a bad value, an error of syntax or of a cast; not a cancellation. */
	if (!fine && strncmp(e->sqlstate, "57", 2) != 0)
		(void)snprintf(e->sqlstate, sizeof(e->sqlstate), "22023");
	buf_done(&sql);
	b->plan_settings++;
	return fine;
}

bool gucs_run(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct command_set c;
	bool fine = true;
	const bool in_block = b->block != 'I';
	if (!command_set(s, b->work, &c, e))
		return false;
	if (c.scope == SET_TRANSACTION || c.scope == SET_CHARACTERISTICS)
		return set_modes(b, &c, e);
	bool done;
	if (!set_engine(b, &c, &done, e))
		return false;
	if (done)
		return true;
	const enum guc_scope scope = c.scope == SET_LOCAL ? GUC_LOCAL : GUC_SESSION;
	const char *now;
	if (scope == GUC_LOCAL && !in_block && !b->implicit)
		backend_notice(b, PG_WARNING, "25P01", "SET LOCAL can only be used in transaction blocks");
	if (!c.name.ptr)
		guc_reset_all(&b->gucs, true);
	else if (c.is_current)
		fine = guc_show(&b->gucs, c.name, &now, e);
	else
		fine = gucs_assign(b, c.name, c.is_default ? NULL : &c.value, scope, e);
	gucs_apply(b);
	return fine;
}

const char *gucs_shown(struct backend *b, enum guc_id id)
{
	if (id == GUC_transaction_read_only)
		return b->block != 'I' ? (b->read_only ? "on" : "off")
				       : guc_text(&b->gucs, GUC_default_transaction_read_only);
	if (id == GUC_transaction_isolation && b->block == 'I')
		return guc_text(&b->gucs, GUC_default_transaction_isolation);
	if (id == GUC_transaction_deferrable && b->block == 'I')
		return guc_text(&b->gucs, GUC_default_transaction_deferrable);
	return guc_text(&b->gucs, id);
}

static bool show_all(struct backend *b, struct portal *p)
{
	struct span *texts = arena_array(p->arena, struct span, 3 * GUC_COUNT);
	for (size_t i = 0; i < GUC_COUNT; i++) {
		texts[3 * i] = span_of(guc_row((enum guc_id)i)->name);
		texts[3 * i + 1] = span_of(arena_strdup(p->arena, gucs_shown(b, (enum guc_id)i)));
		texts[3 * i + 2] = SPAN("");
	}
	rows_give(p, texts, 3, GUC_COUNT);
	return true;
}

bool gucs_run_show(struct backend *b, const struct stmt *s, struct portal *p, struct pg_error *e)
{
	struct command_set c;
	const char *value;
	if (!command_set(s, b->work, &c, e))
		return false;
	if (!c.name.ptr)
		return show_all(b, p);
	enum guc_id id = guc_find(c.name);
	if (id == GUC_COUNT && gucs_is_engine(c.name)) {
		struct err err = ERR_INIT;
		const char *sql =
			arena_printf(b->work, "SELECT system.main.current_setting('%.*s')::VARCHAR", SPAN_ARG(c.name));
		if (!run_spool(b, e))
			return false;
		if (!session_text(b->engine, sql, b->work, &value, &err))
			return backend_engine_error(b, &err, NULL, NULL, e);
	} else if (id < GUC_COUNT)
		value = gucs_shown(b, id);
	else if (!guc_show(&b->gucs, c.name, &value, e))
		return false;
	const struct span text = span_of(arena_strdup(p->arena, value));
	rows_give(p, &text, 1, 1);
	return true;
}
