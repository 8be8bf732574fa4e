#include "storage/storage.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "catalog/history.h"
#include "engine/expr.h"
#include "engine/instance.h"
#include "engine/table.h"
#include "storage/activity.h"
#include "storage/file.h"
#include "storage/gauges.h"
#include "storage/job.h"
#include "storage/key_lock.h"
#include "storage/lock.h"
#include "storage/object.h"
#include "storage/multipart.h"
#include "storage/reconcile.h"
#include "storage/removal.h"
#include "storage/s3_credential.h"
#include "storage/snapshot.h"
#include "storage/statement_stats.h"
#include "storage/sweep.h"
#include "storage/trace.h"
#include "storage/version.h"
#include "storage/workspace_core.h"

#include <stdlib.h>
#include <unistd.h>

static bool open_catalog(struct storage *st, struct err *err)
{
	const struct settings *s = st->settings;
	char folder[LIMIT_PATH_BYTES];
	char history[LIMIT_PATH_BYTES];
	const char *slash = strrchr(s->metadata_db_path, '/');
	int len = slash ? (int)(slash - s->metadata_db_path) : 1;
	if (!fs_path(folder, sizeof(folder), err, "%.*s", len ? len : 1, slash ? s->metadata_db_path : ".") ||
	    !fs_path(history, sizeof(history), err, "%s/operations.duckdb", folder) || !fs_mkdir(folder, err))
		return false;
	struct catalog_config config = {.path = s->metadata_db_path, .lock_dir = folder};
	struct history_config past = {
		.path = history, .success_days = (int)s->history_days, .error_days = (int)s->history_error_days};
	return catalog_open(&config, &st->catalog, err) && history_open(&past, &st->history, err);
}

static bool open_engine(struct storage *st, struct err *err)
{
	const struct settings *s = st->settings;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct arena *arena = arena_new();
	struct instance_config config = {
		.threads = (size_t)(s->duckdb_threads < cores ? s->duckdb_threads : cores),
		.memory_limit = s->duckdb_memory_limit,
		.temp_dir = arena_printf(arena, "%s/_temp", s->duckdb_dir),
		.temp_max = s->duckdb_temp_max,
		.hide_dir = s->duckdb_dir,
		/*
		 * The optimizer turns a plain LIMIT into a semi-join on row ids and a sort, which looks at every row group:
		 * a preview of 1,000 of 5 million rows takes ten times as long that way.
		 */
		.init_sql = "SET disabled_optimizers='late_materialization'",
	};
	bool fine = instance_open(&config, &st->data, err);
	struct table_files_config files = {
		.data = st->data,
		.private_dir = arena_printf(arena, "%s/_links", s->duckdb_dir),
		.max = (size_t)s->attached_max,
	};
	fine = fine && table_files_open(&files, &st->tables, err) && expr_guard_open(&st->guard, err);
	arena_free(arena);
	return fine;
}

static bool sweep_versions(struct storage *storage, struct err *err)
{
	(void)err;
	(void)version_sweep(storage);
	table_reap(storage->tables);
	return true;
}

static bool sweep_history(struct storage *storage, struct err *err)
{
	uint64_t removed;
	return history_sweep(storage->history, clock_unix_us(), &removed, err);
}

bool storage_open(const struct settings *settings, struct storage **ret, struct err *err)
{
	struct storage *st = mem_alloc(sizeof(*st));
	struct reconcile_report report;
	st->settings = settings;
	if (settings->admin_api_key)
		hash_sha256_hex(span_of(settings->admin_api_key), st->admin_key_hash);
	st->statements = statement_stats_new();
	st->activity = activity_new();
	st->removals = removals_new();
	st->bucket_names = key_locks_new();
	st->locks = locks_new(settings->operation_timeout, (size_t)settings->write_workers);
	if ((settings->otlp_endpoint &&
	     !traces_start(settings->otlp_endpoint, settings->api_version, &st->traces, err)) ||
	    !open_catalog(st, err) || !open_engine(st, err) || !reconcile_run(st, &report, err) ||
	    !server_key_load(settings, st->server_key, err) || !objects_open(st, err) ||
	    !jobs_start(st, &st->jobs, err) || !workspaces_start(st, &st->workspaces, err)) {
		storage_close(st);
		return false;
	}
	if (report.followed || report.missing || report.lost)
		log_event(LOG_WARN, "start-up repaired the storage", "tables", LOG_I(report.tables), "followed",
			  LOG_I(report.followed), "missing", LOG_I(report.missing), "moved_aside", LOG_I(report.lost),
			  NULL);
	st->sweeper = sweeper_start(st);
	sweeper_add(st->sweeper, "versions", 60, sweep_versions);
	sweeper_add(st->sweeper, "snapshot_retention", 60, snapshot_sweep);
	sweeper_add(st->sweeper, "operation_log", 3600, sweep_history);
	sweeper_add(st->sweeper, "lost", 3600, reconcile_sweep);
	sweeper_add(st->sweeper, "removals", 5, removals_sweep);
	sweeper_add(st->sweeper, "incoming", 3600, objects_sweep);
	sweeper_add(st->sweeper, "staging", 60, file_sweep);
	sweeper_add(st->sweeper, "jobs", 3600, jobs_sweep);
	sweeper_add(st->sweeper, "multipart", 300, multipart_sweep);
	sweeper_add(st->sweeper, "pg_sessions", 15, pg_sessions_sweep);
	sweeper_add(st->sweeper, "workspaces", 3, workspaces_sweep);
	gauges_start(st);
	*ret = st;
	return true;
}

void storage_interrupt(struct storage *st)
{
	jobs_interrupt(st->jobs);
	instance_interrupt_all(st->data);
}

void storage_close(struct storage *st)
{
	if (!st)
		return;
	jobs_stop(st->jobs);
	sweeper_stop(st->sweeper);
	gauges_stop(st);
	workspaces_stop(st->workspaces);
	traces_stop(st->traces);
	expr_guard_close(st->guard);
	if (st->tables)
		table_files_close(st->tables);
	instance_close(st->data);
	objects_close(st);
	history_close(st->history);
	struct err ignored = ERR_INIT;
	if (st->catalog)
		(void)!removals_sweep(st, &ignored);
	removals_free(st->removals);
	key_locks_free(st->bucket_names);
	catalog_close(st->catalog);
	locks_free(st->locks);
	statement_stats_free(st->statements);
	activity_free(st->activity);
	free(st);
}
