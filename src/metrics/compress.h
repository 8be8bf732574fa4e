/* Content codings of an answer, in one go. Thread-safe. */
#ifndef METRICS_COMPRESS_H
#define METRICS_COMPRESS_H

#include "base/buf.h"
#include "metrics/negotiate.h"

/* Appends the coded bytes. False when the coder failed or `out` is full: then what it holds is undefined. */
MUST_CHECK bool compress_bytes(enum metrics_encoding encoding, struct span bytes, struct buf *out);

#endif
