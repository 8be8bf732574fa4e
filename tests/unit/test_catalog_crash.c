/*
 * kill -9 at any moment: a child commits in a loop and reports every acknowledged commit over a pipe; the parent kills
 * it, opens the files, and looks for everything that was acknowledged, round after round on the same files.
 * CRASH_ROUNDS=1000 in the environment makes it a longer hunt.
 */
#include "catalog_bed.h"

#include "base/id.h"
#include "catalog/history.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

enum { ROUNDS = 25, CHILD_THREADS = 4 };

struct files {
	char dir[64];
	char catalog[128];
	char history[128];
};

static void files_name(struct files *f, const char *dir)
{
	(void)snprintf(f->dir, sizeof(f->dir), "%s", dir);
	(void)snprintf(f->catalog, sizeof(f->catalog), "%s/metadata.duckdb", f->dir);
	(void)snprintf(f->history, sizeof(f->history), "%s/operations.duckdb", f->dir);
}

struct ack {
	int round;
	int thread;
	int number;
};

struct child {
	struct catalog *catalog;
	struct history *history;
	int round;
	int pipe;
};

static void die(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "%s: %s\n", what, err->message);
	_exit(2);
}

static bool raise_count(void *ctx, struct project *row, struct arena *arena)
{
	(void)ctx;
	(void)arena;
	row->table_count++;
	return true;
}

/* A bucket and its table come together; every third bucket goes again; the project counts the pairs. */
static void child_commit(struct child *c, int thread, int number)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	char *name = arena_printf(arena, "b_%d_%d_%d", c->round, thread, number);
	struct catalog_txn *t = catalog_txn(c->catalog, arena);
	struct bucket bucket = {.project_id = "p", .name = name, .created_at = clock_unix_us()};
	struct table_row table = {.project_id = "p", .branch_id = "default", .bucket = name, .name = "t"};
	catalog_insert_bucket(t, &bucket, ERR_BUCKET_EXISTS);
	catalog_insert_table_row(t, &table, ERR_TABLE_EXISTS);
	catalog_change_project(t, KEY("p"), raise_count, NULL, ERR_PROJECT_NOT_FOUND);
	if (!catalog_commit(t, &err))
		die("commit", &err);
	if (number % 3 == 0) {
		t = catalog_txn(c->catalog, arena);
		catalog_remove_bucket(t, KEY("p", name));
		catalog_remove_all_tables_of_bucket(t, KEY("p", name));
		if (!catalog_commit(t, &err))
			die("remove", &err);
	}
	if (thread == 0 && number % 4 == 0) {
		struct operation op = {
			.id = name, .project_id = "p", .command = "import_from_file", .started_at = clock_unix_us()};
		if (!history_begin(c->history, &op, true, &err))
			die("history", &err);
		op.status = "success";
		if (number % 8 == 0)
			history_add(c->history, &op);
	}
	struct ack ack = {c->round, thread, number};
	if (write(c->pipe, &ack, sizeof(ack)) != (ssize_t)sizeof(ack))
		_exit(3);
	arena_free(arena);
}

static void child_loop(void *ctx, int thread)
{
	for (int number = 1;; number++)
		child_commit(ctx, thread, number);
}

static void child_main(const struct files *f, int round, int pipe)
{
	struct child c = {.round = round, .pipe = pipe};
	struct err err = ERR_INIT;
	/* Checkpoints often, so that some are hit. */
	struct catalog_config config = {.path = f->catalog, .checkpoint_commits = 7};
	struct history_config history = {.path = f->history};
	if (!catalog_open(&config, &c.catalog, &err) || !history_open(&history, &c.history, &err))
		die("open", &err);
	/* Ready; a round may end before any commit. */
	struct ack ready = {round, -1, 0};
	if (write(pipe, &ready, sizeof(ready)) != (ssize_t)sizeof(ready))
		_exit(3);
	bed_threads(CHILD_THREADS, child_loop, &c);
}

struct tally {
	int last[CHILD_THREADS]; /* number of the newest acknowledged commit */
	int total;
};

/* At most `max` of them. */
static void acks_read(int pipe, int max, struct tally *tally)
{
	struct ack ack;
	ssize_t n = (ssize_t)sizeof(ack);
	while (max-- > 0 && (n = read(pipe, &ack, sizeof(ack))) == (ssize_t)sizeof(ack)) {
		if (ack.thread < 0)
			continue;
		assert_in_range(ack.thread, 0, CHILD_THREADS - 1);
		tally->last[ack.thread] = ack.number;
		tally->total++;
	}
	assert_true(n == (ssize_t)sizeof(ack) || n == 0);
}

