#include "storage/auth.h"

#include "base/clock.h"
#include "base/hash.h"
#include "catalog/catalog.h"
#include "storage/place.h"
#include "storage/storage.h"

#include <stdio.h>

/* A key's last use is written down at most this often: reading must not make the catalog's writer busy. */
enum { LAST_USED_STEP_S = 60 };

static bool touch(void *ctx, struct api_key *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->last_used_at = clock_unix_us();
	return true;
}

static void used_now(struct storage *storage, const struct api_key *key)
{
	if (clock_unix_us() - key->last_used_at < LAST_USED_STEP_S * US_PER_S)
		return;
	struct catalog_txn *t = catalog_txn(storage->catalog, NULL);
	catalog_change_api_key(t, KEY(key->id), touch, NULL, ERR_NONE);
	catalog_commit_async(t, NULL, NULL);
}

static enum principal_kind kind_of(const char *scope)
{
	struct span s = span_of(scope);
	return span_is(s, "project_admin")  ? WHO_PROJECT
	       : span_is(s, "branch_admin") ? WHO_BRANCH_ADMIN
	       : span_is(s, "branch_read")  ? WHO_BRANCH_READ
					    : WHO_NOBODY;
}

bool auth_key(struct storage *storage, struct span key, struct principal *ret, const char **ret_why)
{
	char hash[SHA256_HEX_SIZE];
	struct api_key row;
	hash_sha256_hex(key, hash);
	*ret = (struct principal){.kind = WHO_NOBODY};
	*ret_why = "unknown";
	if (storage->admin_key_hash[0] && span_eq_secret(span_of(hash), span_of(storage->admin_key_hash))) {
		ret->kind = WHO_ADMIN;
		return true;
	}
	struct arena *arena = arena_new();
	bool live = false;
	if (catalog_get_api_key_by_hash(storage->catalog, arena, KEY(hash), &row)) {
		if (row.revoked_at)
			*ret_why = "revoked";
		else if (row.expires_at && row.expires_at <= clock_unix_us())
			*ret_why = "expired";
		else
			live = true;
	}
	if (live) {
		ret->kind = kind_of(row.scope);
		(void)snprintf(ret->project_id, sizeof(ret->project_id), "%s", row.project_id);
		(void)snprintf(ret->branch_id, sizeof(ret->branch_id), "%s", row.branch_id ? row.branch_id : "");
		(void)snprintf(ret->key_id, sizeof(ret->key_id), "%s", row.id);
		used_now(storage, &row);
	}
	arena_free(arena);
	return live;
}

static bool reaches(const struct principal *who, enum guard guard, const char *project_id, const char *branch_id,
		    bool reading)
{
	if (who->kind == WHO_NOBODY || !project_id || strcmp(who->project_id, project_id) != 0)
		return false;
	if (who->kind == WHO_PROJECT)
		return true;
	return guard == GUARD_BRANCH && branch_id && strcmp(branch_id, who->branch_id) == 0 &&
	       (reading || who->kind == WHO_BRANCH_ADMIN);
}

static bool unauthorized(struct err *err, const char *message)
{
	(void)err_set(err, ERR_UNAUTHORIZED, "%s", message);
	err->has_details = false;
	return false;
}

bool auth_check(const struct principal *who, enum guard guard, const char *project_id, const char *branch_id,
		bool reading, struct err *err)
{
	if (guard == GUARD_NONE || who->kind == WHO_ADMIN)
		return true;
	if (guard == GUARD_ADMIN)
		return unauthorized(err, "This needs the admin key (ADMIN_API_KEY of the server)");
	if (guard == GUARD_DRIVER)
		return who->kind != WHO_NOBODY ||
		       unauthorized(err, "The key is neither the admin key nor a live key of a project");
	if (reaches(who, guard, project_id, branch_id, reading))
		return true;
	const char *project = project_id ? project_id : "";
	if (guard == GUARD_BRANCH && branch_id)
		(void)err_set(err, ERR_FORBIDDEN, "The key does not give access to branch %s of project %s", branch_id,
			      project);
	else
		(void)err_set(err, ERR_FORBIDDEN, "The key does not give access to project %s", project);
	err->has_details = false;
	return false;
}

const char *door_name(enum door door)
{
	static const char *const names[] = {"rest", "s3", "driver", "grpc", "pgwire", "internal"};
	_Static_assert(ARRAY_LEN(names) == DOOR_COUNT, "one name for each door");
	return names[door];
}
