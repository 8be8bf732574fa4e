/* First byte: the format; second: the size of the pieces; the rest is COPY data. */
#include "pgwire/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span names[] = {SPAN("a"), SPAN("b")};
	static const struct copy_options formats[] = {
		{.format = COPY_TEXT, .delimiter = '\t', .null = SPAN("\\N")},
		{.format = COPY_CSV, .delimiter = ',', .quote = '"', .escape = '"', .null = SPAN("")},
		{.format = COPY_CSV, .delimiter = ',', .quote = '"', .escape = '\\', .null = SPAN("x")},
		{.format = COPY_BINARY}};
	if (size < 2)
		return 0;
	struct arena *arena = arena_new();
	struct copy_reader r;
	struct pg_error e;
	enum copy_step step = COPY_MORE;
	struct span rest = {(const char *)data + 2, size - 2};
	copy_read_begin(&r, &formats[data[0] % ARRAY_LEN(formats)], SPAN("t"), names, 2, arena);
	bool fine = true;
	while (fine && step != COPY_END) {
		if (rest.len == 0)
			copy_read_finish(&r);
		struct span piece = span_first(rest, data[1] + 1U);
		copy_read_feed(&r, piece);
		rest = span_skip(rest, piece.len);
		do
			fine = copy_read_row(&r, &step, &e) &&
			       (step != COPY_ROW || r.count == 2 || copy_read_missing(&r, r.count, &e));
		while (fine && step == COPY_ROW);
	}
	copy_read_done(&r);
	arena_free(arena);
	return 0;
}
