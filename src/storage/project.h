/*
 * Operations on projects and the backend's folders. Results live in call->arena.
 */
#ifndef STORAGE_PROJECT_H
#define STORAGE_PROJECT_H

#include "catalog/catalog.h"
#include "storage/storage.h"

struct backend_paths {
	const char *names[4]; /* data_dir, duckdb_dir, files_dir, snapshots_dir */
	const char *paths[4];
	bool present[4];
	bool created[4];
};

/* What is there; creates nothing. */
void backend_look(const struct storage *storage, struct backend_paths *ret);
/* Creates what is missing and checks that each is writable: ERR_INIT_FAILED with details.errors. */
MUST_CHECK bool backend_init(struct storage *storage, struct backend_paths *ret, struct err *err);

struct project_create {
	const char *id;
	const char *name;	     /* may be NULL */
	const char *settings_json;   /* may be NULL */
	const char *key_description; /* of the first key; NULL: the usual one */
};

struct project_stats {
	int64_t size_bytes, table_count, bucket_count;
};

/* *ret_key: the first project_admin key, shown only here. */
MUST_CHECK bool project_create(struct storage *storage, const struct call *call, const struct project_create *request,
			       struct project *ret, const char **ret_key, struct err *err);
/* ERR_NOT_FOUND for an unknown id. */
MUST_CHECK bool project_get(struct storage *storage, const struct call *call, const char *id, struct project *ret,
			    struct err *err);
struct project_list {
	struct project *projects;
	size_t count;
	size_t total;
};
MUST_CHECK bool project_list(struct storage *storage, const struct call *call, const char *status, int64_t limit,
			     int64_t offset, struct project_list *ret, struct err *err);
/* NULL leaves a value. */
MUST_CHECK bool project_update(struct storage *storage, const struct call *call, const char *id, const char *name,
			       const char *settings_json, struct project *ret, struct err *err);
/* Removes everything of it, on disk and in the catalog. */
MUST_CHECK bool project_delete(struct storage *storage, const struct call *call, const char *id, struct err *err);
/* As project_delete, but the record stays with status "deleted" and its directory gone (the driver's drop). */
MUST_CHECK bool project_drop(struct storage *storage, const struct call *call, const char *id, struct err *err);
MUST_CHECK bool project_stats(struct storage *storage, const struct call *call, const char *id,
			      struct project_stats *ret, struct err *err);
#endif
