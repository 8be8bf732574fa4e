/* The Files API below its doors: sessions that expire, bodies that break off, bytes that vanish, the sweep. */
#include "storage/file.h"

#include "base/clock.h"
#include "base/fs.h"
#include "storage/object.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	char dir[64];
	struct settings settings;
	struct storage storage;
	struct call call;
	struct err err;
};

static int bed_setup(void **state)
{
	struct bed *bed = mem_alloc(sizeof(*bed));
	struct err err = ERR_INIT;
	memcpy(bed->dir, "/tmp/test_file.XXXXXX", 22);
	assert_non_null(mkdtemp(bed->dir));
	bed->call = (struct call){.arena = arena_new(), .request_id = "r", .who.kind = WHO_ADMIN};
	struct arena *arena = bed->call.arena;
	bed->settings.files_dir = arena_printf(arena, "%s/files", bed->dir);
	bed->settings.files_max_count = 50;
	bed->settings.files_max_bytes = 100000;
	bed->settings.file_max_bytes = 1000;
	bed->storage.settings = &bed->settings;
	struct catalog_config config = {.path = arena_printf(arena, "%s/metadata.duckdb", bed->dir)};
	assert_true(catalog_open(&config, &bed->storage.catalog, &err));
	assert_true(objects_open(&bed->storage, &err));
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, arena);
	catalog_put_project(t, &(struct project){.id = "p", .status = "active", .created_at = 1});
	catalog_put_project(t, &(struct project){.id = "gone", .status = "deleted", .created_at = 1});
	assert_true(catalog_commit(t, &err));
	*state = bed;
	return 0;
}

static int bed_done(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	objects_close(&bed->storage);
	catalog_close(bed->storage.catalog);
	assert_true(fs_remove_tree(bed->dir, &err));
	arena_free(bed->call.arena);
	free(bed);
	return 0;
}

/* A body of `size` bytes x that breaks off after `until`. */
struct body {
	size_t size;
	size_t until;
	size_t at;
};

static bool body_read(void *ctx, void *bytes, size_t size, size_t *ret_len, struct err *err)
{
	struct body *b = ctx;
	size_t left = b->size - b->at;
	if (b->at >= b->until)
		return err_set(err, ERR_CANCELLED, "The client left");
	*ret_len = left < 100 ? left : 100;
	*ret_len = *ret_len < size ? *ret_len : size;
	memset(bytes, 'x', *ret_len);
	b->at += *ret_len;
	return true;
}

static const char *prepare(struct bed *bed, int64_t announced)
{
	struct upload upload;
	const struct file_prepare request = {.filename = "a.csv", .size_bytes = announced};
	assert_true(file_prepare(&bed->storage, &bed->call, "p", &request, &upload, &bed->err));
	return upload.key;
}

static enum err_code send(struct bed *bed, const char *key, size_t size, size_t until)
{
	struct upload upload;
	struct body body = {size, until, 0};
	const struct byte_source source = {body_read, &body};
	bed->err = ERR_INIT;
	return file_upload(&bed->storage, &bed->call, "p", key, &source, &upload, &bed->err) ? ERR_NONE : bed->err.code;
}

static enum err_code register_it(struct bed *bed, const char *key, struct file_row *ret)
{
	bed->err = ERR_INIT;
	return file_register(&bed->storage, &bed->call, "p", key, NULL, NULL, ret, &bed->err) ? ERR_NONE
											      : bed->err.code;
}

static bool count_name(void *ctx, const char *name, bool is_dir, struct err *err)
{
	(void)name, (void)is_dir, (void)err;
	++*(size_t *)ctx;
	return true;
}

static size_t staged(struct bed *bed)
{
	size_t n = 0;
	const char *folder = arena_printf(bed->call.arena, "%s/_incoming", bed->settings.files_dir);
	assert_true(!fs_is_dir(folder) || fs_list(folder, count_name, &n, &bed->err));
	return n;
}

static bool end_now(void *ctx, struct upload *row, struct arena *arena)
{
	(void)ctx, (void)arena;
	row->expires_at = clock_unix_us() - 1;
	return true;
}

static void expire(struct bed *bed, const char *key)
{
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->call.arena);
	catalog_change_upload(t, KEY(key), end_now, NULL, ERR_INTERNAL);
	assert_true(catalog_commit(t, &bed->err));
}

