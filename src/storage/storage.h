/*
 * The storage room as a whole: what the operations stand on. Built once at
 * start, handed to every door. Everything in it is thread-safe.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "base/settings.h"
#include "storage/call.h"

struct catalog;
struct history;
struct instance;
struct table_files;
struct expr_guard;
struct locks;
struct jobs;
struct traces;
struct workspaces;
struct sweeper;
struct objects;
struct removals;
struct key_locks;
struct statement_stats;
struct activity;
struct own_object;
struct err;

struct storage {
	const struct settings *settings;
	struct catalog *catalog;
	struct history *history;
	struct instance *data;
	struct table_files *tables;
	struct expr_guard *guard;
	struct locks *locks;
	struct jobs *jobs;
	struct objects *objects;
	struct removals *removals;	    /* removal.h */
	struct key_locks *bucket_names;	    /* bucket_name_lock of bucket.h */
	struct traces *traces;		    /* NULL without an OTLP collector */
	struct workspaces *workspaces;	    /* open workspace instances and SQL sessions (workspace_instance.h) */
	struct statement_stats *statements; /* statement_stats.h */
	struct activity *activity;	    /* activity.h */
	char admin_key_hash[65];	    /* empty without an admin key */
	unsigned char server_key[32];	    /* s3_credential.h */
	struct sweeper *sweeper;	    /* background jobs */
	_Atomic int64_t lost_bytes;	    /* in _lost, see reconcile.h; measured at start and by its sweep */
	/* Of the S3 door: what its own URLs name (own_url_find of remote.h); NULL: nobody answers them */
	bool (*own_url)(void *ctx, const struct call *call, const char *method, const char *url, bool *ret_own,
			struct own_object *ret, struct err *err);
	void *own_url_ctx;
};

/*
 * Opens the catalog and the engine, brings files and records into step (see reconcile.h), starts the background jobs.
 * Creates only the catalog's folder: the other folders come with backend_init or the first project.
 */
MUST_CHECK bool storage_open(const struct settings *settings, struct storage **ret, struct err *err);
/* Before a stop: what runs in the engine ends soon. */
void storage_interrupt(struct storage *storage);
/* Stops the background jobs, then closes all. NULL is fine. */
void storage_close(struct storage *storage);

#endif
