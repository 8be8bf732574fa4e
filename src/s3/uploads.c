/* Multipart uploads: create, abort, list parts, list uploads. */
#include "http/target.h"
#include "s3/metadata.h"
#include "storage/multipart.h"

enum { UPLOADS_MAX = 1000, PARTS_MAX = 1000 };

static const char *checksum_of(const struct s3_call *call)
{
	const char *name = s3_header(call, "x-amz-checksum-algorithm");
	enum checksum kind;
	return name && checksum_find(span_of(name), &kind) && kind != CHECKSUM_MD5 ? checksum_name(kind) : NULL;
}

bool s3_create_multipart(struct s3_call *call, struct err *err)
{
	struct s3_metadata metadata;
	struct multipart upload;
	if (!s3_metadata_read(call, &metadata, err))
		return false;
	const struct multipart_create request = {
		.project_id = call->project_id,
		.key = call->address.key,
		.content_type = metadata.content_type,
		.headers_json = metadata.headers_json,
		.user_metadata_json = metadata.user_json,
		.checksum_algorithm = checksum_of(call),
		.checksum_type = s3_header(call, "x-amz-checksum-type"),
	};
	if (!multipart_create(call->storage, call->arena, &request, &upload, err))
		return false;
	struct buf *out = s3_xml(call, "InitiateMultipartUploadResult" XML_NAMESPACE);
	xml_str(out, "Bucket", call->address.bucket);
	xml_str(out, "Key", call->address.key);
	xml_str(out, "UploadId", upload.id);
	xml_close(out, "InitiateMultipartUploadResult");
	return true;
}

bool s3_abort_multipart(struct s3_call *call, struct err *err)
{
	if (!multipart_abort(call->storage, call->arena, call->project_id, call->address.key,
			     s3_query(call, "uploadId"), err))
		return false;
	http_empty(call->res, 204);
	return true;
}

bool s3_list_parts(struct s3_call *call, struct err *err)
{
	struct multipart upload;
	struct multipart_part *parts;
	size_t n;
	int64_t max, marker;
	if (!s3_query_number(call, "max-parts", PARTS_MAX, PARTS_MAX, &max, err) ||
	    !s3_query_number(call, "part-number-marker", 0, INT64_MAX, &marker, err) ||
	    !multipart_find(call->storage, call->arena, call->project_id, call->address.key, s3_query(call, "uploadId"),
			    &upload, err))
		return false;
	const struct catalog_page page = {.after = KEY(upload.id, marker), .limit = (size_t)max + 1};
	catalog_list_multipart_parts(call->storage->catalog, call->arena, KEY(upload.id), &page, &parts, &n);
	size_t shown = n < (size_t)max ? n : (size_t)max;
	struct buf *out = s3_xml(call, "ListPartsResult" XML_NAMESPACE);
	xml_str(out, "Bucket", call->address.bucket);
	xml_str(out, "Key", call->address.key);
	xml_str(out, "UploadId", upload.id);
	buf_str(out, "<Initiator><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Initiator>"
		     "<Owner><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Owner>");
	xml_str(out, "StorageClass", "STANDARD");
	xml_int(out, "PartNumberMarker", marker);
	xml_int(out, "NextPartNumberMarker", shown > 0 ? parts[shown - 1].number : marker);
	xml_int(out, "MaxParts", max);
	xml_str(out, "IsTruncated", max > 0 && n > shown ? "true" : "false");
	for (size_t i = 0; i < shown; i++) {
		xml_open(out, "Part");
		xml_int(out, "PartNumber", parts[i].number);
		xml_time(out, "LastModified", parts[i].created_at);
		buf_printf(out, "<ETag>\"%s\"</ETag>", parts[i].etag);
		xml_int(out, "Size", parts[i].size_bytes);
		xml_close(out, "Part");
	}
	xml_close(out, "ListPartsResult");
	return true;
}

/* ---- all uploads of a bucket -------------------------------------------------------------------------------------- */

struct uploads {
	struct s3_call *call;
	const char *prefix;
	const char *delimiter;
	const char *key_marker;
	const char *id_marker;
	bool encoded;
	bool id_seen; /* within the key of the marker */
	int64_t max;
	struct multipart *list; /* those shown */
	size_t count;
	const char **prefixes;
	size_t prefix_count;
	bool truncated;
	const char *last_key;
	const char *last_id;
};

/* Is the upload before or at where the page starts? */
static bool passed(struct uploads *u, const struct multipart *row)
{
	int order = strcmp(row->object_key, u->key_marker);
	if (order != 0 || !*u->id_marker)
		return order <= 0 && *u->key_marker;
	if (u->id_seen)
		return false;
	u->id_seen = strcmp(row->id, u->id_marker) == 0;
	return true;
}

