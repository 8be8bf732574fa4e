#include "pgwire/origins.h"

#include "engine/sql.h"
#include "pgwire/backend.h"
#include "pgwire/catalog.h"
#include "pgwire/select_list.h"

#include <strings.h>

void origins_done(struct origins *o)
{
	map_done(&o->tables);
	map_done(&o->enums);
	o->tables = o->enums = (struct map)MAP_INIT;
	if (o->arena)
		arena_free(o->arena);
	o->arena = NULL;
}

/* Forgets what may not be true any more. */
static struct origins *current(struct backend *b)
{
	struct origins *o = &b->origins;
	const uint64_t changes = workspace_changes(b->wi), attached = workspace_attached(b->wi);
	const bool same =
		o->arena && o->changes == changes && o->attached == attached && o->settings == b->plan_settings;
	if (same && o->tables.count + o->enums.count < ORIGINS_KEPT_MAX)
		return o;
	origins_done(o);
	o->arena = arena_new();
	o->changes = changes;
	o->attached = attached;
	o->settings = b->plan_settings;
	return o;
}

/* --- tables --- */

/* Where a name was found: the lower the better; 0: not what is meant. */
struct place_of {
	const char *db, *schema, *table;
	bool bucket;
};

static bool is_schema(struct span wanted, const char *db, const struct place_of *at)
{
	if (span_is(wanted, "public"))
		wanted = SPAN("main");
	if (strcmp(at->db, db) == 0)
		return span_eq_nocase(wanted, span_of(at->schema));
	if (strcmp(at->db, "temp") == 0)
		return span_is(wanted, "temp") || stmt_is_temp_schema(wanted);
	return span_eq_nocase(wanted, span_of(at->db)) && strcmp(at->schema, "main") == 0;
}

static unsigned rank_on_path(struct backend *b, const struct place_of *at)
{
	unsigned rank = 1;
	struct span rest = span_of(guc_text(&b->gucs, GUC_search_path));
	if (strcmp(at->db, "temp") == 0)
		return rank;
	while (rest.len) {
		struct span name = span_trim(span_cut(&rest, ','));
		rank++;
		if (name.len > 1 && *name.ptr == '"')
			name = (struct span){name.ptr + 1, name.len - 2};
		if (is_schema(name, workspace_db(b->wi), at))
			return rank;
	}
	return is_schema(SPAN("main"), workspace_db(b->wi), at) ? rank + 1 : 0;
}

static struct span plain_schema(struct span schema, struct arena *arena)
{
	char *copy = arena_copy(arena, schema);
	for (char *c = copy; *c; c++)
		if (*c == '.' || *c == '-')
			*c = '_';
	return span_of(copy);
}

static unsigned rank_of(struct backend *b, struct span schema, const struct place_of *at)
{
	if (!schema.len)
		return rank_on_path(b, at);
	return is_schema(plain_schema(schema, b->work), workspace_db(b->wi), at) ? 1 : 0;
}

/* The id as pg_class has it: the engine's, or for a table of the project that of the listing. */
static uint32_t oid_of(struct backend *b, const struct place_of *at, int64_t engine_oid)
{
	struct err err = ERR_INIT;
	bool is_bucket = false;
	if (strcmp(at->db, workspace_db(b->wi)) == 0 || strcmp(at->db, "temp") == 0)
		return (uint32_t)engine_oid;
	if (!workspace_attach_bucket(b->wi, at->db, &is_bucket, &err) || !is_bucket)
		return 0;
	return listing_table_oid(at->db, at->table);
}

