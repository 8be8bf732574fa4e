/* The route tables that resources.def lists. */
#ifndef REST_RESOURCES_H
#define REST_RESOURCES_H

#include "http/http.h"

#define RESOURCE(name) extern struct http_routes name##_routes;
#include "rest/resources.def"
#undef RESOURCE

enum {
#define RESOURCE(name) REST_TABLE_##name,
#include "rest/resources.def"
#undef RESOURCE
	REST_TABLES
};

#endif
