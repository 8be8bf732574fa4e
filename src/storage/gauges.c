#include "storage/gauges.h"

#include "base/clock.h"
#include "base/fs.h"
#include "catalog/catalog.h"
#include "catalog/history.h"
#include "engine/instance.h"
#include "engine/table.h"
#include "metrics/metrics.h"
#include "storage/object.h"
#include "storage/place.h"
#include "storage/space.h"

#include <stdio.h>
#include <sys/stat.h>

/* Collectors read the catalog through this, which moves no metric of the catalog itself. */
static struct catalog *quiet(void *ctx)
{
	return catalog_uncounted(((struct storage *)ctx)->catalog);
}

static void set(enum metric metric, double value)
{
	metric_gauge_set(metric_series(metric, NULL), value);
}

static void set_size(const char *type, int64_t bytes)
{
	metric_gauge_set(metric_series(METRIC_STORAGE_SIZE_BYTES, type, NULL), (double)bytes);
}

static bool collect_counts(void *ctx, struct err *err)
{
	struct catalog *c = quiet(ctx);
	(void)err;
	uint64_t tables = catalog_count_tables(c, KEY_ALL);
	uint64_t main_tables = catalog_count_tables_by_branch(c, KEY(BRANCH_MAIN));
	set(METRIC_PROJECTS_TOTAL,
	    (double)(catalog_count_projects(c, KEY_ALL) - catalog_count_projects_by_status(c, KEY("deleted"))));
	set(METRIC_BUCKETS_TOTAL, (double)(catalog_count_buckets(c, KEY_ALL) + catalog_count_bucket_links(c, KEY_ALL)));
	set(METRIC_TABLES_TOTAL, (double)main_tables);
	set(METRIC_WORKSPACES_TOTAL, (double)catalog_count_workspaces(c, KEY_ALL));
	set(METRIC_PGWIRE_SESSIONS_TOTAL, (double)catalog_count_pg_sessions_by_activity(c, KEY("active")));
	set(METRIC_BRANCHES_TOTAL, (double)catalog_count_branches(c, KEY_ALL));
	set(METRIC_BRANCH_TABLES_TOTAL, (double)(tables - main_tables));
	set(METRIC_BUCKET_SHARES_TOTAL, (double)catalog_count_bucket_shares(c, KEY_ALL));
	set(METRIC_BUCKET_LINKS_TOTAL, (double)catalog_count_bucket_links(c, KEY_ALL));
	set(METRIC_FILES_TOTAL, (double)catalog_count_files(c, KEY_ALL));
	set(METRIC_FILES_STAGING_COUNT, (double)catalog_count_uploads(c, KEY_ALL));
	return true;
}

static bool add_upload(void *ctx, const struct upload *row)
{
	*(int64_t *)ctx += row->staged_bytes;
	return true;
}

static bool add_part(void *ctx, const struct multipart_part *row)
{
	*(int64_t *)ctx += row->size_bytes;
	return true;
}

static bool add_workspace(void *ctx, const struct workspace *row)
{
	char log[LIMIT_PATH_BYTES];
	struct err ignored = ERR_INIT;
	int64_t bytes = row->db_path ? fs_size(row->db_path) : -1;
	*(int64_t *)ctx += bytes > 0 ? bytes : 0;
	bytes = row->db_path && fs_path(log, sizeof(log), &ignored, "%s.wal", row->db_path) ? fs_size(log) : -1;
	*(int64_t *)ctx += bytes > 0 ? bytes : 0;
	return true;
}

struct scratch {
	const char *dir;
	int64_t bytes;
};

/* What has another name too is counted under that one. */
static bool add_scratch(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct scratch *scratch = ctx;
	char path[LIMIT_PATH_BYTES];
	struct stat st;
	if (!is_dir && fs_path(path, sizeof(path), err, "%s/%s", scratch->dir, name) && lstat(path, &st) == 0 &&
	    st.st_nlink == 1)
		scratch->bytes += st.st_size;
	return true;
}