static void take_rows(struct backend *b, struct span schema, struct cursor *cursor, struct origin_table *ret)
{
	struct arena *kept = b->origins.arena;
	struct err err = ERR_INIT;
	unsigned best = 0;
	int64_t chosen = -1;
	size_t rows = 0;
	while (cursor_next(cursor, &rows, &err) && rows > 0) {
		const char **more = arena_array(kept, const char *, ret->count + rows);
		if (ret->count)
			memcpy(more, ret->columns, ret->count * sizeof(*more));
		bool *always = arena_array(kept, bool, ret->count + rows);
		if (ret->count)
			memcpy(always, ret->always, ret->count * sizeof(*always));
		uint32_t *lists = arena_array(kept, uint32_t, ret->count + rows);
		if (ret->count)
			memcpy(lists, ret->lists, ret->count * sizeof(*lists));
		ret->columns = more;
		ret->always = always;
		ret->lists = lists;
		for (size_t i = 0; i < rows; i++) {
			const struct place_of at = {.db = arena_copy(b->work, cursor_text(cursor, 0, i)),
						    .schema = arena_copy(b->work, cursor_text(cursor, 1, i)),
						    .table = arena_copy(b->work, cursor_text(cursor, 2, i))};
			const int64_t oid = cursor_int(cursor, 3, i);
			const unsigned rank = rank_of(b, schema, &at);
			if (rank && (!best || rank < best)) {
				best = rank;
				chosen = oid;
				ret->count = 0;
				ret->any_always = ret->any_list = false;
				ret->oid = oid_of(b, &at, oid);
			}
			if (rank != best || !best || oid != chosen)
				continue;
			ret->always[ret->count] = cursor_int(cursor, 5, i) != 0;
			ret->any_always = ret->any_always || ret->always[ret->count];
			ret->lists[ret->count] = (uint32_t)cursor_int(cursor, 6, i);
			ret->any_list = ret->any_list || ret->lists[ret->count];
			ret->columns[ret->count++] = arena_copy(kept, cursor_text(cursor, 4, i));
		}
	}
}

/* All tables of that name, and of them the one that is meant. */
static void look_up(struct backend *b, const struct select_source *source, struct origin_table *ret)
{
	struct buf sql = BUF(64 * 1024);
	struct err err = ERR_INIT;
	struct cursor *cursor = NULL;
	buf_str(&sql, "SELECT database_name, schema_name, table_name, table_oid::BIGINT, column_name, "
		      "(system.main.starts_with(column_default, 'nextval(') AND EXISTS (SELECT 1 FROM "
		      "system.main.duckdb_sequences() q WHERE q.database_name = c.database_name AND "
		      "q.comment = '" IDENTITY_COMMENT
		      "' AND system.main.contains(c.column_default, q.sequence_name)))::BIGINT, "
		      "CASE WHEN data_type = 'BLOB[]' THEN 1001 WHEN system.main.ends_with(data_type, ']') THEN 1009 "
		      "ELSE 0 END::BIGINT FROM "
		      "system.main.duckdb_columns() c WHERE system.main.lower(table_name) = system.main.lower(");
	sql_text(&sql, source->name);
	buf_str(&sql, ") AND NOT internal ORDER BY database_name, schema_name, table_oid, column_index");
	if (!sql.failed && session_query(b->engine, sql.ptr, &cursor, &err))
		take_rows(b, source->schema, cursor, ret);
	cursor_close(cursor);
	buf_done(&sql);
}

const struct origin_table *origins_table(struct backend *b, const struct select_source *source)
{
	struct origins *o = current(b);
	struct span key = span_of(arena_printf(b->work, "%.*s.%.*s", SPAN_ARG(source->schema), SPAN_ARG(source->name)));
	struct origin_table *table = map_get(&o->tables, key);
	if (table)
		return table;
	table = arena_new_of(o->arena, struct origin_table);
	look_up(b, source, table);
	(void)map_put(&o->tables, key, table);
	return table;
}

/* --- columns --- */

struct telling {
	const struct select_list *list;
	const struct origin_table **tables; /* of the sources; NULL: unknown */
	struct message_column *columns;
	size_t n, at;
};

static void tell(const struct telling *t, size_t i, const struct origin_table *table, size_t column)
{
	t->columns[i].table_oid = table->oid;
	t->columns[i].attnum = (uint16_t)(column + 1);
}

