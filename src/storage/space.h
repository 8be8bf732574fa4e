/*
 * Disk space of tables and snapshots. Tables, their versions and snapshots are
 * hard links of immutable files, so one file has many names; its bytes are
 * counted once, for the first of these owners that has it:
 *
 *	1. tables of all branches	2. kept versions	3. snapshots
 *
 * 1 and 2 are `tables`. `snapshots` is what would be left if all tables and
 * versions were gone, and so what snapshots cost beyond them (with the bytes of
 * their metadata.json). `du` over the folders in this order says the same. From
 * the records alone: no disk is touched.
 */
#ifndef STORAGE_SPACE_H
#define STORAGE_SPACE_H

#include "catalog/catalog.h"

struct space {
	int64_t tables;
	int64_t snapshots;
	int64_t manual_snapshots; /* live ones */
	int64_t auto_snapshots;
};

void space_measure(struct catalog *catalog, struct space *ret);

#endif
