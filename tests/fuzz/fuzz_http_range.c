/* A Range header before the first newline, a list of entity tags and a date behind it. */
#include "http/range.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = {0, 1, 100, UINT64_MAX};
	struct span rest = {(const char *)data, size};
	struct span header = span_cut(&rest, '\n');
	char *text = mem_copy(rest);
	const struct conditions conditions = {text, text, text, text};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct byte_range range = {0, 0};
		if (range_parse(header, sizes[i], &range) == RANGE_PART)
			assert(range.length > 0 && range.first < sizes[i] && range.length <= sizes[i] - range.first);
	}
	(void)conditions_check(&conditions, "\"a\"", 1);
	(void)range_applies(text, "\"a\"", 1);
	free(text);
	return 0;
}
