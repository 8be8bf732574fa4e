/*
 * The service's own signed URLs: ?signature=...&expires=...[&content_type=...].
 *
 * The signature is HMAC-SHA256 over METHOD LF bucket LF key LF expires, and LF
 * content type if one was given, in the URL-safe base64 without padding. The
 * bucket counts as it is written in the URL, the key decoded. Such a URL gives
 * one method on one object until `expires`, to whoever has it.
 *
 * Pure functions, thread-safe; compared in constant time. Errors:
 * ERR_SIGNATURE_MISMATCH (altered, expired, other method).
 */
#ifndef S3_PRESIGN_H
#define S3_PRESIGN_H

#include "base/buf.h"
#include "base/err.h"

enum { PRESIGN_SIGNATURE_SIZE = 44 };

struct presign {
	struct span method;
	struct span bucket;
	struct span key;
	int64_t expires_s;	  /* Unix seconds */
	struct span content_type; /* .ptr NULL: none */
};

void presign_sign(const struct presign *what, struct span secret, char ret[PRESIGN_SIGNATURE_SIZE]);
MUST_CHECK bool presign_verify(const struct presign *what, struct span secret, struct span signature, int64_t now_s,
			       struct err *err);
/* base_url + "/s3/bucket/key?signature=..." */
void presign_url(struct buf *out, struct span base_url, const struct presign *what, struct span secret);
/* Decimal seconds; a fraction is dropped. False: not a number. */
MUST_CHECK bool presign_expires(struct span text, int64_t *ret);

#endif
