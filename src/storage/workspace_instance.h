/*
 * The engine instance of a workspace in use: one per workspace, shared by its
 * SQL sessions and the REST operations on it (two instances on one file would
 * damage it). Reference-counted; closed some time after the last release, or at
 * once when the workspace is deleted.
 *
 * What SQL sees in it:
 *
 *	<db>.main.x		the workspace's own objects (<db> is the file's stem, the workspace id)
 *	<bucket>.<table>	a view <bucket>.main.<table> in an in-memory database named after the bucket
 *	<bucket>_<table>.data	a view in an in-memory database of that name, when asked for
 *	_t<n>.main.data		the table file itself, a hard link in the private folder, attached read-only;
 *				a new number for each version of the file
 *	_pg.main.*		what the PostgreSQL door puts there
 *
 * Tables are attached on demand: a session names those its statement mentions
 * with workspace_attach_table before it runs it outside of a transaction (inside
 * one: only tables it has not named since BEGIN). When a newer file was
 * published, that attaches it under a new number and puts the view over it;
 * transactions that began before go on with the version they saw. Versions that
 * nobody can see any more are detached later.
 *
 * The engine is locked down to the private folder of links. What it does not hold
 * back by itself (ATTACH, DETACH, COPY, file readers, writing to the views'
 * databases) the caller must refuse before the engine sees it.
 *
 * Thread-safe. An instance holds memory up to PGWIRE_SESSION_MEMORY_LIMIT; all
 * together up to PGWIRE_MEMORY_BUDGET, else ERR_WORKSPACE_MEMORY at opening.
 */
#ifndef STORAGE_WORKSPACE_INSTANCE_H
#define STORAGE_WORKSPACE_INSTANCE_H

#include "base/limits.h"
#include "engine/session.h"
#include "storage/workspace.h"

/* The time zone of new sessions. */
#define WORKSPACE_ZONE "UTC"

struct workspace_instance;

/* ERR_WORKSPACE_NOT_FOUND, ERR_WORKSPACE_MEMORY (budget), ERR_STORAGE_UNAVAILABLE (being deleted), engine errors. */
MUST_CHECK bool workspace_open(struct storage *storage, const char *workspace_id, struct workspace_instance **ret,
			       struct err *err);
/* Every engine session on it must be closed. NULL is fine. */
void workspace_release(struct workspace_instance *wi);
struct instance *workspace_engine(struct workspace_instance *wi);
/*
 * Looks whether the engine gave up (after a failed checkpoint it refuses everything). If so, counts it once, ends the
 * workspace's sessions and lets the last of them close the file; who opens it then gets a new engine. The caller holds
 * a reference.
 */
bool workspace_failed(struct workspace_instance *wi);
/* The engine's name of the workspace's own file, unquoted. */
const char *workspace_db(const struct workspace_instance *wi);
/* Where a file is that the engine may open and that goes with the instance. */
MUST_CHECK bool workspace_own_file(const struct workspace_instance *wi, char ret[LIMIT_PATH_BYTES], const char *name,
				   struct err *err);
/* The workspace was deleted or expired, or its engine gave up (workspace_failed): end. */
bool workspace_is_doomed(const struct workspace_instance *wi);

/*
 * A session for statements of the service: functions and operators that they name are the engine's own, whatever macros of
 * these names the tenant has. Tables must be named in full. In a tenant's own session every function of such a statement
 * stands behind system.main, and operators that are functions to the engine (||, LIKE, count(*), [..]) are avoided.
 */
MUST_CHECK bool workspace_session(struct workspace_instance *wi, struct session **ret, struct err *err);

/*
 * Runs `prepare` once per engine behind the instance, on a session of its own, before anything of others; a failure is
 * tried again by the next caller. For the door's catalog (_pg).
 */
MUST_CHECK bool workspace_prepare(struct workspace_instance *wi,
				  bool (*prepare)(void *ctx, struct session *session, struct err *err), void *ctx,
				  struct err *err);

/*
 * Makes <bucket>.<table> resolve, to the table as published now; cheap (a look) when it does already. Looks for the exact
 * names first, then without case. *ret_found: the project has such a table; when it has not (any more), what stood under
 * the name is gone too.
 */
MUST_CHECK bool workspace_attach_table(struct workspace_instance *wi, const char *bucket, const char *table,
				       bool *ret_found, struct err *err);
/* As above for "<bucket>_<table>": makes "<name>".main.data resolve; *ret_found: some table has that joined name. */
MUST_CHECK bool workspace_attach_joined(struct workspace_instance *wi, const char *name, bool *ret_found,
					struct err *err);
/*
 * Makes the database of a bucket exist, so that unknown tables in it fail as such; what the project has no bucket for (any
 * more) is emptied. Not found is also a bucket whose name a schema of the workspace's own had before: that keeps it.
 */
MUST_CHECK bool workspace_attach_bucket(struct workspace_instance *wi, const char *bucket, bool *ret_found,
					struct err *err);
/* The name is that of no bucket and no joined one: the workspace may have a schema of it. */
MUST_CHECK bool workspace_free_schema(struct workspace_instance *wi, const char *name, struct err *err);
/* Grows whenever a table or a new version of one was attached: what was planned before must be planned again. */
uint64_t workspace_attached(struct workspace_instance *wi);
/* Grows whenever the workspace's own objects may have become others: whoever changes them says so. */
uint64_t workspace_changes(const struct workspace_instance *wi);
void workspace_changed(struct workspace_instance *wi);
/*
 * Brackets a transaction of a session: between the two, versions it may see stay attached. A statement outside of
 * transactions is one. Returns a token for workspace_unpin.
 */
uint64_t workspace_pin(struct workspace_instance *wi);
void workspace_unpin(struct workspace_instance *wi, uint64_t token);

/* Bytes of the file with its write-ahead log, and the most it may have. */
int64_t workspace_size(const struct workspace_instance *wi);
int64_t workspace_size_limit(const struct workspace_instance *wi);
/* Moves the log into the file, on a session of workspace_session(); if it cannot, the next one will. */
void workspace_checkpoint(struct workspace_instance *wi, struct session *session);
/*
 * ERR_WORKSPACE_FULL (SQLSTATE 53100) when the limit is reached: to be asked before statements that write, and before COMMIT.
 * What was freed counts as room, also where the file keeps it: a full one is checkpointed, when no transaction is in the way.
 */
MUST_CHECK bool workspace_room(struct workspace_instance *wi, struct err *err);
/* The same for a file that is to grow by `more` bytes. */
MUST_CHECK bool workspace_fits(struct workspace_instance *wi, int64_t more, struct err *err);
/* Bytes of tables' rows that are in memory, or in its overflow, and not in the file. */
int64_t workspace_unwritten(struct workspace_instance *wi);

#endif
