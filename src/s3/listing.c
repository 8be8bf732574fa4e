/* ListObjects, both versions. */
#include "http/target.h"
#include "s3/door.h"
#include "s3/list.h"
#include "storage/object.h"

struct entry {
	const char *name;
	bool common; /* a prefix */
	const char *etag;
	int64_t size;
	int64_t modified_us;
};

struct listing {
	struct s3_call *call;
	bool v2;
	bool encoded; /* encoding-type=url */
	bool owner;
	const char *prefix;
	const char *delimiter;
	struct span after;
	int64_t max;
	struct entry *entries;
	size_t count;
	bool unhashed; /* some file has no entity tag yet */
	struct list_page page;
};

/* ---- the keys of a project ---------------------------------------------------------------------------------------- */

struct scan {
	struct listing *listing;
	bool (*visit)(void *call, struct span key, const void *item);
	void *call;
};

static bool scan_row(void *ctx, const struct file_row *row)
{
	struct scan *scan = ctx;
	/* A record without a key is a file that S3 does not show. */
	return !row->object_key || scan->visit(scan->call, span_of(row->object_key), row);
}

static void scan_keys(void *ctx, struct span after, bool (*visit)(void *call, struct span key, const void *item),
		      void *call)
{
	struct listing *l = ctx;
	struct scan scan = {l, visit, call};
	struct catalog_page page = {0};
	if (after.len > 0)
		page.after = KEY(l->call->project_id, arena_copy(l->call->arena, after));
	catalog_visit_file_by_key(l->call->storage->catalog, KEY(l->call->project_id), &page, scan_row, &scan);
}

static void take_entry(void *ctx, struct span name, const void *item)
{
	struct listing *l = ctx;
	const struct file_row *row = item;
	struct entry *entry = &l->entries[l->count++];
	*entry = (struct entry){.name = arena_copy(l->call->arena, name), .common = !row};
	if (!row)
		return;
	entry->etag = row->etag ? arena_strdup(l->call->arena, row->etag) : NULL;
	entry->size = row->size_bytes;
	entry->modified_us = row->updated_at;
	l->unhashed = l->unhashed || !row->etag;
}

/* Files that came without a digest get it once, now; it is kept with them. */
static bool hash_missing(struct listing *l, struct err *err)
{
	struct s3_call *call = l->call;
	for (size_t i = 0; l->unhashed && i < l->count; i++) {
		struct file_row row;
		struct entry *entry = &l->entries[i];
		if (entry->common || entry->etag ||
		    !object_find(call->storage, call->arena, call->project_id, entry->name, &row))
			continue;
		if (object_ensure_etag(call->storage, call->arena, &row, err))
			entry->etag = row.etag;
		else if (err->code != ERR_FILE_NOT_FOUND && err->code != ERR_FILE_CONTENT_NOT_FOUND)
			return false;
		err_clear(err);
	}
	return true;
}

/* ---- the request -------------------------------------------------------------------------------------------------- */

static bool read_position(struct listing *l, struct err *err)
{
	struct s3_call *call = l->call;
	const char *token = l->v2 ? s3_query(call, "continuation-token") : NULL;
	const char *start = s3_query(call, l->v2 ? "start-after" : "marker");
	if (token)
		return list_token_read(call->arena, span_of(token), &l->after, err);
	l->after = span_of(start ? start : "");
	return true;
}

static const char *text_of(const struct s3_call *call, const char *name)
{
	const char *value = s3_query(call, name);
	return value ? value : "";
}

static bool check_texts(const struct listing *l, struct err *err)
{
	if (strlen(l->prefix) > LIMIT_OBJECT_KEY_BYTES || strlen(l->delimiter) > LIMIT_OBJECT_KEY_BYTES)
		return err_set(err, ERR_KEY_TOO_LONG, "prefix and delimiter have at most %d bytes",
			       LIMIT_OBJECT_KEY_BYTES);
	/* They are echoed: as they are, or encoded. */
	bool (*is_fine)(struct span) = l->encoded ? span_is_utf8 : span_is_xml;
	return (is_fine(span_of(l->prefix)) && is_fine(span_of(l->delimiter)) && is_fine(l->after)) ||
	       err_set(err, ERR_INVALID_ARGUMENT, "The parameters are not UTF-8, or hold control characters");
}