static const char *folded(const struct uploads *u, const char *key)
{
	size_t prefix = strlen(u->prefix);
	const char *at = *u->delimiter ? strstr(key + prefix, u->delimiter) : NULL;
	return at ? arena_copy(u->call->arena, (struct span){key, (size_t)(at - key) + strlen(u->delimiter)}) : NULL;
}

static bool see_upload(void *ctx, const struct multipart *row)
{
	struct uploads *u = ctx;
	struct arena *arena = u->call->arena;
	if (!span_starts(span_of(row->object_key), span_of(u->prefix)) || passed(u, row))
		return true;
	const char *common = folded(u, row->object_key);
	if (common && u->prefix_count > 0 && strcmp(u->prefixes[u->prefix_count - 1], common) == 0)
		return true;
	if (common && *u->key_marker && strcmp(common, u->key_marker) <= 0)
		return true;
	if ((int64_t)(u->count + u->prefix_count) == u->max) {
		u->truncated = u->max > 0;
		return false;
	}
	u->last_key = common ? common : arena_strdup(arena, row->object_key);
	u->last_id = common ? "" : arena_strdup(arena, row->id);
	if (common)
		u->prefixes[u->prefix_count++] = common;
	else
		u->list[u->count++] =
			(struct multipart){.id = u->last_id, .object_key = u->last_key, .created_at = row->created_at};
	return true;
}

static void write_name(const struct uploads *u, struct buf *out, const char *element, const char *name)
{
	xml_open(out, element);
	if (u->encoded)
		percent_encode(out, span_of(name), "/");
	else
		xml_escape(out, span_of(name));
	xml_close(out, element);
}

static void write_uploads(const struct uploads *u, struct buf *out)
{
	for (size_t i = 0; i < u->count; i++) {
		xml_open(out, "Upload");
		write_name(u, out, "Key", u->list[i].object_key);
		xml_str(out, "UploadId", u->list[i].id);
		buf_str(out, "<Initiator><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Initiator>"
			     "<Owner><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Owner>");
		xml_str(out, "StorageClass", "STANDARD");
		xml_time(out, "Initiated", u->list[i].created_at);
		xml_close(out, "Upload");
	}
	for (size_t i = 0; i < u->prefix_count; i++) {
		xml_open(out, "CommonPrefixes");
		write_name(u, out, "Prefix", u->prefixes[i]);
		xml_close(out, "CommonPrefixes");
	}
}

static const char *text_of(const struct s3_call *call, const char *name)
{
	const char *value = s3_query(call, name);
	return value ? value : "";
}

bool s3_list_multiparts(struct s3_call *call, struct err *err)
{
	struct uploads u = {.call = call,
			    .prefix = text_of(call, "prefix"),
			    .delimiter = text_of(call, "delimiter"),
			    .key_marker = text_of(call, "key-marker"),
			    .id_marker = text_of(call, "upload-id-marker"),
			    .encoded = strcmp(text_of(call, "encoding-type"), "url") == 0};
	if (!s3_query_number(call, "max-uploads", UPLOADS_MAX, UPLOADS_MAX, &u.max, err))
		return false;
	u.list = arena_array(call->arena, struct multipart, (size_t)u.max + 1);
	u.prefixes = arena_array(call->arena, const char *, (size_t)u.max + 1);
	catalog_visit_multiparts_of_project(call->storage->catalog, KEY(call->project_id, "open"), NULL, see_upload,
					    &u);
	struct buf *out = s3_xml(call, "ListMultipartUploadsResult" XML_NAMESPACE);
	xml_str(out, "Bucket", call->address.bucket);
	write_name(&u, out, "KeyMarker", u.key_marker);
	xml_str(out, "UploadIdMarker", u.id_marker);
	if (u.truncated) {
		write_name(&u, out, "NextKeyMarker", u.last_key);
		xml_str(out, "NextUploadIdMarker", u.last_id);
	}
	write_name(&u, out, "Prefix", u.prefix);
	if (*u.delimiter)
		write_name(&u, out, "Delimiter", u.delimiter);
	if (u.encoded)
		xml_str(out, "EncodingType", "url");
	xml_int(out, "MaxUploads", u.max);
	xml_str(out, "IsTruncated", u.truncated ? "true" : "false");
	write_uploads(&u, out);
	xml_close(out, "ListMultipartUploadsResult");
	return true;
}
