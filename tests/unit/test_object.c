#include "base/fs.h"
#include "storage/key_lock.h"
#include "storage/multipart.h"
#include "storage/object.h"
#include "storage/object_core.h"
#include "storage/object_parts.h"
#include "storage/object_path.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	char dir[64];
	struct settings settings;
	struct storage storage;
	struct arena *arena;
};

static void open_store(struct bed *bed)
{
	struct err err = ERR_INIT;
	struct catalog_config config = {.path = arena_printf(bed->arena, "%s/metadata.duckdb", bed->dir)};
	assert_true(catalog_open(&config, &bed->storage.catalog, &err));
	assert_true(objects_open(&bed->storage, &err));
}

static void close_store(struct bed *bed)
{
	objects_close(&bed->storage);
	catalog_close(bed->storage.catalog);
}

static int bed_setup(void **state)
{
	struct bed *bed = mem_alloc(sizeof(*bed));
	struct err err = ERR_INIT;
	memcpy(bed->dir, "/tmp/test_object.XXXXXX", 24);
	assert_non_null(mkdtemp(bed->dir));
	bed->arena = arena_new();
	bed->settings.files_dir = arena_printf(bed->arena, "%s/files", bed->dir);
	bed->settings.files_max_count = 50;
	bed->settings.files_max_bytes = 10000;
	bed->storage.settings = &bed->settings;
	open_store(bed);
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->arena);
	catalog_put_project(t, &(struct project){.id = "p", .status = "active", .created_at = 1});
	catalog_put_project(t, &(struct project){.id = "q", .status = "deleted", .created_at = 1});
	assert_true(catalog_commit(t, &err));
	*state = bed;
	return 0;
}

static int bed_done(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	close_store(bed);
	assert_true(fs_remove_tree(bed->dir, &err));
	arena_free(bed->arena);
	free(bed);
	return 0;
}

static struct multipart_part part_put(struct bed *bed, const struct multipart *upload, const char *text)
{
	struct err err = ERR_INIT;
	struct blob blob;
	struct multipart_part part;
	assert_true(blob_begin(&blob, bed->settings.files_dir, BLOB_ETAG, &err));
	assert_true(blob_write(&blob, text, strlen(text), &err) && blob_finish(&blob, &err));
	assert_true(multipart_put_part(&bed->storage, bed->arena, upload, 1, &blob, NULL, &part, &err));
	blob_end(&blob, true);
	part.path = arena_strdup(bed->arena, part.path);
	return part;
}

/* Writes an object; the error's code. */
static enum err_code put_with(struct bed *bed, const char *project, const char *key, const char *text,
			      struct object_condition condition, struct file_row *ret)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct blob blob;
	struct file_row row;
	struct object_put put = {.project_id = project, .key = key, .door = "s3", .condition = condition};
	assert_true(blob_begin(&blob, bed->settings.files_dir, BLOB_ETAG, &err));
	assert_true(blob_write(&blob, text, strlen(text), &err) && blob_finish(&blob, &err));
	object_put_blob(&put, arena, &blob);
	bool fine = object_put(&bed->storage, arena, &put, &row, &err);
	blob_end(&blob, fine);
	if (fine && ret) {
		*ret = row;
		ret->path = arena_strdup(bed->arena, row.path);
		ret->content = arena_strdup(bed->arena, row.content);
		ret->id = arena_strdup(bed->arena, row.id);
	}
	arena_free(arena);
	return fine ? ERR_NONE : err.code;
}

static enum err_code put(struct bed *bed, const char *key, const char *text)
{
	return put_with(bed, "p", key, text, (struct object_condition){0}, NULL);
}

static const char *content_of(struct bed *bed, const char *key)
{
	struct err err = ERR_INIT;
	struct file_row row;
	char text[200];
	int fd;
	if (!object_find(&bed->storage, bed->arena, "p", key, &row))
		return NULL;
	if (!object_open(&bed->storage, bed->arena, &row, &fd, &err))
		return arena_printf(bed->arena, "error %d", err.code);
	ssize_t n = read(fd, text, sizeof(text));
	assert_true(n >= 0);
	assert_int_equal(n, row.size_bytes);
	(void)close(fd);
	return arena_copy(bed->arena, (struct span){text, (size_t)n});
}

