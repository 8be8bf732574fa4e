#include "storage/branch.h"

#include "engine/session.h"
#include "engine/sql.h"
#include "storage/place.h"
#include "storage/shape.h"

#include <stdlib.h>

void branch_table_of(struct storage *storage, struct arena *arena, const struct table_row *row,
		     struct branch_table *ret)
{
	*ret = (struct branch_table){.row = *row};
	ret->on_main = catalog_get_table_row(storage->catalog, arena,
					     KEY(row->project_id, BRANCH_MAIN, row->bucket, row->name), &ret->main);
	bool had = row->base_generation != 0;
	if (!had)
		ret->conflict = ret->on_main ? CONFLICT_MAIN_CREATED : CONFLICT_NONE;
	else if (!ret->on_main)
		ret->conflict = CONFLICT_MAIN_DROPPED;
	/* Generations begin anew with a table that was dropped and made again: the time tells it from the former one. */
	else if (ret->main.generation != row->base_generation || ret->main.created_at != row->base_created_at)
		ret->conflict = CONFLICT_MAIN_CHANGED;
}

/* One table's two sides, pinned. */
struct sides {
	struct place branch, main;
	struct table_ref *branch_ref, *main_ref;
	struct table_info branch_info, main_info;
	const char **common; /* columns of both with one type */
	size_t common_count;
};

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_key(const struct table_schema *a, const struct table_schema *b)
{
	if (a->key_count != b->key_count)
		return false;
	for (size_t i = 0; i < a->key_count; i++) {
		if (strcmp(a->key[i], b->key[i]) != 0)
			return false;
	}
	return true;
}

static void columns_compare(struct sides *s, struct arena *arena, struct branch_table_diff *ret)
{
	const struct table_schema *ours = &s->branch_info.schema;
	const struct table_schema *theirs = &s->main_info.schema;
	ret->columns_added = arena_array(arena, const char *, ours->column_count);
	ret->columns_changed = arena_array(arena, const char *, ours->column_count);
	ret->columns_removed = arena_array(arena, const char *, theirs->column_count);
	s->common = arena_array(arena, const char *, ours->column_count);
	for (size_t i = 0; i < ours->column_count; i++) {
		const struct table_column *c = &ours->columns[i];
		const struct table_column *other = table_column_find(theirs, c->name);
		if (!other) {
			ret->columns_added[ret->columns_added_count++] = c->name;
			continue;
		}
		bool same_type = strcmp(c->type, other->type) == 0;
		if (same_type)
			s->common[s->common_count++] = c->name;
		if (!same_type || c->nullable != other->nullable || !same_text(c->default_sql, other->default_sql))
			ret->columns_changed[ret->columns_changed_count++] = c->name;
	}
	for (size_t i = 0; i < theirs->column_count; i++) {
		if (!table_column_find(ours, theirs->columns[i].name))
			ret->columns_removed[ret->columns_removed_count++] = theirs->columns[i].name;
	}
	ret->key_changed = !same_key(ours, theirs);
	ret->by_key = ours->key_count > 0 && !ret->key_changed;
	/* A key column of another type on the other side matches nothing. */
	for (size_t i = 0; i < ours->key_count && ret->by_key; i++)
		ret->by_key = strcmp(table_column_find(ours, ours->key[i])->type,
				     table_column_find(theirs, ours->key[i])->type) == 0;
}

/* (SELECT true AS p, "a" AS k0, "b" AS c0, ... FROM alias.main.data): names of our own, whatever the columns are called. */
static void side_sql(const struct sides *s, const char *alias, const char *mark, struct buf *sql)
{
	const struct table_schema *schema = &s->branch_info.schema;
	sql_printf(sql, "(SELECT %s AS p", mark);
	for (size_t i = 0; i < schema->key_count; i++)
		sql_printf(sql, ", %I AS k%d", schema->key[i], (int64_t)i);
	for (size_t i = 0; i < s->common_count; i++)
		sql_printf(sql, ", %I AS c%d", s->common[i], (int64_t)i);
	sql_printf(sql, " FROM %s.main.data)", alias);
}

static void by_key_sql(const struct sides *s, struct buf *sql)
{
	buf_str(sql, "SELECT count(*) FILTER (m.p IS NULL), count(*) FILTER (b.p IS NULL), "
		     "count(*) FILTER (m.p AND b.p AND (false");
	for (size_t i = 0; i < s->common_count; i++)
		sql_printf(sql, " OR b.c%d IS DISTINCT FROM m.c%d", (int64_t)i, (int64_t)i);
	buf_str(sql, ")) FROM ");
	side_sql(s, table_ref_alias(s->branch_ref), "true", sql);
	buf_str(sql, " b FULL JOIN ");
	side_sql(s, table_ref_alias(s->main_ref), "true", sql);
	buf_str(sql, " m ON true");
	for (size_t i = 0; i < s->branch_info.schema.key_count; i++)
		sql_printf(sql, " AND b.k%d = m.k%d", (int64_t)i, (int64_t)i);
}

