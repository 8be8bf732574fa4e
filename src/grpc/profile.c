#include "storage/profile.h"

#include "base/json.h"
#include "grpc/families.h"
#include "grpc/place.h"

#include <math.h>

typedef TABLE_MSG(CreateProfileTableResponse) answer_msg;
typedef TABLE_MSG(CreateProfileTableResponse__Column) column_msg;

/* Absent statistics are null. */
static void number(struct json *j, const char *name, double value)
{
	if (isfinite(value))
		json_double(j, name, value);
	else
		json_null(j, name);
}

static void count(struct json *j, const char *name, int64_t value)
{
	if (value >= 0)
		json_int(j, name, value);
	else
		json_null(j, name);
}

/* A bound that the engine gave as text; it is a number where the column is. */
static void bound(struct json *j, const char *name, const char *text)
{
	if (text && *text && strspn(text, "0123456789.-+eE") == strlen(text))
		json_raw(j, name, text);
	else
		json_null(j, name);
}

static bool is_text(const char *type)
{
	return strcmp(type, "VARCHAR") == 0;
}

static bool is_number(const char *type)
{
	static const char *const types[] = {"TINYINT",	"SMALLINT",  "INTEGER", "BIGINT",   "HUGEINT", "UTINYINT",
					    "UINTEGER", "USMALLINT", "UBIGINT", "UHUGEINT", "FLOAT",   "DOUBLE"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return strncmp(type, "DECIMAL", 7) == 0;
}

static char *text_of(struct arena *arena, struct buf *text)
{
	char *copy = text->failed ? arena_strdup(arena, "{}") : arena_copy(arena, buf_view(text));
	buf_done(text);
	return copy;
}

static char *column_json(struct arena *arena, const struct profile_column *p, int64_t rows)
{
	struct buf text = BUF(64 * KIB);
	struct json j = JSON(&text);
	json_object(&j, NULL);
	count(&j, "distinctCount", p->distinct);
	count(&j, "duplicateCount", p->distinct >= 0 ? p->count - p->distinct : -1);
	count(&j, "nullCount", rows - p->count);
	if (is_number(p->type)) {
		json_object(&j, "numericStatistics");
		number(&j, "avg", p->avg);
		number(&j, "median", p->quantiles[Q50]);
		bound(&j, "min", p->min);
		bound(&j, "max", p->max);
		json_object_end(&j);
	} else if (is_text(p->type)) {
		json_object(&j, "length");
		number(&j, "avg", p->avg_length);
		count(&j, "min", p->min_length);
		count(&j, "max", p->max_length);
		json_object_end(&j);
	}
	json_object_end(&j);
	return text_of(arena, &text);
}

static char *table_json(struct arena *arena, const struct profile *profile, int64_t bytes)
{
	struct buf text = BUF(4 * KIB);
	struct json j = JSON(&text);
	json_object(&j, NULL);
	json_int(&j, "rowCount", profile->row_count);
	json_uint(&j, "columnCount", profile->column_count);
	json_int(&j, "dataSize", bytes);
	json_object_end(&j);
	return text_of(arena, &text);
}

bool driver_create_profile(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(CreateProfileTableCommand) *m = message;
	struct driver_place place;
	struct table_view view;
	struct profile profile;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (!profile_table(c->storage, c->call, place.project_id, place.branch_id, place.bucket, place.table,
			   PROFILE_BASIC, &profile, err) ||
	    !table_get(c->storage, c->call, place.project_id, place.branch_id, place.bucket, place.table, &view, err))
		return driver_missing(err, &place, false);
	answer_msg *answer = driver_answer(c);
	answer->path = driver_path_copy(c->arena, m->path, m->n_path);
	answer->n_path = m->n_path;
	answer->tablename = arena_strdup(c->arena, m->tablename);
	answer->profile = table_json(c->arena, &profile, view.info.size_bytes);
	answer->columns = message_array(c->arena, column_msg, profile.column_count);
	for (; answer->n_columns < profile.column_count; answer->n_columns++) {
		const struct profile_column *from = &profile.columns[answer->n_columns];
		column_msg *made = message_new(c->arena, &TABLE_DESC(create_profile_table_response__column));
		made->name = arena_strdup(c->arena, from->name);
		made->profile = column_json(c->arena, from, profile.row_count);
		answer->columns[answer->n_columns] = made;
	}
	driver_log(c, DRIVER_INFO, "Profile of table %s: %lld rows, %zu columns", place.table,
		   (long long)profile.row_count, profile.column_count);
	return true;
}
