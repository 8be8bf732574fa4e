#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "grpc/families.h"
#include "grpc/imports.h"
#include "grpc/location.h"
#include "storage/export.h"
#include "storage/file.h"
#include "storage/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	FORMAT_CSV,
	FORMAT_PARQUET,
	SLICES_MAX = 10000,
	MANIFEST_BYTES_MAX = 4 * 1024 * 1024,
	SOURCE_SINGLE = 0,
	SOURCE_SLICED = 1,
	SOURCE_DIRECTORY = 2
};

typedef TABLE_MSG(TableImportFromFileCommand) import_msg;
typedef TABLE_MSG(TableImportFromFileCommand__CsvTypeOptions) csv_msg;

/* ---- options ---- */

static bool csv_read(struct driver_call *c, const import_msg *m, const csv_msg **ret, struct err *err)
{
	const any_msg *any = m->formattypeoptions;
	const ProtobufCMessageDescriptor *d = &TABLE_DESC(table_import_from_file_command__csv_type_options);
	ProtobufCMessage *message;
	if (!any || !*any->type_url) {
		*ret = message_new(c->arena, d);
		return true;
	}
	if (!span_is(message_url_name(any->type_url), d->name))
		return err_set(err, ERR_INVALID_ARGUMENT, "formatTypeOptions must be %s", d->name);
	if (!message_decode(c->arena, d, (struct span){(const char *)any->value.data, any->value.len}, &message, err))
		return false;
	*ret = (const csv_msg *)message;
	return true;
}

static bool csv_fill(const csv_msg *csv, const options_msg *options, struct table_import *ret, struct err *err)
{
	int32_t ignored = options->numberofignoredlines;
	if (ignored < 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "numberOfIgnoredLines must not be negative");
	ret->csv = (struct table_import_csv){
		.given = true,
		.delimiter = *csv->delimiter ? csv->delimiter : NULL,
		.quote = *csv->enclosure ? csv->enclosure : NULL,
		.escape = *csv->escapedby ? csv->escapedby : NULL,
		.header = csv->n_columnsnames == 0,
		.null_texts = (const char *const *)options->importasnull,
		.null_text_count = options->n_importasnull,
		.skip = (size_t)(csv->n_columnsnames ? ignored
				 : ignored > 1	     ? ignored - 1
						     : 0),
		.names_header = csv->n_columnsnames && ignored == 0,
	};
	ret->columns = (const char *const *)csv->columnsnames;
	ret->column_count = csv->n_columnsnames;
	return true;
}

bool driver_import_options(const options_msg *o, struct table_import *ret, struct err *err)
{
	static const char *const modes[] = {"update_duplicates", "insert_duplicates", "fail_on_duplicates"};
	enum { INSERT_DUPLICATES = 1, INCREMENTAL = 1, TIME_NONE = 1, TIME_FROM_SOURCE = 2 };
	if (o->importtype < 0 || (int)o->importtype > INCREMENTAL)
		return err_set(err, ERR_INVALID_ARGUMENT, "importType must be FULL or INCREMENTAL");
	if (o->deduptype < 0 || (size_t)o->deduptype >= ARRAY_LEN(modes))
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown dedupType %d", (int)o->deduptype);
	if (o->timestampmode < 0 || (int)o->timestampmode > TIME_FROM_SOURCE)
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown timestampMode %d", (int)o->timestampmode);
	ret->incremental = (int)o->importtype == INCREMENTAL;
	ret->dedup_mode = modes[o->deduptype];
	if ((int)o->deduptype != INSERT_DUPLICATES) {
		ret->key_columns = (const char *const *)o->dedupcolumnsnames;
		ret->key_column_count = o->n_dedupcolumnsnames;
	}
	ret->mapping = TABLE_IMPORT_BY_NAME;
	ret->timestamp_column = (int)o->timestampmode == TIME_NONE ? NULL
				: *o->timestampcolumn		   ? o->timestampcolumn
								   : "_timestamp";
	ret->timestamp_given = (int)o->timestampmode == TIME_FROM_SOURCE;
	ret->empty_columns = (const char *const *)o->convertemptyvaluestonulloncolumns;
	ret->empty_column_count = o->n_convertemptyvaluestonulloncolumns;
	return true;
}

/* ---- sources ---- */

static bool failed(struct err *err, const char *what, struct arena *arena)
{
	const char *why = arena_strdup(arena, err->message);
	return err_set(err, ERR_INVALID_ARGUMENT, "Failed to %s: %s", what, why);
}

