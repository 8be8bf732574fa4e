/*
 * Snapshot settings in four levels, the later wins for each leaf: system (fixed
 * defaults), project, bucket, table. Levels are keyed by name, so they outlive
 * the bucket or table; they end with the project.
 *
 * A stored level is a JSON object with only the leaves that it sets.
 */
#ifndef STORAGE_SNAPSHOT_SETTINGS_H
#define STORAGE_SNAPSHOT_SETTINGS_H

#include "base/json.h"
#include "storage/op.h"
#include "storage/place.h"

enum snapshot_leaf {
	LEAF_DROP_TABLE,
	LEAF_TRUNCATE_TABLE,
	LEAF_DELETE_ALL_ROWS,
	LEAF_DROP_COLUMN,
	LEAF_MANUAL_DAYS,
	LEAF_AUTO_DAYS,
	LEAF_ENABLED,
	SNAPSHOT_LEAVES
};

struct snapshot_leaf_row {
	const char *group; /* object that holds it; NULL: the top */
	const char *name;
	const char *dotted;
	bool is_bool;
	int64_t fallback; /* of the system */
};
extern const struct snapshot_leaf_row snapshot_leaves[SNAPSHOT_LEAVES];

enum { SNAPSHOT_DAYS_MAX = 3650 };

enum snapshot_level { LEVEL_SYSTEM, LEVEL_PROJECT, LEVEL_BUCKET, LEVEL_TABLE };
const char *snapshot_level_name(enum snapshot_level level);

/* Leaves of one level; unset ones inherit. */
struct snapshot_config {
	bool set[SNAPSHOT_LEAVES];
	int64_t values[SNAPSHOT_LEAVES];
};

struct snapshot_settings {
	int64_t values[SNAPSHOT_LEAVES]; /* in force */
	enum snapshot_level from[SNAPSHOT_LEAVES];
	struct snapshot_config local; /* of the level asked for */
};

/* What holds for a level; bucket NULL: the project's, table NULL: the bucket's. Names need not exist. */
void snapshot_settings_of(struct storage *storage, const char *project_id, const char *bucket, const char *table,
			  struct snapshot_settings *ret);

/* Whose settings a client asks for: they exist and are main's, else the errors of place.h. */
struct snapshot_scope {
	const char *project_id, *branch_id, *bucket, *table;
};
MUST_CHECK bool snapshot_settings_get(struct storage *storage, const struct call *call, struct snapshot_scope scope,
				      struct snapshot_settings *ret, struct err *err);
/* Replaces the level as a whole. ERR_INVALID_CONFIG with details.errors. */
MUST_CHECK bool snapshot_settings_put(struct storage *storage, const struct call *call, struct snapshot_scope scope,
				      const struct snapshot_config *config, struct snapshot_settings *ret,
				      struct err *err);
MUST_CHECK bool snapshot_settings_delete(struct storage *storage, const struct call *call, struct snapshot_scope scope,
					 struct err *err);

/* The leaves that are set, as the object of the answers and of the record: {"retention":{"manual_days":400}}. */
void snapshot_config_write(struct json *j, const char *key, const struct snapshot_config *config);
bool snapshot_config_empty(const struct snapshot_config *config);

#endif
