/* What the catalog's tests share: a scratch folder, opening, committing, threads. */
#ifndef TESTS_CATALOG_BED_H
#define TESTS_CATALOG_BED_H

#include "base/clock.h"
#include "base/fs.h"
#include "catalog/catalog.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	char dir[64];
	char path[128];
	struct catalog *catalog;
	struct arena *arena;
};

static inline void bed_open(struct bed *b)
{
	struct err err = ERR_INIT;
	struct catalog_config config = {.path = b->path};
	if (!catalog_open(&config, &b->catalog, &err))
		fail_msg("%s", err.message);
}

static inline void bed_reopen(struct bed *b)
{
	catalog_close(b->catalog);
	bed_open(b);
}

static inline int bed_setup(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/catalog-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(b->path, sizeof(b->path), "%s/metadata.duckdb", b->dir);
	b->arena = arena_new();
	bed_open(b);
	*state = b;
	return 0;
}

static inline int bed_teardown(void **state)
{
	struct bed *b = *state;
	struct err err = ERR_INIT;
	catalog_close(b->catalog);
	arena_free(b->arena);
	bool removed = fs_remove_tree(b->dir, &err);
	free(b);
	return removed ? 0 : -1;
}

static inline void bed_commit(struct catalog_txn *t)
{
	struct err err = ERR_INIT;
	if (!catalog_commit(t, &err))
		fail_msg("%s", err.message);
}

static inline void bed_refused(struct catalog_txn *t, enum err_code code)
{
	struct err err = ERR_INIT;
	assert_false(catalog_commit(t, &err));
	if (err.code != code)
		fail_msg("%s instead of %s: %s", err_row(err.code)->id, err_row(code)->id, err.message);
}

static inline void bed_project(struct bed *b, const char *id)
{
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	struct project p = {.id = id, .status = "active", .created_at = clock_unix_us()};
	catalog_insert_project(t, &p, ERR_PROJECT_EXISTS);
	bed_commit(t);
}

static inline void bed_bucket(struct bed *b, const char *project, const char *name)
{
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	struct bucket row = {.project_id = project, .name = name, .created_at = 1};
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	bed_commit(t);
}

enum { BED_THREADS_MAX = 64 };

/* Runs `work(ctx, 0)` ... `work(ctx, n - 1)` at once and waits for all. */
struct bed_worker {
	void (*work)(void *ctx, int number);
	void *ctx;
	int number;
};

static inline void *bed_worker_run(void *worker)
{
	struct bed_worker *w = worker;
	w->work(w->ctx, w->number);
	return NULL;
}

static inline void bed_threads(int n, void (*work)(void *ctx, int number), void *ctx)
{
	pthread_t threads[BED_THREADS_MAX];
	struct bed_worker workers[BED_THREADS_MAX];
	for (int i = 0; i < n; i++) {
		workers[i] = (struct bed_worker){work, ctx, i};
		assert_int_equal(pthread_create(&threads[i], NULL, bed_worker_run, &workers[i]), 0);
	}
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
}

#endif
