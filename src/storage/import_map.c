#include "storage/import_map.h"

enum { NOWHERE = -1 };

static ptrdiff_t table_column(const struct table_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->column_count; i++) {
		if (strcasecmp(schema->columns[i].name, name) == 0)
			return (ptrdiff_t)i;
	}
	return NOWHERE;
}

/* Names of the file's columns: its own, or the caller's for a file without a header. */
static const char *file_name(const struct import_file *file, const struct table_import *request, size_t i)
{
	if (file->format == IMPORT_CSV && !file->has_header)
		return i < request->column_count ? request->columns[i] : "";
	return file->columns[i].name;
}

static void add(struct import_map *map, size_t source, size_t target)
{
	map->source[map->count] = source;
	map->target[map->count++] = target;
}

static bool is_timestamp(const struct table_import *request, const char *name)
{
	return request->timestamp_column && strcasecmp(request->timestamp_column, name) == 0;
}

/* ---- by name ---- */

static ptrdiff_t source_named(const struct import_file *file, const struct table_import *request, const char *name)
{
	for (size_t i = 0; i < file->column_count; i++) {
		if (strcasecmp(file_name(file, request, i), name) == 0)
			return (ptrdiff_t)i;
	}
	return NOWHERE;
}

static bool map_named(const struct table_schema *schema, const struct import_file *file,
		      const struct table_import *request, struct import_map *ret, struct err *err)
{
	for (size_t i = 0; i < schema->column_count; i++) {
		const char *name = schema->columns[i].name;
		ptrdiff_t source = source_named(file, request, name);
		bool stamp = is_timestamp(request, name);
		if (stamp ? !request->timestamp_given : name[0] == '_')
			continue;
		if (source == NOWHERE)
			return err_set(err, ERR_IMPORT_FAILED, "The file has no column %s", name);
		add(ret, (size_t)source, i);
	}
	return true;
}

/* ---- by name or position ---- */

static bool wanted_columns(const struct table_schema *schema, const struct table_import *request, size_t *wanted,
			   size_t *ret_count, struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < request->column_count; i++) {
		ptrdiff_t at = table_column(schema, request->columns[i]);
		bool twice = false;
		for (size_t k = 0; k < n && at != NOWHERE; k++)
			twice = twice || wanted[k] == (size_t)at;
		if (at == NOWHERE || twice) {
			(void)err_set(err, ERR_INVALID_COLUMN,
				      twice ? "Column %s is named twice" : "The table has no column %s",
				      request->columns[i]);
			err_detail(err, "column", request->columns[i]);
			return false;
		}
		wanted[n++] = (size_t)at;
	}
	for (size_t i = 0; request->column_count == 0 && i < schema->column_count; i++) {
		if (!is_timestamp(request, schema->columns[i].name))
			wanted[n++] = i;
	}
	*ret_count = n;
	return true;
}

/* The wanted columns found by name, each once; false without error when the names do not say that. */
static bool names_fit(const struct table_schema *schema, const struct import_file *file, const size_t *wanted, size_t n,
		      struct arena *arena, struct import_map *ret)
{
	bool *used = arena_array(arena, bool, file->column_count);
	for (size_t i = 0; i < n; i++) {
		size_t source = 0;
		while (source < n &&
		       (used[source] || strcasecmp(file->columns[source].name, schema->columns[wanted[i]].name) != 0))
			source++;
		if (source == n) {
			ret->count = 0;
			return false;
		}
		used[source] = true;
		add(ret, source, wanted[i]);
	}
	return true;
}

static bool map_fitting(const struct table_schema *schema, const struct import_file *file,
			const struct table_import *request, struct arena *arena, struct import_map *ret,
			struct err *err)
{
	size_t n;
	size_t *wanted = arena_array(arena, size_t, schema->column_count + request->column_count);
	bool named = file->format == IMPORT_PARQUET || file->has_header;
	if (!wanted_columns(schema, request, wanted, &n, err))
		return false;
	if (file->column_count == 0)
		return err_set(err, ERR_IMPORT_FAILED, "The file is empty");
	if (file->column_count != n)
		return err_set(err, ERR_IMPORT_FAILED, "The file has %zu column(s), %zu are needed", file->column_count,
			       n);
	if (named && names_fit(schema, file, wanted, n, arena, ret))
		return true;
	for (size_t i = 0; i < n; i++)
		add(ret, i, wanted[i]);
	if (named)
		ret->warning = "The file's column names are not those of the table: columns were taken by position";
	return true;
}

/* ---- as the source was chosen ---- */

static bool map_chosen(const struct table_schema *schema, const struct import_file *file, struct arena *arena,
		       struct import_map *ret, struct err *err)
{
	bool *used = arena_array(arena, bool, schema->column_count);
	for (size_t i = 0; i < file->column_count; i++) {
		const char *name = file->columns[i].name;
		ptrdiff_t at = table_column(schema, name);
		if (at == NOWHERE || used[at]) {
			(void)err_set(err, ERR_INVALID_COLUMN,
				      at == NOWHERE ? "The table has no column %s" : "Column %s is named twice", name);
			err_detail(err, "column", name);
			return false;
		}
		used[at] = true;
		add(ret, i, (size_t)at);
	}
	return true;
}

bool import_map(const struct table_schema *schema, const struct import_file *file, const struct table_import *request,
		struct arena *arena, struct import_map *ret, struct err *err)
{
	size_t most = schema->column_count > file->column_count ? schema->column_count : file->column_count;
	*ret = (struct import_map){.source = arena_array(arena, size_t, most),
				   .target = arena_array(arena, size_t, most)};
	if (request->mapping == TABLE_IMPORT_BY_NAME)
		return map_named(schema, file, request, ret, err);
	if (request->mapping == TABLE_IMPORT_CHOSEN)
		return map_chosen(schema, file, arena, ret, err);
	return map_fitting(schema, file, request, arena, ret, err);
}

/* ---- types ---- */

static bool reader_casts(const char *type)
{
	static const char *const types[] = {
		"BOOLEAN", "TINYINT",  "SMALLINT", "INTEGER", "BIGINT",	 "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
		"UBIGINT", "UHUGEINT", "FLOAT",	   "DOUBLE",  "VARCHAR", "DATE",    "TIME",	"TIMESTAMP",
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0)
			return true;
	}
	return span_starts(span_of(type), SPAN("DECIMAL("));
}

const char *const *import_map_types(const struct import_map *map, const struct table_schema *schema,
				    const struct import_file *file, struct arena *arena)
{
	const char **types = arena_array(arena, const char *, file->column_count);
	for (size_t i = 0; i < map->count; i++) {
		const char *type = schema->columns[map->target[i]].type;
		if (reader_casts(type))
			types[map->source[i]] = type;
	}
	return types;
}
