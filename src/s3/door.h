/* What the files of the S3 door share; nobody outside includes this. */
#ifndef S3_DOOR_H
#define S3_DOOR_H

#include "catalog/catalog.h"
#include "s3/address.h"
#include "s3/s3.h"
#include "s3/sigv4.h"
#include "s3/xml.h"
#include "storage/s3_credential.h"

#define S3_XML	      "application/xml"
#define S3_OBJECT_MAX ((int64_t)(5 * GIB)) /* of one PUT or copy */

/* Operations with series of their own (duckdb_s3_operations_total{operation}). */
enum s3_metric {
	S3_GET_OBJECT,
	S3_PUT_OBJECT,
	S3_DELETE_OBJECT,
	S3_LIST_OBJECTS,
	S3_HEAD_OBJECT,
	S3_CREATE_MULTIPART,
	S3_UPLOAD_PART,
	S3_COMPLETE_MULTIPART,
	S3_ABORT_MULTIPART,
	S3_LIST_PARTS,
	S3_LIST_MULTIPARTS,
	S3_COPY_OBJECT,
	S3_DELETE_OBJECTS,
	S3_HEAD_BUCKET,
	S3_LIST_BUCKETS,
	S3_METRICS,
	S3_UNCOUNTED = S3_METRICS
};

struct s3_call;

typedef bool (*s3_handler)(struct s3_call *call, struct err *err);

enum s3_need { S3_READS, S3_WRITES };

struct s3_op {
	const char *name; /* as in the S3 API reference */
	enum s3_level level;
	enum http_method method;
	const char *query;  /* the parameter that selects it; NULL: none of the others fits */
	const char *query2; /* must be there too; may be NULL */
	const char *header; /* must be sent; may be NULL */
	enum s3_metric metric;
	enum s3_need need;
	s3_handler handler;
	bool sent_counts;   /* a success is known, and counted, when the body is sent */
	bool counts_itself; /* the handler counts its outcome */
};

/* The row for a request; NULL: no operation of that method on that level. */
const struct s3_op *s3_op_find(const struct s3_call *call);

struct s3_counters {
	struct series *success[S3_METRICS];
	struct series *error[S3_METRICS];
	struct series *seconds[S3_METRICS];
	struct series *bytes_in;
	struct series *bytes_out;
};

struct s3_door {
	struct storage *storage;
	const struct settings *settings;
	struct s3_counters counters;
	int port; /* of the HTTP listener; 0: not known yet */
	struct span presign_key;
	unsigned char derived_key[SERVER_KEY_BYTES];
	struct http_routes routes;
};

/* Who asks, and what a body's chunks are signed with. */
struct s3_caller {
	struct principal who;
	bool read_only;
	bool own_url; /* one of the service's own signed URLs: one object, one method */
	bool has_sigv4;
	struct sigv4 sigv4;
	unsigned char key[SIGV4_KEY_BYTES];
};

struct s3_pair {
	struct span name;
	struct span value;
};

struct s3_call {
	struct s3_door *door;
	struct storage *storage;
	struct http_request *req;
	struct http_response *res;
	struct arena *arena;
	const struct s3_op *op;
	struct s3_address address;
	struct s3_caller caller;
	struct s3_pair *query; /* decoded */
	size_t query_count;
	const char *project_id; /* of the bucket */
	int64_t start_ns;
};

/* Parses path and query; false: the path cannot be. */
MUST_CHECK bool s3_call_open(struct s3_call *call, struct http_request *req, struct http_response *res,
			     struct err *err);
/* Value of a query parameter; NULL when absent. */
const char *s3_query(const struct s3_call *call, const char *name);
const char *s3_header(const struct s3_call *call, const char *name);
/* A number of at least 0; `fallback` when absent or empty. ERR_INVALID_ARGUMENT */
MUST_CHECK bool s3_query_number(const struct s3_call *call, const char *name, int64_t fallback, int64_t max,
				int64_t *ret, struct err *err);
/* BASE_URL, or scheme and host of the request. */
const char *s3_base_url(const struct s3_call *call);

enum { S3_SECRET_MAX = 256 };
/* The secret of an access key; call->caller becomes its owner. False without an error: *ret_why says why. */
bool s3_find_secret(struct s3_call *call, struct span access_key, char ret[S3_SECRET_MAX + 1], const char **ret_why);
/* auth.c: who is it. Counts what is refused. */
MUST_CHECK bool s3_authenticate(struct s3_call *call, struct err *err);
/* The project of a bucket, if the caller may do that there. ERR_PROJECT_NOT_FOUND, ERR_FORBIDDEN */
MUST_CHECK bool s3_authorize(struct s3_call *call, const char *bucket, enum s3_need need, const char **ret_project_id,
			     struct err *err);

/* error.c */
void s3_error_render(struct http_request *req, struct http_response *res, const struct err *err);
/* An XML error that is no fault of ours or theirs: the NoSuch... of sub-resources. */
bool s3_plain_error(struct s3_call *call, int status, const char *code, const char *message);
void s3_common_headers(struct http_request *req, struct http_response *res);

/* Starts an XML answer; `root` may carry attributes. Close it with xml_close. */
struct buf *s3_xml(struct s3_call *call, const char *root);

/* count.c */
void s3_counters_open(struct s3_counters *counters);
void s3_count(struct s3_door *door, enum s3_metric metric, bool fine, int64_t start_ns);

/* Handlers: buckets.c, listing.c, read.c, write.c, copy.c, remove.c, uploads.c, complete.c, presigned.c */
bool s3_list_buckets(struct s3_call *call, struct err *err);
bool s3_head_bucket(struct s3_call *call, struct err *err);
bool s3_bucket_location(struct s3_call *call, struct err *err);
bool s3_create_bucket(struct s3_call *call, struct err *err);
bool s3_delete_bucket(struct s3_call *call, struct err *err);
bool s3_canned(struct s3_call *call, struct err *err);
bool s3_unimplemented(struct s3_call *call, struct err *err);
bool s3_list_v1(struct s3_call *call, struct err *err);
bool s3_list_v2(struct s3_call *call, struct err *err);
bool s3_get_object(struct s3_call *call, struct err *err);
bool s3_head_object(struct s3_call *call, struct err *err);
bool s3_put_object(struct s3_call *call, struct err *err);
bool s3_upload_part(struct s3_call *call, struct err *err);
bool s3_copy_object(struct s3_call *call, struct err *err);
bool s3_copy_part(struct s3_call *call, struct err *err);
bool s3_delete_object(struct s3_call *call, struct err *err);
bool s3_delete_objects(struct s3_call *call, struct err *err);
bool s3_create_multipart(struct s3_call *call, struct err *err);
bool s3_abort_multipart(struct s3_call *call, struct err *err);
bool s3_list_parts(struct s3_call *call, struct err *err);
bool s3_list_multiparts(struct s3_call *call, struct err *err);
bool s3_complete_multipart(struct s3_call *call, struct err *err);
bool s3_presign(struct s3_call *call, struct err *err);

#endif
