/* What writing operations share. */
#ifndef S3_WRITE_H
#define S3_WRITE_H

#include "s3/door.h"
#include "storage/object.h"

/* If-None-Match: * and If-Match. ERR_UNIMPLEMENTED for other forms. */
MUST_CHECK bool s3_condition_read(const struct s3_call *call, struct object_condition *ret, struct err *err);
/* Largest body or copy. */
int64_t s3_object_max(const struct s3_call *call);
MUST_CHECK bool s3_part_number(const struct s3_call *call, int *ret, struct err *err);

#endif
