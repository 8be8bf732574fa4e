/* The one writer: batches, races, faults, and that the model is what the file says. */
#include "catalog_bed.h"

#include "base/limits.h"
#include "catalog/core.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mount.h>

/* ---- Batches ---- */

struct gate {
	sem_t entered;
	sem_t open;
};

static bool gate_check(void *ctx, struct catalog *catalog, struct err *err)
{
	(void)catalog;
	(void)err;
	struct gate *g = ctx;
	(void)sem_post(&g->entered);
	while (sem_wait(&g->open) != 0)
		continue;
	return true;
}

/* The writer is held inside a check until gate_open. */
static void gate_close(struct bed *b, struct gate *g)
{
	(void)sem_init(&g->entered, 0, 0);
	(void)sem_init(&g->open, 0, 0);
	struct catalog_txn *t = catalog_txn(b->catalog, NULL);
	catalog_check(t, gate_check, g);
	catalog_commit_async(t, NULL, NULL);
	while (sem_wait(&g->entered) != 0)
		continue;
}

static void gate_open(struct gate *g)
{
	(void)sem_post(&g->open);
}

static void count_done(void *ctx, const struct err *failure)
{
	_Atomic int *counts = ctx;
	counts[failure ? failure->code == ERR_BUCKET_EXISTS ? 1 : 2 : 0]++;
}

static void bucket_async(struct bed *b, const char *project, const char *name, _Atomic int *counts)
{
	struct catalog_txn *t = catalog_txn(b->catalog, NULL);
	struct bucket row = {.project_id = project, .name = name};
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	catalog_commit_async(t, count_done, counts);
}

static void what_waits_is_committed_at_once(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	struct gate g;
	struct catalog_stats before;
	struct catalog_stats after;
	gate_close(b, &g);
	catalog_stats(b->catalog, &before);
	for (int i = 0; i < 300; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "b%d", i);
		bucket_async(b, "p", name, counts);
	}
	struct catalog_stats waiting;
	catalog_stats(b->catalog, &waiting);
	gate_open(&g);
	/* The one being judged has not left the queue yet. */
	assert_int_equal(waiting.queue_depth, 301);
	bed_project(b, "last");
	catalog_stats(b->catalog, &after);
	assert_int_equal(counts[0], 300);
	assert_int_equal(after.commits - before.commits, 302);
	/* 256 at most in one: two batches, or three when the last one came late. */
	assert_in_range(after.batches - before.batches, 2, 3);
	assert_int_equal(after.queue_depth, 0);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 300);
}

static void clashes_within_a_batch_are_judged_in_order(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	struct gate g;
	gate_close(b, &g);
	for (int i = 0; i < 10; i++)
		bucket_async(b, "p", i % 2 ? "odd" : "even", counts);
	struct catalog_txn *t = catalog_txn(b->catalog, NULL);
	catalog_remove_bucket(t, KEY("p", "odd"));
	catalog_commit_async(t, count_done, counts);
	bucket_async(b, "p", "odd", counts);
	gate_open(&g);
	bed_project(b, "last");
	assert_int_equal(counts[0], 4);
	assert_int_equal(counts[1], 8);
	assert_int_equal(counts[2], 0);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 2);
}

struct told {
	sem_t told;
	_Atomic int counts[3];
};

static void tell(void *ctx, const struct err *failure)
{
	struct told *t = ctx;
	count_done(t->counts, failure);
	(void)sem_post(&t->told);
}

static void bucket_then(struct bed *b, struct arena *arena, const char *name, struct told *told)
{
	struct catalog_txn *t = catalog_txn(b->catalog, arena);
	struct bucket row = {.project_id = "p", .name = name};
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	catalog_commit_then(t, tell, told);
}

