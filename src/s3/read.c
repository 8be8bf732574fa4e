/* GetObject and HeadObject. */
#include "metrics/metrics.h"
#include "s3/metadata.h"
#include "s3/write.h"
#include "storage/object_parts.h"

#include <unistd.h>

static bool find(struct s3_call *call, struct file_row *ret, struct err *err)
{
	return object_find(call->storage, call->arena, call->project_id, call->address.key, ret) ||
	       err_set(err, ERR_FILE_NOT_FOUND, "The specified key does not exist");
}

/* A 206 must carry no checksum of the whole: clients would check the part against it. */
static bool wants_checksum(const struct s3_call *call)
{
	const char *mode = s3_header(call, "x-amz-checksum-mode");
	return mode && strcasecmp(mode, "ENABLED") == 0 && !s3_header(call, "Range") && !s3_query(call, "partNumber");
}

/* partNumber=N: the bytes that came as that part; an object that was put whole is one part. */
static bool choose_part(struct s3_call *call, const struct file_row *row, struct http_file *file, struct err *err)
{
	struct object_part part;
	int number;
	if (!s3_query(call, "partNumber"))
		return true;
	if (!s3_part_number(call, &number, err))
		return false;
	if (s3_header(call, "Range"))
		return err_set(err, ERR_INVALID_REQUEST, "Range and partNumber cannot both be given");
	if (!object_part_find(row, number, &part))
		return err_set(err, ERR_RANGE_NOT_SATISFIABLE, "The object has no part %d", number);
	file->partly = true;
	file->part_first = (uint64_t)part.first;
	file->part_length = (uint64_t)part.length;
	if (part.count > 0)
		http_add(call->res, "x-amz-mp-parts-count", arena_printf(call->arena, "%lld", (long long)part.count));
	return true;
}

static void on_sent(void *ctx, uint64_t bytes, bool complete)
{
	struct s3_call *call = ctx;
	metric_add(call->door->counters.bytes_out, bytes);
	s3_count(call->door, call->op->metric, complete, call->start_ns);
}

static bool answer(struct s3_call *call, const struct file_row *row, int fd, struct err *err)
{
	struct http_file file = {
		.fd = fd,
		.size = (uint64_t)row->size_bytes,
		.type = s3_content_type(call, row),
		.type_as_is = true,
		.etag = arena_printf(call->arena, "\"%s\"", row->etag),
		.mtime_us = row->updated_at,
	};
	if (!choose_part(call, row, &file, err)) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	if (!http_file(call->req, call->res, &file, err))
		return false;
	s3_metadata_write(call, row, wants_checksum(call));
	return true;
}

bool s3_head_object(struct s3_call *call, struct err *err)
{
	struct file_row row;
	if (!find(call, &row, err))
		return false;
	if (!row.etag && (!http_defer(call->req) || !object_ensure_etag(call->storage, call->arena, &row, err)))
		return false;
	return answer(call, &row, -1, err);
}

bool s3_get_object(struct s3_call *call, struct err *err)
{
	struct file_row row;
	int fd;
	if (!find(call, &row, err))
		return false;
	/* Hashing a file that came or was changed otherwise takes a worker. */
	if (!object_open_now(call->storage, call->arena, &row, &fd) || !row.etag) {
		if (fd >= 0)
			(void)close(fd);
		if (!http_defer(call->req) || !object_ensure_etag(call->storage, call->arena, &row, err) ||
		    !object_open(call->storage, call->arena, &row, &fd, err))
			return false;
	}
	if (!answer(call, &row, fd, err))
		return false;
	http_on_sent(call->res, on_sent, call);
	return true;
}
