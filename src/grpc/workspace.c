#include "storage/workspace_fill.h"

#include "base/clock.h"
#include "grpc/families.h"
#include "grpc/place.h"
#include "grpc/workspaces.h"

/* ---- whose workspace ---- */

bool driver_workspace_find(struct driver_call *c, const char *id, struct workspace *ret)
{
	return place_name_ok(id) && catalog_get_workspace(c->storage->catalog, c->arena, KEY(id), ret);
}

/* The workspace of an object name; its project is cleared. *ret_found false: there is none, which the caller judges. */
static bool owner_clear(struct driver_call *c, const char *id, struct workspace *ret, bool *ret_found, struct err *err)
{
	if (!driver_need(id, "workspaceObjectName", err))
		return false;
	*ret_found = driver_workspace_find(c, id, ret);
	if (*ret_found)
		return driver_clear(c, ret->project_id, err);
	c->cleared = true;
	return true;
}

/* An operation on a workspace or a user that is not there. Returns false. */
static bool missing(struct driver_call *c, enum op_kind kind, const char *id, struct err *err)
{
	const struct op_target target = {.project_id = c->project, .resource_id = id};
	if (kind == OP_reset_workspace_credentials || kind == OP_drop_workspace_user)
		(void)err_set(err, ERR_WORKSPACE_CREDENTIALS_NOT_FOUND, "Workspace credentials not found for user %s",
			      id);
	else
		(void)err_set(err, ERR_WORKSPACE_NOT_FOUND, "Workspace %s not found", id);
	return op_decided(c->storage, c->call, kind, target, false, err);
}

/* ---- life ---- */

bool driver_create_workspace(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(CreateWorkspaceCommand) *m = message;
	const char *project = m->projectid;
	const char *id = m->workspaceid;
	struct workspace_view view;
	if (!driver_need(project, "projectId", err) || !driver_need(id, "workspaceId", err) ||
	    !driver_clear(c, project, err) || !driver_name_check("workspaceId", id, err))
		return false;
	if (m->n_directgranttables)
		return err_set(err, ERR_INVALID_ARGUMENT, "directGrantTables are not supported");
	const struct workspace_create request = {
		.id = id, .name = arena_printf(c->arena, "workspace_%s", id), .size_limit_gb = WORKSPACE_SIZE_GB};
	if (!workspace_create(c->storage, c->call, project,
			      m->isbranchdefault ? driver_branch(NULL) : driver_branch(m->branchid), &request, &view,
			      err))
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = ""}, true);
	WORKSPACE_MSG(CreateWorkspaceResponse) *answer = driver_answer(c);
	answer->workspaceusername = arena_strdup(c->arena, view.row.username);
	answer->workspacerolename = arena_printf(c->arena, "role_%s", id);
	answer->workspacepassword = arena_strdup(c->arena, view.password);
	answer->workspaceobjectname = arena_strdup(c->arena, id);
	driver_log(c, DRIVER_INFO, "Workspace %s created", id);
	return true;
}

