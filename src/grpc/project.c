#include "storage/project.h"

#include "grpc/families.h"
#include "grpc/protocol.h"

bool driver_create_project(struct driver_call *c, const void *message, struct err *err)
{
	const PROJECT_MSG(CreateProjectCommand) *m = message;
	const char *id = m->projectid;
	struct project project;
	const char *key;
	if (!driver_need(id, "projectId", err) || !driver_clear(c, id, err))
		return false;
	const struct project_create request = {.id = id,
					       .name = arena_printf(c->arena, "Project %s", id),
					       .key_description = "Project admin key (created via gRPC)"};
	if (!project_create(c->storage, c->call, &request, &project, &key, err))
		return err->code == ERR_PROJECT_EXISTS
			       ? err_set(err, ERR_INVALID_ARGUMENT, "Project %s already exists", id)
			       : false;
	PROJECT_MSG(CreateProjectResponse) *answer = driver_answer(c);
	answer->projectusername = arena_printf(c->arena, "project_%s", id);
	answer->projectpassword = arena_strdup(c->arena, key);
	answer->projectdatabasename = arena_strdup(c->arena, id);
	driver_log(c, DRIVER_INFO, "Project %s created", id);
	return true;
}

bool driver_drop_project(struct driver_call *c, const void *message, struct err *err)
{
	const PROJECT_MSG(DropProjectCommand) *m = message;
	const char *id = m->projectdatabasename;
	if (!driver_need(id, "projectDatabaseName (project_id)", err) || !driver_clear(c, id, err) ||
	    !project_drop(c->storage, c->call, id, err))
		return false;
	driver_log(c, DRIVER_INFO, "Project %s dropped", id);
	return true;
}
