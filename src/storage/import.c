#include "storage/import.h"

#include "base/clock.h"
#include "engine/sql.h"
#include "engine/staging.h"
#include "metrics/metrics.h"
#include "storage/import_merge.h"
#include "storage/import_source.h"
#include "storage/write.h"

#include <stdio.h>

/* Above this share of dead space the table file is written anew. */
static const double rewrite_above = 1.0 / 3;

enum dedup { DEDUP_REPLACE, DEDUP_REFUSE };

struct importer {
	struct op *op;
	struct storage *storage;
	struct arena *arena;
	const struct table_import *request;
	enum dedup dedup;
	struct import_options options;
	struct import_source *sources;
	size_t source_count;
	int64_t source_bytes;
	struct session *session;
	struct table_write write;
	int64_t rows_read;
	int64_t rows_merged;
};

/* ---- what is asked for ---- */

static bool format_of(const char *text, enum import_format *ret)
{
	if (strcmp(text, "csv") == 0)
		*ret = IMPORT_CSV;
	else if (strcmp(text, "parquet") == 0)
		*ret = IMPORT_PARQUET;
	else
		return false;
	return true;
}

static bool dedup_of(const char *text, enum dedup *ret, struct err *err)
{
	static const struct {
		const char *name;
		enum dedup mode;
	} modes[] = {{"update_duplicates", DEDUP_REPLACE},
		     {"insert_duplicates", DEDUP_REFUSE},
		     {"fail_on_duplicates", DEDUP_REFUSE}};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(modes[i].name, text) == 0) {
			*ret = modes[i].mode;
			return true;
		}
	}
	(void)err_set(err, ERR_INVALID_DEDUP_MODE,
		      "dedup_mode must be update_duplicates, insert_duplicates or fail_on_duplicates");
	err_detail(err, "dedup_mode", text);
	return false;
}

