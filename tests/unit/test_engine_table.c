/* Table files: damaged and missing ones, replacement under readers, the attach cache, staging and what it leaves. */
#include "base/fs.h"
#include "base/limits.h"
#include "base/pool.h"
#include "engine/sql.h"
#include "engine/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/engine_table_XXXXXX";
static char staging_dir[64], private_dir[64];
static struct instance *instance;
static struct table_files *files;

static void open_files(size_t max)
{
	struct err err = ERR_INIT;
	const struct table_files_config config = {.data = instance, .private_dir = private_dir, .max = max};
	if (!table_files_open(&config, &files, &err))
		fail_msg("%s", err.message);
}

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(staging_dir, sizeof(staging_dir), "%s/_staging", root);
	(void)snprintf(private_dir, sizeof(private_dir), "%s/_private", root);
	if (!fs_mkdir(staging_dir, &err) ||
	    !instance_open(&(struct instance_config){.threads = 2, .memory_limit = 1 << 30}, &instance, &err))
		return -1;
	open_files(4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	table_files_close(files);
	instance_close(instance);
	return fs_remove_tree(root, &err) ? 0 : -1;
}

static const char *path_of(const char *name)
{
	static _Thread_local char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s.duckdb", root, name);
	return path;
}

static void run(const char *fmt, const char *alias)
{
	struct err err = ERR_INIT;
	struct session *session;
	struct buf sql = BUF(MIB);
	const char *text;
	sql_printf(&sql, fmt, alias);
	assert_true(sql_finish(&sql, &text, &err) && session_open(instance, &session, &err));
	if (!session_run(session, text, &err))
		fail_msg("%s: %s", text, err.message);
	session_close(session);
	buf_done(&sql);
}

static int64_t ask(const char *fmt, const char *alias)
{
	struct err err = ERR_INIT;
	struct session *session;
	struct buf sql = BUF(MIB);
	const char *text;
	int64_t n = -1;
	sql_printf(&sql, fmt, alias);
	assert_true(sql_finish(&sql, &text, &err) && session_open(instance, &session, &err));
	if (!session_int(session, text, &n, &err))
		fail_msg("%s: %s", text, err.message);
	session_close(session);
	buf_done(&sql);
	return n;
}

static const struct table_column simple_columns[] = {
	{"id", "INTEGER", false, NULL},
	{"select", "VARCHAR", true, "'it''s'"},
};
static const char *const simple_key[] = {"id"};
static const struct table_schema simple = {2, simple_columns, 1, simple_key};

/* A published table whose rows all carry `mark`. */
static void publish(const char *name, int64_t rows, int64_t mark)
{
	struct err err = ERR_INIT;
	struct staging *st;
	struct arena *arena = arena_new();
	struct table_info info;
	char sql[160];
	if (!staging_create(files, staging_dir, 1000, &st, &err) || !staging_create_table(st, &simple, &err))
		fail_msg("%s", err.message);
	(void)snprintf(sql, sizeof(sql), "INSERT INTO %s.main.data SELECT i, '%lld' FROM range(%lld) r(i)", "%s",
		       (long long)mark, (long long)rows);
	run(sql, staging_alias(st));
	if (!staging_seal(st, arena, &info, &err) || !fs_publish(staging_path(st), path_of(name), false, &err))
		fail_msg("%s", err.message);
	assert_int_equal(info.row_count, rows);
	staging_free(st);
	arena_free(arena);
}

static size_t entries(const char *dir)
{
	char command[128];
	int n = -1;
	(void)snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%d", &n), 1);
	(void)pclose(pipe);
	return (size_t)n;
}

static void test_not_a_table(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct table_ref *ref;
	struct table_info info;
	struct arena *arena = arena_new();
	assert_false(table_attach(files, path_of("none"), &ref, &err));
	assert_int_equal(err.code, ERR_TABLE_NOT_FOUND);
	assert_false(table_attach(files, root, &ref, &err));
	assert_int_equal(err.code, ERR_TABLE_NOT_FOUND);
	assert_false(table_describe(files, path_of("none"), arena, &info, &err));
	assert_int_equal(err.code, ERR_TABLE_NOT_FOUND);
	static const char *const contents[] = {"x", "not a database at all, but long enough to look at for a moment"};
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		assert_true(fs_write(path_of("bad"), span_of(contents[i]), 0644, &err));
		assert_false(table_attach(files, path_of("bad"), &ref, &err));
		assert_int_equal(err.code, ERR_ENGINE);
		assert_false(table_describe(files, path_of("bad"), arena, &info, &err));
		assert_int_equal(err.code, ERR_ENGINE);
	}
	/* A good file cut in half, and one without the table. */
	publish("cut", 10, 1);
	assert_int_equal(chmod(path_of("cut"), 0600), 0);
	assert_int_equal(truncate(path_of("cut"), 10000), 0);
	assert_false(table_describe(files, path_of("cut"), arena, &info, &err));
	assert_int_equal(err.code, ERR_ENGINE);
	struct staging *st;
	assert_true(staging_create(files, staging_dir, 0, &st, &err));
	assert_false(staging_seal(st, arena, &info, &err));
	staging_free(st);
	assert_int_equal(entries(private_dir), 0);
	assert_int_equal(entries(staging_dir), 0);
	struct table_files_stats stats;
	table_files_stats(files, &stats);
	assert_int_equal(stats.attached, 0);
	arena_free(arena);
}

