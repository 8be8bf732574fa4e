/*
 * Which column of a file goes into which column of a table. Pure; results live
 * in the arena.
 *
 * By name or position: names are used when the file has them and they are
 * exactly the wanted columns in any order, whatever their case; else position,
 * when the count fits (with a warning when there were names). By name: every
 * table column that does not begin with '_' must be in the file, its other
 * columns are ignored.
 *
 * Errors: ERR_INVALID_COLUMN (details.column) for a wanted column that the table
 * does not have, ERR_IMPORT_FAILED when the file does not fit.
 */
#ifndef STORAGE_IMPORT_MAP_H
#define STORAGE_IMPORT_MAP_H

#include "engine/import.h"
#include "storage/import.h"

struct import_map {
	size_t count;
	size_t *source;	     /* column of the file */
	size_t *target;	     /* column of the table */
	const char *warning; /* NULL: none */
};

MUST_CHECK bool import_map(const struct table_schema *schema, const struct import_file *file,
			   const struct table_import *request, struct arena *arena, struct import_map *ret,
			   struct err *err);
/* Types for the scan of a CSV file: the target's where the reader casts as the engine does, else NULL (read as text). */
const char *const *import_map_types(const struct import_map *map, const struct table_schema *schema,
				    const struct import_file *file, struct arena *arena);

#endif
