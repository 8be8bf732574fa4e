/*
 * CompleteMultipartUpload. A large one on a file system that has to copy takes its time, and clients hang up on silence:
 * then the answer begins at once with blanks between its parts, and a late failure is an Error element under 200.
 */
#include "s3/body.h"
#include "s3/write.h"
#include "storage/multipart.h"

enum { STEP_BYTES = 64 * 1024 * 1024 };
static const int64_t at_once_bytes = 256 * 1024 * 1024;

struct completion {
	struct s3_call *call;
	struct part_claim *parts;
	size_t count;
	struct part_claim part; /* under way */
	struct assembly assembly;
	bool counted;
	/* The answer that is made while the parts are copied */
	enum { TALK_HEAD, TALK_COPY, TALK_OVER } talk;
};

static bool take_part(struct completion *c, struct err *err)
{
	if (c->part.number < 1 || !c->part.etag)
		return err_set(err, ERR_MALFORMED_XML, "Each Part needs a PartNumber and an ETag");
	if (c->count == MULTIPART_PARTS_MAX)
		return err_set(err, ERR_MALFORMED_XML, "There may be %d parts at most", MULTIPART_PARTS_MAX);
	c->parts[c->count++] = c->part;
	c->part = (struct part_claim){0};
	return true;
}

static bool visit(void *ctx, const struct xml_element *e, struct err *err)
{
	static const char prefix[] = "Checksum";
	struct completion *c = ctx;
	struct span text = span_trim(e->text);
	enum checksum kind;
	uint64_t number;
	if (e->depth == 2 && strcmp(e->name, "Part") == 0)
		return take_part(c, err);
	if (e->depth != 3 || strcmp(e->parent, "Part") != 0)
		return true;
	if (strcmp(e->name, "PartNumber") == 0) {
		if (!span_u64(text, &number) || number > MULTIPART_PARTS_MAX)
			return err_set(err, ERR_MALFORMED_XML, "A PartNumber is from 1 to %d", MULTIPART_PARTS_MAX);
		c->part.number = (int64_t)number;
	} else if (strcmp(e->name, "ETag") == 0) {
		if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
			text = (struct span){text.ptr + 1, text.len - 2};
		c->part.etag = arena_copy(c->call->arena, text);
	} else if (strncmp(e->name, prefix, strlen(prefix)) == 0 &&
		   checksum_find(span_of(e->name + strlen(prefix)), &kind) && kind != CHECKSUM_MD5) {
		c->part.checksums[kind] = arena_copy(c->call->arena, text);
	}
	return true;
}

static bool read_request(struct completion *c, struct complete_request *ret, struct err *err)
{
	struct s3_call *call = c->call;
	struct buf body = BUF(XML_BYTES_MAX);
	c->parts = arena_array(call->arena, struct part_claim, MULTIPART_PARTS_MAX);
	/* The checksum headers of this request speak of the object, not of its body. */
	bool fine = s3_body_text_unchecked(call, XML_BYTES_MAX, &body, err) &&
		    xml_read(buf_view(&body), "CompleteMultipartUpload", visit, c, err) &&
		    (c->count > 0 || err_set(err, ERR_MALFORMED_XML, "The body names no part"));
	buf_done(&body);
	*ret = (struct complete_request){.project_id = call->project_id,
					 .key = call->address.key,
					 .upload_id = s3_query(call, "uploadId"),
					 .parts = c->parts,
					 .part_count = c->count};
	for (enum checksum k = 0; k < CHECKSUM_MD5; k++)
		ret->checksums[k] = s3_header(call, arena_printf(call->arena, "x-amz-checksum-%s", checksum_name(k)));
	return fine && s3_condition_read(call, &ret->condition, err);
}

static void write_result(const struct completion *c, const struct file_row *row, struct buf *out)
{
	const struct s3_call *call = c->call;
	buf_str(out, "<CompleteMultipartUploadResult" XML_NAMESPACE ">");
	xml_open(out, "Location");
	xml_escape(out, span_of(s3_base_url(call)));
	xml_escape(out, call->req->path);
	xml_close(out, "Location");
	xml_str(out, "Bucket", call->address.bucket);
	xml_str(out, "Key", call->address.key);
	buf_printf(out, "<ETag>\"%s\"</ETag>", row->etag);
	xml_close(out, "CompleteMultipartUploadResult");
}