/* Of running writes, which are few: the folder holds nothing else. */
static int64_t scratch_bytes(const struct storage *storage)
{
	struct err ignored = ERR_INIT;
	struct instance_stats engine;
	struct scratch scratch = {.dir = storage->settings->staging_dir};
	if (fs_is_dir(scratch.dir))
		(void)!fs_list(scratch.dir, add_scratch, &scratch, &ignored);
	instance_stats(storage->data, &engine);
	return scratch.bytes + engine.temp_bytes;
}

static bool collect_sizes(void *ctx, struct err *err)
{
	struct catalog *c = quiet(ctx);
	struct catalog_stats stats;
	struct history_totals history;
	struct storage *storage = ctx;
	struct space space;
	int64_t file_count = 0;
	int64_t files = 0;
	/* What start-up moved aside is on its way out too. */
	int64_t staging = atomic_load(&storage->lost_bytes) + scratch_bytes(storage);
	int64_t workspaces = 0;
	(void)err;
	catalog_stats(c, &stats);
	history_totals(storage->history, &history);
	space_measure(c, &space);
	object_usage(ctx, NULL, &file_count, &files);
	catalog_visit_uploads(c, KEY_ALL, NULL, add_upload, &staging);
	catalog_visit_multipart_parts(c, KEY_ALL, NULL, add_part, &staging);
	catalog_visit_workspaces(c, KEY_ALL, NULL, add_workspace, &workspaces);
	set_size("metadata", stats.file_bytes + stats.wal_bytes + history.file_bytes + history.wal_bytes);
	set_size("tables", space.tables);
	set_size("staging", staging);
	set_size("files", files);
	set_size("workspaces", workspaces);
	set_size("snapshots", space.snapshots);
	set(METRIC_SNAPSHOTS_SIZE_BYTES, (double)space.snapshots);
	metric_gauge_set(metric_series(METRIC_SNAPSHOTS_TOTAL, "manual", NULL), (double)space.manual_snapshots);
	metric_gauge_set(metric_series(METRIC_SNAPSHOTS_TOTAL, "auto", NULL), (double)space.auto_snapshots);
	return true;
}

static bool collect_s3(void *ctx, struct err *err)
{
	(void)err;
	set(METRIC_S3_MULTIPART_UPLOADS_ACTIVE, (double)catalog_count_multiparts_by_state(quiet(ctx), KEY("open")));
	return true;
}

struct live {
	int64_t now;
	uint64_t count;
};

static bool live_entry(void *ctx, const struct idempotency_entry *row)
{
	struct live *live = ctx;
	live->count += row->expires_at > live->now;
	return true;
}

static bool collect_idempotency(void *ctx, struct err *err)
{
	struct live live = {.now = clock_unix_us()};
	(void)err;
	catalog_visit_idempotency_entries(quiet(ctx), KEY_ALL, NULL, live_entry, &live);
	set(METRIC_IDEMPOTENCY_CACHE_SIZE, (double)live.count);
	return true;
}

/* What is not there yet will come to where its nearest folder is. */
static bool disk_of(const char *path, int64_t *ret_free, int64_t *ret_size, struct err *err)
{
	char at[LIMIT_PATH_BYTES];
	(void)snprintf(at, sizeof(at), "%s", path);
	while (!fs_exists(at) && at[1]) {
		char *slash = strrchr(at, '/');
		(void)snprintf(slash ? slash : at, 2, "%s", slash == at ? "/" : slash ? "" : ".");
	}
	return fs_space(at, ret_free, ret_size, err);
}

static bool collect_disks(void *ctx, struct err *err)
{
	const struct settings *s = ((const struct storage *)ctx)->settings;
	const char *const paths[][2] = {{"tables", s->duckdb_dir},
					{"files", s->files_dir},
					{"snapshots", s->snapshots_dir},
					{"metadata", s->metadata_db_path}};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int64_t free_bytes, size;
		if (!disk_of(paths[i][1], &free_bytes, &size, err))
			return false;
		metric_gauge_set(metric_series(METRIC_DISK_FREE_BYTES, paths[i][0], NULL), (double)free_bytes);
		metric_gauge_set(metric_series(METRIC_DISK_SIZE_BYTES, paths[i][0], NULL), (double)size);
	}
	return true;
}

