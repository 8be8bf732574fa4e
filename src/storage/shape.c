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

/* ---- as shape_encode wrote it ---- */

/*
 * Every look at a table decodes its schema, so what this file wrote itself is scanned as it stands; what looks different in
 * any way (escapes, another order, blanks) goes to the general decoder.
 */
static bool literal(const char **at, const char *expected)
{
	size_t n = strlen(expected);
	if (strncmp(*at, expected, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool quoted(const char **at, struct arena *arena, const char **ret)
{
	if (**at != '"')
		return false;
	size_t n = strcspn(*at + 1, "\"\\");
	if ((*at)[1 + n] != '"')
		return false;
	*ret = arena_copy(arena, (struct span){*at + 1, n});
	*at += n + 2;
	return true;
}

static bool column_scan(const char **at, struct arena *arena, struct table_column *ret)
{
	if (!literal(at, "{\"name\":") || !quoted(at, arena, &ret->name) || !literal(at, ",\"type\":") ||
	    !quoted(at, arena, &ret->type) || !literal(at, ",\"nullable\":"))
		return false;
	ret->nullable = literal(at, "true");
	return (ret->nullable || literal(at, "false")) && literal(at, ",\"default\":") &&
	       (literal(at, "null") || quoted(at, arena, &ret->default_sql)) && literal(at, "}");
}

/* How many columns there are at most: each has this member, and a text that holds it is escaped. */
static size_t count_of(const char *json, const char *what)
{
	size_t n = 0;
	for (const char *at = json; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static bool scan(const char *json, struct arena *arena, struct table_schema *ret)
{
	const char *at = json;
	size_t room = count_of(json, "\"nullable\":");
	struct table_column *columns = arena_array(arena, struct table_column, room);
	size_t n = 0;
	size_t key_count = 0;
	if (!literal(&at, "{\"columns\":["))
		return false;
	while (n < room && (n == 0 || literal(&at, ","))) {
		if (!column_scan(&at, arena, &columns[n++]))
			return false;
	}
	if (!literal(&at, "],\"primary_key\":["))
		return false;
	const char **key = arena_array(arena, const char *, n);
	while (*at != ']' && key_count < n && (key_count == 0 || literal(&at, ","))) {
		if (!quoted(&at, arena, &key[key_count++]))
			return false;
	}
	*ret = (struct table_schema){.column_count = n, .columns = columns, .key_count = key_count, .key = key};
	return strcmp(at, "]}") == 0;
}

bool shape_decode(const char *json, struct arena *arena, struct table_schema *ret, struct err *err)
{
	if (json && scan(json, arena, ret))
		return true;
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