static bool count_name(void *ctx, const char *name, bool is_dir, struct err *err)
{
	(void)name, (void)is_dir, (void)err;
	++*(size_t *)ctx;
	return true;
}

static size_t incoming_count(struct bed *bed)
{
	size_t n = 0;
	struct err err = ERR_INIT;
	assert_true(fs_list(arena_printf(bed->arena, "%s/_incoming", bed->settings.files_dir), count_name, &n, &err));
	return n;
}

static void keys_are_paths(void **state)
{
	struct bed *bed = *state;
	struct file_row row;
	assert_int_equal(put_with(bed, "p", "data/2025/a b.csv", "1", (struct object_condition){0}, &row), ERR_NONE);
	assert_string_equal(row.path, "project_p/data/2025/a b.csv");
	assert_int_equal(fs_size(arena_printf(bed->arena, "%s/project_p/data/2025/a b.csv", bed->settings.files_dir)),
			 1);
	assert_int_equal(incoming_count(bed), 0);
	/* An object that is replaced keeps its id and its place. */
	struct file_row again;
	assert_int_equal(put_with(bed, "p", "data/2025/a b.csv", "22", (struct object_condition){0}, &again), ERR_NONE);
	assert_string_equal(again.id, row.id);
	assert_string_not_equal(again.content, row.content);
	assert_string_equal(content_of(bed, "data/2025/a b.csv"), "22");
	struct err err = ERR_INIT;
	bool found;
	assert_true(object_delete(&bed->storage, bed->arena, "p", "data/2025/a b.csv", &found, &err) && found);
	assert_true(object_delete(&bed->storage, bed->arena, "p", "data/2025/a b.csv", &found, &err) && !found);
	/* The folders that are empty now went with it, the project's stays. */
	assert_false(fs_exists(arena_printf(bed->arena, "%s/project_p/data", bed->settings.files_dir)));
	assert_true(fs_exists(arena_printf(bed->arena, "%s/project_p", bed->settings.files_dir)));
	assert_int_equal(incoming_count(bed), 0);
}

static const char *long_segment(struct bed *bed)
{
	char *key = arena_alloc(bed->arena, 1025);
	memset(key, 'x', 1024);
	key[300] = '/';
	return key;
}

static void any_two_keys_are_independent(void **state)
{
	struct bed *bed = *state;
	const char *keys[] = {"d",	 "d/",	     "d/x",	  "d/x/",      "d/x/y",		  "a//b", "a/b",
			      "/a",	 "/",	     "//",	  "_escaped",  "_escaped/d",	  "a\nb", "\t",
			      "%",	 "%2F",	     "_incoming", "k\xc4\x8d", long_segment(bed), "...",  "..a",
			      "d/x/y/z", "staging/x"};
	struct err err = ERR_INIT;
	/* In both orders: a folder that becomes a file, a file that becomes a folder. */
	for (unsigned pass = 0; pass < 2; pass++) {
		size_t n = ARRAY_LEN(keys);
		for (size_t i = 0; i < n; i++) {
			const char *key = keys[pass ? n - 1 - i : i];
			assert_int_equal(put(bed, key, arena_printf(bed->arena, "of %.100s", key)), ERR_NONE);
		}
		for (size_t i = 0; i < n; i++)
			assert_string_equal(content_of(bed, keys[i]), arena_printf(bed->arena, "of %.100s", keys[i]));
		assert_int_equal(incoming_count(bed), 0);
		int64_t files, bytes;
		object_usage(&bed->storage, "p", &files, &bytes);
		assert_int_equal(files, n);
		assert_true(object_delete_many(&bed->storage, bed->arena, "p", keys, n, &err));
		for (size_t i = 0; i < n; i++)
			assert_null(content_of(bed, keys[i]));
		object_usage(&bed->storage, "p", &files, &bytes);
		assert_int_equal(files, 0);
		assert_int_equal(bytes, 0);
	}
}