static bool is_called(const struct select_source *source, struct span name)
{
	return !name.len || span_eq_nocase(source->alias, name);
}

/* The one column that is meant: not when two tables have it, or one is unknown. */
static void tell_column(struct telling *t, const struct select_item *item)
{
	const struct origin_table *found = NULL;
	size_t found_at = 0;
	for (size_t s = 0; s < t->list->source_count; s++) {
		const struct origin_table *table = t->tables[s];
		if (!is_called(&t->list->sources[s], item->table))
			continue;
		if (!table)
			return;
		for (size_t c = 0; c < table->count; c++) {
			if (!span_eq_nocase(item->column, span_of(table->columns[c])))
				continue;
			if (found)
				return;
			found = table;
			found_at = c;
		}
	}
	const bool same_name =
		found && (item->labelled || span_eq_nocase(t->columns[t->at].name, span_of(found->columns[found_at])));
	if (same_name)
		tell(t, t->at, found, found_at);
}

/* False: nobody knows how many columns a star stands for. */
static bool tell_star(struct telling *t, const struct select_item *item, bool only_count, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t s = 0; s < t->list->source_count; s++) {
		const struct origin_table *table = t->tables[s];
		if (!is_called(&t->list->sources[s], item->table))
			continue;
		if (!table || !table->count)
			return false;
		for (size_t c = 0; c < table->count && !only_count; c++) {
			const size_t i = t->at + *ret_count + c;
			if (i < t->n && span_eq_nocase(t->columns[i].name, span_of(table->columns[c])))
				tell(t, i, table, c);
		}
		*ret_count += table->count;
	}
	return *ret_count > 0;
}

/* Whether the list makes exactly the columns there are: joins may merge some, then nothing is told. */
static bool counts_match(struct telling *t)
{
	size_t total = 0;
	for (size_t i = 0; i < t->list->item_count; i++) {
		size_t count = 1;
		if (t->list->items[i].kind == ITEM_STAR && !tell_star(t, &t->list->items[i], true, &count))
			return false;
		total += count;
	}
	return total == t->n;
}

static void tell_all(struct telling *t)
{
	for (size_t i = 0; i < t->list->item_count; i++) {
		const struct select_item *item = &t->list->items[i];
		size_t count = 1;
		if (item->kind == ITEM_COLUMN)
			tell_column(t, item);
		else if (item->kind == ITEM_STAR)
			(void)tell_star(t, item, false, &count);
		t->at += count;
	}
}

static bool is_ours(struct span function)
{
	return function.len && (span_starts(function, SPAN("pg_")) || span_is(function, "current_setting") ||
				span_is(function, "set_config") || catalog_function(function));
}

static void rename_column(struct message_column *column, struct span name, struct arena *arena)
{
	if (span_eq(column->name, name))
		return;
	column->name = arena_span(arena, name);
	column->renamed = true;
}

/* The engine calls a column by the text of its expression, PostgreSQL otherwise. A plain column is called as it is. */
static void name_item(const struct select_item *item, struct message_column *column, struct arena *arena)
{
	const bool is_call = item->kind == ITEM_EXPRESSION && is_ours(item->callee);
	const struct span name = is_call ? item->callee : item->name;
	if (item->kind == ITEM_STAR || item->labelled || !name.len)
		return;
	if (item->kind == ITEM_COLUMN && (item->table.len || span_eq_nocase(column->name, name)))
		return;
	rename_column(column, name, arena);
}

/* The columns in front of a star and those behind it; between two stars nobody knows which is which. */
static void name_items(const struct select_list *list, struct arena *arena, struct message_column *columns, size_t n)
{
	size_t first = 0, last = list->item_count;
	while (first < last && list->items[first].kind != ITEM_STAR)
		first++;
	while (last > first && list->items[last - 1].kind != ITEM_STAR)
		last--;
	if (list->item_count > n + (last > first) || (first == last && list->item_count != n))
		return;
	for (size_t i = 0; i < first; i++)
		name_item(&list->items[i], &columns[i], arena);
	for (size_t i = last; i < list->item_count; i++)
		name_item(&list->items[i], &columns[n - (list->item_count - i)], arena);
}

