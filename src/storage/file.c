#include "storage/file.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"
#include "metrics/metrics.h"
#include "storage/job.h"
#include "storage/object.h"
#include "storage/place.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
	PIECE_BYTES = 256 * 1024,
	DIGESTS = BLOB_ETAG | CHECKSUM_BIT(CHECKSUM_SHA256),
	/* Larger files of our own are hashed after the answer. */
	DIGEST_AT_ONCE_BYTES = 16 * 1024 * 1024
};

/* ---- checks ---- */

static bool filename_ok(const char *name)
{
	struct span s = span_of(name);
	if (!fs_name_ok(s, LIMIT_FILENAME_BYTES) || !span_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < 0x20 || c == 0x7f || c == '\\')
			return false;
	}
	return true;
}

static bool filename_check(const char *name, struct err *err)
{
	if (filename_ok(name))
		return true;
	(void)err_set(
		err, ERR_INVALID_FILENAME,
		"A file name must have 1 to %d bytes of UTF-8 without slashes, backslashes and control characters",
		LIMIT_FILENAME_BYTES);
	err_detail(err, "filename", name);
	return false;
}

static bool upload_fault(struct err *err, enum err_code code, const char *upload_key, const char *message)
{
	(void)err_set(err, code, "%s", message);
	err_detail(err, "upload_key", upload_key);
	return false;
}

/* Run by the catalog's writer: the session may have been registered meanwhile, and its bytes are a file's then. */
static bool upload_as_seen(void *ctx, const struct upload *row, struct err *err)
{
	const struct upload *seen = ctx;
	const char *now = row && row->staged_path ? row->staged_path : "";
	return (row && strcmp(now, seen->staged_path ? seen->staged_path : "") == 0) ||
	       err_set(err, ERR_CONFLICT, "The upload session changed meanwhile");
}

static bool upload_forget(struct storage *storage, struct arena *arena, struct upload *upload, struct err *err)
{
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_verify_upload(t, KEY(upload->key), upload_as_seen, upload);
	catalog_remove_upload(t, KEY(upload->key));
	if (!catalog_commit(t, err))
		return false;
	if (upload->staged_path)
		blob_remove(storage->settings->files_dir, upload->staged_path);
	return true;
}

/* The session of that key, alive and of that project. */
static bool upload_find(struct storage *storage, struct arena *arena, const char *project_id, const char *upload_key,
			struct upload *ret, struct err *err)
{
	if (!place_project_live(storage, arena, project_id, err))
		return false;
	if (!catalog_get_upload(storage->catalog, arena, KEY(upload_key), ret))
		return upload_fault(err, ERR_UPLOAD_SESSION_NOT_FOUND, upload_key, "There is no such upload session");
	if (strcmp(ret->project_id, project_id) != 0) {
		(void)upload_fault(err, ERR_UPLOAD_SESSION_MISMATCH, upload_key,
				   "The upload session belongs to another project");
		err_detail(err, "project_id", project_id);
		return false;
	}
	if (ret->expires_at > clock_unix_us())
		return true;
	(void)!upload_forget(storage, arena, ret, err);
	return upload_fault(err, ERR_UPLOAD_SESSION_EXPIRED, upload_key, "The upload session has expired");
}

/* ---- prepare ---- */

static bool prepare_check(struct storage *storage, const struct call *call, const char *project_id,
			  const struct file_prepare *request, struct err *err)
{
	int64_t most = storage->settings->file_max_bytes;
	if (!place_project_live(storage, call->arena, project_id, err) || !filename_check(request->filename, err))
		return false;
	if (request->size_bytes > most) {
		(void)err_set(err, ERR_FILE_TOO_LARGE_ANNOUNCED, "A file has at most %lld bytes", (long long)most);
		err_detail_int(err, "max_size_bytes", most);
		err_detail_int(err, "requested_size_bytes", request->size_bytes);
		return false;
	}
	return object_quota_check(storage, project_id, request->size_bytes > 0 ? request->size_bytes : 0, err);
}

bool file_prepare(struct storage *storage, const struct call *call, const char *project_id,
		  const struct file_prepare *request, struct upload *ret, struct err *err)
{
	char key[ID_UUID_SIZE];
	if (!prepare_check(storage, call, project_id, request, err))
		return false;
	id_uuid(key);
	int64_t now = clock_unix_us();
	*ret = (struct upload){
		.key = arena_strdup(call->arena, key),
		.project_id = project_id,
		.filename = request->filename,
		.content_type = request->content_type,
		.tags_json = request->tags_json,
		.announced_bytes = request->size_bytes,
		.created_at = now,
		.expires_at = now + UPLOAD_HOURS * 3600 * US_PER_S,
	};
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_expect_project(t, KEY(project_id), ERR_PROJECT_NOT_FOUND);
	catalog_insert_upload(t, ret, ERR_CONFLICT);
	return catalog_commit(t, err);
}

