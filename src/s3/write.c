/* PutObject and UploadPart. */
#include "metrics/metrics.h"
#include "s3/body.h"
#include "s3/metadata.h"
#include "s3/write.h"
#include "storage/multipart.h"

bool s3_condition_read(const struct s3_call *call, struct object_condition *ret, struct err *err)
{
	const char *none = s3_header(call, "If-None-Match");
	*ret = (struct object_condition){.match = s3_header(call, "If-Match")};
	if (!none)
		return true;
	if (!span_is(span_trim(span_of(none)), "*"))
		return err_set(err, ERR_UNIMPLEMENTED, "If-None-Match of a write must be *");
	ret->absent = true;
	return true;
}

int64_t s3_object_max(const struct s3_call *call)
{
	int64_t limit = call->door->settings->file_max_bytes;
	return limit < S3_OBJECT_MAX ? limit : S3_OBJECT_MAX;
}

/* The body into a blob, hashed on the way and verified; the blob is finished. */
static bool receive(struct s3_body *body, struct blob *blob, struct err *err)
{
	struct span data;
	do {
		if (!s3_body_next(body, &data, err))
			return false;
		if (data.len > 0 && !blob_write(blob, data.ptr, data.len, err))
			return false;
	} while (data.len > 0);
	/* The verdict on the bytes comes before they are made durable. */
	blob_digests(blob);
	return s3_body_check(body, &blob->values, err) && blob_finish(blob, err);
}

/* A replaced object needs no more room in the count of files. */
static bool has_room(struct s3_call *call, const struct s3_body *body, struct err *err)
{
	struct file_row old;
	return object_find(call->storage, call->arena, call->project_id, call->address.key, &old) ||
	       object_quota_check(call->storage, call->project_id, body->length > 0 ? body->length : 0, err);
}

static bool put(struct s3_call *call, struct s3_body *body, struct blob *blob, struct err *err)
{
	struct s3_metadata metadata;
	struct file_row row;
	struct object_put request = {.project_id = call->project_id, .key = call->address.key, .door = "s3"};
	if (!s3_metadata_read(call, &metadata, err) || !s3_condition_read(call, &request.condition, err) ||
	    !has_room(call, body, err) || !receive(body, blob, err))
		return false;
	object_put_blob(&request, call->arena, blob);
	request.content_type = metadata.content_type;
	request.headers_json = metadata.headers_json;
	request.user_metadata_json = metadata.user_json;
	request.checksums_json = s3_body_checksums_json(body);
	if (!object_put(call->storage, call->arena, &request, &row, err))
		return false;
	http_empty(call->res, 200);
	http_add(call->res, "ETag", arena_printf(call->arena, "\"%s\"", row.etag));
	s3_body_echo(body);
	return true;
}

/* Both uploads: a body into a blob, which `store` gives to the object or the upload. */
static bool upload(struct s3_call *call,
		   bool (*store)(struct s3_call *call, struct s3_body *body, struct blob *blob, struct err *err),
		   struct err *err)
{
	struct s3_body body;
	struct blob blob;
	bool fine = s3_body_open(&body, call, s3_object_max(call), err);
	if (fine) {
		fine = blob_begin(&blob, call->door->settings->files_dir, BLOB_ETAG | body.digests, err) &&
		       store(call, &body, &blob, err);
		blob_end(&blob, fine);
	}
	if (fine)
		metric_add(call->door->counters.bytes_in, (uint64_t)body.total);
	s3_body_done(&body);
	return fine;
}

bool s3_put_object(struct s3_call *call, struct err *err)
{
	return object_key_check(span_of(call->address.key), err) && upload(call, put, err);
}

bool s3_part_number(const struct s3_call *call, int *ret, struct err *err)
{
	uint64_t number;
	const char *text = s3_query(call, "partNumber");
	if (!text || !span_u64(span_of(text), &number) || number < 1 || number > MULTIPART_PARTS_MAX)
		return err_set(err, ERR_INVALID_ARGUMENT, "partNumber must be from 1 to %d", MULTIPART_PARTS_MAX);
	*ret = (int)number;
	return true;
}

static bool put_part(struct s3_call *call, struct s3_body *body, struct blob *blob, struct err *err)
{
	struct multipart found;
	struct multipart_part part;
	int number;
	if (!s3_part_number(call, &number, err) ||
	    !multipart_find(call->storage, call->arena, call->project_id, call->address.key, s3_query(call, "uploadId"),
			    &found, err) ||
	    !receive(body, blob, err) ||
	    !multipart_put_part(call->storage, call->arena, &found, number, blob, s3_body_checksums_json(body), &part,
				err))
		return false;
	http_empty(call->res, 200);
	http_add(call->res, "ETag", arena_printf(call->arena, "\"%s\"", part.etag));
	s3_body_echo(body);
	return true;
}

bool s3_upload_part(struct s3_call *call, struct err *err)
{
	return upload(call, put_part, err);
}
