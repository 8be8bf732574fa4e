/*
 * Long work in the background: an import or export that answers at once and is
 * asked about later. Job records survive a restart; one that was waiting or
 * running when the process ended is shown as failed with the code `interrupted`.
 *
 * States: queued, running, success, error, cancelled. A finished job is kept
 * JOB_KEEP_HOURS, and at most JOBS_KEPT of a project. JOB_WORKERS run at a time,
 * the projects in turn; at most QUEUE_MAX wait (then ERR_OVERLOADED).
 * Thread-safe.
 */
#ifndef STORAGE_JOB_H
#define STORAGE_JOB_H

#include "base/buf.h"
#include "catalog/catalog.h"
#include "storage/storage.h"

enum { JOB_KEEP_HOURS = 7 * 24, JOBS_KEPT = 1000, JOB_RESULT_BYTES = 1024 * 1024 };

struct jobs;

MUST_CHECK bool jobs_start(struct storage *storage, struct jobs **ret, struct err *err);
/* What runs ends soon, and what waits does not begin; the records say that it was the server. */
void jobs_interrupt(struct jobs *jobs);
/* Interrupts what runs and waits for it. NULL is fine. */
void jobs_stop(struct jobs *jobs);
/* Removes the records of old jobs: a background job of its own. */
MUST_CHECK bool jobs_sweep(struct storage *storage, struct err *err);

/* What a job leaves: one JSON object, and what it moved. */
struct job_outcome {
	struct buf result;
	int64_t rows;
	int64_t bytes;
};

/*
 * Runs `run` on a job thread with a call of its own (same principal and request id, own arena, progress and cancel flag).
 * `request` is deep-copied by `copy` into the job's arena first.
 */
struct job_work {
	const char *kind; /* import, export */
	const char *project_id, *branch_id, *bucket, *table;
	void *(*copy)(struct arena *arena, const void *request);
	bool (*run)(struct storage *storage, const struct call *call, const void *request, struct job_outcome *ret,
		    struct err *err);
	const void *request;
	int64_t bytes_total; /* to be read; 0: not known. Shown as bytes_done by percent while it runs */
};

/* Errors of place_table are met here already, before there is a job. */
MUST_CHECK bool job_submit(struct storage *storage, const struct call *call, const struct job_work *work,
			   struct job *ret, struct err *err);
/* Live percent, rows and bytes while it runs. `branch_id` NULL: of any branch. ERR_JOB_NOT_FOUND. */
MUST_CHECK bool job_get(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
			const char *job_id, struct job *ret, struct err *err);

struct job_list {
	struct job *jobs;
	size_t count;
	size_t total; /* all matches */
};
/* Newest first; `state` NULL: all. */
MUST_CHECK bool job_list(struct storage *storage, const struct call *call, const char *project_id,
			 const char *branch_id, const char *state, int64_t limit, int64_t offset, struct job_list *ret,
			 struct err *err);
/* Queued: `cancelled` at once. Running: interrupted, `cancelled` within moments. Finished: no effect. */
MUST_CHECK bool job_cancel(struct storage *storage, const struct call *call, const char *project_id,
			   const char *branch_id, const char *job_id, struct err *err);

/*
 * Other work for the job threads, in the project's turn and without a record: `run` is called once, also when the server
 * stops. False (ERR_OVERLOADED, ERR_DRAINING): it will not be called.
 */
MUST_CHECK bool job_background(struct jobs *jobs, const char *project_id, void (*run)(void *task), void *task,
			       struct err *err);

#endif
