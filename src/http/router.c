#include "http/router.h"

#include "http/target.h"

#include "base/limits.h"

#include <stdlib.h>

enum { SEGMENTS_MAX = 24 };

struct node {
	struct span segment;  /* literal text below the parent */
	struct node *next;    /* sibling literal */
	struct node *literal; /* first literal child */
	struct node *param;
	struct router_entry *rest[HTTP_METHODS + 1];
	struct router_entry *here[HTTP_METHODS + 1];
};

struct router {
	struct arena *arena;
	struct node *root;
	struct router_entry *entries;
	size_t count;
};

static const char *const names[HTTP_METHODS] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};

enum http_method http_method_of(struct span name)
{
	for (size_t i = 0; i < HTTP_OTHER; i++) {
		if (span_is(name, names[i]))
			return (enum http_method)i;
	}
	return HTTP_OTHER;
}

const char *http_method_name(enum http_method method)
{
	return names[method < HTTP_METHODS ? method : HTTP_OTHER];
}

const char *http_allow(struct arena *arena, unsigned methods)
{
	struct buf text = BUF(256);
	for (size_t i = 0; i < HTTP_OTHER; i++) {
		if (methods & (1U << i))
			buf_printf(&text, "%s%s", text.len ? ", " : "", names[i]);
	}
	const char *copy = arena_copy(arena, buf_view(&text));
	buf_done(&text);
	return copy;
}

/* ---- building ---- */

static struct node *child_of(struct router *router, struct node *node, struct span segment)
{
	for (struct node *child = node->literal; child; child = child->next) {
		if (span_eq(child->segment, segment))
			return child;
	}
	struct node *child = arena_new_of(router->arena, struct node);
	child->segment = segment;
	child->next = node->literal;
	node->literal = child;
	return child;
}

