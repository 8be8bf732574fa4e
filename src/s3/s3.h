/*
 * The S3 door: the objects of projects over the S3 protocol, under /s3 and, for
 * signed requests, at the root. A bucket is a project (project_<id>, or the id).
 *
 * One table (ops.c) maps method, level and query to an operation; one handler
 * (door.c) authenticates, authorizes, runs it and counts. What stands on its own
 * is pure: sigv4, presign, chunked, list, xml, address.
 *
 * Errors are XML with S3 codes. REFERENCE_COMPAT makes those of access and of
 * unknown buckets JSON, and missing credentials 401 (error.c).
 */
#ifndef S3_S3_H
#define S3_S3_H

#include "http/http.h"
#include "storage/storage.h"

struct s3_door;

struct s3_door *s3_door_new(struct storage *storage);
/* NULL is fine. */
void s3_door_free(struct s3_door *door);
/* The port that the HTTP listener got: from now on the door knows its own URLs (storage->own_url). */
void s3_door_listens(struct s3_door *door, int port);
/* To be registered with the HTTP server. */
const struct http_routes *s3_routes(const struct s3_door *door);
/* http_config.preroute, with the door as its context. */
const struct http_route *s3_preroute(void *door, struct http_request *req);

#endif
