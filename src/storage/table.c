#include "storage/table.h"

#include "base/clock.h"
#include "base/fs.h"
#include "engine/encode_json.h"
#include "engine/expr.h"
#include "engine/session.h"
#include "engine/sql.h"
#include "engine/staging.h"
#include "metrics/metrics.h"
#include "storage/bucket.h"
#include "storage/intent.h"
#include "storage/lock.h"
#include "storage/removal.h"
#include "storage/shape.h"
#include "storage/snapshot.h"
#include "storage/version.h"
#include "storage/write.h"

#include <stdlib.h>

const char *table_source_name(enum table_source source)
{
	static const char *const names[] = {"main", "branch", "linked"};
	return names[source];
}

void table_view_of(const struct place *place, const struct table_info *info, struct table_view *ret)
{
	*ret = (struct table_view){
		.name = place->table.name,
		.bucket = place->bucket_name,
		.info = *info,
		.created_at = place->table.created_at,
		.source = place->source,
	};
}

/* ---- looking ---- */

bool table_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
	       const char *bucket, const char *table, struct table_view *ret, struct err *err)
{
	struct place place;
	struct table_info info;
	if (!place_table(storage, call->arena, project_id, branch_id, bucket, table, &place, err) ||
	    !place_schema(&place, &info, err))
		return false;
	table_view_of(&place, &info, ret);
	return true;
}

/* Names of a bucket as the branch sees them, each once; rows of `over` hide those of `under`. */
struct names {
	const char **items;
	size_t count;
};

static void names_add(struct names *names, const struct table_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		names->items[names->count++] = rows[i].name;
}

static int name_order(const void *a, const void *b)
{
	return span_cmp(span_of(*(const char *const *)a), span_of(*(const char *const *)b));
}

static void names_collect(struct place *place, bool include_linked, struct names *ret)
{
	struct catalog *c = place->storage->catalog;
	struct arena *arena = place->arena;
	struct table_row *rows[3] = {0};
	size_t n[3] = {0};
	catalog_list_tables(c, arena, KEY(place->project.id, BRANCH_MAIN, place->bucket_name), NULL, &rows[0], &n[0]);
	if (!place->on_main)
		catalog_list_tables(c, arena, KEY(place->project.id, place->branch_id, place->bucket_name), NULL,
				    &rows[1], &n[1]);
	if (place->linked && include_linked)
		catalog_list_tables(c, arena, KEY(place->bucket.project_id, BRANCH_MAIN, place->bucket.name), NULL,
				    &rows[2], &n[2]);
	*ret = (struct names){.items = arena_array(arena, const char *, n[0] + n[1] + n[2])};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i])
			names_add(ret, rows[i], n[i]);
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), name_order);
	size_t kept = 0;
	for (size_t i = 0; i < ret->count; i++) {
		if (kept == 0 || strcmp(ret->items[kept - 1], ret->items[i]) != 0)
			ret->items[kept++] = ret->items[i];
	}
	ret->count = kept;
}

bool table_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		const char *bucket, bool include_linked, struct table_view **ret, size_t *ret_count, struct err *err)
{
	struct place place;
	struct names names;
	size_t kept = 0;
	if (!place_bucket(storage, call->arena, project_id, branch_id, bucket, NULL, &place, err))
		return false;
	names_collect(&place, include_linked, &names);
	*ret = arena_array(call->arena, struct table_view, names.count);
	for (size_t i = 0; i < names.count; i++) {
		struct table_info info;
		/* A table that was dropped since the names were read is simply not there. */
		if (!place_find_table(&place, names.items[i], false))
			continue;
		if (!place_schema(&place, &info, err))
			return false;
		table_view_of(&place, &info, &(*ret)[kept++]);
	}
	*ret_count = kept;
	return true;
}

/* ---- create ---- */

