#include "grpc/rpc.h"

#include "engine/session.h"

#include "metrics/metrics.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>
#include <zlib.h>

/* A batch that the C core refuses is a fault of this program: its event would never come. */
static void start(struct rpc *rpc, const grpc_op *ops, size_t n, struct rpc_tag *tag)
{
	/* Read before the tag is handed over: its event may end the call at any time from then on. */
	grpc_call *call = rpc->call;
	atomic_store(&tag->handed, true);
	grpc_call_error error = grpc_call_start_batch(call, ops, n, tag, NULL);
	assert(error == GRPC_CALL_OK);
	(void)error;
}

static const char execute_path[] = "/keboola.storageDriver.service.StorageDriverService/Execute";

static const struct method methods[] = {
	{"/grpc.health.v1.Health/Check", health_check_received},
	{"/grpc.health.v1.Health/Watch", health_watch_received},
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", reflection_received},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", reflection_received},
};

/* ---- life ---- */

static void rpc_free(struct rpc *rpc)
{
	if (rpc->call)
		grpc_call_unref(rpc->call);
	if (rpc->payload)
		grpc_byte_buffer_destroy(rpc->payload);
	grpc_metadata_array_destroy(&rpc->metadata);
	grpc_call_details_destroy(&rpc->details);
	progress_free(rpc->progress);
	arena_free(rpc->arena);
	free(rpc);
}

void rpc_unref(struct rpc *rpc)
{
	struct driver_server *server = rpc->server;
	if (atomic_fetch_sub(&rpc->refs, 1) != 1)
		return;
	struct arena *spare = rpc->arena;
	rpc->arena = NULL;
	rpc_free(rpc);
	arena_reset(spare);
	pthread_mutex_lock(&server->lock);
	if (server->spare_count < SPARE_ARENAS) {
		server->spare[server->spare_count++] = spare;
		spare = NULL;
	}
	server->calls--;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	arena_free(spare);
}

/* The call is over on the wire: whatever still works for it may stop. */
static void closed(struct rpc *rpc, bool ok)
{
	(void)ok;
	if (rpc->cancelled) {
		atomic_store(&rpc->abandoned, true);
		if (rpc->progress)
			progress_cancel(rpc->progress);
	}
	stream_unlist(rpc);
	rpc_unref(rpc);
}

static const struct method *method_find(const struct rpc *rpc)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (grpc_slice_str_cmp(rpc->details.method, methods[i].path) == 0)
			return &methods[i];
	}
	return NULL;
}

static bool reflection_hidden(const struct rpc *rpc)
{
	return rpc->method->received == reflection_received && !rpc->server->reflection;
}

/* Counted as HTTP/2 counts a list of headers (RFC 9113, 6.5.2). */
bool rpc_metadata_fits(const struct rpc *rpc)
{
	enum { HEADER_OVERHEAD = 32 };
	size_t size = 0;
	for (size_t i = 0; i < rpc->metadata.count; i++) {
		const grpc_metadata *m = &rpc->metadata.metadata[i];
		size += GRPC_SLICE_LENGTH(m->key) + GRPC_SLICE_LENGTH(m->value) + HEADER_OVERHEAD;
	}
	return size <= LIMIT_GRPC_METADATA_BYTES;
}

void rpc_reject(const char *reason)
{
	metric_inc(metric_series(METRIC_REQUESTS_REJECTED_TOTAL, "grpc", reason, NULL));
}

/* The call exists from now on. */
static void count_in(struct rpc *rpc)
{
	struct driver_server *server = rpc->server;
	pthread_mutex_lock(&server->lock);
	server->calls++;
	if (server->spare_count)
		rpc->arena = server->spare[--server->spare_count];
	pthread_mutex_unlock(&server->lock);
	if (!rpc->arena)
		rpc->arena = arena_new();
	atomic_store(&rpc->refs, 1);
}

static grpc_op close_op(struct rpc *rpc)
{
	return (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &rpc->cancelled};
}

