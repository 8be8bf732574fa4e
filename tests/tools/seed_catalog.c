/*
 * Fills a catalog with records of projects, each with a bucket, and of tables and workspaces spread over them:
 *
 *	seed_catalog METADATA.DUCKDB PROJECTS TABLES WORKSPACES
 *
 * The server must not run. No file lies behind the tables: what only counts and lists does not look. Table i has the
 * size 4096 and an inode of its own.
 */
#include "base/clock.h"
#include "catalog/catalog.h"

#include <stdio.h>

enum { BATCH = 10000, TABLE_BYTES = 4096 };

typedef void add_row(struct catalog_txn *t, struct arena *arena, uint64_t i, uint64_t projects);

static const char *project_name(struct arena *arena, uint64_t i)
{
	return arena_printf(arena, "seed%06llu", (unsigned long long)i);
}

static void add_project(struct catalog_txn *t, struct arena *arena, uint64_t i, uint64_t projects)
{
	const char *id = project_name(arena, i);
	(void)projects;
	catalog_insert_project(
		t, &(struct project){.id = id, .name = id, .status = "active", .created_at = clock_unix_us()},
		ERR_PROJECT_EXISTS);
	catalog_insert_bucket(t, &(struct bucket){.project_id = id, .name = "b", .created_at = clock_unix_us()},
			      ERR_BUCKET_EXISTS);
}

static void add_table(struct catalog_txn *t, struct arena *arena, uint64_t i, uint64_t projects)
{
	struct table_row row = {.project_id = project_name(arena, i % projects),
				.branch_id = "default",
				.bucket = "b",
				.name = arena_printf(arena, "t%llu", (unsigned long long)i),
				.origin = "main",
				.schema_json = "{\"columns\":[{\"name\":\"id\",\"type\":\"INTEGER\"}]}",
				.size_bytes = TABLE_BYTES,
				.device = 1,
				.inode = (int64_t)i + 1,
				.created_at = clock_unix_us(),
				.updated_at = clock_unix_us()};
	catalog_put_table_row(t, &row);
}

static void add_workspace(struct catalog_txn *t, struct arena *arena, uint64_t i, uint64_t projects)
{
	struct workspace row = {.id = arena_printf(arena, "seedws%06llu", (unsigned long long)i),
				.project_id = project_name(arena, i % projects),
				.name = "w",
				.status = "active",
				.username = arena_printf(arena, "seedws_user%06llu", (unsigned long long)i),
				.db_path = arena_printf(arena, "/nowhere/%llu.duckdb", (unsigned long long)i),
				.door = "rest",
				.size_limit_gb = 1,
				.created_at = clock_unix_us(),
				.credentials_at = clock_unix_us()};
	catalog_insert_workspace(t, &row, ERR_WORKSPACE_EXISTS);
}

static bool add_all(struct catalog *catalog, add_row *add, uint64_t count, uint64_t projects, struct err *err)
{
	bool fine = true;
	for (uint64_t i = 0; fine && i < count;) {
		struct arena *arena = arena_new();
		struct catalog_txn *t = catalog_txn(catalog, arena);
		for (uint64_t end = i + BATCH; i < end && i < count; i++)
			add(t, arena, i, projects);
		fine = catalog_commit(t, err);
		arena_free(arena);
	}
	return fine;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct catalog *catalog;
	uint64_t counts[3];
	for (int i = 0; i < 3; i++) {
		if (argc != 5 || !span_u64(span_of(argv[i + 2]), &counts[i]) || counts[0] == 0) {
			fputs("usage: seed_catalog METADATA.DUCKDB PROJECTS TABLES WORKSPACES\n", stderr);
			return 2;
		}
	}
	const struct catalog_config config = {.path = argv[1]};
	bool fine = catalog_open(&config, &catalog, &err);
	fine = fine && add_all(catalog, add_project, counts[0], counts[0], &err) &&
	       add_all(catalog, add_table, counts[1], counts[0], &err) &&
	       add_all(catalog, add_workspace, counts[2], counts[0], &err);
	if (fine)
		catalog_close(catalog);
	else
		fprintf(stderr, "%s\n", err.message);
	return !fine;
}
