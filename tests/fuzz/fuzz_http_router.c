/* First byte: the method; the rest: a request target. */
#include "http/router.h"
#include "http/target.h"

#include <assert.h>

static const struct http_route rows[] = {{.method = HTTP_GET, .path = "/"},
					 {.method = HTTP_GET, .path = "/a/{x}", .with_head = true},
					 {.method = HTTP_PUT, .path = "/a/b"},
					 {.method = HTTP_GET, .path = "/a/{x}/c/{y}"},
					 {.method = HTTP_ANY, .path = "/s/{b}/{k}", .rest = true}};
static const struct http_routes table = {.rows = rows, .count = ARRAY_LEN(rows)};
static const struct http_routes *const tables[] = {&table};
static const struct field fields[] = {
	{.name = "a", .type = FIELD_INT, RANGE(0, 9)}, {.name = "b", .type = FIELD_BOOL}, {0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct router *router;
	struct err err;
	struct faults faults;
	struct router_match match;
	struct span path;
	struct span query;
	if (size == 0 || (!router && !router_new(tables, 1, &router, &err)))
		return 0;
	struct arena *arena = arena_new();
	target_split((struct span){(const char *)data + 1, size - 1}, &path, &query);
	router_find(router, arena, data[0] % HTTP_METHODS, path, &match);
	for (size_t i = 0; match.entry && i < match.entry->params; i++)
		assert(span_is_utf8(span_of(match.values[i])));
	faults_init(&faults);
	bool fine = query_check(fields, query_read(arena, query, fields), &faults);
	assert(fine == (faults.count == 0));
	faults_done(&faults);
	arena_free(arena);
	return 0;
}