/* ---- upload ---- */

static bool too_large(int64_t most, struct err *err)
{
	(void)err_set(err, ERR_FILE_TOO_LARGE, "A file has at most %lld bytes; what had arrived was removed",
		      (long long)most);
	err_detail_int(err, "max_size_bytes", most);
	return false;
}

static bool receive(struct blob *blob, const struct byte_source *source, int64_t most, struct err *err)
{
	char *piece = mem_alloc(PIECE_BYTES);
	size_t n = 1;
	bool fine = true;
	while (fine && n > 0) {
		fine = source->read(source->ctx, piece, PIECE_BYTES, &n, err);
		if (fine && blob->size + (int64_t)n > most)
			fine = too_large(most, err);
		fine = fine && (n == 0 || blob_write(blob, piece, n, err));
	}
	free(piece);
	return fine;
}

static bool size_matches(const struct upload *upload, int64_t size, struct err *err)
{
	if (upload->announced_bytes < 0 || upload->announced_bytes == size)
		return true;
	(void)err_set(err, ERR_SIZE_MISMATCH, "%lld bytes were announced and %lld arrived",
		      (long long)upload->announced_bytes, (long long)size);
	err_detail(err, "upload_key", upload->key);
	err_detail_int(err, "announced_size_bytes", upload->announced_bytes);
	err_detail_int(err, "received_size_bytes", size);
	return false;
}

/* The bytes now staged, and those they replaced. */
struct staged {
	struct upload now;
	char before[BLOB_CONTENT_SIZE];
};

static bool stage_row(void *ctx, struct upload *row, struct arena *arena)
{
	struct staged *s = ctx;
	if (row->staged_path && strlen(row->staged_path) < sizeof(s->before))
		memcpy(s->before, row->staged_path, strlen(row->staged_path) + 1);
	row->staged_path = arena_strdup(arena, s->now.staged_path);
	row->sha256 = arena_strdup(arena, s->now.sha256);
	row->etag = arena_strdup(arena, s->now.etag);
	row->staged_bytes = s->now.staged_bytes;
	row->uploaded_at = s->now.uploaded_at;
	return true;
}

static const char *hex_of(struct arena *arena, const struct blob *blob, enum checksum checksum)
{
	char *hex = arena_alloc(arena, 2 * CHECKSUM_BYTES_MAX + 1);
	blob_hex(&blob->values, checksum, hex);
	return hex;
}

static bool stage(struct storage *storage, const struct call *call, const struct upload *upload,
		  const struct blob *blob, struct upload *ret, struct err *err)
{
	struct staged staged = {.now = *upload};
	staged.now.staged_path = arena_strdup(call->arena, blob->content);
	staged.now.sha256 = hex_of(call->arena, blob, CHECKSUM_SHA256);
	staged.now.etag = hex_of(call->arena, blob, CHECKSUM_MD5);
	staged.now.staged_bytes = blob->size;
	staged.now.uploaded_at = clock_unix_us();
	struct catalog_txn *t = catalog_txn(storage->catalog, call->arena);
	catalog_change_upload(t, KEY(upload->key), stage_row, &staged, ERR_UPLOAD_SESSION_NOT_FOUND);
	if (!catalog_commit(t, err)) {
		if (err->code == ERR_UPLOAD_SESSION_NOT_FOUND)
			return upload_fault(err, ERR_UPLOAD_SESSION_NOT_FOUND, upload->key,
					    "The upload session ended while the file was sent");
		return false;
	}
	if (staged.before[0])
		blob_remove(storage->settings->files_dir, staged.before);
	*ret = staged.now;
	return true;
}

static bool upload(struct storage *storage, const struct call *call, const char *project_id, const char *upload_key,
		   const struct byte_source *source, struct upload *ret, struct err *err)
{
	struct upload row;
	struct blob blob;
	if (!upload_find(storage, call->arena, project_id, upload_key, &row, err))
		return false;
	bool fine = blob_begin(&blob, storage->settings->files_dir, DIGESTS, err) &&
		    receive(&blob, source, storage->settings->file_max_bytes, err) &&
		    size_matches(&row, blob.size, err) && blob_finish(&blob, err) &&
		    stage(storage, call, &row, &blob, ret, err);
	blob_end(&blob, fine);
	if (!fine && (err->code == ERR_IO || err->code == ERR_STORAGE_UNWRITABLE))
		err->code = ERR_UPLOAD_FAILED;
	return fine;
}

