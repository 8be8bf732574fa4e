/*
 * The REST door: one file per resource, each ending in its table of routes.
 * A handler decodes, calls one operation of storage/, encodes. req->ctx is the
 * struct storage.
 */
#ifndef REST_REST_H
#define REST_REST_H

#include "http/http.h"
#include "rest/resources.h"
#include "storage/storage.h"

/* Fills ret_tables[REST_TABLES] with the tables of all resources, bound to the storage; before the server starts. */
void rest_setup(struct storage *storage, const struct http_routes **ret_tables);

#define REST_PROJECT "/projects/{project_id}"
#define REST_BRANCH  REST_PROJECT "/branches/{branch_id}"
#define REST_BUCKET  REST_BRANCH "/buckets/{bucket_name}"
#define REST_TABLE   REST_BUCKET "/tables/{table_name}"

static inline struct storage *rest_storage(const struct http_request *req)
{
	return req->ctx;
}

/* The table of one resource, listed in resources.def. */
#define REST_RESOURCE(name, list) \
	struct http_routes name##_routes = {.rows = (list), .count = ARRAY_LEN(list), .door = DOOR_REST}

/* Paging parameters of a list. */
#define REST_PAGING                                                                                            \
	{.name = "limit", .type = FIELD_INT, .fallback = "100", RANGE(1, 1000), .help = "Items in this page"}, \
	{                                                                                                      \
		.name = "offset", .type = FIELD_INT, .fallback = "0", AT_LEAST(0), .help = "Items to skip"     \
	}

struct table_view;
struct table_info;
void rest_table_write(struct json *j, const char *key, const struct table_view *view);
void rest_columns_write(struct json *j, const char *key, const struct table_info *info);
extern const struct schema rest_table_schema;
extern const struct field rest_column_fields[];

#endif
