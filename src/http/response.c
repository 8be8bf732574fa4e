#include "http/response.h"

#include "http/range.h"
#include "http/target.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"

#include <inttypes.h>
#include <unistd.h>

void response_init(struct http_response *res, struct arena *arena)
{
	struct buf body = res->body;
	*res = (struct http_response){.arena = arena, .fd = -1, .body = body};
	res->body.max = LIMIT_RESPONSE_BYTES;
	res->body.failed = false;
}

static void content_drop(struct http_response *res)
{
	if (res->fd >= 0)
		(void)close(res->fd);
	res->fd = -1;
	if (res->body.cap > LIMIT_HTTP_KEPT_BYTES)
		buf_done(&res->body);
	else
		buf_reset(&res->body);
	res->body.failed = false;
}

void response_reset(struct http_response *res)
{
	content_drop(res);
	res->kind = RESPONSE_UNSET;
	res->type = NULL;
	res->secret = false;
	res->bytes = SPAN_NONE;
	res->made = false;
	res->header_count = 0;
}

void response_done(struct http_response *res)
{
	content_drop(res);
	buf_done(&res->body);
}

void response_seal(struct http_response *res)
{
	if (res->kind != RESPONSE_BYTES)
		return;
	if (res->made)
		res->bytes = buf_view(&res->body);
	res->length = res->bytes.len;
}

bool response_finish(struct http_response *res, struct err *err)
{
	if (res->kind == RESPONSE_UNSET)
		return err_set(err, ERR_INTERNAL, "The handler gave no answer");
	if (res->made && res->body.failed)
		return err_set(err, ERR_INTERNAL, "The answer is larger than %d bytes", LIMIT_RESPONSE_BYTES);
	response_seal(res);
	return true;
}

static void begin(struct http_response *res, enum response_kind kind, int status, const char *type)
{
	content_drop(res);
	res->kind = kind;
	res->status = status;
	res->type = type;
	res->made = false;
	res->length = 0;
}

struct json *http_json(struct http_response *res, int status)
{
	begin(res, RESPONSE_BYTES, status, "application/json");
	res->made = true;
	res->json = JSON(&res->body);
	return &res->json;
}

void http_empty(struct http_response *res, int status)
{
	begin(res, RESPONSE_EMPTY, status, NULL);
}

struct buf *http_text(struct http_response *res, int status, const char *type)
{
	begin(res, RESPONSE_BYTES, status, type);
	res->made = true;
	return &res->body;
}

void http_bytes(struct http_response *res, int status, const char *type, struct span bytes)
{
	begin(res, RESPONSE_BYTES, status, type);
	res->bytes = bytes;
}

void http_length(struct http_response *res, uint64_t length)
{
	res->kind = RESPONSE_LENGTH;
	res->length = length;
}

char *response_value(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 32 || *c == 127)
			*c = ' ';
	}
	return copy;
}

void http_add(struct http_response *res, const char *name, const char *value)
{
	if (!value || res->header_count == RESPONSE_HEADERS_MAX)
		return;
	res->headers[res->header_count++] =
		(struct response_header){arena_strdup(res->arena, name), response_value(res->arena, value)};
}

void http_secret(struct http_response *res)
{
	res->secret = true;
}

void http_on_sent(struct http_response *res, void (*done)(void *ctx, uint64_t bytes, bool complete), void *ctx)
{
	res->on_sent = done;
	res->on_sent_ctx = ctx;
}

void http_stream(struct http_response *res, int status, const char *type, int64_t length, http_producer produce,
		 void *ctx)
{
	begin(res, RESPONSE_STREAM, status, type);
	res->length = length < 0 ? UINT64_MAX : (uint64_t)length;
	res->produce = produce;
	res->produce_ctx = ctx;
}

/* ---- documents and files ---- */

static enum condition condition_of(const struct http_request *req, const char *etag, int64_t mtime_s)
{
	const struct conditions conditions = {.if_match = http_header(req, "If-Match"),
					      .if_none_match = http_header(req, "If-None-Match"),
					      .if_modified_since = http_header(req, "If-Modified-Since"),
					      .if_unmodified_since = http_header(req, "If-Unmodified-Since")};
	return conditions_check(&conditions, etag, mtime_s);
}