static void test_describe(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct staging *st;
	struct table_info info;
	struct arena *arena = arena_new();
	char long_name[256];
	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	const struct table_column columns[] = {
		{"a\"b", "STRUCT(\"x y\" INTEGER, z DECIMAL(10,2)[])", true, NULL},
		{"select", "ENUM('a', 'b''c')", true, "'b''c'"},
		{"Key ž", "TIMESTAMP WITH TIME ZONE", true, NULL},
		{long_name, "JSON", false, "'{}'"},
		{"now", "TIMESTAMP", true, "now()"},
	};
	const char *const key[] = {"Key ž", "a\"b"};
	const struct table_schema schema = {ARRAY_LEN(columns), columns, 2, key};
	assert_true(staging_create(files, staging_dir, 0, &st, &err));
	if (!staging_create_table(st, &schema, &err))
		fail_msg("%s", err.message);
	if (!staging_seal(st, arena, &info, &err))
		fail_msg("%s", err.message);
	assert_int_equal(info.schema.column_count, ARRAY_LEN(columns));
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		assert_string_equal(info.schema.columns[i].name, columns[i].name);
		assert_string_equal(info.schema.columns[i].type, columns[i].type);
	}
	assert_false(info.schema.columns[0].nullable); /* by the key */
	assert_true(info.schema.columns[1].nullable);
	assert_false(info.schema.columns[2].nullable);
	assert_false(info.schema.columns[3].nullable);
	assert_null(info.schema.columns[0].default_sql);
	assert_string_equal(info.schema.columns[1].default_sql, "'b''c'");
	assert_int_equal(info.schema.key_count, 2);
	assert_string_equal(info.schema.key[0], "Key ž");
	assert_string_equal(info.schema.key[1], "a\"b");
	assert_int_equal(info.row_count, 0);
	assert_true(info.size_bytes > 0 && info.size_bytes < 200000);
	struct stat s;
	assert_int_equal(stat(staging_path(st), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0444);
	/* Offset 12 of the file: storage version; 67 is what DuckDB 1.4 writes. */
	unsigned char head[20];
	FILE *f = fopen(staging_path(st), "rb");
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	(void)fclose(f);
	assert_memory_equal(head + 8, "DUCK", 4);
	assert_true(head[12] >= 64 && head[12] <= 67 && head[13] == 0);
	staging_free(st);
	assert_int_equal(entries(staging_dir), 0);
	arena_free(arena);
}

static void test_attach_twice_and_replace(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct table_ref *a, *b, *c;
	struct table_files_stats stats;
	publish("t", 10, 1);
	assert_true(table_attach(files, path_of("t"), &a, &err));
	assert_true(table_attach(files, path_of("t"), &b, &err));
	assert_ptr_equal(a, b);
	publish("t", 20, 2);
	assert_true(table_attach(files, path_of("t"), &c, &err));
	assert_ptr_not_equal(a, c);
	assert_int_equal(ask("SELECT count(*) FROM %s.main.data", table_ref_alias(a)), 10);
	assert_int_equal(ask("SELECT count(*) FROM %s.main.data", table_ref_alias(c)), 20);
	assert_int_equal(entries(private_dir), 2);
	table_release(a);
	table_release(b); /* the old one goes with its last reader */
	assert_int_equal(entries(private_dir), 1);
	assert_int_equal(unlink(path_of("t")), 0);
	assert_int_equal(ask("SELECT count(*) FROM %s.main.data", table_ref_alias(c)), 20);
	table_release(c);
	assert_int_equal(entries(private_dir), 1);
	table_forget(files, path_of("t"));
	assert_int_equal(entries(private_dir), 0);
	table_files_stats(files, &stats);
	assert_int_equal(stats.attached, 0);
	/* Writing through an attached reference is impossible. */
	publish("t", 10, 1);
	assert_true(table_attach(files, path_of("t"), &a, &err));
	struct session *session;
	char sql[128];
	assert_true(session_open(instance, &session, &err));
	(void)snprintf(sql, sizeof(sql), "DELETE FROM %s.main.data", table_ref_alias(a));
	assert_false(session_run(session, sql, &err));
	session_close(session);
	table_release(a);
}

