#include "grpc/reflection.h"

#include "base/limits.h"
#include "base/map.h"

#include <grpc/reflection/v1/reflection.pb-c.h>
#include <stdlib.h>

#define REFLECT_MSG(name)  Grpc__Reflection__V1__##name
#define REFLECT_DESC(name) grpc__reflection__v1__##name##__descriptor

typedef REFLECT_MSG(ServerReflectionRequest) request_msg;
typedef REFLECT_MSG(ServerReflectionResponse) response_msg;

enum { NOT_FOUND = 5, SERVICES_MAX = 8 };

struct reflection {
	struct map files;   /* name -> struct span */
	struct map symbols; /* full name -> struct span of its file */
	struct arena *arena;
	const char *services[SERVICES_MAX];
	size_t service_count;
};

/* ---- descriptors: protobuf of the build, so it is right ---- */

struct part {
	unsigned number;
	struct span bytes;
};

static uint64_t varint(struct span *rest)
{
	uint64_t value = 0;
	for (unsigned shift = 0; rest->len && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*rest->ptr;
		*rest = span_skip(*rest, 1);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

/* The next length-delimited field. */
static bool part_next(struct span *rest, struct part *ret)
{
	while (rest->len) {
		uint64_t tag = varint(rest);
		uint64_t n = varint(rest);
		if ((tag & 7) != 2)
			continue;
		*ret = (struct part){(unsigned)(tag >> 3), span_first(*rest, n)};
		*rest = span_skip(*rest, n);
		return true;
	}
	return false;
}

static struct span part_find(struct span message, unsigned number)
{
	struct part part;
	while (part_next(&message, &part)) {
		if (part.number == number)
			return part.bytes;
	}
	return SPAN_NONE;
}

/* FieldDescriptorProto and so on all have their name in field 1. */
enum { NAME = 1, FILE_PACKAGE = 2, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { MESSAGE_FIELD = 2, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, ENUM_VALUE = 2, SERVICE_METHOD = 2 };

static const char *symbol_add(struct reflection *r, struct span *file, const char *scope, struct span name)
{
	const char *full = arena_printf(r->arena, "%s%s%.*s", scope, *scope ? "." : "", SPAN_ARG(name));
	(void)map_put(&r->symbols, span_of(full), file);
	return full;
}

/* Fields of a message, methods of a service. */
static void members_add(struct reflection *r, struct span *file, const char *scope, struct span owner, unsigned number)
{
	struct part part;
	while (part_next(&owner, &part)) {
		if (part.number == number)
			(void)symbol_add(r, file, scope, part_find(part.bytes, NAME));
	}
}

static void enum_add(struct reflection *r, struct span *file, const char *scope, struct span bytes)
{
	(void)symbol_add(r, file, scope, part_find(bytes, NAME));
	/* Values are siblings of their enumeration. */
	members_add(r, file, scope, bytes, ENUM_VALUE);
}

static void message_add(struct reflection *r, struct span *file, const char *scope, struct span bytes)
{
	const char *full = symbol_add(r, file, scope, part_find(bytes, NAME));
	struct part part;
	members_add(r, file, full, bytes, MESSAGE_FIELD);
	while (part_next(&bytes, &part)) {
		if (part.number == MESSAGE_NESTED)
			message_add(r, file, full, part.bytes);
		else if (part.number == MESSAGE_ENUM)
			enum_add(r, file, full, part.bytes);
	}
}

static void service_add(struct reflection *r, struct span *file, const char *scope, struct span bytes)
{
	const char *full = symbol_add(r, file, scope, part_find(bytes, NAME));
	members_add(r, file, full, bytes, SERVICE_METHOD);
	if (r->service_count < SERVICES_MAX)
		r->services[r->service_count++] = full;
}

static void file_add(struct reflection *r, struct span bytes)
{
	struct span *file = arena_new_of(r->arena, struct span);
	struct part part;
	*file = bytes;
	const char *scope = arena_copy(r->arena, part_find(bytes, FILE_PACKAGE));
	(void)map_put(&r->files, part_find(bytes, NAME), file);
	while (part_next(&bytes, &part)) {
		if (part.number == FILE_MESSAGE)
			message_add(r, file, scope, part.bytes);
		else if (part.number == FILE_ENUM)
			enum_add(r, file, scope, part.bytes);
		else if (part.number == FILE_SERVICE)
			service_add(r, file, scope, part.bytes);
	}
}

struct reflection *reflection_new(void)
{
	struct reflection *r = mem_alloc(sizeof(*r));
	struct span rest = {(const char *)driver_descriptors, driver_descriptors_size};
	struct part part;
	r->arena = arena_new();
	while (part_next(&rest, &part))
		file_add(r, part.bytes);
	return r;
}

void reflection_free(struct reflection *r)
{
	if (!r)
		return;
	map_done(&r->files);
	map_done(&r->symbols);
	arena_free(r->arena);
	free(r);
}

/* ---- answers ---- */

static void answer_error(struct arena *arena, response_msg *answer, const char *what, const char *name)
{
	REFLECT_MSG(ErrorResponse) *error = message_new(arena, &REFLECT_DESC(error_response));
	error->error_code = NOT_FOUND;
	error->error_message = arena_printf(arena, "%s not found: %.200s", what, name);
	answer->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	answer->error_response = error;
}

static void answer_file(struct arena *arena, response_msg *answer, const struct span *file)
{
	REFLECT_MSG(FileDescriptorResponse) *files = message_new(arena, &REFLECT_DESC(file_descriptor_response));
	files->file_descriptor_proto = arena_array(arena, ProtobufCBinaryData, 1);
	files->n_file_descriptor_proto = 1;
	files->file_descriptor_proto[0] =
		(ProtobufCBinaryData){.len = file->len, .data = (uint8_t *)(uintptr_t)file->ptr};
	answer->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
	answer->file_descriptor_response = files;
}

static void answer_found(struct arena *arena, response_msg *answer, const struct map *map, const char *what,
			 const char *name)
{
	const struct span *file = map_get(map, span_of(name));
	if (file)
		answer_file(arena, answer, file);
	else
		answer_error(arena, answer, what, name);
}

static void answer_services(const struct reflection *r, struct arena *arena, response_msg *answer)
{
	REFLECT_MSG(ListServiceResponse) *list = message_new(arena, &REFLECT_DESC(list_service_response));
	list->service = message_array(arena, REFLECT_MSG(ServiceResponse), r->service_count);
	list->n_service = r->service_count;
	for (size_t i = 0; i < r->service_count; i++) {
		list->service[i] = message_new(arena, &REFLECT_DESC(service_response));
		list->service[i]->name = arena_strdup(arena, r->services[i]);
	}
	answer->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	answer->list_services_response = list;
}

/* No message of the protocol can be extended. */
static void answer_extensions(const struct reflection *r, struct arena *arena, response_msg *answer, const char *type)
{
	if (!map_get(&r->symbols, span_of(type))) {
		answer_error(arena, answer, "Type", type);
		return;
	}
	REFLECT_MSG(ExtensionNumberResponse) *numbers = message_new(arena, &REFLECT_DESC(extension_number_response));
	numbers->base_type_name = arena_strdup(arena, type);
	answer->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
	answer->all_extension_numbers_response = numbers;
}

static void answer_fill(const struct reflection *r, struct arena *arena, request_msg *q, response_msg *answer)
{
	switch (q->message_request_case) {
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		answer_found(arena, answer, &r->files, "File", q->file_by_filename);
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		answer_found(arena, answer, &r->symbols, "Symbol", q->file_containing_symbol);
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
		answer_error(arena, answer, "Extension of", q->file_containing_extension->containing_type);
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		answer_extensions(r, arena, answer, q->all_extension_numbers_of_type);
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		answer_services(r, arena, answer);
		return;
	default:
		answer_error(arena, answer, "Question", "");
		return;
	}
}

bool reflection_answer(const struct reflection *r, struct arena *arena, struct span request, struct span *ret,
		       struct err *err)
{
	ProtobufCMessage *decoded;
	response_msg *answer = message_new(arena, &REFLECT_DESC(server_reflection_response));
	if (!message_decode(arena, &REFLECT_DESC(server_reflection_request), request, &decoded, err))
		return false;
	request_msg *q = (request_msg *)decoded;
	answer->valid_host = q->host;
	answer->original_request = q;
	answer_fill(r, arena, q, answer);
	return message_encode(arena, &answer->base, LIMIT_MESSAGE_BYTES, ret, err);
}
