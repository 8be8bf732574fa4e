#include "grpc/message.h"

#include "base/limits.h"

/* ---- memory ---- */

/* What decoding one message may allocate; its bytes are counted apart. */
struct budget {
	struct arena *arena;
	size_t left;
};

static void *budget_alloc(void *ctx, size_t size)
{
	struct budget *budget = ctx;
	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return arena_alloc(budget->arena, size);
}

static void budget_free(void *ctx, void *memory)
{
	(void)ctx;
	(void)memory;
}

/* ---- what the decoder below does not look at: text and depth ---- */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_BYTES_MAX = 10 };

static bool varint(struct span *rest, uint64_t *ret)
{
	uint64_t value = 0;
	for (size_t i = 0; i < rest->len && i < VARINT_BYTES_MAX; i++) {
		unsigned char byte = (unsigned char)rest->ptr[i];
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			*rest = span_skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

static bool take(struct span *rest, uint64_t n, struct span *ret)
{
	if (n > rest->len)
		return false;
	*ret = span_first(*rest, (size_t)n);
	*rest = span_skip(*rest, (size_t)n);
	return true;
}

static bool broken(const ProtobufCMessageDescriptor *d, struct err *err)
{
	return err_set(err, ERR_INVALID_ARGUMENT, "The bytes are no %s message", d->name);
}

static bool text_check(const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *field, struct span text,
		       struct err *err)
{
	if (text.len && memchr(text.ptr, '\0', text.len))
		return err_set(err, ERR_INVALID_ARGUMENT, "%s.%s holds a NUL character", d->name, field->name);
	if (!span_is_utf8(text))
		return err_set(err, ERR_INVALID_ARGUMENT, "%s.%s is not valid UTF-8", d->name, field->name);
	return true;
}

static bool wire_check(const ProtobufCMessageDescriptor *d, struct span rest, unsigned depth, struct err *err)
{
	if (depth > LIMIT_JSON_DEPTH)
		return err_set(err, ERR_INVALID_ARGUMENT, "Messages may be nested at most %d deep", LIMIT_JSON_DEPTH);
	while (rest.len) {
		uint64_t tag;
		uint64_t number;
		struct span value = SPAN_NONE;
		if (!varint(&rest, &tag) || tag >> 3 == 0 || tag >> 3 >= 1U << 29)
			return broken(d, err);
		bool fine = false;
		switch (tag & 7) {
		case WIRE_VARINT:
			fine = varint(&rest, &number);
			break;
		case WIRE_64:
			fine = take(&rest, 8, &value);
			break;
		case WIRE_BYTES:
			fine = varint(&rest, &number) && take(&rest, number, &value);
			break;
		case WIRE_32:
			fine = take(&rest, 4, &value);
			break;
		default:
			break;
		}
		if (!fine)
			return broken(d, err);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(d, (unsigned)(tag >> 3));
		if (!field || (tag & 7) != WIRE_BYTES)
			continue;
		if (field->type == PROTOBUF_C_TYPE_STRING && !text_check(d, field, value, err))
			return false;
		if (field->type == PROTOBUF_C_TYPE_MESSAGE && !wire_check(field->descriptor, value, depth + 1, err))
			return false;
	}
	return true;
}

bool message_decode(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span bytes,
		    ProtobufCMessage **ret, struct err *err)
{
	struct budget budget = {.arena = arena, .left = LIMIT_MESSAGE_MEMORY};
	ProtobufCAllocator allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = &budget};
	static const uint8_t empty[1];
	if (!wire_check(descriptor, bytes, 0, err))
		return false;
	*ret = protobuf_c_message_unpack(descriptor, &allocator, bytes.len,
					 bytes.len ? (const uint8_t *)bytes.ptr : empty);
	if (*ret)
		return true;
	/* Something did not fit, or the bytes are wrong in a way that only the decoder sees. */
	if (budget.left < LIMIT_MESSAGE_MEMORY / 2)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The message has too many elements");
	return broken(descriptor, err);
}

/* ---- making and encoding ---- */

void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);
	protobuf_c_message_init(descriptor, message);
	return message;
}

bool message_encode(struct arena *arena, const ProtobufCMessage *message, size_t max, struct span *ret, struct err *err)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	if (size > max)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The answer has %zu bytes, more than the %zu allowed", size,
			       max);
	uint8_t *bytes = arena_alloc(arena, size + 1);
	(void)protobuf_c_message_pack(message, bytes);
	*ret = (struct span){(const char *)bytes, size};
	return true;
}

/* ---- names ---- */

const ProtobufCMessageDescriptor *message_named(struct span full_name)
{
	for (size_t i = 0; i < driver_messages_count; i++) {
		if (span_is(full_name, driver_messages[i]->name))
			return driver_messages[i];
	}
	return NULL;
}

struct span message_url_name(const char *type_url)
{
	const char *slash = strrchr(type_url, '/');
	return span_of(slash ? slash + 1 : type_url);
}

struct span message_last_name(struct span name)
{
	for (size_t i = name.len; i > 0; i--) {
		if (name.ptr[i - 1] == '.')
			return span_skip(name, i);
	}
	return name;
}

bool message_is_map_entry(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *d = field->descriptor;
	return field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED &&
	       d->n_fields == 2 && strcmp(d->fields[0].name, "key") == 0 && strcmp(d->fields[1].name, "value") == 0 &&
	       span_ends(span_of(d->name), SPAN("Entry"));
}
