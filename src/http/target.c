#include "http/target.h"

#include "base/hash.h"

#include "base/limits.h"

void target_split(struct span target, struct span *ret_path, struct span *ret_query)
{
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		struct span scheme = span_of(schemes[i]);
		if (target.len >= scheme.len && span_eq_nocase(span_first(target, scheme.len), scheme)) {
			target = span_skip(target, scheme.len);
			size_t end = 0;
			while (end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?')
				end++;
			target = span_skip(target, end);
			break;
		}
	}
	size_t mark = span_find(target, '?');
	*ret_path = span_first(target, mark);
	*ret_query = span_skip(target, mark + 1);
	if (ret_path->len == 0)
		*ret_path = SPAN("/");
}

size_t target_decode(struct span in, bool plus, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];
		unsigned char byte;
		if (c == '%' && in.len - i > 2 && hash_unhex((struct span){in.ptr + i + 1, 2}, &byte, 1)) {
			c = (char)byte;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

struct span percent_decoded(struct arena *arena, struct span in, bool plus)
{
	char *out = arena_alloc(arena, in.len + 1);
	return (struct span){out, target_decode(in, plus, out)};
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct span text, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (unreserved((char)c) || (c && strchr(keep, c))) {
			buf_byte(out, (char)c);
			continue;
		}
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
		buf_bytes(out, escape, sizeof(escape));
	}
}

bool query_next(struct span *rest, struct span *ret_name, struct span *ret_value)
{
	while (rest->len) {
		struct span item = span_cut(rest, '&');
		if (item.len == 0)
			continue;
		size_t equals = span_find(item, '=');
		*ret_name = span_first(item, equals);
		*ret_value = span_skip(item, equals + 1);
		return true;
	}
	return false;
}

/* A value is a C string: a NUL in it becomes another character nobody means, SUBSTITUTE, so that none is cut short. */
static const char *value_text(struct arena *arena, struct span value)
{
	char *text = arena_alloc(arena, value.len + 1);
	size_t n = target_decode(value, true, text);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\0')
			text[i] = '\x1a';
	}
	return text;
}

/* A fallback is JSON text; a query value is the text in it. */
static const char *fallback_text(struct arena *arena, const char *json)
{
	struct span text = span_of(json);
	if (!text.ptr || span_is(text, "null"))
		return NULL;
	if (text.len >= 2 && text.ptr[0] == '"')
		return arena_copy(arena, (struct span){text.ptr + 1, text.len - 2});
	return json;
}

const char **query_read(struct arena *arena, struct span query, const struct field *fields)
{
	size_t n = 0;
	while (fields && fields[n].name)
		n++;
	const char **values = arena_array(arena, const char *, n + 1);
	struct span name;
	struct span value;
	for (unsigned items = 0; n && items < LIMIT_HTTP_QUERY_PARAMS && query_next(&query, &name, &value); items++) {
		struct span decoded = percent_decoded(arena, name, true);
		for (size_t i = 0; i < n; i++) {
			if (span_is(decoded, fields[i].name))
				values[i] = value_text(arena, value);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!values[i])
			values[i] = fallback_text(arena, fields[i].fallback);
	}
	return values;
}
