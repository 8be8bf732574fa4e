/*
 * Operations on API keys. The full text of a key leaves the program once, from
 * create or rotate; only its SHA-256 is kept.
 */
#ifndef STORAGE_API_KEY_H
#define STORAGE_API_KEY_H

#include "catalog/catalog.h"
#include "storage/storage.h"

struct api_key_create {
	const char *description;
	const char *scope;	 /* project_admin, branch_admin, branch_read */
	const char *branch_id;	 /* may be NULL */
	int64_t expires_in_days; /* 0: never */
};

MUST_CHECK bool api_key_create(struct storage *storage, const struct call *call, const char *project_id,
			       const struct api_key_create *request, struct api_key *ret, const char **ret_key,
			       struct err *err);
MUST_CHECK bool api_key_get(struct storage *storage, const struct call *call, const char *project_id,
			    const char *key_id, struct api_key *ret, struct err *err);
/* Keys that are not revoked, newest first. */
MUST_CHECK bool api_key_list(struct storage *storage, const struct call *call, const char *project_id,
			     struct api_key **ret, size_t *ret_count, struct err *err);
MUST_CHECK bool api_key_revoke(struct storage *storage, const struct call *call, const char *project_id,
			       const char *key_id, struct err *err);
MUST_CHECK bool api_key_rotate(struct storage *storage, const struct call *call, const char *project_id,
			       const char *key_id, struct api_key *ret, const char **ret_key, struct err *err);

/* A row and its full text for a new key; used by project_create too. */
void api_key_new(struct arena *arena, const char *project_id, const char *branch_id, const char *scope,
		 struct api_key *ret, const char **ret_key);

#endif
