/* What SQL sees in a workspace's engine: tables by name, newer versions, nothing else; and who may have a session. */
#include "base/clock.h"
#include "base/fs.h"
#include "engine/staging.h"
#include "storage/shape.h"
#include "storage/workspace_core.h"
#include "storage/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct bed {
	char dir[64];
	struct settings settings;
	struct storage storage;
	struct arena *arena;
	struct workspace row;
};

/* Publishes in_c_fin.invoices with so many rows. */
static void publish(struct bed *bed, const char *sql)
{
	struct err err = ERR_INIT;
	struct table_column column = {.name = "id", .type = "INTEGER", .nullable = true};
	struct table_schema schema = {.column_count = 1, .columns = &column};
	struct staging *st;
	struct session *session;
	struct table_info info;
	assert_true(staging_create(bed->storage.tables, bed->settings.staging_dir, 0, &st, &err));
	assert_true(staging_create_table(st, &schema, &err));
	assert_true(session_open(bed->storage.data, &session, &err));
	assert_true(session_run(session,
				arena_printf(bed->arena, "INSERT INTO %s.main.data %s", staging_alias(st), sql), &err));
	session_close(session);
	assert_true(staging_seal(st, bed->arena, &info, &err));
	const char *path = place_table_path(&bed->storage, bed->arena, "p", NULL, "in_c_fin", "invoices");
	assert_true(fs_mkdir(place_bucket_dir(&bed->storage, bed->arena, "p", NULL, "in_c_fin"), &err));
	assert_true(fs_publish(staging_path(st), path, false, &err));
	staging_free(st);
	struct table_row row = {.project_id = "p",
				.branch_id = BRANCH_MAIN,
				.bucket = "in_c_fin",
				.name = "invoices",
				.origin = "main",
				.generation = 1,
				.created_at = 1};
	assert_true(table_identify(path, &info.identity, &err));
	write_row_fill(&row, &info, bed->arena);
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->arena);
	catalog_put_table_row(t, &row);
	assert_true(catalog_commit(t, &err));
}

static int bed_setup(void **state)
{
	struct bed *bed = mem_alloc(sizeof(*bed));
	struct err err = ERR_INIT;
	memcpy(bed->dir, "/tmp/test_workspace.XXXXXX", 27);
	assert_non_null(mkdtemp(bed->dir));
	bed->arena = arena_new();
	bed->settings.duckdb_dir = arena_printf(bed->arena, "%s/duckdb", bed->dir);
	bed->settings.staging_dir = arena_printf(bed->arena, "%s/staging", bed->dir);
	bed->settings.duckdb_threads = 1;
	bed->settings.pgwire_session_memory = 256 * (int64_t)MIB;
	bed->settings.pgwire_memory_budget = 512 * (int64_t)MIB;
	bed->settings.pgwire_workspace_connections_max = 2;
	bed->settings.pgwire_connections_max = 10;
	bed->storage.settings = &bed->settings;
	struct catalog_config config = {.path = arena_printf(bed->arena, "%s/metadata.duckdb", bed->dir)};
	assert_true(catalog_open(&config, &bed->storage.catalog, &err));
	assert_true(instance_open(&(struct instance_config){.threads = 1}, &bed->storage.data, &err));
	struct table_files_config files = {
		.data = bed->storage.data, .private_dir = arena_printf(bed->arena, "%s/_links", bed->dir), .max = 10};
	assert_true(table_files_open(&files, &bed->storage.tables, &err));
	assert_true(workspaces_start(&bed->storage, &bed->storage.workspaces, &err));
	const char *folder = arena_printf(bed->arena, "%s/project_p/_workspaces", bed->settings.duckdb_dir);
	assert_true(fs_mkdir(bed->settings.staging_dir, &err) && fs_mkdir(folder, &err));
	bed->row = (struct workspace){.id = "ws_1",
				      .project_id = "p",
				      .status = "active",
				      .username = "u",
				      .db_path = arena_printf(bed->arena, "%s/ws_1.duckdb", folder),
				      .size_limit_gb = 1,
				      .created_at = 1};
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->arena);
	catalog_put_project(t, &(struct project){.id = "p", .status = "active", .created_at = 1});
	catalog_put_bucket(t, &(struct bucket){.project_id = "p", .name = "in_c_fin", .created_at = 1});
	catalog_put_workspace(t, &bed->row);
	assert_true(catalog_commit(t, &err));
	*state = bed;
	return 0;
}

