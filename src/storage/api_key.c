#include "storage/api_key.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "storage/op.h"
#include "storage/place.h"

#include <stdio.h>

enum { KEY_RANDOM_BYTES = 16 };

void api_key_new(struct arena *arena, const char *project_id, const char *branch_id, const char *scope,
		 struct api_key *ret, const char **ret_key)
{
	char random[2 * KEY_RANDOM_BYTES + 1];
	char hash[SHA256_HEX_SIZE];
	char id[9];
	const char *prefix;
	id_hex(KEY_RANDOM_BYTES, random);
	id_hex(4, id);
	if (branch_id)
		prefix = arena_printf(arena, "proj_%s_branch_%s_%s_", project_id, branch_id,
				      strcmp(scope, "branch_read") == 0 ? "read" : "admin");
	else
		prefix = arena_printf(arena, "proj_%s_admin_", project_id);
	*ret_key = arena_printf(arena, "%s%s", prefix, random);
	hash_sha256_hex(span_of(*ret_key), hash);
	*ret = (struct api_key){
		.id = arena_printf(arena, "key_%s", id),
		.project_id = project_id,
		.branch_id = branch_id,
		.key_hash = arena_strdup(arena, hash),
		.key_prefix = arena_printf(arena, "%s...", prefix),
		.scope = scope,
		.created_at = clock_unix_us(),
	};
}

static bool project_known(struct storage *storage, const struct call *call, const char *project_id, struct err *err)
{
	struct project project;
	if (catalog_get_project(storage->catalog, call->arena, KEY(project_id), &project))
		return true;
	(void)err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project_id);
	err_detail(err, "project_id", project_id);
	return false;
}

static bool key_known(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		      struct api_key *ret, struct err *err)
{
	if (catalog_get_api_key(storage->catalog, call->arena, KEY(key_id), ret) &&
	    strcmp(ret->project_id, project_id) == 0)
		return true;
	(void)err_set(err, ERR_API_KEY_NOT_FOUND, "API key %s not found", key_id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "key_id", key_id);
	return false;
}

static bool scope_fits(struct storage *storage, const struct call *call, const char *project_id,
		       const struct api_key_create *request, struct err *err)
{
	struct branch branch;
	bool of_branch = strcmp(request->scope, "project_admin") != 0;
	bool given = request->branch_id && *request->branch_id;
	if (of_branch != given) {
		(void)err_set(err, ERR_INVALID_REQUEST,
			      of_branch ? "branch_id is required for the scope %s"
					: "branch_id must be null for the scope %s",
			      request->scope);
		err_detail(err, "scope", request->scope);
		return false;
	}
	if (!of_branch ||
	    catalog_get_branch(storage->catalog, call->arena, KEY(project_id, request->branch_id), &branch))
		return true;
	(void)err_set(err, ERR_BRANCH_NOT_FOUND, "Branch %s not found in project %s", request->branch_id, project_id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "branch_id", request->branch_id);
	return false;
}

static bool create(struct storage *storage, const struct call *call, const char *project_id,
		   const struct api_key_create *request, struct api_key *ret, const char **ret_key, struct err *err)
{
	if (!project_known(storage, call, project_id, err) || !scope_fits(storage, call, project_id, request, err))
		return false;
	bool of_branch = strcmp(request->scope, "project_admin") != 0;
	api_key_new(call->arena, project_id, of_branch ? request->branch_id : NULL, request->scope, ret, ret_key);
	ret->description = request->description;
	if (request->expires_in_days)
		ret->expires_at = ret->created_at + request->expires_in_days * 86400 * US_PER_S;
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	if (of_branch)
		catalog_expect_branch(t, KEY(project_id, request->branch_id), ERR_BRANCH_NOT_FOUND);
	catalog_insert_api_key(t, ret, ERR_CONFLICT);
	return catalog_commit(t, err);
}

bool api_key_create(struct storage *storage, const struct call *call, const char *project_id,
		    const struct api_key_create *request, struct api_key *ret, const char **ret_key, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_create_api_key, (struct op_target){.project_id = project_id});
	bool fine = create(storage, call, project_id, request, ret, ret_key, err);
	op.target.resource_id = fine ? ret->id : NULL;
	return op_end(&op, fine, err);
}

bool api_key_get(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		 struct api_key *ret, struct err *err)
{
	return project_known(storage, call, project_id, err) && key_known(storage, call, project_id, key_id, ret, err);
}

