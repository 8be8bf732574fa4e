/*
 * A command in JSON, as the bridge takes it: what is accepted can be written, and its writing is accepted again as the same
 * message. The first byte chooses the command.
 */
#include "grpc/command.h"
#include "grpc/json.h"

#include <assert.h>

enum { ENCODED_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not compared where an Any was nested too deep to be shown, or the text is too long. */
static void round_trip(struct arena *arena, const ProtobufCMessage *message)
{
	struct err err = ERR_INIT;
	struct buf text = BUF(ENCODED_MAX);
	struct json j = JSON(&text);
	struct span first, second;
	ProtobufCMessage *again;
	if (message_write_json(&j, NULL, message, NULL, &err) && !text.failed) {
		json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
		assert(value);
		if (message_read_json(arena, message->descriptor, value, NULL, &again, &err)) {
			bool fine = message_encode(arena, message, ENCODED_MAX, &first, &err) &&
				    message_encode(arena, again, ENCODED_MAX, &second, &err);
			assert(!fine || first.len == second.len);
		} else {
			assert(strstr(err.message, "@type") || strstr(err.message, "deep"));
		}
		json_decref(value);
	}
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const skip[] = {"type", "@type", NULL};
	struct err err = ERR_INIT;
	ProtobufCMessage *message;
	if (size == 0)
		return 0;
	const struct driver_command *command = &driver_commands[data[0] % driver_command_count];
	json_t *value = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
	struct arena *arena = arena_new();
	if (value && message_read_json(arena, command->request, value, skip, &message, &err))
		round_trip(arena, message);
	else if (value)
		assert(err.code == ERR_INVALID_ARGUMENT || err.code == ERR_PAYLOAD_TOO_LARGE);
	arena_free(arena);
	json_decref(value);
	return 0;
}
