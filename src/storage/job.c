#include "storage/job.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "engine/session.h"
#include "metrics/metrics.h"
#include "storage/place.h"

#include <pthread.h>
#include <stdlib.h>

/* A job that waits or runs. */
struct live_job {
	struct jobs *jobs;
	struct arena *arena;
	char id[ID_UUID_SIZE];
	struct job_work work;
	void *request;
	struct call call;
	/* Under jobs->mutex */
	bool running;
	int64_t started_at; /* since it is running */
	bool cancelled;	    /* somebody asked for it */
	double percent;	    /* the highest seen: it never goes back */
};

struct jobs {
	struct storage *storage;
	struct pool *pool;
	pthread_mutex_t mutex;
	struct map live; /* id -> struct live_job */
	bool stopping;
};

static const char interrupted[] =
	"{\"error\":\"interrupted\",\"message\":\"The server stopped before the job was done\","
	"\"details\":{}}";

/* ---- records ---- */

struct change {
	const char *state;
	const char *result_json;
	const char *error_json;
	int64_t rows;
	int64_t bytes;
	int64_t started_at; /* of one that begins */
	bool finished;
};

static bool change_row(void *ctx, struct job *row, struct arena *arena)
{
	const struct change *c = ctx;
	int64_t now = clock_unix_us();
	row->state = c->state;
	if (!c->finished) {
		row->started_at = c->started_at;
		return true;
	}
	row->result_json = c->result_json ? arena_strdup(arena, c->result_json) : NULL;
	row->error_json = c->error_json ? arena_strdup(arena, c->error_json) : NULL;
	row->percent = c->result_json ? 100 : row->percent;
	row->rows_done = c->rows;
	row->bytes_done = c->bytes;
	row->finished_at = now;
	row->expires_at = now + JOB_KEEP_HOURS * 3600 * US_PER_S;
	return true;
}

/* A job whose project was deleted meanwhile has no record any more. */
static void record(struct live_job *job, struct change *change)
{
	struct err err = ERR_INIT;
	struct catalog_txn *t = catalog_txn(job->jobs->storage->catalog, job->arena);
	catalog_change_job(t, KEY(job->id), change_row, change, ERR_NONE);
	if (!catalog_commit(t, &err))
		log_event(LOG_WARN, "the state of a job could not be recorded", "job", LOG_S(job->id), "state",
			  LOG_S(change->state), "error", LOG_S(err.message), NULL);
}

static const char *error_json(struct arena *arena, const struct err *err)
{
	struct buf out = BUF(64 * KIB);
	struct json j = JSON(&out);
	json_object(&j, NULL);
	json_str(&j, "error", err_row(err->code)->rest);
	json_str(&j, "message", err->message);
	json_raw(&j, "details",
		 arena_printf(arena, "{%.*s}", (int)(err->has_details ? err->details_len : 0), err->details));
	json_object_end(&j);
	const char *text = arena_copy(arena, buf_view(&out));
	buf_done(&out);
	return text;
}

/* ---- running ---- */

static void live_free(struct live_job *job)
{
	progress_free(job->call.progress);
	/* The job itself lives in its arena. */
	arena_free(job->arena);
}

static void live_remove(struct live_job *job)
{
	struct jobs *jobs = job->jobs;
	(void)pthread_mutex_lock(&jobs->mutex);
	(void)map_remove(&jobs->live, span_of(job->id));
	(void)pthread_mutex_unlock(&jobs->mutex);
	live_free(job);
}

/* False when it was cancelled, or the server stops, before its turn came. */
static bool begin(struct live_job *job)
{
	struct jobs *jobs = job->jobs;
	(void)pthread_mutex_lock(&jobs->mutex);
	job->running = !job->cancelled && !jobs->stopping;
	job->started_at = clock_unix_us();
	(void)pthread_mutex_unlock(&jobs->mutex);
	if (job->running)
		record(job, &(struct change){.state = "running", .started_at = job->started_at});
	return job->running;
}

static void finish(struct live_job *job, bool fine, const struct job_outcome *outcome, const struct err *err)
{
	struct jobs *jobs = job->jobs;
	struct change change = {.finished = true, .rows = outcome->rows, .bytes = outcome->bytes};
	(void)pthread_mutex_lock(&jobs->mutex);
	/* Or its operation was cancelled as such (op_live_cancel). */
	bool cancelled = job->cancelled || !jobs->stopping;
	(void)pthread_mutex_unlock(&jobs->mutex);
	/* When nobody asked for it, it is the server that stops. */
	bool stopped = !fine && err->code == ERR_CANCELLED;
	if (fine) {
		change.state = "success";
		change.result_json = arena_copy(job->arena, buf_view(&outcome->result));
	} else if (stopped && cancelled) {
		change.state = "cancelled";
	} else {
		change.state = "error";
		change.error_json = stopped ? interrupted : error_json(job->arena, err);
	}
	record(job, &change);
}

