#include "base/clock.h"
#include "grpc/families.h"
#include "grpc/place.h"
#include "storage/snapshot.h"

enum { PAGE = 500 };

/* The newest snapshot of the table that was taken at or before the moment; they come newest first. */
static bool snapshot_before(struct driver_call *c, const struct driver_place *from, int64_t unix_s,
			    const struct snapshot **ret, struct err *err)
{
	struct snapshot_filter filter = {.bucket = from->bucket, .table = from->table, .limit = PAGE};
	size_t total = 1;
	for (*ret = NULL; !*ret && (size_t)filter.offset < total; filter.offset += PAGE) {
		struct snapshot *rows;
		size_t n;
		if (!snapshot_list(c->storage, c->call, from->project_id, from->branch_id, &filter, &rows, &n, &total,
				   err))
			return false;
		for (size_t i = 0; !*ret && i < n; i++) {
			if (rows[i].created_at / US_PER_S <= unix_s && rows[i].created_at <= unix_s * US_PER_S)
				*ret = &rows[i];
		}
	}
	return *ret ||
	       err_set(err, ERR_SNAPSHOT_NOT_FOUND, "Table %s has no snapshot of that time or before", from->table);
}

static bool on_main(const struct driver_place *place)
{
	return strcmp(place->branch_id, driver_branch(NULL)) == 0;
}

typedef TABLE_MSG(CreateTableFromTimeTravelCommand) travel_msg;

static bool ends_read(struct driver_call *c, const travel_msg *m, struct driver_place *from, struct driver_place *to,
		      struct err *err)
{
	if (!m->source || !m->destination)
		return err_set(err, ERR_INVALID_ARGUMENT, "%s is required", m->source ? "destination" : "source");
	if (m->timestamp <= 0 || m->timestamp > INT64_MAX / US_PER_S)
		return err_set(err, ERR_INVALID_ARGUMENT, "timestamp must be a time in Unix seconds");
	if (!driver_table(c, m->source->path, m->source->n_path, m->source->tablename, from, err) ||
	    !driver_table(c, m->destination->path, m->destination->n_path, m->destination->tablename, to, err))
		return false;
	if (strcmp(from->project_id, to->project_id) != 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "source and destination must be of the same project");
	if (!on_main(from) || !on_main(to))
		return err_set(err, ERR_OPERATION_NOT_ALLOWED, "Time travel is possible on the default branch only");
	return true;
}

static void answer_fill(struct driver_call *c, const travel_msg *m, const struct table_view *view)
{
	INFO_MSG(ObjectInfoResponse) *answer = driver_answer(c);
	size_t n = m->destination->n_path;
	char **path = arena_array(c->arena, char *, n + 1);
	memcpy(path, m->destination->path, n * sizeof(*path));
	path[n] = m->destination->tablename;
	answer->path = driver_path_copy(c->arena, path, n + 1);
	answer->n_path = n + 1;
	answer->objecttype = INFO_ENUM(OBJECT_TYPE__TABLE);
	answer->object_info_case = INFO_ENUM(OBJECT_INFO_RESPONSE__OBJECT_INFO_TABLE_INFO);
	answer->tableinfo = driver_table_info(c, path, n, view->name, &view->info);
}

bool driver_time_travel(struct driver_call *c, const void *message, struct err *err)
{
	const travel_msg *m = message;
	static const struct driver_recode codes[] = {{ERR_SNAPSHOT_FILE_NOT_FOUND, ERR_NOT_FOUND}};
	struct driver_place from, to;
	const struct snapshot *snapshot;
	struct snapshot_restored restored;
	struct table_view view;
	if (!ends_read(c, m, &from, &to, err))
		return false;
	if (table_get(c->storage, c->call, to.project_id, to.branch_id, to.bucket, to.table, &view, err))
		return err_set(err, ERR_TABLE_EXISTS, "Table %s already exists", to.table);
	if (err->code != ERR_TABLE_NOT_FOUND)
		return driver_missing(err, &to, true);
	err_clear(err);
	if (!snapshot_before(c, &from, m->timestamp, &snapshot, err))
		return driver_missing(err, &from, true);
	if (!snapshot_restore(c->storage, c->call, to.project_id, NULL, snapshot->id, to.bucket, to.table, &restored,
			      err)) {
		(void)driver_missing(err, &to, true);
		return driver_recode(err, codes, ARRAY_LEN(codes));
	}
	if (!table_get(c->storage, c->call, to.project_id, to.branch_id, to.bucket, to.table, &view, err))
		return driver_missing(err, &to, false);
	answer_fill(c, m, &view);
	driver_log(c, DRIVER_INFO, "Table %s created from snapshot %s with %lld rows", to.table, snapshot->id,
		   (long long)restored.row_count);
	return true;
}
