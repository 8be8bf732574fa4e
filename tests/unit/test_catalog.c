/* What a caller of the catalog sees: rows, lists, conditions. */
#include "catalog_bed.h"

#include "base/limits.h"

static void text_of_any_kind_survives(void **state)
{
	struct bed *b = *state;
	char *large = mem_alloc(MIB + 1);
	for (size_t i = 0; i < MIB; i++)
		large[i] = (char)('a' + i % 26);
	const char *const texts[] = {
		"",
		"'; DROP TABLE projects; --",
		"a\"b\\c",
		"\n\r\t\x01\x7f",
		"\xf0\x9f\xa6\x86 \xc4\x8d\xe6\xbc\xa2",
		"NULL",
		large,
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%zu", i);
		struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
		struct project p = {.id = id,
				    .name = texts[i],
				    .settings_json = NULL,
				    .size_bytes = INT64_MIN,
				    .table_count = INT64_MAX,
				    .bucket_count = -1,
				    .created_at = 1741425967123456};
		catalog_insert_project(t, &p, ERR_PROJECT_EXISTS);
		bed_commit(t);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			char id[16];
			struct project p;
			(void)snprintf(id, sizeof(id), "p%zu", i);
			assert_true(catalog_get_project(b->catalog, b->arena, KEY(id), &p));
			assert_string_equal(p.name, texts[i]);
			assert_null(p.settings_json);
			assert_true(p.size_bytes == INT64_MIN && p.table_count == INT64_MAX && p.bucket_count == -1);
			assert_true(p.created_at == 1741425967123456 && p.updated_at == 0);
		}
		bed_reopen(b);
	}
	free(large);
}

static void blobs_and_flags_survive(void **state)
{
	struct bed *b = *state;
	char bytes[256];
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	for (int i = 0; i < 40; i++) { /* enough for the appender */
		char key[16];
		(void)snprintf(key, sizeof(key), "k%d", i);
		struct idempotency_entry e = {.key = key, .status = 200 + i, .body = {bytes, (size_t)i * 6}};
		struct pg_session s = {.id = key, .own = i % 2};
		catalog_put_idempotency_entry(t, &e);
		catalog_put_pg_session(t, &s);
	}
	bed_commit(t);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 40; i++) {
			char key[16];
			struct idempotency_entry e;
			struct pg_session s;
			(void)snprintf(key, sizeof(key), "k%d", i);
			assert_true(catalog_get_idempotency_entry(b->catalog, b->arena, KEY(key), &e));
			assert_int_equal(e.body.len, i * 6);
			assert_memory_equal(e.body.ptr, bytes, e.body.len);
			assert_int_equal(e.status, 200 + i);
			assert_true(catalog_get_pg_session(b->catalog, b->arena, KEY(key), &s));
			assert_int_equal(s.own, i % 2);
		}
		bed_reopen(b);
	}
}

static void bad_rows_are_refused_whole(void **state)
{
	struct bed *b = *state;
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	struct project good = {.id = "good"};
	struct project bad = {.id = "bad", .name = "\xff\xfe"};
	catalog_put_project(t, &good);
	catalog_put_project(t, &bad);
	bed_refused(t, ERR_INVALID_REQUEST);

	char *huge = mem_alloc(LIMIT_CATALOG_ROW_BYTES + 1);
	memset(huge, 'x', LIMIT_CATALOG_ROW_BYTES);
	bad.name = huge;
	t = catalog_txn(b->catalog, b->arena);
	catalog_put_project(t, &bad);
	bed_refused(t, ERR_PAYLOAD_TOO_LARGE);
	free(huge);

	struct bucket keyless = {.project_id = "good"};
	t = catalog_txn(b->catalog, b->arena);
	catalog_put_bucket(t, &keyless);
	bed_refused(t, ERR_INTERNAL);
	assert_int_equal(catalog_count_projects(b->catalog, KEY_ALL), 0);
}