/* Who goes on meanwhile is told once: durable, refused by the writer, or refused before it came there. */
static void callers_that_went_on_are_told(void **state)
{
	struct bed *b = *state;
	struct told told = {.counts = {0}};
	struct arena *arena = arena_new();
	struct gate g;
	(void)sem_init(&told.told, 0, 0);
	gate_close(b, &g);
	for (int i = 0; i < 100; i++)
		bucket_then(b, arena, arena_printf(arena, "b%d", i % 60), &told);
	assert_int_equal(told.counts[0] + told.counts[1] + told.counts[2], 0);
	bucket_then(b, arena, "\xff", &told);
	assert_int_equal(told.counts[2], 1);
	catalog_commit_then(catalog_txn(b->catalog, arena), tell, &told);
	assert_int_equal(told.counts[0], 1);
	gate_open(&g);
	for (int i = 0; i < 102; i++)
		while (sem_wait(&told.told) != 0)
			continue;
	assert_int_equal(told.counts[0], 61);
	assert_int_equal(told.counts[1], 40);
	assert_int_equal(told.counts[2], 1);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 60);
	/* Nobody waits for these: closing tells them. */
	for (int i = 0; i < 20; i++)
		bucket_then(b, arena, arena_printf(arena, "late%d", i), &told);
	bed_reopen(b);
	assert_int_equal(told.counts[0], 81);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 80);
	arena_free(arena);
	(void)sem_destroy(&told.told);
}

static bool is_active(void *ctx, const struct project *row, struct err *err)
{
	*(_Atomic int *)ctx += 1;
	return (row && strcmp(row->status, "active") == 0) || err_set(err, ERR_PROJECT_NOT_FOUND, "No such project");
}

/* Conditions on one row, removals by prefix and rows that everybody changes do not cut a batch. */
static void conditions_share_a_batch(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	_Atomic int verified = 0;
	struct gate g;
	struct catalog_stats before;
	struct catalog_stats after;
	bed_project(b, "p");
	for (int i = 0; i < 20; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "old%d", i);
		bed_bucket(b, name, "x");
	}
	gate_close(b, &g);
	catalog_stats(b->catalog, &before);
	for (int i = 0; i < 20; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "old%d", i);
		struct bucket row = {.project_id = "p", .name = name};
		struct catalog_txn *t = catalog_txn(b->catalog, NULL);
		catalog_verify_project(t, KEY(i == 7 ? "nobody" : "p"), is_active, &verified);
		catalog_remove_all_buckets(t, KEY(name));
		catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
		catalog_commit_async(t, count_done, counts);
	}
	/* This one removes what the others brought, and brings one back. */
	struct bucket again = {.project_id = "p", .name = "old3", .description = "again"};
	struct catalog_txn *t = catalog_txn(b->catalog, NULL);
	catalog_remove_all_buckets(t, KEY("p"));
	catalog_insert_bucket(t, &again, ERR_BUCKET_EXISTS);
	catalog_commit_async(t, count_done, counts);
	gate_open(&g);
	bed_project(b, "last");
	catalog_stats(b->catalog, &after);
	assert_int_equal(counts[0], 20);
	assert_int_equal(counts[2], 1);
	assert_int_equal(verified, 20);
	assert_in_range(after.batches - before.batches, 1, 2);
	for (int pass = 0; pass < 2; pass++) {
		struct bucket got;
		assert_int_equal(catalog_count_buckets(b->catalog, KEY_ALL), 2);
		assert_int_equal(catalog_count_buckets(b->catalog, KEY("old7")), 1);
		assert_true(catalog_get_bucket(b->catalog, b->arena, KEY("p", "old3"), &got));
		assert_string_equal(got.description, "again");
		bed_reopen(b);
	}
}

static bool count_up(void *ctx, struct project *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->table_count++;
	return true;
}

/* A refused transaction leaves nothing of itself in the batch that goes on after it. */
static void refused_member_is_undone_within_the_batch(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	struct gate g;
	bed_project(b, "p");
	gate_close(b, &g);
	for (int i = 0; i < 60; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "b%d", i / 3);
		struct bucket row = {.project_id = "p", .name = name, .description = i % 3 ? "wrong" : "right"};
		struct bucket side = {.project_id = "side", .name = name};
		struct catalog_txn *t = catalog_txn(b->catalog, NULL);
		catalog_change_project(t, KEY("p"), count_up, NULL, ERR_PROJECT_NOT_FOUND);
		if (i % 3 == 1)
			catalog_remove_all_buckets(t, KEY("p"));
		catalog_put_bucket(t, i % 3 ? &side : &row);
		/* Its own row is in the way. */
		if (i % 3)
			catalog_insert_bucket(t, &side, ERR_BUCKET_EXISTS);
		catalog_commit_async(t, count_done, counts);
	}
	gate_open(&g);
	bed_project(b, "last");
	assert_int_equal(counts[0], 20);
	assert_int_equal(counts[1], 40);
	for (int pass = 0; pass < 2; pass++) {
		struct project p;
		struct bucket *rows;
		size_t n;
		assert_true(catalog_get_project(b->catalog, b->arena, KEY("p"), &p));
		assert_int_equal(p.table_count, 20);
		assert_int_equal(catalog_count_buckets(b->catalog, KEY("side")), 0);
		catalog_list_buckets(b->catalog, b->arena, KEY("p"), NULL, &rows, &n);
		assert_int_equal(n, 20);
		for (size_t i = 0; i < n; i++)
			assert_string_equal(rows[i].description, "right");
		bed_reopen(b);
	}
}