static void name_values(struct arena *arena, struct message_column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rename_column(&columns[i], span_of(arena_printf(arena, "column%zu", i + 1)), arena);
}

static void tell_tables(struct backend *b, const struct select_list *list, struct message_column *columns, size_t n)
{
	struct telling t = {.list = list, .columns = columns, .n = n};
	bool any = false;
	for (size_t i = 0; i < list->item_count; i++)
		any = any || list->items[i].kind != ITEM_EXPRESSION;
	if (!any || !list->source_count)
		return;
	t.tables = arena_array(b->work, const struct origin_table *, list->source_count);
	for (size_t s = 0; s < list->source_count; s++) {
		const struct origin_table *table = list->sources[s].known ? origins_table(b, &list->sources[s]) : NULL;
		t.tables[s] = table && table->oid ? table : NULL;
	}
	if (counts_match(&t))
		tell_all(&t);
}

/* --- ENUM types --- */

/* The type of the workspace that has these labels; 0: none has. */
static uint32_t find_enum(struct backend *b, const struct type *type)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	int64_t oid = 0;
	buf_str(&sql,
		"SELECT coalesce(system.main.min(type_oid), 0)::BIGINT FROM system.main.duckdb_types() WHERE logical_type = 'ENUM' AND "
		"NOT internal AND database_name = ");
	sql_text(&sql, span_of(workspace_db(b->wi)));
	buf_str(&sql, " AND labels = system.main.list_value(");
	for (size_t i = 0; i < type->label_count; i++) {
		buf_str(&sql, i ? ", " : "");
		sql_text(&sql, span_of(type->labels[i]));
	}
	buf_str(&sql, ")");
	if (sql.failed || !session_int(b->engine, sql.ptr, &oid, &err))
		oid = 0;
	buf_done(&sql);
	return (uint32_t)oid;
}

static uint32_t enum_oid(struct backend *b, const struct type *type)
{
	struct origins *o = current(b);
	uint32_t *kept = map_get(&o->enums, span_of(type->text));
	if (kept)
		return *kept;
	kept = arena_new_of(o->arena, uint32_t);
	*kept = find_enum(b, type);
	(void)map_put(&o->enums, span_of(type->text), kept);
	return *kept;
}

uint32_t origins_type(struct backend *b, const struct type *type)
{
	const bool is_list = type->id == TYPE_LIST || type->id == TYPE_ARRAY;
	const struct type *item = is_list ? type->members[0].type : type;
	const uint32_t oid = item->id == TYPE_ENUM ? enum_oid(b, item) : 0;
	if (!oid)
		return type_pg_oid(type);
	return is_list ? 0x10000000 + oid % 0x800000 * 32 + ENUM_ARRAY_ROW : oid;
}

void origins_tell(struct backend *b, const struct stmt *s, struct arena *arena, const struct type *const *types,
		  struct message_column *columns, size_t n)
{
	struct select_list list;
	for (size_t i = 0; i < n; i++) {
		const uint32_t oid = origins_type(b, types[i]);
		if (oid == type_pg_oid(types[i]))
			continue;
		columns[i].type_oid = oid;
		columns[i].type_len = types[i]->id == TYPE_ENUM ? 4 : -1;
	}
	if (!s || !n)
		return;
	const bool known = select_list_read(s, b->work, &list);
	if (list.is_values)
		name_values(arena, columns, n);
	else if (list.has_items)
		name_items(&list, arena, columns, n);
	if (known && !(s->mentions & MENTIONS_CATALOG))
		tell_tables(b, &list, columns, n);
}
