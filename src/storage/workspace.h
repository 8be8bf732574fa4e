/*
 * Workspaces: private databases of SQL users, one file each, with a login of
 * their own and a view of the tables of their project or dev branch. Operations
 * here; the engine behind a workspace in use is workspace_instance.h, the
 * registry of SQL sessions pg_session.h.
 *
 * A workspace belongs to a project and, when branch_id is set, to a dev branch
 * of it. Its file is <project folder>/_workspaces/<id>.duckdb. Passwords are
 * known only to the answer that made them; the record keeps a SCRAM verifier.
 * An expired workspace stays on record until it is deleted; nobody can log in
 * and every operation on it but listing and deleting is ERR_WORKSPACE_EXPIRED.
 *
 * Results live in the call's arena. Thread-safe.
 *
 * Errors: ERR_PROJECT_NOT_FOUND, ERR_BRANCH_NOT_FOUND, ERR_WORKSPACE_NOT_FOUND,
 * then ERR_WORKSPACE_EXPIRED (details workspace_id, expired_at).
 */
#ifndef STORAGE_WORKSPACE_H
#define STORAGE_WORKSPACE_H

#include "storage/op.h"
#include "storage/place.h"

enum {
	WORKSPACE_PASSWORD_BYTES = 32,
	WORKSPACE_NAME_BYTES_MAX = 1024,
	WORKSPACE_TTL_HOURS_MAX = 168,
	WORKSPACE_SIZE_GB_MAX = 100,
	WORKSPACE_SIZE_GB = 10,
	WORKSPACE_USERS_MAX = 1000
};

struct workspace_view {
	struct workspace row;
	const char *status;   /* active, expired, error */
	int64_t size_bytes;   /* of its file and write-ahead log */
	const char *database; /* workspace_<id> */
	const char *password; /* only of creation and reset; else NULL */
	int64_t active_sessions;
};

/* A table as the workspace's project or branch shows it. */
struct workspace_table {
	const char *bucket; /* as the project names it */
	const char *name;
	const char *path; /* its file now */
	enum table_source source;
	struct table_row row; /* of the file: row_count, size_bytes, generation, schema_json */
};

struct workspace_object {
	const char *name;
	const char *type; /* table, view */
	const char *schema;
	int64_t rows;
};

struct workspace_detail {
	struct workspace_view view;
	struct workspace_table *tables; /* of the project's own buckets, by bucket and name */
	size_t table_count;
	struct workspace_object *objects; /* of schema main, by name */
	size_t object_count;
};

struct workspace_create {
	const char *id; /* chosen by the caller (driver); NULL: made here */
	const char *name;
	int64_t ttl_hours; /* 0: never expires */
	int64_t size_limit_gb;
	const char *const *preload; /* "bucket.table" */
	size_t preload_count;
};

struct workspace_load {
	const char *source;	 /* "bucket.table" */
	const char *destination; /* NULL: the table's name */
	const char *const *columns;
	size_t column_count; /* 0: all */
	const char *where;   /* NULL: all rows */
};

struct workspace_loaded {
	const char *source;
	const char *destination;
	int64_t rows;
	int64_t size_bytes; /* of the workspace after it; 0 when it failed */
	const char *error;  /* NULL: loaded */
};

/* branch_id: NULL or "default" for main. ERR_TABLE_NOT_FOUND of a preload: nothing is created. ERR_WORKSPACE_EXISTS. */
MUST_CHECK bool workspace_create(struct storage *storage, const struct call *call, const char *project_id,
				 const char *branch_id, const struct workspace_create *request,
				 struct workspace_view *ret, struct err *err);
/* Newest first. branch_id NULL: all of the project, branches' too; "default": main's only. */
MUST_CHECK bool workspace_list(struct storage *storage, const struct call *call, const char *project_id,
			       const char *branch_id, int64_t limit, int64_t offset, struct workspace_view **ret,
			       size_t *ret_count, struct err *err);
