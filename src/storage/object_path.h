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
/* project_<id>/_escaped/<percent-encoded key in pieces>; no two keys share one, nor a folder with another's file. */
const char *object_path_escaped(struct arena *arena, const char *project_id, struct span key);

#endif
