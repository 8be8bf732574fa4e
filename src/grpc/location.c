#include "grpc/location.h"

#include <ctype.h>

enum { PROVIDER_S3, PROVIDER_ABS, PROVIDER_GCS, PROVIDER_HTTP };

typedef TABLE_MSG(ImportExportShared__S3Credentials) s3_msg;
typedef TABLE_MSG(ImportExportShared__GCSCredentials) gcs_msg;
typedef TABLE_MSG(ImportExportShared__FilePath) path_msg;

/* Parts joined with one '/', empty ones left out. */
static const char *join(struct arena *arena, const char *const *parts, size_t n)
{
	struct buf text = BUF(LIMIT_PATH_BYTES * 4);
	for (size_t i = 0; i < n; i++) {
		struct span part = span_of(parts[i]);
		while (text.len && part.len && *part.ptr == '/')
			part = span_skip(part, 1);
		if (!part.len)
			continue;
		if (text.len && text.ptr[text.len - 1] != '/')
			buf_byte(&text, '/');
		buf_span(&text, part);
	}
	const char *joined = text.failed ? "" : arena_copy(arena, buf_view(&text));
	buf_done(&text);
	return joined;
}

static bool climbs(const char *path)
{
	struct span rest = span_of(path);
	while (rest.len) {
		if (span_is(span_cut(&rest, '/'), ".."))
			return true;
	}
	return false;
}

/* An object of a project's file storage. */
static bool own_storage(struct driver_call *c, const char *project, const char *owner, const char *key,
			struct location *ret, struct err *err)
{
	if (strcmp(owner, project) != 0 && c->call->who.kind != WHO_ADMIN)
		return err_set(err, ERR_FORBIDDEN, "The file storage of project %s is not that of project %s", owner,
			       project);
	if (!*key)
		return err_set(err, ERR_INVALID_ARGUMENT, "filePath names no file");
	*ret = (struct location){.project_id = owner, .key = key};
	return true;
}

/* An absolute path: below the file storage of the command's project, nothing else of this machine is reached. */
static bool own_path(struct driver_call *c, const char *project, const char *path, struct location *ret,
		     struct err *err)
{
	const char *folder = arena_printf(c->arena, "%s/project_%s/", c->storage->settings->files_dir, project);
	if (!span_starts(span_of(path), span_of(folder)))
		return err_set(err, ERR_INVALID_ARGUMENT, "Local files must be in the file storage of project %s",
			       project);
	return own_storage(c, project, project, path + strlen(folder), ret, err);
}

/* RFC 3986 unreserved characters and '/' stay as they are. */
static const char *percent(struct arena *arena, const char *path)
{
	struct buf text = BUF(LIMIT_PATH_BYTES * 4);
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (isalnum(*p) || strchr("-._~/", *p))
			buf_byte(&text, (char)*p);
		else
			buf_printf(&text, "%%%02X", *p);
	}
	const char *made = text.failed ? "" : arena_copy(arena, buf_view(&text));
	buf_done(&text);
	return made;
}

static bool decode(struct driver_call *c, const any_msg *any, const ProtobufCMessageDescriptor *d, void *ret,
		   struct err *err)
{
	if (!any || !span_is(message_url_name(any->type_url), d->name))
		return err_set(err, ERR_INVALID_ARGUMENT, "fileCredentials must be %s", d->name);
	return message_decode(c->arena, d, (struct span){(const char *)any->value.data, any->value.len}, ret, err);
}

static bool s3_remote(struct driver_call *c, int provider, const path_msg *path, const char *key,
		      const any_msg *credentials, struct location *ret, struct err *err)
{
	struct remote *r = &ret->remote;
	const char *host;
	if (!*path->root || strpbrk(path->root, "/?#@:%"))
		return err_set(err, ERR_INVALID_ARGUMENT, "filePath.root must be the name of a bucket");
	if (provider == PROVIDER_S3) {
		s3_msg *from;
		if (!decode(c, credentials, &TABLE_DESC(import_export_shared__s3_credentials), &from, err))
			return false;
		r->access_key = from->key;
		r->secret_key = from->secret;
		r->token = from->token;
		r->region = *from->region ? from->region : "us-east-1";
		if (strspn(r->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(r->region))
			return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is no region", r->region);
		host = arena_printf(c->arena, "s3.%s.amazonaws.com", r->region);
	} else {
		gcs_msg *from;
		if (!decode(c, credentials, &TABLE_DESC(import_export_shared__gcscredentials), &from, err))
			return false;
		r->access_key = from->key;
		r->secret_key = from->secret;
		r->region = "auto";
		host = "storage.googleapis.com";
	}
	r->url = arena_printf(c->arena, "https://%s/%s/%s", host, path->root, percent(c->arena, key));
	return true;
}

bool location_find(struct driver_call *c, const char *project, int provider, const path_msg *path,
		   const any_msg *credentials, struct location *ret, struct err *err)
{
	*ret = (struct location){0};
	if (!path || (!*path->root && !*path->path && !*path->filename))
		return err_set(err, ERR_INVALID_ARGUMENT, "filePath is required");
	const char *const parts[] = {path->root, path->path, path->filename};
	const char *whole = join(c->arena, parts, 3);
	const char *key = join(c->arena, parts + 1, 2);
	bool signed_url = provider == PROVIDER_HTTP && strchr(path->root, '?');
	if (!signed_url && climbs(whole))
		return err_set(err, ERR_INVALID_ARGUMENT, "filePath must not contain '..'");
	if (strncmp(path->root, "project_", strlen("project_")) == 0)
		return own_storage(c, project, path->root + strlen("project_"), key, ret, err);
	switch (provider) {
	case PROVIDER_HTTP:
		if (*path->root == '/')
			return own_path(c, project, whole, ret, err);
		if (strncasecmp(path->root, "http://", 7) != 0 && strncasecmp(path->root, "https://", 8) != 0)
			return err_set(err, ERR_INVALID_ARGUMENT,
				       "filePath.root must be project_<id>, a path or an http(s) URL");
		ret->remote.url = signed_url ? path->root : whole;
		return true;
	case PROVIDER_S3:
	case PROVIDER_GCS:
		return s3_remote(c, provider, path, key, credentials, ret, err);
	default:
		return err_set(err, ERR_INVALID_ARGUMENT, "Unsupported file provider");
	}
}