static void bad_keys_are_refused(void **state)
{
	struct bed *bed = *state;
	static const char *const bad[] = {"",	  ".",	   "..",    "a/../b", "../x",
					  "a/..", "a/./b", "a\x01", "\xff",   "a\xef\xbf\xbe"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(put(bed, bad[i], "x"), ERR_INVALID_KEY);
	char *key = arena_alloc(bed->arena, 1026);
	memset(key, 'x', 1025);
	assert_int_equal(put(bed, key, "x"), ERR_KEY_TOO_LONG);
	assert_int_equal(put_with(bed, "nobody", "k", "x", (struct object_condition){0}, NULL), ERR_PROJECT_NOT_FOUND);
	assert_int_equal(put_with(bed, "q", "k", "x", (struct object_condition){0}, NULL), ERR_PROJECT_NOT_FOUND);
	assert_int_equal(incoming_count(bed), 0);
}

static void escaped_paths_tell_their_key(void **state)
{
	struct bed *bed = *state;
	static const struct {
		const char *key, *path;
	} rows[] = {
		{"d/", "project_p/_escaped/d%2F"},   {"a//b", "project_p/_escaped/a%2F%2Fb"},
		{"%", "project_p/_escaped/%25"},     {".", "project_p/_escaped/%2E"},
		{"..", "project_p/_escaped/%2E%2E"}, {"k\xc4\x8d\n", "project_p/_escaped/k%C4%8D%0A"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(object_path_escaped(bed->arena, "p", span_of(rows[i].key)), rows[i].path);
	/* Pieces of 200 bytes, all but the last marked by a '%' behind them; without the marks it is the key. */
	struct span rest = span_of(object_path_escaped(bed->arena, "p", span_of(long_segment(bed))));
	struct buf text = BUF(4 * KIB);
	assert_true(span_is(span_cut(&rest, '/'), "project_p") && span_is(span_cut(&rest, '/'), "_escaped"));
	while (rest.len) {
		struct span piece = span_cut(&rest, '/');
		assert_true(piece.len == (rest.len ? 201 : piece.len) && piece.len <= 201);
		assert_int_equal(span_ends(piece, SPAN("%")), rest.len > 0);
		buf_span(&text, span_first(piece, rest.len ? 200 : piece.len));
	}
	struct buf want = BUF(4 * KIB);
	buf_printf(&want, "%.300s%%2F%.723s", long_segment(bed), long_segment(bed) + 301);
	assert_true(span_eq(buf_view(&text), buf_view(&want)));
	buf_done(&text);
	buf_done(&want);
}

static void conditions_hold(void **state)
{
	struct bed *bed = *state;
	const struct object_condition absent = {.absent = true};
	/* MD5 of "1" */
	const struct object_condition match = {.match = "\"c4ca4238a0b923820dcc509a6f75849b\""};
	assert_int_equal(put_with(bed, "p", "k", "1", match, NULL), ERR_FILE_NOT_FOUND);
	assert_int_equal(put_with(bed, "p", "k", "1", absent, NULL), ERR_NONE);
	assert_int_equal(put_with(bed, "p", "k", "2", absent, NULL), ERR_PRECONDITION_FAILED);
	assert_int_equal(put_with(bed, "p", "k", "2", match, NULL), ERR_NONE);
	assert_int_equal(put_with(bed, "p", "k", "3", match, NULL), ERR_PRECONDITION_FAILED);
	assert_int_equal(put_with(bed, "p", "k", "3", (struct object_condition){.match = "*"}, NULL), ERR_NONE);
	assert_string_equal(content_of(bed, "k"), "3");
	assert_int_equal(incoming_count(bed), 0);
}

struct racer {
	struct bed *bed;
	_Atomic int *won;
	const char *text;
	pthread_t thread;
};

static void *race(void *ctx)
{
	struct racer *racer = ctx;
	enum err_code code =
		put_with(racer->bed, "p", "raced", racer->text, (struct object_condition){.absent = true}, NULL);
	if (code == ERR_NONE)
		atomic_fetch_add(racer->won, 1);
	return (void *)(intptr_t)code;
}

static void one_of_many_racers_wins(void **state)
{
	struct bed *bed = *state;
	_Atomic int won = 0;
	struct racer racers[8];
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){.bed = bed, .won = &won, .text = "text"};
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		void *code;
		(void)pthread_join(racers[i].thread, &code);
		assert_true((intptr_t)code == ERR_NONE || (intptr_t)code == ERR_PRECONDITION_FAILED);
	}
	assert_int_equal(won, 1);
	assert_int_equal(incoming_count(bed), 0);
}

static _Atomic bool stop;

static void *overwrite(void *ctx)
{
	struct bed *bed = ctx;
	static const char *const texts[] = {"aaaa", "bbbb", "cc"};
	struct err err = ERR_INIT;
	for (unsigned i = 0; i < 60; i++) {
		if (put(bed, "busy", texts[i % 3]) != ERR_NONE)
			return bed;
		if (i % 7 == 0) {
			struct arena *arena = arena_new();
			bool fine = object_delete(&bed->storage, arena, "p", "busy", NULL, &err);
			arena_free(arena);
			if (!fine)
				return bed;
		}
	}
	atomic_store(&stop, true);
	return NULL;
}

/* What a reader opens is always what the record it got says: size and digest fit. */
static void readers_see_whole_objects(void **state)
{
	struct bed *bed = *state;
	pthread_t writer;
	void *result;
	size_t seen = 0;
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&writer, NULL, overwrite, bed), 0);
	while (!atomic_load(&stop)) {
		struct arena *arena = arena_new();
		struct file_row row;
		struct err err = ERR_INIT;
		struct digest_values values;
		char hex[2 * CHECKSUM_BYTES_MAX + 1];
		int fd;
		if (object_find(&bed->storage, arena, "p", "busy", &row)) {
			if (object_open(&bed->storage, arena, &row, &fd, &err)) {
				assert_true(blob_digest(fd, BLOB_ETAG, &values, &err));
				blob_hex(&values, CHECKSUM_MD5, hex);
				assert_string_equal(hex, row.etag);
				(void)close(fd);
				seen++;
			} else {
				assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
			}
		}
		arena_free(arena);
	}
	(void)pthread_join(writer, &result);
	assert_null(result);
	assert_true(seen > 0);
	assert_int_equal(incoming_count(bed), 0);
}