void http_page(struct http_request *req, struct http_response *res, const struct http_page *page)
{
	const char *etag = page->etag;
	if (!etag) {
		char hex[SHA256_HEX_SIZE];
		hash_sha256_hex(page->bytes, hex);
		etag = arena_printf(req->arena, "\"%.32s\"", hex);
	}
	if (condition_of(req, etag, 0) == CONDITION_NOT_MODIFIED)
		http_empty(res, 304);
	else
		http_bytes(res, 200, page->type, page->bytes);
	http_add(res, "ETag", etag);
	http_add(res, "Cache-Control", "no-cache");
	http_add(res, "X-Content-Type-Options", "nosniff");
	if (span_starts(span_of(page->type), SPAN("text/html")))
		http_add(res, "Content-Security-Policy",
			 "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
			 "img-src 'self' data:");
}

/* RFC 6266 */
static void disposition_add(struct http_response *res, const char *filename)
{
	struct buf text = BUF(8192);
	struct buf encoded = BUF(4096);
	percent_encode(&encoded, span_of(filename), "");
	if (!encoded.failed && span_is(buf_view(&encoded), filename))
		buf_printf(&text, "attachment; filename=\"%s\"", filename);
	else
		buf_printf(&text, "attachment; filename*=utf-8''%s", encoded.failed ? "" : encoded.ptr);
	buf_done(&encoded);
	if (!text.failed)
		http_add(res, "Content-Disposition", text.ptr);
	buf_done(&text);
}

static const char *type_of(struct arena *arena, const char *type)
{
	if (!type)
		return "application/octet-stream";
	if (strncasecmp(type, "text/", 5) == 0 && !strcasestr(type, "charset="))
		return response_value(arena, arena_printf(arena, "%s; charset=utf-8", type));
	return response_value(arena, type);
}

static void validators_add(struct http_response *res, const struct http_file *file)
{
	char date[HTTP_DATE_SIZE];
	http_add(res, "ETag", file->etag);
	if (file->mtime_us) {
		http_date(file->mtime_us / US_PER_S, date);
		http_add(res, "Last-Modified", date);
	}
}

static bool file_refuse(struct http_response *res, int fd, struct err *err, enum err_code code, const char *why)
{
	if (fd >= 0)
		(void)close(fd);
	response_reset(res);
	return err_set(err, code, "%s", why);
}

bool http_file(struct http_request *req, struct http_response *res, const struct http_file *file, struct err *err)
{
	int64_t mtime_s = file->mtime_us / US_PER_S;
	struct byte_range range = {.first = 0, .length = file->size};
	enum range_kind kind = RANGE_WHOLE;
	const char *asked = http_header(req, "Range");
	enum condition condition = condition_of(req, file->etag, mtime_s);
	if (condition == CONDITION_FAILED)
		return file_refuse(res, file->fd, err, ERR_PRECONDITION_FAILED, "The file is not the one asked for");
	if (condition == CONDITION_NOT_MODIFIED) {
		if (file->fd >= 0)
			(void)close(file->fd);
		http_empty(res, 304);
		validators_add(res, file);
		return true;
	}
	if (file->partly) {
		range = (struct byte_range){file->part_first, file->part_length};
		kind = range.length > 0 ? RANGE_PART : RANGE_WHOLE;
	} else if (asked && range_applies(http_header(req, "If-Range"), file->etag, mtime_s))
		kind = range_parse(span_of(asked), file->size, &range);
	if (kind == RANGE_BEYOND) {
		res->unsatisfied = true;
		res->unsatisfied_size = file->size;
		return file_refuse(res, file->fd, err, ERR_RANGE_NOT_SATISFIABLE,
				   "The range asked for is outside of the file");
	}
	const char *type = file->type_as_is ? response_value(req->arena, file->type) : type_of(req->arena, file->type);
	begin(res, file->fd < 0 ? RESPONSE_LENGTH : RESPONSE_FILE, kind == RANGE_PART ? 206 : 200, type);
	res->fd = file->fd;
	res->offset = range.first;
	res->length = range.length;
	if (kind == RANGE_PART)
		http_add(res, "Content-Range",
			 arena_printf(req->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
				      range.first + range.length - 1, file->size));
	http_add(res, "Accept-Ranges", "bytes");
	validators_add(res, file);
	if (file->filename)
		disposition_add(res, file->filename);
	return true;
}
