/*
 * What an S3 request is about: service, bucket or object, from its raw path.
 * Pure. The bucket is taken as it is written; the key is decoded once, nothing
 * is folded.
 */
#ifndef S3_ADDRESS_H
#define S3_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"

enum s3_level { S3_SERVICE, S3_BUCKET, S3_OBJECT };

struct s3_address {
	enum s3_level level;
	const char *bucket; /* decoded; NULL for the service */
	const char *key;    /* decoded; NULL but for objects */
};

/* Is the path /s3 or below? */
bool s3_address_prefixed(struct span path);
/* ERR_INVALID_KEY: a NUL in it. */
MUST_CHECK bool s3_address_read(struct arena *arena, struct span path, struct s3_address *ret, struct err *err);
/* x-amz-copy-source: [/]bucket/key, percent-encoded, optionally ?versionId=null. ERR_INVALID_ARGUMENT */
MUST_CHECK bool s3_address_source(struct arena *arena, struct span header, struct s3_address *ret, struct err *err);

/* Objects have no versions: nothing, or "null" as S3 calls the only one. */
bool s3_is_version(struct span id);

#endif