/* What kill -9 leaves at each step, brought about by hand; then the store is opened again. */
static void crashes_leave_old_or_new(void **state)
{
	struct bed *bed = *state;
	struct file_row row;
	struct err err = ERR_INIT;
	assert_int_equal(put_with(bed, "p", "a/new", "new", (struct object_condition){0}, &row), ERR_NONE);
	const char *settled = arena_printf(bed->arena, "%s/%s", bed->settings.files_dir, row.path);
	const char *incoming = blob_path(bed->arena, bed->settings.files_dir, row.content);
	/* Committed, not renamed: over an older object, whose bytes still stand there. */
	assert_int_equal(rename(settled, incoming), 0);
	assert_true(fs_write(settled, SPAN("old"), 0640, &err));
	assert_string_equal(content_of(bed, "a/new"), "new");
	/* Not committed: bytes without a record. */
	const char *orphan = blob_path(bed->arena, bed->settings.files_dir, "0123456789abcdef0123456789abcdef");
	assert_true(fs_write(orphan, SPAN("lost"), 0640, &err));
	/* A part of a multipart upload and an upload session keep theirs. */
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->arena);
	catalog_put_multipart_part(t, &(struct multipart_part){.upload_id = "u", .number = 1, .path = "part"});
	catalog_put_upload(t, &(struct upload){.key = "s", .project_id = "p", .staged_path = "session"});
	assert_true(catalog_commit(t, &err));
	assert_true(fs_write(blob_path(bed->arena, bed->settings.files_dir, "part"), SPAN("1"), 0640, &err));
	assert_true(fs_write(blob_path(bed->arena, bed->settings.files_dir, "session"), SPAN("2"), 0640, &err));
	close_store(bed);
	open_store(bed);
	assert_string_equal(content_of(bed, "a/new"), "new");
	assert_int_equal(fs_size(settled), 3);
	assert_false(fs_exists(incoming));
	assert_false(fs_exists(orphan));
	assert_int_equal(incoming_count(bed), 2);
	int64_t files, bytes;
	object_usage(&bed->storage, "p", &files, &bytes);
	assert_int_equal(files, 1);
	assert_int_equal(bytes, 3);
}