static bool key_exists(const struct table_create *request, struct err *err)
{
	for (size_t i = 0; i < request->primary_key_count; i++) {
		bool found = false;
		for (size_t c = 0; c < request->column_count && !found; c++)
			found = strcasecmp(request->columns[c].name, request->primary_key[i]) == 0;
		if (found)
			continue;
		const char *names[LIMIT_COLUMNS];
		size_t n = request->column_count < LIMIT_COLUMNS ? request->column_count : LIMIT_COLUMNS;
		for (size_t c = 0; c < n; c++)
			names[c] = request->columns[c].name;
		(void)err_set(err, ERR_INVALID_PRIMARY_KEY, "The key's column %s is not a column of the table",
			      request->primary_key[i]);
		err_detail_list(err, "primary_key", request->primary_key, request->primary_key_count);
		err_detail_list(err, "columns", names, n);
		return false;
	}
	return true;
}

bool table_column_name_check(const char *name, enum err_code code, struct err *err)
{
	size_t len = strlen(name);
	if (len > 0 && len <= LIMIT_COLUMN_NAME_BYTES)
		return true;
	return err_set(err, code, "A column name must have 1 to %d bytes", LIMIT_COLUMN_NAME_BYTES);
}

static bool in_key(const struct table_create *request, const char *name)
{
	for (size_t i = 0; i < request->primary_key_count; i++) {
		if (strcasecmp(request->primary_key[i], name) == 0)
			return true;
	}
	return false;
}

static int column_order(const void *a, const void *b)
{
	return strcasecmp(((const struct table_column *)a)->name, ((const struct table_column *)b)->name);
}

static bool names_unique(const struct table_column *columns, size_t n, struct arena *arena, struct err *err)
{
	struct table_column *sorted = arena_array(arena, struct table_column, n);
	memcpy(sorted, columns, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), column_order);
	for (size_t i = 1; i < n; i++) {
		if (strcasecmp(sorted[i - 1].name, sorted[i].name) == 0)
			return err_set(err, ERR_CREATE_FAILED, "Two columns are called %s", sorted[i].name);
	}
	return true;
}

/* The schema with canonical types and defaults. */
static bool schema_build(struct storage *storage, struct arena *arena, const struct table_create *request,
			 struct table_schema *ret, struct err *err)
{
	size_t n = request->column_count;
	if (n > LIMIT_COLUMNS)
		return err_set(err, ERR_CREATE_FAILED, "A table has at most %d columns", LIMIT_COLUMNS);
	struct table_column *columns = arena_array(arena, struct table_column, n);
	for (size_t i = 0; i < n; i++) {
		const struct table_column *from = &request->columns[i];
		columns[i] = (struct table_column){.name = from->name,
						   .nullable = from->nullable && !in_key(request, from->name)};
		if (!table_column_name_check(from->name, ERR_CREATE_FAILED, err) ||
		    !expr_type(storage->guard, span_of(from->type), arena, &columns[i].type, err) ||
		    (from->default_sql && !expr_default(storage->guard, span_of(from->default_sql), columns[i].type,
							arena, &columns[i].default_sql, err)))
			return err_recode(err, ERR_CREATE_FAILED);
	}
	const char **key = arena_array(arena, const char *, request->primary_key_count);
	for (size_t i = 0; i < request->primary_key_count; i++) {
		key[i] = request->primary_key[i];
		for (size_t c = 0; c < i; c++) {
			if (strcasecmp(key[c], key[i]) == 0)
				return err_set(err, ERR_CREATE_FAILED, "Column %s stands twice in the key", key[i]);
		}
	}
	*ret = (struct table_schema){
		.column_count = n, .columns = columns, .key_count = request->primary_key_count, .key = key};
	return names_unique(columns, n, arena, err);
}

static bool table_exists(const struct place *place, const char *table, struct err *err)
{
	(void)err_set(err, ERR_TABLE_EXISTS, "Table %s exists already in bucket %s", table, place->bucket_name);
	err_detail(err, "project_id", place->project.id);
	err_detail(err, "bucket_name", place->bucket_name);
	err_detail(err, "table_name", table);
	return false;
}

