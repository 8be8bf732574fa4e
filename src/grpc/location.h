/*
 * Where a file of an import or export is: in the server's own file storage, as
 * an object of a project, or on another machine, behind a URL that is fetched
 * or written with libcurl.
 *
 *	project_<id>		the file storage of that project, whatever the provider
 *	HTTP  /...		the same by absolute path, nothing else of this machine
 *	HTTP  http(s)://...	a URL; with a '?' pre-signed and used as it is
 *	S3, GCS			bucket and keys of an S3-compatible store
 */
#ifndef GRPC_LOCATION_H
#define GRPC_LOCATION_H

#include "grpc/place.h"
#include "storage/remote.h"

struct location {
	const char *project_id; /* of the object; NULL: remote */
	const char *key;
	struct remote remote;
};

/* The command's project must be cleared. ERR_INVALID_ARGUMENT, ERR_FORBIDDEN (storage of another project). */
MUST_CHECK bool location_find(struct driver_call *c, const char *project, int provider,
			      const TABLE_MSG(ImportExportShared__FilePath) * path, const any_msg *credentials,
			      struct location *ret, struct err *err);

#endif
