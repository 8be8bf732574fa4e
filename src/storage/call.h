/*
 * One call of a client, as every operation sees it: who asks, through which
 * door, under which request id, and whether anybody still waits for the answer.
 * A door fills it; operations only read it. It lives as long as the request.
 */
#ifndef STORAGE_CALL_H
#define STORAGE_CALL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

#include <stdatomic.h>

enum door { DOOR_REST, DOOR_S3, DOOR_BRIDGE, DOOR_GRPC, DOOR_PG, DOOR_SERVER, DOOR_COUNT };

enum principal_kind {
	WHO_NOBODY,
	WHO_ADMIN,
	WHO_PROJECT,	  /* scope project_admin, or S3 credentials of a project */
	WHO_BRANCH_ADMIN, /* everything under one dev branch */
	WHO_BRANCH_READ	  /* reading under one dev branch */
};

struct principal {
	enum principal_kind kind;
	char project_id[LIMIT_ID_BYTES + 1]; /* empty for the admin */
	char branch_id[LIMIT_ID_BYTES + 1];  /* empty unless the key is held to a branch */
	char key_id[64];
};

/* W3C Trace Context; ids are lower-case hex, empty when there is no trace. */
struct trace {
	char trace_id[33];
	char span_id[17];
	bool sampled;
};

struct progress;

struct call {
	struct arena *arena;
	enum door door;
	const char *request_id;
	const char *client; /* peer address */
	struct principal who;
	struct trace trace;
	const char *job_id; /* the caller's own ids, for the history; may be NULL */
	const char *run_id;
	_Atomic bool *abandoned; /* true once nobody waits for the answer; NULL: somebody always does */
	int64_t deadline_ns;	 /* monotonic; 0: none */
	/* Long work: how far it is, and the sticky request to stop it (engine/session.h); may be NULL */
	struct progress *progress;
	int64_t admitted_ns; /* when the request was accepted: queue waits count from here; 0: now */
	/* Failures that leave the caller nothing to do: its door answers them with success, and so they count */
	const enum err_code *forgiven;
	size_t forgiven_count;
};

bool call_forgives(const struct call *call, enum err_code code);

const char *door_name(enum door door);
/* A `traceparent` (W3C Trace Context, section 3.2); what is none leaves *ret as it is. */
void trace_parse(const char *text, struct trace *ret);
/* The same back as text, for answers and for requests to others; `to` has TRACE_TEXT_SIZE bytes. Returns `to`. */
enum { TRACE_TEXT_SIZE = 56 };
const char *trace_text(const struct trace *trace, char *to);

#endif
