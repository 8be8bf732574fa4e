/*
 * Finds the route of a path: a trie over path segments, built once at start
 * from the tables of all doors and read-only afterwards.
 *
 * A path is split at '/', then every segment that meets a parameter is decoded,
 * so %2F stays inside its segment. Literal segments win over parameters, but a
 * literal that leads nowhere, or has another method only, gives way. Nothing is
 * folded: "//", "." and ".." are segments like others.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/http.h"

/* One route with what is known about it at start. */
struct router_entry {
	const struct http_route *route;
	const struct http_routes *table;
	const char *names[HTTP_PARAMS_MAX];
	size_t params;
	void *stats; /* the server's: series of this endpoint */
};

struct router_match {
	const struct router_entry *entry; /* NULL: no such path, or not with this method */
	const struct router_entry *near;  /* a route of that path with another method */
	unsigned allow;			  /* of `near`: bits 1 << enum http_method */
	bool slash;			  /* entry or near matches the path without its trailing slash: redirect */
	const char *values[HTTP_PARAMS_MAX];
};

struct router;

/* ERR_INTERNAL names a template that cannot be: two equal ones, too many parameters. */
MUST_CHECK bool router_new(const struct http_routes *const *tables, size_t count, struct router **ret, struct err *err);
void router_free(struct router *router);
/* Decoded values go into the arena. */
void router_find(const struct router *router, struct arena *arena, enum http_method method, struct span path,
		 struct router_match *ret);
/* The entry of a row of a registered table; NULL for others. */
const struct router_entry *router_entry_of(const struct router *router, const struct http_route *route);
/* All entries, table by table. */
struct router_entry *router_entries(struct router *router, size_t *ret_count);

enum http_method http_method_of(struct span name);
const char *http_method_name(enum http_method method);
/* "GET, PUT" of a set of methods into the arena. */
const char *http_allow(struct arena *arena, unsigned methods);

#endif