bool file_upload(struct storage *storage, const struct call *call, const char *project_id, const char *upload_key,
		 const struct byte_source *source, struct upload *ret, struct err *err)
{
	int64_t start = clock_ns();
	bool fine = upload(storage, call, project_id, upload_key, source, ret, err);
	/* A body without the part `file` was no upload. */
	if (!fine && err->code == ERR_VALIDATION)
		return false;
	metric_inc(metric_series(METRIC_FILES_UPLOADS_TOTAL, fine ? "success" : "error", NULL));
	if (fine) {
		metric_add(metric_series(METRIC_FILES_UPLOAD_BYTES_TOTAL, NULL), (uint64_t)ret->staged_bytes);
		metric_observe_since(metric_series(METRIC_FILES_UPLOAD_DURATION_SECONDS, NULL), start);
	}
	return fine;
}

/* ---- register ---- */

/* Members of `over` win; NULL when both are absent or empty. */
static const char *tags_merge(struct arena *arena, const char *under, const char *over)
{
	if (!under || !over)
		return under ? under : over;
	json_t *all = json_loads(under, 0, NULL);
	json_t *more = json_loads(over, 0, NULL);
	if (all && more)
		(void)json_object_update(all, more);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	const char *merged = text ? arena_strdup(arena, text) : over;
	free(text);
	json_decref(all);
	json_decref(more);
	return merged;
}

static const char *key_of_today(struct arena *arena, const char *id, const char *name)
{
	char day[16];
	(void)clock_format(clock_unix_us(), "%Y/%m/%d", day, sizeof(day));
	return arena_printf(arena, "%s/%s_%s", day, id, name);
}

/* The session must still hold the bytes that are being registered, and ends with the registration. */
struct session_end {
	const char *upload_key;
	const char *content;
};

static bool session_unchanged(void *ctx, const struct upload *row, struct err *err)
{
	const struct session_end *end = ctx;
	if (row && row->staged_path && strcmp(row->staged_path, end->content) == 0)
		return true;
	return upload_fault(err, row ? ERR_CONFLICT : ERR_UPLOAD_SESSION_NOT_FOUND, end->upload_key,
			    row ? "The file was uploaded again meanwhile" : "There is no such upload session");
}

static void session_end_with(void *ctx, struct catalog_txn *txn, const struct file_row *row)
{
	struct session_end *end = ctx;
	(void)row;
	catalog_verify_upload(txn, KEY(end->upload_key), session_unchanged, end);
	catalog_remove_upload(txn, KEY(end->upload_key));
}

static bool register_upload(struct op *op, const char *upload_key, const char *name, const char *tags_json,
			    struct file_row *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	struct upload row;
	struct stat st;
	if (!upload_find(storage, arena, op->target.project_id, upload_key, &row, err))
		return false;
	if (!row.staged_path)
		return upload_fault(err, ERR_FILE_NOT_UPLOADED, upload_key, "No file was uploaded yet");
	name = name ? name : row.filename;
	if (!filename_check(name, err))
		return false;
	if (stat(blob_path(arena, storage->settings->files_dir, row.staged_path), &st) != 0) {
		(void)!upload_forget(storage, arena, &row, err);
		return upload_fault(err, ERR_STAGED_FILE_NOT_FOUND, upload_key, "The uploaded bytes are gone");
	}
	char *id = arena_alloc(arena, ID_UUID_SIZE);
	id_uuid(id);
	struct session_end end = {.upload_key = upload_key, .content = row.staged_path};
	struct object_put put = {
		.project_id = op->target.project_id,
		.key = key_of_today(arena, id, name),
		.content = row.staged_path,
		.size_bytes = row.staged_bytes,
		.mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec,
		.etag = row.etag,
		.sha256 = row.sha256,
		.id = id,
		.name = name,
		.content_type = row.content_type,
		.tags_json = tags_merge(arena, row.tags_json, tags_json),
		.door = "rest",
		.also = session_end_with,
		.also_ctx = &end,
	};
	if (!object_put(storage, arena, &put, ret, err))
		return false;
	op->target.resource_id = ret->id;
	op->bytes_in = ret->size_bytes;
	return true;
}