void rpc_watch_close(struct rpc *rpc)
{
	const grpc_op op = close_op(rpc);
	rpc->closing = true;
	atomic_fetch_add(&rpc->refs, 1);
	start(rpc, &op, 1, &rpc->closed);
}

/* A call of Execute comes with its message. */
static void requested_execute(struct rpc *rpc, bool ok)
{
	struct driver_server *server = rpc->server;
	if (!ok) {
		rpc_free(rpc);
		return;
	}
	count_in(rpc);
	rpc_request_execute(server);
	execute_started(rpc);
	execute_received(rpc, true);
}

static void requested(struct rpc *rpc, bool ok)
{
	struct driver_server *server = rpc->server;
	if (!ok) {
		rpc_free(rpc);
		return;
	}
	count_in(rpc);
	rpc_request(server);
	rpc->method = method_find(rpc);
	rpc_watch_close(rpc);
	if (!rpc_metadata_fits(rpc)) {
		rpc_reject("too_large");
		rpc_finish(rpc, NULL, GRPC_RESOURCE_EXHAUSTED, METADATA_TOO_LARGE);
	} else if (rpc->method && !reflection_hidden(rpc)) {
		rpc_receive(rpc);
	} else {
		rpc_finish(rpc, NULL, GRPC_UNIMPLEMENTED, "Unknown service or method");
	}
}

static struct rpc *rpc_new(struct driver_server *server, void (*done)(struct rpc *rpc, bool ok))
{
	struct rpc *rpc = mem_alloc(sizeof(*rpc));
	rpc->server = server;
	rpc->requested = (struct rpc_tag){.rpc = rpc, .done = done};
	rpc->closed = (struct rpc_tag){.rpc = rpc, .done = closed};
	grpc_metadata_array_init(&rpc->metadata);
	grpc_call_details_init(&rpc->details);
	atomic_store(&rpc->requested.handed, true);
	return rpc;
}

void rpc_register(struct driver_server *server)
{
	server->execute = grpc_server_register_method(server->server, execute_path, NULL,
						      GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
}

void rpc_request_execute(struct driver_server *server)
{
	if (atomic_load(&server->stopping))
		return;
	struct rpc *rpc = rpc_new(server, requested_execute);
	if (grpc_server_request_registered_call(server->server, server->execute, &rpc->call, &rpc->deadline,
						&rpc->metadata, &rpc->payload, server->cq, server->cq,
						&rpc->requested) != GRPC_CALL_OK)
		rpc_free(rpc);
}

void rpc_request(struct driver_server *server)
{
	if (atomic_load(&server->stopping))
		return;
	struct rpc *rpc = rpc_new(server, requested);
	if (grpc_server_request_call(server->server, &rpc->call, &rpc->details, &rpc->metadata, server->cq, server->cq,
				     &rpc->requested) != GRPC_CALL_OK)
		rpc_free(rpc);
}

struct span rpc_metadata(const struct rpc *rpc, const char *key)
{
	for (size_t i = 0; i < rpc->metadata.count; i++) {
		const grpc_metadata *m = &rpc->metadata.metadata[i];
		if (grpc_slice_str_cmp(m->key, key) == 0)
			return (struct span){(const char *)GRPC_SLICE_START_PTR(m->value), GRPC_SLICE_LENGTH(m->value)};
	}
	return SPAN_NONE;
}

/* ---- messages of the client ---- */

void rpc_receive(struct rpc *rpc)
{
	if (rpc->payload)
		grpc_byte_buffer_destroy(rpc->payload);
	rpc->payload = NULL;
	rpc->received = (struct rpc_tag){.rpc = rpc, .done = rpc->method->received};
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->payload};
	start(rpc, &op, 1, &rpc->received);
}

static bool too_large(size_t max, struct err *err)
{
	return err_set(err, ERR_PAYLOAD_TOO_LARGE, "Received message larger than max (%zu bytes)", max);
}

