#include "storage/snapshot_settings.h"

#include "base/clock.h"

const struct snapshot_leaf_row snapshot_leaves[SNAPSHOT_LEAVES] = {
	[LEAF_DROP_TABLE] = {"auto_snapshot_triggers", "drop_table", "auto_snapshot_triggers.drop_table", true, true},
	[LEAF_TRUNCATE_TABLE] = {"auto_snapshot_triggers", "truncate_table", "auto_snapshot_triggers.truncate_table",
				 true, false},
	[LEAF_DELETE_ALL_ROWS] = {"auto_snapshot_triggers", "delete_all_rows", "auto_snapshot_triggers.delete_all_rows",
				  true, false},
	[LEAF_DROP_COLUMN] = {"auto_snapshot_triggers", "drop_column", "auto_snapshot_triggers.drop_column", true,
			      false},
	[LEAF_MANUAL_DAYS] = {"retention", "manual_days", "retention.manual_days", false, 90},
	[LEAF_AUTO_DAYS] = {"retention", "auto_days", "retention.auto_days", false, 7},
	[LEAF_ENABLED] = {NULL, "enabled", "enabled", true, true},
};

const char *snapshot_level_name(enum snapshot_level level)
{
	static const char *const names[] = {"system", "project", "bucket", "table"};
	return names[level];
}

bool snapshot_config_empty(const struct snapshot_config *config)
{
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		if (config->set[i])
			return false;
	}
	return true;
}

void snapshot_config_write(struct json *j, const char *key, const struct snapshot_config *config)
{
	const char *group = NULL;
	json_object(j, key);
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		const struct snapshot_leaf_row *leaf = &snapshot_leaves[i];
		if (!config->set[i])
			continue;
		if (group && (!leaf->group || strcmp(group, leaf->group) != 0)) {
			json_object_end(j);
			group = NULL;
		}
		if (leaf->group && !group) {
			group = leaf->group;
			json_object(j, group);
		}
		if (leaf->is_bool)
			json_bool(j, leaf->name, config->values[i] != 0);
		else
			json_int(j, leaf->name, config->values[i]);
	}
	if (group)
		json_object_end(j);
	json_object_end(j);
}

static void config_decode(const char *text, struct snapshot_config *ret)
{
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;
	*ret = (struct snapshot_config){0};
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		const struct snapshot_leaf_row *leaf = &snapshot_leaves[i];
		const json_t *group = leaf->group ? json_object_get(root, leaf->group) : root;
		const json_t *value = json_object_get(group, leaf->name);
		ret->set[i] = leaf->is_bool ? json_is_boolean(value) : json_is_integer(value);
		ret->values[i] = leaf->is_bool ? json_is_true(value) : json_integer_value(value);
	}
	json_decref(root);
}

static void level_take(struct snapshot_settings *settings, enum snapshot_level level,
		       const struct snapshot_config *config)
{
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		if (!config->set[i])
			continue;
		settings->values[i] = config->values[i];
		settings->from[i] = level;
	}
}

void snapshot_settings_of(struct storage *storage, const char *project_id, const char *bucket, const char *table,
			  struct snapshot_settings *ret)
{
	const struct {
		enum snapshot_level level;
		const char *bucket, *table;
	} levels[] = {{LEVEL_PROJECT, "", ""}, {LEVEL_BUCKET, bucket, ""}, {LEVEL_TABLE, bucket, table}};
	struct arena *arena = arena_new();
	*ret = (struct snapshot_settings){0};
	for (int i = 0; i < SNAPSHOT_LEAVES; i++)
		ret->values[i] = snapshot_leaves[i].fallback;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		struct snapshot_setting row = {0};
		if (!levels[i].bucket || !levels[i].table)
			break;
		ret->local = (struct snapshot_config){0};
		if (catalog_get_snapshot_setting(storage->catalog, arena,
						 KEY(project_id, levels[i].bucket, levels[i].table), &row))
			config_decode(row.config_json, &ret->local);
		level_take(ret, levels[i].level, &ret->local);
	}
	arena_free(arena);
}

