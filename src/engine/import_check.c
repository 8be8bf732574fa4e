#include "engine/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE_BYTES = 256 * 1024 };

struct check {
	int fd;
	const struct progress *progress;
	char *in;
	char *out;
};

static bool damaged(struct err *err, const char *why)
{
	return err_set(err, ERR_IMPORT_FAILED, "The file cannot be read: %s", why);
}

/* The next piece; *ret_n is 0 at the end. */
static bool next_piece(const struct check *c, size_t *ret_n, struct err *err)
{
	ssize_t n;
	if (c->progress && progress_cancelled(c->progress))
		return err_set(err, ERR_CANCELLED, "The import was cancelled");
	do
		n = read(c->fd, c->in, PIECE_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, errno, "The file cannot be read");
	*ret_n = (size_t)n;
	return true;
}

/* Unpacks what *z holds; *ret_end tells whether a member is complete and nothing of the next one was seen. */
static bool inflate_piece(const struct check *c, z_stream *z, bool *ret_end, struct err *err)
{
	int state = Z_OK;
	while (z->avail_in > 0 || state == Z_OK) {
		/* One member ended, and there are more bytes: another one (RFC 1952, section 2.2). */
		if (*ret_end && z->avail_in > 0 && inflateReset(z) != Z_OK)
			return damaged(err, "it is no gzip file");
		z->next_out = (Bytef *)c->out;
		z->avail_out = PIECE_BYTES;
		state = inflate(z, Z_NO_FLUSH);
		if (state == Z_BUF_ERROR)
			return true;
		if (state != Z_OK && state != Z_STREAM_END)
			return damaged(err, "its gzip data is damaged");
		*ret_end = state == Z_STREAM_END;
		if (state == Z_OK && z->avail_in == 0 && z->avail_out > 0)
			return true;
	}
	return true;
}

static bool check_gzip(const struct check *c, struct err *err)
{
	z_stream z = {0};
	size_t n = 1;
	bool end = false;
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_set(err, ERR_OUT_OF_MEMORY, "No memory to unpack the file");
	bool fine = true;
	while (fine && n > 0) {
		fine = next_piece(c, &n, err);
		z.next_in = (Bytef *)c->in;
		z.avail_in = fine ? (uInt)n : 0;
		fine = fine && (n == 0 || inflate_piece(c, &z, &end, err));
	}
	(void)inflateEnd(&z);
	return fine && (end || damaged(err, "its gzip data ends too early"));
}

static bool check_zstd(const struct check *c, struct err *err)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t state = 1;
	size_t n = 1;
	bool fine = stream || err_set(err, ERR_OUT_OF_MEMORY, "No memory to unpack the file");
	while (fine && n > 0) {
		fine = next_piece(c, &n, err);
		ZSTD_inBuffer in = {c->in, fine ? n : 0, 0};
		ZSTD_outBuffer out = {c->out, PIECE_BYTES, PIECE_BYTES};
		/* A full output may hide more of it. */
		while (fine && (in.pos < in.size || (out.pos == out.size && state > 0 && n > 0))) {
			out.pos = 0;
			state = ZSTD_decompressStream(stream, &out, &in);
			if (ZSTD_isError(state))
				fine = damaged(err, "its zstd data is damaged");
		}
	}
	(void)ZSTD_freeDStream(stream);
	return fine && (state == 0 || damaged(err, "its zstd data ends too early"));
}

bool import_check(const char *path, enum import_compression compression, const struct progress *progress,
		  struct err *err)
{
	if (compression == IMPORT_PLAIN)
		return true;
	struct check c = {.fd = open(path, O_RDONLY | O_CLOEXEC), .progress = progress};
	if (c.fd < 0)
		return err_errno(err, errno, "The file cannot be opened");
	c.in = mem_alloc(PIECE_BYTES);
	c.out = mem_alloc(PIECE_BYTES);
	bool fine = compression == IMPORT_GZIP ? check_gzip(&c, err) : check_zstd(&c, err);
	free(c.in);
	free(c.out);
	(void)close(c.fd);
	return fine;
}