static void failing_member_fails_alone(void **state)
{
	struct bed *b = *state;
	bed_bucket(b, "p", "victim");
	bed_bucket(b, "p", "other");
	/* The victim's row is not where the model believes it: the engine refuses to replace it. */
	struct catalog_key key = KEY("p", "victim");
	struct packed *row = model_find(b->catalog->core->model, CATALOG_INDEX_buckets, &key);
	int64_t seq = row->seq;
	row->seq = -1;
	_Atomic int counts[3] = {0};
	struct gate g;
	gate_close(b, &g);
	static const char *const names[] = {"a", "victim", "other", "c"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct catalog_txn *t = catalog_txn(b->catalog, NULL);
		struct bucket fresh = {.project_id = "p", .name = names[i], .description = "new"};
		catalog_put_bucket(t, &fresh);
		catalog_commit_async(t, count_done, counts);
	}
	gate_open(&g);
	bed_project(b, "last");
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[2], 1);
	row = model_find(b->catalog->core->model, CATALOG_INDEX_buckets, &key);
	row->seq = seq;
	bed_bucket(b, "p", "after");
	bed_reopen(b);
	struct bucket got;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_true(catalog_get_bucket(b->catalog, b->arena, KEY("p", names[i]), &got));
		if (i == 1)
			assert_null(got.description);
		else
			assert_string_equal(got.description, "new");
	}
}

static void queue_of_updates_is_bounded(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	struct gate g;
	gate_close(b, &g);
	for (int i = 0; i < LIMIT_CATALOG_ASYNC - 1 + 50; i++) { /* the gate is one of them */
		struct catalog_txn *t = catalog_txn(b->catalog, NULL);
		catalog_remove_bucket(t, KEY("p", "nobody"));
		catalog_commit_async(t, count_done, counts);
	}
	gate_open(&g);
	bed_project(b, "last");
	assert_int_equal(counts[0], LIMIT_CATALOG_ASYNC - 1);
	assert_int_equal(counts[2], 50);
}

/* ---- Races ---- */

struct race {
	struct catalog *catalog;
	_Atomic int won;
	_Atomic int lost;
	_Atomic int other;
};

static void insert_same_names(void *ctx, int number)
{
	struct race *r = ctx;
	for (int i = 0; i < 25; i++) {
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;
		struct branch row = {.project_id = "p",
				     .id = arena_printf(arena, "id_%d_%d", number, i),
				     .name = arena_printf(arena, "name_%d", i)};
		struct catalog_txn *t = catalog_txn(r->catalog, arena);
		catalog_insert_branch(t, &row, ERR_BRANCH_NAME_EXISTS);
		bool ok = catalog_commit(t, &err);
		struct branch got;
		if (!catalog_get_branch_by_name(r->catalog, arena, KEY("p", row.name), &got))
			r->other++;
		if (ok)
			r->won++;
		else if (err.code == ERR_BRANCH_NAME_EXISTS)
			r->lost++;
		else
			r->other++;
		arena_free(arena);
	}
}

static void one_of_many_gets_a_name(void **state)
{
	struct bed *b = *state;
	struct race r = {.catalog = b->catalog};
	bed_threads(64, insert_same_names, &r);
	assert_int_equal(r.won, 25);
	assert_int_equal(r.lost, 63 * 25);
	assert_int_equal(r.other, 0);
	assert_int_equal(catalog_count_branches(b->catalog, KEY("p")), 25);
}

static void count_up_often(void *ctx, int number)
{
	struct race *r = ctx;
	(void)number;
	for (int i = 0; i < 25; i++) {
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;
		struct catalog_txn *t = catalog_txn(r->catalog, arena);
		catalog_change_project(t, KEY("p"), count_up, NULL, ERR_PROJECT_NOT_FOUND);
		if (!catalog_commit(t, &err))
			r->other++;
		arena_free(arena);
	}
}

