/*
 * AWS Signature Version 4, verified from the raw request: header form, query
 * (pre-signed) form, and the derived signatures of aws-chunked bodies. Source:
 * "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference.
 *
 *	parse -> look the secret up by access_key -> verify
 *
 * The canonical path is the raw path of the request line, decoded once and
 * encoded again; nothing is folded. Any region is accepted, the service must be
 * s3, `host` must be signed, the scope's date must be that of the request.
 *
 * Pure functions, thread-safe. Spans point into the request or the arena.
 * Signatures are compared in constant time. Limits: SIGV4_HEADERS_MAX signed
 * headers, SIGV4_QUERY_MAX parameters. Errors: ERR_AUTH_HEADER_MALFORMED,
 * ERR_AUTH_QUERY_MALFORMED, ERR_TIME_SKEWED, ERR_URL_EXPIRED,
 * ERR_SIGNATURE_MISMATCH.
 */
#ifndef S3_SIGV4_H
#define S3_SIGV4_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

/* SHA-256 of nothing */
#define SIGV4_EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { SIGV4_HEADERS_MAX = 100, SIGV4_QUERY_MAX = 200, SIGV4_SIGNATURE_LEN = 64, SIGV4_EXPIRES_MAX = 604800 };

/* What of a request is signed. `header` gives the headers as received, one after the other; false past the last. */
struct sigv4_request {
	struct span method;
	struct span path;  /* raw */
	struct span query; /* raw, without '?' */
	bool (*header)(const void *ctx, size_t at, struct span *ret_name, struct span *ret_value);
	const void *ctx;
};

struct sigv4 {
	bool presigned;
	struct span access_key;
	struct span date; /* of the scope, YYYYMMDD */
	struct span region;
	struct span scope;	    /* date/region/s3/aws4_request */
	struct span signed_headers; /* as sent */
	struct span signature;	    /* 64 hex digits */
	struct span payload_hash;   /* x-amz-content-sha256, or UNSIGNED-PAYLOAD */
	char timestamp[17];	    /* YYYYMMDDTHHMMSSZ */
	int64_t time_s;		    /* the same in Unix seconds */
	int64_t expires_s;	    /* pre-signed: life in seconds */
};

enum { SIGV4_KEY_BYTES = SHA256_BYTES };

/* Authorization: AWS4-HMAC-SHA256 ...; date from x-amz-date, else Date. */
MUST_CHECK bool sigv4_parse_header(struct arena *arena, const struct sigv4_request *req, struct sigv4 *ret,
				   struct err *err);
/* Query with X-Amz-Algorithm. */
MUST_CHECK bool sigv4_parse_query(struct arena *arena, const struct sigv4_request *req, struct sigv4 *ret,
				  struct err *err);

/* The derived key of a day, region and service: worth keeping. */
void sigv4_key(struct span secret, struct span date, struct span region, unsigned char ret[SIGV4_KEY_BYTES]);
/* The signature that the request should carry. */
MUST_CHECK bool sigv4_sign(struct arena *arena, const struct sigv4 *auth, const struct sigv4_request *req,
			   const unsigned char key[SIGV4_KEY_BYTES], char ret[SIGV4_SIGNATURE_LEN + 1],
			   struct err *err);
/* Time first, then the signature. max_age_s: allowed difference of clocks either way. */
MUST_CHECK bool sigv4_verify(struct arena *arena, const struct sigv4 *auth, const struct sigv4_request *req,
			     const unsigned char key[SIGV4_KEY_BYTES], int64_t now_s, int64_t max_age_s,
			     struct err *err);
/* Is the header (lower case) one of the signed ones? */
bool sigv4_signs(const struct sigv4 *auth, const char *header);

/* aws-chunked: signature of a chunk after `previous`; data_sha256 of its bytes. */
void sigv4_sign_chunk(const char *timestamp, struct span scope, const unsigned char key[SIGV4_KEY_BYTES],
		      const char *previous, const unsigned char data_sha256[SHA256_BYTES],
		      char ret[SIGV4_SIGNATURE_LEN + 1]);
/* The same of the trailer lines, "name:value\n" each. */
void sigv4_sign_trailer(const char *timestamp, struct span scope, const unsigned char key[SIGV4_KEY_BYTES],
			const char *previous, struct span lines, char ret[SIGV4_SIGNATURE_LEN + 1]);

/* YYYYMMDDTHHMMSSZ. */
MUST_CHECK bool sigv4_time(struct span text, int64_t *ret_unix_s);

#endif
