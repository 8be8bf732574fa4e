#include "storage/bucket.h"

#include "metrics/metrics.h"
#include "storage/key_lock.h"
#include "storage/place.h"
#include "storage/removal.h"
#include "storage/version.h"

void bucket_tables_of(struct storage *storage, struct arena *arena, const char *project_id, const char *bucket,
		      struct bucket_tables *ret)
{
	struct catalog *c = storage->catalog;
	struct table_row *own;
	size_t n;
	*ret = (struct bucket_tables){.project_id = project_id, .bucket = bucket};
	catalog_list_tables_of_bucket(c, arena, bucket ? KEY(project_id, bucket) : KEY(project_id), NULL, &own, &n);
	catalog_list_bucket_links_to(c, arena, bucket ? KEY(project_id, bucket) : KEY(project_id), NULL, &ret->links,
				     &ret->link_count);
	size_t total = n;
	for (size_t i = 0; i < ret->link_count; i++)
		total += catalog_count_tables_of_bucket(c, KEY(ret->links[i].project_id, ret->links[i].name));
	/* Tables may come between the counting and the listing: they are left to the transaction. */
	ret->rows = arena_array(arena, struct table_row, total);
	memcpy(ret->rows, own, n * sizeof(*own));
	ret->count = n;
	ret->own_count = n;
	for (size_t i = 0; i < ret->link_count; i++) {
		catalog_list_tables_of_bucket(c, arena, KEY(ret->links[i].project_id, ret->links[i].name), NULL, &own,
					      &n);
		for (size_t k = 0; k < n && ret->count < total; k++)
			ret->rows[ret->count++] = own[k];
	}
	ret->names = arena_array(arena, struct lock_name, ret->count);
	for (size_t i = 0; i < ret->count; i++) {
		const struct table_row *t = &ret->rows[i];
		ret->names[i] = (struct lock_name){t->project_id, t->branch_id, t->bucket, t->name};
	}
}

/* Calls `visit` for the folders of the tables, each once; of a whole project's own tables only those in its branches. */
static void folders_visit(const struct bucket_tables *tables,
			  void (*visit)(void *ctx, const char *project_id, const char *branch_id, const char *bucket),
			  void *ctx)
{
	const struct table_row *former = NULL;
	if (tables->bucket)
		visit(ctx, tables->project_id, BRANCH_MAIN, tables->bucket);
	for (size_t i = 0; i < tables->link_count; i++)
		visit(ctx, tables->links[i].project_id, BRANCH_MAIN, tables->links[i].name);
	/* In the order of project, bucket, branch. */
	for (size_t i = 0; i < tables->count; i++) {
		const struct table_row *row = &tables->rows[i];
		bool same = former && strcmp(former->branch_id, row->branch_id) == 0 &&
			    strcmp(former->bucket, row->bucket) == 0 &&
			    strcmp(former->project_id, row->project_id) == 0;
		former = row;
		if (!same && strcmp(row->branch_id, BRANCH_MAIN) != 0)
			visit(ctx, row->project_id, row->branch_id, row->bucket);
	}
}

struct leaving {
	struct catalog_txn *txn;
	struct removal *gone;
};

static void folder_doom(void *ctx, const char *project_id, const char *branch_id, const char *bucket)
{
	const struct leaving *l = ctx;
	removal_add(l->gone, l->txn, place_bucket_dir(l->gone->storage, l->gone->arena, project_id, branch_id, bucket));
}

void bucket_tables_forget(struct catalog_txn *t, const struct bucket_tables *tables, struct removal *gone)
{
	if (tables->bucket) {
		catalog_remove_all_tables_of_bucket(t, KEY(tables->project_id, tables->bucket));
		catalog_remove_all_bucket_links_to(t, KEY(tables->project_id, tables->bucket));
	} else {
		catalog_remove_all_tables(t, KEY(tables->project_id));
		catalog_remove_all_bucket_links_to(t, KEY(tables->project_id));
	}
	for (size_t i = 0; i < tables->link_count; i++)
		catalog_remove_all_tables_of_bucket(t, KEY(tables->links[i].project_id, tables->links[i].name));
	for (size_t i = 0; i < tables->count; i++) {
		const struct table_row *row = &tables->rows[i];
		version_forget(t, row->project_id, row->branch_id, row->bucket, row->name);
		catalog_remove_publication(t, KEY(row->project_id, row->branch_id, row->bucket, row->name));
	}
	folders_visit(tables, folder_doom, &(struct leaving){t, gone});
}

static void versions_remove(void *ctx, const char *project_id, const char *branch_id, const char *bucket)
{
	version_remove_files(ctx, project_id, branch_id, bucket, NULL);
}

void bucket_tables_remove(struct storage *storage, const struct bucket_tables *tables, struct removal *gone)
{
	removal_run(gone);
	folders_visit(tables, versions_remove, storage);
	for (size_t i = 0; i < tables->count; i++) {
		const struct table_row *row = &tables->rows[i];
		bool same = i > 0 && strcmp(row->bucket, row[-1].bucket) == 0 &&
			    strcmp(row->project_id, row[-1].project_id) == 0;
		if (!same)
			metric_tenant_forget(TENANT_TABLE, row->project_id, row->bucket, NULL);
	}
	table_reap(storage->tables);
}

struct span bucket_name_lock(struct storage *storage, struct arena *arena, const char *project_id, const char *name)
{
	struct span key = span_of(arena_printf(arena, "%s/%s", project_id, name));
	key_lock(storage->bucket_names, key);
	return key;
}

void bucket_name_unlock(struct storage *storage, struct span key)
{
	key_unlock(storage->bucket_names, key);
}