static bool scope_exists(struct storage *storage, const struct call *call, struct snapshot_scope scope, struct err *err)
{
	static const char what[] = "Changing snapshot settings";
	struct place place;
	if (!place_branch(storage, call->arena, scope.project_id, scope.branch_id, what, &place, err))
		return false;
	if (scope.table)
		return place_table_own(storage, call->arena, scope.project_id, scope.branch_id, scope.bucket,
				       scope.table, &place, err);
	return !scope.bucket ||
	       place_bucket(storage, call->arena, scope.project_id, scope.branch_id, scope.bucket, what, &place, err);
}

bool snapshot_settings_get(struct storage *storage, const struct call *call, struct snapshot_scope scope,
			   struct snapshot_settings *ret, struct err *err)
{
	if (!scope_exists(storage, call, scope, err))
		return false;
	snapshot_settings_of(storage, scope.project_id, scope.bucket, scope.table, ret);
	return true;
}

static bool config_check(const struct snapshot_config *config, struct arena *arena, struct err *err)
{
	const char *faults[SNAPSHOT_LEAVES];
	size_t n = 0;
	for (int i = 0; i < SNAPSHOT_LEAVES; i++) {
		if (!config->set[i] || snapshot_leaves[i].is_bool)
			continue;
		if (config->values[i] < 1)
			faults[n++] = arena_printf(arena, "%s must be a positive integer", snapshot_leaves[i].dotted);
		else if (config->values[i] > SNAPSHOT_DAYS_MAX)
			faults[n++] = arena_printf(arena, "%s cannot exceed %d", snapshot_leaves[i].dotted,
						   SNAPSHOT_DAYS_MAX);
	}
	if (n == 0)
		return true;
	(void)err_set(err, ERR_INVALID_CONFIG, "The snapshot settings are not valid: %s", faults[0]);
	err_detail_list(err, "errors", faults, n);
	return false;
}

static void row_write(struct catalog_txn *t, struct snapshot_scope scope, const struct snapshot_config *config,
		      struct arena *arena)
{
	const char *bucket = scope.bucket ? scope.bucket : "";
	const char *table = scope.table ? scope.table : "";
	if (!config || snapshot_config_empty(config)) {
		catalog_remove_snapshot_setting(t, KEY(scope.project_id, bucket, table));
		return;
	}
	struct buf text = BUF(4 * KIB);
	struct json j = JSON(&text);
	snapshot_config_write(&j, NULL, config);
	struct snapshot_setting row = {
		.project_id = scope.project_id,
		.bucket = bucket,
		.table_name = table,
		.config_json = arena_copy(arena, buf_view(&text)),
		.updated_at = clock_unix_us(),
	};
	buf_done(&text);
	catalog_put_snapshot_setting(t, &row);
}

/* config NULL: the level goes. */
static bool change(struct op *op, struct snapshot_scope scope, const struct snapshot_config *config, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	if (!scope_exists(storage, op->call, scope, err) || (config && !config_check(config, arena, err)))
		return false;
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_expect_project(t, KEY(scope.project_id), ERR_PROJECT_NOT_FOUND);
	row_write(t, scope, config, arena);
	return catalog_commit(t, err);
}

static struct op_target target_of(struct snapshot_scope scope)
{
	return (struct op_target){.project_id = scope.project_id,
				  .branch_id = scope.branch_id,
				  .bucket = scope.bucket,
				  .table = scope.table};
}

bool snapshot_settings_put(struct storage *storage, const struct call *call, struct snapshot_scope scope,
			   const struct snapshot_config *config, struct snapshot_settings *ret, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_update_snapshot_settings, target_of(scope));
	bool fine = change(&op, scope, config, err);
	if (fine)
		snapshot_settings_of(storage, scope.project_id, scope.bucket, scope.table, ret);
	return op_end(&op, fine, err);
}

bool snapshot_settings_delete(struct storage *storage, const struct call *call, struct snapshot_scope scope,
			      struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_delete_snapshot_settings, target_of(scope));
	return op_end(&op, change(&op, scope, NULL, err), err);
}
