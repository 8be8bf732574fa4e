#include "storage/sharing.h"

#include "grpc/families.h"
#include "grpc/protocol.h"

/* ---- share ---- */

bool driver_share_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(ShareBucketCommand) *m = message;
	const char *project = m->sourceprojectid;
	const char *asked = *m->sourcebucketid ? m->sourcebucketid : m->sourcebucketobjectname;
	if (!driver_need(project, "sourceProjectId", err) ||
	    !driver_need(asked, "sourceBucketId or sourceBucketObjectName", err) || !driver_clear(c, project, err) ||
	    !driver_name_check("sourceBucketId", asked, err))
		return false;
	const char *name = driver_bucket_name(c, project, asked);
	if (!sharing_offer(c->storage, c->call, project, name, err)) {
		if (err->code == ERR_PROJECT_NOT_FOUND || err->code == ERR_PROJECT_DB_NOT_FOUND)
			return err_set(err, ERR_BUCKET_NOT_FOUND, "Bucket %s not found in project %s", name, project);
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = name}, true);
	}
	BUCKET_MSG(ShareBucketResponse) *answer = driver_answer(c);
	answer->bucketsharerolename = arena_printf(c->arena, "share_%s_%s", project, name);
	driver_log(c, DRIVER_INFO, "Bucket %s shared as %s", name, answer->bucketsharerolename);
	return true;
}

bool driver_unshare_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(UnshareBucketCommand) *m = message;
	const char *project;
	if (!driver_need(m->bucketobjectname, "bucketObjectName", err) || !driver_clear_own(c, &project, err) ||
	    !driver_name_check("bucketObjectName", m->bucketobjectname, err))
		return false;
	const char *name = driver_bucket_name(c, project, m->bucketobjectname);
	if (!sharing_withdraw(c->storage, c->call, project, name, err))
		return false;
	driver_log(c, DRIVER_INFO, "Bucket %s is not shared any more; existing links stay", name);
	return true;
}

/* ---- link ---- */

struct source {
	const char *project;
	const char *bucket;
};

/* share_<project>_<bucket> can be cut at every '_': the n-th way. */
static bool role_cut(struct arena *arena, const char *role, size_t n, struct source *ret)
{
	const char *rest = role + strlen("share_");
	const char *at = rest;
	for (size_t i = 0; at && i <= n; i++)
		at = strchr(at + (i ? 1 : 0), '_');
	if (!at)
		return false;
	ret->project = arena_copy(arena, (struct span){rest, (size_t)(at - rest)});
	ret->bucket = arena_strdup(arena, at + 1);
	return true;
}

static bool is_shared(struct driver_call *c, const struct source *s)
{
	return catalog_count_bucket_shares(c->storage->catalog, KEY(s->project, s->bucket)) > 0;
}

static bool exists(struct driver_call *c, const struct source *s)
{
	struct bucket bucket;
	struct bucket_link link;
	struct catalog *catalog = c->storage->catalog;
	return catalog_get_bucket(catalog, c->arena, KEY(s->project, s->bucket), &bucket) ||
	       catalog_get_bucket_link(catalog, c->arena, KEY(s->project, s->bucket), &link);
}

/* The bucket of a role name: what is shared first, then what exists, then the first cut for the sentence that refuses. */
static bool role_resolve(struct driver_call *c, const char *role, struct source *ret, struct err *err)
{
	bool (*const tests[])(struct driver_call *, const struct source *) = {is_shared, exists};
	struct source first;
	if (strncmp(role, "share_", strlen("share_")) != 0 || !role_cut(c->arena, role, 0, &first) || !*first.project ||
	    !first.bucket[0])
		return err_set(err, ERR_INVALID_ARGUMENT, "Invalid sourceShareRoleName format: %s", role);
	for (size_t t = 0; t < ARRAY_LEN(tests); t++) {
		for (size_t n = 0; role_cut(c->arena, role, n, ret); n++) {
			if (*ret->project && *ret->bucket && tests[t](c, ret))
				return true;
		}
	}
	*ret = first;
	return true;
}

