/*
 * Long work on request: `Prefer: respond-async` (RFC 7240, section 4.1) turns an
 * import or export into a job, and the answer into 202 with its resource.
 */
#ifndef REST_JOB_JSON_H
#define REST_JOB_JSON_H

#include "http/http.h"
#include "storage/job.h"

extern const struct schema rest_job_schema;

bool rest_job_wanted(const struct http_request *req);
/* Submits the work and answers 202. */
MUST_CHECK bool rest_job_accept(struct http_request *req, struct http_response *res, const struct job_work *work,
				struct err *err);
/* For the `copy` of a job's work; NULL stays NULL. */
const char *rest_copy_text(struct arena *arena, const char *text);
const char *const *rest_copy_texts(struct arena *arena, const char *const *texts, size_t n);

#endif