/* ---- the long answer ---------------------------------------------------------------------------------------------- */

static void write_failure(const struct completion *c, const struct err *err, struct buf *out)
{
	const struct err_row *row = err_row(err->code);
	xml_open(out, "Error");
	xml_str(out, "Code", row->s3);
	xml_str(out, "Message", row->fault == FAULT_NONE ? err->message : "An internal error occurred");
	xml_str(out, "RequestId", c->call->req->call.request_id);
	xml_close(out, "Error");
}

static void count(struct completion *c, bool fine)
{
	if (!c->counted)
		s3_count(c->call->door, c->call->op->metric, fine, c->call->start_ns);
	c->counted = true;
}

static size_t write_end(struct completion *c, struct err *err, bool fine, char *bytes, size_t size)
{
	struct file_row row;
	struct buf out = BUF(size);
	fine = fine && assembly_commit(&c->assembly, &row, err);
	assembly_end(&c->assembly);
	count(c, fine);
	if (fine)
		write_result(c, &row, &out);
	else
		write_failure(c, err, &out);
	size_t n = out.failed ? 0 : out.len;
	memcpy(bytes, out.ptr ? out.ptr : "", n);
	buf_done(&out);
	return n;
}

static bool produce(void *ctx, char *bytes, size_t size, size_t *ret_n)
{
	struct completion *c = ctx;
	struct err err = ERR_INIT;
	*ret_n = 0;
	if (c->talk == TALK_HEAD) {
		memcpy(bytes, XML_DECLARATION, strlen(XML_DECLARATION));
		*ret_n = strlen(XML_DECLARATION);
		c->talk = TALK_COPY;
	} else if (c->talk == TALK_COPY) {
		bool fine = assembly_step(&c->assembly, STEP_BYTES, &err);
		if (fine && !assembly_ready(&c->assembly)) {
			bytes[0] = ' ';
			*ret_n = 1;
			return true;
		}
		*ret_n = write_end(c, &err, fine, bytes, size);
		c->talk = TALK_OVER;
	}
	return true;
}

/* The client may have left in the middle. */
static void on_sent(void *ctx, uint64_t bytes, bool complete)
{
	struct completion *c = ctx;
	(void)bytes;
	(void)complete;
	assembly_end(&c->assembly);
	count(c, false);
}

/* ---- the handler -------------------------------------------------------------------------------------------------- */

static bool finish(struct completion *c, struct err *err)
{
	struct file_row row;
	bool fine = assembly_step(&c->assembly, INT64_MAX, err) && assembly_commit(&c->assembly, &row, err);
	assembly_end(&c->assembly);
	count(c, fine);
	if (!fine)
		return false;
	struct buf *out = http_text(c->call->res, 200, S3_XML);
	buf_str(out, XML_DECLARATION);
	write_result(c, &row, out);
	return true;
}

bool s3_complete_multipart(struct s3_call *call, struct err *err)
{
	struct completion *c = arena_new_of(call->arena, struct completion);
	struct complete_request request;
	c->call = call;
	if (!read_request(c, &request, err)) {
		count(c, false);
		return false;
	}
	bool fine = assembly_begin(&c->assembly, call->storage, call->arena, &request, err);
	if (fine && c->assembly.total > call->door->settings->file_max_bytes)
		fine = err_set(err, ERR_FILE_TOO_LARGE, "The object is larger than %lld bytes",
			       (long long)call->door->settings->file_max_bytes);
	if (!fine) {
		assembly_end(&c->assembly);
		count(c, false);
		return false;
	}
	if (assembly_ready(&c->assembly) || c->assembly.total <= at_once_bytes)
		return finish(c, err);
	http_stream(call->res, 200, S3_XML, -1, produce, c);
	http_on_sent(call->res, on_sent, c);
	return true;
}
