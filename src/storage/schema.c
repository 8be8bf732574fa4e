#include "storage/schema.h"

#include "engine/expr.h"
#include "engine/session.h"
#include "engine/sql.h"
#include "engine/staging.h"
#include "storage/snapshot.h"
#include "storage/write.h"

struct change;

/* One kind of change: what is checked before the table is copied, and the SQL that then changes the copy. */
struct change_kind {
	enum op_kind op;
	enum err_code failed;	/* the operation's own catch-all */
	enum err_code violated; /* the same for rows that break the new rule */
	enum err_code faulted;	/* the same for faults of the server */
	bool (*check)(struct change *c, struct err *err);
	void (*build)(struct change *c, const char *table, struct buf *sql);
};

/* What one change works on. */
struct change {
	const struct change_kind *kind;
	struct schema_target target;
	struct op op;
	struct table_write w;
	const char *column;
	const struct table_column *add;
	const struct column_change *alter;
	const char *type;	 /* canonical */
	const char *default_sql; /* canonical; NULL: none */
	const char *const *key;	 /* the key afterwards */
	size_t key_count;
	bool check_key; /* the key's values may clash after the change */
};

static void names_detail(struct err *err, const char *key, const struct table_schema *schema)
{
	const char *names[LIMIT_COLUMNS];
	size_t n = schema->column_count < LIMIT_COLUMNS ? schema->column_count : LIMIT_COLUMNS;
	for (size_t i = 0; i < n; i++)
		names[i] = schema->columns[i].name;
	err_detail_list(err, key, names, n);
}

static bool column_known(const struct change *c, const char *name, const struct table_column **ret, struct err *err)
{
	const struct table_schema *schema = &c->w.info.schema;
	*ret = table_column_find(schema, name);
	if (*ret)
		return true;
	(void)err_set(err, ERR_COLUMN_NOT_FOUND, "Table %s has no column %s", c->target.table, name);
	err_detail(err, "column_name", name);
	names_detail(err, "existing_columns", schema);
	return false;
}

/* Two rows of one key? */
static bool key_holds(struct change *c, struct session *session, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	int64_t clashes = 0;
	sql_printf(&sql, "SELECT count(*) FROM (SELECT 1 FROM %s.main.data GROUP BY ", staging_alias(c->w.next));
	sql_idents(&sql, c->key, c->key_count);
	sql_printf(&sql, " HAVING count(*) > 1 LIMIT 1)");
	bool fine = sql_finish(&sql, &text, err) && session_int(session, text, &clashes, err);
	buf_done(&sql);
	if (fine && clashes)
		return err_set(err, c->kind->violated, "The key's columns hold the same values in more than one row");
	return fine;
}

/* The kind's SQL on the copy, then the key's rule and its record. */
static bool change_sql(struct change *c, struct session *session, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	bool fine = true;
	if (c->kind->build)
		c->kind->build(c, arena_printf(c->op.call->arena, "%s.main.data", staging_alias(c->w.next)), &sql);
	if (sql.len)
		fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return fine && (!c->check_key || key_holds(c, session, err)) &&
	       staging_set_key(c->w.next, c->key, c->key_count, err);
}

static bool change_apply(struct change *c, struct err *err)
{
	struct session *session = NULL;
	struct progress *progress = c->op.call->progress;
	bool fine = session_open(c->w.place.storage->data, &session, err) &&
		    (!progress || session_follow(session, progress, err)) && change_sql(c, session, err);
	bool broke_rule = session && session_fault(session)->kind == FAULT_KIND_CONSTRAINT;
	session_close(session);
	if (fine)
		return true;
	if (err->code == ERR_ENGINE_REFUSED)
		(void)err_recode(err, broke_rule ? c->kind->violated : c->kind->failed);
	if (c->column)
		err_detail(err, "column_name", c->column);
	return false;
}

