#include "storage/object_path.h"

#include "base/buf.h"
#include "base/limits.h"

enum { PIECE = 200, ESCAPED_MAX = 3 * LIMIT_OBJECT_KEY_BYTES + LIMIT_OBJECT_KEY_BYTES };

bool object_path_fits(struct span key)
{
	if (span_starts(key, SPAN("_escaped")) || key.len == 0)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if ((unsigned char)key.ptr[i] < 0x20 || key.ptr[i] == 0x7f)
			return false;
	for (struct span rest = key;;) {
		size_t slash = span_find(rest, '/');
		struct span segment = span_first(rest, slash);
		if (segment.len == 0 || segment.len > LIMIT_FILENAME_BYTES || span_is(segment, ".") ||
		    span_is(segment, ".."))
			return false;
		if (slash == rest.len)
			return true;
		rest = span_skip(rest, slash + 1);
	}
}

const char *object_path_plain(struct arena *arena, const char *project_id, struct span key)
{
	return arena_printf(arena, "project_%s/%.*s", project_id, SPAN_ARG(key));
}

static bool stands_for_itself(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.' || c == '~';
}

const char *object_path_escaped(struct arena *arena, const char *project_id, struct span key)
{
	struct buf text = BUF(ESCAPED_MAX), path = BUF(ESCAPED_MAX + LIMIT_PATH_BYTES);
	/* "." and ".." would be names of folders. */
	bool dots = key.len <= 2;
	for (size_t i = 0; i < key.len; i++) {
		if (stands_for_itself(key.ptr[i]) && !(dots && key.ptr[i] == '.'))
			buf_byte(&text, key.ptr[i]);
		else
			buf_printf(&text, "%%%02X", (unsigned char)key.ptr[i]);
	}
	buf_printf(&path, "project_%s/_escaped/", project_id);
	/* A piece that goes on ends with '%', which no last piece does: a key never meets a folder of another. */
	for (struct span rest = buf_view(&text); rest.len > 0; rest = span_skip(rest, PIECE)) {
		buf_span(&path, span_first(rest, PIECE));
		buf_str(&path, rest.len > PIECE ? "%/" : "");
	}
	const char *copy = arena_copy(arena, buf_view(&path));
	buf_done(&text);
	buf_done(&path);
	return copy;
}
