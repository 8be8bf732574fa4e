/* The bucket resource, for those who answer one. */
#ifndef REST_BUCKET_JSON_H
#define REST_BUCKET_JSON_H

#include "http/http.h"

struct bucket_info;

void rest_bucket_write(struct json *j, const struct bucket_info *b);
extern const struct schema rest_bucket_schema;

#endif