bool api_key_list(struct storage *storage, const struct call *call, const char *project_id, struct api_key **ret,
		  size_t *ret_count, struct err *err)
{
	struct api_key *rows;
	size_t n;
	size_t kept = 0;
	if (!project_known(storage, call, project_id, err))
		return false;
	catalog_list_api_keys_newest(storage->catalog, call->arena, KEY(project_id), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].revoked_at)
			rows[kept++] = rows[i];
	}
	*ret = rows;
	*ret_count = kept;
	return true;
}

static bool is_live_admin(const struct api_key *key, int64_t now)
{
	return !key->revoked_at && (!key->expires_at || key->expires_at > now) &&
	       strcmp(key->scope, "project_admin") == 0;
}

struct admins {
	const struct api_key *key;
	int64_t now;
	int64_t live;
};

static bool admin_count(void *ctx, const struct api_key *row)
{
	struct admins *admins = ctx;
	admins->live += is_live_admin(row, admins->now);
	return true;
}

/* Judged by the catalog's writer: of two who revoke the last two keys at once, one is refused. */
static bool another_admin_remains(void *ctx, struct catalog *catalog, struct err *err)
{
	struct admins *admins = ctx;
	const struct api_key *key = admins->key;
	admins->live = 0;
	catalog_visit_api_keys_newest(catalog, KEY(key->project_id), NULL, admin_count, admins);
	if (!is_live_admin(key, admins->now) || admins->live > 1)
		return true;
	(void)err_set(err, ERR_CANNOT_REVOKE_LAST_ADMIN_KEY,
		      "This is the last live project_admin key of project %s; create or rotate one first",
		      key->project_id);
	err_detail(err, "project_id", key->project_id);
	err_detail(err, "key_id", key->id);
	err_detail_int(err, "active_project_admin_keys", admins->live);
	return false;
}

static bool revoke_row(void *ctx, struct api_key *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	if (row->revoked_at)
		return false;
	row->revoked_at = clock_unix_us();
	return true;
}

static bool revoke(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		   struct err *err)
{
	struct api_key key;
	if (!project_known(storage, call, project_id, err) || !key_known(storage, call, project_id, key_id, &key, err))
		return false;
	if (key.revoked_at)
		return true;
	struct admins admins = {.key = &key, .now = clock_unix_us()};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_check(t, another_admin_remains, &admins);
	catalog_change_api_key(t, KEY(key_id), revoke_row, NULL, ERR_API_KEY_NOT_FOUND);
	return catalog_commit(t, err);
}

bool api_key_revoke(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		    struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_revoke_api_key,
		 (struct op_target){.project_id = project_id, .resource_id = key_id});
	return op_end(&op, revoke(storage, call, project_id, key_id, err), err);
}

static bool revoked_refuse(const char *key_id, struct err *err)
{
	(void)err_set(err, ERR_CANNOT_ROTATE_REVOKED_KEY, "API key %s is revoked and cannot be rotated", key_id);
	err_detail(err, "key_id", key_id);
	return false;
}

/* Judged by the catalog's writer: a key that is revoked meanwhile must have no successor. */
static bool still_live(void *ctx, const struct api_key *row, struct err *err)
{
	return !row || !row->revoked_at || revoked_refuse(ctx, err);
}

static bool rotate(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		   struct api_key *ret, const char **ret_key, struct err *err)
{
	struct api_key old;
	if (!project_known(storage, call, project_id, err) || !key_known(storage, call, project_id, key_id, &old, err))
		return false;
	if (old.revoked_at)
		return revoked_refuse(key_id, err);
	api_key_new(call->arena, project_id, old.branch_id, old.scope, ret, ret_key);
	ret->description = arena_printf(call->arena, "%s (rotated)", old.description ? old.description : "");
	if (old.expires_at)
		ret->expires_at = ret->created_at + (old.expires_at - old.created_at);
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_verify_api_key(t, KEY(key_id), still_live, (void *)(uintptr_t)key_id);
	catalog_change_api_key(t, KEY(key_id), revoke_row, NULL, ERR_API_KEY_NOT_FOUND);
	catalog_insert_api_key(t, ret, ERR_CONFLICT);
	return catalog_commit(t, err);
}

bool api_key_rotate(struct storage *storage, const struct call *call, const char *project_id, const char *key_id,
		    struct api_key *ret, const char **ret_key, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_rotate_api_key,
		 (struct op_target){.project_id = project_id, .resource_id = key_id});
	return op_end(&op, rotate(storage, call, project_id, key_id, ret, ret_key, err), err);
}
