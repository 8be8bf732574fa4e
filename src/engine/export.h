/*
 * Writing a query's result to a file: CSV or Parquet by the engine's COPY, CSV
 * compressed by threads of our own (the engine's gzip is 18 times slower than
 * its plain CSV and hard to stop). The gzip output is a series of members
 * (RFC 1952, section 2.2), which every gunzip reads as one file.
 *
 * The target is written whole and synced, or removed. Cancel by
 * session_interrupt() or the session's progress: done within a second.
 */
#ifndef ENGINE_EXPORT_H
#define ENGINE_EXPORT_H

#include "engine/session.h"

enum export_format { EXPORT_CSV, EXPORT_PARQUET };
enum export_codec { EXPORT_CODEC_NONE, EXPORT_CODEC_GZIP, EXPORT_CODEC_ZSTD, EXPORT_CODEC_SNAPPY };

struct export_request {
	const char *query; /* SELECT ..., built by the caller */
	const char *path;  /* absolute; must not exist */
	enum export_format format;
	enum export_codec codec; /* CSV: none, gzip, zstd; Parquet: all */
	size_t gzip_threads;	 /* 0: one per core, at most 8 */
	int gzip_level;		 /* 1..9; 0: 1 */
};

struct export_result {
	int64_t rows;
	int64_t size_bytes;
};

/* `scratch_dir` holds a FIFO while gzip runs. */
MUST_CHECK bool export_run(struct session *session, const struct export_request *request, const char *scratch_dir,
			   struct export_result *ret, struct err *err);

#endif
