/* An engine that fails fatally is replaced behind its handle; nobody else notices. */
#include "base/fs.h"
#include "engine/core.h"
#include "engine/sql.h"
#include "engine/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char root[] = "/tmp/engine_fault_XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	return fs_remove_tree(root, &err) ? 0 : -1;
}

/* With groups of its own size the file is attached, and the engine reports what happens to it in other words. */
static void file_instance_fails(const char *name, size_t row_group)
{
	struct err err = ERR_INIT;
	struct instance *instance;
	struct session *session, *other;
	char path[64];
	int64_t n;
	(void)snprintf(path, sizeof(path), "%s/%s.duckdb", root, name);
	const struct instance_config config = {.path = path, .threads = 1, .row_group = row_group};
	assert_true(instance_open(&config, &instance, &err));
	assert_true(session_open(instance, &session, &err));
	assert_true(session_run(session, "CREATE TABLE t AS SELECT i FROM range(1000) r(i)", &err));
	assert_true(session_run(session, "SET debug_checkpoint_abort='before_header'", &err));
	assert_false(session_run(session, "INSERT INTO t VALUES (1); CHECKPOINT", &err));
	assert_int_equal(err.code, row_group ? ERR_IO : ERR_ENGINE);
	assert_true(instance_is_dead(instance));
	/* The file cannot be opened a second time while the failed engine holds it. */
	assert_false(session_open(instance, &other, &err));
	assert_int_equal(err.code, ERR_STORAGE_UNAVAILABLE);
	session_close(session);
	if (!session_open(instance, &session, &err))
		fail_msg("%s", err.message);
	assert_false(instance_is_dead(instance));
	assert_int_equal(instance_generation(instance), 2);
	assert_true(session_int(session, "SELECT count(*) FROM t", &n, &err));
	assert_int_equal(n, 1001); /* what was committed is there */
	session_close(session);
	instance_close(instance);
}

static void test_file_instance(void **state)
{
	(void)state;
	file_instance_fails("own", 0);
	file_instance_fails("own-grouped", 20480);
}

static int64_t groups(struct session *session)
{
	struct err err = ERR_INIT;
	int64_t n;
	assert_true(
		session_int(session, "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('t')", &n, &err));
	return n;
}

static void test_row_groups(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 20480, 0};
	static const int64_t expected[] = {1, 6, 3}; /* a checkpoint joins groups, and never splits one */
	struct err err = ERR_INIT;
	struct instance *instance;
	struct session *session;
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/groups's.duckdb", root);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const struct instance_config config = {
			.path = path, .threads = 1, .row_group = sizes[i], .lockdown_dir = ""};
		if (!instance_open(&config, &instance, &err) || !session_open(instance, &session, &err))
			fail_msg("%s", err.message);
		assert_true(session_run(session, "CREATE TABLE IF NOT EXISTS t(i BIGINT)", &err));
		assert_true(session_run(session, "INSERT INTO t SELECT range FROM range(100000); CHECKPOINT", &err));
		assert_int_equal(groups(session), expected[i]);
		int64_t n;
		assert_true(session_int(session, "SELECT sum(i) FROM t", &n, &err));
		assert_int_equal(n, (int64_t)(i + 1) * 4999950000);
		/* Nothing is left of what it took. */
		assert_true(
			session_int(session, "SELECT count(*) FROM duckdb_databases() WHERE NOT internal", &n, &err));
		assert_int_equal(n, 1);
		session_close(session);
		instance_close(instance);
	}
}

static void publish(struct table_files *files, const char *path)
{
	struct err err = ERR_INIT;
	struct staging *st;
	struct table_info info;
	struct arena *arena = arena_new();
	const struct table_column column = {"id", "INTEGER", true, NULL};
	const struct table_schema schema = {1, &column, 0, NULL};
	assert_true(staging_create(files, root, 0, &st, &err) && staging_create_table(st, &schema, &err) &&
		    staging_seal(st, arena, &info, &err) && fs_publish(staging_path(st), path, false, &err));
	staging_free(st);
	arena_free(arena);
}

static bool reads(struct session *session, const struct table_ref *ref)
{
	char sql[100];
	int64_t n;
	struct err err = ERR_INIT;
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.main.data", table_ref_alias(ref));
	return session_int(session, sql, &n, &err);
}

static void test_memory_instance(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct instance *instance;
	struct table_files *files;
	struct table_ref *before, *after;
	struct session *old, *fresh;
	char path[64], private_dir[64];
	(void)snprintf(path, sizeof(path), "%s/t.duckdb", root);
	(void)snprintf(private_dir, sizeof(private_dir), "%s/private", root);
	assert_true(instance_open(&(struct instance_config){.threads = 2}, &instance, &err));
	const struct table_files_config config = {.data = instance, .private_dir = private_dir, .max = 8};
	assert_true(table_files_open(&config, &files, &err));
	publish(files, path);
	assert_true(table_attach(files, path, &before, &err));
	assert_true(session_open(instance, &old, &err));
	assert_true(reads(old, before));
	/* What a FATAL error does; no statement is known that makes the engine fail like that. */
	atomic_store(&instance->core->dead, true);
	assert_true(instance_is_dead(instance));
	assert_true(session_open(instance, &fresh, &err));
	assert_false(instance_is_dead(instance));
	assert_int_equal(instance_generation(instance), 2);
	assert_true(reads(old, before)); /* drains */
	assert_false(reads(fresh, before));
	assert_true(table_attach(files, path, &after, &err));
	assert_ptr_not_equal(before, after);
	assert_true(reads(fresh, after));
	table_release(before);
	session_close(old);
	assert_true(reads(fresh, after));
	table_release(after);
	session_close(fresh);
	/* With an unused reference of a dead engine in the cache. */
	atomic_store(&instance->core->dead, true);
	assert_true(table_attach(files, path, &after, &err));
	assert_int_equal(instance_generation(instance), 3);
	assert_true(session_open(instance, &fresh, &err));
	assert_true(reads(fresh, after));
	session_close(fresh);
	table_release(after);
	publish(files, path); /* staging works on the new engine */
	table_files_close(files);
	instance_close(instance);
}

static void test_version_and_paths(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct instance *instance;
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/no/such/folder/x.duckdb", root);
	const struct instance_config config = {.path = path, .hide_dir = root};
	assert_false(instance_open(&config, &instance, &err));
	assert_null(strstr(err.message, root));
	(void)snprintf(path, sizeof(path), "%s/text", root);
	assert_true(fs_write(path, SPAN("no database"), 0644, &err));
	assert_false(instance_open(&config, &instance, &err));
	assert_int_not_equal(err.code, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_instance),
		cmocka_unit_test(test_row_groups),
		cmocka_unit_test(test_memory_instance),
		cmocka_unit_test(test_version_and_paths),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