/* In all below: branch_id NULL takes workspaces of any branch, else only that one's are found. */
MUST_CHECK bool workspace_get(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *id, struct workspace_detail *ret, struct err *err);
/* With file, login and session records; open sessions end. Also when expired. */
MUST_CHECK bool workspace_delete(struct storage *storage, const struct call *call, const char *project_id,
				 const char *branch_id, const char *id, struct err *err);
/* Drops every user table and view, of all schemas. */
MUST_CHECK bool workspace_clear(struct storage *storage, const struct call *call, const char *project_id,
				const char *id, struct err *err);
/* ERR_WORKSPACE_OBJECT_NOT_FOUND. */
MUST_CHECK bool workspace_drop_object(struct storage *storage, const struct call *call, const char *project_id,
				      const char *id, const char *name, struct err *err);
/* One result per entry, in order; an entry that fails does not fail the call. *ret_bytes: 0 when nothing was loaded. */
MUST_CHECK bool workspace_load_tables(struct storage *storage, const struct call *call, const char *project_id,
				      const char *id, const struct workspace_load *entries, size_t n,
				      struct workspace_loaded **ret, int64_t *ret_bytes, struct err *err);
/* A new password, in ret->password; the former one fails from now on. */
MUST_CHECK bool workspace_reset_credentials(struct storage *storage, const struct call *call, const char *project_id,
					    const char *id, struct workspace_view *ret, struct err *err);

/* ---- logins ---- */

/*
 * Besides its first login, which comes and goes with it, a workspace may have up to WORKSPACE_USERS_MAX more, with all its
 * rights. `ret->row.username` and `ret->password` are the new login's. ERR_QUOTA_EXCEEDED.
 */
MUST_CHECK bool workspace_user_create(struct storage *storage, const struct call *call, const char *project_id,
				      const char *id, struct workspace_view *ret, struct err *err);
/* ERR_WORKSPACE_CREDENTIALS_NOT_FOUND; ERR_OPERATION_NOT_ALLOWED: the first login. */
MUST_CHECK bool workspace_user_drop(struct storage *storage, const struct call *call, const char *project_id,
				    const char *username, struct err *err);
/* A new password for one login, whichever it is. ERR_WORKSPACE_CREDENTIALS_NOT_FOUND. */
MUST_CHECK bool workspace_user_reset(struct storage *storage, const struct call *call, const char *project_id,
				     const char *username, struct workspace_view *ret, struct err *err);

/*
 * False without error: no such user. row.username and row.scram_verifier (base/scram_verifier.h) are those of the login,
 * be it the first or another.
 */
bool workspace_by_username(struct storage *storage, struct arena *arena, const char *username, struct workspace *ret);
/*
 * After the password proved right, in this order: ERR_WORKSPACE_EXPIRED, ERR_WORKSPACE_NOT_ACTIVE,
 * ERR_CONNECTION_LIMIT_REACHED (per workspace, or of all own connections). pg_session_open checks the limit once more.
 */
MUST_CHECK bool workspace_login_check(struct storage *storage, const struct workspace *row, struct err *err);
/* active, expired or error, now. */
const char *workspace_status(const struct workspace *row);

/* ---- what a workspace sees ---- */

/*
 * The tables of a project or branch, by bucket and name: branch copies in place of main's, branch-only ones, and, when
 * `linked`, those of linked buckets under their local bucket name. Costs a catalog walk, no file access.
 */
MUST_CHECK bool workspace_tables(struct storage *storage, struct arena *arena, const char *project_id,
				 const char *branch_id, bool linked, struct workspace_table **ret, size_t *ret_count,
				 struct err *err);
/* Names of all buckets (own and linked), sorted. Grows of its own accord: the names alone, tables or not. */
MUST_CHECK bool workspace_buckets(struct storage *storage, struct arena *arena, const char *project_id,
				  const char ***ret, size_t *ret_count, struct err *err);
/* Columns and key of a row, from its cached schema. */
MUST_CHECK bool workspace_table_schema(const struct workspace_table *table, struct arena *arena,
				       struct table_schema *ret, struct err *err);
/*
 * A number that changes whenever any table, bucket or link of any project does: while it stands, what workspace_tables
 * told still holds.
 */
uint64_t workspace_epoch(struct storage *storage);

#endif
