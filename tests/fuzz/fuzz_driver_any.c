/*
 * A request's bytes up to its command: the envelope, the type URL, the payload by the descriptor that the URL names. What
 * decodes can be encoded, and then decodes to the same bytes again.
 */
#include "grpc/command.h"
#include "grpc/protocol.h"

#include <assert.h>

enum { ENCODED_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool encoded(struct arena *arena, const ProtobufCMessage *message, struct span *ret)
{
	struct err err = ERR_INIT;
	return message_encode(arena, message, ENCODED_MAX, ret, &err);
}

/* Encoding is a fixed point after one round: the bytes say what the message says. */
static void round_trip(struct arena *arena, const ProtobufCMessage *message)
{
	struct err err = ERR_INIT;
	struct span first, second;
	ProtobufCMessage *again;
	if (!encoded(arena, message, &first))
		return;
	bool decoded = message_decode(arena, message->descriptor, first, &again, &err);
	assert(decoded);
	bool fine = encoded(arena, again, &second);
	assert(fine && first.len == second.len && (!first.len || memcmp(first.ptr, second.ptr, first.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	ProtobufCMessage *decoded;
	if (message_decode(arena, &COMMON_DESC(driver_request), (struct span){(const char *)data, size}, &decoded,
			   &err)) {
		const COMMON_MSG(DriverRequest) *request = (const COMMON_MSG(DriverRequest) *)decoded;
		const any_msg *any = request->command;
		const struct driver_command *command;
		ProtobufCMessage *message;
		round_trip(arena, decoded);
		if (any && driver_command_of_url(any->type_url, &command, &err) &&
		    message_decode(arena, command->request,
				   (struct span){(const char *)any->value.data, any->value.len}, &message, &err)) {
			assert(message->descriptor == command->request);
			round_trip(arena, message);
		} else if (any) {
			assert(err.code == ERR_UNIMPLEMENTED || err.code == ERR_INVALID_ARGUMENT ||
			       err.code == ERR_PAYLOAD_TOO_LARGE);
		}
	} else {
		assert(err.code == ERR_INVALID_ARGUMENT || err.code == ERR_PAYLOAD_TOO_LARGE);
	}
	arena_free(arena);
	return 0;
}
