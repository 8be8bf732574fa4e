#include "base/clock.h"
#include "base/id.h"
#include "storage/place.h"
#include "storage/sharing.h"

static bool offer(struct op *op, const char *bucket, struct err *err)
{
	struct place place;
	struct catalog *catalog = op->storage->catalog;
	struct arena *arena = op->call->arena;
	const char *project_id = op->target.project_id;
	struct bucket_share row = {.project_id = project_id,
				   .bucket = bucket,
				   .target_project_id = SHARED_WITH_ANYBODY,
				   .created_at = clock_unix_us()};
	char id[ID_UUID_SIZE];
	if (!place_bucket(op->storage, arena, project_id, NULL, bucket, "Sharing a bucket", &place, err))
		return false;
	if (place.linked)
		return err_set(err, ERR_INVALID_ARGUMENT,
			       "A linked bucket cannot be shared on; share it from its own project");
	id_uuid(id);
	row.id = id;
	struct bucket_share former;
	if (catalog_get_bucket_share(catalog, arena, KEY(project_id, bucket, SHARED_WITH_ANYBODY), &former))
		return true;
	struct catalog_txn *t = catalog_txn(catalog, arena);
	catalog_expect_bucket(t, KEY(project_id, bucket), ERR_BUCKET_NOT_FOUND);
	catalog_put_bucket_share(t, &row);
	return catalog_commit(t, err);
}

bool sharing_offer(struct storage *storage, const struct call *call, const char *project_id, const char *bucket,
		   struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_share_bucket, (struct op_target){.project_id = project_id, .bucket = bucket});
	return op_end(&op, offer(&op, bucket, err), err);
}

bool sharing_withdraw(struct storage *storage, const struct call *call, const char *project_id, const char *bucket,
		      struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_unshare_bucket, (struct op_target){.project_id = project_id, .bucket = bucket});
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_remove_bucket_share(t, KEY(project_id, bucket, SHARED_WITH_ANYBODY));
	return op_end(&op, catalog_commit(t, err), err);
}

bool sharing_noted(struct storage *storage, const struct call *call, bool granted, const char *bucket, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, granted ? OP_grant_readonly : OP_revoke_readonly,
		 (struct op_target){.bucket = bucket});
	return op_end(&op, true, err);
}