static bool object_path(struct driver_call *c, const char *project, const char *key, const char **ret, struct err *err)
{
	struct file_row row;
	if (!object_find(c->storage, c->arena, project, key, &row))
		return err_set(err, ERR_FILE_NOT_FOUND, "File project_%s/%s not found", project, key);
	*ret = arena_printf(c->arena, "%s/%s", c->storage->settings->files_dir, row.path);
	return true;
}

static bool location_path(struct driver_call *c, const struct location *where, const char **ret, struct err *err)
{
	struct own_object own;
	bool is_own;
	if (where->project_id)
		return object_path(c, where->project_id, where->key, ret, err);
	if (!where->remote.access_key &&
	    !remote_is_own(c->storage, c->call, "GET", where->remote.url, &is_own, &own, err))
		return false;
	if (!where->remote.access_key && is_own)
		return object_path(c, own.project_id, own.key, ret, err);
	return remote_fetch(c->storage, c->call, &where->remote, ret, err);
}

static int path_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All objects below the key, by name. */
static bool directory_paths(struct driver_call *c, const struct location *where, struct table_import *ret,
			    struct err *err)
{
	struct file_row *rows;
	size_t n;
	if (!where->project_id)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "sourceType DIRECTORY is possible in the server's own storage only");
	const char *prefix = arena_printf(c->arena, "%s/", where->key);
	catalog_list_file_by_key(c->storage->catalog, c->arena, KEY(where->project_id), NULL, &rows, &n);
	const char **paths = arena_array(c->arena, const char *, n);
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (span_starts(span_of(rows[i].object_key), span_of(prefix)))
			paths[count++] = arena_printf(c->arena, "%s/%s", c->storage->settings->files_dir, rows[i].path);
	}
	if (count == 0)
		return err_set(err, ERR_FILE_NOT_FOUND, "There are no files below project_%s/%s", where->project_id,
			       where->key);
	qsort(paths, count, sizeof(*paths), path_order);
	ret->file_paths = paths;
	ret->file_path_count = count;
	return true;
}

/* An entry of a manifest: a URL, or s3://project_<id>/<key> of the server's own storage. */
static bool slice_path(struct driver_call *c, const char *project, const char *url, const struct location *manifest,
		       const char **ret, struct err *err)
{
	struct location where = {.remote = manifest->remote};
	struct span rest = span_of(url);
	if (span_starts(rest, SPAN("s3://")) || span_starts(rest, SPAN("gs://"))) {
		rest = span_skip(rest, strlen("s3://"));
		TABLE_MSG(ImportExportShared__FilePath)
		path = KEBOOLA__STORAGE_DRIVER__COMMAND__TABLE__IMPORT_EXPORT_SHARED__FILE_PATH__INIT;
		path.root = arena_copy(c->arena, span_cut(&rest, '/'));
		path.path = arena_copy(c->arena, rest);
		if (strncmp(path.root, "project_", strlen("project_")) != 0)
			return err_set(err, ERR_INVALID_ARGUMENT,
				       "A slice must be an http(s) URL or s3://project_<id>/...");
		if (!location_find(c, project, 0, &path, NULL, &where, err))
			return false;
	} else if (span_starts(rest, SPAN("http://")) || span_starts(rest, SPAN("https://"))) {
		where.remote.url = url;
	} else {
		return err_set(err, ERR_INVALID_ARGUMENT, "A slice must be an http(s) URL or s3://project_<id>/...");
	}
	return location_path(c, &where, ret, err);
}

static bool sliced_paths(struct driver_call *c, const char *project, const struct location *where,
			 struct table_import *ret, struct err *err)
{
	const char *path;
	char *text;
	size_t size;
	json_error_t fault;
	if (!location_path(c, where, &path, err) || !fs_read(path, MANIFEST_BYTES_MAX, &text, &size, err))
		return false;
	json_t *manifest = json_loadb(text, size, 0, &fault);
	const json_t *entries = json_object_get(manifest, "entries");
	size_t n = json_array_size(entries);
	bool fine = n > 0 && n <= SLICES_MAX;
	if (!fine)
		(void)err_set(err, ERR_INVALID_ARGUMENT, "The manifest must have 1 to %d entries", SLICES_MAX);
	const char **paths = arena_array(c->arena, const char *, n);
	for (size_t i = 0; fine && i < n; i++) {
		const char *url = json_string_value(json_object_get(json_array_get(entries, i), "url"));
		fine = url ? slice_path(c, project, arena_strdup(c->arena, url), where, &paths[i], err)
			   : err_set(err, ERR_INVALID_ARGUMENT, "Entry %zu of the manifest has no url", i);
	}
	json_decref(manifest);
	free(text);
	ret->file_paths = paths;
	ret->file_path_count = n;
	return fine;
}

