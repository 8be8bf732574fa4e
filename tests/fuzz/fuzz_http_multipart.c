/* First byte: how much of the body each read gives. The part's bytes never exceed the body's. */
#include "http/multipart.h"

#include <assert.h>
#include <stdint.h>

struct feed {
	struct span rest;
	size_t step;
};

static bool feed_read(void *ctx, char *bytes, size_t size, size_t *ret_n, struct err *err)
{
	struct feed *feed = ctx;
	struct span piece = span_first(feed->rest, feed->step < size ? feed->step : size);
	(void)err;
	memcpy(bytes, piece.ptr, piece.len);
	feed->rest = span_skip(feed->rest, piece.len);
	*ret_n = piece.len;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct multipart *m = NULL;
	struct feed feed = {.rest = {(const char *)data + 1, size ? size - 1 : 0}, .step = size ? data[0] + 1U : 1};
	char bytes[100];
	size_t total = 0;
	size_t n = 0;
	if (size == 0 || !multipart_new("multipart/form-data; boundary=B", "file", feed_read, &feed, &m))
		return 0;
	while (multipart_read(m, bytes, sizeof(bytes), &n, &err) && n)
		total += n;
	assert(total < size);
	multipart_free(m);
	return 0;
}