/* Length of the UTF-8 character that begins with this byte. */
static size_t char_length(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* One character: of any kind, or of those of one byte. NULL: left open. */
static bool option_check(const char *what, const char *text, size_t bytes_max, bool may_be_empty, struct err *err)
{
	size_t len = text ? strlen(text) : 0;
	if (!text || (len == 0 && may_be_empty) ||
	    (len > 0 && len <= bytes_max && len == char_length((unsigned char)text[0])))
		return true;
	return err_set(err, ERR_IMPORT_FAILED, "The %s must be one %s", what,
		       bytes_max == 1 ? "ASCII character" : "character");
}

static bool csv_options(struct importer *im, struct err *err)
{
	const struct table_import_csv *csv = &im->request->csv;
	struct import_options *o = &im->options;
	o->header = true;
	if (im->options.format != IMPORT_CSV || !csv->given)
		return true;
	o->header = csv->header;
	o->delimiter = csv->delimiter ? csv->delimiter : ",";
	o->quote = csv->quote ? csv->quote : "\"";
	o->escape = csv->escape ? csv->escape : o->quote;
	o->null_text = csv->null_string;
	o->null_texts = csv->null_texts;
	o->null_text_count = csv->null_text_count;
	o->skip = csv->skip;
	return option_check("delimiter", csv->delimiter, 4, false, err) &&
	       option_check("quote", csv->quote, 1, true, err) && option_check("escape", csv->escape, 1, true, err);
}

static bool check_request(struct importer *im, struct err *err)
{
	const char *format = im->request->format;
	/* A table has named columns as a Parquet file has. */
	if (!im->request->from && !format_of(format, &im->options.format)) {
		(void)err_set(err, ERR_INVALID_FORMAT, "The format must be csv or parquet");
		err_detail(err, "format", format);
		return false;
	}
	if (im->request->from)
		im->options.format = IMPORT_PARQUET;
	return dedup_of(im->request->dedup_mode, &im->dedup, err) && csv_options(im, err);
}

/* A table of a linked bucket is the source's: it is changed there. */
static bool not_linked(struct importer *im, struct err *err)
{
	const struct table_import *r = im->request;
	struct place place;
	if (!place_table(im->storage, im->arena, r->project_id, r->branch_id, r->bucket, r->table, &place, err))
		return false;
	if (place.source != SOURCE_LINKED)
		return true;
	(void)err_set(err, ERR_OPERATION_NOT_ALLOWED,
		      "Bucket %s is linked from another project; its tables are read-only", r->bucket);
	err_detail(err, "bucket_name", r->bucket);
	return false;
}

/* ---- sources ---- */

static bool sources_open(struct importer *im, struct err *err)
{
	const struct table_import *r = im->request;
	size_t n = r->file_id || r->from ? 1 : r->file_path_count;
	im->sources = arena_array(im->arena, struct import_source, n);
	for (size_t i = 0; i < n; i++) {
		struct import_source *s = &im->sources[i];
		im->source_count++;
		if (!(r->from	   ? import_source_table(s, im->op, r->from, err)
		      : r->file_id ? import_source_file(s, im->op, r->project_id, r->file_id, err)
				   : import_source_path(s, im->op, r->file_paths[i], err)))
			return false;
		im->source_bytes += s->size;
	}
	return true;
}

static void sources_close(struct importer *im)
{
	for (size_t i = 0; i < im->source_count; i++)
		import_source_close(&im->sources[i]);
}

/* Before the table is locked: reading a big file to its end takes its time. */
static bool sources_check(struct importer *im, struct err *err)
{
	enum import_compression compression;
	for (size_t i = 0; im->options.format == IMPORT_CSV && i < im->source_count; i++) {
		const char *path = im->sources[i].link;
		if (!import_compression_of(path, &compression, err) ||
		    !import_check(path, compression, im->op->call->progress, err))
			return false;
	}
	return true;
}

/* Whether the file begins with the names that the caller told. */
static bool names_lead(const struct importer *im, const struct import_file *file)
{
	const struct table_import *r = im->request;
	if (file->column_count != r->column_count)
		return false;
	for (size_t i = 0; i < r->column_count; i++) {
		if (strcmp(file->columns[i].name, r->columns[i]) != 0)
			return false;
	}
	return true;
}

static bool source_sniff(struct importer *im, struct import_source *s, struct err *err)
{
	bool may_lead = im->options.format == IMPORT_CSV && im->request->csv.names_header;
	if (s->scan)
		return true;
	im->options.header = im->options.header || may_lead;
	if (!import_sniff(im->session, s->link, &im->options, im->arena, &s->file, err))
		return false;
	if (!may_lead || names_lead(im, &s->file))
		return true;
	im->options.header = false;
	return import_sniff(im->session, s->link, &im->options, im->arena, &s->file, err);
}

static bool sources_map(struct importer *im, struct err *err)
{
	for (size_t i = 0; i < im->source_count; i++) {
		struct import_source *s = &im->sources[i];
		if (!source_sniff(im, s, err) ||
		    !import_map(&im->write.info.schema, &s->file, im->request, im->arena, &s->map, err))
			return false;
	}
	return true;
}

/* ---- rows ---- */

/* Their empty text must reach the statement as such: it is read as text and cast there. */
static bool empty_is_null(const struct importer *im, const struct import_source *s, size_t at)
{
	const char *column = im->write.info.schema.columns[s->map.target[at]].name;
	bool text = im->options.format == IMPORT_CSV ||
		    (s->scan && strcmp(s->file.columns[s->map.source[at]].type, "VARCHAR") == 0);
	for (size_t i = 0; text && i < im->request->empty_column_count; i++) {
		if (strcasecmp(im->request->empty_columns[i], column) == 0)
			return true;
	}
	return false;
}

static const char *const *scan_types(const struct importer *im, const struct import_source *s)
{
	const struct table_schema *schema = &im->write.info.schema;
	const char *const *types = import_map_types(&s->map, schema, &s->file, im->arena);
	const char **made = arena_array(im->arena, const char *, s->file.column_count);
	for (size_t i = 0; i < s->file.column_count; i++)
		made[i] = types[i];
	for (size_t i = 0; i < s->map.count; i++) {
		if (empty_is_null(im, s, i))
			made[s->map.source[i]] = NULL;
	}
	return made;
}

/* INSERT INTO the next file: columns by their place in the scan, so that the file's own names never reach SQL. */
static bool insert_sql(struct importer *im, const struct import_source *s, struct buf *sql, struct err *err)
{
	const struct table_schema *schema = &im->write.info.schema;
	const char *const *types = scan_types(im, s);
	const char *stamp = im->request->timestamp_given ? NULL : im->request->timestamp_column;
	const char *comma = "";
	stamp = stamp && table_column_find(schema, stamp) ? stamp : NULL;
	sql_printf(sql, "INSERT INTO %s.main.data (", staging_alias(im->write.next));
	for (size_t i = 0; i < s->map.count; i++, comma = ", ")
		sql_printf(sql, "%s%I", comma, schema->columns[s->map.target[i]].name);
	if (stamp)
		sql_printf(sql, "%s%I", comma, stamp);
	buf_str(sql, ") SELECT ");
	comma = "";
	for (size_t i = 0; i < s->map.count; i++, comma = ", ") {
		bool empty = empty_is_null(im, s, i);
		sql_printf(sql, empty ? "%sNULLIF(c%d, '')" : "%sc%d", comma, (int64_t)s->map.source[i]);
	}
	if (stamp)
		sql_printf(sql, "%smake_timestamp(%d)", comma, im->op->start_us);
	buf_str(sql, " FROM ");
	if (s->scan)
		buf_str(sql, s->scan);
	else if (!import_scan_sql(s->link, &im->options, &s->file, types, sql, err))
		return false;
	buf_str(sql, " AS f(");
	for (size_t i = 0; i < s->file.column_count; i++)
		sql_printf(sql, "%sc%d", i ? ", " : "", (int64_t)i);
	buf_byte(sql, ')');
	return true;
}

static bool load(struct importer *im, const struct import_source *s, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	uint64_t rows = 0;
	int64_t start = clock_ns();
	bool fine = insert_sql(im, s, &sql, err) && sql_finish(&sql, &text, err) &&
		    session_run_count(im->session, text, &rows, err);
	buf_done(&sql);
	op_span(im->op, "load", start, clock_ns());
	im->rows_read += (int64_t)rows;
	if (im->op->call->progress)
		progress_add_rows(im->op->call->progress, rows);
	return fine;
}

/* The new rows are the last ones: the engine numbers rows without gaps between those of one import. */
static bool first_new_row(struct importer *im, const char *alias, int64_t *ret, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	int64_t next;
	*ret = 0;
	if (!im->request->incremental || im->write.info.row_count == 0)
		return true;
	sql_printf(&sql, "SELECT max(rowid) + 1 FROM %s.main.data", alias);
	bool fine = sql_finish(&sql, &text, err) && session_int(im->session, text, &next, err);
	buf_done(&sql);
	if (fine)
		*ret = next - im->rows_read;
	return fine;
}

/* Rows of the file that are left after the merge. */
static bool count_merged(struct importer *im, const struct import_merge *m, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	sql_printf(&sql, "SELECT count(*) FROM %s.main.data WHERE rowid >= %d", m->alias, m->first_new);
	bool fine = sql_finish(&sql, &text, err) && session_int(im->session, text, &im->rows_merged, err);
	buf_done(&sql);
	return fine;
}

/* The key while the column "rowid" is called `hidden`; NULL: there is none. */
static const char *const *key_hidden(const struct importer *im, const char *const *key, size_t count,
				     const char *hidden)
{
	if (!hidden)
		return key;
	const char **names = arena_array(im->arena, const char *, count);
	for (size_t i = 0; i < count; i++)
		names[i] = strcasecmp(key[i], "rowid") == 0 ? hidden : key[i];
	return names;
}

/* The table's own key holds too, when rows were merged by other columns. */
static bool own_key_holds(struct importer *im, const struct import_merge *by, const char *hidden, struct err *err)
{
	const struct table_schema *schema = &im->write.info.schema;
	struct import_merge own = {.alias = by->alias,
				   .key = key_hidden(im, schema->key, schema->key_count, hidden),
				   .key_count = schema->key_count,
				   .first_new = by->first_new};
	return !im->request->key_column_count || own.key_count == 0 ||
	       import_merge_refuse(im->session, &own, im->arena, err);
}

static bool merge_key(const struct importer *im, struct import_merge *m, struct err *err)
{
	const struct table_import *r = im->request;
	const struct table_schema *schema = &im->write.info.schema;
	m->key = r->key_column_count ? r->key_columns : schema->key;
	m->key_count = r->key_column_count ? r->key_column_count : schema->key_count;
	for (size_t i = 0; i < m->key_count; i++) {
		if (table_column_find(schema, m->key[i]))
			continue;
		(void)err_set(err, ERR_INVALID_COLUMN, "The table has no column %s", m->key[i]);
		err_detail(err, "column", m->key[i]);
		return false;
	}
	return true;
}

static bool rename_column(struct importer *im, const char *from, const char *to, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	sql_printf(&sql, "ALTER TABLE %s.main.data RENAME COLUMN %I TO %I", staging_alias(im->write.next), from, to);
	bool fine = sql_finish(&sql, &text, err) && session_run(im->session, text, err);
	buf_done(&sql);
	return fine;
}

/* A user's column "rowid" hides the row numbers: it has another name while they are needed. *ret NULL: there is none. */
static bool hide_rowid(struct importer *im, struct import_merge *m, const struct table_column **ret,
		       const char **ret_hidden, struct err *err)
{
	const struct table_schema *schema = &im->write.info.schema;
	const char *hidden = "rowid_";
	*ret = table_column_find(schema, "rowid");
	if (!*ret)
		return true;
	while (table_column_find(schema, hidden))
		hidden = arena_printf(im->arena, "%s_", hidden);
	m->key = key_hidden(im, m->key, m->key_count, hidden);
	*ret_hidden = hidden;
	return rename_column(im, (*ret)->name, hidden, err);
}

static bool merge(struct importer *im, bool *ret_removed, struct err *err)
{
	struct import_merge m = {.alias = staging_alias(im->write.next)};
	const struct table_column *rowid;
	const char *hidden = NULL;
	uint64_t removed = 0;
	*ret_removed = false;
	im->rows_merged = im->rows_read;
	if (!merge_key(im, &m, err))
		return false;
	if (m.key_count == 0 || im->rows_read == 0)
		return true;
	int64_t start = clock_ns();
	bool fine = hide_rowid(im, &m, &rowid, &hidden, err) && first_new_row(im, m.alias, &m.first_new, err);
	if (fine && im->dedup == DEDUP_REFUSE)
		fine = import_merge_refuse(im->session, &m, im->arena, err);
	else if (fine)
		fine = import_merge_replace(im->session, &m, &removed, err) &&
		       (removed == 0 || count_merged(im, &m, err));
	fine = fine && own_key_holds(im, &m, hidden, err);
	if (!fine && err->code == ERR_DUPLICATE_KEY)
		err_detail(err, "dedup_mode", im->request->dedup_mode);
	*ret_removed = removed > 0;
	op_span(im->op, "merge", start, clock_ns());
	return fine && (!rowid || rename_column(im, hidden, rowid->name, err));
}

static bool tidy(struct importer *im, struct err *err)
{
	struct table_info info;
	if (!staging_describe(im->write.next, im->arena, &info, err))
		return false;
	if (info.dead_fraction <= rewrite_above)
		return true;
	int64_t start = clock_ns();
	bool fine = staging_rewrite(im->write.next, err);
	op_span(im->op, "rewrite", start, clock_ns());
	return fine;
}

/* ---- errors ---- */

/* The engine speaks of our link; the user knows the file by its name. */
static void name_source(struct importer *im, struct err *err)
{
	for (size_t i = 0; i < im->source_count; i++) {
		const struct import_source *s = &im->sources[i];
		const char *base = s->link[0] ? strrchr(s->link, '/') + 1 : NULL;
		char *at;
		while (base && (at = strstr(err->message, base))) {
			char *begin = at;
			while (begin > err->message && begin[-1] != '"' && begin[-1] != '\'' && begin[-1] != ' ')
				begin--;
			char *rest = arena_strdup(im->arena, at + strlen(base));
			(void)snprintf(begin, sizeof(err->message) - (size_t)(begin - err->message), "%s%s", s->name,
				       rest);
		}
	}
}

/* Whether a source cannot be read to its end: then that, and not our disk, is what failed. */
static bool sources_broken(struct importer *im)
{
	bool broken = false;
	for (size_t i = 0; i < im->source_count && !broken; i++) {
		struct import_source *s = &im->sources[i];
		struct err ignored = ERR_INIT;
		struct buf sql = BUF(LIMIT_SQL_BYTES);
		const char *text;
		buf_str(&sql, "SELECT count(*) FROM ");
		broken = !s->scan && import_scan_sql(s->link, &im->options, &s->file, NULL, &sql, &ignored) &&
			 sql_finish(&sql, &text, &ignored) && !session_run(im->session, text, &ignored) &&
			 ignored.code != ERR_CANCELLED;
		buf_done(&sql);
	}
	return broken;
}

static void explain(struct importer *im, struct err *err)
{
	if (err->code == ERR_ENGINE_REFUSED)
		err->code = ERR_IMPORT_FAILED;
	else if ((err->code == ERR_IO || err->code == ERR_ENGINE) && sources_broken(im))
		err->code = ERR_IMPORT_FAILED;
	if (err->code != ERR_IMPORT_FAILED)
		return;
	name_source(im, err);
	if (im->request->file_id)
		err_detail(err, "file_id", im->request->file_id);
	if (im->request->format)
		err_detail(err, "format", im->request->format);
}

/* ---- all of it ---- */

static bool fill_next(struct importer *im, struct err *err)
{
	bool removed;
	struct table_write *w = &im->write;
	if (!sources_map(im, err) ||
	    !(im->request->incremental ? write_next_copy(w, err)
				       : write_next_empty(w, &w->info.schema, im->source_bytes, err)))
		return false;
	for (size_t i = 0; i < im->source_count; i++) {
		if (!load(im, &im->sources[i], err))
			return false;
	}
	return merge(im, &removed, err) && ((!im->request->incremental && !removed) || tidy(im, err));
}

static void fill_result(const struct importer *im, struct table_import_result *ret)
{
	const struct table_write *w = &im->write;
	*ret = (struct table_import_result){
		.imported_rows = im->request->incremental ? w->published.row_count - w->info.row_count : im->rows_read,
		.read_rows = im->rows_read,
		.merged_rows = im->rows_merged,
		.table_rows_after = w->published.row_count,
		.table_size_bytes = w->published.size_bytes,
		.warnings = arena_array(im->arena, const char *, im->source_count),
		.info = w->published,
	};
	for (size_t i = 0; i < im->source_count; i++) {
		if (im->sources[i].map.warning)
			ret->warnings[ret->warning_count++] = im->sources[i].map.warning;
	}
}

static bool import(struct importer *im, struct table_import_result *ret, struct err *err)
{
	struct op *op = im->op;
	/* In the order in which callers are promised the errors. */
	if (!not_linked(im, err) || !sources_open(im, err))
		return false;
	if (!check_request(im, err) || !sources_check(im, err)) {
		explain(im, err);
		return false;
	}
	op_began(op, im->source_bytes > LIMIT_SHORT_SOURCE_BYTES);
	bool fine = write_begin(&im->write, op, err) && session_open(im->storage->data, &im->session, err) &&
		    (!op->call->progress || session_follow(im->session, op->call->progress, err)) && fill_next(im, err);
	if (!fine && im->session)
		explain(im, err);
	/* Nothing may be open on the file when it is sealed. */
	session_close(im->session);
	im->session = NULL;
	fine = fine && write_publish(&im->write, err);
	write_end(&im->write);
	if (fine)
		fill_result(im, ret);
	return fine;
}

bool table_import(struct storage *storage, const struct call *call, const struct table_import *request,
		  struct table_import_result *ret, struct err *err)
{
	struct op op;
	enum import_format format;
	struct importer im = {.op = &op, .storage = storage, .arena = call->arena, .request = request};
	op_begin(&op, storage, call, request->from ? OP_import_from_table : OP_import_from_file,
		 (struct op_target){.project_id = request->project_id,
				    .branch_id = request->branch_id,
				    .bucket = request->bucket,
				    .table = request->table});
	if (request->format && format_of(request->format, &format))
		op.format = request->format;
	op.incremental = request->incremental;
	bool fine = import(&im, ret, err);
	sources_close(&im);
	if (fine) {
		op.rows = ret->imported_rows;
		op.bytes_in = im.source_bytes;
		metric_add(metric_series(METRIC_IMPORT_ROWS_READ_TOTAL, NULL), (uint64_t)ret->read_rows);
	}
	return fine || err->code != ERR_INVALID_FORMAT ? op_end(&op, fine, err) : op_void(&op);
}
