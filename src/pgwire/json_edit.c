#include "pgwire/json_edit.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"

#include <stdlib.h>

/* A walk over one array or object. */
struct walk {
	const char *at, *end;
	bool object;
};

struct child {
	struct span key; /* with its quotes */
	struct span value;
};

/* Where the change happens. */
struct edit {
	struct span whole;
	struct span path[JSON_EDIT_PATH_MAX];
	size_t n;
	struct arena *arena;
	size_t steps; /* of comparing */
	const char *error;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct walk *w)
{
	while (w->at < w->end && is_blank(*w->at))
		w->at++;
}

/* To the quote that ends it. */
static void skip_string(struct walk *w)
{
	for (w->at++; w->at < w->end && *w->at != '"'; w->at++)
		w->at += *w->at == '\\';
}

/* Over one value: brackets are counted, not followed, so that depth costs nothing. */
static struct span take_value(struct walk *w)
{
	size_t depth = 0;
	skip_blanks(w);
	const char *start = w->at;
	for (bool whole = false; w->at < w->end && !whole; w->at++) {
		const char c = *w->at;
		const bool closes = c == '}' || c == ']';
		if (!depth && (closes || c == ',' || c == ':' || is_blank(c)))
			break;
		if (c == '"')
			skip_string(w);
		depth += c == '{' || c == '[';
		depth -= closes;
		whole = !depth && (closes || c == '"');
	}
	w->at = w->at < w->end ? w->at : w->end;
	return (struct span){start, (size_t)(w->at - start)};
}

static bool is_container(struct span value)
{
	return value.len && (*value.ptr == '{' || *value.ptr == '[');
}

static struct walk walk_of(struct span container)
{
	return (struct walk){container.ptr + 1, container.ptr + container.len - 1, *container.ptr == '{'};
}

static bool next_child(struct walk *w, struct child *ret)
{
	skip_blanks(w);
	if (w->at < w->end && *w->at == ',')
		w->at++;
	skip_blanks(w);
	if (w->at >= w->end)
		return false;
	ret->key = SPAN_NONE;
	if (w->object) {
		ret->key = take_value(w);
		skip_blanks(w);
		w->at += w->at < w->end; /* : */
	}
	ret->value = take_value(w);
	return true;
}