bool table_absent(struct place *place, const char *table, struct err *err)
{
	return !place_find_table(place, table, false) || table_exists(place, table, err);
}

static struct table_row row_new(const struct place *place, const char *table, const struct table_info *info)
{
	struct table_row row = {
		.project_id = place->project.id,
		.branch_id = place->branch_id,
		.bucket = place->bucket_name,
		.name = table,
		.origin = place->on_main ? "main" : "created",
		.generation = 1,
		.created_at = clock_unix_us(),
	};
	write_row_fill(&row, info, place->arena);
	row.copied_at = place->on_main ? 0 : row.created_at;
	return row;
}

static bool row_insert(const struct place *place, const struct table_row *row, struct err *err)
{
	struct catalog_txn *t = catalog_txn(place->storage->catalog, place->arena);
	place_expect(t, place);
	catalog_insert_table_row(t, row, ERR_TABLE_EXISTS);
	return catalog_commit(t, err);
}

bool table_publish_file(struct op *op, struct place *place, const char *table, const char *file,
			const struct table_info *info, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct err ignored = ERR_INIT;
	struct intent intent;
	struct table_row row = row_new(place, table, info);
	/* Also where table_absent saw none, as its file cannot be read: that file must not be lost with this attempt. */
	if (catalog_get_table_row(storage->catalog, arena, KEY(row.project_id, row.branch_id, row.bucket, table),
				  &place->table))
		return table_exists(place, table, err);
	const char *dir = place_bucket_dir(storage, arena, row.project_id, row.branch_id, row.bucket);
	const char *path = place_table_path(storage, arena, row.project_id, row.branch_id, row.bucket, table);
	intent_begin(&intent, storage, path);
	bool fine = fs_mkdir(dir, err) && fs_publish(file, path, false, err) && row_insert(place, &row, err);
	if (!fine) {
		place_explain(place, err);
		(void)!fs_unlink(path, &ignored);
		if (err->code == ERR_BUCKET_NOT_FOUND || err->code == ERR_BRANCH_NOT_FOUND)
			bucket_folder_tidy(place);
	}
	intent_end(&intent);
	if (!fine)
		return false;
	place->table = row;
	place->path = path;
	place->source = place->on_main ? SOURCE_MAIN : SOURCE_BRANCH;
	return true;
}

bool table_publish_new(struct op *op, struct place *place, const char *table, struct staging *next,
		       struct table_info *ret, struct err *err)
{
	return staging_seal(next, op->call->arena, ret, err) &&
	       table_publish_file(op, place, table, staging_path(next), ret, err);
}

static bool create(struct op *op, const char *bucket, const struct table_create *request, struct table_view *ret,
		   struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct place place;
	struct table_schema schema;
	struct table_info info;
	struct admission admission = {0};
	struct staging *next = NULL;
	if (!place_bucket(storage, arena, t->project_id, t->branch_id, bucket, NULL, &place, err) ||
	    !place_name_check("A table name", request->name, err) || !table_absent(&place, request->name, err) ||
	    !key_exists(request, err) || !schema_build(storage, arena, request, &schema, err))
		return false;
	bool fine = lock_table(storage->locks, op, t->project_id, place.branch_id, bucket, request->name, &admission,
			       err) &&
		    place_bucket(storage, arena, t->project_id, t->branch_id, bucket, NULL, &place, err) &&
		    table_absent(&place, request->name, err) &&
		    staging_create(storage->tables, storage->settings->staging_dir, 0, &next, err);
	if (fine && !staging_create_table(next, &schema, err))
		fine = err_recode(err, ERR_CREATE_FAILED);
	fine = fine && table_publish_new(op, &place, request->name, next, &info, err);
	staging_free(next);
	lock_release(&admission);
	if (fine)
		table_view_of(&place, &info, ret);
	return fine;
}

