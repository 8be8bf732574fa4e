/*
 * Long work in the background: an import or export that answers 202 at once and
 * is asked about later. Job records survive a restart; one that was running when
 * the process ended is shown as failed with the code `interrupted`.
 */
#ifndef STORAGE_JOB_H
#define STORAGE_JOB_H

#include "base/buf.h"
#include "catalog/catalog.h"
#include "storage/storage.h"

struct jobs;

struct jobs *jobs_start(struct storage *storage, size_t threads, size_t queue_max);
void jobs_stop(struct jobs *jobs);

/*
 * Runs `run` on a job thread with a call of its own (same principal and request id, own arena, progress and cancel flag).
 * `request` is deep-copied by `copy` into the job's arena first. `run` writes its result as one JSON object.
 */
struct job_work {
	const char *kind; /* import, export */
	const char *project_id, *branch_id, *bucket, *table;
	void *(*copy)(struct arena *arena, const void *request);
	bool (*run)(struct storage *storage, const struct call *call, void *request, struct buf *ret_result,
		    struct err *err);
	const void *request;
};

MUST_CHECK bool job_submit(struct storage *storage, const struct call *call, const struct job_work *work,
			   struct job *ret, struct err *err);
/* Live percent, rows and bytes while it runs. ERR_JOB_NOT_FOUND. */
MUST_CHECK bool job_get(struct storage *storage, const struct call *call, const char *project_id, const char *job_id,
			struct job *ret, struct err *err);
MUST_CHECK bool job_list(struct storage *storage, const struct call *call, const char *project_id, const char *state,
			 int64_t limit, int64_t offset, struct job **ret, size_t *ret_count, size_t *ret_total,
			 struct err *err);
/* Queued: gone at once. Running: interrupted; its state becomes `cancelled`. Finished: no effect. */
MUST_CHECK bool job_cancel(struct storage *storage, const struct call *call, const char *project_id, const char *job_id,
			   struct err *err);

#endif
