/*
 * The one table of operations. Of the rows of a level and method the first whose query parameter (and header) is there
 * is taken; rows without one come last. Other parameters are ignored, as clients add their own (x-id).
 */
#include "s3/door.h"

/* clang-format off */
#define OBJECT S3_OBJECT
#define BUCKET S3_BUCKET
#define OP(api, at, verb, key, number, kind, run) \
	{.name = #api, .level = at, .method = HTTP_##verb, .query = key, .metric = number, .need = kind, .handler = run}
#define CANNED(verb, at, key)  OP(SubResource, at, verb, key, S3_UNCOUNTED, S3_READS, s3_canned)
#define REFUSED(verb, at, key) OP(SubResource, at, verb, key, S3_UNCOUNTED, S3_WRITES, s3_unimplemented)

static const struct s3_op ops[] = {
	OP(ListBuckets, S3_SERVICE, GET, NULL, S3_LIST_BUCKETS, S3_READS, s3_list_buckets),

	OP(GetBucketLocation, BUCKET, GET, "location", S3_UNCOUNTED, S3_READS, s3_bucket_location),
	OP(ListMultipartUploads, BUCKET, GET, "uploads", S3_LIST_MULTIPARTS, S3_READS, s3_list_multiparts),
	CANNED(GET, BUCKET, "versioning"),
	CANNED(GET, BUCKET, "acl"),
	CANNED(GET, BUCKET, "requestPayment"),
	CANNED(GET, BUCKET, "policy"),
	CANNED(GET, BUCKET, "cors"),
	CANNED(GET, BUCKET, "lifecycle"),
	CANNED(GET, BUCKET, "tagging"),
	CANNED(GET, BUCKET, "encryption"),
	CANNED(GET, BUCKET, "object-lock"),
	CANNED(GET, BUCKET, "replication"),
	CANNED(GET, BUCKET, "website"),
	CANNED(GET, BUCKET, "publicAccessBlock"),
	CANNED(GET, BUCKET, "ownershipControls"),
	REFUSED(GET, BUCKET, "versions"),
	REFUSED(GET, BUCKET, "logging"),
	REFUSED(GET, BUCKET, "notification"),
	REFUSED(GET, BUCKET, "accelerate"),
	REFUSED(GET, BUCKET, "analytics"),
	REFUSED(GET, BUCKET, "inventory"),
	REFUSED(GET, BUCKET, "metrics"),
	REFUSED(GET, BUCKET, "intelligent-tiering"),
	REFUSED(GET, BUCKET, "policyStatus"),
	{.name = "ListObjectsV2", .level = BUCKET, .method = HTTP_GET, .query = "list-type", .metric = S3_LIST_OBJECTS,
	 .need = S3_READS, .handler = s3_list_v2},
	OP(ListObjects, BUCKET, GET, NULL, S3_LIST_OBJECTS, S3_READS, s3_list_v1),
	OP(HeadBucket, BUCKET, HEAD, NULL, S3_HEAD_BUCKET, S3_READS, s3_head_bucket),
	OP(DeleteObjects, BUCKET, POST, "delete", S3_DELETE_OBJECTS, S3_WRITES, s3_delete_objects),
	OP(PostObject, BUCKET, POST, NULL, S3_UNCOUNTED, S3_WRITES, s3_unimplemented),
	REFUSED(PUT, BUCKET, "acl"),
	REFUSED(PUT, BUCKET, "policy"),
	REFUSED(PUT, BUCKET, "cors"),
	REFUSED(PUT, BUCKET, "lifecycle"),
	REFUSED(PUT, BUCKET, "tagging"),
	REFUSED(PUT, BUCKET, "encryption"),
	REFUSED(PUT, BUCKET, "object-lock"),
	REFUSED(PUT, BUCKET, "replication"),
	REFUSED(PUT, BUCKET, "website"),
	REFUSED(PUT, BUCKET, "publicAccessBlock"),
	REFUSED(PUT, BUCKET, "ownershipControls"),
	REFUSED(PUT, BUCKET, "versioning"),
	REFUSED(PUT, BUCKET, "requestPayment"),
	REFUSED(PUT, BUCKET, "logging"),
	REFUSED(PUT, BUCKET, "notification"),
	REFUSED(PUT, BUCKET, "accelerate"),
	REFUSED(PUT, BUCKET, "analytics"),
	REFUSED(PUT, BUCKET, "inventory"),
	REFUSED(PUT, BUCKET, "metrics"),
	REFUSED(PUT, BUCKET, "intelligent-tiering"),
	OP(CreateBucket, BUCKET, PUT, NULL, S3_UNCOUNTED, S3_READS, s3_create_bucket),
	REFUSED(DELETE, BUCKET, "acl"),
	REFUSED(DELETE, BUCKET, "versioning"),
	REFUSED(DELETE, BUCKET, "requestPayment"),
	REFUSED(DELETE, BUCKET, "object-lock"),
	REFUSED(DELETE, BUCKET, "policy"),
	REFUSED(DELETE, BUCKET, "cors"),
	REFUSED(DELETE, BUCKET, "lifecycle"),
	REFUSED(DELETE, BUCKET, "tagging"),
	REFUSED(DELETE, BUCKET, "encryption"),
	REFUSED(DELETE, BUCKET, "replication"),
	REFUSED(DELETE, BUCKET, "website"),
	REFUSED(DELETE, BUCKET, "publicAccessBlock"),
	REFUSED(DELETE, BUCKET, "ownershipControls"),
	REFUSED(DELETE, BUCKET, "analytics"),
	REFUSED(DELETE, BUCKET, "inventory"),
	REFUSED(DELETE, BUCKET, "metrics"),
	REFUSED(DELETE, BUCKET, "intelligent-tiering"),
	OP(DeleteBucket, BUCKET, DELETE, NULL, S3_UNCOUNTED, S3_WRITES, s3_delete_bucket),

	OP(ListParts, OBJECT, GET, "uploadId", S3_LIST_PARTS, S3_READS, s3_list_parts),
	CANNED(GET, OBJECT, "acl"),
	CANNED(GET, OBJECT, "tagging"),
	REFUSED(GET, OBJECT, "attributes"),
	REFUSED(GET, OBJECT, "legal-hold"),
	REFUSED(GET, OBJECT, "retention"),
	REFUSED(GET, OBJECT, "torrent"),
	{.name = "GetObject", .level = OBJECT, .method = HTTP_GET, .metric = S3_GET_OBJECT, .need = S3_READS,
	 .handler = s3_get_object, .sent_counts = true},
	OP(HeadObject, OBJECT, HEAD, NULL, S3_HEAD_OBJECT, S3_READS, s3_head_object),
	{.name = "UploadPartCopy", .level = OBJECT, .method = HTTP_PUT, .query = "partNumber", .query2 = "uploadId",
	 .header = "x-amz-copy-source", .metric = S3_UPLOAD_PART, .need = S3_WRITES, .handler = s3_copy_part},
	{.name = "UploadPart", .level = OBJECT, .method = HTTP_PUT, .query = "partNumber", .query2 = "uploadId",
	 .metric = S3_UPLOAD_PART, .need = S3_WRITES, .handler = s3_upload_part},
	REFUSED(PUT, OBJECT, "uploadId"),
	REFUSED(PUT, OBJECT, "acl"),
	REFUSED(PUT, OBJECT, "tagging"),
	REFUSED(PUT, OBJECT, "legal-hold"),
	REFUSED(PUT, OBJECT, "retention"),
	REFUSED(PUT, OBJECT, "encryption"),
	REFUSED(PUT, OBJECT, "renameObject"),
	REFUSED(PUT, OBJECT, "torrent"),
	{.name = "CopyObject", .level = OBJECT, .method = HTTP_PUT, .header = "x-amz-copy-source",
	 .metric = S3_COPY_OBJECT, .need = S3_WRITES, .handler = s3_copy_object},
	OP(PutObject, OBJECT, PUT, NULL, S3_PUT_OBJECT, S3_WRITES, s3_put_object),
	OP(CreateMultipartUpload, OBJECT, POST, "uploads", S3_CREATE_MULTIPART, S3_WRITES, s3_create_multipart),
	{.name = "CompleteMultipartUpload", .level = OBJECT, .method = HTTP_POST, .query = "uploadId",
	 .metric = S3_COMPLETE_MULTIPART, .need = S3_WRITES, .handler = s3_complete_multipart, .counts_itself = true},
	REFUSED(POST, OBJECT, "select"),
	REFUSED(POST, OBJECT, "restore"),
	OP(AbortMultipartUpload, OBJECT, DELETE, "uploadId", S3_ABORT_MULTIPART, S3_WRITES, s3_abort_multipart),
	REFUSED(DELETE, OBJECT, "tagging"),
	REFUSED(DELETE, OBJECT, "acl"),
	REFUSED(DELETE, OBJECT, "legal-hold"),
	REFUSED(DELETE, OBJECT, "retention"),
	OP(DeleteObject, OBJECT, DELETE, NULL, S3_DELETE_OBJECT, S3_WRITES, s3_delete_object),
};
/* clang-format on */

static bool fits(const struct s3_call *call, const struct s3_op *op)
{
	return (!op->query || s3_query(call, op->query)) && (!op->query2 || s3_query(call, op->query2)) &&
	       (!op->header || s3_header(call, op->header));
}

const struct s3_op *s3_op_find(const struct s3_call *call)
{
	static const struct s3_op presign = {
		.name = "Presign", .metric = S3_UNCOUNTED, .need = S3_READS, .handler = s3_presign};
	const struct http_request *req = call->req;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (ops[i].level == call->address.level && ops[i].method == req->method && fits(call, &ops[i]))
			return &ops[i];
	/* A form of our own: POST /s3/{bucket}/presign. */
	if (req->method == HTTP_POST && call->address.key && strcmp(call->address.key, "presign") == 0)
		return &presign;
	return NULL;
}