bool file_register(struct storage *storage, const struct call *call, const char *project_id, const char *upload_key,
		   const char *name, const char *tags_json, struct file_row *ret, struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, OP_register_file,
		 (struct op_target){.project_id = project_id, .resource_id = upload_key});
	bool fine = register_upload(&op, upload_key, name, tags_json, ret, err);
	if (!fine && (err->code == ERR_IO || err->code == ERR_METADATA || err->code == ERR_STORAGE_UNWRITABLE))
		err->code = ERR_REGISTRATION_FAILED;
	return op_end(&op, fine, err);
}

/* ---- look ---- */

static int item_order(const void *a, const void *b)
{
	const struct file_row *x = &((const struct file_item *)a)->file;
	const struct file_row *y = &((const struct file_item *)b)->file;
	if (x->created_at != y->created_at)
		return x->created_at > y->created_at ? -1 : 1;
	return strcmp(x->id, y->id);
}

static struct file_item item_of_upload(struct arena *arena, const struct upload *u)
{
	return (struct file_item){
		.file = {.project_id = u->project_id,
			 .id = u->key,
			 .name = u->filename,
			 .path = arena_printf(arena, "staging/%s_%s", u->key, u->filename),
			 .content_type = u->content_type,
			 .sha256 = u->sha256,
			 .tags_json = u->tags_json,
			 .size_bytes = u->staged_bytes,
			 .created_at = u->created_at},
		.expires_at = u->expires_at,
	};
}

bool file_list(struct storage *storage, const struct call *call, const char *project_id, int64_t limit, int64_t offset,
	       bool include_staged, struct file_list *ret, struct err *err)
{
	struct catalog *catalog = storage->catalog;
	struct arena *arena = call->arena;
	struct file_row *rows;
	struct upload *uploads = NULL;
	size_t n;
	size_t upload_count = 0;
	if (!place_project_live(storage, arena, project_id, err))
		return false;
	/* With sessions between them the page cannot be cut by the index: all that stands before it is read. */
	struct catalog_page page = {.offset = include_staged ? 0 : (uint64_t)offset,
				    .limit = include_staged ? (size_t)offset + (size_t)limit : (size_t)limit};
	catalog_list_files_newest(catalog, arena, KEY(project_id), &page, &rows, &n);
	if (include_staged)
		catalog_list_uploads_newest(catalog, arena, KEY(project_id), NULL, &uploads, &upload_count);
	struct file_item *items = arena_array(arena, struct file_item, n + upload_count);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct file_item){.file = rows[i]};
	size_t staged = 0;
	for (size_t i = 0; i < upload_count; i++) {
		if (uploads[i].staged_path && uploads[i].expires_at > clock_unix_us())
			items[n + staged++] = item_of_upload(arena, &uploads[i]);
	}
	*ret = (struct file_list){.files = items,
				  .count = n,
				  .total = (size_t)catalog_count_files_newest(catalog, KEY(project_id)) + staged};
	if (!include_staged)
		return true;
	qsort(items, n + staged, sizeof(*items), item_order);
	size_t skip = (uint64_t)offset < n + staged ? (size_t)offset : n + staged;
	size_t left = n + staged - skip;
	ret->files = items + skip;
	ret->count = left < (size_t)limit ? left : (size_t)limit;
	return true;
}

bool file_get(struct storage *storage, const struct call *call, const char *project_id, const char *file_id,
	      struct file_row *ret, struct err *err)
{
	if (!place_project_live(storage, call->arena, project_id, err))
		return false;
	if (catalog_get_file_row(storage->catalog, call->arena, KEY(project_id, file_id), ret)) {
		/* Without a digest still; bytes that cannot be read are a matter of those who want them. */
		struct err ignored = ERR_INIT;
		(void)!object_ensure_etag(storage, call->arena, ret, &ignored);
		return true;
	}
	(void)err_set(err, ERR_FILE_NOT_FOUND, "File %s not found", file_id);
	err_detail(err, "project_id", project_id);
	err_detail(err, "file_id", file_id);
	return false;
}

bool file_open(struct storage *storage, const struct call *call, const char *project_id, const char *file_id,
	       struct file_row *ret, int *ret_fd, int64_t *ret_size, struct err *err)
{
	if (!file_get(storage, call, project_id, file_id, ret, err))
		return false;
	if (object_open(storage, call->arena, ret, ret_fd, err)) {
		*ret_size = ret->size_bytes;
		return true;
	}
	if (err->code == ERR_FILE_CONTENT_NOT_FOUND) {
		(void)err_set(err, ERR_FILE_CONTENT_NOT_FOUND, "The content of file %s is missing", file_id);
		err_detail(err, "file_id", file_id);
	}
	return false;
}

