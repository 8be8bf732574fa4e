/*
 * The file store of a project: upload sessions, registered files, and the same
 * records seen as S3 objects (object.h). Bytes live under FILES_DIR; a file is
 * written to a temporary name, synced and renamed, then its record is committed.
 */
#ifndef STORAGE_FILE_H
#define STORAGE_FILE_H

#include "catalog/catalog.h"
#include "storage/op.h"
#include "storage/storage.h"

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

struct file_list {
	struct file_row *files;
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

/* Absolute path of a record's bytes. */
const char *file_path(const struct storage *storage, struct arena *arena, const struct file_row *row);
/* Registers a finished temporary file (an export) as a new file of the project; moves it into place. */
MUST_CHECK bool file_adopt(struct storage *storage, const struct call *call, const char *project_id,
			   const char *temporary, const char *name, const char *content_type, const char *tags_json,
			   struct file_row *ret, struct err *err);
/* Removes expired upload sessions with their bytes; returns how many. */
size_t file_sweep(struct storage *storage);

#endif
