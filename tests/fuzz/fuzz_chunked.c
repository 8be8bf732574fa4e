/* The aws-chunked decoder, whole and in pieces: both must agree. First byte: mode, second: size of the pieces. */
#include "s3/chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decode(const struct chunked_config *config, struct span body, size_t step, struct buf *out)
{
	struct chunked *c = mem_alloc(sizeof(*c));
	struct err err = ERR_INIT;
	bool fine = true;
	chunked_begin(c, config);
	while (fine && body.len > 0) {
		struct span input = span_first(body, step), piece;
		body = span_skip(body, input.len);
		while (fine && input.len > 0) {
			fine = chunked_feed(c, &input, &piece, &err);
			if (fine)
				buf_span(out, piece);
		}
	}
	fine = fine && chunked_end(c, &err);
	chunked_done(c);
	free(c);
	return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char key[SIGV4_KEY_BYTES];
	if (size < 2)
		return 0;
	const struct chunked_config config = {.is_signed = data[0] & 1,
					      .trailer = data[0] & 2,
					      .length = data[0] & 4 ? data[0] >> 3 : -1,
					      .announced = data[0] & 8 ? SPAN("x-amz-checksum-crc32") : SPAN_NONE,
					      .timestamp = "20250314T092653Z",
					      .scope = SPAN("20250314/local/s3/aws4_request"),
					      .key = key,
					      .seed = SPAN("0")};
	struct span body = {(const char *)data + 2, size - 2};
	struct buf whole = BUF(1 << 20), cut = BUF(1 << 20);
	bool fine = decode(&config, body, size, &whole);
	if (fine != decode(&config, body, (size_t)data[1] + 1, &cut) ||
	    (fine && !span_eq(buf_view(&whole), buf_view(&cut))))
		abort();
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
