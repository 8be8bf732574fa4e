#include "storage/export.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "engine/export.h"
#include "engine/expr.h"
#include "engine/sql.h"
#include "storage/file.h"
#include "storage/version.h"

struct format_row {
	const char *name;
	enum export_format format;
	const char *content_type;
	const char *valid; /* values of `compression`, as JSON */
	struct {
		const char *name; /* NULL: none asked for */
		enum export_codec codec;
		const char *ending;
	} codecs[5];
};

static const struct format_row formats[] = {
	{"csv",
	 EXPORT_CSV,
	 "text/csv",
	 "[null,\"gzip\"]",
	 {{NULL, EXPORT_CODEC_NONE, "csv"}, {"gzip", EXPORT_CODEC_GZIP, "csv.gz"}}},
	{"parquet",
	 EXPORT_PARQUET,
	 "application/x-parquet",
	 "[null,\"gzip\",\"zstd\",\"snappy\"]",
	 {{NULL, EXPORT_CODEC_SNAPPY, "parquet"},
	  {"gzip", EXPORT_CODEC_GZIP, "parquet"},
	  {"zstd", EXPORT_CODEC_ZSTD, "parquet"},
	  {"snappy", EXPORT_CODEC_SNAPPY, "parquet"}}},
};

struct exporter {
	struct op *op;
	struct storage *storage;
	struct arena *arena;
	const struct table_export *request;
	const struct format_row *format;
	enum export_codec codec;
	const char *ending;
	struct place place;
	struct table_ref *ref;
	struct table_info info;
	struct export_result written;
};

/* ---- what is asked for ---- */

static const struct format_row *format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

static bool format_check(struct exporter *ex, struct err *err)
{
	const char *name = ex->request->format;
	ex->format = format_find(name);
	if (ex->format)
		return true;
	(void)err_set(err, ERR_INVALID_FORMAT, "The format must be csv or parquet");
	err_detail(err, "format", name);
	return false;
}

static bool compression_check(struct exporter *ex, struct err *err)
{
	const char *wanted = ex->request->compression;
	for (size_t i = 0; i < ARRAY_LEN(ex->format->codecs) && ex->format->codecs[i].ending; i++) {
		const char *name = ex->format->codecs[i].name;
		if (name && wanted ? strcmp(name, wanted) == 0 : name == wanted) {
			ex->codec = ex->format->codecs[i].codec;
			ex->ending = ex->format->codecs[i].ending;
			return true;
		}
	}
	(void)err_set(err, ERR_INVALID_COMPRESSION, "%s files cannot be compressed with %s", ex->format->name, wanted);
	err_detail(err, "format", ex->format->name);
	err_detail_json(err, "valid_compression", ex->format->valid);
	return false;
}

/* The chosen column at `at`; no file can hold one twice under its name. */
static const struct table_column *column_chosen(const struct exporter *ex, size_t at, struct err *err)
{
	const char *const *names = ex->request->columns;
	const struct table_column *column = table_column_find(&ex->info.schema, names[at]);
	bool twice = false;
	for (size_t i = 0; column && i < at; i++)
		twice = twice || strcasecmp(names[i], names[at]) == 0;
	if (column && !twice)
		return column;
	(void)err_set(err, ERR_INVALID_COLUMN,
		      twice ? "Table %s: column %s is named twice" : "Table %s has no column %s", ex->place.table.name,
		      names[at]);
	err_detail(err, "column", names[at]);
	return NULL;
}

/* ---- the query ---- */

static bool columns_sql(const struct exporter *ex, struct buf *sql, struct err *err)
{
	const struct table_export *r = ex->request;
	for (size_t i = 0; i < r->column_count; i++) {
		const struct table_column *column = column_chosen(ex, i, err);
		if (!column)
			return false;
		/* The header shows the table's own spelling. */
		sql_printf(sql, "%s%I", i ? ", " : "", column->name);
	}
	if (r->column_count == 0)
		buf_byte(sql, '*');
	return true;
}

static bool filter_sql(const struct exporter *ex, struct buf *sql, struct err *err)
{
	const char *text = ex->request->where_filter;
	const char *filter;
	if (!text) {
		const struct filters *filters = ex->request->filters;
		filter = NULL;
		if (!filters)
			return true;
		if (!filters_where(filters, &ex->info.schema, ex->arena, &filter, err))
			return false;
		if (filter)
			sql_printf(sql, " WHERE %s", filter);
		return filters_order(filters, &ex->info.schema, sql, err);
	}
	if (!expr_filter(ex->storage->guard, span_of(text), &ex->info.schema, ex->arena, &filter, err)) {
		if (err->code == ERR_INVALID_WHERE_CLAUSE)
			err_detail(err, "where_filter", text);
		return false;
	}
	sql_printf(sql, " WHERE %s", filter);
	return true;
}

/*
 * Types that the engine writes to Parquet with a loss: 128 bit integers as doubles, intervals in milliseconds and none
 * below zero, times without their zone.
 */
static bool parquet_keeps(const char *type)
{
	static const char *const lost[] = {"HUGEINT", "INTERVAL", "TIME WITH TIME ZONE"};
	for (size_t i = 0; i < ARRAY_LEN(lost); i++)
		if (strstr(type, lost[i]))
			return false;
	return true;
}

