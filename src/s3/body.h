/*
 * The body of an S3 request in every payload mode, as the bytes that were meant:
 * x-amz-content-sha256 decides whether it is framed (aws-chunked) and what is
 * verified; Content-MD5 and x-amz-checksum-* headers or trailers are verified too.
 *
 *	s3_body_open(&body, call, max, err)	everything that can be refused before a byte is read
 *	s3_body_next(&body, &data, err)		pieces; data.len 0 at the end
 *	s3_body_check(&body, &values, err)	the caller's digests over all pieces, of s3_body_digests
 *	s3_body_done(&body)			on every path
 *
 * Errors: ERR_LENGTH_REQUIRED, ERR_FILE_TOO_LARGE, ERR_BAD_DIGEST,
 * ERR_CONTENT_HASH_MISMATCH, ERR_SIZE_MISMATCH, ERR_UNIMPLEMENTED, those of
 * chunked.h and http_body_read.
 */
#ifndef S3_BODY_H
#define S3_BODY_H

#include "s3/chunked.h"
#include "s3/door.h"
#include "storage/checksum.h"

struct s3_body {
	struct s3_call *call;
	struct chunked *chunked; /* NULL: not framed */
	char *bytes;
	size_t size;
	struct span raw; /* read and not yet decoded */
	int64_t length;	 /* of the data; -1: not known */
	int64_t total;
	int64_t max;
	unsigned digests; /* CHECKSUM_BITs that s3_body_check needs */
	bool has_sha256;
	bool has_md5;
	unsigned char sha256[32];
	unsigned char md5[16];
	int checksum; /* enum checksum of a header or trailer; -1: none */
	bool in_trailer;
	unsigned char value[CHECKSUM_BYTES_MAX];
};

MUST_CHECK bool s3_body_open(struct s3_body *body, struct s3_call *call, int64_t max, struct err *err);
MUST_CHECK bool s3_body_next(struct s3_body *body, struct span *ret_data, struct err *err);
MUST_CHECK bool s3_body_check(struct s3_body *body, const struct digest_values *values, struct err *err);
void s3_body_done(struct s3_body *body);
/* {"crc32":"...","type":"FULL_OBJECT"} of what was verified; NULL: none. */
const char *s3_body_checksums_json(const struct s3_body *body);
/* Echoes it as a header. */
void s3_body_echo(const struct s3_body *body);
/* A whole small body, verified. ERR_MALFORMED_XML when larger than `max`. */
MUST_CHECK bool s3_body_text(struct s3_call *call, size_t max, struct buf *ret, struct err *err);

/* The same without verifying checksum headers, for requests where they mean something else. */
MUST_CHECK bool s3_body_text_unchecked(struct s3_call *call, size_t max, struct buf *ret, struct err *err);

#endif