static void job_run(void *task)
{
	struct live_job *job = task;
	struct err err = ERR_INIT;
	struct job_outcome outcome = {.result = BUF(JOB_RESULT_BYTES)};
	if (begin(job)) {
		bool fine = job->work.run(job->jobs->storage, &job->call, job->request, &outcome, &err);
		finish(job, fine, &outcome, &err);
	} else {
		(void)err_set(&err, ERR_CANCELLED, "The job was cancelled");
		finish(job, false, &outcome, &err);
	}
	buf_done(&outcome.result);
	live_remove(job);
}

/* ---- start and stop ---- */

static void mark_interrupted(struct storage *storage, struct catalog_txn *t, struct arena *arena, const char *state)
{
	struct job *rows;
	size_t n;
	catalog_list_jobs_by_state(storage->catalog, arena, KEY(state), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++) {
		struct change change = {.state = "error", .error_json = interrupted, .finished = true};
		(void)change_row(&change, &rows[i], arena);
		catalog_put_job(t, &rows[i]);
	}
}

bool jobs_start(struct storage *storage, struct jobs **ret, struct err *err)
{
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	mark_interrupted(storage, t, arena, "queued");
	mark_interrupted(storage, t, arena, "running");
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	if (!fine)
		return false;
	const struct pool_config config = {
		.name = "jobs",
		.threads = (size_t)storage->settings->job_workers,
		.queue_max = (size_t)storage->settings->queue_max,
		.on_wait = metrics_pool_wait,
	};
	struct jobs *jobs = mem_alloc(sizeof(*jobs));
	jobs->storage = storage;
	(void)pthread_mutex_init(&jobs->mutex, NULL);
	jobs->pool = pool_start(&config);
	*ret = jobs;
	return true;
}

void jobs_interrupt(struct jobs *jobs)
{
	struct map_entry *e;
	(void)pthread_mutex_lock(&jobs->mutex);
	jobs->stopping = true;
	for (size_t i = 0; (e = map_next(&jobs->live, &i));)
		progress_cancel(((struct live_job *)e->value)->call.progress);
	(void)pthread_mutex_unlock(&jobs->mutex);
}

void jobs_stop(struct jobs *jobs)
{
	if (!jobs)
		return;
	jobs_interrupt(jobs);
	pool_stop(jobs->pool);
	map_done(&jobs->live);
	(void)pthread_mutex_destroy(&jobs->mutex);
	free(jobs);
}

bool job_background(struct jobs *jobs, const char *project_id, void (*run)(void *task), void *task, struct err *err)
{
	return pool_submit(jobs->pool, span_of(project_id), run, task, err);
}

/* ---- submit ---- */

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static struct live_job *live_new(struct jobs *jobs, const struct call *call, const struct job_work *work)
{
	struct arena *arena = arena_new();
	struct live_job *job = arena_new_of(arena, struct live_job);
	*job = (struct live_job){.jobs = jobs, .arena = arena, .work = *work, .call = *call};
	id_uuid(job->id);
	job->request = work->copy(arena, work->request);
	job->call.arena = arena;
	job->call.request_id = copy_text(arena, call->request_id);
	job->call.client = copy_text(arena, call->client);
	job->call.job_id = copy_text(arena, call->job_id);
	job->call.run_id = copy_text(arena, call->run_id);
	job->call.abandoned = NULL;
	job->call.deadline_ns = 0;
	job->call.admitted_ns = 0;
	job->call.progress = progress_new(true);
	return job;
}

static bool insert(struct storage *storage, const struct call *call, const struct job *row, struct err *err)
{
	struct job *old;
	size_t n;
	struct catalog_page page = {.offset = JOBS_KEPT, .limit = JOBS_KEPT};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(row->project_id), ERR_PROJECT_NOT_FOUND);
	catalog_insert_job(t, row, ERR_CONFLICT);
	catalog_list_jobs_newest(storage->catalog, call->arena, KEY(row->project_id), &page, &old, &n);
	for (size_t i = 0; i < n; i++) {
		if (old[i].finished_at)
			catalog_remove_job(t, KEY(old[i].id));
	}
	return catalog_commit(t, err);
}

static void forget(struct storage *storage, const char *id)
{
	struct err ignored = ERR_INIT;
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_remove_job(t, KEY(id));
	(void)!catalog_commit(t, &ignored);
	arena_free(arena);
}

