/*
 * Multipart uploads: parts arrive in any order and in parallel, then become one
 * object. Parts are contents (blob.h), each with a record, so an upload survives
 * a restart. Completing appends the parts inside the kernel, sharing blocks where
 * the file system can; a single part becomes the object as it is. The commit
 * that makes the object ends the upload, so a crash leaves one or the other.
 *
 * Completing comes in steps, for callers that show signs of life meanwhile:
 *
 *	struct assembly a;
 *	bool fine = assembly_begin(&a, storage, arena, &request, err);
 *	while (fine && !assembly_ready(&a))
 *		fine = assembly_step(&a, 64 * MIB, err);
 *	fine = fine && assembly_commit(&a, &row, err);
 *	assembly_end(&a);
 *
 * One completion or abortion of an upload at a time; the others wait. A finished
 * upload is remembered for MULTIPART_REMEMBER_S: completing it again gives the
 * same answer. Unfinished ones end after MULTIPART_LIFE_S (multipart_sweep).
 *
 * Errors: ERR_MULTIPART_NOT_FOUND (also when it is of another project or key),
 * ERR_INVALID_PART, ERR_INVALID_PART_ORDER, ERR_PART_TOO_SMALL, ERR_BAD_DIGEST.
 */
#ifndef STORAGE_MULTIPART_H
#define STORAGE_MULTIPART_H

#include "storage/object.h"

enum {
	MULTIPART_PARTS_MAX = 10000,
	MULTIPART_LIFE_S = 7 * 86400,
	MULTIPART_REMEMBER_S = 15 * 60,
	MULTIPART_PART_MIN = 5 * 1024 * 1024 /* every part but the last */
};

struct multipart_create {
	const char *project_id;
	const char *key;
	const char *content_type; /* these may be NULL */
	const char *headers_json;
	const char *user_metadata_json;
	const char *checksum_algorithm; /* as in checksum_name */
	const char *checksum_type;	/* COMPOSITE, FULL_OBJECT */
};

MUST_CHECK bool multipart_create(struct storage *storage, struct arena *arena, const struct multipart_create *request,
				 struct multipart *ret, struct err *err);
/* An unfinished upload of that project and key. */
MUST_CHECK bool multipart_find(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
			       const char *upload_id, struct multipart *ret, struct err *err);
/* Makes a finished blob part `number`, replacing a former one. The blob is the upload's then: end it with keep. */
MUST_CHECK bool multipart_put_part(struct storage *storage, struct arena *arena, const struct multipart *upload,
				   int number, const struct blob *blob, const char *checksums_json,
				   struct multipart_part *ret, struct err *err);
MUST_CHECK bool multipart_abort(struct storage *storage, struct arena *arena, const char *project_id, const char *key,
				const char *upload_id, struct err *err);
/* Background job. */
MUST_CHECK bool multipart_sweep(struct storage *storage, struct err *err);

struct part_claim {
	int64_t number;
	const char *etag;		     /* without quotes */
	const char *checksums[CHECKSUM_MD5]; /* base64 as the client knows them, by enum checksum; NULL: not said */
};

struct complete_request {
	const char *project_id;
	const char *key;
	const char *upload_id;
	const struct part_claim *parts;
	size_t part_count;
	const char *checksums[CHECKSUM_MD5]; /* of the whole object, by enum checksum; NULL: not said */
	struct object_condition condition;
};

struct assembly {
	struct storage *storage;
	struct arena *arena;
	struct complete_request request;
	struct multipart upload;
	struct multipart_part *parts; /* those of the request, in order */
	size_t at;		      /* parts appended so far */
	int64_t offset;		      /* in the part under way */
	int fd;
	int64_t total;
	const char *etag;
	const char *checksums_json;
	struct blob blob;
	bool begun; /* the blob exists */
	bool kept;
	bool finished; /* the upload was completed earlier: commit gives the former result */
	struct span lock;
};

/* Checks the request against the upload; waits while somebody else ends it. Pair with assembly_end, also on failure. */
MUST_CHECK bool assembly_begin(struct assembly *a, struct storage *storage, struct arena *arena,
			       const struct complete_request *request, struct err *err);
bool assembly_ready(const struct assembly *a);
MUST_CHECK bool assembly_step(struct assembly *a, int64_t bytes_max, struct err *err);
/* ret->etag and ret->object_key are set also when it was completed earlier. */
MUST_CHECK bool assembly_commit(struct assembly *a, struct file_row *ret, struct err *err);
void assembly_end(struct assembly *a);

#endif
