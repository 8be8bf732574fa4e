#include "s3/metadata.h"

/* Kept with the object. `query`: the parameter that overrides it on GET. */
static const struct {
	const char *name;
	const char *query;
} kept[] = {
	{"Cache-Control", "response-cache-control"},
	{"Content-Disposition", "response-content-disposition"},
	{"Content-Encoding", "response-content-encoding"},
	{"Content-Language", "response-content-language"},
	{"Expires", "response-expires"},
};

static const char user_prefix[] = "x-amz-meta-";

enum { JSON_MAX = 128 * 1024 };

/* The encoding without the framing of the request: aws-chunked is never kept. */
static const char *stored_encoding(struct arena *arena, const char *value)
{
	struct buf out = BUF(JSON_MAX);
	for (struct span rest = span_of(value); rest.len > 0;) {
		struct span one = span_trim(span_cut(&rest, ','));
		if (one.len == 0 || span_eq_nocase(one, SPAN("aws-chunked")))
			continue;
		buf_str(&out, out.len > 0 ? "," : "");
		buf_span(&out, one);
	}
	const char *copy = out.len > 0 ? arena_copy(arena, buf_view(&out)) : NULL;
	buf_done(&out);
	return copy;
}

static const char *take(struct arena *arena, struct buf *text)
{
	const char *copy = text->len > 0 && !text->failed ? arena_copy(arena, buf_view(text)) : NULL;
	buf_done(text);
	return copy;
}

static bool utf8(const char *name, const char *value, struct err *err)
{
	return span_is_utf8(span_of(value)) || err_set(err, ERR_INVALID_ARGUMENT, "The header %s is not UTF-8", name);
}

static bool read_kept(const struct s3_call *call, const char **ret, struct err *err)
{
	struct buf text = BUF(JSON_MAX);
	struct json j = JSON(&text);
	bool fine = true;
	for (size_t i = 0; fine && i < ARRAY_LEN(kept); i++) {
		const char *value = s3_header(call, kept[i].name);
		if (value && strcmp(kept[i].name, "Content-Encoding") == 0)
			value = stored_encoding(call->arena, value);
		if (!value || !*value)
			continue;
		fine = utf8(kept[i].name, value, err);
		if (text.len == 0)
			json_object(&j, NULL);
		json_str(&j, kept[i].name, value);
	}
	if (text.len > 0)
		json_object_end(&j);
	*ret = take(call->arena, &text);
	return fine;
}

static bool read_user(const struct s3_call *call, const char **ret, struct err *err)
{
	struct buf text = BUF(JSON_MAX);
	struct json j = JSON(&text);
	const char *name, *value;
	size_t bytes = 0, count = 0;
	bool fine = true;
	for (size_t i = 0; fine && http_header_at(call->req, i, &name, &value); i++) {
		if (strncasecmp(name, user_prefix, strlen(user_prefix)) != 0)
			continue;
		char *key = arena_strdup(call->arena, name + strlen(user_prefix));
		for (char *c = key; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		bytes += strlen(name) + strlen(value);
		fine = utf8(name, value, err) &&
		       ((bytes <= S3_METADATA_BYTES_MAX && ++count <= S3_METADATA_COUNT_MAX) ||
			err_set(err, ERR_METADATA_TOO_LARGE, "The user metadata is larger than %d bytes or %d headers",
				S3_METADATA_BYTES_MAX, S3_METADATA_COUNT_MAX));
		if (text.len == 0)
			json_object(&j, NULL);
		json_str(&j, key, value);
	}
	if (text.len > 0)
		json_object_end(&j);
	*ret = take(call->arena, &text);
	return fine;
}

bool s3_metadata_read(const struct s3_call *call, struct s3_metadata *ret, struct err *err)
{
	const char *encryption = s3_header(call, "x-amz-server-side-encryption");
	*ret = (struct s3_metadata){.content_type = s3_header(call, "Content-Type")};
	if (encryption && strcmp(encryption, "AES256") != 0)
		return err_set(err, ERR_UNIMPLEMENTED, "Server-side encryption with keys is not implemented");
	if (ret->content_type && !utf8("Content-Type", ret->content_type, err))
		return false;
	return read_kept(call, &ret->headers_json, err) && read_user(call, &ret->user_json, err);
}

const char *s3_content_type(const struct s3_call *call, const struct file_row *row)
{
	const char *override = s3_query(call, "response-content-type");
	if (override && *override && !call->caller.own_url)
		return override;
	return row->content_type && *row->content_type ? row->content_type : "binary/octet-stream";
}

static void write_kept(struct s3_call *call, const json_t *stored)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *value = json_string_value(json_object_get(stored, kept[i].name));
		const char *override = call->query_count > 0 ? s3_query(call, kept[i].query) : NULL;
		if (override && *override && !call->caller.own_url)
			value = override;
		http_add(call->res, kept[i].name, value);
	}
}

static void write_prefixed(struct s3_call *call, const char *prefix, json_t *stored)
{
	const char *key;
	json_t *value;
	json_object_foreach(stored, key, value)
	{
		http_add(call->res, arena_printf(call->arena, "%s%s", prefix, key), json_string_value(value));
	}
}

void s3_metadata_write(struct s3_call *call, const struct file_row *row, bool checksum)
{
	json_t *headers = row->headers_json ? json_loads(row->headers_json, 0, NULL) : NULL;
	json_t *user = row->user_metadata_json ? json_loads(row->user_metadata_json, 0, NULL) : NULL;
	json_t *sums = checksum && row->checksums_json ? json_loads(row->checksums_json, 0, NULL) : NULL;
	if (headers || call->query_count > 0)
		write_kept(call, headers);
	write_prefixed(call, user_prefix, user);
	write_prefixed(call, "x-amz-checksum-", sums);
	json_decref(headers);
	json_decref(user);
	json_decref(sums);
}
