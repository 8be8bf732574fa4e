/*
 * What group commit is worth: 64 threads that create buckets through the catalog, against one thread that writes the
 * same rows with a prepared INSERT and autocommit on a metadata.duckdb of its own. Also the cost of a read, an update
 * and a start with many tables, and what the history costs an operation. Prints "name value unit".
 *
 *	catalog_bench N		only the one thread, with N rows: the peer of bench/house.py
 */
#include "base/clock.h"
#include "base/fs.h"
#include "catalog/catalog.h"
#include "catalog/history.h"
#include "engine/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	THREADS = 64,
	ROUNDS = 3,
	SINGLE_ROWS = 1000,
	GROUP_ROWS = 200,
	TABLES = 10000,
	MANY = 1000000,
	READS = 200000,
	OPERATIONS = 20000,
	LONG_OPERATIONS = 100,
	UPDATES = 300
};

static char dir[] = "/tmp/catalog-bench-XXXXXX";
static struct catalog *catalog;

static void must(bool ok, const struct err *err)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s\n", err->message);
	exit(1);
}

static double single_insert(int round, int rows)
{
	struct err err = ERR_INIT;
	struct instance *instance;
	struct session *session;
	struct statement *insert;
	char path[96];
	(void)snprintf(path, sizeof(path), "%s/single%d.duckdb", dir, round);
	struct instance_config config = {.path = path, .threads = 1};
	must(instance_open(&config, &instance, &err) && session_open(instance, &session, &err), &err);
	must(session_run(session,
			 "CREATE TABLE buckets (seq BIGINT, project_id VARCHAR, name VARCHAR, description VARCHAR, "
			 "created_at TIMESTAMP)",
			 &err),
	     &err);
	must(statement_prepare(session, "INSERT INTO buckets VALUES ($1, $2, $3, $4, $5)", &insert, &err), &err);
	int64_t start = clock_ns();
	for (int i = 0; i < rows; i++) {
		char name[32];
		uint64_t changed;
		(void)snprintf(name, sizeof(name), "in_c_bucket_%d", i);
		must(statement_bind_int(insert, 1, i, &err) && statement_bind_text(insert, 2, SPAN("project"), &err) &&
			     statement_bind_text(insert, 3, span_of(name), &err) &&
			     statement_bind_text(insert, 4, SPAN("some words about it"), &err) &&
			     statement_bind_timestamp(insert, 5, clock_unix_us(), &err) &&
			     statement_run(insert, &changed, &err),
		     &err);
	}
	double rate = rows / clock_seconds_since(start);
	statement_free(insert);
	session_close(session);
	instance_close(instance);
	return rate;
}

static void *group_worker(void *number)
{
	struct err err = ERR_INIT;
	for (int i = 0; i < GROUP_ROWS; i++) {
		struct arena *arena = arena_new();
		struct bucket b = {.project_id = "project",
				   .created_at = clock_unix_us(),
				   .name = arena_printf(arena, "in_c_bucket_%ld_%d", (long)(intptr_t)number, i),
				   .description = "some words about it"};
		struct catalog_txn *t = catalog_txn(catalog, arena);
		catalog_expect_project(t, KEY("project"), ERR_PROJECT_NOT_FOUND);
		catalog_insert_bucket(t, &b, ERR_BUCKET_EXISTS);
		must(catalog_commit(t, &err), &err);
		arena_free(arena);
	}
	return NULL;
}

static void catalog_start(const char *name)
{
	struct err err = ERR_INIT;
	char path[96];
	(void)snprintf(path, sizeof(path), "%s/%s.duckdb", dir, name);
	struct catalog_config config = {.path = path};
	must(catalog_open(&config, &catalog, &err), &err);
}

static double group_insert(int round, int threads)
{
	struct err err = ERR_INIT;
	char name[32];
	pthread_t workers[THREADS];
	(void)snprintf(name, sizeof(name), "group%d_%d", threads, round);
	catalog_start(name);
	struct arena *arena = arena_new();
	struct project p = {.id = "project"};
	struct catalog_txn *t = catalog_txn(catalog, arena);
	catalog_put_project(t, &p);
	must(catalog_commit(t, &err), &err);
	arena_free(arena);
	int64_t start = clock_ns();
	for (int i = 0; i < threads; i++)
		(void)pthread_create(&workers[i], NULL, group_worker, (void *)(intptr_t)i);
	for (int i = 0; i < threads; i++)
		(void)pthread_join(workers[i], NULL);
	double rate = threads * GROUP_ROWS / clock_seconds_since(start);
	catalog_close(catalog);
	return rate;
}

/* Tables number [from, to). */
static void tables_fill(int from, int to)
{
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(catalog, arena);
	for (int i = from; i < to; i++) {
		struct table_row r = {
			.project_id = arena_printf(arena, "project_%d", i % 100),
			.branch_id = "default",
			.bucket = arena_printf(arena, "in_c_bucket_%d", i % 1000),
			.name = arena_printf(arena, "table_%d", i),
			.origin = "main",
			.schema_json =
				"{\"columns\":[{\"name\":\"id\",\"type\":\"BIGINT\",\"nullable\":false},{\"name\":"
				"\"fee\",\"type\":\"DECIMAL(12,2)\",\"nullable\":true}],\"primary_key\":[\"id\"]}",
			.created_at = clock_unix_us(),
		};
		catalog_put_table_row(t, &r);
	}
	must(catalog_commit(t, &err), &err);
	arena_free(arena);
}