static void broken_bodies_leave_nothing(void **state)
{
	struct bed *bed = *state;
	const char *key = prepare(bed, -1);
	assert_int_equal(send(bed, key, 500, 200), ERR_CANCELLED);
	assert_int_equal(staged(bed), 0);
	assert_int_equal(send(bed, key, 1001, SIZE_MAX), ERR_FILE_TOO_LARGE);
	assert_int_equal(staged(bed), 0);
	const char *announced = prepare(bed, 10);
	assert_int_equal(send(bed, announced, 11, SIZE_MAX), ERR_SIZE_MISMATCH);
	assert_int_equal(staged(bed), 0);
	assert_int_equal(send(bed, key, 1000, SIZE_MAX), ERR_NONE);
	assert_int_equal(staged(bed), 1);
	/* A failed second try leaves the first one's bytes. */
	assert_int_equal(send(bed, key, 500, 200), ERR_CANCELLED);
	struct file_row file;
	assert_int_equal(register_it(bed, key, &file), ERR_NONE);
	assert_int_equal(file.size_bytes, 1000);
	assert_int_equal(staged(bed), 0);
}

static void sessions_expire(void **state)
{
	struct bed *bed = *state;
	struct file_row file;
	const char *key = prepare(bed, -1);
	assert_int_equal(send(bed, key, 10, SIZE_MAX), ERR_NONE);
	expire(bed, key);
	assert_int_equal(send(bed, key, 10, SIZE_MAX), ERR_UPLOAD_SESSION_EXPIRED);
	assert_int_equal(staged(bed), 0);
	assert_int_equal(send(bed, key, 10, SIZE_MAX), ERR_UPLOAD_SESSION_NOT_FOUND);
	key = prepare(bed, -1);
	assert_int_equal(send(bed, key, 10, SIZE_MAX), ERR_NONE);
	expire(bed, key);
	assert_int_equal(register_it(bed, key, &file), ERR_UPLOAD_SESSION_EXPIRED);
	assert_int_equal(register_it(bed, key, &file), ERR_UPLOAD_SESSION_NOT_FOUND);
	assert_int_equal(staged(bed), 0);
}

static void the_sweep_takes_what_expired(void **state)
{
	struct bed *bed = *state;
	struct file_list list;
	const char *keys[4];
	for (size_t i = 0; i < 4; i++) {
		keys[i] = prepare(bed, -1);
		if (i > 0)
			assert_int_equal(send(bed, keys[i], 10, SIZE_MAX), ERR_NONE);
	}
	for (size_t i = 0; i < 3; i++)
		expire(bed, keys[i]);
	assert_true(file_list(&bed->storage, &bed->call, "p", 10, 0, true, &list, &bed->err));
	assert_int_equal(list.total, 1);
	assert_true(file_sweep(&bed->storage, &bed->err));
	assert_int_equal(catalog_count_uploads(bed->storage.catalog, KEY_ALL), 1);
	assert_int_equal(staged(bed), 1);
	assert_true(file_sweep(&bed->storage, &bed->err));
	struct file_row file;
	assert_int_equal(register_it(bed, keys[3], &file), ERR_NONE);
}

static void dropped_projects_have_no_files(void **state)
{
	struct bed *bed = *state;
	struct file_list list;
	struct upload upload;
	const struct file_prepare request = {.filename = "a", .size_bytes = -1};
	const char *const ids[] = {"gone", "nowhere", "", "p'; --"};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		bed->err = ERR_INIT;
		assert_false(file_prepare(&bed->storage, &bed->call, ids[i], &request, &upload, &bed->err));
		assert_int_equal(bed->err.code, ERR_PROJECT_NOT_FOUND);
		assert_false(file_list(&bed->storage, &bed->call, ids[i], 1, 0, false, &list, &bed->err));
		assert_int_equal(bed->err.code, ERR_PROJECT_NOT_FOUND);
	}
}

static void finished_files_are_adopted(void **state)
{
	struct bed *bed = *state;
	struct file_row file;
	const char *path;
	assert_true(file_temporary(&bed->storage, bed->call.arena, &path, &bed->err));
	assert_true(fs_write(path, SPAN("id\n1\n"), 0640, &bed->err));
	struct file_adopt adopt = {.project_id = "p", .temporary = path, .name = "e.csv", .door = "export"};
	assert_true(file_adopt(&bed->storage, &bed->call, &adopt, &file, &bed->err));
	assert_false(fs_exists(path));
	assert_int_equal(file.size_bytes, 5);
	assert_string_equal(file.sha256, "7cde7fb64fd82bd152710cf238e017b9ab46c0592483edc067ba4f6c75fac108");
	/* Refused: nothing stays. */
	assert_true(file_temporary(&bed->storage, bed->call.arena, &path, &bed->err));
	assert_true(fs_write(path, SPAN("x"), 0640, &bed->err));
	adopt.project_id = "nowhere";
	adopt.temporary = path;
	assert_false(file_adopt(&bed->storage, &bed->call, &adopt, &file, &bed->err));
	assert_int_equal(staged(bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(broken_bodies_leave_nothing, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(sessions_expire, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(the_sweep_takes_what_expired, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(dropped_projects_have_no_files, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(finished_files_are_adopted, bed_setup, bed_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