static bool change_run(struct change *c, struct storage *storage, const struct call *call, struct table_view *ret,
		       struct err *err)
{
	op_begin(&c->op, storage, call, c->kind->op, schema_op_target(c->target));
	bool fine = write_begin(&c->w, &c->op, err);
	if (fine) {
		c->key = c->key ? c->key : c->w.info.schema.key;
		c->key_count = c->key_count ? c->key_count : c->w.info.schema.key_count;
		fine = c->kind->check(c, err) &&
		       (c->kind->op != OP_drop_column ||
			snapshot_auto(&c->op, &c->w.place, SNAPSHOT_DROP_COLUMN, c->column, err)) &&
		       write_next_copy(&c->w, err) && change_apply(c, err) && write_publish(&c->w, err);
	}
	if (fine)
		table_view_of(&c->w.place, &c->w.published, ret);
	write_end(&c->w);
	/* Full and read-only disks keep their own name. */
	if (!fine && (err->code == ERR_IO || err->code == ERR_ENGINE || err->code == ERR_METADATA))
		(void)err_recode(err, c->kind->faulted);
	return op_end(&c->op, fine, err);
}

/* ---- add column ---- */

static bool refuse_column(const struct change *c, struct err *err)
{
	if (err->code == ERR_INVALID_REQUEST || err->code == ERR_ENGINE_REFUSED)
		(void)err_recode(err, c->kind->failed);
	err_detail(err, "column_name", c->column);
	return false;
}

static bool add_check(struct change *c, struct err *err)
{
	const struct table_schema *schema = &c->w.info.schema;
	struct storage *storage = c->w.place.storage;
	struct arena *arena = c->op.call->arena;
	if (table_column_find(schema, c->add->name)) {
		(void)err_set(err, ERR_COLUMN_EXISTS, "Table %s has a column %s already", c->target.table,
			      c->add->name);
		err_detail(err, "column_name", c->add->name);
		names_detail(err, "existing_columns", schema);
		return false;
	}
	if (!table_column_name_check(c->add->name, ERR_ADD_COLUMN_FAILED, err) ||
	    !expr_type(storage->guard, span_of(c->add->type), arena, &c->type, err) ||
	    (c->add->default_sql &&
	     !expr_default(storage->guard, span_of(c->add->default_sql), c->type, arena, &c->default_sql, err)))
		return refuse_column(c, err);
	if (schema->column_count >= LIMIT_COLUMNS) {
		(void)err_set(err, ERR_ADD_COLUMN_FAILED, "A table has at most %d columns", LIMIT_COLUMNS);
		return refuse_column(c, err);
	}
	if (!c->add->nullable && !c->default_sql && c->w.info.row_count) {
		(void)err_set(err, c->kind->violated,
			      "Column %s cannot be NOT NULL without a default: the table has rows", c->add->name);
		return refuse_column(c, err);
	}
	return true;
}

static void add_build(struct change *c, const char *table, struct buf *sql)
{
	sql_printf(sql, "ALTER TABLE %s ADD COLUMN %I %s", table, c->add->name, c->type);
	if (c->default_sql)
		sql_printf(sql, " DEFAULT %s", c->default_sql);
	if (!c->add->nullable)
		sql_printf(sql, "; ALTER TABLE %s ALTER COLUMN %I SET NOT NULL", table, c->add->name);
}

bool schema_add_column(struct storage *storage, const struct call *call, struct schema_target target,
		       const struct table_column *column, struct table_view *ret, struct err *err)
{
	static const struct change_kind kind = {
		OP_add_column, ERR_ADD_COLUMN_FAILED, ERR_ADD_COLUMN_VIOLATED, ERR_ADD_COLUMN_FAILED_SERVER, add_check,
		add_build};
	struct change c = {.kind = &kind, .target = target, .column = column->name, .add = column};
	return change_run(&c, storage, call, ret, err);
}

/* ---- drop column ---- */

static bool drop_check(struct change *c, struct err *err)
{
	const struct table_schema *schema = &c->w.info.schema;
	const struct table_column *column;
	if (!column_known(c, c->column, &column, err))
		return false;
	if (schema->column_count == 1) {
		(void)err_set(err, ERR_CANNOT_DROP_LAST_COLUMN, "%s is the only column of table %s", c->column,
			      c->target.table);
		err_detail_int(err, "column_count", 1);
		return false;
	}
	if (table_column_in_key(schema, c->column)) {
		(void)err_set(err, ERR_COLUMN_IN_PRIMARY_KEY,
			      "Column %s is part of the primary key; drop the key first", c->column);
		err_detail_list(err, "primary_key", schema->key, schema->key_count);
		return false;
	}
	return true;
}

