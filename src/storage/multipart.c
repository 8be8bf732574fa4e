#include "storage/multipart.h"

#include "base/clock.h"
#include "base/id.h"
#include "storage/object_core.h"

#include <stdlib.h>

enum { UPLOAD_ID_BYTES = 24 };

static const char state_open[] = "open";

bool multipart_create(struct storage *storage, struct arena *arena, const struct multipart_create *request,
		      struct multipart *ret, struct err *err)
{
	char *id = arena_alloc(arena, 2 * UPLOAD_ID_BYTES + 1);
	int64_t now = clock_unix_us();
	id_hex(UPLOAD_ID_BYTES, id);
	*ret = (struct multipart){
		.id = id,
		.project_id = request->project_id,
		.object_key = request->key,
		.state = state_open,
		.content_type = request->content_type,
		.headers_json = request->headers_json,
		.user_metadata_json = request->user_metadata_json,
		.checksum_algorithm = request->checksum_algorithm,
		.checksum_type = request->checksum_type,
		.created_at = now,
		.expires_at = now + MULTIPART_LIFE_S * US_PER_S,
	};
	if (!object_key_check(span_of(request->key), err) || !object_quota_check(storage, request->project_id, 0, err))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_project(t, KEY(request->project_id), ERR_PROJECT_NOT_FOUND);
	catalog_put_multipart(t, ret);
	return catalog_commit(t, err);
}

static bool not_found(struct err *err)
{
	return err_set(err, ERR_MULTIPART_NOT_FOUND,
		       "The specified upload does not exist: it may have been completed or aborted");
}

static bool find_any(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		     const char *upload_id, struct multipart *ret)
{
	return catalog_get_multipart(storage->catalog, arena, KEY(upload_id), ret) &&
	       strcmp(ret->project_id, project_id) == 0 && strcmp(ret->object_key, key) == 0;
}

bool multipart_find(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		    const char *upload_id, struct multipart *ret, struct err *err)
{
	return (find_any(storage, arena, project_id, key, upload_id, ret) && strcmp(ret->state, state_open) == 0) ||
	       not_found(err);
}

/* Run by the catalog's writer: an upload may end while a part of it arrives. */
static bool still_open(void *ctx, const struct multipart *row, struct err *err)
{
	(void)ctx;
	return (row && strcmp(row->state, state_open) == 0) || not_found(err);
}

bool multipart_put_part(struct storage *storage, struct arena *arena, const struct multipart *upload, int number,
			const struct blob *blob, const char *checksums_json, struct multipart_part *ret,
			struct err *err)
{
	char hex[2 * CHECKSUM_BYTES_MAX + 1];
	struct multipart_part old;
	struct span lock = span_of(arena_printf(arena, "part %s/%d", upload->id, number));
	blob_hex(&blob->values, CHECKSUM_MD5, hex);
	*ret = (struct multipart_part){
		.upload_id = upload->id,
		.number = number,
		.path = blob->content,
		.etag = arena_strdup(arena, hex),
		.checksums_json = checksums_json,
		.size_bytes = blob->size,
		.created_at = clock_unix_us(),
	};
	key_lock(storage->objects->locks, lock);
	bool replaces = catalog_get_multipart_part(storage->catalog, arena, KEY(upload->id, number), &old);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_verify_multipart(t, KEY(upload->id), still_open, NULL);
	catalog_put_multipart_part(t, ret);
	bool fine = catalog_commit(t, err);
	if (fine && replaces)
		blob_remove(object_files_dir(storage), old.path);
	key_unlock(storage->objects->locks, lock);
	return fine;
}

/* Ends an upload without an object. Its lock is held. */
static bool drop(struct storage *storage, struct arena *arena, const char *upload_id, struct err *err)
{
	struct multipart_part *parts;
	size_t n;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_list_multipart_parts(storage->catalog, arena, KEY(upload_id), NULL, &parts, &n);
	catalog_remove_all_multipart_parts(t, KEY(upload_id));
	catalog_remove_multipart(t, KEY(upload_id));
	if (!catalog_commit(t, err))
		return false;
	for (size_t i = 0; i < n; i++)
		blob_remove(object_files_dir(storage), parts[i].path);
	return true;
}

static struct span lock_of(struct arena *arena, const char *upload_id)
{
	return span_of(arena_printf(arena, "upload %s", upload_id));
}

bool multipart_abort(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		     const char *upload_id, struct err *err)
{
	struct multipart upload;
	struct span lock = lock_of(arena, upload_id);
	key_lock(storage->objects->locks, lock);
	bool fine = multipart_find(storage, arena, project_id, key, upload_id, &upload, err) &&
		    drop(storage, arena, upload_id, err);
	key_unlock(storage->objects->locks, lock);
	return fine;
}

/* One that has expired; false when there is none. */
static bool sweep_one(struct storage *storage, struct arena *arena, bool *ret_fine, struct err *err)
{
	struct multipart *rows;
	size_t n;
	const struct catalog_page first = {.limit = 1};
	catalog_list_multiparts_by_expiry(storage->catalog, arena, KEY_ALL, &first, &rows, &n);
	if (n == 0 || rows[0].expires_at > clock_unix_us())
		return false;
	struct span lock = lock_of(arena, rows[0].id);
	key_lock(storage->objects->locks, lock);
	*ret_fine = drop(storage, arena, rows[0].id, err);
	key_unlock(storage->objects->locks, lock);
	return *ret_fine;
}

bool multipart_sweep(struct storage *storage, struct err *err)
{
	bool fine = true;
	for (bool more = true; more;) {
		struct arena *arena = arena_new();
		more = sweep_one(storage, arena, &fine, err);
		arena_free(arena);
	}
	return fine;
}
