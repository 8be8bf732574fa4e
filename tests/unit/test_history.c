/* The operation history: what was added is found, counted, kept for its time, and marked when it was cut off. */
#include "catalog_bed.h"

#include "base/id.h"
#include "base/limits.h"
#include "catalog/history.h"
#include "engine/session.h"

#include <sys/mount.h>

#define DAY_US (24 * 3600 * US_PER_S)

struct place {
	char dir[64];
	char path[128];
	struct history *history;
	struct arena *arena;
};

static void place_open(struct place *p)
{
	struct err err = ERR_INIT;
	struct history_config config = {.path = p->path};
	if (!history_open(&config, &p->history, &err))
		fail_msg("%s", err.message);
}

static int setup(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/history-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/operations.duckdb", p->dir);
	p->arena = arena_new();
	place_open(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	history_close(p->history);
	arena_free(p->arena);
	bool ok = fs_remove_tree(p->dir, &err);
	free(p);
	return ok ? 0 : -1;
}

static void add(struct place *p, const char *id, const char *project, const char *command, const char *status,
		int64_t started_at, int64_t duration_us)
{
	struct operation op = {.id = id,
			       .project_id = project,
			       .command = command,
			       .status = status,
			       .error_code = strcmp(status, "error") == 0 ? "table_not_found" : NULL,
			       .started_at = started_at,
			       .duration_us = duration_us,
			       .bucket = "in",
			       .table_name = "t"};
	history_add(p->history, &op);
}

static struct operation *list(struct place *p, const struct history_filter *f, size_t limit, uint64_t offset, size_t *n,
			      uint64_t *total)
{
	struct operation *rows;
	struct err err = ERR_INIT;
	if (!history_list(p->history, p->arena, f, limit, offset, &rows, n, total, &err))
		fail_msg("%s", err.message);
	return rows;
}

static void whole_row_comes_back(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct operation op = {
		.id = "id'1\"",
		.project_id = "p",
		.branch_id = "b",
		.bucket = "in",
		.table_name = "\xc4\x8d",
		.command = "import_from_file",
		.door = "rest",
		.status = "error",
		.error_code = "import_failed",
		.error_message = "Row 3: '; DROP TABLE operations; --",
		.resource_type = "table",
		.resource_id = "in.t",
		.request_id = "r",
		.connection_job_id = "j",
		.connection_run_id = "run",
		.details_json = "{\"a\":\"'\"}",
		.started_at = 1741425967123456,
		.duration_us = 1,
		.queue_wait_us = 2,
		.rows = INT64_MAX,
		.bytes_in = 4,
		.bytes_out = 5,
	};
	history_add(p->history, &op);
	for (int pass = 0; pass < 2; pass++) {
		struct operation got;
		assert_true(history_get(p->history, p->arena, "p", "id'1\"", &got, &err));
		assert_string_equal(got.error_message, op.error_message);
		assert_string_equal(got.table_name, op.table_name);
		assert_string_equal(got.details_json, op.details_json);
		assert_string_equal(got.connection_run_id, "run");
		assert_true(got.started_at == op.started_at && got.rows == INT64_MAX && got.bytes_out == 5);
		history_close(p->history);
		place_open(p);
	}
	struct operation got;
	assert_false(history_get(p->history, p->arena, "q", "id'1\"", &got, &err));
	assert_int_equal(err.code, ERR_OPERATION_NOT_FOUND);
	assert_true(history_get(p->history, p->arena, NULL, "id'1\"", &got, &err));
}

static void hostile_texts_are_tamed(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	char *large = mem_alloc(MIB + 1);
	memset(large, 'x', MIB);
	/* A limit in the middle of a character. */
	memcpy(large + 4095, "\xc4\x8d", 2);
	struct operation op = {.id = "x",
			       .command = "\xff\xfe bad",
			       .error_message = large,
			       .details_json = large,
			       .status = "success",
			       .started_at = 1};
	history_add(p->history, &op);
	struct operation got;
	assert_true(history_get(p->history, p->arena, NULL, "x", &got, &err));
	assert_string_equal(got.command, "?? bad");
	assert_int_equal(strlen(got.error_message), 4095);
	assert_string_equal(got.details_json, "{\"truncated\":true}");
	free(large);
}

static void filters_and_pages(void **state)
{
	struct place *p = *state;
	for (int i = 0; i < 200; i++)
		add(p, arena_printf(p->arena, "id%03d", i), i % 2 ? "p1" : "p2",
		    i % 4 < 2 ? "create_table" : "delete_rows", i % 5 ? "success" : "error", 1000 + i, i);
	size_t n;
	uint64_t total;
	struct history_filter f = {.project_id = "p1"};
	struct operation *rows = list(p, &f, 10, 0, &n, &total);
	assert_int_equal(total, 100);
	assert_int_equal(n, 10);
	assert_string_equal(rows[0].id, "id199");
	assert_string_equal(rows[9].id, "id181");
	rows = list(p, &f, 10, 95, &n, &total);
	assert_int_equal(n, 5);
	assert_string_equal(rows[4].id, "id001");
	(void)list(p, &f, 10, 100, &n, &total);
	assert_int_equal(n, 0);
	assert_int_equal(total, 100);
	f = (struct history_filter){.command = "create_table", .status = "error", .bucket = "in", .table_name = "t"};
	(void)list(p, &f, 1000, 0, &n, &total);
	assert_int_equal(total, 20);
	f = (struct history_filter){.from = 1100, .to = 1110};
	rows = list(p, &f, 1000, 0, &n, &total);
	assert_int_equal(n, 10);
	assert_string_equal(rows[0].id, "id109");
	f = (struct history_filter){.project_id = "' OR true --"};
	(void)list(p, &f, 10, 0, &n, &total);
	assert_int_equal(total, 0);
}

static void statistics_are_right(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct history_stats s;
	struct history_filter f = {.project_id = "p"};
	assert_true(history_stats(p->history, p->arena, &f, &s, &err));
	assert_int_equal(s.total, 0);
	assert_true(s.success_rate == 1 && s.command_count == 0 && s.error_count == 0 && s.p99_ms == 0);
	for (int i = 1; i <= 100; i++)
		add(p, arena_printf(p->arena, "id%d", i), "p", i <= 40 ? "b_command" : "a_command",
		    i <= 10 ? "error" : "success", i, i * 1000);
	add(p, "other", "q", "a_command", "error", 1, 1000000);
	assert_true(history_stats(p->history, p->arena, &f, &s, &err));
	assert_int_equal(s.total, 100);
	assert_true(s.success_rate > 0.899 && s.success_rate < 0.901);
	assert_true(s.avg_ms > 50.4 && s.avg_ms < 50.6);
	assert_true(s.p50_ms > 50 && s.p50_ms < 51 && s.p95_ms > 95 && s.p95_ms < 96 && s.p99_ms > 99 &&
		    s.p99_ms < 100);
	assert_int_equal(s.command_count, 2);
	assert_string_equal(s.commands[0].command, "a_command");
	assert_int_equal(s.commands[0].count, 60);
	assert_true(s.commands[1].avg_ms > 20.4 && s.commands[1].avg_ms < 20.6);
	assert_int_equal(s.error_count, 1);
	assert_string_equal(s.errors[0].code, "table_not_found");
	assert_int_equal(s.errors[0].count, 10);
}

static void cut_off_operations_are_marked(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct operation op = {.project_id = "p", .command = "import_from_file", .started_at = 5};
	static const char *const ids[] = {"never ended", "ended", "ended later"};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		op.id = ids[i];
		assert_true(history_begin(p->history, &op, i != 1, &err));
	}
	add(p, "ended", "p", "import_from_file", "success", 5, 1);
	size_t n;
	uint64_t total;
	struct history_filter f = {.project_id = "p"};
	(void)list(p, &f, 10, 0, &n, &total);
	assert_int_equal(total, 1); /* what runs is not history yet */
	add(p, "ended later", "p", "import_from_file", "error", 5, 1);
	for (int pass = 0; pass < 2; pass++) {
		history_close(p->history);
		place_open(p);
		(void)list(p, &f, 10, 0, &n, &total);
		assert_int_equal(total, 3);
		struct operation got;
		assert_true(history_get(p->history, p->arena, "p", "never ended", &got, &err));
		assert_string_equal(got.status, "interrupted");
		assert_string_equal(got.command, "import_from_file");
		assert_true(history_get(p->history, p->arena, "p", "ended", &got, &err));
		assert_string_equal(got.status, "success");
		assert_true(history_get(p->history, p->arena, "p", "ended later", &got, &err));
		assert_string_equal(got.status, "error");
	}
}

