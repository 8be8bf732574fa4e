/* The expression guard: what it accepts, it accepts again in its own words, and the engine can bind it. */
#include "engine/expr.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct table_column columns[] = {{"id", "INTEGER", true, NULL},
						      {"name", "VARCHAR", true, NULL},
						      {"tags", "VARCHAR[]", true, NULL},
						      {"s", "STRUCT(x INTEGER)", true, NULL}};
	static const struct table_schema schema = {ARRAY_LEN(columns), columns, 0, NULL};
	static struct expr_guard *guard;
	struct err err = ERR_INIT;
	const char *sql, *again;
	const struct span text = {(const char *)data, size};
	if (!guard && !expr_guard_open(&guard, &err))
		return 0;
	struct arena *arena = arena_new();
	if (expr_filter(guard, text, &schema, arena, &sql, &err))
		assert(expr_filter(guard, span_of(sql), &schema, arena, &again, &err));
	else
		assert(err.code == ERR_INVALID_WHERE_CLAUSE);
	if (expr_type(guard, text, arena, &sql, &err))
		assert(expr_type(guard, span_of(sql), arena, &again, &err) && span_is(span_of(sql), again));
	arena_free(arena);
	return 0;
}