static int64_t names_check(struct catalog *c, int round, const struct tally *tally)
{
	int64_t pairs = 0;
	struct arena *arena = arena_new();
	for (int thread = 0; thread < CHILD_THREADS; thread++)
		/* The one after the last acknowledged may be there or not, but never by halves. */
		for (int number = 1; number <= tally->last[thread] + 1; number++) {
			char *name = arena_printf(arena, "b_%d_%d_%d", round, thread, number);
			struct bucket bucket;
			struct table_row table;
			bool there = catalog_get_bucket(c, arena, KEY("p", name), &bucket);
			assert_int_equal(there,
					 catalog_get_table_row(c, arena, KEY("p", "default", name, "t"), &table));
			if (number <= tally->last[thread])
				assert_int_equal(there, number % 3 != 0);
			pairs += there;
		}
	arena_free(arena);
	return pairs;
}

/* Every durable start is there: as success when its end was written, else as interrupted. */
static void history_check(const struct files *f, int round, const struct tally *tally)
{
	struct history *h;
	struct err err = ERR_INIT;
	struct history_config config = {.path = f->history};
	assert_true(history_open(&config, &h, &err));
	struct arena *arena = arena_new();
	for (int number = 4; number <= tally->last[0]; number += 4) {
		struct operation op;
		if (!history_get(h, arena, "p", arena_printf(arena, "b_%d_0_%d", round, number), &op, &err))
			fail_msg("%s", err.message);
		assert_true(strcmp(op.status, "interrupted") == 0 ||
			    (number % 8 == 0 && strcmp(op.status, "success") == 0));
	}
	arena_free(arena);
	history_close(h);
}

static void round_run(const struct files *f, int round, struct tally *tally)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
	/* This program again, not a fork: the engine's allocator holds locks across forks that sanitizers cannot count. */
	char numbers[2][16];
	(void)snprintf(numbers[0], sizeof(numbers[0]), "%d", round);
	(void)snprintf(numbers[1], sizeof(numbers[1]), "%d", ends[1]);
	char self[] = "test_catalog_crash";
	char dir[sizeof(f->dir)];
	memcpy(dir, f->dir, sizeof(dir));
	char *args[] = {self, dir, numbers[0], numbers[1], NULL};
	pid_t child;
	assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, args, environ), 0);
	(void)close(ends[1]);
	/* Some way in, and then in the middle of something. */
	acks_read(ends[0], 1 + rand() % 60, tally);
	(void)usleep((useconds_t)(rand() % 3000));
	(void)kill(child, SIGKILL);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	acks_read(ends[0], INT_MAX, tally);
	(void)close(ends[0]);
}

static void everything_acknowledged_survives(void **state)
{
	(void)state;
	struct files f;
	struct err err = ERR_INIT;
	char dir[] = "/tmp/catalog-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	files_name(&f, dir);
	struct catalog_config config = {.path = f.catalog};
	struct catalog *c;
	assert_true(catalog_open(&config, &c, &err));
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(c, arena);
	struct project p = {.id = "p"};
	catalog_put_project(t, &p);
	bed_commit(t);
	arena_free(arena);
	catalog_close(c);
	srand((unsigned)clock_unix_us());
	int64_t pairs = 0;
	int64_t acknowledged = 0;
	int64_t rounds;
	if (!span_i64(span_of(getenv("CRASH_ROUNDS")), &rounds) || rounds < 1 || rounds > 100000)
		rounds = ROUNDS;
	for (int round = 0; round < rounds; round++) {
		struct tally tally = {0};
		round_run(&f, round, &tally);
		assert_true(catalog_open(&config, &c, &err));
		pairs += names_check(c, round, &tally);
		assert_int_equal(catalog_count_buckets(c, KEY("p")), pairs);
		assert_int_equal(catalog_count_tables(c, KEY("p")), pairs);
		catalog_close(c);
		if (round % 10 == 0)
			history_check(&f, round, &tally);
		acknowledged += tally.total;
	}
	assert_true(acknowledged >= rounds);
	assert_true(fs_remove_tree(f.dir, &err));
}

int main(int argc, char **argv)
{
	if (argc == 4) {
		struct files f;
		int64_t round;
		int64_t pipe;
		if (!span_i64(span_of(argv[2]), &round) || !span_i64(span_of(argv[3]), &pipe))
			return 4;
		files_name(&f, argv[1]);
		child_main(&f, (int)round, (int)pipe);
		return 5;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(everything_acknowledged_survives)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