static void test_eviction(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct table_files_stats stats;
	struct table_ref *kept, *ref;
	char name[16];
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "e%d", i);
		publish(name, i + 1, 0);
	}
	assert_true(table_attach(files, path_of("e0"), &kept, &err));
	for (int round = 0; round < 3; round++)
		for (int i = 1; i < 8; i++) {
			(void)snprintf(name, sizeof(name), "e%d", i);
			assert_true(table_attach(files, path_of(name), &ref, &err));
			assert_int_equal(ask("SELECT count(*) FROM %s.main.data", table_ref_alias(ref)), i + 1);
			table_release(ref);
		}
	table_files_stats(files, &stats);
	assert_true(stats.attached <= 4);
	assert_int_equal(stats.in_use, 1);
	assert_true(stats.evictions > 10);
	assert_int_equal(ask("SELECT count(*) FROM %s.main.data", table_ref_alias(kept)), 1);
	table_release(kept);
	assert_int_equal(entries(private_dir), stats.attached);
}

static atomic_bool stop_readers;
static atomic_int reads, torn;

/* Each version is full of its own mark: a mixture would be a torn read. */
static void *reader(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&stop_readers)) {
		struct err err = ERR_INIT;
		struct table_ref *ref;
		if (!table_attach(files, path_of("swap"), &ref, &err)) {
			atomic_fetch_add(&torn, 1000);
			return NULL;
		}
		const int64_t n = ask("SELECT count(DISTINCT \"select\") * 1000000 + count(*) FROM %s.main.data",
				      table_ref_alias(ref));
		if (n != 1000500)
			atomic_fetch_add(&torn, 1);
		atomic_fetch_add(&reads, 1);
		table_release(ref);
	}
	return NULL;
}

