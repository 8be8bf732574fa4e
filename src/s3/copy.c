/* CopyObject and UploadPartCopy. */
#include "base/clock.h"
#include "http/range.h"
#include "s3/metadata.h"
#include "s3/write.h"
#include "storage/multipart.h"

#include <unistd.h>

struct source {
	struct file_row row;
	int fd;
};

static bool conditions_hold(const struct s3_call *call, const struct file_row *row, struct err *err)
{
	const struct conditions conditions = {
		.if_match = s3_header(call, "x-amz-copy-source-if-match"),
		.if_none_match = s3_header(call, "x-amz-copy-source-if-none-match"),
		.if_modified_since = s3_header(call, "x-amz-copy-source-if-modified-since"),
		.if_unmodified_since = s3_header(call, "x-amz-copy-source-if-unmodified-since"),
	};
	const char *etag = arena_printf(call->arena, "\"%s\"", row->etag);
	return conditions_check(&conditions, etag, row->updated_at / US_PER_S) == CONDITION_GO ||
	       err_set(err, ERR_PRECONDITION_FAILED, "A condition on the copy source did not hold");
}

/* Finds and opens what is copied; the caller closes. */
static bool open_source(struct s3_call *call, struct source *ret, struct err *err)
{
	struct s3_address address;
	const char *project_id;
	ret->fd = -1;
	if (!s3_address_source(call->arena, span_of(s3_header(call, "x-amz-copy-source")), &address, err) ||
	    !s3_authorize(call, address.bucket, S3_READS, &project_id, err))
		return false;
	if (!object_find(call->storage, call->arena, project_id, address.key, &ret->row))
		return err_set(err, ERR_FILE_NOT_FOUND, "The copy source does not exist");
	return object_open(call->storage, call->arena, &ret->row, &ret->fd, err) &&
	       object_ensure_etag(call->storage, call->arena, &ret->row, err) && conditions_hold(call, &ret->row, err);
}

static void close_source(struct source *source)
{
	if (source->fd >= 0)
		(void)close(source->fd);
}

