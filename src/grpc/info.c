#include "grpc/families.h"
#include "grpc/place.h"
#include "storage/bucket.h"

#include <stdlib.h>

typedef INFO_MSG(ObjectInfo) object_msg;

static int name_order(const void *a, const void *b)
{
	return strcmp((*(object_msg *const *)a)->objectname, (*(object_msg *const *)b)->objectname);
}

static object_msg *object_new(struct arena *arena, const char *name, INFO_MSG(ObjectType) type)
{
	object_msg *made = message_new(arena, &INFO_DESC(object_info));
	made->objectname = arena_strdup(arena, name);
	made->objecttype = type;
	return made;
}

/* ---- database: the buckets of a project ---- */

static bool buckets(struct driver_call *c, const char *project, const char *branch, object_msg ***ret, size_t *ret_n,
		    struct err *err)
{
	struct bucket_info *list;
	size_t n;
	if (!bucket_list(c->storage, c->call, project, branch, &list, &n, err))
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = ""}, true);
	*ret = message_array(c->arena, object_msg, n);
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = object_new(c->arena, list[i].name, INFO_ENUM(OBJECT_TYPE__SCHEMA));
	qsort(*ret, n, sizeof(**ret), name_order);
	*ret_n = n;
	return true;
}

static bool database_info(struct driver_call *c, const INFO_MSG(ObjectInfoCommand) * m,
			  INFO_MSG(ObjectInfoResponse) * answer, struct err *err)
{
	if (m->n_path > 2)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "Path for DATABASE must be [project_id] or "
			       "[project_id, branch_id]");
	const char *branch = driver_branch(m->n_path == 2 ? m->path[1] : NULL);
	INFO_MSG(DatabaseInfo) *info = message_new(c->arena, &INFO_DESC(database_info));
	if (!driver_clear(c, m->path[0], err) || !driver_name_check("branch_id", branch, err) ||
	    !buckets(c, m->path[0], branch, &info->objects, &info->n_objects, err))
		return false;
	answer->object_info_case = INFO_ENUM(OBJECT_INFO_RESPONSE__OBJECT_INFO_DATABASE_INFO);
	answer->databaseinfo = info;
	driver_log(c, DRIVER_INFO, "ObjectInfo for DATABASE %s: %zu buckets", m->path[0], info->n_objects);
	return true;
}

/* ---- schema: the tables of a bucket ---- */

static bool schema_info(struct driver_call *c, const INFO_MSG(ObjectInfoCommand) * m,
			INFO_MSG(ObjectInfoResponse) * answer, struct err *err)
{
	struct driver_place place;
	struct table_view *tables;
	size_t n;
	if (m->n_path == 1 && !c->project)
		return err_set(err, ERR_INVALID_ARGUMENT, "Path for SCHEMA must contain [project_id, bucket_name]");
	if (!driver_path(c, m->path, m->n_path, NULL, &place, err))
		return false;
	if (!table_list(c->storage, c->call, place.project_id, place.branch_id, place.bucket, true, &tables, &n, err))
		return driver_missing(err, &place, false);
	INFO_MSG(SchemaInfo) *info = message_new(c->arena, &INFO_DESC(schema_info));
	info->objects = message_array(c->arena, object_msg, n);
	info->n_objects = n;
	for (size_t i = 0; i < n; i++)
		info->objects[i] = object_new(c->arena, tables[i].name, INFO_ENUM(OBJECT_TYPE__TABLE));
	qsort(info->objects, n, sizeof(*info->objects), name_order);
	answer->object_info_case = INFO_ENUM(OBJECT_INFO_RESPONSE__OBJECT_INFO_SCHEMA_INFO);
	answer->schemainfo = info;
	driver_log(c, DRIVER_INFO, "ObjectInfo for SCHEMA %s: %zu tables", place.bucket, n);
	return true;
}

static bool table_info(struct driver_call *c, const INFO_MSG(ObjectInfoCommand) * m,
		       INFO_MSG(ObjectInfoResponse) * answer, struct err *err)
{
	struct driver_place place;
	struct table_view view;
	size_t n = m->n_path - 1;
	if (n == 0 || (n == 1 && !c->project))
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "Path for TABLE must contain [project_id, bucket_name, table_name]");
	if (!driver_path(c, m->path, n, m->path[n], &place, err))
		return false;
	if (!table_get(c->storage, c->call, place.project_id, place.branch_id, place.bucket, place.table, &view, err))
		return driver_missing(err, &place, false);
	answer->object_info_case = INFO_ENUM(OBJECT_INFO_RESPONSE__OBJECT_INFO_TABLE_INFO);
	answer->tableinfo = driver_table_info(c, m->path, n, view.name, &view.info);
	driver_log(c, DRIVER_INFO, "ObjectInfo for TABLE %s: %lld rows, %zu columns", place.table,
		   (long long)view.info.row_count, view.info.schema.column_count);
	return true;
}

bool driver_object_info(struct driver_call *c, const void *message, struct err *err)
{
	const INFO_MSG(ObjectInfoCommand) *m = message;
	if (m->n_path == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "Path is required");
	INFO_MSG(ObjectInfoResponse) *answer = driver_answer(c);
	answer->path = driver_path_copy(c->arena, m->path, m->n_path);
	answer->n_path = m->n_path;
	answer->objecttype = m->expectedobjecttype;
	switch (m->expectedobjecttype) {
	case INFO_ENUM(OBJECT_TYPE__DATABASE):
		return database_info(c, m, answer, err);
	case INFO_ENUM(OBJECT_TYPE__SCHEMA):
		return schema_info(c, m, answer, err);
	case INFO_ENUM(OBJECT_TYPE__TABLE):
		return table_info(c, m, answer, err);
	case INFO_ENUM(OBJECT_TYPE__VIEW):
		return err_set(err, ERR_INVALID_ARGUMENT, "VIEW object type not supported");
	default:
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown object type %d", (int)m->expectedobjecttype);
	}
}

bool driver_list_schemas(struct driver_call *c, const void *message, struct err *err)
{
	const char *project;
	object_msg **list;
	size_t n;
	(void)message;
	if (!driver_clear_own(c, &project, err) || !buckets(c, project, driver_branch(NULL), &list, &n, err))
		return false;
	INFO_MSG(ListSchemasResponse) *answer = driver_answer(c);
	answer->schemas = arena_array(c->arena, char *, n);
	answer->n_schemas = n;
	for (size_t i = 0; i < n; i++)
		answer->schemas[i] = list[i]->objectname;
	driver_log(c, DRIVER_INFO, "Project %s has %zu schemas", project, n);
	return true;
}
