#include "grpc/rpc.h"

#include <grpc/health/v1/health.pb-c.h>

#define HEALTH_DESC(name) grpc__health__v1__##name##__descriptor

enum serving { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN };

/* With the server's lock held; false: the call is over already. */
static bool stream_list(struct rpc *rpc)
{
	struct driver_server *server = rpc->server;
	if (rpc->over || rpc->listed)
		return !rpc->over;
	rpc->next = server->streams;
	if (rpc->next)
		rpc->next->previous = rpc;
	server->streams = rpc;
	rpc->listed = true;
	return true;
}

/* ---- health ---- */

static bool service_read(struct rpc *rpc, bool *ret_known, struct err *err)
{
	struct span bytes;
	ProtobufCMessage *message;
	if (!rpc_payload(rpc, &bytes, err) ||
	    !message_decode(rpc->arena, &HEALTH_DESC(health_check_request), bytes, &message, err))
		return false;
	const char *service = ((Grpc__Health__V1__HealthCheckRequest *)message)->service;
	*ret_known = !*service || strcmp(service, "keboola.storageDriver.service.StorageDriverService") == 0;
	return true;
}

static enum serving state_of(const struct driver_server *server)
{
	return atomic_load(&server->stopping) ? NOT_SERVING : SERVING;
}

/* HealthCheckResponse with that status: field 1, varint. */
static struct span state_encode(enum serving state, char bytes[2])
{
	bytes[0] = 0x08;
	bytes[1] = (char)state;
	return (struct span){bytes, state == UNKNOWN ? 0 : 2};
}

static void refuse(struct rpc *rpc, const struct err *err)
{
	rpc_finish(rpc, NULL, err_row(err->code)->grpc, err->message);
}

void health_check_received(struct rpc *rpc, bool ok)
{
	struct err err = ERR_INIT;
	bool known;
	char bytes[2];
	if (!ok || !rpc->payload)
		(void)err_set(&err, ERR_INVALID_ARGUMENT, "The request has no message");
	else if (service_read(rpc, &known, &err) && !known)
		(void)err_set(&err, ERR_NOT_FOUND, "Unknown service");
	if (err.code != ERR_NONE) {
		refuse(rpc, &err);
		return;
	}
	struct span answer = state_encode(state_of(rpc->server), bytes);
	rpc_finish(rpc, &answer, GRPC_OK, NULL);
}

static void watch_sent(struct rpc *rpc, bool ok);

/* Tells the state unless the watcher has it already. With the server's lock held. */
static void watch_tell(struct rpc *rpc)
{
	char bytes[2];
	enum serving state = rpc->watch == WATCH_UNKNOWN ? SERVICE_UNKNOWN : state_of(rpc->server);
	if (rpc->sending || (int)state == rpc->sent_status)
		return;
	rpc->sending = true;
	rpc->sent_status = (int)state;
	rpc_send(rpc, state_encode(state, bytes), watch_sent);
}

/* A watcher rests until there is news; the reference of its flow goes when its call is over. */
static void watch_sent(struct rpc *rpc, bool ok)
{
	struct driver_server *server = rpc->server;
	(void)ok;
	pthread_mutex_lock(&server->lock);
	rpc->sending = false;
	bool over = rpc->over;
	bool last = !over && rpc->watch == WATCH_SERVER && rpc->sent_status == NOT_SERVING;
	if (!over && !last)
		watch_tell(rpc);
	pthread_mutex_unlock(&server->lock);
	if (last)
		(void)grpc_call_cancel_with_status(rpc->call, GRPC_STATUS_UNAVAILABLE, "The server is shutting down",
						   NULL);
	if (over)
		rpc_unref(rpc);
}

void health_watch_received(struct rpc *rpc, bool ok)
{
	struct err err = ERR_INIT;
	bool known;
	if (!ok || !rpc->payload)
		(void)err_set(&err, ERR_INVALID_ARGUMENT, "The request has no message");
	if (err.code != ERR_NONE || !service_read(rpc, &known, &err)) {
		refuse(rpc, &err);
		return;
	}
	pthread_mutex_lock(&rpc->server->lock);
	bool open = stream_list(rpc);
	if (open) {
		rpc->watch = known ? WATCH_SERVER : WATCH_UNKNOWN;
		watch_tell(rpc);
	}
	pthread_mutex_unlock(&rpc->server->lock);
	if (!open)
		rpc_unref(rpc);
}

/* ---- reflection ---- */

static void reflection_sent(struct rpc *rpc, bool ok)
{
	if (ok)
		rpc_receive(rpc);
	else
		rpc_unref(rpc);
}

void reflection_received(struct rpc *rpc, bool ok)
{
	struct err err = ERR_INIT;
	struct span question;
	struct span answer;
	pthread_mutex_lock(&rpc->server->lock);
	(void)stream_list(rpc);
	pthread_mutex_unlock(&rpc->server->lock);
	if (!ok || !rpc->payload) {
		rpc_finish(rpc, NULL, GRPC_OK, NULL);
		return;
	}
	arena_reset(rpc->arena);
	if (rpc_payload(rpc, &question, &err) &&
	    reflection_answer(rpc->server->reflection, rpc->arena, question, &answer, &err))
		rpc_send(rpc, answer, reflection_sent);
	else
		refuse(rpc, &err);
}

/* ---- all streams ---- */

void stream_unlist(struct rpc *rpc)
{
	struct driver_server *server = rpc->server;
	pthread_mutex_lock(&server->lock);
	bool was = rpc->listed;
	rpc->over = true;
	if (was) {
		if (rpc->previous)
			rpc->previous->next = rpc->next;
		else
			server->streams = rpc->next;
		if (rpc->next)
			rpc->next->previous = rpc->previous;
		rpc->listed = false;
	}
	bool resting = was && rpc->watch != WATCH_NONE && !rpc->sending;
	pthread_mutex_unlock(&server->lock);
	if (resting)
		rpc_unref(rpc);
}

void streams_end(struct driver_server *server)
{
	pthread_mutex_lock(&server->lock);
	for (struct rpc *rpc = server->streams; rpc; rpc = rpc->next) {
		if (rpc->watch == WATCH_SERVER)
			watch_tell(rpc);
		else
			(void)grpc_call_cancel_with_status(rpc->call, GRPC_STATUS_UNAVAILABLE,
							   "The server is shutting down", NULL);
	}
	pthread_mutex_unlock(&server->lock);
}
