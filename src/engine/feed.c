#include "engine/feed.h"

#include "engine/core.h"
#include "engine/sql.h"

#include <stdlib.h>

/* What the engine knows of a feed; its own, since its function outlives the feed. */
struct source {
	size_t count;
	bool (*next)(void *ctx, struct bind_value *values); /* NULL: no row */
	void *ctx;
	struct bind_value *values;
	struct feed_column columns[];
};

struct feed {
	struct source *source;
	struct statement *insert;
};

static void source_free(void *ctx)
{
	struct source *s = ctx;
	free(s->values);
	free(s);
}

static duckdb_type type_of(enum bind_kind kind)
{
	switch (kind) {
	case BIND_BOOL:
		return DUCKDB_TYPE_BOOLEAN;
	case BIND_INT:
		return DUCKDB_TYPE_BIGINT;
	case BIND_BLOB:
		return DUCKDB_TYPE_BLOB;
	case BIND_TIMESTAMP:
		return DUCKDB_TYPE_TIMESTAMP;
	default:
		return DUCKDB_TYPE_VARCHAR;
	}
}

static void on_bind(duckdb_bind_info info)
{
	const struct source *s = duckdb_bind_get_extra_info(info);
	for (size_t i = 0; i < s->count; i++) {
		duckdb_logical_type type = duckdb_create_logical_type(type_of(s->columns[i].kind));
		duckdb_bind_add_result_column(info, s->columns[i].name, type);
		duckdb_destroy_logical_type(&type);
	}
}

static void on_init(duckdb_init_info info)
{
	duckdb_init_set_max_threads(info, 1);
}

static void value_put(duckdb_vector vector, idx_t row, const struct bind_value *v)
{
	switch (v->kind) {
	case BIND_BOOL:
		((bool *)duckdb_vector_get_data(vector))[row] = v->boolean;
		return;
	case BIND_INT:
	case BIND_TIMESTAMP:
		((int64_t *)duckdb_vector_get_data(vector))[row] = v->integer;
		return;
	case BIND_TEXT:
	case BIND_BLOB:
		duckdb_vector_assign_string_element_len(vector, row, v->text.ptr ? v->text.ptr : "", v->text.len);
		return;
	default:
		duckdb_vector_ensure_validity_writable(vector);
		duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
	}
}

static void on_rows(duckdb_function_info info, duckdb_data_chunk out)
{
	struct source *s = duckdb_function_get_extra_info(info);
	const idx_t room = duckdb_vector_size();
	idx_t rows = 0;
	for (; rows < room && s->next && s->next(s->ctx, s->values); rows++)
		for (size_t i = 0; i < s->count; i++) {
			assert(s->values[i].kind == BIND_NULL || s->values[i].kind == s->columns[i].kind);
			value_put(duckdb_data_chunk_get_vector(out, i), rows, &s->values[i]);
		}
	duckdb_data_chunk_set_size(out, rows);
}

/* Takes `source` over. */
static bool source_register(struct session *session, struct source *source, const char *name, struct err *err)
{
	duckdb_table_function made = duckdb_create_table_function();
	duckdb_table_function_set_name(made, name);
	duckdb_table_function_set_extra_info(made, source, source_free);
	duckdb_table_function_set_bind(made, on_bind);
	duckdb_table_function_set_init(made, on_init);
	duckdb_table_function_set_function(made, on_rows);
	/* In a transaction of its own: a rollback, or the end of a stream left unread, would take it back. */
	const bool begun = session_run(session, "BEGIN", err);
	const bool ok = begun && duckdb_register_table_function(session->connection, made) == DuckDBSuccess;
	duckdb_destroy_table_function(&made);
	struct err ignored;
	if (begun && !ok) {
		(void)!session_run(session, "ROLLBACK", &ignored);
		return err_set(err, ERR_ENGINE, "The engine does not take the function %s", name);
	}
	return ok && session_run(session, "COMMIT", err);
}

static void insert_sql(const char *table, const struct source *s, const char *name, struct buf *out)
{
	sql_printf(out, "INSERT INTO %I (", table);
	for (size_t i = 0; i < s->count; i++)
		sql_printf(out, i ? ", %I" : "%I", s->columns[i].name);
	sql_printf(out, ") SELECT * FROM %I()", name);
}

static struct source *source_new(const struct feed_column *columns, size_t count)
{
	struct source *s = mem_alloc(sizeof(*s) + count * sizeof(columns[0]));
	s->count = count;
	s->values = mem_alloc(count * sizeof(s->values[0]));
	memcpy(s->columns, columns, count * sizeof(columns[0]));
	return s;
}

bool feed_open(struct session *session, const char *table, const struct feed_column *columns, size_t count,
	       struct feed **ret, struct err *err)
{
	/* A name of its own: what an earlier session left behind stays in the engine. */
	static atomic_uint_fast64_t number;
	char name[32];
	(void)snprintf(name, sizeof(name), "feed_%llu", (unsigned long long)atomic_fetch_add(&number, 1));
	struct source *source = source_new(columns, count);
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct statement *insert;
	const char *text;
	insert_sql(table, source, name, &sql);
	const bool ok = source_register(session, source, name, err) && sql_finish(&sql, &text, err) &&
			statement_prepare(session, text, &insert, err);
	buf_done(&sql);
	if (!ok)
		return false;
	*ret = mem_alloc(sizeof(**ret));
	**ret = (struct feed){source, insert};
	return true;
}

bool feed_insert(struct feed *feed, bool (*next)(void *ctx, struct bind_value *values), void *ctx, struct err *err)
{
	uint64_t changed;
	feed->source->next = next;
	feed->source->ctx = ctx;
	const bool ok = statement_run(feed->insert, &changed, err);
	feed->source->next = NULL;
	return ok;
}

void feed_close(struct feed *feed)
{
	if (!feed)
		return;
	statement_free(feed->insert);
	free(feed);
}
