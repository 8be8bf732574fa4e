#include "storage/object.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "storage/object_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Times a reader looks again while writers replace what it is about to open. */
enum { OPEN_TRIES = 20 };

struct span object_lock_name(struct arena *arena, const char *project_id, struct span key)
{
	size_t len = strlen(project_id) + 1 + key.len;
	char *name = arena_alloc(arena, len + 1);
	memcpy(name, project_id, len - key.len);
	memcpy(name + len - key.len, key.ptr, key.len);
	return (struct span){name, len};
}

bool object_key_check(struct span key, struct err *err)
{
	if (key.len == 0)
		return err_set(err, ERR_INVALID_KEY, "The key is empty");
	if (key.len > LIMIT_OBJECT_KEY_BYTES)
		return err_set(err, ERR_KEY_TOO_LONG, "The key is longer than %d bytes", LIMIT_OBJECT_KEY_BYTES);
	if (!span_is_xml(key))
		return err_set(err, ERR_INVALID_KEY, "The key holds bytes that are not UTF-8, or control characters");
	for (struct span rest = key; rest.len > 0;) {
		struct span segment = span_cut(&rest, '/');
		if (span_is(segment, ".") || span_is(segment, ".."))
			return err_set(err, ERR_INVALID_KEY, "The key has a . or .. segment");
	}
	return true;
}