static void by_rows_sql(const struct sides *s, struct buf *sql)
{
	buf_str(sql,
		"SELECT coalesce(sum(greatest(b - m, 0)), 0)::BIGINT, coalesce(sum(greatest(m - b, 0)), 0)::BIGINT, "
		"0::BIGINT FROM (SELECT count(*) FILTER (p) AS b, count(*) FILTER (NOT p) AS m FROM (FROM ");
	side_sql(s, table_ref_alias(s->branch_ref), "true", sql);
	buf_str(sql, " UNION ALL FROM ");
	side_sql(s, table_ref_alias(s->main_ref), "false", sql);
	buf_str(sql, ") GROUP BY ");
	for (size_t i = 0; i < s->common_count; i++)
		sql_printf(sql, "%sc%d", i ? ", " : "", (int64_t)i);
	buf_byte(sql, ')');
}

static bool rows_compare(struct op *op, const struct sides *s, struct branch_table_diff *ret, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct session *session = NULL;
	struct cursor *cursor = NULL;
	const char *text;
	size_t n = 0;
	if (s->common_count == 0) {
		ret->rows_added = s->branch_info.row_count;
		ret->rows_removed = s->main_info.row_count;
		return true;
	}
	if (ret->by_key)
		by_key_sql(s, &sql);
	else
		by_rows_sql(s, &sql);
	bool fine = sql_finish(&sql, &text, err) && session_open(op->storage->data, &session, err) &&
		    (!op->call->progress || session_follow(session, op->call->progress, err)) &&
		    session_query(session, text, &cursor, err) && cursor_next(cursor, &n, err);
	if (fine && n == 1) {
		ret->rows_added = cursor_int(cursor, 0, 0);
		ret->rows_removed = cursor_int(cursor, 1, 0);
		ret->rows_changed = cursor_int(cursor, 2, 0);
	}
	cursor_close(cursor);
	session_close(session);
	buf_done(&sql);
	return fine;
}

static bool differs(const struct branch_table_diff *d)
{
	return d->columns_added_count || d->columns_removed_count || d->columns_changed_count || d->key_changed ||
	       d->rows_added || d->rows_removed || d->rows_changed;
}

static bool table_diff(struct op *op, struct branch_table_diff *ret, struct err *err)
{
	struct arena *arena = op->call->arena;
	const struct table_row *row = &ret->table.row;
	struct sides s = {0};
	if (!ret->table.on_main) {
		ret->change = CHANGE_ADDED;
		ret->rows_added = row->row_count;
		return true;
	}
	if (!place_table_own(op->storage, arena, row->project_id, row->branch_id, row->bucket, row->name, &s.branch,
			     err) ||
	    !place_table_own(op->storage, arena, row->project_id, NULL, row->bucket, row->name, &s.main, err) ||
	    !place_attach(&s.branch, &s.branch_ref, &s.branch_info, err) ||
	    !place_attach(&s.main, &s.main_ref, &s.main_info, err))
		return false;
	ret->table.row = s.branch.table;
	ret->table.main = s.main.table;
	columns_compare(&s, arena, ret);
	if (!rows_compare(op, &s, ret, err))
		return false;
	ret->change = differs(ret) ? CHANGE_CHANGED : CHANGE_NONE;
	return true;
}

static bool diff(struct op *op, const char *bucket, const char *table, struct branch_table_diff **ret,
		 size_t *ret_count, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct table_row *rows;
	struct place place;
	size_t n;
	if (!branch_place(storage, op->call, t->project_id, t->branch_id, &place, err))
		return false;
	catalog_list_tables(storage->catalog, arena, KEY(t->project_id, t->branch_id), NULL, &rows, &n);
	*ret = arena_array(arena, struct branch_table_diff, n);
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		struct branch_table_diff *one = &(*ret)[*ret_count];
		if ((bucket && strcmp(bucket, rows[i].bucket) != 0) || (table && strcmp(table, rows[i].name) != 0))
			continue;
		branch_table_of(storage, arena, &rows[i], &one->table);
		bool fine = table_diff(op, one, err);
		if (fine)
			++*ret_count;
		else if (err->code != ERR_TABLE_NOT_FOUND && err->code != ERR_BUCKET_NOT_FOUND)
			return false;
		else
			/* Dropped or pulled since the list was read. */
			*one = (struct branch_table_diff){0};
	}
	return true;
}

bool branch_diff(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		 const char *bucket, const char *table, struct branch_table_diff **ret, size_t *ret_count,
		 struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_diff_branch,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .resource_id = branch_id});
	return op_end(&op, diff(&op, bucket, table, ret, ret_count, err), err);
}
