/*
 * Headers that belong to an object: taken from the request that writes it, kept
 * as JSON objects with the record, given back on GET and HEAD.
 */
#ifndef S3_METADATA_H
#define S3_METADATA_H

#include "s3/door.h"
#include "storage/object.h"

enum { S3_METADATA_BYTES_MAX = 2048, S3_METADATA_COUNT_MAX = 100 };

struct s3_metadata {
	const char *content_type; /* NULL: none was sent */
	const char *headers_json;
	const char *user_json;
};

/* ERR_METADATA_TOO_LARGE, ERR_INVALID_ARGUMENT (not UTF-8), ERR_UNIMPLEMENTED (encryption with keys of the client). */
MUST_CHECK bool s3_metadata_read(const struct s3_call *call, struct s3_metadata *ret, struct err *err);
/* Headers, user metadata, and the checksum if `checksum`. Overridden by response-... parameters. */
void s3_metadata_write(struct s3_call *call, const struct file_row *row, bool checksum);
/* The type to send, after an override. */
const char *s3_content_type(const struct s3_call *call, const struct file_row *row);

#endif
