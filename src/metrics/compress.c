#include "metrics/compress.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

/* A scrape is short-lived: the fastest level already saves nine tenths. */
enum { LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

static bool compress_gzip(struct span bytes, struct buf *out)
{
	z_stream z = {0};
	if (bytes.len > UINT32_MAX / 2 ||
	    deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t bound = deflateBound(&z, bytes.len);
	char *to = buf_reserve(out, bound);
	z.next_in = (const Bytef *)bytes.ptr;
	z.avail_in = (uInt)bytes.len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)bound;
	bool done = to && deflate(&z, Z_FINISH) == Z_STREAM_END;
	if (done)
		buf_commit(out, bound - z.avail_out);
	(void)deflateEnd(&z);
	return done;
}

static bool compress_zstd(struct span bytes, struct buf *out)
{
	size_t bound = ZSTD_compressBound(bytes.len);
	char *to = buf_reserve(out, bound);
	if (!to)
		return false;
	size_t len = ZSTD_compress(to, bound, bytes.ptr, bytes.len, LEVEL);
	if (ZSTD_isError(len))
		return false;
	buf_commit(out, len);
	return true;
}

bool compress_bytes(enum metrics_encoding encoding, struct span bytes, struct buf *out)
{
	switch (encoding) {
	case ENCODING_GZIP:
		return compress_gzip(bytes, out);
	case ENCODING_ZSTD:
		return compress_zstd(bytes, out);
	case ENCODING_IDENTITY:
		break;
	}
	buf_span(out, bytes);
	return !out->failed;
}