static void lists_follow_their_order(void **state)
{
	struct bed *b = *state;
	static const char *const names[] = {"b", "a", "\xc3\xa9", "Z", "a.b", "a_b", "aa", "0"};
	static const char *const sorted[] = {"0", "Z", "a", "a.b", "a_b", "aa", "b", "\xc3\xa9"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		bed_bucket(b, "p1", names[i]);
	bed_bucket(b, "p", "outside");
	bed_bucket(b, "p10", "outside");
	struct bucket *rows;
	size_t n;
	catalog_list_buckets(b->catalog, b->arena, KEY("p1"), NULL, &rows, &n);
	assert_int_equal(n, ARRAY_LEN(sorted));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(rows[i].name, sorted[i]);

	struct catalog_page page = {.after = KEY("p1", "a.b"), .limit = 2, .offset = 1};
	catalog_list_buckets(b->catalog, b->arena, KEY("p1"), &page, &rows, &n);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].name, "aa");
	assert_string_equal(rows[1].name, "b");
	page.reverse = true;
	catalog_list_buckets(b->catalog, b->arena, KEY("p1"), &page, &rows, &n);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].name, "Z");
	assert_string_equal(rows[1].name, "0");
	page = (struct catalog_page){.after = KEY("p1", "a/nobody"), .limit = 1};
	catalog_list_buckets(b->catalog, b->arena, KEY("p1"), &page, &rows, &n);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].name, "a_b");
	page = (struct catalog_page){.offset = 100};
	catalog_list_buckets(b->catalog, b->arena, KEY("p1"), &page, &rows, &n);
	assert_int_equal(n, 0);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p1")), 8);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("nobody")), 0);
}

static void newest_come_first_and_pages_are_stable(void **state)
{
	struct bed *b = *state;
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	for (int i = 0; i < 250; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "f%03d", (i * 77) % 250);
		struct file_row f = {.project_id = "p", .id = id, .object_key = id, .created_at = 1 + i / 5};
		catalog_insert_file_row(t, &f, ERR_INTERNAL);
	}
	bed_commit(t);
	struct file_row *all;
	size_t n;
	catalog_list_files_newest(b->catalog, b->arena, KEY("p"), NULL, &all, &n);
	assert_int_equal(n, 250);
	for (size_t i = 1; i < n; i++)
		assert_true(all[i - 1].created_at > all[i].created_at ||
			    (all[i - 1].created_at == all[i].created_at && strcmp(all[i - 1].id, all[i].id) < 0));
	for (uint64_t at = 0; at < 250; at += 30) {
		struct catalog_page page = {.offset = at, .limit = 30};
		struct file_row *rows;
		size_t m;
		catalog_list_files_newest(b->catalog, b->arena, KEY("p"), &page, &rows, &m);
		assert_int_equal(m, at + 30 <= 250 ? 30 : 250 - at);
		for (size_t i = 0; i < m; i++)
			assert_string_equal(rows[i].id, all[at + i].id);
	}
}

static bool sum_sizes(void *ctx, const struct table_row *row)
{
	int64_t *sum = ctx;
	*sum += row->size_bytes;
	return *sum < 100;
}

static void visitors_see_rows_and_may_stop(void **state)
{
	struct bed *b = *state;
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	for (int i = 0; i < 300; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "t%03d", i);
		struct table_row row = {.project_id = "p",
					.branch_id = i % 2 ? "default" : "b1",
					.bucket = "in",
					.name = name,
					.size_bytes = 1};
		catalog_put_table_row(t, &row);
	}
	bed_commit(t);
	int64_t sum = -1000;
	catalog_visit_tables(b->catalog, KEY("p", "default"), NULL, sum_sizes, &sum);
	assert_int_equal(sum, -850);
	sum = 0;
	catalog_visit_tables_of_bucket(b->catalog, KEY("p", "in"), NULL, sum_sizes, &sum);
	assert_int_equal(sum, 100);
	assert_int_equal(catalog_count_tables_by_branch(b->catalog, KEY("default")), 150);
}

