#include "engine/session.h"
#include "engine/sql.h"
#include "engine/staging.h"
#include "storage/import_source.h"
#include "storage/table.h"
#include "storage/write.h"

#include "base/fs.h"

static bool not_null(struct session *session, const char *alias, const char *column, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "ALTER TABLE %s.main.data ALTER %I SET NOT NULL", alias, column);
	bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return fine;
}

/* The file of a workspace's table gets what its engine told of the definition. */
static bool finish(const struct op *op, const struct source_pin *pin, struct staging **next, struct table_info *ret,
		   struct err *err)
{
	struct storage *storage = op->storage;
	struct session *session = NULL;
	if (!staging_copy_of(storage->tables, storage->settings->staging_dir, pin->path, next, err))
		return false;
	bool fine = session_open(storage->data, &session, err);
	for (size_t i = 0; fine && i < pin->not_null_count; i++)
		fine = not_null(session, staging_alias(*next), pin->not_null[i], err);
	session_close(session);
	return fine && (pin->key_count == 0 || staging_set_key(*next, pin->key, pin->key_count, err)) &&
	       staging_seal(*next, op->call->arena, ret, err);
}

/* Over an existing table; *ret_there: there was one. */
static bool replace_table(struct op *op, const char *file, bool *ret_there, struct table_info *ret, struct err *err)
{
	struct table_write w = {0};
	*ret_there = write_begin(&w, op, err);
	bool fine = *ret_there && write_next_file(&w, file, err) && write_publish(&w, err);
	if (fine)
		*ret = w.published;
	else if (!*ret_there)
		*ret_there = err->code != ERR_TABLE_NOT_FOUND;
	write_end(&w);
	return fine;
}

static bool add_table(struct op *op, const char *file, struct table_info *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct err ignored = ERR_INIT;
	struct admission admission = {0};
	struct place place;
	const char *ready = NULL;
	if (!place_bucket(storage, arena, t->project_id, t->branch_id, t->bucket, NULL, &place, err) ||
	    !place_name_check("A table name", t->table, err) || !table_absent(&place, t->table, err))
		return false;
	bool fine =
		lock_table(storage->locks, op, t->project_id, place.branch_id, t->bucket, t->table, &admission, err) &&
		place_bucket(storage, arena, t->project_id, t->branch_id, t->bucket, NULL, &place, err) &&
		table_absent(&place, t->table, err) && write_adopt(storage, arena, file, &ready, ret, err) &&
		table_publish_file(op, &place, t->table, ready, ret, err);
	if (ready)
		(void)!fs_unlink(ready, &ignored);
	lock_release(&admission);
	return fine;
}

static bool clone(struct op *op, const struct source_table *from, bool replace, struct table_info *ret, struct err *err)
{
	struct source_pin pin;
	struct staging *next = NULL;
	bool there = false;
	if (!source_pin(op, from, &pin, err))
		return false;
	bool fine = !from->workspace_id || finish(op, &pin, &next, ret, err);
	if (fine) {
		const char *file = next ? staging_path(next) : pin.path;
		fine = replace && replace_table(op, file, &there, ret, err);
		if (!fine && !there) {
			err_clear(err);
			fine = add_table(op, file, ret, err);
		}
	}
	staging_free(next);
	return fine;
}

bool table_clone(struct storage *storage, const struct call *call, const struct source_table *from,
		 const char *project_id, const char *branch_id, const char *bucket, const char *table, bool replace,
		 struct table_info *ret, struct err *err)
{
	struct op op;
	op_begin(
		&op, storage, call, OP_import_from_table,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	bool fine = clone(&op, from, replace, ret, err);
	if (fine)
		op.rows = ret->row_count;
	return op_end(&op, fine, err);
}