static void hand_edited_files_are_described_anew(void **state)
{
	struct bed *bed = *state;
	struct file_row row;
	struct err err = ERR_INIT;
	assert_int_equal(put_with(bed, "p", "edited", "before", (struct object_condition){0}, &row), ERR_NONE);
	assert_true(
		fs_write(arena_printf(bed->arena, "%s/%s", bed->settings.files_dir, row.path), SPAN("1"), 0640, &err));
	assert_string_equal(content_of(bed, "edited"), "1");
	assert_true(object_find(&bed->storage, bed->arena, "p", "edited", &row));
	assert_string_equal(row.etag, "c4ca4238a0b923820dcc509a6f75849b");
	assert_int_equal(row.size_bytes, 1);
	assert_int_equal(unlink(arena_printf(bed->arena, "%s/%s", bed->settings.files_dir, row.path)), 0);
	int fd;
	assert_false(object_open(&bed->storage, bed->arena, &row, &fd, &err));
	assert_int_equal(err.code, ERR_FILE_CONTENT_NOT_FOUND);
}

static void quotas_hold(void **state)
{
	struct bed *bed = *state;
	char *large = arena_alloc(bed->arena, 6001);
	memset(large, 'x', 6000);
	assert_int_equal(put(bed, "one", large), ERR_NONE);
	assert_int_equal(put(bed, "two", large), ERR_QUOTA_EXCEEDED);
	assert_int_equal(put(bed, "one", large), ERR_NONE); /* replacing needs no more room */
	for (unsigned i = 1; i < 50; i++)
		assert_int_equal(put(bed, arena_printf(bed->arena, "k%u", i), ""), ERR_NONE);
	assert_int_equal(put(bed, "k50", ""), ERR_QUOTA_EXCEEDED);
	assert_int_equal(incoming_count(bed), 0);
}

/* What was kept of the parts is believed only as far as it adds up to the object. */
static void parts_are_found_by_number(void **state)
{
	struct bed *bed = *state;
	struct object_part part;
	const struct multipart_part parts[] = {
		{.size_bytes = 10}, {.size_bytes = 10}, {.size_bytes = 7}, {.size_bytes = 10}, {.size_bytes = 0}};
	const int64_t firsts[] = {0, 10, 20, 27, 37};
	struct file_row row = {.size_bytes = 37};
	row.checksums_json = object_parts_add(bed->arena, NULL, parts, ARRAY_LEN(parts));
	assert_string_equal(row.checksums_json, "{\"parts\":[[2,10],[1,7],[1,10],[1,0]]}");
	for (int64_t i = 0; i < (int64_t)ARRAY_LEN(parts); i++) {
		assert_true(object_part_find(&row, i + 1, &part));
		assert_int_equal(part.count, ARRAY_LEN(parts));
		assert_int_equal(part.first, firsts[i]);
		assert_int_equal(part.length, parts[i].size_bytes);
	}
	assert_false(object_part_find(&row, 6, &part));
	assert_false(object_part_find(&row, 0, &part));
	row.checksums_json = object_parts_add(bed->arena, "{\"crc32\":\"AAAAAA==\"}", parts, 1);
	assert_string_equal(row.checksums_json, "{\"crc32\":\"AAAAAA==\",\"parts\":[[1,10]]}");
	static const char *const broken[] = {"[[3,10]]", "[[4,10]]", "[[9223372036854775807,9223372036854775807]]",
					     "[[0,37]]", "[[1,-1]]", "[[\"1\",37]]",
					     "[1,37]",	 "[]"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		row.checksums_json = arena_printf(bed->arena, "{\"parts\":%s}", broken[i]);
		assert_false(object_part_find(&row, 1, &part));
	}
	row.checksums_json = "{\"crc32\":\"AAAAAA==\"}";
	assert_true(object_part_find(&row, 1, &part));
	assert_int_equal(part.count, 0);
	assert_int_equal(part.length, 37);
	assert_false(object_part_find(&row, 2, &part));
}