static void drop_build(struct change *c, const char *table, struct buf *sql)
{
	sql_printf(sql, "ALTER TABLE %s DROP COLUMN %I", table, c->column);
}

bool schema_drop_column(struct storage *storage, const struct call *call, struct schema_target target,
			const char *column, struct table_view *ret, struct err *err)
{
	static const struct change_kind kind = {OP_drop_column,
						ERR_DROP_COLUMN_FAILED,
						ERR_DROP_COLUMN_FAILED,
						ERR_DROP_COLUMN_FAILED_SERVER,
						drop_check,
						drop_build};
	struct change c = {.kind = &kind, .target = target, .column = column};
	return change_run(&c, storage, call, ret, err);
}

/* ---- alter column ---- */

static bool new_name_free(const struct change *c, const struct table_column *column, struct err *err)
{
	const char *name = c->alter->new_name;
	const struct table_column *other = name ? table_column_find(&c->w.info.schema, name) : NULL;
	if (!other || other == column)
		return !name || table_column_name_check(name, ERR_ALTER_COLUMN_FAILED, err) || refuse_column(c, err);
	(void)err_set(err, ERR_COLUMN_EXISTS, "Table %s has a column %s already", c->target.table, name);
	err_detail(err, "new_name", name);
	return false;
}

/* The key with the column under its new name. */
static void key_rename(struct change *c, const char *from, const char *to)
{
	const char **key = arena_array(c->op.call->arena, const char *, c->key_count);
	for (size_t i = 0; i < c->key_count; i++)
		key[i] = strcasecmp(c->key[i], from) == 0 ? to : c->key[i];
	c->key = key;
}

static bool alter_asks_nothing(const struct column_change *alter)
{
	return !alter->new_name && !alter->new_type && !alter->change_null && !alter->set_default;
}

/* The type and the default afterwards, canonical. A kept default must fit a new type. */
static bool alter_canonical(struct change *c, const struct table_column *column, struct err *err)
{
	const struct column_change *alter = c->alter;
	struct expr_guard *guard = c->w.place.storage->guard;
	struct arena *arena = c->op.call->arena;
	const char *text = NULL;
	c->type = column->type;
	if (alter->new_type && !expr_type(guard, span_of(alter->new_type), arena, &c->type, err))
		return false;
	if (alter->set_default)
		text = *alter->set_default ? alter->set_default : NULL;
	else if (alter->new_type)
		text = column->default_sql;
	return !text || expr_default(guard, span_of(text), c->type, arena, &c->default_sql, err);
}

static bool alter_check(struct change *c, struct err *err)
{
	const struct column_change *alter = c->alter;
	const struct table_column *column;
	if (!column_known(c, c->column, &column, err))
		return false;
	if (alter_asks_nothing(alter)) {
		(void)err_set(err, ERR_NO_CHANGES_SPECIFIED,
			      "Nothing to change: give new_name, new_type, set_not_null or set_default");
		err_details_empty(err);
		return false;
	}
	if (!new_name_free(c, column, err))
		return false;
	bool in_key = table_column_in_key(&c->w.info.schema, c->column);
	if (in_key && alter->change_null && !alter->set_not_null) {
		(void)err_set(err, ERR_ALTER_COLUMN_FAILED, "Column %s is part of the primary key and stays NOT NULL",
			      c->column);
		return refuse_column(c, err);
	}
	if (!alter_canonical(c, column, err))
		return refuse_column(c, err);
	c->check_key = in_key && alter->new_type;
	if (in_key && alter->new_name)
		key_rename(c, c->column, alter->new_name);
	c->column = column->name;
	return true;
}

