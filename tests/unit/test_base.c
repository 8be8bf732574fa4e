#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/seal.h"
#include "base/settings.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void span_numbers_are_strict(void **state)
{
	(void)state;
	uint64_t u;
	int64_t i;
	assert_true(span_u64(SPAN("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(span_u64(SPAN("18446744073709551616"), &u));
	assert_false(span_u64(SPAN(""), &u));
	assert_false(span_u64(SPAN(" 1"), &u));
	assert_false(span_u64(SPAN("1x"), &u));
	assert_true(span_i64(SPAN("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_false(span_i64(SPAN("9223372036854775808"), &i));
	assert_false(span_i64(SPAN("-"), &i));
}

static void span_utf8_refuses_bad_forms(void **state)
{
	(void)state;
	assert_true(span_is_utf8(SPAN("a\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x86")));
	assert_false(span_is_utf8(SPAN("\xc0\xaf")));	      /* overlong */
	assert_false(span_is_utf8(SPAN("\xed\xa0\x80")));     /* surrogate */
	assert_false(span_is_utf8(SPAN("\xf4\x90\x80\x80"))); /* above U+10FFFF */
	assert_false(span_is_utf8(SPAN("\xe2\x82")));	      /* cut */
}

static void span_cut_walks_a_list(void **state)
{
	(void)state;
	struct span rest = SPAN("a,,b");
	assert_true(span_is(span_cut(&rest, ','), "a"));
	assert_true(span_is(span_cut(&rest, ','), ""));
	assert_true(span_is(span_cut(&rest, ','), "b"));
	assert_int_equal(rest.len, 0);
}

static void iso_times_are_those_of_the_calendar(void **state)
{
	(void)state;
	char iso[CLOCK_ISO_SIZE];
	char calendar[CLOCK_ISO_SIZE];
	/* From 1500 to 2500 in steps of 100 days and some. */
	for (int64_t us = INT64_C(-14831769600) * US_PER_S; us < INT64_C(16725225600) * US_PER_S;
	     us += INT64_C(8640123456789)) {
		clock_iso(us, iso);
		assert_int_equal(clock_format(us, "%Y-%m-%dT%H:%M:%S", calendar, sizeof(calendar)), 19);
		assert_memory_equal(iso, calendar, 19);
	}
	clock_iso(INT64_C(951782400000001), iso);
	assert_string_equal(iso, "2000-02-29T00:00:00.000001+00:00");
	clock_iso(-1, iso);
	assert_string_equal(iso, "1969-12-31T23:59:59.999999+00:00");
}

static void buf_fails_sticky_at_its_maximum(void **state)
{
	(void)state;
	struct buf b = BUF(4);
	buf_str(&b, "1234");
	assert_false(b.failed);
	buf_byte(&b, '5');
	assert_true(b.failed);
	buf_str(&b, "x");
	assert_null(buf_take(&b, NULL));
	buf_done(&b);
}

static void check_double(double value, const char *text)
{
	struct buf b = BUF(64);
	buf_double(&b, value);
	assert_string_equal(b.ptr, text);
	buf_done(&b);
}

static void buf_doubles_are_shortest(void **state)
{
	(void)state;
	check_double(0.1, "0.1");
	check_double(1.0 / 3, "0.3333333333333333");
	check_double(1e300, "1e+300");
	check_double(-5, "-5");
	check_double(NAN, "nan");
	check_double(-INFINITY, "-inf");
	check_double(5e-324, "4.94065645841247e-324");
}

static void json_escapes_and_nests(void **state)
{
	(void)state;
	struct buf b = BUF(1024);
	struct json j = JSON(&b);
	json_object(&j, NULL);
	json_str(&j, "a\"b", "x\n\x01\\");
	json_array(&j, "list");
	json_int(&j, NULL, INT64_MIN);
	json_null(&j, NULL);
	json_double(&j, NULL, NAN);
	json_array_end(&j);
	json_span(&j, "bad", SPAN("a\xff\xc3\xa4"));
	json_time(&j, "t", 1741064767123456);
	json_object_end(&j);
	assert_string_equal(b.ptr, "{\"a\\\"b\":\"x\\n\\u0001\\\\\",\"list\":[-9223372036854775808,null,null],"
				   "\"bad\":\"a\xef\xbf\xbd\xc3\xa4\",\"t\":\"2025-03-04T05:06:07.123456+00:00\"}");
	buf_done(&b);
}

static void err_details_are_whole_json(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_false(err_set(&err, ERR_TABLE_NOT_FOUND, "Table %s not found", "t\"1"));
	err_detail(&err, "table", "t\"1");
	err_detail_int(&err, "n", -3);
	const char *columns[2000];
	for (size_t i = 0; i < 2000; i++)
		columns[i] = "a_column";
	err_detail_list(&err, "columns", columns, 2000);
	assert_true(err.details_len < sizeof(err.details));
	assert_true(strncmp(err.details, "\"table\":\"t\\\"1\",\"n\":-3,\"columns\":[\"a_column\",", 40) == 0);
	assert_true(err.details[err.details_len - 1] == ']');
	assert_int_equal(err_row(err.code)->http, 404);
}

static void err_recode_keeps_server_faults(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_errno(&err, ENOSPC, "Cannot write");
	assert_int_equal(err.code, ERR_DISK_FULL);
	(void)err_recode(&err, ERR_IMPORT_FAILED);
	assert_int_equal(err.code, ERR_DISK_FULL);
	(void)err_set(&err, ERR_ENGINE_REFUSED, "Bad cast");
	(void)err_recode(&err, ERR_IMPORT_FAILED);
	assert_int_equal(err.code, ERR_IMPORT_FAILED);
	assert_string_equal(err.message, "Bad cast");
}

static int cleaned;

static void clean(void *object)
{
	assert_int_equal(cleaned, *(int *)object);
	cleaned++;
}

static void arena_cleans_newest_first(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	int order[2] = {1, 0};
	cleaned = 0;
	arena_on_free(a, clean, &order[0]);
	arena_on_free(a, clean, &order[1]);
	for (int i = 1; i < 5000; i += 7) {
		char *bytes = arena_alloc(a, (size_t)i);
		assert_int_equal((uintptr_t)bytes % 16, 0);
		memset(bytes, 0xee, (size_t)i);
	}
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	arena_free(a);
	assert_int_equal(cleaned, 2);
}

static void map_survives_churn(void **state)
{
	(void)state;
	struct map m = MAP_INIT;
	char key[16];
	static int value;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 200; i++) {
			(void)snprintf(key, sizeof(key), "k%d", i);
			(void)map_put(&m, span_of(key), &value);
		}
		assert_int_equal(m.count, 200);
		for (int i = round % 2; i < 200; i++) {
			(void)snprintf(key, sizeof(key), "k%d", i);
			assert_ptr_equal(map_remove(&m, span_of(key)), &value);
			assert_null(map_get(&m, span_of(key)));
		}
	}
	map_done(&m);
}

static void names_that_are_no_path_component(void **state)
{
	(void)state;
	assert_true(fs_name_ok(SPAN("a b"), 10));
	assert_false(fs_name_ok(SPAN(""), 10));
	assert_false(fs_name_ok(SPAN(".."), 10));
	assert_false(fs_name_ok(SPAN("a/b"), 10));
	assert_false(fs_name_ok((struct span){"a\0b", 3}, 10));
	assert_false(fs_name_ok(SPAN("12345678901"), 10));
}

static void fs_publishes_links_and_removes(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_base.XXXXXX";
	char path[256];
	char other[256];
	struct err err = ERR_INIT;
	bool copied;
	char *content;
	size_t len;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/x/y", dir);
	bool fresh;
	assert_true(fs_mkdir_new(path, &fresh, &err) && fresh);
	assert_true(fs_mkdir_new(path, &fresh, &err) && !fresh && fs_mkdir(path, &err));
	(void)snprintf(path, sizeof(path), "%s/x/y/file", dir);
	(void)snprintf(other, sizeof(other), "%s/x/y/link", dir);
	assert_true(fs_write(path, SPAN("old"), 0444, &err));
	assert_true(fs_link(path, other, &copied, &err));
	assert_true(fs_write(path, SPAN("newer"), 0444, &err));
	assert_false(fs_mkdir(path, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_true(fs_read(other, 100, &content, &len, &err));
	assert_string_equal(content, "old");
	free(content);
	assert_false(fs_read(path, 3, &content, &len, &err));
	assert_int_equal(err.code, ERR_PAYLOAD_TOO_LARGE);
	assert_int_equal(fs_tree_size(dir), 8);
	assert_false(fs_link(path, other, &copied, &err));
	assert_int_equal(fs_size(path), 5);
	assert_true(fs_remove_tree(dir, &err) && !fs_exists(dir) && fs_remove_tree(dir, &err));
}

static _Atomic int done_tasks;

static void count_task(void *object)
{
	(void)object;
	done_tasks++;
}

struct replaced {
	char path[64];
	char fresh[64];
	_Atomic bool stop;
};

static void *replace_always(void *ctx)
{
	struct replaced *r = ctx;
	while (!atomic_load(&r->stop)) {
		FILE *file = fopen(r->fresh, "w");
		if (!file || fclose(file) != 0 || rename(r->fresh, r->path) != 0)
			abort();
	}
	return NULL;
}

/* A name that is there all the time can be linked all the time. */
static void fs_links_what_is_being_replaced(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_base.XXXXXX";
	char link[64];
	struct replaced r = {.stop = false};
	struct err err = ERR_INIT;
	bool copied;
	pthread_t thread;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(r.path, sizeof(r.path), "%s/name", dir);
	(void)snprintf(r.fresh, sizeof(r.fresh), "%s/fresh", dir);
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	assert_true(fs_write(r.path, SPAN("first"), 0600, &err));
	assert_int_equal(pthread_create(&thread, NULL, replace_always, &r), 0);
	for (int i = 0; i < 20000; i++) {
		if (!fs_link(r.path, link, &copied, &err))
			fail_msg("%s", err.message);
		assert_false(copied);
		assert_int_equal(unlink(link), 0);
	}
	atomic_store(&r.stop, true);
	(void)pthread_join(thread, NULL);
	assert_true(fs_unlink(r.path, &err));
	assert_false(fs_link(r.path, link, &copied, &err));
	assert_true(fs_remove_tree(dir, &err));
}

struct crossing {
	pthread_barrier_t all;
};

static void cross_task(void *ctx)
{
	(void)pthread_barrier_wait(&((struct crossing *)ctx)->all);
}

/* Tasks that wait for each other end only if every thread of the pool wakes, however the calls fall together. */
static void pool_wakes_a_thread_for_each_long_task(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct crossing crossing;
	enum { THREADS = 6 };
	struct pool *pool = pool_start(&(struct pool_config){.name = "test", .threads = THREADS, .queue_max = 100});
	(void)pthread_barrier_init(&crossing.all, NULL, THREADS + 1);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < THREADS; i++)
			assert_true(pool_submit(pool, SPAN("a"), cross_task, &crossing, &err));
		(void)pthread_barrier_wait(&crossing.all);
	}
	pool_stop(pool);
	(void)pthread_barrier_destroy(&crossing.all);
}

static void pool_runs_all_and_refuses_when_full(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct pool *pool = pool_start(&(struct pool_config){.name = "test", .threads = 2, .queue_max = 100000});
	done_tasks = 0;
	for (int i = 0; i < 5000; i++)
		assert_true(pool_submit(pool, i % 2 ? SPAN("a") : SPAN("b"), count_task, NULL, &err));
	pool_stop(pool);
	assert_int_equal(done_tasks, 5000);
	pool = pool_start(&(struct pool_config){.name = "test", .threads = 1, .queue_max = 0});
	assert_false(pool_submit(pool, SPAN("a"), count_task, NULL, &err));
	assert_int_equal(err.code, ERR_OVERLOADED);
	pool_stop(pool);
}

static void settings_flags_win_and_bad_ones_are_named(void **state)
{
	(void)state;
	struct settings s;
	struct err err = ERR_INIT;
	(void)setenv("duckdb_memory_limit", "2GB", 1);
	(void)setenv("PORT", "9000", 1);
	const char *good[] = {"--rest-port=9100", "--debug", "--data-dir", "/srv/d/"};
	assert_true(settings_load(&s, NULL, 4, good, &err));
	assert_int_equal(s.port, 9100);
	assert_int_equal(s.duckdb_memory_limit, INT64_C(2) << 30);
	assert_true(s.debug);
	assert_string_equal(s.duckdb_dir, "/srv/d/duckdb");
	settings_done(&s);
	const char *bad[] = {"--port", "70000"};
	assert_false(settings_load(&s, NULL, 2, bad, &err));
	assert_non_null(strstr(err.message, "PORT must be a number from 0 to 65535"));
	settings_done(&s);
	const char *unknown[] = {"--prot=1"};
	assert_false(settings_load(&s, NULL, 1, unknown, &err));
	settings_done(&s);
	(void)unsetenv("PORT");
	(void)unsetenv("duckdb_memory_limit");
}

static void ids_have_their_form(void **state)
{
	(void)state;
	char a[ID_UUID_SIZE];
	char b[ID_UUID_SIZE];
	id_uuid(a);
	id_uuid(b);
	assert_int_equal(strlen(a), 36);
	assert_true(a[14] == '4' && a[8] == '-' && strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
}

static void sealed_text_opens_with_key_and_name_only(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	unsigned char key[SEAL_KEY_BYTES];
	unsigned char other[SEAL_KEY_BYTES];
	struct span plain = SPAN("the password is swordfish");
	struct span opened;
	id_random(key, sizeof(key));
	id_random(other, sizeof(other));
	struct span sealed = seal_close(arena, key, SPAN("name"), plain);
	assert_null(memmem(sealed.ptr, sealed.len, "sword", 5));
	assert_true(seal_open(arena, key, SPAN("name"), sealed, &opened) && span_eq(opened, plain));
	assert_false(seal_open(arena, key, SPAN("names"), sealed, &opened));
	assert_false(seal_open(arena, other, SPAN("name"), sealed, &opened));
	assert_false(seal_open(arena, key, SPAN("name"), span_first(sealed, sealed.len - 1), &opened));
	assert_false(seal_open(arena, key, SPAN("name"), span_first(sealed, 27), &opened));
	for (size_t i = 0; i < sealed.len; i++) {
		char *bent = arena_copy(arena, sealed);
		bent[i] ^= 1;
		assert_false(seal_open(arena, key, SPAN("name"), (struct span){bent, sealed.len}, &opened));
	}
	struct span nothing = seal_close(arena, key, SPAN_NONE, SPAN_NONE);
	assert_true(seal_open(arena, key, SPAN_NONE, nothing, &opened) && opened.len == 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(span_numbers_are_strict),
		cmocka_unit_test(span_utf8_refuses_bad_forms),
		cmocka_unit_test(span_cut_walks_a_list),
		cmocka_unit_test(iso_times_are_those_of_the_calendar),
		cmocka_unit_test(buf_fails_sticky_at_its_maximum),
		cmocka_unit_test(buf_doubles_are_shortest),
		cmocka_unit_test(json_escapes_and_nests),
		cmocka_unit_test(err_details_are_whole_json),
		cmocka_unit_test(err_recode_keeps_server_faults),
		cmocka_unit_test(arena_cleans_newest_first),
		cmocka_unit_test(map_survives_churn),
		cmocka_unit_test(names_that_are_no_path_component),
		cmocka_unit_test(fs_publishes_links_and_removes),
		cmocka_unit_test(fs_links_what_is_being_replaced),
		cmocka_unit_test(pool_runs_all_and_refuses_when_full),
		cmocka_unit_test(pool_wakes_a_thread_for_each_long_task),
		cmocka_unit_test(settings_flags_win_and_bad_ones_are_named),
		cmocka_unit_test(ids_have_their_form),
		cmocka_unit_test(sealed_text_opens_with_key_and_name_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
