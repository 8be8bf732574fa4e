#include "storage/bucket.h"

#include "grpc/families.h"
#include "grpc/protocol.h"

bool driver_create_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(CreateBucketCommand) *m = message;
	const char *project = m->projectid;
	struct bucket_info info;
	if (!driver_need(project, "projectId", err) || !driver_need(m->bucketid, "bucketId", err) ||
	    !driver_clear(c, project, err))
		return false;
	static const enum err_code there[] = {ERR_BUCKET_EXISTS, ERR_BUCKET_ALREADY_LINKED};
	driver_forgive(c, there, ARRAY_LEN(there));
	const char *branch = m->isbranchdefault ? driver_branch(NULL) : driver_branch(m->branchid);
	const char *name = driver_object_name(c->arena, m->bucketid);
	if (!driver_name_check("bucketId", m->bucketid, err))
		return false;
	if (bucket_create(c->storage, c->call,
			  &(struct bucket_request){.project_id = project, .branch_id = branch, .name = name}, &info,
			  err))
		driver_log(c, DRIVER_INFO, "Bucket %s created", m->bucketid);
	else if (call_forgives(c->call, err->code))
		driver_log(c, DRIVER_WARNING, "Bucket %s exists already", m->bucketid);
	else
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = name}, true);
	BUCKET_MSG(CreateBucketResponse) *answer = driver_answer(c);
	answer->createbucketobjectname = arena_strdup(c->arena, name);
	answer->n_path = 2;
	answer->path = arena_array(c->arena, char *, 2);
	answer->path[0] = arena_strdup(c->arena, project);
	answer->path[1] = answer->createbucketobjectname;
	return true;
}

bool driver_drop_bucket(struct driver_call *c, const void *message, struct err *err)
{
	const BUCKET_MSG(DropBucketCommand) *m = message;
	const char *project;
	if (!driver_need(m->bucketobjectname, "bucketObjectName", err) || !driver_clear_own(c, &project, err) ||
	    !driver_name_check("bucketObjectName", m->bucketobjectname, err))
		return false;
	static const enum err_code gone[] = {ERR_BUCKET_NOT_FOUND};
	driver_forgive(c, gone, ARRAY_LEN(gone));
	const char *name = driver_bucket_name(c, project, m->bucketobjectname);
	if (bucket_delete(c->storage, c->call, project, driver_branch(NULL), name, m->iscascade, err)) {
		driver_log(c, DRIVER_INFO, "Bucket %s dropped", name);
		return true;
	}
	if (err->code == ERR_BUCKET_NOT_EMPTY)
		return err_set(err, ERR_INVALID_ARGUMENT, "Bucket %s is not empty and cascade=False", name);
	if (!call_forgives(c->call, err->code))
		return driver_missing(err, &(struct driver_place){.project_id = project, .bucket = name}, true);
	driver_log(c, DRIVER_WARNING, "Bucket %s does not exist, nothing dropped", name);
	return true;
}
