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

/* What stands between "branch_" and "_readonly"; empty when the name is of another form. */
static struct span role_inner(const char *role)
{
	struct span name = span_of(role);
	const size_t around = strlen("branch__readonly");
	if (!span_starts(name, SPAN("branch_")) || !span_ends(name, SPAN("_readonly")) || name.len <= around)
		return SPAN_NONE;
	return span_first(span_skip(name, strlen("branch_")), name.len - around);
}

/* Project and branch of a role name; *ret_found: such a branch exists. */
static bool role_read(struct driver_call *c, const char *role, const char **ret_project, const char **ret_branch,
		      bool *ret_found, struct err *err)
{
	struct branch row;
	struct span inner = role_inner(role);
	const struct principal *who = &c->call->who;
	const char *own = arena_printf(c->arena, "%s_", who->project_id);
	*ret_project = *ret_branch = NULL;
	*ret_found = false;
	for (size_t at = inner.len; !*ret_found && role_cut(c->arena, inner, at, ret_project, ret_branch, &at);)
		*ret_found = catalog_get_branch(c->storage->catalog, c->arena, KEY(*ret_project, *ret_branch), &row);
	if (!*ret_found && who->kind == WHO_PROJECT && span_starts(inner, span_of(own)))
		*ret_project = who->project_id;
	if (*ret_project && **ret_project && *ret_branch && **ret_branch)
		return true;
	return err_set(err, ERR_INVALID_ARGUMENT, "Invalid devBranchReadOnlyRoleName format: %s", role);
}

static bool unknown(struct driver_call *c, const char *project, const char *branch, struct err *err)
{
	const struct op_target target = {.project_id = project, .branch_id = branch, .resource_id = branch};
	(void)err_set(err, ERR_BRANCH_NOT_FOUND, "Branch %s not found in project %s", branch, project);
	return op_decided(c->storage, c->call, OP_delete_branch, target, false, err);
}

bool driver_drop_dev_branch(struct driver_call *c, const void *message, struct err *err)
{
	const PROJECT_MSG(DropDevBranchCommand) *m = message;
	const char *role = m->devbranchreadonlyrolename;
	const char *project;
	const char *branch;
	static const enum err_code gone[] = {ERR_BRANCH_NOT_FOUND};
	bool found;
	if (!driver_need(role, "devBranchReadOnlyRoleName", err) ||
	    !role_read(c, role, &project, &branch, &found, err) || !driver_clear(c, project, err))
		return false;
	driver_forgive(c, gone, ARRAY_LEN(gone));
	if (found ? branch_delete(c->storage, c->call, project, branch, err) : unknown(c, project, branch, err)) {
		driver_log(c, DRIVER_INFO, "Branch %s of project %s dropped", branch, project);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return false;
	driver_log(c, DRIVER_WARNING, "Branch of role %s does not exist, nothing dropped", role);
	return true;
}
