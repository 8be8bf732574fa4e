#include "base/clock.h"
#include "grpc/families.h"
#include "grpc/imports.h"
#include "grpc/workspaces.h"
#include "storage/bucket.h"

typedef TABLE_MSG(TableImportFromTableCommand) copy_msg;
typedef TABLE_MSG(TableImportFromTableCommand__SourceTableMapping) mapping_msg;

enum { IMPORT_INCREMENTAL = 1, IMPORT_VIEW = 2, IMPORT_CLONE = 3, CREATE_REPLACE = 1 };

/* ---- the source ---- */

/* One element that is no bucket of the credentials project may be a workspace. */
static bool names_workspace(struct driver_call *c, const mapping_msg *from, struct workspace *ret)
{
	struct bucket bucket;
	struct bucket_link link;
	if (from->n_path != 1)
		return false;
	const char *name = c->project ? driver_bucket_name(c, c->project, from->path[0]) : NULL;
	bool is_bucket = name && (catalog_get_bucket(c->storage->catalog, c->arena, KEY(c->project, name), &bucket) ||
				  catalog_get_bucket_link(c->storage->catalog, c->arena, KEY(c->project, name), &link));
	return !is_bucket && driver_workspace_find(c, from->path[0], ret);
}

static bool source_place(struct driver_call *c, const mapping_msg *from, struct driver_place *place,
			 struct source_table *ret, struct err *err)
{
	struct workspace workspace;
	if (!driver_need(from->tablename, "source.tableName", err))
		return false;
	if (!names_workspace(c, from, &workspace)) {
		if (!driver_path(c, from->path, from->n_path, from->tablename, place, err))
			return false;
		*ret = (struct source_table){.project_id = place->project_id,
					     .branch_id = place->branch_id,
					     .bucket = place->bucket,
					     .table = place->table};
		return true;
	}
	*place = (struct driver_place){
		.project_id = workspace.project_id, .bucket = workspace.id, .table = from->tablename};
	*ret = (struct source_table){.workspace_id = workspace.id, .table = from->tablename};
	return driver_workspace_clear(c, &workspace, err);
}

static bool source_read(struct driver_call *c, const mapping_msg *from, struct filters *filters,
			struct source_table *ret, struct err *err)
{
	struct source_column *columns = arena_array(c->arena, struct source_column, from->n_columnmappings);
	for (size_t i = 0; i < from->n_columnmappings; i++) {
		columns[i] = (struct source_column){from->columnmappings[i]->sourcecolumnname,
						    from->columnmappings[i]->destinationcolumnname};
		if (!driver_need(columns[i].source, "columnMappings.sourceColumnName", err))
			return false;
	}
	if (from->seconds > 0)
		filters->changed_since =
			arena_printf(c->arena, "%lld", (long long)(clock_unix_us() / US_PER_S - from->seconds));
	ret->columns = columns;
	ret->column_count = from->n_columnmappings;
	ret->filters = filters;
	ret->limit = from->limit > 0 ? from->limit : 0;
	return driver_where(c, from->wherefilters, from->n_wherefilters, filters, err);
}

/* ---- the command ---- */

static bool clone(struct driver_call *c, const struct source_table *from, const struct driver_place *place,
		  const options_msg *options, int64_t start, struct err *err)
{
	struct table_import_result result = {0};
	if (!table_clone(c->storage, c->call, from, place->project_id, place->branch_id, place->bucket, place->table,
			 (int)options->createmode == CREATE_REPLACE, &result.info, err)) {
		if (err->code == ERR_TABLE_EXISTS)
			return err_set(err, ERR_TABLE_EXISTS, "Table %s already exists", place->table);
		return false;
	}
	result.merged_rows = result.table_rows_after = result.info.row_count;
	result.table_size_bytes = result.info.size_bytes;
	driver_import_answer(c, &(struct table_import){0}, &result, start);
	driver_log(c, DRIVER_INFO, "Table %s cloned with %lld rows", place->table, (long long)result.merged_rows);
	return true;
}

static bool copy_rows(struct driver_call *c, const struct source_table *from, const struct driver_place *place,
		      const options_msg *options, int64_t start, struct err *err)
{
	struct table_import_result result;
	struct table_import request = {.project_id = place->project_id,
				       .branch_id = place->branch_id,
				       .bucket = place->bucket,
				       .table = place->table,
				       .from = from};
	if (!driver_import_options(options, &request, err))
		return false;
	if (from->column_count)
		request.mapping = TABLE_IMPORT_CHOSEN;
	if (!table_import(c->storage, c->call, &request, &result, err))
		return false;
	driver_import_answer(c, &request, &result, start);
	driver_log(c, DRIVER_INFO, "Imported %lld rows into table %s", (long long)result.merged_rows, place->table);
	return true;
}

bool driver_import_from_table(struct driver_call *c, const void *message, struct err *err)
{
	const copy_msg *m = message;
	struct driver_place place;
	struct driver_place source;
	struct source_table from;
	struct filters filters = {0};
	int64_t start = clock_ns();
	const options_msg *options = m->importoptions
					     ? m->importoptions
					     : message_new(c->arena, &TABLE_DESC(import_export_shared__import_options));
	if (!m->source || !m->destination)
		return err_set(err, ERR_INVALID_ARGUMENT, "%s is required", m->source ? "destination" : "source");
	if (!driver_table(c, m->destination->path, m->destination->n_path, m->destination->tablename, &place, err) ||
	    !source_place(c, m->source, &source, &from, err) || !source_read(c, m->source, &filters, &from, err))
		return false;
	if ((int)options->importtype == IMPORT_VIEW)
		return err_set(err, ERR_UNIMPLEMENTED, "importType VIEW is not supported: buckets hold no views");
	bool whole = (int)options->importtype == IMPORT_CLONE;
	if (whole ? clone(c, &from, &place, options, start, err) : copy_rows(c, &from, &place, options, start, err))
		return true;
	/* What is missing may be of either end; what the source lacks is told by its own names. */
	if (err->code == ERR_TABLE_NOT_FOUND || err->code == ERR_BUCKET_NOT_FOUND) {
		bool of_source = strstr(err->message, source.table) && strcmp(source.table, place.table) != 0;
		return driver_missing(err, of_source ? &source : &place, false);
	}
	return driver_import_refuse(c, &place, "import table", err);
}
