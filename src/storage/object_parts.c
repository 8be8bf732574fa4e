#include "storage/object_parts.h"

#include "base/json.h"

const char *object_parts_add(struct arena *arena, const char *checksums_json, const struct multipart_part *parts,
			     size_t n)
{
	enum { RUN_MAX = 64 };
	struct buf out = BUF((n + 1) * RUN_MAX + (checksums_json ? strlen(checksums_json) : 0));
	size_t run = 0;
	if (checksums_json)
		buf_printf(&out, "%.*s,", (int)strlen(checksums_json) - 1, checksums_json);
	else
		buf_byte(&out, '{');
	buf_str(&out, "\"parts\":[");
	for (size_t i = 0; i < n; i += run) {
		for (run = 1; i + run < n && parts[i + run].size_bytes == parts[i].size_bytes; run++)
			continue;
		buf_printf(&out, "%s[%zu,%lld]", i > 0 ? "," : "", run, (long long)parts[i].size_bytes);
	}
	buf_str(&out, "]}");
	const char *text = arena_copy(arena, buf_view(&out));
	buf_done(&out);
	return text;
}

/* Walks the runs; false when they do not add up to the object. */
static bool find_in(const json_t *runs, int64_t size, int64_t number, struct object_part *ret)
{
	int64_t offset = 0;
	bool found = false;
	size_t i;
	const json_t *run;
	*ret = (struct object_part){0};
	json_array_foreach(runs, i, run)
	{
		int64_t count = json_integer_value(json_array_get(run, 0));
		int64_t each = json_integer_value(json_array_get(run, 1));
		int64_t before = number - 1 - ret->count;
		if (count < 1 || each < 0 || (each > 0 && count > (size - offset) / each))
			return false;
		if (before >= 0 && before < count) {
			ret->first = offset + before * each;
			ret->length = each;
			found = true;
		}
		ret->count += count;
		offset += count * each;
	}
	return found && offset == size;
}

bool object_part_find(const struct file_row *row, int64_t number, struct object_part *ret)
{
	json_t *known = row->checksums_json ? json_loads(row->checksums_json, 0, NULL) : NULL;
	const json_t *runs = json_object_get(known, "parts");
	bool fine = number == 1;
	if (json_is_array(runs))
		fine = find_in(runs, row->size_bytes, number, ret);
	else
		*ret = (struct object_part){.length = row->size_bytes};
	json_decref(known);
	return fine;
}
