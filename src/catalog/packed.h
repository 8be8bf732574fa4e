/*
 * A row as it lies in memory: one block, some hundred bytes. Numbers first, then
 * each text or blob as length and bytes with a NUL behind, so that a row struct
 * can point into the block.
 *
 * A packed row is immutable but for seq and in_model, which are the writer's.
 */
#ifndef CATALOG_PACKED_H
#define CATALOG_PACKED_H

#include "base/arena.h"
#include "base/err.h"
#include "catalog/schema.h"

struct packed {
	int64_t seq; /* ascending: the row's address in the file */
	uint32_t size;
	bool in_model;
	unsigned char bytes[];
};

/* Release with free(). ERR_INVALID_REQUEST: not UTF-8; ERR_PAYLOAD_TOO_LARGE; ERR_INTERNAL: a key column is NULL. */
MUST_CHECK bool packed_new(const struct entity_def *e, const void *row, struct packed **ret, struct err *err);
/* The struct's texts point into `packed`. */
void packed_read(const struct entity_def *e, const struct packed *packed, void *ret_row);
/* The same, of a copy in the arena. */
void packed_copy(const struct entity_def *e, const struct packed *packed, struct arena *arena, void *ret_row);

/* Ends the program when a key does not fit the index: wrong kinds, too many columns, or not all of them for `whole`. */
void packed_key_check(const struct index_def *x, const struct catalog_key *key, bool whole);
/* Order of an index; equal rows are told apart by seq. */
int packed_compare(const struct index_def *x, const struct packed *a, const struct packed *b);

/* A key made ready for many comparisons. */
struct packed_probe {
	const struct index_def *index;
	unsigned count;
	struct span texts[CATALOG_KEY_MAX];
	int64_t numbers[CATALOG_KEY_MAX];
};
void packed_probe(const struct index_def *x, const struct catalog_key *key, struct packed_probe *ret);
/* How the row stands to the rows that start with the probe's key: below, among, above. */
int packed_compare_probe(const struct packed_probe *probe, const struct packed *p);
/* All columns of the index; texts point into the row. false: one of them is NULL. */
bool packed_key(const struct index_def *x, const struct packed *p, struct catalog_key *ret);

#endif
