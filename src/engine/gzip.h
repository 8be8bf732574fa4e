/*
 * Private to this folder: parallel gzip from a pipe to a file. The input is cut
 * into blocks of 1 MiB, each compressed on its own thread into a gzip member
 * (RFC 1952); members are written in order. Memory: two blocks per thread.
 */
#ifndef ENGINE_GZIP_H
#define ENGINE_GZIP_H

#include "base/err.h"

struct gzip_request {
	int from; /* non-blocking read end; end of file counts once `done` is set */
	int to;
	size_t threads; /* 0: one per core, at most 8 */
	int level;	/* 0: 1 */
};

MUST_CHECK bool gzip_run(const struct gzip_request *request, struct err *err);

#endif
