#include "grpc/families.h"
#include "grpc/place.h"

bool driver_add_column(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(AddColumnCommand) *m = message;
	struct driver_place place;
	struct table_column column;
	struct table_view view;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (!m->columndefinition)
		return err_set(err, ERR_INVALID_ARGUMENT, "columnDefinition is required");
	if (!driver_column(c, m->columndefinition, &column, err))
		return false;
	if (!schema_add_column(c->storage, c->call, driver_target(&place), &column, &view, err))
		return driver_missing(err, &place, true);
	driver_log(c, DRIVER_INFO, "Column %s added to table %s", column.name, place.table);
	return true;
}

bool driver_drop_column(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(DropColumnCommand) *m = message;
	struct driver_place place;
	struct table_view view;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err) ||
	    !driver_need(m->columnname, "columnName", err))
		return false;
	if (!schema_drop_column(c->storage, c->call, driver_target(&place), m->columnname, &view, err))
		return driver_missing(err, &place, true);
	driver_log(c, DRIVER_INFO, "Column %s dropped from table %s", m->columnname, place.table);
	return true;
}

/* ---- alter ---- */

enum { ALTER_TYPE = 1, ALTER_LENGTH = 2, ALTER_NULLABLE = 4, ALTER_DEFAULT = 8 };

/* What attributesToUpdate asks for; names it does not know are ignored. */
static unsigned attributes(const TABLE_MSG(AlterColumnCommand) * m)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {{"type", ALTER_TYPE},
		     {"length", ALTER_LENGTH},
		     {"nullable", ALTER_NULLABLE},
		     {"default", ALTER_DEFAULT}};
	unsigned asked = 0;
	for (size_t i = 0; i < m->n_attributestoupdate; i++) {
		struct span name = span_of(m->attributestoupdate[i]);
		if (span_starts(name, SPAN("KBC.datatype.")))
			name = span_skip(name, strlen("KBC.datatype."));
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			asked |= span_is(name, known[k].name) ? known[k].bit : 0;
	}
	return asked;
}

/* The current type without its parameters, for a change of length alone. */
static const char *bare_type(struct arena *arena, const char *type)
{
	return arena_copy(arena, (struct span){type, strcspn(type, "(")});
}

static bool change_of(struct driver_call *c, const TABLE_MSG(AlterColumnCommand) * m, const char *current,
		      struct column_change *ret, struct err *err)
{
	const TABLE_MSG(TableColumnShared) *wanted = m->desireddefiniton;
	unsigned asked = attributes(m);
	*ret = (struct column_change){.change_null = asked & ALTER_NULLABLE,
				      .set_not_null = !wanted->nullable,
				      .set_default = asked & ALTER_DEFAULT ? wanted->default_ : NULL};
	if (asked & ALTER_TYPE)
		return driver_type(c, wanted->type, asked & ALTER_LENGTH || *wanted->length ? wanted->length : "",
				   &ret->new_type, err);
	if (asked & ALTER_LENGTH && *wanted->length)
		return driver_type(c, bare_type(c->arena, current), wanted->length, &ret->new_type, err);
	return true;
}

static bool altered_column(struct driver_call *c, const struct driver_place *place, const char *name,
			   const struct table_column **ret, struct err *err)
{
	struct table_view view;
	if (!table_get(c->storage, c->call, place->project_id, place->branch_id, place->bucket, place->table, &view,
		       err))
		return driver_missing(err, place, true);
	*ret = table_column_find(&view.info.schema, name);
	return *ret || err_set(err, ERR_COLUMN_NOT_FOUND, "Column %s not found in table %s", name, place->table);
}

static bool decided(struct driver_call *c, const struct driver_place *place, bool fine, const struct err *err)
{
	return op_decided(c->storage, c->call, OP_alter_column, driver_op_target(place), fine, err);
}

bool driver_alter_column(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(AlterColumnCommand) *m = message;
	struct driver_place place;
	struct table_view view;
	struct column_change change;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (!m->desireddefiniton)
		return err_set(err, ERR_INVALID_ARGUMENT, "desiredDefiniton is required");
	const char *name = m->desireddefiniton->name;
	if (!driver_need(name, "desiredDefiniton.name", err))
		return false;
	const struct table_column *column = NULL;
	if (!altered_column(c, &place, name, &column, err))
		return decided(c, &place, false, err);
	if (!change_of(c, m, column->type, &change, err))
		return false;
	if (!change.change_null && !change.set_default && !change.new_type) {
		(void)decided(c, &place, true, err);
		driver_log(c, DRIVER_INFO, "Column %s of table %s: nothing to change", name, place.table);
		return true;
	}
	if (!schema_alter_column(c->storage, c->call, driver_target(&place), name, &change, &view, err))
		return driver_missing(err, &place, true);
	driver_log(c, DRIVER_INFO, "Column %s of table %s altered", name, place.table);
	return true;
}

/* ---- keys ---- */

static const char *key_text(struct driver_call *c, const struct table_view *view)
{
	struct buf text = BUF(1024);
	for (size_t i = 0; i < view->info.schema.key_count; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", view->info.schema.key[i]);
	const char *copy = text.failed ? "..." : arena_copy(c->arena, buf_view(&text));
	buf_done(&text);
	return copy;
}

bool driver_add_primary_key(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(AddPrimaryKeyCommand) *m = message;
	static const struct driver_recode codes[] = {{ERR_KEY_COLUMN_NOT_FOUND, ERR_COLUMN_NOT_FOUND}};
	struct driver_place place;
	struct table_view view;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (m->n_primarykeysnames == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "primaryKeysNames is required");
	if (schema_add_primary_key(c->storage, c->call, driver_target(&place), (const char *const *)m->primarykeysnames,
				   m->n_primarykeysnames, &view, err)) {
		driver_log(c, DRIVER_INFO, "Primary key (%s) added to table %s", key_text(c, &view), place.table);
		return true;
	}
	struct err ignored = ERR_INIT;
	if (err->code == ERR_PRIMARY_KEY_EXISTS && table_get(c->storage, c->call, place.project_id, place.branch_id,
							     place.bucket, place.table, &view, &ignored))
		return err_set(err, ERR_INVALID_ARGUMENT, "Table already has a primary key: [%s]", key_text(c, &view));
	(void)driver_missing(err, &place, true);
	return driver_recode(err, codes, ARRAY_LEN(codes));
}

bool driver_drop_primary_key(struct driver_call *c, const void *message, struct err *err)
{
	const TABLE_MSG(DropPrimaryKeyCommand) *m = message;
	struct driver_place place;
	struct table_view view;
	if (!driver_table(c, m->path, m->n_path, m->tablename, &place, err))
		return false;
	if (schema_drop_primary_key(c->storage, c->call, driver_target(&place), &view, err)) {
		driver_log(c, DRIVER_INFO, "Primary key of table %s dropped", place.table);
		return true;
	}
	if (err->code == ERR_NO_PRIMARY_KEY)
		return err_set(err, ERR_INVALID_ARGUMENT, "Table does not have a primary key");
	return driver_missing(err, &place, true);
}
