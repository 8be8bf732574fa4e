#include "base/clock.h"
#include "base/id.h"
#include "storage/workspace_core.h"

bool workspace_by_username(struct storage *storage, struct arena *arena, const char *username, struct workspace *ret)
{
	struct workspace_user user;
	if (catalog_get_workspace_by_username(storage->catalog, arena, KEY(username), ret))
		return true;
	if (!catalog_get_workspace_user(storage->catalog, arena, KEY(username), &user) ||
	    !catalog_get_workspace(storage->catalog, arena, KEY(user.workspace_id), ret))
		return false;
	ret->username = user.username;
	ret->scram_verifier = user.scram_verifier;
	return true;
}

void workspace_forget(struct catalog_txn *t, const char *id)
{
	catalog_remove_all_pg_sessions_of_workspace(t, KEY(id));
	catalog_remove_all_workspace_users_of(t, KEY(id));
}

static bool user_missing(const char *username, struct err *err)
{
	return err_set(err, ERR_WORKSPACE_CREDENTIALS_NOT_FOUND, "Workspace credentials not found for user %s",
		       username);
}

/* ---- create ---- */

static bool create(struct op *op, const char *id, struct workspace_view *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct workspace row;
	char mark[9];
	if (!workspace_find(storage, arena, op->target.project_id, NULL, id, false, &row, err))
		return false;
	if (catalog_count_workspace_users_of(storage->catalog, KEY(id)) >= WORKSPACE_USERS_MAX)
		return err_set(err, ERR_QUOTA_EXCEEDED, "A workspace has %d further users at most",
			       WORKSPACE_USERS_MAX);
	id_hex(4, mark);
	struct workspace_user user = {.username = arena_printf(arena, "ws_%s_%s", id, mark),
				      .workspace_id = id,
				      .created_at = clock_unix_us(),
				      .credentials_at = clock_unix_us()};
	if (!workspace_password_make(arena, &ret->password, &user.scram_verifier, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_workspace(t, KEY(id), ERR_WORKSPACE_NOT_FOUND);
	catalog_insert_workspace_user(t, &user, ERR_CONFLICT);
	ret->row = row;
	ret->row.username = user.username;
	return catalog_commit(t, err);
}

bool workspace_user_create(struct storage *storage, const struct call *call, const char *project_id, const char *id,
			   struct workspace_view *ret, struct err *err)
{
	struct op op;
	*ret = (struct workspace_view){0};
	op_begin(&op, storage, call, OP_create_workspace_user,
		 (struct op_target){.project_id = project_id, .resource_id = id});
	return op_end(&op, create(&op, id, ret, err), err);
}

/* ---- drop ---- */

static bool drop(struct op *op, const char *username, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct workspace row;
	if (!workspace_by_username(storage, arena, username, &row) ||
	    strcmp(row.project_id, op->target.project_id) != 0)
		return user_missing(username, err);
	if (catalog_get_workspace_by_username(storage->catalog, arena, KEY(username), &row))
		return err_set(err, ERR_OPERATION_NOT_ALLOWED,
			       "User %s is the first one of workspace %s and goes with it", username, row.id);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_workspace_user(t, KEY(username), ERR_WORKSPACE_CREDENTIALS_NOT_FOUND);
	catalog_remove_workspace_user(t, KEY(username));
	return catalog_commit(t, err);
}

bool workspace_user_drop(struct storage *storage, const struct call *call, const char *project_id, const char *username,
			 struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_drop_workspace_user,
		 (struct op_target){.project_id = project_id, .resource_id = username});
	return op_end(&op, drop(&op, username, err), err);
}

/* ---- reset ---- */

static bool user_credentials(void *ctx, struct workspace_user *row, struct arena *arena)
{
	row->scram_verifier = arena_strdup(arena, ctx);
	row->credentials_at = clock_unix_us();
	return true;
}

static bool reset(struct op *op, const char *username, const struct workspace *row, struct workspace_view *ret,
		  struct err *err)
{
	struct arena *arena = op->call->arena;
	const char *verifier;
	if (!workspace_password_make(arena, &ret->password, &verifier, err))
		return false;
	ret->row = *row;
	struct catalog_txn *t = catalog_txn(op->storage->catalog, arena);
	catalog_change_workspace_user(t, KEY(username), user_credentials, arena_strdup(arena, verifier),
				      ERR_WORKSPACE_CREDENTIALS_NOT_FOUND);
	return catalog_commit(t, err);
}

bool workspace_user_reset(struct storage *storage, const struct call *call, const char *project_id,
			  const char *username, struct workspace_view *ret, struct err *err)
{
	struct op op;
	struct workspace row;
	struct workspace_user user;
	*ret = (struct workspace_view){0};
	if (!workspace_by_username(storage, call->arena, username, &row) || strcmp(row.project_id, project_id) != 0)
		return user_missing(username, err);
	if (!catalog_get_workspace_user(storage->catalog, call->arena, KEY(username), &user))
		return workspace_reset_credentials(storage, call, project_id, row.id, ret, err);
	op_begin(&op, storage, call, OP_reset_workspace_credentials,
		 (struct op_target){.project_id = project_id, .resource_id = row.id});
	return op_end(&op, reset(&op, username, &row, ret, err), err);
}