static void what_a_forgotten_project_gives_back_is_gone(void **state)
{
	struct bed *bed = *state;
	int64_t files, bytes;
	assert_int_equal(put(bed, "k", "text"), ERR_NONE);
	object_forget_project(&bed->storage, "p");
	assert_true(object_delete(&bed->storage, bed->arena, "p", "k", NULL, &(struct err){0}));
	object_usage(&bed->storage, NULL, &files, &bytes);
	assert_int_equal(files, 0);
	assert_int_equal(bytes, 0);
}

static void *commit_run(void *ctx)
{
	struct err err = ERR_INIT;
	struct file_row row;
	return assembly_commit(ctx, &row, &err) ? NULL : (void *)(intptr_t)err.code;
}

/* An upload of one part gives the part's bytes to the object: they must not go with a part that was sent again. */
static void part_sent_again_while_completing(void **state)
{
	struct bed *bed = *state;
	struct arena *theirs = arena_new();
	struct err err = ERR_INIT;
	struct multipart upload;
	struct assembly assembly;
	struct file_row row;
	const struct multipart_create create = {.project_id = "p", .key = "k"};
	assert_true(multipart_create(&bed->storage, bed->arena, &create, &upload, &err));
	struct multipart_part part = part_put(bed, &upload, "first");
	struct part_claim claim = {.number = 1, .etag = part.etag};
	struct complete_request request = {
		.project_id = "p", .key = "k", .upload_id = upload.id, .parts = &claim, .part_count = 1};
	assert_true(assembly_begin(&assembly, &bed->storage, theirs, &request, &err));
	/* It has looked at the part and waits for its turn at the key. */
	struct span key = object_lock_name(bed->arena, "p", SPAN("k"));
	pthread_t thread;
	key_lock(bed->storage.objects->locks, key);
	assert_int_equal(pthread_create(&thread, NULL, commit_run, &assembly), 0);
	(void)usleep(50 * 1000);
	part = part_put(bed, &upload, "again");
	key_unlock(bed->storage.objects->locks, key);
	void *code;
	assert_int_equal(pthread_join(thread, &code), 0);
	assert_int_equal((intptr_t)code, ERR_INVALID_PART);
	assembly_end(&assembly);
	assert_null(content_of(bed, "k"));
	claim.etag = part.etag;
	assert_true(assembly_begin(&assembly, &bed->storage, theirs, &request, &err));
	assert_true(assembly_commit(&assembly, &row, &err));
	assembly_end(&assembly);
	assert_string_equal(content_of(bed, "k"), "again");
	arena_free(theirs);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_done)
	const struct CMUnitTest tests[] = {
		CASE(keys_are_paths),
		CASE(any_two_keys_are_independent),
		CASE(bad_keys_are_refused),
		CASE(escaped_paths_tell_their_key),
		CASE(conditions_hold),
		CASE(one_of_many_racers_wins),
		CASE(readers_see_whole_objects),
		CASE(crashes_leave_old_or_new),
		CASE(hand_edited_files_are_described_anew),
		CASE(quotas_hold),
		CASE(parts_are_found_by_number),
		CASE(part_sent_again_while_completing),
		CASE(what_a_forgotten_project_gives_back_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
