/*
 * The registry of SQL sessions: rows of the catalog, for this server's own
 * sockets as for those of gateways that register theirs over REST. Only rows with
 * status "active" count against the limits.
 *
 * Own sessions keep their activity in memory (it shows in every answer at once)
 * and write it to the catalog when they close and on the sweep. At start, rows of
 * own sessions that a former process left active become "disconnected". Of the
 * sessions that are over the newest LIMIT_PG_SESSIONS_KEPT stay on record.
 *
 * Thread-safe. Errors: ERR_WORKSPACE_NOT_FOUND, ERR_PG_SESSION_EXISTS,
 * ERR_PG_SESSION_NOT_FOUND, ERR_CONNECTION_LIMIT_REACHED.
 */
#ifndef STORAGE_PG_SESSION_H
#define STORAGE_PG_SESSION_H

#include "storage/workspace.h"

enum { PG_SESSION_ID_BYTES = 20, PG_SESSION_ID_BYTES_MAX = 128 };

enum pg_session_end {
	PG_SESSION_DELETED,    /* the workspace was deleted: 57P01 */
	PG_SESSION_EXPIRED,    /* the workspace expired: 57P01 */
	PG_SESSION_TERMINATED, /* somebody ended it over REST: 57P01 */
	PG_SESSION_TIMEOUT,    /* idle too long: 57P05 */
	PG_SESSION_FAILED      /* the workspace's engine gave up: 57P03 */
};

/* An own session while its socket is open. */
struct pg_own_session;

/*
 * Registers a login as "pgw_" + 16 hex digits. `end` is called from any thread, with a lock held, at most once: it may
 * only leave a note and wake or interrupt the session, which then closes by itself. Checks both limits.
 */
MUST_CHECK bool pg_session_open(struct storage *storage, const struct workspace *workspace, const char *client_ip,
				void (*end)(void *ctx, enum pg_session_end why), void *ctx, struct pg_own_session **ret,
				struct err *err);
const char *pg_session_id(const struct pg_own_session *session);
/* A query was run, or (queries false) the client did something. Costs no disk access. */
void pg_session_touch(struct pg_own_session *session, int64_t now_us, bool is_query);
/* Writes the row's last state: status "disconnected" unless somebody else ended it. `end` is not called any more. NULL is fine. */
void pg_session_close(struct pg_own_session *session);

/* ---- any session, by id; rows in the call's arena ---- */

MUST_CHECK bool pg_session_register(struct storage *storage, const struct call *call, const char *id,
				    const char *workspace_id, const char *client_ip, struct pg_session *ret,
				    struct err *err);
/* Newest first; NULL: any. */
void pg_session_list(struct storage *storage, struct arena *arena, const char *workspace_id, const char *status,
		     struct pg_session **ret, size_t *ret_count);
MUST_CHECK bool pg_session_get(struct storage *storage, struct arena *arena, const char *id, struct pg_session *ret,
			       struct err *err);
MUST_CHECK bool pg_session_activity(struct storage *storage, const struct call *call, const char *id, bool count_query,
				    struct pg_session *ret, struct err *err);
/* Status becomes `reason`; an own socket is ended. */
MUST_CHECK bool pg_session_end(struct storage *storage, const struct call *call, const char *id, const char *reason,
			       struct err *err);
/* The same within a workspace: all its active ones (id NULL), or one. *ret_count: how many ended. */
MUST_CHECK bool pg_session_end_of_workspace(struct storage *storage, const struct call *call, const char *project_id,
					    const char *workspace_id, const char *id, size_t *ret_count,
					    struct err *err);
/* Marks active ones that are idle longer as "timeout" and ends own sockets. */
MUST_CHECK bool pg_session_cleanup(struct storage *storage, int64_t idle_s, size_t *ret_count, struct err *err);
int64_t pg_sessions_active(struct storage *storage, const char *workspace_id); /* NULL: of all */

#endif