/* What the new object has from its source, and what from the request. */
static bool fill_request(struct s3_call *call, const struct file_row *from, struct object_put *ret, bool *ret_replace,
			 struct err *err)
{
	const char *directive = s3_header(call, "x-amz-metadata-directive");
	struct s3_metadata metadata;
	*ret_replace = directive && strcmp(directive, "REPLACE") == 0;
	if (directive && !*ret_replace && strcmp(directive, "COPY") != 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-metadata-directive must be COPY or REPLACE");
	*ret = (struct object_put){
		.project_id = call->project_id,
		.key = call->address.key,
		.content_type = from->content_type,
		.headers_json = from->headers_json,
		.user_metadata_json = from->user_metadata_json,
		.door = "s3",
	};
	if (!s3_metadata_read(call, &metadata, err) || !s3_condition_read(call, &ret->condition, err))
		return false;
	if (*ret_replace) {
		ret->content_type = metadata.content_type;
		ret->headers_json = metadata.headers_json;
		ret->user_metadata_json = metadata.user_json;
	}
	return true;
}

static bool copy_bytes(struct s3_call *call, const struct source *source, struct object_put *request,
		       struct file_row *ret, struct err *err)
{
	struct blob blob;
	bool fine = blob_begin(&blob, call->door->settings->files_dir, 0, err) &&
		    blob_append(&blob, source->fd, 0, source->row.size_bytes, err) && blob_finish(&blob, err);
	if (fine) {
		object_put_blob(request, call->arena, &blob);
		request->etag = source->row.etag;
		request->sha256 = source->row.sha256;
		request->checksums_json = source->row.checksums_json;
		fine = object_put(call->storage, call->arena, request, ret, err);
	}
	blob_end(&blob, fine);
	return fine;
}

/* What is accepted and has no effect here is a change all the same for a client that asks for it. */
static bool changes_storage(const struct s3_call *call)
{
	return s3_header(call, "x-amz-server-side-encryption") || s3_header(call, "x-amz-storage-class");
}

static bool copy(struct s3_call *call, const struct source *source, struct file_row *ret, struct err *err)
{
	struct object_put request;
	bool replace;
	if (!fill_request(call, &source->row, &request, &replace, err))
		return false;
	if (source->row.size_bytes > s3_object_max(call))
		return err_set(err, ERR_INVALID_REQUEST, "The copy source is larger than %lld bytes: copy it in parts",
			       (long long)s3_object_max(call));
	bool itself = strcmp(source->row.project_id, call->project_id) == 0 &&
		      strcmp(source->row.object_key, call->address.key) == 0;
	if (itself && !replace && !changes_storage(call))
		return err_set(
			err, ERR_INVALID_REQUEST,
			"An object can be copied onto itself only with other metadata, storage class or encryption");
	if (itself)
		return object_describe(call->storage, call->arena, &request, ret, err);
	return copy_bytes(call, source, &request, ret, err);
}

static void answer(struct s3_call *call, const char *root, const char *etag, int64_t modified_us)
{
	struct buf *out = s3_xml(call, arena_printf(call->arena, "%s%s", root, XML_NAMESPACE));
	xml_time(out, "LastModified", modified_us);
	buf_printf(out, "<ETag>\"%s\"</ETag>", etag);
	xml_close(out, root);
}

bool s3_copy_object(struct s3_call *call, struct err *err)
{
	struct source source;
	struct file_row row;
	if (!object_key_check(span_of(call->address.key), err))
		return false;
	bool fine = open_source(call, &source, err) && copy(call, &source, &row, err);
	close_source(&source);
	if (fine)
		answer(call, "CopyObjectResult", row.etag, row.updated_at);
	return fine;
}

/* x-amz-copy-source-range: bytes=a-b, both given and inside of the source. */
static bool read_range(const struct s3_call *call, int64_t size, struct byte_range *ret, struct err *err)
{
	const char *header = s3_header(call, "x-amz-copy-source-range");
	*ret = (struct byte_range){0, (uint64_t)size};
	if (!header)
		return true;
	struct span to = span_of(header);
	uint64_t first, last;
	if (!span_starts(to, SPAN("bytes=")))
		return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-copy-source-range must be bytes=first-last");
	to = span_skip(to, 6);
	struct span from = span_cut(&to, '-');
	if (!span_u64(from, &first) || !span_u64(to, &last) || last < first)
		return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-copy-source-range must be bytes=first-last");
	if (last >= (uint64_t)size)
		return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-copy-source-range is outside of the source");
	*ret = (struct byte_range){first, last - first + 1};
	return true;
}

static bool copy_part(struct s3_call *call, const struct source *source, struct multipart_part *ret, struct err *err)
{
	struct multipart found;
	struct byte_range range;
	struct blob blob;
	int number;
	if (!s3_part_number(call, &number, err) ||
	    !multipart_find(call->storage, call->arena, call->project_id, call->address.key, s3_query(call, "uploadId"),
			    &found, err) ||
	    !read_range(call, source->row.size_bytes, &range, err))
		return false;
	if ((int64_t)range.length > s3_object_max(call))
		return err_set(err, ERR_FILE_TOO_LARGE, "A part is at most %lld bytes", (long long)s3_object_max(call));
	bool fine = blob_begin(&blob, call->door->settings->files_dir, 0, err) &&
		    blob_append(&blob, source->fd, (int64_t)range.first, (int64_t)range.length, err) &&
		    blob_digest(blob.fd, BLOB_ETAG, &blob.values, err) && blob_finish(&blob, err) &&
		    multipart_put_part(call->storage, call->arena, &found, number, &blob, NULL, ret, err);
	blob_end(&blob, fine);
	return fine;
}

bool s3_copy_part(struct s3_call *call, struct err *err)
{
	struct source source;
	struct multipart_part part;
	bool fine = open_source(call, &source, err) && copy_part(call, &source, &part, err);
	close_source(&source);
	if (fine)
		answer(call, "CopyPartResult", part.etag, part.created_at);
	return fine;
}
