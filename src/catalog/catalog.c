#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "catalog/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { BATCH_DEFAULT = 256, CHECKPOINT_DEFAULT = 1000 };

/* ---- Life ---- */

/* flock: it is not lost when somebody else in this process opens and closes the file. */
static bool lock_take(const char *path, const char *what, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, errno, "The lock file %s cannot be opened", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char owner[24] = "";
		ssize_t n = read(fd, owner, sizeof(owner) - 1);
		owner[n > 0 ? n : 0] = '\0';
		owner[strcspn(owner, "\n")] = '\0';
		(void)close(fd);
		return err_set(err, ERR_STORAGE_UNAVAILABLE, "Another server (process %s) is using %s",
			       *owner ? owner : "unknown", what);
	}
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
		/* The number is for people; the lock holds without it. */
	}
	*ret_fd = fd;
	return true;
}

static bool locks_take(struct core *core, const struct catalog_config *config, struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	if (!fs_path(path, sizeof(path), err, "%s.lock", config->path) ||
	    !lock_take(path, config->path, &core->lock_fds[0], err))
		return false;
	if (!config->lock_dir)
		return true;
	return fs_path(path, sizeof(path), err, "%s/.lock", config->lock_dir) &&
	       lock_take(path, config->lock_dir, &core->lock_fds[1], err);
}

static void series_resolve(struct core *core)
{
	static const char *const names[CATALOG_CALLS] = {"read", "write"};
	for (int i = 0; i < CATALOG_CALLS; i++) {
		core->calls[i] = metric_series(METRIC_METADATA_QUERIES_TOTAL, names[i], NULL);
		core->seconds[i] = metric_series(METRIC_METADATA_QUERY_DURATION_SECONDS, names[i], NULL);
	}
	core->active = metric_series(METRIC_METADATA_CONNECTIONS_ACTIVE, NULL);
	core->queue_depth = metric_series(METRIC_METADATA_WRITE_QUEUE_DEPTH, NULL);
	core->busy_seconds = metric_series(METRIC_METADATA_WRITER_BUSY_SECONDS_TOTAL, NULL);
	core->commit_seconds = metric_series(METRIC_FSYNC_DURATION_SECONDS, "metadata", NULL);
	core->checkpoint_seconds = metric_series(METRIC_CHECKPOINT_DURATION_SECONDS, "metadata", NULL);
	core->wal_bytes = metric_series(METRIC_WAL_BYTES, "metadata", NULL);
}

static void core_free(struct core *core)
{
	store_close(core->store);
	model_free(core->model);
	(void)pthread_rwlock_destroy(&core->lock);
	for (size_t i = 0; i < ARRAY_LEN(core->lock_fds); i++)
		if (core->lock_fds[i] >= 0)
			(void)close(core->lock_fds[i]);
	free(core);
}