static void no_change_is_lost(void **state)
{
	struct bed *b = *state;
	struct race r = {.catalog = b->catalog};
	struct project p;
	bed_project(b, "p");
	bed_threads(16, count_up_often, &r);
	assert_int_equal(r.other, 0);
	assert_true(catalog_get_project(b->catalog, b->arena, KEY("p"), &p));
	assert_int_equal(p.table_count, 16 * 25);
	bed_reopen(b);
	assert_true(catalog_get_project(b->catalog, b->arena, KEY("p"), &p));
	assert_int_equal(p.table_count, 16 * 25);
}

static void create_or_drop(void *ctx, int number)
{
	struct race *r = ctx;
	for (int i = 0; i < 40; i++) {
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;
		struct catalog_txn *t = catalog_txn(r->catalog, arena);
		if (number % 4 == 0) {
			struct project p = {.id = "p"};
			catalog_remove_project(t, KEY("p"));
			catalog_remove_all_buckets(t, KEY("p"));
			if (i % 2)
				catalog_put_project(t, &p);
		} else {
			struct bucket row = {.project_id = "p", .name = arena_printf(arena, "b%d_%d", number, i)};
			catalog_expect_project(t, KEY("p"), ERR_PROJECT_NOT_FOUND);
			catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
		}
		if (!catalog_commit(t, &err) && err.code != ERR_PROJECT_NOT_FOUND)
			r->other++;
		arena_free(arena);
	}
}

static void nothing_survives_its_owner(void **state)
{
	struct bed *b = *state;
	struct race r = {.catalog = b->catalog};
	bed_project(b, "p");
	bed_threads(16, create_or_drop, &r);
	assert_int_equal(r.other, 0);
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	catalog_remove_project(t, KEY("p"));
	catalog_remove_all_buckets(t, KEY("p"));
	bed_commit(t);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY_ALL), 0);
}

/* ---- The model is what the file says ---- */

struct dump {
	struct buf out;
	const struct entity_def *entity;
};

static bool dump_row(void *ctx, struct packed *row)
{
	struct dump *d = ctx;
	buf_bytes(&d->out, row->bytes, row->size);
	return true;
}

/* Every row of every entity in the order of every index. */
static struct buf dump_model(const struct model *m)
{
	struct dump d = {.out = BUF(GIB)};
	struct catalog_key all = KEY_ALL;
	for (enum catalog_index i = 0; i < CATALOG_INDEXES; i++) {
		buf_printf(&d.out, "\n%s %llu\n", schema_index(i)->name, (unsigned long long)tree_count(&m->trees[i]));
		model_walk(m, i, &all, NULL, dump_row, &d);
	}
	assert_false(d.out.failed);
	return d.out;
}

static bool grow_text(void *ctx, struct file_row *row, struct arena *arena)
{
	(void)ctx;
	row->tags_json = arena_printf(arena, "%s\xc4\x8d'", row->tags_json ? row->tags_json : "");
	row->updated_at++;
	return true;
}

static void random_step(struct catalog_txn *t, unsigned *seed)
{
	struct arena *a = t->arena;
	const char *project = arena_printf(a, "p%d", rand_r(seed) % 5);
	const char *name = arena_printf(a, "n%d", rand_r(seed) % 40);
	struct bucket bucket = {.project_id = project, .name = name, .description = rand_r(seed) % 2 ? name : NULL};
	struct file_row file = {.project_id = project,
				.id = name,
				.object_key = name,
				.size_bytes = rand_r(seed),
				.created_at = 1 + rand_r(seed) % 9};
	switch (rand_r(seed) % 8) {
	case 0:
		catalog_put_bucket(t, &bucket);
		break;
	case 1:
		catalog_insert_bucket(t, &bucket, ERR_BUCKET_EXISTS);
		break;
	case 2:
		catalog_remove_bucket(t, KEY(project, name));
		break;
	case 3:
	case 4:
		catalog_put_file_row(t, &file);
		break;
	case 5:
		catalog_remove_all_files_newest(t, KEY(project, file.created_at));
		break;
	case 6:
		catalog_remove_all_buckets(t, KEY(project));
		break;
	default:
		catalog_change_file_row(t, KEY(project, name), grow_text, NULL, ERR_NONE);
		break;
	}
}

