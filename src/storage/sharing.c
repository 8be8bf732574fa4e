#include "storage/sharing.h"

#include "base/clock.h"
#include "base/id.h"
#include "storage/lock.h"
#include "storage/place.h"
#include "storage/removal.h"
#include "storage/snapshot.h"

static bool not_allowed(const char *why, const char *bucket, struct err *err)
{
	(void)err_set(err, ERR_OPERATION_NOT_ALLOWED, "%s", why);
	err_detail(err, "bucket_name", bucket);
	return false;
}

static const char *new_id(struct arena *arena)
{
	char id[ID_UUID_SIZE];
	id_uuid(id);
	return arena_strdup(arena, id);
}

/* ---- share ---- */

static bool share(struct op *op, const char *bucket, const char *target, struct err *err)
{
	struct storage *storage = op->storage;
	const struct call *call = op->call;
	const char *project_id = op->target.project_id;
	struct place place;
	if (!place_branch(storage, call->arena, project_id, op->target.branch_id, "Sharing a bucket", &place, err) ||
	    !place_project_live(storage, call->arena, target, err) ||
	    !place_bucket(storage, call->arena, project_id, op->target.branch_id, bucket, "Sharing a bucket", &place,
			  err))
		return false;
	if (place.linked)
		return not_allowed("A linked bucket cannot be shared on; share it from its own project", bucket, err);
	if (strcmp(target, project_id) == 0)
		return not_allowed("A bucket cannot be shared with its own project", bucket, err);
	struct bucket_share row = {.project_id = project_id,
				   .bucket = bucket,
				   .target_project_id = target,
				   .id = new_id(call->arena),
				   .created_at = clock_unix_us()};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(target), ERR_PROJECT_NOT_FOUND);
	catalog_expect_bucket(t, KEY(project_id, bucket), ERR_BUCKET_NOT_FOUND);
	catalog_insert_bucket_share(t, &row, ERR_ALREADY_SHARED);
	op_detail(op, "target_project_id", target);
	op_detail(op, "share_id", row.id);
	if (catalog_commit(t, err))
		return true;
	if (err->code == ERR_ALREADY_SHARED) {
		(void)err_set(err, ERR_ALREADY_SHARED, "Bucket %s is shared with project %s already", bucket, target);
		err_detail(err, "project_id", project_id);
		err_detail(err, "bucket_name", bucket);
		err_detail(err, "target_project_id", target);
	}
	return false;
}

bool sharing_share(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *bucket, const char *target_project_id, const char ***ret_targets, size_t *ret_count,
		   struct err *err)
{
	struct op op;
	struct bucket_share *shares;
	op_begin(&op, storage, call, OP_share_bucket,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	if (!op_end(&op, share(&op, bucket, target_project_id, err), err))
		return false;
	catalog_list_bucket_shares(storage->catalog, call->arena, KEY(project_id, bucket), NULL, &shares, ret_count);
	size_t n = *ret_count;
	*ret_targets = arena_array(call->arena, const char *, n);
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(shares[i].target_project_id, SHARED_WITH_ANYBODY) != 0)
			(*ret_targets)[(*ret_count)++] = shares[i].target_project_id;
	}
	return true;
}