static void test_replace_under_readers(void **state)
{
	(void)state;
	unsigned long threads[4];
	publish("swap", 500, 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_start("reader", reader, NULL, &threads[i]);
	for (int version = 1; version <= 40; version++)
		publish("swap", 500, version);
	while (atomic_load(&reads) < 50)
		(void)usleep(1000);
	atomic_store(&stop_readers, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(threads[i]);
	assert_int_equal(atomic_load(&torn), 0);
	table_forget(files, path_of("swap"));
}

static void test_change_a_copy(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	struct staging *st;
	struct table_info before, after;
	publish("c", 100000, 5);
	assert_true(table_describe(files, path_of("c"), arena, &before, &err));
	assert_true(before.dead_fraction < 0.1);
	if (!staging_copy_of(files, staging_dir, path_of("c"), &st, &err))
		fail_msg("%s", err.message);
	run("DELETE FROM %s.main.data WHERE id %% 2 = 0", staging_alias(st));
	assert_true(staging_describe(st, arena, &after, &err));
	assert_int_equal(after.row_count, 50000);
	assert_true(after.dead_fraction > 0.4 && after.dead_fraction < 0.7);
	assert_int_equal(after.schema.key_count, 1);
	/* The published file did not change. */
	struct table_info still;
	assert_true(table_describe(files, path_of("c"), arena, &still, &err));
	assert_int_equal(still.row_count, 100000);
	assert_true(table_identity_eq(&still.identity, &before.identity));
	assert_true(staging_rewrite(st, &err));
	if (!staging_seal(st, arena, &after, &err))
		fail_msg("%s", err.message);
	assert_int_equal(entries(staging_dir), 1);
	assert_int_equal(after.row_count, 50000);
	assert_true(after.dead_fraction < 0.1);
	assert_true(after.size_bytes < before.size_bytes);
	assert_string_equal(after.schema.key[0], "id");
	assert_string_equal(after.schema.columns[1].default_sql, "'it''s'");
	assert_false(after.schema.columns[0].nullable);
	assert_true(fs_publish(staging_path(st), path_of("c"), false, &err));
	staging_free(st);
	/* Another key, then none. */
	for (int n = 1; n >= 0; n--) {
		static const char *const other[] = {"select"};
		assert_true(staging_copy_of(files, staging_dir, path_of("c"), &st, &err));
		assert_true(staging_set_key(st, other, (size_t)n, &err));
		assert_true(staging_seal(st, arena, &after, &err));
		assert_int_equal(after.schema.key_count, n);
		staging_free(st);
	}
	assert_int_equal(entries(staging_dir), 0);
	assert_false(staging_copy_of(files, staging_dir, path_of("none"), &st, &err));
	assert_int_equal(err.code, ERR_TABLE_NOT_FOUND);
	arena_free(arena);
}

static void test_refused_schemas(void **state)
{
	(void)state;
	static const struct table_column bad[][2] = {
		{{"a", "INTEGER", true, NULL}, {"A", "INTEGER", true, NULL}},
		{{"a", "NOSUCH", true, NULL}, {"b", "INTEGER", true, NULL}},
		{{"a", "INTEGER", true, "b + 1"}, {"b", "INTEGER", true, NULL}},
		{{"\xff", "INTEGER", true, NULL}, {"b", "INTEGER", true, NULL}},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		struct staging *st;
		const struct table_schema schema = {2, bad[i], 0, NULL};
		assert_true(staging_create(files, staging_dir, 0, &st, &err));
		assert_false(staging_create_table(st, &schema, &err));
		assert_true(err.code == ERR_ENGINE_REFUSED || err.code == ERR_INVALID_REQUEST);
		staging_free(st);
	}
	assert_int_equal(entries(staging_dir), 0);
}

/* A full disk fails one staging file, and nothing else. */
static void test_disk_full(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	struct table_info info;
	struct staging *st;
	struct session *session;
	char small[64], sql[160];
	(void)snprintf(small, sizeof(small), "%s/small", root);
	assert_true(fs_mkdir(small, &err));
	if (mount("tmpfs", small, "tmpfs", 0, "size=3m") != 0) {
		arena_free(arena);
		skip();
	}
	publish("fine", 10, 1);
	assert_true(staging_create(files, small, 0, &st, &err));
	assert_true(staging_create_table(st, &simple, &err));
	assert_true(session_open(instance, &session, &err));
	(void)snprintf(sql, sizeof(sql), "INSERT INTO %s.main.data SELECT i, md5(i::varchar) FROM range(1000000) r(i)",
		       staging_alias(st));
	bool ok = session_run(session, sql, &err);
	session_close(session);
	ok = ok && staging_seal(st, arena, &info, &err);
	assert_false(ok);
	if (err.code != ERR_DISK_FULL)
		fail_msg("%s %s", err_row(err.code)->id, err.message);
	staging_free(st);
	assert_int_equal(entries(small), 0);
	assert_int_equal(umount(small), 0);
	assert_false(instance_is_dead(instance));
	publish("fine", 11, 1);
	assert_true(table_describe(files, path_of("fine"), arena, &info, &err));
	assert_int_equal(info.row_count, 11);
	arena_free(arena);
}

static void test_leftovers(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct table_ref *ref;
	char path[128];
	publish("left", 3, 1);
	assert_true(table_attach(files, path_of("left"), &ref, &err));
	table_release(ref);
	assert_true(entries(private_dir) > 0);
	table_files_close(files);
	assert_int_equal(entries(private_dir), 0);
	(void)snprintf(path, sizeof(path), "%s/old.7.duckdb", private_dir);
	assert_int_equal(link(path_of("left"), path), 0);
	open_files(4);
	assert_int_equal(entries(private_dir), 0);
	assert_true(fs_exists(path_of("left")));
}

/* Where the private folder is on another file system, links are copies; a table is copied once, not at each use. */
static void test_other_file_system(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct table_files *other;
	struct table_ref *a, *b;
	struct table_info info;
	struct table_identity identity;
	struct arena *arena = arena_new();
	char small[64], dir[80];
	(void)snprintf(small, sizeof(small), "%s/other", root);
	(void)snprintf(dir, sizeof(dir), "%s/private", small);
	assert_true(fs_mkdir(small, &err));
	if (mount("tmpfs", small, "tmpfs", 0, "size=3m") != 0) {
		arena_free(arena);
		skip();
	}
	publish("far", 10, 1);
	struct instance *data;
	assert_true(instance_open(&(struct instance_config){.threads = 1}, &data, &err));
	const struct table_files_config config = {.data = data, .private_dir = dir, .max = 4};
	assert_true(table_files_open(&config, &other, &err));
	if (!table_attach(other, path_of("far"), &a, &err))
		fail_msg("%s", err.message);
	assert_true(table_attach(other, path_of("far"), &b, &err));
	assert_ptr_equal(a, b);
	assert_true(table_describe(other, path_of("far"), arena, &info, &err));
	assert_true(table_identify(path_of("far"), &identity, &err));
	assert_true(table_identity_eq(&identity, &info.identity));
	assert_true(table_identity_eq(&identity, table_ref_identity(a)));
	table_release(a);
	table_release(b);
	table_files_close(other);
	instance_close(data);
	assert_int_equal(umount(small), 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_a_table),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_attach_twice_and_replace),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_replace_under_readers),
		cmocka_unit_test(test_change_a_copy),
		cmocka_unit_test(test_refused_schemas),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_other_file_system),
		cmocka_unit_test(test_leftovers),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
