#include "storage/branch.h"

#include "grpc/families.h"
#include "grpc/protocol.h"

#include "base/id.h"

bool driver_create_dev_branch(struct driver_call *c, const void *message, struct err *err)
{
	const PROJECT_MSG(CreateDevBranchCommand) *m = message;
	const char *project = m->projectid;
	char generated[9];
	struct branch_info info;
	if (!driver_need(project, "projectId", err) || !driver_clear(c, project, err) ||
	    (*m->branchid && !driver_name_check("branchId", m->branchid, err)))
		return false;
	id_hex(4, generated);
	const char *id = *m->branchid ? m->branchid : arena_strdup(c->arena, generated);
	if (strcmp(id, driver_branch(NULL)) == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "branchId must not be 'default'");
	if (!branch_create_as(c->storage, c->call, project, id, arena_printf(c->arena, "Branch %s", id), &info, err)) {
		if (err->code == ERR_BRANCH_NAME_EXISTS)
			return err_set(err, ERR_BRANCH_EXISTS, "Branch %s already exists in project %s", id, project);
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = ""}, true);
	}
	PROJECT_MSG(CreateDevBranchResponse) *answer = driver_answer(c);
	answer->devbranchreadonlyrolename = arena_printf(c->arena, "branch_%s_%s_readonly", project, id);
	driver_log(c, DRIVER_INFO, "Branch %s created in project %s", id, project);
	return true;
}

/* Cuts <project>_<branch> at the last '_' before `end`, so that the longest project id comes first; false: no more. */
static bool role_cut(struct arena *arena, struct span inner, size_t end, const char **ret_project,
		     const char **ret_branch, size_t *ret_at)
{
	for (size_t i = end; i > 0; i--) {
		if (inner.ptr[i - 1] != '_')
			continue;
		*ret_project = arena_copy(arena, span_first(inner, i - 1));
		*ret_branch = arena_copy(arena, span_skip(inner, i));
		*ret_at = i - 1;
		return true;
	}
	return false;
}

bool driver_drop_dev_branch(struct driver_call *c, const void *message, struct err *err)
{
	const PROJECT_MSG(DropDevBranchCommand) *m = message;
	const char *role = m->devbranchreadonlyrolename;
	const char *project = NULL;
	const char *branch = NULL;
	struct branch row;
	bool found = false;
	if (!driver_need(role, "devBranchReadOnlyRoleName", err))
		return false;
	struct span inner = span_of(role);
	bool shaped = span_starts(inner, SPAN("branch_")) && span_ends(inner, SPAN("_readonly")) &&
		      inner.len > strlen("branch__readonly");
	inner = shaped ? span_first(span_skip(inner, strlen("branch_")), inner.len - strlen("branch__readonly"))
		       : SPAN_NONE;
	for (size_t at = inner.len; !found && role_cut(c->arena, inner, at, &project, &branch, &at);)
		found = catalog_get_branch(c->storage->catalog, c->arena, KEY(project, branch), &row);
	const struct principal *who = &c->call->who;
	const char *own = arena_printf(c->arena, "%s_", who->project_id);
	if (!found && who->kind == WHO_PROJECT && span_starts(inner, span_of(own)))
		project = who->project_id;
	if (!project || !*project || !*branch)
		return err_set(err, ERR_INVALID_ARGUMENT, "Invalid devBranchReadOnlyRoleName format: %s", role);
	if (!driver_clear(c, project, err))
		return false;
	if (found && branch_delete(c->storage, c->call, project, branch, err)) {
		driver_log(c, DRIVER_INFO, "Branch %s of project %s dropped", branch, project);
		return true;
	}
	if (found && err->code != ERR_BRANCH_NOT_FOUND)
		return false;
	driver_log(c, DRIVER_WARNING, "Branch of role %s does not exist, nothing dropped", role);
	return true;
}