static void unique_names_are_kept(void **state)
{
	struct bed *b = *state;
	struct branch one = {.project_id = "p", .id = "b1", .name = "fees"};
	struct branch two = {.project_id = "p", .id = "b2", .name = "fees"};
	struct branch elsewhere = {.project_id = "q", .id = "b2", .name = "fees"};
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	catalog_insert_branch(t, &one, ERR_BRANCH_NAME_EXISTS);
	catalog_insert_branch(t, &elsewhere, ERR_BRANCH_NAME_EXISTS);
	bed_commit(t);
	t = catalog_txn(b->catalog, b->arena);
	catalog_insert_branch(t, &two, ERR_BRANCH_NAME_EXISTS);
	bed_refused(t, ERR_BRANCH_NAME_EXISTS);
	/* The name becomes free within the same transaction. */
	t = catalog_txn(b->catalog, b->arena);
	catalog_remove_branch(t, KEY("p", "b1"));
	catalog_insert_branch(t, &two, ERR_BRANCH_NAME_EXISTS);
	bed_commit(t);
	struct branch got;
	assert_true(catalog_get_branch_by_name(b->catalog, b->arena, KEY("p", "fees"), &got));
	assert_string_equal(got.id, "b2");
	/* Rows without the unique value do not clash. */
	struct api_key a = {.id = "k1"};
	struct api_key c = {.id = "k2"};
	t = catalog_txn(b->catalog, b->arena);
	catalog_insert_api_key(t, &a, ERR_INTERNAL);
	catalog_insert_api_key(t, &c, ERR_INTERNAL);
	bed_commit(t);
}

static bool rename_project(void *ctx, struct project *row, struct arena *arena)
{
	row->name = arena_printf(arena, "%s+%s", row->name ? row->name : "", (const char *)ctx);
	return true;
}

static bool keep_project(void *ctx, struct project *row, struct arena *arena)
{
	(void)arena;
	row->name = ctx;
	return false;
}

static void conditions_decide_and_the_first_failure_counts(void **state)
{
	struct bed *b = *state;
	bed_project(b, "p1");
	struct bucket row = {.project_id = "p1", .name = "in"};
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	catalog_expect_project(t, KEY("p1"), ERR_PROJECT_NOT_FOUND);
	catalog_refuse_bucket_link(t, KEY("p1", "in"), ERR_BUCKET_EXISTS);
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	bed_commit(t);

	row.name = "other";
	t = catalog_txn(b->catalog, b->arena);
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	catalog_expect_project(t, KEY("p2"), ERR_PROJECT_NOT_FOUND);
	catalog_expect_branch(t, KEY("p2", "b"), ERR_BRANCH_NOT_FOUND);
	bed_refused(t, ERR_PROJECT_NOT_FOUND);
	struct bucket got;
	assert_false(catalog_get_bucket(b->catalog, b->arena, KEY("p1", "other"), &got));

	t = catalog_txn(b->catalog, b->arena);
	catalog_refuse_bucket(t, KEY("p1", "in"), ERR_BUCKET_EXISTS);
	bed_refused(t, ERR_BUCKET_EXISTS);

	char more[] = "more";
	struct project p;
	t = catalog_txn(b->catalog, b->arena);
	catalog_change_project(t, KEY("p1"), rename_project, more, ERR_PROJECT_NOT_FOUND);
	catalog_change_project(t, KEY("p1"), rename_project, more, ERR_PROJECT_NOT_FOUND);
	catalog_change_project(t, KEY("nobody"), rename_project, more, ERR_NONE);
	catalog_change_project(t, KEY("p1"), keep_project, more, ERR_PROJECT_NOT_FOUND);
	bed_commit(t);
	bed_reopen(b);
	assert_true(catalog_get_project(b->catalog, b->arena, KEY("p1"), &p));
	assert_string_equal(p.name, "+more+more");
	t = catalog_txn(b->catalog, b->arena);
	catalog_change_project(t, KEY("nobody"), rename_project, more, ERR_PROJECT_NOT_FOUND);
	bed_refused(t, ERR_PROJECT_NOT_FOUND);
}

