/*
 * Who is it, and may they? Keys are found by the SHA-256 of their full text, so
 * neither look-up nor compare tells anything about a key that is not known.
 *
 * Live key = not revoked and not expired. Scopes: project_admin everything of
 * its project; branch_admin everything under its branch's path; branch_read the
 * reading part of that. Thread-safe.
 */
#ifndef STORAGE_AUTH_H
#define STORAGE_AUTH_H

#include "base/err.h"
#include "storage/call.h"

struct storage;

enum guard {
	GUARD_NONE,
	GUARD_ADMIN,   /* the admin key: else ERR_UNAUTHORIZED */
	GUARD_PROJECT, /* admin, or a project_admin key of the project: else ERR_FORBIDDEN */
	GUARD_BRANCH,  /* as GUARD_PROJECT, and branch keys under their own branch */
	GUARD_DRIVER   /* admin or any live key: else ERR_UNAUTHORIZED */
};

/* Finds the holder of a key text. False without an error: the key is unknown, revoked or expired (*ret_why says which). */
bool auth_key(struct storage *storage, struct span key, struct principal *ret, const char **ret_why);
/* Decides a guard. `reading`: the route changes nothing (GET, or a POST that only reads). */
MUST_CHECK bool auth_check(const struct principal *who, enum guard guard, const char *project_id, const char *branch_id,
			   bool reading, struct err *err);

#endif
