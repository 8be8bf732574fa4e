#include "storage/publication.h"

#include "base/fs.h"
#include "base/id.h"

const char *publication_path(const struct storage *storage, struct arena *arena, const struct publication *pending)
{
	return arena_printf(arena, "%s/%s", storage->settings->duckdb_dir, pending->path);
}

/* By a link of its own: readers on their way to the pin find it until the record is gone. */
static bool pin_rename(const struct storage *storage, struct arena *arena, const char *pin, const char *path,
		       struct err *err)
{
	struct err ignored = ERR_INIT;
	char mark[17];
	bool copied;
	id_hex(8, mark);
	const char *link = arena_printf(arena, "%s/merge_%s.duckdb", storage->settings->staging_dir, mark);
	bool fine = fs_link(pin, link, &copied, err) && fs_publish(link, path, false, err);
	(void)!fs_unlink(link, &ignored);
	return fine;
}

bool publication_finish(struct storage *storage, struct arena *arena, const struct publication *pending,
			struct err *err)
{
	struct err ignored = ERR_INIT;
	const char *pin = publication_path(storage, arena, pending);
	const char *path = place_table_path(storage, arena, pending->project_id, pending->branch_id, pending->bucket,
					    pending->table_name);
	const char *dir = place_bucket_dir(storage, arena, pending->project_id, pending->branch_id, pending->bucket);
	struct table_row row;
	bool wanted = catalog_get_table_row(
		storage->catalog, arena,
		KEY(pending->project_id, pending->branch_id, pending->bucket, pending->table_name), &row);
	if (wanted && fs_exists(pin) && (!fs_mkdir(dir, err) || !pin_rename(storage, arena, pin, path, err)))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_remove_publication(t,
				   KEY(pending->project_id, pending->branch_id, pending->bucket, pending->table_name));
	if (!catalog_commit(t, err))
		return false;
	(void)!fs_unlink(pin, &ignored);
	return true;
}

bool publication_settle(struct place *place, struct err *err)
{
	const struct table_row *row = &place->table;
	struct publication pending;
	if (!catalog_get_publication(place->storage->catalog, place->arena,
				     KEY(row->project_id, row->branch_id, row->bucket, row->name), &pending))
		return true;
	if (!publication_finish(place->storage, place->arena, &pending, err))
		return false;
	place->path =
		place_table_path(place->storage, place->arena, row->project_id, row->branch_id, row->bucket, row->name);
	return true;
}

bool publication_reconcile(struct storage *storage, size_t *ret_finished, struct err *err)
{
	struct arena *arena = arena_new();
	struct publication *pending;
	size_t n;
	bool fine = true;
	catalog_list_publications(storage->catalog, arena, KEY_ALL, NULL, &pending, &n);
	for (size_t i = 0; i < n && fine; i++)
		fine = publication_finish(storage, arena, &pending[i], err);
	*ret_finished = n;
	fine = fine && fs_remove_tree(arena_printf(arena, "%s/_merge", storage->settings->duckdb_dir), err);
	arena_free(arena);
	return fine;
}