static int bed_done(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	workspaces_stop(bed->storage.workspaces);
	table_files_close(bed->storage.tables);
	instance_close(bed->storage.data);
	catalog_close(bed->storage.catalog);
	assert_true(fs_remove_tree(bed->dir, &err));
	arena_free(bed->arena);
	free(bed);
	return 0;
}

static int64_t number(struct workspace_instance *wi, const char *sql)
{
	struct err err = ERR_INIT;
	struct session *session;
	int64_t value = -1;
	assert_true(session_open(workspace_engine(wi), &session, &err));
	bool fine = session_int(session, sql, &value, &err);
	session_close(session);
	return fine ? value : -1;
}

static void tables_resolve_and_follow(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	struct workspace_instance *wi;
	bool found;
	publish(bed, "SELECT * FROM range(3)");
	assert_true(workspace_open(&bed->storage, "ws_1", &wi, &err));
	assert_true(workspace_attach_table(wi, "IN_C_FIN", "Invoices", &found, &err));
	assert_true(found);
	assert_int_equal(number(wi, "SELECT count(*) FROM in_c_fin.invoices"), 3);
	assert_true(workspace_attach_joined(wi, "in_c_fin_invoices", &found, &err) && found);
	assert_int_equal(number(wi, "SELECT count(*) FROM in_c_fin_invoices.data"), 3);
	assert_int_equal(number(wi, "SELECT count(*) FROM in_c_fin_invoices.main.data"), 3);

	/* A transaction goes on with what it saw; the next one sees the new version. */
	struct session *session;
	int64_t seen;
	uint64_t pin = workspace_pin(wi);
	assert_true(session_open(workspace_engine(wi), &session, &err));
	assert_true(session_run(session, "BEGIN", &err));
	assert_true(session_int(session, "SELECT count(*) FROM in_c_fin.invoices", &seen, &err));
	publish(bed, "SELECT * FROM range(5)");
	assert_true(workspace_attach_table(wi, "in_c_fin", "invoices", &found, &err) && found);
	assert_int_equal(number(wi, "SELECT count(*) FROM in_c_fin.invoices"), 5);
	assert_true(session_int(session, "SELECT count(*) FROM in_c_fin.invoices", &seen, &err));
	assert_int_equal(seen, 3);
	assert_true(session_run(session, "COMMIT", &err));
	session_close(session);
	workspace_unpin(wi, pin);

	assert_true(workspace_attach_table(wi, "in_c_fin", "none", &found, &err));
	assert_false(found);
	assert_true(workspace_attach_table(wi, "none", "invoices", &found, &err));
	assert_false(found);

	/* Dropped: the name resolves no more. */
	struct catalog_txn *t = catalog_txn(bed->storage.catalog, bed->arena);
	catalog_remove_table_row(t, KEY("p", BRANCH_MAIN, "in_c_fin", "invoices"));
	assert_true(catalog_commit(t, &err));
	assert_true(workspace_attach_table(wi, "in_c_fin", "invoices", &found, &err));
	assert_false(found);
	assert_int_equal(number(wi, "SELECT count(*) FROM in_c_fin.invoices"), -1);
	workspace_release(wi);
}