bool table_create(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const char *bucket, const struct table_create *request, struct table_view *ret, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_create_table,
		 (struct op_target){
			 .project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = request->name});
	return op_end(&op, create(&op, bucket, request, ret, err), err);
}

/* ---- delete ---- */

bool table_discard(struct op *op, struct place *place, struct err *err)
{
	struct storage *storage = op->storage;
	struct removal gone = REMOVAL(storage, op->call->arena);
	const struct table_row *row = &place->table;
	const char *path =
		place_table_path(storage, op->call->arena, row->project_id, row->branch_id, row->bucket, row->name);
	struct catalog_txn *t = catalog_txn(storage->catalog, op->call->arena);
	catalog_expect_table_row(t, KEY(row->project_id, row->branch_id, row->bucket, row->name), ERR_TABLE_NOT_FOUND);
	catalog_remove_table_row(t, KEY(row->project_id, row->branch_id, row->bucket, row->name));
	catalog_remove_publication(t, KEY(row->project_id, row->branch_id, row->bucket, row->name));
	version_forget(t, row->project_id, row->branch_id, row->bucket, row->name);
	removal_add(&gone, t, path);
	bool fine = catalog_commit(t, err);
	if (fine) {
		removal_run(&gone);
		version_remove_files(storage, row->project_id, row->branch_id, row->bucket, row->name);
		table_reap(storage->tables);
		if (place->on_main)
			metric_tenant_forget(TENANT_TABLE, row->project_id, row->bucket, row->name);
	}
	return fine;
}

/* On a dev branch a table of main can be hidden by a copy, not deleted. */
static bool deletable(const struct place *place, struct err *err)
{
	if (place->on_main || place->source == SOURCE_BRANCH)
		return true;
	(void)err_set(err, ERR_OPERATION_NOT_ALLOWED,
		      "Table %s belongs to the default branch; a dev branch can delete only its own copy of it",
		      place->table.name);
	err_detail(err, "branch_id", place->branch_id);
	err_detail(err, "bucket_name", place->bucket_name);
	err_detail(err, "table_name", place->table.name);
	return false;
}

bool table_delete(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const char *bucket, const char *table, struct err *err)
{
	struct op op;
	struct place place;
	struct admission admission = {0};
	struct arena *arena = call->arena;
	op_begin(
		&op, storage, call, OP_delete_table,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	bool fine = place_table_own(storage, arena, project_id, branch_id, bucket, table, &place, err) &&
		    deletable(&place, err) &&
		    lock_table(storage->locks, &op, project_id, place.branch_id, bucket, table, &admission, err) &&
		    place_table_own(storage, arena, project_id, branch_id, bucket, table, &place, err) &&
		    deletable(&place, err) && snapshot_auto(&op, &place, SNAPSHOT_DROP_TABLE, NULL, err) &&
		    table_discard(&op, &place, err);
	lock_release(&admission);
	return op_end(&op, fine, err);
}

/* ---- preview ---- */

static bool preview_sql(const struct place *place, const struct table_ref *ref, const struct table_info *info,
			const struct table_preview_request *request, struct buf *sql, struct err *err)
{
	buf_str(sql, "SELECT ");
	if (request->column_count) {
		for (size_t i = 0; i < request->column_count; i++) {
			if (!table_column_find(&info->schema, request->columns[i])) {
				(void)err_set(err, ERR_INVALID_COLUMN, "Table %s has no column %s", place->table.name,
					      request->columns[i]);
				err_detail(err, "column", request->columns[i]);
				return false;
			}
		}
		sql_idents(sql, request->columns, request->column_count);
	} else {
		buf_byte(sql, '*');
	}
	sql_printf(sql, " FROM %s.main.data", table_ref_alias(ref));
	const char *filter = NULL;
	if (request->filter &&
	    !expr_filter(place->storage->guard, span_of(request->filter), &info->schema, place->arena, &filter, err))
		return false;
	if (request->filters && !filters_where(request->filters, &info->schema, place->arena, &filter, err))
		return false;
	if (filter)
		sql_printf(sql, " WHERE %s", filter);
	if (request->filters && !filters_order(request->filters, &info->schema, sql, err))
		return false;
	if (request->order_by) {
		if (!table_column_find(&info->schema, request->order_by))
			return err_set(err, ERR_INVALID_COLUMN, "Table %s has no column %s", place->table.name,
				       request->order_by);
		sql_printf(sql, " ORDER BY %I %s", request->order_by, request->descending ? "DESC" : "ASC");
	}
	sql_printf(sql, " LIMIT %d", request->limit);
	return true;
}

static bool preview_taken(struct cursor *cursor, const struct table_preview_request *request, struct table_preview *ret,
			  struct err *err)
{
	size_t n;
	bool fine;
	while ((fine = cursor_next(cursor, &n, err)) && n > 0) {
		ret->row_count += (int64_t)n;
		if (!request->take(request->take_ctx, cursor, n, err))
			return false;
	}
	return fine;
}

static bool preview_rows(struct cursor *cursor, const struct table_preview_request *request, struct table_preview *ret,
			 struct err *err)
{
	bool first = true;
	size_t n;
	bool fine;
	if (request->take)
		return preview_taken(cursor, request, ret, err);
	buf_byte(&ret->rows, '[');
	while ((fine = cursor_next(cursor, &n, err)) && n > 0) {
		encode_json_rows(cursor, n, &first, &ret->rows);
		ret->row_count += (int64_t)n;
	}
	buf_byte(&ret->rows, ']');
	if (fine && ret->rows.failed)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE,
			       "The rows are larger than %d MiB together; ask for fewer with limit",
			       LIMIT_RESPONSE_BYTES / (1024 * 1024));
	return fine;
}

