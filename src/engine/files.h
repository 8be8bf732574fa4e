/* Private to this folder: what table.h and staging.h share. */
#ifndef ENGINE_FILES_H
#define ENGINE_FILES_H

#include "base/limits.h"
#include "base/map.h"
#include "engine/table.h"

#include <pthread.h>
#include <stdatomic.h>

struct table_files {
	struct instance *data;
	char *private_dir;
	size_t max;
	atomic_uint_fast64_t sequence; /* names of links, attached and staging files */

	pthread_mutex_t lock;
	pthread_cond_t attached_cond;
	struct map by_identity;
	struct map by_path;
	struct table_ref *oldest; /* unused */
	struct table_ref *newest;
	size_t attached;
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions;

	/* Reads schemas: an engine with one file at a time, because the engine's catalog functions visit every attached file. */
	pthread_mutex_t inspect_lock;
	struct instance *inspector;
};

/*
 * A hard link of a published file in the private folder, under a new name; a copy where links are impossible. The identity
 * is the published file's in both cases.
 */
MUST_CHECK bool files_link(struct table_files *files, const char *path, char ret[LIMIT_PATH_BYTES],
			   struct table_identity *ret_identity, struct err *err);
/* Detaches everything that is unused. */
void files_drop_all(struct table_files *files);
/* Describes the attached database `catalog` of the session. */
MUST_CHECK bool files_describe(struct session *session, const char *catalog, struct arena *arena,
			       struct table_info *ret, struct err *err);
/* Describes a file nobody changes, by its own name. */
MUST_CHECK bool files_inspect(struct table_files *files, const char *path, struct arena *arena, struct table_info *ret,
			      struct err *err);

#endif
