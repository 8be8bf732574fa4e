#include "http/schema.h"

#include "base/limits.h"

#include <math.h>
#include <stdio.h>

/* What an entry keeps free for its context and its end. */
enum { FAULT_TAIL = 4096 };

static void value_write(struct buf *out, const json_t *value, unsigned depth);

static void object_write(struct buf *out, const json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	bool first = true;
	buf_byte(out, '{');
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		if (!first)
			buf_byte(out, ',');
		first = false;
		json_quote(out, span_of(key));
		buf_byte(out, ':');
		value_write(out, member, depth + 1);
	}
	buf_byte(out, '}');
}

static void array_write(struct buf *out, const json_t *value, unsigned depth)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i)
			buf_byte(out, ',');
		value_write(out, json_array_get(value, i), depth + 1);
	}
	buf_byte(out, ']');
}

static void real_write(struct buf *out, double real)
{
	size_t from = out->len;
	buf_double(out, real);
	/* A number that was written with a point stays one: 1.0, not 1. */
	if (!out->failed && !memchr(out->ptr + from, '.', out->len - from) &&
	    !memchr(out->ptr + from, 'e', out->len - from))
		buf_str(out, ".0");
}

/* The parser limits the depth to LIMIT_JSON_DEPTH, so the recursion is bounded. */
static void value_write(struct buf *out, const json_t *value, unsigned depth)
{
	if (!value || depth > LIMIT_JSON_DEPTH) {
		buf_str(out, "null");
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		object_write(out, value, depth);
		break;
	case JSON_ARRAY:
		array_write(out, value, depth);
		break;
	case JSON_STRING:
		json_quote(out, (struct span){json_string_value(value), json_string_length(value)});
		break;
	case JSON_INTEGER:
		buf_i64(out, json_integer_value(value));
		break;
	case JSON_REAL:
		real_write(out, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_str(out, "true");
		break;
	case JSON_FALSE:
		buf_str(out, "false");
		break;
	case JSON_NULL:
		buf_str(out, "null");
		break;
	}
}

void json_value_write(struct buf *out, const json_t *value)
{
	value_write(out, value, 0);
}

void json_value(struct json *j, const char *key, const json_t *value)
{
	struct buf text = BUF(LIMIT_HTTP_JSON_BYTES * (size_t)2);
	json_value_write(&text, value);
	json_raw(j, key, text.failed ? "null" : text.ptr);
	buf_done(&text);
}

char *json_value_text(struct arena *arena, const json_t *value)
{
	struct buf text = BUF(LIMIT_HTTP_JSON_BYTES * (size_t)2);
	json_value_write(&text, value);
	char *copy = arena_copy(arena, text.failed ? SPAN("null") : buf_view(&text));
	buf_done(&text);
	return copy;
}

void faults_init(struct faults *faults)
{
	*faults = (struct faults){.json = BUF(LIMIT_FAULTS_BYTES)};
}

void faults_done(struct faults *faults)
{
	buf_done(&faults->json);
	faults->count = 0;
}

static void loc_write(struct buf *out, const struct fault_loc *loc)
{
	if (loc->parent) {
		loc_write(out, loc->parent);
		buf_byte(out, ',');
	}
	if (loc->name)
		json_quote(out, span_of(loc->name));
	else
		buf_u64(out, loc->index);
}

/* One entry; it fails when its names or its context are too long. */
static void fault_write(struct buf *one, const char *type, const struct fault_loc *loc, const char *msg,
			const json_t *input, const char *ctx)
{
	buf_str(one, "{\"type\":");
	json_quote(one, span_of(type));
	buf_str(one, ",\"loc\":[");
	loc_write(one, loc);
	buf_str(one, "],\"msg\":");
	json_quote(one, span_of(msg));
	buf_str(one, ",\"input\":");
	size_t head = one->len + FAULT_TAIL;
	struct buf echo = BUF(head < LIMIT_FAULT_BYTES ? LIMIT_FAULT_BYTES - head : 1);
	json_value_write(&echo, input);
	/* A faulty value too large to be worth sending back. */
	buf_span(one, echo.failed ? SPAN("null") : buf_view(&echo));
	buf_done(&echo);
	if (ctx) {
		buf_str(one, ",\"ctx\":");
		buf_str(one, ctx);
	}
	buf_byte(one, '}');
}

void faults_add(struct faults *faults, const char *type, const struct fault_loc *loc, const char *msg,
		const json_t *input, const char *ctx)
{
	if (faults->count == FAULTS_MAX)
		return;
	struct buf one = BUF(LIMIT_FAULT_BYTES);
	fault_write(&one, type, loc, msg, input, ctx);
	/* A member of a map has a name of any length: then what holds it is named. The outermost names are ours. */
	while (one.failed && loc->parent) {
		loc = loc->parent;
		buf_done(&one);
		one = BUF(LIMIT_FAULT_BYTES);
		fault_write(&one, type, loc, msg, input, ctx);
	}
	if (!one.failed && faults->json.len + one.len + 1 < faults->json.max) {
		if (faults->count)
			buf_byte(&faults->json, ',');
		buf_span(&faults->json, buf_view(&one));
		faults->count++;
	}
	buf_done(&one);
}

const char *body_str(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int64_t body_int(const json_t *object, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool body_bool(const json_t *object, const char *name, bool fallback)
{
	const json_t *value = json_object_get(object, name);
	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *body_get(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

const char *const *body_strings(struct arena *arena, const json_t *object, const char *name, size_t *ret_n)
{
	const json_t *list = body_get(object, name);
	size_t n = json_array_size(list);
	if (ret_n)
		*ret_n = n;
	if (!list)
		return NULL;
	const char **strings = arena_array(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		strings[i] = json_string_value(json_array_get(list, i));
	return strings;
}
