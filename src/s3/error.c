#include "s3/door.h"

#include <stdio.h>

/* S3 codes whose status differs from that of the REST code in the table of errors. */
static const struct {
	const char *code;
	int status;
} statuses[] = {
	{"AccessDenied", 403},	 {"EntityTooLarge", 400}, {"InternalError", 500},
	{"InvalidRequest", 400}, {"RequestTimeout", 400},
};

/* What REFERENCE_COMPAT answers as JSON: access, unknown buckets, and the parameters of the service's own URLs. */
static bool is_reference_json(enum err_code code)
{
	switch (code) {
	case ERR_NOT_AUTHENTICATED:
	case ERR_FORBIDDEN:
	case ERR_SIGNATURE_MISMATCH:
	case ERR_ACCESS_KEY_UNKNOWN:
	case ERR_TIME_SKEWED:
	case ERR_URL_EXPIRED:
	case ERR_AUTH_HEADER_MALFORMED:
	case ERR_AUTH_QUERY_MALFORMED:
	case ERR_INVALID_EXPIRES:
	case ERR_PROJECT_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static bool compat(const struct http_request *req)
{
	const struct s3_door *door = req->ctx;
	return door->settings->reference_compat;
}

static int status_of(const struct http_request *req, const struct err *err, const struct err_row *row)
{
	if (compat(req) && err->code == ERR_NOT_AUTHENTICATED)
		return 401;
	if (compat(req) && (err->code == ERR_AUTH_HEADER_MALFORMED || err->code == ERR_AUTH_QUERY_MALFORMED))
		return 403;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (strcmp(statuses[i].code, row->s3) == 0)
			return statuses[i].status;
	return row->http;
}

/* POST /s3/{bucket}/presign; with a query it may be the upload of a key of that name. */
static bool is_presign(const struct http_request *req)
{
	struct s3_address address;
	struct err ignored = ERR_INIT;
	return req->method == HTTP_POST && req->query.len == 0 && span_ends(req->path, SPAN("/presign")) &&
	       s3_address_read(req->arena, req->path, &address, &ignored) && address.key &&
	       strcmp(address.key, "presign") == 0;
}

void s3_common_headers(struct http_request *req, struct http_response *res)
{
	http_add(res, "x-amz-request-id", req->call.request_id);
	if (http_header(req, "Origin"))
		http_add(res, "Access-Control-Expose-Headers",
			 "ETag, Content-Length, Content-Range, Last-Modified, x-amz-request-id");
}

/* For those who see no body: HEAD, and clients that know JSON errors by these. */
static void error_headers(struct http_response *res, const char *code, const char *message)
{
	http_add(res, "x-amz-error-code", code);
	http_add(res, "x-amz-error-message", message);
	http_add(res, "x-minio-error-code", code);
	http_add(res, "x-minio-error-desc", message);
}

static void xml_body(struct http_request *req, struct buf *out, const char *code, const char *message,
		     const char *extra)
{
	struct s3_address address;
	struct err ignored = ERR_INIT;
	buf_str(out, XML_DECLARATION);
	xml_open(out, "Error");
	xml_str(out, "Code", code);
	xml_str(out, "Message", message);
	if (s3_address_read(req->arena, req->path, &address, &ignored) && address.bucket) {
		xml_open(out, "Resource");
		buf_byte(out, '/');
		xml_escape(out, span_of(address.bucket));
		buf_str(out, address.key ? "/" : "");
		xml_escape(out, span_of(address.key));
		xml_close(out, "Resource");
	}
	if (extra)
		buf_str(out, extra);
	xml_str(out, "RequestId", req->call.request_id);
	xml_close(out, "Error");
}

/* Which condition failed, as clients show it. */
static const char *condition_of(const struct http_request *req, enum err_code code)
{
	if (code != ERR_PRECONDITION_FAILED)
		return NULL;
	return http_header(req, "If-None-Match") ? "<Condition>If-None-Match</Condition>"
	       : http_header(req, "If-Match")	 ? "<Condition>If-Match</Condition>"
						 : NULL;
}

static void json_body(struct http_response *res, int status, const char *code, const char *message)
{
	struct json *j = http_json(res, status);
	json_object(j, NULL);
	json_object(j, "detail");
	json_str(j, "Code", code);
	json_str(j, "Message", message);
	json_object_end(j);
	json_object_end(j);
}

void s3_error_render(struct http_request *req, struct http_response *res, const struct err *err)
{
	const struct err_row *row = err_row(err->code);
	const struct s3_door *door = req->ctx;
	int status = status_of(req, err, row);
	bool fault = row->fault != FAULT_NONE && !door->settings->debug;
	const char *message = fault ? "An internal error occurred" : err->message;
	if (err->code == ERR_VALIDATION && req->faults.count > 0) {
		http_error_render(req, res, err);
		return;
	}
	if (is_presign(req) || (compat(req) && is_reference_json(err->code)))
		json_body(res, status, row->s3, message);
	else
		xml_body(req, http_text(res, status, S3_XML), row->s3, message, condition_of(req, err->code));
	s3_common_headers(req, res);
	error_headers(res, row->s3, message);
}

bool s3_plain_error(struct s3_call *call, int status, const char *code, const char *message)
{
	xml_body(call->req, http_text(call->res, status, S3_XML), code, message, NULL);
	error_headers(call->res, code, message);
	return true;
}