/* What a string with its quotes means. */
static struct span plain(struct span string, struct arena *arena)
{
	const struct span inner = span_skip(span_first(string, string.len - 1), 1);
	if (span_find(inner, '\\') == inner.len)
		return inner;
	json_t *parsed = json_loadb(string.ptr, string.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const struct span text =
		parsed ? arena_span(arena, (struct span){json_string_value(parsed), json_string_length(parsed)})
		       : inner;
	json_decref(parsed);
	return text;
}

static bool is_string(struct span value)
{
	return value.len >= 2 && *value.ptr == '"';
}

/* --- paths --- */

/* {a,"b c"}: up to the comma, quotes and backslashes resolved. */
static struct span path_item(struct span *rest, struct arena *arena)
{
	char *to = arena_array(arena, char, rest->len + 1);
	size_t n = 0;
	bool quoted = false;
	for (; rest->len && (quoted || *rest->ptr != ','); *rest = span_skip(*rest, 1)) {
		if (*rest->ptr == '"') {
			quoted = !quoted;
			continue;
		}
		if (*rest->ptr == '\\' && rest->len > 1)
			*rest = span_skip(*rest, 1);
		to[n++] = *rest->ptr;
	}
	*rest = span_skip(*rest, 1);
	return (struct span){to, n};
}

static bool read_path(struct edit *e, struct span text)
{
	text = span_trim(text);
	if (text.len < 2 || (*text.ptr != '{' && *text.ptr != '['))
		e->error = "malformed array literal of a path";
	else if (*text.ptr == '[') {
		struct walk w = walk_of(text);
		for (struct child c; e->n < JSON_EDIT_PATH_MAX && next_child(&w, &c); e->n++)
			e->path[e->n] = is_string(c.value) ? plain(c.value, e->arena) : c.value;
	} else {
		for (struct span rest = span_skip(span_first(text, text.len - 1), 1);
		     rest.len && e->n < JSON_EDIT_PATH_MAX;)
			e->path[e->n++] = path_item(&rest, e->arena);
	}
	if (e->n == JSON_EDIT_PATH_MAX)
		e->error = "path is too long";
	return !e->error;
}

/* --- a child by its key or index --- */

struct found {
	struct child child;
	bool is;
	size_t count; /* of all children */
	int64_t index;
};

static bool read_index(struct edit *e, struct span text, int64_t *ret)
{
	char copy[24], *end;
	if (!text.len || text.len >= sizeof(copy))
		return (e->error = "path element is not an integer") == NULL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*ret = strtoll(copy, &end, 10);
	if (*end)
		e->error = "path element is not an integer";
	return !e->error;
}

static bool find(struct edit *e, struct span container, struct span step, struct found *ret)
{
	struct child c;
	struct walk w = walk_of(container);
	*ret = (struct found){.index = 0};
	if (!w.object && !read_index(e, step, &ret->index))
		return false;
	for (struct walk all = w; next_child(&all, &c);)
		ret->count++;
	if (ret->index < 0)
		ret->index += (int64_t)ret->count;
	for (int64_t i = 0; next_child(&w, &c); i++) {
		if (w.object ? !span_eq(plain(c.key, e->arena), step) : i != ret->index)
			continue;
		/* Of a key that stands there twice the last one counts. */
		ret->child = c;
		ret->is = true;
	}
	return true;
}

/* The container that the last step is about; SPAN_NONE: there is none, and nothing changes. */
static struct span descend(struct edit *e)
{
	struct span at = span_trim(e->whole);
	if (!is_container(at))
		e->error = "cannot set path in scalar";
	for (size_t i = 0; !e->error && i + 1 < e->n; i++) {
		struct found f;
		if (!is_container(at) || !find(e, at, e->path[i], &f) || !f.is)
			return SPAN_NONE;
		at = f.child.value;
	}
	return is_container(at) && !e->error ? at : SPAN_NONE;
}

/* The whole with something else between the two places. */
static bool splice(const struct edit *e, const char *from, struct span middle, const char *to, struct buf *out)
{
	buf_bytes(out, e->whole.ptr, (size_t)(from - e->whole.ptr));
	buf_span(out, middle);
	buf_bytes(out, to, (size_t)(e->whole.ptr + e->whole.len - to));
	return true;
}

static bool unchanged(const struct edit *e, struct buf *out)
{
	buf_span(out, e->whole);
	return !e->error;
}

/* One more child in front of the bracket that ends the container, or behind the one that begins it. */
static bool add(struct edit *e, struct span at, const struct found *f, struct span value, struct buf *out)
{
	struct buf piece = BUF(LIMIT_SQL_BYTES);
	const bool object = *at.ptr == '{', front = !object && f->index < 0;
	const char *place = front ? at.ptr + 1 : at.ptr + at.len - 1;
	buf_str(&piece, f->count && !front ? "," : "");
	if (object) {
		json_quote(&piece, e->path[e->n - 1]);
		buf_byte(&piece, ':');
	}
	buf_span(&piece, value);
	buf_str(&piece, f->count && front ? "," : "");
	out->failed = out->failed || piece.failed;
	const bool fine = splice(e, place, buf_view(&piece), place, out);
	buf_done(&piece);
	return fine;
}

static bool set(struct edit *e, struct span value, bool create, struct buf *out)
{
	struct found f;
	const struct span at = e->n ? descend(e) : SPAN_NONE;
	if (!at.ptr || !find(e, at, e->path[e->n - 1], &f))
		return unchanged(e, out);
	const struct span old = f.child.value;
	if (f.is)
		return splice(e, old.ptr, value, old.ptr + old.len, out);
	return create ? add(e, at, &f, value, out) : unchanged(e, out);
}

static bool insert(struct edit *e, struct span value, bool after, struct buf *out)
{
	struct found f;
	const struct span at = e->n ? descend(e) : SPAN_NONE;
	if (!at.ptr || !find(e, at, e->path[e->n - 1], &f))
		return unchanged(e, out);
	if (!f.is)
		return add(e, at, &f, value, out);
	if (*at.ptr == '{')
		return (e->error = "cannot replace existing key") == NULL;
	const char *start = f.child.value.ptr, *place = after ? start + f.child.value.len : start;
	const char *piece = arena_printf(e->arena, after ? ",%.*s" : "%.*s,", SPAN_ARG(value));
	return splice(e, place, span_of(piece), place, out);
}

/* --- what is left of a container --- */

/* Which children go: those of these keys (of an array: these texts), or the one at the index. */
struct gone {
	const struct span *keys;
	size_t n;
	int64_t index;
};

static bool goes(struct edit *e, const struct gone *g, const struct child *c, bool object, int64_t i)
{
	if (!g->n)
		return i == g->index;
	if (!object && !is_string(c->value))
		return false;
	const struct span text = plain(object ? c->key : c->value, e->arena);
	for (size_t k = 0; k < g->n; k++)
		if (span_eq(text, g->keys[k]))
			return true;
	return false;
}

static void put_child(const struct child *c, bool any, struct buf *out)
{
	buf_str(out, any ? "," : "");
	if (c->key.ptr) {
		buf_span(out, c->key);
		buf_byte(out, ':');
	}
	buf_span(out, c->value);
}

static void put_rest(struct edit *e, struct span container, const struct gone *g, struct buf *out)
{
	struct walk w = walk_of(container);
	struct child c;
	bool any = false;
	buf_byte(out, *container.ptr);
	for (int64_t i = 0; next_child(&w, &c); i++) {
		if (goes(e, g, &c, w.object, i))
			continue;
		put_child(&c, any, out);
		any = true;
	}
	buf_byte(out, w.object ? '}' : ']');
}

/* The child at the path goes. */
static bool remove_at(struct edit *e, struct buf *out)
{
	struct found f;
	const struct span at = e->n ? descend(e) : SPAN_NONE;
	if (!at.ptr || !find(e, at, e->path[e->n - 1], &f) || !f.is)
		return unchanged(e, out);
	const struct gone g = {.keys = &e->path[e->n - 1], .n = *at.ptr == '{', .index = f.index};
	buf_bytes(out, e->whole.ptr, (size_t)(at.ptr - e->whole.ptr));
	put_rest(e, at, &g, out);
	const char *end = at.ptr + at.len;
	buf_bytes(out, end, (size_t)(e->whole.ptr + e->whole.len - end));
	return true;
}

/* j - 'a', j - array['a','b'], j - 1: a number is one index, a list is keys. */
static bool without(struct edit *e, struct span what, struct buf *out)
{
	const struct span whole = span_trim(e->whole);
	struct gone g = {.index = -1};
	if (!is_container(whole))
		return (e->error = "cannot delete from scalar") == NULL;
	if (what.len && *what.ptr == '[') {
		if (!read_path(e, what))
			return false;
		g.keys = e->path;
		g.n = e->n;
		if (!g.n)
			return unchanged(e, out);
	} else {
		struct found f;
		if (*whole.ptr == '{')
			return (e->error = "cannot delete from object using integer index") == NULL;
		if (!find(e, whole, what, &f))
			return false;
		g.index = f.index;
	}
	put_rest(e, whole, &g, out);
	return true;
}

/* Keys of objects whose value is null go, at any depth. */
static bool strip(struct edit *e, struct span value, size_t depth, struct buf *out)
{
	struct child c;
	bool any = false;
	if (depth > JSON_EDIT_DEPTH_MAX)
		return (e->error = "JSON is nested too deeply") == NULL;
	if (!is_container(value)) {
		buf_span(out, value);
		return true;
	}
	struct walk w = walk_of(value);
	buf_byte(out, *value.ptr);
	while (next_child(&w, &c)) {
		if (w.object && span_is(c.value, "null"))
			continue;
		put_child(&(struct child){.key = c.key, .value = SPAN("")}, any, out);
		if (!strip(e, c.value, depth + 1, out))
			return false;
		any = true;
	}
	buf_byte(out, w.object ? '}' : ']');
	return true;
}

/* --- containment --- */

static bool same_scalar(struct edit *e, struct span a, struct span b)
{
	if (is_string(a) || is_string(b))
		return is_string(a) && is_string(b) && span_eq(plain(a, e->arena), plain(b, e->arena));
	if (span_eq(a, b))
		return true;
	if (!a.len || !b.len || strchr("tfn", *a.ptr) || strchr("tfn", *b.ptr))
		return false;
	char *end;
	return strtod(arena_copy(e->arena, a), &end) == strtod(arena_copy(e->arena, b), &end);
}

static bool contains(struct edit *e, struct span a, struct span b, size_t depth);

static bool has_member(struct edit *e, struct span a, const struct child *wanted, size_t depth)
{
	struct walk w = walk_of(a);
	bool found = false;
	for (struct child c; !e->error && next_child(&w, &c);) {
		if (++e->steps > JSON_EDIT_STEPS_MAX)
			return (e->error = "JSON is too large to be compared") == NULL;
		if (w.object ? !span_eq(plain(c.key, e->arena), plain(wanted->key, e->arena)) : found)
			continue;
		found = is_container(wanted->value) == is_container(c.value) &&
			(is_container(c.value) ? contains(e, c.value, wanted->value, depth + 1)
					       : same_scalar(e, c.value, wanted->value));
	}
	return found;
}

/* Each child of b is found in a. */
static bool contains(struct edit *e, struct span a, struct span b, size_t depth)
{
	if (depth > JSON_EDIT_DEPTH_MAX)
		return (e->error = "JSON is nested too deeply") == NULL;
	if (*a.ptr != *b.ptr)
		return false;
	struct walk w = walk_of(b);
	for (struct child c; next_child(&w, &c);)
		if (!has_member(e, a, &c, depth))
			return false;
	return !e->error;
}

static bool top_contains(struct edit *e, struct span b)
{
	const struct span a = span_trim(e->whole);
	b = span_trim(b);
	if (!is_container(a) && !is_container(b))
		return same_scalar(e, a, b);
	/* An array contains a scalar, though no array of it. */
	if (is_container(a) && *a.ptr == '[' && !is_container(b))
		return has_member(e, a, &(struct child){.value = b}, 0);
	return is_container(a) && is_container(b) && contains(e, a, b, 0);
}

/* --- the function --- */

static bool run(struct edit *e, const struct span *a, struct buf *out)
{
	const bool flag = span_is(a[4], "t");
	if (span_is(a[0], "contains")) {
		const bool found = top_contains(e, a[2]);
		buf_byte(out, found ? 't' : 'f');
		return !e->error;
	}
	if (span_is(a[0], "strip"))
		return strip(e, span_trim(e->whole), 0, out);
	if (span_is(a[0], "without"))
		return without(e, a[2], out);
	if (!read_path(e, a[2]))
		return false;
	if (span_is(a[0], "remove"))
		return remove_at(e, out);
	return span_is(a[0], "set") ? set(e, a[3], flag, out) : insert(e, a[3], flag, out);
}

bool json_edit_call(const struct span *arguments, struct buf *out, const char **ret_error)
{
	struct edit e = {.whole = arguments[1]};
	*ret_error = NULL;
	for (size_t i = 0; i < JSON_EDIT_ARGUMENTS; i++)
		if (!arguments[i].ptr)
			return false;
	if (!span_trim(e.whole).len)
		return false;
	e.arena = arena_new();
	const bool fine = run(&e, arguments, out);
	*ret_error = fine ? NULL : e.error;
	arena_free(e.arena);
	return fine;
}