static void rows_done(void *rows)
{
	buf_done(rows);
}

/* The filter's fault, or the engine's. */
static bool preview_refuse(const struct table_preview_request *request, struct err *err)
{
	if (err->code == ERR_ENGINE_REFUSED && request->filter)
		return err_recode(err, ERR_INVALID_WHERE_CLAUSE);
	if (err->code == ERR_ENGINE || err->code == ERR_ENGINE_REFUSED || err->code == ERR_IO)
		return err_recode(err, ERR_PREVIEW_FAILED);
	return false;
}

static bool preview(struct op *op, const char *table, const struct table_preview_request *request,
		    struct table_preview *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct place place;
	struct table_ref *ref;
	struct table_info info;
	struct session *session = NULL;
	struct cursor *cursor = NULL;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	*ret = (struct table_preview){.rows = BUF(LIMIT_RESPONSE_BYTES)};
	if (!place_table(storage, arena, t->project_id, t->branch_id, t->bucket, table, &place, err))
		return false;
	bool fine = (request->version ? version_attach(&place, request->version, &ref, &info, err)
				      : place_attach(&place, &ref, &info, err)) &&
		    preview_sql(&place, ref, &info, request, &sql, err) && sql_finish(&sql, &text, err) &&
		    session_open(storage->data, &session, err) &&
		    (!op->call->progress || session_follow(session, op->call->progress, err)) &&
		    session_query(session, text, &cursor, err) && preview_rows(cursor, request, ret, err);
	fine = fine || preview_refuse(request, err);
	cursor_close(cursor);
	session_close(session);
	buf_done(&sql);
	if (!fine) {
		buf_done(&ret->rows);
		return false;
	}
	struct buf *rows = arena_new_of(arena, struct buf);
	*rows = ret->rows;
	arena_on_free(arena, rows_done, rows);
	table_view_of(&place, &info, &ret->table);
	op->rows = ret->row_count;
	op->bytes_out = (int64_t)ret->rows.len;
	return true;
}

bool table_preview(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *bucket, const char *table, const struct table_preview_request *request,
		   struct table_preview *ret, struct err *err)
{
	struct op op;
	op_begin(
		&op, storage, call, OP_preview_table,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	return op_end(&op, preview(&op, table, request, ret, err), err);
}
