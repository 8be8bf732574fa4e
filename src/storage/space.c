#include "storage/space.h"

#include "base/clock.h"

#include <stdlib.h>

struct inode {
	int64_t device;
	int64_t number; /* 0: free slot; no file has it */
};

/* Files seen so far: open addressing, at most half full. Rows that come while it fills are counted without being remembered. */
struct measure {
	struct inode *slots;
	size_t mask;
	size_t room;
	int64_t now;
	int64_t *bytes; /* where first sights are added */
	struct space *space;
};

/* Whether the file is seen for the first time. */
static bool first_sight(struct measure *m, int64_t device, int64_t number)
{
	uint64_t hash = ((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15)) ^ (uint64_t)device;
	size_t at = (size_t)(hash >> 20) & m->mask;
	while (m->slots[at].number) {
		if (m->slots[at].number == number && m->slots[at].device == device)
			return false;
		at = (at + 1) & m->mask;
	}
	if (m->room) {
		m->room--;
		m->slots[at] = (struct inode){device, number};
	}
	return true;
}

static bool add_table(void *ctx, const struct table_row *row)
{
	struct measure *m = ctx;
	if (first_sight(m, row->device, row->inode))
		*m->bytes += row->size_bytes;
	return true;
}

static bool add_version(void *ctx, const struct table_version *row)
{
	struct measure *m = ctx;
	if (first_sight(m, row->device, row->inode))
		*m->bytes += row->size_bytes;
	return true;
}

static bool add_snapshot(void *ctx, const struct snapshot *row)
{
	struct measure *m = ctx;
	*m->bytes += row->meta_bytes;
	if (first_sight(m, row->device, row->inode))
		*m->bytes += row->size_bytes;
	if (row->expires_at <= m->now)
		return true;
	if (strcmp(row->type, "manual") == 0)
		m->space->manual_snapshots++;
	else
		m->space->auto_snapshots++;
	return true;
}

void space_measure(struct catalog *catalog, struct space *ret)
{
	size_t rows = (size_t)(catalog_count_tables(catalog, KEY_ALL) + catalog_count_table_versions(catalog, KEY_ALL) +
			       catalog_count_snapshots(catalog, KEY_ALL));
	size_t capacity = 64;
	while (capacity < 2 * rows)
		capacity *= 2;
	*ret = (struct space){0};
	struct measure m = {
		.slots = mem_alloc_array(sizeof(*m.slots), capacity),
		.mask = capacity - 1,
		.room = capacity / 2,
		.now = clock_unix_us(),
		.bytes = &ret->tables,
		.space = ret,
	};
	catalog_visit_tables(catalog, KEY_ALL, NULL, add_table, &m);
	catalog_visit_table_versions(catalog, KEY_ALL, NULL, add_version, &m);
	m.bytes = &ret->snapshots;
	catalog_visit_snapshots(catalog, KEY_ALL, NULL, add_snapshot, &m);
	free(m.slots);
}
