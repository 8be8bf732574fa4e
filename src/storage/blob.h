/*
 * Bytes on their way into the file store. The one way in, for every door.
 *
 * FILES_DIR/_incoming/<content> holds bytes that have no place of their own yet,
 * or not any more: being written, uploaded and waiting to be registered, parts
 * of a multipart upload, and content whose record is committed but whose rename
 * has not happened. <content> is 32 random hex digits, the name of these bytes
 * for ever; the record that owns them carries it:
 *
 *	file_row.content		settled at its path by objects (object.h)
 *	upload.staged_path		an upload session of the Files API
 *	multipart_part.path		a part
 *
 * What no record names is what a crash left, and start-up removes it. So:
 *
 *	struct blob b;
 *	bool fine = blob_begin(&b, files_dir, BLOB_ETAG | CHECKSUM_BIT(CHECKSUM_SHA256), err)
 *		&& ... blob_write(&b, bytes, n, err) ...
 *		&& blob_finish(&b, err)				now durable under blob_path
 *		&& ... commit a record that names b.content ...;
 *	blob_end(&b, fine);					removes the bytes unless kept
 *
 * A blob belongs to one thread. Memory use is constant. Errors: ERR_IO,
 * ERR_DISK_FULL.
 */
#ifndef STORAGE_BLOB_H
#define STORAGE_BLOB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "storage/checksum.h"

enum { BLOB_CONTENT_SIZE = 33, BLOB_ETAG = CHECKSUM_BIT(CHECKSUM_MD5) };

struct blob {
	char path[LIMIT_PATH_BYTES];
	char content[BLOB_CONTENT_SIZE];
	int fd;
	int64_t size;
	int64_t written_back;	     /* handed to the disk already */
	int64_t mtime_ns;	     /* after blob_finish */
	struct digest_values values; /* after blob_finish */
	struct digests digests;
};

/* `digests`: CHECKSUM_BITs to compute on the way. Creates FILES_DIR/_incoming when it is missing. */
MUST_CHECK bool blob_begin(struct blob *b, const char *files_dir, unsigned digests, struct err *err);
MUST_CHECK bool blob_write(struct blob *b, const void *bytes, size_t n, struct err *err);
/*
 * Appends a part of an open file, inside the kernel and sharing blocks where the file system can. Not hashed: the
 * caller knows the digests, so the blob was begun without any.
 */
MUST_CHECK bool blob_append(struct blob *b, int fd, int64_t offset, int64_t n, struct err *err);
/* All is written: fills `values`. Only for those who judge them before blob_finish. */
void blob_digests(struct blob *b);
/* Makes it durable and fills `values`, `mtime_ns`. */
MUST_CHECK bool blob_finish(struct blob *b, struct err *err);
/* On every path after blob_begin, also a failed one. */
void blob_end(struct blob *b, bool keep);

/* Where a content is while it has no place of its own. */
const char *blob_path(struct arena *arena, const char *files_dir, const char *content);
/* Missing is fine; a failure leaves it to the next start-up. */
void blob_remove(const char *files_dir, const char *content);
/* Digests of a file that came without: reads it once. */
MUST_CHECK bool blob_digest(int fd, unsigned digests, struct digest_values *ret, struct err *err);
/* Takes a finished file of the same file system over as a content, syncing it; fills `b` as blob_finish does. */
MUST_CHECK bool blob_adopt(struct blob *b, const char *files_dir, const char *from, unsigned digests, struct err *err);
/* Lower-case hex of a digest; ret has room for 2 * CHECKSUM_BYTES_MAX + 1. */
void blob_hex(const struct digest_values *values, enum checksum checksum, char *ret);

#endif
