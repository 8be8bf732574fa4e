/* DeleteObject and DeleteObjects. */
#include "s3/body.h"
#include "storage/object.h"

enum { DELETE_MAX = 1000 };

bool s3_delete_object(struct s3_call *call, struct err *err)
{
	if (!object_delete_if(call->storage, call->arena, call->project_id, call->address.key,
			      s3_header(call, "If-Match"), err))
		return false;
	http_empty(call->res, 204);
	return true;
}

struct deletion {
	struct arena *arena;
	const char **keys;
	size_t count;
	const char *key; /* of the Object under way */
	bool quiet;
};

/* Of one Object. */
static bool visit_object(struct deletion *d, const struct xml_element *e, struct err *err)
{
	static const char *const conditions[] = {"ETag", "LastModifiedTime", "Size"};
	if (strcmp(e->name, "Key") == 0)
		d->key = arena_copy(d->arena, e->text);
	if (strcmp(e->name, "VersionId") == 0 && !s3_is_version(e->text))
		return err_set(err, ERR_VERSION_NOT_FOUND, "The specified version does not exist");
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (strcmp(e->name, conditions[i]) == 0)
			return err_set(err, ERR_UNIMPLEMENTED, "Conditions of a batch are not implemented");
	return true;
}

static bool visit(void *ctx, const struct xml_element *e, struct err *err)
{
	struct deletion *d = ctx;
	if (e->depth == 3 && strcmp(e->parent, "Object") == 0)
		return visit_object(d, e, err);
	if (e->depth == 2 && strcmp(e->name, "Quiet") == 0) {
		d->quiet = span_eq_nocase(span_trim(e->text), SPAN("true"));
	} else if (e->depth == 2 && strcmp(e->name, "Object") == 0) {
		if (!d->key || !*d->key || d->count == DELETE_MAX)
			return err_set(err, ERR_MALFORMED_XML, "Each Object needs a Key, and there may be %d at most",
				       DELETE_MAX);
		d->keys[d->count++] = d->key;
		d->key = NULL;
	}
	return true;
}

bool s3_delete_objects(struct s3_call *call, struct err *err)
{
	struct deletion d = {.arena = call->arena, .keys = arena_array(call->arena, const char *, DELETE_MAX)};
	struct buf body = BUF(XML_BYTES_MAX);
	bool fine = s3_body_text(call, XML_BYTES_MAX, &body, err) &&
		    xml_read(buf_view(&body), "Delete", visit, &d, err) &&
		    (d.count > 0 || err_set(err, ERR_MALFORMED_XML, "The body names no object"));
	buf_done(&body);
	if (!fine || !object_delete_many(call->storage, call->arena, call->project_id, d.keys, d.count, err))
		return false;
	struct buf *out = s3_xml(call, "DeleteResult" XML_NAMESPACE);
	for (size_t i = 0; i < d.count && !d.quiet; i++) {
		xml_open(out, "Deleted");
		xml_str(out, "Key", d.keys[i]);
		xml_close(out, "Deleted");
	}
	xml_close(out, "DeleteResult");
	return true;
}