static void alter_build(struct change *c, const char *table, struct buf *sql)
{
	const struct column_change *alter = c->alter;
	const char *name = c->column;
	if (alter->new_name && strcmp(alter->new_name, name) != 0) {
		sql_printf(sql, "ALTER TABLE %s RENAME COLUMN %I TO %I;", table, name, alter->new_name);
		name = alter->new_name;
	}
	if (alter->new_type)
		sql_printf(sql, "ALTER TABLE %s ALTER COLUMN %I TYPE %s;", table, name, c->type);
	if (alter->change_null)
		sql_printf(sql, "ALTER TABLE %s ALTER COLUMN %I %s NOT NULL;", table, name,
			   alter->set_not_null ? "SET" : "DROP");
	if (alter->set_default && c->default_sql)
		sql_printf(sql, "ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;", table, name, c->default_sql);
	else if (alter->set_default)
		sql_printf(sql, "ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;", table, name);
}

bool schema_alter_column(struct storage *storage, const struct call *call, struct schema_target target,
			 const char *column, const struct column_change *change, struct table_view *ret,
			 struct err *err)
{
	static const struct change_kind kind = {OP_alter_column,
						ERR_ALTER_COLUMN_FAILED,
						ERR_ALTER_COLUMN_VIOLATED,
						ERR_ALTER_COLUMN_FAILED_SERVER,
						alter_check,
						alter_build};
	struct change c = {.kind = &kind, .target = target, .column = column, .alter = change};
	return change_run(&c, storage, call, ret, err);
}

/* ---- primary key ---- */

static bool add_key_check(struct change *c, struct err *err)
{
	const struct table_schema *schema = &c->w.info.schema;
	for (size_t i = 0; i < c->key_count; i++) {
		if (!table_column_find(schema, c->key[i])) {
			(void)err_set(err, ERR_KEY_COLUMN_NOT_FOUND, "Table %s has no column %s", c->target.table,
				      c->key[i]);
			err_detail(err, "column", c->key[i]);
			names_detail(err, "existing_columns", schema);
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcasecmp(c->key[k], c->key[i]) == 0)
				return err_set(err, ERR_ADD_PRIMARY_KEY_FAILED, "Column %s stands twice in the key",
					       c->key[i]);
		}
	}
	if (schema->key_count) {
		(void)err_set(err, ERR_PRIMARY_KEY_EXISTS, "Table %s has a primary key already; drop it first",
			      c->target.table);
		err_detail_list(err, "existing_primary_key", schema->key, schema->key_count);
		return false;
	}
	c->check_key = true;
	return true;
}

static void add_key_build(struct change *c, const char *table, struct buf *sql)
{
	for (size_t i = 0; i < c->key_count; i++)
		sql_printf(sql, "ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;", table, c->key[i]);
}

bool schema_add_primary_key(struct storage *storage, const struct call *call, struct schema_target target,
			    const char *const *columns, size_t n, struct table_view *ret, struct err *err)
{
	static const struct change_kind kind = {OP_add_primary_key,
						ERR_ADD_PRIMARY_KEY_FAILED,
						ERR_ADD_PRIMARY_KEY_VIOLATED,
						ERR_ADD_PRIMARY_KEY_FAILED_SERVER,
						add_key_check,
						add_key_build};
	struct change c = {.kind = &kind, .target = target, .key = columns, .key_count = n};
	return change_run(&c, storage, call, ret, err);
}

static bool drop_key_check(struct change *c, struct err *err)
{
	if (!c->w.info.schema.key_count)
		return err_set(err, ERR_NO_PRIMARY_KEY, "Table %s has no primary key", c->target.table);
	c->key_count = 0;
	return true;
}

bool schema_drop_primary_key(struct storage *storage, const struct call *call, struct schema_target target,
			     struct table_view *ret, struct err *err)
{
	static const struct change_kind kind = {OP_drop_primary_key,
						ERR_DROP_PRIMARY_KEY_FAILED,
						ERR_DROP_PRIMARY_KEY_FAILED,
						ERR_DROP_PRIMARY_KEY_FAILED,
						drop_key_check,
						NULL};
	struct change c = {.kind = &kind, .target = target};
	return change_run(&c, storage, call, ret, err);
}
