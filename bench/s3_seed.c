/* Fills a catalog with file records: s3_seed METADATA.DUCKDB PROJECT COUNT. The server must not run. Nothing lies behind
 * the records; listing does not look. */
#include "base/clock.h"
#include "catalog/catalog.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 20000 };

static bool add(struct catalog *catalog, const char *project, uint64_t from, uint64_t to, struct err *err)
{
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(catalog, arena);
	for (uint64_t i = from; i < to; i++) {
		const char *key = arena_printf(arena, "data/%03llu/%08llu.csv", (unsigned long long)(i / 1000),
					       (unsigned long long)i);
		catalog_put_file_row(t, &(struct file_row){.project_id = project,
							   .id = arena_printf(arena, "%08llu", (unsigned long long)i),
							   .object_key = key,
							   .name = key,
							   .path = arena_printf(arena, "project_%s/%s", project, key),
							   .etag = "d41d8cd98f00b204e9800998ecf8427e",
							   .door = "s3",
							   .size_bytes = 1,
							   .created_at = clock_unix_us(),
							   .updated_at = clock_unix_us()});
	}
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct catalog *catalog;
	uint64_t count;
	if (argc != 4 || !span_u64(span_of(argv[3]), &count)) {
		fputs("usage: s3_seed METADATA.DUCKDB PROJECT COUNT\n", stderr);
		return 2;
	}
	const struct catalog_config config = {.path = argv[1]};
	bool fine = catalog_open(&config, &catalog, &err);
	for (uint64_t i = 0; fine && i < count; i += BATCH)
		fine = add(catalog, argv[2], i, i + BATCH < count ? i + BATCH : count, &err);
	if (fine)
		catalog_close(catalog);
	else
		fprintf(stderr, "%s\n", err.message);
	return !fine;
}
