/* Private to workspace*.c and pg_session.c: the open instances and the own sessions behind storage->workspaces. */
#ifndef STORAGE_WORKSPACE_CORE_H
#define STORAGE_WORKSPACE_CORE_H

#include "base/map.h"
#include "storage/lock.h"
#include "storage/pg_session.h"
#include "storage/workspace_instance.h"

#include <pthread.h>

/* A version of a table file, attached as _t<number>. */
struct wi_version {
	struct wi_version *next; /* of the superseded ones */
	struct table_identity identity;
	uint64_t number;
	uint64_t superseded_at; /* on the clock of pins */
	uint64_t joined_number; /* the version that "<bucket>_<table>".main.data shows; 0: none */
};

struct workspace_instance {
	struct workspaces *all;
	struct workspace_instance *next;
	char *id, *project_id, *branch_id, *path, *links;
	int64_t size_limit;
	int64_t memory;
	struct instance *engine;
	/* Guarded by all->lock */
	size_t users;
	bool busy; /* being opened or closed */
	int64_t idle_ns;
	atomic_bool doomed;
	_Atomic uint64_t changes;
	/* Guarded by lock */
	pthread_mutex_t lock;
	uint64_t generation; /* of the engine that the following stands for */
	uint64_t prepared;   /* the generation that workspace_prepare prepared */
	uint64_t sequence;
	uint64_t clock;
	struct map tables;  /* "bucket/table" -> struct wi_version */
	struct map schemas; /* lower-case names of the buckets, and joined names, that have a database in the engine */
	struct wi_version *superseded;
	uint64_t *pins;
	size_t pin_count, pin_room;
};

struct pg_own_session {
	struct pg_own_session *next;
	struct storage *storage;
	char id[PG_SESSION_ID_BYTES + 1];
	char *workspace_id;
	void (*end)(void *ctx, enum pg_session_end why);
	void *ctx;
	bool ended;
	atomic_int_fast64_t queries;	   /* not yet in the row */
	atomic_int_fast64_t last_activity; /* Unix microseconds */
	int64_t written;		   /* of last_activity, what the row has */
};

struct workspaces {
	struct storage *storage;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct workspace_instance *instances;
	pthread_mutex_t session_lock; /* sessions; never taken together with `lock` */
	struct pg_own_session *sessions;
};

MUST_CHECK bool workspaces_start(struct storage *storage, struct workspaces **ret, struct err *err);
/* Every reference must be released. NULL is fine. */
void workspaces_stop(struct workspaces *all);

/* As workspace_open, for a row that need not be on record yet: creates the file. */
MUST_CHECK bool workspace_open_row(struct storage *storage, const struct workspace *row,
				   struct workspace_instance **ret, struct err *err);
/*
 * The workspace is gone or expired: its sessions end, nobody gets its instance any more, and the file is closed with its
 * last user. Waits some seconds for that.
 */
void workspace_doom(struct storage *storage, const char *id, enum pg_session_end why);
/* Removes file, log and folders of a workspace that is no more. */
void workspace_files_remove(struct storage *storage, const struct workspace *row);
/* Nothing of the project is attached in the engine (any more). Lock held. */
void workspace_forget_attached(struct workspace_instance *wi);
/* The file as found for `place` is attached; *ret_number: as _t<number>. */
MUST_CHECK bool workspace_attach_place(struct workspace_instance *wi, struct place *place, uint64_t *ret_number,
				       struct err *err);
/* Closes what is idle, detaches what nobody sees, ends sessions of what has expired. */
MUST_CHECK bool workspaces_sweep(struct storage *storage, struct err *err);
MUST_CHECK bool pg_sessions_sweep(struct storage *storage, struct err *err);
/* Own sessions of a former process are over. */
MUST_CHECK bool pg_sessions_recover(struct storage *storage, struct err *err);
/* What gateways registered for the workspace is over with it. */
void pg_sessions_expire(struct storage *storage, const char *workspace_id);
void pg_sessions_end_own(struct storage *storage, const char *workspace_id, const char *id, enum pg_session_end why);

/* The row found for the project (and branch), with the checks of every operation. */
MUST_CHECK bool workspace_find(struct storage *storage, struct arena *arena, const char *project_id,
			       const char *branch_id, const char *id, bool expired_is_fine, struct workspace *ret,
			       struct err *err);
/* Finds "bucket.table" as the workspace sees it. */
MUST_CHECK bool workspace_source(struct storage *storage, struct arena *arena, const struct workspace *row,
				 const char *source, struct place *ret, struct err *err);
/* *ret is filled also on failure. */
MUST_CHECK bool workspace_load_one(struct op *op, struct workspace_instance *wi, const struct workspace_load *entry,
				   struct workspace_loaded *ret, struct err *err);
/* A load is a write of its target: the target's lock and a slot of the write queue. Pair with lock_release. */
MUST_CHECK bool workspace_admit(struct op *op, const struct workspace_instance *wi, const char *destination,
				struct admission *ret, struct err *err);
/* 32 random characters and what is kept of them. */
MUST_CHECK bool workspace_password_make(struct arena *arena, const char **ret, const char **ret_verifier,
					struct err *err);
/* Adds the removal of what else is on record about a workspace: sessions, further logins. */
void workspace_forget(struct catalog_txn *t, const char *id);
int64_t workspace_file_size(const char *path);

/*
 * Statements of the service that fill a workspace. From watch to done the session's statements are ended as soon as the
 * file has outgrown its limit; fits is asked before COMMIT, and counts what only then goes to the file.
 */
struct workspace_growth {
	struct workspace_instance *wi;
	struct session *session;
	int64_t size_before, unwritten_before;
	atomic_bool outgrown;
};
void workspace_growth_watch(struct workspace_growth *growth, struct workspace_instance *wi, struct session *session);
MUST_CHECK bool workspace_growth_fits(struct workspace_growth *growth, struct err *err);
/* Returns `fine`; *err tells of the limit where that was the cause. */
MUST_CHECK bool workspace_growth_done(struct workspace_growth *growth, bool fine, struct err *err);

#endif