bool driver_drop_workspace(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(DropWorkspaceCommand) *m = message;
	const char *id = m->workspaceobjectname;
	static const enum err_code gone[] = {ERR_WORKSPACE_NOT_FOUND};
	struct workspace row;
	bool found;
	if (!owner_clear(c, id, &row, &found, err))
		return false;
	driver_forgive(c, gone, ARRAY_LEN(gone));
	if (found ? workspace_delete(c->storage, c->call, row.project_id, NULL, id, err)
		  : missing(c, OP_delete_workspace, id, err)) {
		driver_log(c, DRIVER_INFO, "Workspace %s dropped", id);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return false;
	driver_log(c, DRIVER_WARNING, "Workspace %s does not exist, nothing dropped", id);
	return true;
}

/* ---- objects ---- */

static bool preserved(const WORKSPACE_MSG(ClearWorkspaceCommand) * m, const char *name)
{
	for (size_t i = 0; i < m->n_objectstopreserve; i++) {
		if (strcasecmp(m->objectstopreserve[i], name) == 0)
			return true;
	}
	return *name == '_';
}

static bool drop_objects(struct driver_call *c, const WORKSPACE_MSG(ClearWorkspaceCommand) * m,
			 const struct workspace *row, struct err *err)
{
	struct workspace_detail detail;
	if (!workspace_get(c->storage, c->call, row->project_id, NULL, row->id, &detail, err))
		return false;
	for (size_t i = 0; i < detail.object_count; i++) {
		const char *name = detail.objects[i].name;
		if (preserved(m, name) ||
		    workspace_drop_object(c->storage, c->call, row->project_id, row->id, name, err) ||
		    err->code == ERR_WORKSPACE_OBJECT_NOT_FOUND)
			continue;
		if (!m->ignoreerrors)
			return false;
		driver_log(c, DRIVER_WARNING, "Object %s of workspace %s was not dropped: %s", name, row->id,
			   err->message);
	}
	return true;
}

/* Object by object, each an operation of its own besides the clearing. */
static bool clear_but(struct driver_call *c, const WORKSPACE_MSG(ClearWorkspaceCommand) * m,
		      const struct workspace *row, struct err *err)
{
	struct op op;
	op_begin(&op, c->storage, c->call, OP_clear_workspace,
		 (struct op_target){.project_id = row->project_id, .resource_id = row->id});
	return op_end(&op, drop_objects(c, m, row, err), err);
}

bool driver_clear_workspace(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(ClearWorkspaceCommand) *m = message;
	const char *id = m->workspaceobjectname;
	struct workspace row;
	bool found;
	if (!owner_clear(c, id, &row, &found, err))
		return false;
	static const enum err_code gone[] = {ERR_WORKSPACE_NOT_FOUND};
	if (m->ignoreerrors)
		driver_forgive(c, gone, ARRAY_LEN(gone));
	if (!found) {
		(void)missing(c, OP_clear_workspace, id, err);
		if (!m->ignoreerrors)
			return false;
		driver_log(c, DRIVER_WARNING, "Workspace %s does not exist, nothing cleared", id);
		return true;
	}
	bool fine = m->n_objectstopreserve || m->ignoreerrors
			    ? clear_but(c, m, &row, err)
			    : workspace_clear(c->storage, c->call, row.project_id, id, err);
	if (fine)
		driver_log(c, DRIVER_INFO, "Workspace %s cleared", id);
	return fine;
}

bool driver_drop_workspace_object(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(DropWorkspaceObjectCommand) *m = message;
	const char *id = m->workspaceobjectname;
	const char *name = m->objectnametodrop;
	struct workspace row;
	bool found;
	static const enum err_code gone[] = {ERR_WORKSPACE_OBJECT_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND};
	if (!owner_clear(c, id, &row, &found, err) || !driver_need(name, "objectNameToDrop", err))
		return false;
	if (m->ignoreifnotexists)
		driver_forgive(c, gone, ARRAY_LEN(gone));
	if (found ? workspace_drop_object(c->storage, c->call, row.project_id, id, name, err)
		  : missing(c, OP_drop_workspace_object, id, err)) {
		driver_log(c, DRIVER_INFO, "Object %s of workspace %s dropped", name, id);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return false;
	driver_log(c, DRIVER_WARNING, "Object %s of workspace %s does not exist, nothing dropped", name, id);
	return true;
}

/* ---- credentials ---- */

bool driver_reset_workspace_password(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(ResetWorkspacePasswordCommand) *m = message;
	const char *user = m->workspaceusername;
	struct workspace row;
	struct workspace_view view;
	if (!driver_need(user, "workspaceUserName", err))
		return false;
	if (!workspace_by_username(c->storage, c->arena, user, &row))
		return missing(c, OP_reset_workspace_credentials, user, err);
	if (!driver_clear(c, row.project_id, err) ||
	    !workspace_user_reset(c->storage, c->call, row.project_id, user, &view, err))
		return false;
	WORKSPACE_MSG(ResetWorkspacePasswordResponse) *answer = driver_answer(c);
	answer->workspaceusername = arena_strdup(c->arena, user);
	answer->workspacepassword = arena_strdup(c->arena, view.password);
	driver_log(c, DRIVER_INFO, "Password of user %s reset", user);
	return true;
}

bool driver_create_workspace_user(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(CreateWorkspaceUserCommand) *m = message;
	const char *id = *m->workspaceobjectname ? m->workspaceobjectname : m->workspaceid;
	struct workspace row;
	struct workspace_view view;
	if (!driver_need(id, "workspaceObjectName or workspaceId", err) ||
	    (*m->projectid && !driver_clear(c, m->projectid, err)))
		return false;
	if (!driver_workspace_find(c, id, &row) || (*m->projectid && strcmp(row.project_id, m->projectid) != 0)) {
		c->cleared = true;
		return missing(c, OP_create_workspace_user, id, err);
	}
	if (!driver_clear(c, row.project_id, err) ||
	    !workspace_user_create(c->storage, c->call, row.project_id, row.id, &view, err))
		return false;
	WORKSPACE_MSG(CreateWorkspaceUserResponse) *answer = driver_answer(c);
	answer->workspaceusername = arena_strdup(c->arena, view.row.username);
	answer->workspacepassword = arena_strdup(c->arena, view.password);
	driver_log(c, DRIVER_INFO, "User %s of workspace %s created", view.row.username, id);
	return true;
}

bool driver_drop_workspace_user(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(DropWorkspaceUserCommand) *m = message;
	const char *user = m->workspaceusername;
	static const enum err_code gone[] = {ERR_WORKSPACE_CREDENTIALS_NOT_FOUND};
	struct workspace row;
	if (!driver_need(user, "workspaceUserName", err))
		return false;
	bool found = workspace_by_username(c->storage, c->arena, user, &row);
	c->cleared = true;
	if (found && !driver_clear(c, row.project_id, err))
		return false;
	driver_forgive(c, gone, ARRAY_LEN(gone));
	if (found ? workspace_user_drop(c->storage, c->call, row.project_id, user, err)
		  : missing(c, OP_drop_workspace_user, user, err)) {
		driver_log(c, DRIVER_INFO, "User %s of workspace %s dropped", user, row.id);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return false;
	driver_log(c, DRIVER_WARNING, "User %s does not exist, nothing dropped", user);
	return true;
}

/*
 * The right of another project to load into a workspace. It is bound to the moment the workspace was made, so that a later
 * one of the same id does not inherit it.
 */
static const char *grant_name(struct arena *arena, const char *workspace, const char *project)
{
	return arena_printf(arena, "workspace_grant/%s/%s", workspace, project);
}

static bool granted(struct driver_call *c, const struct workspace *row, const char *project)
{
	struct server_value value;
	int64_t made;
	return catalog_get_server_value(c->storage->catalog, c->arena, KEY(grant_name(c->arena, row->id, project)),
					&value) &&
	       span_i64(span_of(value.value), &made) && made == row->created_at;
}

bool driver_workspace_clear(struct driver_call *c, const struct workspace *row, struct err *err)
{
	const struct principal *who = &c->call->who;
	return (who->kind == WHO_PROJECT && strcmp(who->project_id, row->project_id) != 0 &&
		granted(c, row, who->project_id)) ||
	       driver_clear(c, row->project_id, err);
}

static bool grant(struct driver_call *c, const char *id, const char *user, bool give, struct err *err)
{
	struct workspace row;
	bool found;
	if (!owner_clear(c, id, &row, &found, err))
		return false;
	const char *prefix = "project_";
	if (found && strncmp(user, prefix, strlen(prefix)) == 0 && place_name_ok(user + strlen(prefix))) {
		const char *name = grant_name(c->arena, id, user + strlen(prefix));
		struct catalog_txn *t = catalog_txn(c->storage->catalog, c->arena);
		const struct server_value value = {.name = name,
						   .value = arena_printf(c->arena, "%lld", (long long)row.created_at),
						   .updated_at = clock_unix_us()};
		if (give)
			catalog_put_server_value(t, &value);
		else
			catalog_remove_server_value(t, KEY(name));
		if (!catalog_commit(t, err))
			return false;
	}
	driver_log(c, DRIVER_INFO, "%s workspace access recorded: workspace %s, %s", give ? "Grant" : "Revoke", id,
		   user);
	return true;
}

bool driver_grant_workspace(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(GrantWorkspaceAccessToProjectCommand) *m = message;
	return grant(c, m->workspaceobjectname, m->projectusername, true, err);
}

bool driver_revoke_workspace(struct driver_call *c, const void *message, struct err *err)
{
	const WORKSPACE_MSG(RevokeWorkspaceAccessToProjectCommand) *m = message;
	return grant(c, m->workspaceobjectname, m->projectusername, false, err);
}

/* ---- load ---- */

typedef WORKSPACE_MSG(LoadTableToWorkspaceCommand) load_msg;

static bool destination_find(struct driver_call *c, const load_msg *m, struct workspace *ret, struct err *err)
{
	const TABLE_MSG(ImportExportShared__Table) *to = m->destination;
	if (!to || to->n_path == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "destination.path must contain workspace identifier");
	const char *id = to->path[to->n_path - 1];
	if (!driver_need(to->tablename, "destination.tableName", err))
		return false;
	if (!driver_workspace_find(c, id, ret))
		return missing(c, OP_load_workspace_tables, id, err);
	return driver_workspace_clear(c, ret, err);
}

static bool source_find(struct driver_call *c, const load_msg *m, const struct workspace *workspace,
			struct driver_place *ret, struct err *err)
{
	const WORKSPACE_MSG(LoadTableToWorkspaceCommand__SourceTableMapping) *from = m->source;
	if (!from || from->n_path == 0 || (from->n_path == 1 && !c->project))
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "source.path must contain at least [project_id, bucket_name]");
	if (!driver_table(c, from->path, from->n_path, from->tablename, ret, err))
		return false;
	if (from->n_path < 3 && strcmp(ret->project_id, workspace->project_id) == 0)
		ret->branch_id = driver_branch(workspace->branch_id);
	return true;
}

bool driver_load_table(struct driver_call *c, const void *message, struct err *err)
{
	const load_msg *m = message;
	enum { INCREMENTAL = 1, IMPORT_TYPES = 4 };
	struct workspace row;
	struct driver_place place;
	struct filters filters = {0};
	int64_t loaded;
	int type = m->importoptions ? (int)m->importoptions->importtype : 0;
	if (!m->source || m->source->n_path == 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "source.path must contain at least [project_id, bucket_name]");
	if (!destination_find(c, m, &row, err) || !source_find(c, m, &row, &place, err) ||
	    !driver_where(c, m->source->wherefilters, m->source->n_wherefilters, &filters, err))
		return false;
	if (type < 0 || type >= IMPORT_TYPES)
		return err_set(err, ERR_INVALID_ARGUMENT, "Unknown importType %d", type);
	size_t n = m->source->n_columnmappings;
	struct workspace_column *columns = arena_array(c->arena, struct workspace_column, n);
	for (size_t i = 0; i < n; i++)
		columns[i] = (struct workspace_column){m->source->columnmappings[i]->sourcecolumnname,
						       m->source->columnmappings[i]->destinationcolumnname};
	const struct workspace_fill fill = {
		.project_id = place.project_id,
		.branch_id = place.branch_id,
		.bucket = place.bucket,
		.table = place.table,
		.destination = m->destination->tablename,
		.columns = columns,
		.column_count = n,
		.filters = &filters,
		.limit = m->source->limit > 0 ? m->source->limit : 0,
		.append = type == INCREMENTAL,
		.key = m->importoptions ? (const char *const *)m->importoptions->dedupcolumnsnames : NULL,
		.key_count = m->importoptions ? m->importoptions->n_dedupcolumnsnames : 0,
	};
	if (!workspace_fill(c->storage, c->call, row.id, &fill, &loaded, err))
		return driver_missing(err, &place, false);
	driver_log(c, DRIVER_INFO, "Loaded %lld rows into table %s of workspace %s", (long long)loaded,
		   fill.destination, row.id);
	return true;
}
