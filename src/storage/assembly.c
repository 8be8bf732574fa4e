/* Completing a multipart upload. */
#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "storage/multipart.h"
#include "storage/object_core.h"
#include "storage/object_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A stored checksum of a part or object; false: none of that kind. */
static bool stored_checksum(const char *json, enum checksum checksum, unsigned char *ret)
{
	json_t *object = json ? json_loads(json, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(object, checksum_name(checksum)));
	size_t n = 0;
	bool fine = text && base64_read(span_of(text), ret, CHECKSUM_BYTES_MAX, &n) && n == checksum_size(checksum);
	json_decref(object);
	return fine;
}

static bool check_claims(const struct part_claim *claim, const struct multipart_part *part, struct err *err)
{
	for (enum checksum c = 0; c < CHECKSUM_MD5; c++) {
		unsigned char stored[CHECKSUM_BYTES_MAX];
		char text[BASE64_SIZE(CHECKSUM_BYTES_MAX)];
		if (!claim->checksums[c] || !stored_checksum(part->checksums_json, c, stored))
			continue;
		base64_write(stored, checksum_size(c), text);
		if (strcmp(text, claim->checksums[c]) != 0)
			return err_set(err, ERR_INVALID_PART, "The checksum of part %lld does not match",
				       (long long)claim->number);
	}
	return true;
}

/* The records of the parts that the request names. */
static bool find_parts(struct assembly *a, struct err *err)
{
	const struct complete_request *r = &a->request;
	a->parts = arena_array(a->arena, struct multipart_part, r->part_count);
	for (size_t i = 0; i < r->part_count; i++) {
		const struct part_claim *claim = &r->parts[i];
		struct multipart_part *part = &a->parts[i];
		if (i > 0 && claim->number <= r->parts[i - 1].number)
			return err_set(err, ERR_INVALID_PART_ORDER, "The parts are not in ascending order");
		if (!catalog_get_multipart_part(a->storage->catalog, a->arena, KEY(r->upload_id, claim->number),
						part) ||
		    strcmp(part->etag, claim->etag) != 0)
			return err_set(err, ERR_INVALID_PART, "Part %lld was not uploaded, or has another entity tag",
				       (long long)claim->number);
		if (!check_claims(claim, part, err))
			return false;
		a->total += part->size_bytes;
	}
	for (size_t i = 0; i + 1 < r->part_count; i++)
		if (a->parts[i].size_bytes < MULTIPART_PART_MIN)
			return err_set(err, ERR_PART_TOO_SMALL, "Part %lld is smaller than %d bytes",
				       (long long)a->parts[i].number, MULTIPART_PART_MIN);
	return true;
}

/* MD5 over the parts' MD5s, and their number. */
static const char *etag_of(const struct assembly *a)
{
	struct digests digests;
	struct digest_values values;
	char hex[2 * CHECKSUM_BYTES_MAX + 1];
	size_t n = a->request.part_count;
	digests_begin(&digests, BLOB_ETAG);
	for (size_t i = 0; i < n; i++) {
		unsigned char md5[16];
		if (hash_unhex(span_of(a->parts[i].etag), md5, sizeof(md5)))
			digests_update(&digests, md5, sizeof(md5));
	}
	digests_finish(&digests, &values);
	blob_hex(&values, CHECKSUM_MD5, hex);
	return arena_printf(a->arena, "%s-%zu", hex, n);
}

/* CRCs of parts combine to that of the whole. */
static bool full_checksum(const struct assembly *a, enum checksum checksum, unsigned char *ret)
{
	unsigned char part[CHECKSUM_BYTES_MAX];
	for (size_t i = 0; i < a->request.part_count; i++) {
		if (!stored_checksum(a->parts[i].checksums_json, checksum, part))
			return false;
		if (i == 0)
			memcpy(ret, part, checksum_size(checksum));
		else
			checksum_combine(checksum, ret, part, (uint64_t)a->parts[i].size_bytes, ret);
	}
	return true;
}

