#include <jansson.h>

#include "storage/shape.h"

#include "base/json.h"
#include "base/limits.h"

char *shape_encode(const struct table_schema *schema, struct arena *arena)
{
	struct buf text = BUF(LIMIT_HTTP_JSON_BYTES);
	struct json j = JSON(&text);
	json_object(&j, NULL);
	json_array(&j, "columns");
	for (size_t i = 0; i < schema->column_count; i++) {
		const struct table_column *c = &schema->columns[i];
		json_object(&j, NULL);
		json_str(&j, "name", c->name);
		json_str(&j, "type", c->type);
		json_bool(&j, "nullable", c->nullable);
		json_str(&j, "default", c->default_sql);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_strings(&j, "primary_key", schema->key, schema->key_count);
	json_object_end(&j);
	char *copy = arena_copy(arena, buf_view(&text));
	buf_done(&text);
	return copy;
}

static const char *text_of(const json_t *object, const char *key, struct arena *arena)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? arena_strdup(arena, text) : NULL;
}

bool shape_decode(const char *json, struct arena *arena, struct table_schema *ret, struct err *err)
{
	json_t *root = json ? json_loads(json, 0, NULL) : NULL;
	const json_t *columns = json_object_get(root, "columns");
	const json_t *key = json_object_get(root, "primary_key");
	if (!json_is_array(columns) || !json_is_array(key)) {
		json_decref(root);
		return err_set(err, ERR_METADATA, "The catalog holds no schema of the table");
	}
	size_t n = json_array_size(columns);
	struct table_column *rows = arena_array(arena, struct table_column, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(columns, i);
		rows[i] = (struct table_column){
			.name = text_of(c, "name", arena),
			.type = text_of(c, "type", arena),
			.nullable = json_is_true(json_object_get(c, "nullable")),
			.default_sql = text_of(c, "default", arena),
		};
	}
	size_t key_count = json_array_size(key);
	const char **names = arena_array(arena, const char *, key_count);
	for (size_t i = 0; i < key_count; i++)
		names[i] = arena_strdup(arena, json_string_value(json_array_get(key, i)));
	*ret = (struct table_schema){.column_count = n, .columns = rows, .key_count = key_count, .key = names};
	json_decref(root);
	return true;
}