static void files_of_others_are_out_of_reach(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	struct workspace_instance *wi;
	publish(bed, "SELECT * FROM range(3)");
	assert_true(workspace_open(&bed->storage, "ws_1", &wi, &err));
	assert_int_equal(number(wi, "SELECT count(*) FROM read_text('/etc/passwd')"), -1);
	assert_int_equal(number(wi, arena_printf(bed->arena, "ATTACH '%s' AS x",
						 place_table_path(&bed->storage, bed->arena, "p", NULL, "in_c_fin",
								  "invoices"))),
			 -1);
	assert_int_equal(number(wi, "SELECT count(*) FROM x.main.data"), -1);
	workspace_release(wi);
}

static void one_engine_for_all_until_it_is_deleted(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	struct workspace_instance *a, *b;
	assert_true(workspace_open(&bed->storage, "ws_1", &a, &err));
	assert_true(workspace_open(&bed->storage, "ws_1", &b, &err));
	assert_ptr_equal(workspace_engine(a), workspace_engine(b));
	workspace_release(b);
	workspace_release(a);
	workspace_doom(&bed->storage, "ws_1", PG_SESSION_DELETED);
	assert_true(workspace_open(&bed->storage, "ws_1", &a, &err));
	assert_false(workspace_is_doomed(a));
	workspace_release(a);
	assert_false(workspace_open(&bed->storage, "none", &a, &err));
	assert_int_equal(err.code, ERR_WORKSPACE_NOT_FOUND);
}

static void note_end(void *ctx, enum pg_session_end why)
{
	*(int *)ctx = (int)why + 1;
}

static void sessions_are_limited_counted_and_ended(void **state)
{
	struct bed *bed = *state;
	struct err err = ERR_INIT;
	struct pg_own_session *s[3];
	struct pg_session row;
	int ended[3] = {0};
	assert_true(pg_session_open(&bed->storage, &bed->row, "10.0.0.1", note_end, &ended[0], &s[0], &err));
	assert_true(pg_session_open(&bed->storage, &bed->row, "10.0.0.1", note_end, &ended[1], &s[1], &err));
	assert_false(pg_session_open(&bed->storage, &bed->row, "10.0.0.1", note_end, &ended[2], &s[2], &err));
	assert_int_equal(err.code, ERR_CONNECTION_LIMIT_REACHED);
	pg_session_touch(s[0], clock_unix_us(), true);
	pg_session_touch(s[0], clock_unix_us(), true);
	const char *id = arena_strdup(bed->arena, pg_session_id(s[0]));
	assert_true(pg_session_get(&bed->storage, bed->arena, id, &row, &err));
	assert_int_equal(row.query_count, 2);
	assert_true(pg_sessions_sweep(&bed->storage, &err));
	pg_session_touch(s[0], clock_unix_us(), true);
	assert_true(pg_session_get(&bed->storage, bed->arena, id, &row, &err));
	assert_int_equal(row.query_count, 3);
	workspace_doom(&bed->storage, "ws_1", PG_SESSION_EXPIRED);
	assert_int_equal(ended[0], PG_SESSION_EXPIRED + 1);
	assert_int_equal(ended[1], PG_SESSION_EXPIRED + 1);
	pg_session_close(s[0]);
	pg_session_close(s[1]);
	assert_true(pg_session_get(&bed->storage, bed->arena, id, &row, &err));
	assert_string_equal(row.status, "disconnected");
	assert_int_equal(row.query_count, 3);
	assert_int_equal(pg_sessions_active(&bed->storage, "ws_1"), 0);
	/* Long expired: told before anything else. */
	struct workspace old = bed->row;
	old.expires_at = 1;
	assert_false(workspace_login_check(&bed->storage, &old, &err));
	assert_int_equal(err.code, ERR_WORKSPACE_EXPIRED);
	old = bed->row;
	old.status = "error";
	assert_false(workspace_login_check(&bed->storage, &old, &err));
	assert_int_equal(err.code, ERR_WORKSPACE_NOT_ACTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables_resolve_and_follow, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(files_of_others_are_out_of_reach, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(one_engine_for_all_until_it_is_deleted, bed_setup, bed_done),
		cmocka_unit_test_setup_teardown(sessions_are_limited_counted_and_ended, bed_setup, bed_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