static void random_work(void *ctx, int number)
{
	struct race *r = ctx;
	unsigned seed = (unsigned)number + 1;
	for (int i = 0; i < 50; i++) {
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;
		struct catalog_txn *t = catalog_txn(r->catalog, arena);
		for (int steps = rand_r(&seed) % 30; steps >= 0; steps--)
			random_step(t, &seed);
		if (!catalog_commit(t, &err) && err.code != ERR_BUCKET_EXISTS)
			r->other++;
		struct file_row *rows;
		size_t n;
		catalog_list_files_newest(r->catalog, arena, KEY("p1"), NULL, &rows, &n);
		for (size_t k = 1; k < n; k++)
			if (rows[k - 1].created_at < rows[k].created_at)
				r->other++;
		arena_free(arena);
	}
}

static void model_equals_the_file(void **state)
{
	struct bed *b = *state;
	struct race r = {.catalog = b->catalog};
	bed_threads(8, random_work, &r);
	assert_int_equal(r.other, 0);
	struct buf before = dump_model(b->catalog->core->model);
	bed_reopen(b);
	struct buf after = dump_model(b->catalog->core->model);
	assert_true(before.len > 2000);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.ptr, after.ptr, before.len);
	buf_done(&before);
	buf_done(&after);
}

static void checkpoints_come_by_commits(void **state)
{
	struct bed *b = *state;
	catalog_close(b->catalog);
	struct err err = ERR_INIT;
	struct catalog_config config = {.path = b->path, .checkpoint_commits = 10};
	assert_true(catalog_open(&config, &b->catalog, &err));
	for (int i = 0; i < 35; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "b%d", i);
		bed_bucket(b, "p", name);
	}
	/* The tenth checkpoint runs after its commit was acknowledged: the next commit stands behind it. */
	struct catalog_stats stats;
	catalog_stats(b->catalog, &stats);
	assert_int_equal(stats.checkpoints, 3);
	assert_true(stats.wal_bytes < 10000);
}

static void checkpoints_count_the_log_of_a_crash(void **state)
{
	struct bed *b = *state;
	for (int i = 0; i < 30; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "b%d", i);
		bed_bucket(b, "p", name);
	}
	/* What a kill leaves: the file and its log as they are now. */
	char path[sizeof(b->path) + 5], wal[sizeof(path) + 4], left[sizeof(b->path) + 4];
	(void)snprintf(path, sizeof(path), "%s.left", b->path);
	(void)snprintf(left, sizeof(left), "%s.wal", b->path);
	(void)snprintf(wal, sizeof(wal), "%s.wal", path);
	struct err err = ERR_INIT;
	assert_true(fs_copy(b->path, path, &err) && fs_copy(left, wal, &err));
	catalog_close(b->catalog);
	struct catalog_config config = {.path = path, .checkpoint_commits = 20};
	assert_true(catalog_open(&config, &b->catalog, &err));
	/* A checkpoint may run after the acknowledgement of the first; the second stands behind it. */
	bed_bucket(b, "p", "first");
	bed_bucket(b, "p", "second");
	struct catalog_stats stats;
	catalog_stats(b->catalog, &stats);
	assert_int_equal(stats.checkpoints, 1);
	assert_true(stats.wal_bytes < 2000);
}

/* ---- Faults ---- */

static void full_disk_is_told_and_survived(void **state)
{
	struct bed *b = *state;
	if (geteuid() != 0)
		skip();
	catalog_close(b->catalog);
	if (mount("tmpfs", b->dir, "tmpfs", 0, "size=3m") != 0) {
		bed_open(b);
		skip();
	}
	bed_open(b);
	bed_project(b, "p");
	char *filler = mem_alloc(64 * KIB + 1);
	memset(filler, 'x', 64 * KIB);
	struct err err = ERR_INIT;
	int stored = 0;
	for (;; stored++) {
		assert_true(stored < 1000);
		struct arena *arena = arena_new();
		for (size_t i = 0; i < 64 * KIB; i += 16) /* not to be squeezed */
			(void)snprintf(filler + i, 17, "%08x%08x", rand(), rand());
		struct bucket row = {
			.project_id = "p", .name = arena_printf(arena, "b%d", stored), .description = filler};
		struct catalog_txn *t = catalog_txn(b->catalog, arena);
		catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
		bool ok = catalog_commit(t, &err);
		arena_free(arena);
		if (!ok)
			break;
	}
	assert_int_equal(err.code, ERR_DISK_FULL);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), stored);
	/* Space returns. */
	assert_int_equal(mount("tmpfs", b->dir, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	bool back = false;
	for (int i = 0; i < 100 && !back; i++) {
		struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
		struct bucket row = {.project_id = "p", .name = "after"};
		catalog_put_bucket(t, &row);
		back = catalog_commit(t, &err);
		if (!back)
			(void)usleep(10000);
	}
	if (!back)
		fail_msg("%s", err.message);
	bed_reopen(b);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), stored + 1);
	free(filler);
	catalog_close(b->catalog);
	assert_int_equal(umount(b->dir), 0);
	bed_open(b);
}

