/*
 * The file store: what S3 calls an object and the Files API a file. One record
 * (struct file_row), one place on disk, one set of functions for all doors.
 *
 * Where the bytes are. A key is its path below FILES_DIR/project_<id>/, so that
 * a person finds it. Keys that cannot be such a path (empty, "." or over-long
 * segments, a trailing slash, control characters, names that start with
 * "_escaped", or a key whose path is in use as a folder, or whose parent is in
 * use as a file) are stored below FILES_DIR/project_<id>/_escaped/ under their
 * percent-encoded text, cut into pieces of 200 bytes, each but the last followed
 * by '%'. file_row.path says where the bytes are, relative to FILES_DIR.
 *
 * How a crash is survived. Writing: the bytes are made durable in _incoming
 * (blob.h); the commit of the record is the moment the new object exists; then
 * the bytes are renamed to their path. Deleting: the bytes are renamed back to
 * _incoming; the commit removes the record; then they are unlinked. So at any
 * moment the bytes of a record are at _incoming/<content> or else at its path,
 * readers look in this order, and start-up (objects_open) finishes what was
 * under way: contents with a record are settled, the others removed. A reader
 * that opened the old bytes keeps them. Writers of one key take turns, and
 * judge conditions while it is theirs; other keys do not wait.
 *
 * The record carries size and modification time (unique by design) of the bytes:
 * a file that was edited by hand is noticed at the next object_open, and
 * described anew.
 *
 * Everything is thread-safe. Limits: LIMIT_OBJECT_KEY_BYTES; FILE_MAX_BYTES is
 * the doors' to check; FILES_MAX_COUNT and FILES_MAX_BYTES per project:
 * ERR_QUOTA_EXCEEDED with `limit` and `current`.
 */
#ifndef STORAGE_OBJECT_H
#define STORAGE_OBJECT_H

#include "catalog/catalog.h"
#include "storage/blob.h"
#include "storage/storage.h"

/* Starts the file store: settles what a crash left. Needs settings and catalog of `storage`; sets storage->objects. */
MUST_CHECK bool objects_open(struct storage *storage, struct err *err);
/* NULL is fine. */
void objects_close(struct storage *storage);

/* ERR_KEY_TOO_LONG, ERR_INVALID_KEY: what no project may store (not UTF-8, "." and ".." segments, control characters). */
MUST_CHECK bool object_key_check(struct span key, struct err *err);

/* What must hold for a write. All false and NULL: nothing. */
struct object_condition {
	bool absent;	   /* If-None-Match: *; ERR_PRECONDITION_FAILED */
	const char *match; /* If-Match: a list of entity tags or "*"; ERR_PRECONDITION_FAILED, ERR_FILE_NOT_FOUND */
};

struct object_put {
	const char *project_id;
	const char *key;
	/* The content: finished, in _incoming, not owned by any record */
	const char *content;
	int64_t size_bytes;
	int64_t mtime_ns;
	const char *etag;   /* NULL: not known, computed when asked for */
	const char *sha256; /* may be NULL */
	const char *checksums_json;
	/* The rest of the record; all may be NULL */
	const char *id; /* of a new file; an object that is replaced keeps its id */
	const char *name;
	const char *content_type;
	const char *headers_json;
	const char *user_metadata_json;
	const char *tags_json;
	const char *door;
	struct object_condition condition;
	/* More of the same transaction: the end of an upload session, of a multipart upload. May be NULL. */
	void (*also)(void *ctx, struct catalog_txn *txn, const struct file_row *row);
	void *also_ctx;
};

/* Fills the content part of a put from a finished blob; texts are of the arena. */
void object_put_blob(struct object_put *put, struct arena *arena, const struct blob *blob);
/*
 * Makes the content the object of that key. On success the content is the store's; on failure it stays where it is and
 * the caller's. ERR_PROJECT_NOT_FOUND, ERR_QUOTA_EXCEEDED, the condition's errors.
 */
MUST_CHECK bool object_put(struct storage *storage, struct arena *arena, const struct object_put *put,
			   struct file_row *ret, struct err *err);
/* Whether one more file of that size fits the project's quotas: asked before a body is read. */
MUST_CHECK bool object_quota_check(struct storage *storage, const char *project_id, int64_t bytes, struct err *err);

/* False without an error: no such object. */
bool object_find(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
		 struct file_row *ret);
/*
 * Opens the bytes of a record; *row becomes the newest record of its key, which is what the descriptor holds. The
 * descriptor is the caller's. ERR_FILE_NOT_FOUND (gone meanwhile), ERR_FILE_CONTENT_NOT_FOUND.
 */
MUST_CHECK bool object_open(struct storage *storage, struct arena *arena, struct file_row *row, int *ret_fd,
			    struct err *err);
/* The same for callers that must not block: false when it would take hashing, or there is nothing; *ret_fd is -1 then. */
bool object_open_now(struct storage *storage, struct arena *arena, const struct file_row *row, int *ret_fd);
/* The entity tag of a record that has none yet: hashed once and kept. Others: nothing happens. */
MUST_CHECK bool object_ensure_etag(struct storage *storage, struct arena *arena, struct file_row *row, struct err *err);

/* Replaces content type, headers and user metadata of an object whose bytes stay. The content part is ignored. */
MUST_CHECK bool object_describe(struct storage *storage, struct arena *arena, const struct object_put *put,
				struct file_row *ret, struct err *err);

/* ret_found may be NULL; a missing object is no error. */
MUST_CHECK bool object_delete(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
			      bool *ret_found, struct err *err);
/* The same for an object that is one of the entity tags in `match`, else ERR_PRECONDITION_FAILED. */
MUST_CHECK bool object_delete_if(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
				 const char *match, struct err *err);
/* All or none, in one transaction. Keys need not differ. */
MUST_CHECK bool object_delete_many(struct storage *storage, struct arena *arena, const char *project_id,
				   const char *const *keys, size_t n, struct err *err);

/* Is `etag` (without quotes) in the list of entity tags, or the list "*"? Weak tags never match. */
bool object_etag_matches(struct span list, const char *etag);

/* Files and bytes of a project, or of all (NULL), for quotas and statistics. */
void object_usage(struct storage *storage, const char *project_id, int64_t *ret_files, int64_t *ret_bytes);
/* The project and its records are gone: forgets its usage. Its folder is the caller's to remove. */
void object_forget_project(struct storage *storage, const char *project_id);
/* Background job: removes contents of _incoming that no record names and nobody has written to for a day. */
MUST_CHECK bool objects_sweep(struct storage *storage, struct err *err);

#endif
