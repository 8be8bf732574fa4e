/*
 * Decoder of aws-chunked bodies ("Signature Calculations for the Authorization
 * Header: Transferring Payload in Multiple Chunks", S3 API reference):
 *
 *	hexlen[;chunk-signature=64hex] CRLF data CRLF ... 0[;chunk-signature=64hex] CRLF [trailers] CRLF
 *
 * Feed it the bytes as they come; it gives back the pieces of data in them:
 *
 *	while (input.len > 0 && chunked_feed(&c, &input, &data, err)) ... use data ...
 *	... at the end of the body: chunked_end(&c, err)
 *
 * No byte of data is buffered, so a length that lies costs nothing. In the
 * signed modes each chunk and the trailer are verified against the request's
 * signature; data given out before is worthless once an error comes. Lines are
 * at most CHUNKED_LINE_MAX bytes, trailers CHUNKED_TRAILERS_MAX.
 *
 * Errors, all final: ERR_SIZE_MISMATCH (framing, or not the announced length),
 * ERR_SIGNATURE_MISMATCH, ERR_MALFORMED_TRAILER. One thread at a time.
 */
#ifndef S3_CHUNKED_H
#define S3_CHUNKED_H

#include "base/buf.h"
#include "base/err.h"
#include "s3/sigv4.h"
#include "storage/checksum.h"

enum { CHUNKED_LINE_MAX = 4096, CHUNKED_TRAILERS_MAX = 16 };

struct chunked_config {
	bool is_signed;	       /* chunks carry signatures */
	bool trailer;	       /* trailers follow the last chunk; signed when chunks are */
	int64_t length;	       /* of all data, x-amz-decoded-content-length; -1: not announced */
	struct span announced; /* x-amz-trailer: names that must come; comma separated */
	/* Signed modes */
	const char *timestamp;
	struct span scope;
	const unsigned char *key;
	struct span seed; /* signature of the request */
};

struct chunked_trailer {
	size_t name, name_len, value, value_len; /* in `lines` */
};

struct chunked {
	struct chunked_config config;
	enum { CHUNKED_HEAD, CHUNKED_DATA, CHUNKED_DATA_END, CHUNKED_TRAILER } state;
	uint64_t left; /* of the chunk */
	int64_t total; /* data so far */
	bool trailer_verified;
	char line[CHUNKED_LINE_MAX];
	size_t line_len;
	char previous[SIGV4_SIGNATURE_LEN + 1];
	char claimed[SIGV4_SIGNATURE_LEN + 1];
	struct digests hash;
	struct buf lines; /* "name:value\n" */
	struct chunked_trailer trailers[CHUNKED_TRAILERS_MAX];
	size_t trailer_count;
};

/* The config's texts are borrowed. Pair with chunked_done. */
void chunked_begin(struct chunked *c, const struct chunked_config *config);
void chunked_done(struct chunked *c);
/* Takes bytes from *input; *ret_data is a piece of data in it, or empty. */
MUST_CHECK bool chunked_feed(struct chunked *c, struct span *input, struct span *ret_data, struct err *err);
/* The body has ended: is it all there? */
MUST_CHECK bool chunked_end(struct chunked *c, struct err *err);
/* Value of a trailer that came, by its lower-case name; .ptr NULL when it did not. */
struct span chunked_trailer(const struct chunked *c, struct span name);

#endif