static void steps_of_a_transaction_see_each_other(void **state)
{
	struct bed *b = *state;
	bed_bucket(b, "p", "old");
	bed_bucket(b, "p", "kept");
	struct bucket row = {.project_id = "p", .name = "old", .description = "second"};
	struct bucket fresh = {.project_id = "p", .name = "fresh"};
	struct catalog_txn *t = catalog_txn(b->catalog, b->arena);
	catalog_put_bucket(t, &fresh);
	catalog_remove_all_buckets(t, KEY("p"));
	catalog_refuse_bucket(t, KEY("p", "old"), ERR_INTERNAL);
	catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
	row.description = "third";
	catalog_put_bucket(t, &row);
	catalog_remove_bucket(t, KEY("p", "nobody"));
	bed_commit(t);
	for (int pass = 0; pass < 2; pass++) {
		struct bucket *rows;
		size_t n;
		catalog_list_buckets(b->catalog, b->arena, KEY("p"), NULL, &rows, &n);
		assert_int_equal(n, 1);
		assert_string_equal(rows[0].description, "third");
		bed_reopen(b);
	}
	/* Adding and removing the same row leaves nothing, inserting twice is refused. */
	t = catalog_txn(b->catalog, b->arena);
	catalog_put_bucket(t, &fresh);
	catalog_remove_bucket(t, KEY("p", "fresh"));
	bed_commit(t);
	t = catalog_txn(b->catalog, b->arena);
	catalog_insert_bucket(t, &fresh, ERR_BUCKET_EXISTS);
	catalog_insert_bucket(t, &fresh, ERR_BUCKET_EXISTS);
	bed_refused(t, ERR_BUCKET_EXISTS);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 1);
}

static bool few_buckets(void *ctx, struct catalog *catalog, struct err *err)
{
	uint64_t limit = *(uint64_t *)ctx;
	if (catalog_count_buckets(catalog, KEY("p")) < limit)
		return true;
	return err_set(err, ERR_QUOTA_EXCEEDED, "No more than %llu buckets", (unsigned long long)limit);
}

struct quota {
	struct catalog *catalog;
	uint64_t limit;
	_Atomic int granted;
};

static void bucket_under_quota(void *ctx, int number)
{
	struct quota *q = ctx;
	for (int i = 0; i < 20; i++) {
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;
		struct bucket row = {.project_id = "p", .name = arena_printf(arena, "b%d_%d", number, i)};
		struct catalog_txn *t = catalog_txn(q->catalog, arena);
		catalog_check(t, few_buckets, &q->limit);
		catalog_insert_bucket(t, &row, ERR_BUCKET_EXISTS);
		if (catalog_commit(t, &err))
			q->granted++;
		else if (err.code != ERR_QUOTA_EXCEEDED)
			abort();
		arena_free(arena);
	}
}

static void checks_hold_under_concurrency(void **state)
{
	struct bed *b = *state;
	struct quota q = {.catalog = b->catalog, .limit = 50};
	bed_threads(8, bucket_under_quota, &q);
	assert_int_equal(q.granted, 50);
	assert_int_equal(catalog_count_buckets(b->catalog, KEY("p")), 50);
}

static void transactions_not_committed_leave_nothing(void **state)
{
	struct bed *b = *state;
	struct project p = {.id = "p"};
	struct arena *arena = arena_new();
	catalog_put_project(catalog_txn(b->catalog, arena), &p);
	arena_free(arena);
	bed_commit(catalog_txn(b->catalog, b->arena));
	assert_int_equal(catalog_count_projects(b->catalog, KEY_ALL), 0);
}

static void second_server_is_kept_out(void **state)
{
	struct bed *b = *state;
	struct err err = ERR_INIT;
	struct catalog *second;
	struct catalog_config config = {.path = b->path};
	assert_false(catalog_open(&config, &second, &err));
	assert_int_equal(err.code, ERR_STORAGE_UNAVAILABLE);
	assert_non_null(strstr(err.message, b->path));
	/* Another metadata file, the same data directory. */
	char other[160];
	struct catalog *first;
	(void)snprintf(other, sizeof(other), "%s/other.duckdb", b->dir);
	config = (struct catalog_config){.path = other, .lock_dir = b->dir};
	assert_true(catalog_open(&config, &first, &err));
	(void)snprintf(other, sizeof(other), "%s/third.duckdb", b->dir);
	assert_false(catalog_open(&config, &second, &err));
	assert_int_equal(err.code, ERR_STORAGE_UNAVAILABLE);
	catalog_close(first);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		BED(text_of_any_kind_survives),
		BED(blobs_and_flags_survive),
		BED(bad_rows_are_refused_whole),
		BED(lists_follow_their_order),
		BED(newest_come_first_and_pages_are_stable),
		BED(visitors_see_rows_and_may_stop),
		BED(unique_names_are_kept),
		BED(conditions_decide_and_the_first_failure_counts),
		BED(steps_of_a_transaction_see_each_other),
		BED(checks_hold_under_concurrency),
		BED(transactions_not_committed_leave_nothing),
		BED(second_server_is_kept_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