static bool count_rows(void *ctx, struct table_row *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->row_count++;
	return true;
}

static void tables_measure(void)
{
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	int64_t start = clock_ns();
	for (int i = 0; i < READS; i++) {
		char keys[3][32];
		int k = (int)((unsigned)i * 7919u % TABLES);
		struct table_row row;
		(void)snprintf(keys[0], sizeof(keys[0]), "project_%d", k % 100);
		(void)snprintf(keys[1], sizeof(keys[1]), "in_c_bucket_%d", k % 1000);
		(void)snprintf(keys[2], sizeof(keys[2]), "table_%d", k);
		if (!catalog_get_table_row(catalog, arena,
					   KEY((char *)keys[0], "default", (char *)keys[1], (char *)keys[2]), &row))
			abort();
	}
	printf("catalog_get %.2f us\n", clock_seconds_since(start) * 1e6 / READS);
	start = clock_ns();
	for (int i = 0; i < UPDATES; i++) {
		struct catalog_txn *t = catalog_txn(catalog, arena);
		catalog_change_table_row(t, KEY("project_7", "default", "in_c_bucket_7", "table_7"), count_rows, NULL,
					 ERR_TABLE_NOT_FOUND);
		must(catalog_commit(t, &err), &err);
	}
	printf("catalog_update_alone %.2f ms\n", clock_seconds_since(start) * 1e3 / UPDATES);
	arena_free(arena);
}

static int number_order(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* At a steady 5,000 a second, while batches are written beside: what the caller of history_add waits. */
static void history_measure(void)
{
	static int64_t ns[OPERATIONS];
	struct err err = ERR_INIT;
	struct history *history;
	char path[128];
	char id[32];
	(void)snprintf(path, sizeof(path), "%s/operations.duckdb", dir);
	must(history_open(&(struct history_config){.path = path}, &history, &err), &err);
	struct operation op = {
		.id = id,
		.project_id = "project",
		.branch_id = "default",
		.bucket = "in_c_bucket",
		.table_name = "table",
		.command = "import_from_file",
		.door = "rest",
		.status = "success",
		.resource_type = "table",
		.resource_id = "table",
		.request_id = "0b36d3a2-7bd4-4d4c-9d1b-2f0f4d9d3a11",
		.details_json = "{\"rows\":1}",
	};
	for (int i = 0; i < OPERATIONS; i++) {
		(void)snprintf(id, sizeof(id), "operation-%d", i);
		op.started_at = clock_unix_us();
		int64_t start = clock_ns();
		history_add(history, &op);
		ns[i] = clock_ns() - start;
		while (clock_ns() - start < NS_PER_S / 5000)
			;
	}
	qsort(ns, OPERATIONS, sizeof(ns[0]), number_order);
	printf("history_add_p50 %.2f us\n", (double)ns[OPERATIONS / 2] / 1e3);
	printf("history_add_p99 %.2f us\n", (double)ns[OPERATIONS / 100 * 99] / 1e3);
	int64_t start = clock_ns();
	for (int i = 0; i < LONG_OPERATIONS; i++) {
		(void)snprintf(id, sizeof(id), "long-%d", i);
		must(history_begin(history, &op, true, &err), &err);
	}
	printf("history_begin_durable %.2f ms\n", clock_seconds_since(start) * 1e3 / LONG_OPERATIONS);
	history_close(history);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	double single = 0;
	double group = 0;
	double alone = 0;
	if (!mkdtemp(dir))
		return 1;
	if (argc > 1) {
		printf("autocommit_insert_1_thread %.0f per_second\n",
		       single_insert(0, (int)strtol(argv[1], NULL, 10)));
		must(fs_remove_tree(dir, &err), &err);
		return 0;
	}
	/* In turn, so that a busy moment of the machine hits all; the best of each counts. */
	for (int round = 0; round < ROUNDS; round++) {
		double s = single_insert(round, SINGLE_ROWS);
		double g = group_insert(round, THREADS);
		double a = group_insert(round, 1);
		single = s > single ? s : single;
		group = g > group ? g : group;
		alone = a > alone ? a : alone;
	}
	printf("autocommit_insert_1_thread %.0f per_second\n", single);
	printf("catalog_insert_1_thread %.0f per_second\n", alone);
	printf("catalog_insert_%d_threads %.0f per_second\n", THREADS, group);
	printf("catalog_group_commit_ratio %.1f times\n", group / single);
	history_measure();
	catalog_start("tables");
	tables_fill(0, TABLES);
	catalog_close(catalog);
	int64_t start = clock_ns();
	catalog_start("tables");
	printf("catalog_open_%d_tables %.0f ms\n", TABLES, clock_seconds_since(start) * 1e3);
	tables_measure();
	for (int at = TABLES; at < MANY; at += TABLES)
		tables_fill(at, at + TABLES);
	catalog_close(catalog);
	start = clock_ns();
	catalog_start("tables");
	printf("catalog_open_%d_tables %.0f ms\n", MANY, clock_seconds_since(start) * 1e3);
	catalog_close(catalog);
	must(fs_remove_tree(dir, &err), &err);
	return 0;
}
