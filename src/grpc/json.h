/*
 * Protobuf messages as JSON (proto3 JSON mapping), by their descriptors.
 *
 * Reading is strict: an unknown member, a value of the wrong JSON type, an
 * unknown enum name or a number out of range is ERR_INVALID_ARGUMENT and names
 * the place (`columnDefinition.nullable`). Members may be written in
 * lowerCamelCase or snake_case at every depth; keys of maps are data. Enums are
 * names or numbers, 64-bit integers numbers or strings, null is "not set". An
 * Any is an object with `@type` and the fields of that message; a
 * google.protobuf.Value is any JSON value.
 *
 * Writing is canonical: fields in the order of their numbers under their names
 * in the protocol, defaults left out, 64-bit integers as strings, enums by name.
 *
 * Depth is bounded both ways.
 */
#ifndef GRPC_JSON_H
#define GRPC_JSON_H

#include "base/json.h"
#include "grpc/message.h"

/* `skip`: names of members that are none of the message's, ended by NULL; may be NULL. */
MUST_CHECK bool message_read_json(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
				  const json_t *object, const char *const *skip, ProtobufCMessage **ret,
				  struct err *err);
/* As an object; `type_url` becomes its last member `@type` unless NULL. False when it is nested too deep. */
MUST_CHECK bool message_write_json(struct json *j, const char *key, const ProtobufCMessage *message,
				   const char *type_url, struct err *err);

#endif
