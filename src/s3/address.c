#include "s3/address.h"

#include "http/target.h"

static const struct span prefix = {"/s3", 3};

bool s3_address_prefixed(struct span path)
{
	return span_starts(path, prefix) && (path.len == prefix.len || path.ptr[prefix.len] == '/');
}

static bool decoded(struct arena *arena, struct span raw, const char **ret, struct err *err)
{
	struct span text = percent_decoded(arena, raw, false);
	*ret = text.ptr;
	return span_find(text, '\0') == text.len || err_set(err, ERR_INVALID_KEY, "The path holds a NUL");
}

/* bucket[/key] */
static bool split(struct arena *arena, struct span rest, struct s3_address *ret, struct err *err)
{
	struct span bucket = span_cut(&rest, '/');
	*ret = (struct s3_address){.level = S3_SERVICE};
	if (bucket.len == 0 && rest.len == 0)
		return true;
	ret->level = rest.len > 0 ? S3_OBJECT : S3_BUCKET;
	return decoded(arena, bucket, &ret->bucket, err) && (rest.len == 0 || decoded(arena, rest, &ret->key, err));
}

bool s3_address_read(struct arena *arena, struct span path, struct s3_address *ret, struct err *err)
{
	if (s3_address_prefixed(path))
		path = span_skip(path, prefix.len);
	return split(arena, span_skip(path, 1), ret, err);
}

bool s3_is_version(struct span id)
{
	return id.len == 0 || span_is(id, "null");
}

bool s3_address_source(struct arena *arena, struct span header, struct s3_address *ret, struct err *err)
{
	size_t question = span_find(header, '?');
	struct span version = span_skip(header, question);
	if (version.len > 0 &&
	    (!span_starts(version, SPAN("?versionId=")) || !s3_is_version(span_skip(version, strlen("?versionId=")))))
		return err_set(err, ERR_VERSION_NOT_FOUND, "The version of the copy source does not exist");
	/* Decoded first, as some clients encode the slash between bucket and key, too. */
	const char *text;
	if (!decoded(arena, span_first(header, question), &text, err))
		return false;
	struct span rest = span_of(text);
	if (span_starts(rest, SPAN("/")))
		rest = span_skip(rest, 1);
	struct span bucket = span_cut(&rest, '/');
	if (bucket.len == 0 || rest.len == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "x-amz-copy-source must be bucket/key");
	*ret = (struct s3_address){
		.level = S3_OBJECT, .bucket = arena_copy(arena, bucket), .key = arena_copy(arena, rest)};
	return true;
}
