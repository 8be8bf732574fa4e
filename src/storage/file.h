/*
 * The Files API: prepare an upload, send its bytes, register it as a file; look
 * at files, read and delete them. A file is an object of the store (object.h)
 * under the key YYYY/MM/DD/<file id>_<name>; its bytes come in as blobs (blob.h).
 *
 * An upload session lives UPLOAD_HOURS, also over a restart. Sending again before
 * registering replaces what was sent. All functions are thread-safe; texts of
 * results are of call->arena. Names: 1 to LIMIT_FILENAME_BYTES bytes of UTF-8
 * without slashes and control characters, not "." or "..": ERR_INVALID_FILENAME.
 * Limits: FILE_MAX_BYTES, FILES_MAX_COUNT, FILES_MAX_BYTES.
 */
#ifndef STORAGE_FILE_H
#define STORAGE_FILE_H

#include "catalog/catalog.h"
#include "storage/op.h"
#include "storage/storage.h"

enum { UPLOAD_HOURS = 24 };

struct file_prepare {
	const char *filename;
	const char *content_type; /* may be NULL */
	int64_t size_bytes;	  /* -1: not announced */
	const char *tags_json;	  /* may be NULL */
};

MUST_CHECK bool file_prepare(struct storage *storage, const struct call *call, const char *project_id,
			     const struct file_prepare *request, struct upload *ret, struct err *err);

/* The bytes of an upload as they come: fill at most `size`, *ret_len 0 at the end. */
struct byte_source {
	bool (*read)(void *ctx, void *bytes, size_t size, size_t *ret_len, struct err *err);
	void *ctx;
};

/* Streams into staging, hashing on the way; a half-sent body leaves nothing. */
MUST_CHECK bool file_upload(struct storage *storage, const struct call *call, const char *project_id,
			    const char *upload_key, const struct byte_source *source, struct upload *ret,
			    struct err *err);
MUST_CHECK bool file_register(struct storage *storage, const struct call *call, const char *project_id,
			      const char *upload_key, const char *name, const char *tags_json, struct file_row *ret,
			      struct err *err);

/* A registered file, or an upload that waits to be registered: then id is its key and expires_at is set. */
struct file_item {
	struct file_row file;
	int64_t expires_at; /* 0: registered */
};

/* Newest first. */
struct file_list {
	struct file_item *files;
	size_t count;
	size_t total;
};
MUST_CHECK bool file_list(struct storage *storage, const struct call *call, const char *project_id, int64_t limit,
			  int64_t offset, bool include_staged, struct file_list *ret, struct err *err);
MUST_CHECK bool file_get(struct storage *storage, const struct call *call, const char *project_id, const char *file_id,
			 struct file_row *ret, struct err *err);
/* Opens the bytes; the descriptor is the caller's. ERR_FILE_CONTENT_NOT_FOUND. */
MUST_CHECK bool file_open(struct storage *storage, const struct call *call, const char *project_id, const char *file_id,
			  struct file_row *ret, int *ret_fd, int64_t *ret_size, struct err *err);
/* What a download really sent; called once by the door when it is over. */
void file_download_done(struct storage *storage, int64_t bytes, bool complete);
MUST_CHECK bool file_delete(struct storage *storage, const struct call *call, const char *project_id,
			    const char *file_id, struct err *err);

/* Takes a finished temporary file of FILES_DIR's file system (see file_temporary) into the store. It is gone on failure too. */
struct file_adopt {
	const char *project_id;
	const char *temporary;
	const char *key; /* of the object to write or replace; NULL: a new file of today */
	const char *name;
	const char *content_type;
	const char *tags_json; /* may be NULL */
	const char *door;
};
MUST_CHECK bool file_adopt(struct storage *storage, const struct call *call, const struct file_adopt *request,
			   struct file_row *ret, struct err *err);
/* A path for a file to be written and adopted; what a crash leaves there is removed at start. */
MUST_CHECK bool file_temporary(struct storage *storage, struct arena *arena, const char **ret_path, struct err *err);
/* Removes expired upload sessions with their bytes: a background job. */
MUST_CHECK bool file_sweep(struct storage *storage, struct err *err);

#endif