static bool is_param(struct span segment)
{
	return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

static bool route_add(struct router *router, struct router_entry *entry, struct err *err)
{
	const struct http_route *route = entry->route;
	struct node *node = router->root;
	struct span rest = span_skip(span_of(route->path), 1);
	bool tail = false;
	for (bool more = rest.len > 0; more;) {
		more = span_find(rest, '/') < rest.len;
		struct span segment = span_cut(&rest, '/');
		if (!is_param(segment)) {
			node = child_of(router, node, segment);
			continue;
		}
		if (entry->params == HTTP_PARAMS_MAX)
			return err_set(err, ERR_INTERNAL, "Route %s has too many parameters", route->path);
		entry->names[entry->params++] =
			arena_copy(router->arena, (struct span){segment.ptr + 1, segment.len - 2});
		tail = !more && route->rest;
		if (tail)
			break;
		if (!node->param)
			node->param = arena_new_of(router->arena, struct node);
		node = node->param;
	}
	struct router_entry **slot = tail ? &node->rest[route->method] : &node->here[route->method];
	if (*slot)
		return err_set(err, ERR_INTERNAL, "Route %s %s is declared twice",
			       route->method == HTTP_ANY ? "ANY" : names[route->method], route->path);
	*slot = entry;
	return true;
}

bool router_new(const struct http_routes *const *tables, size_t count, struct router **ret, struct err *err)
{
	struct arena *arena = arena_new();
	struct router *router = arena_new_of(arena, struct router);
	router->arena = arena;
	router->root = arena_new_of(arena, struct node);
	for (size_t t = 0; t < count; t++)
		router->count += tables[t]->count;
	router->entries = arena_array(arena, struct router_entry, router->count);
	size_t at = 0;
	for (size_t t = 0; t < count; t++) {
		for (size_t i = 0; i < tables[t]->count; i++, at++) {
			router->entries[at].route = &tables[t]->rows[i];
			router->entries[at].table = tables[t];
			if (!route_add(router, &router->entries[at], err)) {
				arena_free(arena);
				return false;
			}
		}
	}
	*ret = router;
	return true;
}

void router_free(struct router *router)
{
	if (router)
		arena_free(router->arena);
}

struct router_entry *router_entries(struct router *router, size_t *ret_count)
{
	*ret_count = router->count;
	return router->entries;
}

const struct router_entry *router_entry_of(const struct router *router, const struct http_route *route)
{
	for (size_t i = 0; i < router->count; i++) {
		if (router->entries[i].route == route)
			return &router->entries[i];
	}
	return NULL;
}

/* ---- finding ---- */

struct search {
	const struct router *router;
	struct arena *arena;
	enum http_method method;
	struct span segments[SEGMENTS_MAX];
	size_t count;
	struct span values[HTTP_PARAMS_MAX]; /* raw, of the way taken so far */
	struct router_match *match;
};

static bool takes_head(const struct router_entry *get)
{
	return get && get->route->with_head;
}

static unsigned methods_of(struct router_entry *const *slots)
{
	unsigned methods = 0;
	for (size_t i = 0; i < HTTP_OTHER; i++)
		methods |= slots[i] ? 1U << i : 0;
	if (takes_head(slots[HTTP_GET]))
		methods |= 1U << HTTP_HEAD;
	return methods;
}

static bool values_take(struct search *search, const struct router_entry *entry)
{
	for (size_t i = 0; i < entry->params; i++) {
		struct span value = percent_decoded(search->arena, search->values[i], false);
		if (!span_is_utf8(value) || memchr(value.ptr, 0, value.len))
			return false;
		search->match->values[i] = value.ptr;
	}
	return true;
}

/* The slots fit the path; do they have the method? */
static bool slots_take(struct search *search, struct router_entry *const *slots)
{
	struct router_match *match = search->match;
	struct router_entry *entry = slots[search->method];
	if (!entry && search->method == HTTP_HEAD && takes_head(slots[HTTP_GET]))
		entry = slots[HTTP_GET];
	if (!entry)
		entry = slots[HTTP_ANY];
	if (entry) {
		if (!values_take(search, entry))
			return false;
		match->entry = entry;
		return true;
	}
	for (size_t i = 0; i < HTTP_METHODS && !match->near; i++)
		match->near = slots[i];
	match->allow |= methods_of(slots);
	return false;
}

static bool rest_take(struct search *search, const struct node *node, size_t at, size_t params)
{
	struct span last = search->segments[search->count - 1];
	const char *from = at < search->count ? search->segments[at].ptr : last.ptr + last.len;
	search->values[params] = (struct span){from, (size_t)(last.ptr + last.len - from)};
	return at < search->count && slots_take(search, node->rest);
}

/* Recursion is as deep as the longest template. */
static bool node_find(struct search *search, const struct node *node, size_t at, size_t params)
{
	if (at == search->count)
		return slots_take(search, node->here);
	struct span segment = search->segments[at];
	for (const struct node *child = node->literal; child; child = child->next) {
		if (span_eq(child->segment, segment)) {
			if (node_find(search, child, at + 1, params))
				return true;
			break;
		}
	}
	if (node->param && segment.len && params < HTTP_PARAMS_MAX) {
		search->values[params] = segment;
		if (node_find(search, node->param, at + 1, params + 1))
			return true;
	}
	return params < HTTP_PARAMS_MAX && rest_take(search, node, at, params);
}

static bool path_find(struct search *search, struct span path)
{
	struct span rest = span_skip(path, 1);
	search->count = 0;
	/* "/" has no segment, "/a/" has two: the last one is empty. The last slot takes what is too deep. */
	for (bool more = rest.len > 0; more;) {
		more = span_find(rest, '/') < rest.len && search->count < SEGMENTS_MAX - 1;
		search->segments[search->count++] = more ? span_cut(&rest, '/') : rest;
	}
	return node_find(search, search->router->root, 0, 0);
}

void router_find(const struct router *router, struct arena *arena, enum http_method method, struct span path,
		 struct router_match *ret)
{
	struct search search = {.router = router, .arena = arena, .method = method, .match = ret};
	*ret = (struct router_match){0};
	if (path.len == 0 || path.ptr[0] != '/' || path.len > LIMIT_HTTP_PATH_BYTES)
		return;
	if (path_find(&search, path) || ret->near)
		return;
	if (path.len > 1 && path.ptr[path.len - 1] == '/') {
		ret->slash = true;
		(void)path_find(&search, span_first(path, path.len - 1));
	}
}
