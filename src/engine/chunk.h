/*
 * Rows of a result at rest: vectors as bytes, which may wait in a file, and
 * bytes as vectors again, which encoders read like the engine's own.
 *
 * chunk_write() takes what the rows need and no more: of lists only the items
 * that are theirs, of texts the bytes behind long ones. Values that NULL hides
 * are not read. chunk_read() points vectors of the same shape into the bytes,
 * which must be aligned like malloc's, live as long as the vectors are used, and
 * be those that chunk_write() put at the start of an empty buffer. Native byte
 * order, for this process alone. Pure functions.
 */
#ifndef ENGINE_CHUNK_H
#define ENGINE_CHUNK_H

#include "engine/vector.h"

/* Vectors of the same types, without rows; types are copied as well. */
struct vector *chunk_shape(struct arena *arena, const struct vector *vectors, size_t n);
void chunk_write(const struct vector *vectors, size_t n, size_t from, size_t rows, struct buf *out);
/* false: these are not the bytes of so many rows. Each bytes can be read once. */
MUST_CHECK bool chunk_read(struct vector *vectors, size_t n, size_t rows, char *bytes, size_t len);

#endif