static bool read_request(struct listing *l, struct err *err)
{
	struct s3_call *call = l->call;
	const char *encoding = text_of(call, "encoding-type");
	l->prefix = text_of(call, "prefix");
	l->delimiter = text_of(call, "delimiter");
	l->owner = !l->v2 || strcmp(text_of(call, "fetch-owner"), "true") == 0;
	l->encoded = *encoding != '\0';
	if (l->encoded && strcmp(encoding, "url") != 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "encoding-type must be url");
	if (!s3_query_number(call, "max-keys", LIST_KEYS_MAX, LIST_KEYS_MAX, &l->max, err) || !read_position(l, err))
		return false;
	l->after = span_first(l->after, LIST_POSITION_MAX - 1);
	return check_texts(l, err);
}

/* ---- the answer --------------------------------------------------------------------------------------------------- */

static void write_name(const struct listing *l, struct buf *out, const char *element, struct span name)
{
	if (!l->encoded) {
		xml_text(out, element, name);
		return;
	}
	xml_open(out, element);
	percent_encode(out, name, "/");
	xml_close(out, element);
}

static void write_head(const struct listing *l, struct buf *out, const char *bucket)
{
	struct s3_call *call = l->call;
	struct span last = {l->page.last, l->page.last_len};
	const char *token = s3_query(call, "continuation-token");
	const char *start = s3_query(call, "start-after");
	xml_str(out, "Name", bucket);
	write_name(l, out, "Prefix", span_of(l->prefix));
	if (*l->delimiter)
		write_name(l, out, "Delimiter", span_of(l->delimiter));
	xml_int(out, "MaxKeys", l->max);
	if (l->encoded)
		xml_str(out, "EncodingType", "url");
	if (l->v2)
		xml_int(out, "KeyCount", (int64_t)l->page.count);
	else
		write_name(l, out, "Marker", l->after);
	xml_str(out, "IsTruncated", l->page.truncated ? "true" : "false");
	if (l->v2 && token)
		xml_str(out, "ContinuationToken", token);
	if (l->v2 && start)
		write_name(l, out, "StartAfter", span_of(start));
	if (l->page.truncated && l->v2)
		xml_str(out, "NextContinuationToken", list_token(call->arena, last));
	else if (l->page.truncated)
		write_name(l, out, "NextMarker", last);
}

static void write_entries(const struct listing *l, struct buf *out)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *entry = &l->entries[i];
		if (entry->common)
			continue;
		xml_open(out, "Contents");
		write_name(l, out, "Key", span_of(entry->name));
		xml_time(out, "LastModified", entry->modified_us);
		buf_printf(out, "<ETag>\"%s\"</ETag>", entry->etag ? entry->etag : "");
		xml_int(out, "Size", entry->size);
		if (l->owner)
			buf_str(out, "<Owner><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Owner>");
		xml_str(out, "StorageClass", "STANDARD");
		xml_close(out, "Contents");
	}
	for (size_t i = 0; i < l->count; i++) {
		if (!l->entries[i].common)
			continue;
		xml_open(out, "CommonPrefixes");
		write_name(l, out, "Prefix", span_of(l->entries[i].name));
		xml_close(out, "CommonPrefixes");
	}
}

static bool list(struct s3_call *call, bool v2, struct err *err)
{
	struct listing *l = arena_new_of(call->arena, struct listing);
	l->call = call;
	l->v2 = v2;
	if (!read_request(l, err))
		return false;
	const struct list_query query = {span_of(l->prefix), span_of(l->delimiter), l->after, (size_t)l->max};
	const struct list_source source = {scan_keys, l};
	l->entries = arena_array(call->arena, struct entry, (size_t)l->max + 1);
	list_run(&query, &source, take_entry, l, &l->page);
	if (!hash_missing(l, err))
		return false;
	/* Without a namespace: a known client looks for bare names. */
	struct buf *out = s3_xml(call, "ListBucketResult");
	write_head(l, out, call->address.bucket);
	write_entries(l, out);
	xml_close(out, "ListBucketResult");
	return true;
}

bool s3_list_v1(struct s3_call *call, struct err *err)
{
	return list(call, false, err);
}

bool s3_list_v2(struct s3_call *call, struct err *err)
{
	return list(call, strcmp(s3_query(call, "list-type"), "2") == 0, err);
}