static bool sources(struct driver_call *c, const import_msg *m, const char *project, int source_type,
		    struct table_import *ret, struct err *err)
{
	struct location where;
	const char **path = arena_array(c->arena, const char *, 1);
	if (!location_find(c, project, (int)m->fileprovider, m->filepath, m->filecredentials, &where, err))
		return false;
	if (source_type == SOURCE_DIRECTORY)
		return directory_paths(c, &where, ret, err);
	if (source_type == SOURCE_SLICED)
		return sliced_paths(c, project, &where, ret, err);
	if (source_type != SOURCE_SINGLE)
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown sourceType %d", source_type);
	ret->file_paths = path;
	ret->file_path_count = 1;
	return location_path(c, &where, path, err);
}

/* ---- import ---- */

bool driver_import_refuse(struct driver_call *c, const struct driver_place *place, const char *what, struct err *err)
{
	const struct err_row *row = err_row(err->code);
	(void)driver_missing(err, place, false);
	if (err->code == ERR_OPERATION_NOT_ALLOWED)
		return err_set(err, ERR_TABLE_NOT_FOUND, "Table not found: %s/%s/%s", place->project_id, place->bucket,
			       place->table);
	if (err->code == ERR_FILE_NOT_FOUND || err->code == ERR_FILE_CONTENT_NOT_FOUND ||
	    err->code == ERR_DUPLICATE_KEY || (row->grpc == GRPC_INVALID_ARGUMENT && err->code != ERR_INVALID_COLUMN))
		return failed(err, what, c->arena);
	return false;
}

void driver_import_answer(struct driver_call *c, const struct table_import *request,
			  const struct table_import_result *result, int64_t start)
{
	const struct table_schema *schema = &result->info.schema;
	TABLE_MSG(TableImportResponse) *answer = driver_answer(c);
	TABLE_MSG(TableImportResponse__Timer) *timer = message_new(c->arena, &TABLE_DESC(table_import_response__timer));
	answer->importedrowscount = result->merged_rows;
	answer->tablerowscount = result->table_rows_after;
	answer->tablesizebytes = result->table_size_bytes;
	timer->name = arena_strdup(c->arena, "total");
	timer->duration = arena_printf(c->arena, "%.3fs", clock_seconds_since(start));
	answer->timers = message_array(c->arena, TABLE_MSG(TableImportResponse__Timer), 1);
	answer->timers[answer->n_timers++] = timer;
	answer->importedcolumns = arena_array(c->arena, char *, schema->column_count);
	for (size_t i = 0; i < schema->column_count; i++) {
		const char *name = schema->columns[i].name;
		bool stamp = request->timestamp_column && strcasecmp(request->timestamp_column, name) == 0;
		if (*name != '_' && !stamp)
			answer->importedcolumns[answer->n_importedcolumns++] = arena_strdup(c->arena, name);
	}
}

static void count_failure(struct driver_call *c, const struct table_import *request, const struct err *err)
{
	struct op_target target = {.project_id = request->project_id,
				   .branch_id = request->branch_id,
				   .bucket = request->bucket,
				   .table = request->table};
	(void)op_failed(c->storage, c->call, OP_import_from_file, target, request->format, request->incremental, err);
}

static bool import_prepare(struct driver_call *c, const import_msg *m, const struct driver_place *place,
			   struct table_import *ret, struct err *err)
{
	const csv_msg *csv = NULL;
	struct table_view view;
	const options_msg *options = m->importoptions
					     ? m->importoptions
					     : message_new(c->arena, &TABLE_DESC(import_export_shared__import_options));
	*ret = (struct table_import){.project_id = place->project_id,
				     .branch_id = place->branch_id,
				     .bucket = place->bucket,
				     .table = place->table,
				     .format = (int)m->fileformat == FORMAT_PARQUET ? "parquet" : "csv"};
	if ((int)m->fileformat != FORMAT_CSV && (int)m->fileformat != FORMAT_PARQUET)
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown fileFormat %d", (int)m->fileformat);
	if (!csv_read(c, m, &csv, err) || !driver_import_options(options, ret, err) ||
	    !csv_fill(csv, options, ret, err))
		return false;
	/* The table before the file: nothing is fetched for a table that is not there. */
	if (!table_get(c->storage, c->call, place->project_id, place->branch_id, place->bucket, place->table, &view,
		       err)) {
		count_failure(c, ret, err);
		return driver_missing(err, place, false);
	}
	if (!sources(c, m, place->project_id, (int)csv->sourcetype, ret, err)) {
		/* What does not validate is no operation yet. */
		if (!c->refused && err->code != ERR_INVALID_ARGUMENT)
			count_failure(c, ret, err);
		return driver_import_refuse(c, place, "import file", err);
	}
	return true;
}