bool job_submit(struct storage *storage, const struct call *call, const struct job_work *work, struct job *ret,
		struct err *err)
{
	struct jobs *jobs = storage->jobs;
	struct place place;
	if (!place_table(storage, call->arena, work->project_id, work->branch_id, work->bucket, work->table, &place,
			 err))
		return false;
	struct live_job *job = live_new(jobs, call, work);
	*ret = (struct job){
		.id = arena_strdup(call->arena, job->id),
		.project_id = work->project_id,
		.branch_id = place.branch_id,
		.bucket = work->bucket,
		.table_name = work->table,
		.kind = work->kind,
		.state = "queued",
		.request_id = call->request_id,
		.created_at = clock_unix_us(),
	};
	if (!insert(storage, call, ret, err)) {
		live_free(job);
		return false;
	}
	(void)pthread_mutex_lock(&jobs->mutex);
	(void)map_put(&jobs->live, span_of(job->id), job);
	(void)pthread_mutex_unlock(&jobs->mutex);
	if (pool_submit(jobs->pool, span_of(ret->project_id), job_run, job, err))
		return true;
	live_remove(job);
	forget(storage, ret->id);
	return false;
}

/* ---- looking ---- */

/* The record with what the running job says of itself. */
static void look_live(struct jobs *jobs, struct job *row)
{
	(void)pthread_mutex_lock(&jobs->mutex);
	struct live_job *job = map_get(&jobs->live, span_of(row->id));
	/* A record that is finished already tells more than its job, which is being cleared away. */
	if (job && job->running && !row->finished_at) {
		double percent = progress_percent(job->call.progress);
		if (percent > job->percent)
			job->percent = percent < 99 ? percent : 99;
		row->state = "running";
		row->started_at = job->started_at;
		row->percent = (int64_t)job->percent;
		row->rows_done = (int64_t)progress_rows(job->call.progress);
		row->bytes_done = (int64_t)((double)job->work.bytes_total * job->percent / 100);
	}
	(void)pthread_mutex_unlock(&jobs->mutex);
}

static bool of_branch(const struct job *row, const char *branch_id)
{
	return !branch_id || strcmp(row->branch_id, branch_id) == 0;
}

bool job_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
	     const char *job_id, struct job *ret, struct err *err)
{
	struct place place;
	if (!place_branch(storage, call->arena, project_id, branch_id, NULL, &place, err))
		return false;
	if (catalog_get_job(storage->catalog, call->arena, KEY(job_id), ret) &&
	    strcmp(ret->project_id, project_id) == 0 && of_branch(ret, branch_id)) {
		look_live(storage->jobs, ret);
		return true;
	}
	(void)err_set(err, ERR_JOB_NOT_FOUND, "Job %s not found", job_id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "job_id", job_id);
	return false;
}

bool job_list(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
	      const char *state, int64_t limit, int64_t offset, struct job_list *ret, struct err *err)
{
	struct place place;
	struct job *rows;
	size_t n;
	size_t matches = 0;
	size_t count = 0;
	if (!place_branch(storage, call->arena, project_id, branch_id, NULL, &place, err))
		return false;
	catalog_list_jobs_newest(storage->catalog, call->arena, KEY(project_id), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++) {
		look_live(storage->jobs, &rows[i]);
		if (!of_branch(&rows[i], branch_id) || (state && strcmp(state, rows[i].state) != 0))
			continue;
		if ((int64_t)matches >= offset && (int64_t)count < limit)
			rows[count++] = rows[i];
		matches++;
	}
	*ret = (struct job_list){.jobs = rows, .count = count, .total = matches};
	return true;
}

bool job_cancel(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		const char *job_id, struct err *err)
{
	struct jobs *jobs = storage->jobs;
	struct job row;
	if (!job_get(storage, call, project_id, branch_id, job_id, &row, err))
		return false;
	(void)pthread_mutex_lock(&jobs->mutex);
	struct live_job *job = map_get(&jobs->live, span_of(job_id));
	bool queued = job && !job->running;
	if (job) {
		job->cancelled = true;
		progress_cancel(job->call.progress);
	}
	(void)pthread_mutex_unlock(&jobs->mutex);
	if (!queued)
		return true;
	/* It will find out when its turn comes; its record says so now. */
	struct change change = {.state = "cancelled", .finished = true};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_change_job(t, KEY(job_id), change_row, &change, ERR_NONE);
	return catalog_commit(t, err);
}

bool jobs_sweep(struct storage *storage, struct err *err)
{
	enum { AT_ONCE = 1000 };
	struct arena *arena = arena_new();
	struct job *rows;
	size_t n;
	const struct catalog_page page = {.after = KEY(1, ""), .limit = AT_ONCE};
	int64_t now = clock_unix_us();
	/* Jobs that are not done have no expiry, and stand first in the index. */
	catalog_list_jobs_by_expiry(storage->catalog, arena, KEY_ALL, &page, &rows, &n);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	for (size_t i = 0; i < n && rows[i].expires_at <= now; i++) {
		if (rows[i].finished_at)
			catalog_remove_job(t, KEY(rows[i].id));
	}
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}
