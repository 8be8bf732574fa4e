#include "storage/s3_credential.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/id.h"
#include "storage/op.h"

#include <stdlib.h>

enum { ACCESS_KEY_RANDOM = 9, LAST_USED_STEP_S = 60 };

bool server_key_load(const struct settings *settings, unsigned char ret[SERVER_KEY_BYTES], struct err *err)
{
	char path[LIMIT_PATH_BYTES], hex[2 * SERVER_KEY_BYTES + 1];
	char *text;
	size_t len;
	if (!fs_path(path, sizeof(path), err, "%s/server.key", settings->data_dir))
		return false;
	if (!fs_exists(path)) {
		id_random(ret, SERVER_KEY_BYTES);
		hash_hex(ret, SERVER_KEY_BYTES, hex);
		return fs_mkdir(settings->data_dir, err) && fs_write(path, span_of(hex), 0600, err);
	}
	if (!fs_read(path, 1024, &text, &len, err))
		return false;
	bool fine = hash_unhex(span_trim((struct span){text, strcspn(text, "\r\n")}), ret, SERVER_KEY_BYTES);
	free(text);
	return fine || err_set(err, ERR_INVALID_CONFIG, "%s must hold %d hex digits", path, 2 * SERVER_KEY_BYTES);
}

void server_key_derive(const unsigned char key[SERVER_KEY_BYTES], const char *purpose, const char *name,
		       unsigned char ret[SERVER_KEY_BYTES])
{
	struct buf text = BUF(1024);
	buf_printf(&text, "%s\n%s", purpose, name);
	hash_hmac_sha256((struct span){(const char *)key, SERVER_KEY_BYTES}, buf_view(&text), ret);
	buf_done(&text);
}

void s3_credential_secret(const unsigned char key[SERVER_KEY_BYTES], const char *access_key, char ret[S3_SECRET_SIZE])
{
	unsigned char derived[SERVER_KEY_BYTES];
	char text[BASE64_SIZE(SERVER_KEY_BYTES)];
	server_key_derive(key, "s3-credential", access_key, derived);
	base64_write_url(derived, sizeof(derived), text);
	memcpy(ret, text, S3_SECRET_SIZE - 1);
	ret[S3_SECRET_SIZE - 1] = '\0';
}

static bool create(struct storage *storage, const struct call *call, const char *project_id,
		   const struct s3_credential_create *request, struct s3_credential *ret, struct err *err)
{
	char random[2 * ACCESS_KEY_RANDOM + 1];
	struct project project;
	if (!catalog_get_project(storage->catalog, call->arena, KEY(project_id), &project)) {
		(void)err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project_id);
		err_detail(err, "project_id", project_id);
		return false;
	}
	id_hex(ACCESS_KEY_RANDOM, random);
	*ret = (struct s3_credential){
		.access_key = arena_printf(call->arena, "DK%s", random),
		.project_id = project_id,
		.scope = request->scope,
		.description = request->description,
		.created_at = clock_unix_us(),
	};
	if (request->expires_in_days)
		ret->expires_at = ret->created_at + request->expires_in_days * 86400 * US_PER_S;
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	catalog_insert_s3_credential(t, ret, ERR_CONFLICT);
	return catalog_commit(t, err);
}

bool s3_credential_create(struct storage *storage, const struct call *call, const char *project_id,
			  const struct s3_credential_create *request, struct s3_credential *ret, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_create_s3_credential, (struct op_target){.project_id = project_id});
	bool fine = create(storage, call, project_id, request, ret, err);
	op.target.resource_id = fine ? ret->access_key : NULL;
	return op_end(&op, fine, err);
}

bool s3_credential_list(struct storage *storage, const struct call *call, const char *project_id,
			struct s3_credential **ret, size_t *ret_count, struct err *err)
{
	struct project project;
	struct s3_credential *all;
	size_t n;
	if (!catalog_get_project(storage->catalog, call->arena, KEY(project_id), &project)) {
		(void)err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", project_id);
		err_detail(err, "project_id", project_id);
		return false;
	}
	catalog_list_s3_credentials_newest(storage->catalog, call->arena, KEY(project_id), NULL, &all, &n);
	*ret_count = 0;
	for (size_t i = 0; i < n; i++)
		if (!all[i].revoked_at)
			all[(*ret_count)++] = all[i];
	*ret = all;
	return true;
}

static bool revoke_now(void *ctx, struct s3_credential *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->revoked_at = clock_unix_us();
	return true;
}

static bool revoke(struct storage *storage, const struct call *call, const char *project_id, const char *access_key,
		   struct err *err)
{
	struct s3_credential row;
	if (!catalog_get_s3_credential(storage->catalog, call->arena, KEY(access_key), &row) ||
	    strcmp(row.project_id, project_id) != 0 || row.revoked_at) {
		(void)err_set(err, ERR_API_KEY_NOT_FOUND, "Access key %s not found", access_key);
		err_detail(err, "project_id", project_id);
		err_detail(err, "access_key_id", access_key);
		return false;
	}
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_change_s3_credential(t, KEY(access_key), revoke_now, NULL, ERR_API_KEY_NOT_FOUND);
	return catalog_commit(t, err);
}

bool s3_credential_revoke(struct storage *storage, const struct call *call, const char *project_id,
			  const char *access_key, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_revoke_s3_credential,
		 (struct op_target){.project_id = project_id, .resource_id = access_key});
	return op_end(&op, revoke(storage, call, project_id, access_key, err), err);
}

static bool touch(void *ctx, struct s3_credential *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->last_used_at = clock_unix_us();
	return true;
}

bool s3_credential_find(struct storage *storage, struct arena *arena, const char *access_key, struct s3_credential *ret,
			const char **ret_why)
{
	int64_t now = clock_unix_us();
	*ret_why = "unknown";
	if (!catalog_get_s3_credential(storage->catalog, arena, KEY(access_key), ret))
		return false;
	if (ret->revoked_at || (ret->expires_at && ret->expires_at <= now)) {
		*ret_why = ret->revoked_at ? "revoked" : "expired";
		return false;
	}
	/* Written down at most once a minute: reading must not make the catalog's writer busy. */
	if (now - ret->last_used_at >= LAST_USED_STEP_S * US_PER_S) {
		struct catalog_txn *t = catalog_txn(storage->catalog, NULL);
		catalog_change_s3_credential(t, KEY(access_key), touch, NULL, ERR_NONE);
		catalog_commit_async(t, NULL, NULL);
	}
	return true;
}