/* The checksum over the parts' checksums. */
static bool composite_checksum(const struct assembly *a, enum checksum checksum, unsigned char *ret)
{
	struct digests digests;
	struct digest_values values;
	unsigned char part[CHECKSUM_BYTES_MAX];
	bool fine = true;
	digests_begin(&digests, CHECKSUM_BIT(checksum));
	for (size_t i = 0; fine && i < a->request.part_count; i++) {
		fine = stored_checksum(a->parts[i].checksums_json, checksum, part);
		if (fine)
			digests_update(&digests, part, checksum_size(checksum));
	}
	digests_finish(&digests, &values);
	memcpy(ret, values.of[checksum], CHECKSUM_BYTES_MAX);
	return fine;
}

/* What the object's checksum is, if all parts have one of the upload's kind; checked against what the client says. */
static bool find_checksum(struct assembly *a, struct err *err)
{
	enum checksum kind;
	unsigned char value[CHECKSUM_BYTES_MAX];
	char text[BASE64_SIZE(CHECKSUM_BYTES_MAX)];
	const char *type = a->upload.checksum_type;
	if (!a->upload.checksum_algorithm || !checksum_find(span_of(a->upload.checksum_algorithm), &kind) ||
	    kind == CHECKSUM_MD5)
		return true;
	bool full = kind < CHECKSUM_CRCS && (type ? strcmp(type, "FULL_OBJECT") == 0 : kind == CHECKSUM_CRC64NVME);
	if (!(full ? full_checksum(a, kind, value) : composite_checksum(a, kind, value)))
		return true;
	base64_write(value, checksum_size(kind), text);
	const char *claimed = a->request.checksums[kind];
	if (full && claimed && strcmp(claimed, text) != 0)
		return err_set(err, ERR_BAD_DIGEST, "The %s checksum of the object does not match",
			       checksum_name(kind));
	if (full)
		a->checksums_json =
			arena_printf(a->arena, "{\"%s\":\"%s\",\"type\":\"FULL_OBJECT\"}", checksum_name(kind), text);
	else
		a->checksums_json = arena_printf(a->arena, "{\"%s\":\"%s-%zu\",\"type\":\"COMPOSITE\"}",
						 checksum_name(kind), text, a->request.part_count);
	return true;
}

bool assembly_begin(struct assembly *a, struct storage *storage, struct arena *arena,
		    const struct complete_request *request, struct err *err)
{
	*a = (struct assembly){.storage = storage, .arena = arena, .request = *request, .fd = -1};
	a->lock = span_of(arena_printf(arena, "upload %s", request->upload_id));
	key_lock(storage->objects->locks, a->lock);
	if (!catalog_get_multipart(storage->catalog, arena, KEY(request->upload_id), &a->upload) ||
	    strcmp(a->upload.project_id, request->project_id) != 0 || strcmp(a->upload.object_key, request->key) != 0)
		return err_set(err, ERR_MULTIPART_NOT_FOUND, "The specified upload does not exist");
	if (strcmp(a->upload.state, "open") != 0) {
		a->finished = true;
		return true;
	}
	if (!find_parts(a, err) || !find_checksum(a, err))
		return false;
	a->etag = etag_of(a);
	if (request->part_count == 1)
		return true;
	a->begun = true;
	return blob_begin(&a->blob, object_files_dir(storage), 0, err);
}

bool assembly_ready(const struct assembly *a)
{
	return a->finished || a->request.part_count == 1 || a->at == a->request.part_count;
}

static bool part_replaced(const struct multipart_part *part, struct err *err)
{
	return err_set(err, ERR_INVALID_PART, "Part %lld was replaced meanwhile", (long long)part->number);
}

static bool open_part(struct assembly *a, struct err *err)
{
	const struct multipart_part *part = &a->parts[a->at];
	if (a->fd >= 0)
		return true;
	a->fd = open(blob_path(a->arena, object_files_dir(a->storage), part->path), O_RDONLY | O_CLOEXEC);
	a->offset = 0;
	return a->fd >= 0 || part_replaced(part, err);
}

bool assembly_step(struct assembly *a, int64_t bytes_max, struct err *err)
{
	while (bytes_max > 0 && !assembly_ready(a)) {
		if (!open_part(a, err))
			return false;
		int64_t left = a->parts[a->at].size_bytes - a->offset;
		int64_t n = left < bytes_max ? left : bytes_max;
		if (!blob_append(&a->blob, a->fd, a->offset, n, err))
			return false;
		a->offset += n;
		bytes_max -= n > 0 ? n : 1;
		if (n == left) {
			(void)close(a->fd);
			a->fd = -1;
			a->at++;
		}
	}
	return true;
}