void file_download_done(struct storage *storage, int64_t bytes, bool complete)
{
	(void)storage;
	metric_inc(metric_series(METRIC_FILES_DOWNLOADS_TOTAL, complete ? "success" : "error", NULL));
	metric_add(metric_series(METRIC_FILES_DOWNLOAD_BYTES_TOTAL, NULL), (uint64_t)bytes);
}

/* ---- delete ---- */

bool file_delete(struct storage *storage, const struct call *call, const char *project_id, const char *file_id,
		 struct err *err)
{
	struct op op;
	struct file_row row;
	bool found = true;
	op_begin(&op, storage, call, OP_delete_file,
		 (struct op_target){.project_id = project_id, .resource_id = file_id});
	bool fine = file_get(storage, call, project_id, file_id, &row, err) &&
		    object_delete(storage, call->arena, project_id, row.object_key, &found, err);
	if (fine && !found) {
		/* Somebody else was quicker. */
		fine = err_set(err, ERR_FILE_NOT_FOUND, "File %s not found", file_id);
		err_detail(err, "project_id", project_id);
		err_detail(err, "file_id", file_id);
	}
	return op_end(&op, fine, err);
}

/* ---- finished files of our own ---- */

bool file_temporary(struct storage *storage, struct arena *arena, const char **ret_path, struct err *err)
{
	char hex[33];
	const char *folder = arena_printf(arena, "%s/_incoming", storage->settings->files_dir);
	id_hex(16, hex);
	*ret_path = arena_printf(arena, "%s/%s", folder, hex);
	return fs_mkdir(folder, err);
}

struct digest_task {
	struct storage *storage;
	struct arena *arena;
	struct file_row row;
};

static void digest_run(void *task)
{
	struct digest_task *t = task;
	struct err ignored = ERR_INIT;
	/* What fails here is done when somebody asks for the file. */
	(void)!object_ensure_etag(t->storage, t->arena, &t->row, &ignored);
	arena_free(t->arena);
}

static void digest_later(struct storage *storage, const struct file_row *row)
{
	struct err ignored = ERR_INIT;
	struct arena *arena = arena_new();
	struct digest_task *task = arena_new_of(arena, struct digest_task);
	*task = (struct digest_task){.storage = storage, .arena = arena};
	if (!catalog_get_file_row(storage->catalog, arena, KEY(row->project_id, row->id), &task->row) ||
	    !job_background(storage->jobs, row->project_id, digest_run, task, &ignored))
		arena_free(arena);
}

bool file_adopt(struct storage *storage, const struct call *call, const struct file_adopt *request,
		struct file_row *ret, struct err *err)
{
	struct arena *arena = call->arena;
	struct err ignored = ERR_INIT;
	struct blob blob;
	char *id = arena_alloc(arena, ID_UUID_SIZE);
	id_uuid(id);
	struct object_put put = {
		.project_id = request->project_id,
		.key = request->key ? request->key : key_of_today(arena, id, request->name),
		.id = id,
		.name = request->name,
		.content_type = request->content_type,
		.tags_json = request->tags_json,
		.door = request->door,
	};
	bool at_once = fs_size(request->temporary) <= DIGEST_AT_ONCE_BYTES;
	bool fine = blob_adopt(&blob, storage->settings->files_dir, request->temporary, at_once ? DIGESTS : 0, err);
	if (fine) {
		object_put_blob(&put, arena, &blob);
		fine = object_put(storage, arena, &put, ret, err);
	}
	blob_end(&blob, fine);
	if (!fine)
		(void)!fs_unlink(request->temporary, &ignored);
	else if (!at_once)
		digest_later(storage, ret);
	return fine;
}

/* ---- sweep ---- */

bool file_sweep(struct storage *storage, struct err *err)
{
	enum { AT_ONCE = 1000 };
	struct arena *arena = arena_new();
	struct upload *rows;
	size_t n;
	struct catalog_page page = {.limit = AT_ONCE};
	int64_t now = clock_unix_us();
	catalog_list_uploads_by_expiry(storage->catalog, arena, KEY_ALL, &page, &rows, &n);
	bool fine = true;
	for (size_t i = 0; fine && i < n && rows[i].expires_at <= now; i++)
		fine = upload_forget(storage, arena, &rows[i], err) || err->code == ERR_CONFLICT;
	arena_free(arena);
	return fine;
}