static void old_rows_go_by_their_outcome(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	int64_t now = 2000 * DAY_US;
	add(p, "s6", "p", "c", "success", now - 6 * DAY_US, 1);
	add(p, "s8", "p", "c", "success", now - 8 * DAY_US, 1);
	add(p, "e8", "p", "c", "error", now - 8 * DAY_US, 1);
	add(p, "t31", "p", "c", "timeout", now - 31 * DAY_US, 1);
	uint64_t removed;
	assert_true(history_sweep(p->history, now, &removed, &err));
	assert_int_equal(removed, 2);
	struct operation got;
	assert_true(history_get(p->history, p->arena, NULL, "s6", &got, &err));
	assert_true(history_get(p->history, p->arena, NULL, "e8", &got, &err));
	assert_false(history_get(p->history, p->arena, NULL, "s8", &got, &err));
	assert_false(history_get(p->history, p->arena, NULL, "t31", &got, &err));
	assert_true(history_sweep(p->history, now, &removed, &err));
	assert_int_equal(removed, 0);
}

static void add_many(void *ctx, int number)
{
	struct place *p = ctx;
	struct err err = ERR_INIT;
	for (int i = 0; i < 500; i++) {
		char id[ID_UUID_SIZE];
		id_uuid(id);
		struct operation op = {
			.id = id, .project_id = "p", .command = "c", .status = "success", .started_at = 1 + i};
		if (i % 100 == 0 && !history_begin(p->history, &op, number % 2, &err))
			abort();
		history_add(p->history, &op);
	}
}

