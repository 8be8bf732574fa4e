#include "grpc/command.h"
#include "grpc/protocol.h"

/*
 * DriverResponse is written by hand, around the command's response that the
 * protobuf library packs in place: a large response is not copied into an Any,
 * and from there into the envelope.
 *
 *	1: commandResponse, Any {1: type_url, 2: value}
 *	2: messages, LogMessage {1: level, 2: message}
 */

enum { BYTES_1 = 1 << 3 | 2, BYTES_2 = 2 << 3 | 2, VARINT_1 = 1 << 3, LEVEL_BYTES = 2 };

static size_t varint_size(size_t value)
{
	size_t n = 1;
	while (value >>= 7)
		n++;
	return n;
}

/* A field of that many bytes, with its tag (one byte) and its length. */
static size_t field_size(size_t len)
{
	return 1 + varint_size(len) + len;
}

static uint8_t *head_put(uint8_t *to, uint8_t tag, size_t len)
{
	*to++ = tag;
	for (; len > 127; len >>= 7)
		*to++ = (uint8_t)(len | 128);
	*to++ = (uint8_t)len;
	return to;
}

static uint8_t *put(uint8_t *to, const char *text)
{
	size_t len = strlen(text);
	memcpy(to, text, len);
	return to + len;
}

static size_t log_size(const struct driver_message *m)
{
	return LEVEL_BYTES + (*m->text ? field_size(strlen(m->text)) : 0);
}

static uint8_t *log_put(uint8_t *to, const struct driver_message *m)
{
	to = head_put(to, BYTES_2, log_size(m));
	*to++ = VARINT_1;
	*to++ = (uint8_t)m->level;
	return *m->text ? put(head_put(to, BYTES_2, strlen(m->text)), m->text) : to;
}

bool driver_envelope(const struct driver_call *c, size_t max, struct span *ret, struct err *err)
{
	const ProtobufCMessage *response = c->response;
	size_t value = response ? protobuf_c_message_get_packed_size(response) : 0;
	size_t url = response ? strlen(TYPE_URL_PREFIX) + strlen(response->descriptor->name) : 0;
	size_t any = response ? field_size(url) + (value ? field_size(value) : 0) : 0;
	size_t size = response ? field_size(any) : 0;
	for (size_t i = 0; i < c->message_count; i++)
		size += field_size(log_size(&c->messages[i]));
	if (size > max)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The answer has %zu bytes, more than the %zu allowed", size,
			       max);
	uint8_t *bytes = arena_alloc(c->arena, size + 1);
	uint8_t *to = bytes;
	if (response) {
		to = head_put(head_put(to, BYTES_1, any), BYTES_1, url);
		to = put(put(to, TYPE_URL_PREFIX), response->descriptor->name);
	}
	if (value) {
		to = head_put(to, BYTES_2, value);
		to += protobuf_c_message_pack(response, to);
	}
	for (size_t i = 0; i < c->message_count; i++)
		to = log_put(to, &c->messages[i]);
	*ret = (struct span){(const char *)bytes, size};
	return true;
}