/* What Parquet would not keep is written as text, which an import reads back as it was. Opens a query around the other. */
static bool texts_sql(const struct exporter *ex, struct buf *sql, struct err *err)
{
	const struct table_export *r = ex->request;
	size_t count = r->column_count ? r->column_count : ex->info.schema.column_count;
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct table_column *column =
			r->column_count ? column_chosen(ex, i, err) : &ex->info.schema.columns[i];
		if (!column)
			return false;
		if (ex->format->format != EXPORT_PARQUET || parquet_keeps(column->type))
			continue;
		sql_printf(sql, "%s CAST(%I AS VARCHAR) AS %I", any ? "," : "SELECT * REPLACE (", column->name,
			   column->name);
		any = true;
	}
	if (any)
		buf_str(sql, ") FROM (");
	return true;
}

static bool query_sql(const struct exporter *ex, struct buf *sql, struct err *err)
{
	const struct table_export *r = ex->request;
	if (!texts_sql(ex, sql, err))
		return false;
	bool wrapped = sql->len > 0;
	buf_str(sql, "SELECT ");
	if (!columns_sql(ex, sql, err))
		return false;
	sql_printf(sql, " FROM %s.main.data", table_ref_alias(ex->ref));
	if (!filter_sql(ex, sql, err))
		return false;
	if (r->limit > 0)
		sql_printf(sql, " LIMIT %d", r->limit);
	if (wrapped)
		buf_byte(sql, ')');
	return true;
}

/* ---- writing ---- */

static bool write_file(struct exporter *ex, const char *query, const char *path, struct err *err)
{
	struct session *session = NULL;
	struct progress *progress = ex->op->call->progress;
	const char *scratch = ex->storage->settings->staging_dir;
	const struct export_request request = {
		.query = query, .path = path, .format = ex->format->format, .codec = ex->codec};
	int64_t start = clock_ns();
	bool fine = fs_mkdir(scratch, err) && session_open(ex->storage->data, &session, err) &&
		    (!progress || session_follow(session, progress, err)) &&
		    export_run(session, &request, scratch, &ex->written, err);
	session_close(session);
	op_span(ex->op, "write", start, clock_ns());
	if (fine && progress)
		progress_add_rows(progress, (uint64_t)ex->written.rows);
	if (!fine && err->code == ERR_ENGINE_REFUSED) {
		/* What the engine refuses now is an expression that fails on the data itself. */
		const char *filter = ex->request->where_filter;
		(void)err_recode(err, filter ? ERR_INVALID_WHERE_CLAUSE : ERR_EXPORT_FAILED);
		if (filter)
			err_detail(err, "where_filter", filter);
	}
	return fine;
}

static const char *tags(const struct exporter *ex)
{
	struct buf out = BUF(4 * KIB);
	struct json j = JSON(&out);
	json_object(&j, NULL);
	json_str(&j, "type", "export");
	json_str(&j, "table", arena_printf(ex->arena, "%s.%s", ex->request->bucket, ex->request->table));
	json_object_end(&j);
	const char *text = arena_copy(ex->arena, buf_view(&out));
	buf_done(&out);
	return text;
}

static bool adopt(struct exporter *ex, const char *path, struct file_row *ret, struct err *err)
{
	char time[20];
	const char *key = ex->request->target_path;
	const char *slash = key ? strrchr(key, '/') : NULL;
	(void)clock_format(clock_unix_us(), "%Y%m%d_%H%M%S", time, sizeof(time));
	const struct file_adopt request = {
		.project_id = ex->request->target_project ? ex->request->target_project : ex->request->project_id,
		.temporary = path,
		.key = key,
		.name = slash ? slash + 1
			: key ? key
			      : arena_printf(ex->arena, "export_%s_%s.%s", ex->request->table, time, ex->ending),
		.content_type = ex->format->content_type,
		.tags_json = tags(ex),
		.door = "export",
	};
	int64_t start = clock_ns();
	bool fine = file_adopt(ex->storage, ex->op->call, &request, ret, err);
	op_span(ex->op, "store", start, clock_ns());
	return fine;
}

static bool export(struct exporter *ex, struct table_export_result *ret, struct err *err)
{
	const struct table_export *r = ex->request;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *query;
	const char *path;
	if (!place_table(ex->storage, ex->arena, r->project_id, r->branch_id, r->bucket, r->table, &ex->place, err) ||
	    !format_check(ex, err) || !compression_check(ex, err))
		return false;
	op_began(ex->op, true);
	bool fine = (r->version ? version_attach(&ex->place, r->version, &ex->ref, &ex->info, err)
				: place_attach(&ex->place, &ex->ref, &ex->info, err)) &&
		    query_sql(ex, &sql, err) && sql_finish(&sql, &query, err) &&
		    file_temporary(ex->storage, ex->arena, &path, err) && write_file(ex, query, path, err) &&
		    adopt(ex, path, &ret->file, err);
	buf_done(&sql);
	ret->rows_exported = ex->written.rows;
	return fine;
}

bool table_export(struct storage *storage, const struct call *call, const struct table_export *request,
		  struct table_export_result *ret, struct err *err)
{
	struct op op;
	struct exporter ex = {.op = &op, .storage = storage, .arena = call->arena, .request = request};
	op_begin(&op, storage, call, OP_export_to_file,
		 (struct op_target){.project_id = request->project_id,
				    .branch_id = request->branch_id,
				    .bucket = request->bucket,
				    .table = request->table});
	if (format_find(request->format))
		op.format = request->format;
	bool fine = export(&ex, ret, err);
	if (fine) {
		op.rows = ret->rows_exported;
		op.bytes_out = ret->file.size_bytes;
	}
	return fine || err->code != ERR_INVALID_FORMAT ? op_end(&op, fine, err) : op_void(&op);
}
