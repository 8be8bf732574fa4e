#include "grpc/families.h"
#include "grpc/place.h"

bool driver_create_table(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(CreateTableCommand) *m = message;
	static const struct driver_recode codes[] = {{ERR_INVALID_PRIMARY_KEY, ERR_INVALID_ARGUMENT}};
	struct driver_place place;
	struct table_view view;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (m->n_columns == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "columns are required");
	struct table_column *columns = arena_array(c->arena, struct table_column, m->n_columns);
	for (size_t i = 0; i < m->n_columns; i++) {
		if (!driver_column(c, m->columns[i], &columns[i], err))
			return false;
	}
	const struct table_create request = {.name = place.table,
					     .columns = columns,
					     .column_count = m->n_columns,
					     .primary_key = (const char *const *)m->primarykeysnames,
					     .primary_key_count = m->n_primarykeysnames};
	if (!table_create(c->storage, c->call, place.project_id, place.branch_id, place.bucket, &request, &view, err)) {
		if (err->code == ERR_TABLE_EXISTS)
			return err_set(err, ERR_TABLE_EXISTS, "Table %s already exists", place.table);
		(void)driver_missing(err, &place, true);
		return driver_recode(err, codes, ARRAY_LEN(codes));
	}
	driver_log(c, DRIVER_INFO, "Table %s created in bucket %s", place.table, place.bucket);
	return true;
}

bool driver_drop_table(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(DropTableCommand) *m = message;
	struct driver_place place;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	/* Where the bucket is gone its table is, too. */
	static const enum err_code gone[] = {ERR_TABLE_NOT_FOUND, ERR_BUCKET_NOT_FOUND};
	driver_forgive(c, gone, ARRAY_LEN(gone));
	if (table_delete(c->storage, c->call, place.project_id, place.branch_id, place.bucket, place.table, err)) {
		driver_log(c, DRIVER_INFO, "Table %s dropped", place.table);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return driver_missing(err, &place, true);
	driver_log(c, DRIVER_WARNING, "Table %s does not exist, nothing dropped", place.table);
	return true;
}