bool object_etag_matches(struct span list, const char *etag)
{
	while (list.len > 0) {
		struct span tag = span_trim(span_cut(&list, ','));
		if (span_is(tag, "*"))
			return true;
		if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"')
			tag = (struct span){tag.ptr + 1, tag.len - 2};
		if (etag && span_is(tag, etag))
			return true;
	}
	return false;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

bool object_find(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		 struct file_row *ret)
{
	return catalog_get_file_by_key(storage->catalog, arena, KEY(project_id, key), ret);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static int64_t mtime_of(const struct stat *st)
{
	return st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

static bool is_as_recorded(const struct file_row *row, const struct stat *st)
{
	return row->size_bytes == st->st_size && row->mtime_ns == mtime_of(st);
}

/* What hashing found about the bytes of a content. */
struct found {
	const char *content;
	const char *etag;
	const char *sha256;
	int64_t size_bytes;
	int64_t mtime_ns;
	bool edited;   /* checksums of the former bytes are void */
	int64_t grown; /* bytes, of the record as it was then: another reader may have been first */
};

static bool apply_found(void *ctx, struct file_row *row, struct arena *arena)
{
	struct found *found = ctx;
	(void)arena;
	if (row->content && found->content && strcmp(row->content, found->content) != 0)
		return false;
	found->grown = found->size_bytes - row->size_bytes;
	row->etag = found->etag;
	row->sha256 = found->sha256;
	row->size_bytes = found->size_bytes;
	row->mtime_ns = found->mtime_ns;
	if (found->edited) {
		row->checksums_json = NULL;
		row->updated_at = found->mtime_ns / 1000;
	}
	return true;
}

/* Hashes the bytes of a record and keeps what is found with it. */
static bool describe(struct storage *storage, struct arena *arena, struct file_row *row, int fd, const struct stat *st,
		     struct err *err)
{
	struct digest_values values;
	char *etag = arena_alloc(arena, 2 * CHECKSUM_BYTES_MAX + 1);
	char *sha256 = arena_alloc(arena, 2 * CHECKSUM_BYTES_MAX + 1);
	if (!blob_digest(fd, BLOB_ETAG | CHECKSUM_BIT(CHECKSUM_SHA256), &values, err))
		return false;
	blob_hex(&values, CHECKSUM_MD5, etag);
	blob_hex(&values, CHECKSUM_SHA256, sha256);
	struct found found = {.content = row->content,
			      .etag = etag,
			      .sha256 = sha256,
			      .size_bytes = st->st_size,
			      .mtime_ns = mtime_of(st),
			      .edited = row->mtime_ns != 0 && !is_as_recorded(row, st)};
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_change_file_row(t, KEY(row->project_id, row->id), apply_found, &found, ERR_NONE);
	if (!catalog_commit(t, err))
		return false;
	usage_move(storage->objects->usage, row->project_id, 0, found.grown);
	(void)apply_found(&found, row, arena);
	return true;
}

static int open_at(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* The bytes that the record speaks of, if they are where it says at this moment. */
static int open_content(struct storage *storage, struct arena *arena, const struct file_row *row, struct stat *ret_st,
			bool *ret_edited)
{
	*ret_edited = false;
	int fd = open_at(object_path(storage, arena, row));
	if (fd >= 0 && fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode) && is_as_recorded(row, ret_st))
		return fd;
	int incoming = row->content ? open_at(blob_path(arena, object_files_dir(storage), row->content)) : -1;
	if (incoming >= 0) {
		if (fd >= 0)
			(void)close(fd);
		if (fstat(incoming, ret_st) == 0)
			return incoming;
		(void)close(incoming);
		return -1;
	}
	if (fd >= 0 && S_ISREG(ret_st->st_mode)) {
		*ret_edited = true;
		return fd;
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

bool object_open_now(struct storage *storage, struct arena *arena, const struct file_row *row, int *ret_fd)
{
	struct stat st;
	bool edited;
	*ret_fd = open_content(storage, arena, row, &st, &edited);
	if (*ret_fd >= 0 && edited) {
		(void)close(*ret_fd);
		*ret_fd = -1;
	}
	return *ret_fd >= 0;
}

bool object_open(struct storage *storage, struct arena *arena, struct file_row *row, int *ret_fd, struct err *err)
{
	struct stat st;
	bool edited;
	for (int i = 0; i < OPEN_TRIES; i++) {
		struct file_row now;
		int fd = open_content(storage, arena, row, &st, &edited);
		if (fd >= 0 && !edited) {
			*ret_fd = fd;
			return true;
		}
		if (!object_find(storage, arena, row->project_id, row->object_key, &now)) {
			if (fd >= 0)
				(void)close(fd);
			return err_set(err, ERR_FILE_NOT_FOUND, "The specified key does not exist");
		}
		/* Twice the same record and still other bytes: nobody is at work, the file was changed by hand. */
		if (fd >= 0 && i > 0 && same_text(now.content, row->content)) {
			bool fine = describe(storage, arena, &now, fd, &st, err);
			*row = now;
			if (fine)
				*ret_fd = fd;
			else
				(void)close(fd);
			return fine;
		}
		if (fd >= 0)
			(void)close(fd);
		*row = now;
	}
	(void)err_set(err, ERR_FILE_CONTENT_NOT_FOUND, "The content of the file is missing");
	err_detail(err, "file_id", row->id);
	return false;
}

bool object_ensure_etag(struct storage *storage, struct arena *arena, struct file_row *row, struct err *err)
{
	struct stat st;
	int fd;
	if (row->etag)
		return true;
	if (!object_open(storage, arena, row, &fd, err))
		return false;
	bool fine = row->etag != NULL;
	if (!fine && fstat(fd, &st) != 0)
		(void)err_errno(err, errno, "Cannot look at a file");
	else if (!fine)
		fine = describe(storage, arena, row, fd, &st, err);
	(void)close(fd);
	return fine;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

void object_put_blob(struct object_put *put, struct arena *arena, const struct blob *blob)
{
	char hex[2 * CHECKSUM_BYTES_MAX + 1];
	put->content = arena_strdup(arena, blob->content);
	put->size_bytes = blob->size;
	put->mtime_ns = blob->mtime_ns;
	if (blob->values.have & CHECKSUM_BIT(CHECKSUM_MD5)) {
		blob_hex(&blob->values, CHECKSUM_MD5, hex);
		put->etag = arena_strdup(arena, hex);
	}
	if (blob->values.have & CHECKSUM_BIT(CHECKSUM_SHA256)) {
		blob_hex(&blob->values, CHECKSUM_SHA256, hex);
		put->sha256 = arena_strdup(arena, hex);
	}
}

bool object_judge(struct storage *storage, struct arena *arena, const struct object_condition *condition,
		  struct file_row *old, bool exists, struct err *err)
{
	if (condition->absent && exists)
		return err_set(err, ERR_PRECONDITION_FAILED,
			       "At least one of the preconditions you specified did not hold");
	if (!condition->match)
		return true;
	if (!exists)
		return err_set(err, ERR_FILE_NOT_FOUND, "The specified key does not exist");
	if (!object_ensure_etag(storage, arena, old, err))
		return false;
	return object_etag_matches(span_of(condition->match), old->etag) ||
	       err_set(err, ERR_PRECONDITION_FAILED, "At least one of the preconditions you specified did not hold");
}

static const char *last_segment(const char *key)
{
	size_t len = strlen(key);
	while (len > 1 && key[len - 1] == '/')
		len--;
	size_t at = len;
	while (at > 0 && key[at - 1] != '/')
		at--;
	return key + at;
}

static void fill_row(struct storage *storage, struct arena *arena, const struct object_put *put,
		     const struct file_row *old, struct file_row *ret)
{
	int64_t now = clock_unix_us();
	*ret = (struct file_row){
		.project_id = put->project_id,
		.object_key = put->key,
		.name = put->name ? put->name : last_segment(put->key),
		.path = object_choose_path(storage, arena, put->project_id, span_of(put->key), old),
		.content = put->content,
		.content_type = put->content_type,
		.sha256 = put->sha256,
		.etag = put->etag,
		.checksums_json = put->checksums_json,
		.user_metadata_json = put->user_metadata_json,
		.headers_json = put->headers_json,
		.tags_json = put->tags_json,
		.door = put->door,
		.size_bytes = put->size_bytes,
		.mtime_ns = put->mtime_ns,
		.created_at = old ? old->created_at : now,
		.updated_at = now,
	};
	if (old) {
		ret->id = old->id;
	} else if (put->id) {
		ret->id = put->id;
	} else {
		char *id = arena_alloc(arena, ID_UUID_SIZE);
		id_uuid(id);
		ret->id = id;
	}
}

/* Run by the catalog's writer: the project may have been dropped since the request was admitted. */
static bool project_lives(void *ctx, const struct project *project, struct err *err)
{
	bool fine = project && !same_text(project->status, "deleted");
	return fine || err_set(err, ERR_PROJECT_NOT_FOUND, "Project %s not found", (const char *)ctx);
}

/* The key is the caller's. */
static bool put_locked(struct storage *storage, struct arena *arena, const struct object_put *put, struct file_row *ret,
		       struct err *err)
{
	struct file_row old = {0};
	struct usage *usage = storage->objects->usage;
	bool exists = object_find(storage, arena, put->project_id, put->key, &old);
	if (!object_judge(storage, arena, &put->condition, &old, exists, err))
		return false;
	int64_t files = exists ? 0 : 1;
	int64_t bytes = put->size_bytes - (exists ? old.size_bytes : 0);
	if (!usage_reserve(usage, put->project_id, files, bytes, err))
		return false;
	fill_row(storage, arena, put, exists ? &old : NULL, ret);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_verify_project(t, KEY(put->project_id), project_lives, (void *)(uintptr_t)put->project_id);
	if (exists)
		catalog_put_file_row(t, ret);
	else
		catalog_insert_file_row(t, ret, ERR_CONFLICT);
	if (put->also)
		put->also(put->also_ctx, t, ret);
	if (!catalog_commit(t, err)) {
		usage_move(usage, put->project_id, -files, -bytes);
		return false;
	}
	object_settle(storage, arena, ret);
	return true;
}

bool object_put(struct storage *storage, struct arena *arena, const struct object_put *put, struct file_row *ret,
		struct err *err)
{
	struct span key = span_of(put->key);
	if (!object_key_check(key, err))
		return false;
	struct span name = object_lock_name(arena, put->project_id, key);
	key_lock(storage->objects->locks, name);
	bool fine = put_locked(storage, arena, put, ret, err);
	key_unlock(storage->objects->locks, name);
	return fine;
}

bool object_quota_check(struct storage *storage, const char *project_id, int64_t bytes, struct err *err)
{
	struct usage *usage = storage->objects->usage;
	if (!usage_reserve(usage, project_id, 1, bytes, err))
		return false;
	usage_move(usage, project_id, -1, -bytes);
	return true;
}

/* ---- describing --------------------------------------------------------------------------------------------------- */

struct changes {
	const struct object_put *put;
	const char *content;
	int64_t now;
};

static bool apply_changes(void *ctx, struct file_row *row, struct arena *arena)
{
	const struct changes *changes = ctx;
	const struct object_put *put = changes->put;
	(void)arena;
	if (!same_text(row->content, changes->content))
		return false;
	row->content_type = put->content_type;
	row->headers_json = put->headers_json;
	row->user_metadata_json = put->user_metadata_json;
	row->updated_at = changes->now;
	return true;
}

bool object_describe(struct storage *storage, struct arena *arena, const struct object_put *put, struct file_row *ret,
		     struct err *err)
{
	struct span name = object_lock_name(arena, put->project_id, span_of(put->key));
	bool fine = false;
	key_lock(storage->objects->locks, name);
	if (!object_find(storage, arena, put->project_id, put->key, ret)) {
		(void)err_set(err, ERR_FILE_NOT_FOUND, "The specified key does not exist");
	} else if (object_judge(storage, arena, &put->condition, ret, true, err)) {
		struct changes changes = {.put = put, .content = ret->content, .now = clock_unix_us()};
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		catalog_change_file_row(t, KEY(ret->project_id, ret->id), apply_changes, &changes, ERR_FILE_NOT_FOUND);
		fine = catalog_commit(t, err);
		if (fine)
			(void)apply_changes(&changes, ret, arena);
	}
	key_unlock(storage->objects->locks, name);
	return fine;
}
