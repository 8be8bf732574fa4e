#include "s3/door.h"

bool s3_call_open(struct s3_call *call, struct http_request *req, struct http_response *res, struct err *err)
{
	struct s3_door *door = req->ctx;
	struct span name, value;
	size_t n = 0;
	*call = (struct s3_call){.door = door, .storage = door->storage, .req = req, .res = res, .arena = req->arena};
	for (size_t i = 0; i < req->query.len; i++)
		n += req->query.ptr[i] == '&';
	if (req->query.len > 0) {
		call->query = arena_array(req->arena, struct s3_pair, n + 1);
		for (; http_query_at(req, call->query_count, &name, &value); call->query_count++)
			call->query[call->query_count] = (struct s3_pair){name, value};
	}
	return s3_address_read(req->arena, req->path, &call->address, err);
}

const char *s3_query(const struct s3_call *call, const char *name)
{
	for (size_t i = 0; i < call->query_count; i++)
		if (span_is(call->query[i].name, name))
			return call->query[i].value.ptr ? call->query[i].value.ptr : "";
	return NULL;
}

const char *s3_header(const struct s3_call *call, const char *name)
{
	return http_header(call->req, name);
}

bool s3_query_number(const struct s3_call *call, const char *name, int64_t fallback, int64_t max, int64_t *ret,
		     struct err *err)
{
	const char *text = s3_query(call, name);
	uint64_t value;
	*ret = fallback;
	if (!text || !*text)
		return true;
	if (!span_u64(span_of(text), &value))
		return err_set(err, ERR_INVALID_ARGUMENT, "%s must be a number of at least 0", name);
	*ret = value < (uint64_t)max ? (int64_t)value : max;
	return true;
}

const char *s3_base_url(const struct s3_call *call)
{
	const struct settings *settings = call->door->settings;
	const char *host = s3_header(call, "Host");
	const char *proto = s3_header(call, "X-Forwarded-Proto");
	if (settings->base_url)
		return settings->base_url;
	bool tls = settings->tls_cert || (proto && strcmp(proto, "https") == 0);
	return arena_printf(call->arena, "%s://%s", tls ? "https" : "http", host ? host : "localhost");
}

struct buf *s3_xml(struct s3_call *call, const char *root)
{
	struct buf *out = http_text(call->res, 200, S3_XML);
	buf_str(out, XML_DECLARATION);
	xml_open(out, root);
	return out;
}