static void *close_catalog(void *ctx)
{
	catalog_close(ctx);
	return NULL;
}

static bool is_closing(struct writer *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	bool closing = w->closing;
	(void)pthread_mutex_unlock(&w->mutex);
	return closing;
}

/* What waits when the catalog begins to close is committed; what comes then is refused, whoever asks and however. */
static void closing_refuses_what_is_new(void **state)
{
	struct bed *b = *state;
	_Atomic int counts[3] = {0};
	struct gate g;
	pthread_t closer;
	struct bucket late = {.project_id = "p", .name = "late"};
	gate_close(b, &g);
	bucket_async(b, "p", "before", counts);
	assert_int_equal(pthread_create(&closer, NULL, close_catalog, b->catalog), 0);
	int64_t deadline = clock_ns() + 60 * NS_PER_S;
	while (!is_closing(&b->catalog->core->writer) && clock_ns() < deadline)
		(void)usleep(1000);
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	catalog_insert_bucket(t, &late, ERR_BUCKET_EXISTS);
	bed_refused(t, ERR_DRAINING);
	t = catalog_txn(b->catalog, b->arena);
	catalog_insert_bucket(t, &late, ERR_BUCKET_EXISTS);
	catalog_commit_then(t, count_done, counts);
	bucket_async(b, "p", "late", counts);
	assert_int_equal(counts[2], 2);
	gate_open(&g);
	assert_int_equal(pthread_join(closer, NULL), 0);
	assert_int_equal(counts[0], 1);
	bed_open(b);
	struct bucket row;
	assert_true(catalog_get_bucket(b->catalog, b->arena, KEY("p", "before"), &row));
	assert_false(catalog_get_bucket(b->catalog, b->arena, KEY("p", "late"), &row));
}

static void scrapes_do_not_count(void **state)
{
	struct bed *b = *state;
	struct core *core = b->catalog->core;
	struct project p;
	double before = metric_value(core->calls[CATALOG_READ]);
	(void)catalog_get_project(catalog_uncounted(b->catalog), b->arena, KEY("p"), &p);
	(void)catalog_count_buckets(catalog_uncounted(b->catalog), KEY_ALL);
	assert_true(metric_value(core->calls[CATALOG_READ]) == before);
	(void)catalog_get_project(b->catalog, b->arena, KEY("p"), &p);
	(void)catalog_count_buckets(b->catalog, KEY_ALL);
	assert_true(metric_value(core->calls[CATALOG_READ]) == before + 2);
	assert_true(metric_value(core->seconds[CATALOG_READ]) == metric_value(core->calls[CATALOG_READ]));
	double writes = metric_value(core->calls[CATALOG_WRITE]);
	bed_project(b, "p");
	assert_true(metric_value(core->calls[CATALOG_WRITE]) == writes + 1);
	assert_true(metric_value(core->active) == 0 && metric_value(core->queue_depth) == 0);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		BED(what_waits_is_committed_at_once),
		BED(clashes_within_a_batch_are_judged_in_order),
		BED(callers_that_went_on_are_told),
		BED(conditions_share_a_batch),
		BED(refused_member_is_undone_within_the_batch),
		BED(failing_member_fails_alone),
		BED(queue_of_updates_is_bounded),
		BED(one_of_many_gets_a_name),
		BED(no_change_is_lost),
		BED(nothing_survives_its_owner),
		BED(model_equals_the_file),
		BED(checkpoints_come_by_commits),
		BED(checkpoints_count_the_log_of_a_crash),
		BED(full_disk_is_told_and_survived),
		BED(closing_refuses_what_is_new),
		BED(scrapes_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