static bool unshare(struct op *op, const char *bucket, const char *target, struct err *err)
{
	struct storage *storage = op->storage;
	const struct call *call = op->call;
	struct place place;
	if (!place_branch(storage, call->arena, op->target.project_id, op->target.branch_id, "Unsharing a bucket",
			  &place, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_remove_bucket_share(t, KEY(op->target.project_id, bucket, target));
	op_detail(op, "target_project_id", target);
	return catalog_commit(t, err);
}

bool sharing_unshare(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		     const char *bucket, const char *target_project_id, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_unshare_bucket,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	return op_end(&op, unshare(&op, bucket, target_project_id, err), err);
}

/* ---- link ---- */

static bool name_free(struct storage *storage, const struct call *call, const char *project_id, const char *bucket,
		      struct err *err)
{
	struct bucket own;
	struct bucket_link link;
	bool is_own = catalog_get_bucket(storage->catalog, call->arena, KEY(project_id, bucket), &own);
	if (!is_own && !catalog_get_bucket_link(storage->catalog, call->arena, KEY(project_id, bucket), &link))
		return true;
	(void)err_set(err, is_own ? ERR_BUCKET_EXISTS : ERR_BUCKET_ALREADY_LINKED, "Bucket %s %s", bucket,
		      is_own ? "exists already" : "is linked already");
	err_detail(err, "project_id", project_id);
	err_detail(err, "bucket_name", bucket);
	return false;
}

static bool may_link(const struct op *op, const char *source_project, const char *source_bucket, struct err *err)
{
	struct bucket_share row;
	const char *project_id = op->target.project_id;
	bool by_role = op->call->door == DOOR_GRPC || op->call->door == DOOR_BRIDGE;
	struct catalog *c = op->storage->catalog;
	struct arena *arena = op->call->arena;
	if (op->call->who.kind == WHO_ADMIN || op->storage->settings->reference_compat ||
	    catalog_get_bucket_share(c, arena, KEY(source_project, source_bucket, project_id), &row) ||
	    (by_role &&
	     catalog_get_bucket_share(c, arena, KEY(source_project, source_bucket, SHARED_WITH_ANYBODY), &row)))
		return true;
	(void)err_set(err, ERR_BUCKET_NOT_SHARED, "Bucket %s of project %s is not shared with project %s",
		      source_bucket, source_project, project_id);
	err_detail(err, "source_project_id", source_project);
	err_detail(err, "source_bucket_name", source_bucket);
	return false;
}

static bool source_found(struct op *op, const char *source_project, const char *source_bucket, struct err *err)
{
	struct bucket source;
	struct bucket_link chain;
	struct catalog *c = op->storage->catalog;
	if (catalog_get_bucket(c, op->call->arena, KEY(source_project, source_bucket), &source))
		return true;
	if (catalog_get_bucket_link(c, op->call->arena, KEY(source_project, source_bucket), &chain))
		return not_allowed("A linked bucket cannot be linked again; link its source", source_bucket, err);
	(void)err_set(err, ERR_BUCKET_NOT_FOUND, "Bucket %s not found in project %s", source_bucket, source_project);
	err_detail(err, "project_id", source_project);
	err_detail(err, "bucket_name", source_bucket);
	return false;
}

static bool link_bucket(struct op *op, const char *bucket, const char *source_project, const char *source_bucket,
			struct bucket_info *ret, struct err *err)
{
	struct storage *storage = op->storage;
	const struct call *call = op->call;
	const char *project_id = op->target.project_id;
	struct place place;
	if (!place_branch(storage, call->arena, project_id, op->target.branch_id, "Linking a bucket", &place, err) ||
	    !place_project_live(storage, call->arena, source_project, err))
		return false;
	/* Before the look-up: whether a bucket exists is told only to those it is shared with. */
	if (!may_link(op, source_project, source_bucket, err))
		return false;
	if (!source_found(op, source_project, source_bucket, err) || !place_name_check("A bucket name", bucket, err) ||
	    !name_free(storage, call, project_id, bucket, err))
		return false;
	struct bucket_link row = {.project_id = project_id,
				  .name = bucket,
				  .source_project_id = source_project,
				  .source_bucket = source_bucket,
				  .id = new_id(call->arena),
				  .created_at = clock_unix_us()};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	catalog_expect_bucket(t, KEY(source_project, source_bucket), ERR_BUCKET_NOT_FOUND);
	catalog_refuse_bucket(t, KEY(project_id, bucket), ERR_BUCKET_EXISTS);
	catalog_insert_bucket_link(t, &row, ERR_BUCKET_ALREADY_LINKED);
	if (!catalog_commit(t, err))
		return false;
	bucket_info_linked(storage, call->arena, &row, ret);
	op_detail(op, "source_project_id", source_project);
	op_detail(op, "source_bucket_name", source_bucket);
	op_detail(op, "link_id", row.id);
	op_detail_int(op, "view_count", ret->table_count);
	return true;
}

bool sharing_link(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		  const char *bucket, const char *source_project_id, const char *source_bucket, struct bucket_info *ret,
		  struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_link_bucket,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	struct span names[] = {bucket_name_key(call->arena, project_id, bucket),
			       bucket_name_key(call->arena, source_project_id, source_bucket),
			       bucket_name_key(call->arena, source_project_id, NULL)};
	size_t held = bucket_names_lock(storage, names, ARRAY_LEN(names));
	bool fine = link_bucket(&op, bucket, source_project_id, source_bucket, ret, err);
	bucket_names_unlock(storage, names, held);
	return op_end(&op, fine, err);
}

bool sharing_unlink_rows(struct op *op, const struct bucket_link *link, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct bucket_hold hold;
	struct bucket_tables tables;
	struct removal gone = REMOVAL(storage, arena);
	bool fine = bucket_tables_hold(op, link->project_id, link->name, &tables, &hold, err) &&
		    snapshot_auto_bucket(op, tables.rows, tables.count, err);
	if (fine) {
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		catalog_expect_bucket_link(t, KEY(link->project_id, link->name), ERR_LINK_NOT_FOUND);
		catalog_remove_bucket_link(t, KEY(link->project_id, link->name));
		bucket_tables_forget(t, &tables, &gone);
		fine = catalog_commit(t, err);
	}
	if (fine)
		bucket_tables_remove(storage, &tables, &gone);
	bucket_tables_let_go(storage, &hold);
	op_detail(op, "source_project_id", link->source_project_id);
	op_detail(op, "source_bucket_name", link->source_bucket);
	op_detail(op, "link_id", link->id);
	return fine;
}

static bool unlink_bucket(struct op *op, const char *bucket, struct err *err)
{
	struct place place;
	struct bucket_link link;
	const char *project_id = op->target.project_id;
	if (!place_branch(op->storage, op->call->arena, project_id, op->target.branch_id, "Unlinking a bucket", &place,
			  err))
		return false;
	if (catalog_get_bucket_link(op->storage->catalog, op->call->arena, KEY(project_id, bucket), &link))
		return sharing_unlink_rows(op, &link, err);
	(void)err_set(err, ERR_LINK_NOT_FOUND, "Bucket %s is not linked", bucket);
	err_detail(err, "project_id", project_id);
	err_detail(err, "bucket_name", bucket);
	return false;
}

bool sharing_unlink(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		    const char *bucket, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_unlink_bucket,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	return op_end(&op, unlink_bucket(&op, bucket, err), err);
}

/* ---- grant and revoke ---- */

bool sharing_grant(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *bucket, struct err *err)
{
	struct op op;
	struct place place;
	op_begin(&op, storage, call, OP_grant_readonly,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	op_detail(&op, "note", "linked data is always read-only; nothing to record");
	return op_end(&op,
		      place_bucket(storage, call->arena, project_id, branch_id, bucket, "Granting access to a bucket",
				   &place, err),
		      err);
}

bool sharing_revoke(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		    const char *bucket, struct err *err)
{
	struct op op;
	struct place place;
	op_begin(&op, storage, call, OP_revoke_readonly,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket});
	op_detail(&op, "note", "linked data is always read-only; nothing to record");
	return op_end(
		&op,
		place_branch(storage, call->arena, project_id, branch_id, "Revoking access to a bucket", &place, err),
		err);
}