static bool collect_engine(void *ctx, struct err *err)
{
	struct storage *storage = ctx;
	struct instance_stats stats;
	struct instance_memory tags[INSTANCE_MEMORY_TAGS_MAX];
	struct table_files_stats files;
	(void)err;
	instance_stats(storage->data, &stats);
	table_files_stats(storage->tables, &files);
	set(METRIC_ENGINE_MEMORY_LIMIT_BYTES, (double)stats.memory_limit);
	set(METRIC_ENGINE_TEMP_BYTES, (double)stats.temp_bytes);
	set(METRIC_TABLE_HANDLES_OPEN, (double)files.attached);
	metric_mirror(metric_series(METRIC_TABLE_HANDLE_OPENS_TOTAL, "success", NULL), (double)files.misses);
	metric_mirror(metric_series(METRIC_TABLE_HANDLE_EVICTIONS_TOTAL, NULL), (double)files.evictions);
	size_t n = instance_memory(storage->data, tags);
	for (size_t i = 0; i < n; i++)
		metric_gauge_set(metric_series(METRIC_ENGINE_MEMORY_BYTES, tags[i].tag, NULL),
				 (double)tags[i].memory_bytes);
	return true;
}

static bool add_table(void *ctx, const struct table_row *row)
{
	*(int64_t *)ctx += row->size_bytes;
	return true;
}

static void set_project(enum metric metric, const char *project_id, double value)
{
	struct series *series = metric_tenant_series(metric, project_id, NULL);
	metric_gauge_set(series, value);
	metric_tenant_release(series);
}

/* Only for the projects that may have series of their own. */
static bool collect_projects(void *ctx, struct err *err)
{
	const struct settings *s = ((const struct storage *)ctx)->settings;
	struct catalog *c = quiet(ctx);
	struct project *projects;
	size_t n;
	(void)err;
	if (!s->metrics_per_project || s->metrics_max_projects == 0)
		return true;
	struct arena *arena = arena_new();
	struct catalog_page page = {.limit = (size_t)s->metrics_max_projects};
	catalog_list_projects(c, arena, KEY_ALL, &page, &projects, &n);
	for (size_t i = 0; i < n; i++) {
		int64_t bytes = 0;
		if (strcmp(projects[i].status, "deleted") == 0)
			continue;
		catalog_visit_tables(c, KEY(projects[i].id, BRANCH_MAIN), NULL, add_table, &bytes);
		set_project(METRIC_PROJECT_STORAGE_BYTES, projects[i].id, (double)bytes);
		set_project(METRIC_PROJECT_TABLES, projects[i].id,
			    (double)catalog_count_tables(c, KEY(projects[i].id, BRANCH_MAIN)));
	}
	arena_free(arena);
	return true;
}

static const struct {
	const char *name;
	const char *group;
	bool (*collect)(void *ctx, struct err *err);
} collectors[] = {
	{"counts", "storage", collect_counts},
	{"sizes", "storage", collect_sizes},
	{"idempotency", "idempotency", collect_idempotency},
	{"disks", "disk", collect_disks},
	{"engine", "engine", collect_engine},
	{"projects", "projects", collect_projects},
	{"s3", "s3", collect_s3},
};

void gauges_start(struct storage *storage)
{
	for (size_t i = 0; i < ARRAY_LEN(collectors); i++)
		metrics_collector_add(collectors[i].name, collectors[i].group, collectors[i].collect, storage);
}

void gauges_stop(struct storage *storage)
{
	(void)storage;
	for (size_t i = 0; i < ARRAY_LEN(collectors); i++)
		metrics_collector_remove(collectors[i].name);
}