static void many_threads_add(void **state)
{
	struct place *p = *state;
	bed_threads(16, add_many, p);
	size_t n;
	uint64_t total;
	struct history_filter f = {0};
	(void)list(p, &f, 5000, 0, &n, &total);
	assert_int_equal(total, 16 * 500);
	assert_int_equal(n, LIMIT_HISTORY_PAGE);
	struct history_totals totals;
	history_totals(p->history, &totals);
	assert_int_equal(totals.added, 16 * 500);
	assert_int_equal(totals.dropped, 0);
	assert_int_equal(totals.queue_depth, 0);
	assert_true(totals.file_bytes + totals.wal_bytes > 0);
	history_close(p->history);
	place_open(p);
	f.status = "interrupted";
	(void)list(p, &f, 10, 0, &n, &total);
	assert_int_equal(total, 0);
}

/* What a full disk did not take waits, and is written when there is room again. */
static void full_disk_loses_nothing(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	if (geteuid() != 0)
		skip();
	history_close(p->history);
	bool mounted = mount("tmpfs", p->dir, "tmpfs", 0, "size=3m") == 0;
	place_open(p);
	if (!mounted)
		skip();
	char noise[4001];
	uint64_t added = 0;
	bool taken = true;
	while (taken) {
		assert_true(added < 20000);
		for (int i = 0; i < 100; i++) {
			for (size_t k = 0; k + 8 < sizeof(noise); k += 8)
				(void)snprintf(noise + k, 9, "%08x", (unsigned)rand());
			struct operation op = {.id = arena_printf(p->arena, "id%llu", (unsigned long long)added++),
					       .project_id = "p",
					       .status = "error",
					       .error_message = noise,
					       .started_at = 1};
			history_add(p->history, &op);
		}
		taken = history_flush(p->history, &err);
	}
	assert_int_equal(err.code, ERR_DISK_FULL);
	struct operation start = {.id = "start", .project_id = "p", .started_at = 1};
	assert_false(history_begin(p->history, &start, true, &err));
	assert_int_equal(err.code, ERR_DISK_FULL);
	assert_int_equal(mount("tmpfs", p->dir, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	bool back = false;
	for (int i = 0; i < 1000 && !back; i++) {
		back = history_flush(p->history, &err);
		if (!back)
			(void)usleep(10000);
	}
	assert_true(back);
	size_t n;
	uint64_t total;
	struct history_filter f = {.project_id = "p"};
	(void)list(p, &f, 1, 0, &n, &total);
	assert_int_equal(total, added);
	struct history_totals totals;
	history_totals(p->history, &totals);
	assert_int_equal(totals.dropped, 0);
	history_close(p->history);
	assert_int_equal(umount(p->dir), 0);
	place_open(p);
}

/* A file of an earlier version gets the columns it lacks. */
static void older_file_is_brought_up(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	add(p, "old", "p", "c", "success", 7, 1);
	history_close(p->history);
	struct instance *instance;
	struct session *session;
	struct instance_config config = {.path = p->path, .threads = 1};
	assert_true(instance_open(&config, &instance, &err) && session_open(instance, &session, &err));
	assert_true(session_run(session,
				"ALTER TABLE operations DROP COLUMN door; ALTER TABLE running DROP COLUMN door", &err));
	session_close(session);
	instance_close(instance);
	place_open(p);
	struct operation op = {.id = "new", .project_id = "p", .door = "s3", .status = "success", .started_at = 8};
	struct operation got;
	history_add(p->history, &op);
	assert_true(history_get(p->history, p->arena, "p", "new", &got, &err));
	assert_string_equal(got.door, "s3");
	assert_true(history_get(p->history, p->arena, "p", "old", &got, &err));
	assert_null(got.door);
	assert_string_equal(got.command, "c");
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACE(whole_row_comes_back), PLACE(hostile_texts_are_tamed),	   PLACE(filters_and_pages),
		PLACE(statistics_are_right), PLACE(cut_off_operations_are_marked), PLACE(old_rows_go_by_their_outcome),
		PLACE(many_threads_add),     PLACE(full_disk_loses_nothing),	   PLACE(older_file_is_brought_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