bool catalog_open(const struct catalog_config *config, struct catalog **ret, struct err *err)
{
	struct core *core = mem_alloc(sizeof(*core));
	core->counted = (struct catalog){.core = core, .counted = true};
	core->uncounted = (struct catalog){.core = core};
	core->lock_fds[0] = core->lock_fds[1] = -1;
	core->batch_max = config->batch_max ? config->batch_max : BATCH_DEFAULT;
	core->checkpoint_commits = config->checkpoint_commits ? config->checkpoint_commits : CHECKPOINT_DEFAULT;
	core->model = model_new();
	/* Readers come in short crowds; without this the writer would wait for a gap. */
	pthread_rwlockattr_t attr;
	(void)pthread_rwlockattr_init(&attr);
	(void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(&core->lock, &attr);
	(void)pthread_rwlockattr_destroy(&attr);
	series_resolve(core);
	if (!locks_take(core, config, err) || !store_open(config->path, &core->store, err) ||
	    !store_load(core->store, core->model, &core->writer.next_seq, err)) {
		core_free(core);
		return false;
	}
	finisher_start(&core->finisher);
	writer_start(core);
	*ret = &core->counted;
	return true;
}

void catalog_close(struct catalog *catalog)
{
	if (!catalog)
		return;
	writer_stop(catalog->core);
	finisher_stop(&catalog->core->finisher);
	core_free(catalog->core);
}

struct catalog *catalog_uncounted(struct catalog *catalog)
{
	return &catalog->core->uncounted;
}

void catalog_stats(struct catalog *catalog, struct catalog_stats *ret)
{
	struct core *core = catalog->core;
	struct writer *w = &core->writer;
	*ret = (struct catalog_stats){
		.batches = atomic_load(&w->batches),
		.commits = atomic_load(&w->commits),
		.checkpoints = atomic_load(&w->checkpoints),
		.reopens = atomic_load(&w->reopens),
		.wal_bytes = store_wal_bytes(core->store),
		.file_bytes = store_file_bytes(core->store),
	};
	(void)pthread_rwlock_rdlock(&core->lock);
	ret->rows = (int64_t)model_rows(core->model);
	(void)pthread_rwlock_unlock(&core->lock);
	(void)pthread_mutex_lock(&w->mutex);
	ret->queue_depth = w->depth;
	(void)pthread_mutex_unlock(&w->mutex);
}

/* ---- Reads ---- */

/* What this thread holds. */
static __thread const struct core *held;
static __thread int64_t held_since;

static int64_t read_begin(struct catalog *c)
{
	int64_t start = 0;
	if (held == c->core)
		return start;
	if (c->counted) {
		start = clock_ns();
		metric_gauge_add(c->core->active, 1);
	}
	(void)pthread_rwlock_rdlock(&c->core->lock);
	return start;
}

static void read_end(struct catalog *c, int64_t start)
{
	if (held == c->core)
		return;
	(void)pthread_rwlock_unlock(&c->core->lock);
	if (!c->counted)
		return;
	metric_gauge_add(c->core->active, -1);
	metric_inc(c->core->calls[CATALOG_READ]);
	metric_observe_since(c->core->seconds[CATALOG_READ], start);
}

void catalog_hold(struct catalog *catalog)
{
	held_since = read_begin(catalog);
	held = catalog->core;
}

void catalog_release(struct catalog *catalog)
{
	held = NULL;
	read_end(catalog, held_since);
}

bool catalog_get_row(struct catalog *c, enum catalog_index index, struct arena *arena, struct catalog_key key,
		     void *ret_row)
{
	const struct index_def *x = schema_index(index);
	packed_key_check(x, &key, true);
	int64_t start = read_begin(c);
	const struct packed *row = model_find(c->core->model, index, &key);
	if (row)
		packed_copy(schema_entity(x->entity), row, arena, ret_row);
	read_end(c, start);
	return row != NULL;
}

struct listing {
	const struct entity_def *entity;
	struct arena *arena;
	char *next;
};

static bool listing_add(void *ctx, struct packed *row)
{
	struct listing *l = ctx;
	packed_copy(l->entity, row, l->arena, l->next);
	l->next += l->entity->row_size;
	return true;
}

static void page_check(const struct index_def *x, const struct catalog_key *prefix, const struct catalog_page *page)
{
	packed_key_check(x, prefix, false);
	if (page)
		packed_key_check(x, &page->after, false);
}

void catalog_list_rows(struct catalog *c, enum catalog_index index, struct arena *arena, struct catalog_key prefix,
		       const struct catalog_page *page, void **ret_rows, size_t *ret_n)
{
	const struct index_def *x = schema_index(index);
	page_check(x, &prefix, page);
	int64_t start = read_begin(c);
	struct listing l = {.entity = schema_entity(x->entity), .arena = arena};
	*ret_n = (size_t)model_page_count(c->core->model, index, &prefix, page);
	l.next = *ret_rows = arena_alloc_array(arena, l.entity->row_size, *ret_n);
	model_walk(c->core->model, index, &prefix, page, listing_add, &l);
	read_end(c, start);
}

uint64_t catalog_count_rows(struct catalog *c, enum catalog_index index, struct catalog_key prefix)
{
	packed_key_check(schema_index(index), &prefix, false);
	int64_t start = read_begin(c);
	uint64_t count = model_page_count(c->core->model, index, &prefix, NULL);
	read_end(c, start);
	return count;
}

struct visiting {
	const struct entity_def *entity;
	bool (*visit)(void *call, const void *row);
	void *call;
	void *row;
};

static bool visit_one(void *ctx, struct packed *row)
{
	struct visiting *v = ctx;
	packed_read(v->entity, row, v->row);
	return v->visit(v->call, v->row);
}

void catalog_visit_rows(struct catalog *c, enum catalog_index index, struct catalog_key prefix,
			const struct catalog_page *page, bool (*visit)(void *call, const void *row), void *call)
{
	union row_space row;
	const struct index_def *x = schema_index(index);
	page_check(x, &prefix, page);
	int64_t start = read_begin(c);
	struct visiting v = {schema_entity(x->entity), visit, call, &row};
	model_walk(c->core->model, index, &prefix, page, visit_one, &v);
	read_end(c, start);
}
