#include "storage/bucket.h"

#include "base/clock.h"
#include "base/fs.h"
#include "storage/lock.h"
#include "storage/place.h"
#include "storage/removal.h"
#include "storage/sharing.h"
#include "storage/snapshot.h"

#include <unistd.h>

static void info_own(struct storage *storage, const struct bucket *b, struct bucket_info *ret)
{
	*ret = (struct bucket_info){
		.name = b->name,
		.description = b->description,
		.table_count =
			(int64_t)catalog_count_tables(storage->catalog, KEY(b->project_id, BRANCH_MAIN, b->name)),
	};
}

void bucket_info_linked(struct storage *storage, struct arena *arena, const struct bucket_link *link,
			struct bucket_info *ret)
{
	*ret = (struct bucket_info){
		.name = link->name,
		.description = arena_printf(arena, "Linked from %s.%s", link->source_project_id, link->source_bucket),
		.table_count = (int64_t)catalog_count_tables(
			storage->catalog, KEY(link->source_project_id, BRANCH_MAIN, link->source_bucket)),
		.is_linked = true,
		.source_project_id = link->source_project_id,
		.source_bucket_name = link->source_bucket,
	};
}

/* ---- create ---- */

/* One creation from its begin to its end; in the arena of its call. */
struct creation {
	struct op op;
	struct bucket bucket;
	struct span name_key; /* the lock on its name */
	const char *dir;
	bool fresh; /* this creation made the folder */
	struct bucket_info info;
	bucket_made done;
	void *ctx;
};

static bool prepare(struct creation *c, const char *branch_id, struct catalog_txn **ret, struct err *err)
{
	struct storage *storage = c->op.storage;
	struct arena *arena = c->op.call->arena;
	const struct bucket *bucket = &c->bucket;
	struct place place;
	if (!place_branch(storage, arena, bucket->project_id, branch_id, NULL, &place, err) ||
	    !place_name_check("A bucket name", bucket->name, err))
		return false;
	c->dir = place_bucket_dir(storage, arena, bucket->project_id, NULL, bucket->name);
	/* No intent: an empty folder without a record holds nothing that could be lost, so that the start removes it. */
	if (!fs_mkdir_new(c->dir, &c->fresh, err))
		return err_recode(err, ERR_CREATE_FAILED_SERVER);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_project(t, KEY(bucket->project_id), ERR_PROJECT_NOT_FOUND);
	catalog_refuse_bucket_link(t, KEY(bucket->project_id, bucket->name), ERR_BUCKET_EXISTS);
	catalog_insert_bucket(t, bucket, ERR_BUCKET_EXISTS);
	*ret = t;
	return true;
}

static bool conclude(struct creation *c, bool fine, struct err *err)
{
	const struct bucket *bucket = &c->bucket;
	if (fine) {
		info_own(c->op.storage, bucket, &c->info);
	} else if (err->code == ERR_BUCKET_EXISTS) {
		(void)err_set(err, ERR_BUCKET_EXISTS, "Bucket %s exists already", bucket->name);
		err_detail(err, "project_id", bucket->project_id);
		err_detail(err, "bucket_name", bucket->name);
	} else if (c->fresh) {
		(void)rmdir(c->dir);
	}
	bucket_names_unlock(c->op.storage, &c->name_key, 1);
	return op_end(&c->op, fine, err);
}

static struct creation *creation_begin(struct storage *storage, const struct call *call,
				       const struct bucket_request *request)
{
	struct creation *c = arena_new_of(call->arena, struct creation);
	c->bucket = (struct bucket){.project_id = request->project_id,
				    .name = request->name,
				    .description = request->description,
				    .created_at = clock_unix_us()};
	op_begin(&c->op, storage, call, OP_create_bucket,
		 (struct op_target){
			 .project_id = request->project_id, .branch_id = request->branch_id, .bucket = request->name});
	c->name_key = bucket_name_key(call->arena, request->project_id, request->name);
	(void)bucket_names_lock(storage, &c->name_key, 1);
	return c;
}

bool bucket_create(struct storage *storage, const struct call *call, const struct bucket_request *request,
		   struct bucket_info *ret, struct err *err)
{
	struct creation *c = creation_begin(storage, call, request);
	struct catalog_txn *t;
	bool fine = conclude(c, prepare(c, request->branch_id, &t, err) && catalog_commit(t, err), err);
	*ret = c->info;
	return fine;
}