static struct span gather(struct rpc *rpc)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;
	size_t size = grpc_byte_buffer_length(rpc->payload);
	char *bytes = arena_alloc(rpc->arena, size + 1);
	size_t at = 0;
	if (!grpc_byte_buffer_reader_init(&reader, rpc->payload))
		return SPAN_NONE;
	while (grpc_byte_buffer_reader_next(&reader, &slice)) {
		memcpy(bytes + at, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
		at += GRPC_SLICE_LENGTH(slice);
		grpc_slice_unref(slice);
	}
	grpc_byte_buffer_reader_destroy(&reader);
	return (struct span){bytes, at};
}

/*
 * The C core would inflate whatever a message grows to before it looks at its size; so it hands the compressed bytes over,
 * and here they grow to the limit at most.
 */
static bool inflate_bounded(struct rpc *rpc, struct span packed, struct span *ret, struct err *err)
{
	enum { GZIP_WINDOW = 15 + 16 };
	size_t max = rpc->server->request_max;
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr, .avail_in = (uInt)packed.len};
	struct buf out = BUF(max + 1);
	int state = inflateInit2(&z, GZIP_WINDOW);
	bool fine = state == Z_OK;
	while (fine && state != Z_STREAM_END) {
		size_t step = max + 1 - out.len < 65536 ? max + 1 - out.len : 65536;
		char *room = step ? buf_reserve(&out, step) : NULL;
		if (!room)
			break;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)step;
		state = inflate(&z, Z_NO_FLUSH);
		buf_commit(&out, step - z.avail_out);
		fine = state == Z_STREAM_END || (state == Z_OK && (z.avail_in || !z.avail_out));
	}
	(void)inflateEnd(&z);
	if (out.len > max)
		fine = too_large(max, err);
	else if (!fine)
		(void)err_set(err, ERR_INVALID_REQUEST, "The message is not valid gzip");
	else
		*ret = arena_span(rpc->arena, buf_view(&out));
	buf_done(&out);
	return fine;
}

bool rpc_payload(struct rpc *rpc, struct span *ret, struct err *err)
{
	size_t max = rpc->server->request_max;
	if (grpc_byte_buffer_length(rpc->payload) > max)
		return too_large(max, err);
	struct span bytes = gather(rpc);
	if (rpc->payload->data.raw.compression == GRPC_COMPRESS_NONE) {
		*ret = bytes;
		return true;
	}
	return inflate_bounded(rpc, bytes, ret, err);
}

/* ---- messages of ours ---- */

static grpc_byte_buffer *buffer_of(struct span message)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(message.ptr, message.len);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

static void begin(struct rpc *rpc, grpc_op *ops, size_t *n)
{
	if (!rpc->began)
		ops[(*n)++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
	rpc->began = true;
}

void rpc_send(struct rpc *rpc, struct span message, void (*sent)(struct rpc *rpc, bool ok))
{
	grpc_op ops[2];
	size_t n = 0;
	grpc_byte_buffer *buffer = buffer_of(message);
	begin(rpc, ops, &n);
	ops[n++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
	rpc->sent = (struct rpc_tag){.rpc = rpc, .done = sent};
	start(rpc, ops, n, &rpc->sent);
	grpc_byte_buffer_destroy(buffer);
}

static void finished(struct rpc *rpc, bool ok)
{
	(void)ok;
	rpc_unref(rpc);
}

void rpc_finish(struct rpc *rpc, const struct span *message, enum err_grpc status, const char *text)
{
	grpc_op ops[4];
	size_t n = 0;
	grpc_byte_buffer *buffer = message ? buffer_of(*message) : NULL;
	grpc_slice details = grpc_slice_from_copied_string(text ? text : "");
	begin(rpc, ops, &n);
	if (buffer)
		ops[n++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
	ops[n++] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
			     .data.send_status_from_server = {.status = (grpc_status_code)status,
							      .status_details = text ? &details : NULL}};
	if (!rpc->closing)
		ops[n++] = close_op(rpc);
	rpc->sent = (struct rpc_tag){.rpc = rpc, .done = finished};
	start(rpc, ops, n, &rpc->sent);
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(details);
}
