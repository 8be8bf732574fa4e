/*
 * Protobuf messages (proto3 wire format) in the memory of a request.
 *
 * Decoding is strict about text: a string that is not UTF-8 or holds a NUL is
 * refused, since a C string would be read as something else than was sent. What
 * a message may take of memory, and how deep it may nest, is bounded, whatever
 * its bytes say. Unknown fields are skipped.
 *
 * Messages point into the arena and live as long as it does; nobody frees them.
 */
#ifndef GRPC_MESSAGE_H
#define GRPC_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <protobuf-c/protobuf-c.h>

#define TYPE_URL_PREFIX "type.googleapis.com/"

/* ERR_INVALID_ARGUMENT: no message of that kind; ERR_PAYLOAD_TOO_LARGE: it would take too much memory. */
MUST_CHECK bool message_decode(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span bytes,
			       ProtobufCMessage **ret, struct err *err);
/* With all fields at their defaults. */
void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);
/* ERR_PAYLOAD_TOO_LARGE above `max` bytes. */
MUST_CHECK bool message_encode(struct arena *arena, const ProtobufCMessage *message, size_t max, struct span *ret,
			       struct err *err);
/* The descriptor of a full name; NULL when the protocol has none. */
const ProtobufCMessageDescriptor *message_named(struct span full_name);

/* What stands behind the last '/' of a type URL. */
struct span message_url_name(const char *type_url);
/* The part of a dotted name behind its last dot. */
struct span message_last_name(struct span name);

/* A repeated field as an array with room for n messages of that kind. */
#define message_array(arena, type, n) arena_array((arena), type *, (n))

/* Whether the message type is one entry of a map field: key and value, named by the compiler <Field>Entry. */
bool message_is_map_entry(const ProtobufCFieldDescriptor *field);

/* All messages of the protocol, as the build lists them. */
extern const ProtobufCMessageDescriptor *const driver_messages[];
extern const size_t driver_messages_count;

#endif