bool driver_import_from_file(struct driver_call *c, const void *message, struct err *err)
{
	const import_msg *m = message;
	struct driver_place place;
	struct table_import request;
	struct table_import_result result;
	int64_t start = clock_ns();
	if (!m->destination)
		return err_set(err, ERR_INVALID_ARGUMENT, "destination is required");
	if (!driver_table(c, m->destination->path, m->destination->n_path, m->destination->tablename, &place, err) ||
	    !import_prepare(c, m, &place, &request, err))
		return false;
	if (!table_import(c->storage, c->call, &request, &result, err))
		return driver_import_refuse(c, &place, "import file", err);
	driver_import_answer(c, &request, &result, start);
	driver_log(c, DRIVER_INFO, "Imported %lld rows into table %s", (long long)result.merged_rows, place.table);
	return true;
}

/* ---- export ---- */

static bool export_answer(struct driver_call *c, const TABLE_MSG(TableExportToFileCommand) * m,
			  const struct driver_place *place, int64_t rows, struct err *err)
{
	struct table_view view;
	if (!table_get(c->storage, c->call, place->project_id, place->branch_id, place->bucket, place->table, &view,
		       err))
		return driver_missing(err, place, false);
	TABLE_MSG(TableExportToFileResponse) *answer = driver_answer(c);
	answer->tableinfo = driver_table_info(c, m->source->path, m->source->n_path, m->source->tablename, &view.info);
	answer->tableinfo->rowscount = rows;
	driver_log(c, DRIVER_INFO, "Exported %lld rows of table %s", (long long)rows, place->table);
	return true;
}

/* To another machine: through a file of the store that goes away afterwards. */
static bool send_away(struct driver_call *c, const struct location *where, const struct table_export_result *result,
		      struct err *err)
{
	struct err ignored = ERR_INIT;
	const char *path = arena_printf(c->arena, "%s/%s", c->storage->settings->files_dir, result->file.path);
	bool fine = remote_put(c->storage, c->call, &where->remote, path, err);
	bool found;
	(void)!object_delete(c->storage, c->arena, result->file.project_id, result->file.object_key, &found, &ignored);
	return fine;
}

/* A URL of this server's own S3 door is its object. */
static bool target_resolve(struct driver_call *c, struct location *where, struct err *err)
{
	struct own_object own;
	bool is_own;
	if (where->project_id || where->remote.access_key)
		return true;
	if (!remote_is_own(c->storage, c->call, "PUT", where->remote.url, &is_own, &own, err))
		return false;
	if (is_own)
		*where = (struct location){.project_id = own.project_id, .key = own.key};
	return true;
}

/* The options of the message in the request. */
static void export_options(const TABLE_MSG(ImportExportShared__ExportOptions) * o, struct table_export *request)
{
	if (!o)
		return;
	request->compression = o->iscompressed ? "gzip" : NULL;
	request->columns = (const char *const *)o->columnstoexport;
	request->column_count = o->n_columnstoexport;
	request->limit = o->filters && o->filters->limit > 0 ? o->filters->limit : 0;
}

bool driver_export_to_file(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(TableExportToFileCommand) *m = message;
	const TABLE_MSG(ImportExportShared__ExportOptions) *o = m->exportoptions;
	struct driver_place place;
	struct location where;
	struct filters filters = {0};
	struct table_export_result result;
	if (!m->source)
		return err_set(err, ERR_INVALID_ARGUMENT, "source is required");
	if (!driver_table(c, m->source->path, m->source->n_path, m->source->tablename, &place, err))
		return false;
	if ((int)m->fileformat != FORMAT_CSV && (int)m->fileformat != FORMAT_PARQUET)
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown fileFormat %d", (int)m->fileformat);
	if ((o && !driver_filters(c, o->filters, o->orderby, o->n_orderby, &filters, err)) ||
	    !location_find(c, place.project_id, (int)m->fileprovider, m->filepath, m->filecredentials, &where, err) ||
	    !target_resolve(c, &where, err))
		return false;
	struct table_export request = {
		.project_id = place.project_id,
		.branch_id = place.branch_id,
		.bucket = place.bucket,
		.table = place.table,
		.format = (int)m->fileformat == FORMAT_PARQUET ? "parquet" : "csv",
		.filters = &filters,
		.target_path = where.key,
		.target_project = where.project_id,
	};
	export_options(o, &request);
	bool fine = table_export(c->storage, c->call, &request, &result, err) &&
		    (where.project_id || send_away(c, &where, &result, err));
	if (!fine)
		return driver_import_refuse(c, &place, "export to file", err);
	return export_answer(c, m, &place, result.rows_exported, err);
}
