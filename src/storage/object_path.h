/*
 * Where an object's bytes are, from its key: see object.h for the rules. Pure
 * functions; results are relative to FILES_DIR and live in the arena.
 */
#ifndef STORAGE_OBJECT_PATH_H
#define STORAGE_OBJECT_PATH_H

#include "base/arena.h"

/* Can the key be a path as it stands? */
bool object_path_fits(struct span key);
/* project_<id>/<key> */
const char *object_path_plain(struct arena *arena, const char *project_id, struct span key);
/* project_<id>/_escaped/<percent-encoded key in pieces> */
const char *object_path_escaped(struct arena *arena, const char *project_id, struct span key);
/* The key of an escaped path, for people and repair tools; false: it is not one. */
bool object_path_unescape(struct arena *arena, struct span path, const char **ret_key);

#endif
