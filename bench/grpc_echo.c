/*
 * The C core alone, for comparison: answers every unary call with its own message, as many polling threads as the server
 * has. Prints its port and serves until it is killed.
 */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLLERS = 2, WAITING = 16 };

enum step { REQUESTED, RECEIVED, SENT };

struct echo {
	enum step step;
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *message;
	int cancelled;
};

static grpc_server *server;
static grpc_completion_queue *queue;

static void echo_wait(void)
{
	struct echo *e = calloc(1, sizeof(*e));
	grpc_call_details_init(&e->details);
	grpc_metadata_array_init(&e->metadata);
	(void)grpc_server_request_call(server, &e->call, &e->details, &e->metadata, queue, queue, e);
}

static void echo_receive(struct echo *e)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &e->message};
	e->step = RECEIVED;
	(void)grpc_call_start_batch(e->call, &op, 1, e, NULL);
}

static void echo_answer(struct echo *e)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &e->cancelled},
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER, .data.send_status_from_server.status = GRPC_STATUS_OK},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = e->message},
	};
	e->step = SENT;
	(void)grpc_call_start_batch(e->call, ops, e->message ? 4 : 3, e, NULL);
}

static void echo_free(struct echo *e)
{
	if (e->message)
		grpc_byte_buffer_destroy(e->message);
	grpc_call_unref(e->call);
	grpc_call_details_destroy(&e->details);
	grpc_metadata_array_destroy(&e->metadata);
	free(e);
}

static void *poll(void *ctx)
{
	(void)ctx;
	for (;;) {
		grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		struct echo *e = event.tag;
		if (event.type != GRPC_OP_COMPLETE)
			return NULL;
		if (e->step == REQUESTED) {
			echo_wait();
			echo_receive(e);
		} else if (e->step == RECEIVED) {
			echo_answer(e);
		} else {
			echo_free(e);
		}
	}
}

int main(void)
{
	pthread_t threads[POLLERS];
	grpc_init();
	server = grpc_server_create(NULL, NULL);
	queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(server, queue, NULL);
	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	printf("%d\n", grpc_server_add_http2_port(server, "127.0.0.1:0", credentials));
	(void)fflush(stdout);
	grpc_server_start(server);
	for (size_t i = 0; i < WAITING; i++)
		echo_wait();
	for (size_t i = 0; i < POLLERS; i++)
		(void)pthread_create(&threads[i], NULL, poll, NULL);
	for (size_t i = 0; i < POLLERS; i++)
		(void)pthread_join(threads[i], NULL);
	return 0;
}