static bool link_failed(const struct source *source, const char *project, const char *name, struct err *err)
{
	static const struct driver_recode codes[] = {{ERR_OPERATION_NOT_ALLOWED, ERR_INVALID_ARGUMENT}};
	if (err->code == ERR_BUCKET_NOT_FOUND ||
	    (err->code == ERR_PROJECT_NOT_FOUND && strstr(err->message, source->project) &&
	     strcmp(source->project, project) != 0))
		return err_set(err, ERR_BUCKET_NOT_FOUND, "Source bucket %s not found in project %s", source->bucket,
			       source->project);
	if (err->code == ERR_BUCKET_EXISTS || err->code == ERR_BUCKET_ALREADY_LINKED)
		return err_set(err, ERR_INVALID_ARGUMENT, "Bucket %s already exists in project %s", name, project);
	return driver_recode(err, codes, ARRAY_LEN(codes));
}

bool driver_link_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(LinkBucketCommand) *m = message;
	const char *project = m->targetprojectid;
	struct project target;
	struct source source;
	struct bucket_info info;
	if (!driver_need(project, "targetProjectId", err) || !driver_need(m->targetbucketid, "targetBucketId", err) ||
	    !driver_need(m->sourcesharerolename, "sourceShareRoleName", err) || !driver_clear(c, project, err) ||
	    !driver_name_check("targetBucketId", m->targetbucketid, err) ||
	    !role_resolve(c, m->sourcesharerolename, &source, err))
		return false;
	const char *name = driver_object_name(c->arena, m->targetbucketid);
	if (!catalog_get_project(c->storage->catalog, c->arena, KEY(project), &target)) {
		(void)err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project);
		return op_decided(c->storage, c->call, OP_link_bucket,
				  (struct op_target){.project_id = project, .bucket = name}, false, err);
	}
	if (!sharing_link(c->storage, c->call, project, driver_branch(NULL), name, source.project, source.bucket, &info,
			  err))
		return link_failed(&source, project, name, err);
	BUCKET_MSG(LinkedBucketResponse) *answer = driver_answer(c);
	answer->linkedbucketobjectname = arena_strdup(c->arena, name);
	driver_log(c, DRIVER_INFO, "Bucket %s of project %s linked as %s", source.bucket, source.project, name);
	return true;
}

bool driver_unlink_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(UnlinkBucketCommand) *m = message;
	const char *project;
	if (!driver_need(m->bucketobjectname, "bucketObjectName", err) || !driver_clear_own(c, &project, err) ||
	    !driver_name_check("bucketObjectName", m->bucketobjectname, err))
		return false;
	static const enum err_code gone[] = {ERR_LINK_NOT_FOUND};
	driver_forgive(c, gone, ARRAY_LEN(gone));
	const char *name = driver_bucket_name(c, project, m->bucketobjectname);
	if (sharing_unlink(c->storage, c->call, project, driver_branch(NULL), name, err)) {
		driver_log(c, DRIVER_INFO, "Bucket %s unlinked", name);
		return true;
	}
	if (!call_forgives(c->call, err->code))
		return false;
	driver_log(c, DRIVER_WARNING, "Bucket %s is not linked, nothing unlinked", name);
	return true;
}

/* ---- grants: linked data is always readable, so nothing is recorded ---- */

bool driver_grant_bucket_access(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(GrantBucketAccessToReadOnlyRoleCommand) *m = message;
	const char *asked = m->n_path ? m->path[m->n_path - 1] : m->destinationobjectname;
	if (!driver_need(asked, "path or destinationObjectName", err) ||
	    !sharing_noted(c->storage, c->call, true, asked, err))
		return false;
	BUCKET_MSG(GrantBucketAccessToReadOnlyRoleResponse) *answer = driver_answer(c);
	answer->createbucketobjectname = (char *)(uintptr_t)driver_object_name(c->arena, asked);
	driver_log(c, DRIVER_INFO, "Read access to bucket %s granted", answer->createbucketobjectname);
	return true;
}

bool driver_revoke_bucket_access(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(RevokeBucketAccessFromReadOnlyRoleCommand) *m = message;
	if (!driver_need(m->bucketobjectname, "bucketObjectName", err) ||
	    !sharing_noted(c->storage, c->call, false, m->bucketobjectname, err))
		return false;
	driver_log(c, DRIVER_INFO, "Read access to bucket %s revoked", m->bucketobjectname);
	return true;
}
