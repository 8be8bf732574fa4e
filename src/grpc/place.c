#include "grpc/place.h"

#include <ctype.h>

bool driver_table(struct driver_call *c, char *const *path, size_t n, const char *table, struct driver_place *ret,
		  struct err *err)
{
	return driver_need(table, "tableName", err) && driver_path(c, path, n, table, ret, err);
}

/* ---- columns ---- */

static bool takes_length(const char *type)
{
	static const char *const types[] = {"DECIMAL", "NUMERIC", "DEC"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (span_eq_nocase(span_trim(span_of(type)), span_of(types[i])))
			return true;
	}
	return false;
}

bool driver_type(struct driver_call *c, const char *type, const char *length, const char **ret, struct err *err)
{
	*ret = *type ? type : "VARCHAR";
	if (!*length || strchr(*ret, '(') || !takes_length(*ret))
		return true;
	if (strspn(length, "0123456789, ") != strlen(length))
		return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is no length for %s", length, *ret);
	*ret = arena_printf(c->arena, "%s(%s)", *ret, length);
	return true;
}

bool driver_column(struct driver_call *c, const TABLE_MSG(TableColumnShared) * from, struct table_column *ret,
		   struct err *err)
{
	*ret = (struct table_column){
		.name = from->name, .nullable = from->nullable, .default_sql = *from->default_ ? from->default_ : NULL};
	return driver_need(from->name, "Column name", err) && driver_type(c, from->type, from->length, &ret->type, err);
}

/* ---- filters ---- */

static bool data_type(int from, enum filter_type *ret, struct err *err)
{
	static const enum filter_type types[] = {FILTER_OWN,	FILTER_BIGINT, FILTER_DOUBLE,	FILTER_BIGINT,
						 FILTER_DOUBLE, FILTER_DOUBLE, FILTER_TIMESTAMP};
	if (from < 0 || (size_t)from >= ARRAY_LEN(types))
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown dataType %d", from);
	*ret = types[from];
	return true;
}

bool driver_where(struct driver_call *c, where_msg *const *from, size_t n, struct filters *ret, struct err *err)
{
	struct filter *rows = arena_array(c->arena, struct filter, n);
	for (size_t i = 0; i < n; i++) {
		if (from[i]->operator_ < 0 || (int)from[i]->operator_ >= FILTER_OPS)
			return err_set(err, ERR_INVALID_ARGUMENT, "Unknown filter operator %d",
				       (int)from[i]->operator_);
		rows[i] = (struct filter){.column = from[i]->columnsname,
					  .op = (enum filter_op)from[i]->operator_,
					  .values = (const char *const *)from[i]->values,
					  .value_count = from[i]->n_values};
		if (!data_type((int)from[i]->datatype, &rows[i].type, err))
			return false;
	}
	ret->rows = rows;
	ret->count = n;
	return true;
}

bool driver_filters(struct driver_call *c, const filters_msg *from, order_msg *const *order, size_t order_count,
		    struct filters *ret, struct err *err)
{
	struct filter_order *orders = arena_array(c->arena, struct filter_order, order_count);
	*ret = (struct filters){.order = orders, .order_count = order_count};
	for (size_t i = 0; i < order_count; i++) {
		if (order[i]->order < 0 || (int)order[i]->order > 1)
			return err_set(err, ERR_INVALID_ARGUMENT, "Unknown order %d", (int)order[i]->order);
		orders[i].column = order[i]->columnname;
		orders[i].descending = order[i]->order == 1;
		if (!data_type((int)order[i]->datatype, &orders[i].type, err))
			return false;
	}
	if (!from)
		return true;
	ret->changed_since = from->changesince;
	ret->changed_until = from->changeuntil;
	ret->fulltext = from->fulltextsearch;
	return driver_where(c, from->wherefilters, from->n_wherefilters, ret, err);
}

/* ---- answers ---- */

char **driver_texts(struct arena *arena, const char *const *from, size_t n)
{
	char **made = arena_array(arena, char *, n);
	for (size_t i = 0; i < n; i++)
		made[i] = arena_strdup(arena, from[i]);
	return made;
}

char **driver_path_copy(struct arena *arena, char *const *path, size_t n)
{
	return driver_texts(arena, (const char *const *)path, n);
}

INFO_MSG(TableInfo) * driver_table_info(struct driver_call *c, char *const *path, size_t n, const char *table,
					const struct table_info *info)
{
	const struct table_schema *schema = &info->schema;
	INFO_MSG(TableInfo) *made = message_new(c->arena, &INFO_DESC(table_info));
	made->path = driver_path_copy(c->arena, path, n);
	made->n_path = n;
	made->tablename = arena_strdup(c->arena, table);
	made->columns = message_array(c->arena, INFO_MSG(TableInfo__TableColumn), schema->column_count);
	made->n_columns = schema->column_count;
	for (size_t i = 0; i < schema->column_count; i++) {
		const struct table_column *from = &schema->columns[i];
		INFO_MSG(TableInfo__TableColumn) *column = message_new(c->arena, &INFO_DESC(table_info__table_column));
		column->name = arena_strdup(c->arena, from->name);
		column->type = arena_strdup(c->arena, from->type);
		column->nullable = from->nullable;
		if (from->default_sql)
			column->default_ = arena_strdup(c->arena, from->default_sql);
		made->columns[i] = column;
	}
	made->primarykeysnames = driver_texts(c->arena, schema->key, schema->key_count);
	made->n_primarykeysnames = schema->key_count;
	made->rowscount = info->row_count;
	made->sizebytes = info->size_bytes;
	return made;
}
