/*
 * What SQL sessions do right now. The door that holds the sockets registers
 * itself; `/internal/activity` and others ask here without knowing the door.
 *
 * Thread-safe. Between activity_provide(a, source) and activity_provide(a, NULL)
 * the source's functions may be called from any thread; the latter waits for
 * calls under way.
 */
#ifndef STORAGE_ACTIVITY_H
#define STORAGE_ACTIVITY_H

#include "base/arena.h"

struct activity;

/* Instants are unix microseconds, 0: not so. */
struct activity_row {
	const char *session_id; /* as in the registry of sessions: pgw_... */
	uint32_t pid;
	const char *project_id, *branch_id, *workspace_id; /* branch_id may be NULL */
	const char *user, *client_ip, *application_name;
	const char *state;	/* active, idle, idle in transaction, idle in transaction (aborted) */
	const char *wait_event; /* what an active one waits for: ClientRead; NULL: it computes */
	const char *query;	/* running now, or the last one; cut */
	int64_t connected_us, transaction_us, query_us, state_us;
	uint64_t queries, rows; /* run so far; rows sent */
};

struct activity_source {
	void *ctx;
	/* Rows in the arena. */
	void (*list)(void *ctx, struct arena *arena, struct activity_row **ret, size_t *ret_count);
	/* Cancels what the session runs, or ends it. False: no such session. */
	bool (*end)(void *ctx, const char *session_id, bool terminate);
};

struct activity *activity_new(void);
void activity_free(struct activity *activity);
/* `source` stays the caller's; NULL: nobody any more. */
void activity_provide(struct activity *activity, const struct activity_source *source);

/* Longest-running statements first, then the idle; of one workspace, or of all (NULL). */
void activity_list(struct activity *activity, struct arena *arena, const char *workspace_id, struct activity_row **ret,
		   size_t *ret_count);
/* Interrupts the session's running statement (terminate false) or ends the session. False: no such session here. */
bool activity_end(struct activity *activity, const char *session_id, bool terminate);

#endif
