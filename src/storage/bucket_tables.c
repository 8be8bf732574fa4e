#include "storage/bucket.h"

#include "metrics/metrics.h"
#include "storage/key_lock.h"
#include "storage/place.h"
#include "storage/removal.h"
#include "storage/version.h"

#include <stdlib.h>
#include <unistd.h>

static void tables_list(struct storage *storage, struct arena *arena, const char *project_id, const char *bucket,
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

/* ---- names ---- */

struct span bucket_name_key(struct arena *arena, const char *project_id, const char *bucket)
{
	return span_of(arena_printf(arena, "%s/%s", project_id, bucket ? bucket : ""));
}

static int name_order(const void *a, const void *b)
{
	return strcmp(((const struct span *)a)->ptr, ((const struct span *)b)->ptr);
}

size_t bucket_names_lock(struct storage *storage, struct span *names, size_t n)
{
	size_t kept = 0;
	qsort(names, n, sizeof(*names), name_order);
	for (size_t i = 0; i < n; i++) {
		if (kept && span_eq(names[i], names[kept - 1]))
			continue;
		names[kept++] = names[i];
		key_lock(storage->bucket_names, names[i]);
	}
	return kept;
}

void bucket_names_unlock(struct storage *storage, const struct span *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		key_unlock(storage->bucket_names, names[i]);
}

void bucket_folder_tidy(const struct place *place)
{
	struct storage *storage = place->storage;
	struct arena *arena = place->arena;
	const char *project_id = place->project.id;
	struct bucket bucket;
	struct bucket_link link;
	struct branch branch;
	struct span name = bucket_name_key(arena, project_id, place->bucket_name);
	const char *dir = place_bucket_dir(storage, arena, project_id, place->branch_id, place->bucket_name);
	bool branch_gone = !place->on_main &&
			   !catalog_get_branch(storage->catalog, arena, KEY(project_id, place->branch_id), &branch);
	(void)bucket_names_lock(storage, &name, 1);
	if (branch_gone ||
	    (!catalog_get_bucket(storage->catalog, arena, KEY(project_id, place->bucket_name), &bucket) &&
	     !catalog_get_bucket_link(storage->catalog, arena, KEY(project_id, place->bucket_name), &link)))
		(void)rmdir(dir);
	bucket_names_unlock(storage, &name, 1);
	if (branch_gone)
		(void)rmdir(place_project_dir(storage, arena, project_id, place->branch_id));
}

static void names_hold(struct storage *storage, struct arena *arena, const struct bucket_tables *tables,
		       struct bucket_hold *hold)
{
	hold->names = arena_array(arena, struct span, tables->link_count + 1);
	hold->names[0] = bucket_name_key(arena, tables->project_id, tables->bucket);
	for (size_t i = 0; i < tables->link_count; i++)
		hold->names[i + 1] = bucket_name_key(arena, tables->links[i].project_id, tables->links[i].name);
	hold->name_count = bucket_names_lock(storage, hold->names, tables->link_count + 1);
}

/* The links are those that were listed; nobody makes or removes one while their names are held. */
static bool links_stand(struct storage *storage, struct arena *arena, const struct bucket_tables *tables)
{
	struct bucket_link *now;
	size_t n;
	catalog_list_bucket_links_to(storage->catalog, arena,
				     tables->bucket ? KEY(tables->project_id, tables->bucket) : KEY(tables->project_id),
				     NULL, &now, &n);
	if (n != tables->link_count)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(now[i].id, tables->links[i].id) != 0)
			return false;
	}
	return true;
}

bool bucket_tables_hold(struct op *op, const char *project_id, const char *bucket, struct bucket_tables *ret,
			struct bucket_hold *hold, struct err *err)
{
	enum { ATTEMPTS = 20 };
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	for (int i = 0; i < ATTEMPTS; i++) {
		*hold = (struct bucket_hold){0};
		tables_list(storage, arena, project_id, bucket, ret);
		if (!lock_tables(storage->locks, op, ret->names, ret->count, &hold->admission, err))
			return false;
		names_hold(storage, arena, ret, hold);
		if (links_stand(storage, arena, ret))
			return true;
		bucket_tables_let_go(storage, hold);
	}
	*hold = (struct bucket_hold){0};
	return err_set(err, ERR_TABLE_LOCKED, "Links to %s are made faster than it can be removed; try again",
		       bucket ? bucket : project_id);
}

void bucket_tables_let_go(struct storage *storage, struct bucket_hold *hold)
{
	bucket_names_unlock(storage, hold->names, hold->name_count);
	lock_release(&hold->admission);
}
