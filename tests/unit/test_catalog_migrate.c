/* Versions of the schema: from nothing, from an older file, from a newer one, from something else. */
#include "catalog_bed.h"

#include "catalog/migrate.h"

struct file {
	char dir[64];
	char path[128];
	struct instance *instance;
	struct session *session;
};

static void file_open(struct file *f)
{
	struct err err = ERR_INIT;
	struct instance_config config = {.path = f->path, .threads = 1};
	if (!instance_open(&config, &f->instance, &err) || !session_open(f->instance, &f->session, &err))
		fail_msg("%s", err.message);
}

static void file_close(struct file *f)
{
	session_close(f->session);
	instance_close(f->instance);
	f->session = NULL;
	f->instance = NULL;
}

static int setup(void **state)
{
	struct file *f = mem_alloc(sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/catalog-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/metadata.duckdb", f->dir);
	file_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	file_close(f);
	bool ok = fs_remove_tree(f->dir, &err);
	free(f);
	return ok ? 0 : -1;
}

static void run(struct file *f, const char *sql)
{
	struct err err = ERR_INIT;
	if (!session_run(f->session, sql, &err))
		fail_msg("%s: %s", sql, err.message);
}

static int64_t number(struct file *f, const char *sql)
{
	struct err err = ERR_INIT;
	int64_t n = -1;
	if (!session_int(f->session, sql, &n, &err))
		fail_msg("%s: %s", sql, err.message);
	return n;
}

static const struct migration steps[] = {
	{2, "ALTER TABLE buckets ADD COLUMN colour VARCHAR DEFAULT 'none'"},
	{3, "CREATE TABLE extra (x BIGINT); INSERT INTO extra VALUES (1), (2)"},
};

static void older_file_is_brought_up(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	assert_true(migrate_run(f->session, NULL, 0, 1, &err));
	run(f, "INSERT INTO buckets (seq, project_id, name) VALUES (1, 'p', 'b')");
	assert_int_equal(number(f, "SELECT max(version) FROM schema_version"), 1);
	assert_true(migrate_run(f->session, steps, 2, 3, &err));
	assert_int_equal(number(f, "SELECT max(version) FROM schema_version"), 3);
	assert_int_equal(number(f, "SELECT count(*) FROM schema_version"), 3);
	assert_int_equal(number(f, "SELECT count(*) FROM buckets WHERE colour = 'none'"), 1);
	/* Once is enough. */
	assert_true(migrate_run(f->session, steps, 2, 3, &err));
	assert_int_equal(number(f, "SELECT count(*) FROM extra"), 2);
}

static void new_file_is_newest_at_once(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	assert_true(migrate_run(f->session, steps, 2, 3, &err));
	assert_int_equal(number(f, "SELECT min(version) FROM schema_version"), 3);
	assert_int_equal(number(f, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'extra'"), 0);
}

static void failing_step_leaves_the_version_before(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	static const struct migration broken[] = {
		{2, "CREATE TABLE extra (x BIGINT)"},
		{3, "INSERT INTO extra VALUES (1); INSERT INTO nowhere VALUES (1)"},
	};
	assert_true(migrate_run(f->session, NULL, 0, 1, &err));
	assert_false(migrate_run(f->session, broken, 2, 3, &err));
	assert_int_equal(number(f, "SELECT max(version) FROM schema_version"), 2);
	assert_int_equal(number(f, "SELECT count(*) FROM extra"), 0);
}

static void foreign_and_newer_files_are_refused(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	run(f, "CREATE TABLE somebody (x INTEGER)");
	assert_false(migrate_to_current(f->session, &err));
	assert_int_equal(err.code, ERR_METADATA);
	assert_non_null(strstr(err.message, "not a catalog"));
	run(f, "DROP TABLE somebody");
	assert_true(migrate_to_current(f->session, &err));
	run(f, "ALTER TABLE buckets DROP COLUMN description");
	assert_false(migrate_to_current(f->session, &err));
	assert_non_null(strstr(err.message, "buckets.description VARCHAR"));
	run(f, "ALTER TABLE buckets ADD COLUMN description VARCHAR");
	assert_true(migrate_to_current(f->session, &err));
	run(f, "INSERT INTO schema_version VALUES (999, NULL, 'future')");
	file_close(f);

	struct catalog *catalog;
	struct catalog_config config = {.path = f->path};
	assert_false(catalog_open(&config, &catalog, &err));
	assert_int_equal(err.code, ERR_METADATA);
	assert_non_null(strstr(err.message, "999"));
	assert_non_null(strstr(err.message, "newer"));
	file_open(f);
}

static void file_that_is_no_database_is_refused(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	struct catalog *catalog;
	struct catalog_config config = {.path = f->path};
	file_close(f);
	assert_true(fs_unlink(f->path, &err));
	assert_true(fs_write(f->path, SPAN("this is not a database file at all, but long enough to look"), 0644, &err));
	assert_false(catalog_open(&config, &catalog, &err));
	assert_int_equal(err.code, ERR_METADATA);
	assert_true(fs_unlink(f->path, &err));
	file_open(f);
}

static void people_can_read_the_file(void **state)
{
	struct file *f = *state;
	struct err err = ERR_INIT;
	struct catalog *catalog;
	struct catalog_config config = {.path = f->path};
	file_close(f);
	assert_true(catalog_open(&config, &catalog, &err));
	struct arena *arena = arena_new();
	struct project p = {.id = "p7", .name = "Harbour", .created_at = 1741425967123456};
	struct catalog_txn *t = catalog_txn(catalog, arena);
	catalog_put_project(t, &p);
	bed_commit(t);
	arena_free(arena);
	catalog_close(catalog);
	file_open(f);
	assert_int_equal(number(f,
				"SELECT count(*) FROM projects WHERE id = 'p7' AND name = 'Harbour' AND created_at = "
				"TIMESTAMP '2025-03-08 09:26:07.123456' AND updated_at IS NULL"),
			 1);
}

int main(void)
{
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		FILE_TEST(older_file_is_brought_up),
		FILE_TEST(new_file_is_newest_at_once),
		FILE_TEST(failing_step_leaves_the_version_before),
		FILE_TEST(foreign_and_newer_files_are_refused),
		FILE_TEST(file_that_is_no_database_is_refused),
		FILE_TEST(people_can_read_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
