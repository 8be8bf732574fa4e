/*
 * Which bytes of an object came as which part of its multipart upload, so that a
 * client can ask for a part by its number. Kept as a member "parts" of what is
 * known of the bytes (file_row.checksums_json): runs of [count, size], since
 * parts are mostly of one size. An object without it is one part. Pure functions.
 */
#ifndef STORAGE_OBJECT_PARTS_H
#define STORAGE_OBJECT_PARTS_H

#include "catalog/catalog.h"

struct object_part {
	int64_t count; /* parts of the object; 0: it did not come in parts */
	int64_t first; /* byte */
	int64_t length;
};

/* `checksums_json` (may be NULL) with the sizes of the parts added. */
const char *object_parts_add(struct arena *arena, const char *checksums_json, const struct multipart_part *parts,
			     size_t n);
/* Part `number`, counted from 1; false: the object has no such part. */
MUST_CHECK bool object_part_find(const struct file_row *row, int64_t number, struct object_part *ret);

#endif
