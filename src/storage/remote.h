/*
 * Files on other machines, over HTTP: fetched into a temporary file before an
 * import reads it, written after an export. Redirects are followed within http
 * and https; a body is at most FILE_MAX_BYTES; a server that is silent for a
 * minute, a passed deadline and a cancelled call end it.
 *
 * IMPORT_HOSTS restricts the hosts that may be asked: a comma-separated list,
 * ".example.com" for all below. Unset: any.
 */
#ifndef STORAGE_REMOTE_H
#define STORAGE_REMOTE_H

#include "base/err.h"
#include "storage/storage.h"

/*
 * An object of the server's own file storage: what a URL of its own S3 door names. Such a URL is not fetched over HTTP; the
 * door (storage->own_url, set at start) says which object it is, after it has checked what the URL carries (signature), or
 * without a signature the caller of the command.
 */
struct own_object {
	const char *project_id;
	const char *key;
};

/* *ret_own false, without an error: another server's. `method` is GET or PUT. ERR_FORBIDDEN and the S3 door's errors. */
typedef bool (*own_url_find)(void *ctx, const struct call *call, const char *method, const char *url, bool *ret_own,
			     struct own_object *ret, struct err *err);
MUST_CHECK bool remote_is_own(const struct storage *storage, const struct call *call, const char *method,
			      const char *url, bool *ret_own, struct own_object *ret, struct err *err);

struct remote {
	const char *url;
	/* AWS Signature V4; NULL: the URL is all there is */
	const char *access_key;
	const char *secret_key;
	const char *token; /* may be NULL */
	const char *region;
};

/* Into a new temporary file, removed with the call's arena. ERR_INVALID_ARGUMENT: the sentence says what went wrong. */
MUST_CHECK bool remote_fetch(struct storage *storage, const struct call *call, const struct remote *remote,
			     const char **ret_path, struct err *err);
/* HTTP PUT of a file. */
MUST_CHECK bool remote_put(struct storage *storage, const struct call *call, const struct remote *remote,
			   const char *path, struct err *err);

#endif