static bool take_single_part(struct assembly *a, struct object_put *put, struct err *err)
{
	struct stat st;
	put->content = a->parts[0].path;
	if (stat(blob_path(a->arena, object_files_dir(a->storage), put->content), &st) != 0)
		return errno == ENOENT ? part_replaced(&a->parts[0], err) : err_errno(err, errno, "Cannot find a part");
	put->size_bytes = st.st_size;
	put->mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	return true;
}

static bool become_finished(void *ctx, struct multipart *row, struct arena *arena)
{
	const struct assembly *a = ctx;
	row->state = "completed";
	row->completed_at = clock_unix_us();
	row->expires_at = row->completed_at + MULTIPART_REMEMBER_S * US_PER_S;
	row->result_json = arena_printf(arena, "{\"etag\":\"%s\"}", a->etag);
	return true;
}

/* Run by the catalog's writer: the bytes of a part that is sent again meanwhile go. */
static bool part_stands(void *ctx, const struct multipart_part *row, struct err *err)
{
	const struct multipart_part *part = ctx;
	return (row && strcmp(row->path, part->path) == 0) || part_replaced(part, err);
}

/* In the transaction that makes the object. */
static void end_upload(void *ctx, struct catalog_txn *t, const struct file_row *row)
{
	struct assembly *a = ctx;
	(void)row;
	if (!a->begun)
		catalog_verify_multipart_part(t, KEY(a->upload.id, a->parts[0].number), part_stands, &a->parts[0]);
	catalog_remove_all_multipart_parts(t, KEY(a->upload.id));
	catalog_change_multipart(t, KEY(a->upload.id), become_finished, a, ERR_MULTIPART_NOT_FOUND);
}

static bool former_result(const struct assembly *a, struct file_row *ret, struct err *err)
{
	json_t *object = json_loads(a->upload.result_json ? a->upload.result_json : "", 0, NULL);
	const char *etag = json_string_value(json_object_get(object, "etag"));
	*ret = (struct file_row){.project_id = a->upload.project_id,
				 .object_key = a->upload.object_key,
				 .etag = etag ? arena_strdup(a->arena, etag) : NULL};
	json_decref(object);
	return ret->etag || err_set(err, ERR_MULTIPART_NOT_FOUND, "The specified upload does not exist");
}

bool assembly_commit(struct assembly *a, struct file_row *ret, struct err *err)
{
	struct multipart_part *all;
	size_t n;
	struct object_put put = {
		.project_id = a->upload.project_id,
		.key = a->upload.object_key,
		.content_type = a->upload.content_type,
		.headers_json = a->upload.headers_json,
		.user_metadata_json = a->upload.user_metadata_json,
		.door = "s3",
		.condition = a->request.condition,
		.also = end_upload,
		.also_ctx = a,
	};
	if (a->finished)
		return former_result(a, ret, err);
	if (a->begun ? !blob_finish(&a->blob, err) : !take_single_part(a, &put, err))
		return false;
	if (a->begun)
		object_put_blob(&put, a->arena, &a->blob);
	put.etag = a->etag;
	put.checksums_json = object_parts_add(a->arena, a->checksums_json, a->parts, a->request.part_count);
	catalog_list_multipart_parts(a->storage->catalog, a->arena, KEY(a->upload.id), NULL, &all, &n);
	if (!object_put(a->storage, a->arena, &put, ret, err))
		return false;
	a->kept = true;
	for (size_t i = 0; i < n; i++)
		if (a->begun || strcmp(all[i].path, a->parts[0].path) != 0)
			blob_remove(object_files_dir(a->storage), all[i].path);
	return true;
}

void assembly_end(struct assembly *a)
{
	if (a->fd >= 0)
		(void)close(a->fd);
	if (a->begun)
		blob_end(&a->blob, a->kept);
	if (a->lock.ptr)
		key_unlock(a->storage->objects->locks, a->lock);
	a->lock = SPAN_NONE;
}