static void committed(void *ctx, const struct err *failure)
{
	struct creation *c = ctx;
	struct err err = ERR_INIT;
	if (failure)
		err = *failure;
	op_moved(&c->op);
	c->done(c->ctx, conclude(c, !failure, &err) ? &c->info : NULL, &err);
}

void bucket_create_then(struct storage *storage, const struct call *call, const struct bucket_request *request,
			bucket_made done, void *ctx)
{
	struct creation *c = creation_begin(storage, call, request);
	struct catalog_txn *t;
	struct err err = ERR_INIT;
	c->done = done;
	c->ctx = ctx;
	if (prepare(c, request->branch_id, &t, &err))
		catalog_commit_then(t, committed, c);
	else
		committed(c, &err);
}

bool bucket_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		const char *name, struct bucket_info *ret, struct err *err)
{
	struct place place;
	if (!place_bucket(storage, call->arena, project_id, branch_id, name, NULL, &place, err))
		return false;
	if (place.linked)
		bucket_info_linked(storage, call->arena, &place.link, ret);
	else
		info_own(storage, &place.bucket, ret);
	return true;
}

bool bucket_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		 struct bucket_info **ret, size_t *ret_count, struct err *err)
{
	struct place place;
	struct bucket *own;
	struct bucket_link *links;
	size_t own_count;
	size_t link_count;
	if (!place_branch(storage, call->arena, project_id, branch_id, NULL, &place, err))
		return false;
	catalog_list_buckets(storage->catalog, call->arena, KEY(project_id), NULL, &own, &own_count);
	catalog_list_bucket_links(storage->catalog, call->arena, KEY(project_id), NULL, &links, &link_count);
	*ret = arena_array(call->arena, struct bucket_info, own_count + link_count);
	*ret_count = own_count + link_count;
	for (size_t i = 0; i < own_count; i++)
		info_own(storage, &own[i], &(*ret)[i]);
	for (size_t i = 0; i < link_count; i++)
		bucket_info_linked(storage, call->arena, &links[i], &(*ret)[own_count + i]);
	return true;
}

/* ---- delete ---- */

static bool is_empty(void *ctx, struct catalog *catalog, struct err *err)
{
	const struct bucket *bucket = ctx;
	/* Those of dev branches are lost like any other. */
	int64_t tables = (int64_t)catalog_count_tables_of_bucket(catalog, KEY(bucket->project_id, bucket->name));
	if (tables == 0)
		return true;
	(void)err_set(err, ERR_BUCKET_NOT_EMPTY,
		      "Bucket %s has %lld tables, those of dev branches counted; delete them first or use cascade=true",
		      bucket->name, (long long)tables);
	err_detail(err, "project_id", bucket->project_id);
	err_detail(err, "bucket_name", bucket->name);
	err_detail_int(err, "table_count", tables);
	return false;
}

static bool delete_own(struct op *op, const struct bucket *bucket, bool cascade, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct bucket_hold hold;
	struct bucket_tables tables;
	struct removal gone = REMOVAL(storage, arena);
	bool fine = bucket_tables_hold(op, bucket->project_id, bucket->name, &tables, &hold, err) &&
		    (cascade || is_empty((void *)(uintptr_t)bucket, storage->catalog, err)) &&
		    snapshot_auto_bucket(op, tables.rows, tables.count, err);
	if (fine) {
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		catalog_expect_bucket(t, KEY(bucket->project_id, bucket->name), ERR_BUCKET_NOT_FOUND);
		if (!cascade)
			catalog_check(t, is_empty, (void *)(uintptr_t)bucket);
		catalog_remove_bucket(t, KEY(bucket->project_id, bucket->name));
		catalog_remove_all_bucket_shares(t, KEY(bucket->project_id, bucket->name));
		bucket_tables_forget(t, &tables, &gone);
		fine = catalog_commit(t, err);
	}
	if (fine)
		bucket_tables_remove(storage, &tables, &gone);
	bucket_tables_let_go(storage, &hold);
	return fine;
}

bool bucket_delete(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *name, bool cascade, struct err *err)
{
	struct op op;
	struct place place;
	op_begin(&op, storage, call, OP_delete_bucket,
		 (struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = name});
	bool fine = place_bucket(storage, call->arena, project_id, branch_id, name, "Deleting a bucket", &place, err) &&
		    (place.linked ? sharing_unlink_rows(&op, &place.link, err)
				  : delete_own(&op, &place.bucket, cascade, err));
	return op_end(&op, fine, err);
}
