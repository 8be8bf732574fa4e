/* What a workspace sees of its project: tables and buckets as the catalog has them. */
#include "storage/shape.h"
#include "storage/workspace_core.h"

#include <stdlib.h>

static int table_order(const void *a, const void *b)
{
	const struct workspace_table *x = a, *y = b;
	int bucket = strcmp(x->bucket, y->bucket);
	return bucket ? bucket : strcmp(x->name, y->name);
}

struct table_list {
	struct storage *storage;
	struct arena *arena;
	struct workspace_table *tables;
	size_t count, room;
};

static void list_add(struct table_list *list, const char *bucket, const struct table_row *row, enum table_source source)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct workspace_table *more = arena_array(list->arena, struct workspace_table, room);
		if (list->count)
			memcpy(more, list->tables, list->count * sizeof(*more));
		list->tables = more;
		list->room = room;
	}
	list->tables[list->count++] = (struct workspace_table){
		.bucket = bucket,
		.name = row->name,
		.path = place_table_path(list->storage, list->arena, row->project_id, row->branch_id, row->bucket,
					 row->name),
		.source = source,
		.row = *row,
	};
}

static void list_branch(struct table_list *list, const char *project_id, const char *branch_id,
			enum table_source source)
{
	struct table_row *rows;
	size_t n;
	catalog_list_tables(list->storage->catalog, list->arena, KEY(project_id, branch_id), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++)
		list_add(list, rows[i].bucket, &rows[i], source);
}

static void list_linked(struct table_list *list, const char *project_id)
{
	struct bucket_link *links;
	struct table_row *rows;
	size_t n, m;
	catalog_list_bucket_links(list->storage->catalog, list->arena, KEY(project_id), NULL, &links, &n);
	for (size_t i = 0; i < n; i++) {
		catalog_list_tables(list->storage->catalog, list->arena,
				    KEY(links[i].source_project_id, BRANCH_MAIN, links[i].source_bucket), NULL, &rows,
				    &m);
		for (size_t k = 0; k < m; k++)
			list_add(list, links[i].name, &rows[k], SOURCE_LINKED);
	}
}

/* Of two of one name the source that stands higher for readers stays: linked, branch, main. */
static int source_rank(enum table_source source)
{
	return source == SOURCE_LINKED ? 2 : source == SOURCE_BRANCH ? 1 : 0;
}

bool workspace_tables(struct storage *storage, struct arena *arena, const char *project_id, const char *branch_id,
		      bool linked, struct workspace_table **ret, size_t *ret_count, struct err *err)
{
	struct table_list list = {.storage = storage, .arena = arena};
	struct place place;
	if (!place_branch(storage, arena, project_id, branch_id, NULL, &place, err))
		return false;
	list_branch(&list, project_id, BRANCH_MAIN, SOURCE_MAIN);
	if (!place.on_main)
		list_branch(&list, project_id, place.branch_id, SOURCE_BRANCH);
	if (linked)
		list_linked(&list, project_id);
	if (list.count)
		qsort(list.tables, list.count, sizeof(*list.tables), table_order);
	size_t kept = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct workspace_table *t = &list.tables[i];
		if (kept && table_order(&list.tables[kept - 1], t) == 0) {
			if (source_rank(t->source) > source_rank(list.tables[kept - 1].source))
				list.tables[kept - 1] = *t;
			continue;
		}
		list.tables[kept++] = *t;
	}
	*ret = list.tables;
	*ret_count = kept;
	return true;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool workspace_buckets(struct storage *storage, struct arena *arena, const char *project_id, const char ***ret,
		       size_t *ret_count, struct err *err)
{
	struct place place;
	struct bucket *own;
	struct bucket_link *links;
	size_t n, m;
	if (!place_branch(storage, arena, project_id, NULL, NULL, &place, err))
		return false;
	catalog_list_buckets(storage->catalog, arena, KEY(project_id), NULL, &own, &n);
	catalog_list_bucket_links(storage->catalog, arena, KEY(project_id), NULL, &links, &m);
	*ret = arena_array(arena, const char *, n + m);
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = own[i].name;
	for (size_t i = 0; i < m; i++)
		(*ret)[n + i] = links[i].name;
	*ret_count = n + m;
	if (n + m)
		qsort(*ret, n + m, sizeof(**ret), name_order);
	return true;
}

bool workspace_table_schema(const struct workspace_table *table, struct arena *arena, struct table_schema *ret,
			    struct err *err)
{
	return shape_decode(table->row.schema_json, arena, ret, err);
}

uint64_t workspace_epoch(struct storage *storage)
{
	struct catalog_stats stats;
	catalog_stats(catalog_uncounted(storage->catalog), &stats);
	return (uint64_t)stats.commits;
}
